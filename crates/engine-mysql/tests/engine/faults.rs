//! What goes wrong around a script: no server, a server that was started anew, connections
//! cut at every place, writes that meet, statements that take too long.

use crate::instance::Instance;
use crate::kit::{Db, eq, insert, refused, select, update};
use crate::proxy::{Cut, Proxy};
use crate::server::Database;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine::Engine;
use backstay_engine_mysql::MySql;
use backstay_engine_mysql::connection::Refusal;
use backstay_engine_mysql::pool::Purpose;
use backstay_query::named::Query;
use backstay_query::plan::{End, Expect};
use futures_util::future::join_all;
use std::sync::Arc;

fn port_of(url: &str) -> u16 {
    url.rsplit_once(':').unwrap().1.trim_matches('/').parse().unwrap()
}

fn note(id: &str) -> Query {
    Query::Insert(insert("note", "id post_id", &[vec![id, "1"]]))
}

/// Two steps take a transaction.
fn two_notes(db: &Db, a: &str, b: &str) -> backstay_query::plan::Script {
    db.script_of(&[(note(a), Expect::Any), (note(b), Expect::Any)], End::Commit)
}

async fn ids(db: &Db) -> String {
    let mut select = select("note", "id");
    select.order = vec![backstay_query::named::Order {
        field: crate::kit::field("id"),
        relation: None,
        descending: false,
        nulls_first: None,
    }];
    db.json(select).await
}

/// The same database, through a proxy.
async fn through_proxy(db: &Db) -> (Db, Proxy) {
    let proxy = Proxy::to(port_of(&crate::server::server().unwrap())).await;
    let url = db.dir.url_at(&format!("mysql://root@127.0.0.1:{}", proxy.port));
    let engine = Arc::new(MySql::connect(&url, &Limits::default()).unwrap());
    (Db { dir: db.dir.borrowed(), catalog: Arc::clone(&db.catalog), engine }, proxy)
}

#[tokio::test]
async fn a_script_whose_connection_is_lost_before_its_end_runs_again() {
    let db = Db::filled().await;
    let (far, proxy) = through_proxy(&db).await;
    for (round, cut) in [Cut::Before, Cut::After].into_iter().enumerate() {
        for command in 0..12_usize {
            let at = round * 12 + command;
            let (a, b) = ((100 + 2 * at).to_string(), (101 + 2 * at).to_string());
            let script = two_notes(&far, &a, &b);
            proxy.cut(cut, move |number, payload| number == command && !payload.ends_with(b"COMMIT"));
            far.execute(script).await.unwrap();
        }
    }
    let expected: Vec<String> = (1..=3).chain(100..148).map(|id| format!("{{id:{id}}}")).collect();
    assert_eq!(ids(&db).await, format!("[{}]", expected.join(",")));
}

#[tokio::test]
async fn reads_run_again_wherever_their_connection_is_lost() {
    let db = Db::filled().await;
    let (far, proxy) = through_proxy(&db).await;
    for cut in [Cut::Before, Cut::After] {
        for command in 0..6_usize {
            proxy.cut(cut, move |number, _| number == command);
            assert_eq!(ids(&far).await, "[{id:1},{id:2},{id:3}]", "{cut:?} {command}");
        }
    }
}

#[tokio::test]
async fn nobody_knows_what_became_of_a_commit_that_was_not_answered() {
    let db = Db::filled().await;
    let (far, proxy) = through_proxy(&db).await;
    for (cut, first) in [(Cut::Before, "200"), (Cut::After, "300")] {
        let script = two_notes(&far, first, &format!("{}", first.parse::<u32>().unwrap() + 1));
        proxy.cut(cut, |_, payload| payload.ends_with(b"COMMIT"));
        assert_eq!(
            refused(far.execute(script).await),
            "08007 | the connection was lost while the write was being made durable: it may or may not have happened | "
        );
        assert!(!proxy.is_armed());
    }
    // the one that the server heard happened, once
    assert_eq!(ids(&db).await, "[{id:1},{id:2},{id:3},{id:300},{id:301}]");
    // a write of one statement is its own commit: a prepared one begins with 0x17
    for (cut, id) in [(Cut::Before, "400"), (Cut::After, "500")] {
        far.run(note(&format!("{}", id.parse::<u32>().unwrap() + 1))).await.unwrap();
        proxy.cut(cut, |_, payload| payload[0] == 0x17);
        let unknown = far.run(note(id)).await;
        assert!(refused(unknown).starts_with("08007 | "), "{cut:?}");
    }
    assert_eq!(ids(&db).await, "[{id:1},{id:2},{id:3},{id:300},{id:301},{id:401},{id:500},{id:501}]");
}

