//! Token buckets that all nodes of a database share. A bucket is one moment: when it will be full again
//! (the generic cell rate algorithm, ITU-T I.371). A node that takes tokens moves it forward by
//! comparing and setting, and takes a bunch where it came back within a second; so a busy bucket costs one
//! write per bunch, and all nodes together never give more than the rate. Tokens of a bunch that
//! nobody wants are lost: a bucket errs towards refusing.

use crate::schema::BUCKET;
use crate::service::Auth;
use crate::statement::{Step, before, delete, eq, insert, select, text, update};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Mutex;

/// Buckets that a node remembers; of others it asks the database.
const REMEMBERED: usize = 10_000;
/// How long a bunch may be kept, and how soon a node has to come back to take one, in microseconds.
const BUNCH_MICROS: i64 = 1_000_000;
/// The largest bunch is this part of a bucket.
const BUNCH_PART: u32 = 16;
/// How often a node tries against others that take of the same bucket.
const TRIES: usize = 32;
/// After so many writes full buckets are forgotten: they say what no row says, too.
const SWEEP: u64 = 512;

/// How much a bucket gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// What a full bucket holds; it may all go at once.
    pub tokens: u32,
    /// How long an empty one takes to fill, in seconds.
    pub period_s: u32,
}

impl Rate {
    const fn period(self) -> i64 {
        self.period_s as i64 * 1_000_000
    }

    /// How long `tokens` take to come back.
    fn span(self, tokens: u64) -> i64 {
        let span = i128::from(self.period()) * i128::from(tokens) / i128::from(self.tokens.max(1));
        i64::try_from(span).unwrap_or(i64::MAX)
    }
}

/// What a node knows of a bucket.
#[derive(Debug, Default)]
struct Known {
    /// When it is full, or later.
    full_at: i64,
    /// Tokens that were taken and not given yet, and until when they may be.
    spare: u64,
    spare_until: i64,
    /// The size of the last bunch, and when it was taken.
    bunch: u64,
    taken_at: i64,
}

/// The buckets of a node.
#[derive(Debug)]
pub(crate) struct Buckets {
    known: Cache<[u8; 32], Arc<Mutex<Known>>>,
    writes: AtomicU64,
    refused: AtomicU64,
}

impl Default for Buckets {
    fn default() -> Self {
        let (writes, refused) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { known: Cache::new(REMEMBERED), writes, refused }
    }
}

impl Buckets {
    fn of(&self, hash: [u8; 32]) -> Arc<Mutex<Known>> {
        let known =
            self.known.get_or_insert_with(&hash, || Ok::<_, std::convert::Infallible>(Arc::default()));
        known.unwrap_or_default()
    }

    /// Writes to the database, and refusals.
    pub(crate) fn writes_and_refused(&self) -> (u64, u64) {
        (self.writes.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }
}

/// What is counted, and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Bucket<'b> {
    /// The limit.
    pub limit: &'b str,
    /// Whose.
    pub whose: &'b str,
    /// How much it gives.
    pub rate: Rate,
}

/// The name of an address: of IPv6 the network of 64 bits that one customer gets.
#[must_use]
pub fn address(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => format!("address {ip}"),
        IpAddr::V6(ip) => {
            let network = u128::from(ip) >> 64;
            format!("network {network:x}")
        }
    }
}

impl Auth {
    /// Takes tokens before a request is worked on.
    ///
    /// # Errors
    /// PT429 with the seconds to wait, where the bucket does not hold them.
    pub async fn take(&self, bucket: Bucket<'_>, tokens: u64) -> Result<(), Fault> {
        let rate = bucket.rate;
        if tokens > u64::from(rate.tokens) {
            let message = format!("one request may carry at most {} rows here", rate.tokens);
            return Err(self.limited(message, rate.period()));
        }
        let hash = hash(bucket);
        let known = self.buckets.of(hash);
        let mut known = known.lock().await;
        let now = self.clock.now_micros();
        if known.spare_until <= now {
            known.spare = 0;
        }
        if known.spare >= tokens {
            known.spare -= tokens;
            return Ok(());
        }
        let lacking = tokens - known.spare;
        let over = |full_at: i64| full_at.max(now) - now + rate.span(lacking) - rate.period();
        if over(known.full_at) > 0 {
            // it only ever moves forward: the database need not be asked
            return Err(self.exhausted(over(known.full_at)));
        }
        let wanted = if now - known.taken_at < BUNCH_MICROS {
            (known.bunch * 2).max(1).min(u64::from(rate.tokens / BUNCH_PART))
        } else {
            0
        };
        let moved = self
            .advance(&hash, now, |full_at| {
                if over(full_at) > 0 {
                    return Err(full_at);
                }
                // no more than there is
                let mut bunch = wanted;
                while bunch > 0 && over(full_at) + rate.span(bunch) > 0 {
                    bunch /= 2;
                }
                Ok((full_at.max(now) + rate.span(lacking + bunch), bunch))
            })
            .await?;
        match moved {
            Ok((full_at, bunch)) => {
                *known =
                    Known { full_at, spare: bunch, spare_until: now + BUNCH_MICROS, bunch, taken_at: now };
                Ok(())
            }
            Err(full_at) => {
                known.full_at = full_at;
                Err(self.exhausted(over(full_at)))
            }
        }
    }

