//! [`Act`]: what a statement does to tables, in the few words that lints need. Enters: one
//! statement and the engine whose dialect it speaks. It knows no rule.

use super::moved::{Moved, moved};
use backstay_sql::ddl::expand::PREFIX;
use backstay_sql::ddl::full_text::is_part;
use sqlparser::ast::{
    AlterColumnOperation as Alter, AlterIndexOperation, AlterTableOperation as Operation, AlterType,
    AlterTypeOperation, ColumnDef, ColumnOption, CreateIndex, CreateTable, DataType, Expr, FromTable, Ident,
    IndexColumn, IndexType, ObjectName, ObjectType, RenameTableNameKind, Statement, TableConstraint,
    TableFactor, TableWithJoins, TruncateTableTarget, UnaryOperator, UserDefinedTypeRepresentation,
    Value as Sql,
};
use sqlparser::dialect::{Dialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::{Parser, ParserError};
use std::borrow::Cow;

/// How deep expressions may nest; what is deeper is not read.
const DEPTH: usize = 60;

/// One thing that a statement does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Act {
    CreateTable {
        table: String,
        columns: Vec<NewColumn>,
        constraints: Vec<Constraint>,
    },
    DropTable {
        table: String,
    },
    Empty {
        table: String,
    },
    DropSchema {
        schema: String,
    },
    RenameTable {
        from: String,
        to: String,
    },
    AddColumn {
        table: String,
        column: NewColumn,
    },
    DropColumn {
        table: String,
        column: String,
    },
    RenameColumn {
        table: String,
        from: String,
        to: String,
    },
    ChangeType {
        table: String,
        column: NewColumn,
        whole: bool,
    },
    SetNotNull {
        table: String,
        column: String,
    },
    AddConstraint {
        table: String,
        constraint: Constraint,
    },
    DropConstraint {
        table: String,
        name: String,
    },
    DropKey {
        table: String,
    },
    Validate {
        table: String,
        name: String,
    },
    CreateIndex {
        table: String,
        index: NewIndex,
    },
    RenameIndex {
        from: String,
        to: String,
    },
    DropIndex {
        name: String,
        concurrently: bool,
        if_exists: bool,
    },
    ChangeRows {
        table: String,
        all: bool,
    },
    MoveRows {
        table: String,
        moved: Vec<Moved>,
    },
    CreateEnum {
        name: String,
    },
    AddMember {
        name: String,
    },
    RenameMember {
        name: String,
    },
    Reindex,
    /// What stands before it is done, and its locks are gone.
    Commit,
    Unread {
        why: String,
    },
}

impl Act {
    /// The table that it is about.
    pub(crate) const fn table(&self) -> Option<&String> {
        match self {
            Self::CreateTable { table, .. }
            | Self::DropTable { table }
            | Self::Empty { table }
            | Self::RenameTable { from: table, .. }
            | Self::AddColumn { table, .. }
            | Self::DropColumn { table, .. }
            | Self::RenameColumn { table, .. }
            | Self::ChangeType { table, .. }
            | Self::SetNotNull { table, .. }
            | Self::AddConstraint { table, .. }
            | Self::DropConstraint { table, .. }
            | Self::DropKey { table }
            | Self::Validate { table, .. }
            | Self::CreateIndex { table, .. }
            | Self::MoveRows { table, .. }
            | Self::ChangeRows { table, .. } => Some(table),
            Self::DropSchema { .. }
            | Self::RenameIndex { .. }
            | Self::DropIndex { .. }
            | Self::CreateEnum { .. }
            | Self::AddMember { .. }
            | Self::RenameMember { .. }
            | Self::Reindex
            | Self::Commit
            | Self::Unread { .. } => None,
        }
    }
}

