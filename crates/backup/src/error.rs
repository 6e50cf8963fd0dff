//! [`BackupError`]: why a backup was not made, is not whole, or was not restored.

use std::path::PathBuf;

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The target does not do what it is asked.
    #[error("the backup target refused: {0}")]
    Target(#[from] object_store::Error),
    /// The URL of the target.
    #[error("{0}")]
    Url(String),
    /// An object is not what was written.
    #[error("{object} is damaged: {reason}")]
    Damaged {
        /// Its name at the target.
        object: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such backup.
    #[error("{0}")]
    NotFound(String),
    /// A restore never overwrites anything.
    #[error("{0} is there already: a restore goes to a new place")]
    Exists(PathBuf),
    /// The chain of commits has a gap: it is begun anew with a copy.
    #[error("the chain of commits has a gap: {0}")]
    Broken(String),
    /// SQLite.
    #[error("the database could not be read: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A tool of a database server.
    #[error("{0}")]
    Tool(String),
    /// Files.
    #[error("a file could not be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// A task that ended by a panic.
    #[error("a task ended early: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl BackupError {
    /// A damaged object.
    #[must_use]
    pub fn damaged(object: &str, reason: impl Into<String>) -> Self {
        Self::Damaged { object: object.to_owned(), reason: reason.into() }
    }
}

/// A result.
pub type Result<T> = std::result::Result<T, BackupError>;
