//! What goes wrong around a database: it is away, comes back, is killed while it commits,
//! takes too long, is asked by too many; transactions that lose to others.

use crate::instance::Instance;
use crate::kit::{Db, eq, insert, refused, select, update};
use crate::store::{Home, connect, server};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine::Engine as _;
use backstay_engine::migration::Batch;
use backstay_engine_postgres::Postgres;
use backstay_query::named::{self, Query};
use backstay_sql::ddl;
use backstay_sql::dialect::postgres::POSTGRES;
use futures_util::future::join_all;
use std::sync::Arc;

fn limits() -> Limits {
    Limits { statement_ms: 5_000, ..Limits::default() }
}

/// The small database on an instance, filled.
async fn on(instance: &Instance, limits: &Limits) -> (Db, String) {
    let home = Home::new(&instance.url("postgres")).await;
    let url = home.url();
    let db = Db { catalog: crate::kit::catalog(), engine: home.engine(limits), dir: home };
    db.engine.migrate(&Batch::plain(ddl::create_all(&db.catalog, &POSTGRES))).await.unwrap();
    let people = insert("person", "id name", &[vec!["1", "Ann"], vec!["2", "Bob"]]);
    db.run(Query::Insert(people)).await.unwrap();
    (db, url)
}

async fn names(db: &Db) -> Result<u64, Fault> {
    db.run(Query::Select(select("person", "id name"))).await.map(|part| part.rows.count)
}

#[tokio::test]
async fn it_starts_with_the_database_away_and_recovers_by_itself() {
    let Some(instance) = Instance::start("fsync = off") else { return };
    let (db, _) = on(&instance, &limits()).await;
    assert_eq!(names(&db).await.unwrap(), 2);
    instance.down();
    let late = db.dir.engine(&limits());
    let late = Db { catalog: Arc::clone(&db.catalog), engine: late, dir: db.dir };
    let unreachable = "PGRST000 | the database cannot be reached; nothing was done | ";
    assert_eq!(refused(names(&late).await), unreachable);
    let add = || Query::Insert(insert("person", "id name", &[vec!["3", "Cy"]]));
    assert_eq!(refused(late.run(add()).await), unreachable);
    assert_eq!(refused(late.engine.introspect().await), unreachable);
    instance.up();
    // whoever comes first after a refused connection may still find it resting
    while names(&late).await.is_err() {
        tokio::task::yield_now().await;
    }
    late.run(add()).await.unwrap();
    assert_eq!(names(&late).await.unwrap(), 3);
    drop(late);
}

#[tokio::test]
async fn requests_over_a_restart_are_answered_or_refused_and_never_half_done() {
    let Some(instance) = Instance::start("") else { return };
    let (db, url) = on(&instance, &limits()).await;
    let mut written = 0_u64;
    let mut unknown = 0_u64;
    for round in 0..3_u64 {
        let writes = (0..40_u64).map(|number| {
            let id = (1_000 + round * 100 + number).to_string();
            let query = Query::Insert(insert("person", "id name", &[vec![&id, "P"]]));
            let db = &db;
            async move { db.run(query).await }
        });
        let restart = async {
            if round == 1 {
                instance.kill();
                instance.up();
            } else if round == 2 {
                instance.down();
                instance.up();
            }
        };
        let (outcomes, ()) = futures_util::future::join(join_all(writes), restart).await;
        for outcome in outcomes {
            match outcome {
                Ok(part) => written += part.affected,
                Err(fault) if fault.code == code::OUTCOME_UNKNOWN => unknown += 1,
                Err(fault) => assert_eq!(fault.code.text, code::NO_DATABASE.text, "{fault:?}"),
            }
        }
    }
    let client = connect(&url).await;
    let count: i64 =
        client.query_one("SELECT count(*) FROM person WHERE id >= 1000", &[]).await.unwrap().get(0);
    let count = u64::try_from(count).unwrap();
    assert!((written..=written + unknown).contains(&count), "{written} written, {unknown} unknown: {count}");
    assert!(written >= 40);
}

