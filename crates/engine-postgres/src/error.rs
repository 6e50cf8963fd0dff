//! What PostgreSQL's errors mean: faults with stable codes, the constraint that a
//! refused statement broke, and what may be done about it. An error of the driver
//! enters; no value of a statement or parameter leaves, not even to the log.

use backstay_base::code::{self, Code};
use backstay_base::fault::Fault;
use backstay_sql::session::{Failure, Named, Violation};
use std::path::PathBuf;
use tokio_postgres::error::{DbError, Severity};

/// Why an engine could not be made. That the database cannot be reached is no such reason.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL does not parse.
    #[error("the database URL cannot be read: {0}")]
    Url(String),
    /// A certificate or key cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls_pki_types::pem::Error,
    },
    /// The certificates do not make a TLS configuration.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// What may be done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing: it is the answer.
    Answer,
    /// The transaction can be run again: it lost to another one.
    Again,
    /// The statement was not run, because what the connection had prepared does not hold any more.
    Prepare,
    /// The connection is gone; whether a commit that was on its way arrived is unknown.
    Lost,
    /// It took too long and the connection was given up: as [`Then::Lost`], but not to be tried again.
    GaveUp,
}

/// A failure of a statement.
#[derive(Debug)]
pub struct Trouble {
    /// What the runner of the script is told.
    pub failure: Failure,
    /// What may be done about it.
    pub then: Then,
}

impl Trouble {
    /// Whether the server may have done what was asked, without an answer that says so.
    #[must_use]
    pub const fn is_unanswered(&self) -> bool {
        matches!(self.then, Then::Lost | Then::GaveUp)
    }

    /// A failure that is the answer.
    #[must_use]
    pub const fn answer(fault: Fault) -> Self {
        Self { failure: Failure::Fault(fault), then: Then::Answer }
    }

    /// A connection that does not answer any more.
    #[must_use]
    pub fn lost(cause: &'static str) -> Self {
        Self { failure: Failure::Fault(unreachable_fault().with_source(cause)), then: Then::Lost }
    }

    /// The fault alone, where no constraint can be broken.
    #[must_use]
    pub fn into_fault(self) -> Fault {
        match self.failure {
            Failure::Fault(fault) => fault,
            Failure::Violation(violation) => {
                Fault::internal(format!("a statement that writes nothing broke a constraint: {violation:?}"))
            }
        }
    }
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(refused) => refusal(refused),
            None => {
                Self { failure: Failure::Fault(unreachable_fault().with_source(error)), then: Then::Lost }
            }
        }
    }
}

/// 503: the database cannot be reached.
#[must_use]
pub fn unreachable_fault() -> Fault {
    Fault::new(code::NO_DATABASE, "the database cannot be reached; nothing was done")
}

/// The write may or may not have happened.
#[must_use]
pub fn unknown_outcome() -> Fault {
    Fault::new(
        code::OUTCOME_UNKNOWN,
        "the connection broke while the write was being made durable: it may or may not have happened",
    )
}

/// The database's words where they hold no values: names, states and grammar.
#[must_use]
pub fn words(refused: &DbError) -> String {
    let state = refused.code().code();
    let silent = ["22", "23", "44"].iter().any(|class| state.starts_with(class));
    let place = refused.constraint().or(refused.column()).or(refused.routine()).unwrap_or_default();
    if silent { format!("{state} at {place}") } else { format!("{state}: {}", refused.message()) }
}

fn refusal(refused: &DbError) -> Trouble {
    if let Some(violation) = violation(refused) {
        return Trouble { failure: Failure::Violation(violation), then: Then::Answer };
    }
    let (code, message) = meaning(refused.code().code());
    let fault = match code {
        // about a value that the caller wrote or may read, in words that are the same on every engine
        Some(code) if is_of_text(refused) => Fault::new(code, refused.message()),
        Some(code) => Fault::new(code, message),
        None => Fault::internal("the database refused a statement"),
    };
    Trouble { failure: Failure::Fault(fault.with_source(words(refused))), then: then(refused) }
}

