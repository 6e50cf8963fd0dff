//! Indexes of words follow the schema: they come over rows that are there, go and come again with what they read,
//! are taken back, and are missed where somebody takes a part of one away.

use crate::{compiled, consented, diff_of, node};
use backstay_base::clock::Clock;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_engine::migration::Batch;
use backstay_engine_sqlite::Sqlite;
use backstay_migrate::back::{Place, down};
use backstay_migrate::change::Plan;
use backstay_migrate::diff::{Scope, diff};
use backstay_migrate::draft::draft;
use backstay_migrate::file::MigrationFile;
use backstay_migrate::import::import;
use backstay_migrate::{apply, drift, file};
use backstay_schema::catalog::Catalog;
use backstay_schema::compile::Owner;
use backstay_testkit::database::Database;
use backstay_testkit::served::{Ask, Served, Setup};

/// Schemas one after another: the index comes, follows a field and a type that take other names, a second one comes, the
/// table is made anew, the fields change, the index goes and comes again.
const STEPS: [&str; 9] = [
    "type Item @access(all: \"true\") { id: Int! title: String body: String }",
    "type Item @access(all: \"true\") @index(fields: [\"title\", \"body\"], kind: FULLTEXT) { id: Int! title: String body: String }",
    "type Item @access(all: \"true\") @index(fields: [\"title\", \"text\"], kind: FULLTEXT) { id: Int! title: String text: String @was(name: \"body\") }",
    "type Thing @was(name: \"Item\") @access(all: \"true\") @index(fields: [\"title\", \"text\"], kind: FULLTEXT) { id: Int! title: String text: String }",
    "type Thing @access(all: \"true\") @index(fields: [\"title\", \"text\"], kind: FULLTEXT) { id: Int! title: String @index(kind: FULLTEXT) text: String }",
    "type Thing @access(all: \"true\") @index(fields: [\"title\", \"text\"], kind: FULLTEXT) { id: Int! title: String! @default(value: \"\") @index(kind: FULLTEXT) text: String }",
    "type Thing @access(all: \"true\") { id: Int! title: String! @default(value: \"\") text: String }",
    "type Thing @access(all: \"true\") { id: Int! title: String! @default(value: \"\") @index(kind: FULLTEXT) text: String }",
    "type Thing @access(all: \"true\") { id: Int! title: String! @default(value: \"\") @index(kind: FULLTEXT) }",
];

fn short(text: &str) -> String {
    text.chars().take(300).collect()
}

async fn found(served: &Served, words: &str) -> String {
    let target = format!("/rest/v1/thing?select=id&order=id&title=plfts.{words}");
    served.ask(&Ask::new("anon", "GET", &target, "")).await.body
}

