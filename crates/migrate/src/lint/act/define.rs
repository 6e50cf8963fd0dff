//! Columns, constraints and indexes as statements define them.

use super::read::collation_of;
use super::{Act, Constraint, Kind, NewColumn, NewIndex, last, plain};
use sqlparser::ast::{
    ColumnDef, ColumnOption, CreateIndex, DataType, Expr, Ident, IndexColumn, IndexType, TableConstraint,
    UnaryOperator, Value as Sql,
};

pub(super) fn column(def: ColumnDef) -> NewColumn {
    let options: Vec<ColumnOption> = def.options.into_iter().map(|option| option.option).collect();
    defined(&def.name, def.data_type, &options)
}

pub(super) fn defined(name: &Ident, ty: DataType, options: &[ColumnOption]) -> NewColumn {
    let has = |wanted: fn(&ColumnOption) -> bool| options.iter().any(wanted);
    let computed = options.iter().find_map(|option| match option {
        ColumnOption::Default(value) if is_volatile(value) => Some(format!("the default {value}")),
        ColumnOption::Generated { generation_expr: Some(_), generation_expr_mode, .. } => {
            let stored = format!("{generation_expr_mode:?}").contains("Stored");
            stored.then(|| "a stored value".to_owned())
        }
        ColumnOption::Generated { .. } | ColumnOption::Identity(_) => Some("a counter".to_owned()),
        _ => None,
    });
    NewColumn {
        name: plain(name),
        not_null: has(|option| matches!(option, ColumnOption::NotNull | ColumnOption::PrimaryKey(_))),
        has_default: computed.is_some()
            || has(|option| matches!(option, ColumnOption::Default(_) | ColumnOption::Generated { .. })),
        plain_default: options.iter().find_map(|option| match option {
            ColumnOption::Default(value) => literal(value),
            _ => None,
        }),
        computed: computed.or_else(|| is_serial(&ty).then(|| "a counter".to_owned())),
        key: has(|option| matches!(option, ColumnOption::PrimaryKey(_))),
        unique: has(|option| matches!(option, ColumnOption::Unique(_))),
        references: has(|option| matches!(option, ColumnOption::ForeignKey(_))),
        collation: options.iter().find_map(|option| match option {
            ColumnOption::Collation(name) => Some(collation_of(&last(name))),
            ColumnOption::CharacterSet(name) => Some(collation_of(&last(name))),
            _ => None,
        }),
        ty,
    }
}

/// The text of a plain value.
pub(crate) fn literal(value: &Expr) -> Option<String> {
    match value {
        Expr::Nested(inner) => literal(inner),
        Expr::Cast { expr, .. } => literal(expr),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Some(["-", &literal(expr)?].concat()),
        Expr::Value(value) => match &value.value {
            Sql::Number(number, _) => Some(number.clone()),
            Sql::Boolean(truth) => Some(truth.to_string()),
            Sql::SingleQuotedString(text) | Sql::EscapedStringLiteral(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// `serial` and its kin, which are no types of their own.
pub(crate) fn is_serial(ty: &DataType) -> bool {
    ty.to_string().to_ascii_lowercase().ends_with("serial")
}

/// Whether rows get different values: anything that is called but the time of the transaction.
fn is_volatile(value: &Expr) -> bool {
    const STEADY: &[&str] = &["now", "current_timestamp", "current_date", "current_time", "localtimestamp"];
    match value {
        Expr::Function(function) => !STEADY.contains(&last(&function.name).as_str()),
        Expr::Nested(inner) => is_volatile(inner),
        Expr::Cast { expr, .. } => is_volatile(expr),
        _ => false,
    }
}

pub(super) fn constraint(constraint: TableConstraint, not_valid: bool) -> Constraint {
    use TableConstraint as T;
    let (kind, name, columns) = match &constraint {
        T::Unique(unique) => (Kind::Unique, unique.name.as_ref(), indexed(&unique.columns)),
        T::UniqueUsingIndex(unique) => (Kind::Unique, unique.name.as_ref(), Vec::new()),
        T::PrimaryKey(key) => (Kind::Key, key.name.as_ref(), indexed(&key.columns)),
        T::PrimaryKeyUsingIndex(key) => (Kind::Key, key.name.as_ref(), Vec::new()),
        T::ForeignKey(key) => {
            let columns = key.columns.iter().map(|name| Some(plain(name))).collect();
            (Kind::Reference, key.name.as_ref(), columns)
        }
        T::Check(check) => (Kind::Check, check.name.as_ref(), Vec::new()),
        T::Index(index) => (Kind::Index, index.name.as_ref(), indexed(&index.columns)),
        T::FulltextOrSpatial(_) | T::Exclude(_) => (Kind::Index, None, vec![None]),
    };
    let never_null = match &constraint {
        T::Check(check) => match &*check.expr {
            Expr::IsNotNull(inner) => name_of(inner),
            _ => None,
        },
        _ => None,
    };
    let using_index = matches!(constraint, T::UniqueUsingIndex(_) | T::PrimaryKeyUsingIndex(_));
    Constraint { kind, name: name.map(plain), columns, not_valid, using_index, never_null }
}

pub(super) fn index(create: CreateIndex) -> Act {
    let ordered = matches!(create.using, None | Some(IndexType::BTree));
    Act::CreateIndex {
        table: last(&create.table_name),
        index: NewIndex {
            name: create.name.as_ref().map(last),
            columns: indexed(&create.columns),
            unique: create.unique,
            concurrently: create.concurrently,
            whole: create.predicate.is_none() && ordered,
        },
    }
}

fn indexed(columns: &[IndexColumn]) -> Vec<Option<String>> {
    columns.iter().map(|column| name_of(&column.column.expr)).collect()
}

fn name_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(name) => Some(plain(name)),
        Expr::Nested(inner) => name_of(inner),
        _ => None,
    }
}
