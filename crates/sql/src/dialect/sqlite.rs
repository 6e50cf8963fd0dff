//! table: SQLite. Functions that begin with `bs_` are registered by the engine;
//! none of them stands in DDL, so that a file opens in plain `sqlite3`.

use super::{
    Asked, Children, Dialect, Documents, JsonForm, NullOrder, Placeholder, Returning, RowSetForm, TextTest,
    definition,
};
use crate::ddl::full_text::ANY;
use backstay_query::named::SetTest;
use backstay_query::plan::Words;
use backstay_schema::expr::{AggregateFunction, ArithmeticOp, Function};
use backstay_schema::scalar::ScalarType;
use backstay_schema::scalar::list::write_json;
use backstay_schema::value::Decimal;
use backstay_schema::value::Value;

/// SQLite 3.51.3 and later.
pub static SQLITE: Dialect = Dialect {
    name: "sqlite",
    quote: '"',
    placeholder: Placeholder::Question,
    null_order: NullOrder::Smallest,
    nulls_sayable: true,
    bind: |_| "$1",
    collate: "",
    casts_refuse: true,
    null: |_| "NULL",
    in_list: |ty| match ty {
        ScalarType::Bytes => "($1 IN (SELECT unhex(value) FROM json_each($2)))",
        _ => "($1 IN (SELECT value FROM json_each($2)))",
    },
    not_in_list: |ty| match ty {
        ScalarType::Bytes => "($1 NOT IN (SELECT unhex(value) FROM json_each($2)))",
        _ => "($1 NOT IN (SELECT value FROM json_each($2)))",
    },
    set_test,
    documents: Documents::Whole(document_test),
    elements: |_| "json_each($1) AS $2",
    element: |ty| match ty {
        ScalarType::Bytes => "unhex($1.value)",
        _ => "$1.value",
    },
    list_of_text: |_| "",
    concat: "($1 || $2)",
    like: "bs_like($1, $2)",
    like_ignoring_case: "bs_ilike($1, $2)",
    limit: " LIMIT $1",
    limit_offset: " LIMIT $1 OFFSET $2",
    offset: " LIMIT -1 OFFSET $1",
    plans_once: false,
    json: JsonForm::Path { get: "bs_json_get($1, $2)", text: "bs_json_text($1, $2)", indexed: None },
    row_set: RowSetForm::Elements {
        ordinal: "key",
        column: |ty| match ty {
            ScalarType::Bytes => "unhex(json_extract(value, '$$[$1]'))",
            _ => "json_extract(value, '$$[$1]')",
        },
        from: " FROM json_each($1)",
    },
    batches: false,
    children: Children::PerRow,
    nested_exists: "",
    returning: Returning::Always,
    counted_last: "SELECT last_insert_rowid()",
    count_on: None,
    default_row: " DEFAULT VALUES",
    references_wait: true,
    lock_row: "",
    lock_read: "",
    pattern: None,
    text_test,
    call,
    arithmetic,
    elapsed: "bs_elapsed($1, $2)",
    negate,
    cast,
    aggregate,
    exact_sum: |ty| match ty {
        ScalarType::Float => "bs_sum_float($1)",
        _ => "bs_sum($1, $s)",
    },
    casts_are_null: false,
    decimal_literal,
    list_literal,
    literal,
    candidates: Asked::AtOnce {
        template: "($k IN (SELECT $r FROM $m AS r WHERE r._backstay_row IN (SELECT rowid FROM $w WHERE $w MATCH $q)))",
        query: |words| format!("{} OR \"{ANY}\"", asked(words)),
    },
    definition: &definition::sqlite::SQLITE,
};

/// A query of FTS5. No letter of a word is a quote.
fn asked(words: &Words) -> String {
    let joined = |parts: &[Words], between: &str| {
        format!("({})", parts.iter().map(asked).collect::<Vec<_>>().join(between))
    };
    match words {
        Words::Word { letters, prefix } => format!("\"{letters}\"{}", if *prefix { "*" } else { "" }),
        Words::All(parts) => joined(parts, " AND "),
        Words::Any(parts) => joined(parts, " OR "),
    }
}

const fn document_test(test: SetTest) -> &'static str {
    match test {
        SetTest::Contains => "bs_json_contains($1, $2)",
        SetTest::Contained | SetTest::Overlaps => "bs_json_contains($2, $1)",
    }
}

