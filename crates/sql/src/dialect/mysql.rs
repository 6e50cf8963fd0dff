//! table: MariaDB 10.11 and later, MySQL 8.0.19 and later. They differ in a collation's
//! name and in whether inserts can answer. Text is compared by its bytes, trailing spaces count.

use super::{
    Asked, Children, Dialect, Documents, Indexed, JsonForm, NullOrder, Placeholder, Returning, RowSetForm,
    TextTest, ValueTests, definition,
};
use crate::document::{self, pattern};
use crate::pattern::{PERL, translate};
use backstay_query::named::SetTest;
use backstay_schema::expr::{AggregateFunction, ArithmeticOp, Function};
use backstay_schema::scalar::ScalarType;
use backstay_schema::scalar::list::write_json;
use backstay_schema::value::Value;

/// MariaDB 10.11 and later.
pub static MARIADB: Dialect = Dialect {
    name: "mysql",
    quote: '`',
    placeholder: Placeholder::Question,
    null_order: NullOrder::Smallest,
    nulls_sayable: false,
    bind,
    collate: "",
    casts_refuse: false,
    null: |_| "NULL",
    in_list,
    not_in_list,
    set_test,
    documents: Documents::Pattern { test: text_test(TextTest::Matches), pattern: document_pattern },
    elements,
    element,
    list_of_text: |_| "",
    concat: "CONCAT($1, $2)",
    like: "($1 LIKE $2)",
    // the letters of a binary collation are those of an old Unicode
    like_ignoring_case: "(LOWER(REPLACE($1, 'İ', 'i̇') COLLATE utf8mb4_uca1400_nopad_as_cs) COLLATE utf8mb4_nopad_bin LIKE $2)",
    limit: " LIMIT $1",
    limit_offset: " LIMIT $1 OFFSET $2",
    offset: " LIMIT 18446744073709551615 OFFSET $1",
    plans_once: false,
    json: JsonForm::Path {
        get: "JSON_COMPACT(JSON_EXTRACT($1, $2))",
        text: "(JSON_UNQUOTE(NULLIF(JSON_COMPACT(JSON_EXTRACT($1, $2)), 'null')) COLLATE utf8mb4_nopad_bin)",
        // a constant path keeps what it made of a negative index for the next time: this one is none
        indexed: Some(Indexed {
            get: "JSON_COMPACT(JSON_EXTRACT($1, CONCAT($2, LEFT(RAND(), 0))))",
            text: "(JSON_UNQUOTE(NULLIF(JSON_COMPACT(JSON_EXTRACT($1, CONCAT($2, LEFT(RAND(), 0)))), 'null')) COLLATE utf8mb4_nopad_bin)",
            array: "JSON_TYPE(JSON_EXTRACT($1, CONCAT($2, LEFT(RAND(), 0)))) = 'ARRAY'",
        }),
    },
    row_set: RowSetForm::JsonTable { column: table_column, read: table_read },
    batches: true,
    children: Children::PerLevel,
    nested_exists: "",
    returning: Returning::InsertAndDelete,
    counted_last: "SELECT LAST_INSERT_ID()",
    count_on: None,
    default_row: " () VALUES ()",
    references_wait: false,
    lock_row: " FOR UPDATE",
    lock_read: " LOCK IN SHARE MODE",
    pattern: Some(|pattern| translate(pattern, PERL)),
    text_test,
    call,
    arithmetic,
    elapsed: "TIMESTAMPDIFF(MICROSECOND, $2, $1)",
    negate,
    cast,
    aggregate,
    // a sum of floats depends on the order of the rows: it is added up elsewhere
    exact_sum: |ty| match ty {
        ScalarType::Float => "GROUP_CONCAT($1 SEPARATOR ',')",
        _ => "CAST(SUM($1) AS CHAR)",
    },
    casts_are_null: true,
    decimal_literal: |decimal, _| decimal.to_string(),
    list_literal,
    literal,
    candidates: Asked::EachWord {
        word: "($k IN (SELECT $r FROM $w AS r WHERE r._backstay_word IN ($q, '*')))",
        prefix: "($k IN (SELECT $r FROM $w AS r WHERE r._backstay_word LIKE $q OR r._backstay_word = '*'))",
    },
    definition: &definition::mysql::MYSQL,
};

