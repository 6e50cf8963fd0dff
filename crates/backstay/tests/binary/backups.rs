//! `backup`: what `serve` ships and what comes back, by the binary alone.

use crate::data::servers;
use crate::kit::{NOTES, Project, ask};
use backstay_base::limit::Limits;
use backstay_testkit::database::Database;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

/// Notes whose words are in an index.
const SEARCHED: &str =
    "type Note @access(all: \"true\") {\n  text: String! @unique @index(kind: FULLTEXT)\n  stars: Int\n}\n";

fn rows_of(project: &Project, file: &str) -> Vec<String> {
    let connection = rusqlite::Connection::open(project.folder().join(file)).unwrap();
    let mut statement = connection.prepare("SELECT text FROM note ORDER BY text").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

#[test]
fn what_was_served_comes_back_after_the_database_is_gone() {
    let project = Project::with(SEARCHED);
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    let config = project.read("backstay.toml");
    project.write("backstay.toml", &format!("{config}\n[backup]\nurl = \"file:elsewhere\"\n"));
    let secret = project.secret();
    for text in ["one", "two"] {
        // what a stopped server had not sent goes with its last moments
        let (mut server, _) = project.serve().ready();
        let made = ask(&server.url, &secret, "POST", "/rest/v1/note", &format!("{{\"text\":\"{text}\"}}"));
        assert_eq!(made.status, 201);
        server.terminate();
        assert_eq!(server.ended().0, 0);
    }
    let copy = project.json(&["backup", "create"]);
    assert_eq!((copy["tables"]["note"].as_u64(), copy["followed"].as_bool()), (Some(2), Some(false)));
    let (mut server, _) = project.serve().ready();
    assert_eq!(ask(&server.url, &secret, "POST", "/rest/v1/note", "{\"text\":\"three\"}").status, 201);
    server.terminate();
    assert_eq!(server.ended().0, 0);

    std::fs::remove_dir_all(project.folder().join(".backstay")).unwrap();
    let restored = project.json(&["backup", "restore", "--to", "app/new.db"]);
    assert_eq!(rows_of(&project, "new.db"), ["one", "three", "two"], "{restored}");
    let name = copy["copy"].as_str().unwrap();
    project.json(&["backup", "restore", name, "--to", "app/old.db"]);
    assert_eq!(rows_of(&project, "old.db"), ["one", "two"]);
    // the index of words came along, and goes on
    let connection = rusqlite::Connection::open(project.folder().join("old.db")).unwrap();
    let found = |word: &str| -> i64 {
        let text = "SELECT count(*) FROM _backstay_search1_note_text_fts WHERE _backstay_search1_note_text_fts MATCH ?";
        connection.query_row(text, [word], |row| row.get(0)).unwrap()
    };
    assert_eq!((found("two"), found("three")), (1, 0));
    connection
        .execute("INSERT INTO note (id, text) SELECT '01890000-0000-7000-8000-000000000001', 'three'", [])
        .unwrap();
    assert_eq!((found("two"), found("three")), (1, 1));
    drop(connection);
    let again = project.run(&["backup", "restore", "--to", "app/old.db"]);
    assert_eq!(again.err, "error: app/old.db is there already: a restore goes to a new place\n");
    assert_eq!(project.json(&["backup", "verify"])["copy"], restored["copy"]);
    let part = project.folder().join(format!("elsewhere/copies/{name}/part-000000"));
    let mut bytes = std::fs::read(&part).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&part, bytes).unwrap();
    let damaged = project.run(&["backup", "verify", name]);
    let words = format!("error: copies/{name}/part-000000 is damaged: its checksum differs\n");
    assert_eq!((damaged.code, damaged.err), (1, words));
}

#[test]
fn a_project_without_a_place_for_backups_is_told_how_to_name_one() {
    let project = Project::with(NOTES);
    let refused = project.run(&["backup", "list"]);
    let words =
        "error: backups need a place: [backup] url in backstay.toml, a file: folder or s3://bucket/prefix\n";
    assert_eq!((refused.code, refused.err.as_str()), (1, words));
}

/// Texts that a dump has to carry as they are.
const AWKWARD: &[&str] = &["it's", "a\\\\b\\n", "two\nlines", "\\.", "\u{1F980} Zürich", "NULL", ""];

fn on_server(store: &str, place: &str) -> Project {
    let project = Project::with(SEARCHED);
    let config = format!("\n[store.default]\nurl = \"{store}\"\n\n[backup]\nurl = \"file:{place}\"\n");
    project.write("backstay.toml", &(project.read("backstay.toml") + &config));
    project
}

fn texts(url: &str, key: &str) -> Vec<String> {
    texts_where(url, key, "")
}

