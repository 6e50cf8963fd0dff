//! Rows from PostgreSQL: binary columns straight into cells, without a value in between.

use crate::bind::{EPOCH_DAYS, EPOCH_MICROS};
use crate::numeric;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::reply::{Cell, Rows};
use backstay_schema::catalog::Catalog;
use backstay_schema::scalar::ScalarType;
use backstay_schema::scalar::list::{Element, ListType, parse_literal};
use backstay_schema::value::{Decimal, Value, binary, calendar, json};
use backstay_sql::session::{Elements, Row};
use std::error::Error;
use std::fmt::Write as _;
use tokio_postgres::types::{FromSql, Kind, Type};
use uuid::Uuid;

/// A row of an answer.
pub struct PostgresRow<'r>(pub &'r tokio_postgres::Row);

/// A column as it came, of whatever type.
struct Raw<'r>(Option<&'r [u8]>);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// What the bytes of a column say.
enum Stored<'r> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Decimal(Decimal),
    Text(&'r str),
    Json(&'r str),
    /// Written by the database in its own way.
    SpacedJson(&'r str),
    Uuid(Uuid),
    Timestamp(i64),
    Date(i32),
    Time(i64),
    Bytes(&'r [u8]),
    Array(&'r [u8]),
}

impl PostgresRow<'_> {
    fn raw(&self, index: usize) -> Result<(&Type, Option<&[u8]>), Fault> {
        let column = self.0.columns().get(index).ok_or_else(unreadable)?;
        let Raw(bytes) = self.0.try_get(index).map_err(|_| unreadable())?;
        Ok((column.type_(), bytes))
    }
}

impl Row for PostgresRow<'_> {
    fn cell(&self, index: usize, ty: ScalarType, into: &mut Rows) -> Result<(), Fault> {
        let (stored, bytes) = self.raw(index)?;
        push(stored, bytes, ty, into)
    }

    fn value(&self, index: usize, ty: ScalarType) -> Result<Value, Fault> {
        let (held, bytes) = self.raw(index)?;
        match bytes {
            Some(bytes) => value(stored(held, bytes)?, ty),
            None => Ok(Value::Null),
        }
    }

    fn elements(&self, index: usize, ty: ScalarType) -> Result<Box<dyn Elements + '_>, Fault> {
        let (_, bytes) = self.raw(index)?;
        let list = match bytes {
            Some(bytes) => List::read(bytes, ty).ok_or_else(unreadable)?,
            None => List { ty, element: Type::TEXT, count: 0, rest: &[] },
        };
        Ok(Box::new(list))
    }
}

/// The elements of an array of one dimension.
struct List<'r> {
    ty: ScalarType,
    element: Type,
    count: usize,
    rest: &'r [u8],
}

impl<'r> List<'r> {
    fn read(bytes: &'r [u8], ty: ScalarType) -> Option<Self> {
        let (dimensions, rest) = integer(bytes)?;
        let (_, rest) = integer(rest)?;
        let (element, rest) = integer(rest)?;
        let element = Type::from_oid(u32::from_be_bytes(element.to_be_bytes()))?;
        match dimensions {
            0 => Some(Self { ty, element, count: 0, rest }),
            1 => {
                let (count, rest) = integer(rest)?;
                let (_, rest) = integer(rest)?;
                Some(Self { ty, element, count: usize::try_from(count).ok()?, rest })
            }
            _ => None,
        }
    }

    fn next(&mut self) -> Result<Option<&'r [u8]>, Fault> {
        let (length, rest) = integer(self.rest).ok_or_else(unreadable)?;
        let Ok(length) = usize::try_from(length) else {
            self.rest = rest;
            return Ok(None);
        };
        let (element, rest) = rest.split_at_checked(length).ok_or_else(unreadable)?;
        self.rest = rest;
        Ok(Some(element))
    }
}

