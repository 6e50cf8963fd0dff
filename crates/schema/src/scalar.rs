//! [`ScalarType`]: the types a column can have, one table of all scalars, and the
//! way from text or JSON to a [`Value`]. Messages are PostgreSQL's. Knows no SQL text
//! but the names of types.

pub mod list;
pub mod read;

use self::list::ListType;
use crate::catalog::{Catalog, EnumId};
use crate::value::Value;
use std::borrow::Cow;

/// The type of a column or of a scalar expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScalarType {
    /// 32-bit integer.
    Int,
    /// 64-bit integer.
    BigInt,
    /// 64-bit binary floating point.
    Float,
    /// Exact decimal number.
    Decimal {
        /// All digits, at most 18.
        digits: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// `true` or `false`.
    Boolean,
    /// Unicode text, compared by its bytes.
    String,
    /// 128-bit id (`ID` and `UUID`).
    Uuid,
    /// Instant in UTC, microseconds.
    Timestamp,
    /// Calendar date.
    Date,
    /// Time of day, microseconds.
    Time,
    /// Length of time, microseconds.
    Duration,
    /// Binary data.
    Bytes,
    /// JSON document.
    Json,
    /// Member of an enum, stored as text.
    Enum(EnumId),
    /// List of scalars.
    List(ListType),
}

/// One scalar of the schema language.
#[derive(Debug)]
pub struct ScalarEntry {
    /// Its name in a schema.
    pub name: &'static str,
    /// What it is; none for one that is known but not available yet.
    pub ty: Option<ScalarType>,
    /// Names that a cast (`::name`) may use for it.
    pub casts: &'static [&'static str],
    /// What it holds, for editors and the reference.
    pub doc: &'static str,
}

/// A decimal as it is without `@column(digits:, scale:)`.
pub const DECIMAL: ScalarType = ScalarType::Decimal { digits: 18, scale: 4 };

const fn entry(
    name: &'static str,
    ty: Option<ScalarType>,
    casts: &'static [&'static str],
    doc: &'static str,
) -> ScalarEntry {
    ScalarEntry { name, ty, casts, doc }
}

/// Every scalar of the language.
pub const SCALARS: &[ScalarEntry] = &[
    entry("ID", Some(ScalarType::Uuid), &[], "the id of a row"),
    entry("UUID", Some(ScalarType::Uuid), &["uuid"], "a 128-bit id"),
    entry("Int", Some(ScalarType::Int), &["int", "integer", "int4", "smallint", "int2"], "a 32-bit integer"),
    entry("BigInt", Some(ScalarType::BigInt), &["bigint", "int8"], "a 64-bit integer"),
    entry(
        "Float",
        Some(ScalarType::Float),
        &["float8", "double precision", "float", "float4", "real"],
        "a 64-bit binary floating point number",
    ),
    entry("Decimal", Some(DECIMAL), &["numeric", "decimal"], "an exact decimal number"),
    entry("Boolean", Some(ScalarType::Boolean), &["boolean", "bool"], "true or false"),
    entry("String", Some(ScalarType::String), &["text", "varchar", "character varying"], "Unicode text"),
    entry(
        "Timestamp",
        Some(ScalarType::Timestamp),
        &["timestamptz", "timestamp with time zone", "timestamp"],
        "an instant in UTC with microseconds",
    ),
    entry("Date", Some(ScalarType::Date), &["date"], "a calendar date"),
    entry(
        "Time",
        Some(ScalarType::Time),
        &["time", "time without time zone"],
        "a time of day with microseconds",
    ),
    entry(
        "Duration",
        Some(ScalarType::Duration),
        &["interval"],
        "a length of time in microseconds, as ISO 8601",
    ),
    entry("Bytes", Some(ScalarType::Bytes), &["bytea"], "binary data, in hexadecimal digits on the wire"),
    entry("JSON", Some(ScalarType::Json), &["jsonb", "json"], "a JSON document"),
    entry("File", None, &[], "a stored file"),
    entry("Vector", None, &[], "a vector of numbers"),
];

