//! A row of an answer, as the binary protocol gives it: cells straight from it, or
//! values. Every scalar has one text form, whatever form the server chose.

use crate::bind::id_of;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::reply::{Cell, Rows};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::{Decimal, Value, binary, calendar};
use backstay_sql::session::Row;
use mysql_async::Value as Received;

/// A row.
#[derive(Debug)]
pub struct MySqlRow(pub mysql_async::Row);

impl MySqlRow {
    fn column(&self, index: usize) -> Result<&Received, Fault> {
        self.0.as_ref(index).ok_or_else(|| Fault::internal(format!("an answer has no column {index}")))
    }
}

impl Row for MySqlRow {
    fn cell(&self, index: usize, ty: ScalarType, into: &mut Rows) -> Result<(), Fault> {
        match (self.column(index)?, ty) {
            (Received::NULL, _) => into.cells.push(Cell::Null),
            (Received::Int(number), ScalarType::Int | ScalarType::BigInt) => {
                into.cells.push(Cell::Int(*number));
            }
            (Received::Bytes(bytes), ScalarType::String | ScalarType::Enum(_)) => {
                into.push_text(utf8(bytes)?)
            }
            (Received::Bytes(bytes), ScalarType::Json) => into.push_raw(utf8(bytes)?),
            (Received::Bytes(bytes), ScalarType::Decimal { scale, .. }) if is_canonical(bytes, scale) => {
                into.push_raw(utf8(bytes)?);
            }
            (received, _) => into.push_value(&value(received, ty)?.ok_or_else(|| unreadable(index))?),
        }
        Ok(())
    }

    fn value(&self, index: usize, ty: ScalarType) -> Result<Value, Fault> {
        value(self.column(index)?, ty)?.ok_or_else(|| unreadable(index))
    }
}

/// The value that what came means in a type; none when it is not of that type.
///
/// # Errors
/// 22003 for a number that the type cannot hold, internal for text that is not UTF-8.
pub fn value(received: &Received, ty: ScalarType) -> Result<Option<Value>, Fault> {
    use ScalarType as T;
    if matches!(received, Received::NULL) {
        return Ok(Some(Value::Null));
    }
    Ok(match ty {
        T::Boolean => integer(received)?.map(|number| Value::Bool(number != 0)),
        T::Int | T::BigInt => integer(received)?.map(Value::Int),
        T::Float => float(received)?.map(Value::Float),
        T::Decimal { scale, .. } => decimal(received, scale)?.map(Value::Decimal),
        T::String | T::Enum(_) => text(received)?.map(Value::Text),
        T::Json => text(received)?.map(Value::Json),
        T::Uuid => match received {
            Received::Bytes(bytes) => id_of(bytes).map(Value::Uuid),
            _ => None,
        },
        T::Timestamp => micros(received).map(Value::Timestamp),
        T::Date => micros(received)
            .and_then(|micros| i32::try_from(micros.div_euclid(DAY_MICROS)).ok())
            .map(Value::Date),
        T::List(of) => match received {
            Received::Bytes(bytes) => list(utf8(bytes)?, of.element.scalar())?.map(Value::List),
            _ => None,
        },
        T::Time => time(received).map(Value::Time),
        T::Duration => integer(received)?.map(Value::Duration),
        T::Bytes => match received {
            Received::Bytes(bytes) => Some(Value::Bytes(bytes.clone())),
            _ => None,
        },
    })
}

const DAY_MICROS: i64 = 86_400_000_000;

fn integer(received: &Received) -> Result<Option<i64>, Fault> {
    match received {
        Received::Int(number) => Ok(Some(*number)),
        Received::UInt(number) => i64::try_from(*number).map(Some).map_err(|_| out_of_range()),
        // sums and products of integers are decimals
        Received::Bytes(bytes) => match Decimal::parse(utf8(bytes)?).and_then(|number| number.rescale(0)) {
            Ok(number) => i64::try_from(number.units).map(Some).map_err(|_| out_of_range()),
            Err(_) => Ok(None),
        },
        #[expect(clippy::cast_possible_truncation, reason = "compared with what it came from")]
        Received::Double(number) => {
            let whole = *number as i64;
            #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "whole numbers only")]
            let same = whole as f64 == *number;
            Ok(same.then_some(whole))
        }
        _ => Ok(None),
    }
}

fn float(received: &Received) -> Result<Option<f64>, Fault> {
    let number = match received {
        Received::Double(number) => *number,
        Received::Float(number) => f64::from(*number),
        #[expect(clippy::cast_precision_loss, reason = "an integer in a place for floats")]
        Received::Int(number) => *number as f64,
        #[expect(clippy::cast_precision_loss, reason = "an integer in a place for floats")]
        Received::UInt(number) => *number as f64,
        Received::Bytes(bytes) => match utf8(bytes)?.parse() {
            Ok(number) => number,
            Err(_) => return Ok(None),
        },
        _ => return Ok(None),
    };
    if number.is_finite() {
        return Ok(Some(number));
    }
    Err(Fault::new(code::OUT_OF_RANGE, "value out of range: overflow"))
}

