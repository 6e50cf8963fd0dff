//! [`Replicas`]: which reads a replica may answer. One that has replayed what its caller wrote
//! (a position in the log), and what the primary had a second ago, so that nobody reads an old
//! state for long; never for a caller who has just written here without telling a position.

use crate::connection::Connection;
use crate::error::Trouble;
use crate::pool::Pool;
use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a replica's place in the log is believed.
const REPLAY_BELIEVED: Duration = Duration::from_millis(50);

/// How long the primary's place in the log is believed: reads from replicas are at most so old, and a little.
const PRIMARY_BELIEVED: Duration = Duration::from_secs(1);

/// How long a caller who wrote reads from the primary.
const AFTER_WRITE: Duration = Duration::from_secs(2);

/// Longest wait for a place in the log; then the primary answers.
pub const ASK: Duration = Duration::from_millis(500);

/// Callers who wrote that are remembered before those of long ago are forgotten.
const WRITERS: usize = 10_000;

/// Where the primary is.
pub const PRIMARY: &str = "SELECT pg_current_wal_insert_lsn()::text";

/// How far a replica has come; nothing where it is none any more.
const REPLAYED: &str = "SELECT pg_last_wal_replay_lsn()::text WHERE pg_is_in_recovery()";

/// The replicas of a database.
#[derive(Debug)]
pub struct Replicas {
    replicas: Vec<Replica>,
    next: AtomicUsize,
    primary: Mutex<Option<Seen>>,
    writers: Mutex<HashMap<u128, Instant>>,
}

#[derive(Debug)]
struct Replica {
    pool: Pool,
    replayed: Mutex<Option<Seen>>,
}

/// A place in the log and when it was asked for.
#[derive(Debug, Clone, Copy)]
struct Seen {
    lsn: u64,
    at: Instant,
}

impl Replicas {
    /// Over these databases.
    #[must_use]
    pub fn new(pools: Vec<Pool>) -> Self {
        let replicas = pools.into_iter().map(|pool| Replica { pool, replayed: Mutex::default() }).collect();
        Self { replicas, next: AtomicUsize::new(0), primary: Mutex::default(), writers: Mutex::default() }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.replicas.is_empty()
    }

    /// Remembers that a caller wrote.
    pub fn wrote(&self, caller: u128) {
        let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        if writers.len() >= WRITERS {
            writers.retain(|_, at| at.elapsed() < AFTER_WRITE);
        }
        writers.insert(caller, Instant::now());
    }

    /// A replica that may answer; none means the primary does.
    pub async fn choose(&self, primary: &Pool, caller: u128, position: Option<&str>) -> Option<&Pool> {
        let number = self.next.fetch_add(1, Ordering::Relaxed).checked_rem(self.replicas.len())?;
        let replica = self.replicas.get(number)?;
        let needed = match position {
            Some(position) => parse(position)?,
            None if self.wrote_lately(caller) => return None,
            None => 0,
        };
        let floor = known(&self.primary, PRIMARY_BELIEVED, ask(primary, PRIMARY)).await?;
        let replayed = known(&replica.replayed, REPLAY_BELIEVED, ask(&replica.pool, REPLAYED)).await?;
        (replayed >= needed.max(floor)).then_some(&replica.pool)
    }

    fn wrote_lately(&self, caller: u128) -> bool {
        let writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        writers.get(&caller).is_some_and(|at| at.elapsed() < AFTER_WRITE)
    }
}

/// What was seen lately, else what is seen now.
async fn known(
    place: &Mutex<Option<Seen>>,
    believed: Duration,
    asked: impl Future<Output = Result<Option<u64>, Trouble>>,
) -> Option<u64> {
    let seen = *place.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(seen) = seen.filter(|seen| seen.at.elapsed() < believed) {
        return Some(seen.lsn);
    }
    let at = Instant::now();
    let lsn = tokio::time::timeout(ASK, asked).await.ok()?.ok()??;
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(Seen { lsn, at });
    Some(lsn)
}

async fn ask(pool: &Pool, text: &str) -> Result<Option<u64>, Trouble> {
    let connection = pool.share().await?;
    Ok(located(&connection, text).await?.as_deref().and_then(parse))
}

/// A place in the log, in the database's words.
///
/// # Errors
/// When the connection is lost.
pub async fn located(connection: &Connection, text: &str) -> Result<Option<String>, Trouble> {
    let row = connection.client().query_typed_opt(text, &[]).await?;
    Ok(row.map(|row| row.try_get::<_, Option<String>>(0)).transpose()?.flatten())
}

/// `16/B374D848`.
fn parse(text: &str) -> Option<u64> {
    let (high, low) = text.split_once('/')?;
    let part = |digits: &str| u32::from_str_radix(digits, 16).ok().map(u64::from);
    Some((part(high)? << 32) | part(low)?)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn places_are_numbers() {
        assert_eq!(parse("0/0"), Some(0));
        assert_eq!(parse("16/B374D848"), Some(0x16_b374_d848));
        for text in ["", "/", "16", "16/", "-1/0", "16/B374D8480", "x/0", "0/0/0"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
