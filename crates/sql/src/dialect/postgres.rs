//! table: PostgreSQL 13 and later. No extension, and no function of our own but the one by which indexes of
//! words part texts: what the database does otherwise than the language is said around it.

use super::{
    Asked, Children, Dialect, Documents, JsonForm, NullOrder, Placeholder, Returning, RowSetForm, TextTest,
    definition,
};
use crate::pattern::{ADVANCED, translate};
use backstay_query::named::SetTest;
use backstay_query::plan::Words;
use backstay_schema::expr::{AggregateFunction, ArithmeticOp, Function};
use backstay_schema::scalar::ScalarType;
use backstay_schema::scalar::list::Element;
use backstay_schema::value::Value;

/// PostgreSQL 13 and later.
pub static POSTGRES: Dialect = Dialect {
    name: "postgres",
    quote: '"',
    placeholder: Placeholder::Dollar,
    null_order: NullOrder::Largest,
    nulls_sayable: true,
    bind: |_| "$1",
    collate: " COLLATE \"C\"",
    casts_refuse: false,
    null,
    in_list: |_| "($1 = ANY ($2))",
    not_in_list: |_| "($1 <> ALL ($2))",
    set_test,
    documents: Documents::Whole(document_test),
    elements: |_| "unnest($1) AS $2(v)",
    element: |_| "$1.v",
    list_of_text,
    concat: "($1 || $2)",
    like: "($1 LIKE $2)",
    like_ignoring_case: "((lower(translate($1, 'Σ', 'σ') COLLATE \"und-x-icu\") COLLATE \"C\") LIKE $2)",
    limit: " LIMIT $1",
    limit_offset: " LIMIT $1 OFFSET $2",
    offset: " OFFSET $1",
    plans_once: true,
    json: JsonForm::Steps { get: " -> ", text: " ->> " },
    row_set: RowSetForm::Arrays,
    batches: false,
    children: Children::Arrays,
    // 18.4 hashes such a test once and does not hash it again for the next row of the outermost level
    nested_exists: " OFFSET 0",
    returning: Returning::Always,
    counted_last: "SELECT lastval()",
    count_on: Some(
        "SELECT setval(s.q, $3) FROM (SELECT pg_get_serial_sequence($1, $2)::regclass AS q) AS s WHERE coalesce(pg_sequence_last_value(s.q), 0) < $3",
    ),
    default_row: " DEFAULT VALUES",
    references_wait: true,
    lock_row: " FOR UPDATE OF $1",
    lock_read: " FOR SHARE",
    pattern: Some(|pattern| translate(pattern, ADVANCED)),
    text_test,
    call,
    arithmetic,
    elapsed: "(SELECT extract(day FROM q.i)::bigint * 86400000000 + extract(hour FROM q.i)::bigint * 3600000000 + extract(minute FROM q.i)::bigint * 60000000 + extract(microseconds FROM q.i)::bigint FROM (SELECT $1 - $2 AS i) AS q)",
    negate,
    cast,
    aggregate,
    // a sum of floats depends on the order of the rows: it is added up elsewhere
    exact_sum: |ty| match ty {
        ScalarType::Float => "string_agg(($1)::text, ',')",
        _ => "sum($1)::text",
    },
    casts_are_null: false,
    decimal_literal: |decimal, _| decimal.to_string(),
    list_literal: |values, _| {
        let stored = |value: &Value| match value {
            Value::Duration(micros) => Value::Int(*micros),
            other => other.clone(),
        };
        Value::List(values.iter().map(stored).collect()).to_text()
    },
    literal: |value: &Value| ["'", &value.to_text(), "'"].concat(),
    candidates: Asked::AtOnce {
        template: "(_backstay_words1($t) @@ (CAST($q AS text))::tsquery)",
        query: |words| format!("{} | '*'", asked(words)),
    },
    definition: &definition::postgres::POSTGRES,
};