    /// Charges what is known only afterwards; it is never refused, and makes the next ones wait.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn owe(&self, bucket: Bucket<'_>, tokens: u64) -> Result<(), Fault> {
        let hash = hash(bucket);
        let known = self.buckets.of(hash);
        let mut known = known.lock().await;
        let now = self.clock.now_micros();
        let mut lacking = tokens;
        if known.spare_until > now {
            let given = known.spare.min(lacking);
            known.spare -= given;
            lacking -= given;
        }
        if lacking == 0 {
            return Ok(());
        }
        let further = bucket.rate.span(lacking);
        let moved =
            self.advance(&hash, now, |full_at| Ok((full_at.max(now).saturating_add(further), 0))).await?;
        known.full_at = match moved {
            Ok((full_at, _)) | Err(full_at) => full_at,
        };
        Ok(())
    }

    /// Moves a bucket to what `next` makes of it, against all other nodes; or tells why `next` refused.
    async fn advance(
        &self,
        hash: &[u8; 32],
        now: i64,
        next: impl Fn(i64) -> Result<(i64, u64), i64>,
    ) -> Result<Result<(i64, u64), i64>, Fault> {
        let catalog = &self.catalog()?;
        let name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let own = || eq("hash", text(&*name));
        for _ in 0..TRIES {
            let found = self.run_one(catalog, select(BUCKET, vec![own()])).await?;
            let last = found.first().map(|row| row.time("full_at")).transpose()?.flatten();
            let (full_at, bunch) = match next(last.unwrap_or(now)) {
                Ok(moved) => moved,
                Err(refused) => return Ok(Err(refused)),
            };
            let moved = ("full_at", Cell::Timestamp(full_at));
            let step = match last {
                Some(last) => {
                    let same = eq("full_at", Cell::Timestamp(last));
                    update(BUCKET, vec![moved], vec![own(), same])
                }
                None => insert(BUCKET, vec![("hash", text(&*name)), moved]),
            };
            match self.run_one(catalog, step).await {
                Ok(done) if last.is_none() || done.affected() == 1 => {
                    self.sweep(catalog, now).await;
                    return Ok(Ok((full_at, bunch)));
                }
                // another node was first
                Ok(_) => {}
                Err(fault) if fault.code == code::UNIQUE_VIOLATION => {}
                Err(fault) => return Err(fault),
            }
        }
        Err(self.limited("too many ask at once; try again in a moment".to_owned(), 1))
    }

    /// Forgets buckets that are full.
    async fn sweep(&self, catalog: &Arc<Catalog>, now: i64) {
        if !(self.buckets.writes.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(SWEEP) {
            return;
        }
        let full: Step = delete(BUCKET, vec![before("full_at", now)]);
        if let Err(fault) = self.run_one(catalog, full).await {
            tracing::warn!(fault.code = fault.code.text, "full buckets could not be forgotten");
        }
    }

    fn exhausted(&self, micros: i64) -> Fault {
        self.limited("too many requests: the limit of this caller is used up".to_owned(), micros)
    }

    fn limited(&self, message: String, micros: i64) -> Fault {
        self.buckets.refused.fetch_add(1, Ordering::Relaxed);
        let seconds = micros.max(1).saturating_add(999_999) / 1_000_000;
        Fault::new(code::RATE_LIMITED, message).with_retry_after(u32::try_from(seconds).unwrap_or(u32::MAX))
    }
}

fn hash(bucket: Bucket<'_>) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(bucket.limit.as_bytes());
    digest.update([0]);
    digest.update(bucket.whose.as_bytes());
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::{Rate, address};

    #[test]
    fn spans_are_exact() {
        let rate = Rate { tokens: 3, period_s: 1 };
        assert_eq!((rate.span(1), rate.span(3), rate.span(6)), (333_333, 1_000_000, 2_000_000));
        assert_eq!(Rate { tokens: 1, period_s: 86_400 }.span(u64::MAX), i64::MAX);
    }

    #[test]
    fn a_customer_of_ipv6_has_one_bucket() {
        let of = |ip: &str| address(ip.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("198.51.100.1"), of("198.51.100.2"));
    }
}
