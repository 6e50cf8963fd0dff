//! [`Scripts`]: which way a script goes. Short reads of one statement share a connection; other
//! reads see one snapshot; writes are one statement where they can be, else a transaction. What
//! lost to another transaction, or its connection before anything was decided, is begun anew.

use crate::connection::Use;
use crate::error::{Then, Trouble};
use crate::pool::{Lease, Pool, Purpose};
use crate::replica::Replicas;
use crate::retry::Attempts;
use crate::session::{Alone, Begin, Isolation, Transaction};
use backstay_base::fault::Fault;
use backstay_engine::cost::{self, Cost};
use backstay_engine::position::{Near, Placed};
use backstay_policy::guarded::Guarded;
use backstay_query::plan::Script;
use backstay_query::reply::Reply;
use backstay_sql::dialect::postgres::POSTGRES;
use backstay_sql::run::direct::Direct;
use backstay_sql::run::needs::{Needs, Watching};
use backstay_sql::run::{Outcome, References, needs_deferred_references, run};

/// Runs scripts.
#[derive(Debug, Default)]
pub struct Scripts {
    /// The catalog seen last, and the tables whose writers must be serialized with others.
    watching: Watching,
}

impl Scripts {
    /// Runs a script on the primary.
    ///
    /// # Errors
    /// What refuses a step; 503 when the database cannot be reached; 08007 when it is not known
    /// whether a write happened.
    pub async fn run(&self, pool: &Pool, script: &Guarded<Script>) -> Result<Reply, Fault> {
        Ok(self.answer(pool, script, Place::Unasked).await?.reply)
    }

