//! JSON bodies: an object or a list of objects becomes rows of [`Input`] cells,
//! straight from the bytes. A cell's JSON is not read further than its kind.

use crate::budget::within;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use backstay_query::named::Input;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

/// Deepest nesting inside one JSON cell.
const CELL_DEPTH: usize = 128;

/// So many names are compared one by one rather than looked up.
const FEW_COLUMNS: usize = 16;

/// The rows of a body.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Input>>,
    /// It was a list, even of one.
    pub(crate) list: bool,
}

/// How bodies are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'a> {
    /// `columns=`: only these keys count; absent ones are filled.
    pub(crate) columns: Option<&'a [String]>,
    /// `missing=default`: absent keys take the default, else NULL.
    pub(crate) missing_default: bool,
    pub(crate) limits: &'a Limits,
}

/// Reads a body.
///
/// # Errors
/// PGRST102 for what is not JSON of this form, 54001 past a limit, 22021 for text that no row can hold.
pub(crate) fn rows(body: &[u8], rules: Rules<'_>) -> Result<Rows, Fault> {
    within(body.len(), rules.limits.body_bytes, "bytes of body")?;
    let text =
        std::str::from_utf8(body).map_err(|error| invalid("invalid UTF-8 in the body").with_source(error))?;
    let mut collector = Collector::new(rules);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = deserializer.deserialize_any(Top(&mut collector)).and_then(|()| deserializer.end());
    if let Some(fault) = collector.fault {
        return Err(fault);
    }
    read.map_err(|error| invalid("Empty or invalid json").with_details(error.to_string()))?;
    Ok(Rows { columns: collector.columns, rows: collector.rows, list: collector.list })
}

fn invalid(message: &str) -> Fault {
    Fault::new(code::BODY_INVALID, message)
}

struct Collector<'a> {
    rules: Rules<'a>,
    columns: Vec<String>,
    /// Where columns stand, once they are more than [`FEW_COLUMNS`].
    index: HashMap<String, usize>,
    /// Columns are settled: by `columns=` or by the first object.
    settled: bool,
    rows: Vec<Vec<Input>>,
    list: bool,
    /// Why reading stopped, where serde's own error would hide it.
    fault: Option<Fault>,
}

impl<'a> Collector<'a> {
    fn new(rules: Rules<'a>) -> Self {
        let columns = rules.columns.unwrap_or_default();
        let mut collector = Self {
            rules,
            columns: Vec::new(),
            index: HashMap::new(),
            settled: false,
            rows: Vec::new(),
            list: false,
            fault: None,
        };
        for column in columns {
            collector.column(column);
        }
        collector.settled = rules.columns.is_some();
        collector
    }

    /// Index of a column, new while columns are not settled. `near` is a guess.
    fn place(&mut self, key: &str, near: usize) -> Option<usize> {
        if self.columns.get(near).is_some_and(|column| column == key) {
            return Some(near);
        }
        match self.known(key) {
            Some(index) => Some(index),
            None if self.settled => None,
            None => Some(self.column(key)),
        }
    }

    fn column(&mut self, name: &str) -> usize {
        if let Some(index) = self.known(name) {
            return index;
        }
        self.columns.push(name.to_owned());
        if self.columns.len() > FEW_COLUMNS {
            let missing = self.columns.iter().enumerate().skip(self.index.len());
            self.index.extend(missing.map(|(index, name)| (name.clone(), index)));
        }
        self.columns.len() - 1
    }

    fn known(&self, name: &str) -> Option<usize> {
        if self.columns.len() > FEW_COLUMNS {
            return self.index.get(name).copied();
        }
        self.columns.iter().position(|column| column == name)
    }

    fn finish(&mut self, cells: Vec<Option<Input>>) -> Result<(), Fault> {
        let absent = match (self.rules.columns, self.rules.missing_default) {
            (None, _) => None,
            (Some(_), true) => Some(Input::Default),
            (Some(_), false) => Some(Input::Null),
        };
        let cells = cells.into_iter().map(|cell| cell.or_else(|| absent.clone()));
        let row = cells.collect::<Option<Vec<Input>>>().ok_or_else(mismatch)?;
        self.settled = true;
        self.rows.push(row);
        within(self.rows.len(), self.rules.limits.write_rows, "rows of one write")
    }
}

fn mismatch() -> Fault {
    invalid("All object keys must match")
}

struct Top<'c, 'a>(&'c mut Collector<'a>);

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list of objects")
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<(), M::Error> {
        Row(self.0).visit_map(map)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut sequence: S) -> Result<(), S::Error> {
        self.0.list = true;
        while sequence.next_element_seed(Row(self.0))?.is_some() {}
        Ok(())
    }
}

struct Row<'c, 'a>(&'c mut Collector<'a>);

impl<'de> DeserializeSeed<'de> for Row<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        use serde::de::Error;
        let collector = self.0;
        let mut cells: Vec<Option<Input>> = vec![None; collector.columns.len()];
        let mut near = 0;
        while let Some(Key(key)) = map.next_key()? {
            let Some(place) = collector.place(&key, near) else {
                if collector.rules.columns.is_none() {
                    collector.fault = Some(mismatch());
                    return Err(M::Error::custom("keys differ"));
                }
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            near = place + 1;
            let cell = cell(map.next_value::<&'de RawValue>()?.get());
            let counted =
                within(collector.columns.len(), collector.rules.limits.nodes, "columns of one write");
            let cell = counted.and(cell).map_err(|fault| {
                collector.fault = Some(fault);
                M::Error::custom("cell refused")
            })?;
            if place == cells.len() {
                cells.push(Some(cell));
            } else if let Some(slot) = cells.get_mut(place) {
                *slot = Some(cell);
            }
        }
        collector.finish(cells).map_err(|fault| {
            collector.fault = Some(fault);
            M::Error::custom("row refused")
        })
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// One cell from its JSON text, which is known to be well formed.
fn cell(json: &str) -> Result<Input, Fault> {
    let json = json.trim();
    match json.as_bytes().first() {
        Some(b'n') => Ok(Input::Null),
        Some(b't') => Ok(Input::Bool(true)),
        Some(b'f') => Ok(Input::Bool(false)),
        Some(b'"') => text(json).map(Input::Text),
        Some(b'{' | b'[') => {
            within(nesting(json), CELL_DEPTH, "levels of nesting in a JSON value")?;
            Ok(Input::Json(json.to_owned()))
        }
        Some(_) | None => Ok(Input::Number(json.to_owned())),
    }
}

fn text(json: &str) -> Result<String, Fault> {
    let inner = json.get(1..json.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return Ok(inner.to_owned());
    }
    let text: String = serde_json::from_str(json)
        .map_err(|error| invalid("Empty or invalid json").with_details(error.to_string()))?;
    if text.contains('\0') {
        return Err(Fault::new(
            code::INVALID_ENCODING,
            "text holds a NUL character, which no column can store",
        ));
    }
    Ok(text)
}

/// Deepest nesting of brackets outside strings.
fn nesting(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json.bytes() {
        if in_text {
            in_text = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests;
