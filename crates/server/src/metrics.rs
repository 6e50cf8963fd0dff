//! [`Metrics`]: what is counted of requests and connections, and the text that tells it.
//! Labels are words of this file and fault codes, never data of a request.

use backstay_engine::reading::{Kind, Reading};
use backstay_rest::request::Response;
use prometheus::core::Collector;
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, Result,
    TextEncoder,
};
use std::time::Duration;

/// Upper ends of the buckets of durations, in seconds: from a read by key to `statement_ms`.
const SECONDS: &[f64] =
    &[0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Methods that have a label of their own.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"];

/// The content type of what [`Metrics::text`] writes.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The counters of one server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    refusals: IntCounterVec,
    in_flight: IntGauge,
    connections: IntGauge,
}

/// Counts one up while it lives.
#[derive(Debug)]
pub(crate) struct Present(IntGauge);

impl Drop for Present {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// Counters at zero.
    ///
    /// # Errors
    /// When two of them had the same name.
    pub fn new() -> Result<Self> {
        let registry = Registry::new();
        let made = Self {
            requests: IntCounterVec::new(
                Opts::new("backstay_requests_total", "Requests answered."),
                &["door", "method", "status"],
            )?,
            durations: HistogramVec::new(
                HistogramOpts::new(
                    "backstay_request_duration_seconds",
                    "From the head of a request to its answer.",
                )
                .buckets(SECONDS.to_vec()),
                &["door", "method"],
            )?,
            refusals: IntCounterVec::new(
                Opts::new("backstay_refusals_total", "Refusals of the data door by code."),
                &["code"],
            )?,
            in_flight: IntGauge::new("backstay_requests_in_flight", "Requests that are being answered.")?,
            connections: IntGauge::new("backstay_connections", "Open connections.")?,
            registry,
        };
        let all: [Box<dyn Collector>; 5] = [
            Box::new(made.requests.clone()),
            Box::new(made.durations.clone()),
            Box::new(made.refusals.clone()),
            Box::new(made.in_flight.clone()),
            Box::new(made.connections.clone()),
        ];
        for one in all {
            made.registry.register(one)?;
        }
        #[cfg(target_os = "linux")]
        made.registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(made)
    }

    /// A request that is being answered.
    pub(crate) fn request(&self) -> Present {
        self.in_flight.inc();
        Present(self.in_flight.clone())
    }

    /// A connection that is open.
    pub(crate) fn connection(&self) -> Present {
        self.connections.inc();
        Present(self.connections.clone())
    }

    /// A request that was answered.
    pub(crate) fn answered(
        &self,
        asked: (&str, &str),
        response: &Response,
        code: Option<&str>,
        took: Duration,
    ) {
        let (path, method) = asked;
        let door = door(path);
        let method = METHODS.iter().find(|known| **known == method).map_or("other", |known| known);
        self.requests.with_label_values(&[door, method, class(response.status)]).inc();
        self.durations.with_label_values(&[door, method]).observe(took.as_secs_f64());
        if let Some(code) = code {
            self.refusals.with_label_values(&[code]).inc();
        }
    }

    /// Everything, with the readings of other parts, in the text format of Prometheus.
    ///
    /// # Errors
    /// When two numbers have the same name.
    pub fn text(&self, readings: &[Reading]) -> Result<Vec<u8>> {
        let others = Registry::new();
        for reading in readings {
            match reading.kind {
                Kind::Counter => {
                    let counter = IntCounter::new(reading.name, reading.help)?;
                    counter.inc_by(reading.value);
                    others.register(Box::new(counter))?;
                }
                Kind::Gauge => {
                    let gauge = IntGauge::new(reading.name, reading.help)?;
                    gauge.set(i64::try_from(reading.value).unwrap_or(i64::MAX));
                    others.register(Box::new(gauge))?;
                }
            }
        }
        let mut text = Vec::new();
        let encoder = TextEncoder::new();
        encoder.encode(&self.registry.gather(), &mut text)?;
        encoder.encode(&others.gather(), &mut text)?;
        Ok(text)
    }
}

/// The door that a path leads to.
pub(crate) fn door(path: &str) -> &'static str {
    if path.starts_with("/rest/v1/") {
        "rest"
    } else if path.starts_with("/auth/v1/") {
        "auth"
    } else {
        "none"
    }
}

const fn class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::Metrics;
    use backstay_engine::reading::Reading;
    use backstay_rest::request::Response;
    use std::time::Duration;

    fn text(of: &[(&str, &str, u16)], readings: &[Reading]) -> String {
        let metrics = Metrics::new().unwrap();
        for (method, path, status) in of {
            let response = Response { status: *status, headers: Vec::new(), body: bytes::Bytes::new() };
            metrics.answered((path, method), &response, None, Duration::from_millis(3));
        }
        String::from_utf8(metrics.text(readings).unwrap()).unwrap()
    }

    #[test]
    fn labels_hold_nothing_of_a_request() {
        let hostile = "x\"}\nbackstay_evil 1\n";
        let told =
            text(&[(hostile, &format!("/{hostile}"), 404), ("GET", "/rest/v1/canary?x=canary", 200)], &[]);
        assert!(!told.contains("evil") && !told.contains("canary"), "{told}");
        assert!(
            told.contains(r#"backstay_requests_total{door="none",method="other",status="4xx"} 1"#),
            "{told}"
        );
        assert!(
            told.contains(r#"backstay_requests_total{door="rest",method="GET",status="2xx"} 1"#),
            "{told}"
        );
        assert!(
            told.contains(
                r#"backstay_request_duration_seconds_bucket{door="rest",method="GET",le="0.0025"} 0"#
            )
        );
        assert!(
            told.contains(
                r#"backstay_request_duration_seconds_bucket{door="rest",method="GET",le="0.005"} 1"#
            )
        );
    }

    #[test]
    fn readings_are_told_as_what_they_are_and_once() {
        let one = Reading::counter("backstay_a_total", "A.", 7);
        let told = text(&[], &[one, Reading::gauge("backstay_b", "B.", 8)]);
        assert!(
            told.contains(
                "# HELP backstay_a_total A.\n# TYPE backstay_a_total counter\nbackstay_a_total 7\n"
            )
        );
        assert!(told.contains("# TYPE backstay_b gauge\nbackstay_b 8\n"), "{told}");
        assert!(Metrics::new().unwrap().text(&[one, one]).is_err());
    }
}
