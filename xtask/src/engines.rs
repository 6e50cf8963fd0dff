//! Suites on engines: which ran where, with how many tests, as a page of the reference.

use crate::shell::{root, say};
use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::process::{Command, Stdio};

/// Where the table stands.
const PAGE: &str = "docs/reference/engines.md";

/// What the tests of one suite came to on one engine.
pub struct Outcome {
    /// Suite: a row of the table.
    pub suite: &'static str,
    /// Engine: a column of the table.
    pub engine: String,
    /// Tests that passed.
    pub passed: u64,
    /// Whether all did.
    pub all: bool,
}

/// Runs test binaries with an environment and counts what passed.
pub fn run(suite: &'static str, engine: &str, command: &mut Command) -> Result<Outcome> {
    say(&format!("suite: {suite} on {engine}"));
    let output = command
        .current_dir(root())
        .stderr(Stdio::inherit())
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    say(&text);
    Ok(Outcome { suite, engine: engine.to_owned(), passed: passed(&text), all: output.status.success() })
}

/// Tests that passed, as cargo's and node's runners and our Python suites say it.
fn passed(text: &str) -> u64 {
    let of_cargo = text.lines().filter_map(|line| {
        let rest = line.strip_prefix("test result: ")?.split_once(". ")?.1;
        rest.split_once(" passed")?.0.parse::<u64>().ok()
    });
    let of_node = text.lines().filter_map(|line| {
        let at = line.find("pass ")?;
        let is_summary = line.starts_with('#') || line.starts_with('ℹ');
        line.get(at + 5..).filter(|_| is_summary)?.trim().parse::<u64>().ok()
    });
    // Python's runner says it in one line: `PASSED 6 OF 6`
    let of_python = text
        .lines()
        .filter_map(|line| line.strip_prefix("PASSED ")?.split_once(" OF ")?.0.parse::<u64>().ok());
    of_cargo.chain(of_node).chain(of_python).sum()
}

/// Compares the page with what ran, or writes it.
pub fn page(outcomes: &[Outcome], engines: &[String], is_to_write: bool) -> Result<()> {
    let text = table(outcomes, engines);
    let path = root().join(PAGE);
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    if old == text {
        return Ok(());
    }
    if is_to_write {
        return std::fs::write(&path, text).with_context(|| format!("cannot write {PAGE}"));
    }
    say(&format!(
        "{PAGE} says otherwise; this run came to:\n\n{text}\nto write it: cargo xtask test --write"
    ));
    Ok(())
}

fn table(outcomes: &[Outcome], engines: &[String]) -> String {
    let mut suites: Vec<&str> = Vec::new();
    for outcome in outcomes {
        if !suites.contains(&outcome.suite) {
            suites.push(outcome.suite);
        }
    }
    let mut text = String::from(
        "# Engines\n\nWhat the test command ran on which engine, by number of tests that passed. Written by\n\
         `cargo xtask test --write`; every run compares it and says where it differs. A dash: the suite is about other engines.\n\
         MySQL 8 is written for and was not run: none of its servers could be had for the tests.\n\n| suite |",
    );
    for engine in engines {
        let _ = write!(text, " {engine} |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(engines.len()));
    text.push('\n');
    for suite in suites {
        let _ = write!(text, "| {suite} |");
        for engine in engines {
            let found = outcomes.iter().find(|outcome| outcome.suite == suite && outcome.engine == *engine);
            match found {
                Some(outcome) if outcome.all => {
                    let _ = write!(text, " {} |", outcome.passed);
                }
                Some(_) => text.push_str(" failed |"),
                None => text.push_str(" – |"),
            }
        }
        text.push('\n');
    }
    text
}