/// A query of the type `tsquery`. No letter of a word is a quote or a backslash.
fn asked(words: &Words) -> String {
    let joined = |parts: &[Words], between: &str| {
        format!("({})", parts.iter().map(asked).collect::<Vec<_>>().join(between))
    };
    match words {
        Words::Word { letters, prefix } => format!("'{letters}'{}", if *prefix { ":*" } else { "" }),
        Words::All(parts) => joined(parts, " & "),
        Words::Any(parts) => joined(parts, " | "),
    }
}

const fn null(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Int => "NULL::integer",
        ScalarType::BigInt => "NULL::bigint",
        ScalarType::Float => "NULL::double precision",
        ScalarType::Decimal { .. } => "NULL::numeric",
        ScalarType::Boolean => "NULL::boolean",
        ScalarType::String | ScalarType::Enum(_) => "NULL::text",
        ScalarType::Uuid => "NULL::uuid",
        ScalarType::Timestamp => "NULL::timestamptz",
        ScalarType::Date => "NULL::date",
        ScalarType::Time => "NULL::time",
        ScalarType::Duration => "NULL::bigint",
        ScalarType::Bytes => "NULL::bytea",
        ScalarType::Json => "NULL::json",
        ScalarType::List(list) => null_list(list.element),
    }
}

const fn document_test(test: SetTest) -> &'static str {
    match test {
        SetTest::Contains => "(($1)::jsonb @> ($2)::jsonb)",
        SetTest::Contained | SetTest::Overlaps => "(($1)::jsonb <@ ($2)::jsonb)",
    }
}

const fn set_test(test: SetTest, _: ScalarType) -> &'static str {
    match test {
        SetTest::Contains => "($1 @> $2)",
        SetTest::Contained => "($1 <@ $2)",
        SetTest::Overlaps => "($1 && $2)",
    }
}

/// An array of arrays is none of lists: they go as texts and are read one by one.
const fn list_of_text(ty: ScalarType) -> &'static str {
    let ScalarType::List(list) = ty else { return "" };
    match list.element {
        Element::Int => "::integer[]",
        Element::BigInt | Element::Duration => "::bigint[]",
        Element::Float => "::double precision[]",
        Element::Decimal { .. } => "::numeric[]",
        Element::Boolean => "::boolean[]",
        Element::String | Element::Enum(_) => "::text[]",
        Element::Uuid => "::uuid[]",
        Element::Timestamp => "::timestamptz[]",
        Element::Date => "::date[]",
        Element::Time => "::time[]",
        Element::Bytes => "::bytea[]",
    }
}

const fn null_list(element: Element) -> &'static str {
    match element {
        Element::Int => "NULL::integer[]",
        Element::BigInt | Element::Duration => "NULL::bigint[]",
        Element::Float => "NULL::double precision[]",
        Element::Decimal { .. } => "NULL::numeric[]",
        Element::Boolean => "NULL::boolean[]",
        Element::String | Element::Enum(_) => "NULL::text[]",
        Element::Uuid => "NULL::uuid[]",
        Element::Timestamp => "NULL::timestamptz[]",
        Element::Date => "NULL::date[]",
        Element::Time => "NULL::time[]",
        Element::Bytes => "NULL::bytea[]",
    }
}

const fn text_test(test: TextTest) -> &'static str {
    match test {
        TextTest::StartsWith => "starts_with($1, $2)",
        TextTest::EndsWith => "(right($1, length($2)) = $2)",
        TextTest::Contains => "(strpos($1, $2) > 0)",
        TextTest::Matches => "($1 ~ $2)",
    }
}

