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
pub mod retry;
pub mod row;
pub mod session;
pub mod target;
pub mod tls;

use crate::connection::Use;
use crate::error::{OpenError, Then, Trouble};
use crate::pool::{Pool, Purpose};
use crate::retry::Attempts;
use crate::session::{Alone, Begin, Transaction};
use crate::target::Target;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine::capabilities::Capabilities;
use backstay_engine::cost::{self, Cost};
use backstay_engine::lease::{LeaseAnswer, LeaseRequest};
use backstay_engine::live::Live;
use backstay_engine::migration::{Batch, JournalRow};
use backstay_engine::{Engine, Work};
use backstay_policy::guarded::Guarded;
use backstay_query::plan::{OutputValue, Query, Script, Select};
use backstay_query::reply::Reply;
use backstay_sql::dialect::postgres::POSTGRES;
use backstay_sql::run::{Outcome, References, run};

/// A PostgreSQL database.
#[derive(Debug)]
pub struct Postgres {
    pool: Pool,
}

impl Postgres {
    /// Reads the URL; nothing is connected until something is asked.
    ///
    /// # Errors
    /// [`OpenError`], when the URL cannot be used. A database that is away is no error: requests
    /// answer 503 until it is there.
    pub fn new(url: &Secret<String>, limits: &Limits) -> Result<Self, OpenError> {
        Ok(Self { pool: Pool::new(Target::parse(url, limits.statement_ms)?, limits) })
    }

    async fn read(&self, script: &Guarded<Script>) -> Result<Reply, Fault> {
        let _place = self.pool.enter(Purpose::Read)?;
        let mut attempts = Attempts::new();
        loop {
            match self.read_once(script).await {
                Ok(reply) => return Ok(reply),
                Err(trouble) => self.pool.again(trouble, &mut attempts).await?,
            }
        }
    }

    async fn read_once(&self, script: &Guarded<Script>) -> Result<Reply, Trouble> {
        let one = is_one_statement(script.inner());
        if one && cost::of(script.inner(), script.catalog()) == Cost::Inline {
            let connection = self.pool.share().await?;
            let mut session = Alone::new(&connection, Use::Shared);
            let outcome = run(&mut session, script, &POSTGRES, References::PerStatement).await;
            return outcome.map(|outcome| outcome.reply).map_err(|fault| trouble(fault, session.then));
        }
        let lease = self.pool.take().await?;
        if one {
            let mut session = Alone::new(&lease, Use::Alone);
            let outcome = run(&mut session, script, &POSTGRES, References::PerStatement).await;
            let then = session.then;
            lease.give_back();
            return outcome.map(|outcome| outcome.reply).map_err(|fault| trouble(fault, then));
        }
        let mut session = Transaction::new(&lease, Begin::Snapshot);
        let outcome = run(&mut session, script, &POSTGRES, References::PerStatement).await;
        session.roll_back();
        let then = session.then;
        lease.give_back();
        outcome.map(|outcome| outcome.reply).map_err(|fault| trouble(fault, then))
    }

    async fn write(&self, script: &Guarded<Script>) -> Result<Reply, Fault> {
        let _place = self.pool.enter(Purpose::Write)?;
        let mut attempts = Attempts::new();
        loop {
            match self.write_once(script).await {
                Ok(reply) => return Ok(reply),
                Err(trouble) => self.pool.again(trouble, &mut attempts).await?,
            }
        }
    }

    async fn write_once(&self, script: &Guarded<Script>) -> Result<Reply, Trouble> {
        let lease = self.pool.take().await?;
        let mut session = Transaction::new(&lease, Begin::Write);
        let outcome = run(&mut session, script, &POSTGRES, References::PerStatement).await;
        let result = match outcome {
            Ok(Outcome { reply, keep: true }) => session.commit().await.map(|()| reply),
            Ok(Outcome { reply, keep: false }) => {
                session.roll_back();
                Ok(reply)
            }
            Err(fault) => {
                session.roll_back();
                Err(fault)
            }
        };
        let then = session.then;
        lease.give_back();
        result.map_err(|fault| trouble(fault, then))
    }
}

fn trouble(fault: Fault, then: Then) -> Trouble {
    Trouble { failure: fault.into(), then }
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
        if script.writes() { Box::pin(self.write(script)) } else { Box::pin(self.read(script)) }
    }

    fn introspect(&self) -> Work<'_, Live> {
        Box::pin(migration::live(&self.pool))
    }

    fn journal(&self) -> Work<'_, Vec<JournalRow>> {
        Box::pin(migration::journal(&self.pool))
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

/// One statement is a snapshot by itself; more need a transaction around them.
fn is_one_statement(script: &Script) -> bool {
    match script.steps.as_slice() {
        [step] => matches!(&step.query, Query::Select(select) if !select.count && !has_levels(select)),
        _ => false,
    }
}

/// Whether an embed is read by a statement of its own: it has embeds below it.
fn has_levels(select: &Select) -> bool {
    select.outputs.iter().any(|output| match &output.value {
        OutputValue::Scalar(..) | OutputValue::Count { .. } => false,
        OutputValue::One(inner) | OutputValue::Spread(inner) => has_levels(inner),
        OutputValue::Many(inner) => has_lists(inner),
    })
}

fn has_lists(select: &Select) -> bool {
    select.outputs.iter().any(|output| match &output.value {
        OutputValue::Scalar(..) | OutputValue::Count { .. } => false,
        OutputValue::One(inner) | OutputValue::Spread(inner) => has_lists(inner),
        OutputValue::Many(_) => true,
    })
}
