//! `cargo xtask faults`: builds the program and the fault harness and plays the faults. The
//! short form is part of `cargo xtask test`; `--long` plays more of everything.

use crate::engines::{self, Outcome};
use crate::shell;
use anyhow::{Result, bail};
use std::process::Command;

/// The command.
pub fn run(args: &[String]) -> Result<()> {
    let outcome = played(args)?;
    if outcome.all { Ok(()) } else { bail!("a fault showed a violation") }
}

/// Plays the faults.
pub fn played(args: &[String]) -> Result<Outcome> {
    shell::run(Command::new("cargo").args(["build", "--locked", "-p", "backstay", "-p", "faults"]))?;
    let target = shell::variable("CARGO_TARGET_DIR").map_or_else(|| shell::root().join("target"), Into::into);
    let mut command = Command::new(target.join("debug/faults"));
    command.arg(format!("--binary={}", target.join("debug/backstay").display())).args(args);
    engines::run("faults: nothing acknowledged is missing", "SQLite", &mut command)
}
