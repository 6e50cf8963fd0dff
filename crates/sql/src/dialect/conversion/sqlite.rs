//! table: conversions of SQLite, without registered functions. What is refused becomes bytes: no column of another
//! type takes them.

use backstay_schema::scalar::ScalarType;

/// How values of one type become those of another; `$1` is the column, `$s` the scale of the new type, `$p` ten to
/// the power of the old one's. Decimals that become other numbers are not said here: their scale stands in a check.
#[must_use]
pub const fn template(from: ScalarType, to: ScalarType) -> &'static str {
    use ScalarType as T;
    match (from, to) {
        // the column takes no fraction, and its check nothing but 0 and 1
        (T::Int | T::BigInt | T::Float | T::Boolean, T::BigInt | T::Float | T::Boolean)
        | (T::Boolean, T::Int)
        | (T::Int | T::BigInt | T::Duration, T::BigInt | T::Duration) => "$1",
        (T::BigInt, T::Int) => {
            "CASE WHEN $1 BETWEEN -2147483648 AND 2147483647 THEN $1 ELSE CAST($1 AS BLOB) END"
        }
        (T::Float, T::Int) => {
            "CASE WHEN $1 BETWEEN -2147483648 AND 2147483647 AND $1 = CAST($1 AS INTEGER) THEN CAST($1 AS INTEGER) ELSE CAST($1 AS BLOB) END"
        }
        (T::Boolean, T::String | T::Enum(_) | T::Json) => {
            "CASE WHEN $1 THEN 'true' WHEN NOT $1 THEN 'false' END"
        }
        (T::Decimal { .. }, T::String) => DECIMAL_TEXT,
        (T::Float, T::String | T::Enum(_) | T::Json) => FLOAT_TEXT,
        (T::Uuid | T::Timestamp | T::Date | T::Time, T::Json) => "'\"' || $1 || '\"'",
        (T::String | T::Enum(_), T::Json) => "CASE WHEN json_valid($1) THEN $1 ELSE CAST($1 AS BLOB) END",
        (T::Timestamp, T::Date) => "substr($1, 1, 10)",
        (T::Timestamp, T::Time) => "substr($1, 12, length($1) - 17)",
        (T::Date, T::Timestamp) => "$1 || 'T00:00:00+00:00'",
        (_, T::String | T::Enum(_)) | (T::Int | T::BigInt | T::Json, T::Json) => "$1",
        (T::String | T::Enum(_) | T::Json, _) => read(to),
        (T::Uuid, T::Uuid)
        | (T::Timestamp, T::Timestamp)
        | (T::Date, T::Date)
        | (T::Time, T::Time)
        | (T::Bytes, T::Bytes)
        | (T::Int, T::Int) => "$1",
        _ => "CAST($1 AS BLOB)",
    }
}

/// All digits of the scale, as on the wire: the unit before the fraction keeps its zeros.
const DECIMAL_TEXT: &str = "CASE WHEN $1 < 0 THEN '-' ELSE '' END || rtrim((abs($1) / $p) || '.' || substr($p + abs($1) % $p, 2), '.')";

/// Digits as they are on the wire, as few as give the number back.
const FLOAT_TEXT: &str = "CASE WHEN $1 IS NULL THEN NULL WHEN $1 = 0 THEN '0' WHEN abs($1) < 1e-4 OR abs($1) >= 1e15 THEN CAST($1 AS BLOB) WHEN CAST(format('%.15g', $1) AS REAL) = $1 THEN format('%.15g', $1) WHEN CAST(format('%!.16g', $1) AS REAL) = $1 THEN format('%!.16g', $1) ELSE format('%!.17g', $1) END";

