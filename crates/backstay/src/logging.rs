//! The log: standard error, as text or as JSON, from the level that `BACKSTAY_LOG` says. It knows
//! no request: a line holds words of this program, a status, and numbers.

use crate::config::{Log, LogFormat, LoggedRequests};
use crate::spans::Spans;
use backstay_server::request_log::{Line, RequestLog};
use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use std::sync::Arc;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{EnvFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The target of the lines of requests.
const ACCESS: &str = "backstay::requests";

/// Methods that are told as they are; what else a client may call one is no word of ours.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"];

/// A method as it is told.
pub fn method(line: &Line) -> &'static str {
    METHODS.iter().find(|known| **known == line.method).map_or("other", |known| known)
}

/// Crates that tell values of statements or of frames when they tell much: never below this level.
const TALKATIVE: &[&str] = &[
    "tokio_postgres",
    "postgres_protocol",
    "mysql_async",
    "mysql_common",
    "h2",
    "hyper",
    "lettre",
    "rustls",
    "object_store",
    "reqwest",
    "opentelemetry",
];

/// Begins to log.
pub fn start(log: Log) {
    let chosen = EnvFilter::builder()
        .with_env_var("BACKSTAY_LOG")
        .with_default_directive(LevelFilter::WARN.into())
        .from_env_lossy();
    let chosen = match format!("{ACCESS}=info").parse() {
        Ok(access) => chosen.add_directive(access),
        Err(_) => chosen,
    };
    let capped = Targets::new()
        .with_default(LevelFilter::TRACE)
        .with_targets(TALKATIVE.iter().map(|name| (*name, LevelFilter::INFO)));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
    };
    // the outer filter says what is asked for at all: what it never wants costs its callers nothing
    tracing_subscriber::registry().with(lines.with_filter(capped).with_filter(chosen)).init();
    if log.format == LogFormat::Json {
        std::panic::set_hook(Box::new(panicked));
    }
}

/// A line of the log instead of the text of the standard hook.
fn panicked(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let payload = panic.payload();
    let message = payload.downcast_ref::<&str>().copied();
    let message =
        message.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or_default();
    tracing::error!(place, "panicked: {message}");
}

/// The lines of requests that `serve` writes, and its spans.
pub fn requests(log: &Log, spans: Option<Arc<Spans>>) -> RequestLog {
    let least = match log.requests {
        LoggedRequests::None => None,
        LoggedRequests::Failed => Some(500),
        LoggedRequests::All => Some(0),
    };
    match (spans, least) {
        (None, None) => RequestLog::default(),
        (None, Some(least)) => RequestLog::from_status(least, write),
        (Some(spans), _) => RequestLog::traced(move |line| {
            spans.note(line);
            if least.is_some_and(|least| line.status >= least) {
                write(line);
            }
        }),
    }
}

fn write(line: &Line) {
    tracing::info!(
        target: ACCESS,
        method = method(line),
        request.id = line.id,
        route = line.route,
        table = line.table,
        status = line.status,
        code = line.code,
        micros = u64::try_from(line.micros).unwrap_or(u64::MAX),
        bytes = line.bytes,
        role = line.role,
        "request"
    );
}
