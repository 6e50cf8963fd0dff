//! Introspection, rehearsals and migrations.

use crate::kit::{Db, open, refused};
use backstay_base::limit::Limits;
use backstay_engine::Engine as _;
use backstay_engine::lease::{Held, LeaseAction, LeaseAnswer, LeaseRequest};
use backstay_engine::live::{LiveCheck, LiveColumn, LiveIndex, LiveKey, LiveReference, LiveTable};
use backstay_engine::migration::{Batch, JournalRow};
use backstay_engine_sqlite::Sqlite;
use backstay_sql::ddl;
use backstay_sql::dialect::sqlite::SQLITE;

fn words(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn column(name: &str, ty: &str, nullable: bool) -> LiveColumn {
    LiveColumn { name: name.into(), ty: ty.into(), nullable, ..LiveColumn::default() }
}

#[tokio::test]
async fn what_was_made_is_found_again() {
    let db = open().await;
    let live = db.engine.introspect().await.unwrap();
    let names: Vec<&str> = live.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["note", "pair", "person", "post", "post_tag", "tag"]);
    let note = live.tables.into_iter().next().unwrap();
    let expected = LiveTable {
        comment: None,
        name: "note".into(),
        columns: vec![
            LiveColumn { counted: true, ..column("id", "INTEGER", false) },
            column("post_id", "INTEGER", false),
            column("text", "TEXT", true),
        ],
        key: Some(LiveKey { name: Some("note_pkey".into()), columns: words(&["id"]) }),
        uniques: vec![LiveKey { name: Some("note_text_key".into()), columns: words(&["text"]) }],
        full_texts: Vec::new(),
        indexes: vec![LiveIndex {
            name: "note_post_id_idx".into(),
            columns: vec![Some("post_id".into())],
            unique: false,
            partial: false,
        }],
        references: vec![LiveReference {
            name: Some("note_post_id_fkey".into()),
            columns: words(&["post_id"]),
            target: "post".into(),
            target_columns: words(&["id"]),
            on_delete: "CASCADE".into(),
        }],
        checks: Vec::new(),
    };
    assert_eq!(note, expected);
}

#[tokio::test]
async fn what_litestream_keeps_beside_is_not_found() {
    let db = open().await;
    let before = db.engine.introspect().await.unwrap();
    let its = ["_litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)", "_litestream_lock (id INTEGER)"];
    let statements = its.map(|table| format!("CREATE TABLE {table}")).to_vec();
    db.engine.migrate(&Batch::plain(statements)).await.unwrap();
    assert_eq!(db.engine.introspect().await.unwrap(), before);
    let ours = words(&["CREATE TABLE litestream_seq (id INTEGER PRIMARY KEY)"]);
    db.engine.migrate(&Batch::plain(ours)).await.unwrap();
    assert_eq!(db.engine.introspect().await.unwrap().tables.len(), before.tables.len() + 1);
}

#[tokio::test]
async fn checks_are_found_with_their_text() {
    let db = open().await;
    let live = db.engine.introspect().await.unwrap();
    let post = live.tables.into_iter().find(|table| table.name == "post").unwrap();
    let check = |name: &str, text: &str| LiveCheck { name: Some(name.into()), text: text.into() };
    assert_eq!(
        post.checks[..4],
        [
            check("post_title_check", "length(\"title\") >= 2 AND length(\"title\") <= 20"),
            check("post_state_check", "\"state\" IN ('DRAFT', 'LIVE', 'GONE')"),
            check("post_price_decimal_18_4", "\"price\" BETWEEN -999999999999999999 AND 999999999999999999"),
            check("post_flag_check", "\"flag\" IN (0, 1)"),
        ]
    );
}

#[tokio::test]
async fn a_rehearsal_shows_what_would_stand_and_keeps_nothing() {
    let db = open().await;
    let rehearsed = db.engine.rehearse(&ddl::create_all(&db.catalog, &SQLITE)).await.unwrap();
    assert_eq!(rehearsed, db.engine.introspect().await.unwrap());
    let other = db.engine.rehearse(&words(&["CREATE TABLE other (a TEXT) STRICT"])).await.unwrap();
    assert_eq!(other.tables.len(), 1);
    assert_eq!(db.engine.introspect().await.unwrap(), rehearsed);
}

fn row(number: i64) -> JournalRow {
    JournalRow {
        number,
        name: format!("{number:04}_step"),
        checksum: "c".into(),
        applied_at: "2026-01-31T09:00:00+00:00".into(),
    }
}

