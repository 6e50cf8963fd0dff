//! Values that a migration takes from one type to another: which pairs of types there are, on every engine alike, and
//! per dialect how it is said. A value becomes text as it is on the wire, a text is read in one narrow form, and
//! what has no meaning is refused row by row: never does a row hold what its type does not.

pub mod mysql;
pub mod postgres;
pub mod sqlite;

use backstay_schema::scalar::ScalarType;
use backstay_schema::scalar::list::{Element, ListType};

/// Whether values of one type become those of another; where not, the column is made anew without them.
#[must_use]
pub const fn is_known(from: ScalarType, to: ScalarType) -> bool {
    use ScalarType as T;
    match (from, to) {
        (T::List(_), _) | (_, T::List(_)) => false,
        (T::Decimal { .. }, _) => is_number(to) || matches!(to, T::String),
        (_, T::Decimal { .. }) => is_number(from) || matches!(from, T::String | T::Enum(_)),
        (T::Duration, _) => matches!(to, T::BigInt | T::Duration),
        (_, T::Duration) => matches!(from, T::BigInt | T::Int),
        (T::Bytes, _) | (_, T::Bytes) => matches!((from, to), (T::Bytes, T::Bytes)),
        _ => true,
    }
}

/// The type as far as migrations tell types apart: a length of time is its number of microseconds, a member of
/// an enum is a text, and whether a list may hold nulls is said by a check.
#[must_use]
pub const fn told_apart(ty: ScalarType) -> ScalarType {
    match ty {
        ScalarType::Duration => ScalarType::BigInt,
        ScalarType::Enum(_) => ScalarType::String,
        ScalarType::List(list) => ScalarType::List(ListType {
            element: match list.element {
                Element::Duration => Element::BigInt,
                Element::Enum(_) => Element::String,
                other => other,
            },
            nulls: true,
        }),
        other => other,
    }
}

const fn is_number(ty: ScalarType) -> bool {
    use ScalarType as T;
    matches!(ty, T::Int | T::BigInt | T::Float | T::Decimal { .. })
}
