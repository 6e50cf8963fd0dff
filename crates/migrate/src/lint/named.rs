//! [`Named`]: what a schema names and its migration files do not leave there, for BM125.

use super::world::World;
use backstay_schema::catalog::{Catalog, Origin};
use std::collections::BTreeMap;

/// What is not there any more when all files have run, and who names it.
#[derive(Debug, Default)]
pub(super) struct Named {
    tables: BTreeMap<String, String>,
    columns: BTreeMap<(String, String), String>,
}

impl Named {
    /// What of a schema the files do not leave.
    pub(super) fn missing(catalog: &Catalog, world: &World) -> Self {
        let mut named = Self::default();
        for table in &catalog.tables {
            if table.is_view || table.origin != Origin::Declared {
                continue;
            }
            let Some(stands) = world.tables.get(&table.name) else {
                named.tables.insert(table.name.clone(), table.type_name.clone());
                continue;
            };
            for column in table.columns.iter().filter(|column| !stands.columns.contains_key(&column.name)) {
                let by = format!("{}.{}", table.type_name, column.field);
                named.columns.insert((table.name.clone(), column.name.clone()), by);
            }
        }
        named
    }

    /// The type that still names a table.
    pub(super) fn table(&self, table: &str) -> Option<&str> {
        self.tables.get(table).map(String::as_str)
    }

    /// The field that still names a column.
    pub(super) fn column(&self, table: &str, column: &str) -> Option<&str> {
        self.columns.get(&(table.to_owned(), column.to_owned())).map(String::as_str)
    }
}
