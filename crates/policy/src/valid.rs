//! `@valid` and required values, judged on what a request gives, before the write.
//! Numbers and lengths are CHECKs in the database too; patterns and formats live here alone.

use backstay_query::plan::{Assign, Insert, Invalid, Refusal, Update};
use backstay_schema::catalog::{Column, ColumnId, Fill, Format, Table, Valid};
use backstay_schema::name::fitted;
use backstay_schema::value::Value;
use regex::Regex;
use std::cell::RefCell;
use std::collections::HashMap;

/// Most compiled patterns that a thread keeps.
const PATTERNS: usize = 256;

/// What the rows of an insert break, at most one refusal per cell.
pub(crate) fn rows(table: &Table, insert: &Insert) -> Vec<Invalid> {
    let mut found = Vec::new();
    let columns: Vec<&Column> = insert.columns.iter().map(|id| table.column(*id)).collect();
    let quiet: Vec<bool> = columns.iter().map(|column| column.nullable && column.valid.is_empty()).collect();
    if quiet.iter().all(|quiet| *quiet) {
        return found;
    }
    for (row, values) in insert.rows.iter().enumerate() {
        for (column, value) in columns.iter().zip(values) {
            if let Some(refusal) = refusal(table, column, value) {
                found.push(Invalid { row, refusal });
            }
        }
    }
    found
}

/// Whether a row breaks nothing.
pub(crate) fn row_holds(table: &Table, columns: &[ColumnId], row: &[Value]) -> bool {
    let cells = columns.iter().map(|id| table.column(*id)).zip(row);
    cells.filter_map(|(column, value)| refusal(table, column, value)).next().is_none()
}

/// What the new values of an update break.
pub(crate) fn assigned(table: &Table, update: &Update) -> Vec<Invalid> {
    let given = update.assign.iter().filter_map(|(id, assign)| match assign {
        Assign::Value(value) => Some((table.column(*id), value)),
        Assign::Scalar(_) | Assign::Given(_) => None,
    });
    given
        .filter_map(|(column, value)| refusal(table, column, value))
        .map(|refusal| Invalid { row: 0, refusal })
        .collect()
}

fn refusal(table: &Table, column: &Column, value: &Value) -> Option<Refusal> {
    if value.is_null() {
        let counted = column.fill == Fill::AutoIncrement;
        return (!column.nullable && !counted).then_some(Refusal::NotNull(column.id));
    }
    let broken = column.valid.iter().any(|valid| !holds(valid, value));
    broken.then(|| Refusal::Check {
        constraint: fitted(format!("{}_{}_check", table.name, column.name)),
        message: column.valid_message.clone(),
    })
}

fn holds(valid: &Valid, value: &Value) -> bool {
    let text = match value {
        Value::Text(text) => text.as_str(),
        _ => "",
    };
    let length = || match value {
        Value::Bytes(bytes) => bytes.len() as u64,
        Value::List(values) => values.len() as u64,
        _ => text.chars().count() as u64,
    };
    match valid {
        Valid::Min(least) => crate::constant::order(value, least).is_none_or(std::cmp::Ordering::is_ge),
        Valid::Max(most) => crate::constant::order(value, most).is_none_or(std::cmp::Ordering::is_le),
        Valid::MinLength(least) => length() >= *least,
        Valid::MaxLength(most) => length() <= *most,
        Valid::Pattern(pattern) => matches(pattern, text),
        Valid::Format(format) => has_format(*format, text),
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    thread_local! {
        static COMPILED: RefCell<HashMap<String, Regex>> = RefCell::default();
    }
    COMPILED.with_borrow_mut(|compiled| {
        if let Some(regex) = compiled.get(pattern) {
            return regex.is_match(text);
        }
        // the schema compiler has refused patterns that do not compile
        let Ok(regex) = Regex::new(pattern) else { return false };
        if compiled.len() >= PATTERNS {
            compiled.clear();
        }
        let found = regex.is_match(text);
        compiled.insert(pattern.to_owned(), regex);
        found
    })
}

/// The named forms. E-mail: one `@`, no spaces or controls, a dotted or single-label
/// domain of letters, digits and hyphens (WHATWG's form without quoted local parts).
fn has_format(format: Format, text: &str) -> bool {
    match format {
        Format::Email => is_email(text),
        Format::Url => {
            let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
            rest.is_some_and(|rest| {
                let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
                !host.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
            })
        }
        Format::Slug => {
            !text.is_empty()
                && text.split('-').all(|part| {
                    !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                })
        }
        Format::Uuid => uuid::Uuid::parse_str(text).is_ok() && text.len() == 36,
        Format::Phone => text.strip_prefix('+').is_some_and(|digits| {
            (7..=15).contains(&digits.len())
                && !digits.starts_with('0')
                && digits.bytes().all(|b| b.is_ascii_digit())
        }),
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let local_ok = !local.is_empty()
        && local.len() <= 64
        && local.chars().all(|c| c.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c));
    let label_ok = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    local_ok && domain.len() <= 253 && domain.split('.').all(label_ok)
}
