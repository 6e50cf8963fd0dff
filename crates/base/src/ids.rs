//! [`Ids`]: randomness and ids. Row ids are `UUIDv7` (sortable by time), account
//! ids `UUIDv4`, secrets come straight from the operating system.

use crate::clock::Clock;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// A handle to randomness, cheap to clone.
#[derive(Clone, Debug)]
pub struct Ids {
    clock: Clock,
    source: Source,
    /// Last (millisecond, counter): makes ids of one process strictly rising.
    last: Arc<Mutex<(u64, u16)>>,
}

#[derive(Clone, Debug)]
enum Source {
    System,
    Seeded(Arc<Mutex<u64>>),
}

impl Ids {
    /// Randomness from the operating system.
    #[must_use]
    pub fn system(clock: Clock) -> Self {
        Self { clock, source: Source::System, last: Arc::default() }
    }

    /// A repeatable sequence, for tests that compare whole answers.
    #[must_use]
    pub fn seeded(clock: Clock, seed: u64) -> Self {
        Self { clock, source: Source::Seeded(Arc::new(Mutex::new(seed))), last: Arc::default() }
    }

    /// Fills `buffer` with random bytes.
    ///
    /// # Panics
    /// When the operating system has no randomness to give: nothing safe can follow.
    pub fn fill(&self, buffer: &mut [u8]) {
        match &self.source {
            Source::System => getrandom::fill(buffer).expect("the operating system gives randomness"),
            Source::Seeded(state) => {
                let mut state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                for chunk in buffer.chunks_mut(8) {
                    let bytes = split_mix(&mut state).to_le_bytes();
                    for (to, from) in chunk.iter_mut().zip(bytes) {
                        *to = from;
                    }
                }
            }
        }
    }

    /// A new row id: `UUIDv7`, rising within the process.
    #[must_use]
    pub fn row(&self) -> Uuid {
        let now = u64::try_from(self.clock.now_micros().div_euclid(1000)).unwrap_or(0);
        let (millis, counter) = {
            let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *last = if now > last.0 {
                (now, 0)
            } else if last.1 < 0x0fff {
                (last.0, last.1 + 1)
            } else {
                (last.0 + 1, 0)
            };
            *last
        };
        let mut random = [0_u8; 10];
        self.fill(&mut random);
        let counter_bytes = counter.to_be_bytes();
        random[0] = counter_bytes[0];
        random[1] = counter_bytes[1];
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    /// A new account id: `UUIDv4`, which tells nothing about its age.
    #[must_use]
    pub fn account(&self) -> Uuid {
        let mut random = [0_u8; 16];
        self.fill(&mut random);
        uuid::Builder::from_random_bytes(random).into_uuid()
    }
}

/// One step of `SplitMix64` (Steele, Lea, Flood 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_ids_rise_even_when_the_clock_stands() {
        let ids = Ids::seeded(Clock::fixed(1_700_000_000_000_000), 7);
        let made: Vec<Uuid> = (0..10_000).map(|_| ids.row()).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(made.iter().all(|id| id.get_version_num() == 7));
    }

    #[test]
    fn a_seed_gives_the_same_ids_again() {
        let make = || Ids::seeded(Clock::fixed(0), 42).account();
        assert_eq!(make(), make());
    }
}