/// Whether a text was not of the type that it was converted to.
fn is_of_text(refused: &DbError) -> bool {
    match refused.code().code() {
        "22P02" | "22007" => refused.message().starts_with("invalid input "),
        "22008" => true,
        "22003" => refused.message().contains("\" is out of range for type "),
        _ => false,
    }
}

fn then(refused: &DbError) -> Then {
    let fatal = matches!(refused.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    match refused.code().code() {
        // locks are waited for with a limit by migrations alone
        "40001" | "40P01" | "CR000" | "55P03" => Then::Again,
        // no such prepared statement, one of that name exists already: a pooler is in between
        "26000" | "42P05" => Then::Prepare,
        "0A000" if refused.message().contains("cached plan") => Then::Prepare,
        // a primary that became a replica
        "25006" => Then::Lost,
        state if fatal || state.starts_with("08") || state.starts_with("57P") => Then::Lost,
        _ => Then::Answer,
    }
}

/// Whether a state says that what was prepared under a name is not what the session has.
#[must_use]
pub fn is_pooled(refused: &tokio_postgres::Error) -> bool {
    refused.code().is_some_and(|state| matches!(state.code(), "26000" | "42P05"))
}

/// Whether a connection was refused because it asked for settings that a pooler does not pass on.
#[must_use]
pub fn is_unsupported_option(refused: &tokio_postgres::Error) -> bool {
    refused.as_db_error().is_some_and(|refused| {
        refused.code().code() == "08P01" && refused.message().contains("unsupported startup parameter")
    })
}

fn violation(refused: &DbError) -> Option<Violation> {
    let named = |name: Option<&str>| name.unwrap_or_default().to_owned();
    match refused.code().code() {
        "23505" => Some(Violation::Unique(Named::Name(named(refused.constraint())))),
        "23502" => Some(Violation::NotNull(named(refused.column()))),
        "23514" => Some(Violation::Check(named(refused.constraint()))),
        // since PostgreSQL 18 a restricted delete has a state of its own
        "23503" | "23001" => Some(Violation::Reference(refused.constraint().map(str::to_owned))),
        _ => None,
    }
}

fn meaning(state: &str) -> (Option<Code>, &'static str) {
    match state {
        "22003" => (Some(code::OUT_OF_RANGE), "value out of range"),
        "22008" => (Some(code::INVALID_DATETIME), "date/time field value out of range"),
        "22007" => (Some(code::INVALID_DATETIME), "invalid input syntax for a date or time"),
        "22012" => (Some(code::DIVISION_BY_ZERO), "division by zero"),
        "22021" | "22P05" => (Some(code::INVALID_ENCODING), "invalid byte sequence for encoding \"UTF8\""),
        "22P02" | "22023" => (Some(code::INVALID_TEXT), "invalid input syntax for a type"),
        "22025" => (Some(code::INVALID_ESCAPE), "LIKE pattern must not end with escape character"),
        "2201B" => (Some(code::INVALID_REGEX), "invalid regular expression"),
        "42846" => (Some(code::CANNOT_CAST), "cannot cast between these types"),
        "57014" => (Some(code::STATEMENT_TIMEOUT), "canceling statement due to statement timeout"),
        "40001" => (
            Some(code::SERIALIZATION_FAILURE),
            "could not serialize access due to concurrent writes; nothing was written",
        ),
        "40P01" => (Some(code::DEADLOCK), "deadlock detected; nothing was written"),
        "55P03" => (Some(code::LEASE_LOST), "the tables stay locked by others; nothing was changed"),
        "53100" => (Some(code::DISK_FULL), "no space is left on the disk; nothing was written"),
        "54000" | "54001" | "54023" => (Some(code::TOO_COMPLEX), "a value or statement is too large"),
        "25006" => (Some(code::NO_DATABASE), "the database cannot be written now; nothing was written"),
        _ => match state.get(..2) {
            Some("08" | "28" | "3D") => {
                (Some(code::NO_DATABASE), "the database cannot be reached; nothing was done")
            }
            Some("53" | "57") => {
                (Some(code::NO_DATABASE), "the database cannot answer now; nothing was done")
            }
            Some("58" | "F0") => (Some(code::IO_ERROR), "the storage failed; nothing was written"),
            _ => (None, ""),
        },
    }
}
