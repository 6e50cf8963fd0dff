//! [`CommitLog`]: what the writer tells whoever ships its commits elsewhere: how far the
//! write-ahead log reaches after each commit, and when that was. In return the log is not
//! overwritten before what is in it was shipped, as long as it stays within its bound.

use backstay_base::clock::Clock;
use rusqlite::{Connection, Error};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Frames after which the writer copies the log into the file: four times SQLite's default,
/// as shipping has to catch up first.
const CHECKPOINT_FRAMES: u32 = 4_000;

/// A page of SQLite's default size with the head of its frame.
const FRAME_BYTES: u64 = 4_096 + 24;

/// A commit: the log reached so far, at that time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// How often the log was begun anew before, since the program started.
    pub round: u64,
    /// Frames of the log up to and with it.
    pub frames: u32,
    /// When, in microseconds since 1970.
    pub at: i64,
}

/// Shared by the writer and a shipper.
#[derive(Debug)]
pub struct CommitLog {
    state: Mutex<State>,
    max_frames: u32,
    clock: Clock,
}

/// What both know.
#[derive(Debug, Default)]
pub struct State {
    round: u64,
    frames: u32,
    /// Everything in the log is in the file, too: the next commit may begin it anew.
    is_copied: bool,
    waiting: Vec<Commit>,
    is_broken: bool,
}

impl CommitLog {
    /// A log that may grow to about so many bytes.
    #[must_use]
    pub fn new(max_bytes: u64, clock: Clock) -> Self {
        let most = u32::try_from(max_bytes / FRAME_BYTES).unwrap_or(u32::MAX);
        Self { state: Mutex::default(), max_frames: most.max(CHECKPOINT_FRAMES), clock }
    }

    /// What is known now. No commit happens while the answer is held.
    pub fn hold(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called by the writer after a commit, under [`CommitLog::hold`]: notes how far the log
    /// reaches, and copies it into the file when it is long and nobody waits for it.
    ///
    /// # Errors
    /// When SQLite does not tell.
    pub(crate) fn committed(&self, state: &mut State, connection: &Connection) -> Result<(), Error> {
        let (frames, copied) = reach(connection, "PRAGMA wal_checkpoint(NOOP)")?;
        // in a log that was begun anew nothing is copied yet
        let is_anew = state.is_copied && copied < state.frames;
        if frames == state.frames && !is_anew {
            return Ok(());
        }
        state.round += u64::from(is_anew);
        state.is_copied = false;
        state.frames = frames;
        state.waiting.push(Commit { round: state.round, frames, at: self.clock.now_micros() });
        if frames > self.max_frames && !state.is_broken {
            tracing::error!(
                frames,
                "the write-ahead log is at its bound and was not shipped; it goes on without"
            );
            state.is_broken = true;
        }
        if state.is_broken {
            state.waiting.clear();
        }
        self.copy_when_shipped(state, connection)
    }

    fn copy_when_shipped(&self, state: &mut State, connection: &Connection) -> Result<(), Error> {
        if state.frames < CHECKPOINT_FRAMES || !state.waiting.is_empty() {
            return Ok(());
        }
        let (frames, copied) = reach(connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
        state.is_copied = frames == copied && frames == state.frames;
        Ok(())
    }
}

/// Frames of the log, and how many of them are in the file.
fn reach(connection: &Connection, pragma: &'static str) -> Result<(u32, u32), Error> {
    let mut statement = connection.prepare_cached(pragma)?;
    statement
        .query_row((), |row| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))
        .map(|(frames, copied)| (u32::try_from(frames).unwrap_or(0), u32::try_from(copied).unwrap_or(0)))
}

impl State {
    /// How far the log reaches: its round and frames.
    #[must_use]
    pub const fn end(&self) -> (u64, u32) {
        (self.round, self.frames)
    }

    /// Commits that nobody has shipped, oldest first.
    #[must_use]
    pub fn waiting(&self) -> &[Commit] {
        &self.waiting
    }

    /// Whether commits went unshipped, so that a chain of them has a gap.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Everything up to a commit was shipped.
    pub fn shipped(&mut self, upto: Commit) {
        self.waiting.retain(|commit| (commit.round, commit.frames) > (upto.round, upto.frames));
    }

    /// A shipper begins here: what came before is in what it has.
    pub fn begin(&mut self) {
        self.waiting.clear();
        self.is_broken = false;
    }
}

/// Settings of a connection whose log is shipped: SQLite itself never copies it into the file.
///
/// # Errors
/// When SQLite refuses.
pub(crate) fn settle(connection: &Connection) -> Result<(), Error> {
    use rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    connection.set_db_config(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.query_row("PRAGMA wal_autocheckpoint = 0", (), |_| Ok(()))
}