impl Elements for List<'_> {
    fn count(&self) -> usize {
        self.count
    }

    fn cell(&mut self, into: &mut Rows) -> Result<(), Fault> {
        let bytes = self.next()?;
        push(&self.element, bytes, self.ty, into)
    }

    fn is_true(&mut self) -> Result<bool, Fault> {
        Ok(self.next()? == Some(&[1]))
    }

    fn skip(&mut self) -> Result<(), Fault> {
        self.next().map(drop)
    }
}

fn integer(bytes: &[u8]) -> Option<(i32, &[u8])> {
    bytes.split_first_chunk().map(|(number, rest)| (i32::from_be_bytes(*number), rest))
}

fn stored<'r>(ty: &Type, bytes: &'r [u8]) -> Result<Stored<'r>, Fault> {
    let text = |bytes: &'r [u8]| std::str::from_utf8(bytes).ok();
    let found = match *ty {
        Type::BOOL => bytes.first().map(|byte| Stored::Bool(*byte != 0)),
        Type::INT2 => fixed(bytes).map(|bytes| Stored::Int(i16::from_be_bytes(bytes).into())),
        Type::INT4 => fixed(bytes).map(|bytes| Stored::Int(i32::from_be_bytes(bytes).into())),
        Type::INT8 => fixed(bytes).map(|bytes| Stored::Int(i64::from_be_bytes(bytes))),
        Type::FLOAT4 => {
            // the shortest text of the narrow number, not that of its widening
            fixed(bytes)
                .and_then(|bytes| f32::from_be_bytes(bytes).to_string().parse().ok())
                .map(Stored::Float)
        }
        Type::FLOAT8 => fixed(bytes).map(|bytes| Stored::Float(f64::from_be_bytes(bytes))),
        Type::NUMERIC => return numeric::decode(bytes).map(Stored::Decimal).ok_or_else(out_of_range),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => {
            text(bytes).map(Stored::Text)
        }
        Type::JSON => text(bytes).map(Stored::Json),
        // a version stands first
        Type::JSONB => bytes.get(1..).and_then(text).map(Stored::SpacedJson),
        Type::UUID => fixed(bytes).map(|bytes| Stored::Uuid(Uuid::from_bytes(bytes))),
        Type::TIMESTAMPTZ | Type::TIMESTAMP => fixed(bytes)
            .and_then(|bytes| i64::from_be_bytes(bytes).checked_add(EPOCH_MICROS))
            .map(Stored::Timestamp),
        Type::DATE => {
            fixed(bytes).and_then(|bytes| i32::from_be_bytes(bytes).checked_add(EPOCH_DAYS)).map(Stored::Date)
        }
        Type::TIME => fixed(bytes).map(|bytes| Stored::Time(i64::from_be_bytes(bytes))),
        Type::BYTEA => Some(Stored::Bytes(bytes)),
        ref other if matches!(other.kind(), Kind::Array(_)) => Some(Stored::Array(bytes)),
        ref other if matches!(other.kind(), Kind::Enum(_)) => text(bytes).map(Stored::Text),
        _ => None,
    };
    found.ok_or_else(unreadable)
}

fn fixed<const LENGTH: usize>(bytes: &[u8]) -> Option<[u8; LENGTH]> {
    bytes.try_into().ok()
}

