//! The way of a data request without a socket: the same calls as `server/src/pipeline.rs`.

use crate::request::Request;
use backstay_base::clock::Clock;
use backstay_base::fault::Fault;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_policy::caller::Caller;
use backstay_policy::visible::visible;
use backstay_policy::weave::weave;
use backstay_query::reply::Shape;
use backstay_query::resolve::{Reach, resolve};
use backstay_rest::openapi;
use backstay_rest::parse::parse;
use backstay_rest::render::render;
use backstay_rest::request::{Request as RestRequest, Response, Settings};
use backstay_rest::wire_error::{Audience, render_fault};
use backstay_schema::catalog::Catalog;
use backstay_testkit::store::{NOW_MICROS, Store, info};
use std::sync::Arc;

/// Everything that leaves the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// Answers one request.
pub async fn answer(
    store: &Store,
    catalog: &Arc<Catalog>,
    caller: &Caller,
    request: &Request,
    seed: u64,
) -> Answer {
    let response = match run(store, catalog, caller, request, seed).await {
        Ok(response) => response,
        Err(fault) => {
            assert_ne!(fault.code.text, "XX000", "{fault:?} {:?}\n{request:?}", fault.source);
            render_fault(&fault, Audience::SignedIn)
        }
    };
    Answer {
        status: response.status,
        headers: response.headers,
        body: String::from_utf8(response.body.to_vec()).unwrap(),
    }
}

async fn run(
    store: &Store,
    catalog: &Arc<Catalog>,
    caller: &Caller,
    request: &Request,
    seed: u64,
) -> Result<Response, Fault> {
    let headers: Vec<(&str, &str)> =
        request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let rest = RestRequest {
        method: request.method,
        path: &request.path,
        query: Some(&request.query),
        headers: &headers,
        body: request.body.as_bytes(),
    };
    let settings = Settings { tx_rollback_allowed: true, aggregates_allowed: true, ..Settings::default() };
    if openapi::is_asked(&rest) {
        openapi::check(&rest, &settings)?;
        let visible = visible(catalog, caller, &info())?;
        return Ok(openapi::render(&rest, catalog, &visible));
    }
    let mut parsed = parse(&rest, &settings)?;
    parsed.answer.bind(catalog)?;
    let steps = [(parsed.query, parsed.expect)];
    let script = resolve(catalog, &steps, parsed.end, Reach::Public, &Limits::default())?;
    let ids = Ids::seeded(Clock::fixed(NOW_MICROS), seed);
    let guarded = weave(script, caller, &info(), catalog, &ids)?;
    let shape = guarded.inner().steps[0].query.answer().map(Shape::of);
    let reply = store.engine.run(&guarded).await?;
    Ok(render(&parsed.answer, shape.as_ref(), &reply.parts[0]))
}
