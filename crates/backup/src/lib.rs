//! Backups. Of a SQLite store: whole copies with checksums, made while it is written to, and
//! the chain of its commits, shipped as they happen, so that any moment can be restored.
//! Enters: the database file and, for the chain, what the writer tells of its commits.
//! Of a server: what its own tools dump. Leaves: objects at a target, each sealed by its checksum. Knows nothing of schemas or rules.

pub mod chain;
pub mod copy;
pub mod dump;
pub mod error;
pub mod installed;
pub mod manifest;
mod missing;
pub mod note;
pub mod place;
pub mod prune;
pub mod replay;
pub mod restore;
pub mod sealed;
pub mod segment;
pub mod ship;
pub mod snapshot;
pub mod target;
pub mod tool;
pub mod wal;
