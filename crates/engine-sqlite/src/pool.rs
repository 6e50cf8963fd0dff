//! [`Readers`]: connections that only read. Short reads run where they are asked
//! for; others, and short ones that turn out long, go to a bounded blocking pool.
//! A thread takes the connection that it used last, whose pages and statements lie in the
//! cache of its core; else the one that anybody used last.

use crate::connection::{self, Opened, control};
use crate::error::{fault, is_busy};
use crate::session::SqliteSession;
use crate::tally::{Tally, count};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use backstay_engine::cost::{self, Cost};
use backstay_policy::guarded::Guarded;
use backstay_query::plan::{OutputValue, Query, Script, Select};
use backstay_query::reply::Reply;
use backstay_sql::dialect::sqlite::SQLITE;
use backstay_sql::run::{References, ready, run};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Idle connections that are kept open.
const IDLE_CONNECTIONS: usize = 32;

/// Fewest reads that run at a time in the blocking pool.
const BLOCKING_READS: usize = 4;

/// How long a read in the blocking pool waits for a lock, in milliseconds.
const BLOCKING_BUSY_MS: u64 = 5_000;

/// The reading side of one file.
#[derive(Debug)]
pub struct Readers {
    path: PathBuf,
    /// With the thread that used each last.
    idle: Mutex<Vec<(ThreadId, Opened)>>,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
    statement_ms: u64,
    /// Whether the log of the file is shipped, and no reader may copy it at its end.
    is_shipped: bool,
    tally: Arc<Tally>,
}

/// How a read is allowed to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Inline,
    Blocking { limit_ms: u64 },
}

impl Readers {
    /// Readers of a file that exists by the time they are used.
    #[must_use]
    pub fn new(path: &Path, limits: &Limits, is_shipped: bool, tally: Arc<Tally>) -> Self {
        let threads = std::thread::available_parallelism().map_or(BLOCKING_READS, usize::from);
        Self {
            path: path.to_owned(),
            idle: Mutex::default(),
            permits: Arc::new(Semaphore::new(threads.max(BLOCKING_READS))),
            waiting: AtomicUsize::new(0),
            queue: limits.read_queue,
            statement_ms: limits.statement_ms,
            is_shipped,
            tally,
        }
    }

    /// Runs a script that only reads.
    ///
    /// # Errors
    /// 57014 past the statement limit, 53400 when the queue is full, or a fault of the script.
    pub async fn run(self: &Arc<Self>, script: &Guarded<Script>) -> Result<Reply, Fault> {
        if cost::of(script.inner(), script.catalog()) == Cost::Inline {
            let mut reader = self.take()?;
            let result = answer(&mut reader, script, Mode::Inline);
            let misjudged = reader.budget.is_spent() || result.as_ref().is_err_and(is_busy);
            self.give_back(reader);
            if !misjudged {
                count(&self.tally.inline_reads);
                return result;
            }
        }
        let script = script.clone();
        let limit_ms = self.statement_ms;
        self.blocking(move |reader| answer(reader, &script, Mode::Blocking { limit_ms })).await
    }

    /// Runs something on a reading connection in the blocking pool.
    ///
    /// # Errors
    /// As [`Readers::run`].
    pub async fn with<T: Send + 'static>(
        self: &Arc<Self>,
        work: fn(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.blocking(move |reader| {
            reader.budget.lift();
            work(&reader.connection)
        })
        .await
    }

    /// Reads that wait for the blocking pool.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        u64::try_from(self.waiting.load(Ordering::Relaxed)).unwrap_or(u64::MAX)
    }

    /// Closes idle connections: after a failed commit or a migration new ones are opened.
    pub fn clear(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Opened) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let queued = Queued::enter(self)?;
        let permit = self
            .permits
            .clone()
            .acquire_owned()
            .await
            .map_err(|closed| Fault::internal("the pool of readers is closed").with_source(closed))?;
        drop(queued);
        count(&self.tally.blocking_reads);
        let readers = Arc::clone(self);
        // the permit goes with the work, which goes on when nobody waits for it any more
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut reader = readers.take()?;
            let waits = reader.connection.busy_timeout(Duration::from_millis(BLOCKING_BUSY_MS));
            let result = waits.map_err(fault).and_then(|()| work(&mut reader));
            if reader.connection.busy_timeout(Duration::ZERO).is_ok() {
                readers.give_back(reader);
            }
            result
        });
        task.await.unwrap_or_else(|panicked| Err(Fault::internal("a read panicked").with_source(panicked)))
    }

    fn take(&self) -> Result<Opened, Fault> {
        match self.idle() {
            Some(reader) => Ok(reader),
            None => connection::reader(&self.path, self.is_shipped).map_err(|cause| {
                Fault::new(code::NO_DATABASE, "the database cannot be opened").with_source(cause)
            }),
        }
    }

    fn idle(&self) -> Option<Opened> {
        let here = thread::current().id();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, reader) = match idle.iter().rposition(|(thread, _)| *thread == here) {
            Some(own) => idle.remove(own),
            None => idle.pop()?,
        };
        Some(reader)
    }

    fn give_back(&self, reader: Opened) {
        if !reader.connection.is_autocommit() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CONNECTIONS {
            idle.push((thread::current().id(), reader));
        }
    }
}

/// A place among those who wait for the blocking pool.
struct Queued<'q>(&'q AtomicUsize);

impl<'q> Queued<'q> {
    fn enter(readers: &'q Readers) -> Result<Self, Fault> {
        let place = Self(&readers.waiting);
        if readers.waiting.fetch_add(1, Ordering::Relaxed) >= readers.queue {
            count(&readers.tally.reads_refused);
            return Err(Fault::new(code::TOO_MANY_REQUESTS, "too many reads are waiting; nothing was done"));
        }
        Ok(place)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn answer(reader: &mut Opened, script: &Guarded<Script>, mode: Mode) -> Result<Reply, Fault> {
    match mode {
        Mode::Inline => reader.budget.allow_inline(),
        Mode::Blocking { limit_ms } => reader.budget.allow(limit_ms),
    }
    let one = is_one_statement(script.inner());
    if !one {
        control(&reader.connection, "BEGIN").map_err(fault)?;
    }
    let mut session = SqliteSession::new(&mut reader.connection);
    let outcome =
        ready(run(&mut session, script, &SQLITE, References::PerStatement)).and_then(|result| result);
    reader.budget.lift();
    if !one {
        control(&reader.connection, "ROLLBACK").map_err(fault)?;
    }
    outcome.map(|outcome| outcome.reply)
}

/// One statement is a snapshot by itself; more need a transaction around them.
fn is_one_statement(script: &Script) -> bool {
    match script.steps.as_slice() {
        [step] => matches!(&step.query, Query::Select(select) if !select.count && !has_children(select)),
        _ => false,
    }
}

fn has_children(select: &Select) -> bool {
    select.outputs.iter().any(|output| match &output.value {
        OutputValue::Scalar(..) | OutputValue::Aggregate(_) => false,
        OutputValue::One(inner) | OutputValue::Spread(inner) => inner.group.is_some() || has_children(inner),
        OutputValue::Many(_) | OutputValue::SpreadMany(_) | OutputValue::Count { .. } => true,
    })
}
