//! The desired shape of a database: what the definitions of the catalog look like
//! once a scratch database has run them, so that both sides speak the same words.

use backstay_base::fault::Fault;
use backstay_engine::Engine;
use backstay_engine::live::{Live, LiveColumn, LiveTable};
use backstay_schema::catalog::{Catalog, Origin, Table};
use backstay_sql::ddl;
use backstay_sql::dialect::Dialect;

/// Whose tables are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The project's: its migration files speak of these.
    Project,
    /// Backstay's own: migrated by the binary itself.
    System,
}

impl Scope {
    /// Whether a table of the catalog belongs here.
    #[must_use]
    pub fn holds(self, table: &Table) -> bool {
        (table.origin == Origin::System) == (self == Self::System)
    }

    /// Whether a table of a database belongs here.
    #[must_use]
    pub fn holds_name(self, name: &str) -> bool {
        name.starts_with("_backstay_") == (self == Self::System)
    }
}

/// What the tables of `scope` should look like.
pub(crate) async fn desired(
    engine: &dyn Engine,
    dialect: &'static Dialect,
    catalog: &Catalog,
    scope: Scope,
) -> Result<Live, Fault> {
    let tables = || catalog.tables.iter().filter(|table| scope.holds(table));
    let mut statements: Vec<String> =
        tables().map(|table| ddl::create_table(catalog, dialect, table)).collect();
    statements.extend(tables().flat_map(|table| ddl::create_indexes(table, dialect)));
    engine.rehearse(&statements).await
}

/// Whether two columns are stored alike; defaults are the server's business, not the database's.
pub(crate) fn same_column(a: &LiveColumn, b: &LiveColumn) -> bool {
    a.name == b.name && a.ty == b.ty && a.nullable == b.nullable && a.generated == b.generated
}

/// Whether two tables have the same keys, references and checks, in any order.
pub(crate) fn same_constraints(a: &LiveTable, b: &LiveTable) -> bool {
    same_set(&a.uniques, &b.uniques)
        && same_set(&a.references, &b.references)
        && same_set(&a.checks, &b.checks)
        && a.key == b.key
}

fn same_set<T: PartialEq>(a: &[T], b: &[T]) -> bool {
    a.len() == b.len() && a.iter().all(|item| b.contains(item))
}