fn decimal(received: &Received, scale: u8) -> Result<Option<Decimal>, Fault> {
    let number = match received {
        Received::Int(number) => Decimal::from_int(*number),
        Received::UInt(number) => Decimal { units: i128::from(*number), scale: 0 },
        Received::Bytes(bytes) => match Decimal::parse(utf8(bytes)?) {
            Ok(number) => number,
            Err(_) => return Ok(None),
        },
        Received::Double(number) => match Decimal::parse(&format!("{number:e}")) {
            Ok(number) => number,
            Err(_) => return Ok(None),
        },
        _ => return Ok(None),
    };
    number.rescale(scale).map(Some).map_err(|_| out_of_range())
}

fn text(received: &Received) -> Result<Option<String>, Fault> {
    Ok(match received {
        Received::Bytes(bytes) => Some(utf8(bytes)?.to_owned()),
        Received::Int(number) => Some(number.to_string()),
        Received::UInt(number) => Some(number.to_string()),
        Received::Date(..) => micros(received).map(|micros| Value::Timestamp(micros).to_text()),
        Received::NULL | Received::Float(_) | Received::Double(_) | Received::Time(..) => None,
    })
}

fn micros(received: &Received) -> Option<i64> {
    match received {
        Received::Date(year, month, day, hour, minute, second, micro) => {
            let days = calendar::parse_date(&format!("{year:04}-{month:02}-{day:02}"))?;
            let seconds = (i64::from(*hour) * 60 + i64::from(*minute)) * 60 + i64::from(*second);
            Some(i64::from(days) * DAY_MICROS + seconds * 1_000_000 + i64::from(*micro))
        }
        Received::Bytes(bytes) => {
            let text = std::str::from_utf8(bytes).ok()?;
            match text.len() {
                10 => calendar::parse_date(text).map(|days| i64::from(days) * DAY_MICROS),
                _ if text.ends_with("+00:00") => calendar::parse_timestamp(text),
                _ => calendar::parse_timestamp(&[text, "+00:00"].concat()),
            }
        }
        _ => None,
    }
}

/// The elements of a stored list: texts, or what another program put there.
fn list(text: &str, ty: ScalarType) -> Result<Option<Vec<Value>>, Fault> {
    let Ok(items) = serde_json::from_str::<Vec<serde_json::Value>>(text) else { return Ok(None) };
    let mut values = Vec::with_capacity(items.len());
    for item in items {
        let text = match item {
            serde_json::Value::Null => {
                values.push(Value::Null);
                continue;
            }
            serde_json::Value::String(text) => text,
            serde_json::Value::Bool(truth) => u8::from(truth).to_string(),
            serde_json::Value::Number(number) => number.to_string(),
            serde_json::Value::Array(_) | serde_json::Value::Object(_) => return Ok(None),
        };
        let read = match ty {
            ScalarType::Bytes => binary::parse(&["\\x", &text].concat()).map(Value::Bytes),
            _ => value(&Received::Bytes(text.into_bytes()), ty)?,
        };
        let Some(read) = read else { return Ok(None) };
        values.push(read);
    }
    Ok(Some(values))
}

fn time(received: &Received) -> Option<i64> {
    match received {
        Received::Time(false, days, hours, minutes, seconds, micros) => {
            let hours = i64::from(*days) * 24 + i64::from(*hours);
            let seconds = (hours * 60 + i64::from(*minutes)) * 60 + i64::from(*seconds);
            Some(seconds * 1_000_000 + i64::from(*micros)).filter(|micros| *micros <= DAY_MICROS)
        }
        Received::Bytes(bytes) => calendar::parse_time(std::str::from_utf8(bytes).ok()?),
        _ => None,
    }
}

/// Whether the server's text is the canonical one: as many digits after the point as the
/// type has, and no negative zero.
fn is_canonical(bytes: &[u8], scale: u8) -> bool {
    let digits = match bytes.iter().position(|byte| *byte == b'.') {
        Some(point) => bytes.len() - point - 1,
        None => 0,
    };
    let starts_well = matches!(bytes.first(), Some(b'1'..=b'9')) || bytes.starts_with(b"0.") || bytes == b"0";
    digits == usize::from(scale) && starts_well
}

fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|cause| Fault::internal("stored text is not UTF-8").with_source(cause))
}

fn out_of_range() -> Fault {
    Fault::new(code::OUT_OF_RANGE, "value out of range")
}

fn unreadable(index: usize) -> Fault {
    Fault::internal(["column ", &index.to_string(), " of an answer does not hold its type"].concat())
}
