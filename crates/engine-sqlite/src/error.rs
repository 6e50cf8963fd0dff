//! What SQLite's errors mean: faults with stable codes, and the constraint that a
//! refused statement broke.

use backstay_base::code::{self, Code};
use backstay_base::fault::Fault;
use backstay_sql::session::{Failure, Named, Violation};
use rusqlite::ffi;
use std::path::PathBuf;

/// Why a file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses it.
    #[error("{} is in use by {holder}; one process may use a database file at a time", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
        /// Who holds it, as it wrote down itself.
        holder: String,
    },
    /// The file system refuses.
    #[error("{} cannot be opened: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite refuses.
    #[error("the database cannot be opened: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The library is older than what this program relies on.
    #[error("SQLite {0} is too old; 3.51.3 or later is needed")]
    Version(&'static str),
    /// The file did not pass its check.
    #[error("the database is damaged: {0}")]
    Damaged(String),
}

/// Begins the message of a fault that one of our functions raises: `bs:22P02:text`.
const RAISED: &str = "bs:";

/// Codes that functions raise.
const RAISED_CODES: &[Code] = &[
    code::INVALID_TEXT,
    code::OUT_OF_RANGE,
    code::INVALID_DATETIME,
    code::INVALID_ENCODING,
    code::INVALID_REGEX,
    code::CANNOT_CAST,
];

/// An error that a function raises; [`failure`] turns it back into the fault.
#[must_use]
pub fn raise(fault: &Fault) -> rusqlite::Error {
    let text = [RAISED, fault.code.text, ":", &fault.message].concat();
    rusqlite::Error::UserFunctionError(text.into())
}

/// What went wrong with a statement.
#[must_use]
pub fn failure(error: rusqlite::Error) -> Failure {
    match violation(&error) {
        Some(violation) => Failure::Violation(violation),
        None => Failure::Fault(fault(error)),
    }
}

/// What went wrong outside of a constraint.
#[must_use]
pub fn fault(error: rusqlite::Error) -> Fault {
    let rusqlite::Error::SqliteFailure(raw, message) = &error else {
        return Fault::internal("the database driver refused").with_source(error);
    };
    let text = message.as_deref().unwrap_or_default();
    if let Some(raised) = raised(text) {
        return raised;
    }
    let (code, words) = match raw.extended_code & 0xff {
        ffi::SQLITE_INTERRUPT => (code::STATEMENT_TIMEOUT, "canceling statement due to statement timeout"),
        ffi::SQLITE_FULL => (code::DISK_FULL, "no space is left on the disk; nothing was written"),
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => {
            (code::POOL_TIMEOUT, "the database file is locked by another program")
        }
        ffi::SQLITE_IOERR | ffi::SQLITE_NOMEM | ffi::SQLITE_READONLY | ffi::SQLITE_CANTOPEN => {
            (code::IO_ERROR, "the storage failed; nothing was written")
        }
        ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => {
            (code::DATA_CORRUPTED, "the database file is damaged; nothing was written")
        }
        ffi::SQLITE_TOOBIG => (code::TOO_COMPLEX, "a value or statement is too large"),
        _ if text == "integer overflow" => (code::OUT_OF_RANGE, "value out of range"),
        _ => return Fault::internal("the database refused a statement").with_source(error),
    };
    Fault::new(code, words).with_source(error)
}

/// Whether another connection held a lock.
#[must_use]
pub fn is_busy(fault: &Fault) -> bool {
    fault.code == code::POOL_TIMEOUT
}

fn raised(text: &str) -> Option<Fault> {
    let (code, message) = text.strip_prefix(RAISED)?.split_once(':')?;
    let code = RAISED_CODES.iter().find(|known| known.text == code)?;
    Some(Fault::new(*code, message))
}

fn violation(error: &rusqlite::Error) -> Option<Violation> {
    let rusqlite::Error::SqliteFailure(raw, Some(message)) = error else { return None };
    if raw.extended_code & 0xff != ffi::SQLITE_CONSTRAINT {
        return None;
    }
    let (kind, rest) = message.split_once(" constraint failed").unwrap_or((message, ""));
    let named = rest.strip_prefix(": ").unwrap_or(rest);
    match kind {
        "FOREIGN KEY" => Some(Violation::Reference(None)),
        "CHECK" => Some(Violation::Check(named.to_owned())),
        "NOT NULL" => Some(Violation::NotNull(column_of(named).to_owned())),
        "UNIQUE" => Some(Violation::Unique(match named.strip_prefix("index '") {
            Some(index) => Named::Name(index.trim_end_matches('\'').to_owned()),
            None => Named::Columns(named.split(", ").map(|name| column_of(name).to_owned()).collect()),
        })),
        _ => None,
    }
}

fn column_of(qualified: &str) -> &str {
    qualified.rsplit_once('.').map_or(qualified, |(_, column)| column)
}
