//! Changes of a table that stands, one statement each: names, keys, references, checks,
//! types and NULLs. Names that go are those of the live database.

use super::check::Definition;
use super::column::{Stored, is_counted, is_filled};
use super::{comment, copy, stored};
use crate::dialect::conversion;
use crate::dialect::definition::{Alter, ChangeType, InPlace};
use crate::dialect::{Dialect, digits_and_scale};
use crate::lower::Lower;
use crate::writer::Writer;
use backstay_schema::catalog::{Catalog, Column, Relation, Table, Unique};
use backstay_schema::scalar::ScalarType;

/// What the name of a column begins with while its values are converted.
const CONVERTED: &str = "_new_";

/// A constraint or index that goes or takes another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The primary key.
    Key,
    /// A unique constraint.
    Unique,
    /// A CHECK.
    Check,
    /// A foreign key.
    Reference,
}

/// `ALTER TABLE … DROP COLUMN`; the name is of the live database.
#[must_use]
pub fn drop_column(dialect: &'static Dialect, table: &str, column: &str) -> String {
    altered(dialect, table, |writer| {
        writer.push(" DROP COLUMN ").name(column);
    })
}

/// `ALTER TABLE … RENAME COLUMN`.
#[must_use]
pub fn rename_column(dialect: &'static Dialect, table: &str, from: &str, to: &str) -> String {
    altered(dialect, table, |writer| {
        writer.push(" RENAME COLUMN ").name(from).push(" TO ").name(to);
    })
}

/// `ALTER TABLE … RENAME TO`.
#[must_use]
pub fn rename_table(dialect: &'static Dialect, from: &str, to: &str) -> String {
    altered(dialect, from, |writer| {
        writer.push(" RENAME TO ").name(to);
    })
}

/// Drops a constraint of a table; none where the database cannot.
#[must_use]
pub fn drop_constraint(dialect: &'static Dialect, table: &str, kind: Kind, name: &str) -> Option<String> {
    let steps = in_place(dialect)?;
    let template = match kind {
        Kind::Key => steps.drop_key,
        Kind::Unique => steps.drop_unique,
        Kind::Check => steps.drop_check,
        Kind::Reference => steps.drop_reference,
    };
    Some(altered(dialect, table, |writer| {
        writer.template(template, &mut |writer, _| {
            writer.name(name);
        });
    }))
}

/// Gives a key or unique constraint another name; none where it has none.
#[must_use]
pub fn rename_constraint(
    dialect: &'static Dialect,
    table: &str,
    kind: Kind,
    (from, to): (&str, &str),
) -> Option<String> {
    let steps = in_place(dialect)?;
    let template = if kind == Kind::Key { steps.rename_key? } else { steps.rename_unique };
    Some(altered(dialect, table, |writer| {
        writer.template(template, &mut |writer, mark| {
            writer.name(if mark == '1' { from } else { to });
        });
    }))
}

/// Gives an index another name.
#[must_use]
pub fn rename_index(dialect: &'static Dialect, table: &str, (from, to): (&str, &str)) -> Option<String> {
    let mut writer = Writer::new(dialect);
    writer.template(in_place(dialect)?.rename_index, &mut |writer, mark| {
        writer.name(match mark {
            '1' => from,
            '2' => to,
            _ => table,
        });
    });
    Some(writer.finish().text)
}

/// Adds the primary key.
#[must_use]
pub fn add_key(catalog: &Catalog, dialect: &'static Dialect, table: &Table) -> String {
    added(catalog, dialect, table, |lower| lower.key(table))
}

/// Adds a unique constraint.
#[must_use]
pub fn add_unique(catalog: &Catalog, dialect: &'static Dialect, table: &Table, unique: &Unique) -> String {
    added(catalog, dialect, table, |lower| {
        lower.unique(table, unique);
        lower.writer.push(in_place(dialect).map_or("", |steps| steps.unique_clause));
    })
}

/// `CREATE INDEX` on a table that stands.
#[must_use]
pub fn create_index(table: &Table, dialect: &'static Dialect, index: &Unique) -> String {
    super::create_index(table, dialect, index) + in_place(dialect).map_or("", |steps| steps.index_clause)
}

/// Adds a foreign key.
#[must_use]
pub fn add_reference(
    catalog: &Catalog,
    dialect: &'static Dialect,
    table: &Table,
    relation: &Relation,
) -> String {
    added(catalog, dialect, table, |lower| lower.reference(table, relation))
}

/// Adds a CHECK.
#[must_use]
pub fn add_check(
    catalog: &Catalog,
    dialect: &'static Dialect,
    table: &Table,
    check: &Definition<'_>,
) -> String {
    added(catalog, dialect, table, |lower| {
        lower.writer.push("CONSTRAINT ").name(&check.name).push(" CHECK (");
        check.write(lower, table);
        lower.writer.push(")");
    })
}

