//! Values to PostgreSQL, in its binary forms. A parameter knows its type, so that no
//! statement needs to be described before it runs.

use crate::numeric;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::{Decimal, Value};
use backstay_sql::statement::{Bind, Statement};
use bytes::{BufMut as _, BytesMut};
use std::error::Error;
use std::fmt;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// Microseconds from 1970 to 2000, where PostgreSQL's time begins.
pub const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The same in days.
pub const EPOCH_DAYS: i32 = 10_957;

/// A parameter of a statement.
pub struct Parameter<'b> {
    held: Held<'b>,
    /// Its type on the wire.
    pub ty: Type,
}

/// What a parameter holds.
enum Held<'b> {
    Value(&'b Value, Scale),
    List(&'b [Value], Scale, Type),
    /// Lists, each as a text that a cast reads.
    Lists(&'b [Value]),
    Count(i64),
}

/// Digits after the point of a decimal's column.
type Scale = Option<u8>;

/// Values never reach a log.
impl fmt::Debug for Parameter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[value]")
    }
}

/// The parameters of a statement, in order.
///
/// # Errors
/// Internal, for a slot that is not filled; 22003 for a decimal that its type cannot hold.
pub fn parameters<'b>(statement: &'b Statement, slots: &'b [Value]) -> Result<Vec<Parameter<'b>>, Fault> {
    statement.binds.iter().map(|bind| parameter(bind, slots)).collect()
}

fn parameter<'b>(bind: &'b Bind, slots: &'b [Value]) -> Result<Parameter<'b>, Fault> {
    match bind {
        Bind::Value(value, ty) => of_value(value, *ty),
        Bind::Slot(index, ty) => match slots.get(*index) {
            Some(value) => of_value(value, *ty),
            None => Err(Fault::internal("a slot of a statement is not filled")),
        },
        Bind::Count(number) => {
            let number = i64::try_from(*number).unwrap_or(i64::MAX);
            Ok(Parameter { held: Held::Count(number), ty: Type::INT8 })
        }
        Bind::List(values, ScalarType::List(_)) => {
            Ok(Parameter { held: Held::Lists(values), ty: Type::TEXT_ARRAY })
        }
        Bind::List(values, ty) => {
            let element = values.iter().try_fold(type_of(*ty), |so_far, value| {
                fits(value, *ty)?;
                let wanted = type_of_value(value, *ty);
                Ok::<_, Fault>(if so_far == Type::INT4 { wanted } else { so_far })
            })?;
            let array = array_of(&element);
            Ok(Parameter { held: Held::List(values, scale(*ty), element), ty: array })
        }
        Bind::Rows(_) | Bind::Path(_) => {
            Err(Fault::internal("a statement binds what this dialect has no form for"))
        }
    }
}

fn of_value(value: &Value, ty: ScalarType) -> Result<Parameter<'_>, Fault> {
    if let (Value::List(values), ScalarType::List(list)) = (value, ty) {
        let of = list.element.scalar();
        values.iter().try_for_each(|value| fits(value, of))?;
        let element = type_of(of);
        let array = array_of(&element);
        return Ok(Parameter { held: Held::List(values, scale(of), element), ty: array });
    }
    fits(value, ty)?;
    Ok(Parameter { held: Held::Value(value, scale(ty)), ty: type_of_value(value, ty) })
}

const fn scale(ty: ScalarType) -> Scale {
    match ty {
        ScalarType::Decimal { scale, .. } => Some(scale),
        _ => None,
    }
}

fn fits(value: &Value, ty: ScalarType) -> Result<(), Fault> {
    match (value, scale(ty)) {
        (Value::Decimal(decimal), Some(scale)) => match decimal.rescale(scale) {
            Ok(_) => Ok(()),
            Err(cause) => Err(Fault::new(code::OUT_OF_RANGE, "numeric field overflow").with_source(cause)),
        },
        _ => Ok(()),
    }
}

/// The type of a scalar's parameters.
#[must_use]
pub fn type_of(ty: ScalarType) -> Type {
    match ty {
        ScalarType::Int => Type::INT4,
        ScalarType::BigInt => Type::INT8,
        ScalarType::Float => Type::FLOAT8,
        ScalarType::Decimal { .. } => Type::NUMERIC,
        ScalarType::Boolean => Type::BOOL,
        ScalarType::String | ScalarType::Enum(_) => Type::TEXT,
        ScalarType::Uuid => Type::UUID,
        ScalarType::Timestamp => Type::TIMESTAMPTZ,
        ScalarType::Date => Type::DATE,
        ScalarType::Time => Type::TIME,
        ScalarType::Duration => Type::INT8,
        ScalarType::Bytes => Type::BYTEA,
        ScalarType::Json => Type::JSON,
        ScalarType::List(list) => array_of(&type_of(list.element.scalar())),
    }
}

