//! [`render`]: the reply to a request → the bytes of its response.

use crate::answer::{Action, Answer};
use crate::csv_rows;
use crate::json::{self, Form};
use crate::page::{self, content_range};
use crate::prefer::Representation;
use crate::request::Response;
use crate::wire_error::{self, Audience};
use backstay_query::reply::{Part, Shape};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands unescaped in a `Location`.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The answer to OPTIONS: what may be done with any table.
#[must_use]
pub fn options() -> Response {
    Response {
        status: 200,
        headers: vec![("Allow", "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE".to_owned())],
        body: Bytes::new(),
    }
}

/// Writes the response. `shape` is that of the rows, where the query answers with rows.
#[must_use]
pub fn render(answer: &Answer, shape: Option<&Shape<'_>>, part: &Part) -> Response {
    let mut response = match &answer.action {
        Action::Read => read(answer, shape, part),
        Action::Insert { merge, representation } => {
            let status = if *merge && part.inserted == 0 { 200 } else { 201 };
            insert(answer, *representation, status, shape, part)
        }
        Action::Put { representation, .. } => {
            let status = match (part.inserted, representation) {
                (0, Representation::Full) => 200,
                (0, Representation::HeadersOnly | Representation::Minimal) => 204,
                (_, _) => 201,
            };
            insert(answer, *representation, status, shape, part)
        }
        Action::Update { representation } => {
            let range = content_range(0, part.affected, answer.counted.then_some(part.affected));
            change(answer, *representation, range, shape, part)
        }
        Action::Delete { representation } => {
            let range = content_range(0, 0, answer.counted.then_some(part.affected));
            change(answer, *representation, range, shape, part)
        }
    };
    response.headers.extend(answer.applied.clone().map(|applied| ("Preference-Applied", applied)));
    if answer.profiled {
        response.headers.push(("Content-Profile", "public".to_owned()));
    }
    response
}

fn read(answer: &Answer, shape: Option<&Shape<'_>>, part: &Part) -> Response {
    let rows = part.rows.count;
    let range = content_range(answer.offset, rows, part.total);
    if let Some(total) = part.total.filter(|total| answer.offset > *total) {
        let fault = page::unsatisfiable(format!(
            "An offset of {} was requested, but there are only {total} rows.",
            answer.offset
        ));
        let mut response = wire_error::render_fault(&fault, Audience::SignedIn);
        response.headers.push(("Content-Range", range));
        if answer.head {
            response.body = Bytes::new();
        }
        return response;
    }
    let status = if part.total.is_some_and(|total| rows < total) { 206 } else { 200 };
    let mut headers = vec![("Content-Type", answer.media.content_type.to_owned())];
    headers.push(("Content-Range", range));
    let body = if answer.head { Bytes::new() } else { body(answer, Form::all(answer), shape, part) };
    Response { status, headers, body }
}

fn insert(
    answer: &Answer,
    representation: Representation,
    status: u16,
    shape: Option<&Shape<'_>>,
    part: &Part,
) -> Response {
    let mut headers = Vec::new();
    if representation == Representation::HeadersOnly {
        headers.extend(location(answer, part).map(|location| ("Location", location)));
    }
    let range = content_range(0, 0, answer.counted.then_some(part.affected));
    headers.push(("Content-Range", range));
    represented(answer, representation, Response { status, headers, body: Bytes::new() }, shape, part)
}

fn change(
    answer: &Answer,
    representation: Representation,
    range: String,
    shape: Option<&Shape<'_>>,
    part: &Part,
) -> Response {
    let status = if representation == Representation::Full { 200 } else { 204 };
    let headers = vec![("Content-Range", range)];
    represented(answer, representation, Response { status, headers, body: Bytes::new() }, shape, part)
}

fn represented(
    answer: &Answer,
    representation: Representation,
    mut response: Response,
    shape: Option<&Shape<'_>>,
    part: &Part,
) -> Response {
    if representation == Representation::Full {
        response.headers.insert(0, ("Content-Type", answer.media.content_type.to_owned()));
        response.body = body(answer, Form::page(answer), shape, part);
    }
    response
}

fn body(answer: &Answer, form: Form, shape: Option<&Shape<'_>>, part: &Part) -> Bytes {
    match shape {
        Some(shape) if answer.media.csv => csv_rows::rows(&part.rows, shape, form).into(),
        None if answer.media.csv => Bytes::new(),
        Some(shape) => json::rows(&part.rows, shape, form).into(),
        None if answer.media.singular => Bytes::from_static(b"null"),
        None => Bytes::from_static(b"[]"),
    }
}

impl Form {
    const fn all(answer: &Answer) -> Self {
        let media = answer.media;
        Self { singular: media.singular, strip_nulls: media.strip_nulls, skip: 0, take: u64::MAX }
    }

    /// The page of a written representation, which no engine cuts.
    fn page(answer: &Answer) -> Self {
        Self { skip: answer.offset, take: answer.limit.unwrap_or(u64::MAX), ..Self::all(answer) }
    }
}

/// `/product?id=eq.…` for the one row that was inserted.
fn location(answer: &Answer, part: &Part) -> Option<String> {
    let values = part.key.as_ref()?;
    let pairs: Vec<String> = answer
        .key
        .iter()
        .zip(values)
        .map(|(name, value)| {
            format!("{}=eq.{}", utf8_percent_encode(name, PLAIN), utf8_percent_encode(value, PLAIN))
        })
        .collect();
    if pairs.is_empty() {
        return None;
    }
    Some(format!("/{}?{}", utf8_percent_encode(&answer.table, PLAIN), pairs.join("&")))
}

#[cfg(test)]
mod tests;
