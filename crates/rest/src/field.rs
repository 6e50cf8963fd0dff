//! Field names and ways into JSON: `name`, `"quoted name"`, `data->a->0->>b`.

use crate::cursor::{Cursor, Read};
use backstay_query::named::{Field, JsonKey, JsonStep};

const NAME: &str = "field name (* or [a..z0..9_$])";

/// A name and whether it stood in quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) quoted: bool,
}

/// Reads one name.
pub(crate) fn name(cursor: &mut Cursor<'_>) -> Read<Name> {
    if cursor.peek() == Some('"') {
        return Ok(Name { text: cursor.quoted()?, quoted: true });
    }
    let plain = cursor.take_ascii_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'));
    // nearly every name is at its end here
    if !plain.is_empty() && cursor.peek().is_none_or(|next| next.is_ascii() && !matches!(next, ' ' | '-')) {
        return Ok(Name { text: plain.to_owned(), quoted: false });
    }
    let mut text = plain.to_owned();
    while let Some(next) = cursor.peek() {
        let dash = next == '-' && !cursor.rest().starts_with("->");
        if !(next.is_alphanumeric() || matches!(next, '_' | '$' | ' ') || dash) {
            break;
        }
        text.push(next);
        cursor.bump();
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(cursor.wrong(NAME));
    }
    Ok(Name { text: text.to_owned(), quoted: false })
}

/// Reads the arrows after a name.
pub(crate) fn path(cursor: &mut Cursor<'_>) -> Read<Vec<JsonStep>> {
    let mut steps = Vec::new();
    while cursor.eat("->") {
        let as_text = cursor.eat(">");
        let key = match index(cursor) {
            Some(index) => JsonKey::Index(index),
            None => JsonKey::Member(name(cursor)?.text),
        };
        steps.push(JsonStep { key, as_text });
    }
    Ok(steps)
}

/// Reads a name with its arrows.
pub(crate) fn field(cursor: &mut Cursor<'_>) -> Read<Field> {
    Ok(Field { name: name(cursor)?.text, path: path(cursor)? })
}

/// An array index, if digits stand here and nothing else belongs to the key.
fn index(cursor: &mut Cursor<'_>) -> Option<i64> {
    let mut ahead = cursor.clone();
    let negative = ahead.eat("-");
    let digits = ahead.take_while(|c| c.is_ascii_digit());
    let ends = match ahead.peek() {
        None => true,
        Some('-') => ahead.rest().starts_with("->"),
        Some(c) => matches!(c, '.' | ',' | ')' | ':' | ' '),
    };
    let number: i64 = digits.parse().ok().filter(|_| ends)?;
    *cursor = ahead;
    Some(if negative { -number } else { number })
}

/// Reads names parted by commas (`columns`, `on_conflict`).
pub(crate) fn names(cursor: &mut Cursor<'_>) -> Read<Vec<String>> {
    let mut names = Vec::new();
    if cursor.done() {
        return Ok(names);
    }
    loop {
        cursor.spaces();
        names.push(name(cursor)?.text);
        cursor.spaces();
        if !cursor.eat(",") {
            cursor.end("\",\" or end of input")?;
            return Ok(names);
        }
    }
}
