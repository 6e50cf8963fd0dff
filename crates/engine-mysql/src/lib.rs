//! MariaDB and MySQL as an engine: a pool of connections, one transaction per script
//! that writes. Woven scripts enter, replies leave; other nodes may use the same
//! database.

pub mod address;
pub mod bind;
pub mod connection;
pub mod error;
pub mod flavour;
pub mod introspect;
pub mod lease;
pub mod migration;
pub mod pool;
pub mod refused;
pub mod retry;
pub mod row;
pub mod session;
pub mod tls;
pub mod transaction;

use crate::address::Address;
use crate::error::OpenError;
use crate::pool::Pool;
use crate::transaction::Scripts;
use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine::capabilities::Capabilities;
use backstay_engine::lease::{LeaseAnswer, LeaseRequest};
use backstay_engine::live::Live;
use backstay_engine::migration::{Batch, JournalRow, Unfinished};
use backstay_engine::reading::Reading;
use backstay_engine::{Engine, Work};
use backstay_policy::guarded::Guarded;
use backstay_query::plan::Script;
use backstay_query::reply::Reply;

/// One MariaDB or MySQL database.
#[derive(Debug)]
pub struct MySql {
    scripts: Scripts,
}

impl MySql {
    /// A database that may be down: connections are opened when they are needed.
    ///
    /// # Errors
    /// [`OpenError`], when the URL is wrong or certificates cannot be read.
    pub fn connect(url: &Secret<String>, limits: &Limits) -> Result<Self, OpenError> {
        let address = Address::parse(url.expose())?;
        if address.database.is_empty() {
            return Err(OpenError::Url("it names no database".to_owned()));
        }
        Ok(Self { scripts: Scripts::new(Pool::new(address, limits)?) })
    }

    /// The pool, for what stands beside scripts: tests and measurements.
    #[must_use]
    pub const fn pool(&self) -> &Pool {
        &self.scripts.pool
    }
}

impl Engine for MySql {
    fn name(&self) -> &'static str {
        "mysql"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            transactional_ddl: false,
            foreign_keys: true,
            checks: true,
            concurrent_writers: true,
            many_nodes: true,
        }
    }

    fn run<'a>(&'a self, script: &'a Guarded<Script>) -> Work<'a, Reply> {
        Box::pin(self.scripts.answer(script))
    }

    fn readings(&self) -> Vec<Reading> {
        self.pool().readings()
    }

    fn introspect(&self) -> Work<'_, Live> {
        let pool = &self.scripts.pool;
        Box::pin(pool.repeat(move || Box::pin(introspect::live(pool))))
    }

    fn journal(&self) -> Work<'_, Vec<JournalRow>> {
        let pool = &self.scripts.pool;
        Box::pin(pool.repeat(move || Box::pin(migration::journal(pool))))
    }

    fn unfinished(&self) -> Work<'_, Vec<Unfinished>> {
        let pool = &self.scripts.pool;
        Box::pin(pool.repeat(move || Box::pin(migration::unfinished(pool))))
    }

    fn lease<'a>(&'a self, request: &'a LeaseRequest) -> Work<'a, LeaseAnswer> {
        let pool = &self.scripts.pool;
        Box::pin(pool.repeat(move || Box::pin(lease::ask(pool, request))))
    }

    fn migrate<'a>(&'a self, batch: &'a Batch) -> Work<'a, ()> {
        Box::pin(migration::apply(&self.scripts.pool, batch))
    }

    fn rehearse<'a>(&'a self, statements: &'a [String]) -> Work<'a, Live> {
        Box::pin(migration::rehearse(&self.scripts.pool, statements))
    }
}
