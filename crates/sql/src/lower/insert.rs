//! The statements of an insert: one prepared row, and what is asked of rows that
//! are about to be written or were.

use super::Lower;
use super::row::RowSetColumn;
use crate::dialect::{Dialect, Returning};
use crate::statement::{Bind, RowSet, Statement};
use backstay_base::fault::Fault;
use backstay_query::plan::{Insert, Pred, Scalar, SourceId};
use backstay_schema::catalog::{Catalog, ColumnId, Table};

/// Writes one row from slots in the order of [`Insert::columns`]. Answers with
/// the key where it is not among the given values.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn row(catalog: &Catalog, dialect: &'static Dialect, insert: &Insert) -> Result<Statement, Fault> {
    let mut lower = Lower::judging(catalog, dialect);
    let table = catalog.table(insert.table);
    if insert.derived.is_empty() {
        lower.written_row(table, insert);
    } else {
        let given = given_columns(insert);
        lower.writer.push("INSERT INTO ").table(table);
        lower.target_columns(table, &given, &insert.derived);
        lower.values_from_row(table, insert, &given)?;
    }
    if !key_is_given(table, insert) && dialect.returning >= Returning::InsertAndDelete {
        lower.writer.push(" RETURNING ");
        for (index, id) in table.key.iter().enumerate() {
            if index > 0 {
                lower.writer.push(", ");
            }
            lower.writer.column(table.column(*id));
        }
    }
    Ok(lower.finish().0)
}

/// Whether the values of a row tell its key.
#[must_use]
pub fn key_is_given(table: &Table, insert: &Insert) -> bool {
    table
        .key
        .iter()
        .all(|id| insert.columns.contains(id) && !insert.derived.iter().any(|(derived, _)| derived == id))
}

/// Asks whether a predicate over [`Insert::row`] holds for a row that is not stored:
/// one boolean, slots in the order of [`Insert::columns`].
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn judge(
    catalog: &Catalog,
    dialect: &'static Dialect,
    insert: &Insert,
    pred: &Pred,
) -> Result<Statement, Fault> {
    let mut lower = Lower::new(catalog, dialect);
    lower.enter(insert.row);
    lower.writer.push("SELECT ");
    lower.holds(pred)?;
    lower.leave();
    lower.writer.push(" FROM ");
    lower.prospective(catalog.table(insert.table), &insert.columns, &insert.derived, insert.row)?;
    Ok(lower.finish().0)
}

/// Columns of a row that is not stored, derived ones computed; slots as in [`judge`].
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn peek(
    catalog: &Catalog,
    dialect: &'static Dialect,
    insert: &Insert,
    columns: &[ColumnId],
) -> Result<Statement, Fault> {
    let mut lower = Lower::new(catalog, dialect);
    let table = catalog.table(insert.table);
    lower.enter(insert.row);
    lower.writer.push("SELECT ");
    lower.columns_of(table, columns, insert.row)?;
    lower.leave();
    lower.writer.push(" FROM ");
    lower.prospective(table, &insert.columns, &insert.derived, insert.row)?;
    Ok(lower.finish().0)
}

/// Finds a stored row among those with these keys for which a predicate over `row` is
/// not TRUE: one row with its number, or none. `keys` is a source of its own.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn verify(
    catalog: &Catalog,
    dialect: &'static Dialect,
    table: &Table,
    row: SourceId,
    pred: &Pred,
    (keys, rows): (SourceId, Vec<Vec<backstay_schema::value::Value>>),
) -> Result<Statement, Fault> {
    let mut lower = Lower::judging(catalog, dialect);
    let types = table.key.iter().map(|id| table.column(*id).ty).collect();
    let columns: Vec<RowSetColumn> = (0..table.key.len()).map(RowSetColumn::Key).collect();
    lower.writer.push("SELECT ").alias(keys).push(".").name("#n").push(" FROM ");
    lower.row_set(table, &columns, RowSet { types, rows }, keys)?;
    lower.writer.push(" JOIN ");
    lower.table_as(table, row);
    lower.writer.push(" ON ");
    lower.key_is_in(table, row, keys);
    lower.writer.push(" WHERE ((");
    lower.pred(pred)?;
    lower.writer.push(") IS NOT TRUE)");
    lower.writer.push(" ORDER BY ").alias(keys).push(".").name("#n");
    let mut one = |lower: &mut Lower<'_>, _| {
        lower.writer.bind(Bind::Count(1));
        Ok(())
    };
    lower.template(dialect.limit, &mut one)?;
    Ok(lower.finish().0)
}

fn given_columns(insert: &Insert) -> Vec<(usize, ColumnId)> {
    let derived = |id: &ColumnId| insert.derived.iter().any(|(derived, _)| derived == id);
    insert.columns.iter().copied().enumerate().filter(|(_, id)| !derived(id)).collect()
}

impl Lower<'_> {
    /// `INSERT INTO "t" ("a", "b") VALUES (?, ?)`, of a row that derives nothing.
    pub(crate) fn written_row(&mut self, table: &Table, insert: &Insert) {
        self.writer.push("INSERT INTO ").table(table);
        let given = given_columns(insert);
        if given.is_empty() {
            self.writer.push(self.dialect.default_row);
        } else {
            self.target_columns(table, &given, &[]);
            self.values(table, &given);
        }
    }

    fn target_columns(&mut self, table: &Table, given: &[(usize, ColumnId)], derived: &[(ColumnId, Scalar)]) {
        let all = given.iter().map(|(_, id)| *id).chain(derived.iter().map(|(id, _)| *id));
        self.writer.push(" (");
        self.column_names(table, &all.collect::<Vec<_>>());
        self.writer.push(")");
    }

    /// `"a", "b"`.
    pub(crate) fn column_names(&mut self, table: &Table, columns: &[ColumnId]) {
        for (index, id) in columns.iter().enumerate() {
            self.writer.push(if index > 0 { ", " } else { "" }).column(table.column(*id));
        }
    }

    fn values(&mut self, table: &Table, given: &[(usize, ColumnId)]) {
        self.writer.push(" VALUES (");
        for (index, (slot, id)) in given.iter().enumerate() {
            if index > 0 {
                self.writer.push(", ");
            }
            self.writer.bind(Bind::Slot(*slot, table.column(*id).ty));
        }
        self.writer.push(")");
    }

    fn values_from_row(
        &mut self,
        table: &Table,
        insert: &Insert,
        given: &[(usize, ColumnId)],
    ) -> Result<(), Fault> {
        self.enter(insert.row);
        self.writer.push(" SELECT ");
        let columns: Vec<ColumnId> = given.iter().map(|(_, id)| *id).collect();
        self.columns_of(table, &columns, insert.row)?;
        for (index, (id, scalar)) in insert.derived.iter().enumerate() {
            if index > 0 || !columns.is_empty() {
                self.writer.push(", ");
            }
            self.scalar_as(scalar, table.column(*id).ty)?;
        }
        self.leave();
        self.writer.push(" FROM ");
        self.prospective(table, &insert.columns, &[], insert.row)
    }

    /// `s1."id" = s5."#k0"`.
    pub(crate) fn key_is_in(&mut self, table: &Table, row: SourceId, keys: SourceId) {
        for (index, id) in table.key.iter().enumerate() {
            if index > 0 {
                self.writer.push(" AND ");
            }
            self.writer.alias(row).push(".").column(table.column(*id)).push(" = ").alias(keys).push(".");
            self.row_set_name(table, RowSetColumn::Key(index));
        }
    }
}
