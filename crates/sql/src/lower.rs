//! Lowering: plans to text and binds. [`Lower`] is one statement in the making:
//! which sources may be named in it, and what a name of another source means.

pub mod audit;
pub(crate) mod candidates;
pub mod delete;
pub(crate) mod document;
pub(crate) mod group;
pub mod insert;
pub(crate) mod join;
pub mod pred;
pub mod row;
pub mod scalar;
pub mod select;
pub(crate) mod substitute;
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
    outside: Outside,
    /// Whether single rows that are read stay as they are until the transaction ends.
    locking: bool,
    /// How many sub-selects are open.
    nesting: usize,
    /// A source that bears no alias: its table is what the statement writes.
    written: Option<(SourceId, Naming)>,
}

/// How columns of the table that a statement writes are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// With the name of the table.
    Table,
    /// Alone.
    Bare,
}

/// What columns of sources outside of a statement become.
#[derive(Debug)]
enum Outside {
    /// There is no outside.
    Nothing,
    /// Slots, in this order.
    Slots(Vec<ColumnRef>),
    /// Columns of the parents' rows, in this order.
    Rows(SourceId, Vec<ColumnRef>),
}

impl<'a> Lower<'a> {
    /// A statement that stands alone.
    #[must_use]
    pub fn new(catalog: &'a Catalog, dialect: &'static Dialect) -> Self {
        Self {
            catalog,
            dialect,
            writer: Writer::new(dialect),
            scope: Vec::new(),
            outside: Outside::Nothing,
            locking: false,
            nesting: 0,
            written: None,
        }
    }

    /// A statement that judges a write: the single rows that it reads are locked.
    #[must_use]
    pub fn judging(catalog: &'a Catalog, dialect: &'static Dialect) -> Self {
        Self { locking: true, ..Self::new(catalog, dialect) }
    }

    /// A statement that runs once per row of another: columns of sources that it
    /// does not have itself become slots.
    #[must_use]
    pub fn child(catalog: &'a Catalog, dialect: &'static Dialect) -> Self {
        Self { outside: Outside::Slots(Vec::new()), ..Self::new(catalog, dialect) }
    }

    /// A statement that runs once for all rows of another: `columns` of sources that it does
    /// not have itself stand in the row set `source`.
    #[must_use]
    pub fn below(
        catalog: &'a Catalog,
        dialect: &'static Dialect,
        source: SourceId,
        columns: Vec<ColumnRef>,
    ) -> Self {
        Self { outside: Outside::Rows(source, columns), ..Self::new(catalog, dialect) }
    }

    /// Makes a source known from here on.
    pub fn enter(&mut self, source: SourceId) {
        self.scope.push(source);
    }

    /// Makes the table that the statement writes known, without an alias; none forgets it.
    pub(crate) const fn writes(&mut self, written: Option<(SourceId, Naming)>) {
        self.written = written;
    }

    /// Forgets the source entered last.
    pub fn leave(&mut self) {
        self.scope.pop();
    }

    /// How many sources are known.
    pub(crate) const fn depth(&self) -> usize {
        self.scope.len()
    }

    /// Forgets the sources entered since there were `depth`.
    pub(crate) fn leave_to(&mut self, depth: usize) {
        self.scope.truncate(depth);
    }

    /// The statement, and the outside columns that its slots stand for.
    #[must_use]
    pub fn finish(self) -> (Statement, Vec<ColumnRef>) {
        let outside = match self.outside {
            Outside::Nothing => Vec::new(),
            Outside::Slots(columns) | Outside::Rows(_, columns) => columns,
        };
        (self.writer.finish(), outside)
    }

    /// A column of a source.
    ///
    /// # Errors
    /// Internal, when the source is not known here.
    pub fn column(&mut self, column: ColumnRef) -> Result<(), Fault> {
        let definition = self.catalog.table(column.table).column(column.column);
        if let Some((source, naming)) = self.written
            && source == column.source
        {
            if naming == Naming::Table {
                self.writer.table(self.catalog.table(column.table)).push(".");
            }
            self.writer.column(definition);
            return Ok(());
        }
        if self.scope.contains(&column.source) {
            self.writer.alias(column.source).push(".").column(definition);
            return Ok(());
        }
        let unknown = || {
            let name = &definition.name;
            Fault::internal(format!("a statement names column {name} of a source that it does not have"))
        };
        match &mut self.outside {
            Outside::Nothing => Err(unknown()),
            Outside::Slots(outside) => {
                let slot = outside.iter().position(|known| *known == column).unwrap_or_else(|| {
                    outside.push(column);
                    outside.len() - 1
                });
                self.writer.bind(Bind::Slot(slot, definition.ty));
                Ok(())
            }
            Outside::Rows(source, outside) => {
                let place = outside.iter().position(|known| *known == column).ok_or_else(unknown)?;
                self.writer.alias(*source).push(".");
                self.row_set_key(place);
                Ok(())
            }
        }
    }

    /// Keeps writers from the row of `source` until the transaction ends.
    pub(crate) fn lock_row(&mut self, source: SourceId) -> Result<(), Fault> {
        self.template(self.dialect.lock_row, &mut |lower, _| {
            lower.writer.alias(source);
            Ok(())
        })
    }

    /// Writes within a sub-select.
    pub(crate) fn nested(&mut self, write: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.nesting += 1;
        let written = write(self);
        self.nesting -= 1;
        written
    }

    /// Keeps writers from the single rows that a sub-select found.
    pub(crate) fn lock_read(&mut self) {
        if self.locking {
            self.writer.push(self.dialect.lock_read);
        }
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
