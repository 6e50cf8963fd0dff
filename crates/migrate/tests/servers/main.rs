//! Migrations on the engine that the run is about: definitions come out as they were meant,
//! any schema becomes any other where it stands, and one node migrates at a time.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail loudly"
)]

mod back;
mod comments;
mod copy;
mod expand;
mod history;
mod import;
mod kills;
mod kinds;
#[path = "../pairs/model.rs"]
#[expect(dead_code, reason = "rows are made and compared elsewhere")]
mod model;
mod rows;
mod stored;
mod views;
mod walls;
mod words;

use crate::model::Model;
use backstay_base::clock::Clock;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use backstay_engine::capabilities::Capabilities;
use backstay_engine::lease::{LeaseAction, LeaseAnswer, LeaseRequest};
use backstay_engine::live::Live;
use backstay_engine::migration::{Batch, JournalRow};
use backstay_engine::{Engine, Work};
use backstay_migrate::change::Plan;
use backstay_migrate::diff::{Scope, diff};
use backstay_migrate::draft::draft;
use backstay_migrate::file::MigrationFile;
use backstay_migrate::lease::Node;
use backstay_migrate::lint::lint;
use backstay_migrate::{apply, file};
use backstay_policy::guarded::Guarded;
use backstay_query::plan::Script;
use backstay_query::reply::Reply;
use backstay_schema::catalog::Catalog;
use backstay_schema::compile::{Owner, Settings, SourceFile, compile};
use backstay_sql::ddl;
use backstay_testkit::database::Database;
use backstay_testkit::seed::{cases, seeded};

const SHOP: &str = include_str!("../../../../examples/shop/schema.graphql");
const CHINOOK: &str = include_str!("../../../../examples/chinook/schema.graphql");

fn compiled(files: &[(&str, Owner)]) -> Catalog {
    let file = |(text, owner): &(&str, Owner)| SourceFile {
        name: "schema.graphql".into(),
        text: (*text).to_owned(),
        owner: *owner,
    };
    let files: Vec<SourceFile> = files.iter().map(file).collect();
    match compile(&files, &Settings { roles: vec!["staff".into(), "admin".into()] }) {
        Ok(compiled) => compiled.catalog,
        Err(mistakes) => panic!("{mistakes:#?}\n{files:#?}"),
    }
}

fn node(holder: &str, wait_ms: u64) -> Node {
    Node { holder: holder.into(), wait_ms }
}

/// Applies files, whatever they lose, at a time that stands still.
async fn consented(database: &Database, files: &[MigrationFile], node: &Node) -> Result<Vec<String>, Fault> {
    apply::up(&*database.engine, files, &Clock::fixed(0), apply::Going::with_consent(true), node).await
}

/// Columns and keys of the tables, in no order. A bounded text may stay where its bound suffices.
fn shapes(live: &Live) -> Vec<String> {
    let tables = live.tables.iter().filter(|table| !table.name.starts_with("_backstay_"));
    let mut lines: Vec<String> = tables
        .flat_map(|table| {
            let columns = table.columns.iter().map(|column| {
                let ty = if column.ty.starts_with("varchar") { "longtext" } else { column.ty.as_str() };
                let comment = &column.comment;
                format!(
                    "{}.{} {ty} {} {} {comment:?}",
                    table.name, column.name, column.nullable, column.counted
                )
            });
            let indexes = table.indexes.iter().map(|index| format!("{index:?}"));
            columns.chain(indexes).chain([format!("{} {:?}", table.name, table.key)]).collect::<Vec<_>>()
        })
        .collect();
    lines.sort();
    lines
}

async fn diff_of(database: &Database, catalog: &Catalog, scope: Scope) -> Plan {
    let live = database.engine.introspect().await.unwrap();
    diff(&*database.engine, database.dialect, catalog, &live, scope).await.unwrap()
}

#[tokio::test]
async fn a_new_database_is_what_its_schema_says() {
    for (text, owner, scope) in [
        (SHOP, Owner::Project, Scope::Project),
        (CHINOOK, Owner::Project, Scope::Project),
        (backstay_auth::schema::SCHEMA, Owner::System, Scope::System),
    ] {
        let database = Database::fresh(&Limits::default()).await;
        let catalog = compiled(&[(text, owner)]);
        let statements = ddl::create_all(&catalog, database.dialect);
        database.engine.migrate(&Batch::plain(statements)).await.unwrap();
        assert_eq!(diff_of(&database, &catalog, scope).await, Plan::default());
        if database.dialect.name != "sqlite" {
            // a database that is as it should be is recognised by reading alone
            let live = database.engine.introspect().await.unwrap();
            let plan = diff(&ReadOnly, database.dialect, &catalog, &live, scope).await.unwrap();
            assert_eq!(plan, Plan::default());
        }
    }
}

