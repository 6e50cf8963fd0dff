//! Where the tables and columns come from that files leave: which name each had before, what rows were
//! given where they had no value, which members of enums took other names. Enters: the database before the
//! files, and their statements. What cannot be taken back is named.

use crate::file::MigrationFile;
use crate::lint::act::define::literal;
use crate::lint::act::read::{acts, parsed};
use crate::lint::act::{Act, NewColumn, last};
use crate::squash::is_by_hand;
use crate::statements::located;
use backstay_engine::live::Live;
use backstay_sql::ddl::expand::PREFIX;
use backstay_sql::ddl::full_text::is_part;
use sqlparser::ast::{
    Assignment, AssignmentTarget, BinaryOperator, Expr, Insert, SelectItem, SetExpr, Statement, TableFactor,
    TableObject, Update,
};
use std::collections::BTreeMap;

/// Where a column comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// Its name before; none for one that was not there.
    pub(super) name: Option<String>,
    /// What the rows got that were there already.
    pub(super) given: Option<String>,
    /// (before, after) of members that took other names.
    pub(super) members: Vec<(String, String)>,
}

/// Where a table comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TableOrigin {
    /// Its name before; none for one that was not there.
    pub(super) name: Option<String>,
    /// Its columns.
    pub(super) columns: BTreeMap<String, Origin>,
}

/// All tables that the files leave.
#[derive(Debug, Default)]
pub(super) struct Origins {
    pub(super) tables: BTreeMap<String, TableOrigin>,
    /// What cannot be taken back.
    pub(super) lost: Vec<String>,
    /// What keeps two shapes of a table alike since the file: tables and triggers.
    pub(super) triggers: Vec<(String, String)>,
}

impl Origins {
    /// Follows a file from what stands before it.
    pub(super) fn of(before: &Live, file: &MigrationFile, engine: &str) -> Self {
        let mut origins = Self { lost: file.losses(engine), ..Self::default() };
        for table in &before.tables {
            let own =
                |name: &String| (name.clone(), Origin { name: Some(name.clone()), ..Origin::default() });
            let columns = table.columns.iter().map(|column| own(&column.name)).collect();
            let origin = TableOrigin { name: Some(table.name.clone()), columns };
            origins.tables.insert(table.name.clone(), origin);
        }
        // an index of words holds nothing that its table has not
        let statements = located(&file.text, engine).into_iter().filter(|each| !is_part(&each.text));
        for statement in statements {
            origins.triggers.extend(trigger(&statement.text));
            let known = origins.rows(engine, &statement.text);
            if known == Known::Kept {
                continue;
            }
            let read = if known == Known::Lost { Vec::new() } else { acts(engine, &statement.text) };
            let unread = read.iter().any(|act| matches!(act, Act::Unread { .. } | Act::Empty { .. }));
            if known == Known::Lost || unread || is_by_hand(&statement.text) {
                let first = statement.text.lines().next().unwrap_or_default();
                origins.lost.push(format!("line {}: {first}", statement.line));
            }
            read.into_iter().for_each(|act| origins.follow(act));
        }
        origins
    }

    fn follow(&mut self, act: Act) {
        let column = |tables: &mut BTreeMap<String, TableOrigin>, table: &String, column: NewColumn| {
            if let Some(table) = tables.get_mut(table) {
                let origin = Origin { given: column.plain_default, ..Origin::default() };
                table.columns.insert(column.name, origin);
            }
        };
        match act {
            Act::CreateTable { table, columns, .. } => {
                self.tables.insert(table.clone(), TableOrigin::default());
                columns.into_iter().for_each(|new| {
                    column(&mut self.tables, &table, NewColumn { plain_default: None, ..new });
                });
            }
            Act::DropTable { table } => drop(self.tables.remove(&table)),
            Act::RenameTable { from, to } => {
                if let Some(origin) = self.tables.remove(&from) {
                    self.tables.insert(to, origin);
                }
            }
            Act::AddColumn { table, column: added } => column(&mut self.tables, &table, added),
            Act::DropColumn { table, column } => {
                self.tables.get_mut(&table).map(|table| table.columns.remove(&column));
            }
            Act::RenameColumn { table, from, to } => {
                if let Some(table) = self.tables.get_mut(&table)
                    && let Some(origin) = table.columns.remove(&from)
                {
                    table.columns.insert(to, origin);
                }
            }
            // neither names nor rows
            _ => {}
        }
    }

    /// What a statement does to rows.
    fn rows(&mut self, engine: &str, text: &str) -> Known {
        match parsed(engine, text).as_deref() {
            Ok([Statement::Insert(insert)]) => self.copied(insert).unwrap_or(Known::Lost),
            Ok([Statement::Update(update)]) => self.updated(update).unwrap_or(Known::Lost),
            Ok([Statement::Delete(_)]) => Known::Lost,
            Ok(_) | Err(_) => Known::Other,
        }
    }

