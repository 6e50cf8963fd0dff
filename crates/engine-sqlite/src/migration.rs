//! Migrations and their journal.

mod triggers;

use self::triggers::Triggers;
use crate::connection::Opened;
use crate::error::fault;
use crate::introspect;
use crate::lease;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_engine::live::Live;
use backstay_engine::migration::{
    Batch, JOURNAL_TABLE, JournalRow, MOST_BATCHES, SCRATCH_PREFIX, Way, is_batched,
};
use rusqlite::Connection;

const MAKE_JOURNAL: &str = "CREATE TABLE IF NOT EXISTS \"_backstay_migration\" (
  \"number\" INTEGER NOT NULL CONSTRAINT \"_backstay_migration_pkey\" PRIMARY KEY,
  \"name\" TEXT NOT NULL,
  \"checksum\" TEXT NOT NULL,
  \"applied_at\" TEXT NOT NULL
) STRICT";

const ADD_JOURNAL_ROW: &str = "INSERT INTO \"_backstay_migration\" (\"number\", \"name\", \"checksum\", \"applied_at\") VALUES (?, ?, ?, ?)";

const FORGET_JOURNAL_ROW: &str = "DELETE FROM \"_backstay_migration\" WHERE \"number\" = ?";

const READ_JOURNAL: &str = "SELECT \"number\", \"name\", \"checksum\", \"applied_at\" FROM \"_backstay_migration\" ORDER BY \"number\"";

/// Runs a migration: all of it and its journal row, or nothing. References are
/// checked at the end, because rebuilding a table breaks them for a while.
///
/// # Errors
/// Whatever a statement is refused with, named by its number; 23503 when references dangle at the end.
pub fn apply(opened: &mut Opened, batch: &Batch) -> Result<(), Fault> {
    opened.budget.lift();
    let connection = &opened.connection;
    connection.execute_batch("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE").map_err(fault)?;
    let result = run(connection, batch).and_then(|()| connection.execute_batch("COMMIT").map_err(fault));
    if result.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(fault)?;
    }
    connection.execute_batch("PRAGMA foreign_keys = ON").map_err(fault)?;
    connection.flush_prepared_statement_cache();
    result
}

/// What an empty database looks like after these statements.
///
/// # Errors
/// Whatever a statement is refused with.
pub fn rehearse(statements: &[String]) -> Result<Live, Fault> {
    let connection = Connection::open_in_memory().map_err(fault)?;
    // as in a migration: a table may refer to one that a later statement makes
    connection.execute_batch("PRAGMA foreign_keys = OFF").map_err(fault)?;
    run(&connection, &Batch::plain(statements.to_vec()))?;
    introspect::live(&connection)
}

/// The migrations that were applied.
///
/// # Errors
/// When the journal cannot be read.
pub fn journal(connection: &Connection) -> Result<Vec<JournalRow>, Fault> {
    if !has_journal(connection).map_err(fault)? {
        return Ok(Vec::new());
    }
    read(connection).map_err(fault)
}

fn run(connection: &Connection, batch: &Batch) -> Result<(), Fault> {
    if let Some(held) = &batch.lease {
        lease::keep(connection, held)?;
    }
    let outside = connection.is_autocommit();
    let mut triggers = Triggers::default();
    for (index, statement) in batch.statements.iter().enumerate() {
        if statement.starts_with("DROP TABLE ") {
            triggers = Triggers::read(connection)?;
        }
        execute(connection, statement).map_err(|error| refused(index + 1, error))?;
        if connection.is_autocommit() != outside {
            let message = format!("statement {} of the migration begins or ends a transaction", index + 1);
            return Err(Fault::new(code::TRANSACTION_STATE, message));
        }
        if let Some(table) = made_anew(statement) {
            triggers.restore(connection, &table)?;
        }
    }
    let dangling: bool = connection
        .query_row("SELECT EXISTS (SELECT 1 FROM pragma_foreign_key_check)", [], |row| row.get(0))
        .map_err(fault)?;
    if dangling {
        return Err(Fault::new(
            code::FOREIGN_KEY_VIOLATION,
            "the migration leaves rows that refer to rows that are not there",
        ));
    }
    for number in &batch.forget {
        connection.execute(FORGET_JOURNAL_ROW, [number]).map_err(fault)?;
    }
    if let Some(row) = batch.journal.as_ref().filter(|_| batch.way == Way::Back) {
        let gone = connection.execute(FORGET_JOURNAL_ROW, [row.number]).map_err(fault)?;
        if gone == 0 {
            let message = format!("{} was taken back already", row.name);
            return Err(Fault::new(code::TRANSACTION_STATE, message));
        }
    } else if let Some(row) = &batch.journal {
        connection.execute_batch(MAKE_JOURNAL).map_err(fault)?;
        connection
            .execute(ADD_JOURNAL_ROW, (row.number, &row.name, &row.checksum, &row.applied_at))
            .map_err(fault)?;
    }
    Ok(())
}

