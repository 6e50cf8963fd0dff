//! What stands in the current schema: tables, columns, keys, indexes, references, checks,
//! in the words of PostgreSQL's catalog. Tables of extensions are not among them.

use crate::error::Trouble;
use backstay_engine::live::{
    Live, LiveCheck, LiveColumn, LiveFullText, LiveIndex, LiveKey, LiveReference, LiveTable,
};
use backstay_sql::ddl::full_text::version;
use tokio_postgres::{Client, Row};

const COLUMNS: &str = "SELECT c.relname::text, obj_description(c.oid, 'pg_class'),
  a.attname::text,
  format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation
    THEN ' COLLATE ' || quote_ident(l.collname) ELSE '' END,
  NOT a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attgenerated <> '',
  a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', FALSE),
  ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = a.atttypid ORDER BY e.enumsortorder),
  col_description(c.oid, a.attnum), c.relkind IN ('v', 'm')
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS x
    WHERE x.classid = 'pg_class'::regclass AND x.objid = c.oid AND x.deptype = 'e')
ORDER BY c.relname COLLATE \"C\", a.attnum";

const CONSTRAINTS: &str = "SELECT c.relname::text, k.conname::text, k.contype::text,
  ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(number, place)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place),
  coalesce(r.relname::text, ''),
  ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(number, place)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place),
  CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
    WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END,
  pg_get_constraintdef(k.oid, TRUE)
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class AS r ON r.oid = k.confrelid
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND k.contype IN ('p', 'u', 'f', 'c')
ORDER BY c.relname COLLATE \"C\", k.conname COLLATE \"C\"";

const INDEXES: &str = "SELECT c.relname::text, i.relname::text,
  ARRAY(SELECT a.attname::text FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS u(number, place)
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = u.number
    WHERE u.place <= x.indnkeyatts ORDER BY u.place),
  x.indisunique, x.indpred IS NOT NULL
FROM pg_catalog.pg_index AS x
JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_class AS c ON c.oid = x.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND x.indisvalid
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS f
    JOIN pg_catalog.pg_proc AS p ON p.oid = f.refobjid AND p.proname LIKE '\\_backstay\\_words%'
    WHERE f.classid = 'pg_class'::regclass AND f.objid = x.indexrelid AND f.refclassid = 'pg_proc'::regclass)
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS k
    WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY c.relname COLLATE \"C\", i.relname COLLATE \"C\"";

/// The columns of an expression are told by what it depends on.
const FULL_TEXTS: &str = "SELECT c.relname::text, i.relname::text,
  ARRAY(SELECT a.attname::text FROM pg_catalog.pg_depend AS d
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_class'::regclass AND d.objid = x.indexrelid AND d.refclassid = 'pg_class'::regclass
      AND d.refobjid = x.indrelid AND d.refobjsubid > 0 ORDER BY a.attname COLLATE \"C\"), p.proname::text
FROM pg_catalog.pg_index AS x
JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_class AS c ON c.oid = x.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_depend AS f ON f.classid = 'pg_class'::regclass AND f.objid = x.indexrelid
  AND f.refclassid = 'pg_proc'::regclass
JOIN pg_catalog.pg_proc AS p ON p.oid = f.refobjid AND p.proname LIKE '\\_backstay\\_words%'
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND x.indisvalid
ORDER BY c.relname COLLATE \"C\", i.relname COLLATE \"C\"";

/// Everything in the current schema, within the transaction that is open.
///
/// # Errors
/// When the catalog cannot be read.
pub async fn live(client: &Client) -> Result<Live, Trouble> {
    let (mut tables, mut views): (Vec<LiveTable>, Vec<LiveTable>) = (Vec::new(), Vec::new());
    for row in client.query_typed(COLUMNS, &[]).await? {
        let name: String = row.try_get(0)?;
        let tables = if row.try_get(10)? { &mut views } else { &mut tables };
        if tables.last().is_none_or(|last| last.name != name) {
            tables.push(LiveTable { name, comment: row.try_get(1)?, ..LiveTable::default() });
        }
        if let (Some(table), Some(column)) = (tables.last_mut(), column(&row)?) {
            table.columns.push(column);
        }
    }
    for row in client.query_typed(CONSTRAINTS, &[]).await? {
        let name: &str = row.try_get(0)?;
        if let Some(table) = tables.iter_mut().find(|table| table.name == name) {
            constraint(&row, table)?;
        }
    }
    for row in client.query_typed(INDEXES, &[]).await? {
        let name: &str = row.try_get(0)?;
        if let Some(table) = tables.iter_mut().find(|table| table.name == name) {
            table.indexes.push(LiveIndex {
                name: row.try_get(1)?,
                columns: row.try_get(2)?,
                unique: row.try_get(3)?,
                partial: row.try_get(4)?,
            });
        }
    }
    for row in client.query_typed(FULL_TEXTS, &[]).await? {
        let (name, function): (&str, &str) = (row.try_get(0)?, row.try_get(3)?);
        if let Some(table) = tables.iter_mut().find(|table| table.name == name) {
            table.full_texts.push(LiveFullText {
                name: row.try_get(1)?,
                columns: row.try_get(2)?,
                version: version(function).to_owned(),
                whole: true,
            });
        }
    }
    Ok(Live { tables, views })
}

/// A column; none for a table that has no columns.
fn column(row: &Row) -> Result<Option<LiveColumn>, Trouble> {
    let Some(name) = row.try_get::<_, Option<String>>(2)? else { return Ok(None) };
    let generated: bool = row.try_get(6)?;
    let default: Option<String> = row.try_get(5)?;
    Ok(Some(LiveColumn {
        name,
        ty: row.try_get(3)?,
        nullable: row.try_get(4)?,
        default: default.filter(|_| !generated),
        generated,
        counted: row.try_get(7)?,
        members: row.try_get(8)?,
        comment: row.try_get(9)?,
        expression: None,
        kind: None,
    }))
}

fn constraint(row: &Row, table: &mut LiveTable) -> Result<(), Trouble> {
    let name: Option<String> = row.try_get(1)?;
    let columns: Vec<String> = row.try_get(3)?;
    match row.try_get::<_, &str>(2)? {
        "p" => table.key = Some(LiveKey { name, columns }),
        "u" => table.uniques.push(LiveKey { name, columns }),
        "f" => table.references.push(LiveReference {
            name,
            columns,
            target: row.try_get(4)?,
            target_columns: row.try_get(5)?,
            on_delete: row.try_get(6)?,
        }),
        _ => table.checks.push(LiveCheck { name, text: condition(row.try_get(7)?).to_owned() }),
    }
    Ok(())
}

/// `a > 0` of `CHECK (a > 0) NOT VALID`.
fn condition(definition: &str) -> &str {
    let inside = definition.strip_prefix("CHECK (").unwrap_or(definition);
    let inside = inside.strip_suffix(" NOT VALID").unwrap_or(inside);
    let inside = inside.strip_suffix(" NO INHERIT").unwrap_or(inside);
    inside.strip_suffix(')').unwrap_or(inside)
}
