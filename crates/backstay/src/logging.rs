//! The log: standard error, as text or as JSON, from the level that `BACKSTAY_LOG` says. It knows
//! no request: a line holds words of this program, a status, and numbers.

use crate::config::{Log, LogFormat, LoggedRequests};
use backstay_server::request_log::{Line, RequestLog};
use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{EnvFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The target of the lines of requests.
const ACCESS: &str = "backstay::requests";

/// Methods that are told as they are; what else a client may call one is no word of ours.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"];

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

/// The lines of requests that `serve` writes.
pub fn requests(log: &Log) -> RequestLog {
    match log.requests {
        LoggedRequests::None => RequestLog::default(),
        LoggedRequests::Failed => RequestLog::from_status(500, write),
        LoggedRequests::All => RequestLog::from_status(0, write),
    }
}

fn write(line: &Line) {
    let method = METHODS.iter().find(|known| **known == line.method).map_or("other", |known| known);
    tracing::info!(
        target: ACCESS,
        method,
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
