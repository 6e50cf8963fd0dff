//! [`Shipper`]: sends commits to the target as they happen. It begins a chain with a copy of the
//! database, sends what the writer commits as segments of that chain, and makes further copies
//! from time to time. When the target is away it waits and the write-ahead log grows up to its
//! bound; past that the chain has a gap, and a new one begins once the target is back.

use crate::chain::Chain;
use crate::copy;
use crate::error::{BackupError, Result};
use crate::note::Note;
use crate::place::{self, Place};
use crate::prune::prune;
use crate::sealed;
use crate::segment::{Head, Segment};
use crate::snapshot;
use crate::target::Target;
use crate::wal::{Sum, Wal};
use backstay_base::clock::Clock;
use backstay_engine_sqlite::commit_log::{Commit, CommitLog, State};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Most frames of a segment that has more than one commit.
const SEGMENT_FRAMES: u32 = 2_000;

/// A file's time is that of the system's last tick: so much may have passed since, in microseconds.
const TICK_MICROS: i64 = 10_000;

/// How long nothing may be shipped before it is an alarm, in microseconds.
const ALARM_MICROS: i64 = 30_000_000;

/// How long after its first look, and then at each copy, a shipper looks whether it is the only one, in microseconds.
const LOOK_AGAIN_MICROS: i64 = 120_000_000;

/// How old the note of a chain may be while there are commits, in microseconds.
const NOTE_MICROS: i64 = 10_000_000;

/// Least time between two attempts while the target is away.
const ASK_AGAIN: Duration = Duration::from_secs(1);

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
    is_resumed: bool,
    /// The last object of each chain when it was last looked, and when that is due again.
    seen: BTreeMap<String, Option<String>>,
    look_at: i64,
    /// What the note of the chain says, and since when.
    noted: Option<Note>,
    noted_at: i64,
}

