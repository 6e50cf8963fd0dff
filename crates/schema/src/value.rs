//! [`Value`]: a typed scalar value in memory, equal on every engine.

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
    /// `JSON`: normalised text.
    Json(String),
    /// A length of time in microseconds; only in rules.
    Duration(i64),
}

/// `units` × 10^-`scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}
