//! `cargo xtask test`: sets up what the tests need, runs them on every engine, and says what
//! it skipped and why. Under `CI=true` a skip is a failure.

use crate::engines::{self, Outcome};
use crate::servers::{self, Server};
use crate::shell::{self, has, in_ci, say};
use crate::{clients, docs, faults, tools};
use anyhow::{Result, bail};
use std::process::Command;

/// The engine that needs no server.
const EMBEDDED: &str = "SQLite";

/// A suite that runs on any engine: its name, its crate, its test binary.
const SUITES: &[(&str, &str, &str)] = &[
    ("cases", "backstay-testkit", "cases"),
    ("rules: SQL = evaluator = reference", "backstay-testkit", "rules"),
    ("two worlds", "backstay-testkit", "two_world"),
    ("doors", "backstay-testkit", "doors"),
    ("limits", "backstay-testkit", "limits"),
    ("injection at every slot", "backstay-testkit", "injection"),
    ("accounts by mail", "backstay-testkit", "mail"),
    ("accounts by other services", "backstay-testkit", "oauth"),
    ("aggregates", "backstay-testkit", "aggregates"),
    ("searches of words", "backstay-testkit", "search"),
    ("requests that come again", "backstay-testkit", "recurring"),
    ("stored computed fields", "backstay-testkit", "stored"),
    ("databases of earlier releases", "backstay-testkit", "upgrade"),
];

/// Suites of one kind of server: what its URL begins with, name, crate, test binary.
const OWN_SUITES: &[(&str, &str, &str, &str)] = &[
    ("postgres", "engine: reads, writes, refusals, faults", "backstay-engine-postgres", "engine"),
    ("mysql", "engine: reads, writes, refusals, faults", "backstay-engine-mysql", "engine"),
    ("", "migrations on a server", "backstay-migrate", "servers"),
];

/// Runs everything, or with `--only=sqlite` what needs no server.
pub fn run(args: &[String]) -> Result<()> {
    let embedded_only = args.iter().any(|arg| arg == "--only=sqlite");
    let is_to_write = args.iter().any(|arg| arg == "--write");
    shell::run(Command::new("cargo").args(["build", "--workspace", "--locked"]))?;
    let mut outcomes = vec![everything()?];
    docs::run(&["--check".to_owned()])?;
    let (servers, mut skipped) = if embedded_only { (Vec::new(), Vec::new()) } else { servers::start() };
    for (suite, package, binary) in SUITES {
        outcomes.push(engines::run(suite, EMBEDDED, &mut cargo_test(package, binary, None))?);
        for server in &servers {
            outcomes.push(engines::run(suite, &server.name, &mut cargo_test(package, binary, Some(server)))?);
        }
    }
    for server in &servers {
        for (kind, suite, package, binary) in OWN_SUITES {
            if server.url.starts_with(kind) {
                outcomes.push(engines::run(
                    suite,
                    &server.name,
                    &mut cargo_test(package, binary, Some(server)),
                )?);
            }
        }
    }
    let urls: Vec<&str> = servers.iter().map(|server| server.url.as_str()).collect();
    if !servers.is_empty() {
        let mut copying = Command::new("cargo");
        copying.args(["test", "--locked", "-p", "backstay", "--test", "binary", "--"]);
        copying.args(["data::", "backups::", "canaries::", "nodes::"]);
        copying.env("BACKSTAY_TEST_URLS", urls.join(","));
        outcomes.push(engines::run(
            "on each engine by the binary: copies, backups, no secret told, three nodes",
            EMBEDDED,
            &mut copying,
        )?);
    }
    beside(&mut outcomes, &mut skipped)?;
    if has("npm") && has("node") {
        outcomes.extend(clients::run(&servers)?);
    } else {
        skipped.push("clients: npm is not there to install supabase-js and its Node".to_owned());
    }
    if servers::is_root() {
        outcomes.push(faults::played(&[])?);
    } else {
        skipped.push("faults: the full disk is a small file system, which only root may mount".to_owned());
    }
    conclude(&outcomes, &servers, &skipped, (embedded_only, is_to_write))
}

/// What talks to servers that are no databases.
fn beside(outcomes: &mut Vec<Outcome>, skipped: &mut Vec<String>) -> Result<()> {
    let of_binary = |filter: &str| {
        let mut command = Command::new("cargo");
        command.args(["test", "--locked", "-p", "backstay", "--test", "binary", "--", filter]);
        command
    };
    match tools::moto() {
        Ok(program) => {
            let mut command = of_binary("bucket::");
            command.env("BACKSTAY_TEST_MOTO", program);
            outcomes.push(engines::run("backups at an S3 server", EMBEDDED, &mut command)?);
        }
        Err(reason) => skipped.push(format!("backups at an S3 server: {reason:#}")),
    }
    // a feature that is off by default
    let mut spans = Command::new("cargo");
    spans.args(["test", "--locked", "-p", "backstay", "--features", "otlp", "--test", "binary", "--"]);
    outcomes.push(engines::run("spans by OTLP", EMBEDDED, spans.args(["spans::", "canaries::"]))?);
    match tools::pebble() {
        Ok(()) => outcomes.push(engines::run("certificates by ACME", EMBEDDED, &mut of_binary("acme::"))?),
        Err(reason) => skipped.push(format!("certificates by ACME: {reason:#}")),
    }
    Ok(())
}

/// Every test of the workspace that needs no server.
fn everything() -> Result<Outcome> {
    let mut all = Command::new("cargo");
    all.args(["test", "--workspace", "--locked", "--no-fail-fast"]).env("BACKSTAY_TEST_ENGINE", "sqlite");
    engines::run("all tests without a server", EMBEDDED, &mut all)
}

fn cargo_test(package: &str, binary: &str, server: Option<&Server>) -> Command {
    let mut command = Command::new("cargo");
    command.args(["test", "--locked", "-p", package, "--test", binary]);
    if server.is_some() && package == "backstay-testkit" && !matches!(binary, "stored" | "oauth") {
        // the long run is SQLite's; a server is asked the same questions, fewer of them (of stored fields a case
        // is a table of its own, of other services whole sign-ins one after the other, and few are the rule)
        command.env("BACKSTAY_CASES", "1000");
    }
    match server {
        Some(server) => command.env("BACKSTAY_TEST_URL", &server.url),
        None => command.env("BACKSTAY_TEST_ENGINE", "sqlite"),
    };
    command
}

fn conclude(
    outcomes: &[Outcome],
    servers: &[Server],
    skipped: &[String],
    (embedded_only, is_to_write): (bool, bool),
) -> Result<()> {
    for line in skipped {
        say(&format!("skipped: {line}"));
    }
    let failed: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.all)
        .map(|outcome| format!("{} on {}", outcome.suite, outcome.engine))
        .collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join("; "));
    }
    if in_ci() && !skipped.is_empty() {
        bail!("{} suites were skipped, and CI=true makes that a failure", skipped.len());
    }
    if !embedded_only && skipped.is_empty() && servers.iter().all(Server::is_ours) {
        let names = servers.iter().map(|server| server.name.clone());
        let engines: Vec<String> = std::iter::once(EMBEDDED.to_owned()).chain(names).collect();
        engines::page(outcomes, &engines, is_to_write)?;
    }
    say("all suites passed");
    Ok(())
}
