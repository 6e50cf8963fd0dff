//! From a parsed HTTP request to a door and back. A panic on the way answers 500
//! and ends nothing else.

use crate::app::App;
use crate::caller::Identified;
use crate::door::Head;
use crate::pipeline::Outcome;
use crate::request_log::Line;
use crate::trace_parent::TraceParent;
use crate::{auth_door, body, cors, mailbox_door, metrics, pipeline, request_id};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_rest::request::Response as Answer;
use backstay_rest::wire_error::Audience;
use backstay_schema::catalog::Origin;
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{self, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

/// Answers one request of a connection from `peer`.
pub async fn serve<B>(app: Arc<App>, request: Request<B>, peer: IpAddr) -> Response<Full<Bytes>>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let began = Instant::now();
    let _present = app.metrics.request();
    let (parts, body) = request.into_parts();
    let id = app.request_ids.of(&parts.headers);
    let head = Head {
        id: id.to_str().unwrap_or_default(),
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query(),
        headers: &parts.headers,
        ip: app.edge.proxies.client(peer, &parts.headers),
    };
    let outcome = if cors::is_preflight(head.method, head.headers) {
        plain(Answer { status: 204, headers: Vec::new(), body: Bytes::new() })
    } else {
        let answered = AssertUnwindSafe(route(&app, &head, body)).catch_unwind().await;
        answered.unwrap_or_else(|_| {
            // the panic hook has written the place to the log
            let fault = Fault::internal("a request panicked");
            pipeline::log_source(&head, &fault);
            pipeline::refused(&fault, Audience::SignedIn, None)
        })
    };
    app.metrics.answered((head.path, head.method), &outcome.response, outcome.code, began.elapsed());
    app.log.write(outcome.response.status, || line(&app, &head, &outcome, began));
    let mut response = to_http(outcome.response);
    cors::apply(&app.edge, parts.headers.get(header::ORIGIN), response.headers_mut());
    if cors::is_preflight(head.method, head.headers) {
        cors::preflight(head.headers, response.headers_mut());
    }
    response.headers_mut().insert(request_id::HEADER, id);
    response
}

async fn route<B>(app: &App, head: &Head<'_>, body: B) -> Outcome
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let limits = &app.rest.limits;
    let target = head.path.len() + head.query.map_or(0, str::len);
    if target > limits.target_bytes {
        let fault = Fault::new(code::TOO_COMPLEX, "the request target is too long")
            .with_details(format!("The limit target_bytes is {} bytes.", limits.target_bytes));
        return pipeline::refused(&fault, Audience::Anon, None);
    }
    // refused before the body is read: what cannot be worked on is not taken in
    let _place = match app.intake().request() {
        Ok(place) => place,
        Err(fault) => return unread(head, &fault),
    };
    if let Err(fault) = body::is_plain(head.header("content-encoding")) {
        return unread(head, &fault);
    }
    if head.path.starts_with("/auth/v1/") {
        return match body::read(body, app.intake(), limits).await {
            // kept out of the state of a data request, which is moved about
            Ok(body) => plain(Box::pin(auth_door::answer(app, head, &body.bytes)).await),
            Err(fault) => plain(auth_door::refusal(head, &fault)),
        };
    }
    if head.path.starts_with("/rest/v1/") {
        if head.method == "OPTIONS" {
            return plain(backstay_rest::render::options());
        }
        return match body::read(body, app.intake(), limits).await {
            Ok(body) => pipeline::rest(app, head, &body.bytes).await,
            Err(fault) => pipeline::refused(&fault, Audience::Anon, None),
        };
    }
    if let Some(letters) = mailbox_door::answer(app.mailbox.as_deref(), head) {
        return plain(letters);
    }
    let fault = Fault::new(code::PATH_INVALID, "Invalid path specified in request URL");
    pipeline::refused(&fault, Audience::Anon, None)
}

/// Nothing of the request was looked at but its path, which says in whose words it is refused.
fn unread(head: &Head<'_>, fault: &Fault) -> Outcome {
    if head.path.starts_with("/auth/v1/") {
        return Outcome { code: Some(fault.code.text), ..plain(auth_door::refusal(head, fault)) };
    }
    pipeline::refused(fault, Audience::Anon, None)
}

fn plain(response: Answer) -> Outcome {
    Outcome { response, who: None, rows: None, rules: None, code: None, engine_micros: None }
}

fn to_http(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let (Some(name), Ok(value)) = (header_name(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// Those of nearly every answer need not be read.
fn header_name(name: &'static str) -> Option<HeaderName> {
    match name {
        "Content-Type" => Some(header::CONTENT_TYPE),
        "Content-Range" => Some(header::CONTENT_RANGE),
        other => HeaderName::try_from(other).ok(),
    }
}

fn line(app: &App, head: &Head<'_>, outcome: &Outcome, began: Instant) -> Line {
    let query = head.query.filter(|_| !head.path.starts_with("/auth/v1/"));
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    let role = |who: &Identified| who.role().to_owned();
    Line {
        id: head.id.to_owned(),
        method: head.method.to_owned(),
        target: format!("{}{query}", head.path),
        door: metrics::door(head.path),
        route: head.route(),
        table: table(app, head),
        status: outcome.response.status,
        code: outcome.code,
        rows: outcome.rows,
        bytes: outcome.response.body.len(),
        micros: began.elapsed().as_micros(),
        engine_micros: outcome.engine_micros,
        parent: if app.log.traces() { TraceParent::of(head.headers) } else { None },
        role: outcome.who.as_ref().map_or_else(|| "-".to_owned(), role),
        who: outcome.who.as_ref().map_or_else(|| "-".to_owned(), Identified::name),
        rules: outcome.rules.clone(),
    }
}

/// The table that the path names, where a schema declares it: nothing else of a path is told.
fn table(app: &App, head: &Head<'_>) -> Option<String> {
    let name = head.path.strip_prefix("/rest/v1/")?;
    let catalog = app.catalog().ok()?;
    let found = catalog.tables.iter().find(|table| table.name == name && table.origin != Origin::System)?;
    Some(found.name.clone())
}
