//! What the server's errors mean: faults with stable codes, and the constraint that a
//! refused statement broke. Neither SQL nor values nor passwords get into a message.

use backstay_base::code::{self, Code};
use backstay_base::fault::Fault;
use backstay_sql::session::{Failure, Named, Violation};
use mysql_async::{DriverError, Error, ServerError};

/// Why a database could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL does not say where.
    #[error("the URL of the database is wrong: {0}")]
    Url(String),
    /// Certificates cannot be read.
    #[error("the certificates for the database cannot be read: {0}")]
    Certificates(String),
}

/// What went wrong with a statement; `text` names the table whose key was broken.
#[must_use]
pub fn failure(error: Error, text: &str) -> Failure {
    if let Error::Server(server) = &error
        && let Some(violation) = violation(server, text)
    {
        return Failure::Violation(violation);
    }
    Failure::Fault(fault(error))
}

/// What went wrong outside of a constraint.
#[must_use]
pub fn fault(error: Error) -> Fault {
    match &error {
        Error::Server(server) => {
            let (code, words) = meaning(server.code);
            if code == code::INTERNAL {
                return Fault::internal("the database refused a statement").with_source(error);
            }
            Fault::new(code, words).with_source(error)
        }
        _ if is_lost(&error) => lost(error),
        Error::Driver(_) | Error::Io(_) | Error::Other(_) | Error::Url(_) => {
            Fault::internal("the database driver refused").with_source(error)
        }
    }
}

/// The connection went away: a read, or a transaction whose end was not asked for yet, may run again.
#[must_use]
pub fn lost(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    Fault::new(code::CONNECTION_LOST, "the connection to the database was lost; nothing was written")
        .with_source(source)
}

/// A statement that took too long.
#[must_use]
pub fn timed_out() -> Fault {
    Fault::new(code::STATEMENT_TIMEOUT, "canceling statement due to statement timeout")
}

/// The connection went away while a write was being made durable.
#[must_use]
pub fn unknown_outcome(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    let words =
        "the connection was lost while the write was being made durable: it may or may not have happened";
    Fault::new(code::OUTCOME_UNKNOWN, words).with_source(source)
}

/// Whether a connection is of no use after this.
#[must_use]
pub fn is_lost(error: &Error) -> bool {
    match error {
        Error::Io(_) => true,
        Error::Driver(driver) => {
            matches!(driver, DriverError::ConnectionClosed | DriverError::PacketOutOfOrder)
        }
        Error::Server(server) => meaning(server.code).0 == code::CONNECTION_LOST,
        Error::Other(_) | Error::Url(_) => false,
    }
}

/// table: numbers of the server's errors.
fn meaning(number: u16) -> (Code, &'static str) {
    match number {
        // deadlock; a record that changed since the snapshot; Galera's certification says 1213
        1213 => (code::DEADLOCK, "deadlock detected"),
        1020 => (code::SERIALIZATION_FAILURE, "could not serialize access due to concurrent update"),
        1205 => (code::STATEMENT_TIMEOUT, "canceling statement due to lock timeout"),
        1317 | 1907 | 1969 | 3024 => {
            (code::STATEMENT_TIMEOUT, "canceling statement due to statement timeout")
        }
        // shutdown, killed, gone, Galera not ready, read-only after a failover, LOAD being refused
        1047
        | 1053
        | 1077..=1080
        | 1152
        | 1158..=1161
        | 1184
        | 1290
        | 1792
        | 1836
        | 1927
        | 2006
        | 2013
        | 3168 => (code::CONNECTION_LOST, "the connection to the database was lost; nothing was written"),
        1040 | 1203 | 1226 => (code::NO_DATABASE, "the database accepts no more connections"),
        1044 | 1045 | 1049 | 1129 | 1130 | 1698 => (code::NO_DATABASE, "the database cannot be reached"),
        1021 | 1114 => (code::DISK_FULL, "no space is left on the disk; nothing was written"),
        3 | 5 | 1026 | 1030 | 1033 | 1034 | 1037 | 1041 | 1180 | 1194 | 1712 => {
            (code::IO_ERROR, "the storage failed; nothing was written")
        }
        1264 | 1690 => (code::OUT_OF_RANGE, "value out of range"),
        1406 => (code::OUT_OF_RANGE, "value too long"),
        1365 => (code::DIVISION_BY_ZERO, "division by zero"),
        1292 | 1411 => (code::INVALID_DATETIME, "invalid input syntax for a date or time"),
        1366 | 3140 | 3141 | 4037 | 4038 => (code::INVALID_TEXT, "invalid input syntax"),
        1300 | 3854 => (code::INVALID_ENCODING, "invalid byte sequence for encoding \"UTF8\""),
        1139 | 3685..=3699 => (code::INVALID_REGEX, "invalid regular expression"),
        1038 | 1104 | 1116 | 1118 | 1119 | 1153 | 1301 | 1390 | 1436 => {
            (code::TOO_COMPLEX, "a value or statement is too large")
        }
        _ => (code::INTERNAL, ""),
    }
}

