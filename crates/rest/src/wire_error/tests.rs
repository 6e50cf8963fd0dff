//! Tests: faults → whole error responses.

use super::{Audience, render_fault, status};
use backstay_base::code;
use backstay_base::fault::{Details, Fault};
use std::fmt::Write;

#[test]
fn every_code_has_its_status() {
    let mut table = String::new();
    for code in code::ALL {
        let fault = Fault::new(*code, "m");
        let (anon, signed) = (status(&fault, Audience::Anon), status(&fault, Audience::SignedIn));
        writeln!(table, "{:9} {anon} {signed}", code.text).unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn an_unfiltered_write_is_the_callers_mistake() {
    let fault = Fault::new(code::CARDINALITY, "DELETE requires a WHERE clause");
    assert_eq!(status(&fault, Audience::Anon), 400);
}

#[test]
fn all_four_keys_are_there_and_the_log_stays_out() {
    let fault = Fault::row_security("a\"b").with_source("password=hunter2");
    let response = render_fault(&fault, Audience::Anon);
    assert_eq!(
        response.headers,
        [
            ("Content-Type", "application/json; charset=utf-8".to_owned()),
            ("Proxy-Status", "PostgREST; error=42501".to_owned()),
            ("WWW-Authenticate", "Bearer".to_owned()),
        ]
    );
    assert_eq!(
        response.body,
        r#"{"code":"42501","details":null,"hint":null,"message":"new row violates row-level security policy for table \"a\"b\""}"#
    );
    assert_eq!(render_fault(&fault, Audience::SignedIn).status, 403);
}

#[test]
fn details_may_be_json() {
    let mut fault = Fault::new(code::AMBIGUOUS_EMBED, "two").with_hint("h");
    fault.details = Some(Details::Json("[{\"a\":1}]".to_owned()));
    let response = render_fault(&fault, Audience::Anon);
    assert_eq!(response.status, 300);
    assert_eq!(response.body, r#"{"code":"PGRST201","details":[{"a":1}],"hint":"h","message":"two"}"#);
}

#[test]
fn only_what_surely_did_not_happen_asks_for_a_retry() {
    let retried = |code| {
        let response = render_fault(&Fault::new(code, "m"), Audience::SignedIn);
        (response.status, response.headers.iter().any(|(name, _)| *name == "Retry-After"))
    };
    assert_eq!(retried(code::NOT_READY), (503, true));
    assert_eq!(retried(code::TOO_MANY_REQUESTS), (503, true));
    assert_eq!(retried(code::OUTCOME_UNKNOWN), (503, false));
}

#[test]
fn a_challenge_cannot_be_broken_out_of() {
    let fault = Fault::new(code::JWT_INVALID, "bad \"token\"\r\nSet-Cookie: x");
    let response = render_fault(&fault, Audience::Anon);
    let challenge = response.headers.iter().find(|(name, _)| *name == "WWW-Authenticate").unwrap();
    assert_eq!(challenge.1, "Bearer error=\"invalid_token\", error_description=\"bad 'token'Set-Cookie: x\"");
}
