//! `cargo xtask bench`: builds the release binaries and runs the benchmark
//! program, which measures Backstay and the hand-written server in one run.

use crate::shell;
use anyhow::Result;
use std::process::Command;

/// Builds and measures.
pub fn run(args: &[String]) -> Result<()> {
    shell::run(Command::new("cargo").args([
        "build",
        "--release",
        "--locked",
        "-p",
        "backstay",
        "-p",
        "bench",
    ]))?;
    shell::run(
        Command::new("cargo")
            .args(["run", "--release", "--locked", "-p", "bench", "--bin", "bench", "--"])
            .args(args),
    )
}
