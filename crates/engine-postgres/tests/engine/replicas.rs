//! Reads from a streaming replica: never older than what their caller wrote.

use crate::instance::Instance;
use crate::kit::{Db, eq, guarded, insert, select, update};
use crate::store::{Home, connect};
use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine::Engine as _;
use backstay_engine::migration::Batch;
use backstay_engine::position::{Near, Placed};
use backstay_engine_postgres::Postgres;
use backstay_query::named::{self, Query};
use backstay_sql::ddl;
use backstay_sql::dialect::postgres::POSTGRES;
use std::sync::Arc;

async fn ask(db: &Db, query: Query, caller: u128, position: Option<&str>) -> Placed {
    let script = guarded(&db.catalog, db.script(query));
    db.engine.run_near(&script, Near { caller, position }).await.unwrap()
}

fn people() -> Query {
    let first = named::Select { filters: vec![eq("id", "1")], ..select("person", "id name") };
    Query::Select(first)
}

fn rename(name: &str) -> Query {
    Query::Update(update("person", &[("name", name)], vec![eq("id", "1")]))
}

fn name(placed: &Placed) -> String {
    placed.reply.parts[0].rows.text.clone()
}

/// Until a read of this caller is answered by the replica.
async fn until_replica_answers(db: &Db, replica: &tokio_postgres::Client, caller: u128) {
    const ANSWERED: &str =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%\"person\"%' AND pid <> pg_backend_pid()";
    while replica.query_one(ANSWERED, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        ask(db, people(), caller, None).await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_caller_reads_what_it_wrote_and_replicas_answer_others() {
    let Some(primary) = Instance::start("wal_level = replica\nhot_standby = on\nmax_wal_senders = 4") else {
        return;
    };
    let home = Home::new(&primary.url("postgres")).await;
    let replica = primary.replica();
    let (ours, theirs) = (Secret::new(home.url()), Secret::new(home.url_on(&replica.url("postgres"))));
    let engine = Postgres::with_replicas(&ours, &[theirs], &Limits::default()).unwrap();
    let db = Db { catalog: crate::kit::catalog(), engine: Arc::new(engine), dir: home };
    db.engine.migrate(&Batch::plain(ddl::create_all(&db.catalog, &POSTGRES))).await.unwrap();
    let (ann, bob) = (7, 8);
    let made = ask(&db, Query::Insert(insert("person", "id name", &[vec!["1", "a"]])), ann, None).await;
    assert!(made.position.is_some());
    let watcher = connect(&replica.url("postgres")).await;
    until_replica_answers(&db, &watcher, bob).await;
    watcher.batch_execute("SELECT pg_wal_replay_pause()").await.unwrap();
    for round in 0..20 {
        let wanted = format!("name {round}");
        let written = ask(&db, rename(&wanted), ann, None).await;
        // by its position, on any node, and on this node without one
        let shown = ask(&db, people(), bob, written.position.as_deref()).await;
        assert_eq!(name(&shown), wanted);
        assert_eq!(name(&ask(&db, people(), ann, None).await), wanted);
    }
    // a position that is none is not behind anything
    assert_eq!(name(&ask(&db, people(), bob, Some("nonsense")).await), "name 19");
    watcher.batch_execute("SELECT pg_wal_replay_resume()").await.unwrap();
    // a replica that is gone is not missed
    drop(watcher);
    replica.kill();
    let written = ask(&db, rename("last"), ann, None).await;
    assert_eq!(name(&ask(&db, people(), bob, written.position.as_deref()).await), "last");
    for _ in 0..20 {
        ask(&db, people(), bob, None).await;
    }
}

#[tokio::test]
async fn a_replica_that_is_promoted_takes_over_as_the_primary() {
    let Some(primary) = Instance::start("wal_level = replica\nhot_standby = on\nmax_wal_senders = 4") else {
        return;
    };
    let home = Home::new(&primary.url("postgres")).await;
    let replica = primary.replica();
    // both are in the URL; whichever takes writes is the one
    let url = format!(
        "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/{}?connect_timeout=2",
        primary.port, replica.port, home.name
    );
    let engine = Arc::new(Postgres::new(&Secret::new(url), &Limits::default()).unwrap());
    let db = Db { catalog: crate::kit::catalog(), engine, dir: home };
    db.engine.migrate(&Batch::plain(ddl::create_all(&db.catalog, &POSTGRES))).await.unwrap();
    let written = ask(&db, Query::Insert(insert("person", "id name", &[vec!["1", "a"]])), 7, None).await;
    assert_eq!(written.reply.parts[0].affected, 1);
    let watcher = connect(&replica.url("postgres")).await;
    let primary_lsn = connect(&primary.url("postgres")).await;
    let lsn: String = primary_lsn.query_one("SELECT pg_current_wal_lsn()::text", &[]).await.unwrap().get(0);
    let caught_up = format!("SELECT pg_last_wal_replay_lsn() >= '{lsn}'::pg_lsn");
    while !watcher.query_one(&caught_up, &[]).await.unwrap().get::<_, bool>(0) {
        tokio::task::yield_now().await;
    }
    primary.kill();
    watcher.batch_execute("SELECT pg_promote()").await.unwrap();
    let script = guarded(&db.catalog, db.script(rename("b")));
    // the first may still find the one that is gone
    while db.engine.run(&script).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(name(&ask(&db, people(), 7, None).await), "b");
    drop(watcher);
    drop(db);
}
