//! [`Group`]: the writing thread. A group of requests is one transaction; each is one
//! statement that does all or nothing, or has a savepoint. Nobody is answered before the commit,
//! so that what a request saw of another is durable too. When a failure takes the whole
//! transaction away, those who did not cause it run again, each alone.

use crate::commit_log::CommitLog;
use crate::connection::{self, Opened, control};
use crate::error::fault;
use crate::lease;
use crate::migration;
use crate::pool::Readers;
use crate::session::SqliteSession;
use crate::tally::{Tally, count};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_engine::lease::{LeaseAnswer, LeaseRequest};
use backstay_engine::migration::Batch;
use backstay_policy::guarded::Guarded;
use backstay_query::plan::Script;
use backstay_query::reply::Reply;
use backstay_sql::dialect::sqlite::SQLITE;
use backstay_sql::run::direct::Direct;
use backstay_sql::run::{Outcome, References, ready, run};
use rusqlite::ffi;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{mpsc, oneshot};

/// Most requests of a group.
const GROUP_REQUESTS: usize = 256;

/// About the most bytes of a group.
const GROUP_BYTES: usize = 1 << 20;

/// A request in the queue.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) task: Task,
    /// It must not share its transaction.
    pub(super) alone: bool,
    /// About how much it carries.
    pub(super) bytes: usize,
}

/// What is to be done, and where the answer goes.
#[derive(Debug)]
pub(super) enum Task {
    Script { script: Box<Guarded<Script>>, answer: oneshot::Sender<Result<Reply, Fault>> },
    Migration { batch: Batch, answer: oneshot::Sender<Result<(), Fault>> },
    Lease { request: LeaseRequest, answer: oneshot::Sender<Result<LeaseAnswer, Fault>> },
}

/// A script and where its answer goes.
struct Request {
    script: Box<Guarded<Script>>,
    answer: oneshot::Sender<Result<Reply, Fault>>,
    references: References,
}

/// The writing thread.
pub(super) struct Group {
    path: PathBuf,
    /// None while the writer is fenced: after a failed commit, until the file is verified.
    opened: Option<Opened>,
    statement_ms: u64,
    readers: Arc<Readers>,
    tally: Arc<Tally>,
    /// Whether this process asked for a lease before.
    knows_leases: bool,
    /// Who is told of commits.
    log: Option<Arc<CommitLog>>,
}

/// How the requests of a transaction are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Apart {
    /// One statement is all or nothing by itself: only what takes several has a savepoint.
    ByStatement,
    /// Each request has a savepoint.
    BySavepoint,
}

/// What became of a transaction.
enum Ending {
    /// Every request has its result.
    Durable(Vec<Result<Reply, Fault>>),
    /// Nothing of it happened, for a reason that is no request's own.
    Refused(Fault),
    /// The request with this number took the transaction with it; the others did nothing wrong.
    Lost { culprit: usize, fault: Fault },
    /// A statement that was refused may have left a part of itself: nothing of it happened, and
    /// each request needs a savepoint.
    Unclean,
    /// The commit failed half-way.
    Unknown(Fault),
}

impl Group {
    pub(super) fn new(
        path: &Path,
        opened: Opened,
        statement_ms: u64,
        (readers, tally): (Arc<Readers>, Arc<Tally>),
        log: Option<Arc<CommitLog>>,
    ) -> Self {
        Self {
            path: path.to_owned(),
            opened: Some(opened),
            statement_ms,
            readers,
            tally,
            knows_leases: false,
            log,
        }
    }

    /// Works until every handle is gone.
    pub(super) fn serve(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut held: Option<Job> = None;
        while let Some(first) = held.take().or_else(|| jobs.blocking_recv()) {
            let mut bytes = first.bytes;
            let mut alone = first.alone;
            let mut group = VecDeque::from([first]);
            while !alone && group.len() < GROUP_REQUESTS && bytes < GROUP_BYTES {
                let Ok(job) = jobs.try_recv() else { break };
                alone = job.alone;
                bytes += job.bytes;
                if job.alone {
                    held = Some(job);
                } else {
                    group.push_back(job);
                }
            }
            self.work(group);
        }
    }

    fn work(&mut self, jobs: VecDeque<Job>) {
        let mut requests = Vec::with_capacity(jobs.len());
        for job in jobs {
            match job.task {
                Task::Script { script, answer } => {
                    let references = if job.alone { References::AtCommit } else { References::PerStatement };
                    requests.push(Request { script, answer, references });
                }
                Task::Migration { batch, answer } => {
                    let result = self.logged(|opened| migration::apply(opened, &batch));
                    self.readers.clear();
                    drop(answer.send(result));
                }
                Task::Lease { request, answer } => {
                    let is_first = !self.knows_leases;
                    let result = self.logged(|opened| lease::ask(opened, &request, is_first));
                    self.knows_leases |= result.is_ok();
                    drop(answer.send(result));
                }
            }
        }
        if !requests.is_empty() {
            self.commit_together(requests);
        }
    }