/// The type of its scalar, unless the value is of another kind or beyond it: rules compare
/// columns with numbers that they cannot hold.
fn type_of_value(value: &Value, ty: ScalarType) -> Type {
    match (value, ty) {
        (Value::Int(number), ScalarType::Int) if i32::try_from(*number).is_err() => Type::INT8,
        (Value::Int(_) | Value::Float(_) | Value::Decimal(_), ScalarType::Float) => Type::FLOAT8,
        (Value::Int(_) | Value::Decimal(_), ScalarType::Decimal { .. }) => Type::NUMERIC,
        (Value::Text(_) | Value::Json(_), ScalarType::Json | ScalarType::String) => type_of(ty),
        _ if ty.holds(value) => type_of(ty),
        (Value::Int(_) | Value::Duration(_), _) => Type::INT8,
        (Value::Float(_), _) => Type::FLOAT8,
        (Value::Decimal(_), _) => Type::NUMERIC,
        (Value::Bool(_), _) => Type::BOOL,
        (Value::Text(_) | Value::Null, _) => Type::TEXT,
        (Value::Uuid(_), _) => Type::UUID,
        (Value::Timestamp(_), _) => Type::TIMESTAMPTZ,
        (Value::Date(_), _) => Type::DATE,
        (Value::Time(_), _) => Type::TIME,
        (Value::Bytes(_), _) => Type::BYTEA,
        (Value::Json(_), _) => Type::JSON,
        (Value::List(_), _) => Type::TEXT_ARRAY,
    }
}

fn array_of(element: &Type) -> Type {
    match *element {
        Type::INT4 => Type::INT4_ARRAY,
        Type::INT8 => Type::INT8_ARRAY,
        Type::FLOAT8 => Type::FLOAT8_ARRAY,
        Type::NUMERIC => Type::NUMERIC_ARRAY,
        Type::BOOL => Type::BOOL_ARRAY,
        Type::UUID => Type::UUID_ARRAY,
        Type::TIMESTAMPTZ => Type::TIMESTAMPTZ_ARRAY,
        Type::DATE => Type::DATE_ARRAY,
        Type::TIME => Type::TIME_ARRAY,
        Type::BYTEA => Type::BYTEA_ARRAY,
        Type::JSON => Type::JSON_ARRAY,
        _ => Type::TEXT_ARRAY,
    }
}

impl ToSql for Parameter<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match &self.held {
            Held::Count(number) => out.put_i64(*number),
            Held::Value(Value::Null, _) => return Ok(IsNull::Yes),
            Held::Value(value, scale) => write(value, *scale, &self.ty, out),
            Held::List(values, scale, element) => write_list(values, *scale, element, out)?,
            Held::Lists(lists) => {
                let texts: Vec<Value> = lists.iter().map(literal).collect();
                write_list(&texts, None, &Type::TEXT, out)?;
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A list as PostgreSQL reads an array, its lengths of time as numbers.
fn literal(list: &Value) -> Value {
    let Value::List(values) = list else { return Value::Null };
    let stored = |value: &Value| match value {
        Value::Duration(micros) => Value::Int(*micros),
        other => other.clone(),
    };
    Value::Text(Value::List(values.iter().map(stored).collect()).to_text())
}

/// One dimension; each element after its length.
fn write_list(
    values: &[Value],
    scale: Scale,
    element: &Type,
    out: &mut BytesMut,
) -> Result<(), Box<dyn Error + Sync + Send>> {
    out.put_i32(i32::from(!values.is_empty()));
    out.put_i32(i32::from(values.iter().any(Value::is_null)));
    out.put_u32(element.oid());
    if values.is_empty() {
        return Ok(());
    }
    out.put_i32(i32::try_from(values.len())?);
    out.put_i32(1);
    for value in values {
        if value.is_null() {
            out.put_i32(-1);
            continue;
        }
        let start = out.len();
        out.put_i32(0);
        write(value, scale, element, out);
        let length = i32::try_from(out.len() - start - 4)?;
        if let Some(place) = out.get_mut(start..start + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }
    Ok(())
}

/// A value that is not NULL, in the form of a type that [`type_of_value`] gave it.
fn write(value: &Value, scale: Scale, ty: &Type, out: &mut BytesMut) {
    match value {
        Value::Null => {}
        Value::Bool(truth) => out.put_u8(u8::from(*truth)),
        Value::Int(number) | Value::Duration(number) => match *ty {
            Type::INT4 => out.put_i32(i32::try_from(*number).unwrap_or_default()),
            Type::NUMERIC => numeric::encode(Decimal::from_int(*number), out),
            #[expect(clippy::cast_precision_loss, reason = "an integer in a place for floats")]
            Type::FLOAT8 => out.put_f64(*number as f64),
            _ => out.put_i64(*number),
        },
        Value::Float(number) => out.put_f64(*number),
        Value::Decimal(_) if *ty == Type::FLOAT8 => out.put_f64(value.as_float().unwrap_or_default()),
        Value::Decimal(decimal) => {
            let scaled = scale.map_or(Ok(*decimal), |scale| decimal.rescale(scale));
            numeric::encode(scaled.unwrap_or(*decimal), out);
        }
        Value::Text(text) | Value::Json(text) => out.put_slice(text.as_bytes()),
        Value::Time(micros) => out.put_i64(*micros),
        Value::Bytes(bytes) => out.put_slice(bytes),
        Value::Uuid(id) => out.put_slice(id.as_bytes()),
        Value::Timestamp(micros) => out.put_i64(micros.saturating_sub(EPOCH_MICROS)),
        Value::Date(days) => out.put_i32(days.saturating_sub(EPOCH_DAYS)),
        // lists have a parameter of their own
        Value::List(_) => {}
    }
}
