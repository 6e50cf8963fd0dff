//! `cargo xtask clients`: real clients, untouched, from their registries, against
//! the real binary. supabase-js needs a newer Node than many machines have, so one
//! is installed from the registry beside it.

use crate::engines::{self, Outcome};
use crate::servers::{self, Server};
use crate::shell::{self, has, root, say};
use crate::tools;
use anyhow::{Context as _, Result, bail};
use std::process::Command;

/// What each client does.
const SCRIPTS: &[(&str, &str)] = &[
    ("clients: the shop by supabase-js", "shop"),
    ("clients: Chinook by supabase-js", "chinook"),
    ("clients: accounts by mail, by supabase-js", "mail"),
    ("clients: signing in with another service, by supabase-js", "oauth"),
    ("clients: hostile bytes", "hostile"),
];

/// Installs the pinned clients and plays every script, on SQLite and on each server.
pub fn run(servers: &[Server]) -> Result<Vec<Outcome>> {
    let dir = root().join("clients/js");
    shell::run(Command::new("cargo").args(["build", "--locked", "--package", "backstay"]))?;
    shell::run(Command::new("npm").arg("ci").arg("--no-audit").arg("--no-fund").arg("--prefix").arg(&dir))?;
    let node = dir.join("node_modules/.bin/node");
    let mut outcomes = Vec::new();
    for (suite, script) in SCRIPTS {
        let play = || {
            let mut command = Command::new(&node);
            command.arg("--test").arg(dir.join(format!("{script}.test.mjs")));
            command
        };
        outcomes.push(engines::run(suite, "SQLite", &mut play())?);
        for server in servers {
            let mut command = play();
            command.env("DATABASE_URL", server.database(&format!("clients_{script}"))?);
            outcomes.push(engines::run(suite, &server.name, &mut command)?);
        }
    }
    python(servers, &mut outcomes)?;
    if !servers.is_empty() && !has("nginx") {
        servers::install(&["nginx-light"]).context("nginx, for several nodes behind it")?;
    }
    for server in servers {
        let mut command = Command::new(&node);
        command.arg("--test").arg(dir.join("nodes.test.mjs"));
        command.env("DATABASE_URL", server.database("clients_nodes")?);
        outcomes.push(engines::run(
            "nodes: three behind nginx, rolling restart",
            &server.name,
            &mut command,
        )?);
    }
    Ok(outcomes)
}

/// supabase-py, and tools that read the description of the door, in an environment of their own.
fn python(servers: &[Server], outcomes: &mut Vec<Outcome>) -> Result<()> {
    const SUITE: &str = "clients: the shop by supabase-py";
    let home = root().join("clients/python");
    let place = root().join("clients/python/.venv");
    let needed = home.join("requirements.txt").display().to_string();
    tools::environment(&place, &["-r", &needed]).context("supabase-py")?;
    let play = || {
        let mut command = Command::new(place.join("bin/python"));
        command.arg(home.join("shop_test.py"));
        command
    };
    outcomes.push(engines::run(SUITE, "SQLite", &mut play())?);
    for server in servers {
        let mut command = play();
        command.env("DATABASE_URL", server.database("clients_python")?);
        outcomes.push(engines::run(SUITE, &server.name, &mut command)?);
    }
    Ok(())
}

/// The command: clients alone.
pub fn alone() -> Result<()> {
    let (servers, skipped) = servers::start();
    skipped.iter().for_each(|line| say(&format!("skipped: {line}")));
    let failed: Vec<String> = run(&servers)?
        .iter()
        .filter(|outcome| !outcome.all)
        .map(|outcome| format!("{} on {}", outcome.suite, outcome.engine))
        .collect();
    if failed.is_empty() { Ok(()) } else { bail!("failed: {}", failed.join("; ")) }
}
