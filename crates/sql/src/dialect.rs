//! What differs between databases, as data and small functions. Lowering asks
//! here; nothing else knows which database it writes for.

pub mod definition;
pub mod mysql;
pub mod postgres;
pub mod sqlite;

use self::definition::Definition;
use backstay_schema::expr::{AggregateFunction, ArithmeticOp, Function};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Decimal;
use backstay_schema::value::Value;

/// The differences of one database. Templates name their arguments `$1`, `$2`;
/// `$d` and `$s` are digits and scale of the result type, `$f` the scale of the
/// source type, `$F` and `$T` the kinds of source and result type.
#[derive(Debug)]
pub struct Dialect {
    /// Short name: `sqlite`.
    pub name: &'static str,
    /// What stands around names.
    pub quote: char,
    /// How placeholders look.
    pub placeholder: Placeholder,
    /// Where NULL sorts when nothing is said.
    pub null_order: NullOrder,
    /// `$1` in the list `$2`.
    pub in_list: &'static str,
    /// `$1` not in the list `$2`.
    pub not_in_list: &'static str,
    /// `LIKE`: text `$1`, pattern `$2`.
    pub like: &'static str,
    /// `ILIKE`.
    pub like_ignoring_case: &'static str,
    /// Limit `$1`.
    pub limit: &'static str,
    /// Limit `$1`, offset `$2`.
    pub limit_offset: &'static str,
    /// Offset `$1`.
    pub offset: &'static str,
    /// JSON value `$1`, path `$2`, as JSON.
    pub json_get: &'static str,
    /// JSON value `$1`, path `$2`, as text.
    pub json_text: &'static str,
    /// Column `$1` (a number) of a row of a row set.
    pub row_set_column: &'static str,
    /// Number of a row of a row set.
    pub row_set_ordinal: &'static str,
    /// The rows of the row set `$1`.
    pub row_set: &'static str,
    /// Tables, constraints, and how they are changed.
    pub definition: &'static Definition,
    /// `startsWith` and its kin.
    pub text_test: fn(TextTest) -> &'static str,
    /// Functions with a scalar result.
    pub call: fn(Function) -> &'static str,
    /// Arithmetic in a type.
    pub arithmetic: fn(ArithmeticOp, ScalarType) -> &'static str,
    /// `-$1` in a type.
    pub negate: fn(ScalarType) -> &'static str,
    /// Conversion; none where the stored form is the same.
    pub cast: fn(ScalarType, ScalarType) -> Option<&'static str>,
    /// An aggregate of `$1`.
    pub aggregate: fn(AggregateFunction, ScalarType) -> &'static str,
    /// A decimal of the schema file in the stored form of a scale.
    pub decimal_literal: fn(Decimal, u8) -> String,
    /// A uuid, timestamp or date of the schema file as a literal.
    pub literal: fn(&Value) -> String,
}

/// Every dialect, one per line.
pub const DIALECTS: &[&Dialect] = &[&sqlite::SQLITE, &postgres::POSTGRES, &mysql::MARIADB];

/// The dialect of this short name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Dialect> {
    DIALECTS.iter().find(|dialect| dialect.name == name).copied()
}

/// How placeholders look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// `?`
    Question,
    /// `$1`
    Dollar,
}

/// Where NULL sorts when nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullOrder {
    /// Before every value when rising.
    Smallest,
    /// After every value when rising.
    Largest,
}

/// The tests of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextTest {
    /// `startsWith`.
    StartsWith,
    /// `endsWith`.
    EndsWith,
    /// `contains`.
    Contains,
    /// `matches`.
    Matches,
}

/// Word for the kind of a type, as conversion functions take it.
#[must_use]
pub const fn kind(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Int => "int",
        ScalarType::BigInt => "bigint",
        ScalarType::Float => "float",
        ScalarType::Decimal { .. } => "decimal",
        ScalarType::Boolean => "boolean",
        ScalarType::String | ScalarType::Enum(_) => "text",
        ScalarType::Uuid => "uuid",
        ScalarType::Timestamp => "timestamp",
        ScalarType::Date => "date",
        ScalarType::Json => "json",
    }
}

/// Digits and scale of a type; (18, 0) for what is no decimal.
#[must_use]
pub const fn digits_and_scale(ty: ScalarType) -> (u8, u8) {
    match ty {
        ScalarType::Decimal { digits, scale } => (digits, scale),
        _ => (18, 0),
    }
}
