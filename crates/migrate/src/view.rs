//! Views that types read: whether they stand in a database as the types say. No plan makes one: what it
//! selects stands in a migration that somebody wrote.

use crate::shape::scalar_of;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_engine::live::{Live, LiveColumn};
use backstay_schema::catalog::{Catalog, Column, Table};
use backstay_schema::scalar::ScalarType;
use backstay_sql::dialect::Dialect;
use backstay_sql::dialect::definition::Place;

/// What is missing for the types that read views, in words.
#[must_use]
pub fn lacking(dialect: &'static Dialect, catalog: &Catalog, live: &Live) -> Vec<String> {
    catalog
        .tables
        .iter()
        .filter(|table| table.is_view)
        .flat_map(|table| of_table(dialect, (catalog, table), live))
        .collect()
}

/// Refuses a database in which a view is not as its type says.
///
/// # Errors
/// 55000 with all that is missing.
pub fn check(dialect: &'static Dialect, catalog: &Catalog, live: &Live) -> Result<(), Fault> {
    let lacking = lacking(dialect, catalog, live);
    if lacking.is_empty() {
        return Ok(());
    }
    let message = format!("views are not as the schema says: {}", lacking.join("; "));
    Err(Fault::new(code::SYNTAX_ERROR, message)
        .with_hint("write a migration file with CREATE VIEW, and apply it: backstay migrate up"))
}

fn of_table(dialect: &'static Dialect, (catalog, table): (&Catalog, &Table), live: &Live) -> Vec<String> {
    let name = &table.name;
    let Some(view) = live.views.iter().find(|view| view.name == *name) else {
        return vec![format!("there is no view {name}")];
    };
    let of_column = |column: &Column| match view.columns.iter().find(|live| live.name == column.name) {
        None => Some(format!("{name} has no column {}", column.name)),
        Some(live) if holds(dialect, live, column.ty) => None,
        Some(live) => {
            let wanted = column.ty.schema_name(catalog);
            Some(format!("{name}.{} is {}, which is no {wanted}", column.name, live.ty))
        }
    };
    table.columns.iter().filter_map(of_column).collect()
}

/// Whether a column of a view holds values of a type: it is stored as those are. SQLite tells no type of what an
/// expression makes.
fn holds(dialect: &'static Dialect, live: &LiveColumn, ty: ScalarType) -> bool {
    let wanted = (dialect.definition.column_type)(ty, Place::Row);
    let plain = |words: &str| words.split(" COLLATE ").next().unwrap_or_default().to_ascii_lowercase();
    if live.ty.is_empty() || plain(&live.ty) == plain(wanted) {
        return true;
    }
    let Some(found) = scalar_of(dialect, live) else { return false };
    match (found, ty) {
        (ScalarType::Decimal { .. }, ScalarType::Decimal { .. })
        | (ScalarType::String, ScalarType::Enum(_))
        | (ScalarType::Json, ScalarType::List(_)) => true,
        (found, ty) => found == ty || Some(found) == (dialect.definition.scalar)(wanted),
    }
}