const fn call(function: Function) -> &'static str {
    match function {
        Function::StartsWith => text_test(TextTest::StartsWith),
        Function::EndsWith => text_test(TextTest::EndsWith),
        Function::Contains => text_test(TextTest::Contains),
        Function::Matches => text_test(TextTest::Matches),
        Function::Size => "length($1)",
        Function::Elements => "cardinality($1)",
        Function::LowerAscii => "lower($1 COLLATE \"C\")",
        Function::UpperAscii => "upper($1 COLLATE \"C\")",
        Function::Year => "extract(year FROM $1 AT TIME ZONE 'UTC')::integer",
        Function::Month => "(extract(month FROM $1 AT TIME ZONE 'UTC')::integer - 1)",
        Function::DayOfMonth => "(extract(day FROM $1 AT TIME ZONE 'UTC')::integer - 1)",
        Function::DayOfWeek => "extract(dow FROM $1 AT TIME ZONE 'UTC')::integer",
        Function::Hours => "extract(hour FROM $1 AT TIME ZONE 'UTC')::integer",
        Function::Minutes => "extract(minute FROM $1 AT TIME ZONE 'UTC')::integer",
        Function::Seconds => "floor(extract(second FROM $1 AT TIME ZONE 'UTC'))::integer",
    }
}

