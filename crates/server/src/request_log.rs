//! One line per request. What `dev` shows names the target, the caller and the rule that decided;
//! what goes to the log of production names the route alone. Never bodies, tokens or addresses.

use crate::trace_parent::TraceParent;
use std::sync::Arc;

/// Takes request lines.
type Sink = dyn Fn(&Line) + Send + Sync;

/// Where request lines go.
#[derive(Clone, Default)]
pub struct RequestLog(Option<Reader>);

/// Who reads request lines, and which.
#[derive(Clone)]
struct Reader {
    sink: Arc<Sink>,
    explains: bool,
    traces: bool,
    least_status: u16,
}

/// One finished request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its name, as in the answer's `x-request-id`.
    pub id: String,
    /// HTTP method, as sent.
    pub method: String,
    /// Path and query as sent; of the auth door the path alone, as links carry tokens.
    pub target: String,
    /// The door that the path leads to.
    pub door: &'static str,
    /// The route that it took, a word of this program: `/rest/v1/{table}`.
    pub route: &'static str,
    /// The table that the path names, where there is one of that name.
    pub table: Option<String>,
    /// HTTP status.
    pub status: u16,
    /// The stable code of a refusal.
    pub code: Option<&'static str>,
    /// Rows answered with or written.
    pub rows: Option<u64>,
    /// Bytes of the answer's body.
    pub bytes: usize,
    /// How long, in microseconds.
    pub micros: u128,
    /// How long of that in the engine, in microseconds; of a data request that came so far, where lines are traced.
    pub engine_micros: Option<u64>,
    /// The trace that it says it is a part of, where lines are traced.
    pub parent: Option<TraceParent>,
    /// The caller's role: `anon`, `service`, that of an account, or `-`.
    pub role: String,
    /// Who asked: the role and the first part of the account's id.
    pub who: String,
    /// The rule that decided, or the refusal.
    pub rules: Option<String>,
}

impl RequestLog {
    /// Hands every line to `sink`, with the rules that decided.
    pub fn explaining(sink: impl Fn(&Line) + Send + Sync + 'static) -> Self {
        Self(Some(Reader { sink: Arc::new(sink), explains: true, traces: false, least_status: 0 }))
    }

    /// Hands the lines of this status and higher ones to `sink`, without the rules.
    pub fn from_status(least_status: u16, sink: impl Fn(&Line) + Send + Sync + 'static) -> Self {
        Self(Some(Reader { sink: Arc::new(sink), explains: false, traces: false, least_status }))
    }

    /// Hands every line to `sink`, with what a trace needs.
    pub fn traced(sink: impl Fn(&Line) + Send + Sync + 'static) -> Self {
        Self(Some(Reader { sink: Arc::new(sink), explains: false, traces: true, least_status: 0 }))
    }

    /// Whether rules are to be told.
    #[must_use]
    pub fn explains(&self) -> bool {
        self.0.as_ref().is_some_and(|reader| reader.explains)
    }

    /// Whether lines are traced.
    #[must_use]
    pub fn traces(&self) -> bool {
        self.0.as_ref().is_some_and(|reader| reader.traces)
    }

    pub(crate) fn write(&self, status: u16, line: impl FnOnce() -> Line) {
        if let Some(reader) = self.0.as_ref().filter(|reader| status >= reader.least_status) {
            (reader.sink)(&line());
        }
    }
}
