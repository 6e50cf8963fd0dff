//! The door table: every route of the server × who asks → status and code. A route
//! without a row fails the test, and so does a row without a route.

#![cfg(test)]

mod table;

use crate::table::{Expected, ROWS, Row};
use backstay_auth::endpoint::ENDPOINTS;
use backstay_server::door::DOORS;
use backstay_testkit::served::{Answer, Ask, PASSWORD, Served, Setup, Wanted};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What a note may be read and written by: its owner.
const SCHEMA: &str = r#"
type User @user @access(read: "this == auth.user") { name: String  notes: [Note!]! }
type Note @table(audit: true) @access(all: "this.owner == auth.user", create: "auth.user != null") {
  id: Int!
  slug: String! @unique
  owner: User @set(create: "auth.user")
  text: String
}
type Mark @access(read: "this.owner == auth.user", write: "this.owner == auth.user") { id: String!  owner: User }
"#;

/// Callers, in the order of a row.
const CALLERS: [&str; 4] = ["anon", "bob", "ann", "service"];

/// Every route, as `METHOD path`.
fn routes() -> BTreeSet<String> {
    let doors = DOORS.iter().map(|route| format!("{} {}", route.method, route.path));
    let auth = ENDPOINTS.iter().map(|endpoint| format!("{} /auth/v1{}", endpoint.method, endpoint.path));
    doors.chain(auth).collect()
}

#[test]
fn the_table_has_exactly_the_routes() {
    let rows: Vec<String> = ROWS.iter().map(|row| row.route.to_owned()).collect();
    let known: BTreeSet<String> = rows.iter().cloned().collect();
    assert_eq!(known, routes(), "left: rows of the table, right: routes of the server");
}

