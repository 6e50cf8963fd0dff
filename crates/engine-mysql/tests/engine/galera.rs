//! Three nodes that all take writes: what two of them did to one row at once is undone on one
//! of them at its commit, and runs again; a node that goes takes nothing with it.

use crate::instance::Instance;
use crate::kit::{Db, eq, insert, update};
use crate::server::Database;
use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine_mysql::MySql;
use backstay_engine_mysql::connection::Refusal;
use backstay_engine_mysql::pool::Purpose;
use backstay_query::named::Query;
use backstay_query::plan::{End, Expect};
use std::sync::Arc;

const PROVIDER: &str = "/usr/lib/galera/libgalera_smm.so";

/// A node; the first makes the cluster.
fn node(port: u16, first: Option<u16>) -> Option<Instance> {
    let cluster = first.map_or_else(String::new, |port| format!("127.0.0.1:{port}"));
    let settings = [
        "--wsrep-on=ON".to_owned(),
        ["--wsrep-provider=", PROVIDER].concat(),
        ["--wsrep-cluster-address=gcomm://", &cluster].concat(),
        "--wsrep-node-address=127.0.0.1".to_owned(),
        format!(
            "--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{port};ist.recv_addr=127.0.0.1:{}",
            port + 1
        ),
        "--wsrep-sst-method=rsync".to_owned(),
        format!("--wsrep-sst-receive-address=127.0.0.1:{}", port + 2),
        "--binlog-format=ROW".to_owned(),
        "--innodb-autoinc-lock-mode=2".to_owned(),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    Instance::new(&settings)
}

/// Waits until a node has all that the others have.
async fn synced(instance: &mut Instance, size: &str) {
    instance.ready().await;
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(50));
    let url = Secret::new(format!("{}/mysql", instance.url()));
    let engine = MySql::connect(&url, &Limits::default()).unwrap();
    loop {
        ticks.tick().await;
        let Ok(mut connection) = engine.pool().take(Purpose::Read).await else { continue };
        let mut said = Vec::new();
        let mut keep = |row: mysql_async::Row| {
            if let Some(mysql_async::Value::Bytes(bytes)) = row.as_ref(1) {
                said.push(String::from_utf8(bytes.clone()).unwrap());
            }
            Ok(())
        };
        let asked = "SHOW STATUS WHERE Variable_name IN ('wsrep_cluster_size', 'wsrep_ready')";
        if connection.execute(asked, vec![], &mut keep).await.is_ok() && said == [size, "ON"] {
            return;
        }
    }
}

/// The notes that a node has.
async fn notes(engine: &MySql) -> Vec<String> {
    let mut connection = engine.pool().take(Purpose::Read).await.unwrap();
    // what the other node acknowledged may still be on its way
    connection.control("SET SESSION wsrep_sync_wait = 1").await.map_err(Refusal::into_fault).unwrap();
    let mut stored = Vec::new();
    let mut keep = |row: mysql_async::Row| {
        if let Some(mysql_async::Value::Int(id)) = row.as_ref(0) {
            stored.push(id.to_string());
        }
        Ok(())
    };
    connection.execute("SELECT id FROM note", vec![], &mut keep).await.map_err(Refusal::into_fault).unwrap();
    stored
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_that_take_writes_lose_nothing() {
    if !std::path::Path::new(PROVIDER).exists() {
        return;
    }
    let base = crate::instance::free_port();
    let Some(mut first) = node(base, None) else { return };
    first.start();
    synced(&mut first, "1").await;
    let mut others = Vec::new();
    for (place, size) in [(1, "2"), (2, "3")] {
        let Some(mut other) = node(base + 10 * place, Some(base)) else { return };
        other.start();
        synced(&mut other, size).await;
        others.push(other);
    }
    let db = Db::in_database(Database::on(others[0].url()).await).await;
    // each engine has its own first node, and the others to go to
    let ports = [first.port, others[0].port, others[1].port];
    let engine = |turn: usize| {
        let hosts: Vec<String> =
            (0..3).map(|place| format!("127.0.0.1:{}", ports[(turn + place) % 3])).collect();
        let url = db.dir.url_at(&format!("mysql://root@{}", hosts.join(",")));
        let engine = Arc::new(MySql::connect(&url, &Limits::default()).unwrap());
        Arc::new(Db { dir: db.dir.borrowed(), catalog: Arc::clone(&db.catalog), engine })
    };
    let engines: Vec<_> = (0..3).map(engine).collect();
    let (ended, wait) = tokio::sync::watch::channel(0_usize);
    let ended = Arc::new(ended);
    let write = |turn: usize| {
        let (db, ended) = (Arc::clone(&engines[turn]), Arc::clone(&ended));
        tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for number in 0..60_usize {
                let id = (1_000 * (turn + 1) + number).to_string();
                let name = format!("by {turn} {number}");
                let steps = [
                    (Query::Update(update("person", &[("name", &name)], vec![eq("id", "1")])), Expect::Any),
                    (Query::Insert(insert("note", "id post_id", &[vec![&id, "1"]])), Expect::Any),
                ];
                if db.execute(db.script_of(&steps, End::Commit)).await.is_ok() {
                    acknowledged.push(id);
                }
                ended.send_modify(|ended| *ended += 1);
            }
            acknowledged
        })
    };
    let running: Vec<_> = (0..3).map(write).collect();
    let mut wait = wait;
    wait.wait_for(|ended| *ended > 60).await.unwrap();
    first.kill();
    let mut acknowledged = Vec::new();
    for task in running {
        acknowledged.extend(task.await.unwrap());
    }
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());
    for db in &engines[1..] {
        let stored = notes(&db.engine).await;
        for id in &acknowledged {
            assert!(stored.contains(id), "{id} was acknowledged and is gone");
        }
    }
}