/// MySQL 8.0.19 and later.
pub static MYSQL: Dialect = Dialect {
    // its patterns know no grammar
    documents: Documents::WrittenOut(&VALUE_TESTS),
    like_ignoring_case: "(LOWER(REPLACE($1, 'İ', 'i̇') COLLATE utf8mb4_0900_as_cs) COLLATE utf8mb4_0900_bin LIKE $2)",
    json: JsonForm::Path {
        get: "JSON_EXTRACT($1, $2)",
        text: "(JSON_UNQUOTE(NULLIF(CAST(JSON_EXTRACT($1, $2) AS CHAR), 'null')) COLLATE utf8mb4_0900_bin)",
        indexed: Some(Indexed {
            get: "JSON_EXTRACT($1, $2)",
            text: "(JSON_UNQUOTE(NULLIF(CAST(JSON_EXTRACT($1, $2) AS CHAR), 'null')) COLLATE utf8mb4_0900_bin)",
            array: "JSON_TYPE(JSON_EXTRACT($1, $2)) = 'ARRAY'",
        }),
    },
    returning: Returning::Never,
    batches: false,
    lock_read: " FOR SHARE",
    ..MARIADB
};

/// What MySQL keeps has each name once and no escapes that are not needed. Its own test takes a value for an array that
/// holds it, at every depth. The words are those of MariaDB too, so that they are run there.
static VALUE_TESTS: ValueTests = ValueTests {
    member: "JSON_EXTRACT($1, $2)",
    members: "JSON_LENGTH($1)",
    object: "((JSON_TYPE($1) = 'OBJECT') IS TRUE)",
    array: "((JSON_TYPE($1) = 'ARRAY') IS TRUE)",
    elements: "JSON_TABLE($1, '$$[*]' COLUMNS (e JSON PATH '$$')) AS $2",
    element: "$1.e",
    string: "((JSON_TYPE($1) = 'STRING' AND JSON_UNQUOTE($1) COLLATE /*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/ = $2) IS TRUE)",
    plain: "((CAST($1 AS CHAR) REGEXP $2) IS TRUE)",
    // null may come as NULL
    plain_element: "((COALESCE(CAST($1 AS CHAR), 'null') REGEXP $2) IS TRUE)",
};

/// Texts are compared with decimals as floats, and bytes are not text.
const fn bind(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Decimal { .. } => "CAST($1 AS DECIMAL($d,$s))",
        ScalarType::Uuid => "UNHEX($1)",
        ScalarType::Date => "CAST($1 AS DATE)",
        ScalarType::Time => "CAST($1 AS TIME(6))",
        _ => "$1",
    }
}

