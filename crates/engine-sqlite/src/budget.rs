//! [`Budget`]: how long the statements of a connection may run. SQLite asks every
//! thousand steps of its machine; a spent budget interrupts the statement.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Steps of SQLite's machine between two questions.
pub const STEPS_PER_TICK: i32 = 1_000;

/// Ticks that a read may take on the thread that asked for it: about a millisecond or two.
pub const INLINE_TICKS: i64 = 200;

/// The same in time, for steps that are long: functions over texts.
const INLINE_MICROS: u64 = 4_000;

/// What the running script may still use.
#[derive(Debug)]
pub struct Budget {
    origin: Instant,
    /// Microseconds after the origin; 0 is no limit.
    deadline_micros: AtomicU64,
    ticks: AtomicI64,
    spent: AtomicBool,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            origin: Instant::now(),
            deadline_micros: AtomicU64::new(0),
            ticks: AtomicI64::new(i64::MAX),
            spent: AtomicBool::new(false),
        }
    }
}

impl Budget {
    /// From now on: this long.
    pub fn allow(&self, limit_ms: u64) {
        self.within(Duration::from_millis(limit_ms), i64::MAX);
    }

    /// From now on: as much as an inline read may take.
    pub fn allow_inline(&self) {
        self.within(Duration::from_micros(INLINE_MICROS), INLINE_TICKS);
    }

    fn within(&self, time: Duration, ticks: i64) {
        let end = self.origin.elapsed() + time;
        self.deadline_micros.store(u64::try_from(end.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.ticks.store(ticks, Ordering::Relaxed);
        self.spent.store(false, Ordering::Relaxed);
    }

    /// From now on: anything; commit and rollback must not be interrupted.
    pub fn lift(&self) {
        self.deadline_micros.store(0, Ordering::Relaxed);
        self.ticks.store(i64::MAX, Ordering::Relaxed);
    }

    /// Whether a statement was interrupted since the last allowance.
    pub fn is_spent(&self) -> bool {
        self.spent.load(Ordering::Relaxed)
    }

    /// Asked while a statement runs: whether to interrupt it.
    pub fn tick(&self) -> bool {
        let deadline = self.deadline_micros.load(Ordering::Relaxed);
        let late = deadline != 0 && self.origin.elapsed().as_micros() > u128::from(deadline);
        let over = self.ticks.fetch_sub(1, Ordering::Relaxed) <= 0;
        if late || over {
            self.spent.store(true, Ordering::Relaxed);
        }
        late || over
    }
}