#[tokio::test]
async fn indexes_follow_the_schema() {
    let database = Database::fresh(&Limits::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let scratch = Sqlite::open(&folder.path().join("s.db"), &Limits::default()).unwrap();
    let clock = Clock::fixed(0);
    for (index, sdl) in STEPS.iter().enumerate() {
        let catalog = compiled(&[(sdl, Owner::Project)]);
        let drafted = draft(&scratch, &catalog, &file::read(folder.path()).unwrap()).await.unwrap();
        let written = file::write(folder.path(), "change", &drafted).unwrap();
        let files = file::read(folder.path()).unwrap();
        assert!(draft(&scratch, &catalog, &files).await.unwrap().is_empty(), "step {index}");
        let lossy = index + 1 == STEPS.len();
        for engine in ["sqlite", "postgres", "mysql"] {
            assert_eq!(!written.losses(engine).is_empty(), lossy, "{engine} step {index}");
        }
        let nobody = node("a", 1_000);
        let ids = Ids::seeded(clock.clone(), 1);
        for again in [true, false] {
            let going = apply::Going::with_consent(lossy);
            let done = apply::up(&*database.engine, &files, &clock, going, &nobody).await;
            done.unwrap_or_else(|fault| panic!("step {index}: {}", short(&fault.message)));
            let left = diff_of(&database, &catalog, Scope::Project).await;
            assert_eq!(left, Plan::default(), "step {index}");
            let told = drift::drift(&*database.engine, database.dialect, &files).await.unwrap();
            assert_eq!(told, [], "step {index}");
            // rows are there, and what only a file with rows says is not taken back
            if !again || index == 0 || lossy || index == 5 {
                break;
            }
            let place = Place {
                engine: &*database.engine,
                dialect: database.dialect,
                node: &nobody,
                ids: &ids,
                clock: &clock,
            };
            let back = down(place, &files, 1, &mut Vec::new()).await;
            back.unwrap_or_else(|fault| panic!("step {index}: {}", short(&fault.message)));
        }
        let text = import(database.dialect, &database.engine.introspect().await.unwrap());
        assert_eq!(text.contains("FULLTEXT"), !matches!(index, 0 | 6), "{text}");
        assert!(!text.contains("_backstay_"), "{text}");
        if index == 0 {
            let rows = "INSERT INTO item (title, body) VALUES ('The CAFÉ', 'x'), (NULL, 'cafe'), ('cafe and cat', NULL)";
            database.execute(rows).await;
        }
    }
    found_and_missed(database, &file::read(folder.path()).unwrap()).await;
}

async fn serving(database: Database, sdl: &str) -> (Served, Catalog) {
    let setup = Setup { sdl: sdl.to_owned(), ..Setup::default() };
    let catalog = backstay_testkit::served::compiled(&setup).unwrap().catalog;
    let system = diff_of(&database, &catalog, Scope::System).await;
    database.engine.migrate(&Batch::plain(system.statements())).await.unwrap();
    (Served::over(&setup, database).await, catalog)
}

/// One file in the place of many makes the index, and leaves one that is there as it is.
#[tokio::test]
async fn a_file_that_stands_for_others_makes_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = Sqlite::open(&folder.path().join("s.db"), &Limits::default()).unwrap();
    for sdl in &STEPS[..5] {
        let catalog = compiled(&[(sdl, Owner::Project)]);
        let drafted = draft(&scratch, &catalog, &file::read(folder.path()).unwrap()).await.unwrap();
        file::write(folder.path(), "change", &drafted).unwrap();
    }
    let [late, new] = [Database::fresh(&Limits::default()).await, Database::fresh(&Limits::default()).await];
    let many = file::read(folder.path()).unwrap();
    consented(&late, &many, &node("a", 1_000)).await.unwrap();
    let catalog = compiled(&[(STEPS[4], Owner::Project)]);
    let place = tempfile::tempdir().unwrap();
    let empty = Sqlite::open(&place.path().join("s.db"), &Limits::default()).unwrap();
    file::squash(folder.path(), &many, &draft(&empty, &catalog, &[]).await.unwrap()).unwrap();
    let one = file::read(folder.path()).unwrap();
    assert_eq!(one.len(), 1);
    for database in [late, new] {
        let rows = "INSERT INTO thing (title, text) VALUES ('The CAFÉ', 'x'), (NULL, 'cafe'), ('cafe and cat', NULL)";
        let before = diff_of(&database, &catalog, Scope::Project).await.is_empty();
        if before {
            database.execute(rows).await;
        }
        consented(&database, &one, &node("a", 1_000)).await.unwrap();
        if !before {
            database.execute(rows).await;
        }
        assert_eq!(diff_of(&database, &catalog, Scope::Project).await, Plan::default());
        assert_eq!(drift::drift(&*database.engine, database.dialect, &one).await.unwrap(), []);
        let (served, _) = serving(database, STEPS[4]).await;
        assert_eq!(found(&served, "cafe").await, "[{\"id\":1},{\"id\":3}]");
    }
}

/// The index knows what was there before and what is written; where a part of it is gone, that is told, and it is made
/// anew.
async fn found_and_missed(database: Database, files: &[MigrationFile]) {
    let (dialect, postgres) = (database.dialect, database.dialect.name == "postgres");
    let (served, catalog) = serving(database, STEPS[8]).await;
    assert_eq!(found(&served, "cafe").await, "[{\"id\":1},{\"id\":3}]");
    served.sql(vec!["UPDATE thing SET title = 'cat' WHERE id = 1".to_owned()]).await;
    assert_eq!(found(&served, "cat").await, "[{\"id\":1},{\"id\":3}]");
    assert_eq!(found(&served, "cafe").await, "[{\"id\":3}]");
    let engine = &*served.app.engine;
    let trigger = "DROP TRIGGER _backstay_search1_thing_title_fts_u";
    served.sql(vec![if postgres { "DROP INDEX thing_title_fts" } else { trigger }.to_owned()]).await;
    assert!(!drift::drift(engine, dialect, files).await.unwrap().is_empty());
    let live = engine.introspect().await.unwrap();
    let plan = diff(engine, dialect, &catalog, &live, Scope::Project).await.unwrap();
    assert!(!plan.is_destructive() && !plan.is_empty(), "{plan:?}");
    let statements = plan.statements().into_iter().filter(|text| text != "COMMIT");
    let statements = statements.map(|text| text.replace("CONCURRENTLY ", "")).collect();
    engine.migrate(&Batch::plain(statements)).await.unwrap();
    assert_eq!(drift::drift(engine, dialect, files).await.unwrap(), []);
    assert_eq!(found(&served, "cat").await, "[{\"id\":1},{\"id\":3}]");
}