const fn in_list(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Int | ScalarType::BigInt | ScalarType::Boolean | ScalarType::Duration => {
            "($1 IN (SELECT v FROM JSON_TABLE($2, '$$[*]' COLUMNS (v BIGINT PATH '$$')) AS t))"
        }
        ScalarType::Float => {
            "($1 IN (SELECT v FROM JSON_TABLE($2, '$$[*]' COLUMNS (v DOUBLE PATH '$$')) AS t))"
        }
        ScalarType::Decimal { .. } => {
            "($1 IN (SELECT v FROM JSON_TABLE($2, '$$[*]' COLUMNS (v DECIMAL(65, 18) PATH '$$')) AS t))"
        }
        ScalarType::Uuid => {
            "($1 IN (SELECT UNHEX(v) FROM JSON_TABLE($2, '$$[*]' COLUMNS (v CHAR(32) PATH '$$')) AS t))"
        }
        ScalarType::Timestamp => {
            "($1 IN (SELECT v FROM JSON_TABLE($2, '$$[*]' COLUMNS (v DATETIME(6) PATH '$$')) AS t))"
        }
        ScalarType::Time => {
            "($1 IN (SELECT v FROM JSON_TABLE($2, '$$[*]' COLUMNS (v TIME(6) PATH '$$')) AS t))"
        }
        ScalarType::Bytes => {
            "($1 IN (SELECT UNHEX(v) FROM JSON_TABLE($2, '$$[*]' COLUMNS (v LONGTEXT PATH '$$')) AS t))"
        }
        ScalarType::Date => "($1 IN (SELECT v FROM JSON_TABLE($2, '$$[*]' COLUMNS (v DATE PATH '$$')) AS t))",
        ScalarType::String | ScalarType::Enum(_) | ScalarType::Json | ScalarType::List(_) => {
            "($1 IN (SELECT v FROM JSON_TABLE($2, '$$[*]' COLUMNS (v LONGTEXT CHARACTER SET utf8mb4 COLLATE /*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/ PATH '$$')) AS t))"
        }
    }
}

const fn not_in_list(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Int | ScalarType::BigInt | ScalarType::Boolean | ScalarType::Duration => {
            "($1 NOT IN (SELECT v FROM JSON_TABLE($2, '$$[*]' COLUMNS (v BIGINT PATH '$$')) AS t))"
        }
        ScalarType::Float => {
            "($1 NOT IN (SELECT v FROM JSON_TABLE($2, '$$[*]' COLUMNS (v DOUBLE PATH '$$')) AS t))"
        }
        ScalarType::Decimal { .. } => {
            "($1 NOT IN (SELECT v FROM JSON_TABLE($2, '$$[*]' COLUMNS (v DECIMAL(65, 18) PATH '$$')) AS t))"
        }
        ScalarType::Uuid => {
            "($1 NOT IN (SELECT UNHEX(v) FROM JSON_TABLE($2, '$$[*]' COLUMNS (v CHAR(32) PATH '$$')) AS t))"
        }
        ScalarType::Timestamp => {
            "($1 NOT IN (SELECT v FROM JSON_TABLE($2, '$$[*]' COLUMNS (v DATETIME(6) PATH '$$')) AS t))"
        }
        ScalarType::Time => {
            "($1 NOT IN (SELECT v FROM JSON_TABLE($2, '$$[*]' COLUMNS (v TIME(6) PATH '$$')) AS t))"
        }
        ScalarType::Bytes => {
            "($1 NOT IN (SELECT UNHEX(v) FROM JSON_TABLE($2, '$$[*]' COLUMNS (v LONGTEXT PATH '$$')) AS t))"
        }
        ScalarType::Date => {
            "($1 NOT IN (SELECT v FROM JSON_TABLE($2, '$$[*]' COLUMNS (v DATE PATH '$$')) AS t))"
        }
        ScalarType::String | ScalarType::Enum(_) | ScalarType::Json | ScalarType::List(_) => {
            "($1 NOT IN (SELECT v FROM JSON_TABLE($2, '$$[*]' COLUMNS (v LONGTEXT CHARACTER SET utf8mb4 COLLATE /*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/ PATH '$$')) AS t))"
        }
    }
}

