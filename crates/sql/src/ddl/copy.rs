//! Rows that move from a table to the one that takes its place: old names, conversions
//! between stored forms, and values for columns that the old rows do not have. Enters:
//! where each column comes from. Leaves: one plain statement that calls no registered
//! function, for a migration file.

use super::alter::convert;
use super::check::typed;
use super::column::is_filled;
use crate::dialect::definition::Place;
use crate::dialect::{Dialect, digits_and_scale};
use crate::writer::Writer;
use backstay_schema::catalog::{Catalog, Column, DefaultValue};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;
use backstay_schema::value::decimal::MAX_DIGITS;

/// A column of the new table.
#[derive(Debug, Clone)]
pub struct Copied<'a> {
    /// The column.
    pub column: &'a Column,
    /// Where its values come from.
    pub from: From,
}

/// Where values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// A column of the old table.
    Column {
        /// Its old name.
        name: String,
        /// Whether it may hold NULL.
        nullable: bool,
        /// What happens to its values.
        conversion: Conversion,
    },
    /// The old table has no such column: its default, the time of the migration, or nothing.
    Nowhere,
}

/// From one stored form to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    /// As it is; the database itself refuses what does not fit its column exactly.
    Plain,
    /// An integer scaled by the one becomes one scaled by the other; last digits are rounded.
    Rescale {
        /// Digits after the point so far.
        from: u8,
        /// Digits after the point from now on.
        to: u8,
    },
    /// A scaled integer becomes a float.
    ToFloat {
        /// Digits after the point so far.
        from: u8,
    },
    /// A float becomes a scaled integer.
    FromFloat {
        /// Digits after the point from now on.
        to: u8,
    },
    /// No value has a meaning in the new form: the database refuses a row that has one.
    Refused,
    /// A value of this type becomes one of the column's, or is refused.
    Between(ScalarType),
}

impl Conversion {
    /// Whether digits may be lost.
    #[must_use]
    pub const fn loses(self) -> bool {
        match self {
            Self::Plain | Self::ToFloat { .. } | Self::Refused | Self::Between(_) => false,
            Self::Rescale { from, to } => to < from,
            Self::FromFloat { .. } => true,
        }
    }
}

/// How a stored form becomes that of a column; none where nothing sensible is to be done.
/// `stored` is the live column's type as the database says it, `scale` is there for decimals.
#[must_use]
pub fn conversion(
    dialect: &'static Dialect,
    (stored, scale): (&str, Option<u8>),
    to: ScalarType,
) -> Option<Conversion> {
    let is = |ty: ScalarType| stored == (dialect.definition.column_type)(ty, Place::Row);
    match (scale, to) {
        (Some(from), ScalarType::Decimal { scale, .. }) if from == scale => Some(Conversion::Plain),
        (Some(from), ScalarType::Decimal { scale, .. }) => Some(Conversion::Rescale { from, to: scale }),
        (Some(from), ScalarType::Int | ScalarType::BigInt) => Some(Conversion::Rescale { from, to: 0 }),
        (Some(from), ScalarType::Float) => Some(Conversion::ToFloat { from }),
        (Some(scale), ScalarType::String) => {
            Some(Conversion::Between(ScalarType::Decimal { digits: MAX_DIGITS, scale }))
        }
        (Some(_), _) => None,
        (None, ScalarType::Decimal { scale, .. }) if is(ScalarType::BigInt) || is(ScalarType::Int) => {
            Some(Conversion::Rescale { from: 0, to: scale })
        }
        (None, ScalarType::Decimal { scale, .. }) if is(ScalarType::Float) => {
            Some(Conversion::FromFloat { to: scale })
        }
        (None, ScalarType::Decimal { .. }) => None,
        (None, ScalarType::Time | ScalarType::Timestamp | ScalarType::Date | ScalarType::Uuid)
            if is(ScalarType::BigInt) || is(ScalarType::Int) || is(ScalarType::Float) =>
        {
            Some(Conversion::Refused)
        }
        (None, _) => Some(Conversion::Plain),
    }
}

