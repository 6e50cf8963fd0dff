//! Tables that are made anew: which columns stay, under which name and in which form,
//! and the statements that carry the rows over.

use crate::change::Change;
use backstay_engine::live::LiveTable;
use backstay_schema::catalog::{Catalog, Column, Table};
use backstay_sql::ddl;
use backstay_sql::ddl::copy::{Conversion, Copied, From, conversion, copy_rows};
use backstay_sql::dialect::Dialect;

/// What the name of a table begins with while it is made anew.
pub(crate) const SCRATCH: &str = "_rebuild_";

/// How the columns of a table came to be.
pub(crate) struct Columns<'a> {
    /// (new name, old name), where they differ.
    pub(crate) renamed: Vec<(String, String)>,
    /// Columns that were not there.
    pub(crate) added: Vec<&'a Column>,
    /// Columns that go, with all values.
    pub(crate) dropped: Vec<String>,
    /// New names of columns whose values change their stored form.
    pub(crate) converted: Vec<(String, Conversion)>,
}

/// Compares the columns of a table with those that stand in the database; `was` is the
/// table's name when its constraints were named.
pub(crate) fn columns<'a>(
    dialect: &'static Dialect,
    table: &'a Table,
    (found, was): (&LiveTable, &str),
) -> Columns<'a> {
    let stands = |name: &str| found.columns.iter().find(|column| column.name == name);
    let wanted = |name: &str| table.columns.iter().any(|column| column.name == name);
    let mut columns =
        Columns { renamed: Vec::new(), added: Vec::new(), dropped: Vec::new(), converted: Vec::new() };
    for column in &table.columns {
        let old = stands(&column.name).or_else(|| {
            let old = stands(column.was.as_deref()?)?;
            let free = !wanted(&old.name) && !columns.renamed.iter().any(|(_, taken)| *taken == old.name);
            free.then_some(old)
        });
        let scale_of = |name: &str| {
            let checks = found.checks.iter().filter_map(|check| check.name.as_deref());
            checks.filter_map(|check| ddl::check::scale_of_check(check, was, name)).next()
        };
        let how = old.and_then(|old| {
            let how = conversion(dialect, (&old.ty, scale_of(&old.name)), column.ty)?;
            Some((old, how))
        });
        let Some((old, how)) = how else {
            columns.added.push(column);
            continue;
        };
        if old.name != column.name {
            columns.renamed.push((column.name.clone(), old.name.clone()));
        }
        if how != Conversion::Plain {
            columns.converted.push((column.name.clone(), how));
        }
    }
    for column in &found.columns {
        let renamed = columns.renamed.iter().any(|(_, old)| *old == column.name);
        let added_again = columns.added.iter().any(|added| added.name == column.name);
        if (!wanted(&column.name) && !renamed) || added_again {
            columns.dropped.push(column.name.clone());
        }
    }
    columns
}

/// Makes the table anew, copies the rows and takes the old name.
pub(crate) fn rebuild(
    catalog: &Catalog,
    dialect: &'static Dialect,
    table: &Table,
    (found, columns): (&LiveTable, &Columns<'_>),
) -> Change {
    let scratch = [SCRATCH, &table.name].concat();
    let copied: Vec<Copied<'_>> =
        table.columns.iter().map(|column| Copied { column, from: source(column, found, columns) }).collect();
    let mut statements = vec![ddl::create_table_named(catalog, dialect, table, &scratch)];
    if copied.iter().any(|copied| copied.from != From::Nowhere) {
        statements.push(copy_rows(catalog, dialect, (&found.name, &scratch), &copied));
    }
    statements.push(ddl::drop_table(dialect, &found.name));
    statements.push(ddl::rename_table(dialect, &scratch, &table.name));
    statements.extend(ddl::create_indexes(table, dialect));
    let mut parts = vec![format!("~ {}", table.name)];
    parts.extend(columns.renamed.iter().map(|(new, old)| format!("~{old} → {new}")));
    parts.extend(columns.added.iter().map(|column| format!("+{}", column.name)));
    parts.extend(columns.dropped.iter().map(|column| format!("-{column}")));
    let summary = parts.join(" ");
    let mut lost: Vec<String> = Vec::new();
    if !columns.dropped.is_empty() {
        let names: Vec<String> =
            columns.dropped.iter().map(|column| format!("{}.{column}", table.name)).collect();
        lost.push(format!("the values of {}", names.join(", ")));
    }
    for (name, _) in columns.converted.iter().filter(|(_, how)| how.loses()) {
        lost.push(format!("the last digits of {}.{name}", table.name));
    }
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
    From::Column { name, nullable, conversion: how.map_or(Conversion::Plain, |(_, how)| *how) }
}

/// `found` with the new names of renamed columns everywhere.
pub(crate) fn with_names(found: &LiveTable, renamed: &[(String, String)]) -> LiveTable {
    let mut table = found.clone();
    let rename = |name: &mut String| {
        if let Some((new, _)) = renamed.iter().find(|(_, old)| old == name) {
            new.clone_into(name);
        }
    };
    table.columns.iter_mut().for_each(|column| rename(&mut column.name));
    for key in table.key.iter_mut().chain(&mut table.uniques) {
        key.columns.iter_mut().for_each(rename);
    }
    for reference in &mut table.references {
        reference.columns.iter_mut().for_each(rename);
    }
    for index in &mut table.indexes {
        index.columns.iter_mut().flatten().for_each(rename);
    }
    table
}

/// `wanted` as it would be without the columns that are simply added.
pub(crate) fn without_added(of: &Table, wanted: &LiveTable, added: &[&Column]) -> LiveTable {
    let is_added = |name: &String| added.iter().any(|column| column.name == *name);
    let mut table = wanted.clone();
    table.columns.retain(|column| !is_added(&column.name));
    table.references.retain(|reference| !reference.columns.iter().any(is_added));
    let own = |name: &str| {
        added.iter().any(|column| {
            name == ddl::check::column_check_name(of, column)
                || name.starts_with(&ddl::check::decimal_check_prefix(&of.name, &column.name))
        })
    };
    table.checks.retain(|check| !check.name.as_deref().is_some_and(own));
    table
}
