//! The seam between the waist and a database: [`Engine`]. A woven script in, a
//! reply out. Knows nothing of doors.

pub mod capabilities;
pub mod cost;
pub mod lease;
pub mod live;
pub mod migration;
pub mod position;
pub mod reading;

use crate::capabilities::Capabilities;
use crate::lease::{LeaseAnswer, LeaseRequest};
use crate::live::Live;
use crate::migration::{Batch, JournalRow, Unfinished};
use crate::position::{Near, Placed};
use crate::reading::Reading;
use backstay_base::fault::Fault;
use backstay_policy::guarded::Guarded;
use backstay_query::plan::Script;
use backstay_query::reply::Reply;
use std::future::Future;
use std::pin::Pin;

/// A future that an engine returns.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// A database.
pub trait Engine: Send + Sync + 'static {
    /// Short name: `sqlite`.
    fn name(&self) -> &'static str;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Runs a woven script. A reply to a script that writes means: durable.
    fn run<'a>(&'a self, script: &'a Guarded<Script>) -> Work<'a, Reply>;

    /// The same for a data door: a read may be answered by a replica that has come far enough.
    /// Accounts, keys and jobs use [`Engine::run`], which never asks a replica.
    fn run_near<'a>(&'a self, script: &'a Guarded<Script>, near: Near<'a>) -> Work<'a, Placed> {
        let _ = near;
        Box::pin(async move { Ok(Placed { reply: self.run(script).await?, position: None }) })
    }

    /// Whether the database answers: the cheapest read that goes all the way.
    fn answers(&self) -> Work<'_, ()> {
        Box::pin(async move { self.journal().await.map(drop) })
    }

    /// What fails while the database still answers, if anything: told, but no reason to send
    /// requests elsewhere.
    fn trouble(&self) -> Option<&'static str> {
        None
    }

    /// What it counts.
    fn readings(&self) -> Vec<Reading> {
        Vec::new()
    }

    /// What stands in the database now. For `migrate` alone.
    fn introspect(&self) -> Work<'_, Live>;

    /// The migrations that were applied, in order of their numbers. For `migrate` alone.
    fn journal(&self) -> Work<'_, Vec<JournalRow>>;

    /// The migrations that stopped half-way; none where all of a migration is done or nothing.
    /// For `migrate` alone.
    fn unfinished(&self) -> Work<'_, Vec<Unfinished>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Takes, renews or gives back a lease; see [`lease`]. Durable when answered. Never waits for a
    /// row that a migration holds longer than a statement may take.
    fn lease<'a>(&'a self, request: &'a LeaseRequest) -> Work<'a, LeaseAnswer>;

    /// Runs the statements of one migration and writes its journal row, in one
    /// transaction where [`Capabilities::transactional_ddl`] holds. For `migrate` alone.
    fn migrate<'a>(&'a self, batch: &'a Batch) -> Work<'a, ()>;

    /// What a new database would look like that ran these statements; nothing of it is kept. For `migrate` alone.
    fn rehearse<'a>(&'a self, statements: &'a [String]) -> Work<'a, Live>;
}