    /// A table that is made anew takes the rows of the old one.
    fn copied(&mut self, insert: &Insert) -> Option<Known> {
        let TableObject::TableName(into) = &insert.table else { return None };
        let SetExpr::Select(select) = &*insert.source.as_ref()?.body else { return None };
        let [from] = select.from.as_slice() else { return None };
        let TableFactor::Table { name: from, .. } = &from.relation else { return None };
        let from = self.tables.get(&last(from))?.clone();
        if select.selection.is_some() || insert.columns.len() != select.projection.len() {
            return None;
        }
        let into = self.tables.get_mut(&last(into)).filter(|into| into.name.is_none())?;
        into.name.clone_from(&from.name);
        for (name, item) in insert.columns.iter().zip(&select.projection) {
            let SelectItem::UnnamedExpr(value) = item else { return None };
            let origin = match (source(&from, value), literal(value)) {
                (_, Some(given)) => Origin { given: Some(given), ..Origin::default() },
                (Some(origin), None) => {
                    Origin { members: [origin.members.clone(), members(value)].concat(), ..origin.clone() }
                }
                (None, None) => Origin::default(),
            };
            into.columns.insert(last(name), origin);
        }
        Some(Known::Kept)
    }

    /// A value for rows that have none, members that take other names, values that move into a new column.
    fn updated(&mut self, update: &Update) -> Option<Known> {
        let TableFactor::Table { name: table, .. } = &update.table.relation else { return None };
        let [Assignment { target: AssignmentTarget::ColumnName(column), value }] =
            update.assignments.as_slice()
        else {
            return None;
        };
        let table = self.tables.get_mut(&last(table))?;
        let column = last(column);
        let fills = matches!(&update.selection, Some(Expr::IsNull(inner)) if names(inner, &column));
        let in_batches = update.selection.as_ref().is_some_and(|selection| is_without(selection, &column));
        let renamed = members(value);
        let from = source(table, value).cloned();
        let own = table.columns.get_mut(&column)?;
        if fills {
            return Some(Known::Kept);
        }
        if in_batches {
            match (literal(value), from) {
                _ if own.name.is_some() || own.given.is_some() => {}
                (Some(given), _) => own.given = Some(given),
                (None, Some(from)) => *own = from,
                (None, None) => {}
            }
            return Some(Known::Kept);
        }
        if !renamed.is_empty()
            && matches!(&update.selection, Some(Expr::IsNotNull(inner)) if names(inner, &column))
        {
            own.members.extend(renamed);
            return Some(Known::Kept);
        }
        if own.name.is_none() && own.given.is_none() && update.selection.is_none() {
            *own = from?;
            return Some(Known::Kept);
        }
        None
    }
}

/// Whether a condition is of rows that have no value where there could be one, all of them or so many of their keys.
fn is_without(condition: &Expr, column: &str) -> bool {
    match condition {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            matches!(&**left, Expr::IsNull(inner) if names(inner, column))
                && matches!(&**right, Expr::IsNotNull(_))
        }
        Expr::InSubquery { subquery, negated: false, .. } => match &*subquery.body {
            SetExpr::Select(select) => {
                select.selection.as_ref().is_some_and(|condition| is_without(condition, column))
            }
            _ => false,
        },
        _ => false,
    }
}

/// The table and the name of a trigger that keeps two shapes of a table alike.
fn trigger(text: &str) -> Option<(String, String)> {
    let (name, rest) = quoted(text.strip_prefix("CREATE TRIGGER ")?)?;
    let (_, rest) = rest.split_once(" ON ")?;
    let (table, _) = quoted(rest)?;
    name.starts_with(PREFIX).then_some((table, name))
}

/// A quoted name, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|first| ['"', '`'].contains(first))?;
    let mut name = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        if char != quote {
            name.push(char);
            continue;
        }
        let rest = text.get(at + 1..)?;
        if !rest.starts_with(quote) {
            return Some((name, rest));
        }
        name.push(char);
        chars.next();
    }
    None
}

/// What is known of a statement that may change rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Values stay what they are, under another name or in another form.
    Kept,
    /// What was there is not known any more.
    Lost,
    /// It changes no rows.
    Other,
}

fn names(value: &Expr, column: &str) -> bool {
    matches!(value, Expr::Identifier(name) if name.value == column)
}

/// The one column that a value is made of.
fn source<'t>(table: &'t TableOrigin, value: &Expr) -> Option<&'t Origin> {
    let text = value.to_string();
    let quoted = |name: &str| ['"', '`'].iter().any(|quote| text.contains(&format!("{quote}{name}{quote}")));
    let mut found = table.columns.iter().filter(|(name, _)| quoted(name));
    match (found.next(), found.next()) {
        (Some((_, origin)), None) => Some(origin),
        _ => None,
    }
}

/// `CASE a WHEN 'OLD' THEN 'NEW' ELSE a END`.
fn members(value: &Expr) -> Vec<(String, String)> {
    match value {
        Expr::Case { operand: Some(_), conditions, .. } => conditions
            .iter()
            .filter_map(|case| Some((literal(&case.condition)?, literal(&case.result)?)))
            .collect(),
        // `coalesce(CASE … END, 'NEW')`
        Expr::Function(function) => match &function.args {
            sqlparser::ast::FunctionArguments::List(list) => list
                .args
                .iter()
                .filter_map(|argument| match argument {
                    sqlparser::ast::FunctionArg::Unnamed(sqlparser::ast::FunctionArgExpr::Expr(inner)) => {
                        Some(members(inner))
                    }
                    _ => None,
                })
                .flatten()
                .collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