/// Appends a column as a cell.
fn push(ty: &Type, bytes: Option<&[u8]>, wanted: ScalarType, into: &mut Rows) -> Result<(), Fault> {
    let Some(bytes) = bytes else {
        into.cells.push(Cell::Null);
        return Ok(());
    };
    match (stored(ty, bytes)?, wanted) {
        (Stored::Bool(truth), _) => into.cells.push(Cell::Bool(truth)),
        (Stored::Int(number), ScalarType::Decimal { scale, .. }) => {
            push_decimal(Decimal::from_int(number), scale, into)?;
        }
        #[expect(clippy::cast_precision_loss, reason = "an integer in a place for floats")]
        (Stored::Int(number), ScalarType::Float) => into.cells.push(Cell::Float(number as f64)),
        (Stored::Int(number), ScalarType::Duration) => into.push_value(&Value::Duration(number)),
        (Stored::Int(number), _) => into.cells.push(Cell::Int(number)),
        (Stored::Float(number), _) => into.cells.push(Cell::Float(finite(number)?)),
        (Stored::Decimal(decimal), ScalarType::Decimal { scale, .. }) => push_decimal(decimal, scale, into)?,
        (Stored::Decimal(decimal), ScalarType::Int | ScalarType::BigInt) => {
            into.cells.push(Cell::Int(whole(decimal)?));
        }
        // the sum of lengths of time is one
        (Stored::Decimal(decimal), ScalarType::Duration) => {
            into.push_value(&Value::Duration(whole(decimal)?));
        }
        (Stored::Decimal(decimal), ScalarType::Float) => {
            let number = Value::Decimal(decimal).as_float().ok_or_else(out_of_range)?;
            into.cells.push(Cell::Float(finite(number)?));
        }
        (Stored::Decimal(decimal), _) => push_decimal(decimal, decimal.scale, into)?,
        (Stored::Array(bytes), ScalarType::List(of)) => into.push_value(&array(bytes, of)?),
        (Stored::Array(_), _) => return Err(unreadable()),
        (Stored::Text(text), ScalarType::List(of)) => into.push_value(&literal(text, of)?),
        (Stored::Text(text), ScalarType::Json) | (Stored::Json(text), ScalarType::Json) => {
            into.push_raw(text)
        }
        (Stored::Text(text) | Stored::Json(text), _) => into.push_text(text),
        (Stored::SpacedJson(text), ScalarType::Json) => into.push_raw(&compact(text)?),
        (Stored::SpacedJson(text), _) => into.push_text(&compact(text)?),
        (Stored::Time(micros), _) => {
            let range = written(into, |out| calendar::write_time(micros, out));
            into.cells.push(Cell::Text { start: range.0, len: range.1 });
        }
        (Stored::Bytes(bytes), _) => {
            let range = written(into, |out| binary::write_hex(bytes, out));
            into.cells.push(Cell::Text { start: range.0, len: range.1 });
        }
        (Stored::Uuid(id), _) => {
            let mut buffer = Uuid::encode_buffer();
            into.push_text(id.hyphenated().encode_lower(&mut buffer));
        }
        (Stored::Timestamp(micros), _) => {
            let range = written(into, |out| calendar::write_timestamp(micros, out));
            into.cells.push(Cell::Text { start: range.0, len: range.1 });
        }
        (Stored::Date(days), _) => {
            let range = written(into, |out| calendar::write_date(days.into(), out));
            into.cells.push(Cell::Text { start: range.0, len: range.1 });
        }
    }
    Ok(())
}

fn push_decimal(decimal: Decimal, scale: u8, into: &mut Rows) -> Result<(), Fault> {
    let decimal = decimal.rescale(scale).map_err(|_| out_of_range())?;
    let mut failed = false;
    let (start, len) = written(into, |out| failed = write!(out, "{decimal}").is_err());
    into.cells.push(Cell::Raw { start, len });
    if failed { Err(unreadable()) } else { Ok(()) }
}

/// Writes into the arena; the range of what was written.
fn written(into: &mut Rows, write: impl FnOnce(&mut String)) -> (u32, u32) {
    let start = into.text.len();
    write(&mut into.text);
    let length = into.text.len() - start;
    (u32::try_from(start).unwrap_or(u32::MAX), u32::try_from(length).unwrap_or(u32::MAX))
}

