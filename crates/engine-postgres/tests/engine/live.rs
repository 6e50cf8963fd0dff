//! Introspection, rehearsals, migrations and leases.

use crate::kit::{Db, open, refused};
use crate::store::connect;
use backstay_engine::Engine as _;
use backstay_engine::lease::{Held, LeaseAction, LeaseAnswer, LeaseRequest};
use backstay_engine::live::{LiveCheck, LiveColumn, LiveIndex, LiveKey, LiveReference, LiveTable};
use backstay_engine::migration::{Batch, JournalRow, Pace};
use backstay_sql::ddl;
use backstay_sql::dialect::postgres::POSTGRES;

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
            LiveColumn { counted: true, ..column("id", "integer", false) },
            column("post_id", "integer", false),
            column("text", "text COLLATE \"C\"", true),
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
async fn what_others_made_is_found_too() {
    let db = open().await;
    let client = connect(&db.dir.url()).await;
    let tables = "CREATE TYPE mood AS ENUM ('sad', 'glad');
        CREATE TABLE \"Odd \"\"one\" (a serial, b mood DEFAULT 'sad', c numeric(7, 2) NOT NULL DEFAULT 1.5,
          d text GENERATED ALWAYS AS (c::text) STORED, e jsonb, CHECK (c > 0) NOT VALID, UNIQUE (a, c));
        CREATE UNIQUE INDEX odd_idx ON \"Odd \"\"one\" (lower(d), a) INCLUDE (c) WHERE c > 1;
        CREATE TABLE zero ();
        COMMENT ON TABLE \"Odd \"\"one\" IS 'odd';
        COMMENT ON COLUMN \"Odd \"\"one\".a IS 'first';
        CREATE VIEW seen AS SELECT 1 AS x";
    client.batch_execute(tables).await.unwrap();
    let live = db.engine.introspect().await.unwrap();
    let find = |name: &str| live.tables.iter().find(|table| table.name == name).cloned();
    assert_eq!(find("seen"), None);
    assert_eq!(find("zero"), Some(LiveTable { name: "zero".into(), ..LiveTable::default() }));
    let expected = LiveTable {
        name: "Odd \"one".into(),
        comment: Some("odd".into()),
        columns: vec![
            LiveColumn {
                default: Some("nextval('\"Odd \"\"one_a_seq\"'::regclass)".into()),
                counted: true,
                comment: Some("first".into()),
                ..column("a", "integer", false)
            },
            LiveColumn {
                default: Some("'sad'::mood".into()),
                members: words(&["sad", "glad"]),
                ..column("b", "mood", true)
            },
            LiveColumn { default: Some("1.5".into()), ..column("c", "numeric(7,2)", false) },
            LiveColumn { generated: true, ..column("d", "text", true) },
            column("e", "jsonb", true),
        ],
        key: None,
        uniques: vec![LiveKey { name: Some("Odd \"one_a_c_key".into()), columns: words(&["a", "c"]) }],
        full_texts: Vec::new(),
        indexes: vec![LiveIndex {
            name: "odd_idx".into(),
            columns: vec![None, Some("a".into())],
            unique: true,
            partial: true,
        }],
        references: Vec::new(),
        checks: vec![LiveCheck { name: Some("Odd \"one_c_check".into()), text: "c > 0::numeric".into() }],
    };
    assert_eq!(find("Odd \"one"), Some(expected));
}

