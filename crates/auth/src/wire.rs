//! What leaves the auth door; both of GoTrue's error shapes.

use crate::refusal::Refusal;
use serde::Serialize;

/// A response of the auth door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The header that names the version of the API.
const VERSION_HEADER: &str = "X-Supabase-Api-Version";
/// From this version on errors are `{code, message}`.
const VERSION: &str = "2024-01-01";

/// The token of an `Authorization` header.
#[must_use]
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

impl Response {
    /// A JSON body.
    pub(crate) fn json<T: Serialize>(status: u16, body: &T) -> Result<Self, Refusal> {
        let body = serde_json::to_vec(body)
            .map_err(|error| Refusal { source: Some(error.into()), ..Refusal::unexpected() })?;
        Ok(Self { status, headers: vec![("Content-Type", "application/json".to_owned())], body })
    }

    /// 204.
    pub(crate) const fn empty() -> Self {
        Self { status: 204, headers: Vec::new(), body: Vec::new() }
    }

    /// Writes a refusal in the shape that the request asks for.
    pub(crate) fn refused(refusal: &Refusal, headers: &[(&str, &str)]) -> Self {
        let weak = (!refusal.weak.is_empty()).then_some(Weak { reasons: &refusal.weak });
        let body = if new_errors(headers) {
            let code = refusal.code;
            serde_json::to_vec(&NewError { code, message: &refusal.message, weak_password: weak })
        } else {
            serde_json::to_vec(&OldError {
                code: refusal.status,
                error_code: refusal.code,
                msg: &refusal.message,
                weak_password: weak,
            })
        };
        let mut headers = vec![
            ("Content-Type", "application/json".to_owned()),
            ("x-sb-error-code", refusal.code.to_owned()),
        ];
        if matches!(refusal.status, 429 | 503) {
            headers.push(("Retry-After", refusal.retry_after_s.unwrap_or(1).to_string()));
        }
        Self { status: refusal.status, headers, body: body.unwrap_or_default() }
    }

    /// Echoes the version that the request states.
    pub(crate) fn versioned(mut self, headers: &[(&str, &str)]) -> Self {
        if new_errors(headers) {
            self.headers.push((VERSION_HEADER, VERSION.to_owned()));
        }
        self
    }
}

fn new_errors(headers: &[(&str, &str)]) -> bool {
    headers.iter().any(|(name, value)| name.eq_ignore_ascii_case(VERSION_HEADER) && *value >= VERSION)
}

#[derive(Serialize)]
struct NewError<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    weak_password: Option<Weak<'a>>,
}

#[derive(Serialize)]
struct OldError<'a> {
    code: u16,
    error_code: &'a str,
    msg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    weak_password: Option<Weak<'a>>,
}

#[derive(Serialize)]
struct Weak<'a> {
    reasons: &'a [&'static str],
}

#[cfg(test)]
mod tests {
    use super::{Response, bearer};
    use crate::refusal::Refusal;

    #[test]
    fn errors_have_two_shapes() {
        let refusal = Refusal { weak: vec!["length"], ..Refusal::new(422, "weak_password", "short") };
        let old = Response::refused(&refusal, &[]);
        assert_eq!(
            std::str::from_utf8(&old.body).unwrap(),
            r#"{"code":422,"error_code":"weak_password","msg":"short","weak_password":{"reasons":["length"]}}"#
        );
        assert!(old.headers.contains(&("x-sb-error-code", "weak_password".to_owned())));
        let new_headers = [("x-supabase-api-version", "2024-01-01")];
        let new = Response::refused(&Refusal::invalid_credentials(), &new_headers);
        assert_eq!(
            std::str::from_utf8(&new.versioned(&new_headers).body).unwrap(),
            r#"{"code":"invalid_credentials","message":"Invalid login credentials"}"#
        );
        let early = [("x-supabase-api-version", "2023-12-31")];
        let shape = Response::refused(&Refusal::busy(), &early);
        assert!(std::str::from_utf8(&shape.body).unwrap().starts_with(r#"{"code":429,"#));
    }

    #[test]
    fn bearers() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for header in ["", "Bearer", "Bearer ", "Basic abc", "abc"] {
            assert_eq!(bearer(header), None, "{header}");
        }
    }
}
