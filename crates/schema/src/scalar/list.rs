//! Lists of scalars: what they hold, PostgreSQL's `{a,"b c",NULL}` and JSON's `["a"]` in, and
//! both forms out. Knows no column and no SQL text but the names of types.

use super::ScalarType;
use super::read::JsonCell;
use crate::catalog::{Catalog, EnumId};
use crate::value::{Value, json};
use backstay_base::code;
use backstay_base::fault::Fault;
use serde_json::value::RawValue;

/// What a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ListType {
    /// Its elements.
    pub element: Element,
    /// Whether an element may be NULL (`[String]`, not `[String!]`).
    pub nulls: bool,
}

/// The type of an element: a scalar that is neither a list nor JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of `ScalarType`")]
pub enum Element {
    Int,
    BigInt,
    Float,
    Decimal { digits: u8, scale: u8 },
    Boolean,
    String,
    Uuid,
    Timestamp,
    Date,
    Time,
    Duration,
    Bytes,
    Enum(EnumId),
}

impl Element {
    /// The element of this type; none for JSON and lists.
    #[must_use]
    pub const fn of(ty: ScalarType) -> Option<Self> {
        Some(match ty {
            ScalarType::Int => Self::Int,
            ScalarType::BigInt => Self::BigInt,
            ScalarType::Float => Self::Float,
            ScalarType::Decimal { digits, scale } => Self::Decimal { digits, scale },
            ScalarType::Boolean => Self::Boolean,
            ScalarType::String => Self::String,
            ScalarType::Uuid => Self::Uuid,
            ScalarType::Timestamp => Self::Timestamp,
            ScalarType::Date => Self::Date,
            ScalarType::Time => Self::Time,
            ScalarType::Duration => Self::Duration,
            ScalarType::Bytes => Self::Bytes,
            ScalarType::Enum(id) => Self::Enum(id),
            ScalarType::Json | ScalarType::List(_) => return None,
        })
    }

    /// The type of one element.
    #[must_use]
    pub const fn scalar(self) -> ScalarType {
        match self {
            Self::Int => ScalarType::Int,
            Self::BigInt => ScalarType::BigInt,
            Self::Float => ScalarType::Float,
            Self::Decimal { digits, scale } => ScalarType::Decimal { digits, scale },
            Self::Boolean => ScalarType::Boolean,
            Self::String => ScalarType::String,
            Self::Uuid => ScalarType::Uuid,
            Self::Timestamp => ScalarType::Timestamp,
            Self::Date => ScalarType::Date,
            Self::Time => ScalarType::Time,
            Self::Duration => ScalarType::Duration,
            Self::Bytes => ScalarType::Bytes,
            Self::Enum(id) => ScalarType::Enum(id),
        }
    }

    /// The array type that PostgreSQL would name so.
    #[must_use]
    pub const fn array_name(self) -> &'static str {
        match self {
            Self::Int => "integer[]",
            Self::BigInt => "bigint[]",
            Self::Float => "double precision[]",
            Self::Decimal { .. } => "numeric[]",
            Self::Boolean => "boolean[]",
            Self::String | Self::Enum(_) => "text[]",
            Self::Uuid => "uuid[]",
            Self::Timestamp => "timestamp with time zone[]",
            Self::Date => "date[]",
            Self::Time => "time without time zone[]",
            Self::Duration => "interval[]",
            Self::Bytes => "bytea[]",
        }
    }
}

impl ListType {
    /// Reads `{a,"b c",NULL}`.
    pub(super) fn parse_text(self, catalog: &Catalog, text: &str) -> Result<Value, Fault> {
        let elements = parse_literal(text).ok_or_else(|| malformed(text))?;
        let ty = self.element.scalar();
        let values = elements.into_iter().map(|element| match element {
            Some(text) => ty.parse_text(catalog, &text),
            None => self.null(),
        });
        values.collect::<Result<_, _>>().map(Value::List)
    }