/// The files alone, planned on SQLite, bring a database of any engine to the schema.
#[tokio::test]
async fn files_bring_a_database_from_any_schema_to_any_other() {
    let mut random = seeded("files", 20_260_207);
    for case in 0..cases(12) {
        let first = Model::random(&mut random);
        let models =
            [first.clone(), first.edited(&mut random), first.edited(&mut random).edited(&mut random)];
        let database = Database::fresh(&Limits::default()).await;
        let folder = tempfile::tempdir().unwrap();
        let scratch =
            backstay_engine_sqlite::Sqlite::open(&folder.path().join("s.db"), &Limits::default()).unwrap();
        for model in models {
            let sdl = model.sdl();
            let catalog = compiled(&[(&sdl, Owner::Project)]);
            let before = file::read(folder.path()).unwrap();
            let draft = match draft(&scratch, &catalog, &before).await {
                Ok(draft) => draft,
                Err(fault) => panic!("{fault:?}\n{sdl}\n{}", before.last().map_or("", |file| &file.text)),
            };
            if !draft.is_empty() {
                file::write(folder.path(), "change", &draft).unwrap();
            }
            let files = file::read(folder.path()).unwrap();
            let told = || format!("case {case}\n{sdl}\n{}", files.last().map_or("", |file| &file.text));
            let clock = Clock::fixed(1_700_000_000_000_000);
            if let Err(fault) = apply::up(
                &*database.engine,
                &files,
                &clock,
                apply::Going::with_consent(true),
                &node("a", 1_000),
            )
            .await
            {
                panic!("{fault:?}\n{}", told());
            }
            let rest = diff_of(&database, &catalog, Scope::Project).await;
            assert!(rest.is_empty(), "left to do: {rest:#?}\n{}", told());
            // in the database's own words, too
            let made = ddl::create_all(&catalog, database.dialect);
            let wanted = shapes(&database.engine.rehearse(&made).await.unwrap());
            assert_eq!(shapes(&database.engine.introspect().await.unwrap()), wanted, "{}", told());
        }
        lints_read(&file::read(folder.path()).unwrap());
    }
}

/// Lints read every statement of files that are generated, and find nothing that nobody can mend.
fn lints_read(files: &[file::MigrationFile]) {
    for engine in ["sqlite", "postgres", "mysql"] {
        for finding in lint(files, 0, engine) {
            let mends = !["BM100", "BM112", "BM119", "BM120", "BM123", "BM130"].contains(&finding.rule.code);
            // what PostgreSQL can do while others use the tables is done so
            let waits = ["BM106", "BM108", "BM109", "BM110", "BM111"].contains(&finding.rule.code);
            assert!(
                mends && !(waits && engine == "postgres"),
                "{finding:?}\n{}",
                files.iter().map(|file| file.text.as_str()).collect::<String>()
            );
        }
    }
}

