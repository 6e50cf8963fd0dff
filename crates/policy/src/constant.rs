//! Values that are known before any row is read: conversion, comparison and
//! arithmetic, by the rules that the engines follow for rows. What is not known
//! (overflow, another type, a null) is `None`.

use backstay_schema::catalog::Operation;
use backstay_schema::expr::{ArithmeticOp, CompareOp, Function};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::{Decimal, Value, calendar, one_zero};
use std::cmp::Ordering;

type Claims = serde_json::Map<String, serde_json::Value>;

/// The name that `request.op` has.
#[must_use]
pub const fn operation_name(operation: Operation) -> &'static str {
    match operation {
        Operation::Read => "read",
        Operation::Create => "create",
        Operation::Update => "update",
        Operation::Delete => "delete",
    }
}

/// A member of the claims; `user_metadata` is never one.
#[must_use]
pub fn claim<'c>(claims: &'c Claims, path: &[String]) -> Option<&'c serde_json::Value> {
    let (first, rest) = path.split_first()?;
    if first == "user_metadata" {
        return None;
    }
    rest.iter().try_fold(claims.get(first)?, |at, member| at.get(member)).filter(|found| !found.is_null())
}

/// `auth.org` as a value of the type that it is compared with.
#[must_use]
pub fn org_value(text: &str, ty: Option<ScalarType>) -> Option<Value> {
    let number = matches!(ty, Some(ScalarType::Int | ScalarType::BigInt));
    let claim = match text.parse::<i64>() {
        Ok(value) if number => serde_json::Value::from(value),
        _ => serde_json::Value::from(text),
    };
    claim_value(&claim, ty)
}

/// A claim as a value of the type that it is compared with.
#[must_use]
pub fn claim_value(found: &serde_json::Value, ty: Option<ScalarType>) -> Option<Value> {
    let plain = match found {
        serde_json::Value::Bool(known) => Value::Bool(*known),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Number(number) if matches!(ty, Some(ScalarType::Decimal { .. })) => {
            let Some(ScalarType::Decimal { digits, scale }) = ty else { return None };
            return Decimal::parse(&number.to_string()).ok()?.fit(digits, scale).ok().map(Value::Decimal);
        }
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(int) => Value::Int(int),
            None => Value::Float(number.as_f64()?),
        },
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => return None,
    };
    ty.map_or(Some(plain.clone()), |ty| convert(&plain, ty))
}

/// A claim that is a list, its elements of one type; elements of another type are left out.
#[must_use]
pub fn claim_list(found: &serde_json::Value, ty: ScalarType) -> Option<Vec<Value>> {
    let items = found.as_array()?;
    Some(items.iter().filter_map(|item| claim_value(item, Some(ty))).collect())
}

/// A value as another type, where that loses nothing that the types promise.
#[must_use]
pub fn convert(value: &Value, ty: ScalarType) -> Option<Value> {
    Some(match (value, ty) {
        (Value::Null, _) => Value::Null,
        (Value::Bool(_), ScalarType::Boolean)
        | (Value::Float(_), ScalarType::Float)
        | (Value::Int(_), ScalarType::BigInt)
        | (Value::Text(_), ScalarType::String | ScalarType::Enum(_))
        | (Value::Uuid(_), ScalarType::Uuid)
        | (Value::Timestamp(_), ScalarType::Timestamp)
        | (Value::Date(_), ScalarType::Date)
        | (Value::Time(_), ScalarType::Time)
        | (Value::Duration(_), ScalarType::Duration)
        | (Value::Bytes(_), ScalarType::Bytes)
        | (Value::List(_), ScalarType::List(_))
        | (Value::Json(_), ScalarType::Json) => value.clone(),
        (Value::Int(int), ScalarType::Int) => Value::Int(i64::from(i32::try_from(*int).ok()?)),
        (Value::Int(_) | Value::Decimal(_), ScalarType::Float) => Value::Float(value.as_float()?),
        (Value::Int(int), ScalarType::Decimal { scale, .. }) => {
            Value::Decimal(rescale(Decimal { units: i128::from(*int), scale: 0 }, scale)?)
        }
        (Value::Decimal(decimal), ScalarType::Decimal { scale, .. }) => {
            Value::Decimal(rescale(*decimal, scale)?)
        }
        (Value::Text(text), ScalarType::Uuid) => Value::Uuid(uuid::Uuid::parse_str(text).ok()?),
        (Value::Text(text), ScalarType::Timestamp) => Value::Timestamp(calendar::parse_timestamp(text)?),
        (Value::Text(text), ScalarType::Date) => Value::Date(calendar::parse_date(text)?),
        (Value::Text(text), ScalarType::Time) => Value::Time(calendar::parse_time(text)?),
        _ => return None,
    })
}

