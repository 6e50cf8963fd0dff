//! [`Visible`]: what one caller may do with which tables and columns, by the rules that do not
//! depend on rows. `policy` makes it, codecs describe it.

use backstay_schema::catalog::{Catalog, ColumnId, ComputedId, TableId};

/// What one caller may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visible {
    /// Tables with which something may be done.
    pub tables: Vec<VisibleTable>,
}

impl Visible {
    /// Whether some row may show a column.
    #[must_use]
    pub fn reads(&self, catalog: &Catalog, table: &str, column: &str) -> bool {
        let is_it = |one: &&VisibleTable| catalog.table(one.table).name == table;
        self.tables.iter().find(is_it).is_some_and(|one| {
            let name = |shown: &VisibleColumn| &catalog.table(one.table).column(shown.column).name;
            one.columns.iter().any(|shown| shown.may.read && name(shown) == column)
        })
    }
}

/// What one caller may do with a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibleTable {
    /// The table.
    pub table: TableId,
    /// Operations that some row may allow.
    pub may: Operations,
    /// Columns with which something may be done.
    pub columns: Vec<VisibleColumn>,
    /// Computed fields that may be read.
    pub computed: Vec<ComputedId>,
}

/// Operations that are not refused whatever the row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one per operation")]
#[expect(missing_docs, reason = "the names say it")]
pub struct Operations {
    pub read: bool,
    pub create: bool,
    pub update: bool,
    pub delete: bool,
}

impl Operations {
    /// Whether there is one.
    #[must_use]
    pub const fn any(self) -> bool {
        self.read || self.create || self.update || self.delete
    }
}

/// What one caller may do with a column; `delete` is that of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisibleColumn {
    /// The column.
    pub column: ColumnId,
    /// Operations that some row may allow.
    pub may: Operations,
}
