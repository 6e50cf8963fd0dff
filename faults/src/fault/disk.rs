//! A disk that is full: writes are refused with 507 and 53100, reads go on, and once there is
//! room again writes do.

use super::{Outcome, recovered};
use crate::Plan;
use crate::load::{Client, Load, Until};
use crate::project::Project;
use crate::server::Server;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

/// The size of the disk.
const DISK: &str = "size=12m";
/// What is freed again.
const RESERVE: usize = 4 << 20;
/// What a row carries, so that the disk is full soon.
const FILLER: usize = 8_000;
/// The status of a write on a full disk.
const INSUFFICIENT_STORAGE: u16 = 507;

/// A small file system in memory, for as long as this lives.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    fn new(folder: &Path) -> Result<Self> {
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "tmpfs"]).arg(folder).status()?;
        if !status.success() {
            bail!("a small file system cannot be mounted: this needs root");
        }
        Ok(Self { folder: folder.to_owned() })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

/// Plays it.
///
/// # Errors
/// At the first violation.
pub fn play(plan: &Plan) -> Result<Outcome> {
    let times = plan.times(6, 200);
    let mut outcome = Outcome { times, ..Outcome::default() };
    let mut reads = 0;
    for round in 0..times {
        // every third time it is killed while the disk is full
        let (counts, right) = once(plan, round, round % 3 == 2).with_context(|| format!("round {round}"))?;
        outcome.counts = outcome.counts.and(counts);
        reads += right;
    }
    outcome.remark = format!("{reads} reads answered meanwhile, all of them");
    Ok(outcome)
}

fn once(plan: &Plan, round: u64, is_killed: bool) -> Result<(crate::ledger::Counts, u64)> {
    let folder = tempfile::tempdir()?;
    let disk = Disk::new(folder.path())?;
    let reserve = disk.folder.join("reserve");
    std::fs::write(&reserve, vec![0_u8; RESERVE])?;
    let project = Project::new(plan, &disk.folder)?;
    let mut load = Load::new(&project, 4, FILLER, &mut plan.chance(&format!("disk{round}")));
    let mut server = Server::start(plan, &project)?;
    let statuses = load.write(&server.url, &Until::Status(INSUFFICIENT_STORAGE, 2_000))?;
    if !statuses.contains_key(&INSUFFICIENT_STORAGE) {
        bail!("the disk was never full: {statuses:?}");
    }
    let right = reads_go_on(&mut load, &server)?;
    refused_in_words(&project, &server)?;
    if is_killed {
        server.kill()?;
        std::fs::remove_file(&reserve)?;
        server = Server::start(plan, &project)?;
    } else {
        std::fs::remove_file(&reserve)?;
    }
    let statuses = load.write(&server.url, &Until::Writes(5))?;
    if statuses.keys().any(|status| !(200..300).contains(status)) {
        bail!("with room again, writes were answered with {statuses:?}");
    }
    load.compare(&project.rows()?)?;
    server.kill()?;
    recovered(plan, &project, &mut load)?;
    Ok((load.counts(), right))
}

/// Reads beside writes that are refused.
fn reads_go_on(load: &mut Load, server: &Server) -> Result<u64> {
    let stopped = AtomicBool::new(false);
    let reader = load.reader(&server.url);
    let (right, wrong) = std::thread::scope(|scope| -> Result<(u64, u64)> {
        let reading = scope.spawn(|| reader.read(&stopped));
        let written = load.write(&server.url, &Until::Writes(20));
        stopped.store(true, Ordering::Relaxed);
        written?;
        reading.join().ok().context("the reader panicked")
    })?;
    if wrong > 0 || right == 0 {
        bail!("on a full disk {right} reads were answered and {wrong} were not");
    }
    Ok(right)
}

/// The whole answer to a write that does not fit.
fn refused_in_words(project: &Project, server: &Server) -> Result<()> {
    let row = json!({ "writer": 99, "number": 1, "value": 0, "filler": "x".repeat(RESERVE) });
    let (status, answer) = Client::new(&server.url, &project.key).ask("POST", "/rest/v1/entry", Some(&row));
    let expected: Value = json!({
        "code": "53100", "message": "no space is left on the disk; nothing was written",
        "details": null, "hint": null,
    });
    if status != INSUFFICIENT_STORAGE || answer.as_ref() != Some(&expected) {
        bail!("a write on a full disk was answered with {status} {answer:?}");
    }
    Ok(())
}
