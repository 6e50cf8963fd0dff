//! [`Note`]: how far a shipper says that its chain reaches. A chain that lost its last segments looks like one that
//! never had them; beside the note it does not. Enters: where a shipper has come. Leaves: one object per chain, written
//! over some seconds later. A restore does without it; `verify` does not.

use crate::error::{BackupError, Result};
use crate::place::{self, NOTES};
use crate::sealed;
use crate::target::Target;
use serde::{Deserialize, Serialize};

/// Where a chain reached when it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Form of this document: 1.
    pub version: u32,
    /// The chain.
    pub chain: String,
    /// Number of its last segment.
    pub sequence: u64,
    /// The checksum of that segment.
    pub sum: String,
    /// Frames of the chain up to and with it.
    pub frames: u64,
    /// When its last commit was, or the chain began, in microseconds since 1970.
    pub at: i64,
}

impl Note {
    /// That of a chain; none where it has none.
    ///
    /// # Errors
    /// When it is damaged.
    pub async fn of(target: &Target, chain: &str) -> Result<Option<Self>> {
        let name = place::note(chain);
        if !target.list(NOTES).await?.contains(&name) {
            return Ok(None);
        }
        Self::read(target, &name).await.map(Some)
    }

    /// Those of all chains, oldest chain first. A damaged one is an error in its place.
    ///
    /// # Errors
    /// When the target does not list.
    pub async fn all(target: &Target) -> Result<Vec<(String, Result<Self>)>> {
        let mut found = Vec::new();
        for name in target.list(NOTES).await? {
            let note = Self::read(target, &name).await;
            found.push((name, note));
        }
        Ok(found)
    }

    async fn read(target: &Target, name: &str) -> Result<Self> {
        let object = target.get(name).await?;
        let note: Self = serde_json::from_slice(sealed::open(name, &object)?)
            .map_err(|error| BackupError::damaged(name, error.to_string()))?;
        if note.version != 1 {
            return Err(BackupError::damaged(
                name,
                format!("version {} is of a later program", note.version),
            ));
        }
        if place::note(&note.chain) != name {
            return Err(BackupError::damaged(name, "it is the note of another chain"));
        }
        Ok(note)
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the target refuses.
    pub async fn write(&self, target: &Target) -> Result<()> {
        let bytes = serde_json::to_vec(self).map_err(std::io::Error::from)?;
        target.put(&place::note(&self.chain), bytes).await.map(drop)
    }
}
