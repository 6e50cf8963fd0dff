//! [`parse`]: one REST request → the query it asks for and how it is to be answered.

use crate::answer::{Action, Answer};
use crate::form::Body;
use crate::media;
use crate::page::{self, Page};
use crate::parameter::{Plus, decoded};
use crate::prefer::{self, Preferences, Use};
use crate::read::{self, Target};
use crate::request::{Request, Settings};
use crate::select::{Alone, refuse_aggregates};
use crate::write;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::named::{Item, Query, Select};
use backstay_query::plan::{End, Expect};
use std::borrow::Cow;

/// A request that parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// What to do.
    pub query: Query,
    /// How many rows it may touch.
    pub expect: Expect,
    /// Whether it is kept.
    pub end: End,
    /// How to answer.
    pub answer: Answer,
    /// `deleted=include`: deleted rows count, for those who may delete them.
    pub deleted: bool,
}

/// The verbs of the dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Get,
    Head,
    Post,
    Patch,
    Delete,
    Put,
}

/// What the headers say.
pub(crate) struct Envelope {
    pub(crate) preferences: Preferences,
    pub(crate) answer: Answer,
}

/// Reads one request. OPTIONS is answered by [`crate::render::options`] instead.
///
/// # Errors
/// PGRST codes of the 100s, 21000, 22021 and 54001.
pub fn parse(request: &Request<'_>, settings: &Settings) -> Result<Parsed, Fault> {
    parse_formed(request, settings, None)
}

/// As [`parse`]; the body of an insert may have been read for its form.
///
/// # Errors
/// As [`parse`].
pub fn parse_formed(request: &Request<'_>, settings: &Settings, body: Option<Body>) -> Result<Parsed, Fault> {
    let verb = verb(request.method)?;
    let table = table(request.path)?;
    profile(request, verb)?;
    let preferences = prefer::preferences(request, settings)?;
    let media = media::media(request)?;
    let mut target = read::target(&table, request.query.unwrap_or_default(), &settings.limits)?;
    if !settings.aggregates_allowed {
        refuse_aggregates(&target.select.items, Alone::Refused)?;
    }
    cap_embeds(&mut target.select, settings.max_rows);
    let answer = Answer {
        action: Action::Read,
        media,
        head: verb == Verb::Head,
        offset: target.select.offset,
        limit: target.select.limit,
        counted: preferences.count.is_some(),
        applied: preferences.applied(purpose(verb)),
        profiled: request.header("accept-profile").or(request.header("content-profile")).is_some(),
        table,
        key: Vec::new(),
    };
    let envelope = Envelope { preferences, answer };
    let deleted = target.deleted;
    let parsed = match verb {
        Verb::Get | Verb::Head => read_rows(request, settings, target, envelope),
        Verb::Post => write::insert((request, body), settings, target, envelope),
        Verb::Put => write::put(request, settings, target, envelope),
        Verb::Patch => write::update(request, settings, target, envelope),
        Verb::Delete => write::delete(settings, target, envelope),
    }?;
    Ok(Parsed { deleted, ..parsed })
}

fn read_rows(
    request: &Request<'_>,
    settings: &Settings,
    target: Target,
    envelope: Envelope,
) -> Result<Parsed, Fault> {
    let mut select = target.select;
    let asked = Page { offset: select.offset, limit: select.limit };
    let page = match request.header("range") {
        Some(header) => asked.within(page::range(header)?),
        None => asked,
    };
    select.offset = page.offset;
    select.limit = Some(page.limit.map_or(settings.max_rows, |limit| limit.min(settings.max_rows)));
    select.count = envelope.preferences.count.is_some();
    let singular = envelope.answer.media.singular;
    let answer = Answer { offset: page.offset, ..envelope.answer };
    let expect = if singular { Expect::Singular } else { Expect::Any };
    Ok(Parsed { query: Query::Select(select), expect, end: End::Commit, answer, deleted: false })
}

/// The cap on rows holds for each embed as for the rows themselves, as in PostgREST.
fn cap_embeds(select: &mut Select, max_rows: u64) {
    for item in &mut select.items {
        if let Item::Embed(embed) = item {
            let asked = embed.select.limit.unwrap_or(max_rows);
            embed.select.limit = Some(asked.min(max_rows));
            cap_embeds(&mut embed.select, max_rows);
        }
    }
}

fn verb(method: &str) -> Result<Verb, Fault> {
    Ok(match method {
        "GET" => Verb::Get,
        "HEAD" => Verb::Head,
        "POST" => Verb::Post,
        "PATCH" => Verb::Patch,
        "DELETE" => Verb::Delete,
        "PUT" => Verb::Put,
        other => return Err(Fault::new(code::METHOD, format!("Unsupported HTTP method: {other}"))),
    })
}

const fn purpose(verb: Verb) -> Use {
    match verb {
        Verb::Get | Verb::Head => Use::Read,
        Verb::Post | Verb::Put => Use::Insert,
        Verb::Patch => Use::Update,
        Verb::Delete => Use::Delete,
    }
}

/// The table that a path names.
fn table(path: &str) -> Result<String, Fault> {
    let path = path.trim_end_matches('/');
    if path.is_empty() {
        return Err(Fault::new(code::NO_OPENAPI, "Accessing the schema via the REST root is disabled"));
    }
    if let Some(function) = path.strip_prefix("rpc/") {
        let name = decoded(function, Plus::IsPlus)?;
        return Err(Fault::new(
            code::NO_FUNCTION,
            format!("Could not find the function public.{name} in the schema cache"),
        ));
    }
    if path.contains('/') {
        return Err(Fault::new(code::PATH_INVALID, "Invalid path specified in request URL"));
    }
    decoded(path, Plus::IsPlus).map(Cow::into_owned)
}

/// Only the schema `public` is there.
fn profile(request: &Request<'_>, verb: Verb) -> Result<(), Fault> {
    let name = match verb {
        Verb::Get | Verb::Head => "accept-profile",
        Verb::Post | Verb::Patch | Verb::Delete | Verb::Put => "content-profile",
    };
    match request.header(name) {
        None | Some("public") => Ok(()),
        Some(other) => Err(Fault::new(code::SCHEMA_NOT_EXPOSED, format!("Invalid schema: {other}"))
            .with_hint("Only the following schemas are exposed: public")),
    }
}

#[cfg(test)]
mod tests;