/// Lists are JSON texts whose elements are texts, as those of parameters are.
const fn elements(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Int | ScalarType::BigInt | ScalarType::Boolean | ScalarType::Duration => {
            "JSON_TABLE($1, '$$[*]' COLUMNS (v BIGINT PATH '$$')) AS $2"
        }
        ScalarType::Float => "JSON_TABLE($1, '$$[*]' COLUMNS (v DOUBLE PATH '$$')) AS $2",
        ScalarType::Decimal { .. } => "JSON_TABLE($1, '$$[*]' COLUMNS (v DECIMAL(65, 18) PATH '$$')) AS $2",
        ScalarType::Uuid
        | ScalarType::Bytes
        | ScalarType::String
        | ScalarType::Enum(_)
        | ScalarType::Json
        | ScalarType::List(_) => {
            "JSON_TABLE($1, '$$[*]' COLUMNS (v LONGTEXT CHARACTER SET utf8mb4 COLLATE /*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/ PATH '$$')) AS $2"
        }
        ScalarType::Timestamp => "JSON_TABLE($1, '$$[*]' COLUMNS (v DATETIME(6) PATH '$$')) AS $2",
        ScalarType::Date => "JSON_TABLE($1, '$$[*]' COLUMNS (v DATE PATH '$$')) AS $2",
        ScalarType::Time => "JSON_TABLE($1, '$$[*]' COLUMNS (v TIME(6) PATH '$$')) AS $2",
    }
}

const fn element(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Uuid | ScalarType::Bytes => "UNHEX($1.v)",
        _ => "$1.v",
    }
}

/// The pattern that says of the text of a document whether it passes a test of this one.
fn document_pattern(test: SetTest, document: &str) -> Option<String> {
    let document = document::parse(document)?;
    match test {
        SetTest::Contains => pattern::containing(&document),
        SetTest::Contained | SetTest::Overlaps => pattern::contained(&document),
    }
}

/// An element that is NULL is equal to nothing.
const fn set_test(test: SetTest, element: ScalarType) -> &'static str {
    match test {
        SetTest::Contains => holds_all(element),
        SetTest::Contained => is_held(element),
        SetTest::Overlaps => overlaps(element),
    }
}

/// The words of a test of two lists, by the column that their elements are read as.
macro_rules! by_element {
    ($ty:ident, $words:ident) => {
        match $ty {
            ScalarType::Int | ScalarType::BigInt | ScalarType::Boolean | ScalarType::Duration => {
                $words!("BIGINT")
            }
            ScalarType::Float => $words!("DOUBLE"),
            ScalarType::Decimal { .. } => $words!("DECIMAL(65, 18)"),
            ScalarType::Uuid
            | ScalarType::Bytes
            | ScalarType::String
            | ScalarType::Enum(_)
            | ScalarType::Json
            | ScalarType::List(_) => $words!(
                "LONGTEXT CHARACTER SET utf8mb4 COLLATE /*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/"
            ),
            ScalarType::Timestamp => $words!("DATETIME(6)"),
            ScalarType::Date => $words!("DATE"),
            ScalarType::Time => $words!("TIME(6)"),
        }
    };
}

/// Every element of `$few` is one of `$many`; unknown where `$1`, the stored list, is null.
macro_rules! within {
    ($column:literal, $few:literal, $many:literal) => {
        concat!(
            "CASE WHEN $1 IS NOT NULL THEN NOT EXISTS (SELECT 1 FROM JSON_TABLE(",
            $few,
            ", '$$[*]' COLUMNS (v ",
            $column,
            " PATH '$$')) AS n WHERE n.v IS NULL OR n.v NOT IN (SELECT h.v FROM JSON_TABLE(",
            $many,
            ", '$$[*]' COLUMNS (v ",
            $column,
            " PATH '$$')) AS h WHERE h.v IS NOT NULL)) END"
        )
    };
}

macro_rules! holding {
    ($column:literal) => {
        within!($column, "$2", "$1")
    };
}

macro_rules! held {
    ($column:literal) => {
        within!($column, "$1", "$2")
    };
}

macro_rules! overlapping {
    ($column:literal) => {
        concat!(
            "CASE WHEN $1 IS NOT NULL THEN EXISTS (SELECT 1 FROM JSON_TABLE($1, '$$[*]' COLUMNS (v ",
            $column,
            " PATH '$$')) AS h WHERE h.v IN (SELECT n.v FROM JSON_TABLE($2, '$$[*]' COLUMNS (v ",
            $column,
            " PATH '$$')) AS n)) END"
        )
    };
}

