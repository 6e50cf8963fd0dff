//! [`States`]: what may change about a session while its token is valid: whether it is
//! still there, whether its account is banned, its role. Never older than SEMANTICS 27 lets
//! it be, and forgotten at once when this process changes it.

use quick_cache::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// Oldest state that is believed, in microseconds: half of the two seconds that are promised, for
/// the answer that shows a change has to be read, judged and sent within them, too.
pub const MAX_AGE_MICROS: i64 = 1_000_000;
/// Most sessions that are remembered.
const CAPACITY: usize = 100_000;

/// A session with its account, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionState {
    /// Account id.
    pub account: Uuid,
    /// `app_metadata.role`.
    pub role: Option<String>,
    /// `app_metadata.org`.
    pub org: Option<String>,
    /// E-mail address, once confirmed.
    pub email: Option<String>,
    /// Until when the account is banned, in microseconds.
    pub banned_until: Option<i64>,
    /// When the session ends, in microseconds.
    pub ends: Option<i64>,
}

/// Remembered states; a session that is gone is remembered as none.
#[derive(Debug)]
pub struct States {
    cache: Cache<Uuid, (i64, Option<Arc<SessionState>>)>,
    changes: AtomicU64,
}

/// Shows that a state was read before or after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u64);

impl Default for States {
    fn default() -> Self {
        Self { cache: Cache::new(CAPACITY), changes: AtomicU64::new(0) }
    }
}

impl States {
    /// The state, if it is known and young enough. `now` is in microseconds.
    #[must_use]
    pub fn get(&self, session: Uuid, now: i64) -> Option<Option<Arc<SessionState>>> {
        let (at, state) = self.cache.get(&session)?;
        let age = now.saturating_sub(at);
        (0..MAX_AGE_MICROS).contains(&age).then_some(state)
    }

    /// To be taken before a state is read.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        Ticket(self.changes.load(Ordering::SeqCst))
    }

    /// Remembers a state that was read after `ticket`, unless something changed since.
    pub fn put(&self, ticket: Ticket, session: Uuid, state: Option<Arc<SessionState>>, now: i64) {
        if self.ticket() == ticket {
            self.cache.insert(session, (now, state));
            if self.ticket() != ticket {
                self.cache.remove(&session);
            }
        }
    }

    /// To be called after sessions or accounts changed.
    pub fn forget(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.cache.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_AGE_MICROS, States};
    use uuid::Uuid;

    #[test]
    fn states_age_and_are_forgotten() {
        let states = States::default();
        let session = Uuid::nil();
        assert_eq!(states.get(session, 0), None);
        states.put(states.ticket(), session, None, 10);
        assert_eq!(states.get(session, 10), Some(None));
        assert_eq!(states.get(session, 9 + MAX_AGE_MICROS), Some(None));
        assert_eq!(states.get(session, 10 + MAX_AGE_MICROS), None);
        assert_eq!(states.get(session, 9), None);
        states.forget();
        assert_eq!(states.get(session, 10), None);
    }

    #[test]
    fn what_was_read_before_a_change_is_not_remembered() {
        let states = States::default();
        let ticket = states.ticket();
        states.forget();
        states.put(ticket, Uuid::nil(), None, 0);
        assert_eq!(states.get(Uuid::nil(), 0), None);
    }
}