/// A text in the one form of its type.
const fn read(to: ScalarType) -> &'static str {
    use ScalarType as T;
    match to {
        T::Int => {
            "CASE WHEN NOT (ltrim(substr($1, 1, 1), '-') || substr($1, 2) GLOB '*[^0-9]*') AND $1 GLOB '*[0-9]' AND CAST($1 AS INTEGER) BETWEEN -2147483648 AND 2147483647 THEN CAST($1 AS INTEGER) ELSE CAST($1 AS BLOB) END"
        }
        // the column takes no text that leaves 64 bits
        T::BigInt => {
            "CASE WHEN NOT (ltrim(substr($1, 1, 1), '-') || substr($1, 2) GLOB '*[^0-9]*') AND $1 GLOB '*[0-9]' THEN $1 ELSE CAST($1 AS BLOB) END"
        }
        // a number is what becomes one without a cast, and has one zero
        T::Float => {
            "CASE WHEN NOT ($1 GLOB '*[^-+.0-9eE]*') AND ($1 GLOB '[0-9]*' OR $1 GLOB '-[0-9]*') AND $1 GLOB '*[0-9]' AND NOT ($1 GLOB '*.[^0-9]*') AND NOT ($1 GLOB '*[eE]*[0-9][0-9][0-9]*') AND length($1) <= 100 THEN CASE WHEN $1 + 0.0 = 0 THEN 0 ELSE $1 END ELSE CAST($1 AS BLOB) END"
        }
        // as many digits after the point as the scale has, and zeros behind them; the check of the column knows how many before
        T::Decimal { .. } => {
            "CASE WHEN NOT ($1 GLOB '*[^-.0-9]*') AND ($1 GLOB '[0-9]*' OR $1 GLOB '-[0-9]*') AND $1 GLOB '*[0-9]' AND NOT (substr($1, 2) GLOB '*-*') AND NOT ($1 GLOB '*.*.*') AND length($1) <= 60 AND rtrim(substr($1, instr($1 || '.', '.') + 1 + $s), '0') = '' THEN CAST(substr($1, 1, instr($1 || '.', '.') - 1) || substr(substr($1, instr($1 || '.', '.') + 1) || '000000000000000000', 1, $s) AS INTEGER) ELSE CAST($1 AS BLOB) END"
        }
        T::Boolean => {
            "CASE $1 WHEN 'true' THEN 1 WHEN '1' THEN 1 WHEN 'false' THEN 0 WHEN '0' THEN 0 ELSE CAST($1 AS BLOB) END"
        }
        T::Uuid => {
            "CASE WHEN length($1) = 36 AND substr($1, 9, 1) || substr($1, 14, 1) || substr($1, 19, 1) || substr($1, 24, 1) = '----' AND length(unhex($1, '-')) = 16 THEN lower($1) ELSE CAST($1 AS BLOB) END"
        }
        T::Date => {
            "CASE WHEN $1 GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]' AND $1 > '0001' AND date($1) = $1 THEN $1 ELSE CAST($1 AS BLOB) END"
        }
        T::Time => {
            "CASE WHEN $1 = '24:00:00' THEN $1 WHEN $1 > '24' THEN CAST($1 AS BLOB) WHEN $1 GLOB '[0-2][0-9]:[0-5][0-9]' THEN $1 || ':00' WHEN $1 GLOB '[0-2][0-9]:[0-5][0-9]:[0-5][0-9]' THEN $1 WHEN $1 GLOB '[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9]*' AND NOT (substr($1, 10) GLOB '*[^0-9]*') AND length($1) <= 15 THEN rtrim(rtrim($1, '0'), '.') ELSE CAST($1 AS BLOB) END"
        }
        T::Timestamp => {
            "CASE WHEN NOT ($1 GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9]*') OR $1 < '0001' OR date(substr($1, 1, 10)) <> substr($1, 1, 10) OR substr($1, 12) > '24' THEN CAST($1 AS BLOB) WHEN substr($1, 20) IN ('', 'Z', '+00', '+00:00') THEN substr($1, 1, 10) || 'T' || substr($1, 12, 8) || '+00:00' WHEN substr($1, 20, 1) = '.' AND ltrim(substr($1, 21), '0123456789') IN ('', 'Z', '+00', '+00:00') AND length($1) - length(ltrim(substr($1, 21), '0123456789')) BETWEEN 21 AND 26 THEN substr($1, 1, 10) || 'T' || rtrim(rtrim(substr($1, 12, length($1) - length(ltrim(substr($1, 21), '0123456789')) - 11), '0'), '.') || '+00:00' ELSE CAST($1 AS BLOB) END"
        }
        _ => "$1",
    }
}
