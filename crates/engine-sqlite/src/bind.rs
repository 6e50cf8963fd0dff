//! Values to SQLite and back: the stored form of each type, lists and row sets as
//! one JSON text, rows as cells.

use backstay_base::fault::Fault;
use backstay_query::named::{JsonKey, JsonStep};
use backstay_query::reply::{Cell, Rows};
use backstay_schema::scalar::ScalarType;
use backstay_schema::scalar::list::Element;
use backstay_schema::value::{Decimal, Value, binary, calendar, json};
use backstay_sql::bound_text;
use backstay_sql::session::Row;
use backstay_sql::statement::Bind;
use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef};
use std::fmt::Write as _;
use uuid::Uuid;

/// What a placeholder holds, in SQLite's terms.
///
/// # Errors
/// Internal, for a slot that is not filled or a value that its type cannot hold.
pub fn bound<'b>(bind: &'b Bind, slots: &'b [Value]) -> Result<ToSqlOutput<'b>, Fault> {
    match bind {
        Bind::Value(value, ty) => stored(value, *ty),
        Bind::Slot(index, ty) => match slots.get(*index) {
            Some(value) => stored(value, *ty),
            None => Err(Fault::internal("a slot of a statement is not filled")),
        },
        Bind::Count(number) => Ok(owned(Stored::Integer(i64::try_from(*number).unwrap_or(i64::MAX)))),
        Bind::List(values, ty) => Ok(owned(Stored::Text(bound_text::list(values, *ty, element)?))),
        Bind::Rows(rows) => Ok(owned(Stored::Text(bound_text::rows(rows, element)?))),
        Bind::Path(steps) => Ok(owned(Stored::Text(path(steps)))),
    }
}

/// The stored form of a value: text for what is text, scaled integers for decimals.
///
/// # Errors
/// Internal, for a decimal that its type cannot hold.
pub fn stored(value: &Value, ty: ScalarType) -> Result<ToSqlOutput<'_>, Fault> {
    Ok(match (value, ty) {
        (Value::Null, _) => owned(Stored::Null),
        (Value::Bool(truth), _) => owned(Stored::Integer(i64::from(*truth))),
        (Value::Int(number), ScalarType::Decimal { scale, .. }) => {
            owned(Stored::Integer(units(Decimal { units: i128::from(*number), scale: 0 }, scale)?))
        }
        #[expect(clippy::cast_precision_loss, reason = "an integer in a place for floats")]
        (Value::Int(number), ScalarType::Float) => owned(Stored::Real(*number as f64)),
        (Value::Int(number) | Value::Duration(number), _) => owned(Stored::Integer(*number)),
        (Value::Float(number), _) => owned(Stored::Real(*number)),
        (Value::Decimal(decimal), ScalarType::Decimal { scale, .. }) => {
            owned(Stored::Integer(units(*decimal, scale)?))
        }
        (Value::Decimal(decimal), _) => owned(Stored::Integer(units(*decimal, decimal.scale)?)),
        (Value::Text(text) | Value::Json(text), _) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        (Value::List(values), ScalarType::List(of)) => {
            owned(Stored::Text(bound_text::list(values, of.element.scalar(), element)?))
        }
        (Value::List(_), _) => return Err(Fault::internal("a list in a place for one value")),
        (Value::Bytes(bytes), _) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        (Value::Uuid(_) | Value::Timestamp(_) | Value::Date(_) | Value::Time(_), _) => {
            owned(Stored::Text(value.to_text()))
        }
    })
}

const fn owned<'b>(value: Stored) -> ToSqlOutput<'b> {
    ToSqlOutput::Owned(value)
}

fn units(decimal: Decimal, scale: u8) -> Result<i64, Fault> {
    let scaled = decimal.rescale(scale).map_err(Fault::from_overflow)?;
    i64::try_from(scaled.units).map_err(Fault::from_overflow)
}

