//! [`Spans`]: a span per request for a collector of OpenTelemetry (OTLP over HTTP). A span holds what the line of the
//! log holds, and no more: the route, never the path or the query. Where it is sent it is known, what it is of is not.

use crate::logging;
use anyhow::{Context as _, Result, bail};
use backstay_base::clock::Clock;
use backstay_server::request_log::Line;
use backstay_server::trace_parent::TraceParent;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use std::time::{Duration, SystemTime};
use url::Url;

/// Where below its address a collector takes spans.
const PATH: &str = "v1/traces";
/// Longest time for the last spans at the end.
const LAST: Duration = Duration::from_secs(5);

/// Takes requests, and sends them in batches from a thread of its own. What a collector does not take in time is
/// dropped: no request waits for it.
pub struct Spans {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    clock: Clock,
}

impl Spans {
    /// Begins to send to a collector; none without an address.
    ///
    /// # Errors
    /// When it is no address of a collector.
    pub fn start(url: Option<&str>) -> Result<Option<Self>> {
        let Some(url) = url else { return Ok(None) };
        let mut endpoint = Url::parse(url).context("[log] otlp is no URL")?;
        if !matches!(endpoint.scheme(), "http" | "https") || endpoint.cannot_be_a_base() {
            bail!("[log] otlp is the http:// or https:// URL of a collector");
        }
        if !endpoint.username().is_empty() || endpoint.password().is_some() || endpoint.query().is_some() {
            bail!("[log] otlp holds no credentials: they belong in the variable OTEL_EXPORTER_OTLP_HEADERS");
        }
        let folder = endpoint.path().trim_end_matches('/').to_owned();
        endpoint.set_path(&format!("{folder}/{PATH}"));
        // once for the process; a second call finds it there
        let _ = rustls::crypto::ring::default_provider().install_default();
        let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
        let exporter =
            exporter.with_endpoint(endpoint.as_str()).build().context("[log] otlp cannot be used")?;
        let about = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name("backstay").with_attribute(about).build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            // whoever began a trace has decided whether it is kept
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
            .build();
        let tracer = provider.tracer("backstay");
        Ok(Some(Self { provider, tracer, clock: Clock::system() }))
    }

    /// A request that has ended now.
    pub fn note(&self, line: &Line) {
        let end = self.clock.now_micros();
        let micros = i64::try_from(line.micros).unwrap_or(0);
        let method = logging::method(line);
        let span = SpanBuilder::from_name(format!("{method} {}", line.route))
            .with_kind(SpanKind::Server)
            .with_start_time(time(end.saturating_sub(micros)))
            .with_attributes(attributes(line, method));
        let parent = line.parent.map_or_else(Context::new, remote);
        let mut span = self.tracer.build_with_context(span, &parent);
        if line.status >= 500 {
            span.set_status(Status::error(line.code.unwrap_or_default()));
        }
        span.end_with_timestamp(time(end));
    }

    /// Sends what is left.
    pub fn finish(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST) {
            tracing::warn!("the last spans were not sent: {error}");
        }
    }
}

fn attributes(line: &Line, method: &'static str) -> Vec<KeyValue> {
    let number = |name, number: u64| KeyValue::new(name, i64::try_from(number).unwrap_or(i64::MAX));
    let mut all = vec![
        KeyValue::new("http.request.method", method),
        KeyValue::new("http.route", line.route),
        number("http.response.status_code", u64::from(line.status)),
        number("http.response.body.size", line.bytes as u64),
        KeyValue::new("backstay.door", line.door),
        KeyValue::new("backstay.role", line.role.clone()),
        KeyValue::new("backstay.request.id", line.id.clone()),
    ];
    all.extend(line.table.clone().map(|table| KeyValue::new("backstay.table", table)));
    all.extend(line.code.map(|code| KeyValue::new("backstay.code", code)));
    all.extend(line.rows.map(|rows| number("backstay.rows", rows)));
    all.extend(line.engine_micros.map(|micros| number("backstay.engine.micros", micros)));
    if line.status >= 500 {
        all.extend(line.code.map(|code| KeyValue::new("error.type", code)));
    }
    all
}

fn time(micros: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

fn remote(parent: TraceParent) -> Context {
    let flags = if parent.is_sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let (trace, span) = (TraceId::from(parent.trace), SpanId::from(parent.span));
    Context::new().with_remote_span_context(SpanContext::new(trace, span, flags, true, TraceState::default()))
}
