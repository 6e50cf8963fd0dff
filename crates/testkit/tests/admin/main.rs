//! The admin listener: what health says when something is missing, and what is counted of
//! requests on every engine. `promtool` reads the metrics where it is installed.

#![cfg(test)]

mod broken;

use crate::broken::Broken;
use backstay_base::limit::Limits;
use backstay_engine::Engine;
use backstay_rest::request::Settings;
use backstay_server::admin::{Admin, Watched};
use backstay_server::app::{App, Edge, State};
use backstay_server::metrics::Metrics;
use backstay_server::request_id::RequestIds;
use backstay_server::request_log::RequestLog;
use backstay_testkit::served::{Ask, Served, Setup};
use http::Method;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

const SDL: &str = "type Note @access(all: \"true\") { text: String! @unique }\n";

async fn served() -> Served {
    Served::start(&Setup { sdl: SDL.to_owned(), ..Setup::default() }).await
}

/// An admin listener over what is served, but for the engine.
fn over(served: &Served, engine: Arc<dyn Engine>) -> Admin {
    let app = Arc::new(App {
        state: State::new(&Limits::default()),
        engine,
        auth: Arc::clone(&served.app.auth),
        clock: served.clock.clone(),
        ids: served.app.ids.clone(),
        rest: Settings {
            max_rows: 10,
            tx_rollback_allowed: false,
            unfiltered_writes_allowed: false,
            aggregates_allowed: false,
            openapi_served: true,
            limits: Limits::default(),
        },
        edge: Edge::default(),
        log: RequestLog::default(),
        request_ids: RequestIds::new(1),
        mailbox: None,
        metrics: Metrics::new().unwrap(),
    });
    Admin { app, watched: Vec::new() }
}

async fn get(admin: &Admin, path: &str) -> (u16, String) {
    let answer = admin.answer(&Method::GET, path).await;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn ready(admin: &Admin) -> (u16, Value) {
    let (status, body) = get(admin, "/health/ready").await;
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn it_is_ready_once_the_catalog_and_the_database_are_there() {
    let served = served().await;
    let admin = over(&served, Arc::clone(&served.app.engine));
    let lacking = json!({ "status": "not ready", "checks": { "catalog": "not loaded", "database": "ok" } });
    assert_eq!(ready(&admin).await, (503, lacking));
    assert_eq!(get(&admin, "/health/live").await, (200, "{\"status\":\"live\"}\n".to_owned()));
    admin.app.load(served.app.catalog().unwrap());
    let whole = json!({ "status": "ready", "checks": { "catalog": "ok", "database": "ok" } });
    assert_eq!(ready(&admin).await, (200, whole));
}

#[tokio::test]
async fn a_database_that_fails_or_is_silent_is_not_ready() {
    let served = served().await;
    for (engine, said) in [
        (Broken::Refuses, "does not answer: PGRST000"),
        (Broken::IsSilent, "does not answer: no answer in time"),
    ] {
        let admin = over(&served, Arc::new(engine));
        admin.app.load(served.app.catalog().unwrap());
        let told = json!({ "status": "not ready", "checks": { "catalog": "ok", "database": said } });
        assert_eq!(ready(&admin).await, (503, told));
        assert_eq!(get(&admin, "/health/live").await.0, 200);
    }
}

#[tokio::test]
async fn trouble_shows_and_takes_no_readiness_away() {
    let served = served().await;
    let mut admin = over(&served, Arc::new(Broken::IsFenced));
    admin.app.load(served.app.catalog().unwrap());
    let late = Some("commits have not been shipped for more than a minute");
    admin.watched.push(Watched {
        name: "backup",
        trouble: Box::new(move || late),
        readings: Box::new(Vec::new),
    });
    let checks = json!({ "catalog": "ok", "database": "fenced", "backup": late });
    assert_eq!(ready(&admin).await, (200, json!({ "status": "ready, with trouble", "checks": checks })));
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let served = served().await;
    let admin = over(&served, Arc::clone(&served.app.engine));
    for path in ["/", "/metrics/", "/health", "/rest/v1/note", "/auth/v1/health", "/health/live/../ready"] {
        assert_eq!(get(&admin, path).await, (404, "not found\n".to_owned()), "{path}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::TRACE] {
        let refused = admin.answer(&method, "/metrics").await;
        assert_eq!(refused.status(), 405);
        assert_eq!(refused.headers()[http::header::ALLOW], "GET, HEAD");
    }
}

#[tokio::test]
async fn requests_are_counted_and_promtool_finds_nothing_to_mend() {
    let served = served().await;
    let admin = Admin { app: Arc::clone(&served.app), watched: Vec::new() };
    for (who, method, target, body) in [
        ("anon", "POST", "/rest/v1/note", r#"{"text":"canary"}"#),
        ("anon", "POST", "/rest/v1/note", r#"{"text":"canary"}"#),
        ("anon", "GET", "/rest/v1/note?text=eq.canary", ""),
        ("anon", "GET", "/rest/v1/canary", ""),
        ("nobody", "GET", "/auth/v1/health", ""),
        ("nobody", "BREW", "/canary", ""),
    ] {
        served.ask(&Ask::new(who, method, target, body)).await;
    }
    let (status, text) = get(&admin, "/metrics").await;
    assert_eq!(status, 200);
    assert!(!text.contains("canary"), "{text}");
    let counted = |wanted: &str| text.lines().any(|line| line == wanted);
    for line in [
        r#"backstay_requests_total{door="rest",method="POST",status="2xx"} 1"#,
        r#"backstay_requests_total{door="rest",method="POST",status="4xx"} 1"#,
        r#"backstay_requests_total{door="rest",method="GET",status="2xx"} 1"#,
        r#"backstay_requests_total{door="rest",method="GET",status="4xx"} 1"#,
        r#"backstay_requests_total{door="none",method="other",status="4xx"} 1"#,
        r#"backstay_request_duration_seconds_count{door="rest",method="GET"} 2"#,
        r#"backstay_refusals_total{code="23505"} 1"#,
        r#"backstay_refusals_total{code="PGRST205"} 1"#,
        "backstay_requests_in_flight 0",
        "backstay_hashes_waiting 0",
    ] {
        assert!(counted(line), "{line} is not in\n{text}");
    }
    if served.app.engine.name() == "sqlite" {
        assert!(
            counted("backstay_sqlite_writer_fenced 0") && counted("backstay_sqlite_writes_waiting 0"),
            "{text}"
        );
    }
    lint(&text);
}

/// Holds a text against `promtool check metrics`, where it is installed.
fn lint(text: &str) {
    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = started else {
        assert!(text.contains("# HELP backstay_requests_total "), "{text}");
        eprintln!("promtool is not installed: the metrics were not linted");
        return;
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let done = promtool.wait_with_output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    assert!(done.status.success() && said.is_empty(), "{}\n{text}", String::from_utf8_lossy(&said));
}
