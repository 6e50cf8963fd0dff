//! What rows of a type with `@table(strict: false)` keep beside their fields: one JSON object, its members in the order
//! of their names; NULL is none. A patch is such an object in which null takes a member away. Bounds and names are here, so that
//! whoever writes and whoever judges say the same.

use crate::value::json;
use backstay_base::limit::Limits;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The column.
pub const COLUMN: &str = "extras";
/// No extras.
pub const NOTHING: &str = "{}";
/// What its comment says.
pub const DOC: &str = "What has no field of its own.";
/// Longest name, in bytes; as that of a column.
pub const MAX_NAME_BYTES: usize = 63;
/// Words of the wire, which name nothing of a row.
pub const RESERVED: [&str; 9] =
    ["select", "order", "limit", "offset", "and", "or", "not", "columns", "on_conflict"];

/// How much a row keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Most extras.
    pub keys: usize,
    /// Most bytes of all of them, as JSON.
    pub bytes: usize,
    /// Deepest nesting of one.
    pub depth: usize,
}

impl Bounds {
    /// Those of a server.
    #[must_use]
    pub const fn of(limits: &Limits) -> Self {
        Self { keys: limits.extras_keys, bytes: limits.extras_bytes, depth: limits.extras_depth }
    }
}

/// Those of a server where nothing else is said.
impl Default for Bounds {
    fn default() -> Self {
        Self::of(&Limits::default())
    }
}

/// Why extras are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// [`Bounds::keys`].
    #[error("a row keeps at most {0} values that have no field")]
    Keys(usize),
    /// [`Bounds::bytes`].
    #[error("a row keeps at most {0} bytes of values that have no field")]
    Bytes(usize),
    /// [`Bounds::depth`].
    #[error("values that have no field are nested at most {0} deep")]
    Depth(usize),
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
pub fn merged(kept: &str, patch: &str, bounds: Bounds) -> Result<String, Refusal> {
    let mut members = members(kept)?;
    for (name, value) in self::members(patch)? {
        if value == "null" {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    if members.len() > bounds.keys {
        return Err(Refusal::Keys(bounds.keys));
    }
    let out = written(&members.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect());
    if out.len() > bounds.bytes {
        return Err(Refusal::Bytes(bounds.bytes));
    }
    if members.values().any(|value| json::size(value).depth > bounds.depth) {
        return Err(Refusal::Depth(bounds.depth));
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
    use super::{Bounds, NOTHING, Refusal, is_name, merged, patch};

    const BOUNDS: Bounds = Bounds { keys: 64, bytes: 16_384, depth: 16 };

    #[test]
    fn members_are_merged_at_the_top_and_null_takes_one_away() {
        let merged = |kept, patch| merged(kept, patch, BOUNDS).unwrap();
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
        let merged = |kept: &str, patch: &str| merged(kept, patch, BOUNDS);
        let many = |count: usize| {
            let members: Vec<String> = (0..count).map(|n| format!("\"k{n}\":{n}")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(merged(NOTHING, &many(BOUNDS.keys)).is_ok());
        assert_eq!(merged(r#"{"z":1}"#, &many(BOUNDS.keys)), Err(Refusal::Keys(64)));
        let long = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
        assert!(merged(NOTHING, &long(BOUNDS.bytes)).is_ok());
        assert_eq!(merged(NOTHING, &long(BOUNDS.bytes + 1)), Err(Refusal::Bytes(16_384)));
        let deep = |depth: usize| format!("{{\"a\":{}\"[\"{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(merged(NOTHING, &deep(BOUNDS.depth)).is_ok());
        assert_eq!(merged(NOTHING, &deep(BOUNDS.depth + 1)), Err(Refusal::Depth(16)));
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
