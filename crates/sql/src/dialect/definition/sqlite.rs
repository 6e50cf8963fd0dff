//! table: definitions of SQLite. No registered function stands in them.

use super::{Alter, Comments, Definition, Escaped, FullText, Partial, Place, on_delete};
use crate::dialect::conversion;
use backstay_schema::expr::ArithmeticOp;
use backstay_schema::scalar::ScalarType;

/// SQLite 3.51.3 and later.
pub static SQLITE: Definition = Definition {
    column_type,
    scalar,
    counted_key: " $t CONSTRAINT $1 PRIMARY KEY AUTOINCREMENT",
    reads_counted: true,
    table_suffix: " STRICT",
    on_delete,
    reference_suffix: "",
    scaled_decimals: true,
    counted_booleans: true,
    json_check: None,
    falsehood: "0",
    truth: "1",
    backslash_escapes: false,
    characters: "length($1)",
    migration_time: "strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now')",
    default_time: "strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now')",
    default: " DEFAULT $1",
    drop_index: "DROP INDEX $1",
    // an index with an expression is named in errors, one of columns alone is not
    partial: Partial {
        unique: "CREATE UNIQUE INDEX $1 ON $2 ($3, (1)) WHERE $4",
        plain: "CREATE INDEX $1 ON $2 ($3) WHERE $4",
        drop: "DROP INDEX $1",
    },
    full_text: FULL_TEXT,
    arithmetic,
    widened,
    comments: Comments::Nowhere,
    convert: conversion::sqlite::template,
    alter: Alter::Rebuild,
};

/// The words stand in FTS5 without their texts; what they are called there a table of its own says, because SQLite
/// may give rows other numbers. Triggers keep both. A row that was replaced leaves words behind, of nobody.
const FULL_TEXT: FullText = FullText {
    words: "CASE WHEN instr($t, char(0)) > 0 OR $t GLOB '*[$a]*' THEN 'zzbackstayanyzz' ELSE $e END",
    escaped: Escaped::Never,
    same: "$1 IS $2",
    create: &[
        "DROP TABLE IF EXISTS $w",
        "DROP TABLE IF EXISTS $r",
        "CREATE VIRTUAL TABLE $w USING fts5(words, content='', columnsize=0, detail=none, tokenize=\"unicode61 remove_diacritics 2 categories 'L* Nd Nl' separators '$j'\")",
        "CREATE TABLE $r (_backstay_row INTEGER PRIMARY KEY, $d, UNIQUE ($k), CHECK ($C <> '')) STRICT",
        "INSERT INTO $r ($k) SELECT $k FROM $1",
        "INSERT INTO $w (rowid, words) SELECT r._backstay_row, $z FROM $1 AS t JOIN $r AS r USING ($k)",
        "CREATE TRIGGER $i AFTER INSERT ON $1 BEGIN DELETE FROM $r WHERE $m; INSERT INTO $r ($k) VALUES ($K); INSERT INTO $w (rowid, words) SELECT _backstay_row, $x FROM $r WHERE $m; END",
        "CREATE TRIGGER $u AFTER UPDATE OF $c, $k ON $1 WHEN NOT ($s) BEGIN INSERT INTO $w ($w, rowid, words) SELECT 'delete', _backstay_row, $y FROM $r WHERE $o; DELETE FROM $r WHERE $o; DELETE FROM $r WHERE $m; INSERT INTO $r ($k) VALUES ($K); INSERT INTO $w (rowid, words) SELECT _backstay_row, $x FROM $r WHERE $m; END",
        "CREATE TRIGGER $q AFTER DELETE ON $1 BEGIN INSERT INTO $w ($w, rowid, words) SELECT 'delete', _backstay_row, $y FROM $r WHERE $o; DELETE FROM $r WHERE $o; END",
    ],
    drop: &[
        "DROP TRIGGER IF EXISTS $i",
        "DROP TRIGGER IF EXISTS $u",
        "DROP TRIGGER IF EXISTS $q",
        "DROP TABLE IF EXISTS $w",
        "DROP TABLE IF EXISTS $r",
    ],
};