/// A column as a statement defines it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewColumn {
    pub(crate) name: String,
    pub(crate) ty: DataType,
    pub(crate) not_null: bool,
    /// A default that each row computes for itself, or a value that the table stores.
    pub(crate) computed: Option<String>,
    pub(crate) has_default: bool,
    /// The text of a default that is a plain value.
    pub(crate) plain_default: Option<String>,
    pub(crate) key: bool,
    pub(crate) unique: bool,
    pub(crate) references: bool,
}

/// What a constraint holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Key,
    Unique,
    Reference,
    Check,
    Index,
}

/// A constraint as a statement defines it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Constraint {
    pub(crate) kind: Kind,
    pub(crate) name: Option<String>,
    pub(crate) columns: Vec<Option<String>>,
    pub(crate) not_valid: bool,
    pub(crate) using_index: bool,
    /// The column that it holds to be there: `CHECK (a IS NOT NULL)`.
    pub(crate) never_null: Option<String>,
}

/// An index as a statement defines it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewIndex {
    pub(crate) name: Option<String>,
    pub(crate) columns: Vec<Option<String>>,
    pub(crate) unique: bool,
    pub(crate) concurrently: bool,
    /// It holds every row, in the order of its columns.
    pub(crate) whole: bool,
}

/// What a statement does; nothing where it is no matter of tables.
pub(crate) fn acts(engine: &str, text: &str) -> Vec<Act> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if begins(&words, &["REINDEX"]) {
        let concurrently = words.iter().take(4).any(|word| word.eq_ignore_ascii_case("CONCURRENTLY"));
        return if concurrently { Vec::new() } else { vec![Act::Reindex] };
    }
    // the parser has not heard of it
    if begins(&words, &["ALTER", "TABLE"])
        && let Some([rename, index, from, to, name]) = words.get(3..)
        && begins(&[rename, index, to], &["RENAME", "INDEX", "TO"])
    {
        let bare = |name: &str| name.trim_matches(['`', '"']).to_owned();
        return vec![Act::RenameIndex { from: bare(from), to: bare(name) }];
    }
    // what keeps two shapes of a table alike is generated, and its body is read by the database alone
    if begins(&words, &["CREATE", "TRIGGER"]) && text.contains(PREFIX) {
        return Vec::new();
    }
    // nor is what an index of words is made of a table of anybody
    if is_part(text) {
        return Vec::new();
    }
    // nor of the words that a table of MySQL bears: they stand in its dictionary alone
    let rest = match (engine, begins(&words, &["ALTER", "TABLE"])) {
        ("mysql", true) => without_comment(text),
        _ => None,
    };
    let text = match &rest {
        Some(rest) if rest.is_empty() => return Vec::new(),
        Some(rest) => rest.as_str(),
        None => text,
    };
    let mut acts: Vec<Act> = match parsed(engine, &known(&words, text)) {
        Ok(statements) => statements.into_iter().flat_map(of).collect(),
        Err(error) => vec![Act::Unread { why: error.to_string() }],
    };
    for act in &mut acts {
        if let Act::DropIndex { concurrently, .. } = act {
            *concurrently = begins(&words, DROPS_CONCURRENTLY);
        }
    }
    acts
}

/// `ALTER TABLE a COMMENT = 'words', DROP COLUMN b` without the words on the table: empty where
/// nothing is left, none where there are no words.
fn without_comment(text: &str) -> Option<String> {
    let mut words = text.trim_start();
    for _ in 0..3 {
        words = words.split_once(char::is_whitespace)?.1.trim_start();
    }
    let before = text.strip_suffix(words)?;
    let words = words.get(..7).filter(|word| word.eq_ignore_ascii_case("COMMENT")).and(words.get(7..))?;
    let words = words.trim_start();
    let words = words.strip_prefix('=').unwrap_or(words).trim_start();
    let quote = words.chars().next().filter(|first| ['\'', '"'].contains(first))?;
    let (mut escaped, mut end) = (false, None);
    let mut chars = words.char_indices().skip(1).peekable();
    while let Some((at, char)) = chars.next() {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if char == quote && chars.peek().is_some_and(|(_, next)| *next == quote) => escaped = true,
            _ if char == quote => {
                end = Some(at + char.len_utf8());
                break;
            }
            _ => {}
        }
    }
    let rest = words.get(end?..)?.trim();
    match rest.strip_prefix(',') {
        _ if rest.is_empty() || rest == ";" => Some(String::new()),
        Some(rest) => Some([before, rest.trim_start()].concat()),
        None => None,
    }
}