/// The table that has been made anew with this statement: it takes the name of the old one.
fn made_anew(statement: &str) -> Option<String> {
    let rest = statement.strip_prefix("ALTER TABLE \"")?.strip_prefix(SCRATCH_PREFIX)?;
    let (_, name) = rest.split_once("\" RENAME TO \"")?;
    Some(name.strip_suffix('"')?.replace("\"\"", "\""))
}

/// Runs a statement. A table that was made anew takes the name of the old one, which is gone: views that
/// read it must not be looked through meanwhile.
fn execute(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    if is_batched(statement) {
        // one transaction has it all: nobody waits less for many statements
        let mut left = MOST_BATCHES;
        while left > 0 && connection.execute(statement, [])? > 0 {
            left -= 1;
        }
        return Ok(());
    }
    let renamed = statement.strip_prefix("ALTER TABLE \"").and_then(|rest| rest.strip_prefix(SCRATCH_PREFIX));
    if renamed.is_none() {
        return connection.execute_batch(statement);
    }
    connection.execute_batch("PRAGMA legacy_alter_table = ON")?;
    let done = connection.execute_batch(statement);
    connection.execute_batch("PRAGMA legacy_alter_table = OFF")?;
    done
}

/// What a refused statement means for whoever wrote the migration.
fn refused(number: usize, error: rusqlite::Error) -> Fault {
    const FILL: &str = "give the field a @default, or fill it in the migration file";
    const MEND: &str = "change these rows first, in this migration file or an earlier one";
    let words = error.to_string();
    let broken = |kind: &str| words.strip_prefix(kind)?.strip_prefix(" constraint failed: ");
    if let Some(column) = broken("NOT NULL") {
        let message = ["rows that are there already have no value for ", column].concat();
        return Fault::new(code::NOT_NULL_VIOLATION, message).with_hint(FILL);
    }
    if let Some(check) = broken("CHECK") {
        let message = ["rows that are there already break ", check].concat();
        return Fault::new(code::CHECK_VIOLATION, message).with_hint(MEND);
    }
    if let Some(columns) = broken("UNIQUE") {
        let message = ["rows that are there already have the same ", columns].concat();
        return Fault::new(code::UNIQUE_VIOLATION, message).with_hint(MEND);
    }
    // what does not convert becomes bytes, which no column of another type takes
    if let Some((_, column)) =
        words.strip_prefix("cannot store BLOB value in ").and_then(|rest| rest.split_once(" column "))
    {
        let message = format!("rows that are there already have a value that {column} cannot hold");
        return Fault::new(code::INVALID_TEXT, message).with_hint(MEND);
    }
    let message = format!("statement {number} of the migration failed: {words}");
    match fault(error) {
        // the words are in the message already
        Fault { code: code::INTERNAL, .. } => Fault::new(code::SYNTAX_ERROR, message),
        cause => Fault { message, ..cause },
    }
}

fn has_journal(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?)",
        [JOURNAL_TABLE],
        |row| row.get(0),
    )
}

fn read(connection: &Connection) -> rusqlite::Result<Vec<JournalRow>> {
    let mut statement = connection.prepare(READ_JOURNAL)?;
    let rows = statement.query_map([], |row| {
        Ok(JournalRow {
            number: row.get(0)?,
            name: row.get(1)?,
            checksum: row.get(2)?,
            applied_at: row.get(3)?,
        })
    })?;
    rows.collect()
}
