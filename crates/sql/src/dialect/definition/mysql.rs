//! table: definitions of MariaDB and MySQL, which differ in the name of a collation alone: comments
//! that one of them executes say it, so that a migration file has one text for both.

use super::{
    Alter, ChangeType, Comments, Definition, Escaped, Expand, FullText, InPlace, Partial, Place, on_delete,
};
use crate::dialect::conversion;
use backstay_schema::scalar::ScalarType;

/// MariaDB 10.6 and later, MySQL 8.0.19 and later.
pub static MYSQL: Definition = Definition {
    column_type,
    scalar,
    counted_key: " $t NOT NULL AUTO_INCREMENT PRIMARY KEY",
    reads_counted: false,
    table_suffix: " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/",
    on_delete,
    reference_suffix: "",
    scaled_decimals: false,
    counted_booleans: true,
    json_check: Some("json_valid($1)"),
    falsehood: "0",
    truth: "1",
    backslash_escapes: true,
    characters: "char_length($1)",
    migration_time: "utc_timestamp(6)",
    default_time: "current_timestamp(6)",
    default: " DEFAULT ($1)",
    drop_index: "DROP INDEX $1 ON $2",
    // no row has a value in the further column but those that the index is about
    partial: Partial {
        unique: "ALTER TABLE $2 ADD COLUMN $5 TINYINT GENERATED ALWAYS AS (CASE WHEN $4 THEN 1 END) VIRTUAL INVISIBLE, ADD UNIQUE INDEX $1 ($3, $5)",
        plain: "ALTER TABLE $2 ADD COLUMN $5 TINYINT GENERATED ALWAYS AS (CASE WHEN $4 THEN 1 END) VIRTUAL INVISIBLE, ADD INDEX $1 ($3, $5)",
        drop: "ALTER TABLE $2 DROP INDEX $1, DROP COLUMN $5",
    },
    full_text: FULL_TEXT,
    arithmetic: crate::dialect::mysql::arithmetic,
    widened,
    comments: Comments::Clauses {
        opens: "'",
        table: " COMMENT=$k",
        column: " COMMENT $k",
        change_table: "ALTER TABLE $1 COMMENT=$k",
        most_of_table: 2048,
        most_of_column: 1024,
    },
    convert: conversion::mysql::template,
    alter: Alter::InPlace(&InPlace {
        change_type: ChangeType::Widening(" MODIFY COLUMN $1 $t$k"),
        allow_null: " MODIFY COLUMN $1 $t NULL$k",
        forbid_null: " MODIFY COLUMN $1 $t NOT NULL$k",
        count: " MODIFY COLUMN $1 $t NOT NULL AUTO_INCREMENT$k",
        count_from: None,
        stop_counting: " MODIFY COLUMN $1 $t NOT NULL$k",
        drop_key: " DROP PRIMARY KEY",
        drop_unique: " DROP INDEX $1",
        drop_check: " DROP CONSTRAINT $1",
        drop_reference: " DROP FOREIGN KEY $1",
        rename_key: None,
        rename_unique: " RENAME INDEX $1 TO $2",
        rename_index: "ALTER TABLE $3 RENAME INDEX $1 TO $2",
        refuses_missing: false,
        // other changes choose the cheapest way that the server has for them; said aloud, that would be
        // refused where a table has a FULLTEXT index or was changed too often
        index_clause: " ALGORITHM=INPLACE LOCK=NONE",
        unique_clause: ", ALGORITHM=INPLACE, LOCK=NONE",
        online: None,
        expand: &EXPAND,
    }),
};

/// The words stand in a table, each with the keys of its rows, and triggers keep it: `FULLTEXT` would not see what the
/// own transaction wrote, nor a row that is written at this very moment, and leaves words out. The collation knows
/// case and accents. What a cascade does to rows, for which no trigger is called, it does to their words.
const FULL_TEXT: FullText = FullText {
    words: "if(octet_length($t) > 300000 OR $t RLIKE '[$a]', '[\"*\"]', concat('[\"', regexp_replace(regexp_replace($e, '[\\\\x{300}-\\\\x{36f}]+', ''), '[\\\\x{0}$p]+', '\",\"'), '\"]'))",
    escaped: Escaped::Braces,
    same: "BINARY $1 <=> BINARY $2",
    create: &[
        "DROP TABLE IF EXISTS $w",
        "CREATE TABLE $w (_backstay_word VARCHAR(64) COLLATE utf8mb4_unicode_520_ci NOT NULL, $d, PRIMARY KEY (_backstay_word, $k), INDEX ($k), FOREIGN KEY ($k) REFERENCES $1 ($k) ON DELETE CASCADE ON UPDATE CASCADE) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=/*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/ COMMENT=$C",
        "CREATE TRIGGER $i AFTER INSERT ON $1 FOR EACH ROW INSERT IGNORE INTO $w (_backstay_word, $k) SELECT DISTINCT left(j.w, 64), $K FROM json_table($x, '$$[*]' COLUMNS (w LONGTEXT CHARACTER SET utf8mb4 PATH '$$')) AS j WHERE j.w <> ''",
        "CREATE TRIGGER $q AFTER UPDATE ON $1 FOR EACH ROW DELETE FROM $w WHERE $m AND NOT ($s)",
        "CREATE TRIGGER $u AFTER UPDATE ON $1 FOR EACH ROW FOLLOWS $q INSERT IGNORE INTO $w (_backstay_word, $k) SELECT DISTINCT left(j.w, 64), $K FROM json_table(if($s, '[]', $x), '$$[*]' COLUMNS (w LONGTEXT CHARACTER SET utf8mb4 PATH '$$')) AS j WHERE j.w <> ''",
        "INSERT IGNORE INTO $w (_backstay_word, $k) SELECT DISTINCT left(j.w, 64), $T FROM $1 AS t, json_table($z, '$$[*]' COLUMNS (w LONGTEXT CHARACTER SET utf8mb4 PATH '$$')) AS j WHERE j.w <> ''",
    ],
    drop: &[
        "DROP TRIGGER IF EXISTS $i",
        "DROP TRIGGER IF EXISTS $u",
        "DROP TRIGGER IF EXISTS $q",
        "DROP TABLE IF EXISTS $w",
    ],
};