/// A replica that never confirms holds every commit: the server is killed while it waits.
#[tokio::test]
async fn a_commit_that_nobody_answers_is_of_unknown_outcome_and_not_tried_again() {
    let Some(instance) = Instance::start("") else { return };
    let (db, url) = on(&instance, &limits()).await;
    let watcher = connect(&instance.url("postgres")).await;
    watcher.batch_execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await.unwrap();
    watcher.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    // sessions that begin from now on know it
    let known = "SELECT current_setting('synchronous_standby_names') = 'nobody'";
    while !connect(&url).await.query_one(known, &[]).await.unwrap().get::<_, bool>(0) {
        tokio::task::yield_now().await;
    }
    let db = Db { engine: db.dir.engine(&limits()), ..db };
    let one = db.run(Query::Insert(insert("person", "id name", &[vec!["7", "Unknown"]])));
    let two = vec![vec!["8", "Unknown", ""], vec!["9", "Unknown", "8"]];
    let steps = db.run(Query::Insert(insert("person", "id name manager_id", &two)));
    let killed = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        while watcher.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) < 2 {
            tokio::task::yield_now().await;
        }
        instance.kill();
    };
    let (one, steps, ()) = futures_util::future::join3(one, steps, killed).await;
    let words = "08007 | the connection broke while the write was being made durable: it may or may not have happened | ";
    assert_eq!(refused(one), words);
    assert_eq!(refused(steps), words);
    drop(watcher);
    let file = instance.data().join("postgresql.auto.conf");
    std::fs::write(file, "").unwrap();
    instance.up();
    let client = connect(&url).await;
    let rows = client.query("SELECT id FROM person ORDER BY id", &[]).await.unwrap();
    let ids: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    // the log had them: they did happen
    assert_eq!(ids, [1, 2, 7, 8, 9]);
}

