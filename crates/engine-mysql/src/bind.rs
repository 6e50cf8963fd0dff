//! Values to the server: what a placeholder holds. Lists and row sets are one JSON
//! text whose elements are texts, because numbers of JSON are floats to some servers:
//! an id stands there as hexadecimal digits, a timestamp as the server writes it.

use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::named::{JsonKey, JsonStep};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::{Decimal, Value, binary, calendar, json};
use backstay_sql::bound_text;
use backstay_sql::statement::Bind;
use mysql_async::Value as Sent;
use std::fmt::Write as _;
use uuid::Uuid;

const DAY_MICROS: i64 = 86_400_000_000;

/// Deepest nesting of a JSON document.
const DEEPEST: usize = 31;

/// What a placeholder holds, in the server's terms.
///
/// # Errors
/// Internal, for a slot that is not filled; 22003 for a decimal that its type cannot hold.
pub fn bound(bind: &Bind, slots: &[Value]) -> Result<Sent, Fault> {
    match bind {
        Bind::Value(value, ty) => sent(value, *ty),
        Bind::Slot(index, ty) => match slots.get(*index) {
            Some(value) => sent(value, *ty),
            None => Err(Fault::internal("a slot of a statement is not filled")),
        },
        Bind::Count(number) => Ok(Sent::UInt(*number)),
        Bind::List(values, ty) => Ok(text(bound_text::list(values, *ty, element)?)),
        Bind::Rows(rows) => Ok(text(bound_text::rows(rows, element)?)),
        Bind::Path(steps) => Ok(text(path(steps)?)),
    }
}

/// The form in which a value is sent. Decimals go as text, ids as hexadecimal
/// digits: their place in the statement says what they are.
///
/// # Errors
/// 22003, for a decimal that its type cannot hold.
pub fn sent(value: &Value, ty: ScalarType) -> Result<Sent, Fault> {
    Ok(match (value, ty) {
        (Value::Null, _) => Sent::NULL,
        (Value::Bool(truth), _) => Sent::Int(i64::from(*truth)),
        (Value::Int(number), ScalarType::Decimal { scale, .. }) => {
            text(decimal(Decimal::from_int(*number), scale)?)
        }
        #[expect(clippy::cast_precision_loss, reason = "an integer in a place for floats")]
        (Value::Int(number), ScalarType::Float) => Sent::Double(*number as f64),
        (Value::Int(number) | Value::Duration(number), _) => Sent::Int(*number),
        (Value::Float(number), _) => Sent::Double(*number),
        (Value::Decimal(number), ScalarType::Decimal { scale, .. }) => text(decimal(*number, scale)?),
        (Value::Decimal(number), _) => text(number.to_string()),
        (Value::Json(document), _) => {
            refuse_depth(document)?;
            Sent::Bytes(document.as_bytes().to_vec())
        }
        (Value::Text(text), _) => Sent::Bytes(text.as_bytes().to_vec()),
        (Value::Uuid(id), ScalarType::Uuid) => text(id.simple().to_string()),
        (Value::Uuid(_), _) => text(value.to_text()),
        (Value::Timestamp(micros), _) => instant(*micros)?,
        (Value::Date(days), _) => instant(i64::from(*days) * DAY_MICROS)?,
        (Value::Time(_), _) => text(value.to_text()),
        (Value::Bytes(bytes), _) => Sent::Bytes(bytes.clone()),
        (Value::List(values), ScalarType::List(of)) => {
            text(bound_text::list(values, of.element.scalar(), element)?)
        }
        (Value::List(_), _) => return Err(Fault::internal("a list in a place for one value")),
    })
}

const fn text(text: String) -> Sent {
    Sent::Bytes(text.into_bytes())
}

/// What is nested deeper, MariaDB takes for no JSON.
fn refuse_depth(document: &str) -> Result<(), Fault> {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in document.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            let message = format!("a JSON document of this database nests at most {DEEPEST} levels");
            return Err(Fault::new(code::TOO_COMPLEX, message));
        }
    }
    Ok(())
}

