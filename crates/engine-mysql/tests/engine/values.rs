//! Every scalar there and back, in a column, in a list, in a row set.

use crate::server::Database;
use backstay_engine_mysql::pool::Purpose;
use backstay_engine_mysql::session::MySqlSession;
use backstay_query::reply::Rows;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::{Decimal, Value, calendar};
use backstay_sql::session::{Failure, Session};
use backstay_sql::statement::{Bind, RowSet, Statement};
use uuid::Uuid;

const DECIMAL: ScalarType = ScalarType::Decimal { digits: 18, scale: 4 };

fn statement(text: &str, binds: Vec<Bind>) -> Statement {
    Statement { text: text.to_owned(), binds }
}

fn timestamp(text: &str) -> Value {
    Value::Timestamp(calendar::parse_timestamp(text).unwrap())
}

fn date(text: &str) -> Value {
    Value::Date(calendar::parse_date(text).unwrap())
}

fn decimal(text: &str) -> Value {
    Value::Decimal(Decimal::parse(text).unwrap().rescale(4).unwrap())
}

/// Type, column type, type in `JSON_TABLE`, how to read that, values.
#[expect(clippy::too_many_lines, reason = "one table")]
fn samples() -> Vec<(ScalarType, &'static str, &'static str, &'static str, Vec<Value>)> {
    use ScalarType as T;
    let text = |text: &str| Value::Text(text.to_owned());
    vec![
        (
            T::Int,
            "INT",
            "BIGINT",
            "v",
            vec![Value::Int(0), Value::Int(i64::from(i32::MIN)), Value::Int(i64::from(i32::MAX))],
        ),
        (
            T::BigInt,
            "BIGINT",
            "BIGINT",
            "v",
            vec![Value::Int(i64::MIN), Value::Int(i64::MAX), Value::Int(9_007_199_254_740_993)],
        ),
        (
            T::Float,
            "DOUBLE",
            "DOUBLE",
            "v",
            [0.1, 1e300, -1.5e-7, f64::MIN_POSITIVE, f64::MAX, 1.0 / 3.0, 5e-324, 123_456_789.123_456_79]
                .map(Value::Float)
                .to_vec(),
        ),
        (
            DECIMAL,
            "DECIMAL(18,4)",
            "DECIMAL(65,18)",
            "v",
            ["99999999999999.9999", "-99999999999999.9999", "0.0001", "-0.0001", "0", "12.5"]
                .map(decimal)
                .to_vec(),
        ),
        (T::Boolean, "TINYINT(1)", "BIGINT", "v", vec![Value::Bool(true), Value::Bool(false)]),
        (
            T::String,
            "LONGTEXT",
            "LONGTEXT",
            "v",
            [
                "",
                " ",
                "a ",
                "A",
                "a",
                "ä",
                "😀 e\u{301}",
                "a\\b%_'\"`\n\t\r",
                "\\",
                "\u{10ffff}",
                "null",
                "\u{1}",
                "\u{2028}",
            ]
            .map(text)
            .to_vec(),
        ),
        (
            T::Uuid,
            "BINARY(16)",
            "CHAR(32)",
            "UNHEX(v)",
            vec![
                Value::Uuid(Uuid::nil()),
                Value::Uuid(Uuid::max()),
                Value::Uuid(Uuid::from_u128(0x0192_0000_2720_7c5c_0027_0a00_5c22_0020)),
            ],
        ),
        (
            T::Timestamp,
            "DATETIME(6)",
            "DATETIME(6)",
            "v",
            [
                "0001-01-01T00:00:00+00:00",
                "9999-12-31T23:59:59.999999+00:00",
                "1969-12-31T23:59:59.5+00:00",
                "2026-03-29T02:30:00.000001+00:00",
            ]
            .map(timestamp)
            .to_vec(),
        ),
        (T::Date, "DATE", "DATE", "v", ["0001-01-01", "9999-12-31", "2024-02-29"].map(date).to_vec()),
        (
            T::Json,
            "LONGTEXT",
            "LONGTEXT",
            "v",
            [r#"{"b":1,"a":[1.10,12345678901234567890.10,"x\"\\\u0001"],"n":null}"#, "null", "\"\"", "1e400"]
                .map(|text| Value::Json(text.to_owned()))
                .to_vec(),
        ),
    ]
}

async fn column(
    session: &mut MySqlSession<'_>,
    statement: &Statement,
    ty: ScalarType,
) -> (Vec<Value>, Vec<String>) {
    let (mut values, mut texts) = (Vec::new(), Vec::new());
    session
        .run(statement, &[], &mut |row| {
            values.push(row.value(0, ty)?);
            let mut rows = Rows::default();
            row.cell(0, ty, &mut rows)?;
            texts.push(match rows.cells[0] {
                backstay_query::reply::Cell::Int(number) => number.to_string(),
                backstay_query::reply::Cell::Float(number) => Value::Float(number).to_text(),
                backstay_query::reply::Cell::Bool(truth) => truth.to_string(),
                _ => rows.text,
            });
            Ok(())
        })
        .await
        .unwrap();
    (values, texts)
}

#[tokio::test]
async fn what_a_server_cannot_hold_is_said() {
    let Some(database) = Database::new().await else { return };
    let engine = database.engine();
    let mut connection = engine.pool().take(Purpose::Write).await.unwrap();
    let mut session = MySqlSession::new(&mut connection);
    let document = |levels: usize| {
        let text = format!("{}\"[[[\\\"[\"{}", "[".repeat(levels), "]".repeat(levels));
        statement("SELECT JSON_VALID(?)", vec![Bind::Value(Value::Json(text), ScalarType::Json)])
    };
    assert_eq!(column(&mut session, &document(31), ScalarType::Boolean).await.0, [Value::Bool(true)]);
    let Err(Failure::Fault(deep)) = session.run(&document(32), &[], &mut |_| Ok(())).await else { panic!() };
    assert_eq!(
        (deep.code.text, deep.message.as_str()),
        ("54001", "a JSON document of this database nests at most 31 levels")
    );
    let huge = Value::Text("x".repeat(40 << 20));
    let huge = statement("SELECT LENGTH(?)", vec![Bind::Value(huge, ScalarType::String)]);
    let Err(Failure::Fault(large)) = session.run(&huge, &[], &mut |_| Ok(())).await else { panic!() };
    assert_eq!((large.code.text, large.message.as_str()), ("54001", "a value or statement is too large"));
}

#[tokio::test]
async fn every_scalar_comes_back_as_it_went() {
    let Some(database) = Database::new().await else { return };
    let engine = database.engine();
    let mut connection = engine.pool().take(Purpose::Write).await.unwrap();
    for (number, (ty, stored, listed, read, values)) in samples().into_iter().enumerate() {
        let mut session = MySqlSession::new(&mut connection);
        let texts: Vec<String> = values.iter().map(Value::to_text).collect();
        let make = format!("CREATE TABLE t{number} (n INT PRIMARY KEY, v {stored} NULL)");
        column(&mut session, &statement(&make, vec![]), ty).await;
        let one = match ty {
            ScalarType::Decimal { .. } => "CAST(? AS DECIMAL(18,4))",
            ScalarType::Uuid => "UNHEX(?)",
            ScalarType::Date => "CAST(? AS DATE)",
            _ => "?",
        };
        for (n, value) in values.iter().enumerate() {
            let insert = format!("INSERT INTO t{number} (n, v) VALUES (?, {one})");
            let binds = vec![Bind::Count(n as u64), Bind::Value(value.clone(), ty)];
            assert_eq!(session.run(&statement(&insert, binds), &[], &mut |_| Ok(())).await.unwrap(), 1);
        }
        let all = statement(&format!("SELECT v FROM t{number} ORDER BY n"), vec![]);
        assert_eq!(column(&mut session, &all, ty).await, (values.clone(), texts.clone()), "{ty:?}");

        for value in &values {
            let select = format!(
                "SELECT v FROM t{number} WHERE v = {one} AND v = (SELECT x FROM (SELECT {one} AS x) AS s)"
            );
            let bind = Bind::Value(value.clone(), ty);
            let found = column(&mut session, &statement(&select, vec![bind.clone(), bind]), ty).await;
            assert_eq!(found, (vec![value.clone()], vec![value.to_text()]), "{ty:?}");
        }

        let list = format!("SELECT {read} FROM JSON_TABLE(?, '$[*]' COLUMNS (v {listed} PATH '$')) AS j");
        let listed_values = statement(&list, vec![Bind::List(values.clone(), ty)]);
        assert_eq!(column(&mut session, &listed_values, ty).await, (values.clone(), texts), "{ty:?}");

        let within = format!(
            "SELECT v FROM t{number} WHERE v IN (SELECT {read} FROM JSON_TABLE(?, '$[*]' COLUMNS (v {listed} PATH '$')) AS j) ORDER BY n"
        );
        let within = statement(&within, vec![Bind::List(values.clone(), ty)]);
        assert_eq!(column(&mut session, &within, ty).await.0, values, "{ty:?}");

        let rows = RowSet { types: vec![ty], rows: vec![vec![Value::Null], vec![values[0].clone()]] };
        let set = format!(
            "SELECT {read} FROM JSON_TABLE(?, '$[*]' COLUMNS (n FOR ORDINALITY, v {listed} PATH '$[0]')) AS j ORDER BY n"
        );
        let set = statement(&set, vec![Bind::Rows(rows)]);
        assert_eq!(column(&mut session, &set, ty).await.0, [Value::Null, values[0].clone()], "{ty:?}");
    }
}
