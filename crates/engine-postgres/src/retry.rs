//! [`Attempts`]: how often, and after which pauses, work is begun anew that lost to another
//! transaction or lost its connection. Exponential, with full jitter, bounded in number and time.

use std::time::{Duration, Instant};

/// The attempts of one request.
#[derive(Debug)]
pub struct Attempts {
    /// When the first one failed: a deadlock takes its time to be found.
    failed: Option<Instant>,
    made: u32,
    bounds: Bounds,
}

/// How many attempts there are, and how long after the first failure they may begin.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    most: u32,
    longest: Duration,
    /// Longest pause before the second attempt, in milliseconds; it grows fourfold each time.
    first_pause_ms: u64,
}

/// Of a request that somebody waits for.
const REQUEST: Bounds = Bounds { most: 12, longest: Duration::from_secs(2), first_pause_ms: 5 };

/// Of a migration: tables are in use for a while.
const MIGRATION: Bounds = Bounds { most: 40, longest: Duration::from_secs(60), first_pause_ms: 100 };

impl Attempts {
    /// Before the first attempt of a request.
    #[must_use]
    pub const fn new() -> Self {
        Self { failed: None, made: 1, bounds: REQUEST }
    }

    /// Before the first attempt of a migration.
    #[must_use]
    pub const fn patient() -> Self {
        Self { bounds: MIGRATION, ..Self::new() }
    }

    /// Pauses before another attempt. Whether there is one.
    pub async fn another(&mut self) -> bool {
        let Bounds { most, longest, first_pause_ms } = self.bounds;
        let failed = *self.failed.get_or_insert_with(Instant::now);
        if self.made >= most || failed.elapsed() >= longest {
            return false;
        }
        let pause = Duration::from_millis(random_below(first_pause_ms << (2 * (self.made - 1)).min(6)));
        tokio::time::sleep(pause.min(longest.saturating_sub(failed.elapsed()))).await;
        self.made += 1;
        true
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self::new()
    }
}

/// A random number below a limit that is far below the range of 64 bits. Without randomness
/// nodes would only retry in step.
#[must_use]
pub fn random_below(limit: u64) -> u64 {
    let mut bytes = [0_u8; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes) % limit.max(1),
        Err(_) => 0,
    }
}
