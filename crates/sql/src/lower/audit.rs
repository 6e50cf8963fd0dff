//! What an audit reads: whole rows, found by values of some of their columns.

use super::Lower;
use super::row::RowSetColumn;
use crate::dialect::Dialect;
use crate::statement::{RowSet, Statement};
use backstay_base::fault::Fault;
use backstay_query::plan::SourceId;
use backstay_schema::catalog::{Catalog, ColumnId, Table};
use backstay_schema::value::Value;

/// All columns of the rows whose columns `by` have one of these values, in the order of the
/// values; they are locked. Both sources are new.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn rows(
    catalog: &Catalog,
    dialect: &'static Dialect,
    table: &Table,
    (by, rows): (&[ColumnId], Vec<Vec<Value>>),
    (row, values): (SourceId, SourceId),
) -> Result<Statement, Fault> {
    let mut lower = Lower::judging(catalog, dialect);
    let types = by.iter().map(|id| table.column(*id).ty).collect();
    let names: Vec<RowSetColumn> = (0..by.len()).map(RowSetColumn::Key).collect();
    let all: Vec<ColumnId> = table.columns.iter().map(|column| column.id).collect();
    lower.enter(row);
    lower.writer.push("SELECT ");
    lower.columns_of(table, &all, row)?;
    lower.leave();
    lower.writer.push(" FROM ");
    lower.row_set(table, &names, RowSet { types, rows }, values)?;
    lower.writer.push(" JOIN ");
    lower.table_as(table, row);
    lower.writer.push(" ON ");
    for (index, id) in by.iter().enumerate() {
        lower
            .writer
            .push(if index > 0 { " AND " } else { "" })
            .alias(row)
            .push(".")
            .column(table.column(*id));
        lower.writer.push(" = ").alias(values).push(".");
        lower.row_set_name(table, RowSetColumn::Key(index));
    }
    lower.writer.push(" ORDER BY ").alias(values).push(".").name("#n");
    for id in &table.key {
        lower.writer.push(", ").alias(row).push(".").column(table.column(*id));
    }
    lower.lock_row(row)?;
    Ok(lower.finish().0)
}