fn power(scale: u8) -> Option<i128> {
    10_i128.checked_pow(u32::from(scale))
}

fn rescale(decimal: Decimal, scale: u8) -> Option<Decimal> {
    decimal.rescale(scale).ok()
}

fn rounded_div(units: i128, by: i128) -> Option<i128> {
    let (quotient, rest) = (units.checked_div(by)?, units.checked_rem(by)?);
    let away = rest.unsigned_abs().checked_mul(2)? >= by.unsigned_abs();
    Some(if away { quotient + units.signum() * by.signum() } else { quotient })
}

/// The order of two values of one type; none when a null or another type is among them.
#[must_use]
pub fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Json(x), Value::Json(y)) => Some(x.as_bytes().cmp(y.as_bytes())),
        _ => a.compare(b),
    }
}

/// A comparison; null equals null and nothing else, and is in no order.
#[must_use]
pub fn compare(op: CompareOp, a: &Value, b: &Value) -> Option<bool> {
    if a.is_null() || b.is_null() {
        return match op {
            CompareOp::Eq => Some(a.is_null() && b.is_null()),
            CompareOp::Ne => Some(a.is_null() != b.is_null()),
            CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => None,
        };
    }
    let order = order(a, b)?;
    Some(match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
    })
}

/// Arithmetic; overflow, division by zero and null are not known.
#[must_use]
pub fn arithmetic(op: ArithmeticOp, a: &Value, b: &Value, ty: Option<ScalarType>) -> Option<Value> {
    match (a, b) {
        (Value::Int(x), Value::Int(y)) => {
            let made = int_arithmetic(op, *x, *y)?;
            if ty == Some(ScalarType::Int) {
                i32::try_from(made).ok()?;
            }
            Some(Value::Int(made))
        }
        (Value::Float(x), Value::Float(y)) => {
            let made = match op {
                ArithmeticOp::Add => x + y,
                ArithmeticOp::Sub => x - y,
                ArithmeticOp::Mul => x * y,
                ArithmeticOp::Div if *y != 0.0 => x / y,
                ArithmeticOp::Div | ArithmeticOp::Rem => return None,
            };
            made.is_finite().then_some(Value::Float(one_zero(made)))
        }
        (Value::Decimal(x), Value::Decimal(y)) => decimal_arithmetic(op, *x, *y, ty).map(Value::Decimal),
        (Value::Timestamp(x), Value::Duration(y)) => moment(op, *x, *y),
        (Value::Duration(x), Value::Timestamp(y)) if op == ArithmeticOp::Add => moment(op, *y, *x),
        (Value::Timestamp(x), Value::Timestamp(y)) if op == ArithmeticOp::Sub => {
            x.checked_sub(*y).map(Value::Duration)
        }
        (Value::Duration(x), Value::Duration(y)) => int_arithmetic(op, *x, *y).map(Value::Duration),
        _ => None,
    }
}

fn moment(op: ArithmeticOp, at: i64, by: i64) -> Option<Value> {
    match op {
        ArithmeticOp::Add => at.checked_add(by).map(Value::Timestamp),
        ArithmeticOp::Sub => at.checked_sub(by).map(Value::Timestamp),
        ArithmeticOp::Mul | ArithmeticOp::Div | ArithmeticOp::Rem => None,
    }
}