/// The statements of a text.
pub(crate) fn parsed(engine: &str, text: &str) -> Result<Vec<Statement>, ParserError> {
    let dialect: &dyn Dialect = match engine {
        "postgres" => &PostgreSqlDialect {},
        "mysql" => &MySqlDialect {},
        _ => &SQLiteDialect {},
    };
    let parser = Parser::new(dialect).with_recursion_limit(DEPTH).try_with_sql(text);
    parser.and_then(|mut parser| parser.parse_statements())
}

const DROPS_CONCURRENTLY: &[&str] = &["DROP", "INDEX", "CONCURRENTLY"];

fn begins(words: &[&str], wanted: &[&str]) -> bool {
    words.len() >= wanted.len() && wanted.iter().zip(words).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

/// A statement in the words that the parser knows: it has not heard of `DROP INDEX CONCURRENTLY`, nor of a
/// collation where a column changes its type.
fn known<'t>(words: &[&str], text: &'t str) -> Cow<'t, str> {
    if begins(words, DROPS_CONCURRENTLY) {
        let kept = words.iter().enumerate().filter(|(place, _)| *place != 2).map(|(_, word)| *word);
        return Cow::Owned(kept.collect::<Vec<&str>>().join(" "));
    }
    let place = |wanted: &str| words.iter().position(|word| word.eq_ignore_ascii_case(wanted));
    match (begins(words, &["ALTER", "TABLE"]), place("TYPE"), place("COLLATE")) {
        (true, Some(ty), Some(collate)) if ty < collate => {
            let kept = words.iter().enumerate().filter(|(place, _)| !(collate..collate + 2).contains(place));
            Cow::Owned(kept.map(|(_, word)| *word).collect::<Vec<&str>>().join(" "))
        }
        _ => Cow::Borrowed(text),
    }
}

fn of(statement: Statement) -> Vec<Act> {
    match statement {
        Statement::CreateTable(CreateTable { name, columns, constraints, .. }) => vec![Act::CreateTable {
            table: last(&name),
            columns: columns.into_iter().map(column).collect(),
            constraints: constraints.into_iter().map(|each| constraint(each, false)).collect(),
        }],
        Statement::AlterTable(alter) => {
            let table = last(&alter.name);
            alter.operations.into_iter().flat_map(|operation| altered(&table, operation)).collect()
        }
        Statement::CreateIndex(create) => vec![index(create)],
        Statement::Commit { .. } => vec![Act::Commit],
        Statement::AlterIndex { name, operation: AlterIndexOperation::RenameIndex { index_name } } => {
            vec![Act::RenameIndex { from: last(&name), to: last(&index_name) }]
        }
        Statement::Drop { object_type, if_exists, names, .. } => {
            let one = |name: &ObjectName| match object_type {
                ObjectType::Table => Some(Act::DropTable { table: last(name) }),
                ObjectType::Schema | ObjectType::Database => Some(Act::DropSchema { schema: last(name) }),
                ObjectType::Index => {
                    Some(Act::DropIndex { name: last(name), concurrently: false, if_exists })
                }
                _ => None,
            };
            names.iter().filter_map(one).collect()
        }
        Statement::RenameTable(renames) => renames
            .iter()
            .map(|rename| Act::RenameTable { from: last(&rename.old_name), to: last(&rename.new_name) })
            .collect(),
        Statement::Truncate(truncate) => {
            let table = |target: &TruncateTableTarget| Act::Empty { table: last(&target.name) };
            truncate.table_names.iter().map(table).collect()
        }
        Statement::Update(update) => changed(&update.table, update.selection.is_none()).into_iter().collect(),
        Statement::Insert(insert) => moved(&insert).into_iter().collect(),
        Statement::Delete(delete) => {
            let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
            from.iter().filter_map(|from| changed(from, delete.selection.is_none())).collect()
        }
        Statement::CreateType { name, representation: Some(UserDefinedTypeRepresentation::Enum { .. }) } => {
            vec![Act::CreateEnum { name: last(&name) }]
        }
        Statement::AlterType(AlterType { name, operation }) => match operation {
            AlterTypeOperation::AddValue(_) => vec![Act::AddMember { name: last(&name) }],
            AlterTypeOperation::RenameValue(_) => vec![Act::RenameMember { name: last(&name) }],
            AlterTypeOperation::Rename(_) => Vec::new(),
        },
        // what else there is makes, changes and drops no table
        _ => Vec::new(),
    }
}

