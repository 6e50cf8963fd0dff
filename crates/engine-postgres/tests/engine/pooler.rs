//! Behind PgBouncer in transaction mode: each transaction may meet another session.

use crate::instance::{as_account, free_port, has};
use crate::kit::{Db, eq, insert, select, update};
use crate::store::{Home, connect, server};
use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine::Engine as _;
use backstay_engine::migration::Batch;
use backstay_engine_postgres::Postgres;
use backstay_query::named::{self, Query};
use backstay_sql::ddl;
use backstay_sql::dialect::postgres::POSTGRES;
use futures_util::future::join_all;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use tempfile::TempDir;
use tokio_postgres::config::Host;

const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// A pooler before the server of the tests, gone at the end.
struct Pooler {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Pooler {
    async fn start(extra: &str) -> Option<Self> {
        let config: tokio_postgres::Config = server().parse().unwrap();
        if !has(PROGRAM) {
            return None;
        }
        let Some(Host::Tcp(host)) = config.get_hosts().first() else { panic!("a server by its name") };
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let users = folder.path().join("users");
        let text = format!(
            "[databases]\n* = host={host} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\n\
             default_pool_size = 3\nmax_client_conn = 200\n{extra}\n",
            config.get_ports().first().unwrap(),
            users.display()
        );
        let settings = folder.path().join("pgbouncer.ini");
        fs::write(&users, "\"postgres\" \"\"\n").unwrap();
        fs::write(&settings, text).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = as_account(Path::new(PROGRAM));
        let child = command.arg(&settings).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            tokio::task::yield_now().await;
        }
        Some(Self { child, port, _folder: folder })
    }

    fn engine(&self, home: &Home, parameters: &str) -> Arc<Postgres> {
        let url = format!("postgres://postgres@127.0.0.1:{}/{}?{parameters}", self.port, home.name);
        Arc::new(Postgres::new(&Secret::new(url), &Limits::default()).unwrap())
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

async fn works(engine: Arc<Postgres>, home: Home) {
    let db = Db { catalog: crate::kit::catalog(), engine, dir: home };
    db.engine.migrate(&Batch::plain(ddl::create_all(&db.catalog, &POSTGRES))).await.unwrap();
    let people: Vec<String> = (1..=40).map(|id| id.to_string()).collect();
    let writes = people.iter().map(|id| {
        let row = vec![vec![id.as_str(), "P"]];
        let db = &db;
        async move { db.run(Query::Insert(insert("person", "id name", &row))).await }
    });
    for written in join_all(writes).await {
        assert_eq!(written.unwrap().affected, 1);
    }
    for _ in 0..3 {
        let reads = people.iter().map(|id| {
            let mut select = named::Select { filters: vec![eq("id", id)], ..select("person", "id name") };
            select.items.push(crate::kit::embed("posts", crate::kit::select("", "id")));
            let change = update("person", &[("name", "Q")], vec![eq("id", id)]);
            let db = &db;
            async move { (db.run(Query::Select(select)).await, db.run(Query::Update(change)).await) }
        });
        for (read, changed) in join_all(reads).await {
            assert_eq!((read.unwrap().rows.count, changed.unwrap().affected), (1, 1));
        }
    }
    assert_eq!(db.engine.introspect().await.unwrap().tables.len(), 6);
    let left = "SELECT count(*) FROM pg_prepared_statements";
    let client = connect(&db.dir.url()).await;
    assert_eq!(client.query_one(left, &[]).await.unwrap().get::<_, i64>(0), 1);
}

#[tokio::test]
async fn a_pooler_that_is_told_of_is_worked_through() {
    let Some(pooler) = Pooler::start("").await else { return };
    let home = Home::new(&server()).await;
    works(pooler.engine(&home, "pooler=transaction&connections=8"), home).await;
}

/// It refuses the settings of a session: so it is told.
#[tokio::test]
async fn a_pooler_that_refuses_settings_is_found_out() {
    let Some(pooler) = Pooler::start("").await else { return };
    let home = Home::new(&server()).await;
    works(pooler.engine(&home, "connections=8"), home).await;
}

/// It lets settings through and mixes up what is prepared.
#[tokio::test]
async fn a_pooler_that_mixes_sessions_is_found_out() {
    let Some(pooler) = Pooler::start("ignore_startup_parameters = options").await else { return };
    let home = Home::new(&server()).await;
    works(pooler.engine(&home, "connections=8"), home).await;
}