/// Every element of `$2` is one of `$1`.
const fn holds_all(ty: ScalarType) -> &'static str {
    by_element!(ty, holding)
}

/// Every element of `$1` is one of `$2`.
const fn is_held(ty: ScalarType) -> &'static str {
    by_element!(ty, held)
}

/// Some element of `$1` is one of `$2`.
const fn overlaps(ty: ScalarType) -> &'static str {
    by_element!(ty, overlapping)
}

const fn table_column(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Int | ScalarType::BigInt | ScalarType::Boolean | ScalarType::Duration => "BIGINT",
        ScalarType::Float => "DOUBLE",
        ScalarType::Decimal { .. } => "DECIMAL(65, 18)",
        ScalarType::Uuid => "CHAR(32)",
        ScalarType::Timestamp => "DATETIME(6)",
        ScalarType::Date => "DATE",
        ScalarType::Time => "TIME(6)",
        ScalarType::Bytes => "LONGTEXT",
        ScalarType::String | ScalarType::Enum(_) | ScalarType::Json | ScalarType::List(_) => {
            "LONGTEXT CHARACTER SET utf8mb4 COLLATE /*M!100600 utf8mb4_nopad_bin*//*!80000 utf8mb4_0900_bin*/"
        }
    }
}

const fn table_read(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Uuid | ScalarType::Bytes => "UNHEX($1)",
        _ => "$1",
    }
}

const fn text_test(test: TextTest) -> &'static str {
    match test {
        TextTest::StartsWith => "(LEFT($1, CHAR_LENGTH($2)) = $2)",
        TextTest::EndsWith => "(RIGHT($1, CHAR_LENGTH($2)) = $2)",
        TextTest::Contains => "(LOCATE($2, $1) > 0)",
        TextTest::Matches => "($1 REGEXP $2)",
    }
}

const fn call(function: Function) -> &'static str {
    match function {
        Function::StartsWith => text_test(TextTest::StartsWith),
        Function::EndsWith => text_test(TextTest::EndsWith),
        Function::Contains => text_test(TextTest::Contains),
        Function::Matches => text_test(TextTest::Matches),
        Function::Size => "CHAR_LENGTH($1)",
        Function::Elements => "JSON_LENGTH($1)",
        // in this charset no other letters have a case
        Function::LowerAscii => {
            "CAST(CAST(LOWER(CONVERT(CAST($1 AS BINARY) USING geostd8)) AS BINARY) AS CHAR)"
        }
        Function::UpperAscii => {
            "CAST(CAST(UPPER(CONVERT(CAST($1 AS BINARY) USING geostd8)) AS BINARY) AS CHAR)"
        }
        Function::Year => "YEAR($1)",
        Function::Month => "(MONTH($1) - 1)",
        Function::DayOfMonth => "(DAYOFMONTH($1) - 1)",
        Function::DayOfWeek => "(DAYOFWEEK($1) - 1)",
        Function::Hours => "HOUR($1)",
        Function::Minutes => "MINUTE($1)",
        Function::Seconds => "SECOND($1)",
    }
}

