//! [`Form`]: a read without the values of its plain equalities (`id=eq.…`), or an insert without the
//! cells of its row, so that the same with other values is known again. Request in, text and values
//! out; nothing is judged here, and a form that means nothing is never met again.

use crate::body::{self, Rows, Rules};
use crate::media::{self, BodyForm};
use crate::parameter::{self, Plus, decoded};
use crate::request::Request;
use backstay_base::limit::Limits;
use backstay_query::named::{Comparison, Filter, Input, Operand, Query, Test};
use std::borrow::Cow;

/// Longest form that is kept, in bytes.
const LONGEST: usize = 2_048;

/// Stands for a value; no request line holds it.
const HOLE: char = '\0';

/// Headers that say nothing of a request: who asks is known otherwise, and rules that ask for a
/// header are told apart by whoever keeps what they came to.
const NOISE: [&str; 13] = [
    "apikey",
    "authorization",
    "content-length",
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

/// A request without its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Form<'r> {
    /// Method, path, query, headers and the names of the body, with holes.
    pub text: String,
    /// What stood in the holes of a read, in order.
    pub values: Vec<Cow<'r, str>>,
    /// The row of an insert.
    body: Option<Rows>,
}

/// A body that was read.
#[derive(Debug)]
pub struct Body(pub(crate) Rows);

impl<'r> Form<'r> {
    /// The form of a request; none where it is neither a read nor the insert of an object, or too long.
    #[must_use]
    pub fn of(request: &Request<'r>, limits: &Limits) -> Option<Self> {
        let mut form = Self { text: String::with_capacity(256), values: Vec::new(), body: None };
        match request.method {
            "GET" | "HEAD" => form.read(request)?,
            "POST" => form.insert(request, limits)?,
            _ => return None,
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

    fn read(&mut self, request: &Request<'r>) -> Option<()> {
        let form = self;
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
        Some(())
    }

    /// An insert of one object, the way most are. What is refused in its body is refused in its turn.
    fn insert(&mut self, request: &Request<'r>, limits: &Limits) -> Option<()> {
        let query = request.query.unwrap_or_default();
        let is_object = request.body.trim_ascii_start().first() == Some(&b'{');
        // `columns=` says which members count
        let counts = |piece: &str| {
            let name = piece.split('=').next().unwrap_or_default();
            name == "columns" || name.contains(['%', '+'])
        };
        if !is_object || query.split('&').any(counts) || media::body_form(request).ok()? != BodyForm::Json {
            return None;
        }
        self.push(request.method)?;
        self.text.push(' ');
        self.push(request.path)?;
        self.text.push('?');
        self.push(query)?;
        let body = body::rows(request.body, Rules { columns: None, missing_default: false, limits }).ok()?;
        for name in &body.columns {
            self.text.push(HOLE);
            self.push(name)?;
        }
        self.body = Some(body);
        Some(())
    }

    /// The cells of the row of an insert, in the order of the names in its form.
    #[must_use]
    pub fn cells(&self) -> Option<&[Input]> {
        self.body.as_ref().and_then(|body| body.rows.first()).map(Vec::as_slice)
    }

    /// What was read of the body, so that it is not read twice.
    pub fn take_body(&mut self) -> Option<Body> {
        self.body.take().map(Body)
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
