//! One migration as an engine applies it, and the journal of those applied.
//! The text comes from migration files, which are plain SQL that a person may edit.

/// Name of the journal's table.
pub const JOURNAL_TABLE: &str = "_backstay_migration";

/// The statements of one migration with the journal row that goes with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// SQL statements, in order.
    pub statements: Vec<String>,
    /// The row to write; none where nothing is to be recorded (a scratch database).
    pub journal: Option<JournalRow>,
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
