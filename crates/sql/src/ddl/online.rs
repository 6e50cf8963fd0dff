//! Changes of a table that others use, in the words of a database that has words for them: definitions
//! first, what reads the rows that are there afterwards. Enters: what [`Online`] says. Each leaves one
//! statement; in which order they stand is the differ's business.

use super::alter::{added, altered, in_place};
use super::check::Definition;
use super::{column_list, partial};
use crate::dialect::Dialect;
use crate::dialect::definition::Online;
use crate::writer::Writer;
use backstay_schema::catalog::{Catalog, Column, PartialIndex, Relation, Table, Unique};
use backstay_schema::name::fitted;

/// What ends the name of a check that stands while a column comes to require a value.
const REQUIRED: &str = "_required";

/// The words of a database; none where it has none, or needs none.
#[must_use]
pub fn of(dialect: &'static Dialect) -> Option<&'static Online> {
    in_place(dialect)?.online
}

/// `CREATE INDEX`.
#[must_use]
pub fn create_index(table: &Table, dialect: &'static Dialect, words: &Online, index: &Unique) -> String {
    indexed(table, dialect, words.index, index)
}

/// The unique index that [`unique`] makes a constraint.
#[must_use]
pub fn create_unique(table: &Table, dialect: &'static Dialect, words: &Online, unique: &Unique) -> String {
    indexed(table, dialect, words.unique_index, unique)
}

fn indexed(table: &Table, dialect: &'static Dialect, template: &'static str, index: &Unique) -> String {
    let mut writer = Writer::new(dialect);
    writer.template(template, &mut |writer, mark| match mark {
        '1' => drop(writer.name(&index.name)),
        '2' => drop(writer.table(table)),
        _ => column_list(writer, table, &index.columns),
    });
    writer.finish().text
}

/// `CREATE INDEX` of a part of the rows.
#[must_use]
pub fn create_partial(
    table: &Table,
    dialect: &'static Dialect,
    words: &Online,
    index: &PartialIndex,
) -> String {
    partial::create_by(&words.partial, table, dialect, index)
}

/// `DROP INDEX`.
#[must_use]
pub fn drop_index(dialect: &'static Dialect, words: &Online, index: &str) -> String {
    let mut writer = Writer::new(dialect);
    writer.template(words.drop_index, &mut |writer, _| {
        writer.name(index);
    });
    writer.finish().text
}

/// A unique constraint of the index with its name.
#[must_use]
pub fn unique(dialect: &'static Dialect, words: &Online, table: &str, name: &str) -> String {
    named(dialect, words.unique, table, name)
}

/// Holds all rows against a constraint.
#[must_use]
pub fn validate(dialect: &'static Dialect, words: &Online, table: &str, name: &str) -> String {
    named(dialect, words.validate, table, name)
}

fn named(dialect: &'static Dialect, template: &'static str, table: &str, name: &str) -> String {
    altered(dialect, table, |writer| {
        writer.template(template, &mut |writer, _| {
            writer.name(name);
        });
    })
}

/// A foreign key that holds for what is written from now on.
#[must_use]
pub fn add_reference(
    catalog: &Catalog,
    dialect: &'static Dialect,
    words: &Online,
    (table, relation): (&Table, &Relation),
) -> String {
    added(catalog, dialect, table, |lower| {
        lower.reference(table, relation);
        lower.writer.push(words.unvalidated);
    })
}

/// A CHECK that holds for what is written from now on.
#[must_use]
pub fn add_check(
    catalog: &Catalog,
    dialect: &'static Dialect,
    words: &Online,
    (table, check): (&Table, &Definition<'_>),
) -> String {
    added(catalog, dialect, table, |lower| {
        lower.writer.push("CONSTRAINT ").name(&check.name).push(" CHECK (");
        check.write(lower, table);
        lower.writer.push(")").push(words.unvalidated);
    })
}

/// The name of the check by which a column comes to require a value.
#[must_use]
pub fn required_name(table: &Table, column: &Column) -> String {
    fitted([&table.name, "_", &column.name, REQUIRED].concat())
}

/// A CHECK that what is written from now on has a value: once it is validated, no row is read to
/// forbid NULL, and it can go.
#[must_use]
pub fn require(
    catalog: &Catalog,
    dialect: &'static Dialect,
    words: &Online,
    (table, column): (&Table, &Column),
) -> String {
    added(catalog, dialect, table, |lower| {
        lower.writer.push("CONSTRAINT ").name(&required_name(table, column)).push(" CHECK (");
        lower.writer.column(column).push(" IS NOT NULL)").push(words.unvalidated);
    })
}
