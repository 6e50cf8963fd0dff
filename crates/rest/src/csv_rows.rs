//! Rows as comma-separated values: a line with the names, then a line per row. NULL is empty, a
//! boolean `t` or `f`, an embed or document its JSON; quotes stand where PostgreSQL's rows have
//! them, so that empty text differs from NULL. Text that begins with `=`, `+`, `-` or `@` is
//! written as it is: whoever opens the answer in a spreadsheet guards against formulas there.

use crate::json::{Form, Writer, leaves};
use backstay_query::reply::{Cell, Rows, Shape, ShapeKind};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// Writes rows as comma-separated values.
pub(crate) fn rows(rows: &Rows, shape: &Shape<'_>, form: Form) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.text.len() + rows.cells.len() * 8);
    let mut first = true;
    names(&mut out, shape, &mut first);
    out.push(b'\n');
    let mut writer = Writer::new(rows);
    let mut passed = Vec::new();
    for _ in 0..form.skip.min(rows.count) {
        line(&mut writer, &mut passed, shape, &mut true);
        passed.clear();
    }
    for row in 0..rows.count.saturating_sub(form.skip).min(form.take) {
        if row > 0 {
            out.push(b'\n');
        }
        line(&mut writer, &mut out, shape, &mut true);
    }
    out
}

fn names(out: &mut Vec<u8>, shape: &Shape<'_>, first: &mut bool) {
    leaves(shape, &mut |name| {
        separate(out, first);
        field(out, name.as_bytes());
    });
}

fn line(writer: &mut Writer<'_>, out: &mut Vec<u8>, shape: &Shape<'_>, first: &mut bool) {
    for member in &shape.members {
        if let ShapeKind::SpreadMany(inner) = &member.kind {
            for (_, list) in writer.lists(inner) {
                separate(out, first);
                field(out, &list);
            }
            continue;
        }
        let cell = writer.next();
        if member.kind == ShapeKind::Spilled {
            // the lines of a table have the same columns: what has no field is there where it is named
            continue;
        }
        if let ShapeKind::Spread(inner) = &member.kind {
            match cell {
                Cell::Null => leaves(inner, &mut |_| separate(out, first)),
                _ => line(writer, out, inner, first),
            }
            continue;
        }
        separate(out, first);
        match cell {
            Cell::Null => {}
            Cell::Bool(truth) => out.push(if truth { b't' } else { b'f' }),
            Cell::Text { start, len } => field(out, writer.text_of(start, len).as_bytes()),
            Cell::Raw { start, len } if matches!(member.kind, ShapeKind::Scalar(ScalarType::List(_))) => {
                field(out, literal(writer.text_of(start, len)).as_bytes());
            }
            Cell::Int(_) | Cell::Float(_) | Cell::Raw { .. } | Cell::Row | Cell::List(_) => {
                writer.out.clear();
                writer.value(&member.kind, cell);
                field(out, &writer.out);
            }
        }
    }
}

/// A list in PostgreSQL's form, `{a,"b c",NULL}`.
fn literal(json: &str) -> String {
    let elements: Vec<serde_json::Value> = serde_json::from_str(json).unwrap_or_default();
    let element = |element: serde_json::Value| match element {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Text(if truth { "t" } else { "f" }.to_owned()),
        serde_json::Value::String(text) => Value::Text(text),
        other => Value::Text(other.to_string()),
    };
    Value::List(elements.into_iter().map(element).collect()).to_text()
}

fn separate(out: &mut Vec<u8>, first: &mut bool) {
    if !*first {
        out.push(b',');
    }
    *first = false;
}

/// A field, quoted where PostgreSQL would quote it; quotes are doubled, all else stays.
fn field(out: &mut Vec<u8>, text: &[u8]) {
    let special = |byte: &u8| {
        matches!(byte, b'"' | b',' | b'(' | b')' | b'\\' | b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
    };
    if !text.is_empty() && !text.iter().any(special) {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for byte in text {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        for (text, written) in [
            ("", "\"\""),
            ("a", "a"),
            ("a b", "\"a b\""),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("a\\b", "\"a\\b\""),
            ("line\nline", "\"line\nline\""),
            ("=1+1", "=1+1"),
            ("ä", "ä"),
        ] {
            let mut out = Vec::new();
            field(&mut out, text.as_bytes());
            assert_eq!(String::from_utf8(out).unwrap(), written);
        }
    }
}