/// A decimal beyond its type: the reader of the request refuses it before.
trait FromOverflow {
    fn from_overflow(cause: impl std::error::Error + Send + Sync + 'static) -> Self;
}

impl FromOverflow for Fault {
    fn from_overflow(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::new(backstay_base::code::OUT_OF_RANGE, "numeric field overflow").with_source(cause)
    }
}

/// An element as it is stored.
fn element(value: &Value, ty: ScalarType, text: &mut String) -> Result<(), Fault> {
    let stored = stored(value, ty)?;
    let written = match reference(&stored) {
        ValueRef::Integer(number) => write!(text, "{number}"),
        ValueRef::Real(number) => write!(text, "{number:?}"),
        ValueRef::Text(bytes) => {
            json::write_string(&String::from_utf8_lossy(bytes), text);
            Ok(())
        }
        ValueRef::Blob(bytes) => {
            text.push('"');
            binary::write_digits(bytes, text);
            text.push('"');
            Ok(())
        }
        ValueRef::Null => {
            text.push_str("null");
            Ok(())
        }
    };
    written.map_err(|_| Fault::internal("a list could not be written"))
}

fn reference<'s>(stored: &'s ToSqlOutput<'_>) -> ValueRef<'s> {
    match stored {
        ToSqlOutput::Borrowed(value) => *value,
        ToSqlOutput::Owned(value) => value.into(),
        _ => ValueRef::Null,
    }
}

/// A path as a JSON array of member names and indexes.
fn path(steps: &[JsonStep]) -> String {
    let mut text = String::from("[");
    for (index, step) in steps.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        match &step.key {
            JsonKey::Member(name) => json::write_string(name, &mut text),
            JsonKey::Index(number) => text.push_str(&number.to_string()),
        }
    }
    text.push(']');
    text
}

/// A row of an answer.
pub struct SqliteRow<'r, 's>(pub &'r rusqlite::Row<'s>);

impl Row for SqliteRow<'_, '_> {
    fn cell(&self, index: usize, ty: ScalarType, into: &mut Rows) -> Result<(), Fault> {
        let stored = self.0.get_ref(index).map_err(crate::error::fault)?;
        match (stored, ty) {
            (ValueRef::Null, _) => into.cells.push(Cell::Null),
            (ValueRef::Integer(number), ScalarType::Boolean) => into.cells.push(Cell::Bool(number != 0)),
            (ValueRef::Integer(number), ScalarType::Int | ScalarType::BigInt) => {
                into.cells.push(Cell::Int(number))
            }
            (ValueRef::Integer(number), ScalarType::Decimal { scale, .. }) => {
                into.push_raw(&Decimal { units: i128::from(number), scale }.to_string());
            }
            #[expect(clippy::cast_precision_loss, reason = "an integer in a place for floats")]
            (ValueRef::Integer(number), ScalarType::Float) => into.cells.push(Cell::Float(number as f64)),
            (ValueRef::Integer(number), ScalarType::Duration) => into.push_value(&Value::Duration(number)),
            (ValueRef::Blob(bytes), ScalarType::Bytes) => into.push_value(&Value::Bytes(bytes.to_vec())),
            (ValueRef::Integer(number), _) => into.push_text(&number.to_string()),
            (ValueRef::Real(number), ScalarType::Float) if number.is_finite() => {
                into.cells.push(Cell::Float(number));
            }
            (ValueRef::Real(_), ScalarType::Float) => return Err(out_of_range()),
            (ValueRef::Text(bytes), ScalarType::Json) => into.push_raw(utf8(bytes)?),
            (ValueRef::Text(bytes), ScalarType::List(of)) if is_wire(of.element) => {
                into.push_raw(utf8(bytes)?)
            }
            (ValueRef::Text(bytes), ScalarType::List(of)) => {
                let values = elements(utf8(bytes)?, of.element.scalar()).ok_or_else(|| unreadable(index))?;
                into.push_value(&Value::List(values));
            }
            (ValueRef::Text(bytes), _) => into.push_text(utf8(bytes)?),
            (ValueRef::Real(_) | ValueRef::Blob(_), _) => return Err(unreadable(index)),
        }
        Ok(())
    }

