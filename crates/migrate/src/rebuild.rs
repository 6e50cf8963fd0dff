//! Tables that are made anew: the statements that carry the rows over.

use crate::change::Change;
use crate::columns::{Columns, How, told};
use backstay_engine::live::LiveTable;
use backstay_engine::migration::SCRATCH_PREFIX;
use backstay_schema::catalog::{Catalog, Column, Table};
use backstay_sql::ddl;
use backstay_sql::ddl::copy::{Conversion, Copied, From, copy_rows};
use backstay_sql::ddl::stored;
use backstay_sql::dialect::Dialect;

/// Makes the table anew, copies the rows and takes the old name.
pub(crate) fn rebuild(
    catalog: &Catalog,
    dialect: &'static Dialect,
    table: &Table,
    (found, columns): (&LiveTable, &Columns<'_>),
) -> Change {
    let scratch = [SCRATCH_PREFIX, &table.name].concat();
    let given = table.columns.iter().filter(|column| stored::expression(table, column).is_none());
    let copied: Vec<Copied<'_>> =
        given.map(|column| Copied { column, from: source(column, found, columns) }).collect();
    let mut statements = vec![ddl::create_table_named(catalog, dialect, table, &scratch)];
    if copied.iter().any(|copied| copied.from != From::Nowhere) {
        statements.push(copy_rows(catalog, dialect, (&found.name, &scratch), &copied));
    }
    statements.push(ddl::drop_table(dialect, &found.name));
    statements.push(ddl::alter::rename_table(dialect, &scratch, &table.name));
    statements.extend(ddl::create_indexes(table, dialect));
    let (parts, mut lost) = told(table, columns);
    // the new table has no place for them
    lost.extend(columns.foreign.iter().map(|column| format!("the values of {}.{column}", table.name)));
    let summary = std::iter::once(format!("~ {}", table.name)).chain(parts).collect::<Vec<_>>().join(" ");
    if lost.is_empty() {
        Change::keeping(summary, statements)
    } else {
        Change::losing(summary, lost.join(" and "), statements)
    }
}

fn source(column: &Column, found: &LiveTable, columns: &Columns<'_>) -> From {
    if columns.added.iter().any(|added| added.name == column.name) {
        return From::Nowhere;
    }
    let renamed = columns.renamed.iter().find(|(new, _)| *new == column.name);
    let name = renamed.map_or(&column.name, |(_, old)| old).clone();
    let nullable = found.columns.iter().any(|old| old.name == name && old.nullable);
    let how = columns.converted.iter().find(|(new, _)| *new == column.name);
    let conversion = match how {
        Some((_, How::Copied(conversion))) => *conversion,
        Some((_, How::Typed(from))) => Conversion::Between(*from),
        None => Conversion::Plain,
    };
    From::Column { name, nullable, conversion }
}
