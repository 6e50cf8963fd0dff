//! `cargo xtask bench`: builds the release binaries and runs the benchmark
//! program, which measures Backstay and the hand-written server in one run.

use crate::{servers, shell};
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
    let engine = args.iter().find_map(|arg| arg.strip_prefix("--engine="));
    let server = engine.map(servers::durable).transpose()?;
    let mut command = Command::new("cargo");
    command.args(["run", "--release", "--locked", "-p", "bench", "--bin", "bench", "--"]);
    command.args(args.iter().filter(|arg| !arg.starts_with("--engine=")));
    if let Some(server) = &server {
        command.env("DATABASE_URL", server.database("bench")?);
    }
    shell::run(&mut command)
}