    /// Reads a cell of a body: a JSON array, or the form of a URL in a string.
    pub(super) fn parse_json(self, catalog: &Catalog, cell: JsonCell<'_>) -> Result<Value, Fault> {
        let text = match cell {
            JsonCell::Null => return Ok(Value::Null),
            JsonCell::Bool(truth) => return Err(malformed(if truth { "true" } else { "false" })),
            JsonCell::Text(text) => return self.parse_text(catalog, text),
            JsonCell::Number(text) | JsonCell::Json(text) => text,
        };
        let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| malformed(text))?;
        let values = elements.into_iter().map(|element| self.read_element(catalog, element.get()));
        values.collect::<Result<_, _>>().map(Value::List)
    }

    fn read_element(self, catalog: &Catalog, element: &str) -> Result<Value, Fault> {
        let ty = self.element.scalar();
        match element.as_bytes().first() {
            Some(b'n') => self.null(),
            Some(b't') => ty.parse_json(catalog, JsonCell::Bool(true)),
            Some(b'f') => ty.parse_json(catalog, JsonCell::Bool(false)),
            Some(b'"') => {
                let text: String = serde_json::from_str(element).map_err(|_| malformed(element))?;
                ty.parse_json(catalog, JsonCell::Text(&text))
            }
            Some(b'[' | b'{') => Err(malformed(element)),
            Some(_) | None => ty.parse_json(catalog, JsonCell::Number(element)),
        }
    }

    fn null(self) -> Result<Value, Fault> {
        if self.nulls {
            return Ok(Value::Null);
        }
        Err(Fault::new(code::NULL_ELEMENT, "null value not allowed in a list"))
    }
}

fn malformed(text: &str) -> Fault {
    Fault::new(code::INVALID_TEXT, format!("malformed array literal: \"{text}\""))
}

/// The elements of `{a,"b \"c\"",NULL}`, as PostgreSQL reads an array of one dimension; none for another form.
#[must_use]
pub fn parse_literal(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.trim_ascii().strip_prefix('{')?;
    let mut input = inner.chars().peekable();
    let mut out = Vec::new();
    loop {
        while input.next_if(char::is_ascii_whitespace).is_some() {}
        match input.peek()? {
            '}' if out.is_empty() => {
                input.next();
                break;
            }
            '"' => {
                input.next();
                out.push(Some(quoted(&mut input)?));
                while input.next_if(char::is_ascii_whitespace).is_some() {}
            }
            _ => out.push(bare(&mut input)?),
        }
        match input.next()? {
            ',' => {}
            '}' => break,
            _ => return None,
        }
    }
    input.next().is_none().then_some(out)
}

type Input<'t> = std::iter::Peekable<std::str::Chars<'t>>;

fn quoted(input: &mut Input<'_>) -> Option<String> {
    let mut out = String::new();
    loop {
        match input.next()? {
            '"' => return Some(out),
            '\\' => out.push(input.next()?),
            other => out.push(other),
        }
    }
}

/// Up to a comma or the end; `NULL` is none.
fn bare(input: &mut Input<'_>) -> Option<Option<String>> {
    let mut out = String::new();
    let mut escaped = false;
    // what an escape put there is no white space to be cut off
    let mut kept = 0;
    loop {
        match input.peek()? {
            ',' | '}' => break,
            '{' | '"' => return None,
            '\\' => {
                input.next();
                out.push(input.next()?);
                escaped = true;
                kept = out.len();
            }
            _ => out.extend(input.next()),
        }
    }
    let end = out.trim_ascii_end().len().max(kept);
    out.truncate(end);
    if !escaped && out.eq_ignore_ascii_case("null") {
        return Some(None);
    }
    (!out.is_empty()).then_some(Some(out))
}

