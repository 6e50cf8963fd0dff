//! The query string: percent-decoding, and what each key means ([`Parameter`]).

use crate::cursor::{Cursor, Read, read_whole};
use crate::field::{self, Name};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::named::Field;
use percent_encoding::percent_decode;
use std::borrow::Cow;

/// What a key of the query string means. `path` leads over embeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parameter {
    Select,
    Columns,
    OnConflict,
    Order(Vec<String>),
    Limit(Vec<String>),
    Offset(Vec<String>),
    Logic { path: Vec<String>, or: bool, negated: bool },
    Filter { path: Vec<String>, field: Field },
}

/// A decoded key and its decoded value.
type Pair<'q> = (Cow<'q, str>, Cow<'q, str>);

/// The decoded pairs of a query string, in order.
pub(crate) fn pairs(query: &str) -> Result<Vec<Pair<'_>>, Fault> {
    query
        .split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let (key, value) = piece.split_once('=').unwrap_or((piece, ""));
            Ok((decoded(key, Plus::IsSpace)?, decoded(value, Plus::IsSpace)?))
        })
        .collect()
}

/// What `+` stands for: a space in a query, itself in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plus {
    IsSpace,
    IsPlus,
}

/// Percent-decodes; bad UTF-8 and NUL are 22021.
pub(crate) fn decoded(text: &str, plus: Plus) -> Result<Cow<'_, str>, Fault> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+' | 0)) {
        return Ok(Cow::Borrowed(text));
    }
    let spaced = match plus {
        Plus::IsSpace if text.contains('+') => Cow::Owned(text.replace('+', " ")),
        Plus::IsSpace | Plus::IsPlus => Cow::Borrowed(text),
    };
    let bad = || Fault::new(code::INVALID_ENCODING, "invalid byte sequence for encoding \"UTF8\" in the URL");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8().map_err(|_| bad())?;
    if decoded.contains('\0') {
        return Err(bad());
    }
    Ok(Cow::Owned(decoded.into_owned()))
}

/// What a decoded key means.
pub(crate) fn parameter(key: &str) -> Result<Parameter, Fault> {
    read_whole("tree path", key, read)
}

fn read(cursor: &mut Cursor<'_>) -> Read<Parameter> {
    let mut names: Vec<Name> = Vec::new();
    let last = loop {
        let name = field::name(cursor)?;
        if !cursor.eat(".") {
            break name;
        }
        names.push(name);
    };
    let steps = field::path(cursor)?;
    cursor.end("field name, \".\", \"->\" or end of input")?;
    if last.quoted || !steps.is_empty() {
        let path = texts(names);
        return Ok(Parameter::Filter { path, field: Field { name: last.text, path: steps } });
    }
    Ok(match (last.text.as_str(), names.is_empty()) {
        ("select", true) => Parameter::Select,
        ("columns", true) => Parameter::Columns,
        ("on_conflict", true) => Parameter::OnConflict,
        ("order", _) => Parameter::Order(texts(names)),
        ("limit", _) => Parameter::Limit(texts(names)),
        ("offset", _) => Parameter::Offset(texts(names)),
        (word @ ("and" | "or"), _) => {
            let or = word == "or";
            let is_not = |name: &Name| !name.quoted && name.text == "not";
            let negated = names.iter().filter(|name| is_not(name)).count() % 2 == 1;
            names.retain(|name| !is_not(name));
            Parameter::Logic { path: texts(names), or, negated }
        }
        _ => Parameter::Filter { path: texts(names), field: Field { name: last.text, path: steps } },
    })
}

fn texts(names: Vec<Name>) -> Vec<String> {
    names.into_iter().map(|name| name.text).collect()
}
