//! Two shapes of a table at once: while nodes of two versions write, a trigger keeps a new column and the one
//! that it comes from alike, or gives a value where the version before has none; rows that are there get theirs
//! in batches. Enters: a column of the catalog and what it comes from. Databases of one process need none of it.

use super::alter::{altered, convert, in_place};
use super::column::Stored;
use super::copy;
use crate::dialect::Dialect;
use crate::dialect::definition::Expand;
use crate::writer::Writer;
use backstay_schema::catalog::{Column, Table};
use backstay_schema::name::fitted;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// What the name of whatever keeps two shapes alike begins with.
pub const PREFIX: &str = "_backstay_expand_";

/// Most rows that one statement of a backfill changes.
pub const BATCH_ROWS: u64 = 1_000;

/// A column that comes beside another, or that comes to have a value always.
#[derive(Debug, Clone, Copy)]
pub struct Mirror<'a> {
    /// The table.
    pub table: &'a Table,
    /// The column as the schema wants it.
    pub column: &'a Column,
    /// The column that it comes from, and its type; none where the value is the default.
    pub old: Option<(&'a str, ScalarType)>,
}

impl Mirror<'_> {
    fn name(&self, end: &str) -> String {
        fitted([PREFIX, &self.table.name, "_", &self.column.name, end].concat())
    }
}

fn words(dialect: &'static Dialect) -> Option<&'static Expand> {
    in_place(dialect).map(|steps| steps.expand)
}

/// Whether values go from the old column to the new one and back.
#[must_use]
pub fn is_possible(mirror: &Mirror<'_>) -> bool {
    let convertible = super::alter::is_convertible;
    mirror.old.is_none_or(|(_, old)| convertible(old, mirror.column.ty) && convertible(mirror.column.ty, old))
}

/// What keeps both alike from now on.
#[must_use]
pub fn keep_alike(dialect: &'static Dialect, mirror: &Mirror<'_>) -> Vec<String> {
    let Some(words) = words(dialect) else { return Vec::new() };
    let statements = if mirror.old.is_some() { words.mirror } else { words.fill };
    statements.iter().map(|template| written(dialect, mirror, template)).collect()
}

/// What ends that.
#[must_use]
pub fn stop_keeping(dialect: &'static Dialect, mirror: &Mirror<'_>) -> Vec<String> {
    let Some(words) = words(dialect) else { return Vec::new() };
    words.end.iter().map(|template| written(dialect, mirror, template)).collect()
}

/// What ends one trigger that a file made, by the name of its table and its own.
#[must_use]
pub fn drop_trigger(dialect: &'static Dialect, (table, trigger): (&str, &str)) -> Vec<String> {
    let Some(words) = words(dialect) else { return Vec::new() };
    let ends = words.end_one.iter().map(|template| {
        let mut writer = Writer::new(dialect);
        writer.template(template, &mut |writer, mark| {
            writer.name(if mark == '1' { table } else { trigger });
        });
        writer.finish().text
    });
    ends.collect()
}

/// A value for rows that are there already, for so many at a time.
#[must_use]
pub fn backfill(dialect: &'static Dialect, mirror: &Mirror<'_>) -> Option<String> {
    Some(written(dialect, mirror, words(dialect)?.backfill))
}

/// Who writes the new column alone need not write the old one.
#[must_use]
pub fn relax(dialect: &'static Dialect, table: &str, (column, stored): (&str, Stored)) -> Option<String> {
    let template = words(dialect)?.relax;
    Some(altered(dialect, table, |writer| {
        writer.template(template, &mut |writer, mark| match mark {
            '1' => {
                writer.name(column);
            }
            _ => stored.write(writer, dialect),
        });
    }))
}

fn written(dialect: &'static Dialect, mirror: &Mirror<'_>, template: &'static str) -> String {
    let mut writer = Writer::new(dialect);
    write(&mut writer, dialect, mirror, template);
    writer.finish().text
}

fn write(writer: &mut Writer, dialect: &'static Dialect, mirror: &Mirror<'_>, template: &'static str) {
    let Mirror { table, column, old } = *mirror;
    writer.template(template, &mut |writer, mark| match (mark, old) {
        ('1', _) => drop(writer.table(table)),
        ('f', _) => drop(writer.name(&mirror.name(""))),
        ('i', _) => drop(writer.name(&mirror.name("_i"))),
        ('u', _) => drop(writer.name(&mirror.name("_u"))),
        ('n', _) => drop(writer.column(column)),
        ('k', _) => super::column_list(writer, table, &table.key),
        ('z', _) => drop(writer.number(BATCH_ROWS)),
        ('b', _) => {
            let Some(words) = words(dialect) else { return };
            let body = if old.is_some() { words.mirror_body } else { words.fill_body };
            let body = written(dialect, mirror, body);
            writer.schema_literal(&Value::Text(body), 0);
        }
        ('o', Some((name, _))) => drop(writer.name(name)),
        ('g', Some((name, from))) => value(writer, dialect, (from, column.ty), ("NEW.", name)),
        ('v', Some((name, from))) => value(writer, dialect, (from, column.ty), ("", name)),
        ('h', Some((_, to))) => value(writer, dialect, (column.ty, to), ("NEW.", &column.name)),
        _ => copy::fill(writer, dialect, column),
    });
}

fn value(
    writer: &mut Writer,
    dialect: &'static Dialect,
    (from, to): (ScalarType, ScalarType),
    (of, name): (&'static str, &str),
) {
    convert(writer, dialect, (from, to), &|writer| {
        writer.push(of).name(name);
    });
}
