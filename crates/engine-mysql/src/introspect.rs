//! What stands in the database: tables, columns, keys, indexes, references, checks, as
//! `information_schema` tells. Words that differ between servers and say the same are
//! made one: widths of integers, defaults that are nothing.

use crate::connection::Connection;
use crate::pool::{Pool, Purpose};
use backstay_base::fault::Fault;
use backstay_engine::live::{
    Live, LiveCheck, LiveColumn, LiveFullText, LiveIndex, LiveKey, LiveReference, LiveTable,
};
use backstay_sql::ddl::full_text::{PREFIX, triggers as wanted_triggers, version};
use std::collections::BTreeMap;

const TABLES: &str = "SELECT table_name, table_comment, table_type FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'VIEW')";

const COLUMNS: &str = "SELECT table_name, column_name, column_type, is_nullable, column_default, extra, column_comment FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name NOT LIKE '\\_backstay\\_%' ORDER BY table_name, ordinal_position";

const INDEXES: &str = "SELECT table_name, index_name, non_unique, column_name, sub_part FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY table_name, index_name, seq_in_index";

/// What the names of columns begin with that only an index of a part of the rows needs.
const HIDDEN: &str = "_backstay_";

const REFERENCES: &str = "SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_name, k.referenced_column_name, r.delete_rule FROM information_schema.key_column_usage AS k JOIN information_schema.referential_constraints AS r ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name WHERE k.constraint_schema = DATABASE() AND k.referenced_table_name IS NOT NULL ORDER BY k.table_name, k.constraint_name, k.ordinal_position";

const TRIGGERS: &str = "SELECT event_object_table, trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()";

type Tables = BTreeMap<String, LiveTable>;

/// The database of the pool.
///
/// # Errors
/// When it cannot be read.
pub async fn live(pool: &Pool) -> Result<Live, Fault> {
    let mut connection = pool.take(Purpose::Read).await?;
    of(&mut connection).await
}

/// The database of a connection.
///
/// # Errors
/// When it cannot be read.
pub async fn of(connection: &mut Connection) -> Result<Live, Fault> {
    let (mut tables, mut views) = (Tables::new(), Vec::new());
    for [name, comment, kind] in texts(connection, TABLES).await? {
        let name = name.unwrap_or_default();
        // in the place of a comment a view says that it is one
        let is_view = kind.as_deref() == Some("VIEW");
        let comment = comment.filter(|words| !words.is_empty() && !is_view);
        if is_view {
            views.push(name.clone());
        }
        tables.insert(name.clone(), LiveTable { name, comment, ..LiveTable::default() });
    }
    columns(connection, &mut tables).await?;
    references(connection, &mut tables).await?;
    indexes(connection, &mut tables).await?;
    for [table, name, text] in texts(connection, connection.flavour().checks).await? {
        if let Some(table) = table.and_then(|table| tables.get_mut(&table)) {
            table.checks.push(LiveCheck { name, text: text.unwrap_or_default() });
        }
    }
    full_texts(connection, &mut tables).await?;
    let (views, tables) = tables.into_values().partition(|table| views.contains(&table.name));
    Ok(Live { tables, views })
}

async fn columns(connection: &mut Connection, tables: &mut Tables) -> Result<(), Fault> {
    for [table, name, ty, nullable, default, extra, comment] in texts(connection, COLUMNS).await? {
        let Some(table) = table.and_then(|table| tables.get_mut(&table)) else { continue };
        let (ty, extra) = (ty.unwrap_or_default(), extra.unwrap_or_default().to_ascii_lowercase());
        table.columns.push(LiveColumn {
            name: name.unwrap_or_default(),
            nullable: nullable.as_deref() == Some("YES"),
            default: default.filter(|text| text != "NULL").map(|text| default_text(text, &ty, &extra)),
            generated: extra.contains("virtual") || extra.contains("stored") || extra.contains("persistent"),
            counted: extra.contains("auto_increment"),
            members: members(&ty),
            comment: comment.filter(|words| !words.is_empty()),
            ty: plain_type(ty),
            expression: None,
            kind: None,
        });
    }
    Ok(())
}

async fn references(connection: &mut Connection, tables: &mut Tables) -> Result<(), Fault> {
    for [table, name, column, target, target_column, on_delete] in texts(connection, REFERENCES).await? {
        let Some(table) = table.and_then(|table| tables.get_mut(&table)) else { continue };
        if table.references.last().is_none_or(|last| last.name != name) {
            table.references.push(LiveReference {
                name,
                target: target.unwrap_or_default(),
                on_delete: on_delete.unwrap_or_default(),
                ..LiveReference::default()
            });
        }
        if let Some(reference) = table.references.last_mut() {
            reference.columns.extend(column);
            reference.target_columns.extend(target_column);
        }
    }
    Ok(())
}

