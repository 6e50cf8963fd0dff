//! The statements of an update: classify, write by key, judge a row as it would
//! be, verify rows as they are.

use super::Lower;
use super::row::RowSetColumn;
use crate::dialect::{Dialect, Returning};
use crate::statement::{Bind, RowSet, Statement};
use backstay_base::fault::Fault;
use backstay_query::plan::{Assign, ColumnRef, Pred, SourceId, Update};
use backstay_schema::catalog::{Catalog, ColumnId, Table};
use backstay_schema::value::Value;

/// What a statement that classifies rows answers with: key, then kept columns, then one
/// boolean per arm, then, for an upsert, whether the filter holds.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn classify(catalog: &Catalog, dialect: &'static Dialect, update: &Update) -> Result<Statement, Fault> {
    let mut lower = Lower::judging(catalog, dialect);
    let table = catalog.table(update.table);
    lower.enter(update.row);
    lower.classified(table, update)?;
    lower.writer.push(" FROM ").table(table).push(" AS ").alias(update.row);
    lower.condition(" WHERE ", &update.filter)?;
    lower.in_key_order(table, update.row);
    lower.lock_row(update.row)?;
    Ok(lower.finish().0)
}

/// Classifies the one row of an upsert's conflict target: its values stand in the slots.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn classify_conflict(
    catalog: &Catalog,
    dialect: &'static Dialect,
    update: &Update,
    target: &[ColumnId],
) -> Result<Statement, Fault> {
    let mut lower = Lower::judging(catalog, dialect);
    let table = catalog.table(update.table);
    lower.enter(update.row);
    lower.classified(table, update)?;
    lower.writer.push(", ");
    lower.holds(&update.filter)?;
    lower.writer.push(" FROM ").table(table).push(" AS ").alias(update.row).push(" WHERE ");
    lower.columns_are(table, target, Some(update.row), 0);
    lower.lock_row(update.row)?;
    Ok(lower.finish().0)
}

/// The key of the row that has these values in the conflict target, for an upsert that leaves it alone.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn find_conflict(
    catalog: &Catalog,
    dialect: &'static Dialect,
    table: &Table,
    row: SourceId,
    target: &[ColumnId],
) -> Result<Statement, Fault> {
    let mut lower = Lower::new(catalog, dialect);
    lower.enter(row);
    lower.writer.push("SELECT ");
    lower.columns_of(table, &table.key, row)?;
    lower.writer.push(" FROM ").table(table).push(" AS ").alias(row).push(" WHERE ");
    lower.columns_are(table, target, Some(row), 0);
    Ok(lower.finish().0)
}

/// Writes the row whose key stands in the first slots; values of [`Assign::Given`] stand
/// in the slots after it. Answers with the key where it is assigned.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn write(
    catalog: &Catalog,
    dialect: &'static Dialect,
    update: &Update,
    assign: &[&(ColumnId, Assign)],
) -> Result<Statement, Fault> {
    let mut lower = Lower::judging(catalog, dialect);
    let table = catalog.table(update.table);
    lower.writer.push("UPDATE ");
    lower.table_as(table, update.row);
    lower.writer.push(" SET ");
    for (index, (id, value)) in assign.iter().enumerate() {
        if index > 0 {
            lower.writer.push(", ");
        }
        lower.writer.column(table.column(*id)).push(" = ");
        lower.assigned(table, *id, value)?;
    }
    lower.writer.push(" WHERE ");
    lower.key_is(table, update.row, 0);
    let moved = assign.iter().any(|(id, _)| table.key.contains(id));
    if moved && dialect.returning == Returning::Always {
        lower.writer.push(" RETURNING ");
        for (index, id) in table.key.iter().enumerate() {
            lower.writer.push(if index > 0 { ", " } else { "" }).column(table.column(*id));
        }
    }
    Ok(lower.finish().0)
}

/// The stored rows that a verification compares with: source, columns kept, and per row
/// key, kept values and bits.
#[derive(Debug)]
pub struct Kept<'a> {
    /// The update they belong to.
    pub update: &'a Update,
    /// The source of [`RowSetColumn::Key`] and [`RowSetColumn::Bit`] is that of the old row.
    pub rows: Vec<Vec<Value>>,
}

impl Kept<'_> {
    /// Columns of the row set: new key, bits, then the old key and the kept columns.
    fn columns(&self, table: &Table) -> Vec<RowSetColumn> {
        let update = self.update;
        let kept = update.keep.iter().filter(|id| !table.key.contains(id));
        (0..table.key.len())
            .map(RowSetColumn::Key)
            .chain((0..update.stored.len()).map(RowSetColumn::Bit))
            .chain(table.key.iter().chain(kept).copied().map(RowSetColumn::Column))
            .collect()
    }

    fn row_set(self, table: &Table, columns: &[RowSetColumn]) -> RowSet {
        use backstay_schema::scalar::ScalarType;
        let ty = |column: &RowSetColumn| match column {
            RowSetColumn::Key(index) => {
                table.key.get(*index).map_or(ScalarType::String, |id| table.column(*id).ty)
            }
            RowSetColumn::Bit(_) => ScalarType::Boolean,
            RowSetColumn::Column(id) => table.column(*id).ty,
        };
        RowSet { types: columns.iter().map(ty).collect(), rows: self.rows }
    }
}

