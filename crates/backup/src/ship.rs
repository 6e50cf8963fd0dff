//! [`Shipper`]: sends commits to the target as they happen. It begins a chain with a copy of the
//! database, sends what the writer commits as segments of that chain, and makes further copies
//! from time to time. When the target is away it waits and the write-ahead log grows up to its
//! bound; past that the chain has a gap, and a new one begins once the target is back.

use crate::copy;
use crate::error::{BackupError, Result};
use crate::place::{self, CHAINS, Place};
use crate::prune::prune;
use crate::sealed;
use crate::segment::{Head, Segment};
use crate::snapshot;
use crate::target::Target;
use crate::wal::{Sum, Wal};
use backstay_base::clock::Clock;
use backstay_engine_sqlite::commit_log::{Commit, CommitLog, State};
use rusqlite::Connection;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Most frames of a segment that has more than one commit.
const SEGMENT_FRAMES: u32 = 2_000;

/// How long nothing may be shipped before it is an alarm, in microseconds.
const ALARM_MICROS: i64 = 30_000_000;

/// How a shipper works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Between two looks at what is to be sent.
    pub interval: Duration,
    /// Between two copies, in microseconds.
    pub copy_every: i64,
    /// How long what is at the target is kept, in microseconds.
    pub keep: i64,
}

/// Sends commits.
#[derive(Debug)]
pub struct Shipper {
    target: Target,
    database: PathBuf,
    log: Arc<CommitLog>,
    clock: Clock,
    settings: Settings,
    at: Option<At>,
    copied_at: i64,
    failing_since: Option<i64>,
    is_alarmed: bool,
}

/// Up to where commits were sent.
#[derive(Debug, Clone)]
struct At {
    chain: String,
    sequence: u64,
    previous: String,
    frames: u64,
    round: u64,
    log_frames: u32,
    /// None in a log that is to be begun.
    log: Option<([u32; 2], Sum)>,
}

impl Shipper {
    /// A shipper of a database whose writer tells `log` of its commits.
    #[must_use]
    pub fn new(
        target: Target,
        database: &Path,
        log: Arc<CommitLog>,
        clock: Clock,
        settings: Settings,
    ) -> Self {
        let database = database.to_owned();
        let (at, copied_at, failing_since) = (None, 0, None);
        Self { target, database, log, clock, settings, at, copied_at, failing_since, is_alarmed: false }
    }

