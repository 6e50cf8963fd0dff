//! What rows of a type with `@table(strict: false)` keep beside their fields: one JSON object, its members in the order
//! of their names; NULL is none. A patch is such an object in which null takes a member away. Limits and names are here, so that
//! whoever writes and whoever judges say the same.

use crate::value::json;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The column.
pub const COLUMN: &str = "extras";
/// No extras.
pub const NOTHING: &str = "{}";
/// Most extras of a row.
pub const MAX_KEYS: usize = 64;
/// Most bytes of all extras of a row, as JSON.
pub const MAX_BYTES: usize = 16 * 1024;
/// Deepest nesting of the extras of a row, the row itself not counted.
pub const MAX_DEPTH: usize = 16;
/// Longest name, in bytes; as that of a column.
pub const MAX_NAME_BYTES: usize = 63;
/// Words of the wire, which name nothing of a row.
pub const RESERVED: [&str; 9] =
    ["select", "order", "limit", "offset", "and", "or", "not", "columns", "on_conflict"];

/// Why extras are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// [`MAX_KEYS`].
    #[error("a row keeps at most {MAX_KEYS} values that have no field")]
    Keys,
    /// [`MAX_BYTES`].
    #[error("a row keeps at most {MAX_BYTES} bytes of values that have no field")]
    Bytes,
    /// [`MAX_DEPTH`].
    #[error("values that have no field are nested at most {MAX_DEPTH} deep")]
    Depth,
    /// The database has something else there.
    #[error("what a row keeps beside its fields is no JSON object")]
    NoObject,
}

/// Whether a value without a field may have this name: a word as fields have, and no word of the wire.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.len() <= MAX_NAME_BYTES
        && name != COLUMN
        && !RESERVED.contains(&name)
        && !name.starts_with("_backstay")
}

/// The patch that these members make: normalised JSON text by name.
#[must_use]
pub fn patch<'m>(members: impl IntoIterator<Item = (&'m str, &'m str)>) -> String {
    written(&members.into_iter().collect())
}

/// What is kept after a patch.
///
/// # Errors
/// When it is more than a row keeps, or either is no object.
pub fn merged(kept: &str, patch: &str) -> Result<String, Refusal> {
    let mut members = members(kept)?;
    for (name, value) in self::members(patch)? {
        if value == "null" {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    if members.len() > MAX_KEYS {
        return Err(Refusal::Keys);
    }
    let out = written(&members.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect());
    if out.len() > MAX_BYTES {
        return Err(Refusal::Bytes);
    }
    if members.values().any(|value| json::size(value).depth > MAX_DEPTH) {
        return Err(Refusal::Depth);
    }
    Ok(out)
}

fn members(text: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let raw: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).map_err(|_| Refusal::NoObject)?;
    // databases write spaces of their own
    let normal = |raw: Box<RawValue>| json::normalise(raw.get()).ok_or(Refusal::NoObject);
    raw.into_iter().map(|(name, value)| Ok((name, normal(value)?))).collect()
}

fn written(members: &BTreeMap<&str, &str>) -> String {
    let mut out = String::from("{");
    for (name, value) in members {
        if out.len() > 1 {
            out.push(',');
        }
        json::write_string(name, &mut out);
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    out
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, MAX_DEPTH, MAX_KEYS, NOTHING, Refusal, is_name, merged, patch};

    #[test]
    fn members_are_merged_at_the_top_and_null_takes_one_away() {
        let merged = |kept, patch| merged(kept, patch).unwrap();
        assert_eq!(merged(NOTHING, r#"{"b":1,"a":{"x":null}}"#), r#"{"a":{"x":null},"b":1}"#);
        assert_eq!(
            merged(r#"{"a":{"x":1},"b":1}"#, r#"{"a":{"y":2},"b":null,"c":null}"#),
            r#"{"a":{"y":2}}"#
        );
        assert_eq!(merged(r#"{ "a" : [1, "}{"] }"#, NOTHING), r#"{"a":[1,"}{"]}"#);
        assert_eq!(patch([("b", "1.50"), ("a", "\"x\"")]), r#"{"a":"x","b":1.50}"#);
    }

    #[test]
    fn a_row_keeps_so_much() {
        let many = |count: usize| {
            let members: Vec<String> = (0..count).map(|n| format!("\"k{n}\":{n}")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(merged(NOTHING, &many(MAX_KEYS)).is_ok());
        assert_eq!(merged(r#"{"z":1}"#, &many(MAX_KEYS)), Err(Refusal::Keys));
        let long = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
        assert!(merged(NOTHING, &long(MAX_BYTES)).is_ok());
        assert_eq!(merged(NOTHING, &long(MAX_BYTES + 1)), Err(Refusal::Bytes));
        let deep = |depth: usize| format!("{{\"a\":{}\"[\"{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(merged(NOTHING, &deep(MAX_DEPTH)).is_ok());
        assert_eq!(merged(NOTHING, &deep(MAX_DEPTH + 1)), Err(Refusal::Depth));
        for kept in ["", "[]", "null", "7", "{"] {
            assert_eq!(merged(kept, NOTHING), Err(Refusal::NoObject), "{kept}");
        }
    }

    #[test]
    fn names_are_words_that_mean_nothing_else() {
        for name in ["a", "_a", "A1", "colour_2"] {
            assert!(is_name(name), "{name}");
        }
        let long = "a".repeat(64);
        for name in [
            "",
            "1a",
            "a-b",
            "a b",
            "ä",
            "a.b",
            "a->b",
            "a\"",
            "extras",
            "select",
            "or",
            "_backstay_x",
            &long,
        ] {
            assert!(!is_name(name), "{name}");
        }
    }
}
