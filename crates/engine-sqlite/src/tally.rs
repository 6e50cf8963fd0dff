//! [`Tally`]: what the readers and the writer of one file count, for whoever watches the server.

use backstay_engine::reading::Reading;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counters that both sides share with whoever reads them.
#[derive(Debug, Default)]
pub struct Tally {
    /// Transactions made durable.
    pub commits: AtomicU64,
    /// Requests that they carried.
    pub writes: AtomicU64,
    /// Writes refused as the queue was full.
    pub writes_refused: AtomicU64,
    /// Reads that ran where they were asked for.
    pub inline_reads: AtomicU64,
    /// Reads of the blocking pool.
    pub blocking_reads: AtomicU64,
    /// Reads refused as the queue was full.
    pub reads_refused: AtomicU64,
    /// The last commit failed, and the file was not opened anew yet.
    pub is_fenced: AtomicBool,
}

/// Counts one more.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Tally {
    /// All of them, with how many reads and writes wait now.
    pub(crate) fn readings(&self, reads_waiting: u64, writes_waiting: u64) -> Vec<Reading> {
        let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (counter, gauge) = (Reading::counter, Reading::gauge);
        vec![
            counter("backstay_sqlite_commits_total", "Transactions made durable.", now(&self.commits)),
            counter("backstay_sqlite_writes_total", "Writes that they carried.", now(&self.writes)),
            counter(
                "backstay_sqlite_writes_refused_total",
                "Writes refused by write_queue.",
                now(&self.writes_refused),
            ),
            gauge("backstay_sqlite_writes_waiting", "Writes that wait for the writer.", writes_waiting),
            counter(
                "backstay_sqlite_reads_inline_total",
                "Reads that ran where they were asked for.",
                now(&self.inline_reads),
            ),
            counter(
                "backstay_sqlite_reads_blocking_total",
                "Reads that the blocking pool took.",
                now(&self.blocking_reads),
            ),
            counter(
                "backstay_sqlite_reads_refused_total",
                "Reads refused by read_queue.",
                now(&self.reads_refused),
            ),
            gauge("backstay_sqlite_reads_waiting", "Reads that wait for the blocking pool.", reads_waiting),
            gauge(
                "backstay_sqlite_writer_fenced",
                "1 after a failed commit, until the file is opened anew and found whole.",
                u64::from(self.is_fenced()),
            ),
        ]
    }

    /// Whether the writer is fenced.
    pub(crate) fn is_fenced(&self) -> bool {
        self.is_fenced.load(Ordering::Relaxed)
    }
}
