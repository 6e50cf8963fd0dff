//! `--backup`: what backups of a large SQLite store cost, and how much a lost disk loses; `litestream`, where the
//! variable LITESTREAM names it, does the same with the same file and the same load beside it.

use crate::server::{address, post, spawn, stop, text};
use anyhow::{Context, Result, bail};
use rusqlite::Connection;
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

const SCHEMA: &str =
    "type Entry @access(all: \"true\") {\n  writer: BigInt!\n  number: BigInt!\n  filler: String\n}\n";
/// Rows of one transaction of the filling; each takes about four kilobytes, half of which can be compressed.
const ROWS: u64 = 20_000;
const ROW_BYTES: u64 = 4_096;
/// Who writes while a disk is lost.
const WRITERS: u64 = 4;
/// How often a disk is lost, and after how long.
const LOSSES: u64 = 5;
const LOAD: Duration = Duration::from_secs(5);

/// A project with a store of so many megabytes.
struct Place {
    folder: PathBuf,
    secret: String,
}

/// Measures; the figures as a page.
pub async fn measured(megabytes: u64) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let place = Place::new(folder.path()).await?;
    place.fill(megabytes).await?;
    let bytes = std::fs::metadata(place.database())?.len();
    let mut page = format!(
        "# Backups, measured\n\nA SQLite store of {} MB, to a folder on the same disk. Written by `cargo xtask bench --backup --write`.\n\n\
         | | seconds | MB at the target |\n|---|---|---|\n",
        bytes / 1_000_000
    );
    place.ours(&mut page).await?;
    let litestream = program();
    if let Some(program) = &litestream {
        place.theirs(program, &mut page).await?;
    }
    page.push_str("\n| disk lost under 4 writers | oldest lost write, ms: median | most | writes a second |\n|---|---|---|---|\n");
    place.losses("Backstay", None, &mut page).await?;
    if let Some(program) = &litestream {
        place.losses("litestream beside Backstay", Some(program), &mut page).await?;
    }
    Ok(page)
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, outside the server's configuration")]
fn program() -> Option<PathBuf> {
    std::env::var("LITESTREAM").ok().filter(|path| !path.is_empty()).map(PathBuf::from)
}

impl Place {
    async fn new(folder: &Path) -> Result<Self> {
        std::fs::write(folder.join("schema.graphql"), SCHEMA)?;
        let place = Self { folder: folder.to_owned(), secret: String::new() };
        place.configure(false)?;
        place.backstay(&["migrate", "new", "init"]).await?;
        let told = place.backstay(&["keys", "create", "secret"]).await?;
        let secret = text(&serde_json::from_str(&told)?, "/key")?;
        Ok(Self { secret, ..place })
    }

    fn configure(&self, ships: bool) -> Result<()> {
        let config =
            format!("[project]\nname = \"bench\"\n[backup]\nurl = \"file:target\"\nship = {ships}\n");
        Ok(std::fs::write(self.folder.join("backstay.toml"), config)?)
    }

    fn database(&self) -> PathBuf {
        self.folder.join(".backstay/dev.db")
    }

    async fn serve(&self) -> Result<(Child, String)> {
        let (child, ready) = spawn(&self.folder, &["serve", "--listen", "127.0.0.1:0", "--json"]).await?;
        Ok((child, address(&ready)?))
    }

    /// Runs a command of the program; what it says.
    async fn backstay(&self, args: &[&str]) -> Result<String> {
        let mut command = Command::new(crate::server::binary("backstay")?);
        command.args(args).arg("--json").arg("-C").arg(&self.folder);
        run(&mut command).await
    }

