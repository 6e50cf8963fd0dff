//! A process that stands still (SIGSTOP) while clients lose their patience, and goes on.

use super::{Outcome, recovered};
use crate::Plan;
use crate::load::{Load, Until};
use crate::project::Project;
use crate::server::{Server, pause};
use anyhow::{Context, Result};
use rand::Rng;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Longer than clients wait.
const FROZEN: Duration = Duration::from_millis(5_500);

/// Plays it.
///
/// # Errors
/// At the first violation.
pub fn play(plan: &Plan) -> Result<Outcome> {
    let mut chance = plan.chance("frozen");
    let folder = tempfile::tempdir()?;
    let project = Project::new(plan, folder.path())?;
    let mut load = Load::new(&project, 8, 0, &mut chance);
    let times = plan.times(2, 50);
    let mut server = Server::start(plan, &project)?;
    for round in 0..times {
        let moment = Duration::from_millis(chance.random_range(20..300));
        let stopped = AtomicBool::new(false);
        std::thread::scope(|scope| -> Result<()> {
            let writing = scope.spawn(|| load.write(&server.url, &Until::Stopped(&stopped)));
            pause(moment);
            server.signal("STOP")?;
            pause(FROZEN);
            server.signal("CONT")?;
            pause(moment);
            stopped.store(true, Ordering::Relaxed);
            writing.join().ok().context("the load panicked")?.map(drop)
        })?;
        // what nobody waits for any more may still be written: it is answered before the end
        server.stop()?;
        server = recovered(plan, &project, &mut load).with_context(|| format!("round {round}"))?;
    }
    Ok(Outcome { times, counts: load.counts(), remark: String::new() })
}
