//! `cargo xtask clients`: real clients, untouched, from their registries, against
//! the real binary. supabase-js needs a newer Node than many machines have, so one
//! is installed from the registry beside it.

use crate::shell::{self, root, say};
use anyhow::Result;
use std::process::Command;

/// Installs the pinned clients and plays every script.
pub fn run() -> Result<()> {
    let dir = root().join("clients/js");
    shell::run(Command::new("cargo").args(["build", "--locked", "--package", "backstay"]))?;
    shell::run(Command::new("npm").arg("ci").arg("--no-audit").arg("--no-fund").arg("--prefix").arg(&dir))?;
    let node = dir.join("node_modules/.bin/node");
    for script in ["shop.test.mjs", "chinook.test.mjs", "hostile.test.mjs"] {
        say(&format!("client: {script}"));
        shell::run(Command::new(&node).arg("--test").arg(dir.join(script)))?;
    }
    Ok(())
}
