//! What `serve` shows on its admin listener beside the server itself: how far backups are behind.

use crate::shipping::Shipped;
use anyhow::{Context as _, Result};
use backstay_base::clock::Clock;
use backstay_engine::reading::Reading;
use backstay_engine_sqlite::commit_log::CommitLog;
use backstay_server::admin::{Admin, Watched, administer};
use backstay_server::app::App;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How long a commit may wait for its backup before that is told as a failure.
const LATE_MICROS: i64 = 60_000_000;

/// An admin listener at work. It ends when this is dropped.
pub struct Watching {
    /// Where it listens: `http://…`.
    pub url: String,
    task: JoinHandle<()>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Begins to answer on the admin address; none where it is empty.
///
/// # Errors
/// When the address is taken or is none.
pub async fn start(address: &str, app: &Arc<App>, watched: Vec<Watched>) -> Result<Option<Watching>> {
    if address.is_empty() {
        return Ok(None);
    }
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address} ([server] admin_listen)"))?;
    let url = format!("http://{}", listener.local_addr()?);
    let admin = Arc::new(Admin { app: Arc::clone(app), watched });
    Ok(Some(Watching { url, task: tokio::spawn(administer(admin, listener)) }))
}

/// How far the backup of a store is behind.
pub fn backup(shipped: &Shipped, clock: &Clock) -> Watched {
    let log = &shipped.log;
    let told = (Arc::clone(log), clock.clone());
    let counted = told.clone();
    Watched {
        name: "backup",
        trouble: Box::new(move || trouble(&Behind::of(&told.0, &told.1))),
        readings: Box::new(move || Behind::of(&counted.0, &counted.1).readings()),
    }
}

/// How far a backup is behind.
struct Behind {
    is_broken: bool,
    commits: usize,
    /// Age of the oldest.
    micros: i64,
}

impl Behind {
    fn of(log: &CommitLog, clock: &Clock) -> Self {
        let state = log.hold();
        let oldest = state.waiting().first().map(|commit| commit.at);
        let micros = oldest.map_or(0, |since| clock.now_micros().saturating_sub(since).max(0));
        Self { is_broken: state.is_broken(), commits: state.waiting().len(), micros }
    }

    fn readings(&self) -> Vec<Reading> {
        let gauge = Reading::gauge;
        let seconds = u64::try_from(self.micros / 1_000_000).unwrap_or(0);
        let commits = u64::try_from(self.commits).unwrap_or(u64::MAX);
        vec![
            gauge("backstay_backup_lag_seconds", "Age of the oldest commit that is not shipped.", seconds),
            gauge("backstay_backup_commits_waiting", "Commits that are not shipped.", commits),
            gauge(
                "backstay_backup_chain_broken",
                "1 while commits went unshipped, until a new chain begins.",
                u64::from(self.is_broken),
            ),
        ]
    }
}

const fn trouble(behind: &Behind) -> Option<&'static str> {
    if behind.is_broken {
        Some("the chain of commits has a gap")
    } else if behind.micros > LATE_MICROS {
        Some("commits have not been shipped for more than a minute")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Behind, LATE_MICROS, trouble};

    #[test]
    fn a_backup_fails_when_it_is_late_or_has_a_gap() {
        let behind = |is_broken, micros| Behind { is_broken, commits: 1, micros };
        let late = Some("commits have not been shipped for more than a minute");
        assert_eq!(trouble(&behind(false, LATE_MICROS)), None);
        assert_eq!(trouble(&behind(false, LATE_MICROS + 1)), late);
        assert_eq!(trouble(&behind(true, 0)), Some("the chain of commits has a gap"));
    }
}