fn altered(table: &str, operation: Operation) -> Option<Act> {
    let table = table.to_owned();
    Some(match operation {
        Operation::AddConstraint { constraint: added, not_valid } => {
            Act::AddConstraint { table, constraint: constraint(added, not_valid) }
        }
        Operation::AddColumn { column_def, .. } => Act::AddColumn { table, column: column(column_def) },
        Operation::DropColumn { column_names, .. } => {
            Act::DropColumn { table, column: column_names.first().map(plain)? }
        }
        Operation::RenameColumn { old_column_name, new_column_name } => {
            Act::RenameColumn { table, from: plain(&old_column_name), to: plain(&new_column_name) }
        }
        Operation::RenameTable { table_name: RenameTableNameKind::As(to) | RenameTableNameKind::To(to) } => {
            Act::RenameTable { from: table, to: last(&to) }
        }
        Operation::ChangeColumn { new_name, old_name, .. } if plain(&new_name) != plain(&old_name) => {
            Act::RenameColumn { table, from: plain(&old_name), to: plain(&new_name) }
        }
        Operation::ChangeColumn { new_name: name, data_type, options, .. }
        | Operation::ModifyColumn { col_name: name, data_type, options, .. } => {
            Act::ChangeType { table, column: defined(&name, data_type, &options), whole: true }
        }
        Operation::AlterColumn { column_name, op } => match op {
            Alter::SetNotNull => Act::SetNotNull { table, column: plain(&column_name) },
            Alter::SetDataType { data_type, .. } => {
                Act::ChangeType { table, column: defined(&column_name, data_type, &[]), whole: false }
            }
            _ => return None,
        },
        Operation::DropConstraint { name, .. } | Operation::DropForeignKey { name, .. } => {
            Act::DropConstraint { table, name: plain(&name) }
        }
        Operation::DropPrimaryKey { .. } => Act::DropKey { table },
        Operation::DropIndex { name } => {
            Act::DropIndex { name: plain(&name), concurrently: false, if_exists: false }
        }
        Operation::ValidateConstraint { name } => Act::Validate { table, name: plain(&name) },
        // neither rows nor what holds them change
        _ => return None,
    })
}

fn column(def: ColumnDef) -> NewColumn {
    let options: Vec<ColumnOption> = def.options.into_iter().map(|option| option.option).collect();
    defined(&def.name, def.data_type, &options)
}

fn defined(name: &Ident, ty: DataType, options: &[ColumnOption]) -> NewColumn {
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

fn constraint(constraint: TableConstraint, not_valid: bool) -> Constraint {
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

fn index(create: CreateIndex) -> Act {
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

fn changed(from: &TableWithJoins, all: bool) -> Option<Act> {
    match &from.relation {
        TableFactor::Table { name, .. } => Some(Act::ChangeRows { table: last(name), all }),
        _ => None,
    }
}

/// A name without its schema, as the databases compare names that nobody quotes.
pub(crate) fn last(name: &ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map(plain).unwrap_or_default()
}

pub(crate) fn plain(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_ascii_lowercase() }
}
