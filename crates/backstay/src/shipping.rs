//! Shipping of commits: what `serve` starts beside itself when `[backup] url` is set, and where
//! backups of this project are.

use crate::project::Project;
use crate::store;
use anyhow::{Context as _, Result};
use backstay_backup::ship::{Settings, Shipper};
use backstay_backup::target::Target;
use backstay_base::clock::Clock;
use backstay_engine_sqlite::commit_log::CommitLog;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longest wait at the end for what was not sent yet: the rest stays in the log, and goes with
/// the next start.
const LAST_SHIPMENT: Duration = Duration::from_secs(10);

const HOUR_MICROS: i64 = 3_600_000_000;

/// A SQLite store whose commits are shipped.
#[derive(Debug)]
pub struct Shipped {
    /// Its file.
    pub database: PathBuf,
    /// What its writer tells.
    pub log: Arc<CommitLog>,
}

/// A shipper at work.
pub struct Shipping {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Where backups of a project go.
///
/// # Errors
/// When `[backup] url` is not set, or names no target.
pub fn target(project: &Project) -> Result<Target> {
    let url = project.config.backup.url.as_deref();
    let url = url.context(
        "backups need a place: [backup] url in backstay.toml, a file: folder or s3://bucket/prefix",
    )?;
    Ok(Target::open(url, &project.folder, &cloud_variables())?)
}

/// What the environment says of accounts at a cloud.
fn cloud_variables() -> Vec<(String, String)> {
    std::env::vars().filter(|(name, _)| name.starts_with("AWS_")).collect()
}

impl Shipped {
    /// The store of a project, when it is one that is shipped.
    pub fn of(project: &Project, clock: &Clock) -> Option<Self> {
        let backup = &project.config.backup;
        let database = store::file_of(&project.config.store.default.url, &project.folder)?;
        (backup.url.is_some() && backup.ship)
            .then(|| Self { database, log: Arc::new(CommitLog::new(backup.waiting_bytes, clock.clone())) })
    }

    /// Begins to ship.
    ///
    /// # Errors
    /// When the URL names no target. A target that is away is waited for.
    pub fn start(&self, project: &Project, clock: &Clock) -> Result<Shipping> {
        let backup = &project.config.backup;
        let settings = Settings {
            interval: Duration::from_millis(backup.interval_ms),
            copy_every: i64::from(backup.copy_hours) * HOUR_MICROS,
            keep: i64::from(backup.keep_days) * 24 * HOUR_MICROS,
        };
        let shipper =
            Shipper::new(target(project)?, &self.database, Arc::clone(&self.log), clock.clone(), settings);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(shipper.run(async {
            // a sender that is gone stops it, too
            let _ = stopped.await;
        }));
        Ok(Shipping { stop, task })
    }
}

impl Shipping {
    /// Sends what is left, and ends.
    pub async fn finish(self) {
        // a shipper that ended by itself has nobody to hear it
        let _ = self.stop.send(());
        if tokio::time::timeout(LAST_SHIPMENT, self.task).await.is_err() {
            tracing::warn!("the last commits were not shipped; they go with the next start");
        }
    }
}