/// Finds a stored row for which the rules of the update do not hold: its number, or none.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn verify(catalog: &Catalog, dialect: &'static Dialect, kept: Kept<'_>) -> Result<Statement, Fault> {
    let mut lower = Lower::judging(catalog, dialect);
    let update = kept.update;
    let table = catalog.table(update.table);
    let columns = kept.columns(table);
    lower.writer.push("SELECT ").alias(update.old).push(".").name("#n").push(" FROM ");
    lower.row_set(table, &columns, kept.row_set(table, &columns), update.old)?;
    lower.writer.push(" JOIN ");
    lower.table_as(table, update.row);
    lower.writer.push(" ON ");
    lower.key_is_in(table, update.row, update.old);
    lower.writer.push(" WHERE NOT ");
    lower.verdict(table, update)?;
    lower.writer.push(" ORDER BY ").alias(update.old).push(".").name("#n");
    lower.template(dialect.limit, &mut |lower, _| {
        lower.writer.bind(Bind::Count(1));
        Ok(())
    })?;
    Ok(lower.finish().0)
}

/// The columns with transitions of the row whose key stands in the slots.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn stored_columns(
    catalog: &Catalog,
    dialect: &'static Dialect,
    table: &Table,
    row: SourceId,
    columns: &[ColumnId],
) -> Result<Statement, Fault> {
    let mut lower = Lower::new(catalog, dialect);
    lower.enter(row);
    lower.writer.push("SELECT ");
    lower.columns_of(table, columns, row)?;
    lower.writer.push(" FROM ").table(table).push(" AS ").alias(row).push(" WHERE ");
    lower.key_is(table, row, 0);
    Ok(lower.finish().0)
}

/// Judges the row whose key stands in the first slots as the update would make it, against
/// the one kept row: one boolean for the rules (and `extra`), then the asked columns.
/// Slots as in [`write`].
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn judge(
    catalog: &Catalog,
    dialect: &'static Dialect,
    kept: Kept<'_>,
    assign: &[&(ColumnId, Assign)],
    asked: (&Asked<'_>, &[ColumnId]),
) -> Result<Statement, Fault> {
    let mut lower = Lower::new(catalog, dialect);
    let update = kept.update;
    let table = catalog.table(update.table);
    let columns = kept.columns(table);
    lower.enter(update.old);
    lower.enter(update.row);
    lower.writer.push("SELECT ");
    match asked.0 {
        Asked::Rules => lower.verdict(table, update)?,
        Asked::Pred(pred) => lower.holds(pred)?,
    }
    if !asked.1.is_empty() {
        lower.writer.push(", ");
        lower.columns_of(table, asked.1, update.row)?;
    }
    lower.leave();
    lower.leave();
    lower.writer.push(" FROM ");
    lower.row_set(table, &columns, kept.row_set(table, &columns), update.old)?;
    lower.writer.push(", ");
    lower.changed(table, update, assign)?;
    Ok(lower.finish().0)
}

/// What is asked of a row.
#[derive(Debug)]
pub enum Asked<'a> {
    /// The rules of the update.
    Rules,
    /// A predicate over the row.
    Pred(&'a Pred),
}

impl Lower<'_> {
    fn classified(&mut self, table: &Table, update: &Update) -> Result<(), Fault> {
        self.writer.push("SELECT ");
        self.columns_of(table, &table.key, update.row)?;
        for column in &update.keep {
            self.writer.push(", ");
            self.column(ColumnRef { source: update.row, table: table.id, column: *column })?;
        }
        for arm in &update.stored {
            self.writer.push(", ");
            self.holds(arm)?;
        }
        Ok(())
    }

    pub(crate) fn in_key_order(&mut self, table: &Table, row: SourceId) {
        for (index, id) in table.key.iter().enumerate() {
            self.writer.push(if index == 0 { " ORDER BY " } else { ", " });
            self.writer.alias(row).push(".").column(table.column(*id));
        }
    }

    fn assigned(&mut self, table: &Table, id: ColumnId, value: &Assign) -> Result<(), Fault> {
        let ty = table.column(id).ty;
        match value {
            Assign::Value(value) => {
                self.writer.bind(Bind::Value(value.clone(), ty));
                Ok(())
            }
            Assign::Scalar(scalar) => self.scalar_as(scalar, ty),
            Assign::Given(index) => {
                self.writer.bind(Bind::Slot(table.key.len() + index, ty));
                Ok(())
            }
        }
    }

    /// `((bit AND arm) OR …) AND rule`, TRUE or FALSE.
    fn verdict(&mut self, table: &Table, update: &Update) -> Result<(), Fault> {
        self.writer.push("((");
        let arms = update.arms.iter().take(update.stored.len());
        for (index, arm) in arms.enumerate() {
            if index > 0 {
                self.writer.push(" OR ");
            }
            self.writer.push("(").alias(update.old).push(".");
            self.row_set_name(table, RowSetColumn::Bit(index));
            self.writer.push(" AND ");
            self.holds(arm)?;
            self.writer.push(")");
        }
        if update.arms.is_empty() || update.stored.is_empty() {
            self.writer.push("FALSE");
        }
        self.writer.push(") AND ");
        self.holds(&update.rule)?;
        self.writer.push(")");
        Ok(())
    }

    /// `(SELECT s1."a", ? AS "b" FROM "t" AS s1 WHERE key) AS s1`.
    fn changed(
        &mut self,
        table: &Table,
        update: &Update,
        assign: &[&(ColumnId, Assign)],
    ) -> Result<(), Fault> {
        self.enter(update.row);
        self.writer.push("(SELECT ");
        for (index, column) in table.columns.iter().enumerate() {
            if index > 0 {
                self.writer.push(", ");
            }
            match assign.iter().rfind(|(id, _)| *id == column.id) {
                Some((id, value)) => self.assigned(table, *id, value)?,
                None => self.column(ColumnRef { source: update.row, table: table.id, column: column.id })?,
            }
            self.writer.push(" AS ").column(column);
        }
        self.writer.push(" FROM ").table(table).push(" AS ").alias(update.row).push(" WHERE ");
        self.key_is(table, update.row, 0);
        self.writer.push(") AS ").alias(update.row);
        Ok(())
    }
}
