//! One migration as an engine applies it, and the journal of those applied.
//! The text comes from migration files, which are plain SQL that a person may edit.

pub mod by_key;

use crate::lease::Held;

/// Name of the journal's table.
pub const JOURNAL_TABLE: &str = "_backstay_migration";

/// What the name of a table begins with while it is made anew beside the one whose name it takes.
pub const SCRATCH_PREFIX: &str = "_rebuild_";

/// Tables that engines make for themselves; no catalog has them and no diff speaks of them.
pub const ENGINE_TABLES: &[&str] =
    &[JOURNAL_TABLE, crate::lease::LEASE_TABLE, "_backstay_migration_step", "_backstay_copy"];

/// The statements of one migration with the journal row that goes with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// SQL statements, in order.
    pub statements: Vec<String>,
    /// The row to write; none where nothing is to be recorded (a scratch database).
    pub journal: Option<JournalRow>,
    /// Numbers of journal rows that go with it.
    pub forget: Vec<i64>,
    /// The lease under which this runs: without it the statements do not run. None in a scratch database.
    pub lease: Option<Held>,
    /// How it is divided.
    pub pace: Pace,
    /// Whether it is applied or taken back.
    pub way: Way,
}

/// Whether a statement changes so many rows at a time, and is asked again until it changes none: an `UPDATE` or
/// `DELETE` that ends with `LIMIT` and a number, or ends so within brackets.
#[must_use]
pub fn is_batched(statement: &str) -> bool {
    let mut words = statement.split_whitespace();
    let verb = words.next().unwrap_or_default();
    let mut end = words.rev();
    let number = end.next().unwrap_or_default().trim_end_matches(')');
    let limits = end.next().is_some_and(|word| word.eq_ignore_ascii_case("LIMIT"));
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let changes = ["UPDATE", "DELETE"].iter().any(|known| verb.eq_ignore_ascii_case(known));
    changes && limits && is_number
}

/// Most times that such a statement is asked: one that changes the same rows again would never end.
pub const MOST_BATCHES: u64 = 10_000_000;

/// Which way a migration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It is applied: its journal row comes.
    Forth,
    /// It is taken back, in one piece where definitions are transactional: its journal row, which has to be
    /// there, goes.
    Back,
}

/// How a migration is divided where definitions are transactional.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// All of it or nothing, however long others wait.
    Whole,
    /// In the parts that its file has, so that nobody waits for long: what is done of it is written down,
    /// and another run goes on there.
    Parts,
}

impl Batch {
    /// Statements alone: no journal row, no lease.
    #[must_use]
    pub const fn plain(statements: Vec<String>) -> Self {
        Self {
            statements,
            journal: None,
            forget: Vec::new(),
            lease: None,
            pace: Pace::Whole,
            way: Way::Forth,
        }
    }
}

/// A migration of which some statements were done, and others are still to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished {
    /// Its number.
    pub number: i64,
    /// Which way it went.
    pub way: Way,
}

/// One applied migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// Its number, rising.
    pub number: i64,
    /// Its file name.
    pub name: String,
    /// Checksum of the file.
    pub checksum: String,
    /// When, in the canonical text form of a timestamp.
    pub applied_at: String,
}

#[cfg(test)]
mod tests {
    use super::is_batched;

    #[test]
    fn batches_are_told() {
        for (statement, batched) in [
            ("UPDATE a SET b = 1 WHERE b IS NULL LIMIT 1000", true),
            ("update a set b = c where (id) in (select id from a where b is null limit 1000)", true),
            ("DELETE FROM a WHERE b LIMIT 5", true),
            ("UPDATE a SET b = 'LIMIT 5'", false),
            ("UPDATE a SET b = (SELECT c FROM d LIMIT 1) WHERE e", false),
            ("SELECT a FROM b LIMIT 5", false),
            ("UPDATE a SET b = 1 LIMIT", false),
            ("UPDATE", false),
        ] {
            assert_eq!(is_batched(statement), batched, "{statement}");
        }
    }
}
