//! Databases as earlier builds left them, with an account and a row of a small project: each is brought to
//! now, the account signs in with its password, and its row is there.

#![cfg(test)]

use backstay_base::clock::Clock;
use backstay_base::limit::Limits;
use backstay_engine::migration::Batch;
use backstay_migrate::apply;
use backstay_migrate::diff::{Scope, diff};
use backstay_migrate::file;
use backstay_migrate::lease::Node;
use backstay_testkit::database::Database;
use backstay_testkit::served::{Ask, Served, Setup, compiled};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Builds of which databases are kept.
const BUILDS: &[&str] = &["8daacfb", "c6ae550"];

fn kept(build: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upgrade").join(build)
}

/// The database of a build, put in as its dump says.
async fn found(build: &str) -> Database {
    let database = Database::fresh(&Limits::default()).await;
    let engine = database.engine.name();
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(kept(build).join(format!("{engine}.sql")), folder.path().join("1_dump.sql")).unwrap();
    let dump = file::read(folder.path()).unwrap();
    let statements = dump.iter().flat_map(|file| file.statements(engine)).collect();
    database.engine.migrate(&Batch::plain(statements)).await.unwrap();
    database
}

#[tokio::test]
async fn databases_of_earlier_builds_come_to_now() {
    for build in BUILDS {
        let database = found(build).await;
        let sdl = std::fs::read_to_string(kept(build).join("schema.graphql")).unwrap();
        let setup = Setup { sdl, ..Setup::default() };
        let catalog = compiled(&setup).unwrap().catalog;
        let node = Node { holder: "now".to_owned(), wait_ms: 60_000 };
        let engine = &*database.engine;

        apply::own_tables(engine, database.dialect, &catalog, &node).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(kept(build).join("0001_init.sql"), folder.path().join("0001_init.sql")).unwrap();
        let files = file::read(folder.path()).unwrap();
        let clock = Clock::fixed(1_800_000_000_000_000);
        let status = apply::status(engine, &files).await.unwrap();
        assert_eq!((status.problems, status.pending), (Vec::new(), Vec::new()), "{build}");
        assert_eq!(
            apply::up(engine, &files, &clock, apply::Going::with_consent(false), &node).await.unwrap(),
            [""; 0],
            "{build}"
        );
        for scope in [Scope::System, Scope::Project] {
            let live = engine.introspect().await.unwrap();
            let left = diff(engine, database.dialect, &catalog, &live, scope).await.unwrap();
            assert!(left.is_empty(), "{build}: {:?}", left.changes);
        }

        let mut served = Served::over(&setup, database).await;
        let body = json!({ "email": "ann@example.com", "password": "correct horse battery" }).to_string();
        let asked = Ask::new("anon", "POST", "/auth/v1/token?grant_type=password", &body);
        let answer = served.ask(&asked).await;
        assert_eq!(answer.status, 200, "{build}: {answer:?}");
        served.remember("ann", &answer.body);
        let notes = served.ask(&Ask::new("ann", "GET", "/rest/v1/note?select=text,owner(name)", "")).await;
        let told: Value = serde_json::from_str(&notes.body).unwrap();
        assert_eq!(told, json!([{ "text": "kept", "owner": { "name": "Ann" } }]), "{build}");
        let wrong = json!({ "email": "ann@example.com", "password": "correct horse" }).to_string();
        let wrong = Ask::new("anon", "POST", "/auth/v1/token?grant_type=password", &wrong);
        assert_eq!(served.ask(&wrong).await.status, 400, "{build}");
    }
}
