//! [`Scripts`]: which way a script goes. Short reads of one statement share a connection; other
//! reads see one snapshot; writes are one statement where they can be, else a transaction. What
//! lost to another transaction, or its connection before anything was decided, is begun anew.

use crate::connection::Use;
use crate::error::{Then, Trouble};
use crate::pool::{Lease, Pool, Purpose};
use crate::retry::Attempts;
use crate::session::{Alone, Begin, Isolation, Transaction};
use backstay_base::fault::Fault;
use backstay_engine::cost::{self, Cost};
use backstay_policy::guarded::Guarded;
use backstay_query::plan::Script;
use backstay_query::reply::Reply;
use backstay_schema::catalog::{Catalog, TableId};
use backstay_sql::dialect::postgres::POSTGRES;
use backstay_sql::run::direct::Direct;
use backstay_sql::run::needs::{Needs, needs};
use backstay_sql::run::{Outcome, References, needs_deferred_references, run};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Runs scripts.
#[derive(Debug, Default)]
pub struct Scripts {
    /// The catalog seen last, and the tables whose writers must be serialized with others.
    watched: Mutex<Option<Watched>>,
}

type Watched = (Arc<Catalog>, Arc<BTreeSet<TableId>>);

impl Scripts {
    /// Runs a script.
    ///
    /// # Errors
    /// What refuses a step; 503 when the database cannot be reached; 08007 when it is not known
    /// whether a write happened.
    pub async fn run(&self, pool: &Pool, script: &Guarded<Script>) -> Result<Reply, Fault> {
        let purpose = if script.writes() { Purpose::Write } else { Purpose::Read };
        let _place = pool.enter(purpose)?;
        let watched = self.watched(script.catalog());
        let needs = needs(script.inner(), script.catalog(), &POSTGRES, &watched);
        let mut attempts = Attempts::new();
        loop {
            let result = match needs {
                Needs::Statement => statement(pool, script).await,
                Needs::Snapshot => snapshot(pool, script).await,
                Needs::Transaction => write(pool, script, Isolation::ReadCommitted).await,
                Needs::Serializable => write(pool, script, Isolation::Serializable).await,
            };
            match result {
                Ok(reply) => return Ok(reply),
                Err(trouble) => pool.again(trouble, &mut attempts).await?,
            }
        }
    }

    fn watched(&self, catalog: &Arc<Catalog>) -> Arc<BTreeSet<TableId>> {
        let mut known = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, watched)) = known.as_ref()
            && Arc::ptr_eq(of, catalog)
        {
            return Arc::clone(watched);
        }
        let watched = Arc::new(catalog.watched());
        *known = Some((Arc::clone(catalog), Arc::clone(&watched)));
        watched
    }
}

/// A read of one statement: on a shared connection, unless it may keep others waiting.
async fn statement(pool: &Pool, script: &Guarded<Script>) -> Result<Reply, Trouble> {
    if cost::of(script.inner(), script.catalog()) == Cost::Inline {
        let connection = pool.share().await?;
        let mut session = Alone::new(&connection, Use::Shared);
        let outcome = run(&mut session, script, &POSTGRES, References::PerStatement).await;
        return outcome.map(|outcome| outcome.reply).map_err(|fault| trouble(fault, session.then));
    }
    let lease = pool.take().await?;
    let mut session = Alone::new(&lease, Use::Alone);
    let outcome = run(&mut session, script, &POSTGRES, References::PerStatement).await;
    let then = session.then;
    lease.give_back();
    outcome.map(|outcome| outcome.reply).map_err(|fault| trouble(fault, then))
}

async fn snapshot(pool: &Pool, script: &Guarded<Script>) -> Result<Reply, Trouble> {
    let lease = pool.take().await?;
    let mut session = Transaction::new(&lease, Begin::Snapshot);
    let outcome = run(&mut session, script, &POSTGRES, References::PerStatement).await;
    session.roll_back().await;
    let then = session.then;
    lease.give_back();
    outcome.map(|outcome| outcome.reply).map_err(|fault| trouble(fault, then))
}

/// A write: as one statement first, which does all or nothing; step by step where it did nothing.
async fn write(pool: &Pool, script: &Guarded<Script>, isolation: Isolation) -> Result<Reply, Trouble> {
    let direct = Direct::of(script, &POSTGRES).map_err(Trouble::answer)?;
    let lease = pool.take().await?;
    let result = match direct {
        Some(direct) => match at_once(&lease, script, &direct, isolation).await {
            Ok(None) => step_by_step(&lease, script, isolation).await,
            Ok(Some(reply)) => Ok(reply),
            Err(trouble) => Err(trouble),
        },
        None => step_by_step(&lease, script, isolation).await,
    };
    lease.give_back();
    result
}

async fn at_once(
    lease: &Lease<'_>,
    script: &Guarded<Script>,
    direct: &Direct<'_>,
    isolation: Isolation,
) -> Result<Option<Reply>, Trouble> {
    if direct.stands_alone() && isolation == Isolation::ReadCommitted {
        let mut session = Alone::new(lease, Use::Alone);
        let result = direct.run(&mut session, script, &POSTGRES).await;
        return result.map_err(|fault| trouble(fault, session.then));
    }
    let mut session = Transaction::new(lease, Begin::Write(isolation, References::PerStatement));
    let result = match direct.run(&mut session, script, &POSTGRES).await {
        Ok(Some(reply)) => session.commit().await.map(|()| Some(reply)),
        undone => {
            session.roll_back().await;
            undone
        }
    };
    result.map_err(|fault| trouble(fault, session.then))
}

async fn step_by_step(
    lease: &Lease<'_>,
    script: &Guarded<Script>,
    isolation: Isolation,
) -> Result<Reply, Trouble> {
    let deferred = needs_deferred_references(script.inner(), script.catalog());
    let references = if deferred { References::AtCommit } else { References::PerStatement };
    let mut session = Transaction::new(lease, Begin::Write(isolation, references));
    let result = match run(&mut session, script, &POSTGRES, references).await {
        Ok(Outcome { reply, keep: true }) => session.commit().await.map(|()| reply),
        undone => {
            session.roll_back().await;
            undone.map(|outcome| outcome.reply)
        }
    };
    result.map_err(|fault| trouble(fault, session.then))
}

fn trouble(fault: Fault, then: Then) -> Trouble {
    Trouble { failure: fault.into(), then }
}
