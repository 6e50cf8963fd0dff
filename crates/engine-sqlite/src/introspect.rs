//! What stands in the file: tables, columns, keys, indexes, references, checks.
//! SQLite keeps the names of constraints only in the text of the table, so that
//! text is scanned for them.

mod constraints;
mod full_texts;

use self::constraints::{Constraint, ConstraintKind};
use crate::error::fault;
use backstay_base::fault::Fault;
use backstay_engine::live::{Live, LiveCheck, LiveColumn, LiveIndex, LiveKey, LiveReference, LiveTable};
use rusqlite::{Connection, Result};

/// The whole database, without SQLite's own tables.
///
/// # Errors
/// When the file cannot be read.
pub fn live(connection: &Connection) -> std::result::Result<Live, Fault> {
    connection.execute_batch("BEGIN").map_err(fault)?;
    let found = tables(connection).and_then(|mut tables| {
        full_texts::read(connection, &mut tables)?;
        Ok(Live { tables, views: views(connection)? })
    });
    connection.execute_batch("ROLLBACK").map_err(fault)?;
    found.map_err(fault)
}

fn views(connection: &Connection) -> Result<Vec<LiveTable>> {
    let mut statement =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name")?;
    let names: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_>>()?;
    names
        .into_iter()
        .map(|name| {
            // one that reads what is gone has no columns
            let columns = columns(connection, &name).map(|(columns, _)| columns).unwrap_or_default();
            Ok(LiveTable { columns, name, ..LiveTable::default() })
        })
        .collect()
}

/// Every table but SQLite's own, those of indexes of words and those in which Litestream, beside the server, keeps its place.
fn tables(connection: &Connection) -> Result<Vec<LiveTable>> {
    let mut statement = connection.prepare(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
         AND name NOT LIKE '~_litestream~_%' ESCAPE '~' AND name NOT LIKE '~_backstay~_search%' ESCAPE '~'
         ORDER BY name",
    )?;
    let named: Vec<(String, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_>>()?;
    named.into_iter().map(|(name, text)| table(connection, name, &text)).collect()
}

fn table(connection: &Connection, name: String, text: &str) -> Result<LiveTable> {
    let constraints = constraints::scan(text);
    let (columns, key) = columns(connection, &name)?;
    let named = |kind: ConstraintKind, columns: &[String]| {
        let same = |found: &&Constraint| found.kind == kind && found.columns == columns;
        constraints.iter().find(same).and_then(|found| found.name.clone())
    };
    let key =
        (!key.is_empty()).then(|| LiveKey { name: named(ConstraintKind::Key, &key), columns: key.clone() });
    let (uniques, indexes) = indexes(connection, &name)?;
    let uniques =
        uniques.into_iter().map(|columns| LiveKey { name: named(ConstraintKind::Unique, &columns), columns });
    let references = references(connection, &name)?.into_iter().map(|reference| LiveReference {
        name: named(ConstraintKind::Reference, &reference.columns),
        ..reference
    });
    let checks = constraints.iter().filter(|found| found.kind == ConstraintKind::Check);
    let checks =
        checks.map(|found| LiveCheck { name: found.name.clone(), text: found.text.clone() }).collect();
    Ok(LiveTable {
        comment: None,
        full_texts: Vec::new(),
        key,
        uniques: uniques.collect(),
        indexes,
        references: references.collect(),
        checks,
        columns,
        name,
    })
}

/// Columns in order, and the primary key in key order.
fn columns(connection: &Connection, table: &str) -> Result<(Vec<LiveColumn>, Vec<String>)> {
    let mut statement = connection.prepare(
        "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid",
    )?;
    let mut key: Vec<(i64, String)> = Vec::new();
    let mut columns = Vec::new();
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let part: i64 = row.get(4)?;
        if part > 0 {
            key.push((part, name.clone()));
        }
        columns.push(LiveColumn {
            name,
            ty: row.get(1)?,
            nullable: !row.get::<_, bool>(2)? && part == 0,
            default: row.get(3)?,
            generated: row.get::<_, i64>(5)? > 1,
            ..LiveColumn::default()
        });
    }
    key.sort();
    // an integer that alone is the key names the row: SQLite itself gives it a value
    if let [(_, name)] = key.as_slice()
        && let Some(column) = columns.iter_mut().find(|column| column.name == *name)
    {
        column.counted = column.ty.eq_ignore_ascii_case("INTEGER");
    }
    Ok((columns, key.into_iter().map(|(_, name)| name).collect()))
}

/// Columns of the unique constraints, and the indexes that have a name of their own.
fn indexes(connection: &Connection, table: &str) -> Result<(Vec<Vec<String>>, Vec<LiveIndex>)> {
    let mut statement = connection
        .prepare("SELECT name, \"unique\", origin, partial FROM pragma_index_list(?) ORDER BY name")?;
    let mut uniques = Vec::new();
    let mut indexes = Vec::new();
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let columns = index_columns(connection, &name)?;
        match row.get::<_, String>(2)?.as_str() {
            "u" => uniques.push(columns.into_iter().flatten().collect()),
            "c" => {
                let (unique, partial) = (row.get(1)?, row.get(3)?);
                let mut columns = columns;
                // a unique one of ours has one more part, which makes SQLite name it in errors
                if unique && partial && columns.last() == Some(&None) {
                    columns.pop();
                }
                indexes.push(LiveIndex { name, columns, unique, partial });
            }
            _ => {}
        }
    }
    uniques.sort();
    Ok((uniques, indexes))
}

fn index_columns(connection: &Connection, index: &str) -> Result<Vec<Option<String>>> {
    let mut statement =
        connection.prepare("SELECT name FROM pragma_index_xinfo(?) WHERE \"key\" ORDER BY seqno")?;
    statement.query_map([index], |row| row.get(0))?.collect()
}

fn references(connection: &Connection, table: &str) -> Result<Vec<LiveReference>> {
    let mut statement = connection.prepare(
        "SELECT id, \"table\", \"from\", \"to\", on_delete FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq",
    )?;
    let mut references: Vec<(i64, LiveReference)> = Vec::new();
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if references.last().is_none_or(|(last, _)| *last != id) {
            let reference =
                LiveReference { target: row.get(1)?, on_delete: row.get(4)?, ..LiveReference::default() };
            references.push((id, reference));
        }
        if let Some((_, reference)) = references.last_mut() {
            reference.columns.push(row.get(2)?);
            reference.target_columns.extend(row.get::<_, Option<String>>(3)?);
        }
    }
    Ok(references.into_iter().map(|(_, reference)| reference).collect())
}