/// What leaves its type is NULL: computed in a wider one, brought just outside the range, and
/// told by that. Halves of floats are added, so that the sum stays in range; what becomes of a
/// product or quotient of floats is known before it is made.
pub(super) const fn arithmetic(op: ArithmeticOp, ty: ScalarType) -> &'static str {
    use ArithmeticOp::{Add, Div, Mul, Rem, Sub};
    match (ty, op) {
        (ScalarType::Int, Add) => {
            "NULLIF(NULLIF(GREATEST(LEAST($1 + $2, 2147483648), -2147483649), 2147483648), -2147483649)"
        }
        (ScalarType::Int, Sub) => {
            "NULLIF(NULLIF(GREATEST(LEAST($1 - $2, 2147483648), -2147483649), 2147483648), -2147483649)"
        }
        (ScalarType::Int, Mul) => {
            "NULLIF(NULLIF(GREATEST(LEAST($1 * $2, 2147483648), -2147483649), 2147483648), -2147483649)"
        }
        (ScalarType::Int, Div) => {
            "NULLIF(NULLIF(GREATEST(LEAST($1 DIV NULLIF($2, 0), 2147483648), -2147483649), 2147483648), -2147483649)"
        }
        (ScalarType::Float, Add) => {
            "(NULLIF(NULLIF(GREATEST(LEAST($1 * 0.5e0 + $2 * 0.5e0, 8.9884656743115795e307), -8.9884656743115795e307), 8.9884656743115795e307), -8.9884656743115795e307) * 2e0)"
        }
        (ScalarType::Float, Sub) => {
            "(NULLIF(NULLIF(GREATEST(LEAST($1 * 0.5e0 - $2 * 0.5e0, 8.9884656743115795e307), -8.9884656743115795e307), 8.9884656743115795e307), -8.9884656743115795e307) * 2e0)"
        }
        (ScalarType::Float, Mul) => {
            "CASE WHEN ABS($1) <= 1.7976931348623157e308 / GREATEST(ABS($2), 1e0) THEN $1 * $2 END"
        }
        (ScalarType::Float, Div) => {
            "CASE WHEN ABS($1) <= 1.7976931348623157e308 * LEAST(ABS($2), 1e0) THEN $1 / NULLIF($2, 0e0) END"
        }
        (ScalarType::Float, Rem) => "($1 % NULLIF($2, 0e0))",
        (ScalarType::Int, Rem) => "($1 % NULLIF($2, 0))",
        (ScalarType::Decimal { .. }, Add) => {
            "NULLIF(NULLIF(GREATEST(LEAST($1 + $2, CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), -CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), -CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0)))"
        }
        (ScalarType::Decimal { .. }, Sub) => {
            "NULLIF(NULLIF(GREATEST(LEAST($1 - $2, CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), -CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), -CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0)))"
        }
        (ScalarType::Decimal { .. }, Mul) => {
            "NULLIF(NULLIF(GREATEST(LEAST(ROUND($1 * $2, $s), CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), -CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), -CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0)))"
        }
        (ScalarType::Decimal { .. }, Div) => {
            "NULLIF(NULLIF(GREATEST(LEAST(ROUND($1 / NULLIF($2, 0), $s), CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), -CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), -CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0)))"
        }
        (ScalarType::Decimal { .. }, Rem) => "($1 % NULLIF($2, 0))",
        (ScalarType::Timestamp | ScalarType::Date, Sub) => {
            "NULLIF(GREATEST($1 - INTERVAL $2 MICROSECOND, CAST('0000-12-31 23:59:59.999999' AS DATETIME(6))), CAST('0000-12-31 23:59:59.999999' AS DATETIME(6)))"
        }
        (ScalarType::Timestamp | ScalarType::Date, Add | Mul | Div | Rem) => {
            "NULLIF(GREATEST($1 + INTERVAL $2 MICROSECOND, CAST('0000-12-31 23:59:59.999999' AS DATETIME(6))), CAST('0000-12-31 23:59:59.999999' AS DATETIME(6)))"
        }
        (_, Add) => {
            "CAST(NULLIF(NULLIF(GREATEST(LEAST(CAST($1 AS DECIMAL(65, 0)) + $2, 9223372036854775808), -9223372036854775809), 9223372036854775808), -9223372036854775809) AS SIGNED)"
        }
        (_, Sub) => {
            "CAST(NULLIF(NULLIF(GREATEST(LEAST(CAST($1 AS DECIMAL(65, 0)) - $2, 9223372036854775808), -9223372036854775809), 9223372036854775808), -9223372036854775809) AS SIGNED)"
        }
        (_, Mul) => {
            "CAST(NULLIF(NULLIF(GREATEST(LEAST(CAST($1 AS DECIMAL(65, 0)) * $2, 9223372036854775808), -9223372036854775809), 9223372036854775808), -9223372036854775809) AS SIGNED)"
        }
        (_, Div) => {
            "CAST(NULLIF(NULLIF(GREATEST(LEAST(TRUNCATE(CAST($1 AS DECIMAL(65, 0)) / NULLIF($2, 0), 0), 9223372036854775808), -9223372036854775809), 9223372036854775808), -9223372036854775809) AS SIGNED)"
        }
        (_, Rem) => "CAST(CAST($1 AS DECIMAL(65, 0)) % NULLIF($2, 0) AS SIGNED)",
    }
}