/// An index that covers only the beginning of a column counts as partial, as it keeps
/// nothing unique that one thinks of. Those that the server makes for references bear the
/// names of these and are left out.
async fn indexes(connection: &mut Connection, tables: &mut Tables) -> Result<(), Fault> {
    let mut found: Vec<(String, LiveIndex)> = Vec::new();
    for [table, name, non_unique, column, prefix] in texts(connection, INDEXES).await? {
        let (table, name) = (table.unwrap_or_default(), name.unwrap_or_default());
        if found.last().is_none_or(|(of, index)| *of != table || index.name != name) {
            let unique = non_unique.as_deref() == Some("0");
            found.push((table, LiveIndex { name, unique, ..LiveIndex::default() }));
        }
        if let Some((_, index)) = found.last_mut() {
            index.columns.push(column);
            index.partial |= prefix.is_some();
        }
    }
    for (table, mut index) in found {
        if index.columns.last().is_some_and(|last| last.as_ref().is_some_and(|c| c.starts_with(HIDDEN))) {
            index.columns.pop();
            index.partial = true;
        }
        let Some(table) = tables.get_mut(&table) else { continue };
        let whole: Option<Vec<String>> = index.columns.iter().cloned().collect();
        match whole {
            Some(columns) if index.name == "PRIMARY" => {
                table.key = Some(LiveKey { name: Some(table.name.clone() + "_pkey"), columns });
            }
            Some(columns) if index.unique && !index.partial => {
                table.uniques.push(LiveKey { name: Some(index.name), columns });
            }
            _ if table.references.iter().any(|reference| reference.name.as_ref() == Some(&index.name)) => {}
            _ => table.indexes.push(index),
        }
    }
    Ok(())
}

/// Indexes of words are tables; a comment says what for, a reference of which.
async fn full_texts(connection: &mut Connection, tables: &mut Tables) -> Result<(), Fault> {
    let triggers: Vec<[Option<String>; 2]> = texts(connection, TRIGGERS).await?;
    let own: Vec<String> = tables.keys().filter(|name| name.starts_with(PREFIX)).cloned().collect();
    let own: Vec<LiveTable> = own.iter().filter_map(|name| tables.remove(name)).collect();
    for part in own {
        let names = part.comment.as_deref().and_then(|said| serde_json::from_str::<Vec<String>>(said).ok());
        let Some((name, columns)) = names.as_deref().and_then(<[String]>::split_first) else { continue };
        let Some(reference) = part.references.first() else { continue };
        let Some(table) = tables.get_mut(&reference.target) else { continue };
        let mut columns = columns.to_vec();
        columns.sort();
        let version = version(&part.name).to_owned();
        let stands = |wanted: &String| {
            triggers
                .iter()
                .any(|[of, name]| of.as_deref() == Some(&table.name) && name.as_ref() == Some(wanted))
        };
        let whole = wanted_triggers(name, &version).iter().all(stands);
        table.full_texts.push(LiveFullText { name: name.clone(), columns, version, whole });
    }
    tables.values_mut().for_each(|table| table.full_texts.sort_by(|a, b| a.name.cmp(&b.name)));
    Ok(())
}

/// Rows of texts; whatever else the server sends is written as text.
async fn texts<const N: usize>(
    connection: &mut Connection,
    text: &'static str,
) -> Result<Vec<[Option<String>; N]>, Fault> {
    let rows = connection.rows(text, &[]).await?;
    let one = |row: &mysql_async::Row| {
        std::array::from_fn(|index| match row.as_ref(index) {
            Some(mysql_async::Value::Bytes(bytes)) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Some(mysql_async::Value::Int(number)) => Some(number.to_string()),
            Some(mysql_async::Value::UInt(number)) => Some(number.to_string()),
            _ => None,
        })
    };
    Ok(rows.iter().map(one).collect())
}

/// `int(11)` is `int`; only the width of `tinyint(1)` means something.
fn plain_type(ty: String) -> String {
    let Some((name, rest)) = ty.split_once('(') else { return ty };
    let Some((_, after)) = rest.split_once(')') else { return ty };
    match name {
        "tinyint" if rest.starts_with("1)") => ty,
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" => [name, after].concat(),
        _ => ty,
    }
}

/// MySQL tells a literal without its quotes and marks what is an expression.
fn default_text(text: String, ty: &str, extra: &str) -> String {
    let is_text = ["char", "text", "enum", "date", "binary", "set"].iter().any(|word| ty.contains(word));
    let is_said = extra.contains("default_generated")
        || text.starts_with('\'')
        || text.starts_with('(')
        || text.contains("current_timestamp")
        || text.contains("()");
    if is_text && !is_said { ["'", &text.replace('\'', "''"), "'"].concat() } else { text }
}

/// The members of `enum('a','b')`.
fn members(ty: &str) -> Vec<String> {
    let Some(list) = ty.strip_prefix("enum('").and_then(|rest| rest.strip_suffix("')")) else {
        return Vec::new();
    };
    list.split("','").map(|member| member.replace("''", "'")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_types_and_defaults() {
        let plain = |ty: &str| plain_type(ty.to_owned());
        assert_eq!(plain("int(11)"), "int");
        assert_eq!(plain("bigint(20) unsigned"), "bigint unsigned");
        assert_eq!(plain("tinyint(1)"), "tinyint(1)");
        assert_eq!(plain("tinyint(4)"), "tinyint");
        assert_eq!(plain("decimal(18,4)"), "decimal(18,4)");
        assert_eq!(plain("varchar(63)"), "varchar(63)");
        assert_eq!(plain("double"), "double");
        assert_eq!(members("enum('a','it''s')"), ["a", "it's"]);
        assert_eq!(members("varchar(3)"), Vec::<String>::new());
        assert_eq!(default_text("it's".into(), "varchar(9)", ""), "'it''s'");
        assert_eq!(default_text("'x'".into(), "varchar(9)", ""), "'x'");
        assert_eq!(default_text("5".into(), "int", ""), "5");
        assert_eq!(default_text("uuid()".into(), "varchar(36)", "default_generated"), "uuid()");
    }
}