    /// Runs a script of a data door: a read on a replica, where one has come far enough.
    ///
    /// # Errors
    /// As [`Scripts::run`].
    pub async fn run_near(
        &self,
        pool: &Pool,
        replicas: &Replicas,
        (script, near): (&Guarded<Script>, Near<'_>),
    ) -> Result<Placed, Fault> {
        if replicas.is_empty() {
            return self.answer(pool, script, Place::Unasked).await;
        }
        if script.writes() {
            // whatever becomes of it: it may have been written
            replicas.wrote(near.caller);
            return self.answer(pool, script, Place::Asked).await;
        }
        if let Some(replica) = replicas.choose(pool, near.caller, near.position).await {
            let result = match self.needs(script) {
                Needs::Statement => Box::pin(statement(replica, script)).await,
                Needs::Snapshot | Needs::Transaction | Needs::Serializable => {
                    Box::pin(snapshot(replica, script)).await
                }
            };
            match result {
                Ok(reply) => return Ok(Placed { reply, position: None }),
                Err(Trouble { failure, then: Then::Answer }) => {
                    return Err(Trouble { failure, then: Then::Answer }.into_fault());
                }
                // what a replica cannot say the primary can
                Err(trouble) => tracing::debug!(reason = ?trouble.then, "a replica did not answer"),
            }
        }
        self.answer(pool, script, Place::Unasked).await
    }

    fn needs(&self, script: &Guarded<Script>) -> Needs {
        self.watching.needs(script, &POSTGRES)
    }

    async fn answer(&self, pool: &Pool, script: &Guarded<Script>, place: Place) -> Result<Placed, Fault> {
        let needs = self.needs(script);
        let mut attempts = Attempts::new();
        loop {
            let unplaced = |reply| Placed { reply, position: None };
            // what is rarer than a short read is kept out of the state of one
            let result = match needs {
                Needs::Statement => statement(pool, script).await.map(unplaced),
                Needs::Snapshot => Box::pin(snapshot(pool, script)).await.map(unplaced),
                Needs::Transaction => Box::pin(write(pool, script, (Isolation::ReadCommitted, place))).await,
                Needs::Serializable => Box::pin(write(pool, script, (Isolation::Serializable, place))).await,
            };
            match result {
                Ok(placed) => return Ok(placed),
                Err(trouble) => pool.again(trouble, &mut attempts).await?,
            }
        }
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
    Box::pin(statement_alone(pool, script)).await
}

async fn statement_alone(pool: &Pool, script: &Guarded<Script>) -> Result<Reply, Trouble> {
    let lease = pool.take(Purpose::Read).await?;
    let mut session = Alone::new(&lease, Use::Alone);
    let outcome = run(&mut session, script, &POSTGRES, References::PerStatement).await;
    let then = session.then;
    lease.give_back();
    outcome.map(|outcome| outcome.reply).map_err(|fault| trouble(fault, then))
}

async fn snapshot(pool: &Pool, script: &Guarded<Script>) -> Result<Reply, Trouble> {
    let lease = pool.take(Purpose::Read).await?;
    let mut session = Transaction::new(&lease, Begin::Snapshot);
    let outcome = run(&mut session, script, &POSTGRES, References::PerStatement).await;
    session.roll_back().await;
    let then = session.then;
    lease.give_back();
    outcome.map(|outcome| outcome.reply).map_err(|fault| trouble(fault, then))
}

/// Whether a write tells where in the log it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Asked,
    Unasked,
}

/// A write: as one statement first, which does all or nothing; step by step where it did nothing.
async fn write(pool: &Pool, script: &Guarded<Script>, way: (Isolation, Place)) -> Result<Placed, Trouble> {
    let direct = Direct::of(script, &POSTGRES).map_err(Trouble::answer)?;
    let lease = pool.take(Purpose::Write).await?;
    let result = match direct {
        Some(direct) => match at_once(&lease, script, &direct, way).await {
            Ok(None) => Box::pin(step_by_step(&lease, script, way)).await,
            Ok(Some(placed)) => Ok(placed),
            Err(trouble) => Err(trouble),
        },
        None => Box::pin(step_by_step(&lease, script, way)).await,
    };
    lease.give_back();
    result
}

async fn at_once(
    lease: &Lease<'_>,
    script: &Guarded<Script>,
    direct: &Direct<'_>,
    (isolation, place): (Isolation, Place),
) -> Result<Option<Placed>, Trouble> {
    if direct.stands_alone() && isolation == Isolation::ReadCommitted && place == Place::Unasked {
        let mut session = Alone::new(lease, Use::Alone);
        let result = direct.run(&mut session, script, &POSTGRES).await;
        let placed = result.map(|reply| reply.map(|reply| Placed { reply, position: None }));
        return placed.map_err(|fault| trouble(fault, session.then));
    }
    let mut session = Transaction::new(lease, Begin::Write(isolation, References::PerStatement));
    let result = match direct.run(&mut session, script, &POSTGRES).await {
        Ok(Some(reply)) => commit(&mut session, reply, place).await.map(Some),
        undone => {
            session.roll_back().await;
            undone.map(|_| None)
        }
    };
    result.map_err(|fault| trouble(fault, session.then))
}

async fn step_by_step(
    lease: &Lease<'_>,
    script: &Guarded<Script>,
    (isolation, place): (Isolation, Place),
) -> Result<Placed, Trouble> {
    let deferred = needs_deferred_references(script.inner(), script.catalog());
    let references = if deferred { References::AtCommit } else { References::PerStatement };
    let mut session = Transaction::new(lease, Begin::Write(isolation, references));
    let result = match run(&mut session, script, &POSTGRES, references).await {
        Ok(Outcome { reply, keep: true }) => commit(&mut session, reply, place).await,
        undone => {
            session.roll_back().await;
            undone.map(|outcome| Placed { reply: outcome.reply, position: None })
        }
    };
    result.map_err(|fault| trouble(fault, session.then))
}

async fn commit(session: &mut Transaction<'_>, reply: Reply, place: Place) -> Result<Placed, Fault> {
    let position = match place {
        Place::Asked => session.commit_and_locate().await?,
        Place::Unasked => session.commit().await.map(|()| None)?,
    };
    Ok(Placed { reply, position })
}

fn trouble(fault: Fault, then: Then) -> Trouble {
    Trouble { failure: fault.into(), then }
}
