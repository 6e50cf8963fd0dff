//! [`Value`]: a typed scalar value in memory, equal on every engine. Literals, URL
//! text and JSON cells become values; values print in the one canonical text form.
//! Knows nothing of SQL or of callers.

pub mod binary;
pub mod calendar;
pub mod decimal;
pub mod exact_sum;
pub mod json;

use std::cmp::Ordering;
use std::fmt::Write as _;
use uuid::Uuid;

/// A scalar value. Text forms are those of `SEMANTICS.md` 33.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// `Boolean`.
    Bool(bool),
    /// `Int` and `BigInt`.
    Int(i64),
    /// `Float`; never NaN or infinite.
    Float(f64),
    /// `Decimal`, exact.
    Decimal(Decimal),
    /// `String` and enum members.
    Text(String),
    /// `ID` and `UUID`.
    Uuid(Uuid),
    /// `Timestamp`: microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// `Date`: days since 1970-01-01.
    Date(i32),
    /// `Time`: microseconds since midnight, to 24:00:00.
    Time(i64),
    /// `Duration`: a length of time in microseconds.
    Duration(i64),
    /// `Bytes`.
    Bytes(Vec<u8>),
    /// `JSON`: normalised text.
    Json(String),
    /// A list of scalars; NULL elements are [`Value::Null`].
    List(Vec<Self>),
}

/// `units` × 10^-`scale`. Packed, since the alignment of 16 bytes that the digits would ask for
/// makes every value a third larger, and every list of values dearer to allocate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(Rust, packed(8))]
pub struct Decimal {
    /// The digits without the point.
    pub units: i128,
    /// Digits after the point.
    pub scale: u8,
}

impl Value {
    /// Whether this is NULL.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The canonical text form; NULL is `null`.
    #[must_use]
    pub fn to_text(&self) -> String {
        // what is written for nearly every row: an id, a time
        let mut out = match self {
            Self::Uuid(_) | Self::Timestamp(_) => String::with_capacity(36),
            _ => String::new(),
        };
        self.write_text(&mut out);
        out
    }

    /// Appends the canonical text form; NULL is `null`.
    pub fn write_text(&self, out: &mut String) {
        let written = match self {
            Self::Null => out.write_str("null"),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Int(value) => write!(out, "{value}"),
            Self::Float(value) => {
                write_float(*value, out);
                Ok(())
            }
            Self::Decimal(value) => write!(out, "{value}"),
            Self::Text(text) | Self::Json(text) => out.write_str(text),
            Self::List(values) => {
                crate::scalar::list::write_literal(values, out);
                Ok(())
            }
            Self::Uuid(id) => out.write_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer())),
            Self::Timestamp(micros) => {
                calendar::write_timestamp(*micros, out);
                Ok(())
            }
            Self::Date(days) => {
                calendar::write_date(i64::from(*days), out);
                Ok(())
            }
            Self::Time(micros) => {
                calendar::write_time(*micros, out);
                Ok(())
            }
            Self::Duration(micros) => {
                calendar::write_duration(*micros, out);
                Ok(())
            }
            Self::Bytes(bytes) => {
                binary::write_hex(bytes, out);
                Ok(())
            }
        };
        debug_assert!(written.is_ok(), "writing to a string does not fail");
    }

    /// The order of two values of one kind; none for NULL, JSON, lists and values of different kinds.
    ///
    /// Numbers of different kinds compare by value, text by its bytes.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Int(a), Self::Int(b))
            | (Self::Timestamp(a), Self::Timestamp(b))
            | (Self::Time(a), Self::Time(b))
            | (Self::Duration(a), Self::Duration(b)) => Some(a.cmp(b)),
            (Self::Bytes(a), Self::Bytes(b)) => Some(a.cmp(b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Decimal(a), Self::Decimal(b)) => Some(a.compare(*b)),
            (Self::Text(a), Self::Text(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Self::Uuid(a), Self::Uuid(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::Int(a), Self::Decimal(b)) => Some(Decimal::from_int(*a).compare(*b)),
            (Self::Decimal(a), Self::Int(b)) => Some(a.compare(Decimal::from_int(*b))),
            (Self::Float(a), Self::Int(_) | Self::Decimal(_)) => a.partial_cmp(&other.as_float()?),
            (Self::Int(_) | Self::Decimal(_), Self::Float(b)) => self.as_float()?.partial_cmp(b),
            (
                Self::Null
                | Self::Bool(_)
                | Self::Int(_)
                | Self::Float(_)
                | Self::Decimal(_)
                | Self::Text(_)
                | Self::Uuid(_)
                | Self::Timestamp(_)
                | Self::Date(_)
                | Self::Time(_)
                | Self::Duration(_)
                | Self::Bytes(_)
                | Self::Json(_)
                | Self::List(_),
                _,
            ) => None,
        }
    }

    /// A number as binary floating point.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the nearest double is what a cast to Float means")]
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Decimal(value) => value.to_string().parse().ok(),
            Self::Null
            | Self::Bool(_)
            | Self::Text(_)
            | Self::Uuid(_)
            | Self::Timestamp(_)
            | Self::Date(_)
            | Self::Time(_)
            | Self::Duration(_)
            | Self::Bytes(_)
            | Self::Json(_)
            | Self::List(_) => None,
        }
    }
}

