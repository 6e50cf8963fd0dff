//! Introspection, rehearsals, leases, and migrations that are cut at every place.

use crate::kit::{Db, open, refused};
use crate::proxy::{Cut, Proxy};
use crate::server::Database;
use backstay_base::limit::Limits;
use backstay_engine::Engine as _;
use backstay_engine::lease::{Held, LeaseAction, LeaseAnswer, LeaseRequest};
use backstay_engine::live::{Live, LiveCheck, LiveColumn, LiveIndex, LiveKey, LiveReference, LiveTable};
use backstay_engine::migration::{Batch, JournalRow};
use backstay_engine_mysql::MySql;
use backstay_engine_mysql::connection::Refusal;
use backstay_engine_mysql::pool::Purpose;
use backstay_sql::ddl;

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
            LiveColumn { counted: true, ..column("id", "int", false) },
            column("post_id", "int", false),
            column("text", "varchar(650)", true),
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
async fn what_others_made_is_found_in_its_own_words() {
    let Some(database) = Database::new().await else { return };
    let engine = database.engine();
    let make = "CREATE TABLE `odd` (
        a INT UNSIGNED NOT NULL DEFAULT 7 COMMENT 'how many',
        b ENUM('x', 'it''s') NULL DEFAULT 'x',
        c VARCHAR(20) NOT NULL DEFAULT 'o''k',
        d INT AS (a + 1) VIRTUAL,
        e DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
        f TEXT, INDEX half (f(10)), UNIQUE KEY two (a, c),
        CONSTRAINT odd_check CHECK (a < 10)
    ) COMMENT 'strange'";
    engine.migrate(&Batch::plain(words(&[make]))).await.unwrap();
    let live = engine.introspect().await.unwrap();
    let counted = |default: &str, column: LiveColumn| LiveColumn { default: Some(default.into()), ..column };
    let expected = LiveTable {
        name: "odd".into(),
        comment: Some("strange".into()),
        columns: vec![
            LiveColumn {
                comment: Some("how many".into()),
                ..counted("7", column("a", "int unsigned", false))
            },
            LiveColumn {
                members: words(&["x", "it's"]),
                ..counted("'x'", column("b", "enum('x','it''s')", true))
            },
            counted("'o''k'", column("c", "varchar(20)", false)),
            LiveColumn { generated: true, ..column("d", "int", true) },
            counted("current_timestamp(6)", column("e", "datetime(6)", false)),
            column("f", "text", true),
        ],
        uniques: vec![LiveKey { name: Some("two".into()), columns: words(&["a", "c"]) }],
        full_texts: Vec::new(),
        indexes: vec![LiveIndex {
            name: "half".into(),
            columns: vec![Some("f".into())],
            unique: false,
            partial: true,
        }],
        checks: vec![LiveCheck { name: Some("odd_check".into()), text: "`a` < 10".into() }],
        ..LiveTable::default()
    };
    assert_eq!(live.tables, [expected]);
}

#[tokio::test]
async fn a_rehearsal_shows_what_would_stand_and_keeps_nothing() {
    let db = open().await;
    let dialect = db.engine.pool().flavour().await.unwrap().dialect;
    let rehearsed = db.engine.rehearse(&ddl::create_all(&db.catalog, dialect)).await.unwrap();
    assert_eq!(rehearsed, db.engine.introspect().await.unwrap());
    let broken = db.engine.rehearse(&words(&["CREATE TABLE other (a INT)", "nonsense"])).await;
    assert!(refused(broken).starts_with("42601 | statement 2 of the migration failed: "));
    let mut connection = db.engine.pool().take(Purpose::Read).await.unwrap();
    // left by one that died, long ago; others of this server may be at work
    let old = "CREATE DATABASE `_backstay_rehearsal_00000001_0`";
    connection.control(old).await.map_err(Refusal::into_fault).unwrap();
    db.engine.rehearse(&[]).await.unwrap();
    let left =
        "SELECT 1 FROM information_schema.schemata WHERE schema_name LIKE '\\_backstay\\_rehearsal\\_0000%'";
    let mut seen = 0;
    let mut count = |_| {
        seen += 1;
        Ok(())
    };
    connection.execute(left, vec![], &mut count).await.map_err(Refusal::into_fault).unwrap();
    assert_eq!(seen, 0);
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
    Batch { journal: Some(row(number)), ..Batch::plain(words(statements)) }
}

#[tokio::test]
async fn a_migration_goes_on_where_it_stopped() {
    let db = Db::filled().await;
    assert_eq!(db.engine.journal().await.unwrap(), []);
    db.engine.migrate(&batch(&["ALTER TABLE tag ADD COLUMN weight INT"], 1)).await.unwrap();
    assert_eq!(db.engine.journal().await.unwrap(), [row(1)]);
    let again = db.engine.migrate(&batch(&["CREATE TABLE extra (a INT)"], 1)).await;
    assert_eq!(refused(again), "23505 | a migration with the number 1 was applied already | ");
    let ends = db.engine.migrate(&batch(&["CREATE TABLE extra (a INT)", "-- x\nCOMMIT"], 2)).await;
    assert_eq!(refused(ends), "25001 | statement 2 of the migration begins or ends a transaction | ");
    let first = "UPDATE tag SET weight = COALESCE(weight, 0) + 1";
    let broken = batch(&[first, "ALTER TABLE tag ADD CONSTRAINT heavy CHECK (weight > 1)"], 2);
    let refusal = refused(db.engine.migrate(&broken).await);
    assert_eq!(refusal, "23514 | rows that are there already break heavy | ");
    let changed = batch(&["UPDATE tag SET weight = 5", "ALTER TABLE tag DROP COLUMN weight"], 2);
    assert!(
        refused(db.engine.migrate(&changed).await)
            .starts_with("25001 | 0002_step stopped after 1 of its statements")
    );
    // the statement that failed may be mended; the one before it does not run again
    let mended = batch(&[first, "UPDATE tag SET weight = weight + 1", broken.statements[1].as_str()], 2);
    db.engine.migrate(&mended).await.unwrap();
    assert_eq!(db.engine.journal().await.unwrap(), [row(1), row(2)]);
    let mut connection = db.engine.pool().take(Purpose::Read).await.unwrap();
    assert_eq!(numbers(&mut connection, "SELECT weight FROM tag").await, [2, 2]);
    for (number, statement, expected) in [
        (
            3,
            "ALTER TABLE tag ADD CONSTRAINT one UNIQUE (weight)",
            "23505 | rows that are there already have the same one | ",
        ),
        (
            4,
            "ALTER TABLE tag ADD CONSTRAINT far FOREIGN KEY (weight) REFERENCES note (id), ADD COLUMN x INT",
            "",
        ),
        (5, "UPDATE tag SET label = NULL", "23502 | rows that are there already have no value for label | "),
    ] {
        let result = db.engine.migrate(&batch(&[statement], number)).await;
        if expected.is_empty() {
            result.unwrap();
            continue;
        }
        assert_eq!(refused(result), expected);
    }
}