    fn commit_together(&mut self, requests: Vec<Request>) {
        let mut ending = self.transaction(&requests, Apart::ByStatement);
        if matches!(ending, Ending::Unclean) {
            ending = self.transaction(&requests, Apart::BySavepoint);
        }
        match ending {
            Ending::Unclean => answer_all(requests, &Fault::internal("savepoints left a part of a write")),
            Ending::Durable(results) => {
                for (request, result) in requests.into_iter().zip(results) {
                    drop(request.answer.send(result));
                }
            }
            Ending::Refused(fault) => answer_all(requests, &fault),
            Ending::Unknown(fault) => {
                tracing::error!(error = ?fault, "a commit failed; the writer reopens the file");
                self.opened = None;
                self.tally.is_fenced.store(true, Ordering::Relaxed);
                self.readers.clear();
                answer_all(requests, &fault);
            }
            Ending::Lost { culprit, fault } => {
                let mut fault = Some(fault);
                for (index, request) in requests.into_iter().enumerate() {
                    if index == culprit {
                        let fault = fault.take().unwrap_or_else(|| Fault::internal("two culprits"));
                        drop(request.answer.send(Err(fault)));
                    } else {
                        self.commit_together(vec![request]);
                    }
                }
            }
        }
    }

    fn transaction(&mut self, requests: &[Request], apart: Apart) -> Ending {
        let statement_ms = self.statement_ms;
        let opened = match self.open() {
            Ok(opened) => opened,
            Err(fault) => return Ending::Refused(fault),
        };
        if let Err(fault) = begin(opened, requests) {
            return Ending::Refused(fault);
        }
        let mut results = Vec::with_capacity(requests.len());
        for (index, request) in requests.iter().enumerate() {
            let result = match (requests, apart) {
                ([_], _) => within(opened, statement_ms, |session| write(session, request)),
                (_, Apart::BySavepoint) => {
                    saved(opened, |opened| within(opened, statement_ms, |session| write(session, request)))
                }
                (_, Apart::ByStatement) => match one(opened, request, statement_ms) {
                    Some(result) => result,
                    None => return unclean(opened),
                },
            };
            if opened.connection.is_autocommit() {
                let fault = result
                    .err()
                    .unwrap_or_else(|| Fault::new(code::IO_ERROR, "the storage failed; nothing was written"));
                return Ending::Lost { culprit: index, fault };
            }
            results.push(result);
        }
        // a request that has the transaction to itself needs no savepoint to be undone
        if let [result] = results.as_slice()
            && !keeps(result)
        {
            return match control(&opened.connection, "ROLLBACK") {
                Ok(()) => Ending::Durable(replies(results)),
                Err(error) => not_committed(opened, error),
            };
        }
        let committed = self.logged(|opened| {
            Ok(control(&opened.connection, "COMMIT").map_err(|error| not_committed(opened, error)))
        });
        match committed {
            Ok(Ok(())) => {
                count(&self.tally.commits);
                let carried = u64::try_from(requests.len()).unwrap_or(u64::MAX);
                self.tally.writes.fetch_add(carried, Ordering::Relaxed);
                Ending::Durable(replies(results))
            }
            Ok(Err(ending)) => ending,
            Err(fault) => Ending::Refused(fault),
        }
    }

    /// Runs what commits by itself, and tells the log of it.
    fn logged<T>(&mut self, work: impl FnOnce(&mut Opened) -> Result<T, Fault>) -> Result<T, Fault> {
        let log = self.log.clone();
        let opened = self.open()?;
        let mut held = log.as_ref().map(|log| log.hold());
        let result = work(opened);
        if let (Some(log), Some(state)) = (&log, &mut held)
            && let Err(error) = log.committed(state, &opened.connection)
        {
            tracing::error!(error = ?error, "the length of the write-ahead log is not known");
        }
        result
    }

    /// The connection; after a fence a new one, once the file is found whole.
    fn open(&mut self) -> Result<&mut Opened, Fault> {
        let opened = match self.opened.take() {
            Some(opened) => opened,
            None => connection::writer(&self.path, self.log.is_some())
                .and_then(|opened| connection::verify(&opened.connection).map(|()| opened))
                .map_err(|cause| {
                    Fault::new(code::IO_ERROR, "the storage failed; nothing was written").with_source(cause)
                })?,
        };
        self.tally.is_fenced.store(false, Ordering::Relaxed);
        Ok(self.opened.insert(opened))
    }
}

fn begin(opened: &Opened, requests: &[Request]) -> Result<(), Fault> {
    opened.budget.lift();
    control(&opened.connection, "BEGIN IMMEDIATE").map_err(fault)?;
    if requests.iter().any(|request| request.references == References::AtCommit) {
        opened.connection.execute_batch("PRAGMA defer_foreign_keys = ON").map_err(fault)?;
    }
    Ok(())
}

/// Whether what a request wrote stays.
const fn keeps(result: &Result<Outcome, Fault>) -> bool {
    matches!(result, Ok(Outcome { keep: true, .. }))
}

