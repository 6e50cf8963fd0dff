//! A database of its own on the server that `BACKSTAY_TEST_URL` names, dropped at the end.

use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine_postgres::Postgres;
use backstay_sql::dialect::Dialect;
use backstay_sql::dialect::postgres::POSTGRES;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio_postgres::{Client, Config, NoTls};

/// The engine.
pub type Backend = Postgres;

/// Where its database is, for as long as this lives.
pub type Place = Home;

/// A database of its own.
#[derive(Debug)]
pub struct Home {
    /// URL of the server, with a database that is always there.
    server: String,
    /// Its name.
    pub name: String,
}

/// A new, empty database.
pub async fn open(limits: &Limits) -> (Place, Arc<Backend>, &'static Dialect) {
    let home = Home::new(&server()).await;
    let engine = home.engine(limits);
    (home, engine, &POSTGRES)
}

/// The server of the tests. Where there is none, these tests are skipped as a whole.
pub fn server() -> String {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration but this")]
    let (url, ci, engine) = (
        std::env::var("BACKSTAY_TEST_URL").unwrap_or_default(),
        std::env::var("CI").is_ok_and(|value| value == "true"),
        std::env::var("BACKSTAY_TEST_ENGINE").unwrap_or_default(),
    );
    if url.starts_with("postgres") {
        return url;
    }
    eprintln!("skipped: BACKSTAY_TEST_URL names no PostgreSQL server");
    std::process::exit(i32::from(ci && engine != "sqlite" && url.is_empty()));
}

/// A plain connection, for what the engine does not do.
pub async fn connect(url: &str) -> Client {
    let config: Config = url.parse().unwrap();
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Home {
    /// A new database on a server.
    pub async fn new(server: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("backstay_test_{}_{number}", std::process::id());
        let home = Self { server: server.to_owned(), name };
        let client = connect(server).await;
        let version: String = client.query_one("SHOW server_version_num", &[]).await.unwrap().get(0);
        // a database of people, where text is not ordered by its bytes
        let order = if version.parse::<u32>().unwrap() < 150_000 {
            ""
        } else {
            "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
        };
        let statement = format!("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' {order}", home.name);
        client.batch_execute(&statement).await.unwrap();
        home
    }

    /// Its URL.
    pub fn url(&self) -> String {
        let (base, query) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (host, _) = base.rsplit_once('/').unwrap();
        format!("{host}/{}?{query}", self.name)
    }

    /// The engine on it, with parameters added to the URL.
    pub fn engine_with(&self, parameters: &str, limits: &Limits) -> Arc<Backend> {
        let url = format!("{}&{parameters}", self.url());
        Arc::new(Postgres::new(&Secret::new(url), limits).unwrap())
    }

    /// URL of the same database on another server, a replica.
    pub fn url_on(&self, server: &str) -> String {
        format!("{}/{}", server.rsplit_once('/').unwrap().0, self.name)
    }

    /// The engine on it.
    pub fn engine(&self, limits: &Limits) -> Arc<Backend> {
        self.engine_with("connections=4", limits)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let server = self.server.clone();
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { connect(&server).await.batch_execute(&statement).await })
        });
        if let Ok(Err(error)) = dropped.join() {
            eprintln!("a database of a test was not dropped: {error}");
        }
    }
}
