//! What PostgreSQL does of the very statements of the hand-written program, without any program
//! between: `pgbench`, where it is installed.

use crate::load::Work;
use crate::server::Subject;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// `pgbench` takes no values of a file: so many scripts, each with a key of its own.
const SCRIPTS: usize = 64;
/// A connection is a process of the server: more of them than this measure its start.
const MOST_CLIENTS: usize = 64;
/// How long, in seconds.
const SECONDS: &str = "3";

/// Statements a second of a kind of work; none for what is no single statement, or without PostgreSQL.
pub fn rate(url: &str, subject: &Subject, (work, clients): (Work, usize)) -> Result<Option<f64>> {
    let scripts = scripts(subject, work);
    let program = program();
    let (true, Some(program)) = (url.starts_with("postgres") && !scripts.is_empty(), program) else {
        return Ok(None);
    };
    if clients > MOST_CLIENTS {
        return Ok(None);
    }
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(program);
    command.args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--time", SECONDS]);
    command.arg(format!("--client={clients}"));
    for (number, script) in scripts.iter().enumerate() {
        let file = folder.path().join(format!("{number}.sql"));
        std::fs::write(&file, script)?;
        command.arg("--file").arg(file);
    }
    let output = command.arg(url).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("pgbench: {}", String::from_utf8_lossy(&output.stderr));
    }
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.map(Some).with_context(|| format!("no rate in {text}"))
}

fn scripts(subject: &Subject, work: Work) -> Vec<String> {
    let Subject { uid, author, .. } = subject;
    match work {
        Work::ById => each(&subject.ids, |id| {
            format!(
                "SELECT id, owner_id, author_id, title, body, score, published, to_json(created_at) #>> '{{}}' FROM post \
                 WHERE id = '{id}' AND (published OR owner_id = '{uid}');"
            )
        }),
        Work::List => vec![format!(
            "SELECT p.id, p.title, p.score, a.id, a.name FROM post p JOIN author a ON a.id = p.author_id \
             WHERE (p.published OR p.owner_id = '{uid}') ORDER BY p.created_at DESC, p.id DESC LIMIT 20;"
        )],
        Work::Insert => vec![format!(
            "INSERT INTO post (id, owner_id, author_id, title, body, score, published, created_at) \
             SELECT gen_random_uuid(), '{uid}', '{author}', 'a new post', 'some words about it', 0, false, now() \
             WHERE EXISTS (SELECT 1 FROM author WHERE id = '{author}');"
        )],
        Work::Update => each(&subject.own, |id| {
            format!(
                "\\set n random(0, 999)\nUPDATE post SET score = :n WHERE id = '{id}' AND owner_id = '{uid}';"
            )
        }),
        Work::Bulk | Work::Mixed => Vec::new(),
    }
}

fn each(ids: &[String], script: impl Fn(&String) -> String) -> Vec<String> {
    ids.iter().step_by((ids.len() / SCRIPTS).max(1)).take(SCRIPTS).map(script).collect()
}

/// The newest one that is installed.
fn program() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin/pgbench")).filter(|file| file.is_file()).max()
}