/// `UPDATE` that gives a value to the rows that have none; none where the column is not filled.
#[must_use]
pub fn fill_missing(dialect: &'static Dialect, table: &Table, column: &Column) -> Option<String> {
    if !is_filled(column) {
        return None;
    }
    let mut writer = Writer::new(dialect);
    writer.push("UPDATE ").table(table).push(" SET ").column(column).push(" = ");
    copy::fill(&mut writer, dialect, column);
    writer.push(" WHERE ").column(column).push(" IS NULL");
    Some(writer.finish().text)
}

/// `UPDATE` that takes rows along when members of an enum take other names; none where none does.
#[must_use]
pub fn rename_members(
    catalog: &Catalog,
    dialect: &'static Dialect,
    table: &Table,
    column: &Column,
) -> Option<String> {
    let renamed = copy::renamed_members(catalog, column);
    if renamed.is_empty() {
        return None;
    }
    let mut writer = Writer::new(dialect);
    writer.push("UPDATE ").table(table).push(" SET ").column(column).push(" = ");
    copy::renamed_member(&mut writer, catalog, &column.name, column);
    writer.push(" WHERE ").column(column).push(" IS NOT NULL");
    Some(writer.finish().text)
}

/// NULL is not allowed from now on.
#[must_use]
pub fn forbid_null(dialect: &'static Dialect, table: &Table, column: &Column) -> String {
    step(dialect, table, column, |steps| steps.forbid_null)
}

/// NULL is allowed from now on.
#[must_use]
pub fn allow_null(dialect: &'static Dialect, table: &Table, column: &Column) -> String {
    step(dialect, table, column, |steps| steps.allow_null)
}

/// The database counts the column from now on.
#[must_use]
pub fn count(dialect: &'static Dialect, table: &Table, column: &Column) -> String {
    step(dialect, table, column, |steps| steps.count)
}

/// The database does not count the column any more.
#[must_use]
pub fn stop_counting(dialect: &'static Dialect, table: &Table, column: &Column) -> String {
    step(dialect, table, column, |steps| steps.stop_counting)
}

/// The database goes on counting at `next`; none where it sees for itself.
#[must_use]
pub fn count_from(dialect: &'static Dialect, table: &Table, column: &Column, next: u64) -> Option<String> {
    let template = in_place(dialect)?.count_from?;
    Some(altered(dialect, &table.name, |writer| {
        writer.template(template, &mut |writer, mark| {
            match mark {
                '1' => writer.column(column),
                _ => writer.number(next),
            };
        });
    }))
}

/// The column as the schema has it, said anew: its type stays.
#[must_use]
pub fn define_again(dialect: &'static Dialect, table: &Table, column: &Column) -> String {
    if let (Some(_), Some(InPlace { change_type: ChangeType::Widening(template), .. })) =
        (stored::expression(table, column), in_place(dialect))
    {
        step(dialect, table, column, |_| template)
    } else if is_counted(table, column) {
        count(dialect, table, column)
    } else if column.nullable {
        allow_null(dialect, table, column)
    } else {
        forbid_null(dialect, table, column)
    }
}

/// The default that the database itself has goes.
#[must_use]
pub fn drop_default(dialect: &'static Dialect, table: &Table, column: &Column) -> String {
    altered(dialect, &table.name, |writer| {
        writer.push(" ALTER COLUMN ").column(column).push(" DROP DEFAULT");
    })
}

/// Another type for a column, its values converted; `from` is the type so far. Whether NULL is allowed
/// afterwards is said apart from it where [`keeps_null`] is false.
#[must_use]
pub fn change_type(
    dialect: &'static Dialect,
    table: &Table,
    column: &Column,
    from: ScalarType,
) -> Vec<String> {
    let Some(steps) = in_place(dialect) else { return Vec::new() };
    let kept = Stored::of(table, column);
    match steps.change_type {
        ChangeType::Converting(template) => vec![altered(dialect, &table.name, |writer| {
            writer.template(template, &mut |writer, mark| match mark {
                '1' => {
                    writer.column(column);
                }
                't' => kept.write(writer, dialect),
                _ => converted(writer, dialect, column, from),
            });
        })],
        ChangeType::Widening(template) if is_kind(from, column.ty) => {
            let text = altered(dialect, &table.name, |writer| {
                writer.template(template, &mut |writer, mark| match mark {
                    '1' => {
                        writer.column(column);
                    }
                    'k' => comment::clause_of_column(writer, dialect, table, column),
                    _ => {
                        kept.write(writer, dialect);
                        stored::clause(writer, dialect, table, column);
                    }
                });
            });
            vec![text]
        }
        ChangeType::Widening(_) => through_new(dialect, (table, column), from),
    }
}

