//! A file with damaged pages: what is answered is right or is refused in words, the server
//! does not end, and with the file as it was everything is there.

use super::{Outcome, recovered};
use crate::Plan;
use crate::ledger::Key;
use crate::load::{Client, Load, Until};
use crate::project::Project;
use crate::server::Server;
use anyhow::{Context, Result, bail};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::Value;
use std::collections::BTreeMap;

const PAGE: usize = 4_096;
/// Rows of one answer.
const ROWS: usize = 100;

/// Plays it.
///
/// # Errors
/// At the first violation.
pub fn play(plan: &Plan) -> Result<Outcome> {
    let mut chance = plan.chance("damage");
    let folder = tempfile::tempdir()?;
    let project = Project::new(plan, folder.path())?;
    let mut load = Load::new(&project, 4, 300, &mut chance);
    let server = Server::start(plan, &project)?;
    load.write(&server.url, &Until::Writes(250))?;
    server.stop()?;
    let truth = project.rows()?;
    load.compare(&truth)?;
    let whole = std::fs::read(project.database())?;
    let times = plan.times(15, 500);
    let (mut refused_starts, mut told) = (0, BTreeMap::<String, u64>::new());
    for round in 0..times {
        std::fs::write(project.database(), damaged(&whole, round, &mut chance))?;
        match Server::start(plan, &project) {
            Ok(server) => {
                ask(&project, server, &truth, &mut told).with_context(|| format!("round {round}"))?;
            }
            Err(error) if format!("{error:#}").contains("panicked") => return Err(error),
            Err(_) => refused_starts += 1,
        }
        for beside in ["dev.db-wal", "dev.db-shm"] {
            let path = project.folder.join(".backstay").join(beside);
            if path.is_file() {
                std::fs::remove_file(path)?;
            }
        }
    }
    std::fs::write(project.database(), &whole)?;
    recovered(plan, &project, &mut load)?.stop()?;
    let remark = format!("{refused_starts} starts refused; refusals by code {told:?}");
    Ok(Outcome { times, counts: load.counts(), remark })
}

/// The file with one page of noise; the first round damages its head, the second cuts it.
fn damaged(whole: &[u8], round: u64, chance: &mut StdRng) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let pages = bytes.len() / PAGE;
    let page = match round {
        0 => 0,
        1 => {
            bytes.truncate(bytes.len() / 2 / PAGE * PAGE);
            return bytes;
        }
        _ => chance.random_range(1..pages),
    };
    if let Some(bytes) = bytes.get_mut(page * PAGE..(page + 1) * PAGE) {
        chance.fill(bytes);
    }
    bytes
}

/// Reads everything and writes a little: each answer is right or a refusal in words.
fn ask(
    project: &Project,
    mut server: Server,
    truth: &BTreeMap<Key, i64>,
    told: &mut BTreeMap<String, u64>,
) -> Result<()> {
    let client = Client::new(&server.url, &project.key);
    for offset in (0..=truth.len()).step_by(ROWS) {
        let target = format!("/rest/v1/entry?order=writer,number&limit={ROWS}&offset={offset}");
        let (status, answer) = client.ask("GET", &target, None);
        let answer = answer.with_context(|| format!("no answer, {status}"))?;
        if status == 200 {
            rows_are_true(&answer, truth)?;
        } else {
            *told.entry(code(status, &answer)?).or_default() += 1;
        }
    }
    let row = serde_json::json!({ "writer": 77, "number": 1, "value": 0 });
    let (status, answer) = client.ask("POST", "/rest/v1/entry", Some(&row));
    if status != 201 {
        *told.entry(code(status, &answer.unwrap_or_default())?).or_default() += 1;
    }
    if !server.is_alive()? {
        bail!("the server ended by itself");
    }
    server.kill().map(drop)
}

fn code(status: u16, answer: &Value) -> Result<String> {
    let code = answer.pointer("/code").and_then(Value::as_str);
    match (status, code) {
        (500..600, Some(code)) if code != "XX000" => Ok(code.to_owned()),
        _ => bail!("damage was answered with {status} {answer}"),
    }
}

fn rows_are_true(answer: &Value, truth: &BTreeMap<Key, i64>) -> Result<()> {
    for row in answer.as_array().context("no list")? {
        let number = |name: &str| row.get(name).and_then(Value::as_i64).context("no number");
        let key = (number("writer")?.unsigned_abs(), number("number")?.unsigned_abs());
        if truth.get(&key) != Some(&number("value")?) {
            bail!("a row that nobody wrote: {row}");
        }
    }
    Ok(())
}
