//! What was applied and what stands: a database that somebody changed beside its files, and one file in the
//! place of many.

use crate::{compiled, consented, diff_of, node};
use backstay_base::limit::Limits;
use backstay_engine::migration::Batch;
use backstay_engine_sqlite::Sqlite;
use backstay_migrate::change::Plan;
use backstay_migrate::diff::Scope;
use backstay_migrate::draft::draft;
use backstay_migrate::file::{self, MigrationFile};
use backstay_migrate::{apply, drift};
use backstay_schema::compile::Owner;
use backstay_testkit::database::Database;
use std::path::Path;

const FIRST: &str = "type Plan { name: String! @unique } type Note { text: String! plan: Plan! }";
const SECOND: &str = "type Plan { name: String! @unique price: Int @index } type Note { text: String! @valid(maxLength: 90) plan: Plan }";

async fn write(folder: &Path, sdl: &str) -> MigrationFile {
    let place = tempfile::tempdir().unwrap();
    let scratch = Sqlite::open(&place.path().join("s.db"), &Limits::default()).unwrap();
    let catalog = compiled(&[(sdl, Owner::Project)]);
    let draft = draft(&scratch, &catalog, &file::read(folder).unwrap()).await.unwrap();
    file::write(folder, "change", &draft).unwrap()
}

async fn up(database: &Database, folder: &Path) -> Result<Vec<String>, String> {
    let files = file::read(folder).unwrap();
    let done = consented(database, &files, &node("a", 60_000)).await;
    done.map_err(|fault| fault.message)
}

async fn by_hand(database: &Database, statement: &str) {
    database.engine.migrate(&Batch::plain(vec![statement.to_owned()])).await.unwrap();
}

#[tokio::test]
async fn what_was_changed_beside_the_files_is_told_and_not_built_upon() {
    let database = Database::fresh(&Limits::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let first = write(folder.path(), FIRST).await;
    assert_eq!(up(&database, folder.path()).await.unwrap(), ["0001_change.sql"]);
    let told = async || {
        let found = drift::drift(&*database.engine, database.dialect, std::slice::from_ref(&first)).await;
        found.unwrap().into_iter().map(|drift| drift.message).collect::<Vec<_>>()
    };
    assert_eq!(told().await, [""; 0]);
    by_hand(&database, "ALTER TABLE note ADD COLUMN extra INT").await;
    by_hand(&database, "CREATE TABLE other (a INT)").await;
    let messages = ["note.extra is a column that no file makes", "other is a table that no file makes"];
    assert_eq!(told().await, messages);
    // a file about other tables does not mind
    std::fs::write(folder.path().join("0002_else.sql"), "CREATE TABLE elsewhere (a INT);\n").unwrap();
    assert_eq!(up(&database, folder.path()).await.unwrap(), ["0002_else.sql"]);
    let text = "ALTER TABLE note ADD COLUMN more INT;\n";
    std::fs::write(folder.path().join("0003_more.sql"), text).unwrap();
    let refused = up(&database, folder.path()).await.unwrap_err();
    assert_eq!(refused, format!("the database is not as the migration files left it: {}", messages[0]));
    by_hand(&database, "ALTER TABLE note DROP COLUMN extra").await;
    assert_eq!(up(&database, folder.path()).await.unwrap(), ["0003_more.sql"]);
}

#[tokio::test]
async fn one_file_stands_for_those_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let first = write(folder.path(), FIRST).await;
    let [early, late, new] = [
        Database::fresh(&Limits::default()).await,
        Database::fresh(&Limits::default()).await,
        Database::fresh(&Limits::default()).await,
    ];
    up(&early, folder.path()).await.unwrap();
    up(&late, folder.path()).await.unwrap();
    let second = write(folder.path(), SECOND).await;
    up(&late, folder.path()).await.unwrap();

    let place = tempfile::tempdir().unwrap();
    let scratch = Sqlite::open(&place.path().join("s.db"), &Limits::default()).unwrap();
    let catalog = compiled(&[(SECOND, Owner::Project)]);
    let whole = draft(&scratch, &catalog, &[]).await.unwrap();
    let squashed = file::squash(folder.path(), &[first.clone(), second.clone()], &whole).unwrap();
    assert_eq!(squashed.squashes(), [(1, first.checksum), (2, second.checksum)]);
    assert_eq!(file::read(folder.path()).unwrap(), std::slice::from_ref(&squashed));

    let refused = up(&early, folder.path()).await.unwrap_err();
    let words = "0002_init.sql stands for files of which only some were applied; apply the others first, as they were";
    assert_eq!(refused, words);
    for (database, done) in [(&late, &[][..]), (&new, &["0002_init.sql"])] {
        assert_eq!(up(database, folder.path()).await.unwrap(), done);
        let journal = database.engine.journal().await.unwrap();
        let told: Vec<_> = journal.iter().map(|row| (row.number, row.checksum.clone())).collect();
        assert_eq!(told, [(2, squashed.checksum.clone())]);
        assert_eq!(diff_of(database, &catalog, Scope::Project).await, Plan::default());
        let drift = drift::drift(&*database.engine, database.dialect, std::slice::from_ref(&squashed)).await;
        assert_eq!(drift.unwrap(), []);
        assert_eq!(up(database, folder.path()).await.unwrap(), [""; 0]);
    }
}

/// A file that a row refused has done a part of itself on servers: what that changed is no drift, and once the row is
/// mended the file goes on.
#[tokio::test]
async fn a_file_that_a_row_stopped_goes_on_once_the_row_is_mended() {
    let before = "type Note { id: Int! due: String n: Int }";
    for (after, row, column, mended) in [
        ("type Note { id: Int! due: Date n: Int }", "'soon', 1", "note.due", "due = NULL"),
        (
            "type Note { id: Int! due: String @unique n: Int @valid(min: 0) new: String }",
            "'a', -1",
            "",
            "n = 1",
        ),
    ] {
        let database = Database::fresh(&Limits::default()).await;
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), before).await;
        up(&database, folder.path()).await.unwrap();
        by_hand(&database, &format!("INSERT INTO note (id, due, n) VALUES (1, {row})")).await;
        write(folder.path(), after).await;
        let refused = up(&database, folder.path()).await.unwrap_err();
        if !column.is_empty() {
            let words = format!(
                "0002_change.sql: rows that are there already have a value that {column} cannot hold"
            );
            assert_eq!(refused, words);
        }
        assert_eq!(up(&database, folder.path()).await.unwrap_err(), refused);
        let status = apply::status(&*database.engine, &file::read(folder.path()).unwrap()).await.unwrap();
        // PostgreSQL has done nothing where the first part is refused, SQLite never does a part
        let whole = match database.dialect.name {
            "sqlite" => true,
            "postgres" => !column.is_empty(),
            _ => false,
        };
        assert_eq!(status.begun.is_empty(), whole);
        by_hand(&database, &format!("UPDATE note SET {mended} WHERE id = 1")).await;
        assert_eq!(up(&database, folder.path()).await.unwrap(), ["0002_change.sql"]);
        let catalog = compiled(&[(after, Owner::Project)]);
        assert_eq!(diff_of(&database, &catalog, Scope::Project).await, Plan::default());
        assert_eq!(
            drift::drift(&*database.engine, database.dialect, &file::read(folder.path()).unwrap())
                .await
                .unwrap(),
            []
        );
    }
}