/// An integer that leaves 64 bits becomes a fraction.
const fn arithmetic(op: ArithmeticOp, ty: ScalarType) -> &'static str {
    use ArithmeticOp::{Add, Mul, Sub};
    match (ty, op) {
        (ScalarType::Int, Add) => "CASE WHEN $1 + $2 BETWEEN -2147483648 AND 2147483647 THEN $1 + $2 END",
        (ScalarType::Int, Sub) => "CASE WHEN $1 - $2 BETWEEN -2147483648 AND 2147483647 THEN $1 - $2 END",
        (ScalarType::Int, Mul) => "CASE WHEN $1 * $2 BETWEEN -2147483648 AND 2147483647 THEN $1 * $2 END",
        (ScalarType::Decimal { .. }, Add) => {
            "CASE WHEN typeof($1 + $2) = 'integer' AND $1 + $2 BETWEEN -$m AND $m THEN $1 + $2 END"
        }
        (ScalarType::Decimal { .. }, Sub) => {
            "CASE WHEN typeof($1 - $2) = 'integer' AND $1 - $2 BETWEEN -$m AND $m THEN $1 - $2 END"
        }
        (ScalarType::Decimal { .. }, Mul) => {
            "CASE WHEN typeof($1 * $2) = 'integer' AND $1 * $2 BETWEEN -$m AND $m THEN $1 * $2 END"
        }
        (_, Add) => "CASE WHEN typeof($1 + $2) = 'integer' THEN $1 + $2 END",
        (_, Sub) => "CASE WHEN typeof($1 - $2) = 'integer' THEN $1 - $2 END",
        (_, Mul) => "CASE WHEN typeof($1 * $2) = 'integer' THEN $1 * $2 END",
        (_, ArithmeticOp::Div | ArithmeticOp::Rem) => "NULL",
    }
}

const fn widened(from: ScalarType, to: ScalarType) -> &'static str {
    match (from, to) {
        (ScalarType::Int, ScalarType::Decimal { .. }) => "($1 * $p)",
        _ => "$1",
    }
}

const fn column_type(ty: ScalarType, _place: Place) -> &'static str {
    match ty {
        ScalarType::Int
        | ScalarType::BigInt
        | ScalarType::Decimal { .. }
        | ScalarType::Boolean
        | ScalarType::Duration => "INTEGER",
        ScalarType::Bytes => "BLOB",
        ScalarType::Float => "REAL",
        ScalarType::String
        | ScalarType::Uuid
        | ScalarType::Timestamp
        | ScalarType::Date
        | ScalarType::Time
        | ScalarType::Json
        | ScalarType::Enum(_)
        | ScalarType::List(_) => "TEXT",
    }
}

/// A declared type is only an affinity outside of STRICT tables, so that many words stand for one type.
fn scalar(words: &str) -> Option<ScalarType> {
    let upper = words.to_ascii_uppercase();
    let (word, _) = super::word_and_numbers(&upper);
    Some(match word {
        "INT" | "INTEGER" | "BIGINT" | "SMALLINT" | "MEDIUMINT" | "TINYINT" | "INT2" | "INT8" => {
            ScalarType::BigInt
        }
        // booleans are whole numbers, and fractions that are not scaled are floats
        "BOOLEAN" | "BOOL" => ScalarType::BigInt,
        "REAL" | "DOUBLE" | "DOUBLE PRECISION" | "FLOAT" | "NUMERIC" | "DECIMAL" => ScalarType::Float,
        "TEXT" | "VARCHAR" | "CHAR" | "CHARACTER" | "NCHAR" | "NVARCHAR" | "CLOB" | "CHARACTER VARYING"
        | "DATE" | "DATETIME" | "TIMESTAMP" => ScalarType::String,
        "BLOB" => ScalarType::Bytes,
        _ => return None,
    })
}