    /// Rows through SQLite itself, after one that the server made.
    async fn fill(&self, megabytes: u64) -> Result<()> {
        let (mut child, address) = self.serve().await?;
        self.write(&address, 0, 0).await?;
        stop(&mut child).await?;
        let database = self.database();
        tokio::task::spawn_blocking(move || -> Result<()> {
            let connection = Connection::open(database)?;
            let times = (megabytes * 1_000_000 / ROW_BYTES).div_ceil(ROWS);
            for round in 0..times {
                connection.execute(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
                     INSERT INTO entry (id, writer, number, filler) \
                     SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' \
                     || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))), 0, i + ?2, hex(randomblob(900)) || printf('%.1900c', 'x') FROM n",
                    [i64::try_from(ROWS)?, i64::try_from(round * ROWS)?],
                )?;
            }
            connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
            Ok(())
        })
        .await?
    }

    async fn write(&self, address: &str, writer: u64, number: usize) -> Result<()> {
        let row = json!({ "writer": writer, "number": number, "filler": "x".repeat(200) });
        post(address, "/rest/v1/entry?select=writer", &self.secret, &self.secret, &row).await?;
        Ok(())
    }

    /// A copy, its check and its restore by Backstay.
    async fn ours(&self, page: &mut String) -> Result<()> {
        let target = self.folder.join("target");
        let made = timed(self.backstay(&["backup", "create"])).await?;
        line(page, "Backstay: `backup create`", made, Some(&target))?;
        line(page, "`backup verify`", timed(self.backstay(&["backup", "verify"])).await?, None)?;
        let to = self.folder.join("restored.db");
        let name = to.display().to_string();
        let restored = timed(self.backstay(&["backup", "restore", "--to", &name])).await?;
        line(page, "`backup restore`, which checks as `verify` does", restored, None)?;
        std::fs::remove_file(to)?;
        Ok(std::fs::remove_dir_all(target)?)
    }

    /// The same by litestream.
    async fn theirs(&self, program: &Path, page: &mut String) -> Result<()> {
        let target = self.folder.join("litestream");
        let url = format!("file://{}", target.display());
        // it makes tables of its own in the database, which `serve` would take for drift at its next start
        let copy = self.folder.join("peer.db");
        std::fs::copy(self.database(), &copy)?;
        let mut make = Command::new(program);
        make.args(["replicate", "-once", "-force-snapshot"]).arg(&copy).arg(&url);
        line(
            page,
            "litestream: `replicate -once -force-snapshot`",
            timed(run(&mut make)).await?,
            Some(&target),
        )?;
        for (name, check) in [("`restore`", "none"), ("`restore -integrity-check full`", "full")] {
            let to = self.folder.join("restored.db");
            let mut restore = Command::new(program);
            restore.args(["restore", "-integrity-check", check, "-o"]).arg(&to).arg(&url);
            line(page, name, timed(run(&mut restore)).await?, None)?;
            std::fs::remove_file(to)?;
        }
        std::fs::remove_file(copy)?;
        self.forget()
    }

    /// What litestream leaves beside the database and at its target.
    fn forget(&self) -> Result<()> {
        for folder in [self.folder.join("litestream"), self.folder.join(".backstay/.dev.db-litestream")] {
            if folder.exists() {
                std::fs::remove_dir_all(folder)?;
            }
        }
        Ok(())
    }

    /// Loses the disk some times: how old the oldest write was that was acknowledged and is gone.
    async fn losses(&self, name: &str, program: Option<&Path>, page: &mut String) -> Result<()> {
        let kept = self.folder.join("kept.db");
        std::fs::copy(self.database(), &kept)?;
        let (mut lost, mut written) = (Vec::new(), 0);
        for _ in 0..LOSSES {
            let (age, count) = self.loss(program).await?;
            lost.push(age.as_millis());
            written += count;
            std::fs::remove_dir_all(self.folder.join("target")).or_else(absent)?;
            self.forget()?;
            std::fs::copy(&kept, self.database())?;
        }
        lost.sort_unstable();
        let (median, most) = (lost.get(lost.len() / 2), lost.last());
        let (Some(median), Some(most)) = (median, most) else { bail!("no disk was lost") };
        let rate = written / usize::try_from(LOSSES * LOAD.as_secs())?;
        writeln!(page, "| {name} | {median} | {most} | {rate} |")?;
        Ok(())
    }

