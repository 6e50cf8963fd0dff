//! Calls of the system that fail at their n-th time, for every n of a run, by `strace`.
//! After a failed sync nothing may be acknowledged before the file was read again and found
//! whole; a failed write is refused or of unknown outcome, never acknowledged.

use super::{Outcome, need, recovered};
use crate::Plan;
use crate::ledger::Counts;
use crate::load::{Load, Until};
use crate::project::Project;
use crate::server::{Server, Within};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::Path;

/// Writers of a run.
const WRITERS: u64 = 2;
/// Writes of each.
const WRITES: u64 = 5;

/// How a file is made durable: which of the two SQLite calls depends on how it was built.
const SYNC: &str = "fsync,fdatasync";

/// One sync fails.
///
/// # Errors
/// At the first violation.
pub fn one_sync(plan: &Plan) -> Result<Outcome> {
    for_every(plan, SYNC, |n| format!("error=EIO:when={n}"), run_on)
}

/// One `pwrite64` fails: the disk is full, or broken.
///
/// # Errors
/// At the first violation.
pub fn one_write(plan: &Plan) -> Result<Outcome> {
    let rule = |n: u64| format!("error={}:when={n}", if n.is_multiple_of(2) { "EIO" } else { "ENOSPC" });
    for_every(plan, "pwrite64", rule, run_on)
}

/// From the n-th on every sync fails.
///
/// # Errors
/// At the first violation.
pub fn all_syncs(plan: &Plan) -> Result<Outcome> {
    for_every(plan, SYNC, |n| format!("error=EIO:when={n}+"), never_again)
}

/// What is done while the call fails.
type Work = fn(&mut Load, &mut Server) -> Result<()>;

fn for_every(plan: &Plan, call: &str, rule: impl Fn(u64) -> String, work: Work) -> Result<Outcome> {
    need("strace", "strace")?;
    let template = tempfile::tempdir()?;
    let project = Project::new(plan, template.path())?;
    let calls = calls_of_a_run(plan, &project, call)?;
    // a long run begins in the middle of the work of a longer one, too
    let times = calls + plan.times(1, 100);
    let mut outcome = Outcome { times, ..Outcome::default() };
    let mut not_started = 0;
    for n in 1..=times {
        let once = once(plan, &project, (call, &rule(n)), work);
        let (counts, started) = once.with_context(|| format!("{call} {}", rule(n)))?;
        outcome.counts = outcome.counts.and(counts);
        not_started += u64::from(!started);
    }
    outcome.remark = format!("{calls} calls in a run; {not_started} starts refused");
    Ok(outcome)
}

fn strace(args: &[String]) -> Within {
    // -D: the server is the child, and takes the signals
    let before = ["strace", "-f", "-D", "--seccomp-bpf", "-qq"].map(str::to_owned);
    Within { before: before.into_iter().chain(args.iter().cloned()).collect(), variables: Vec::new() }
}

/// The most calls of one thread in a run without a fault.
fn calls_of_a_run(plan: &Plan, template: &Project, call: &str) -> Result<u64> {
    let folder = tempfile::tempdir()?;
    let project = template.copied(folder.path())?;
    let trace = folder.path().join("trace");
    let args = ["-e".to_owned(), format!("trace={call}"), "-o".to_owned(), trace.display().to_string()];
    let mut server = Server::start_within(plan, &project, &strace(&args))?;
    let mut load = Load::new(&project, WRITERS, 0, &mut plan.chance(call));
    run_on(&mut load, &mut server)?;
    server.stop()?;
    let text = std::fs::read_to_string(trace)?;
    let mut threads = BTreeMap::<&str, u64>::new();
    for line in text.lines().filter(|line| line.contains('(')) {
        *threads.entry(line.split_whitespace().next().unwrap_or_default()).or_default() += 1;
    }
    threads.into_values().max().context("the run made no such call")
}

fn once(plan: &Plan, template: &Project, (call, rule): (&str, &str), work: Work) -> Result<(Counts, bool)> {
    let folder = tempfile::tempdir()?;
    let project = template.copied(folder.path())?;
    let mut load = Load::new(&project, WRITERS, 0, &mut plan.chance(rule));
    let args = [
        "-e".to_owned(),
        format!("trace={call}"),
        "-e".to_owned(),
        format!("inject={call}:{rule}"),
        "-o".to_owned(),
        "/dev/null".to_owned(),
    ];
    let started = match Server::start_within(plan, &project, &strace(&args)) {
        Ok(mut server) => {
            work(&mut load, &mut server)?;
            if !server.is_alive()? {
                bail!("the server ended by itself");
            }
            server.kill()?;
            true
        }
        Err(refused) if format!("{refused:#}").contains("panicked") => return Err(refused),
        Err(_) => false,
    };
    recovered(plan, &project, &mut load)?.stop()?;
    Ok((load.counts(), started))
}

/// Writes whatever the answers are.
fn run_on(load: &mut Load, server: &mut Server) -> Result<()> {
    load.write(&server.url, &Until::Writes(WRITES)).map(drop)
}

/// Once a write was not acknowledged, none is any more; reads go on.
fn never_again(load: &mut Load, server: &mut Server) -> Result<()> {
    let mut failed = false;
    for _ in 0..WRITES {
        let statuses = load.write(&server.url, &Until::Writes(1))?;
        let acknowledged = statuses.keys().any(|status| (200..300).contains(status));
        if failed && acknowledged {
            bail!("acknowledged while every sync fails: {statuses:?}");
        }
        failed |= statuses.keys().any(|status| !(200..300).contains(status));
        let (status, _) = load.reader(&server.url).ask("GET", "/rest/v1/entry?limit=5", None);
        if status != 200 {
            bail!("a read was answered with {status}");
        }
    }
    Ok(())
}

impl Project {
    /// A copy of it in another, empty folder.
    fn copied(&self, folder: &Path) -> Result<Self> {
        let status = std::process::Command::new("cp")
            .arg("-a")
            .arg(format!("{}/.", self.folder.display()))
            .arg(folder)
            .status()?;
        if !status.success() {
            bail!("the project cannot be copied");
        }
        Ok(Self { folder: folder.to_owned(), key: self.key.clone() })
    }
}
