//! A database of its own on the server that `BACKSTAY_TEST_URL` names, dropped again.

use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine_mysql::MySql;
use backstay_engine_mysql::address::Address;
use backstay_engine_mysql::connection::Connector;
use std::sync::Arc;

/// A database that goes with this value.
pub struct Database {
    server: String,
    name: String,
    /// Whether it is dropped with this value.
    owned: bool,
}

/// The server for tests; none, said aloud, where none is there.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub fn server() -> Option<String> {
    let read = |name: &str| std::env::vars().find(|(known, _)| known == name).map(|(_, value)| value);
    match read("BACKSTAY_TEST_URL").filter(|url| url.starts_with("mysql:")) {
        Some(url) => Some(url.trim_end_matches('/').to_owned()),
        None if read("CI").as_deref() == Some("true") && read("BACKSTAY_TEST_ENGINE").is_none() => {
            panic!("BACKSTAY_TEST_URL names no server");
        }
        None => {
            eprintln!("skipped: BACKSTAY_TEST_URL names no MariaDB or MySQL server");
            None
        }
    }
}

impl Database {
    /// A new, empty one.
    pub async fn new() -> Option<Self> {
        Some(Self::on(server()?).await)
    }

    pub async fn on(server: String) -> Self {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).unwrap();
        let name = format!("bs_test_{:016x}", u64::from_le_bytes(bytes));
        control(&server, |flavour| (flavour.make_database)(&name)).await;
        Self { server, name, owned: true }
    }

    /// Its URL, with parameters.
    pub fn url(&self, parameters: &str) -> Secret<String> {
        Secret::new(format!("{}/{}{parameters}", self.server, self.name))
    }

    /// Its URL on another way to the server.
    pub fn url_at(&self, server: &str) -> Secret<String> {
        Secret::new(format!("{server}/{}", self.name))
    }

    /// The same database, for somebody who does not drop it.
    pub fn borrowed(&self) -> Self {
        Self { server: self.server.clone(), name: self.name.clone(), owned: false }
    }

    pub fn engine(&self) -> Arc<MySql> {
        self.engine_with(&Limits::default())
    }

    pub fn engine_with(&self, limits: &Limits) -> Arc<MySql> {
        Arc::new(MySql::connect(&self.url(""), limits).unwrap())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !self.owned {
            return;
        }
        let (server, name) = (self.server.clone(), self.name.clone());
        // a test that is dropped stands in a runtime already
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(control(&server, |_| format!("DROP DATABASE IF EXISTS `{name}`")));
        });
        drop(dropping.join());
    }
}

async fn control(server: &str, text: impl FnOnce(&backstay_engine_mysql::flavour::Flavour) -> String) {
    let address = Address::parse(&format!("{server}/")).unwrap();
    let Ok(mut connection) = Connector::new(address, 30_000).unwrap().connect().await else {
        panic!("the server does not answer");
    };
    let text = text(connection.flavour());
    connection.control(&text).await.map_err(backstay_engine_mysql::connection::Refusal::into_fault).unwrap();
    connection.close().await;
}
