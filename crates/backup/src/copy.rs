//! A consistent copy of a database file while it is written to: one read transaction, SQLite's
//! own backup, and what is in it.

use crate::error::{BackupError, Result};
use crate::manifest::Table;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// A connection that sees the database as it is now, until it is dropped.
///
/// # Errors
/// When it cannot be opened.
pub fn moment(database: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    // another process may write the file: its log is not ours to copy or remove
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.execute_batch("PRAGMA query_only = ON; BEGIN; SELECT count(*) FROM sqlite_schema;")?;
    Ok(connection)
}

/// Writes what a connection sees to a new file.
///
/// # Errors
/// When there is no room.
pub fn write(source: &Connection, to: &Path) -> Result<()> {
    let mut copy = Connection::open(to)?;
    copy.execute_batch("PRAGMA synchronous = OFF")?;
    let backup = Backup::new(source, &mut copy)?;
    match backup.step(-1)? {
        StepResult::Done => Ok(()),
        other => Err(BackupError::Io(std::io::Error::other(format!("the copy was not finished: {other:?}")))),
    }
}

/// Whether SQLite finds a file whole.
///
/// # Errors
/// [`BackupError::Damaged`] with its words.
pub fn check(name: &str, file: &Path) -> Result<()> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let words: String = connection.query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))?;
    if words == "ok" { Ok(()) } else { Err(BackupError::damaged(name, words)) }
}

/// Every table of a file: its rows, and a digest of them.
///
/// # Errors
/// When it cannot be read.
pub fn tables(file: &Path) -> Result<Vec<Table>> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mut names = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name",
    )?;
    let names: Vec<String> = names.query_map((), |row| row.get(0))?.collect::<std::result::Result<_, _>>()?;
    names.into_iter().map(|name| table(&connection, name)).collect()
}

fn table(connection: &Connection, name: String) -> Result<Table> {
    // a name of the file itself, quoted as SQL quotes names
    let mut statement = connection.prepare(&format!("SELECT * FROM \"{}\"", name.replace('"', "\"\"")))?;
    let columns = statement.column_count();
    let mut found = statement.query(())?;
    let (mut rows, mut sum) = (0, 0_u128);
    while let Some(row) = found.next()? {
        let mut hash = Sha256::new();
        for column in 0..columns {
            feed(&mut hash, row.get_ref(column)?);
        }
        let digest = hash.finalize();
        let (first, _) =
            digest.split_first_chunk::<16>().ok_or_else(|| std::io::Error::other("a short digest"))?;
        // a sum: rows have no order
        sum = sum.wrapping_add(u128::from_be_bytes(*first));
        rows += 1;
    }
    Ok(Table { name, rows, digest: STANDARD_NO_PAD.encode(sum.to_be_bytes()) })
}

/// A value with its kind and length: no two different rows feed the same bytes.
fn feed(hash: &mut Sha256, value: ValueRef<'_>) {
    let (kind, bytes): (u8, &[u8]) = match value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(number) => return hash.update([&[1][..], &number.to_be_bytes()].concat()),
        ValueRef::Real(number) => return hash.update([&[2][..], &number.to_bits().to_be_bytes()].concat()),
        ValueRef::Text(bytes) => (3, bytes),
        ValueRef::Blob(bytes) => (4, bytes),
    };
    hash.update([kind]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}