    fn value(&self, index: usize, ty: ScalarType) -> Result<Value, Fault> {
        let stored = self.0.get_ref(index).map_err(crate::error::fault)?;
        value(stored, ty).ok_or_else(|| unreadable(index))
    }
}

/// The value that a stored form means in a type; none when it is not of that type.
#[must_use]
pub fn value(stored: ValueRef<'_>, ty: ScalarType) -> Option<Value> {
    match stored {
        ValueRef::Null => Some(Value::Null),
        ValueRef::Integer(number) => match ty {
            ScalarType::Boolean => Some(Value::Bool(number != 0)),
            ScalarType::Decimal { scale, .. } => {
                Some(Value::Decimal(Decimal { units: i128::from(number), scale }))
            }
            #[expect(clippy::cast_precision_loss, reason = "an integer in a place for floats")]
            ScalarType::Float => Some(Value::Float(number as f64)),
            ScalarType::Duration => Some(Value::Duration(number)),
            _ => Some(Value::Int(number)),
        },
        ValueRef::Real(number) => Some(Value::Float(number)),
        ValueRef::Text(bytes) => {
            let text = std::str::from_utf8(bytes).ok()?;
            match ty {
                ScalarType::Uuid => Uuid::try_parse(text).ok().map(Value::Uuid),
                ScalarType::Timestamp => calendar::parse_timestamp(text).map(Value::Timestamp),
                ScalarType::Date => calendar::parse_date(text).map(Value::Date),
                ScalarType::Time => calendar::parse_time(text).map(Value::Time),
                ScalarType::List(of) => elements(text, of.element.scalar()).map(Value::List),
                ScalarType::Json => Some(Value::Json(text.to_owned())),
                ScalarType::Int
                | ScalarType::BigInt
                | ScalarType::Float
                | ScalarType::Decimal { .. }
                | ScalarType::Boolean
                | ScalarType::Duration
                | ScalarType::Bytes => None,
                ScalarType::String | ScalarType::Enum(_) => Some(Value::Text(text.to_owned())),
            }
        }
        ValueRef::Blob(bytes) => (ty == ScalarType::Bytes).then(|| Value::Bytes(bytes.to_vec())),
    }
}

/// Whether elements are stored as JSON writes them.
const fn is_wire(element: Element) -> bool {
    match element {
        Element::Int
        | Element::BigInt
        | Element::String
        | Element::Uuid
        | Element::Timestamp
        | Element::Date
        | Element::Time
        | Element::Enum(_) => true,
        Element::Float | Element::Decimal { .. } | Element::Boolean | Element::Duration | Element::Bytes => {
            false
        }
    }
}

/// The elements of a stored list.
fn elements(text: &str, ty: ScalarType) -> Option<Vec<Value>> {
    let items: Vec<serde_json::Value> = serde_json::from_str(text).ok()?;
    let read = |item: serde_json::Value| match item {
        serde_json::Value::Null => Some(Value::Null),
        serde_json::Value::Bool(truth) => value(ValueRef::Integer(i64::from(truth)), ty),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => value(ValueRef::Integer(number), ty),
            None => value(ValueRef::Real(number.as_f64()?), ty),
        },
        serde_json::Value::String(text) if ty == ScalarType::Bytes => {
            binary::parse(&["\\x", &text].concat()).map(Value::Bytes)
        }
        serde_json::Value::String(text) => value(ValueRef::Text(text.as_bytes()), ty),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
    };
    items.into_iter().map(read).collect()
}

fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|cause| Fault::internal("stored text is not UTF-8").with_source(cause))
}

/// A sum of floats may leave their range; JSON has no infinity.
fn out_of_range() -> Fault {
    Fault::new(backstay_base::code::OUT_OF_RANGE, "value out of range: overflow")
}

fn unreadable(index: usize) -> Fault {
    Fault::internal(["column ", &index.to_string(), " of an answer does not hold its type"].concat())
}