/// `INSERT INTO … SELECT` from the old table into the new one.
#[must_use]
pub fn copy_rows(
    catalog: &Catalog,
    dialect: &'static Dialect,
    (from, to): (&str, &str),
    columns: &[Copied<'_>],
) -> String {
    let mut writer = Writer::new(dialect);
    writer.push("INSERT INTO ").name(to).push(" (");
    let written = || columns.iter().filter(|copied| copied.from != From::Nowhere || is_filled(copied.column));
    for (index, copied) in written().enumerate() {
        writer.push(if index > 0 { ", " } else { "" }).name(&copied.column.name);
    }
    writer.push(") SELECT ");
    for (index, copied) in written().enumerate() {
        writer.push(if index > 0 { ", " } else { "" });
        value(&mut writer, catalog, dialect, copied);
    }
    writer.push(" FROM ").name(from);
    writer.finish().text
}

fn value(writer: &mut Writer, catalog: &Catalog, dialect: &'static Dialect, copied: &Copied<'_>) {
    let column = copied.column;
    match &copied.from {
        From::Nowhere => fill(writer, dialect, column),
        From::Column { name, nullable, conversion } => {
            let filled = *nullable && !column.nullable && is_filled(column);
            writer.push(if filled { "coalesce(" } else { "" });
            converted(writer, (catalog, dialect), (name, *conversion), column);
            if filled {
                writer.push(", ");
                fill(writer, dialect, column);
                writer.push(")");
            }
        }
    }
}

pub(super) fn fill(writer: &mut Writer, dialect: &'static Dialect, column: &Column) {
    match &column.default {
        Some(DefaultValue::Value(value)) => {
            writer.schema_literal(&typed(value, column.ty), digits_and_scale(column.ty).1);
        }
        Some(DefaultValue::Expr(_)) | None => {
            writer.push(dialect.definition.migration_time);
        }
    }
}

fn converted(
    writer: &mut Writer,
    (catalog, dialect): (&Catalog, &'static Dialect),
    (name, conversion): (&str, Conversion),
    column: &Column,
) {
    match conversion {
        Conversion::Between(from) => convert(writer, dialect, (from, column.ty), &|writer| {
            writer.name(name);
        }),
        // the column itself has no such bounds
        Conversion::Rescale { .. } if column.ty == ScalarType::Int => {
            writer.push("CASE WHEN ");
            rescaled(writer, name, conversion);
            writer.push(" BETWEEN -2147483648 AND 2147483647 THEN ");
            rescaled(writer, name, conversion);
            writer.push(" ELSE CAST(").name(name).push(" AS BLOB) END");
        }
        Conversion::Plain => renamed_member(writer, catalog, name, column),
        // bytes are no text, and the column takes nothing else
        Conversion::Refused => {
            writer.push("CAST(").name(name).push(" AS BLOB)");
        }
        Conversion::Rescale { .. } => rescaled(writer, name, conversion),
        Conversion::ToFloat { from } => {
            // as its text is read: a quotient would be rounded twice
            writer.push("CAST(").name(name).push(" || 'e-").number(u64::from(from)).push("' AS REAL)");
        }
        Conversion::FromFloat { to } => {
            writer.push("CAST(round(").name(name).push(" * ").number(power(to)).push(") AS INTEGER)");
        }
    }
}

fn rescaled(writer: &mut Writer, name: &str, conversion: Conversion) {
    let Conversion::Rescale { from, to } = conversion else { return };
    if to >= from {
        writer.name(name).push(" * ").number(power(to - from));
        return;
    }
    let unit = power(from - to);
    writer.push("(").name(name).push(" + CASE WHEN ").name(name).push(" < 0 THEN -");
    writer.number(unit / 2).push(" ELSE ").number(unit / 2).push(" END) / ").number(unit);
}

/// Members that were renamed by `@was` take their rows along.
pub(super) fn renamed_member(writer: &mut Writer, catalog: &Catalog, name: &str, column: &Column) {
    let renamed = renamed_members(catalog, column);
    if renamed.is_empty() {
        writer.name(name);
        return;
    }
    writer.push("CASE ").name(name);
    for (was, now) in renamed {
        writer.push(" WHEN ").schema_literal(&Value::Text(was.to_owned()), 0);
        writer.push(" THEN ").schema_literal(&Value::Text(now.to_owned()), 0);
    }
    writer.push(" ELSE ").name(name).push(" END");
}

/// (earlier name, name) of members whose earlier name stands no more.
pub(super) fn renamed_members<'a>(catalog: &'a Catalog, column: &Column) -> Vec<(&'a str, &'a str)> {
    let members = match column.ty {
        ScalarType::Enum(id) => catalog.enum_type(id).members.as_slice(),
        _ => &[],
    };
    let stands = |was: &str| members.iter().any(|member| member.name == was);
    members
        .iter()
        .filter_map(|member| Some((member.was.as_deref()?, member.name.as_str())))
        .filter(|(was, _)| !stands(was))
        .collect()
}

fn power(digits: u8) -> u64 {
    10_u64.saturating_pow(u32::from(digits))
}