const fn negate(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Int => "NULLIF(- $1, 2147483648)",
        ScalarType::BigInt | ScalarType::Duration => {
            "CAST(NULLIF(- CAST($1 AS DECIMAL(65, 0)), 9223372036854775808) AS SIGNED)"
        }
        // there is one zero
        ScalarType::Float => "(0 - $1)",
        _ => "(- $1)",
    }
}

/// What is not of the form of the other type is NULL: casts of answers, which refuse it, are
/// not done here.
fn cast(from: ScalarType, to: ScalarType) -> Option<&'static str> {
    use ScalarType as T;
    match (from, to) {
        _ if from == to => None,
        (T::List(_), _) | (_, T::List(_)) => None,
        (T::String | T::Enum(_) | T::Json, T::String | T::Enum(_)) => None,
        (T::Boolean | T::Int, T::Int | T::BigInt) => None,
        (T::String | T::Enum(_) | T::Json, T::Int) => Some(
            "CAST(NULLIF(NULLIF(GREATEST(LEAST(CAST(CASE WHEN $1 REGEXP '^[+-]?[0-9]{1,30}$$' THEN $1 END AS DECIMAL(65, 0)), 2147483648), -2147483649), 2147483648), -2147483649) AS SIGNED)",
        ),
        (T::String | T::Enum(_) | T::Json, T::BigInt) => Some(
            "CAST(NULLIF(NULLIF(GREATEST(LEAST(CAST(CASE WHEN $1 REGEXP '^[+-]?[0-9]{1,30}$$' THEN $1 END AS DECIMAL(65, 0)), 9223372036854775808), -9223372036854775809), 9223372036854775808), -9223372036854775809) AS SIGNED)",
        ),
        (T::String | T::Enum(_) | T::Json, T::Float) => Some(
            "CAST(CASE WHEN $1 REGEXP '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,4})?$$' THEN $1 END AS DOUBLE)",
        ),
        (T::String | T::Enum(_) | T::Json, T::Decimal { .. }) => Some(
            "CAST(NULLIF(NULLIF(GREATEST(LEAST(ROUND(CAST(CASE WHEN $1 REGEXP '^[+-]?([0-9]{1,30}[.]?[0-9]{0,30}|[.][0-9]{1,30})$$' THEN $1 END AS DECIMAL(65, 30)), $s), CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), -CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), -CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))) AS DECIMAL($d, $s))",
        ),
        (T::String | T::Enum(_) | T::Json, T::Boolean) => {
            Some("CASE $1 WHEN 'true' THEN 1 WHEN 'false' THEN 0 END")
        }
        (T::Int | T::BigInt | T::Decimal { .. } | T::Boolean, T::Decimal { .. }) => Some(
            "CAST(NULLIF(NULLIF(GREATEST(LEAST(ROUND($1, $s), CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), -CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))), -CAST(CONCAT('1', REPEAT('0', $d - $s)) AS DECIMAL(65, 0))) AS DECIMAL($d, $s))",
        ),
        (_, T::Int) => Some(
            "NULLIF(NULLIF(GREATEST(LEAST(CAST($1 AS SIGNED), 2147483648), -2147483649), 2147483648), -2147483649)",
        ),
        (_, T::BigInt) => Some("CAST($1 AS SIGNED)"),
        (_, T::Float) => Some("CAST($1 AS DOUBLE)"),
        (_, T::Decimal { .. }) => Some("CAST($1 AS DECIMAL($d, $s))"),
        (_, T::Boolean) => Some("($1 <> 0)"),
        (T::Uuid, T::String | T::Enum(_) | T::Json) => Some(
            "LOWER(INSERT(INSERT(INSERT(INSERT(HEX($1), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-'))",
        ),
        (_, T::Uuid) => Some("UNHEX(REPLACE($1, '-', ''))"),
        (T::Boolean, T::String) => Some("CASE WHEN $1 THEN 'true' WHEN NOT $1 THEN 'false' END"),
        (T::Timestamp, T::String) => Some(
            "CONCAT(TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM DATE_FORMAT($1, '%Y-%m-%dT%H:%i:%s.%f'))), '+00:00')",
        ),
        (T::Timestamp, T::Date) => Some("DATE($1)"),
        (T::Time, T::String) => {
            Some("TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM TIME_FORMAT($1, '%H:%i:%s.%f')))")
        }
        (T::Bytes, T::String | T::Enum(_) | T::Json) => Some("CONCAT('\\\\x', LOWER(HEX($1)))"),
        (_, T::Time) => Some("CAST($1 AS TIME(6))"),
        (_, T::Duration) => Some("CAST($1 AS SIGNED)"),
        (_, T::Bytes) => Some("CAST($1 AS BINARY)"),
        (_, T::Timestamp) => Some("CAST($1 AS DATETIME(6))"),
        (_, T::Date) => Some("CAST($1 AS DATE)"),
        (_, T::String | T::Enum(_) | T::Json) => Some("CAST($1 AS CHAR)"),
    }
}