/// Whether [`change_type`] leaves it to the column whether NULL is allowed.
#[must_use]
pub fn keeps_null(dialect: &'static Dialect) -> bool {
    in_place(dialect).is_some_and(|steps| matches!(steps.change_type, ChangeType::Converting(_)))
}

/// Whether values of one type become those of another.
#[must_use]
pub fn is_convertible(from: ScalarType, to: ScalarType) -> bool {
    from == to || conversion::is_known(from, to)
}

/// Whether a value stays as it is stored.
#[must_use]
pub fn is_kept(dialect: &'static Dialect, from: ScalarType, to: ScalarType) -> bool {
    from == to || (dialect.definition.convert)(from, to) == "$1"
}

/// A new column takes the values, the old one goes, the new one takes its name.
fn through_new(
    dialect: &'static Dialect,
    (table, column): (&Table, &Column),
    from: ScalarType,
) -> Vec<String> {
    let name = backstay_schema::name::fitted([CONVERTED, &column.name].concat());
    let add = altered(dialect, &table.name, |writer| {
        writer.push(" ADD COLUMN ").name(&name).push(" ");
        Stored::of(table, column).write(writer, dialect);
        comment::clause_of_column(writer, dialect, table, column);
    });
    let mut writer = Writer::new(dialect);
    writer.push("UPDATE ").table(table).push(" SET ").name(&name).push(" = ");
    converted(&mut writer, dialect, column, from);
    let drop = drop_column(dialect, &table.name, &column.name);
    vec![add, writer.finish().text, drop, rename_column(dialect, &table.name, &name, &column.name)]
}

fn converted(writer: &mut Writer, dialect: &'static Dialect, column: &Column, from: ScalarType) {
    convert(writer, dialect, (from, column.ty), &|writer| {
        writer.column(column);
    });
}

/// A value of one type as one of another.
pub(super) fn convert(
    writer: &mut Writer,
    dialect: &'static Dialect,
    (from, to): (ScalarType, ScalarType),
    value: &dyn Fn(&mut Writer),
) {
    let template = if from == to { "$1" } else { (dialect.definition.convert)(from, to) };
    let ((digits, scale), (_, before)) = (digits_and_scale(to), digits_and_scale(from));
    writer.template(template, &mut |writer, mark| match mark {
        'd' => drop(writer.number(u64::from(digits))),
        'p' => drop(writer.number(10_u64.saturating_pow(u32::from(before)))),
        's' => drop(writer.number(u64::from(scale))),
        _ => value(writer),
    });
}

/// Whether a change keeps every value without a function that converts.
const fn is_kind(from: ScalarType, to: ScalarType) -> bool {
    use ScalarType as T;
    matches!(
        (from, to),
        (T::Int | T::BigInt, T::Int | T::BigInt)
            | (T::String | T::Enum(_), T::String | T::Enum(_))
            | (T::Decimal { .. }, T::Decimal { .. })
            | (T::Bytes, T::Bytes)
            | (T::Json, T::Json | T::String)
            | (T::Timestamp, T::Timestamp)
            | (T::Float, T::Float)
            | (T::Uuid, T::Uuid)
    )
}

fn step(
    dialect: &'static Dialect,
    table: &Table,
    column: &Column,
    choose: impl Fn(&InPlace) -> &'static str,
) -> String {
    let template = in_place(dialect).map_or("", choose);
    altered(dialect, &table.name, |writer| {
        writer.template(template, &mut |writer, mark| match mark {
            '1' => {
                writer.column(column);
            }
            'k' => comment::clause_of_column(writer, dialect, table, column),
            _ => {
                Stored::of(table, column).write(writer, dialect);
                stored::clause(writer, dialect, table, column);
            }
        });
    })
}

pub(super) const fn in_place(dialect: &'static Dialect) -> Option<&'static InPlace> {
    match dialect.definition.alter {
        Alter::Rebuild => None,
        Alter::InPlace(steps) => Some(steps),
    }
}

pub(super) fn altered(dialect: &'static Dialect, table: &str, write: impl FnOnce(&mut Writer)) -> String {
    let mut writer = Writer::new(dialect);
    writer.push("ALTER TABLE ").name(table);
    write(&mut writer);
    writer.finish().text
}

pub(super) fn added(
    catalog: &Catalog,
    dialect: &'static Dialect,
    table: &Table,
    write: impl FnOnce(&mut Lower<'_>),
) -> String {
    let mut lower = Lower::new(catalog, dialect);
    lower.writer.push("ALTER TABLE ").table(table).push(" ADD ");
    write(&mut lower);
    lower.finish().0.text
}
