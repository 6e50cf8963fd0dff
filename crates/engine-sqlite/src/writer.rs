//! [`Writer`]: the one connection that writes, on its own thread. Requests wait in
//! a bounded queue; the thread takes what has gathered while the last commit was
//! made durable, runs each in its own savepoint, commits once, then answers all.

mod group;

use self::group::{Group, Job, Task};
use crate::commit_log::CommitLog;
use crate::connection;
use crate::error::OpenError;
use crate::pool::Readers;
use crate::tally::{Tally, count};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use backstay_engine::lease::{LeaseAnswer, LeaseRequest};
use backstay_engine::migration::Batch;
use backstay_policy::guarded::Guarded;
use backstay_query::plan::{Query, Script};
use backstay_query::reply::Reply;
use backstay_sql::run::needs_deferred_references;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// The handle to the writing thread.
#[derive(Debug)]
pub struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    tally: Arc<Tally>,
}

impl Writer {
    /// Opens the writing connection and starts its thread.
    ///
    /// # Errors
    /// When the file cannot be opened or the thread not started.
    pub fn start(
        path: &Path,
        limits: &Limits,
        (readers, tally): (Arc<Readers>, Arc<Tally>),
        log: Option<Arc<CommitLog>>,
    ) -> Result<Self, OpenError> {
        let opened = connection::writer(path, log.is_some())?;
        let (queue, jobs) = mpsc::channel(limits.write_queue.max(1));
        let group = Group::new(path, opened, limits.statement_ms, (readers, Arc::clone(&tally)), log);
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || group.serve(jobs))
            .map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        Ok(Self { queue: Some(queue), thread: Some(thread), tally })
    }

    /// Writes that wait for the thread.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        let waiting = self.queue.as_ref().map_or(0, |queue| queue.max_capacity() - queue.capacity());
        u64::try_from(waiting).unwrap_or(u64::MAX)
    }

    /// Runs a script that writes. The answer, a refusal too, comes after the commit.
    ///
    /// # Errors
    /// 53400 when the queue is full, 08007 when the outcome is unknown, or a fault of the script.
    pub async fn run(&self, script: &Guarded<Script>) -> Result<Reply, Fault> {
        let (answer, answered) = oneshot::channel();
        let alone = needs_deferred_references(script.inner(), script.catalog());
        let bytes = size_of_script(script.inner());
        let task = Task::Script { script: Box::new(script.clone()), answer };
        self.send(Job { task, alone, bytes })?;
        answered.await.map_err(gone)?
    }

    /// Runs a migration, alone.
    ///
    /// # Errors
    /// As [`Writer::run`].
    pub async fn migrate(&self, batch: &Batch) -> Result<(), Fault> {
        let (answer, answered) = oneshot::channel();
        let task = Task::Migration { batch: batch.clone(), answer };
        self.send(Job { task, alone: true, bytes: 0 })?;
        answered.await.map_err(gone)?
    }

    /// Takes, renews or gives back a lease.
    ///
    /// # Errors
    /// As [`Writer::run`].
    pub async fn lease(&self, request: &LeaseRequest) -> Result<LeaseAnswer, Fault> {
        let (answer, answered) = oneshot::channel();
        let task = Task::Lease { request: request.clone(), answer };
        self.send(Job { task, alone: true, bytes: 0 })?;
        answered.await.map_err(gone)?
    }

    fn send(&self, job: Job) -> Result<(), Fault> {
        let Some(queue) = &self.queue else { return Err(Fault::internal("the writer is closed")) };
        queue.try_send(job).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => {
                count(&self.tally.writes_refused);
                Fault::new(code::TOO_MANY_REQUESTS, "too many writes are waiting; nothing was done")
            }
            mpsc::error::TrySendError::Closed(_) => Fault::internal("the writer has ended"),
        })
    }
}

impl Drop for Writer {
    /// What is queued is still written; then the connection closes.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the writer panicked");
        }
    }
}

fn gone(cause: oneshot::error::RecvError) -> Fault {
    Fault::new(
        code::OUTCOME_UNKNOWN,
        "the writer ended before it answered: the write may or may not have happened",
    )
    .with_source(cause)
}

/// About how many bytes a script carries.
fn size_of_script(script: &Script) -> usize {
    const CELL_BYTES: usize = 64;
    let cells = script.steps.iter().map(|step| match &step.query {
        // a row may stand beside it
        Query::Insert(insert) => insert.rows.len().max(1) * insert.columns.len(),
        Query::Update(update) => update.assign.len(),
        Query::Select(_) | Query::Delete(_) => 1,
    });
    cells.sum::<usize>() * CELL_BYTES
}
