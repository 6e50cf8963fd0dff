//! [`Fault`] → the error response of the REST door: PostgREST's statuses, and
//! `{code, details, hint, message}` with all four keys always there.

use crate::json;
use crate::media;
use crate::request::Response;
use backstay_base::code::Kind;
use backstay_base::fault::{Details, Fault};

/// Whom a refusal is told to: 42501 asks anonymous callers to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Nobody is signed in.
    Anon,
    /// An account or a secret key.
    SignedIn,
}

/// Seconds after which an unavailable server may be asked again.
const RETRY_AFTER_S: u32 = 1;

/// Writes a fault.
#[must_use]
pub fn render_fault(fault: &Fault, audience: Audience) -> Response {
    let code = fault.code.text;
    let status = status(fault, audience);
    let mut headers =
        vec![("Content-Type", media::JSON.to_owned()), ("Proxy-Status", format!("PostgREST; error={code}"))];
    if status == 401 {
        headers.push(("WWW-Authenticate", challenge(fault)));
    }
    if matches!(status, 429 | 503) && fault.kind() != Kind::OutcomeUnknown {
        headers.push(("Retry-After", fault.retry_after_s.unwrap_or(RETRY_AFTER_S).to_string()));
    }
    if status == 405 {
        headers.push(("Allow", "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE".to_owned()));
    }
    Response { status, headers, body: body(fault).into() }
}

/// The HTTP status of a fault.
#[must_use]
pub fn status(fault: &Fault, audience: Audience) -> u16 {
    match fault.code.text.strip_prefix("PGRST") {
        Some(number) => postgrest(number),
        None => sqlstate(fault, audience),
    }
}

/// table: statuses of PostgREST's own codes.
fn postgrest(number: &str) -> u16 {
    match number {
        "000" | "001" | "002" => 503,
        "003" => 504,
        "101" | "105" | "117" => 405,
        "103" => 416,
        "106" | "107" | "116" => 406,
        "111" | "112" | "121" | "300" | "X00" => 500,
        "125" | "126" | "202" | "205" => 404,
        "201" | "203" => 300,
        "301" | "302" | "303" => 401,
        _ => 400,
    }
}

/// table: statuses of SQLSTATEs, exact ones before their classes. 53100 is 507, for no other
/// node has the room that this one lacks; 53400 is a full queue
/// here and 54000 and 54001 a limit that the request passes, unlike in PostgreSQL. PT429 is 429 as PostgREST reads
/// codes that begin with PT.
fn sqlstate(fault: &Fault, audience: Audience) -> u16 {
    let code = fault.code.text;
    match code {
        "23503" | "23505" => return 409,
        "25006" => return 405,
        "42883" | "42P01" => return 404,
        "42P17" => return 500,
        "53100" => return 507,
        "PT429" => return 429,
        "21000" if !fault.message.contains("requires a WHERE clause") => return 500,
        "P0001" | "54000" | "54001" => return 400,
        "42501" => return if audience == Audience::Anon { 401 } else { 403 },
        _ => {}
    }
    match code.get(..2).unwrap_or_default() {
        "08" | "53" => 503,
        "28" | "0L" | "0P" => 403,
        "57" if code == "57P01" => 503,
        "09" | "25" | "2D" | "38" | "39" | "3B" | "40" | "54" | "55" | "57" | "58" | "F0" | "HV" | "P0"
        | "XX" => 500,
        _ => 400,
    }
}

fn challenge(fault: &Fault) -> String {
    if fault.code.text == "42501" || fault.code.text == "PGRST302" {
        return "Bearer".to_owned();
    }
    let plain: String = fault.message.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
    let description = plain.replace(['"', '\\'], "'");
    format!("Bearer error=\"invalid_token\", error_description=\"{description}\"")
}

fn body(fault: &Fault) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    out.extend_from_slice(b"{\"code\":");
    json::text(&mut out, fault.code.text);
    out.extend_from_slice(b",\"details\":");
    match &fault.details {
        Some(Details::Text(details)) => json::text(&mut out, details),
        Some(Details::Json(details)) => out.extend_from_slice(details.as_bytes()),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"hint\":");
    match &fault.hint {
        Some(hint) => json::text(&mut out, hint),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"message\":");
    json::text(&mut out, &fault.message);
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests;
