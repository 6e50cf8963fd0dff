//! What the service tells of itself to whoever watches the server.

use crate::service::Auth;
use backstay_engine::reading::Reading;

impl Auth {
    /// The numbers of the hashing queue and of the memory of tokens.
    #[must_use]
    pub fn readings(&self) -> Vec<Reading> {
        let (waiting, refused) = self.hasher.waiting_and_refused();
        let (taken, limited) = self.buckets.writes_and_refused();
        let (hits, misses) = self.verified.found();
        vec![
            Reading::gauge("backstay_hashes_waiting", "Password hashes that wait for a thread.", waiting),
            Reading::counter(
                "backstay_hashes_refused_total",
                "Password hashes refused by hash_queue.",
                refused,
            ),
            Reading::counter("backstay_bucket_writes_total", "Bunches of tokens taken from buckets.", taken),
            Reading::counter("backstay_bucket_refusals_total", "Requests refused by a rate.", limited),
            Reading::counter("backstay_token_cache_hits_total", "Access tokens known from before.", hits),
            Reading::counter("backstay_token_cache_misses_total", "Access tokens verified anew.", misses),
        ]
    }
}