#[tokio::test]
async fn a_rehearsal_shows_what_would_stand_and_keeps_nothing() {
    let db = open().await;
    let rehearsed = db.engine.rehearse(&ddl::create_all(&db.catalog, &POSTGRES)).await.unwrap();
    assert_eq!(rehearsed, db.engine.introspect().await.unwrap());
    let index = ["CREATE TABLE other (a text)", "CREATE INDEX CONCURRENTLY other_idx ON other (a)"];
    let other = db.engine.rehearse(&words(&index)).await.unwrap();
    assert_eq!((other.tables.len(), other.tables[0].indexes.len()), (1, 1));
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

fn batch(statements: &[&str], number: i64) -> Batch {
    Batch { journal: Some(row(number)), pace: Pace::Parts, ..Batch::plain(words(statements)) }
}

#[tokio::test]
async fn a_migration_is_all_or_nothing() {
    let db = Db::filled().await;
    assert_eq!(db.engine.journal().await.unwrap(), []);
    db.engine.migrate(&batch(&["ALTER TABLE tag ADD COLUMN weight integer"], 1)).await.unwrap();
    assert_eq!(db.engine.journal().await.unwrap(), [row(1)]);
    let before = db.engine.introspect().await.unwrap();
    for (statements, expected) in [
        (
            &["CREATE TABLE extra (a text)", "CREATE TABLE extra (a text)"][..],
            "42601 | statement 2 of the migration failed: 42P07: relation \"extra\" already exists | ",
        ),
        (
            &["DELETE FROM person WHERE id = 2"],
            "23503 | the migration leaves rows that refer to rows that are not there | ",
        ),
        (&["ROLLBACK"], "25001 | statement 1 of the migration begins or ends a transaction | "),
        (
            &["ALTER TABLE tag ALTER COLUMN weight SET NOT NULL"],
            "23502 | rows that are there already have no value for tag.weight | ",
        ),
        (
            &["ALTER TABLE person ADD CONSTRAINT short CHECK (length(name) < 3)"],
            "23514 | rows that are there already break short | ",
        ),
        (
            &["INSERT INTO person (id, name) VALUES (7, 'Ann')", "CREATE UNIQUE INDEX one ON person (name)"],
            "23505 | rows that are there already have the same person.name | ",
        ),
    ] {
        assert_eq!(refused(db.engine.migrate(&batch(statements, 2)).await), expected);
    }
    assert!(db.engine.migrate(&batch(&["CREATE TABLE extra (a text)"], 1)).await.is_err());
    assert_eq!(db.engine.introspect().await.unwrap(), before);
    assert_eq!(db.engine.journal().await.unwrap(), [row(1)]);
    assert_eq!(db.dump("person", "id").await, "[{id:1},{id:2},{id:3}]");
}

#[tokio::test]
async fn an_index_is_built_while_others_write_and_a_second_run_goes_on() {
    let db = Db::filled().await;
    let client = connect(&db.dir.url()).await;
    let statements = [
        "CREATE TABLE extra (a integer, b integer)",
        "INSERT INTO extra VALUES (1, 1), (1, 2)",
        "CREATE UNIQUE INDEX CONCURRENTLY extra_a_idx ON extra (a)",
        "ALTER TABLE extra ADD COLUMN c integer",
    ];
    let refusal = "23505 | rows that are there already have the same extra.a | ";
    assert_eq!(refused(db.engine.migrate(&batch(&statements, 1)).await), refusal);
    assert_eq!(db.engine.journal().await.unwrap(), []);
    // what was done stays done; the index that was left unfinished is built anew
    client.batch_execute("UPDATE extra SET a = b").await.unwrap();
    db.engine.migrate(&batch(&statements, 1)).await.unwrap();
    assert_eq!(db.engine.journal().await.unwrap(), [row(1)]);
    let live = db.engine.introspect().await.unwrap();
    let extra = live.tables.iter().find(|table| table.name == "extra").unwrap();
    assert_eq!((extra.columns.len(), extra.indexes.len()), (3, 1));
    let steps = client.query_one("SELECT count(*) FROM _backstay_migration_step", &[]).await.unwrap();
    assert_eq!(steps.get::<_, i64>(0), 0);
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
    assert_eq!(ask("b", LeaseAction::Take { ttl_ms: long }).await, LeaseAnswer::Held { fence: 2 });
    let LeaseAnswer::Taken { holder, .. } = ask("a", LeaseAction::Renew { fence: 1, ttl_ms: long }).await
    else {
        panic!()
    };
    assert_eq!(holder, "b");
    let held = |fence| Held { name: "migrate".into(), fence, ttl_ms: long };
    let under = |table: &str, fence| Batch {
        lease: Some(held(fence)),
        ..Batch::plain(vec![format!("CREATE TABLE {table} (a text)")])
    };
    assert_eq!(
        refused(db.engine.migrate(&under("late", 1)).await),
        "55P03 | the lease \"migrate\" was taken over; nothing was done | "
    );
    db.engine.migrate(&under("timely", 2)).await.unwrap();
    let names: Vec<String> =
        db.engine.introspect().await.unwrap().tables.into_iter().map(|table| table.name).collect();
    assert!(names.contains(&"timely".to_owned()) && !names.contains(&"late".to_owned()), "{names:?}");
    assert_eq!(ask("b", LeaseAction::Release { fence: 2 }).await, LeaseAnswer::Released);
    assert_eq!(ask("a", LeaseAction::Take { ttl_ms: long }).await, LeaseAnswer::Held { fence: 3 });
}

/// Nodes that begin at the same time: the table is made once and one of them has the lease.
#[tokio::test]
async fn many_nodes_ask_for_a_lease_and_one_has_it() {
    let db = open().await;
    let nodes: Vec<_> = (0..6).map(|_| db.dir.engine(&backstay_base::limit::Limits::default())).collect();
    let asked = nodes.iter().enumerate().map(|(number, node)| async move {
        let action = LeaseAction::Take { ttl_ms: 60_000 };
        let request = LeaseRequest { name: "sweep".into(), holder: format!("node {number}"), action };
        node.lease(&request).await.unwrap()
    });
    let answers = futures_util::future::join_all(asked).await;
    let held = answers.iter().filter(|answer| **answer == LeaseAnswer::Held { fence: 1 }).count();
    assert_eq!(held, 1, "{answers:?}");
}

/// Whoever waits for a lock keeps everybody behind them waiting: a migration does so for a second
/// at a time and begins anew.
#[tokio::test]
async fn a_migration_waits_for_its_tables_in_turns() {
    let db = Db::filled().await;
    let blocker = connect(&db.dir.url()).await;
    let watcher = connect(&db.dir.url()).await;
    blocker.batch_execute("BEGIN; SELECT 1 FROM tag").await.unwrap();
    let statements =
        ["INSERT INTO tag (id, label) VALUES (7, 'new')", "ALTER TABLE tag ADD COLUMN weight integer"];
    let one = batch(&statements, 1);
    let released = async {
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let ask = async || watcher.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) > 0;
        // once it waited and gave up, and then waits again
        for wanted in [true, false, true] {
            while ask().await != wanted {
                tokio::task::yield_now().await;
            }
        }
        blocker.batch_execute("COMMIT").await.unwrap();
    };
    let (migrated, ()) = futures_util::future::join(db.engine.migrate(&one), released).await;
    migrated.unwrap();
    assert_eq!(db.engine.journal().await.unwrap(), [row(1)]);
    assert_eq!(db.dump("tag", "label").await, r#"[{label:"red"},{label:"blue"},{label:"new"}]"#);
}