/// What leaves its type is NULL: the value is brought just outside the range first, so
/// that it is written once.
pub(super) const fn arithmetic(op: ArithmeticOp, ty: ScalarType) -> &'static str {
    use ArithmeticOp::{Add, Div, Mul, Rem, Sub};
    match (ty, op) {
        (ScalarType::Int, Add) => {
            "NULLIF(NULLIF(GREATEST(LEAST($1::bigint + $2::bigint, 2147483648), -2147483649), 2147483648), -2147483649)::integer"
        }
        (ScalarType::Int, Sub) => {
            "NULLIF(NULLIF(GREATEST(LEAST($1::bigint - $2::bigint, 2147483648), -2147483649), 2147483648), -2147483649)::integer"
        }
        (ScalarType::Int, Mul) => {
            "NULLIF(NULLIF(GREATEST(LEAST($1::bigint * $2::bigint, 2147483648), -2147483649), 2147483648), -2147483649)::integer"
        }
        (ScalarType::Int, Div) => {
            "NULLIF(NULLIF(GREATEST(LEAST($1::bigint / NULLIF($2::bigint, 0), 2147483648), -2147483649), 2147483648), -2147483649)::integer"
        }
        (ScalarType::Int, Rem) => "($1::bigint % NULLIF($2::bigint, 0))::integer",
        // the database refuses what leaves the range: that is asked before
        (ScalarType::Float, Add) => {
            "(SELECT CASE WHEN (q.a < 0) <> (q.b < 0) OR abs(q.b) - (1.7976931348623157e308 - abs(q.a)) < 9.979201547673599e291 THEN q.a + q.b END FROM (SELECT $1 AS a, $2 AS b) AS q)"
        }
        (ScalarType::Float, Sub) => {
            "(SELECT CASE WHEN (q.a < 0) = (q.b < 0) OR abs(q.b) - (1.7976931348623157e308 - abs(q.a)) < 9.979201547673599e291 THEN q.a - q.b END FROM (SELECT $1 AS a, $2 AS b) AS q)"
        }
        (ScalarType::Float, Mul) => {
            "(SELECT CASE WHEN q.a = 0 OR q.b = 0 THEN 0 WHEN abs(q.a) > 1.7976931348623157e308 / GREATEST(abs(q.b), 1) THEN NULL WHEN ln(abs(q.a)) + ln(abs(q.b)) < -745.13 THEN 0 ELSE q.a * q.b END FROM (SELECT $1 AS a, $2 AS b) AS q)"
        }
        (ScalarType::Float, Div) => {
            "(SELECT CASE WHEN q.b = 0 THEN NULL WHEN q.a = 0 THEN 0 WHEN abs(q.a) > 1.7976931348623157e308 * LEAST(abs(q.b), 1) THEN NULL WHEN ln(abs(q.a)) - ln(abs(q.b)) < -745.13 THEN 0 ELSE q.a / q.b END FROM (SELECT $1 AS a, $2 AS b) AS q)"
        }
        (ScalarType::Float, Rem) => "NULL::double precision",
        (ScalarType::Decimal { .. }, Add) => {
            "NULLIF(NULLIF(GREATEST(LEAST($1 + $2, power(10::numeric, $d - $s)), - power(10::numeric, $d - $s)), power(10::numeric, $d - $s)), - power(10::numeric, $d - $s))"
        }
        (ScalarType::Decimal { .. }, Sub) => {
            "NULLIF(NULLIF(GREATEST(LEAST($1 - $2, power(10::numeric, $d - $s)), - power(10::numeric, $d - $s)), power(10::numeric, $d - $s)), - power(10::numeric, $d - $s))"
        }
        (ScalarType::Decimal { .. }, Mul) => {
            "NULLIF(NULLIF(GREATEST(LEAST(round($1 * $2, $s), power(10::numeric, $d - $s)), - power(10::numeric, $d - $s)), power(10::numeric, $d - $s)), - power(10::numeric, $d - $s))"
        }
        // exact, where the database would round twice
        (ScalarType::Decimal { .. }, Div) => {
            "(SELECT CASE WHEN abs(q.u) < power(10::numeric, $d) THEN round(q.u / power(10::numeric, $s), $s) END FROM (SELECT sign(r.a) * sign(r.b) * div(2 * abs(r.a) * power(10::numeric, $s) + abs(r.b), 2 * abs(r.b)) AS u FROM (SELECT $1 AS a, NULLIF($2, 0) AS b) AS r) AS q)"
        }
        (ScalarType::Decimal { .. }, Rem) => "($1 % NULLIF($2, 0))",
        (ScalarType::Timestamp | ScalarType::Date, Sub) => {
            "(SELECT CASE WHEN extract(epoch FROM q.t) * 1000000 - q.d BETWEEN -62135596800000000 AND 253402300799999999 THEN q.t - make_interval(hours => (GREATEST(LEAST(q.d, 400000000000000000), -400000000000000000) / 3600000000)::integer, secs => (q.d % 3600000000) / 1000000.0) END FROM (SELECT $1::timestamptz AS t, $2::bigint AS d) AS q)"
        }
        (ScalarType::Timestamp | ScalarType::Date, Add | Mul | Div | Rem) => {
            "(SELECT CASE WHEN extract(epoch FROM q.t) * 1000000 + q.d BETWEEN -62135596800000000 AND 253402300799999999 THEN q.t + make_interval(hours => (GREATEST(LEAST(q.d, 400000000000000000), -400000000000000000) / 3600000000)::integer, secs => (q.d % 3600000000) / 1000000.0) END FROM (SELECT $1::timestamptz AS t, $2::bigint AS d) AS q)"
        }
        (_, Add) => {
            "NULLIF(NULLIF(GREATEST(LEAST($1::numeric + $2::numeric, 9223372036854775808), -9223372036854775809), 9223372036854775808), -9223372036854775809)::bigint"
        }
        (_, Sub) => {
            "NULLIF(NULLIF(GREATEST(LEAST($1::numeric - $2::numeric, 9223372036854775808), -9223372036854775809), 9223372036854775808), -9223372036854775809)::bigint"
        }
        (_, Mul) => {
            "NULLIF(NULLIF(GREATEST(LEAST($1::numeric * $2::numeric, 9223372036854775808), -9223372036854775809), 9223372036854775808), -9223372036854775809)::bigint"
        }
        (_, Div) => {
            "NULLIF(NULLIF(GREATEST(LEAST(div($1::numeric, NULLIF($2::numeric, 0)), 9223372036854775808), -9223372036854775809), 9223372036854775808), -9223372036854775809)::bigint"
        }
        (_, Rem) => {
            "(SELECT CASE WHEN q.b <> -1 OR q.a > -9223372036854775808 THEN q.a % NULLIF(q.b, 0) END FROM (SELECT $1::bigint AS a, $2::bigint AS b) AS q)"
        }
    }
}

