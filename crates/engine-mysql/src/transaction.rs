//! Scripts on connections: a read of one statement stands alone, others see one state of
//! the database; a write is one statement, or one transaction. What the database undid
//! runs again as a whole, unless nobody can know whether it was undone.

use crate::connection::{Connection, Transaction};
use crate::error::unknown_outcome;
use crate::pool::{Pool, Pooled, Purpose};
use crate::retry::Attempts;
use crate::session::MySqlSession;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_policy::guarded::Guarded;
use backstay_query::plan::{Query, Script};
use backstay_query::reply::Reply;
use backstay_sql::run::direct::Direct;
use backstay_sql::run::needs::{Needs, Watching};
use backstay_sql::run::{Outcome, References, needs_deferred_references, run};

/// How often an upsert is begun again because another one was faster.
const OVERTAKEN: u32 = 3;

/// What runs scripts.
#[derive(Debug)]
pub struct Scripts {
    /// Where they run.
    pub pool: Pool,
    /// Tables whose rows rules of others read, of the catalog that was asked for last.
    watching: Watching,
}

impl Scripts {
    /// On these connections.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self { pool, watching: Watching::default() }
    }

    /// Runs a script, again where that may help.
    ///
    /// # Errors
    /// A fault of the script or of the database.
    pub async fn answer(&self, script: &Guarded<Script>) -> Result<Reply, Fault> {
        let mut attempts = Attempts::new();
        let mut overtaken = if upserts(script) { OVERTAKEN } else { 0 };
        loop {
            match self.attempt(script).await {
                Ok(reply) => return Ok(reply),
                // another write made the row after this one found none: now there is one
                Err(fault) if fault.code == code::UNIQUE_VIOLATION && overtaken > 0 => overtaken -= 1,
                Err(fault) => self.pool.again(&mut attempts, fault).await?,
            }
        }
    }

    async fn attempt(&self, script: &Guarded<Script>) -> Result<Reply, Fault> {
        let purpose = if script.writes() { Purpose::Write } else { Purpose::Read };
        let mut connection = self.pool.take(purpose).await?;
        let dialect = connection.flavour().dialect;
        match self.watching.needs(script, dialect) {
            Needs::Statement => {
                let outcome = run_on(&mut connection, script, References::PerStatement).await?;
                Ok(outcome.reply)
            }
            Needs::Snapshot => snapshot(&mut connection, script).await,
            Needs::Transaction => write(&mut connection, script).await,
            Needs::Serializable => stepwise(&mut connection, script, Transaction::Serializable).await,
        }
    }
}

async fn snapshot(connection: &mut Connection, script: &Guarded<Script>) -> Result<Reply, Fault> {
    connection.begin(Transaction::Snapshot).await?;
    let outcome = run_on(connection, script, References::PerStatement).await;
    connection.rollback().await;
    Ok(outcome?.reply)
}

async fn write(connection: &mut Pooled<'_>, script: &Guarded<Script>) -> Result<Reply, Fault> {
    let dialect = connection.flavour().dialect;
    if let Some(direct) = Direct::of(script, dialect)? {
        let alone = direct.stands_alone() && (!direct.is_batch() || connection.takes_batches().await?);
        if !alone {
            connection.begin(Transaction::Write).await?;
        }
        let reply = direct.run(&mut MySqlSession::new(connection), script, dialect).await;
        match reply {
            Ok(Some(reply)) if alone => return Ok(reply),
            Ok(Some(reply)) => return connection.commit().await.map(|()| reply),
            Ok(None) if alone => {}
            // it was its own transaction, and the server did not say what became of it
            Err(fault) if alone && connection.is_silent() => return Err(unknown_outcome(fault)),
            Ok(None) => connection.rollback().await,
            Err(fault) => {
                connection.rollback().await;
                return Err(fault);
            }
        }
    }
    stepwise(connection, script, Transaction::Write).await
}

async fn stepwise(
    connection: &mut Connection,
    script: &Guarded<Script>,
    kind: Transaction,
) -> Result<Reply, Fault> {
    let references = references(script);
    if references == References::AtCommit {
        connection.defer_references().await?;
    }
    connection.begin(kind).await?;
    let outcome = run_on(connection, script, references).await;
    if !matches!(outcome, Ok(Outcome { keep: true, .. })) {
        connection.rollback().await;
        return Ok(outcome?.reply);
    }
    connection.commit().await?;
    Ok(outcome?.reply)
}

fn upserts(script: &Guarded<Script>) -> bool {
    let is_upsert = |query: &Query| matches!(query, Query::Insert(insert) if insert.conflict.is_some());
    script.inner().steps.iter().any(|step| is_upsert(&step.query))
}

/// InnoDB knows no reference that waits. Where rows may refer to rows that come after them,
/// it is told not to look, and the runner looks at all references of all rows at the end,
/// keeping others from the rows that they name. Deletes and changes of keys need InnoDB to
/// look, for what goes with them: with these in a script nothing waits.
fn references(script: &Guarded<Script>) -> References {
    let only_inserts = script.inner().steps.iter().all(|step| match &step.query {
        Query::Select(_) => true,
        Query::Insert(insert) => insert.conflict.is_none(),
        Query::Update(_) | Query::Delete(_) => false,
    });
    if only_inserts && needs_deferred_references(script.inner(), script.catalog()) {
        References::AtCommit
    } else {
        References::PerStatement
    }
}

async fn run_on(
    connection: &mut Connection,
    script: &Guarded<Script>,
    references: References,
) -> Result<Outcome, Fault> {
    let dialect = connection.flavour().dialect;
    run(&mut MySqlSession::new(connection), script, dialect, references).await
}