#[tokio::test]
async fn a_migration_is_all_or_nothing() {
    let db = Db::filled().await;
    assert_eq!(db.engine.journal().await.unwrap(), []);
    let batch =
        |statements: &[&str], number| Batch { journal: Some(row(number)), ..Batch::plain(words(statements)) };
    db.engine.migrate(&batch(&["ALTER TABLE tag ADD COLUMN weight INTEGER"], 1)).await.unwrap();
    assert_eq!(db.engine.journal().await.unwrap(), [row(1)]);
    let before = db.engine.introspect().await.unwrap();
    let broken = batch(&["CREATE TABLE extra (a TEXT) STRICT", "CREATE TABLE extra (a TEXT) STRICT"], 2);
    assert_eq!(
        refused(db.engine.migrate(&broken).await),
        "42601 | statement 2 of the migration failed: table extra already exists in CREATE TABLE extra (a TEXT) STRICT at offset 13 | "
    );
    let dangling = batch(&["DELETE FROM person WHERE id = 2"], 3);
    assert_eq!(
        refused(db.engine.migrate(&dangling).await),
        "23503 | the migration leaves rows that refer to rows that are not there | "
    );
    assert_eq!(
        refused(db.engine.migrate(&batch(&["COMMIT"], 4)).await),
        "25001 | statement 1 of the migration begins or ends a transaction | "
    );
    let again = batch(&["CREATE TABLE extra (a TEXT) STRICT"], 1);
    assert!(db.engine.migrate(&again).await.is_err());
    assert_eq!(db.engine.introspect().await.unwrap(), before);
    assert_eq!(db.engine.journal().await.unwrap(), [row(1)]);
    assert_eq!(db.dump("person", "id").await, "[{id:1},{id:2},{id:3}]");
}

#[tokio::test]
async fn a_lease_has_one_holder_and_its_fence_only_rises() {
    let db = Db::filled().await;
    let ask = async |holder: &str, action| {
        let request = LeaseRequest { name: "migrate".into(), holder: holder.into(), action };
        db.engine.lease(&request).await.unwrap()
    };
    let long = 60_000;
    assert_eq!(ask("a", LeaseAction::Take { ttl_ms: long }).await, LeaseAnswer::Held { fence: 1 });
    let LeaseAnswer::Taken { holder, .. } = ask("b", LeaseAction::Take { ttl_ms: long }).await else {
        panic!()
    };
    assert_eq!(holder, "a");
    assert_eq!(ask("a", LeaseAction::Renew { fence: 1, ttl_ms: 0 }).await, LeaseAnswer::Held { fence: 1 });
    // it has ended by the clock of the database, and b takes it
    assert_eq!(ask("b", LeaseAction::Take { ttl_ms: long }).await, LeaseAnswer::Held { fence: 2 });
    let LeaseAnswer::Taken { holder, .. } = ask("a", LeaseAction::Renew { fence: 1, ttl_ms: long }).await
    else {
        panic!()
    };
    assert_eq!(holder, "b");
    let held = |fence| Held { name: "migrate".into(), fence, ttl_ms: long };
    let batch = |table: &str, fence| Batch {
        lease: Some(held(fence)),
        ..Batch::plain(vec![format!("CREATE TABLE {table} (a TEXT) STRICT")])
    };
    assert_eq!(
        refused(db.engine.migrate(&batch("late", 1)).await),
        "55P03 | the lease \"migrate\" was taken over; nothing was done | "
    );
    db.engine.migrate(&batch("timely", 2)).await.unwrap();
    let names: Vec<String> =
        db.engine.introspect().await.unwrap().tables.into_iter().map(|table| table.name).collect();
    assert!(names.contains(&"timely".to_owned()) && !names.contains(&"late".to_owned()), "{names:?}");
    assert_eq!(ask("b", LeaseAction::Release { fence: 2 }).await, LeaseAnswer::Released);
    assert_eq!(ask("a", LeaseAction::Take { ttl_ms: long }).await, LeaseAnswer::Held { fence: 3 });
}

#[tokio::test]
async fn a_lease_ends_with_the_process_that_held_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    let ask = |holder: &str, action| LeaseRequest { name: "migrate".into(), holder: holder.into(), action };
    let take = LeaseAction::Take { ttl_ms: 60_000 };
    let first = Sqlite::open(&path, &Limits::default()).unwrap();
    assert_eq!(first.lease(&ask("a", take)).await.unwrap(), LeaseAnswer::Held { fence: 1 });
    drop(first);
    let second = Sqlite::open(&path, &Limits::default()).unwrap();
    assert_eq!(second.lease(&ask("b", take)).await.unwrap(), LeaseAnswer::Held { fence: 2 });
    let LeaseAnswer::Taken { holder, .. } = second.lease(&ask("a", take)).await.unwrap() else { panic!() };
    assert_eq!(holder, "b");
}