/// The number, where zero has no sign: some databases keep one and others do not.
#[must_use]
pub fn one_zero(value: f64) -> f64 {
    value + 0.0
}

/// Shortest text that reads back as the same number, in PostgreSQL's notation:
/// plain from 1e-4 to below 1e15, else `1.5e+20`. There is one zero.
pub fn write_float(value: f64, out: &mut String) {
    let value = one_zero(value);
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    let written = if (-4..15).contains(&power) {
        write!(out, "{value}")
    } else {
        let sign = if power < 0 { '-' } else { '+' };
        write!(out, "{mantissa}e{sign}{:02}", power.unsigned_abs())
    };
    debug_assert!(written.is_ok(), "writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_text_forms() {
        let of = |value: Value| value.to_text();
        assert_eq!(of(Value::Float(0.1)), "0.1");
        assert_eq!(of(Value::Float(3.0)), "3");
        assert_eq!(of(Value::Float(-0.0)), "0");
        assert_eq!(of(Value::Float(1e20)), "1e+20");
        assert_eq!(of(Value::Float(1.5e-7)), "1.5e-07");
        assert_eq!(of(Value::Float(0.0001)), "0.0001");
        assert_eq!(of(Value::Float(123_456_789_012_345.0)), "123456789012345");
        assert_eq!(of(Value::Decimal(Decimal { units: 99_900, scale: 4 })), "9.9900");
        assert_eq!(of(Value::Decimal(Decimal { units: -5, scale: 2 })), "-0.05");
        assert_eq!(of(Value::Timestamp(1_769_850_000_000_000)), "2026-01-31T09:00:00+00:00");
        assert_eq!(of(Value::Timestamp(1_769_850_000_120_000)), "2026-01-31T09:00:00.12+00:00");
        assert_eq!(of(Value::Timestamp(-1)), "1969-12-31T23:59:59.999999+00:00");
        assert_eq!(of(Value::Date(-1)), "1969-12-31");
        assert_eq!(of(Value::Duration(90_061_500_000)), "P1DT1H1M1.5S");
        assert_eq!(of(Value::Duration(i64::MIN)), "-P106751991DT4H54.775808S");
        assert_eq!(of(Value::Time(0)), "00:00:00");
        assert_eq!(of(Value::Time(86_399_900_000)), "23:59:59.9");
        assert_eq!(of(Value::Bytes(vec![0, 255])), "\\x00ff");
        assert_eq!(of(Value::Null), "null");
    }

    #[test]
    fn numbers_of_different_kinds_compare_by_value() {
        let tenth = Value::Decimal(Decimal { units: 10, scale: 1 });
        assert_eq!(tenth.compare(&Value::Int(1)), Some(Ordering::Equal));
        assert_eq!(Value::Float(1.5).compare(&Value::Int(1)), Some(Ordering::Greater));
        assert_eq!(Value::Null.compare(&Value::Null), None);
        assert_eq!(Value::Text("a".into()).compare(&Value::Int(1)), None);
    }
}
