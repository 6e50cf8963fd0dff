//! [`Segment`]: some commits of a chain as one object: frames of the write-ahead log, where
//! each commit ends and when that was, and the checksum of the segment before.

use crate::error::{BackupError, Result};
use crate::sealed;
use crate::wal::Sum;
use serde::{Deserialize, Serialize};

/// How hard frames are compressed: they are many and wait for nothing.
const LEVEL: i32 = 1;

/// What stands before the frames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The chain.
    pub chain: String,
    /// Its number in the chain, from 0.
    pub sequence: u64,
    /// The checksum of the segment before; empty for the first.
    pub previous: String,
    /// Bytes of a page.
    pub page_bytes: u32,
    /// The salts of the log that the frames are of.
    pub salts: [u32; 2],
    /// How far the frames reach in that log.
    pub log_frames: u32,
    /// The log's checksum there.
    pub log_sum: Sum,
    /// Frames of the chain before these.
    pub from: u64,
    /// The commits: frames of the chain up to and with each, and its time in microseconds.
    pub commits: Vec<(u64, i64)>,
    /// Whether its chain has a note beside it: those of earlier programs have none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub noted: bool,
}

/// A segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// What it is.
    pub head: Head,
    /// Its frames, as the log has them.
    pub frames: Vec<u8>,
}

impl Head {
    /// Bytes up to the end of the head, by the first bytes of an object.
    ///
    /// # Errors
    /// [`BackupError::Damaged`].
    pub fn bytes(name: &str, start: &[u8]) -> Result<u64> {
        let (length, _) =
            start.split_first_chunk::<4>().ok_or_else(|| BackupError::damaged(name, "it has no head"))?;
        Ok(4 + u64::from(u32::from_le_bytes(*length)))
    }

    /// Reads it from the first bytes of an object, whose checksum is not looked at.
    ///
    /// # Errors
    /// [`BackupError::Damaged`].
    pub fn read(name: &str, start: &[u8]) -> Result<Self> {
        let end = usize::try_from(Self::bytes(name, start)?).ok();
        let head = end.and_then(|end| start.get(4..end));
        let head = head.ok_or_else(|| BackupError::damaged(name, "its head is cut"))?;
        serde_json::from_slice(head).map_err(|error| BackupError::damaged(name, error.to_string()))
    }

    /// Frames of the chain up to and with these.
    #[must_use]
    pub fn to(&self) -> u64 {
        self.commits.last().map_or(self.from, |(frames, _)| *frames)
    }
}

impl Segment {
    /// Its bytes.
    ///
    /// # Errors
    /// When it cannot be compressed.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let head = serde_json::to_vec(&self.head).map_err(std::io::Error::from)?;
        let length = u32::try_from(head.len()).map_err(std::io::Error::other)?;
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend_from_slice(&head);
        bytes.extend(zstd::encode_all(self.frames.as_slice(), LEVEL)?);
        Ok(bytes)
    }

    /// Reads it from a sealed object.
    ///
    /// # Errors
    /// [`BackupError::Damaged`].
    pub fn decode(name: &str, object: &[u8]) -> Result<Self> {
        let bytes = sealed::open(name, object)?;
        let head = Head::read(name, bytes)?;
        let end = usize::try_from(Head::bytes(name, bytes)?).unwrap_or(usize::MAX);
        let frames = bytes.get(end..).unwrap_or_default();
        let frames =
            zstd::decode_all(frames).map_err(|error| BackupError::damaged(name, error.to_string()))?;
        Ok(Self { head, frames })
    }
}
