//! Writers that meet: rules that read the rows of others hold for all of them together
//! (SEMANTICS 15).

use crate::kit::{Db, eq, insert, refused, update};
use crate::server::Database;
use backstay_engine::Engine as _;
use backstay_engine::migration::Batch;
use backstay_engine_mysql::connection::{Refusal, Transaction};
use backstay_engine_mysql::pool::Purpose;
use backstay_query::named::{Conflict, ConflictAction, Query};
use backstay_schema::compile::{Owner, Settings, SourceFile, compile};
use backstay_sql::ddl;
use futures_util::future::{join, join_all};
use std::sync::Arc;

const SCHEMA: &str = r#"
type Ward @access(read: "true", update: "true") { id: Int!  open: Boolean!  doctors: [Doctor!]! }
type Doctor
  @access(read: "true", update: "this.ward.doctors.exists(d, d.id != this.id && d.awake)", create: "this.ward.open")
{ id: Int!  ward: Ward!  awake: Boolean! }
"#;

async fn wards() -> Option<Arc<Db>> {
    let database = Database::new().await?;
    let engine = database.engine();
    let file = SourceFile { name: "schema.graphql".into(), text: SCHEMA.into(), owner: Owner::Project };
    let catalog = match compile(&[file], &Settings::default()) {
        Ok(compiled) => Arc::new(compiled.catalog),
        Err(diagnostics) => panic!("{diagnostics:#?}"),
    };
    let dialect = engine.pool().flavour().await.unwrap().dialect;
    engine.migrate(&Batch::plain(ddl::create_all(&catalog, dialect))).await.unwrap();
    let db = Db { dir: database, catalog, engine };
    let rows = [vec!["1", "true"]];
    db.run(Query::Insert(insert("ward", "id open", &rows))).await.unwrap();
    let rows = [vec!["1", "1", "true"], vec!["2", "1", "true"]];
    db.run(Query::Insert(insert("doctor", "id ward_id awake", &rows))).await.unwrap();
    Some(Arc::new(db))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_cannot_go_because_the_other_stays() {
    let Some(db) = wards().await else { return };
    let sleep = |id: &'static str| {
        let db = Arc::clone(&db);
        tokio::spawn(async move {
            db.as_user(Query::Update(update("doctor", &[("awake", "false")], vec![eq("id", id)]))).await
        })
    };
    for round in 0..25 {
        let (one, two) = join(sleep("1"), sleep("2")).await;
        let gone = [one.unwrap(), two.unwrap()];
        let done = gone.iter().filter(|result| result.is_ok()).count();
        assert_eq!(done, 1, "round {round}: {gone:?}");
        for result in gone.into_iter().filter(Result::is_err) {
            let words = "42501 | new row violates row-level security policy for table \"doctor\" | ";
            let hidden = "42501 | permission denied for table doctor | ";
            let said = refused(result);
            assert!(said == words || said == hidden || said.starts_with("42501"), "{said}");
        }
        for id in ["1", "2"] {
            db.run(Query::Update(update("doctor", &[("awake", "true")], vec![eq("id", id)]))).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_a_rule_reads_stays_until_the_write_ends() {
    let Some(db) = wards().await else { return };
    let mut closing = db.engine.pool().take(Purpose::Write).await.unwrap();
    closing.begin(Transaction::Write).await.unwrap();
    closing.control("UPDATE ward SET open = 0").await.map_err(Refusal::into_fault).unwrap();
    let other = Arc::clone(&db);
    let coming = tokio::spawn(async move {
        other.as_user(Query::Insert(insert("doctor", "ward_id awake", &[vec!["1", "true"]]))).await
    });
    // it asks whether the ward is open, and waits for the answer
    let mut watching = db.engine.pool().take(Purpose::Read).await.unwrap();
    let waits = "SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";
    let mut seen = 0;
    // the server looks anew only when it was left alone for a tenth of a second
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(150));
    while seen == 0 {
        ticks.tick().await;
        let mut count = |_| {
            seen += 1;
            Ok(())
        };
        watching.execute(waits, vec![], &mut count).await.map_err(Refusal::into_fault).unwrap();
    }
    closing.commit().await.unwrap();
    assert!(refused(coming.await.unwrap()).starts_with("42501 | new row violates row-level security policy"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upserts_of_one_row_at_once_are_one_row() {
    let db = Arc::new(Db::filled().await);
    for round in 0..15_u32 {
        let text = format!("round {round}");
        let upsert = |number: u32| {
            let (db, text) = (Arc::clone(&db), text.clone());
            tokio::spawn(async move {
                let mut rows = insert("note", "post_id text", &[vec!["1", &text]]);
                let action =
                    if number.is_multiple_of(2) { ConflictAction::Merge } else { ConflictAction::Ignore };
                rows.conflict = Some(Conflict { columns: vec!["text".into()], action });
                db.run(Query::Insert(rows)).await
            })
        };
        for result in join_all((0..6).map(upsert)).await {
            result.unwrap().unwrap();
        }
    }
    assert_eq!(db.dump("note", "text").await.matches("round").count(), 15);
}

/// What the program sent for a write, as the server's own counters have it: statements, batches, transactions.
async fn sent(db: &Db, query: Query) -> (String, [u64; 4]) {
    let before = counters(db).await;
    let result = db.run(query).await;
    let answer = match &result {
        Ok(part) => format!("{} rows", part.affected),
        Err(_) => refused(result),
    };
    let after = counters(db).await;
    let mut told = [0; 4];
    for (index, told) in told.iter_mut().enumerate() {
        *told = after[index] - before[index];
    }
    (answer, told)
}

async fn counters(db: &Db) -> [u64; 4] {
    let mut connection = db.engine.pool().take(Purpose::Read).await.unwrap();
    let mut told = [0; 4];
    let names = ["Com_insert", "Com_insert_select", "Com_begin", "Com_stmt_execute"];
    for (name, told) in names.iter().zip(&mut told) {
        let values = vec![mysql_async::Value::from(*name)];
        let asked = "SELECT CAST(variable_value AS UNSIGNED) FROM information_schema.session_status WHERE variable_name = ?";
        let mut keep = |mut row: mysql_async::Row| {
            *told = row.take(0).unwrap();
            Ok(())
        };
        connection.execute(asked, values, &mut keep).await.map_err(Refusal::into_fault).unwrap();
    }
    told
}

fn tags(from: usize, to: usize) -> Vec<Vec<String>> {
    (from..to).map(|number| vec![number.to_string(), format!("tag {number} ü'\"\\")]).collect()
}

fn some(rows: &[Vec<String>]) -> Query {
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    Query::Insert(insert("tag", "id label", &rows))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_rows_are_one_batch() {
    let db = Db::filled().await;
    let before = db.dump("tag", "id").await.matches("id:").count();
    // asks whether the server takes batches
    sent(&db, some(&tags(100, 102))).await;
    let (answer, [inserts, selected, begun, _]) = sent(&db, some(&tags(1_000, 1_100))).await;
    assert_eq!((answer.as_str(), inserts, selected, begun), ("100 rows", 1, 0, 0));
    assert_eq!(db.dump("tag", "id").await.matches("id:").count(), before + 2 + 100);
    // the text is the same for any number of rows
    let (answer, [inserts, ..]) = sent(&db, some(&tags(2_000, 2_777))).await;
    assert_eq!((answer.as_str(), inserts), ("777 rows", 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_writes_all_or_nothing() {
    let db = Db::filled().await;
    sent(&db, some(&tags(1, 3))).await;
    let before = db.dump("tag", "id label").await;
    for broken in [0, 1, 50, 99] {
        let mut rows = tags(1_000, 1_100);
        "1".clone_into(&mut rows[broken][0]);
        let (answer, _) = sent(&db, some(&rows)).await;
        assert!(answer.starts_with("23505 |"), "row {broken}: {answer}");
        assert_eq!(db.dump("tag", "id label").await, before, "row {broken}");
    }
}
