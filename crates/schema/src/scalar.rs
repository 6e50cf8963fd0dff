//! [`ScalarType`]: the types a column can have.

use crate::catalog::EnumId;

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
    /// JSON document.
    Json,
    /// Member of an enum, stored as text.
    Enum(EnumId),
}
