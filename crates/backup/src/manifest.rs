//! [`Manifest`]: what a copy consists of, written last: a copy without it was not finished.

use crate::error::{BackupError, Result};
use crate::place::{self, Place};
use crate::sealed;
use crate::target::Target;
use serde::{Deserialize, Serialize};

/// A copy of the whole database at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Form of this document: 1 of a SQLite file, 2 of a server's dump.
    pub version: u32,
    /// Its name.
    pub id: String,
    /// The moment, in microseconds since 1970: every commit until then is in it, none after.
    pub at: i64,
    /// Bytes of the database file or of the dump.
    pub bytes: u64,
    /// Bytes of a page; 0 of a dump.
    pub page_bytes: u32,
    /// Checksums of the sealed parts, in order.
    pub parts: Vec<String>,
    /// What is in it; a dump does not say.
    pub tables: Vec<Table>,
    /// Where it stands in the chain that was shipped beside it.
    pub place: Option<Place>,
    /// How a server's database was dumped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dump: Option<Dump>,
}

/// A dump of a server's database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dump {
    /// `postgres` or `mysql`.
    pub engine: String,
    /// The tool that made it, with its version.
    pub tool: String,
    /// A digest of its bytes: what is restored is dumped to the same.
    pub digest: String,
}

/// A table of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// A digest of them, whatever their order.
    pub digest: String,
}

impl Manifest {
    /// Reads one.
    ///
    /// # Errors
    /// When it is not there, or damaged.
    pub async fn read(target: &Target, id: &str) -> Result<Self> {
        let name = place::manifest(id);
        let bytes = target.get(&name).await?;
        let manifest: Self = serde_json::from_slice(sealed::open(&name, &bytes)?)
            .map_err(|error| BackupError::damaged(&name, error.to_string()))?;
        if matches!(manifest.version, 1 | 2) {
            return Ok(manifest);
        }
        Err(BackupError::damaged(&name, format!("version {} is of a later program", manifest.version)))
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the target refuses.
    pub async fn write(&self, target: &Target) -> Result<()> {
        let bytes = serde_json::to_vec(self).map_err(std::io::Error::from)?;
        target.put(&place::manifest(&self.id), bytes).await.map(drop)
    }
}

/// Copies without a manifest: never finished, or it is gone.
///
/// # Errors
/// When the target does not list.
pub async fn unfinished(target: &Target) -> Result<Vec<String>> {
    let names = target.list(place::COPIES).await?;
    let id = |name: &String| name.split('/').nth(1).map(str::to_owned);
    let mut ids: Vec<String> = names.iter().filter_map(id).collect();
    ids.dedup();
    ids.retain(|id| !names.contains(&place::manifest(id)));
    Ok(ids)
}

/// The finished copies at a target, oldest first. A damaged manifest is an error in its place.
///
/// # Errors
/// When the target does not list.
pub async fn all(target: &Target) -> Result<Vec<(String, Result<Manifest>)>> {
    let mut found = Vec::new();
    for name in target.list(place::COPIES).await? {
        if let Some(id) = name.strip_suffix("/manifest").and_then(|name| name.strip_prefix("copies/")) {
            found.push((id.to_owned(), Manifest::read(target, id).await));
        }
    }
    Ok(found)
}