/// A type that is no text has numbers, too: `time(6)` is no bound of six characters.
#[tokio::test]
async fn a_time_that_becomes_a_bounded_text_gets_its_check() {
    let database = Database::fresh(&Limits::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let scratch =
        backstay_engine_sqlite::Sqlite::open(&folder.path().join("s.db"), &Limits::default()).unwrap();
    for ty in ["Time", "String @valid(maxLength: 20)"] {
        let sdl = format!("type Shift {{ starts: {ty} }}");
        let catalog = compiled(&[(&sdl, Owner::Project)]);
        let draft = draft(&scratch, &catalog, &file::read(folder.path()).unwrap()).await.unwrap();
        file::write(folder.path(), "change", &draft).unwrap();
        let files = file::read(folder.path()).unwrap();
        consented(&database, &files, &node("a", 1_000)).await.unwrap();
        assert_eq!(diff_of(&database, &catalog, Scope::Project).await, Plan::default());
    }
    let live = database.engine.introspect().await.unwrap();
    let shift = live.tables.iter().find(|table| table.name == "shift").unwrap();
    let names: Vec<_> = shift.checks.iter().map(|check| check.name.as_deref()).collect();
    assert_eq!(names, [Some("shift_starts_check")]);
}

/// A number is no time of day, on no engine: a row that has one is refused, and where there is none nothing is lost.
#[tokio::test]
async fn a_number_becomes_no_time() {
    for ty in ["Time", "Date", "Timestamp", "UUID"] {
        for (value, fits) in [("7", false), ("NULL", true)] {
            let database = Database::fresh(&Limits::default()).await;
            let folder = tempfile::tempdir().unwrap();
            let scratch =
                backstay_engine_sqlite::Sqlite::open(&folder.path().join("s.db"), &Limits::default())
                    .unwrap();
            for ty in ["Int", ty] {
                let sdl = format!("type Shift {{ id: Int! starts: {ty} }}");
                let catalog = compiled(&[(&sdl, Owner::Project)]);
                let draft = draft(&scratch, &catalog, &file::read(folder.path()).unwrap()).await.unwrap();
                file::write(folder.path(), "change", &draft).unwrap();
                let files = file::read(folder.path()).unwrap();
                let going = apply::Going::with_consent(true);
                let node = node("a", 1_000);
                let done = apply::up(&*database.engine, &files, &Clock::fixed(0), going, &node).await;
                assert_eq!(done.is_ok(), ty == "Int" || fits, "{ty} {value}: {done:?}");
                if ty == "Int" {
                    let row = format!("INSERT INTO shift (id, starts) VALUES (1, {value})");
                    database.engine.migrate(&Batch::plain(vec![row])).await.unwrap();
                }
            }
        }
    }
}

#[tokio::test]
async fn one_node_migrates_and_others_wait_up_to_their_limit() {
    let database = Database::fresh(&Limits::default()).await;
    let other = |action| LeaseRequest { name: "migrate".into(), holder: "node b".into(), action };
    let taken = database.engine.lease(&other(LeaseAction::Take { ttl_ms: 60_000 })).await.unwrap();
    assert_eq!(taken, LeaseAnswer::Held { fence: 1 });
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("0001_note.sql"), "CREATE TABLE note (a INT);\n").unwrap();
    let files = file::read(folder.path()).unwrap();
    let up = async |wait_ms| {
        apply::up(
            &*database.engine,
            &files,
            &Clock::fixed(0),
            apply::Going::with_consent(true),
            &node("node a", wait_ms),
        )
        .await
    };
    let refused = up(1).await.unwrap_err();
    assert_eq!(refused.code.text, "55P03");
    assert!(refused.message.starts_with("node b migrates this database until "), "{}", refused.message);
    assert_eq!(database.engine.journal().await.unwrap(), []);
    database.engine.lease(&other(LeaseAction::Release { fence: 1 })).await.unwrap();
    assert_eq!(up(60_000).await.unwrap(), ["0001_note.sql"]);
    // what is applied already asks for no lease
    database.engine.lease(&other(LeaseAction::Take { ttl_ms: 60_000 })).await.unwrap();
    assert_eq!(up(1).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn nodes_that_start_together_apply_each_file_once() {
    let database = Database::fresh(&Limits::default()).await;
    let folder = tempfile::tempdir().unwrap();
    for number in 1..4 {
        let text = format!("CREATE TABLE note{number} (a INT);\n");
        std::fs::write(folder.path().join(format!("000{number}_note.sql")), text).unwrap();
    }
    let files = file::read(folder.path()).unwrap();
    let up = async |holder: &str| {
        apply::up(
            &*database.engine,
            &files,
            &Clock::fixed(0),
            apply::Going::with_consent(true),
            &node(holder, 60_000),
        )
        .await
        .unwrap()
    };
    let (a, b, c) = tokio::join!(up("a"), up("b"), up("c"));
    assert_eq!([a.len(), b.len(), c.len()].iter().sum::<usize>(), 3, "{a:?} {b:?} {c:?}");
    assert_eq!(database.engine.journal().await.unwrap().len(), 3);
}

/// An engine on whose database nothing may be defined.
struct ReadOnly;

fn denied<'a, T>() -> Work<'a, T> {
    Box::pin(async { Err(Fault::new(code::DENIED, "only reading is allowed")) })
}

impl Engine for ReadOnly {
    fn name(&self) -> &'static str {
        "none"
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            transactional_ddl: false,
            foreign_keys: true,
            checks: true,
            concurrent_writers: true,
            many_nodes: true,
        }
    }
    fn run<'a>(&'a self, _: &'a Guarded<Script>) -> Work<'a, Reply> {
        denied()
    }
    fn introspect(&self) -> Work<'_, Live> {
        denied()
    }
    fn journal(&self) -> Work<'_, Vec<JournalRow>> {
        denied()
    }
    fn lease<'a>(&'a self, _: &'a LeaseRequest) -> Work<'a, LeaseAnswer> {
        denied()
    }
    fn migrate<'a>(&'a self, _: &'a Batch) -> Work<'a, ()> {
        denied()
    }
    fn rehearse<'a>(&'a self, _: &'a [String]) -> Work<'a, Live> {
        denied()
    }
}