fn decimal(decimal: Decimal, scale: u8) -> Result<String, Fault> {
    match decimal.rescale(scale) {
        Ok(scaled) => Ok(scaled.to_string()),
        Err(cause) => Err(Fault::new(code::OUT_OF_RANGE, "numeric field overflow").with_source(cause)),
    }
}

fn instant(micros: i64) -> Result<Sent, Fault> {
    let out_of_range = |_| Fault::new(code::INVALID_DATETIME, "date/time field value out of range");
    let small = |number: i64| u8::try_from(number).unwrap_or_default();
    let (year, month, day) = calendar::civil(micros.div_euclid(DAY_MICROS));
    let time = micros.rem_euclid(DAY_MICROS);
    let seconds = time / 1_000_000;
    Ok(Sent::Date(
        u16::try_from(year).map_err(out_of_range)?,
        small(month),
        small(day),
        small(seconds / 3600),
        small(seconds / 60 % 60),
        small(seconds % 60),
        u32::try_from(time % 1_000_000).unwrap_or_default(),
    ))
}

/// One element: NULL, or a text that a column of its type reads exactly.
fn element(value: &Value, ty: ScalarType, text: &mut String) -> Result<(), Fault> {
    let written = match (value, ty) {
        (Value::Null, _) => write!(text, "null"),
        (Value::Bool(truth), _) => write!(text, "\"{}\"", u8::from(*truth)),
        (Value::Int(number) | Value::Duration(number), _) => write!(text, "\"{number}\""),
        // the shortest form that reads back as the same number
        (Value::Float(number), _) => write!(text, "\"{number:e}\""),
        (Value::Decimal(number), ScalarType::Decimal { scale, .. }) => {
            write!(text, "\"{}\"", decimal(*number, scale)?)
        }
        (Value::Decimal(number), _) => write!(text, "\"{number}\""),
        (Value::Text(words) | Value::Json(words), _) => {
            json::write_string(words, text);
            Ok(())
        }
        (Value::Uuid(id), ScalarType::Uuid) => write!(text, "\"{}\"", id.simple()),
        (Value::Uuid(id), _) => write!(text, "\"{}\"", id.hyphenated()),
        (Value::List(values), ScalarType::List(of)) => {
            json::write_string(&bound_text::list(values, of.element.scalar(), element)?, text);
            Ok(())
        }
        (Value::List(_), _) => return Err(Fault::internal("a list in a place for one value")),
        (Value::Time(_), _) => write!(text, "\"{}\"", value.to_text()),
        (Value::Bytes(bytes), _) => {
            text.push('"');
            binary::write_digits(bytes, text);
            text.push('"');
            Ok(())
        }
        (Value::Timestamp(_) | Value::Date(_), _) => {
            let canonical = value.to_text();
            // the server knows no offset in a DATETIME; ours is always the same
            let plain = canonical.strip_suffix("+00:00").unwrap_or(&canonical);
            write!(text, "\"{plain}\"")
        }
    };
    written.map_err(|_| Fault::internal("a list could not be written"))
}

/// A path as the server reads it: `$."a"[0]`, from the end `$."a"[last]`. It takes no
/// member whose name begins with a minus sign, however that is written.
fn path(steps: &[JsonStep]) -> Result<String, Fault> {
    let mut text = String::from("$");
    for step in steps {
        match &step.key {
            JsonKey::Member(name) if name.starts_with('-') => {
                let message =
                    format!("this database cannot reach the member \"{name}\": its name begins with -");
                return Err(Fault::new(code::NOT_IMPLEMENTED, message));
            }
            JsonKey::Member(name) => {
                text.push('.');
                json::write_string(name, &mut text);
            }
            JsonKey::Index(number) => {
                text.push('[');
                text.push_str(&match *number {
                    -1 => "last".to_owned(),
                    0.. => number.to_string(),
                    _ => format!("last-{}", number.unsigned_abs() - 1),
                });
                text.push(']');
            }
        }
    }
    Ok(text)
}

/// An id as the server stores it.
#[must_use]
pub fn id_of(bytes: &[u8]) -> Option<Uuid> {
    match bytes.len() {
        16 => Uuid::from_slice(bytes).ok(),
        _ => Uuid::try_parse_ascii(bytes).ok(),
    }
}
