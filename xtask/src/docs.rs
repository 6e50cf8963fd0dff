//! `cargo xtask docs`: the reference pages that are generated from the tables.

use crate::shell;
use anyhow::Result;
use std::process::Command;

/// Writes the pages; with `--check` only compares them.
pub fn run(args: &[String]) -> Result<()> {
    // the page of commands is the help that the binary gives
    shell::run(Command::new("cargo").args(["build", "--quiet", "--locked", "-p", "backstay"]))?;
    shell::run(
        Command::new("cargo")
            .args(["run", "--quiet", "--locked", "-p", "backstay-testkit", "--bin", "reference", "--"])
            .args(args),
    )
}
