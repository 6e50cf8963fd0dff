//! Lowering: plans to text and binds. [`Lower`] is one statement in the making:
//! which sources may be named in it, and what a name of another source means.

pub mod delete;
pub mod insert;
mod join;
pub mod pred;
pub mod row;
pub mod scalar;
pub mod select;
pub mod update;

use crate::dialect::Dialect;
use crate::statement::{Bind, Statement};
use crate::writer::Writer;
use backstay_base::fault::Fault;
use backstay_query::plan::{ColumnRef, SourceId};
use backstay_schema::catalog::{Catalog, ColumnId, Table};

/// One statement in the making.
#[derive(Debug)]
pub struct Lower<'a> {
    /// The model.
    pub catalog: &'a Catalog,
    /// The database written for.
    pub dialect: &'static Dialect,
    /// Text and binds so far.
    pub writer: Writer,
    scope: Vec<SourceId>,
    /// Columns of sources outside, in the order of their slots; none where there is no outside.
    outside: Option<Vec<ColumnRef>>,
}

impl<'a> Lower<'a> {
    /// A statement that stands alone.
    #[must_use]
    pub fn new(catalog: &'a Catalog, dialect: &'static Dialect) -> Self {
        Self { catalog, dialect, writer: Writer::new(dialect), scope: Vec::new(), outside: None }
    }

    /// A statement that runs once per row of another: columns of sources that it
    /// does not have itself become slots.
    #[must_use]
    pub fn child(catalog: &'a Catalog, dialect: &'static Dialect) -> Self {
        Self { outside: Some(Vec::new()), ..Self::new(catalog, dialect) }
    }

    /// Makes a source known from here on.
    pub fn enter(&mut self, source: SourceId) {
        self.scope.push(source);
    }

    /// Forgets the source entered last.
    pub fn leave(&mut self) {
        self.scope.pop();
    }

    /// The statement, and the outside columns that its slots stand for.
    #[must_use]
    pub fn finish(self) -> (Statement, Vec<ColumnRef>) {
        (self.writer.finish(), self.outside.unwrap_or_default())
    }

    /// A column of a source.
    ///
    /// # Errors
    /// Internal, when the source is not known here.
    pub fn column(&mut self, column: ColumnRef) -> Result<(), Fault> {
        let definition = self.catalog.table(column.table).column(column.column);
        if self.scope.contains(&column.source) {
            self.writer.alias(column.source).push(".").column(definition);
            return Ok(());
        }
        let Some(outside) = &mut self.outside else {
            return Err(Fault::internal(format!(
                "a statement names column {} of a source that it does not have",
                definition.name
            )));
        };
        let slot = outside.iter().position(|known| *known == column).unwrap_or_else(|| {
            outside.push(column);
            outside.len() - 1
        });
        self.writer.bind(Bind::Slot(slot, definition.ty));
        Ok(())
    }

    /// `"table" AS s1`, and makes the source known.
    pub(crate) fn table_as(&mut self, table: &Table, source: SourceId) {
        self.writer.table(table).push(" AS ").alias(source);
        self.enter(source);
    }

    /// `s1."a" = ? AND s1."b" = ?` with slots from `first` on.
    pub(crate) fn key_is(&mut self, table: &Table, source: SourceId, first: usize) {
        self.columns_are(table, &table.key, Some(source), first);
    }

    /// Equality of columns with slots from `first` on.
    pub(crate) fn columns_are(
        &mut self,
        table: &Table,
        columns: &[ColumnId],
        source: Option<SourceId>,
        first: usize,
    ) {
        for (index, id) in columns.iter().enumerate() {
            if index > 0 {
                self.writer.push(" AND ");
            }
            if let Some(source) = source {
                self.writer.alias(source).push(".");
            }
            let column = table.column(*id);
            self.writer.column(column).push(" = ").bind(Bind::Slot(first + index, column.ty));
        }
    }
}
