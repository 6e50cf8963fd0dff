//! From a parsed HTTP request to a door and back. A panic on the way answers 500
//! and ends nothing else.

use crate::app::App;
use crate::door::Head;
use crate::pipeline::Outcome;
use crate::request_log::Line;
use crate::{auth_door, body, cors, mailbox_door, pipeline};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_rest::request::Response as Answer;
use backstay_rest::wire_error::Audience;
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
    let head = Head {
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
            pipeline::refused(&Fault::internal("a request panicked"), Audience::SignedIn, "-")
        })
    };
    app.metrics.answered((head.path, head.method), &outcome.response, outcome.code, began.elapsed());
    app.log.write(|| line(&head, &outcome, began));
    let mut response = to_http(outcome.response);
    cors::apply(&app.edge, parts.headers.get(header::ORIGIN), response.headers_mut());
    if cors::is_preflight(head.method, head.headers) {
        cors::preflight(head.headers, response.headers_mut());
    }
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
        return pipeline::refused(&fault, Audience::Anon, "-");
    }
    if head.path.starts_with("/auth/v1/") {
        return match body::read(body, limits).await {
            Ok(body) => plain(auth_door::answer(app, head, &body).await),
            Err(fault) => plain(auth_door::refusal(head, &fault)),
        };
    }
    if head.path.starts_with("/rest/v1/") {
        if head.method == "OPTIONS" {
            return plain(backstay_rest::render::options());
        }
        return match body::read(body, limits).await {
            Ok(body) => pipeline::rest(app, head, &body).await,
            Err(fault) => pipeline::refused(&fault, Audience::Anon, "-"),
        };
    }
    if let Some(letters) = mailbox_door::answer(app.mailbox.as_deref(), head) {
        return plain(letters);
    }
    let fault = Fault::new(code::PATH_INVALID, "Invalid path specified in request URL");
    pipeline::refused(&fault, Audience::Anon, "-")
}

fn plain(response: Answer) -> Outcome {
    Outcome { response, who: "-".to_owned(), rows: None, rules: None, code: None }
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

fn line(head: &Head<'_>, outcome: &Outcome, began: Instant) -> Line {
    let query = head.query.map_or_else(String::new, |query| format!("?{query}"));
    Line {
        method: head.method.to_owned(),
        target: format!("{}{query}", head.path),
        status: outcome.response.status,
        rows: outcome.rows,
        micros: began.elapsed().as_micros(),
        who: outcome.who.clone(),
        rules: outcome.rules.clone(),
    }
}
