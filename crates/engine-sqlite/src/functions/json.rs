//! Members of JSON values by a bound path: SQLite's own arrows would read a member
//! named `$.a` or `[0]` as a path.

use super::{strict, text_argument};
use backstay_sql::document;
use rusqlite::functions::Context;
use rusqlite::{Connection, Result};
use serde_json::value::RawValue;
use std::collections::HashMap;

pub(super) fn register(connection: &Connection) -> Result<()> {
    strict(connection, "bs_json_contains", 2, |context| {
        let given = |index| text_argument(context, index).and_then(document::parse);
        Ok(given(0).zip(given(1)).map(|(whole, part)| document::contains(&whole, &part)))
    })?;
    strict(connection, "bs_json_get", 2, |context| Ok(member(context).map(str::to_owned)))?;
    strict(connection, "bs_json_text", 2, |context| {
        Ok(member(context).and_then(|raw| match raw.chars().next() {
            Some('"') => serde_json::from_str::<String>(raw).ok(),
            Some('n') | None => None,
            Some(_) => Some(raw.to_owned()),
        }))
    })
}

/// The text of the member at the end of the path, numbers as they were written; none
/// where the path leaves the document.
fn member<'c>(context: &'c Context<'_>) -> Option<&'c str> {
    let mut raw = text_argument(context, 0)?;
    let path: Vec<serde_json::Value> = serde_json::from_str(text_argument(context, 1)?).ok()?;
    for step in path {
        raw = match step {
            serde_json::Value::String(name) => {
                let members: HashMap<String, &RawValue> = serde_json::from_str(raw).ok()?;
                members.get(&name)?.get()
            }
            step => {
                let items: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
                let (index, length) = (step.as_i64()?, i64::try_from(items.len()).ok()?);
                let place = if index < 0 { index + length } else { index };
                items.get(usize::try_from(place).ok()?)?.get()
            }
        };
    }
    Some(raw)
}