fn replies(results: Vec<Result<Outcome, Fault>>) -> Vec<Result<Reply, Fault>> {
    results.into_iter().map(|result| result.map(|outcome| outcome.reply)).collect()
}

/// Runs one request so that it leaves all or nothing. None when its one statement was refused
/// and may have left a part of itself: triggers written by hand can do so (`RAISE(FAIL)`).
fn one(opened: &mut Opened, request: &Request, statement_ms: u64) -> Option<Result<Outcome, Fault>> {
    let before = opened.connection.total_changes();
    match within(opened, statement_ms, |session| at_once(session, request)) {
        Ok(Some(outcome)) => Some(Ok(outcome)),
        Err(fault) if opened.connection.is_autocommit() => Some(Err(fault)),
        Ok(None) | Err(_) if opened.connection.total_changes() != before => None,
        Err(fault) => Some(Err(fault)),
        Ok(None) => Some(saved(opened, |opened| {
            within(opened, statement_ms, |session| step_by_step(session, request))
        })),
    }
}

/// Runs a request in a savepoint; what it refuses or wants undone is undone.
fn saved(
    opened: &mut Opened,
    work: impl FnOnce(&mut Opened) -> Result<Outcome, Fault>,
) -> Result<Outcome, Fault> {
    control(&opened.connection, "SAVEPOINT request").map_err(fault)?;
    let result = work(opened);
    if !opened.connection.is_autocommit() {
        let undone = if keeps(&result) { Ok(()) } else { control(&opened.connection, "ROLLBACK TO request") };
        if let Err(error) = undone.and_then(|()| control(&opened.connection, "RELEASE request")) {
            give_up(opened);
            return Err(fault(error));
        }
    }
    result
}

/// Runs a part of a request within its budget; a panic is its own fault.
fn within<T>(
    opened: &mut Opened,
    statement_ms: u64,
    work: impl FnOnce(&mut SqliteSession<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    opened.budget.allow(statement_ms);
    let result = catch_unwind(AssertUnwindSafe(|| work(&mut SqliteSession::new(&mut opened.connection))));
    opened.budget.lift();
    result.unwrap_or_else(|_| Err(Fault::internal("a write panicked")))
}

/// As one statement where that can be, else step by step.
fn write(session: &mut SqliteSession<'_>, request: &Request) -> Result<Outcome, Fault> {
    match at_once(session, request)? {
        Some(outcome) => Ok(outcome),
        None => step_by_step(session, request),
    }
}

/// As one statement; none where that cannot be, or where it is refused.
fn at_once(session: &mut SqliteSession<'_>, request: &Request) -> Result<Option<Outcome>, Fault> {
    let direct = Direct::of(&request.script, &SQLITE)?.filter(Direct::stands_alone);
    let Some(direct) = direct else { return Ok(None) };
    let reply = ready(direct.run(session, &request.script, &SQLITE)).and_then(|reply| reply)?;
    Ok(reply.map(|reply| Outcome { reply, keep: true }))
}

fn step_by_step(session: &mut SqliteSession<'_>, request: &Request) -> Result<Outcome, Fault> {
    ready(run(session, &request.script, &SQLITE, request.references)).and_then(|outcome| outcome)
}

fn unclean(opened: &Opened) -> Ending {
    give_up(opened);
    Ending::Unclean
}

/// A savepoint that cannot be ended leaves nothing to rely on: the whole transaction goes.
fn give_up(opened: &Opened) {
    if !opened.connection.is_autocommit()
        && let Err(error) = opened.connection.execute_batch("ROLLBACK")
    {
        tracing::error!(error = ?error, "a transaction could not be rolled back");
    }
}

/// What a failed commit means. Where SQLite says that it did nothing, nothing happened;
/// anything else may have reached the disk.
fn not_committed(opened: &Opened, error: rusqlite::Error) -> Ending {
    let primary = match &error {
        rusqlite::Error::SqliteFailure(raw, _) => raw.extended_code & 0xff,
        _ => ffi::SQLITE_ERROR,
    };
    let undone = opened.connection.is_autocommit() || opened.connection.execute_batch("ROLLBACK").is_ok();
    let ending = match primary {
        ffi::SQLITE_CONSTRAINT => Fault::new(
            code::FOREIGN_KEY_VIOLATION,
            "insert or update violates a foreign key constraint: a reference names a row that is not there",
        ),
        ffi::SQLITE_FULL | ffi::SQLITE_BUSY => fault(error),
        _ => {
            let words =
                "the storage failed while the write was being made durable: it may or may not have happened";
            return Ending::Unknown(Fault::new(code::OUTCOME_UNKNOWN, words).with_source(error));
        }
    };
    if undone { Ending::Refused(ending) } else { Ending::Unknown(ending) }
}

fn answer_all(requests: Vec<Request>, fault: &Fault) {
    for request in requests {
        let same = Fault {
            code: fault.code,
            message: fault.message.clone(),
            details: fault.details.clone(),
            hint: fault.hint.clone(),
            choices: fault.choices.clone(),
            retry_after_s: fault.retry_after_s,
            source: None,
        };
        drop(request.answer.send(Err(same)));
    }
}
