//! The benchmark: Backstay and the hand-written baseline in one run, in alternating
//! rounds, over the same data. Figures are ratios and CPU per request; wall-clock
//! figures of one machine mean little.

mod backup;
mod edge;
mod load;
mod pgbench;
mod report;
mod server;

use crate::load::{Measured, Shape, Work};
use crate::report::{Line, Report};
use crate::server::{Baseline, Subject};
use anyhow::{Context, Result};
use std::time::Duration;

/// Rows that both databases hold before the first measurement.
const POSTS: usize = 10_000;
/// Rounds of each kind of work at each level.
const ROUNDS: usize = 9;
/// How long a round is.
const ROUND: Duration = Duration::from_secs(1);
/// How many requests are in flight.
const LEVELS: [usize; 4] = [1, 16, 64, 256];

fn main() -> Result<()> {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let rounds = std::env::args().find_map(|arg| arg.strip_prefix("--rounds=")?.parse().ok());
    let rounds = rounds.unwrap_or(if quick { 1 } else { ROUNDS });
    let write = std::env::args().any(|arg| arg == "--write");
    let only: Option<String> = std::env::args().find_map(|arg| Some(arg.strip_prefix("--only=")?.to_owned()));
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(run(rounds, write, only))
}

async fn run(rounds: usize, write: bool, only: Option<String>) -> Result<()> {
    if let Some(megabytes) = backup_megabytes()? {
        let page = backup::measured(megabytes).await?;
        say(&page);
        return if write { publish("backups-measured.md", &page) } else { Ok(()) };
    }
    let folder = tempfile::tempdir()?;
    let server = server_url();
    let subject =
        Subject::start(folder.path(), POSTS, server.is_some()).await.context("cannot start backstay")?;
    if let Some(said) = edge(&subject).await? {
        say(&said);
        return Ok(());
    }
    let baseline = match &server {
        None => Baseline::start(folder.path(), &subject).await,
        Some(url) => Baseline::on_server(url, &subject).await,
    };
    let baseline = baseline.context("cannot start the baseline")?;
    let mut report = Report::new(subject.ready_ms, subject.idle_kib()?);
    for work in [Work::ById, Work::List, Work::Insert, Work::Bulk, Work::Update, Work::Mixed] {
        if server.is_none() && matches!(work, Work::Bulk | Work::Update) {
            continue;
        }
        if only.as_ref().is_some_and(|only| !work.to_string().starts_with(only)) {
            continue;
        }
        for level in LEVELS {
            let mut ours = Vec::new();
            let mut theirs = Vec::new();
            for _ in 0..rounds {
                ours.push(measure(&subject.shape(work), level, ROUND, subject.pid).await?);
                theirs.push(measure(&baseline.shape(work), level, ROUND, baseline.pid).await?);
            }
            let statements =
                server.as_deref().map_or(Ok(None), |url| pgbench::rate(url, &subject, (work, level)))?;
            let line = Line::new((work, level), (&ours, &theirs), statements);
            say(&line.to_string());
            report.lines.push(line);
        }
    }
    let text = report.markdown(rounds);
    say(&text);
    if write {
        let kind = server.as_deref().and_then(|url| url.split_once(':')).map_or("", |(kind, _)| kind);
        let page = match kind {
            "" => "benchmarks-measured.md".to_owned(),
            kind => format!("benchmarks-measured-{kind}.md"),
        };
        publish(&page, &text)?;
    }
    Ok(())
}

fn publish(page: &str, text: &str) -> Result<()> {
    Ok(std::fs::write(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page), text)?)
}

/// How large the store is whose backups are measured, where they are.
fn backup_megabytes() -> Result<Option<u64>> {
    let asked = std::env::args().find_map(|arg| Some(arg.strip_prefix("--backup")?.to_owned()));
    match asked.as_deref() {
        None => Ok(None),
        Some("") => Ok(Some(1_024)),
        Some(size) => Ok(Some(size.trim_start_matches('=').parse().context("--backup=MEGABYTES")?)),
    }
}

/// The measurements of the edge, where they are asked for.
async fn edge(subject: &Subject) -> Result<Option<String>> {
    let number = |name: &str| std::env::args().find_map(|arg| arg.strip_prefix(name)?.parse::<u32>().ok());
    if let Some(connections) = number("--idle=") {
        return Ok(Some(edge::idle(subject, usize::try_from(connections)?).await?));
    }
    match number("--logins=") {
        Some(per_second) => Ok(Some(edge::logins(subject, per_second).await?)),
        None => Ok(None),
    }
}

/// The server that both programs use; none for SQLite.
#[expect(clippy::disallowed_methods, reason = "a program of its own, outside the server's configuration")]
fn server_url() -> Option<String> {
    std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty())
}

async fn measure(shape: &Shape, level: usize, round: Duration, pid: u32) -> Result<Measured> {
    // the first requests prepare statements and open connections
    load::run(shape, level, Duration::from_millis(200)).await?;
    let before = server::cpu_micros(pid)?;
    let mut measured = load::run(shape, level, round).await?;
    measured.cpu_micros = server::cpu_micros(pid)?.saturating_sub(before);
    Ok(measured)
}

#[expect(clippy::print_stdout, reason = "a benchmark speaks on its standard output")]
fn say(text: &str) {
    println!("{text}");
}
