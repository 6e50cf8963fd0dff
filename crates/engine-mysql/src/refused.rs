//! What a refused statement of a migration means for whoever wrote it, and which
//! refusals say that it was done before.

use crate::connection::Refusal;
use crate::error::failure;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_sql::session::{Failure, Named, Violation};

/// Table, column, key, constraint or index there already; table, column, key gone already.
const DONE_ALREADY: &[u16] = &[
    1007, 1008, 1022, 1050, 1051, 1054, 1060, 1061, 1068, 1091, 1146, 1176, 1359, 1360, 1826, 3821, 3822,
    3940,
];

/// What the name of a column begins with while its values are converted.
const MOVING: &str = "_new_";

/// A value is missing where one is needed from now on.
const MISSING_VALUE: &[u16] = &[1138, 1263, 1265];

/// A value is not one of the type of its column: wrong, out of range, too long, without a form.
const NO_SUCH_VALUE: &[u16] = &[1264, 1292, 1366, 1406, 1411, 1690];

/// The column of "… for column `db`.`t`.`c` at row 2", or "… 'c' at row 2"; while values move it has another name.
fn column(words: &str) -> String {
    let named = words.rsplit_once("column ").map(|(_, rest)| rest.split(" at row").next().unwrap_or(rest));
    let parts: Vec<&str> = named.unwrap_or("a column").split('.').collect();
    let plain = |part: &&str| part.trim_matches(['`', '\'']).to_owned();
    let parts: Vec<String> = parts.iter().rev().take(2).rev().map(plain).collect();
    parts.join(".").replace(MOVING, "")
}

/// Whether a definition that may have been done before was.
#[must_use]
pub fn is_done_already(refusal: &Refusal) -> bool {
    refusal.number().is_some_and(|number| DONE_ALREADY.contains(&number)) || is_named_twice(refusal)
}

/// MariaDB's words for a reference whose name is there: the table cannot be made.
fn is_named_twice(refusal: &Refusal) -> bool {
    const CANNOT_CREATE: u16 = 1005;
    match refusal {
        Refusal::Server(mysql_async::Error::Server(server)) => {
            server.code == CANNOT_CREATE && server.message.contains("errno: 121")
        }
        Refusal::Server(_) | Refusal::Fault(_) => false,
    }
}

/// What a refused statement means.
#[must_use]
pub fn refused(number: usize, refusal: Refusal) -> Fault {
    const FILL: &str = "give the field a @default, or fill it in the migration file";
    const MEND: &str = "change these rows first, in this migration file or an earlier one";
    let server_number = refusal.number();
    let error = match refusal {
        Refusal::Server(error) => error,
        Refusal::Fault(fault) => return fault,
    };
    let words = match &error {
        mysql_async::Error::Server(server) => server.message.clone(),
        _ => String::new(),
    };
    let there = |code, what: &str, name: &str, hint: &str| {
        Fault::new(code, ["rows that are there already ", what, name].concat()).with_hint(hint)
    };
    match failure(error, "") {
        Failure::Violation(Violation::NotNull(column)) => {
            there(code::NOT_NULL_VIOLATION, "have no value for ", &column, FILL)
        }
        Failure::Violation(Violation::Check(check)) => there(code::CHECK_VIOLATION, "break ", &check, MEND),
        Failure::Violation(Violation::Unique(Named::Name(key))) => {
            there(code::UNIQUE_VIOLATION, "have the same ", &key, MEND)
        }
        Failure::Violation(Violation::Unique(Named::Columns(columns))) => {
            there(code::UNIQUE_VIOLATION, "have the same ", &columns.join(", "), MEND)
        }
        Failure::Violation(Violation::Reference(name)) => {
            let name = name.unwrap_or_else(|| "a reference".to_owned());
            there(code::FOREIGN_KEY_VIOLATION, "break ", &name, MEND)
        }
        Failure::Fault(_) if server_number.is_some_and(|number| MISSING_VALUE.contains(&number)) => {
            there(code::NOT_NULL_VIOLATION, "have no value for a column: ", &words, FILL)
        }
        Failure::Fault(_) if server_number.is_some_and(|number| NO_SUCH_VALUE.contains(&number)) => {
            there(code::INVALID_TEXT, "have a value that ", &[&column(&words), " cannot hold"].concat(), MEND)
        }
        Failure::Fault(cause) => {
            let message = format!("statement {number} of the migration failed: {words}");
            match cause {
                // the words are in the message already
                Fault { code: code::INTERNAL, .. } => Fault::new(code::SYNTAX_ERROR, message),
                Fault { code: code::CONNECTION_LOST, .. } => cause,
                cause => Fault { message, ..cause },
            }
        }
    }
}