/// Up to where commits were sent.
#[derive(Debug, Clone)]
struct At {
    chain: String,
    sequence: u64,
    previous: String,
    frames: u64,
    /// When the last commit was that was sent, or the chain began.
    micros: i64,
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
        Self {
            target,
            database,
            log,
            clock,
            settings,
            at: None,
            copied_at: 0,
            failing_since: None,
            is_alarmed: false,
            is_resumed: false,
            seen: BTreeMap::new(),
            look_at: 0,
            noted: None,
            noted_at: 0,
        }
    }

    /// Sends until `stop` is ready, and then what is left.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            self.attempt().await;
            let is_away = self.failing_since.is_some();
            let pause = if is_away { self.settings.interval.max(ASK_AGAIN) } else { self.settings.interval };
            tokio::select! {
                () = &mut stop => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.attempt().await;
        if let Err(error) = self.note().await {
            tracing::warn!(error = %error, "how far the chain of commits reaches was not noted");
        }
    }

    async fn attempt(&mut self) {
        let began = self.clock.now_micros();
        let result = match self.resume_once().await {
            Ok(()) => self.tick().await,
            Err(error) => Err(error),
        };
        let result = match result {
            Ok(()) if began >= self.look_at => self.warn_of_others(began).await,
            result => result,
        };
        self.judge(began, result);
    }

    async fn warn_of_others(&mut self, now: i64) -> Result<()> {
        let is_first = self.look_at == 0;
        if let Some(chain) = self.look_around().await? {
            tracing::error!(
                chain,
                "another database is shipped to the same target: a restore may take the one for the other; give each its own [backup] url"
            );
        }
        let pause = if is_first { LOOK_AGAIN_MICROS } else { self.settings.copy_every };
        self.look_at = now.saturating_add(pause.max(1));
        Ok(())
    }

    /// A chain at the target that somebody else has gone on with, or begun, since this was last asked. At the first time
    /// nobody can tell who is at work.
    ///
    /// # Errors
    /// When the target does not list.
    pub async fn look_around(&mut self) -> Result<Option<String>> {
        let target = self.target.clone();
        let chains = Chain::all(&target).await?;
        let end = |chain: &Chain<'_>| chain.names().last().cloned();
        let now = chains.iter().map(|chain| (chain.name().to_owned(), end(chain))).collect();
        let before = std::mem::replace(&mut self.seen, now);
        let own = self.at.as_ref().map(|at| at.chain.clone());
        let own = own.as_deref();
        let grew = |chain: &&Chain<'_>| before.get(chain.name()).is_none_or(|known| end(chain) > *known);
        if let Some(chain) = chains.iter().find(|chain| Some(chain.name()) == own) {
            let whole = self.is_whole(chain);
            self.unless_lost(whole)?;
        }
        let other = chains.iter().filter(|chain| Some(chain.name()) != own).find(grew);
        Ok(other.filter(|_| !before.is_empty()).map(|chain| chain.name().to_owned()))
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
        if now.saturating_sub(self.noted_at) >= NOTE_MICROS {
            let there = self.still_there().await;
            self.unless_lost(there)?;
            self.note().await?;
        }
        if now.saturating_sub(self.copied_at) >= self.settings.copy_every {
            self.copy(None).await?;
            prune(&self.target, now.saturating_sub(self.settings.keep)).await?;
        }
        Ok(())
    }

    /// Writes down how far the chain reaches, where that is not said yet.
    ///
    /// # Errors
    /// When the target refuses.
    pub async fn note(&mut self) -> Result<()> {
        let Some(at) = &self.at else { return Ok(()) };
        let note = Note {
            version: 1,
            chain: at.chain.clone(),
            sequence: at.sequence.saturating_sub(1),
            sum: at.previous.clone(),
            frames: at.frames,
            at: at.micros,
        };
        if self.noted.as_ref() != Some(&note) {
            note.write(&self.target).await?;
            self.noted = Some(note);
        }
        self.noted_at = self.clock.now_micros();
        Ok(())
    }

    /// A chain that lost something at the target is not gone on with.
    fn unless_lost(&mut self, found: Result<()>) -> Result<()> {
        if let Err(BackupError::Lost(_)) = &found {
            self.at = None;
        }
        found
    }

    /// Whether the target still has the last segment, which nobody prunes.
    async fn still_there(&self) -> Result<()> {
        let Some((at, last)) = self.at.as_ref().and_then(|at| Some((at, at.sequence.checked_sub(1)?))) else {
            return Ok(());
        };
        let name = place::segment(&at.chain, last);
        if self.target.has(&name).await? { Ok(()) } else { Err(lost(&name)) }
    }

    /// Whether a chain has every segment from its first to the last that this run sent.
    fn is_whole(&self, chain: &Chain<'_>) -> Result<()> {
        let Some(at) = &self.at else { return Ok(()) };
        let first = chain.names().first().and_then(|name| name.rsplit('/').next()?.parse::<u64>().ok());
        let expected = (first.unwrap_or(0)..at.sequence).map(|sequence| place::segment(&at.chain, sequence));
        let found = chain.names().iter().map(Some).chain(std::iter::repeat(None));
        match expected.zip(found).find(|(expected, found)| Some(expected) != *found) {
            Some((gone, _)) => Err(lost(&gone)),
            None => Ok(()),
        }
    }

    /// Says what an attempt came to: that it failed once, that it has failed for long once more.
    fn judge(&mut self, began: i64, result: Result<()>) {
        let Err(error) = result else {
            if self.failing_since.is_some() {
                tracing::warn!("commits are shipped again");
            }
            (self.failing_since, self.is_alarmed) = (None, false);
            return;
        };
        match &error {
            BackupError::Broken(_) => self.at = None,
            BackupError::Lost(_) => {
                tracing::error!(error = %error, "the target lost what was shipped; a new chain begins with a copy");
                return;
            }
            // it may be another time
            _ => {}
        }
        if self.failing_since.is_none() {
            tracing::warn!(error = %error, "commits were not shipped");
        }
        // an attempt may have waited long for the target
        let failing = self.clock.now_micros().saturating_sub(*self.failing_since.get_or_insert(began));
        if failing >= ALARM_MICROS && !self.is_alarmed {
            let seconds = failing / 1_000_000;
            tracing::error!(seconds, error = %error, "commits have not been shipped for long");
            self.is_alarmed = true;
        }
    }

    /// Looks for what an earlier run left, until the target has answered.
    async fn resume_once(&mut self) -> Result<()> {
        if self.is_resumed {
            return Ok(());
        }
        match self.resume().await {
            Ok(()) => {}
            Err(error @ BackupError::Target(_)) => return Err(error),
            Err(error) => {
                tracing::warn!(error = %error, "the chain of commits cannot be gone on with; a new one begins");
                self.at = None;
            }
        }
        self.is_resumed = true;
        Ok(())
    }

    /// Goes on with the chain that an earlier run of the program left, if the log shows that
    /// nothing is missing between.
    async fn resume(&mut self) -> Result<()> {
        let Some(chain) = Chain::all(&self.target).await?.pop() else { return Ok(()) };
        let Some((Segment { head, .. }, previous)) = chain.last().await? else { return Ok(()) };
        self.say_what_is_gone(&head).await;
        let (database, known, log) = (self.database.clone(), head.clone(), Arc::clone(&self.log));
        let unsent = tokio::task::spawn_blocking(move || unsent(&database, &known, &log)).await??;
        let Some(unsent) = unsent else { return Ok(()) };
        let mut at = At {
            chain: head.chain.clone(),
            sequence: head.sequence + 1,
            previous,
            frames: head.to(),
            micros: head.commits.last().map_or(self.clock.now_micros(), |(_, at)| *at),
            round: 0,
            log_frames: head.log_frames,
            log: Some((head.salts, head.log_sum)),
        };
        if let Some(commit) = unsent {
            self.put(&mut at, vec![commit]).await?;
            self.told(move |state| state.shipped(commit)).await?;
        }
        self.copied_at = newest_copy(&self.target).await?;
        self.at = Some(at);
        self.note().await
    }

    /// Whether an earlier run noted more than there is.
    async fn say_what_is_gone(&self, head: &Head) {
        match Note::of(&self.target, &head.chain).await {
            Ok(Some(note)) if note.frames > head.to() => {
                let (until, left) =
                    (place::time(note.at), head.commits.last().map(|(_, at)| place::time(*at)));
                tracing::error!(
                    chain = head.chain,
                    until,
                    left,
                    "the target lost the last commits that were shipped"
                );
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = %error, "how far the chain of commits reached cannot be read")
            }
        }
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
                    micros,
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
            noted: false,
        };
        let bytes = Segment { head, frames: Vec::new() }.encode()?;
        let sealed = self.target.put(&place::segment(&at.chain, at.sequence), bytes).await?;
        (at.sequence, at.previous) = (at.sequence + 1, sealed::sum_of(&sealed));
        self.at = Some(at);
        // every further segment says that there is one
        self.note().await
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
        let last = batch.last().copied();
        self.put(&mut at, batch).await?;
        self.at = Some(at);
        if let Some(last) = last {
            self.told(move |state| state.shipped(last)).await?;
        }
        Ok(true)
    }

    /// Asks the log, off the threads that answer requests: it is held while a commit is made durable.
    async fn told<T: Send + 'static>(&self, ask: impl FnOnce(&mut State) -> T + Send + 'static) -> Result<T> {
        let log = Arc::clone(&self.log);
        Ok(tokio::task::spawn_blocking(move || ask(&mut log.hold())).await?)
    }

    /// Sends commits as the next segment after a place, which becomes that after them.
    async fn put(&self, at: &mut At, batch: Vec<Commit>) -> Result<()> {
        let (database, place) = (self.database.clone(), at.clone());
        // the log is read and compressed off the threads that answer requests
        let (after, bytes) = tokio::task::spawn_blocking(move || next(&database, place, &batch)).await??;
        let sealed = self.target.put(&place::segment(&at.chain, at.sequence), bytes).await?;
        *at = At { previous: sealed::sum_of(&sealed), ..after };
        Ok(())
    }
}

