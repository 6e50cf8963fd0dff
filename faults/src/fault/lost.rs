//! A disk that is lost while commits are shipped elsewhere: `kill -9` under writers, the
//! database file gone, everything restored from the backup. What comes back is what was
//! acknowledged up to some moment: for each writer all of its writes until then and none after.

use super::Outcome;
use crate::Plan;
use crate::ledger::Counts;
use crate::load::Client;
use crate::project::Project;
use crate::server::{Server, pause};
use anyhow::{Context, Result, bail};
use rand::Rng;
use rusqlite::Connection;
use serde_json::json;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Writers.
const WRITERS: u64 = 4;

/// Plays it.
///
/// # Errors
/// At the first violation.
pub fn play(plan: &Plan) -> Result<Outcome> {
    let mut chance = plan.chance("lost");
    let times = plan.times(3, 100);
    let mut outcome = Outcome { times, ..Outcome::default() };
    let mut most_lost = Duration::ZERO;
    for round in 0..times {
        let moment = Duration::from_millis(chance.random_range(1_500..4_000));
        let (acknowledged, lost) = once(plan, moment).with_context(|| format!("round {round}"))?;
        outcome.counts = outcome.counts.and(Counts { done: acknowledged, ..Counts::default() });
        most_lost = most_lost.max(lost);
    }
    outcome.remark = format!("the oldest write that was lost was {} ms old", most_lost.as_millis());
    Ok(outcome)
}

fn once(plan: &Plan, moment: Duration) -> Result<(u64, Duration)> {
    let folder = tempfile::tempdir()?;
    let project = Project::new(plan, folder.path())?;
    let config = "[project]\nname = \"ledger\"\n[backup]\nurl = \"file:backups\"\n";
    std::fs::write(folder.path().join("backstay.toml"), config)?;
    let server = Server::start(plan, &project)?;
    let stopped = AtomicBool::new(false);
    let url = server.url.clone();
    let (acknowledged, killed) = std::thread::scope(|scope| -> Result<_> {
        let write = |writer| {
            let (url, key, stopped) = (url.as_str(), project.key.as_str(), &stopped);
            scope.spawn(move || write(url, key, writer, stopped))
        };
        let threads: Vec<_> = (1..=WRITERS).map(write).collect();
        pause(moment);
        server.kill()?;
        let killed = Instant::now();
        stopped.store(true, Ordering::Relaxed);
        let join =
            |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().ok().context("a writer panicked");
        Ok((threads.into_iter().map(join).collect::<Result<Vec<Vec<Instant>>>>()?, killed))
    })?;
    std::fs::remove_dir_all(folder.path().join(".backstay"))?;
    let restored = folder.path().join("restored.db");
    let output = Command::new(&plan.binary)
        .args(["backup", "restore", "-C"])
        .arg(folder.path())
        .arg("--to")
        .arg(&restored)
        .output()?;
    if !output.status.success() {
        bail!("the restore failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let connection = Connection::open(&restored)?;
    let mut oldest_lost = Duration::ZERO;
    for (writer, times) in (1..=WRITERS).zip(&acknowledged) {
        let there = prefix(&connection, writer)?;
        let lost = times.get(there..).and_then(<[Instant]>::first);
        oldest_lost = oldest_lost.max(lost.map_or(Duration::ZERO, |at| killed.duration_since(*at)));
    }
    Ok((acknowledged.iter().map(|times| times.len() as u64).sum(), oldest_lost))
}

/// Inserts 0, 1, 2, … and notes when each was acknowledged.
fn write(url: &str, key: &str, writer: u64, stopped: &AtomicBool) -> Vec<Instant> {
    let client = Client::new(url, key);
    let mut times = Vec::new();
    while !stopped.load(Ordering::Relaxed) {
        let row = json!({ "writer": writer, "number": times.len(), "value": 0 });
        if client.ask("POST", "/rest/v1/entry", Some(&row)).0 != 201 {
            break;
        }
        times.push(Instant::now());
    }
    times
}

/// How many of a writer's rows are there, which must be its first ones.
fn prefix(connection: &Connection, writer: u64) -> Result<usize> {
    let (count, highest): (i64, Option<i64>) = connection.query_row(
        "SELECT count(*), max(number) FROM entry WHERE writer = ?1",
        [i64::try_from(writer)?],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if highest.map_or(0, |highest| highest + 1) != count {
        bail!("writer {writer}: {count} rows are there, and the highest is {highest:?}");
    }
    Ok(usize::try_from(count)?)
}
