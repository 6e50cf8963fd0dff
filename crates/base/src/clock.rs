//! [`Clock`]: wall time in microseconds since 1970-01-01T00:00:00Z. Time enters
//! the process here and nowhere else, so that a test can hold it still.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A handle to the wall clock, cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The operating system's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `micros` until [`Clock::advance`].
    #[must_use]
    pub fn fixed(micros: i64) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(micros))))
    }

    /// Now, in microseconds since the epoch.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where time enters")]
    pub fn now_micros(&self) -> i64 {
        match &self.0 {
            Source::System => jiff::Timestamp::now().as_microsecond(),
            Source::Fixed(micros) => micros.load(Ordering::SeqCst),
        }
    }

    /// Now, in whole seconds since the epoch (the unit of JWT claims).
    #[must_use]
    pub fn now_seconds(&self) -> i64 {
        self.now_micros().div_euclid(1_000_000)
    }

    /// Moves a fixed clock on by `micros`; a system clock is not moved.
    pub fn advance(&self, micros: i64) {
        if let Source::Fixed(at) = &self.0 {
            at.fetch_add(micros, Ordering::SeqCst);
        }
    }
}
