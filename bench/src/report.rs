//! Figures as text.

use crate::load::{Measured, Work};
use std::fmt;
use std::fmt::Write as _;

/// One scenario at one level, both servers.
pub struct Line {
    work: Work,
    level: usize,
    ours: Side,
    theirs: Side,
    /// Statements a second of `pgbench`, where it was asked.
    statements: Option<f64>,
}

struct Side {
    rate: f64,
    /// Of the round that others disturbed least.
    best: f64,
    cpu: f64,
    p50: u32,
    p99: u32,
}

impl Side {
    /// The median of the rounds by rate.
    fn of(rounds: &[Measured]) -> Self {
        let mut sorted: Vec<&Measured> = rounds.iter().collect();
        sorted.sort_by(|a, b| a.rate().total_cmp(&b.rate()));
        let middle = sorted.get(sorted.len() / 2).copied().cloned().unwrap_or_default();
        Self {
            rate: middle.rate(),
            best: sorted.last().map_or(0.0, |round| round.rate()),
            cpu: middle.cpu(),
            p50: middle.percentile(0.50),
            p99: middle.percentile(0.99),
        }
    }
}

impl Line {
    pub fn new(
        (work, level): (Work, usize),
        (ours, theirs): (&[Measured], &[Measured]),
        statements: Option<f64>,
    ) -> Self {
        Self { work, level, ours: Side::of(ours), theirs: Side::of(theirs), statements }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { work, level, ours, theirs, statements } = self;
        let statements = statements.map_or_else(String::new, |rate| format!("{rate:.0}"));
        write!(
            f,
            "| {work} | {level} | {:.2} | {:.2} | {:.2} | {:.0} / {:.0} | {statements} | {:.0} / {:.0} | {} / {} | {} / {} |",
            ours.rate / theirs.rate,
            ours.best / theirs.best,
            theirs.cpu / ours.cpu,
            ours.rate,
            theirs.rate,
            ours.cpu,
            theirs.cpu,
            ours.p50,
            theirs.p50,
            ours.p99,
            theirs.p99
        )
    }
}

/// All of a run.
pub struct Report {
    ready_ms: u64,
    idle_kib: u64,
    pub lines: Vec<Line>,
}

impl Report {
    pub const fn new(ready_ms: u64, idle_kib: u64) -> Self {
        Self { ready_ms, idle_kib, lines: Vec::new() }
    }

    pub fn markdown(&self, rounds: usize) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "Written by `cargo xtask bench --write`; medians of {rounds} rounds of 1 s, rounds alternating.\n"
        );
        let _ = writeln!(
            text,
            "ready in {} ms, {:.1} MiB resident when idle\n",
            self.ready_ms,
            mib(self.idle_kib)
        );
        let _ = writeln!(
            text,
            "| work | in flight | rate, ratio | best rounds, ratio | CPU, ratio | requests/s (ours / baseline) | pgbench, statements/s | CPU µs/request | p50 µs | p99 µs |\n|---|---|---|---|---|---|---|---|---|---|"
        );
        for line in &self.lines {
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

#[expect(clippy::cast_precision_loss, reason = "a memory size is far below 2^52 KiB")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
