//! Requests with slips of the hand and worse.

use crate::request::Request;
use rand::Rng;
use rand::rngs::StdRng;

/// What is put in: the dialect's own signs, other languages' signs, names, numbers.
const PIECES: &[&str] = &[
    "(",
    ")",
    ",",
    ".",
    ":",
    "::",
    "!",
    "!inner",
    "*",
    "->",
    "->>",
    "\"",
    "'",
    "\\",
    "%",
    "%00",
    "%ff",
    "%27",
    "&",
    "=",
    ";",
    "--",
    "/*",
    "{",
    "}",
    "[",
    "]",
    "not.",
    "or=",
    "and=(",
    "in.(",
    "is.",
    "eq.",
    "order=",
    "limit=",
    "offset=",
    "select=",
    "columns=",
    "on_conflict=id",
    "...",
    "count",
    "sum()",
    "null",
    "id",
    "doc",
    "notes",
    "owner",
    "_backstay_account",
    "sqlite_schema",
    "rowid",
    "oid",
    "NaN",
    "1e999",
    "-1",
    "99999999999999999999",
    "::int",
    "::text",
    "::nothing",
    "\u{202e}",
    "é",
    "💥",
];

/// A request with one to four pieces put in, taken out or doubled.
pub fn mangled(mut request: Request, rng: &mut StdRng) -> Request {
    for _ in 0..rng.random_range(1..5) {
        let text = match rng.random_range(0..8) {
            0 => &mut request.path,
            1 => &mut request.body,
            _ => &mut request.query,
        };
        let at = place(text, rng);
        match rng.random_range(0..4) {
            0 => {
                let end = place(text, rng).max(at);
                text.replace_range(at..end.min(text.len()), "");
            }
            1 => {
                let end = place(text, rng);
                let (start, end) = (at.min(end), at.max(end));
                let piece = text[start..end].to_owned();
                text.insert_str(at, &piece);
            }
            _ => text.insert_str(at, PIECES[rng.random_range(0..PIECES.len())]),
        }
    }
    request
}

fn place(text: &str, rng: &mut StdRng) -> usize {
    let mut at = rng.random_range(0..=text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