#[tokio::test]
async fn a_database_that_is_down_is_waited_for_by_nobody_and_found_again() {
    let Some(mut instance) = Instance::new(&[]) else { return };
    let url = |database: &str| Secret::new(format!("{}/{database}", instance.url()));
    let early = MySql::connect(&url("nothing"), &Limits::default()).unwrap();
    assert_eq!(refused(early.introspect().await), "PGRST000 | the database cannot be reached | ");
    instance.start();
    instance.ready().await;
    assert_eq!(refused(early.introspect().await), "PGRST000 | the database cannot be reached | ");
    let database = Database::on(instance.url()).await;
    let engine = MySql::connect(&database.url(""), &Limits::default()).unwrap();
    assert!(engine.introspect().await.unwrap().tables.is_empty());
    instance.kill();
    assert_eq!(refused(engine.introspect().await), "PGRST000 | the database cannot be reached | ");
    instance.start();
    instance.ready().await;
    assert!(engine.introspect().await.unwrap().tables.is_empty());
    drop(database);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_server_that_is_killed() {
    let Some(mut instance) = Instance::new(&[]) else { return };
    instance.start();
    instance.ready().await;
    let database = Database::on(instance.url()).await;
    let db = Db::in_database(database).await;
    let writers = 8_u32;
    let db = Arc::new(db);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let write = |writer: u32| {
        let (db, stopped) = (Arc::clone(&db), stopped.clone());
        tokio::spawn(async move {
            let (mut acknowledged, mut refused) = (Vec::new(), Vec::new());
            for number in 0.. {
                if *stopped.borrow() && number % 2 == 0 {
                    break;
                }
                let id = 1_000_000 * (writer + 1) + number;
                // half of them are one statement, half a transaction
                let result = if number % 2 == 0 {
                    db.run(note(&id.to_string())).await.map(drop)
                } else {
                    let script = two_notes(&db, &id.to_string(), &(id + 500_000).to_string());
                    db.execute(script).await.map(drop)
                };
                match result {
                    Ok(()) => acknowledged.push(id),
                    Err(Fault { code, .. }) if code.text == "08007" => {}
                    Err(_) => {
                        refused.push(id);
                        tokio::task::yield_now().await;
                    }
                }
            }
            (acknowledged, refused)
        })
    };
    let running: Vec<_> = (0..writers).map(write).collect();
    for round in 0..3 {
        // a while in which writes are acknowledged
        for id in (0..40).map(|number| 900_000 + round * 1_000 + number) {
            let _ = db.run(note(&id.to_string())).await;
        }
        instance.kill();
        let _ = db.run(Query::Select(select("person", "id"))).await;
        instance.start();
        instance.ready().await;
    }
    stop.send(true).unwrap();
    let ended = join_all(running).await;
    let stored = ids(&db).await;
    let mut counted = 0;
    for (acknowledged, refused) in ended.into_iter().map(Result::unwrap) {
        counted += acknowledged.len();
        for id in acknowledged {
            assert!(stored.contains(&format!("{{id:{id}}}")), "{id} was acknowledged and is gone");
        }
        for id in refused {
            assert!(!stored.contains(&format!("{{id:{id}}}")), "{id} was refused and is there");
        }
    }
    assert!(counted > 50, "{counted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_wait_for_each_other_run_again() {
    let db = Arc::new(Db::filled().await);
    let set = |id: &str, words: usize| {
        Query::Update(update("post", &[("words", &words.to_string())], vec![eq("id", id)]))
    };
    let one = |turn: usize| {
        let db = Arc::clone(&db);
        tokio::spawn(async move {
            for round in 0..30 {
                let (a, b) = if turn == 0 { ("1", "2") } else { ("2", "1") };
                let steps = [(set(a, round), Expect::Any), (set(b, round), Expect::Any)];
                db.execute(db.script_of(&steps, End::Commit)).await.unwrap();
            }
        })
    };
    for task in join_all((0..2).map(one)).await {
        task.unwrap();
    }
    assert_eq!(db.dump("post", "id words").await, "[{id:1,words:29},{id:2,words:29}]");
}

#[tokio::test]
async fn statements_end_with_their_limit_and_the_connection_goes_on() {
    let limits = Limits { statement_ms: 300, ..Limits::default() };
    let db = crate::kit::open_with(&limits).await;
    let mut connection = db.engine.pool().take(Purpose::Write).await.unwrap();
    let id = connection.id();
    let slow = connection.execute("SELECT SLEEP(20)", vec![], &mut |_| Ok(())).await;
    let fault = slow.map_err(Refusal::into_fault);
    assert_eq!(refused(fault), "57014 | canceling statement due to statement timeout | ");
    drop(connection);
    let mut holder = db.engine.pool().take(Purpose::Write).await.unwrap();
    assert_eq!(holder.id(), id);
    db.run(Query::Insert(insert("person", "id name", &[vec!["1", "Ann"]]))).await.unwrap();
    holder.control("START TRANSACTION").await.map_err(Refusal::into_fault).unwrap();
    holder.control("UPDATE `person` SET `name` = 'Bea'").await.map_err(Refusal::into_fault).unwrap();
    let waiting = db.run(Query::Update(update("person", &[("name", "Cy")], vec![eq("id", "1")]))).await;
    assert!(refused(waiting).starts_with("57014 | canceling statement due to "));
    holder.rollback().await;
}

#[tokio::test]
async fn those_who_wait_for_a_connection_are_counted() {
    let Some(database) = Database::new().await else { return };
    let limits = Limits { read_queue: 1, write_queue: 1, ..Limits::default() };
    let engine = MySql::connect(&database.url("?connections=1"), &limits).unwrap();
    let held = engine.pool().take(Purpose::Read).await.unwrap();
    for (purpose, words) in [(Purpose::Read, "reads"), (Purpose::Write, "writes")] {
        let mut first = Box::pin(engine.pool().take(purpose));
        assert!(futures_util::poll!(&mut first).is_pending());
        let second = engine.pool().take(purpose).await.map(drop);
        assert_eq!(refused(second), format!("53400 | too many {words} are waiting; nothing was done | "));
    }
    drop(held);
    drop(engine.pool().take(Purpose::Read).await.unwrap());
}

#[tokio::test]
async fn whoever_stops_waiting_leaves_no_transaction_behind() {
    let db = Db::filled().await;
    let mut connection = db.engine.pool().take(Purpose::Write).await.unwrap();
    connection.control("START TRANSACTION").await.map_err(Refusal::into_fault).unwrap();
    connection.control("UPDATE `person` SET `name` = 'Bea'").await.map_err(Refusal::into_fault).unwrap();
    // this waits for the one above, and is given up
    let script = db.script_of(
        &[
            (note("10"), Expect::Any),
            (Query::Update(update("person", &[("name", "Cy")], vec![eq("id", "1")])), Expect::Any),
        ],
        End::Commit,
    );
    let given_up = tokio::time::timeout(std::time::Duration::from_millis(300), db.execute(script)).await;
    assert!(given_up.is_err());
    connection.rollback().await;
    drop(connection);
    db.run(Query::Update(update("person", &[("name", "Di")], vec![eq("id", "1")]))).await.unwrap();
    assert_eq!(ids(&db).await, "[{id:1},{id:2},{id:3}]");
}
