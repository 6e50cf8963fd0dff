//! table: definitions of SQLite. No registered function stands in them.

use super::{Alter, Comments, Definition, Partial, Place, on_delete};
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
    arithmetic,
    widened,
    comments: Comments::Nowhere,
    alter: Alter::Rebuild,
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
