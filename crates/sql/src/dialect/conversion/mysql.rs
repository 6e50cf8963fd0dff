//! table: conversions of MariaDB and MySQL. The statement runs in strict mode: what these would round or read
//! generously becomes a text that the column does not take.

use backstay_schema::scalar::ScalarType;

/// How values of one type become those of another; `$1` is the column, `$s` the scale.
#[must_use]
pub const fn template(from: ScalarType, to: ScalarType) -> &'static str {
    use ScalarType as T;
    match (from, to) {
        (T::Decimal { .. }, T::Decimal { .. }) => "round($1, $s)",
        // as SQLite rounds, which has no other numbers to do it with
        (T::Float, T::Decimal { .. }) => {
            "CAST(sign($1) * floor(abs($1) * pow(10, $s) + 0.5e0) AS SIGNED) * CAST('1e-$s' AS DECIMAL(38, 18))"
        }
        (T::Decimal { .. }, T::Int | T::BigInt) => "round($1)",
        (T::Float, T::Int | T::BigInt | T::Boolean) => "if($1 <> round($1), 'a fraction', $1)",
        // the column takes no number out of its range, and its check nothing but 0 and 1
        (T::Int | T::BigInt | T::Boolean, T::Int | T::BigInt | T::Boolean | T::Float)
        | (T::Decimal { .. }, T::Float)
        | (T::Int | T::BigInt, T::Decimal { .. } | T::Duration)
        | (T::Duration, T::BigInt)
        | (T::Bytes, T::Bytes) => "$1",
        (_, T::String | T::Enum(_)) => text(from),
        (T::Uuid | T::Timestamp | T::Date | T::Time, T::Json) => json(from),
        (T::String | T::Enum(_), T::Json) => READ_JSON,
        // the column has a check that it is JSON
        (_, T::Json) => text(from),
        (T::Timestamp, T::Date) => "date($1)",
        (T::Timestamp, T::Time) => "time($1)",
        (T::Date, T::Timestamp) => "$1",
        (T::String | T::Enum(_) | T::Json, _) => read(to),
        (T::Uuid, T::Uuid)
        | (T::Timestamp, T::Timestamp)
        | (T::Date, T::Date)
        | (T::Time, T::Time)
        | (T::Float, T::Float)
        | (T::Duration, T::Duration)
        | (T::List(_), T::List(_)) => "$1",
        (T::Uuid, _) => "concat('no value: ', hex($1))",
        _ => "concat('no value of its: ', $1)",
    }
}

/// The column has a check, which takes `"\x"` and `1.` for JSON: nothing of either is left where all strings are taken out.
const READ_JSON: &str = r#"if(regexp_replace($1, '"(?:[^"\\\\]++|\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4}))*+"', '') RLIKE '["\\\\]|[.](?![0-9])', concat('no JSON: ', $1), $1)"#;

const fn text(from: ScalarType) -> &'static str {
    use ScalarType as T;
    match from {
        T::Uuid => {
            "lower(insert(insert(insert(insert(hex($1), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-'))"
        }
        T::Timestamp => {
            "concat(trim(TRAILING '.' FROM trim(TRAILING '0' FROM date_format($1, '%Y-%m-%dT%H:%i:%s.%f'))), '+00:00')"
        }
        T::Time => "trim(TRAILING '.' FROM trim(TRAILING '0' FROM time_format($1, '%H:%i:%s.%f')))",
        T::Boolean => "CASE WHEN $1 THEN 'true' WHEN NOT $1 THEN 'false' END",
        // a text takes everything, so that a number too large is refused by itself
        T::Float => {
            "CASE WHEN $1 = 0 THEN '0' WHEN abs($1) < 1e-4 OR abs($1) >= 1e15 THEN exp(710 + 0 * $1) ELSE concat($1) END"
        }
        T::Int | T::BigInt | T::Date | T::Decimal { .. } => "concat($1)",
        _ => "$1",
    }
}

const fn json(from: ScalarType) -> &'static str {
    use ScalarType as T;
    match from {
        T::Uuid => {
            "concat('\"', lower(insert(insert(insert(insert(hex($1), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-')), '\"')"
        }
        T::Timestamp => {
            "concat('\"', trim(TRAILING '.' FROM trim(TRAILING '0' FROM date_format($1, '%Y-%m-%dT%H:%i:%s.%f'))), '+00:00\"')"
        }
        T::Time => {
            "concat('\"', trim(TRAILING '.' FROM trim(TRAILING '0' FROM time_format($1, '%H:%i:%s.%f'))), '\"')"
        }
        _ => "concat('\"', $1, '\"')",
    }
}

/// A text in the one form of its type.
const fn read(to: ScalarType) -> &'static str {
    use ScalarType as T;
    match to {
        T::Int | T::BigInt => "if(concat($1) RLIKE '^-?[0-9]+\\\\z', concat($1), concat('no number: ', $1))",
        T::Float => {
            "if(concat($1) RLIKE '^-?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]{1,2})?\\\\z' AND char_length($1) <= 100, concat($1 + 0e0), concat('no number: ', $1))"
        }
        T::Decimal { .. } => {
            "if(concat($1) RLIKE '^-?[0-9]+([.][0-9]+)?\\\\z' AND concat($1) RLIKE '^-?[0-9]+([.][0-9]{0,$s}0*)?\\\\z' AND char_length($1) <= 60, concat($1), concat('no number: ', $1))"
        }
        T::Boolean => {
            "CASE concat($1) WHEN 'true' THEN 1 WHEN '1' THEN 1 WHEN 'false' THEN 0 WHEN '0' THEN 0 ELSE concat('no boolean: ', $1) END"
        }
        T::Uuid => {
            "if(concat($1) RLIKE '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\\\\z', unhex(replace($1, '-', '')), CAST(concat('no uuid, by far: ', $1) AS BINARY))"
        }
        T::Date => {
            "if(concat($1) RLIKE '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\\\\z' AND left($1, 4) <> '0000', concat($1), concat('no date: ', $1))"
        }
        // its own type holds negative lengths and more than a day, too, and reads 7 as seconds
        T::Time => {
            "if(concat($1) RLIKE '^(([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?|24:00:00)\\\\z', concat($1), concat('no time: ', $1))"
        }
        T::Timestamp => {
            "if(concat($1) RLIKE '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+]00(:00)?)?\\\\z' AND left($1, 4) <> '0000', regexp_replace($1, '(Z|[+]00(:00)?)\\\\z', ''), concat('no instant: ', $1))"
        }
        _ => "$1",
    }
}