    async fn loss(&self, program: Option<&Path>) -> Result<(Duration, usize)> {
        self.configure(program.is_none())?;
        let url = format!("file://{}", self.folder.join("litestream").display());
        let (mut server, address) = self.serve().await?;
        let mut beside = match program {
            Some(program) => {
                Some(silent(Command::new(program).arg("replicate").arg(self.database()).arg(&url))?)
            }
            None => None,
        };
        self.first_copy(program.is_some()).await?;
        let stopped = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (1..=WRITERS).map(|writer| self.writer(&address, writer, &stopped)).collect();
        tokio::time::sleep(LOAD).await;
        for child in beside.iter_mut().chain([&mut server]) {
            child.start_kill()?;
        }
        let killed = Instant::now();
        stopped.store(true, Ordering::Relaxed);
        for child in beside.iter_mut().chain([&mut server]) {
            child.wait().await?;
        }
        std::fs::remove_dir_all(self.folder.join(".backstay"))?;
        std::fs::create_dir_all(self.folder.join(".backstay"))?;
        let to = self.folder.join("restored.db");
        match program {
            Some(program) => run(Command::new(program).args(["restore", "-o"]).arg(&to).arg(&url)).await?,
            None => self.backstay(&["backup", "restore", "--to", &to.display().to_string()]).await?,
        };
        let (mut oldest, mut count) = (Duration::ZERO, 0);
        let restored = Connection::open(&to)?;
        for (writer, times) in (1..=WRITERS).zip(writers) {
            let times = times.await?;
            let there: i64 = restored.query_row(
                "SELECT count(*) FROM entry WHERE writer = ?1",
                [i64::try_from(writer)?],
                |row| row.get(0),
            )?;
            let there = usize::try_from(there)?;
            oldest = oldest.max(
                times.get(there..).and_then(<[Instant]>::first).map_or(Duration::ZERO, |at| killed - *at),
            );
            count += times.len();
        }
        drop(restored);
        std::fs::remove_file(to)?;
        Ok((oldest, count))
    }

    /// Waits until there is something that a restore can begin with.
    async fn first_copy(&self, of_litestream: bool) -> Result<()> {
        let began = Instant::now();
        loop {
            let there = if of_litestream {
                size(&self.folder.join("litestream")).unwrap_or(0) > 0
            } else {
                self.backstay(&["backup", "list"]).await?.contains("\"followed\":true")
            };
            if there {
                // what is being written as this is seen is whole soon
                tokio::time::sleep(Duration::from_secs(2)).await;
                return Ok(());
            }
            if began.elapsed() > Duration::from_secs(600) {
                bail!("there was no first copy within ten minutes");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Inserts 0, 1, 2, … and notes when each was acknowledged.
    fn writer(&self, address: &str, writer: u64, stopped: &Arc<AtomicBool>) -> JoinHandle<Vec<Instant>> {
        let place = Self { folder: self.folder.clone(), secret: self.secret.clone() };
        let (address, stopped) = (address.to_owned(), Arc::clone(stopped));
        tokio::spawn(async move {
            let mut times = Vec::new();
            while !stopped.load(Ordering::Relaxed) && place.write(&address, writer, times.len()).await.is_ok()
            {
                times.push(Instant::now());
            }
            times
        })
    }
}

fn absent(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

async fn timed<T>(work: impl Future<Output = Result<T>>) -> Result<Duration> {
    let began = Instant::now();
    work.await?;
    Ok(began.elapsed())
}

async fn run(command: &mut Command) -> Result<String> {
    let output =
        command.stdin(Stdio::null()).output().await.with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn silent(command: &mut Command) -> Result<Child> {
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn()?)
}

fn line(page: &mut String, name: &str, time: Duration, target: Option<&Path>) -> Result<()> {
    let size = match target {
        Some(target) => format!("{}", size(target)? / 1_000_000),
        None => String::new(),
    };
    Ok(writeln!(page, "| {name} | {:.1} | {size} |", time.as_secs_f64())?)
}

/// Bytes of all files below a folder.
fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { size(&entry.path())? } else { about.len() };
    }
    Ok(bytes)
}