/// What was committed and not sent before the program ended, as one commit; none at all where the log does not go
/// on from a segment.
fn unsent(database: &Path, head: &Head, log: &CommitLog) -> Result<Option<Option<Commit>>> {
    let path = wal_path(database);
    // nobody commits while this is held: what this run has committed since it began, it has told
    let (first, frames) = {
        let state = log.hold();
        (state.waiting().first().copied(), frames(database)?)
    };
    let Some(mut wal) = Wal::open(&path)? else { return Ok(None) };
    if wal.salts != head.salts || wal.sum_at(head.log_frames)? != head.log_sum {
        return Ok(None);
    }
    let before = first.map_or(frames, |first| first.frames.saturating_sub(1));
    let end = wal.end(head.log_frames, head.log_sum, before)?;
    if end == head.log_frames {
        return Ok(Some(None));
    }
    let written = std::fs::metadata(path)?.modified()?;
    let written = written.duration_since(std::time::UNIX_EPOCH).map_err(std::io::Error::other)?;
    let at = i64::try_from(written.as_micros()).unwrap_or(i64::MAX).saturating_add(TICK_MICROS);
    Ok(Some(Some(Commit { round: 0, frames: end, at: first.map_or(at, |first| at.min(first.at)) })))
}

/// Frames of the log.
fn frames(database: &Path) -> Result<u32> {
    let reader = Connection::open(database)?;
    let frames: i64 = reader.query_row("PRAGMA wal_checkpoint(NOOP)", (), |row| row.get(1))?;
    Ok(u32::try_from(frames).unwrap_or(0))
}

/// The segment of some commits after a place, and the place after them.
fn next(database: &Path, at: At, batch: &[Commit]) -> Result<(At, Vec<u8>)> {
    let Some(mut wal) = Wal::open(&wal_path(database))? else {
        return Err(BackupError::Broken("the write-ahead log is gone".to_owned()));
    };
    let (salts, sum) = match at.log {
        Some(known) => known,
        None => (wal.salts, wal.sum_at(at.log_frames)?),
    };
    let log_frames = batch.last().map_or(at.log_frames, |last| last.frames);
    if salts != wal.salts || log_frames < at.log_frames {
        return Err(BackupError::Broken("the write-ahead log was begun anew".to_owned()));
    }
    let (frames, log_sum) = wal.frames(at.log_frames, log_frames, sum)?;
    let place = |commit: &Commit| at.frames + u64::from(commit.frames.saturating_sub(at.log_frames));
    let head = Head {
        chain: at.chain.clone(),
        sequence: at.sequence,
        previous: at.previous.clone(),
        page_bytes: wal.page_bytes,
        salts,
        log_frames,
        log_sum,
        from: at.frames,
        commits: batch.iter().map(|commit| (place(commit), commit.at)).collect(),
        noted: true,
    };
    let (sequence, frames_after) = (at.sequence + 1, head.to());
    let micros = batch.last().map_or(at.micros, |last| last.at);
    let bytes = Segment { head, frames }.encode()?;
    let after = At { sequence, frames: frames_after, micros, log_frames, log: Some((salts, log_sum)), ..at };
    Ok((after, bytes))
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
    let frames = frames(database)?;
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

fn lost(name: &str) -> BackupError {
    BackupError::Lost(name.to_owned())
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