fn value(stored: Stored<'_>, wanted: ScalarType) -> Result<Value, Fault> {
    Ok(match (stored, wanted) {
        (Stored::Bool(truth), _) => Value::Bool(truth),
        (Stored::Int(number), ScalarType::Decimal { scale, .. }) => {
            Value::Decimal(Decimal::from_int(number).rescale(scale).map_err(|_| out_of_range())?)
        }
        #[expect(clippy::cast_precision_loss, reason = "an integer in a place for floats")]
        (Stored::Int(number), ScalarType::Float) => Value::Float(number as f64),
        (Stored::Int(number), ScalarType::Duration) => Value::Duration(number),
        (Stored::Int(number), _) => Value::Int(number),
        (Stored::Float(number), _) => Value::Float(finite(number)?),
        (Stored::Decimal(decimal), ScalarType::Decimal { scale, .. }) => {
            Value::Decimal(decimal.rescale(scale).map_err(|_| out_of_range())?)
        }
        (Stored::Decimal(decimal), ScalarType::Int | ScalarType::BigInt) => Value::Int(whole(decimal)?),
        (Stored::Decimal(decimal), ScalarType::Duration) => Value::Duration(whole(decimal)?),
        (Stored::Decimal(decimal), ScalarType::Float) => {
            Value::Float(Value::Decimal(decimal).as_float().ok_or_else(out_of_range)?)
        }
        (Stored::Decimal(decimal), _) => Value::Decimal(decimal),
        (Stored::Array(bytes), ScalarType::List(of)) => array(bytes, of)?,
        (Stored::Array(_), _) => return Err(unreadable()),
        (Stored::Text(text), ScalarType::List(of)) => literal(text, of)?,
        (Stored::Text(text) | Stored::Json(text), ScalarType::Json) => Value::Json(text.to_owned()),
        (Stored::Text(text) | Stored::Json(text), _) => Value::Text(text.to_owned()),
        (Stored::SpacedJson(text), ScalarType::Json) => Value::Json(compact(text)?),
        (Stored::SpacedJson(text), _) => Value::Text(compact(text)?),
        (Stored::Uuid(id), _) => Value::Uuid(id),
        (Stored::Timestamp(micros), _) => Value::Timestamp(micros),
        (Stored::Date(days), _) => Value::Date(days),
        (Stored::Time(micros), _) => Value::Time(micros),
        (Stored::Bytes(bytes), _) => Value::Bytes(bytes.to_vec()),
    })
}

/// An array as a list.
fn array(bytes: &[u8], of: ListType) -> Result<Value, Fault> {
    let ty = of.element.scalar();
    let mut list = List::read(bytes, ty).ok_or_else(unreadable)?;
    let mut values = Vec::with_capacity(list.count);
    for _ in 0..list.count {
        values.push(match list.next()? {
            Some(bytes) => value(stored(&list.element, bytes)?, ty)?,
            None => Value::Null,
        });
    }
    Ok(Value::List(values))
}

/// A list from the text of an array: lists of rows come so.
fn literal(text: &str, of: ListType) -> Result<Value, Fault> {
    let ty = match of.element {
        Element::Enum(_) => ScalarType::String,
        Element::Duration => ScalarType::BigInt,
        other => other.scalar(),
    };
    let read = |element: Option<String>| match element {
        None => Ok(Value::Null),
        Some(text) => match ty.parse_text(&Catalog::default(), &text)? {
            Value::Int(micros) if of.element == Element::Duration => Ok(Value::Duration(micros)),
            value => Ok(value),
        },
    };
    let elements = parse_literal(text).ok_or_else(unreadable)?;
    elements.into_iter().map(read).collect::<Result<_, _>>().map(Value::List)
}

fn whole(decimal: Decimal) -> Result<i64, Fault> {
    let whole = decimal.rescale(0).map_err(|_| out_of_range())?;
    i64::try_from(whole.units).map_err(|_| out_of_range())
}

fn finite(number: f64) -> Result<f64, Fault> {
    if number.is_finite() { Ok(number) } else { Err(out_of_range()) }
}

fn compact(text: &str) -> Result<String, Fault> {
    json::normalise(text).ok_or_else(unreadable)
}

/// A sum may leave its range; JSON has no infinity.
fn out_of_range() -> Fault {
    Fault::new(code::OUT_OF_RANGE, "value out of range: overflow")
}

fn unreadable() -> Fault {
    Fault::internal("a column of an answer does not hold its type")
}