    /// Sends until `stop` is ready, and then what is left.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        if let Err(error) = self.resume().await {
            tracing::warn!(error = %error, "the chain of commits cannot be gone on with; a new one begins");
            self.at = None;
        }
        loop {
            let result = self.tick().await;
            self.judge(result);
            tokio::select! {
                () = &mut stop => break,
                () = tokio::time::sleep(self.settings.interval) => {}
            }
        }
        let result = self.tick().await;
        self.judge(result);
    }

    /// Sends what waits.
    ///
    /// # Errors
    /// When the target refuses, or the chain has a gap.
    pub async fn tick(&mut self) -> Result<()> {
        if self.at.is_none() || self.told(|state| state.is_broken()).await? {
            self.begin().await?;
        }
        while self.send().await? {}
        let now = self.clock.now_micros();
        if now.saturating_sub(self.copied_at) >= self.settings.copy_every {
            self.copy(None).await?;
            prune(&self.target, now.saturating_sub(self.settings.keep)).await?;
        }
        Ok(())
    }

    fn judge(&mut self, result: Result<()>) {
        let now = self.clock.now_micros();
        match result {
            Ok(()) => {
                if self.is_alarmed {
                    tracing::warn!("commits are shipped again");
                }
                (self.failing_since, self.is_alarmed) = (None, false);
            }
            Err(error) => {
                if let BackupError::Broken(_) = error {
                    self.at = None;
                }
                let since = *self.failing_since.get_or_insert(now);
                tracing::warn!(error = %error, "commits were not shipped");
                if now.saturating_sub(since) >= ALARM_MICROS && !self.is_alarmed {
                    tracing::error!(
                        seconds = (now - since) / 1_000_000,
                        "commits have not been shipped for long"
                    );
                    self.is_alarmed = true;
                }
            }
        }
    }

    /// Goes on with the chain that an earlier run of the program left, if the log shows that
    /// nothing is missing between.
    async fn resume(&mut self) -> Result<()> {
        let Some(last) = self.target.list(CHAINS).await?.pop() else { return Ok(()) };
        let object = self.target.get(&last).await?;
        let head = Segment::decode(&last, &object)?.head;
        let Some(mut wal) = Wal::open(&wal_path(&self.database))? else { return Ok(()) };
        if wal.salts != head.salts || wal.sum_at(head.log_frames)? != head.log_sum {
            return Ok(());
        }
        let mut at = At {
            chain: head.chain.clone(),
            sequence: head.sequence + 1,
            previous: sealed::sum_of(&object),
            frames: head.to(),
            round: 0,
            log_frames: head.log_frames,
            log: Some((head.salts, head.log_sum)),
        };
        // what was committed and not sent before the program ended
        let end = wal.end(at.log_frames, head.log_sum)?;
        if end > at.log_frames {
            let written = std::fs::metadata(wal_path(&self.database))?.modified()?;
            let written = written.duration_since(std::time::UNIX_EPOCH).map_err(std::io::Error::other)?;
            let at_micros = i64::try_from(written.as_micros()).unwrap_or(i64::MAX);
            let commit = Commit { round: 0, frames: end, at: at_micros };
            self.put(&mut at, &mut wal, &[commit]).await?;
            self.told(move |state| state.shipped(commit)).await?;
        }
        self.copied_at = newest_copy(&self.target).await?;
        self.at = Some(at);
        Ok(())
    }

    /// Begins a chain with a copy.
    async fn begin(&mut self) -> Result<()> {
        self.at = None;
        let chain = place::id(self.clock.now_micros());
        self.copy(Some(chain)).await
    }

    /// Copies the database as it is at a place of the chain; of a new one, where it begins.
    async fn copy(&mut self, chain: Option<String>) -> Result<()> {
        let (database, log, now) = (self.database.clone(), Arc::clone(&self.log), self.clock.clone());
        let is_new = chain.is_some();
        let moment = tokio::task::spawn_blocking(move || moment(&database, &log, &now, is_new)).await??;
        let Moment { source, at: micros, round, frames, log } = moment;
        let at = match (chain, &self.at) {
            (Some(chain), _) => {
                let at = At {
                    chain,
                    sequence: 0,
                    previous: String::new(),
                    frames: 0,
                    round,
                    log_frames: frames,
                    log,
                };
                self.at = Some(at.clone());
                Place { chain: at.chain, frames: 0 }
            }
            (None, Some(at)) => {
                // what was sent of an earlier round is all of it, or the log had not been begun anew
                let ahead = if round == at.round { frames.saturating_sub(at.log_frames) } else { frames };
                Place { chain: at.chain.clone(), frames: at.frames + u64::from(ahead) }
            }
            (None, None) => return Ok(()),
        };
        let made = snapshot::write(&self.target, self.database.clone(), source, (micros, Some(at))).await;
        let begun = match made {
            Ok(_) if is_new => self.note_beginning().await,
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if begun.is_err() && is_new {
            self.at = None;
        }
        begun?;
        self.copied_at = micros;
        Ok(())
    }

    /// An empty segment: a later run of the program finds by it where in the log the chain stands.
    async fn note_beginning(&mut self) -> Result<()> {
        let Some(mut at) = self.at.clone() else { return Ok(()) };
        let (salts, log_sum) = at.log.unwrap_or_default();
        let head = Head {
            chain: at.chain.clone(),
            sequence: at.sequence,
            previous: at.previous.clone(),
            page_bytes: 0,
            salts,
            log_frames: at.log_frames,
            log_sum,
            from: at.frames,
            commits: Vec::new(),
        };
        let bytes = Segment { head, frames: Vec::new() }.encode()?;
        let sealed = self.target.put(&place::segment(&at.chain, at.sequence), bytes).await?;
        (at.sequence, at.previous) = (at.sequence + 1, sealed::sum_of(&sealed));
        self.at = Some(at);
        Ok(())
    }

    /// Sends the oldest commits that wait, as one segment. Whether there may be more.
    async fn send(&mut self) -> Result<bool> {
        let waiting = self.told(|state| state.waiting().to_vec()).await?;
        let (Some(first), Some(mut at)) = (waiting.first().copied(), self.at.clone()) else {
            return Ok(false);
        };
        if first.round != at.round {
            if first.round != at.round + 1 {
                return Err(BackupError::Broken(
                    "the write-ahead log was begun anew more than once".to_owned(),
                ));
            }
            (at.round, at.log_frames, at.log) = (first.round, 0, None);
        }
        let fits = |commit: &Commit| {
            commit.round == first.round
                && (commit.frames == first.frames
                    || commit.frames.saturating_sub(at.log_frames) <= SEGMENT_FRAMES)
        };
        let batch: Vec<Commit> = waiting.into_iter().take_while(fits).collect();
        let Some(mut wal) = Wal::open(&wal_path(&self.database))? else {
            return Err(BackupError::Broken("the write-ahead log is gone".to_owned()));
        };
        self.put(&mut at, &mut wal, &batch).await?;
        self.at = Some(at);
        if let Some(last) = batch.last().copied() {
            self.told(move |state| state.shipped(last)).await?;
        }
        Ok(true)
    }

    /// Asks the log, off the threads that answer requests: it is held while a commit is made durable.
    async fn told<T: Send + 'static>(&self, ask: impl FnOnce(&mut State) -> T + Send + 'static) -> Result<T> {
        let log = Arc::clone(&self.log);
        Ok(tokio::task::spawn_blocking(move || ask(&mut log.hold())).await?)
    }

    async fn put(&self, at: &mut At, wal: &mut Wal, batch: &[Commit]) -> Result<()> {
        let Some(last) = batch.last() else { return Ok(()) };
        let (salts, sum) = match at.log {
            Some(known) => known,
            None => (wal.salts, wal.sum_at(at.log_frames)?),
        };
        if salts != wal.salts || last.frames < at.log_frames {
            return Err(BackupError::Broken("the write-ahead log was begun anew".to_owned()));
        }
        let (frames, sum) = wal.frames(at.log_frames, last.frames, sum)?;
        let place = |commit: &Commit| at.frames + u64::from(commit.frames.saturating_sub(at.log_frames));
        let commits: Vec<(u64, i64)> = batch.iter().map(|commit| (place(commit), commit.at)).collect();
        let head = Head {
            chain: at.chain.clone(),
            sequence: at.sequence,
            previous: at.previous.clone(),
            page_bytes: wal.page_bytes,
            salts,
            log_frames: last.frames,
            log_sum: sum,
            from: at.frames,
            commits,
        };
        let to = head.to();
        let bytes = tokio::task::spawn_blocking(move || Segment { head, frames }.encode()).await??;
        let sealed = self.target.put(&place::segment(&at.chain, at.sequence), bytes).await?;
        (at.sequence, at.previous, at.frames) = (at.sequence + 1, sealed::sum_of(&sealed), to);
        (at.log_frames, at.log) = (last.frames, Some((salts, sum)));
        Ok(())
    }
}

