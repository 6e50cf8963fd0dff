//! Text and JSON cells into typed values, with PostgreSQL's refusals: what a URL
//! filter gives, what a body gives (as `json_populate_record` would read it), and
//! casts between values.

use crate::catalog::Catalog;
use crate::scalar::ScalarType;
use crate::value::decimal::DecimalError;
use crate::value::{Decimal, Value, binary, calendar, json, one_zero};
use backstay_base::code;
use backstay_base::fault::Fault;
use uuid::Uuid;

/// A cell of a JSON body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonCell<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as written.
    Number(&'a str),
    /// A string, unescaped.
    Text(&'a str),
    /// An array or object as written.
    Json(&'a str),
}

impl ScalarType {
    /// Reads URL text.
    ///
    /// # Errors
    /// 22P02 for another form, 22003 out of range, 22007 for dates and times, 22021 for NUL.
    pub fn parse_text(&self, catalog: &Catalog, text: &str) -> Result<Value, Fault> {
        refuse_nul(text)?;
        match self {
            Self::Int => integer(text, "integer", i64::from(i32::MIN), i64::from(i32::MAX)),
            Self::BigInt => integer(text, "bigint", i64::MIN, i64::MAX),
            Self::Float => float(text),
            Self::Decimal { digits, scale } => decimal(text, *digits, *scale),
            Self::Boolean => boolean(text),
            Self::String => Ok(Value::Text(text.to_owned())),
            Self::Uuid => uuid(text),
            Self::Timestamp => calendar::parse_timestamp(text)
                .map(Value::Timestamp)
                .ok_or_else(|| datetime("timestamp with time zone", text)),
            Self::Date => calendar::parse_date(text).map(Value::Date).ok_or_else(|| datetime("date", text)),
            Self::Time => calendar::parse_time(text).map(Value::Time).ok_or_else(|| datetime("time", text)),
            Self::Duration => duration(text),
            Self::Bytes => binary::parse(text).map(Value::Bytes).ok_or_else(|| invalid("bytea", text)),
            Self::List(list) => list.parse_text(catalog, text),
            Self::Json => json::normalise(text).map(Value::Json).ok_or_else(invalid_json),
            Self::Enum(id) => {
                let members = &catalog.enum_type(*id).members;
                if members.iter().any(|member| member.name == text) {
                    return Ok(Value::Text(text.to_owned()));
                }
                let name = crate::name::snake_case(&catalog.enum_type(*id).name);
                Err(Fault::new(
                    code::INVALID_TEXT,
                    format!("invalid input value for enum {name}: \"{text}\""),
                ))
            }
        }
    }

    /// Reads a cell of a JSON body: a number or boolean is read by its text, as
    /// PostgreSQL's `json_populate_record` does; a JSON column keeps the cell as it is.
    ///
    /// # Errors
    /// As [`ScalarType::parse_text`].
    pub fn parse_json(&self, catalog: &Catalog, cell: JsonCell<'_>) -> Result<Value, Fault> {
        match (self, cell) {
            (_, JsonCell::Null) => Ok(Value::Null),
            (Self::List(list), cell) => list.parse_json(catalog, cell),
            (Self::Json, JsonCell::Bool(value)) => Ok(Value::Json(value.to_string())),
            (Self::Json, JsonCell::Number(text) | JsonCell::Json(text)) => {
                refuse_nul(text)?;
                json::normalise(text).map(Value::Json).ok_or_else(invalid_json)
            }
            (Self::Json, JsonCell::Text(text)) => {
                refuse_nul(text)?;
                let mut out = String::with_capacity(text.len() + 2);
                json::write_string(text, &mut out);
                Ok(Value::Json(out))
            }
            (Self::Boolean, JsonCell::Bool(value)) => Ok(Value::Bool(value)),
            (_, JsonCell::Bool(value)) => self.parse_text(catalog, if value { "true" } else { "false" }),
            (_, JsonCell::Number(text) | JsonCell::Text(text) | JsonCell::Json(text)) => {
                self.parse_text(catalog, text)
            }
        }
    }

    /// Brings a value of another type into this one, as a cast does.
    ///
    /// # Errors
    /// As [`ScalarType::parse_text`].
    pub fn convert(&self, catalog: &Catalog, value: &Value) -> Result<Value, Fault> {
        match (self, value) {
            (_, Value::Null) => Ok(Value::Null),
            (Self::Decimal { digits, scale }, Value::Int(value)) => {
                fitted(Decimal::from_int(*value).fit(*digits, *scale), *digits, *scale)
            }
            (Self::Decimal { digits, scale }, Value::Decimal(value)) => {
                fitted(value.fit(*digits, *scale), *digits, *scale)
            }
            (Self::Float, Value::Int(_) | Value::Decimal(_)) => {
                value.as_float().map(Value::Float).ok_or_else(|| Fault::internal("a number without a double"))
            }
            (Self::Int | Self::BigInt, Value::Decimal(value)) => {
                let rounded = value.rescale(0).map(|whole| whole.to_string());
                self.parse_text(catalog, &rounded.map_err(|_| overflow(18, 0))?)
            }
            (Self::Int | Self::BigInt, Value::Float(value)) => {
                self.parse_text(catalog, &format!("{}", value.round_ties_even()))
            }
            (Self::Int | Self::BigInt, Value::Bool(value)) => Ok(Value::Int(i64::from(*value))),
            (Self::Date, Value::Timestamp(micros)) => {
                let days = micros.div_euclid(calendar::DAY_MICROS);
                i32::try_from(days).map(Value::Date).map_err(|_| datetime("date", &value.to_text()))
            }
            (Self::Timestamp, Value::Date(days)) => {
                Ok(Value::Timestamp(i64::from(*days) * calendar::DAY_MICROS))
            }
            (Self::Time, Value::Timestamp(micros)) => {
                Ok(Value::Time(micros.rem_euclid(calendar::DAY_MICROS)))
            }
            (Self::Json, Value::Text(text)) => self.parse_text(catalog, text),
            (Self::List(list), Value::List(values)) => {
                let ty = list.element.scalar();
                values
                    .iter()
                    .map(|value| ty.convert(catalog, value))
                    .collect::<Result<_, _>>()
                    .map(Value::List)
            }
            (ty, value) if ty.holds(value) && !matches!(ty, Self::Int | Self::Enum(_)) => Ok(value.clone()),
            (ty, value) => ty.parse_text(catalog, &value.to_text()),
        }
    }
}

fn refuse_nul(text: &str) -> Result<(), Fault> {
    if text.contains('\0') {
        return Err(Fault::new(code::INVALID_ENCODING, "invalid byte sequence for encoding \"UTF8\": 0x00"));
    }
    Ok(())
}

fn invalid(ty: &str, text: &str) -> Fault {
    Fault::new(code::INVALID_TEXT, format!("invalid input syntax for type {ty}: \"{text}\""))
}

fn invalid_json() -> Fault {
    Fault::new(code::INVALID_TEXT, "invalid input syntax for type json")
}

fn datetime(ty: &str, text: &str) -> Fault {
    Fault::new(code::INVALID_DATETIME, format!("invalid input syntax for type {ty}: \"{text}\""))
}

/// ISO 8601, or the form of rules: `1h30m`.
fn duration(text: &str) -> Result<Value, Fault> {
    let micros = calendar::parse_iso_duration(text).or_else(|| calendar::parse_duration(text.trim()));
    micros.map(Value::Duration).ok_or_else(|| datetime("interval", text))
}

fn out_of_range(ty: &str, text: &str) -> Fault {
    Fault::new(code::OUT_OF_RANGE, format!("value \"{text}\" is out of range for type {ty}"))
}

fn overflow(digits: u8, scale: u8) -> Fault {
    let whole = digits.saturating_sub(scale);
    Fault::new(code::OUT_OF_RANGE, "numeric field overflow").with_details(format!(
        "A field with precision {digits}, scale {scale} must round to an absolute value less than 10^{whole}."
    ))
}

fn integer(text: &str, ty: &str, least: i64, most: i64) -> Result<Value, Fault> {
    let trimmed = text.trim_ascii();
    let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(invalid(ty, text));
    }
    match trimmed.parse::<i64>() {
        Ok(value) if (least..=most).contains(&value) => Ok(Value::Int(value)),
        Ok(_) | Err(_) => Err(out_of_range(ty, text)),
    }
}

fn float(text: &str) -> Result<Value, Fault> {
    let trimmed = text.trim_ascii();
    let numeric =
        trimmed.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    match trimmed.parse::<f64>() {
        Ok(value) if numeric && value.is_finite() => Ok(Value::Float(one_zero(value))),
        Ok(_) if numeric => Err(Fault::new(
            code::OUT_OF_RANGE,
            format!("\"{text}\" is out of range for type double precision"),
        )),
        Ok(_) | Err(_) => Err(invalid("double precision", text)),
    }
}

fn decimal(text: &str, digits: u8, scale: u8) -> Result<Value, Fault> {
    match Decimal::parse(text.trim_ascii()).and_then(|value| value.fit(digits, scale)) {
        Ok(value) => Ok(Value::Decimal(value)),
        Err(DecimalError::Syntax) => Err(invalid("numeric", text)),
        Err(DecimalError::Overflow) => Err(overflow(digits, scale)),
    }
}

fn fitted(result: Result<Decimal, DecimalError>, digits: u8, scale: u8) -> Result<Value, Fault> {
    result.map(Value::Decimal).map_err(|_| overflow(digits, scale))
}

/// PostgreSQL's words for a boolean: any unambiguous prefix, without regard to case.
fn boolean(text: &str) -> Result<Value, Fault> {
    let word = text.trim_ascii().to_ascii_lowercase();
    let begins = |whole: &str, least: usize| word.len() >= least && whole.starts_with(&word);
    if word == "1" || begins("true", 1) || begins("yes", 1) || word == "on" {
        Ok(Value::Bool(true))
    } else if word == "0" || begins("false", 1) || begins("no", 1) || begins("off", 2) {
        Ok(Value::Bool(false))
    } else {
        Err(invalid("boolean", text))
    }
}

fn uuid(text: &str) -> Result<Value, Fault> {
    let trimmed = text.trim_ascii();
    let inner = trimmed.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(trimmed);
    // PostgreSQL knows neither urn:uuid: nor two pairs of braces
    let plain = inner.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    match Uuid::try_parse(inner) {
        Ok(id) if plain => Ok(Value::Uuid(id)),
        Ok(_) | Err(_) => Err(invalid("uuid", text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{EnumId, EnumMember, EnumType, Span};

    fn catalog() -> Catalog {
        let member = |name: &str| EnumMember {
            name: name.into(),
            doc: None,
            deprecated: None,
            next: Vec::new(),
            was: None,
        };
        let status = EnumType {
            id: EnumId(0),
            name: "OrderStatus".into(),
            doc: None,
            members: vec![member("CART"), member("PAID")],
            transitions: false,
            span: Span::default(),
        };
        Catalog { enums: vec![status], ..Catalog::default() }
    }

    fn refusal(ty: ScalarType, text: &str) -> (String, String) {
        let fault = ty.parse_text(&catalog(), text).unwrap_err();
        (fault.code.text.to_owned(), fault.message)
    }

    #[test]
    fn reads_text() {
        let read = |ty: ScalarType, text: &str| ty.parse_text(&catalog(), text).unwrap();
        assert_eq!(read(ScalarType::Int, " -7 "), Value::Int(-7));
        assert_eq!(read(ScalarType::BigInt, "9223372036854775807"), Value::Int(i64::MAX));
        assert_eq!(read(ScalarType::Boolean, "T"), Value::Bool(true));
        assert_eq!(read(ScalarType::Boolean, "off"), Value::Bool(false));
        assert_eq!(read(crate::scalar::DECIMAL, "9.99").to_text(), "9.9900");
        assert_eq!(read(ScalarType::Enum(EnumId(0)), "PAID"), Value::Text("PAID".into()));
        assert_eq!(
            read(ScalarType::Uuid, "{6F9619FF8B86D011B42D00CF4FC964FF}").to_text(),
            "6f9619ff-8b86-d011-b42d-00cf4fc964ff"
        );
        assert_eq!(read(ScalarType::Time, "9:30").to_text(), "09:30:00");
        assert_eq!(read(ScalarType::Duration, "90m").to_text(), "PT1H30M");
        assert_eq!(read(ScalarType::Bytes, "\\xAB").to_text(), "\\xab");
        assert_eq!(read(ScalarType::Json, " [1, 2] "), Value::Json("[1,2]".into()));
    }

    #[test]
    fn refuses_in_the_words_of_postgresql() {
        for (ty, text, code, message) in [
            (ScalarType::Uuid, "x", "22P02", "invalid input syntax for type uuid: \"x\""),
            (
                ScalarType::Uuid,
                "urn:uuid:6f9619ff-8b86-d011-b42d-00cf4fc964ff",
                "22P02",
                "invalid input syntax for type uuid: \"urn:uuid:6f9619ff-8b86-d011-b42d-00cf4fc964ff\"",
            ),
            (
                ScalarType::Int,
                "99999999999",
                "22003",
                "value \"99999999999\" is out of range for type integer",
            ),
            (ScalarType::Int, "2147483648", "22003", "value \"2147483648\" is out of range for type integer"),
            (ScalarType::Int, "1.0", "22P02", "invalid input syntax for type integer: \"1.0\""),
            (ScalarType::Int, "", "22P02", "invalid input syntax for type integer: \"\""),
            (ScalarType::Int, "0x10", "22P02", "invalid input syntax for type integer: \"0x10\""),
            (
                ScalarType::BigInt,
                "9223372036854775808",
                "22003",
                "value \"9223372036854775808\" is out of range for type bigint",
            ),
            (ScalarType::Float, "NaN", "22P02", "invalid input syntax for type double precision: \"NaN\""),
            (ScalarType::Float, "inf", "22P02", "invalid input syntax for type double precision: \"inf\""),
            (ScalarType::Float, "1e999", "22003", "\"1e999\" is out of range for type double precision"),
            (crate::scalar::DECIMAL, "NaN", "22P02", "invalid input syntax for type numeric: \"NaN\""),
            (crate::scalar::DECIMAL, "1e14", "22003", "numeric field overflow"),
            (ScalarType::Boolean, "o", "22P02", "invalid input syntax for type boolean: \"o\""),
            (ScalarType::Boolean, "", "22P02", "invalid input syntax for type boolean: \"\""),
            (
                ScalarType::Enum(EnumId(0)),
                "PADI",
                "22P02",
                "invalid input value for enum order_status: \"PADI\"",
            ),
            (
                ScalarType::Enum(EnumId(0)),
                "paid",
                "22P02",
                "invalid input value for enum order_status: \"paid\"",
            ),
            (
                ScalarType::Timestamp,
                "soon",
                "22007",
                "invalid input syntax for type timestamp with time zone: \"soon\"",
            ),
            (ScalarType::Date, "2026-02-30", "22007", "invalid input syntax for type date: \"2026-02-30\""),
            (ScalarType::Time, "24:00:01", "22007", "invalid input syntax for type time: \"24:00:01\""),
            (ScalarType::Duration, "P1M", "22007", "invalid input syntax for type interval: \"P1M\""),
            (ScalarType::Bytes, "\\x1", "22P02", "invalid input syntax for type bytea: \"\\x1\""),
            (ScalarType::String, "a\0b", "22021", "invalid byte sequence for encoding \"UTF8\": 0x00"),
            (ScalarType::Json, "{", "22P02", "invalid input syntax for type json"),
        ] {
            assert_eq!(refusal(ty, text), (code.to_owned(), message.to_owned()), "{ty:?} {text}");
        }
    }

    #[test]
    fn reads_json_cells_as_json_populate_record() {
        let read = |ty: ScalarType, cell: JsonCell<'_>| {
            ty.parse_json(&catalog(), cell).map_err(|fault| fault.code.text)
        };
        assert_eq!(read(ScalarType::Int, JsonCell::Text("7")), Ok(Value::Int(7)));
        assert_eq!(read(ScalarType::Int, JsonCell::Number("7.0")), Err("22P02"));
        assert_eq!(read(ScalarType::Int, JsonCell::Bool(true)), Err("22P02"));
        assert_eq!(read(ScalarType::String, JsonCell::Number("1.50")), Ok(Value::Text("1.50".into())));
        assert_eq!(read(ScalarType::String, JsonCell::Bool(true)), Ok(Value::Text("true".into())));
        assert_eq!(read(ScalarType::Boolean, JsonCell::Number("1")), Ok(Value::Bool(true)));
        assert_eq!(read(ScalarType::Json, JsonCell::Text("a\"b")), Ok(Value::Json("\"a\\\"b\"".into())));
        assert_eq!(read(ScalarType::Json, JsonCell::Bool(false)), Ok(Value::Json("false".into())));
        assert_eq!(read(ScalarType::Json, JsonCell::Null), Ok(Value::Null));
        assert_eq!(read(ScalarType::Uuid, JsonCell::Json("[]")), Err("22P02"));
    }

    #[test]
    fn converts_like_a_cast() {
        let to = |ty: ScalarType, value: &Value| {
            ty.convert(&catalog(), value).map(|v| v.to_text()).map_err(|f| f.code.text)
        };
        let half = Value::Decimal(Decimal { units: 25, scale: 1 });
        assert_eq!(to(ScalarType::Int, &half), Ok("3".to_owned()));
        assert_eq!(to(ScalarType::Int, &Value::Int(1 << 40)), Err("22003"));
        assert_eq!(to(ScalarType::String, &Value::Bool(true)), Ok("true".to_owned()));
        assert_eq!(to(ScalarType::Float, &half), Ok("2.5".to_owned()));
        assert_eq!(to(ScalarType::Date, &Value::Timestamp(-1)), Ok("1969-12-31".to_owned()));
        assert_eq!(to(crate::scalar::DECIMAL, &Value::Int(3)), Ok("3.0000".to_owned()));
        assert_eq!(to(ScalarType::Uuid, &Value::Int(3)), Err("22P02"));
    }
}
