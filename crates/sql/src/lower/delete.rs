//! The statements of a delete: classify, then delete by key.

use super::Lower;
use crate::dialect::Dialect;
use crate::statement::Statement;
use backstay_base::fault::Fault;
use backstay_query::plan::{Delete, SourceId};
use backstay_schema::catalog::{Catalog, ColumnId, Table};

/// Key of each row that is asked for, and whether it may go.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn classify(catalog: &Catalog, dialect: &'static Dialect, delete: &Delete) -> Result<Statement, Fault> {
    let mut lower = Lower::judging(catalog, dialect);
    let table = catalog.table(delete.table);
    lower.enter(delete.row);
    lower.writer.push("SELECT ");
    lower.columns_of(table, &table.key, delete.row)?;
    lower.writer.push(", ");
    lower.holds(&delete.rule)?;
    lower.writer.push(" FROM ").table(table).push(" AS ").alias(delete.row);
    lower.condition(" WHERE ", &delete.filter)?;
    lower.in_key_order(table, delete.row);
    lower.lock_row(delete.row)?;
    Ok(lower.finish().0)
}

/// Deletes the row whose key stands in the slots.
#[must_use]
pub fn by_key(catalog: &Catalog, dialect: &'static Dialect, table: &Table) -> Statement {
    let mut lower = Lower::new(catalog, dialect);
    lower.writer.push("DELETE FROM ").table(table).push(" WHERE ");
    lower.columns_are(table, &table.key, None, 0);
    lower.finish().0
}

/// Whether some row of `table` has these values in `columns`: the row that still refers.
#[must_use]
pub fn referring(
    catalog: &Catalog,
    dialect: &'static Dialect,
    table: &Table,
    columns: &[ColumnId],
    source: SourceId,
) -> Statement {
    let mut lower = Lower::new(catalog, dialect);
    lower.writer.push("SELECT EXISTS (SELECT 1 FROM ");
    lower.table_as(table, source);
    lower.writer.push(" WHERE ");
    lower.columns_are(table, columns, Some(source), 0);
    lower.writer.push(")");
    lower.finish().0
}
