//! `kill -9` at a moment of chance under eight writers, again and again on the same file.

use super::{Outcome, recovered};
use crate::Plan;
use crate::load::{Load, Until};
use crate::project::Project;
use crate::server::{Server, pause};
use anyhow::{Context, Result};
use rand::Rng;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Plays it.
///
/// # Errors
/// At the first violation.
pub fn play(plan: &Plan) -> Result<Outcome> {
    let mut chance = plan.chance("kill");
    let folder = tempfile::tempdir()?;
    let project = Project::new(plan, folder.path())?;
    let mut load = Load::new(&project, 8, 0, &mut chance);
    let times = plan.times(100, 2_000);
    let mut slowest = Duration::ZERO;
    let mut server = Server::start(plan, &project)?;
    for round in 0..times {
        let moment = Duration::from_millis(chance.random_range(20..300));
        let stopped = AtomicBool::new(false);
        let url = server.url.clone();
        std::thread::scope(|scope| -> Result<()> {
            let writing = scope.spawn(|| load.write(&url, &Until::Stopped(&stopped)));
            pause(moment);
            server.kill()?;
            stopped.store(true, Ordering::Relaxed);
            writing.join().ok().context("the load panicked")?.map(drop)
        })?;
        server = recovered(plan, &project, &mut load).with_context(|| format!("kill {round}"))?;
        slowest = slowest.max(server.ready_in);
    }
    let remark = format!("{} rows; ready again in {} ms at most", load.live(), slowest.as_millis());
    Ok(Outcome { times, counts: load.counts(), remark })
}