fn texts_where(url: &str, key: &str, filter: &str) -> Vec<String> {
    let answer = ask(url, key, "GET", &format!("/rest/v1/note?select=text&order=text{filter}"), "");
    assert_eq!(answer.status, 200, "{answer:?}");
    let rows: Vec<Value> = serde_json::from_str(&answer.body).unwrap();
    rows.iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_server_is_backed_up_by_its_own_tools_while_it_is_written_to() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let limits = Limits::default();
    for server in servers() {
        let first = runtime.block_on(Database::whole(&server, &limits));
        let second = runtime.block_on(Database::whole(&server, &limits));
        let place = tempfile::tempdir().unwrap();
        let place = place.path().to_str().unwrap();
        let project = on_server(&first.url, place);
        assert_eq!(project.run(&["migrate", "new"]).code, 0);
        let (mut serving, _) = project.serve().ready();
        let secret = project.secret();
        let write = |text: &str| {
            let body = json!({ "text": text }).to_string();
            ask(&serving.url, &secret, "POST", "/rest/v1/note", &body).status
        };
        AWKWARD.iter().for_each(|text| assert_eq!(write(text), 201, "{text:?}"));
        let before = texts(&serving.url, &secret);

        let done = AtomicBool::new(false);
        let made = std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut written = 0_u32;
                while !done.load(Ordering::Relaxed) {
                    assert_eq!(write(&format!("while {written:05}")), 201);
                    written += 1;
                }
                written
            });
            let made = project.run(&["backup", "create"]);
            done.store(true, Ordering::Relaxed);
            assert!(writer.join().unwrap() > 0);
            made
        });
        serving.terminate();
        assert_eq!(serving.ended().0, 0);
        if made.err.contains("cannot read: install ") {
            // only tools as new as the server can read it
            assert!(made.err.starts_with("error: the server is PostgreSQL "), "{made:?}");
            assert!(made.err.ends_with(", or name a newer one in [backup] pg_dump\n"), "{made:?}");
            eprintln!("skipped: {server} is newer than the pg_dump of this machine");
            continue;
        }
        assert_eq!(made.code, 0, "{made:?}");
        let copy = project.json(&["backup", "list"]);
        let name = copy["copy"].as_str().unwrap();
        assert!(made.out.starts_with(name), "{made:?}");
        assert_eq!(project.json(&["backup", "verify"])["copy"], name);

        let restored = project.json(&["backup", "restore", "--to", &second.url]);
        assert_eq!((&restored["copy"], &restored["bytes"]), (&copy["copy"], &copy["bytes"]));
        let other = on_server(&second.url, place);
        other.write(
            "migrations/0001_init.sql",
            &project.read(&format!("migrations/{}", project.files("migrations")[0])),
        );
        let (mut serving, _) = other.serve().ready();
        let found = texts(&serving.url, &secret);
        let (during, there): (Vec<String>, Vec<String>) =
            found.into_iter().partition(|text| text.starts_with("while "));
        assert_eq!(there, before);
        // one moment: what was written meanwhile is there up to a point, without gaps
        for (number, text) in during.iter().enumerate() {
            assert_eq!(*text, format!("while {number:05}"));
        }
        // the index of words came along, and goes on
        let found = |words: &str| texts_where(&serving.url, &secret, &format!("&text=plfts.{words}"));
        assert_eq!(found("zurich"), ["\u{1F980} Zürich"]);
        assert!(found("while").len() >= during.len());
        let body = json!({ "text": "Zürich again" }).to_string();
        assert_eq!(ask(&serving.url, &secret, "POST", "/rest/v1/note", &body).status, 201);
        assert_eq!(found("ZURICH").len(), 2);
        serving.terminate();
        assert_eq!(serving.ended().0, 0);

        refusals(&project, &second.url, place, name);
    }
}

/// What is not restored, and what it says.
fn refusals(project: &Project, full: &str, place: &str, name: &str) {
    let again = project.run(&["backup", "restore", "--to", full]);
    assert!(again.err.ends_with("is there already: a restore goes to a new place\n"), "{again:?}");
    let moment = project.run(&["backup", "restore", "--to", full, "--at", "2026-01-01T00:00:00Z"]);
    assert!(moment.err.starts_with("error: moments between copies are kept of SQLite stores"), "{moment:?}");
    let part = std::path::Path::new(place).join(format!("copies/{name}/part-000000"));
    let mut bytes = std::fs::read(&part).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&part, bytes).unwrap();
    let damaged = project.run(&["backup", "verify", name]);
    let words = format!("error: copies/{name}/part-000000 is damaged: its checksum differs\n");
    assert_eq!((damaged.code, damaged.err), (1, words));
    let config = project.read("backstay.toml");
    project.write("backstay.toml", &format!("{config}pg_dump = \"tools/pg_dump\"\n"));
    let named = project.run(&["backup", "create"]);
    if full.starts_with("postgres") {
        assert!(named.err.contains("tools/pg_dump is not installed: "), "{named:?}");
    } else {
        assert_eq!(named.code, 0, "{named:?}");
    }
}
