//! Cross-origin requests: which browsers' pages may call and read what.

use crate::app::Edge;
use http::header::{HeaderMap, HeaderName, HeaderValue};

const METHODS: &str = "GET,HEAD,POST,PATCH,PUT,DELETE,OPTIONS";
const EXPOSED: &str = "Content-Encoding,Content-Location,Content-Range,Content-Type,Date,Location,Preference-Applied,Proxy-Status,Range-Unit,Server,Transfer-Encoding,X-Total-Count,Link,X-Sb-Error-Code,X-Supabase-Api-Version,X-Backstay-Pos";
const PREFLIGHT_SECONDS: &str = "86400";

/// Adds what a response to `origin` needs. Nothing for an origin that is not allowed.
pub(crate) fn apply(edge: &Edge, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
    let Some(origin) = origin else { return };
    let any = edge.cors_origins.iter().any(|allowed| allowed == "*");
    let listed = edge.cors_origins.iter().any(|allowed| origin.as_bytes() == allowed.as_bytes());
    if !any {
        headers.append(http::header::VARY, HeaderValue::from_static("Origin"));
    }
    let value = match (any, listed) {
        // credentials are never allowed, so any origin may read what an anonymous caller may
        (true, _) => HeaderValue::from_static("*"),
        (false, true) => origin.clone(),
        (false, false) => return,
    };
    headers.insert(http::header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
    headers.insert(http::header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}

/// Whether a request is a preflight.
pub(crate) fn is_preflight(method: &str, headers: &HeaderMap) -> bool {
    method == "OPTIONS" && headers.contains_key(http::header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The headers that answer a preflight; the asked-for header names are echoed.
pub(crate) fn preflight(asked: &HeaderMap, headers: &mut HeaderMap) {
    let insert = |headers: &mut HeaderMap, name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    insert(headers, http::header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    insert(headers, http::header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS);
    match asked.get(http::header::ACCESS_CONTROL_REQUEST_HEADERS) {
        Some(wanted) => {
            headers.insert(http::header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        None => insert(
            headers,
            http::header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization,apikey,content-type,prefer,x-client-info",
        ),
    }
}
