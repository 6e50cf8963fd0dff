//! What a refused statement means for whoever wrote the migration.

use crate::error::{Trouble, words};
use backstay_base::code;
use backstay_base::fault::Fault;
use tokio_postgres::Error;
use tokio_postgres::error::DbError;

const MEND: &str = "change these rows first, in this migration file or an earlier one";

/// The trouble with the statement of this number.
pub(super) fn refused(number: usize, error: Error) -> Trouble {
    let Some(cause) = error.as_db_error() else { return error.into() };
    if let Some(fault) = rows_in_the_way(cause) {
        return Trouble::answer(fault);
    }
    let message = format!("statement {number} of the migration failed: {}", words(cause));
    let trouble = Trouble::from(error);
    let then = trouble.then;
    let fault = match trouble.into_fault() {
        // the words are in the message already
        Fault { code: code::INTERNAL, .. } => Fault::new(code::SYNTAX_ERROR, message),
        cause => Fault { message, ..cause },
    };
    Trouble { failure: fault.into(), then }
}

/// The same, of a statement that may convert values: which does not, the database says in words that hold it.
pub(super) fn refused_values(number: usize, statement: &str, error: Error) -> Trouble {
    let is_value = error.code().is_some_and(|state| state.code().starts_with("22"));
    match converted(statement).filter(|_| is_value) {
        Some((table, column)) => {
            let message =
                format!("rows that are there already have a value that {table}.{column} cannot hold");
            Trouble::answer(Fault::new(code::INVALID_TEXT, message).with_hint(MEND))
        }
        None => refused(number, error),
    }
}

/// Table and column of `ALTER TABLE "t" ALTER COLUMN "c" TYPE …`.
fn converted(statement: &str) -> Option<(&str, &str)> {
    let (table, rest) = statement.strip_prefix("ALTER TABLE \"")?.split_once("\" ALTER COLUMN \"")?;
    let (column, _) = rest.split_once("\" TYPE ")?;
    Some((table, column))
}

fn rows_in_the_way(cause: &DbError) -> Option<Fault> {
    const FILL: &str = "give the field a @default, or fill it in the migration file";
    let table = cause.table().unwrap_or_default();
    match cause.code().code() {
        "23502" => {
            let column = cause.column().unwrap_or_default();
            let message = format!("rows that are there already have no value for {table}.{column}");
            Some(Fault::new(code::NOT_NULL_VIOLATION, message).with_hint(FILL))
        }
        "23514" => {
            let check = cause.constraint().unwrap_or_default();
            // a check that stands while a column comes to require a value
            if let Some(column) =
                check.strip_suffix("_required").and_then(|rest| rest.strip_prefix(table)?.strip_prefix('_'))
            {
                let message = format!("rows that are there already have no value for {table}.{column}");
                return Some(Fault::new(code::NOT_NULL_VIOLATION, message).with_hint(FILL));
            }
            let message = format!("rows that are there already break {check}");
            Some(Fault::new(code::CHECK_VIOLATION, message).with_hint(MEND))
        }
        "23505" => {
            let message = format!("rows that are there already have the same {}", columns(cause, table));
            Some(Fault::new(code::UNIQUE_VIOLATION, message).with_hint(MEND))
        }
        "23503" | "23001" => Some(Fault::new(
            code::FOREIGN_KEY_VIOLATION,
            "the migration leaves rows that refer to rows that are not there",
        )),
        _ => None,
    }
}

/// `table.a, table.b` of `Key (a, b)=(…) is duplicated.`
fn columns(cause: &DbError, table: &str) -> String {
    let named = cause.detail().and_then(|detail| detail.strip_prefix("Key (")?.split_once(")="));
    match named {
        Some((columns, _)) => {
            let columns: Vec<String> =
                columns.split(", ").map(|column| format!("{table}.{}", column.trim_matches('"'))).collect();
            columns.join(", ")
        }
        None => cause.constraint().unwrap_or_default().to_owned(),
    }
}
