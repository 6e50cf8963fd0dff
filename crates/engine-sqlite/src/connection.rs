//! Opening connections: settings, functions, budget. Every connection of the
//! process is made here.

use crate::budget::{Budget, STEPS_PER_TICK};
use crate::commit_log;
use crate::error::OpenError;
use crate::functions;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Prepared statements that a connection keeps.
const CACHED_STATEMENTS: usize = 512;

/// How long the writer waits for another program that holds the file, in milliseconds.
const WRITER_BUSY_MS: u64 = 5_000;

/// SQLite 3.51.3.
const OLDEST_VERSION: i32 = 3_051_003;

const WRITER_SETTINGS: &str = "PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -16000;
PRAGMA cell_size_check = ON;
PRAGMA trusted_schema = OFF;";

const READER_SETTINGS: &str = "PRAGMA query_only = ON;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -8000;
PRAGMA cell_size_check = ON;
PRAGMA trusted_schema = OFF;";

/// A connection with what bounds its statements.
#[derive(Debug)]
pub struct Opened {
    /// The connection.
    pub connection: Connection,
    /// Its budget.
    pub budget: Arc<Budget>,
}

/// Refuses a library that is older than what this program relies on.
///
/// # Errors
/// [`OpenError::Version`].
pub fn check_version() -> Result<(), OpenError> {
    if rusqlite::version_number() < OLDEST_VERSION {
        return Err(OpenError::Version(rusqlite::version()));
    }
    Ok(())
}

/// The connection that writes.
///
/// # Errors
/// When SQLite cannot open the file.
pub fn writer(path: &Path, is_shipped: bool) -> Result<Opened, OpenError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::from_millis(WRITER_BUSY_MS))?;
    connection.execute_batch(WRITER_SETTINGS)?;
    if is_shipped {
        commit_log::settle(&connection)?;
    }
    prepare(connection)
}

/// Reads the whole file for damage.
///
/// # Errors
/// [`OpenError::Damaged`] with SQLite's words.
pub fn verify(connection: &Connection) -> Result<(), OpenError> {
    let words: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if words == "ok" { Ok(()) } else { Err(OpenError::Damaged(words)) }
}

/// Runs a statement of the program that has neither values nor rows: `BEGIN`, `COMMIT` and kin.
/// Kept prepared, as reading it anew costs more than running it.
///
/// # Errors
/// Whatever SQLite refuses it with.
pub fn control(connection: &Connection, statement: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

/// A connection that only reads. It never waits for a lock unless told to.
///
/// # Errors
/// When SQLite cannot open the file.
pub fn reader(path: &Path, is_shipped: bool) -> Result<Opened, OpenError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::ZERO)?;
    connection.execute_batch(READER_SETTINGS)?;
    if is_shipped {
        commit_log::settle(&connection)?;
    }
    prepare(connection)
}

fn prepare(mut connection: Connection) -> Result<Opened, OpenError> {
    // Without this SQLite prepares a statement anew whenever a bound value that its planner
    // has looked at changes: that costs more than running it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    functions::register(&connection)?;
    let budget = Arc::new(Budget::default());
    let asked = Arc::clone(&budget);
    connection.progress_handler(STEPS_PER_TICK, Some(move || asked.tick()))?;
    Ok(Opened { connection, budget })
}
