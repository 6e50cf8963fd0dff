//! `data copy`: Chinook and accounts from SQLite through every server of the run and back;
//! `schema import` and the SQL of every engine.

use crate::kit::{Project, ask};
use backstay_base::limit::Limits;
use backstay_testkit::database::Database;
use rusqlite::types::Value;
use serde_json::Value as Json;
use std::path::Path;

const SCHEMA: &str = include_str!("../../../../examples/chinook/schema.graphql");
const MIGRATION: &str = include_str!("../../../../examples/chinook/migrations/0001_init.sql");
const DATA: &str = include_str!("../../../../examples/chinook/data/chinook.json");

/// In an order in which every reference is there when it is named.
const TABLES: &[&str] = &[
    "Genre",
    "MediaType",
    "Artist",
    "Album",
    "Track",
    "Playlist",
    "PlaylistTrack",
    "Employee",
    "Customer",
    "Invoice",
    "InvoiceLine",
];

/// The servers of the run: all of `BACKSTAY_TEST_URLS`, else that of `BACKSTAY_TEST_URL`.
#[expect(clippy::disallowed_methods, reason = "the run says which engines it is about")]
pub fn servers() -> Vec<String> {
    let named = |name: &str| std::env::var(name).ok().filter(|urls| !urls.is_empty());
    let urls = named("BACKSTAY_TEST_URLS").or_else(|| named("BACKSTAY_TEST_URL")).unwrap_or_default();
    urls.split([' ', ',']).filter(|url| !url.is_empty()).map(str::to_owned).collect()
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn column(table: &str, property: &str) -> String {
    match property {
        "ReportsTo" => "reports_to_id".to_owned(),
        _ if property == format!("{table}Id") => "id".to_owned(),
        _ => snake(property),
    }
}

/// As SQLite stores it: decimals of two digits as integers.
fn stored(property: &str, value: &Json) -> Value {
    match value {
        Json::Null => Value::Null,
        #[expect(clippy::cast_possible_truncation, reason = "prices are small")]
        Json::Number(number) if matches!(property, "UnitPrice" | "Total") => {
            Value::Integer((number.as_f64().unwrap() * 100.0).round() as i64)
        }
        Json::Number(number) => Value::Integer(number.as_i64().unwrap()),
        Json::String(text) if property.ends_with("Date") => Value::Text(text.clone() + "+00:00"),
        Json::String(text) => Value::Text(text.clone()),
        other => panic!("{property}: {other}"),
    }
}

fn fill(path: &Path) {
    let mut connection = rusqlite::Connection::open(path).unwrap();
    let transaction = connection.transaction().unwrap();
    transaction.execute_batch("PRAGMA defer_foreign_keys = ON").unwrap();
    let data: Json = serde_json::from_str(DATA).unwrap();
    for table in TABLES {
        for row in data[table].as_array().unwrap() {
            let row = row.as_object().unwrap();
            let columns: Vec<String> =
                row.keys().map(|property| format!("\"{}\"", column(table, property))).collect();
            let marks = vec!["?"; columns.len()].join(", ");
            let text = format!("INSERT INTO \"{}\" ({}) VALUES ({marks})", snake(table), columns.join(", "));
            let values = row.iter().map(|(property, value)| stored(property, value));
            transaction.execute(&text, rusqlite::params_from_iter(values)).unwrap();
        }
    }
    transaction.commit().unwrap();
}

/// Every table that is copied, its rows as text in the order of their keys.
fn dump(path: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('_backstay_migration', '_backstay_lease', 'sqlite_sequence') ORDER BY name";
    let mut names = connection.prepare(names).unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut lines = Vec::new();
    for name in names {
        let mut rows = connection.prepare(&format!("SELECT * FROM \"{name}\" ORDER BY 1, 2")).unwrap();
        let width = rows.column_count();
        let cells = rows.query_map([], |row| {
            (0..width).map(|index| row.get::<_, Value>(index)).collect::<rusqlite::Result<Vec<Value>>>()
        });
        lines.extend(cells.unwrap().map(|row| format!("{name} {:?}", row.unwrap())));
    }
    lines
}

#[test]
fn chinook_comes_back_as_it_went() {
    let project = Project::with(SCHEMA);
    project.write("migrations/0001_init.sql", MIGRATION);
    let applied = project.run(&["migrate", "up"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    let made = project.run_with(&["user", "create", "ada@example.com"], "correct horse battery\n");
    assert_eq!(made.code, 0, "{made:?}");
    let first = project.folder().join(".backstay/dev.db");
    fill(&first);
    let before = dump(&first);
    assert!(before.len() > 15_607, "{}", before.len());

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let limits = Limits::default();
    let between: Vec<Database> =
        servers().iter().map(|server| runtime.block_on(Database::on(server, &limits))).collect();
    let mut stations = vec!["sqlite:.backstay/dev.db".to_owned()];
    stations.extend(between.iter().map(|database| database.url.clone()));
    stations.push("sqlite:.backstay/back.db".to_owned());
    for pair in stations.windows(2) {
        let copied = project.json(&["data", "copy", "--from", &pair[0], "--to", &pair[1]]);
        let rows: u64 =
            copied["copied"].as_array().unwrap().iter().map(|t| t["rows"].as_u64().unwrap()).sum();
        assert_eq!(rows as usize, before.len(), "{} → {}", pair[0], pair[1]);
    }
    let after = dump(&project.folder().join(".backstay/back.db"));
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after);
    }
    let again = project.run(&["data", "copy", "--from", &stations[0], "--to", stations.last().unwrap()]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("the target has rows of "), "{}", again.err);
}

#[test]
fn a_live_database_is_imported_and_served() {
    let first = Project::with(SCHEMA);
    first.write("migrations/0001_init.sql", MIGRATION);
    assert_eq!(first.run(&["migrate", "up"]).code, 0);
    let path = first.folder().join(".backstay/dev.db");
    fill(&path);
    // as if somebody else had made it
    first.database().execute_batch("DROP TABLE _backstay_migration; DROP TABLE _backstay_lease").unwrap();

    let second = Project::with("type Replaced { a: Int }");
    let url = format!("sqlite:{}", path.display());
    let imported = second.run(&["schema", "import", &url]);
    assert_eq!(imported.code, 0, "{imported:?}");
    assert!(imported.out.contains("type InvoiceLine {"), "{}", imported.out);
    assert!(!imported.out.contains("\n# not said"), "{}", imported.out);
    let kept = second.run(&["schema", "import", &url, "--out", "schema.graphql"]);
    assert_eq!((kept.code, second.read("schema.graphql").as_str()), (1, "type Replaced { a: Int }"));
    std::fs::remove_file(second.folder().join("schema.graphql")).unwrap();
    assert_eq!(second.run(&["schema", "import", &url, "--out", "schema.graphql"]).code, 0);
    second.edit("type Genre {", "type Genre @access(read: \"true\") {");
    second.write("backstay.toml", &format!("roles = [\"staff\"]\n[store.default]\nurl = \"{url}\"\n"));
    assert_eq!(second.run(&["check"]).code, 0);
    assert_eq!(second.run(&["migrate", "new"]).code, 0);
    let adopted = second.run(&["migrate", "adopt"]);
    assert_eq!(adopted.out, "adopted 0001_init.sql\n", "{adopted:?}");
    let secret = second.secret();
    let (server, _) = second.serve().ready();
    let answer = ask(&server.url, &secret, "GET", "/rest/v1/genre?select=name&order=id&limit=2", "");
    assert_eq!(answer.body, r#"[{"name":"Rock"},{"name":"Jazz"}]"#);
}

#[test]
fn definitions_and_the_second_wall_are_printed_for_each_engine() {
    let project = Project::with(SCHEMA);
    for (engine, words) in [
        ("sqlite", "\"unit_price\" INTEGER NOT NULL"),
        ("postgres", "\"unit_price\" numeric(10, 2) NOT NULL"),
        ("mysql", "`unit_price` DECIMAL(10, 2) NOT NULL"),
    ] {
        let printed = project.run(&["schema", "sql", "--engine", engine]);
        assert_eq!(printed.code, 0, "{printed:?}");
        assert!(printed.out.contains(words), "{engine}: {}", printed.out);
    }
    let wall = project.run(&["schema", "sql", "--rls", "--grantee", "app"]);
    assert_eq!(wall.code, 0, "{wall:?}");
    let policy = "CREATE POLICY \"backstay_select\" ON \"genre\" FOR SELECT USING (backstay_rls.\"genre_select\"(\"genre\"));";
    assert!(wall.out.contains(policy), "{}", wall.out);
    assert!(!wall.out.contains("ON \"invoice\" FOR"), "what has no rule has no policy: {}", wall.out);
    assert!(wall.out.contains("GRANT SELECT (\"id\", \"name\") ON \"genre\" TO \"app\";"), "{}", wall.out);
}
