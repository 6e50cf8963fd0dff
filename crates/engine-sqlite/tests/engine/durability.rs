//! Groups, queues, limits, locks, full disks, reopening.

use crate::kit::{Db, guarded, insert, open, open_with, refused, select};
use backstay_base::limit::Limits;
use backstay_engine::Engine as _;
use backstay_engine::migration::Batch;
use backstay_engine_sqlite::Sqlite;
use backstay_query::named::{Input, Insert, Query, Select};
use backstay_query::plan::{
    Aggregate, ColumnRef, End, Expect, OutputValue, Pred, PredOp, Query as Planned, Scalar, Script, SourceId,
};
use backstay_schema::expr::AggregateFunction;
use backstay_schema::scalar::ScalarType;
use std::sync::Arc;

fn tag(id: usize) -> Query {
    let columns = vec!["id".into(), "label".into()];
    let rows = vec![vec![Input::Number(id.to_string()), Input::Text("x".into())]];
    Query::Insert(Insert { table: "tag".into(), columns, rows, ..Insert::default() })
}

fn ids(until: usize) -> String {
    let all: Vec<String> = (0..until).map(|id| format!("{{id:{id}}}")).collect();
    format!("[{}]", all.join(","))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_share_commits_and_readers_do_not_wait() {
    let db = Arc::new(open().await);
    let before = db.engine.commits();
    let writers = (0..32).map(|task| {
        let db = Arc::clone(&db);
        tokio::spawn(async move {
            for round in 0..8 {
                db.run(tag(task * 8 + round)).await.unwrap();
                db.run(Query::Select(select("tag", "id"))).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(db.dump("tag", "id").await, ids(256));
    let commits = db.engine.commits() - before;
    assert!(commits < 256, "{commits} commits for 256 writes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refused_request_leaves_its_neighbours_alone() {
    let db = Arc::new(open().await);
    let tasks = (0..64).map(|task| {
        let db = Arc::clone(&db);
        tokio::spawn(async move { (task, db.run(tag(task / 2)).await) })
    });
    let mut refusals = 0;
    for task in tasks.collect::<Vec<_>>() {
        let (task, result) = task.await.unwrap();
        if result.is_err() {
            refusals += 1;
            assert_eq!(
                refused(result),
                format!(
                    "23505 | duplicate key value violates unique constraint \"tag_pkey\" | Key (id)=({}) already exists.",
                    task / 2
                )
            );
        }
    }
    assert_eq!(refusals, 32);
    assert_eq!(db.dump("tag", "id").await, ids(32));
}

#[tokio::test]
async fn a_full_queue_refuses_and_does_nothing() {
    let db = open_with(&Limits { write_queue: 1, ..Limits::default() }).await;
    let scripts: Vec<_> = (0..64).map(|id| guarded(&db.catalog, db.script(tag(id)))).collect();
    let results = futures_util::future::join_all(scripts.iter().map(|script| db.engine.run(script))).await;
    let written = results.iter().filter(|result| result.is_ok()).count();
    for refusal in results.into_iter().filter(Result::is_err) {
        assert_eq!(refused(refusal), "53400 | too many writes are waiting; nothing was done | ");
    }
    assert!(written < 64, "the queue was never full");
    let count = db.run(Query::Select(select("tag", "id"))).await.unwrap().affected;
    assert_eq!(count, written as u64);
}

#[tokio::test]
async fn what_was_answered_is_there_after_reopening() {
    let db = open().await;
    db.run(tag(0)).await.unwrap();
    let Db { dir, catalog, engine } = db;
    drop(engine);
    let engine = Arc::new(Sqlite::open(&dir.path().join("test.db"), &Limits::default()).unwrap());
    let db = Db { dir, catalog, engine };
    assert_eq!(db.dump("tag", "id").await, "[{id:0}]");
}

#[tokio::test]
async fn a_second_process_is_kept_out_by_name() {
    let db = open().await;
    let path = db.dir.path().join("test.db");
    let refusal = Sqlite::open(&path, &Limits::default()).expect_err("in use").to_string();
    assert_eq!(
        refusal,
        format!(
            "{} is in use by process {}; one process may use a database file at a time",
            path.display(),
            std::process::id()
        )
    );
}

#[tokio::test]
async fn a_damaged_file_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("test.db");
    std::fs::write(&path, vec![7_u8; 8192]).unwrap();
    let refusal = Sqlite::open(&path, &Limits::default()).expect_err("no database").to_string();
    assert_eq!(refusal, "the database cannot be opened: file is not a database");
}

/// A value whose computing takes rows to the third power: nested counts that depend on each other.
async fn slow(db: &Db, rows: i64) -> Script {
    let cells = (0..rows).map(|id| vec![Input::Number(id.to_string()), Input::Text("x".into())]).collect();
    let columns = vec!["id".into(), "label".into()];
    let fill = Insert { table: "tag".into(), columns, rows: cells, ..Insert::default() };
    db.run(Query::Insert(fill)).await.unwrap();
    let filters = vec![crate::kit::eq("id", "1")];
    let mut script = db.script(Query::Select(Select { filters, ..select("tag", "id") }));
    let Planned::Select(select) = &mut script.steps[0].query else { unreachable!() };
    let (table, mut outer) = (select.table, select.source);
    let id = db.catalog.table(table).key[0];
    let column = |source| Scalar::Column(ColumnRef { source, table, column: id });
    let mut levels = Vec::new();
    for level in 60..63 {
        levels.push((SourceId(level), outer));
        outer = SourceId(level);
    }
    let mut value = None;
    for (source, outer) in levels.into_iter().rev() {
        let filter = Pred::Compare(
            PredOp::Ne,
            column(source),
            Scalar::Negate(Box::new(column(outer)), ScalarType::BigInt),
        );
        let function = AggregateFunction::Sum;
        let inner = value.take().unwrap_or_else(|| column(source));
        let aggregate =
            Aggregate { function, source, table, filter, value: Some(inner), ty: ScalarType::BigInt };
        value = Some(Scalar::Aggregate(Box::new(aggregate)));
    }
    // masked, so that the plan looks like a read by key
    let masked = Scalar::Masked(Box::new(Pred::TRUE), Box::new(value.unwrap()));
    select.outputs[0].value = OutputValue::Scalar(masked, ScalarType::BigInt);
    script
}

#[tokio::test]
async fn a_statement_past_its_limit_is_cancelled() {
    let db = open_with(&Limits { statement_ms: 200, ..Limits::default() }).await;
    let script = slow(&db, 4_000).await;
    assert_eq!(refused(db.execute(script).await), "57014 | canceling statement due to statement timeout | ");
    assert_eq!(db.run(Query::Select(select("person", "id"))).await.unwrap().affected, 0);
}

#[tokio::test]
async fn a_misjudged_read_moves_to_the_pool_and_is_answered() {
    let db = open().await;
    let script = slow(&db, 60).await;
    assert_eq!(backstay_engine::cost::of(&script, &db.catalog), backstay_engine::cost::Cost::Inline);
    assert_eq!(db.execute(script).await.unwrap().parts[0].affected, 1);
}

#[tokio::test]
async fn a_write_past_its_limit_takes_nobody_with_it() {
    let db = Arc::new(open_with(&Limits { statement_ms: 60, ..Limits::default() }).await);
    let slow = slow(&db, 400).await;
    let Planned::Select(read) = slow.steps[0].query.clone() else { unreachable!() };
    let OutputValue::Scalar(value, _) = read.outputs[0].value.clone() else { unreachable!() };
    let mut late = db.script(Query::Delete(backstay_query::named::Delete {
        table: "tag".into(),
        filters: vec![crate::kit::eq("id", "1")],
        returning: None,
    }));
    let Planned::Delete(delete) = &mut late.steps[0].query else { unreachable!() };
    let row = delete.row;
    let value = rename(value, read.source, row);
    delete.filter = Pred::And(vec![delete.filter.clone(), Pred::IsNotNull(value)]);
    let late = guarded(&db.catalog, late);
    let neighbours: Vec<_> = (1000..1016).map(|id| guarded(&db.catalog, db.script(tag(id)))).collect();
    let work = neighbours.iter().map(|script| db.engine.run(script));
    let (late, others) = futures_util::join!(db.engine.run(&late), futures_util::future::join_all(work));
    assert_eq!(refused(late), "57014 | canceling statement due to statement timeout | ");
    assert!(others.iter().all(Result::is_ok));
}

/// The value with its outermost source replaced.
fn rename(value: Scalar, from: SourceId, to: SourceId) -> Scalar {
    let column = |scalar: Scalar| match scalar {
        Scalar::Column(column) if column.source == from => Scalar::Column(ColumnRef { source: to, ..column }),
        other => other,
    };
    match value {
        Scalar::Masked(pred, of) => Scalar::Masked(pred, Box::new(rename(*of, from, to))),
        Scalar::Aggregate(mut aggregate) => {
            if let Pred::Compare(op, a, Scalar::Negate(b, ty)) = aggregate.filter {
                aggregate.filter = Pred::Compare(op, a, Scalar::Negate(Box::new(column(*b)), ty));
            }
            Scalar::Aggregate(aggregate)
        }
        other => column(other),
    }
}

#[tokio::test]
async fn a_script_that_rolls_back_answers_and_leaves_nothing() {
    let db = open().await;
    let steps = [(tag(1), Expect::Any), (Query::Select(select("tag", "id")), Expect::Singular)];
    let reply = db.execute(db.script_of(&steps, End::Rollback)).await.unwrap();
    assert_eq!(reply.parts[1].rows.count, 1);
    assert_eq!(db.dump("tag", "id").await, "[]");
}

#[tokio::test]
async fn a_file_of_ours_opens_in_plain_sqlite() {
    let db = Db::filled().await;
    let plain = rusqlite::Connection::open(db.dir.path().join("test.db")).unwrap();
    plain.execute_batch("PRAGMA foreign_keys = ON; UPDATE post SET words = 11 WHERE id = 1").unwrap();
    let refusal = plain.execute("UPDATE post SET state = 'NONE' WHERE id = 1", []).unwrap_err();
    assert_eq!(refusal.to_string(), "CHECK constraint failed: post_state_check");
    let checked: String = plain.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(checked, "ok");
    assert_eq!(db.dump("post", "words price").await, "[{words:11,price:9.5000},{words:20,price:null}]");
}

#[tokio::test]
async fn a_bulk_insert_shares_a_group_with_small_ones() {
    let db = Db::filled().await;
    let bulk = insert("tag", "id label", &[vec!["10", "a"], vec!["11", "b"], vec!["10", "c"]]);
    assert_eq!(
        refused(db.run(Query::Insert(bulk)).await),
        "23505 | duplicate key value violates unique constraint \"tag_pkey\" | Key (id)=(10) already exists."
    );
    assert_eq!(db.dump("tag", "id").await, "[{id:1},{id:2}]");
}

/// The page limit stands in for a full disk.
#[tokio::test]
async fn a_full_disk_refuses_the_one_that_fills_it() {
    let db = Db::filled().await;
    let pages: i64 = rusqlite::Connection::open(db.dir.path().join("test.db"))
        .unwrap()
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    let limit = format!("PRAGMA max_page_count = {}", pages + 8);
    db.engine.migrate(&Batch::plain(vec![limit])).await.unwrap();
    let large = "x".repeat(1 << 20);
    let large = insert("tag", "id label", &[vec!["99", &large]]);
    let large = guarded(&db.catalog, db.script(Query::Insert(large)));
    let small: Vec<_> = (100..116).map(|id| guarded(&db.catalog, db.script(tag(id)))).collect();
    let work = small.iter().map(|script| db.engine.run(script));
    let (large, small) = futures_util::join!(db.engine.run(&large), futures_util::future::join_all(work));
    assert_eq!(refused(large), "53100 | no space is left on the disk; nothing was written | ");
    assert!(small.iter().all(Result::is_ok));
    assert_eq!(db.run(Query::Select(select("tag", "id"))).await.unwrap().affected, 18);
}

/// A catalog that lies about a relation makes the runner panic while it looks for a culprit.
#[tokio::test]
async fn a_panic_stays_with_its_request() {
    let db = Db::filled().await;
    let mut lying = (*db.catalog).clone();
    let post = lying.tables.iter_mut().find(|table| table.name == "post").unwrap();
    let author = post.relations.iter_mut().find(|relation| relation.name == "author").unwrap();
    author.target = backstay_schema::catalog::TableId(999);
    let row = vec!["7", "Title", "x", "77", "5", "DRAFT"];
    let broken = Query::Insert(insert("post", "id title slug author_id words state", &[row]));
    let broken = guarded(&Arc::new(lying), db.script(broken));
    let small: Vec<_> = (100..108).map(|id| guarded(&db.catalog, db.script(tag(id)))).collect();
    let work = small.iter().map(|script| db.engine.run(script));
    let (broken, small) = futures_util::join!(db.engine.run(&broken), futures_util::future::join_all(work));
    assert_eq!(refused(broken), "XX000 | internal error; the log has the reason |  <a write panicked>");
    assert!(small.iter().all(Result::is_ok));
    assert_eq!(db.dump("post", "id").await, "[{id:1},{id:2}]");
    assert_eq!(db.run(Query::Select(select("tag", "id"))).await.unwrap().affected, 10);
}

/// `RAISE(FAIL)` keeps what a statement did so far: nobody but its request may lose by it.
#[tokio::test]
async fn a_trigger_that_fails_half_way_leaves_nothing_of_its_request() {
    let db = open().await;
    let trigger = "CREATE TRIGGER odd AFTER INSERT ON tag WHEN new.id % 2 = 1
        BEGIN SELECT RAISE(FAIL, 'no odd ones'); END";
    db.engine.migrate(&Batch::plain(vec![trigger.into()])).await.unwrap();
    let before = db.engine.commits();
    let scripts: Vec<_> = (0..16).map(|id| guarded(&db.catalog, db.script(tag(id)))).collect();
    let results = futures_util::future::join_all(scripts.iter().map(|script| db.engine.run(script))).await;
    for (id, result) in results.into_iter().enumerate() {
        if id % 2 == 0 {
            result.unwrap();
        } else {
            assert_eq!(refused(result), "XX000 | internal error; the log has the reason |  <no odd ones>");
        }
    }
    assert!(db.engine.commits() - before < 8, "they did not share a transaction");
    assert_eq!(db.dump("tag", "id").await, "[{id:0},{id:2},{id:4},{id:6},{id:8},{id:10},{id:12},{id:14}]");
}

/// What a trigger wrote before a refusal goes with its request, and with no other.
#[tokio::test]
async fn a_refused_request_takes_along_what_its_triggers_wrote() {
    let db = open().await;
    let statements = [
        "CREATE TABLE told (id INTEGER)",
        "CREATE TRIGGER tell BEFORE INSERT ON tag BEGIN INSERT INTO told VALUES (new.id); END",
    ];
    db.engine.migrate(&Batch::plain(statements.map(String::from).to_vec())).await.unwrap();
    let scripts: Vec<_> = (0..16).map(|n| guarded(&db.catalog, db.script(tag(n / 2)))).collect();
    let results = futures_util::future::join_all(scripts.iter().map(|script| db.engine.run(script))).await;
    let refusals: Vec<String> = results.into_iter().filter(Result::is_err).map(refused).collect();
    let expected: Vec<String> = (0..8)
        .map(|id| format!("23505 | duplicate key value violates unique constraint \"tag_pkey\" | Key (id)=({id}) already exists."))
        .collect();
    assert_eq!(refusals, expected);
    let plain = rusqlite::Connection::open(db.dir.path().join("test.db")).unwrap();
    let told: String =
        plain.query_row("SELECT group_concat(id ORDER BY id) FROM told", [], |row| row.get(0)).unwrap();
    assert_eq!(told, "0,1,2,3,4,5,6,7");
    assert_eq!(db.dump("tag", "id").await, ids(8));
}
