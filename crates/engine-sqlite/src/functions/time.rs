//! Timestamps plus and minus lengths of time, in microseconds. Beyond the years
//! 1 to 9999 the result is NULL.

use super::{integer_argument, strict, text_argument};
use backstay_schema::value::{Value, calendar};
use rusqlite::functions::Context;
use rusqlite::{Connection, Result};

/// First and last microsecond of the years 1 to 9999.
const FIRST_MICROS: i64 = -62_135_596_800_000_000;
const LAST_MICROS: i64 = 253_402_300_799_999_999;

pub(super) fn register(connection: &Connection) -> Result<()> {
    strict(connection, "bs_add_time", 2, |context| Ok(moved(context, i64::checked_add)))?;
    strict(connection, "bs_sub_time", 2, |context| Ok(moved(context, i64::checked_sub)))?;
    strict(connection, "bs_elapsed", 2, |context| {
        let at = |index| text_argument(context, index).and_then(calendar::parse_timestamp);
        Ok(at(0).zip(at(1)).map(|(to, from)| to - from))
    })
}

fn moved(context: &Context<'_>, operation: fn(i64, i64) -> Option<i64>) -> Option<String> {
    let micros = calendar::parse_timestamp(text_argument(context, 0)?)?;
    let result = operation(micros, integer_argument(context, 1)?)?;
    (FIRST_MICROS..=LAST_MICROS).contains(&result).then(|| Value::Timestamp(result).to_text())
}