const fn aggregate(function: AggregateFunction, ty: ScalarType) -> &'static str {
    match (function, ty) {
        (AggregateFunction::Count, _) => "COUNT($1)",
        (AggregateFunction::Sum, _) => "COALESCE(SUM($1), 0)",
        (AggregateFunction::Min, _) => "MIN($1)",
        (AggregateFunction::Max, _) => "MAX($1)",
        (AggregateFunction::Avg, ScalarType::Float) => "AVG($1)",
        (AggregateFunction::Avg, _) => "ROUND(AVG($1), $s)",
    }
}

/// Elements are texts, as in parameters.
fn list_literal(values: &[Value], _scale: u8) -> String {
    let stored = |value: &Value| match value {
        Value::Null => Value::Null,
        Value::Bool(truth) => Value::Text(u8::from(*truth).to_string()),
        Value::Float(number) => Value::Text(format!("{number:e}")),
        Value::Duration(micros) => Value::Text(micros.to_string()),
        Value::Uuid(id) => Value::Text(id.simple().to_string()),
        Value::Bytes(_) => Value::Text(value.to_text().trim_start_matches("\\x").to_owned()),
        Value::Timestamp(_) => Value::Text(value.to_text().replace("+00:00", "")),
        other => Value::Text(other.to_text()),
    };
    let mut text = String::new();
    write_json(&values.iter().map(stored).collect::<Vec<_>>(), &mut text);
    text
}

/// Ids are bytes; times bear no zone and are in UTC.
fn literal(value: &Value) -> String {
    let text = value.to_text();
    match value {
        Value::Uuid(_) => ["x'", &text.replace('-', ""), "'"].concat(),
        Value::Bytes(_) => ["x'", text.trim_start_matches("\\x"), "'"].concat(),
        Value::Timestamp(_) => ["'", &text.replace('T', " ").replace("+00:00", ""), "'"].concat(),
        _ => ["'", &text, "'"].concat(),
    }
}
