//! PostgreSQL as an engine: short reads share pipelined connections, transactions have one
//! to themselves. Woven scripts enter, replies leave; any number of nodes may use one database.

pub mod bind;
pub mod connection;
pub mod error;
pub mod introspect;
pub mod lease;
pub mod migration;
pub mod numeric;
pub mod pool;
pub mod replica;
pub mod retry;
pub mod row;
pub mod script;
pub mod session;
pub mod target;
pub mod tls;

use crate::error::OpenError;
use crate::pool::Pool;
use crate::replica::Replicas;
use crate::script::Scripts;
use crate::target::Target;
use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine::capabilities::Capabilities;
use backstay_engine::lease::{LeaseAnswer, LeaseRequest};
use backstay_engine::live::Live;
use backstay_engine::migration::{Batch, JournalRow, Unfinished};
use backstay_engine::position::{Near, Placed};
use backstay_engine::reading::Reading;
use backstay_engine::{Engine, Work};
use backstay_policy::guarded::Guarded;
use backstay_query::plan::Script;
use backstay_query::reply::Reply;

/// A PostgreSQL database.
#[derive(Debug)]
pub struct Postgres {
    pool: Pool,
    scripts: Scripts,
    replicas: Replicas,
}

impl Postgres {
    /// Reads the URL; nothing is connected until something is asked.
    ///
    /// # Errors
    /// [`OpenError`], when the URL cannot be used. A database that is away is no error: requests
    /// answer 503 until it is there.
    pub fn new(url: &Secret<String>, limits: &Limits) -> Result<Self, OpenError> {
        let pool = Pool::new(Target::parse(url, limits.statement_ms)?, limits);
        Ok(Self { pool, scripts: Scripts::default(), replicas: Replicas::new(Vec::new()) })
    }

    /// The same with replicas of it, which answer reads of data doors where they have come far enough.
    ///
    /// # Errors
    /// As [`Postgres::new`], of any of the URLs.
    pub fn with_replicas(
        url: &Secret<String>,
        replicas: &[Secret<String>],
        limits: &Limits,
    ) -> Result<Self, OpenError> {
        let pools = replicas.iter().map(|url| {
            let target = Target::parse(url, limits.statement_ms)?.any_node();
            Ok(Pool::new(target, limits))
        });
        let pools = pools.collect::<Result<Vec<Pool>, OpenError>>()?;
        Ok(Self { replicas: Replicas::new(pools), ..Self::new(url, limits)? })
    }
}

impl Engine for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            transactional_ddl: true,
            foreign_keys: true,
            checks: true,
            concurrent_writers: true,
            many_nodes: true,
        }
    }

    fn run<'a>(&'a self, script: &'a Guarded<Script>) -> Work<'a, Reply> {
        Box::pin(self.scripts.run(&self.pool, script))
    }

    fn run_near<'a>(&'a self, script: &'a Guarded<Script>, near: Near<'a>) -> Work<'a, Placed> {
        Box::pin(self.scripts.run_near(&self.pool, &self.replicas, (script, near)))
    }

    fn readings(&self) -> Vec<Reading> {
        self.pool.readings()
    }

    fn introspect(&self) -> Work<'_, Live> {
        Box::pin(migration::live(&self.pool))
    }

    fn journal(&self) -> Work<'_, Vec<JournalRow>> {
        Box::pin(migration::journal(&self.pool))
    }

    fn unfinished(&self) -> Work<'_, Vec<Unfinished>> {
        Box::pin(migration::unfinished(&self.pool))
    }

    fn lease<'a>(&'a self, request: &'a LeaseRequest) -> Work<'a, LeaseAnswer> {
        Box::pin(lease::ask(&self.pool, request))
    }

    fn migrate<'a>(&'a self, batch: &'a Batch) -> Work<'a, ()> {
        Box::pin(migration::apply(&self.pool, batch))
    }

    fn rehearse<'a>(&'a self, statements: &'a [String]) -> Work<'a, Live> {
        Box::pin(migration::rehearse(&self.pool, statements))
    }
}
