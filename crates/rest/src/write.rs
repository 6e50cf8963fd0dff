//! Writes: POST, PUT, PATCH and DELETE → [`Insert`], [`Update`], [`Delete`].

use crate::answer::{Action, put_filters};
use crate::body::{self, Rows, Rules};
use crate::form::Body;
use crate::lines;
use crate::media::{self, BodyForm};
use crate::parse::{Envelope, Parsed};
use crate::prefer::{Preferences, Representation};
use crate::read::Target;
use crate::request::{Request, Settings};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::named::{
    Comparison, Conflict, ConflictAction, Delete, Filter, Input, Insert, Operand, Query, Select, Test, Update,
};
use backstay_query::plan::{End, Expect};

/// POST: new rows, or an upsert.
pub(crate) fn insert(
    (request, read): (&Request<'_>, Option<Body>),
    settings: &Settings,
    target: Target,
    envelope: Envelope,
) -> Result<Parsed, Fault> {
    let preferences = &envelope.preferences;
    let representation = preferences.representation.unwrap_or(Representation::Minimal);
    let body = match read {
        Some(Body(body)) => body,
        None => rows(request, settings, target.columns.as_deref(), preferences)?,
    };
    let conflict = preferences.resolution.map(|action| Conflict { columns: target.on_conflict, action });
    let merge = preferences.resolution == Some(ConflictAction::Merge);
    let insert = Insert {
        table: target.select.table.clone(),
        columns: body.columns,
        rows: body.rows,
        conflict,
        returning: returning(target.select, representation),
    };
    Ok(finish(Query::Insert(insert), Action::Insert { merge, representation }, envelope))
}

/// PUT: one row, by its key.
pub(crate) fn put(
    request: &Request<'_>,
    settings: &Settings,
    target: Target,
    envelope: Envelope,
) -> Result<Parsed, Fault> {
    if target.paged || request.header("range").is_some() {
        return Err(Fault::new(
            code::PUT_LIMIT,
            "limit/offset querystring parameters are not allowed for PUT",
        ));
    }
    let preferences = &envelope.preferences;
    let representation = preferences.representation.unwrap_or(Representation::Minimal);
    let keys = key_filters(&target.select.filters)?;
    let body = rows(request, settings, target.columns.as_deref(), preferences)?;
    let [row] = body.rows.as_slice() else { return Err(put_key()) };
    let agrees = |(name, text): &(&str, &str)| {
        let place = body.columns.iter().position(|column| column == name);
        place.and_then(|place| row.get(place)).is_some_and(|cell| says(cell, text))
    };
    if !keys.iter().all(agrees) {
        return Err(put_key());
    }
    let filtered: Vec<String> = keys.iter().map(|(name, _)| (*name).to_owned()).collect();
    let select = Select { filters: Vec::new(), ..target.select };
    let insert = Insert {
        table: select.table.clone(),
        conflict: Some(Conflict { columns: filtered.clone(), action: ConflictAction::Replace }),
        returning: returning(select, representation),
        columns: body.columns,
        rows: body.rows,
    };
    Ok(finish(Query::Insert(insert), Action::Put { filtered, representation }, envelope))
}

/// PATCH. An empty body changes nothing: names are checked, no row is touched.
pub(crate) fn update(
    request: &Request<'_>,
    settings: &Settings,
    target: Target,
    envelope: Envelope,
) -> Result<Parsed, Fault> {
    let representation = envelope.preferences.representation.unwrap_or(Representation::Minimal);
    let action = Action::Update { representation };
    let mut body = rows(request, settings, target.columns.as_deref(), &envelope.preferences)?;
    if body.rows.len() > 1 {
        return Err(Fault::new(code::BODY_INVALID, "an update takes one object")
            .with_hint("send one object whose members are the new values"));
    }
    let cells = body.rows.pop().unwrap_or_default();
    if cells.is_empty() {
        let nothing = Select { limit: Some(0), offset: 0, ..target.select };
        return Ok(finish(Query::Select(nothing), action, envelope));
    }
    filtered("UPDATE", &target.select.filters, settings)?;
    let update = Update {
        table: target.select.table.clone(),
        assign: body.columns.into_iter().zip(cells).collect(),
        filters: target.select.filters.clone(),
        returning: returning(target.select, representation),
    };
    Ok(finish(Query::Update(update), action, envelope))
}

/// DELETE.
pub(crate) fn delete(settings: &Settings, target: Target, envelope: Envelope) -> Result<Parsed, Fault> {
    let representation = envelope.preferences.representation.unwrap_or(Representation::Minimal);
    filtered("DELETE", &target.select.filters, settings)?;
    let delete = Delete {
        table: target.select.table.clone(),
        filters: target.select.filters.clone(),
        returning: returning(target.select, representation),
    };
    Ok(finish(Query::Delete(delete), Action::Delete { representation }, envelope))
}

fn rows(
    request: &Request<'_>,
    settings: &Settings,
    columns: Option<&[String]>,
    preferences: &Preferences,
) -> Result<Rows, Fault> {
    let missing_default = preferences.missing_default == Some(true);
    let rules = Rules { columns, missing_default, limits: &settings.limits };
    match media::body_form(request)? {
        BodyForm::Json => body::rows(request.body, rules),
        BodyForm::Csv => lines::rows(request.body, rules),
        BodyForm::Urlencoded => lines::row(request.body, rules),
    }
}

/// What a write answers with. Filters chose the rows already; pages are cut by `render`.
fn returning(select: Select, representation: Representation) -> Option<Select> {
    (representation == Representation::Full).then(|| Select {
        filters: Vec::new(),
        limit: None,
        offset: 0,
        ..select
    })
}

fn filtered(verb: &str, filters: &[Filter], settings: &Settings) -> Result<(), Fault> {
    if settings.unfiltered_writes_allowed || !filters.is_empty() {
        return Ok(());
    }
    Err(Fault::new(code::CARDINALITY, format!("{verb} requires a WHERE clause")))
}

/// The columns and texts of filters that are all `column=eq.text`.
fn key_filters(filters: &[Filter]) -> Result<Vec<(&str, &str)>, Fault> {
    if filters.is_empty() {
        return Err(put_filters());
    }
    filters
        .iter()
        .map(|filter| match filter {
            Filter::Field(field, Test::Compare(Comparison::Eq, Operand::Text(text)))
                if field.path.is_empty() =>
            {
                Ok((field.name.as_str(), text.as_str()))
            }
            Filter::Field(..) | Filter::And(_) | Filter::Or(_) | Filter::Not(_) => Err(put_filters()),
        })
        .collect()
}

/// Whether a cell of the body says the same as a filter.
fn says(cell: &Input, text: &str) -> bool {
    match cell {
        Input::Text(cell) => cell == text || cell.eq_ignore_ascii_case(text) && uuid_like(text),
        Input::Number(cell) => cell == text,
        Input::Bool(cell) => (if *cell { "true" } else { "false" }) == text,
        Input::Default | Input::Null | Input::Json(_) | Input::Value(_) => false,
    }
}

/// UUIDs are equal in either case.
fn uuid_like(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

fn put_key() -> Fault {
    Fault::new(code::PUT_KEY, "Payload values do not match URL in primary key column(s)")
}

fn finish(query: Query, action: Action, envelope: Envelope) -> Parsed {
    let Envelope { preferences, mut answer } = envelope;
    answer.action = action;
    let changes = matches!(query, Query::Update(_) | Query::Delete(_));
    let expect = match preferences.max_affected.filter(|_| changes) {
        _ if matches!(query, Query::Select(_)) && !answer.media.singular => Expect::Any,
        _ if answer.media.singular => Expect::Singular,
        Some(most) => Expect::AtMost(most),
        None => Expect::Any,
    };
    let end = if preferences.rollback == Some(true) { End::Rollback } else { End::Commit };
    Parsed { query, expect, end, answer, deleted: false }
}
