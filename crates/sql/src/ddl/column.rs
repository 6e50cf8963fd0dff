//! Columns of definitions: their types, and how one is added to a table that stands.

use super::check::typed;
use super::{check, comment, stored};
use crate::dialect::definition::{Alter, Place};
use crate::dialect::{Dialect, digits_and_scale};
use crate::lower::Lower;
use crate::writer::Writer;
use backstay_schema::catalog::{Catalog, Column, DefaultValue, Fill, Relation, RelationKind, Table};
use backstay_schema::indexed::INDEXED_CHARACTERS;
use backstay_schema::scalar::ScalarType;

/// What the database keeps of a column: its type, and how long a text may be that an index holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Its type.
    pub ty: ScalarType,
    /// Most characters, for text in an index.
    pub length: Option<u32>,
    /// The database counts it.
    pub counted: bool,
}

impl Stored {
    /// What is kept of a column of the catalog.
    #[must_use]
    pub fn of(table: &Table, column: &Column) -> Self {
        Self { ty: column.ty, length: table.indexed_characters(column), counted: is_counted(table, column) }
    }

    /// The type in the words of a database.
    #[must_use]
    pub fn words(&self, dialect: &'static Dialect) -> String {
        let mut writer = Writer::new(dialect);
        self.write(&mut writer, dialect);
        writer.finish().text
    }

    pub(crate) fn write(&self, writer: &mut Writer, dialect: &'static Dialect) {
        let place = if self.length.is_some() { Place::Index } else { Place::Row };
        let (digits, scale) = digits_and_scale(self.ty);
        writer.template((dialect.definition.column_type)(self.ty, place), &mut |writer, mark| {
            writer.number(match mark {
                'd' => u64::from(digits),
                's' => u64::from(scale),
                _ => u64::from(self.length.unwrap_or(INDEXED_CHARACTERS)),
            });
        });
    }
}

/// Whether the database counts the column.
#[must_use]
pub fn is_counted(table: &Table, column: &Column) -> bool {
    column.fill == Fill::AutoIncrement && table.key == [column.id]
}

/// `ALTER TABLE … ADD COLUMN` and what belongs to it, for columns that need no key: what the rows that
/// are there already get is said, later ones get theirs from the server.
#[must_use]
pub fn add_column(
    catalog: &Catalog,
    dialect: &'static Dialect,
    table: &Table,
    column: &Column,
) -> Vec<String> {
    match dialect.definition.alter {
        Alter::Rebuild => vec![add_with_constraints(catalog, dialect, table, column)],
        Alter::InPlace(steps) => {
            let filled = is_filled(column) && !is_counted(table, column);
            let waits = !column.nullable && !filled && !steps.refuses_missing;
            let mut statements = vec![add_alone(catalog, dialect, table, (column, waits))];
            if filled {
                statements.push(super::alter::drop_default(dialect, table, column));
            }
            if waits {
                statements.push(super::alter::forbid_null(dialect, table, column));
            }
            statements.extend(comment::of_new_column(dialect, table, column));
            statements
        }
    }
}

fn add_with_constraints(
    catalog: &Catalog,
    dialect: &'static Dialect,
    table: &Table,
    column: &Column,
) -> String {
    let mut lower = Lower::new(catalog, dialect);
    lower.writer.push("ALTER TABLE ").table(table).push(" ADD COLUMN ");
    lower.column_definition(table, column);
    if matches!(column.default, Some(DefaultValue::Value(_))) {
        lower.default(column);
    }
    if let Some(relation) = column.relation.map(|id| table.relation(id)) {
        lower.inline_reference(relation);
    }
    for check in check::of_column(catalog, dialect, table, column) {
        lower.writer.push(" CONSTRAINT ").name(&check.name).push(" CHECK (");
        check.write(&mut lower, table);
        lower.writer.push(")");
    }
    lower.finish().0.text
}

/// The column without constraints, with NULL allowed for a while where `waits`.
fn add_alone(
    catalog: &Catalog,
    dialect: &'static Dialect,
    table: &Table,
    (column, waits): (&Column, bool),
) -> String {
    let mut lower = Lower::new(catalog, dialect);
    lower.writer.push("ALTER TABLE ").table(table).push(" ADD COLUMN ");
    lower.writer.column(column).push(" ");
    Stored::of(table, column).write(&mut lower.writer, dialect);
    stored::clause(&mut lower.writer, dialect, table, column);
    if is_filled(column) {
        lower.default(column);
    }
    lower.writer.push(if column.nullable || waits { "" } else { " NOT NULL" });
    comment::clause_of_column(&mut lower.writer, dialect, table, column);
    lower.finish().0.text
}

/// Whether a column gets a value where the old rows have none.
#[must_use]
pub const fn is_filled(column: &Column) -> bool {
    matches!(column.default, Some(DefaultValue::Value(_)))
        || matches!(column.fill, Fill::CreatedAt | Fill::UpdatedAt)
}

impl Lower<'_> {
    pub(crate) fn column_definition(&mut self, table: &Table, column: &Column) {
        self.writer.column(column);
        if is_counted(table, column) {
            let dialect = self.dialect;
            self.writer.template(dialect.definition.counted_key, &mut |writer, mark| match mark {
                '1' => {
                    writer.name(&super::key_name(table));
                }
                _ => Stored::of(table, column).write(writer, dialect),
            });
            comment::clause_of_column(&mut self.writer, dialect, table, column);
            return;
        }
        self.writer.push(" ");
        Stored::of(table, column).write(&mut self.writer, self.dialect);
        stored::clause(&mut self.writer, self.dialect, table, column);
        if !column.nullable {
            self.writer.push(" NOT NULL");
        }
        comment::clause_of_column(&mut self.writer, self.dialect, table, column);
    }

    fn default(&mut self, column: &Column) {
        let definition = self.dialect.definition;
        self.writer.template(definition.default, &mut |writer, _| match &column.default {
            Some(DefaultValue::Value(value)) => {
                writer.schema_literal(&typed(value, column.ty), digits_and_scale(column.ty).1);
            }
            Some(DefaultValue::Expr(_)) | None => {
                writer.push(definition.default_time);
            }
        });
    }

    fn inline_reference(&mut self, relation: &Relation) {
        let RelationKind::ToOne { columns, on_delete, constraint, .. } = &relation.kind else { return };
        if columns.len() != 1 {
            return;
        }
        let target = self.catalog.table(relation.target);
        self.writer.push(" CONSTRAINT ").name(constraint).push(" REFERENCES ").table(target).push(" (");
        super::column_list(&mut self.writer, target, &target.key);
        self.writer.push(")").push((self.dialect.definition.on_delete)(*on_delete));
    }
}