const fn negate(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Int => "NULLIF(- $1::bigint, 2147483648)::integer",
        ScalarType::BigInt | ScalarType::Duration => "NULLIF(- $1::numeric, 9223372036854775808)::bigint",
        // there is one zero
        ScalarType::Float => "(0 - $1)",
        _ => "(- $1)",
    }
}

fn cast(from: ScalarType, to: ScalarType) -> Option<&'static str> {
    use ScalarType as T;
    match (from, to) {
        _ if from == to => None,
        (T::List(_), T::List(_)) => None,
        (T::List(_), _) => Some("to_json($1)"),
        (_, T::List(_)) => Some("NULL"),
        (T::String | T::Enum(_), T::Enum(_)) | (T::Enum(_), T::String) => None,
        // a document is read by its text
        (T::Json, T::Int) => Some("($1)::text::integer"),
        (T::Json, T::BigInt) => Some("($1)::text::bigint"),
        (T::Json, T::Float) => Some("($1)::text::double precision"),
        (T::Json | T::Float, T::Decimal { .. }) => Some("($1)::text::numeric($d, $s)"),
        (T::Json, T::Boolean) => Some("($1)::text::boolean"),
        (T::Json, T::Uuid) => Some("($1)::text::uuid"),
        (T::Json, T::Timestamp) => Some("($1)::text::timestamptz"),
        (T::Json, T::Date) => Some("($1)::text::date"),
        (T::Json, T::Time) => Some("($1)::text::time"),
        (T::Json | T::String | T::Enum(_), T::Duration) => {
            Some("(extract(epoch FROM (($1)::text::interval)) * 1000000)::bigint")
        }
        (T::Json, T::Bytes) => Some("($1)::text::bytea"),
        (T::Timestamp, T::Time) => Some("($1 AT TIME ZONE 'UTC')::time"),
        (_, T::Time) => Some("($1)::time"),
        (_, T::Duration) => Some("($1)::bigint"),
        (_, T::Bytes) => Some("($1)::bytea"),
        (_, T::Int) => Some("($1)::integer"),
        (_, T::BigInt) => Some("($1)::bigint"),
        (_, T::Float) => Some("($1)::double precision"),
        (_, T::Decimal { .. }) => Some("($1)::numeric($d, $s)"),
        // there is one zero
        (T::Float, T::String) => Some("($1 + 0)::text"),
        (_, T::Boolean) => Some("($1)::boolean"),
        (_, T::Uuid) => Some("($1)::uuid"),
        (T::Date, T::Timestamp) => Some("(($1)::timestamp AT TIME ZONE 'UTC')"),
        (_, T::Timestamp) => Some("($1)::timestamptz"),
        (T::Timestamp, T::Date) => Some("($1 AT TIME ZONE 'UTC')::date"),
        (_, T::Date) => Some("($1)::date"),
        (_, T::Json) => Some("($1)::json"),
        (_, T::String | T::Enum(_)) => Some("(($1)::text COLLATE \"C\")"),
    }
}

const fn aggregate(function: AggregateFunction, ty: ScalarType) -> &'static str {
    match (function, ty) {
        (AggregateFunction::Count, _) => "count($1)",
        (AggregateFunction::Sum, ScalarType::Float) => "coalesce(sum($1), 0)",
        (AggregateFunction::Sum, ScalarType::Decimal { .. }) => "coalesce(sum($1), 0)",
        (AggregateFunction::Sum, _) => "coalesce(sum($1), 0)::bigint",
        (AggregateFunction::Min, _) => "min($1)",
        (AggregateFunction::Max, _) => "max($1)",
        (AggregateFunction::Avg, ScalarType::Float) => "avg($1)",
        (AggregateFunction::Avg, _) => "round(avg($1), $s)",
    }
}
