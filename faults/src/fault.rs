//! The faults, one file each, and what a fault that showed no violation says of itself.

pub mod clock;
pub mod damage;
pub mod disk;
pub mod frozen;
pub mod kill;
pub mod lost;
pub mod syscalls;

use crate::Plan;
use crate::ledger::Counts;
use crate::load::Load;
use crate::project::Project;
use crate::server::Server;
use anyhow::{Context, Result, bail};
use std::fmt;
use std::process::Command;

/// How a fault was met.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How often it was played.
    pub times: u64,
    /// What clients were told.
    pub counts: Counts,
    /// What else is worth knowing.
    pub remark: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { done, refused, unknown } = self.counts;
        write!(
            f,
            "{} times; {done} acknowledged, {refused} refused, {unknown} unknown; 0 violations",
            self.times
        )?;
        if self.remark.is_empty() { Ok(()) } else { write!(f, "; {}", self.remark) }
    }
}

/// Starts the server anew without any fault, asks it, and compares what it and its file say.
///
/// # Errors
/// At the first violation.
pub fn recovered(plan: &Plan, project: &Project, load: &mut Load) -> Result<Server> {
    let mut server = Server::start(plan, project).context("after the fault")?;
    load.compare(&project.rows()?)?;
    let statuses = load.write(&server.url, &crate::load::Until::Writes(1))?;
    if statuses.keys().any(|status| !(200..300).contains(status)) {
        bail!("after the fault, a write was answered with {statuses:?}");
    }
    load.compare(&project.rows()?).context("after the fault, a write more each")?;
    if !server.is_alive()? {
        bail!("the server ended by itself");
    }
    Ok(server)
}

/// Whether a program is there; else it is installed where that may be done.
///
/// # Errors
/// When it cannot be had.
pub fn need(program: &str, package: &str) -> Result<()> {
    let is_there = || Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    if is_there()?.status.success() {
        return Ok(());
    }
    for args in [&["update", "-qq"][..], &["install", "-y", "-qq", "--no-install-recommends", package]] {
        let output = Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive").output()?;
        if !output.status.success() {
            bail!("{program} cannot be installed: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
    if is_there()?.status.success() { Ok(()) } else { bail!("the package {package} brought no {program}") }
}