#[tokio::test]
async fn what_takes_too_long_is_cancelled_and_told() {
    let limits = Limits { statement_ms: 300, ..Limits::default() };
    let db = Db::filled().await;
    let blocker = connect(&db.dir.url()).await;
    blocker.batch_execute("BEGIN; LOCK TABLE person").await.unwrap();
    for parameters in ["connections=2", "connections=2&pooler=transaction"] {
        let engine = db.dir.engine_with(parameters, &limits);
        let quick = Db { catalog: Arc::clone(&db.catalog), engine, dir: Home::new(&server()).await };
        let words = "57014 | canceling statement due to statement timeout | ";
        assert_eq!(refused(names(&quick).await), words, "{parameters}");
        let change = update("person", &[("name", "Eve")], vec![eq("id", "1")]);
        let refusal = quick.run(Query::Update(change)).await.unwrap_err();
        assert_eq!(refusal.code.text, "57014", "{parameters}: {refusal:?}");
    }
    blocker.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(db.dump("person", "name").await, r#"[{name:"Ann"},{name:"Bob"},{name:"Cy"}]"#);
}

#[tokio::test]
async fn those_who_cannot_wait_are_sent_away_at_once() {
    let db = Db::filled().await;
    let blocker = connect(&db.dir.url()).await;
    blocker.batch_execute("BEGIN; LOCK TABLE person").await.unwrap();
    let limits = Limits { read_queue: 2, write_queue: 1, ..Limits::default() };
    let engine = db.dir.engine_with("connections=1", &limits);
    let tight = Db { catalog: Arc::clone(&db.catalog), engine, dir: Home::new(&server()).await };
    let waiting = async { join_all([names(&tight), names(&tight), names(&tight)]).await };
    let others = async {
        let third = names(&tight).await;
        let fourth = names(&tight).await;
        blocker.batch_execute("ROLLBACK").await.unwrap();
        [refused(third), refused(fourth)]
    };
    let (waited, sent_away) = futures_util::future::join(waiting, others).await;
    assert_eq!(sent_away, ["53400 | too many reads are waiting; nothing was done | "; 2]);
    assert_eq!(waited.into_iter().map(Result::unwrap).collect::<Vec<u64>>(), [3, 3, 3]);
}

/// Until this many sessions of the database wait for a lock.
async fn until_waiting(client: &tokio_postgres::Client, sessions: i64) {
    const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while client.query_one(WAITING, &[]).await.unwrap().get::<_, i64>(0) != sessions {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_abandoned_write_is_undone_and_its_connection_freed() {
    let db = Db::filled().await;
    let blocker = connect(&db.dir.url()).await;
    blocker.batch_execute("BEGIN; SELECT 1 FROM person WHERE id = 1 FOR UPDATE").await.unwrap();
    // a transaction would see the same sessions all the time
    let watcher = connect(&db.dir.url()).await;
    let engine = db.dir.engine_with("connections=1", &Limits::default());
    let single = Db { catalog: Arc::clone(&db.catalog), engine, dir: Home::new(&server()).await };
    let change = update("person", &[("name", "Eve")], vec![eq("id", "1")]);
    {
        let mut write = Box::pin(single.run(Query::Update(change)));
        tokio::select! {
            outcome = &mut write => panic!("{outcome:?}"),
            () = until_waiting(&watcher, 1) => {}
        }
    }
    until_waiting(&watcher, 0).await;
    blocker.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(
        single
            .run(Query::Select(named::Select {
                filters: vec![eq("name", "Eve")],
                ..select("person", "id name")
            }))
            .await
            .unwrap()
            .rows
            .count,
        0
    );
    single.run(Query::Update(update("person", &[("name", "Ann2")], vec![eq("id", "1")]))).await.unwrap();
}

/// Two writers that wait for each other: one is undone by the database and begun anew.
#[tokio::test]
async fn writers_that_wait_for_each_other_are_begun_anew() {
    let db = Db::filled().await;
    let swap = |first: &'static str, second: &'static str| {
        let step = |id: &'static str| {
            let change = update("person", &[("name", "Swapped")], vec![eq("id", id)]);
            (Query::Update(change), backstay_query::plan::Expect::Singular)
        };
        db.script_of(&[step(first), step(second)], backstay_query::plan::End::Commit)
    };
    for _ in 0..3 {
        for outcome in join_all([swap("1", "2"), swap("2", "1")].map(|script| db.execute(script))).await {
            assert_eq!(outcome.unwrap().parts.len(), 2);
        }
    }
}

/// Nobody may go home who is the last in the ward: two who go at the same time see each
/// other there, and only one may.
#[tokio::test]
async fn rules_over_rows_of_others_are_judged_as_if_no_other_ran() {
    let (catalog, access) = (ward(), "ward_id id awake");
    let home = Home::new(&server()).await;
    let db = Db { engine: home.engine(&Limits::default()), catalog, dir: home };
    db.engine.migrate(&Batch::plain(ddl::create_all(&db.catalog, &POSTGRES))).await.unwrap();
    db.run(Query::Insert(insert("ward", "id", &[vec!["1"]]))).await.unwrap();
    for round in 0..5 {
        let ids = [10 * round + 1, 10 * round + 2].map(|id: i32| id.to_string());
        db.run(Query::Delete(named::Delete {
            table: "doctor".into(),
            filters: vec![crate::kit::compare("id", named::Comparison::Gt, "0")],
            returning: None,
        }))
        .await
        .unwrap();
        let rows: Vec<Vec<&str>> = ids.iter().map(|id| vec!["1", id.as_str(), "true"]).collect();
        db.run(Query::Insert(insert("doctor", access, &rows))).await.unwrap();
        let leave = |id: &str| {
            let query = Query::Update(update("doctor", &[("awake", "false")], vec![eq("id", id)]));
            db.script(query)
        };
        let both = ids.iter().map(|id| db.execute_as_user(leave(id)));
        let outcomes = join_all(both).await;
        let gone = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(gone, 1, "round {round}: {outcomes:?}");
        let awake = named::Select { filters: vec![eq("awake", "true")], ..select("doctor", "id") };
        assert_eq!(db.run(Query::Select(awake)).await.unwrap().rows.count, 1);
    }
}

fn ward() -> Arc<backstay_schema::catalog::Catalog> {
    use backstay_schema::compile::{Owner, Settings, SourceFile, compile};
    let text = r#"
type Ward @access(read: "true") { id: Int! doctors: [Doctor!]! }
type Doctor @access(read: "true", update: "new.ward.doctors.exists(d, d.awake)") {
  id: Int! ward: Ward! awake: Boolean!
}
"#;
    let file = SourceFile { name: "schema.graphql".into(), text: text.into(), owner: Owner::Project };
    match compile(&[file], &Settings::default()) {
        Ok(compiled) => Arc::new(compiled.catalog),
        Err(diagnostics) => panic!("{diagnostics:#?}"),
    }
}

/// Sessions that stand still take nobody with them: they are given up and others opened.
#[tokio::test]
async fn frozen_sessions_are_given_up() {
    let Some(instance) = Instance::start("fsync = off") else { return };
    let limits = Limits { statement_ms: 200, ..Limits::default() };
    let (db, url) = on(&instance, &limits).await;
    let by_key = || {
        let select = named::Select { filters: vec![eq("id", "1")], ..select("person", "id name") };
        let db = &db;
        async move { db.run(Query::Select(select)).await.map(|part| part.rows.count + 1) }
    };
    assert_eq!(names(&db).await.unwrap(), 2);
    for _ in 0..8 {
        by_key().await.unwrap();
    }
    let client = connect(&url).await;
    let sessions =
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'backstay' AND pid <> pg_backend_pid()";
    let rows = client.query(sessions, &[]).await.unwrap();
    let frozen: Vec<String> = rows.iter().map(|row| row.get::<_, i32>(0).to_string()).collect();
    let signal = |name: &str| {
        let status = std::process::Command::new("kill").arg(name).args(&frozen).status().unwrap();
        assert!(status.success());
    };
    assert!(!frozen.is_empty());
    signal("-STOP");
    // each may meet one that stands still; none waits for longer than its limit and the patience after it
    let (shared, alone) =
        futures_util::future::join(join_all((0..8).map(|_| by_key())), join_all((0..8).map(|_| names(&db))))
            .await;
    let outcomes: Vec<_> = shared.into_iter().chain(alone).collect();
    assert!(outcomes.iter().any(Result::is_err), "{outcomes:?}");
    for refusal in outcomes.into_iter().filter_map(Result::err) {
        assert_eq!(refusal.code.text, "57014", "{refusal:?}");
    }
    for _ in 0..20 {
        assert_eq!((names(&db).await.unwrap(), by_key().await.unwrap()), (2, 2));
    }
    signal("-CONT");
}

/// Short reads need no more sessions than there are shared ones, however many come at once.
#[tokio::test]
async fn short_reads_share_a_few_sessions() {
    let db = Db::filled().await;
    let fresh =
        Db { engine: db.dir.engine(&Limits::default()), catalog: Arc::clone(&db.catalog), dir: db.dir };
    let reads = (0..300).map(|number| {
        let id = (number % 3 + 1).to_string();
        let select = named::Select { filters: vec![eq("id", &id)], ..select("person", "id name") };
        let fresh = &fresh;
        async move { fresh.run(Query::Select(select)).await.unwrap().rows.count }
    });
    assert!(join_all(reads).await.into_iter().all(|count| count == 1));
    let client = connect(&fresh.dir.url()).await;
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'backstay' AND datname = current_database() AND query LIKE 'SELECT%person%'";
    let used: i64 = client.query_one(sessions, &[]).await.unwrap().get(0);
    let cores = std::thread::available_parallelism().unwrap().get();
    assert!(used >= 1 && used <= i64::try_from((2 * cores).min(8)).unwrap(), "{used}");
}

#[tokio::test]
async fn a_wrong_password_is_no_connection_and_stands_nowhere() {
    let Some(instance) = Instance::start("fsync = off\npassword_encryption = scram-sha-256") else { return };
    let client = connect(&instance.url("postgres")).await;
    client.batch_execute("ALTER ROLE postgres PASSWORD 'correct horse'").await.unwrap();
    std::fs::write(instance.data().join("pg_hba.conf"), "host all all 127.0.0.1/32 scram-sha-256\n").unwrap();
    instance.down();
    instance.up();
    for (password, expected) in [("correct%20horse", true), ("battery%20staple", false)] {
        let url = format!("postgres://postgres:{password}@127.0.0.1:{}/postgres", instance.port);
        let engine = Postgres::new(&Secret::new(url), &Limits::default()).unwrap();
        let answered = engine.journal().await;
        assert_eq!(answered.is_ok(), expected, "{answered:?}");
        let told = format!("{answered:?} {engine:?}");
        assert!(!told.contains("horse") && !told.contains("staple"), "{told}");
    }
}