/// A server with ann, who owns what the table asks for, and bob.
async fn server() -> Served {
    let setup = Setup { sdl: SCHEMA.to_owned(), ..Setup::default() };
    let mut served = Served::start(&setup).await;
    for name in ["ann", "bob"] {
        served
            .sign_up(&Wanted { name: name.to_owned(), data: json!({ "name": name }), app: Value::Null })
            .await;
    }
    let ann = served.person("ann").id.clone();
    served.row("note", &json!({ "id": 1, "slug": "one", "owner_id": ann, "text": "hers" })).await;
    served.row("mark", &json!({ "id": "m", "owner_id": ann })).await;
    served
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_answers_every_caller_as_the_table_says() {
    let mut wrong = Vec::new();
    for row in ROWS {
        for (who, expected) in CALLERS.iter().zip(&row.answers) {
            // a server of its own, so that no answer depends on the one before
            let served = server().await;
            let answer = ask(&served, row, who).await;
            let found = found(&answer);
            if found != *expected {
                wrong.push(format!("{} as {who}: {found:?}, not {expected:?}\n  {}", row.route, answer.body));
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers differ\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audit_is_read_by_the_secret_key_alone_and_written_by_nobody() {
    let served = server().await;
    let patch = served.ask(&Ask::new("ann", "PATCH", "/rest/v1/note?id=eq.1", r#"{"text":"new"}"#)).await;
    assert_eq!(patch.status, 204, "{}", patch.body);
    for who in ["anon", "ann", "bob", "service"] {
        let is_service = who == "service";
        let read =
            served.ask(&Ask::new(who, "GET", "/rest/v1/note_audit?select=operation&order=id", "")).await;
        let rows = r#"[{"operation":"CREATE"},{"operation":"UPDATE"}]"#;
        assert_eq!((read.status, read.body.as_str()), (200, if is_service { rows } else { "[]" }), "{who}");
        let entry = r#"{"at":"2026-01-01T00:00:00Z","operation":"UPDATE","role":"x","row_id":1,"fields":[]}"#;
        for (method, target, body) in [
            ("POST", "/rest/v1/note_audit", entry),
            ("PATCH", "/rest/v1/note_audit?id=eq.1", r#"{"role":"x"}"#),
            ("DELETE", "/rest/v1/note_audit?id=gt.0", ""),
            ("PUT", "/rest/v1/note_audit?id=eq.1", r#"{"id":1,"role":"x"}"#),
        ] {
            let answer = served.ask(&Ask::new(who, method, target, body)).await;
            let status = if who == "anon" { 401 } else { 403 };
            assert_eq!((answer.status, code(&answer).as_str()), (status, "42501"), "{who} {method}");
        }
        let described = served.ask(&Ask::new(who, "GET", "/rest/v1/", "")).await;
        assert_eq!(described.body.contains("note_audit"), is_service, "{who}");
    }
}

#[tokio::test]
async fn nobody_passes_no_door_of_data() {
    let served = server().await;
    for row in ROWS.iter().filter(|row| row.route.contains("/rest/")) {
        let answer = ask(&served, row, "nobody").await;
        assert_eq!((answer.status, code(&answer).as_str()), (401, "PGRST302"), "{}", row.route);
    }
}

#[tokio::test]
async fn what_is_no_route_is_not_found() {
    let served = server().await;
    for (target, status) in [
        ("/", 404),
        ("/rest", 404),
        ("/rest/v1", 404),
        ("/rest/v2/note", 404),
        ("/rest/v1/note/1", 404),
        ("/rest/v1/rpc/anything", 404),
        ("/rest/v1/../v1/note", 404),
        ("/rest/v1/%6eote", 200),
        ("//rest/v1/note", 404),
        ("/auth/v1", 404),
        ("/auth/v1/", 404),
        ("/auth/v1/nothing", 404),
        ("/auth/v1/user/", 401),
        ("/auth/v1/admin", 404),
        ("/auth/v1/admin/users/x/y", 404),
        ("/storage/v1/object", 404),
        ("/_/", 404),
    ] {
        let answer = served.ask(&Ask::new("service", "GET", target, "")).await;
        assert_eq!(answer.status, status, "{target} {}", answer.body);
    }
    for method in ["TRACE", "CONNECT", "PROPFIND"] {
        let answer = served.ask(&Ask::new("service", method, "/rest/v1/note", "")).await;
        assert_eq!((answer.status, code(&answer).as_str()), (405, "PGRST117"), "{method}");
        let answer = served.ask(&Ask::new("service", method, "/auth/v1/user", "")).await;
        assert_eq!(answer.status, 405, "{method} {}", answer.body);
    }
}

async fn ask(served: &Served, row: &Row, who: &str) -> Answer {
    let ann = served.person("ann");
    let fill = |text: &str| {
        let text = text.replace("$ann.refresh", &ann.refresh).replace("$ann", &ann.id);
        text.replace("$password", PASSWORD)
    };
    let request = Ask::new(who, row.route.split(' ').next().unwrap(), &fill(row.target), &fill(row.body));
    served.ask(&row.headers.iter().fold(request, |request, (name, value)| request.header(name, value))).await
}

fn found(answer: &Answer) -> Expected {
    let rows = serde_json::from_str::<Value>(&answer.body).ok();
    match rows.as_ref().and_then(Value::as_array) {
        Some(rows) if answer.status < 300 => Expected::Rows(answer.status, rows.len()),
        _ => {
            let code = code(answer);
            if code.is_empty() { Expected::Status(answer.status) } else { refused(answer.status, &code) }
        }
    }
}

/// The code with a lifetime of its own: one that stands in the table.
fn refused(status: u16, code: &str) -> Expected {
    let all = ROWS.iter().flat_map(|row| &row.answers);
    let known = all.filter_map(|expected| match expected {
        Expected::Refused(_, known) => Some(*known),
        Expected::Rows(..) | Expected::Status(_) => None,
    });
    let known = known.into_iter().find(|known| *known == code);
    Expected::Refused(status, known.unwrap_or("a code that stands nowhere in the table"))
}

fn code(answer: &Answer) -> String {
    let body = serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    text("error_code").or_else(|| text("code")).unwrap_or_default()
}
