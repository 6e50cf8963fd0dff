//! SQLite as an engine: one writer on its own thread that commits in groups,
//! readers that never wait for it. Woven scripts enter, replies leave; the file
//! belongs to one process.

pub mod bind;
pub mod budget;
pub mod commit_log;
pub mod connection;
pub mod error;
pub mod functions;
pub mod introspect;
pub mod lease;
pub mod lock;
pub mod migration;
pub mod pool;
pub mod session;
pub mod tally;
pub mod writer;

use crate::commit_log::CommitLog;
use crate::error::OpenError;
use crate::lock::Lock;
use crate::pool::Readers;
use crate::tally::Tally;
use crate::writer::Writer;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use backstay_engine::capabilities::Capabilities;
use backstay_engine::lease::{LeaseAnswer, LeaseRequest};
use backstay_engine::live::Live;
use backstay_engine::migration::{Batch, JournalRow};
use backstay_engine::reading::Reading;
use backstay_engine::{Engine, Work};
use backstay_policy::guarded::Guarded;
use backstay_query::plan::Script;
use backstay_query::reply::Reply;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// One SQLite file, open for reading and writing.
#[derive(Debug)]
pub struct Sqlite {
    readers: Arc<Readers>,
    writer: Writer,
    tally: Arc<Tally>,
    _lock: Lock,
}

impl Sqlite {
    /// Opens a file, or makes it. Other processes are kept out until this is dropped.
    ///
    /// # Errors
    /// [`OpenError`], when another process has it, it cannot be opened, or it is damaged.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, OpenError> {
        Self::open_with(path, limits, None)
    }

    /// As [`Sqlite::open`], and what is committed is told to a log from which it is shipped.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub fn open_shipped(path: &Path, limits: &Limits, log: Arc<CommitLog>) -> Result<Self, OpenError> {
        Self::open_with(path, limits, Some(log))
    }

    fn open_with(path: &Path, limits: &Limits, log: Option<Arc<CommitLog>>) -> Result<Self, OpenError> {
        connection::check_version()?;
        let lock = Lock::take(path)?;
        let tally = Arc::new(Tally::default());
        let readers = Arc::new(Readers::new(path, limits, log.is_some(), Arc::clone(&tally)));
        let writer = Writer::start(path, limits, (Arc::clone(&readers), Arc::clone(&tally)), log)?;
        Ok(Self { readers, writer, tally, _lock: lock })
    }

    /// How many transactions were made durable since the file was opened.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.tally.commits.load(Ordering::Relaxed)
    }
}

impl Engine for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            transactional_ddl: true,
            foreign_keys: true,
            checks: true,
            concurrent_writers: false,
            many_nodes: false,
        }
    }

    fn run<'a>(&'a self, script: &'a Guarded<Script>) -> Work<'a, Reply> {
        if script.writes() { Box::pin(self.writer.run(script)) } else { Box::pin(self.readers.run(script)) }
    }

    fn trouble(&self) -> Option<&'static str> {
        self.tally.is_fenced().then_some("a commit failed; the next write opens the file anew")
    }

    fn readings(&self) -> Vec<Reading> {
        self.tally.readings(self.readers.waiting(), self.writer.waiting())
    }

    fn introspect(&self) -> Work<'_, Live> {
        Box::pin(self.readers.with(introspect::live))
    }

    fn journal(&self) -> Work<'_, Vec<JournalRow>> {
        Box::pin(self.readers.with(migration::journal))
    }

    fn lease<'a>(&'a self, request: &'a LeaseRequest) -> Work<'a, LeaseAnswer> {
        Box::pin(self.writer.lease(request))
    }

    fn migrate<'a>(&'a self, batch: &'a Batch) -> Work<'a, ()> {
        Box::pin(self.writer.migrate(batch))
    }

    fn rehearse<'a>(&'a self, statements: &'a [String]) -> Work<'a, Live> {
        let statements = statements.to_vec();
        Box::pin(async move {
            let task = tokio::task::spawn_blocking(move || migration::rehearse(&statements));
            task.await
                .unwrap_or_else(|panicked| Err(Fault::internal("a rehearsal panicked").with_source(panicked)))
        })
    }
}
