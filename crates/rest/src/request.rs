//! What enters the codec ([`Request`], [`Settings`]) and what leaves it on the way
//! to the browser ([`Response`]). Borrowed from whatever HTTP library reads the socket.

use backstay_base::limit::Limits;
use bytes::Bytes;

/// A request below `/rest/v1/`.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// What follows `/rest/v1/`, still percent-encoded.
    pub path: &'a str,
    /// What follows `?`, still percent-encoded.
    pub query: Option<&'a str>,
    /// Header names (any case) and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// The whole body.
    pub body: &'a [u8],
}

/// What the codec needs of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Most rows that one read answers with; longer answers are cut.
    pub max_rows: u64,
    /// Whether `Prefer: tx=rollback` is honoured.
    pub tx_rollback_allowed: bool,
    /// Whether an update or delete may come without a filter.
    pub unfiltered_writes_allowed: bool,
    /// Whether aggregates may be asked for; the number of an embed's rows always may.
    pub aggregates_allowed: bool,
    /// Whether the root describes the door.
    pub openapi_served: bool,
    /// The named limits.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            max_rows: limits.rows,
            tx_rollback_allowed: false,
            unfiltered_writes_allowed: false,
            aggregates_allowed: false,
            openapi_served: true,
            limits,
        }
    }
}

/// A response, ready for the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers, names as usually written.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for HEAD and minimal answers.
    pub body: Bytes,
}

impl<'a> Request<'a> {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        self.all_headers(name).next()
    }

    /// All headers of this name, in order.
    pub(crate) fn all_headers(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}
