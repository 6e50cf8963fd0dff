//! `cargo xtask test`: sets up what the tests need, runs them, and says what it
//! skipped and why. Under `CI=true` a skip is a failure.

use crate::shell::{self, has, in_ci, say};
use crate::{clients, docs};
use anyhow::{Result, bail};
use std::process::Command;

/// Runs everything.
pub fn run(filter: &[String]) -> Result<()> {
    shell::run(Command::new("cargo").args(["build", "--workspace", "--locked"]))?;
    shell::run(
        Command::new("cargo").args(["test", "--workspace", "--locked", "--no-fail-fast"]).args(filter),
    )?;
    docs::run(&["--check".to_owned()])?;
    let mut skipped = Vec::new();
    if has("npm") && has("node") {
        clients::run()?;
    } else {
        skipped.push("clients: npm is not there to install supabase-js and its Node");
    }
    for line in &skipped {
        say(&format!("skipped: {line}"));
    }
    if in_ci() && !skipped.is_empty() {
        bail!("{} suites were skipped, and CI=true makes that a failure", skipped.len());
    }
    say("all suites passed");
    Ok(())
}
