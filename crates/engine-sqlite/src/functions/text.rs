//! Text: `LIKE` that tells case apart, `ILIKE` over all of Unicode, prefixes, regular expressions.

use super::{strict, text_argument};
use crate::error::raise;
use backstay_base::code;
use backstay_base::fault::Fault;
use regex::Regex;
use rusqlite::{Connection, Result};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Compiled patterns that a connection keeps.
const CACHED_PATTERNS: usize = 64;

/// Largest compiled pattern, in bytes.
const PATTERN_BYTES: usize = 10 << 20;

pub(super) fn register(connection: &Connection) -> Result<()> {
    let pair = |name, test: fn(&str, &str) -> bool| {
        strict(connection, name, 2, move |context| {
            let (text, other) = (text_argument(context, 0), text_argument(context, 1));
            Ok(text.zip(other).map(|(text, other)| test(text, other)))
        })
    };
    pair("bs_like", like)?;
    // the pattern comes in lower case
    pair("bs_ilike", |text, pattern| {
        like(&text.chars().flat_map(char::to_lowercase).collect::<String>(), pattern)
    })?;
    pair("bs_starts_with", |text, start| text.starts_with(start))?;
    pair("bs_ends_with", |text, end| text.ends_with(end))?;
    pair("bs_contains", |text, part| text.contains(part))?;
    let patterns: Mutex<HashMap<String, Regex>> = Mutex::default();
    strict(connection, "bs_matches", 2, move |context| {
        let (Some(text), Some(pattern)) = (text_argument(context, 0), text_argument(context, 1)) else {
            return Ok(None);
        };
        let mut patterns = patterns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = patterns.get(pattern) {
            return Ok(Some(regex.is_match(text)));
        }
        let regex = regex::RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).build().map_err(|cause| {
            raise(&Fault::new(
                code::INVALID_REGEX,
                ["invalid regular expression: ", &cause.to_string()].concat(),
            ))
        })?;
        let matches = regex.is_match(text);
        if patterns.len() >= CACHED_PATTERNS {
            patterns.clear();
        }
        patterns.insert(pattern.to_owned(), regex);
        Ok(Some(matches))
    })
}

/// `%` is any text, `_` one character, `\` takes the next as it is. Greedy with one
/// place to come back to: a later `%` makes earlier ones settled.
pub(super) fn like(text: &str, pattern: &str) -> bool {
    let (mut text, mut pattern) = (text.chars(), pattern.chars());
    let mut back: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let before = pattern.clone();
        let matched = match pattern.next() {
            Some('%') => {
                back = Some((text.clone(), pattern.clone()));
                continue;
            }
            None => {
                if text.as_str().is_empty() {
                    return true;
                }
                false
            }
            Some('_') => text.next().is_some(),
            Some(wanted) => {
                let wanted = if wanted == '\\' { pattern.next().unwrap_or('\\') } else { wanted };
                text.next() == Some(wanted)
            }
        };
        if matched {
            continue;
        }
        drop(before);
        let Some((kept_text, kept_pattern)) = &mut back else { return false };
        if kept_text.next().is_none() {
            return false;
        }
        text = kept_text.clone();
        pattern = kept_pattern.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn like_follows_sql() {
        for (text, pattern, holds) in [
            ("", "", true),
            ("", "%", true),
            ("", "_", false),
            ("abc", "abc", true),
            ("abc", "ABC", false),
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abc", "%b%", true),
            ("abc", "a_c", true),
            ("abc", "a_", false),
            ("aXbXc", "a%X%c", true),
            ("mississippi", "%iss%ip_i", true),
            ("mississippi", "%iss%ipx%", false),
            ("100%", "100\\%", true),
            ("100x", "100\\%", false),
            ("a_b", "a\\_b", true),
            ("axb", "a\\_b", false),
            ("a\\b", "a\\\\b", true),
            ("a\\", "a\\", true),
            ("äö", "__", true),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "%a%a%a%a%a%a%a%a%a%a%c", false),
        ] {
            assert_eq!(like(text, pattern), holds, "{text:?} LIKE {pattern:?}");
        }
    }
}