const fn int_arithmetic(op: ArithmeticOp, x: i64, y: i64) -> Option<i64> {
    match op {
        ArithmeticOp::Add => x.checked_add(y),
        ArithmeticOp::Sub => x.checked_sub(y),
        ArithmeticOp::Mul => x.checked_mul(y),
        ArithmeticOp::Div => x.checked_div(y),
        ArithmeticOp::Rem => x.checked_rem(y),
    }
}

fn decimal_arithmetic(op: ArithmeticOp, x: Decimal, y: Decimal, ty: Option<ScalarType>) -> Option<Decimal> {
    let scale = match ty {
        Some(ScalarType::Decimal { scale, .. }) => scale,
        _ => x.scale.max(y.scale),
    };
    let exact = match op {
        ArithmeticOp::Add | ArithmeticOp::Sub => {
            let common = x.scale.max(y.scale);
            let (a, b) = (rescale(x, common)?.units, rescale(y, common)?.units);
            let units = if op == ArithmeticOp::Add { a.checked_add(b)? } else { a.checked_sub(b)? };
            Decimal { units, scale: common }
        }
        ArithmeticOp::Mul => Decimal { units: x.units.checked_mul(y.units)?, scale: x.scale + y.scale },
        ArithmeticOp::Div => {
            let lifted = x.units.checked_mul(power(scale)?)?.checked_mul(power(y.scale)?)?;
            let by = y.units.checked_mul(power(x.scale)?)?;
            Decimal { units: rounded_div(lifted, by)?, scale }
        }
        ArithmeticOp::Rem => return None,
    };
    let made = rescale(exact, scale)?;
    i64::try_from(made.units).ok().map(|_| made)
}

/// `-a`.
#[must_use]
pub fn negate(value: &Value) -> Option<Value> {
    match value {
        Value::Int(int) => int.checked_neg().map(Value::Int),
        Value::Float(float) => Some(Value::Float(one_zero(-float))),
        Value::Decimal(decimal) => {
            Some(Value::Decimal(Decimal { units: decimal.units.checked_neg()?, scale: decimal.scale }))
        }
        Value::Duration(micros) => micros.checked_neg().map(Value::Duration),
        _ => None,
    }
}

/// A function on one value.
#[must_use]
pub fn call(function: Function, value: &Value) -> Option<Value> {
    match (function, value) {
        (Function::Size, Value::Text(text)) => i64::try_from(text.chars().count()).ok().map(Value::Int),
        (Function::Size, Value::Bytes(bytes)) => i64::try_from(bytes.len()).ok().map(Value::Int),
        (Function::Elements, Value::List(values)) => i64::try_from(values.len()).ok().map(Value::Int),
        (Function::LowerAscii, Value::Text(text)) => Some(Value::Text(text.to_ascii_lowercase())),
        (Function::UpperAscii, Value::Text(text)) => Some(Value::Text(text.to_ascii_uppercase())),
        (_, Value::Timestamp(micros)) => timestamp_part(function, *micros).map(Value::Int),
        _ => None,
    }
}

fn timestamp_part(function: Function, micros: i64) -> Option<i64> {
    let at = jiff::Timestamp::from_microsecond(micros).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    Some(match function {
        Function::Year => i64::from(at.year()),
        Function::Month => i64::from(at.month()) - 1,
        Function::DayOfMonth => i64::from(at.day()) - 1,
        Function::DayOfWeek => i64::from(at.weekday().to_sunday_zero_offset()),
        Function::Hours => i64::from(at.hour()),
        Function::Minutes => i64::from(at.minute()),
        Function::Seconds => i64::from(at.second()),
        _ => return None,
    })
}

/// A test of text by another text.
#[must_use]
pub fn text_test(function: Function, text: &str, needle: &str) -> Option<bool> {
    match function {
        Function::StartsWith => Some(text.starts_with(needle)),
        Function::EndsWith => Some(text.ends_with(needle)),
        Function::Contains => Some(text.contains(needle)),
        Function::Matches => regex::Regex::new(needle).ok().map(|regex| regex.is_match(text)),
        _ => None,
    }
}
