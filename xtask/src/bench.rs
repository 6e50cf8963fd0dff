//! `cargo xtask bench`: builds the release binaries and runs the benchmark
//! program, which measures Backstay and the hand-written server in one run.

use crate::{servers, shell, tools};
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
    // as built above: asked for alone it would be built again with other features
    let target = shell::variable("CARGO_TARGET_DIR").map_or_else(|| shell::root().join("target"), Into::into);
    let mut command = Command::new(target.join("release/bench"));
    command.args(args.iter().filter(|arg| !arg.starts_with("--engine=")));
    if args.iter().any(|arg| arg.starts_with("--backup")) {
        command.env("LITESTREAM", tools::litestream()?);
    }
    if let Some(server) = &server {
        command.env("DATABASE_URL", server.database("bench")?);
    }
    shell::run(&mut command)
}
