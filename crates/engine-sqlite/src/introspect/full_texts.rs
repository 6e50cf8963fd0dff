//! Indexes of words: their tables and triggers, of which a CHECK says what they are for.

use backstay_engine::live::{LiveFullText, LiveTable};
use backstay_sql::ddl::full_text::{triggers, version};
use rusqlite::{Connection, Result};

const ROWS: &str = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name LIKE '~_backstay~_search%' ESCAPE '~' AND sql LIKE '%CHECK (''[%' ORDER BY name";

const TRIGGERS: &str = "SELECT tbl_name, count(*) FROM sqlite_schema WHERE type = 'trigger' AND name IN (?, ?, ?) GROUP BY tbl_name";

/// Adds each to its table. One without a trigger left belongs to nobody.
pub(super) fn read(connection: &Connection, tables: &mut [LiveTable]) -> Result<()> {
    let mut statement = connection.prepare(ROWS)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut owners = connection.prepare(TRIGGERS)?;
    for row in rows {
        let (physical, text): (String, String) = row?;
        let Some((name, mut columns)) = said(&text) else { continue };
        columns.sort();
        let version = version(&physical).to_owned();
        let mut owner = owners.query(triggers(&name, &version))?;
        while let Some(row) = owner.next()? {
            let (of, count): (String, i64) = (row.get(0)?, row.get(1)?);
            let found = LiveFullText {
                name: name.clone(),
                columns: columns.clone(),
                version: version.clone(),
                whole: count == 3,
            };
            if let Some(table) = tables.iter_mut().find(|table| table.name == of) {
                table.full_texts.push(found);
            }
        }
    }
    tables.iter_mut().for_each(|table| table.full_texts.sort_by(|a, b| a.name.cmp(&b.name)));
    Ok(())
}

/// Name and columns of `CHECK ('["name","column"]' <> '')`.
fn said(text: &str) -> Option<(String, Vec<String>)> {
    let (_, rest) = text.split_once("CHECK ('")?;
    let (inside, _) = rest.rsplit_once("' <> '')")?;
    let names: Vec<String> = serde_json::from_str(&inside.replace("''", "'")).ok()?;
    let (name, columns) = names.split_first()?;
    Some((name.clone(), columns.to_vec()))
}