/// The database at one moment, and where that is in its log.
struct Moment {
    source: Connection,
    at: i64,
    round: u64,
    frames: u32,
    log: Option<([u32; 2], Sum)>,
}

fn moment(database: &Path, log: &CommitLog, clock: &Clock, is_new: bool) -> Result<Moment> {
    // nobody commits while this is held
    let mut state = log.hold();
    let reader = Connection::open(database)?;
    let frames: i64 = reader.query_row("PRAGMA wal_checkpoint(NOOP)", (), |row| row.get(1))?;
    let frames = u32::try_from(frames).unwrap_or(0);
    drop(reader);
    let source = copy::moment(database)?;
    let at = clock.now_micros();
    let (round, _) = state.end();
    let mut position = None;
    if is_new {
        state.begin();
        if frames > 0
            && let Some(mut wal) = Wal::open(&wal_path(database))?
        {
            position = Some((wal.salts, wal.sum_at(frames)?));
        }
    }
    Ok(Moment { source, at, round, frames, log: position })
}

async fn newest_copy(target: &Target) -> Result<i64> {
    let copies = crate::manifest::all(target).await?;
    Ok(copies.into_iter().filter_map(|(_, manifest)| Some(manifest.ok()?.at)).max().unwrap_or_default())
}

fn wal_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}
