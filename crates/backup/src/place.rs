//! Places in a chain of commits, and the names of what stands where.

use serde::{Deserialize, Serialize};

/// Where copies are.
pub const COPIES: &str = "copies";
/// Where is written how far chains reach.
pub const NOTES: &str = "notes";
/// Where chains are.
pub const CHAINS: &str = "chains";

/// A place in a chain: so many frames after its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Which chain.
    pub chain: String,
    /// Frames since it began.
    pub frames: u64,
}

/// An identifier made of a time in microseconds: sorted as the times are.
#[must_use]
pub fn id(micros: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(micros).unwrap_or_default();
    time.strftime("%Y%m%dT%H%M%S.%6fZ").to_string()
}

/// The name of a copy's manifest.
#[must_use]
pub fn manifest(copy: &str) -> String {
    [COPIES, copy, "manifest"].join("/")
}

/// The name of a part of a copy.
#[must_use]
pub fn part(copy: &str, number: usize) -> String {
    format!("{COPIES}/{copy}/part-{number:06}")
}

/// The name of a segment of a chain.
#[must_use]
pub fn segment(chain: &str, sequence: u64) -> String {
    format!("{CHAINS}/{chain}/{sequence:012}")
}

/// The name of the note of a chain.
#[must_use]
pub fn note(chain: &str) -> String {
    [NOTES, chain].join("/")
}

/// A time in microseconds as people write it: `2026-01-31T09:00:00.5Z`.
#[must_use]
pub fn time(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).unwrap_or_default().to_string()
}
