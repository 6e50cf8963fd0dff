//! table: conversions of PostgreSQL. What is refused goes by a text that its type does not read.

use backstay_schema::scalar::ScalarType;

/// How values of one type become those of another; `$1` is the column, `$d` and `$s` are digits and scale.
#[must_use]
pub const fn template(from: ScalarType, to: ScalarType) -> &'static str {
    use ScalarType as T;
    match (from, to) {
        (T::Decimal { .. } | T::Int | T::BigInt, T::Decimal { .. }) => "$1::numeric($d, $s)",
        // as SQLite rounds, which has no other numbers to do it with
        (T::Float, T::Decimal { .. }) => {
            "((sign($1) * trunc(abs($1) * power(10::double precision, $s) + 0.5))::bigint * power(10::numeric, -$s))::numeric($d, $s)"
        }
        (T::Decimal { .. }, T::Int) => "round($1)::integer",
        (T::Decimal { .. }, T::BigInt) => "round($1)::bigint",
        (T::Decimal { .. } | T::Int | T::BigInt, T::Float) => "$1::double precision",
        (T::Int, T::BigInt | T::Duration) => "$1::bigint",
        (T::BigInt, T::Int) => "$1::integer",
        (T::Float, T::Int) => {
            "CASE WHEN $1 = trunc($1) THEN $1::integer ELSE ($1::text || ' has a fraction')::integer END"
        }
        (T::Float, T::BigInt) => {
            "CASE WHEN $1 = trunc($1) THEN $1::bigint ELSE ($1::text || ' has a fraction')::bigint END"
        }
        (T::Boolean, T::Int) => "$1::integer",
        (T::Boolean, T::BigInt) => "$1::integer::bigint",
        (T::Boolean, T::Float) => "$1::integer::double precision",
        (T::Int | T::BigInt, T::Boolean) => "$1::text::boolean",
        (T::Float, T::Boolean) => {
            "CASE WHEN $1 IN (0, 1) THEN $1 = 1 ELSE ($1::text || ' is no boolean')::boolean END"
        }
        (_, T::String | T::Enum(_)) => text(from),
        (T::String | T::Enum(_), T::Json) => "$1::text::json",
        (_, T::Json) => json(from),
        (T::Timestamp, T::Time) => "($1 AT TIME ZONE 'UTC')::time",
        (T::Timestamp, T::Date) => "($1 AT TIME ZONE 'UTC')::date",
        (T::Date, T::Timestamp) => "$1::timestamp AT TIME ZONE 'UTC'",
        (T::String | T::Enum(_) | T::Json, _) => read(to),
        (T::Int | T::BigInt | T::Float | T::Boolean, T::Uuid | T::Timestamp | T::Date | T::Time)
        | (
            T::Uuid | T::Timestamp | T::Date | T::Time,
            T::Int | T::BigInt | T::Float | T::Boolean | T::Uuid | T::Timestamp | T::Date | T::Time,
        ) => refused(from, to),
        _ => "$1",
    }
}

const fn text(from: ScalarType) -> &'static str {
    use ScalarType as T;
    match from {
        T::Time => "rtrim(rtrim(to_char($1, 'HH24:MI:SS.US'), '0'), '.')",
        T::Timestamp => {
            "rtrim(rtrim(to_char($1 AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '0'), '.') || '+00:00'"
        }
        T::Boolean => "CASE WHEN $1 THEN 'true' WHEN NOT $1 THEN 'false' END",
        T::Float => {
            "CASE WHEN $1 = 0 THEN '0' WHEN abs($1) < 1e-4 OR abs($1) >= 1e15 THEN ($1::text || ' has an exponent')::integer::text ELSE $1::text END"
        }
        _ => "$1::text",
    }
}

const fn json(from: ScalarType) -> &'static str {
    use ScalarType as T;
    match from {
        T::Time => "('\"' || rtrim(rtrim(to_char($1, 'HH24:MI:SS.US'), '0'), '.') || '\"')::json",
        T::Timestamp => {
            "('\"' || rtrim(rtrim(to_char($1 AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '0'), '.') || '+00:00\"')::json"
        }
        T::Uuid | T::Date => "('\"' || $1::text || '\"')::json",
        T::Float => {
            "(CASE WHEN $1 = 0 THEN '0' WHEN abs($1) < 1e-4 OR abs($1) >= 1e15 THEN ($1::text || ' has an exponent')::integer::text ELSE $1::text END)::json"
        }
        T::Int | T::BigInt | T::Boolean => "to_json($1)",
        _ => "$1",
    }
}

/// A text in the one form of its type.
const fn read(to: ScalarType) -> &'static str {
    use ScalarType as T;
    match to {
        T::Int => {
            "CASE WHEN $1::text ~ '^-?[0-9]+$$' THEN $1::text::integer ELSE ('no number: ' || $1::text)::integer END"
        }
        T::BigInt => {
            "CASE WHEN $1::text ~ '^-?[0-9]+$$' THEN $1::text::bigint ELSE ('no number: ' || $1::text)::bigint END"
        }
        T::Float => {
            "CASE WHEN $1::text ~ '^-?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$$' AND length($1::text) <= 100 THEN $1::text::double precision + 0 ELSE ('no number: ' || $1::text)::double precision END"
        }
        T::Decimal { .. } => {
            "CASE WHEN $1::text ~ '^-?[0-9]+([.][0-9]+)?$$' AND $1::text ~ '^-?[0-9]+([.][0-9]{0,$s}0*)?$$' AND length($1::text) <= 60 THEN $1::text::numeric($d, $s) ELSE ('no number: ' || $1::text)::numeric END"
        }
        T::Boolean => {
            "CASE $1::text WHEN 'true' THEN TRUE WHEN '1' THEN TRUE WHEN 'false' THEN FALSE WHEN '0' THEN FALSE ELSE ('no boolean: ' || $1::text)::boolean END"
        }
        T::Uuid => {
            "CASE WHEN $1::text ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$$' THEN $1::text::uuid ELSE ('no uuid: ' || $1::text)::uuid END"
        }
        T::Date => {
            "CASE WHEN $1::text ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$$' THEN $1::text::date ELSE ('no date: ' || $1::text)::date END"
        }
        T::Time => {
            "CASE WHEN $1::text ~ '^(([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?|24:00:00)$$' THEN $1::text::time ELSE ('no time: ' || $1::text)::time END"
        }
        T::Timestamp => {
            "CASE WHEN $1::text ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+]00(:00)?)?$$' THEN $1::text::timestamp AT TIME ZONE 'UTC' ELSE ('no instant: ' || $1::text)::timestamp AT TIME ZONE 'UTC' END"
        }
        _ => "$1",
    }
}

/// No value has a meaning in the new type.
const fn refused(from: ScalarType, to: ScalarType) -> &'static str {
    use ScalarType as T;
    match (from, to) {
        (T::Uuid, T::Uuid) | (T::Timestamp, T::Timestamp) | (T::Date, T::Date) | (T::Time, T::Time) => "$1",
        (_, T::Int) => "('no number: ' || $1::text)::integer",
        (_, T::BigInt) => "('no number: ' || $1::text)::bigint",
        (_, T::Float) => "('no number: ' || $1::text)::double precision",
        (_, T::Boolean) => "('no boolean: ' || $1::text)::boolean",
        (_, T::Uuid) => "('no uuid: ' || $1::text)::uuid",
        (_, T::Timestamp) => "('no instant: ' || $1::text)::timestamp AT TIME ZONE 'UTC'",
        (_, T::Date) => "('no date: ' || $1::text)::date",
        (_, _) => "('no time: ' || $1::text)::time",
    }
}
