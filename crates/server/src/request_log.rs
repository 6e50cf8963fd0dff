//! One line per request, as `dev` prints it: time, method, target, status, rows,
//! how long, who, and the rule that decided. Never bodies, tokens or addresses.

use std::sync::Arc;

/// Takes request lines.
type Sink = dyn Fn(&Line) + Send + Sync;

/// Where request lines go.
#[derive(Clone, Default)]
pub struct RequestLog(Option<Arc<Sink>>);

/// One finished request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// HTTP method.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// HTTP status.
    pub status: u16,
    /// Rows answered with or written.
    pub rows: Option<u64>,
    /// How long, in microseconds.
    pub micros: u128,
    /// Who asked.
    pub who: String,
    /// The rule that decided, or the refusal.
    pub rules: Option<String>,
}

impl RequestLog {
    /// Hands every line to `sink`.
    pub fn new(sink: impl Fn(&Line) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(sink)))
    }

    /// Whether anybody reads.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn write(&self, line: impl FnOnce() -> Line) {
        if let Some(sink) = &self.0 {
            sink(&line());
        }
    }
}
