//! table: what every route answers to an anonymous caller, another account, the owner
//! and whoever holds the secret key. A new route needs its row here, in the same commit.

use self::Expected::{Refused, Rows, Status};

/// What a caller gets.
#[derive(Debug, PartialEq, Eq)]
pub enum Expected {
    /// A status and so many rows.
    Rows(u16, usize),
    /// A status with no rows to count.
    Status(u16),
    /// A status and a code.
    Refused(u16, &'static str),
}

/// One route with a request that means ann's row or account.
pub struct Row {
    /// `METHOD path`, as the server lists it.
    pub route: &'static str,
    /// Path and query of the request.
    pub target: &'static str,
    /// Its headers.
    pub headers: &'static [(&'static str, &'static str)],
    /// Its body.
    pub body: &'static str,
    /// Anonymous, another account, the owner, the secret key.
    pub answers: [Expected; 4],
}

const ROW_BACK: &[(&str, &str)] = &[("prefer", "return=representation")];

const fn row(route: &'static str, target: &'static str, body: &'static str, answers: [Expected; 4]) -> Row {
    Row { route, target, headers: ROW_BACK, body, answers }
}

/// Every route.
pub const ROWS: &[Row] = &[
    // data
    row("GET /rest/v1/", "/rest/v1/", "", [Status(200), Status(200), Status(200), Status(200)]),
    row("HEAD /rest/v1/", "/rest/v1/", "", [Status(200), Status(200), Status(200), Status(200)]),
    row(
        "GET /rest/v1/{table}",
        "/rest/v1/note?id=eq.1",
        "",
        [Rows(200, 0), Rows(200, 0), Rows(200, 1), Rows(200, 1)],
    ),
    row(
        "HEAD /rest/v1/{table}",
        "/rest/v1/note?id=eq.1",
        "",
        [Status(200), Status(200), Status(200), Status(200)],
    ),
    row(
        "POST /rest/v1/{table}",
        "/rest/v1/note?select=slug",
        r#"{"slug":"two"}"#,
        [Refused(401, "42501"), Rows(201, 1), Rows(201, 1), Rows(201, 1)],
    ),
    row(
        "PATCH /rest/v1/{table}",
        "/rest/v1/note?id=eq.1",
        r#"{"text":"changed"}"#,
        [Refused(401, "42501"), Rows(200, 0), Rows(200, 1), Rows(200, 1)],
    ),
    row(
        "PUT /rest/v1/{table}",
        "/rest/v1/mark?id=eq.m",
        r#"{"id":"m"}"#,
        [Refused(401, "42501"), Refused(403, "42501"), Rows(200, 1), Rows(200, 1)],
    ),
    row(
        "DELETE /rest/v1/{table}",
        "/rest/v1/note?id=eq.1",
        "",
        [Refused(401, "42501"), Rows(200, 0), Rows(200, 1), Rows(200, 1)],
    ),
    // only `dev` has a mailbox
    row(
        "GET /_/mail",
        "/_/mail",
        "",
        [
            Refused(404, "PGRST125"),
            Refused(404, "PGRST125"),
            Refused(404, "PGRST125"),
            Refused(404, "PGRST125"),
        ],
    ),
    // accounts: what everybody may
    row(
        "GET /auth/v1/verify",
        "/auth/v1/verify?token=guessed&type=signup",
        "",
        [Status(303), Status(303), Status(303), Status(303)],
    ),
    row(
        "POST /auth/v1/verify",
        "/auth/v1/verify",
        r#"{"type":"signup","token":"000000","email":"ann@x.test"}"#,
        [
            Refused(403, "otp_expired"),
            Refused(403, "otp_expired"),
            Refused(403, "otp_expired"),
            Refused(403, "otp_expired"),
        ],
    ),
    row(
        "POST /auth/v1/resend",
        "/auth/v1/resend",
        r#"{"type":"signup","email":"ann@x.test"}"#,
        [Status(200), Status(200), Status(200), Status(200)],
    ),
    row(
        "POST /auth/v1/recover",
        "/auth/v1/recover",
        r#"{"email":"ann@x.test"}"#,
        [Status(200), Status(200), Status(200), Status(200)],
    ),
    row(
        "POST /auth/v1/otp",
        "/auth/v1/otp",
        r#"{"email":"nobody@x.test","create_user":false}"#,
        [Status(200), Status(200), Status(200), Status(200)],
    ),
    row(
        "POST /auth/v1/token",
        "/auth/v1/token?grant_type=pkce",
        r#"{"auth_code":"guessed","code_verifier":"guessed"}"#,
        [
            Refused(404, "flow_state_not_found"),
            Refused(404, "flow_state_not_found"),
            Refused(404, "flow_state_not_found"),
            Refused(404, "flow_state_not_found"),
        ],
    ),
    // no service is configured
    row(
        "GET /auth/v1/authorize",
        "/auth/v1/authorize?provider=google",
        "",
        [
            Refused(400, "validation_failed"),
            Refused(400, "validation_failed"),
            Refused(400, "validation_failed"),
            Refused(400, "validation_failed"),
        ],
    ),
    row(
        "GET /auth/v1/callback",
        "/auth/v1/callback?state=guessed.guessed&code=guessed",
        "",
        [Status(303), Status(303), Status(303), Status(303)],
    ),
    row(
        "POST /auth/v1/callback",
        "/auth/v1/callback",
        "state=guessed.guessed&code=guessed",
        [Status(303), Status(303), Status(303), Status(303)],
    ),
    row("GET /auth/v1/health", "/auth/v1/health", "", [Status(200), Status(200), Status(200), Status(200)]),
    row(
        "GET /auth/v1/settings",
        "/auth/v1/settings",
        "",
        [Status(200), Status(200), Status(200), Status(200)],
    ),
    row(
        "GET /auth/v1/.well-known/jwks.json",
        "/auth/v1/.well-known/jwks.json",
        "",
        [Status(200), Status(200), Status(200), Status(200)],
    ),
    row(
        "POST /auth/v1/signup",
        "/auth/v1/signup",
        r#"{"email":"eve@x.test","password":"$password"}"#,
        [Status(200), Status(200), Status(200), Status(200)],
    ),
    row(
        "POST /auth/v1/signup",
        "/auth/v1/signup",
        r#"{"email":"ann@x.test","password":"$password"}"#,
        [
            Refused(422, "user_already_exists"),
            Refused(422, "user_already_exists"),
            Refused(422, "user_already_exists"),
            Refused(422, "user_already_exists"),
        ],
    ),
    row(
        "POST /auth/v1/token",
        "/auth/v1/token?grant_type=password",
        r#"{"email":"ann@x.test","password":"$password"}"#,
        [Status(200), Status(200), Status(200), Status(200)],
    ),
    row(
        "POST /auth/v1/token",
        "/auth/v1/token?grant_type=password",
        r#"{"email":"ann@x.test","password":"guessed"}"#,
        [
            Refused(400, "invalid_credentials"),
            Refused(400, "invalid_credentials"),
            Refused(400, "invalid_credentials"),
            Refused(400, "invalid_credentials"),
        ],
    ),
    row(
        "POST /auth/v1/token",
        "/auth/v1/token?grant_type=refresh_token",
        r#"{"refresh_token":"$ann.refresh"}"#,
        [Status(200), Status(200), Status(200), Status(200)],
    ),
    // accounts: one's own
    row(
        "GET /auth/v1/user",
        "/auth/v1/user",
        "",
        [Refused(401, "no_authorization"), Status(200), Status(200), Refused(401, "no_authorization")],
    ),
    row(
        "PUT /auth/v1/user",
        "/auth/v1/user",
        r#"{"data":{"nick":"a"}}"#,
        [Refused(401, "no_authorization"), Status(200), Status(200), Refused(401, "no_authorization")],
    ),
    row(
        "POST /auth/v1/logout",
        "/auth/v1/logout",
        "",
        [Refused(401, "no_authorization"), Status(204), Status(204), Refused(401, "no_authorization")],
    ),
    // accounts: of everybody
    row(
        "GET /auth/v1/admin/users",
        "/auth/v1/admin/users",
        "",
        [Refused(403, "not_admin"), Refused(403, "not_admin"), Refused(403, "not_admin"), Status(200)],
    ),
    row(
        "POST /auth/v1/admin/users",
        "/auth/v1/admin/users",
        r#"{"email":"eve@x.test","password":"$password"}"#,
        [Refused(403, "not_admin"), Refused(403, "not_admin"), Refused(403, "not_admin"), Status(200)],
    ),
    row(
        "GET /auth/v1/admin/users/{id}",
        "/auth/v1/admin/users/$ann",
        "",
        [Refused(403, "not_admin"), Refused(403, "not_admin"), Refused(403, "not_admin"), Status(200)],
    ),
    row(
        "PUT /auth/v1/admin/users/{id}",
        "/auth/v1/admin/users/$ann",
        r#"{"ban_duration":"1h"}"#,
        [Refused(403, "not_admin"), Refused(403, "not_admin"), Refused(403, "not_admin"), Status(200)],
    ),
    row(
        "DELETE /auth/v1/admin/users/{id}",
        "/auth/v1/admin/users/$ann",
        "",
        [
            // ann's note and mark are set null, then her account goes
            Refused(403, "not_admin"),
            Refused(403, "not_admin"),
            Refused(403, "not_admin"),
            Status(200),
        ],
    ),
];
