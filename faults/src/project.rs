//! [`Project`]: a project folder of its own for a fault, and what stands in its database.

use crate::Plan;
use crate::ledger::Key;
use anyhow::{Context, Result, bail};
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const SCHEMA: &str = r#"type Entry @access(all: "true") @unique(fields: ["writer", "number"]) {
  writer: BigInt!
  number: BigInt!
  value: BigInt!
  filler: String
}
"#;

/// A folder that `backstay serve` serves.
pub struct Project {
    /// The folder.
    pub folder: PathBuf,
    /// A key that passes access rules.
    pub key: String,
}

impl Project {
    /// Makes one in an empty folder.
    ///
    /// # Errors
    /// When the program refuses.
    pub fn new(plan: &Plan, folder: &Path) -> Result<Self> {
        std::fs::write(folder.join("backstay.toml"), "[project]\nname = \"ledger\"\n")?;
        std::fs::write(folder.join("schema.graphql"), SCHEMA)?;
        let command = |args: &[&str]| -> Result<String> {
            let output =
                Command::new(&plan.binary).args(args).arg("-C").arg(folder).arg("--json").output()?;
            if !output.status.success() {
                bail!("{args:?}: {}", String::from_utf8_lossy(&output.stderr));
            }
            Ok(String::from_utf8(output.stdout)?)
        };
        command(&["migrate", "new", "init"])?;
        let told: serde_json::Value = serde_json::from_str(&command(&["keys", "create", "secret"])?)?;
        let key = told.pointer("/key").and_then(serde_json::Value::as_str).context("no key")?.to_owned();
        Ok(Self { folder: folder.to_owned(), key })
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.folder.join(".backstay/dev.db")
    }

    /// Every row, read by SQLite itself, once its own check of the file has found nothing.
    ///
    /// # Errors
    /// When the file is damaged or cannot be read.
    pub fn rows(&self) -> Result<BTreeMap<Key, i64>> {
        let connection = Connection::open_with_flags(self.database(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let verdict: String = connection.query_row("PRAGMA integrity_check", (), |row| row.get(0))?;
        if verdict != "ok" {
            bail!("integrity_check: {verdict}");
        }
        let mut statement = connection.prepare("SELECT writer, number, value FROM entry")?;
        let rows = statement.query_map((), |row| {
            Ok(((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, i64>(1)?.unsigned_abs()), row.get(2)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
