//! [`Form`]: a read without the values of its plain equalities (`id=eq.…`), so that the same
//! read with other values is known again. Request in, text and values out; nothing is judged here,
//! and a form that means nothing is never met again.

use crate::parameter::{self, Plus, decoded};
use crate::request::Request;
use backstay_query::named::{Comparison, Filter, Operand, Query, Test};
use std::borrow::Cow;

/// Longest form that is kept, in bytes.
const LONGEST: usize = 2_048;

/// Stands for a value; no request line holds it.
const HOLE: char = '\0';

/// Headers that say nothing of a read: who asks is known otherwise, and rules that ask for a
/// header are told apart by whoever keeps what they came to.
const NOISE: [&str; 12] = [
    "apikey",
    "authorization",
    "cookie",
    "forwarded",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-backstay-pos",
    "x-client-info",
    "x-forwarded-for",
    "x-real-ip",
    "x-request-id",
];

/// A read without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form<'r> {
    /// Method, path, query and headers, with holes.
    pub text: String,
    /// What stood in the holes, in order.
    pub values: Vec<Cow<'r, str>>,
}

impl<'r> Form<'r> {
    /// The form of a request; none where it is no read, or too long.
    #[must_use]
    pub fn of(request: &Request<'r>) -> Option<Self> {
        if !matches!(request.method, "GET" | "HEAD") {
            return None;
        }
        let mut form = Self { text: String::with_capacity(256), values: Vec::new() };
        form.push(request.method)?;
        form.text.push(' ');
        form.push(request.path)?;
        for piece in request.query?.split('&') {
            form.text.push('&');
            match piece.split_once("=eq.") {
                Some((name, value)) if is_plain(name) => {
                    form.push(name)?;
                    form.text.push(HOLE);
                    form.values.push(decoded(value, Plus::IsSpace).ok()?);
                }
                _ => form.push(piece)?,
            }
        }
        for (name, value) in request.headers {
            if !NOISE.contains(name) {
                form.text.push('\n');
                form.push(name)?;
                form.text.push(':');
                form.push(value)?;
            }
        }
        Some(form)
    }

    fn push(&mut self, text: &str) -> Option<()> {
        let is_whole = !text.bytes().any(|byte| byte == HOLE as u8 || byte == b'\n');
        let fits = is_whole && self.text.len() + text.len() <= LONGEST;
        fits.then(|| self.text.push_str(text))
    }

    /// The fields whose values were taken out of the query, where they are just those of the form.
    #[must_use]
    pub fn fields<'q>(&self, query: &'q Query) -> Option<Vec<&'q str>> {
        let Query::Select(select) = query else { return None };
        let compared = select.filters.iter().filter_map(equality).collect::<Vec<_>>();
        let same = compared.iter().map(|(_, text)| *text).eq(self.values.iter().map(AsRef::as_ref));
        same.then(|| compared.into_iter().map(|(field, _)| field).collect())
    }

    /// Makes the query one that takes its values with each run.
    pub fn generalize(query: &mut Query) {
        let Query::Select(select) = query else { return };
        let operands = select.filters.iter_mut().filter_map(|filter| match filter {
            Filter::Field(field, Test::Compare(Comparison::Eq, operand)) if field.path.is_empty() => {
                Some(operand)
            }
            _ => None,
        });
        for (index, operand) in operands.enumerate() {
            *operand = Operand::Given(index);
        }
    }
}

/// A name as most columns have it, which means nothing but a filter.
fn is_plain(name: &str) -> bool {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    !name.is_empty() && letters && !parameter::is_reserved(name)
}

fn equality(filter: &Filter) -> Option<(&str, &str)> {
    match filter {
        Filter::Field(field, Test::Compare(Comparison::Eq, Operand::Text(text))) if field.path.is_empty() => {
            Some((&field.name, text))
        }
        _ => None,
    }
}