/// An element that is NULL is equal to nothing.
const fn set_test(test: SetTest, _: ScalarType) -> &'static str {
    match test {
        SetTest::Contains => {
            "CASE WHEN $1 IS NOT NULL THEN NOT EXISTS (SELECT 1 FROM json_each($2) AS n WHERE n.value IS NULL OR n.value NOT IN (SELECT h.value FROM json_each($1) AS h WHERE h.value IS NOT NULL)) END"
        }
        SetTest::Contained => {
            "CASE WHEN $1 IS NOT NULL THEN NOT EXISTS (SELECT 1 FROM json_each($1) AS n WHERE n.value IS NULL OR n.value NOT IN (SELECT h.value FROM json_each($2) AS h WHERE h.value IS NOT NULL)) END"
        }
        SetTest::Overlaps => {
            "CASE WHEN $1 IS NOT NULL THEN EXISTS (SELECT 1 FROM json_each($1) AS h WHERE h.value IN (SELECT n.value FROM json_each($2) AS n)) END"
        }
    }
}

const fn text_test(test: TextTest) -> &'static str {
    match test {
        TextTest::StartsWith => "bs_starts_with($1, $2)",
        TextTest::EndsWith => "bs_ends_with($1, $2)",
        TextTest::Contains => "bs_contains($1, $2)",
        TextTest::Matches => "bs_matches($1, $2)",
    }
}

const fn call(function: Function) -> &'static str {
    match function {
        Function::StartsWith => text_test(TextTest::StartsWith),
        Function::EndsWith => text_test(TextTest::EndsWith),
        Function::Contains => text_test(TextTest::Contains),
        Function::Matches => text_test(TextTest::Matches),
        Function::Size => "length($1)",
        Function::Elements => "json_array_length($1)",
        Function::LowerAscii => "lower($1)",
        Function::UpperAscii => "upper($1)",
        Function::Year => "CAST(substr($1, 1, 4) AS INTEGER)",
        Function::Month => "(CAST(substr($1, 6, 2) AS INTEGER) - 1)",
        Function::DayOfMonth => "(CAST(substr($1, 9, 2) AS INTEGER) - 1)",
        Function::DayOfWeek => "CAST(strftime('%w', substr($1, 1, 10)) AS INTEGER)",
        Function::Hours => "CAST(substr($1, 12, 2) AS INTEGER)",
        Function::Minutes => "CAST(substr($1, 15, 2) AS INTEGER)",
        Function::Seconds => "CAST(substr($1, 18, 2) AS INTEGER)",
    }
}

const fn arithmetic(op: ArithmeticOp, ty: ScalarType) -> &'static str {
    use ArithmeticOp::{Add, Div, Mul, Rem, Sub};
    match (ty, op) {
        (ScalarType::Float, Add) => "bs_add_float($1, $2)",
        (ScalarType::Float, Sub) => "bs_sub_float($1, $2)",
        (ScalarType::Float, Mul) => "bs_mul_float($1, $2)",
        (ScalarType::Float, Div) => "bs_div_float($1, $2)",
        (ScalarType::Float, Rem) => "bs_rem_float($1, $2)",
        (ScalarType::Decimal { .. }, Add) => "bs_add_decimal($1, $2, $d)",
        (ScalarType::Decimal { .. }, Sub) => "bs_sub_decimal($1, $2, $d)",
        (ScalarType::Decimal { .. }, Mul) => "bs_mul_decimal($1, $2, $d, $s)",
        (ScalarType::Decimal { .. }, Div) => "bs_div_decimal($1, $2, $d, $s)",
        (ScalarType::Decimal { .. }, Rem) => "bs_rem_decimal($1, $2, $d)",
        (ScalarType::Timestamp | ScalarType::Date, Sub) => "bs_sub_time($1, $2)",
        (ScalarType::Timestamp | ScalarType::Date, Add | Mul | Div | Rem) => "bs_add_time($1, $2)",
        (ScalarType::Int, Add) => "bs_add_int($1, $2)",
        (ScalarType::Int, Sub) => "bs_sub_int($1, $2)",
        (ScalarType::Int, Mul) => "bs_mul_int($1, $2)",
        (ScalarType::Int, Div) => "bs_div_int($1, $2)",
        (ScalarType::Int, Rem) => "bs_rem_int($1, $2)",
        (_, Add) => "bs_add_bigint($1, $2)",
        (_, Sub) => "bs_sub_bigint($1, $2)",
        (_, Mul) => "bs_mul_bigint($1, $2)",
        (_, Div) => "bs_div_bigint($1, $2)",
        (_, Rem) => "bs_rem_bigint($1, $2)",
    }
}