async fn numbers(connection: &mut backstay_engine_mysql::connection::Connection, text: &str) -> Vec<i64> {
    let mut found = Vec::new();
    let mut keep = |row: mysql_async::Row| {
        match row.as_ref(0) {
            Some(mysql_async::Value::Int(number)) => found.push(*number),
            other => panic!("{other:?}"),
        }
        Ok(())
    };
    connection.execute(text, vec![], &mut keep).await.map_err(Refusal::into_fault).unwrap();
    found
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
    let LeaseAnswer::Taken { holder, until } = ask("b", LeaseAction::Take { ttl_ms: long }).await else {
        panic!()
    };
    assert_eq!((holder.as_str(), until.ends_with("+00:00")), ("a", true));
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
        ..Batch::plain(vec![format!("CREATE TABLE {table} (a INT)")])
    };
    assert_eq!(
        refused(db.engine.migrate(&batch("late", 1)).await),
        "55P03 | the lease \"migrate\" was taken over; nothing more was done | "
    );
    db.engine.migrate(&batch("timely", 2)).await.unwrap();
    let names: Vec<String> =
        db.engine.introspect().await.unwrap().tables.into_iter().map(|table| table.name).collect();
    assert!(names.contains(&"timely".to_owned()) && !names.contains(&"late".to_owned()), "{names:?}");
    assert_eq!(ask("b", LeaseAction::Release { fence: 2 }).await, LeaseAnswer::Released);
    assert_eq!(ask("a", LeaseAction::Take { ttl_ms: long }).await, LeaseAnswer::Held { fence: 3 });
}

const MIGRATION: &[&str] = &[
    "CREATE TABLE a (id INT PRIMARY KEY, n INT NOT NULL, CONSTRAINT a_check CHECK (n >= 0))",
    "INSERT INTO a (id, n) VALUES (1, 1), (2, 2)",
    "ALTER TABLE a ADD COLUMN m INT NULL",
    "UPDATE a SET m = n, n = n + 10",
    "SET foreign_key_checks = 0",
    "ALTER TABLE a RENAME COLUMN n TO k",
    "CREATE INDEX a_k ON a (k)",
    "ALTER TABLE a DROP CONSTRAINT a_check, MODIFY COLUMN m INT NOT NULL",
    "ALTER TABLE a RENAME TO b",
    "UPDATE b SET k = k * 2",
    "DROP INDEX a_k ON b",
];

async fn state(engine: &MySql) -> (Live, Vec<i64>, Vec<i64>, Vec<JournalRow>) {
    let live = engine.introspect().await.unwrap();
    let mut connection = engine.pool().take(Purpose::Read).await.unwrap();
    let rows = numbers(&mut connection, "SELECT k * 1000 + m FROM b ORDER BY id").await;
    let left = numbers(&mut connection, "SELECT number FROM _backstay_migration_step").await;
    (live, rows, left, engine.journal().await.unwrap())
}

#[tokio::test]
async fn a_migration_that_is_cut_anywhere_ends_the_same() {
    let Some(server) = crate::server::server() else { return };
    let port = server.rsplit_once(':').unwrap().1.parse().unwrap();
    let Some(whole) = Database::new().await else { return };
    let reference = whole.engine();
    reference.migrate(&batch(MIGRATION, 1)).await.unwrap();
    let expected = state(&reference).await;
    assert_eq!((expected.1.as_slice(), expected.2.len()), ([22_001, 24_002].as_slice(), 0));
    let proxy = Proxy::to(port).await;
    let mut cuts = 0;
    for cut in [Cut::Before, Cut::After] {
        for command in 0.. {
            let database = Database::on(server.clone()).await;
            let url = database.url_at(&format!("mysql://root@127.0.0.1:{}", proxy.port));
            let far = MySql::connect(&url, &Limits::default()).unwrap();
            proxy.cut(cut, move |number, _| number == command);
            let result = far.migrate(&batch(MIGRATION, 1)).await;
            if proxy.is_armed() {
                result.unwrap();
                break;
            }
            cuts += 1;
            let near = database.engine();
            match near.migrate(&batch(MIGRATION, 1)).await {
                Ok(()) => {}
                // all of it had been done, and nobody heard that
                Err(fault) if fault.code.text == "23505" => {}
                Err(fault) => panic!("{cut:?} at {command}: {fault:?}"),
            }
            assert_eq!(state(&near).await, expected, "{cut:?} at {command}");
        }
    }
    assert!(cuts > 60, "{cuts}");
}
