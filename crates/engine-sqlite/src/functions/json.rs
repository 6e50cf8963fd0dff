//! Members of JSON values by a bound path: SQLite's own arrows would read a member
//! named `$.a` or `[0]` as a path.

use super::{strict, text_argument};
use rusqlite::functions::Context;
use rusqlite::{Connection, Result};
use serde_json::Value;

pub(super) fn register(connection: &Connection) -> Result<()> {
    strict(connection, "bs_json_get", 2, |context| Ok(member(context).map(|value| value.to_string())))?;
    strict(connection, "bs_json_text", 2, |context| {
        Ok(member(context).and_then(|value| match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Some(value.to_string()),
        }))
    })
}

/// The member at the end of the path; none where the path leaves the document.
fn member(context: &Context<'_>) -> Option<Value> {
    let mut value: Value = serde_json::from_str(text_argument(context, 0)?).ok()?;
    let path: Vec<Value> = serde_json::from_str(text_argument(context, 1)?).ok()?;
    for step in path {
        value = match (value, step) {
            (Value::Object(mut members), Value::String(name)) => members.remove(&name)?,
            (Value::Array(items), Value::Number(index)) => {
                let index = index.as_i64()?;
                let length = i64::try_from(items.len()).ok()?;
                let place = if index < 0 { index + length } else { index };
                items.into_iter().nth(usize::try_from(place).ok()?)?
            }
            _ => return None,
        };
    }
    Some(value)
}