impl ScalarType {
    /// The type that PostgreSQL would name so; enums are text.
    #[must_use]
    pub const fn sql_name(&self) -> &'static str {
        match self {
            Self::Int => "integer",
            Self::BigInt => "bigint",
            Self::Float => "double precision",
            Self::Decimal { .. } => "numeric",
            Self::Boolean => "boolean",
            Self::String | Self::Enum(_) => "text",
            Self::Uuid => "uuid",
            Self::Timestamp => "timestamp with time zone",
            Self::Date => "date",
            Self::Time => "time without time zone",
            Self::Duration => "interval",
            Self::Bytes => "bytea",
            Self::Json => "jsonb",
            Self::List(list) => list.element.array_name(),
        }
    }

    /// The type that a cast names (`::int`, `::text`), without regard to case.
    #[must_use]
    pub fn from_cast(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        SCALARS.iter().find(|scalar| scalar.casts.contains(&name.as_str())).and_then(|scalar| scalar.ty)
    }

    /// The name as it stands in a schema.
    #[must_use]
    pub fn schema_name<'a>(&self, catalog: &'a Catalog) -> Cow<'a, str> {
        Cow::Borrowed(match self {
            Self::Int => "Int",
            Self::BigInt => "BigInt",
            Self::Float => "Float",
            Self::Decimal { .. } => "Decimal",
            Self::Boolean => "Boolean",
            Self::String => "String",
            Self::Uuid => "ID",
            Self::Timestamp => "Timestamp",
            Self::Date => "Date",
            Self::Time => "Time",
            Self::Duration => "Duration",
            Self::Bytes => "Bytes",
            Self::Json => "JSON",
            Self::Enum(id) => &catalog.enum_type(*id).name,
            Self::List(list) => {
                let bang = if list.nulls { "" } else { "!" };
                return format!("[{}{bang}]", list.element.scalar().schema_name(catalog)).into();
            }
        })
    }

    /// Whether arithmetic applies.
    #[must_use]
    pub const fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::BigInt | Self::Float | Self::Decimal { .. })
    }

    /// Whether values have an order that means something to a reader: `min`, `max`, `<`.
    #[must_use]
    pub const fn is_ordered(&self) -> bool {
        match self {
            Self::String | Self::Timestamp | Self::Date | Self::Time | Self::Duration => true,
            Self::Int | Self::BigInt | Self::Float | Self::Decimal { .. } => true,
            Self::Boolean | Self::Uuid | Self::Bytes | Self::Json | Self::Enum(_) | Self::List(_) => false,
        }
    }

    /// Whether a value has the form of this type (NULL has every form).
    #[must_use]
    pub const fn holds(&self, value: &Value) -> bool {
        matches!(
            (self, value),
            (_, Value::Null)
                | (Self::Int | Self::BigInt, Value::Int(_))
                | (Self::Float, Value::Float(_))
                | (Self::Decimal { .. }, Value::Decimal(_))
                | (Self::Boolean, Value::Bool(_))
                | (Self::String | Self::Enum(_), Value::Text(_))
                | (Self::Uuid, Value::Uuid(_))
                | (Self::Timestamp, Value::Timestamp(_))
                | (Self::Date, Value::Date(_))
                | (Self::Time, Value::Time(_))
                | (Self::Duration, Value::Duration(_))
                | (Self::Bytes, Value::Bytes(_))
                | (Self::Json, Value::Json(_))
                | (Self::List(_), Value::List(_))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_name_types() {
        assert_eq!(ScalarType::from_cast("INT"), Some(ScalarType::Int));
        assert_eq!(ScalarType::from_cast("double precision"), Some(ScalarType::Float));
        assert_eq!(ScalarType::from_cast("numeric"), Some(DECIMAL));
        assert_eq!(ScalarType::from_cast("regclass"), None);
        assert_eq!(ScalarType::from_cast(""), None);
    }

    #[test]
    fn every_available_scalar_but_id_can_be_cast_to() {
        for scalar in SCALARS {
            for cast in scalar.casts {
                assert_eq!(ScalarType::from_cast(cast), scalar.ty, "{cast}");
            }
        }
    }
}