/// Appends `{a,"b c",NULL}`.
pub fn write_literal(values: &[Value], out: &mut String) {
    out.push('{');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        if value.is_null() {
            out.push_str("NULL");
            continue;
        }
        let text = value.to_text();
        let special = |c: char| c.is_ascii_whitespace() || matches!(c, '{' | '}' | ',' | '"' | '\\');
        if !text.is_empty() && !text.contains(special) && !text.eq_ignore_ascii_case("null") {
            out.push_str(&text);
            continue;
        }
        out.push('"');
        for c in text.chars() {
            if matches!(c, '"' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
        out.push('"');
    }
    out.push('}');
}

/// Appends `["a",1,null]`.
pub fn write_json(values: &[Value], out: &mut String) {
    out.push('[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_json_value(value, out);
    }
    out.push(']');
}

/// Appends a value as JSON, in the form that answers have.
pub fn write_json_value(value: &Value, out: &mut String) {
    match value {
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Decimal(_)
        | Value::Json(_) => value.write_text(out),
        Value::List(inner) => write_json(inner, out),
        Value::Text(text) => json::write_string(text, out),
        Value::Uuid(_)
        | Value::Timestamp(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::Duration(_)
        | Value::Bytes(_) => json::write_string(&value.to_text(), out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: ListType = ListType { element: Element::String, nulls: true };

    #[test]
    fn reads_literals_as_postgresql() {
        let some =
            |words: &[&str]| Some(words.iter().map(|word| Some((*word).to_owned())).collect::<Vec<_>>());
        for (text, elements) in [
            ("{}", some(&[])),
            (" { } ", some(&[])),
            ("{a,b}", some(&["a", "b"])),
            ("{ a b , c }", some(&["a b", "c"])),
            ("{\"\",\"a,}\\\"\\\\\" }", some(&["", "a,}\"\\"])),
            ("{\"null\",nul}", some(&["null", "nul"])),
            ("{n\\ull}", some(&["null"])),
            ("{a\\ }", some(&["a "])),
            ("{NULL,null}", Some(vec![None, None])),
        ] {
            assert_eq!(parse_literal(text), elements, "{text}");
        }
        for text in [
            "", "{", "}", "a", "{a", "{a,}", "{,a}", "{a}b", "{{a}}", "{\"a}", "{a\"b\"}", "{\"a\"b}", "{a\\",
        ] {
            assert_eq!(parse_literal(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let catalog = Catalog::default();
        let words = ["", "a", "null", "a b", "{", "}", ",", "\"", "\\", "\n", "ä"];
        let mut values: Vec<Value> = words.iter().map(|word| Value::Text((*word).to_owned())).collect();
        values.push(Value::Null);
        let list = Value::List(values.clone());
        assert_eq!(WORDS.parse_text(&catalog, &list.to_text()).unwrap(), list);
        let mut json = String::new();
        write_json(&values, &mut json);
        assert_eq!(WORDS.parse_json(&catalog, JsonCell::Json(&json)).unwrap(), list);
    }

    #[test]
    fn refuses_what_is_no_list() {
        let strict = ListType { element: Element::Int, nulls: false };
        let catalog = Catalog::default();
        let refusal = |cell| strict.parse_json(&catalog, cell).map_err(|fault| fault.code.text);
        assert_eq!(refusal(JsonCell::Json("[1,2]")), Ok(Value::List(vec![Value::Int(1), Value::Int(2)])));
        assert_eq!(refusal(JsonCell::Text("{1,2}")), Ok(Value::List(vec![Value::Int(1), Value::Int(2)])));
        for (cell, code) in [
            (JsonCell::Json("{\"a\":1}"), "22P02"),
            (JsonCell::Json("[[1]]"), "22P02"),
            (JsonCell::Json("[{}]"), "22P02"),
            (JsonCell::Json("[null]"), "22004"),
            (JsonCell::Json("[1.5]"), "22P02"),
            (JsonCell::Json("[99999999999]"), "22003"),
            (JsonCell::Text("{NULL}"), "22004"),
            (JsonCell::Text("[1]"), "22P02"),
            (JsonCell::Number("1"), "22P02"),
            (JsonCell::Bool(true), "22P02"),
        ] {
            assert_eq!(refusal(cell), Err(code), "{cell:?}");
        }
    }
}
