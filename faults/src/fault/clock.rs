//! A clock that jumps while writers write (`libfaketime`): an hour on and back, ten years on,
//! ten back. Writes go on, and nothing of what was acknowledged changes.

use super::{Outcome, need, recovered};
use crate::Plan;
use crate::load::{Load, Until};
use crate::project::Project;
use crate::server::{Server, Within, pause};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Where the clock goes, each counted from the true time.
const JUMPS: &[&str] = &["+1h", "-1h", "+10y", "-10y", "+0"];
/// How long writers write at each.
const BETWEEN: Duration = Duration::from_millis(400);

/// Plays it.
///
/// # Errors
/// At the first violation.
pub fn play(plan: &Plan) -> Result<Outcome> {
    need("faketime", "faketime")?;
    let library = library().context("the package faketime brought no library")?;
    let folder = tempfile::tempdir()?;
    let project = Project::new(plan, folder.path())?;
    let mut load = Load::new(&project, 4, 0, &mut plan.chance("clock"));
    let times = plan.times(2, 20);
    for _ in 0..times {
        let clock = folder.path().join("clock");
        std::fs::write(&clock, "+0")?;
        let variables = vec![
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        let server = Server::start_within(plan, &project, &Within { before: Vec::new(), variables })?;
        jump(&mut load, &server, &clock)?;
        server.stop()?;
        recovered(plan, &project, &mut load)?.stop()?;
    }
    Ok(Outcome { times, counts: load.counts(), remark: format!("{} jumps each", JUMPS.len()) })
}

fn jump(load: &mut Load, server: &Server, clock: &Path) -> Result<()> {
    let stopped = AtomicBool::new(false);
    let statuses = std::thread::scope(|scope| -> Result<_> {
        let writing = scope.spawn(|| load.write(&server.url, &Until::Stopped(&stopped)));
        for to in JUMPS {
            pause(BETWEEN);
            // replaced, so that nobody reads half of it
            let next = clock.with_extension("next");
            std::fs::write(&next, to)?;
            std::fs::rename(&next, clock)?;
        }
        pause(BETWEEN);
        stopped.store(true, Ordering::Relaxed);
        writing.join().ok().context("the load panicked")?
    })?;
    if statuses.keys().any(|status| !(200..300).contains(status)) {
        bail!("while the clock jumped, writes were answered with {statuses:?}");
    }
    Ok(())
}

fn library() -> Option<PathBuf> {
    let architectures = std::fs::read_dir("/usr/lib").ok()?;
    let candidate = |entry: std::fs::DirEntry| entry.path().join("faketime/libfaketimeMT.so.1");
    architectures.filter_map(|entry| entry.ok().map(candidate)).find(|path| path.is_file())
}
