//! JSON documents: whether one contains another, as `@>` of PostgreSQL's `jsonb` says it.
//! Numbers compare by value, however they are written.

pub mod pattern;

use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A document, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// `null`, `true`, `false`, or a number in its one form.
    Plain(String),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object.
    Object(BTreeMap<String, Self>),
}

/// Reads a document; none where the text is none.
#[must_use]
pub fn parse(text: &str) -> Option<Document> {
    let text = text.trim_ascii();
    Some(match text.as_bytes().first()? {
        b'{' => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
            let members = members.into_iter().map(|(name, raw)| Some((name, parse(raw.get())?)));
            Document::Object(members.collect::<Option<_>>()?)
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            Document::List(items.into_iter().map(|raw| parse(raw.get())).collect::<Option<_>>()?)
        }
        b'"' => Document::Text(serde_json::from_str(text).ok()?),
        b'n' | b't' | b'f' => Document::Plain(text.to_owned()),
        _ => Document::Plain(number(text)?),
    })
}

/// Digits without zeros around them, and the power of ten after them.
fn number(text: &str) -> Option<String> {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let power = exponent - i64::try_from(fraction.len()).ok()? + zeros;
    Some(format!("{sign}{significant}e{power}"))
}

/// `whole @> part`.
#[must_use]
pub fn contains(whole: &Document, part: &Document) -> bool {
    match (whole, part) {
        // an array contains a single value, at the top alone
        (Document::List(items), Document::Plain(_) | Document::Text(_)) => items.contains(part),
        _ => within(whole, part),
    }
}

fn within(whole: &Document, part: &Document) -> bool {
    match (whole, part) {
        (Document::Object(all), Document::Object(some)) => {
            some.iter().all(|(name, part)| all.get(name).is_some_and(|whole| within(whole, part)))
        }
        (Document::List(all), Document::List(some)) => {
            some.iter().all(|part| all.iter().any(|whole| within(whole, part)))
        }
        (Document::Plain(_) | Document::Text(_), _) => whole == part,
        (Document::Object(_) | Document::List(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{contains, parse};

    /// Every verdict is that of PostgreSQL 18.
    #[test]
    fn contains_as_jsonb() {
        for (whole, part, verdict) in [
            ("{\"a\":1,\"b\":2}", "{\"a\":1}", true),
            ("{\"a\":1}", "{\"a\":1,\"b\":2}", false),
            ("{\"a\":1}", "{}", true),
            ("{\"a\":1}", "[]", false),
            ("[1,2,3]", "[3,1,1]", true),
            ("[1,2]", "1", true),
            ("1", "[1]", false),
            ("1", "1.0", true),
            ("100", "1e2", true),
            ("0", "-0.0", true),
            ("1", "-1", false),
            ("[[1,2]]", "[1]", false),
            ("[[1,2]]", "[[1]]", true),
            ("[[1,2]]", "1", false),
            ("[{\"a\":1,\"b\":2}]", "[{\"a\":1}]", true),
            ("{\"a\":[1,2]}", "{\"a\":[2]}", true),
            ("{\"a\":[1,2]}", "{\"a\":2}", false),
            ("{\"a\":{\"b\":{}}}", "{\"a\":{}}", true),
            ("{\"a\":null}", "{\"a\":null}", true),
            ("{}", "{\"a\":null}", false),
            ("[]", "[]", true),
            ("\"a\"", "\"a\"", true),
            ("\"a\"", "[]", false),
            ("[\"1\"]", "1", false),
            ("12345678901234567890.1", "12345678901234567890.2", false),
        ] {
            let (a, b) = (parse(whole).unwrap(), parse(part).unwrap());
            assert_eq!(contains(&a, &b), verdict, "{whole} @> {part}");
        }
    }
}