const fn negate(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Float => "(- $1)",
        ScalarType::Int => "bs_sub_int(0, $1)",
        _ => "bs_sub_bigint(0, $1)",
    }
}

/// Timestamps, dates, ids, enums and JSON are stored as their text forms, so a
/// conversion of them to text changes nothing.
fn cast(from: ScalarType, to: ScalarType) -> Option<&'static str> {
    use ScalarType as T;
    match (from, to) {
        _ if from == to => None,
        (T::Int, T::BigInt)
        | (
            T::Uuid | T::Timestamp | T::Date | T::Time | T::Json | T::Enum(_) | T::Int | T::BigInt,
            T::String,
        ) if !matches!((from, to), (T::Int | T::BigInt, T::String)) => None,
        (T::Int | T::BigInt, T::String) => Some("CAST($1 AS TEXT)"),
        (T::Boolean, T::Int | T::BigInt) | (T::String | T::Enum(_), T::Enum(_)) => None,
        (T::Boolean, T::String) => Some("CASE WHEN $1 THEN 'true' WHEN NOT $1 THEN 'false' END"),
        (T::Int | T::BigInt, T::Float) => Some("CAST($1 AS REAL)"),
        (T::Int | T::BigInt, T::Decimal { .. }) => Some("bs_rescale($1, 0, $s, $d)"),
        (T::Decimal { .. }, T::Decimal { .. }) => Some("bs_rescale($1, $f, $s, $d)"),
        (T::Decimal { .. }, T::Float) => Some("bs_decimal_float($1, $f)"),
        (T::Timestamp, T::Date) => Some("substr($1, 1, 10)"),
        (T::Timestamp, T::Time) => Some("substr($1, 12, length($1) - 17)"),
        (T::Date, T::Timestamp) => Some("($1 || 'T00:00:00+00:00')"),
        _ => Some("bs_cast($1, '$F', $f, '$T', $d, $s)"),
    }
}

/// SQLite's own `sum` of integers is exact and fails on overflow (22003).
const fn aggregate(function: AggregateFunction, ty: ScalarType) -> &'static str {
    match (function, ty) {
        (AggregateFunction::Count, _) => "count($1)",
        (AggregateFunction::Sum, ScalarType::Float) => "coalesce(sum($1), 0.0)",
        (AggregateFunction::Sum, _) => "coalesce(sum($1), 0)",
        (AggregateFunction::Min, _) => "min($1)",
        (AggregateFunction::Max, _) => "max($1)",
        (AggregateFunction::Avg, ScalarType::Float) => "avg($1)",
        (AggregateFunction::Avg, _) => "bs_avg_decimal($1)",
    }
}

/// Decimals are stored as integers scaled by their column's scale.
fn decimal_literal(decimal: Decimal, scale: u8) -> String {
    let mut units = decimal.units;
    for _ in decimal.scale..scale {
        units = units.saturating_mul(10);
    }
    for _ in scale..decimal.scale {
        units /= 10;
    }
    units.to_string()
}

fn list_literal(values: &[Value], scale: u8) -> String {
    let stored = |value: &Value| match value {
        Value::Bool(truth) => Value::Int(i64::from(*truth)),
        Value::Decimal(decimal) => Value::Json(decimal_literal(*decimal, scale)),
        Value::Float(number) => Value::Json(format!("{number:?}")),
        Value::Duration(micros) => Value::Int(*micros),
        Value::Bytes(_) => Value::Text(value.to_text().trim_start_matches("\\x").to_owned()),
        other => other.clone(),
    };
    let mut text = String::new();
    write_json(&values.iter().map(stored).collect::<Vec<_>>(), &mut text);
    text
}

fn literal(value: &Value) -> String {
    match value {
        Value::Bytes(_) => ["x'", value.to_text().trim_start_matches("\\x"), "'"].concat(),
        _ => ["'", &stored_text(value), "'"].concat(),
    }
}

/// The text that SQLite stores for a value whose type is stored as text.
#[must_use]
pub fn stored_text(value: &Value) -> String {
    value.to_text()
}
