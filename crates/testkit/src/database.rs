//! A database for one test, on the engine that the run is about: `BACKSTAY_TEST_URL` names a
//! server in which each test makes a database of its own; without it, SQLite files in
//! temporary folders. Nothing is shared between tests and nothing stays.

use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine::Engine;
use backstay_engine::migration::Batch;
use backstay_engine_mysql::MySql;
use backstay_engine_postgres::Postgres;
use backstay_engine_sqlite::Sqlite;
use backstay_sql::dialect::Dialect;
use backstay_sql::dialect::mysql::MARIADB;
use backstay_sql::dialect::postgres::POSTGRES;
use backstay_sql::dialect::sqlite::SQLITE;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

/// The variable that names the server of a run.
const SERVER: &str = "BACKSTAY_TEST_URL";

static MADE: AtomicU64 = AtomicU64::new(0);

/// A database that goes with this value.
pub struct Database {
    /// The engine over it.
    pub engine: Arc<dyn Engine>,
    /// Its dialect.
    pub dialect: &'static Dialect,
    /// How a program opens it.
    pub url: String,
    home: Home,
}

enum Home {
    Folder {
        _folder: TempDir,
    },
    /// A schema or database of a server, dropped by this statement.
    Server {
        server: String,
        drop: String,
    },
}

/// The server of this run; none for SQLite.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the run says which engine it is about")]
pub fn server() -> Option<String> {
    std::env::var(SERVER).ok().filter(|url| !url.is_empty())
}

impl Database {
    /// An empty database.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn fresh(limits: &Limits) -> Self {
        match server() {
            None => Self::file(limits),
            Some(server) => Self::on(&server, limits).await,
        }
    }

    fn file(limits: &Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let engine: Arc<dyn Engine> = Arc::new(Sqlite::open(&path, limits).unwrap());
        let url = format!("sqlite:{}", path.display());
        Self { engine, dialect: &SQLITE, url, home: Home::Folder { _folder: folder } }
    }

    /// An empty database in a server.
    ///
    /// # Panics
    /// When the server does not answer, or its kind is unknown.
    pub async fn on(server: &str, limits: &Limits) -> Self {
        let name = format!("bs_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let home = |drop: String| Home::Server { server: server.to_owned(), drop };
        if server.starts_with("postgres") {
            // a schema is made in a moment, a database is not
            run(server, &format!("CREATE SCHEMA {name}")).await;
            let between = if server.contains('?') { '&' } else { '?' };
            let url = format!("{server}{between}options=-csearch_path%3D{name}");
            let engine = Arc::new(Postgres::new(&Secret::new(url.clone()), limits).unwrap());
            let home = home(format!("DROP SCHEMA {name} CASCADE"));
            return Self { engine, dialect: &POSTGRES, url, home };
        }
        assert!(server.starts_with("mysql"), "{SERVER} names neither PostgreSQL nor MySQL");
        run(server, &format!("CREATE DATABASE {name}")).await;
        let url = format!("{}/{name}", server.trim_end_matches('/'));
        let engine = Arc::new(MySql::connect(&Secret::new(url.clone()), limits).unwrap());
        Self { engine, dialect: &MARIADB, url, home: home(format!("DROP DATABASE {name}")) }
    }
}

impl Database {
    /// A database that nothing else is in, for tools that see whole databases.
    ///
    /// # Panics
    /// As [`Database::on`].
    pub async fn whole(server: &str, limits: &Limits) -> Self {
        if !server.starts_with("postgres") {
            return Self::on(server, limits).await;
        }
        let name = format!("bs_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        run(server, &format!("CREATE DATABASE {name}")).await;
        let (place, parameters) = server.split_once('?').unwrap_or((server, ""));
        let (host, _) = place.rsplit_once('/').unwrap();
        let url = format!("{host}/{name}{}{parameters}", if parameters.is_empty() { "" } else { "?" });
        let engine = Arc::new(Postgres::new(&Secret::new(url.clone()), limits).unwrap());
        let home =
            Home::Server { server: server.to_owned(), drop: format!("DROP DATABASE {name} WITH (FORCE)") };
        Self { engine, dialect: &POSTGRES, url, home }
    }
}

impl Database {
    /// Runs a statement of the test's own on the server, or in the file.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn execute(&self, statement: &str) {
        self.engine.migrate(&Batch::plain(vec![statement.to_owned()])).await.unwrap();
    }

    /// The first column of all rows of a query of the test's own, as text.
    ///
    /// # Panics
    /// When it is refused, or there is no server.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        if self.url.starts_with("postgres") {
            let (client, connection) =
                tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await.unwrap();
            let task = tokio::spawn(connection);
            let rows = client.simple_query(query).await.unwrap();
            drop(client);
            task.await.unwrap().unwrap();
            let text = |message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            };
            return rows.into_iter().filter_map(text).collect();
        }
        use mysql_async::prelude::Queryable;
        let mut connection = mysql_async::Conn::from_url(&self.url).await.unwrap();
        let rows: Vec<Vec<u8>> = connection.query(query).await.unwrap();
        connection.disconnect().await.unwrap();
        rows.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    }
}

/// Runs one statement of the test's own on a server.
async fn run(server: &str, statement: &str) {
    if server.starts_with("postgres") {
        let (client, connection) = tokio_postgres::connect(server, tokio_postgres::NoTls).await.unwrap();
        let task = tokio::spawn(connection);
        client.batch_execute(statement).await.unwrap();
        drop(client);
        task.await.unwrap().unwrap();
        return;
    }
    use mysql_async::prelude::Queryable;
    let mut connection = mysql_async::Conn::from_url(server).await.unwrap();
    connection.query_drop(statement).await.unwrap();
    connection.disconnect().await.unwrap();
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Home::Server { server, drop } = &self.home {
            let (server, drop) = (server.clone(), drop.clone());
            // a test that has failed must not hide that behind a second panic
            let dropping = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(run(&server, &drop));
            });
            if dropping.join().is_err() {
                tracing::warn!("a test database could not be dropped");
            }
        }
    }
}
