//! Leases in the file. The lock of the file keeps other processes out already, yet the row
//! is kept all the same: what asks for a lease need not know which engine answers.

use crate::connection::Opened;
use crate::error::fault;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_engine::lease::{Held, LeaseAction, LeaseAnswer, LeaseRequest};
use rusqlite::{Connection, OptionalExtension};

const MAKE_TABLE: &str = "CREATE TABLE IF NOT EXISTS \"_backstay_lease\" (
  \"name\" TEXT NOT NULL CONSTRAINT \"_backstay_lease_pkey\" PRIMARY KEY,
  \"holder\" TEXT NOT NULL,
  \"fence\" INTEGER NOT NULL,
  \"until\" TEXT NOT NULL
) STRICT";

const TAKE: &str = "INSERT INTO \"_backstay_lease\" (\"name\", \"holder\", \"fence\", \"until\")
VALUES (?1, ?2, 1, strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', ?3))
ON CONFLICT (\"name\") DO UPDATE SET \"holder\" = excluded.\"holder\", \"fence\" = \"fence\" + 1, \"until\" = excluded.\"until\"
WHERE \"holder\" = excluded.\"holder\" OR \"until\" <= strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
RETURNING \"fence\"";

const RENEW: &str =
    "UPDATE \"_backstay_lease\" SET \"until\" = strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', ?4)
WHERE \"name\" = ?1 AND \"holder\" = ?2 AND \"fence\" = ?3 RETURNING \"fence\"";

const RELEASE: &str = "UPDATE \"_backstay_lease\" SET \"until\" = strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
WHERE \"name\" = ?1 AND \"holder\" = ?2 AND \"fence\" = ?3";

/// What an earlier process of this file left: it has ended, for its lock was taken.
const END_EARLIER: &str =
    "UPDATE \"_backstay_lease\" SET \"until\" = strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
WHERE \"until\" > strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')";

const READ: &str = "SELECT \"holder\", \"until\" FROM \"_backstay_lease\" WHERE \"name\" = ?1";

const KEEP: &str = "UPDATE \"_backstay_lease\" SET \"until\" = strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', ?3)
WHERE \"name\" = ?1 AND \"fence\" = ?2";

/// Takes, renews or gives back. The first time that a process asks, leases of an earlier one end:
/// it was killed, or it would not have left any.
///
/// # Errors
/// When the file cannot be written.
pub fn ask(opened: &Opened, request: &LeaseRequest, is_first: bool) -> Result<LeaseAnswer, Fault> {
    opened.budget.lift();
    let connection = &opened.connection;
    connection.execute_batch("BEGIN IMMEDIATE").map_err(fault)?;
    let answer = connection
        .execute_batch(MAKE_TABLE)
        .and_then(|()| if is_first { connection.execute(END_EARLIER, ()).map(drop) } else { Ok(()) })
        .and_then(|()| answer(connection, request))
        .and_then(|answer| connection.execute_batch("COMMIT").map(|()| answer))
        .map_err(fault);
    if answer.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(fault)?;
    }
    answer
}

/// Whether the lease is still that of a migration, within its transaction.
///
/// # Errors
/// 55P03, when it is not.
pub fn keep(connection: &Connection, held: &Held) -> Result<(), Fault> {
    let kept = connection.execute(KEEP, (&held.name, held.fence, seconds(held.ttl_ms))).map_err(fault)?;
    if kept == 1 {
        return Ok(());
    }
    let message = format!("the lease {:?} was taken over; nothing was done", held.name);
    Err(Fault::new(code::LEASE_LOST, message))
}

fn answer(connection: &Connection, request: &LeaseRequest) -> rusqlite::Result<LeaseAnswer> {
    let LeaseRequest { name, holder, action } = request;
    let fence = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    let held = match *action {
        LeaseAction::Take { ttl_ms } => {
            connection.query_row(TAKE, (name, holder, seconds(ttl_ms)), fence).optional()?
        }
        LeaseAction::Renew { fence: shown, ttl_ms } => {
            connection.query_row(RENEW, (name, holder, shown, seconds(ttl_ms)), fence).optional()?
        }
        LeaseAction::Release { fence: shown } => {
            connection.execute(RELEASE, (name, holder, shown))?;
            return Ok(LeaseAnswer::Released);
        }
    };
    if let Some(fence) = held {
        return Ok(LeaseAnswer::Held { fence });
    }
    let taken = connection.query_row(READ, [name], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (holder, until) = taken.unwrap_or_default();
    Ok(LeaseAnswer::Taken { holder, until })
}

/// A modifier of SQLite's dates: `+30.000 seconds`.
fn seconds(ms: u64) -> String {
    format!("+{}.{:03} seconds", ms / 1000, ms % 1000)
}
