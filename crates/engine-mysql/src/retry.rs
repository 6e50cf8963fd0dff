//! Running something again that the database undid: deadlocks, serialization failures,
//! connections that were lost before anything was made durable. Pauses are random, so
//! that those who met do not meet again.

use backstay_base::code;
use backstay_base::fault::Fault;
use std::time::Duration;
use tokio::time::Instant;

/// Most times that a script runs.
const ATTEMPTS: u32 = 5;

/// How long a script is begun again, in milliseconds.
const TOTAL_MS: u64 = 2_000;

/// Half of the longest pause before the second attempt, in milliseconds; it doubles each time.
const PAUSE_MS: u64 = 25;

/// Counts the attempts of one script.
#[derive(Debug)]
pub struct Attempts {
    since: Instant,
    made: u32,
}

impl Attempts {
    /// None made so far.
    #[must_use]
    pub fn new() -> Self {
        Self { since: Instant::now(), made: 0 }
    }

    /// After a failure: waits and allows another attempt, or says why not.
    ///
    /// # Errors
    /// The fault itself, when it is final.
    pub async fn again(&mut self, fault: Fault) -> Result<(), Fault> {
        self.made += 1;
        let late = self.since.elapsed() >= Duration::from_millis(TOTAL_MS);
        if !may_run_again(&fault) || self.made >= ATTEMPTS || late {
            return Err(fault);
        }
        tracing::debug!(attempt = self.made, error = ?fault, "a script runs again");
        tokio::time::sleep(self.pause()).await;
        Ok(())
    }

    /// Anything from nothing to twice as much as the last time (full jitter).
    fn pause(&self) -> Duration {
        let most = PAUSE_MS << self.made.min(6);
        Duration::from_micros(random() % (most * 1_000))
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether the database undid everything, so that the same may be tried again.
#[must_use]
pub fn may_run_again(fault: &Fault) -> bool {
    [code::DEADLOCK, code::SERIALIZATION_FAILURE, code::CONNECTION_LOST].contains(&fault.code)
}

/// A random number; where the system has none, the same one.
#[must_use]
pub fn random() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        Err(_) => 0,
    }
}