const EXPAND: Expand = Expand {
    mirror: &[
        "CREATE TRIGGER $i BEFORE INSERT ON $1 FOR EACH ROW SET NEW.$n = IF(NEW.$n IS NULL, $g, NEW.$n), NEW.$o = IF(NEW.$o IS NULL, $h, NEW.$o)",
        "CREATE TRIGGER $u BEFORE UPDATE ON $1 FOR EACH ROW SET NEW.$o = IF(NOT (NEW.$n <=> OLD.$n) AND NOT (NEW.$n <=> $g), $h, NEW.$o), NEW.$n = IF(NEW.$n <=> OLD.$n AND NOT (NEW.$o <=> OLD.$o), $g, NEW.$n)",
    ],
    mirror_body: "",
    fill: &[
        "CREATE TRIGGER $i BEFORE INSERT ON $1 FOR EACH ROW SET NEW.$n = IF(NEW.$n IS NULL, $g, NEW.$n)",
        "CREATE TRIGGER $u BEFORE UPDATE ON $1 FOR EACH ROW SET NEW.$n = IF(NEW.$n IS NULL, $g, NEW.$n)",
    ],
    fill_body: "",
    end: &["DROP TRIGGER $i", "DROP TRIGGER $u"],
    end_one: &["DROP TRIGGER $f"],
    backfill: "UPDATE $1 SET $n = $v WHERE $n IS NULL AND $v IS NOT NULL ORDER BY $k LIMIT $z",
    relax: " MODIFY COLUMN $1 $t NULL",
};

const fn widened(_: ScalarType, to: ScalarType) -> &'static str {
    match to {
        ScalarType::Decimal { .. } => "CAST($1 AS DECIMAL($d, $s))",
        ScalarType::BigInt => "$1",
        _ => "$1",
    }
}

const fn column_type(ty: ScalarType, place: Place) -> &'static str {
    match (ty, place) {
        (ScalarType::Int, _) => "INT",
        (ScalarType::BigInt | ScalarType::Duration, _) => "BIGINT",
        (ScalarType::Float, _) => "DOUBLE",
        (ScalarType::Decimal { .. }, _) => "DECIMAL($d, $s)",
        (ScalarType::Boolean, _) => "TINYINT(1)",
        (ScalarType::Enum(_), _) => "VARCHAR(63)",
        (ScalarType::String, Place::Index) => "VARCHAR($n)",
        (ScalarType::String, Place::Row) | (ScalarType::Json | ScalarType::List(_), _) => "LONGTEXT",
        (ScalarType::Uuid, _) => "BINARY(16)",
        (ScalarType::Timestamp, _) => "DATETIME(6)",
        (ScalarType::Date, _) => "DATE",
        (ScalarType::Time, _) => "TIME(6)",
        (ScalarType::Bytes, Place::Index) => "VARBINARY($n)",
        (ScalarType::Bytes, Place::Row) => "LONGBLOB",
    }
}

/// The words are those of `information_schema.columns.column_type`.
fn scalar(words: &str) -> Option<ScalarType> {
    let lower = words.to_ascii_lowercase();
    let (word, numbers) = super::word_and_numbers(&lower);
    let unsigned = lower.contains("unsigned");
    Some(match word {
        "tinyint" if numbers == [1] => ScalarType::Boolean,
        "int" | "integer" if unsigned => ScalarType::BigInt,
        "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "year" => ScalarType::Int,
        "bigint" if !unsigned => ScalarType::BigInt,
        "double" | "float" | "real" => ScalarType::Float,
        "decimal" | "numeric" => super::decimal(&numbers)?,
        "varchar" | "char" | "text" | "tinytext" | "mediumtext" | "longtext" | "enum" => ScalarType::String,
        "binary" if numbers == [16] => ScalarType::Uuid,
        "uuid" => ScalarType::Uuid,
        "datetime" | "timestamp" => ScalarType::Timestamp,
        "date" => ScalarType::Date,
        "time" => ScalarType::Time,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => ScalarType::Bytes,
        "json" => ScalarType::Json,
        _ => return None,
    })
}
