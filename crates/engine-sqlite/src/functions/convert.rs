//! Conversions between types, as `ScalarType::convert` does them in memory.

use super::{small_argument, strict, text_argument};
use crate::bind::{stored, value};
use crate::error::raise;
use backstay_schema::catalog::Catalog;
use backstay_schema::scalar::ScalarType;
use rusqlite::types::{ToSqlOutput, Value as Stored};
use rusqlite::{Connection, Result};

/// `bs_cast(value, from kind, from scale, to kind, to digits, to scale)`.
pub(super) fn register(connection: &Connection) -> Result<()> {
    let catalog = Catalog::default();
    strict(connection, "bs_cast", 6, move |context| {
        let from = text_argument(context, 1).and_then(|kind| of_kind(kind, 18, small_argument(context, 2)));
        let (digits, scale) = (small_argument(context, 4), small_argument(context, 5));
        let to = text_argument(context, 3).and_then(|kind| of_kind(kind, digits, scale));
        let (Some(from), Some(to)) = (from, to) else { return Ok(None) };
        let Some(given) = value(context.get_raw(0), from) else { return Ok(None) };
        let converted = to.convert(&catalog, &given).map_err(|fault| raise(&fault))?;
        let stored = stored(&converted, to).map_err(|fault| raise(&fault))?;
        Ok(match stored {
            ToSqlOutput::Owned(value) => Some(value),
            ToSqlOutput::Borrowed(value) => Some(Stored::try_from(value)?),
            _ => None,
        })
    })
}

/// The type of a kind as lowering writes it.
fn of_kind(kind: &str, digits: u8, scale: u8) -> Option<ScalarType> {
    match kind {
        "int" => Some(ScalarType::Int),
        "bigint" => Some(ScalarType::BigInt),
        "float" => Some(ScalarType::Float),
        "decimal" => Some(ScalarType::Decimal { digits, scale }),
        "boolean" => Some(ScalarType::Boolean),
        "text" => Some(ScalarType::String),
        "uuid" => Some(ScalarType::Uuid),
        "timestamp" => Some(ScalarType::Timestamp),
        "date" => Some(ScalarType::Date),
        "time" => Some(ScalarType::Time),
        "duration" => Some(ScalarType::Duration),
        "bytes" => Some(ScalarType::Bytes),
        "json" => Some(ScalarType::Json),
        _ => None,
    }
}
