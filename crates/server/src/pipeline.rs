//! The way of a data request, from bytes to bytes.

use crate::app::App;
use crate::caller::{Identified, identify};
use crate::door::Head;
use crate::timing::Timing;
use backstay_base::fault::Fault;
use backstay_policy::caller::{Caller, RequestInfo};
use backstay_policy::guarded::Guarded;
use backstay_policy::weave::weave;
use backstay_query::plan::{Query, Script};
use backstay_query::reply::{Part, Shape};
use backstay_query::resolve::{Reach, resolve};
use backstay_rest::parse::parse;
use backstay_rest::render::render;
use backstay_rest::request::{Request, Response};
use backstay_rest::wire_error::{Audience, render_fault};

/// What a data request came to, with what the request line tells of it.
pub(crate) struct Outcome {
    pub response: Response,
    pub who: String,
    pub rows: Option<u64>,
    pub rules: Option<String>,
}

/// parse → resolve → weave → run → render.
pub(crate) async fn rest(app: &App, head: &Head<'_>, body: &[u8]) -> Outcome {
    let mut timing = Timing::start();
    let identified = match identify(app, head).await {
        Ok(identified) => identified,
        Err(fault) => return refused(&fault, Audience::Anon, "unknown"),
    };
    timing.mark("identify");
    let audience = match identified.caller {
        Caller::Anon => Audience::Anon,
        Caller::User(_) | Caller::Service | Caller::System => Audience::SignedIn,
    };
    match answer(app, head, body, &identified, &mut timing).await {
        Ok((mut response, rows, rules)) => {
            if app.edge.server_timing {
                response.headers.push(("Server-Timing", timing.header()));
            }
            Outcome { response, who: identified.name(), rows: Some(rows), rules }
        }
        Err(fault) => {
            let outcome = refused(&fault, audience, &identified.name());
            log_source(&fault);
            outcome
        }
    }
}

async fn answer(
    app: &App,
    head: &Head<'_>,
    body: &[u8],
    identified: &Identified,
    timing: &mut Timing,
) -> Result<(Response, u64, Option<String>), Fault> {
    let headers = head.pairs();
    let request =
        Request { method: head.method, path: head.rest_path(), query: head.query, headers: &headers, body };
    let mut parsed = parse(&request, &app.rest)?;
    timing.mark("parse");
    let catalog = app.catalog()?;
    parsed.answer.bind(&catalog)?;
    let steps = [(parsed.query, parsed.expect)];
    let script = resolve(&catalog, &steps, parsed.end, Reach::Public, &app.rest.limits)?;
    timing.mark("resolve");
    let info = request_info(app, head);
    let guarded = weave(script, &identified.caller, &info, &catalog, &app.ids)?;
    timing.mark("weave");
    let reply = app.engine.run(&guarded).await?;
    timing.mark("run");
    let shape = shape(&guarded);
    let part = reply.parts.first().cloned().unwrap_or_default();
    let response = render(&parsed.answer, shape.as_ref(), &part);
    timing.mark("render");
    let rules = app.log.is_on().then(|| guarded.trail().describe(&catalog));
    Ok((response, rows(&part), rules))
}

const fn rows(part: &Part) -> u64 {
    if part.affected > 0 { part.affected } else { part.rows.count }
}

/// The shape of what the request answers with.
fn shape(guarded: &Guarded<Script>) -> Option<Shape> {
    let select = match &guarded.inner().steps.first()?.query {
        Query::Select(select) => Some(select),
        Query::Insert(insert) => insert.returning.as_ref(),
        Query::Update(update) => update.returning.as_ref(),
        Query::Delete(delete) => delete.returning.as_ref(),
    };
    select.map(Shape::of)
}

/// What rules may read of the request.
fn request_info(app: &App, head: &Head<'_>) -> RequestInfo {
    RequestInfo {
        now_micros: app.clock.now_micros(),
        method: head.method.to_owned(),
        ip: head.ip.to_string(),
        headers: head
            .pairs()
            .into_iter()
            .filter(|(name, _)| !matches!(*name, "authorization" | "apikey" | "cookie"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    }
}

fn refused(fault: &Fault, audience: Audience, who: &str) -> Outcome {
    let rules = Some(format!("{} {}", fault.code.text, fault.message));
    Outcome { response: render_fault(fault, audience), who: who.to_owned(), rows: None, rules }
}

/// What the caller must not see goes to the log, once.
pub(crate) fn log_source(fault: &Fault) {
    if let Some(source) = &fault.source {
        tracing::error!(fault.code = fault.code.text, "request failed: {source}");
    }
}
