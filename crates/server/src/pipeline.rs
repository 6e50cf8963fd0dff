//! The way of a data request, from bytes to bytes.

use crate::app::App;
use crate::caller::{Identified, identify};
use crate::door::Head;
use crate::limiter;
use crate::prepare::{Ready, With, prepare};
use crate::timing::Timing;
use backstay_base::fault::Fault;
use backstay_engine::position::{Near, Placed};
use backstay_policy::caller::{Caller, RequestInfo};
use backstay_policy::limit::{Charge, Then, embedded};
use backstay_policy::visible::visible;
use backstay_query::plan::Select;
use backstay_query::reply::{Part, Shape};
use backstay_rest::openapi;
use backstay_rest::render::render;
use backstay_rest::request::{Request, Response};
use backstay_rest::wire_error::{Audience, render_fault};

/// Where a write stands among all writes: a caller that shows it with a read does not read
/// from a replica that has not come so far.
const POSITION: &str = "x-backstay-pos";
/// The tenant that a call with a secret key is for; of no meaning from anybody else.
const TENANT: &str = "x-backstay-tenant";

/// What a data request came to, with what the request line tells of it.
pub(crate) struct Outcome {
    pub response: Response,
    /// Who asked, where that is known.
    pub who: Option<Identified>,
    pub rows: Option<u64>,
    pub rules: Option<String>,
    /// Of a refusal.
    pub code: Option<&'static str>,
    /// Time in the engine, in microseconds, where it is wanted.
    pub engine_micros: Option<u64>,
}

/// parse → resolve → weave → run → render.
pub(crate) async fn rest(app: &App, head: &Head<'_>, body: &[u8]) -> Outcome {
    let mut timing = Timing::start(app.edge.server_timing || app.log.traces());
    let identified = match identify(app, head).await {
        Ok(identified) => identified,
        Err(fault) => {
            log_source(head, &fault);
            return refused(&fault, Audience::Anon, None);
        }
    };
    timing.mark("identify");
    let audience = match identified.caller {
        Caller::Anon => Audience::Anon,
        Caller::User(_) | Caller::Service | Caller::System => Audience::SignedIn,
    };
    match answer(app, head, body, &identified, &mut timing).await {
        Ok((mut response, rows, rules)) => {
            if app.edge.server_timing {
                response.headers.extend(timing.header().map(|header| ("Server-Timing", header)));
            }
            let (who, engine_micros) = (Some(identified), timing.of("run"));
            Outcome { response, who, rows: Some(rows), rules, code: None, engine_micros }
        }
        Err(fault) => {
            log_source(head, &fault);
            // names of the schema are for those who may know them, and for who writes it
            let suggests = audience == Audience::SignedIn || app.log.explains();
            let fault =
                if suggests { told(app, head, &identified, fault) } else { fault.without_suggestion() };
            refused(&fault, audience, Some(identified))
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
    if openapi::is_asked(&request) {
        return described(app, head, &request, identified);
    }
    let catalog = app.catalog()?;
    let info = info(app, head, &headers);
    let with = With { settings: &app.rest, recurring: app.recurring(), ids: &app.ids };
    let Ready { guarded, answer, costs } =
        prepare(&with, &request, (&identified.caller, info), &catalog, &mut |stage| timing.mark(stage))?;
    if !costs.is_empty() {
        Box::pin(limiter::take(app, head, &costs)).await?;
    }
    timing.mark("weave");
    let position = headers.iter().find(|(name, _)| *name == POSITION).map(|(_, value)| *value);
    let near = Near { caller: number(&identified.caller), position };
    let Placed { reply, position } = app.engine.run_near(&guarded, near).await?;
    timing.mark("run");
    let select = guarded.inner().steps.first().and_then(|step| step.query.answer());
    let shape = select.map(Shape::of);
    let part = reply.parts.into_iter().next().unwrap_or_default();
    if !costs.is_empty() {
        let embedded = embedded_rows(&costs, select, &part);
        Box::pin(limiter::settle(app, head, &costs, rows(&part), &embedded)).await;
    }
    let mut response = render(&answer, shape.as_ref(), &part);
    response.headers.extend(position.map(|position| (POSITION, position)));
    timing.mark("render");
    let rules = app.log.explains().then(|| guarded.trail().describe(&catalog));
    Ok((response, rows(&part), rules))
}

/// A refusal with those of its choices that name what this caller may read.
fn told(app: &App, head: &Head<'_>, identified: &Identified, fault: Fault) -> Fault {
    if fault.choices.is_none() {
        return fault;
    }
    let headers = head.pairs();
    let looked = app.catalog().and_then(|catalog| {
        let visible = visible(&catalog, &identified.caller, &info(app, head, &headers))?;
        Ok((catalog, visible))
    });
    match looked {
        Ok((catalog, visible)) => fault.narrowed(|table, column| visible.reads(&catalog, table, column)),
        Err(_) => fault,
    }
}

/// The description of the door, as far as this caller may use it.
fn described(
    app: &App,
    head: &Head<'_>,
    request: &Request<'_>,
    identified: &Identified,
) -> Result<(Response, u64, Option<String>), Fault> {
    openapi::check(request, &app.rest)?;
    let catalog = app.catalog()?;
    let visible = visible(&catalog, &identified.caller, &info(app, head, request.headers))?;
    Ok((openapi::render(request, &catalog, &visible), 0, None))
}

/// What rules may read of a request; of one that says nothing of deleted rows.
fn info<'r>(app: &App, head: &Head<'r>, headers: &'r [(&'r str, &'r str)]) -> RequestInfo<'r> {
    RequestInfo {
        now_micros: app.clock.now_micros(),
        method: head.method,
        ip: Some(head.ip),
        tenant: headers.iter().find(|(name, _)| *name == TENANT).map(|(_, value)| *value),
        headers,
        ..RequestInfo::default()
    }
}

/// Tells callers apart, for the engine alone.
fn number(caller: &Caller) -> u128 {
    match caller {
        Caller::User(user) => user.uid.as_u128(),
        Caller::Anon => 0,
        Caller::Service | Caller::System => 1,
    }
}

const fn rows(part: &Part) -> u64 {
    if part.affected > 0 { part.affected } else { part.rows.count }
}

/// How many rows the embeds of the answer show, where that costs something.
fn embedded_rows(costs: &[Charge], answer: Option<&Select>, part: &Part) -> Vec<u64> {
    let counts = costs.iter().any(|charge| matches!(charge.then, Then::Embedded(_)));
    answer.filter(|_| counts).map(|select| embedded(select, &part.rows)).unwrap_or_default()
}
pub(crate) fn refused(fault: &Fault, audience: Audience, who: Option<Identified>) -> Outcome {
    let rules = Some(format!("{} {}", fault.code.text, fault.message));
    let (response, code) = (render_fault(fault, audience), Some(fault.code.text));
    Outcome { response, who, rows: None, rules, code, engine_micros: None }
}

/// What the caller must not see goes to the log, once.
pub(crate) fn log_source(head: &Head<'_>, fault: &Fault) {
    if let Some(source) = &fault.source {
        let route = head.route();
        tracing::error!(
            request.id = head.id,
            route,
            fault.code = fault.code.text,
            "request failed: {source}"
        );
    }
}
