//! The columns of an audit, the table that says who wrote what to the rows of a type. The
//! compiler makes them, the runner fills them in; both take the names from here.

/// Counted, in the order of the writes.
pub const ID: &str = "id";
/// When.
pub const AT: &str = "at";
/// `CREATE`, `UPDATE` or `DELETE`.
pub const OPERATION: &str = "operation";
/// The account that wrote.
pub const ACCOUNT: &str = "account";
/// Its role.
pub const ROLE: &str = "role";
/// The columns that differ.
pub const FIELDS: &str = "fields";
/// Their values before.
pub const BEFORE: &str = "before";
/// Their values after.
pub const AFTER: &str = "after";

/// The column that holds a part of the key of the row, or its tenant.
#[must_use]
pub fn key_column(column: &str) -> String {
    format!("row_{column}")
}