fn violation(server: &ServerError, text: &str) -> Option<Violation> {
    let message = server.message.as_str();
    match server.code {
        1062 | 1586 => {
            let key = last_quoted(message, '\'')?;
            // MySQL says `table.key`, MariaDB `key`
            let key = key.rsplit_once('.').map_or(key, |(_, key)| key);
            Some(Violation::Unique(Named::Name(match (key, table_of(text)) {
                ("PRIMARY", Some(table)) => [table, "_pkey"].concat(),
                _ => key.to_owned(),
            })))
        }
        1761 | 1762 => Some(Violation::Unique(Named::Name(last_quoted(message, '\'')?.to_owned()))),
        1048 | 1263 | 1364 | 1830 => Some(Violation::NotNull(first_quoted(message, '\'')?.to_owned())),
        3819 => Some(Violation::Check(first_quoted(message, '\'')?.to_owned())),
        4025 => Some(Violation::Check(first_quoted(message, '`')?.to_owned())),
        1216 | 1217 | 1451 | 1452 => {
            let named = message.split_once("CONSTRAINT `").and_then(|(_, rest)| rest.split_once('`'));
            Some(Violation::Reference(named.map(|(name, _)| name.to_owned())))
        }
        _ => None,
    }
}

/// The value of a key stands before its name and may hold quotes: the last pair is the name.
fn last_quoted(message: &str, quote: char) -> Option<&str> {
    let (before, _) = message.rsplit_once(quote)?;
    before.rsplit_once(quote).map(|(_, name)| name)
}

fn first_quoted(message: &str, quote: char) -> Option<&str> {
    message.split_once(quote)?.1.split_once(quote).map(|(name, _)| name)
}

/// The table that a statement of ours writes.
fn table_of(text: &str) -> Option<&str> {
    let rest = ["INSERT INTO `", "UPDATE `"].iter().find_map(|verb| text.strip_prefix(verb))?;
    rest.split_once('`').map(|(table, _)| table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: u16, message: &str) -> Option<Violation> {
        let server = ServerError { code, message: message.to_owned(), state: "23000".to_owned() };
        violation(&server, "INSERT INTO `post` (`id`) VALUES (?)")
    }

    #[test]
    fn constraints_are_read_from_the_words_of_both_servers() {
        let unique = |name: &str| Some(Violation::Unique(Named::Name(name.to_owned())));
        assert_eq!(of(1062, "Duplicate entry '1' for key 'PRIMARY'"), unique("post_pkey"));
        assert_eq!(of(1062, "Duplicate entry '1' for key 'post.PRIMARY'"), unique("post_pkey"));
        assert_eq!(
            of(1062, "Duplicate entry 'a' for key 'x'' for key 'post_slug_key'"),
            unique("post_slug_key")
        );
        assert_eq!(of(1062, "Duplicate entry 'a' for key 'post.post_slug_key'"), unique("post_slug_key"));
        assert_eq!(of(1048, "Column 'title' cannot be null"), Some(Violation::NotNull("title".to_owned())));
        assert_eq!(
            of(1364, "Field 'title' doesn't have a default value"),
            Some(Violation::NotNull("title".to_owned()))
        );
        let check = Some(Violation::Check("post_check".to_owned()));
        assert_eq!(of(4025, "CONSTRAINT `post_check` failed for `db`.`post`"), check);
        assert_eq!(of(3819, "Check constraint 'post_check' is violated."), check);
        let reference = "Cannot add or update a child row: a foreign key constraint fails (`db`.`post`, CONSTRAINT `post_author_fkey` FOREIGN KEY (`author_id`) REFERENCES `person` (`id`))";
        assert_eq!(of(1452, reference), Some(Violation::Reference(Some("post_author_fkey".to_owned()))));
        assert_eq!(of(1217, "Cannot delete or update a parent row"), Some(Violation::Reference(None)));
        assert_eq!(of(1146, "Table 'x' doesn't exist"), None);
    }
}
