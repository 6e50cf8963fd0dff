//! Statements written by hand: every type as a parameter and as a column, alone, in lists
//! and as an array.

use crate::store::{Home, server};
use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine_postgres::connection::{Connection, Use};
use backstay_engine_postgres::session::{Alone, Begin, Isolation, Transaction};
use backstay_engine_postgres::target::Target;
use backstay_query::reply::{Cell, Rows};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::{Decimal, Value};
use backstay_sql::run::References;
use backstay_sql::session::{Failure, Named, Session, Violation};
use backstay_sql::statement::{Bind, Statement};
use std::sync::Arc;
use uuid::Uuid;

const DECIMAL: ScalarType = ScalarType::Decimal { digits: 18, scale: 4 };

async fn open(home: &Home, parameters: &str) -> Connection {
    let url = Secret::new(format!("{}&{parameters}", home.url()));
    let target = Arc::new(Target::parse(&url, Limits::default().statement_ms).unwrap());
    Connection::open(&target, Limits::default().statement_ms).await.unwrap()
}

fn statement(text: &str, binds: Vec<Bind>) -> Statement {
    Statement { text: text.to_owned(), binds }
}

/// The cells of the rows, as they stand in a reply.
async fn cells<S: Session>(session: &mut S, statement: &Statement, types: &[ScalarType]) -> Vec<String> {
    let mut rows = Rows::default();
    session
        .run(statement, &[], &mut |row| {
            types.iter().enumerate().try_for_each(|(index, ty)| row.cell(index, *ty, &mut rows))
        })
        .await
        .unwrap();
    rows.cells.iter().map(|cell| shown(&rows, *cell)).collect()
}

fn shown(rows: &Rows, cell: Cell) -> String {
    match cell {
        Cell::Text { start, len } => format!("{:?}", rows.slice(start, len)),
        Cell::Raw { start, len } => rows.slice(start, len).to_owned(),
        other => format!("{other:?}"),
    }
}

fn every_type() -> Vec<(ScalarType, Value, &'static str)> {
    use ScalarType as T;
    let text = |text: &str| Value::Text(text.into());
    let decimal = |units, scale| Value::Decimal(Decimal { units, scale });
    vec![
        (T::Int, Value::Int(i64::from(i32::MIN)), "Int(-2147483648)"),
        (T::BigInt, Value::Int(i64::MAX), "Int(9223372036854775807)"),
        (T::Float, Value::Float(5e-324), "Float(5e-324)"),
        (T::Float, Value::Float(-0.1), "Float(-0.1)"),
        (DECIMAL, decimal(0, 0), "0.0000"),
        (DECIMAL, decimal(-999_999_999_999_999_999, 4), "-99999999999999.9999"),
        (DECIMAL, decimal(125, 6), "0.0001"),
        (DECIMAL, decimal(100_000, 0), "100000.0000"),
        (T::Boolean, Value::Bool(true), "Bool(true)"),
        (T::String, text(""), "\"\""),
        (T::String, text("q\"'\\%_ü𝄞\u{1}"), "\"q\\\"'\\\\%_ü𝄞\\u{1}\""),
        (T::Uuid, Value::Uuid(Uuid::from_u128(7)), "\"00000000-0000-0000-0000-000000000007\""),
        (T::Timestamp, Value::Timestamp(-62_135_596_800_000_000), "\"0001-01-01T00:00:00+00:00\""),
        (T::Timestamp, Value::Timestamp(253_402_300_799_999_999), "\"9999-12-31T23:59:59.999999+00:00\""),
        (T::Date, Value::Date(-719_162), "\"0001-01-01\""),
        (T::Date, Value::Date(2_932_896), "\"9999-12-31\""),
        (T::Json, Value::Json("{\"b\":1.10,\"a\":[null,1e400]}".into()), "{\"b\":1.10,\"a\":[null,1e400]}"),
    ]
}

#[tokio::test]
async fn every_type_goes_and_comes_back() {
    let home = Home::new(&server()).await;
    for parameters in ["pooler=none", "pooler=transaction"] {
        let connection = open(&home, parameters).await;
        let mut session = Alone::new(&connection, Use::Alone);
        for (ty, value, back) in every_type() {
            // the first is sent whole, the second prepared, the third uses that
            for _ in 0..3 {
                let one = statement("SELECT $1", vec![Bind::Value(value.clone(), ty)]);
                assert_eq!(cells(&mut session, &one, &[ty]).await, [back]);
                let null = statement("SELECT $1", vec![Bind::Value(Value::Null, ty)]);
                assert_eq!(cells(&mut session, &null, &[ty]).await, ["Null"]);
            }
            let many = vec![value.clone(), Value::Null, value.clone()];
            let list = statement("SELECT unnest($1)", vec![Bind::List(many, ty)]);
            assert_eq!(cells(&mut session, &list, &[ty]).await, [back, "Null", back]);
            let none = statement("SELECT unnest($1)", vec![Bind::List(Vec::new(), ty)]);
            assert_eq!(cells(&mut session, &none, &[ty]).await, [""; 0]);
        }
    }
}

#[tokio::test]
async fn columns_come_back_as_values() {
    let home = Home::new(&server()).await;
    let connection = open(&home, "").await;
    for (ty, value, _) in every_type() {
        let one = statement("SELECT $1", vec![Bind::Value(value.clone(), ty)]);
        let mut found = Vec::new();
        let mut session = Alone::new(&connection, Use::Alone);
        session
            .run(&one, &[], &mut |row| {
                found.push(row.value(0, ty)?);
                Ok(())
            })
            .await
            .unwrap();
        let expected = match (&value, ty) {
            (Value::Decimal(decimal), ScalarType::Decimal { scale, .. }) => {
                Value::Decimal(decimal.rescale(scale).unwrap())
            }
            _ => value,
        };
        assert_eq!(found, [expected]);
    }
}

#[tokio::test]
async fn arrays_are_read_element_by_element() {
    let home = Home::new(&server()).await;
    let connection = open(&home, "").await;
    let mut session = Alone::new(&connection, Use::Alone);
    for (ty, value, back) in every_type() {
        let list = Bind::List(vec![value.clone(), Value::Null, value], ty);
        let one =
            statement("SELECT $1, (SELECT array_agg(x) FROM (SELECT 1 AS x WHERE FALSE) AS q)", vec![list]);
        let mut rows = Rows::default();
        let mut counts = Vec::new();
        session
            .run(&one, &[], &mut |row| {
                let mut elements = row.elements(0, ty)?;
                counts.push(elements.count());
                elements.cell(&mut rows)?;
                elements.skip()?;
                elements.cell(&mut rows)?;
                assert!(elements.cell(&mut rows).is_err());
                counts.push(row.elements(1, ScalarType::Int)?.count());
                Ok(())
            })
            .await
            .unwrap();
        let shown: Vec<String> = rows.cells.iter().map(|cell| shown(&rows, *cell)).collect();
        assert_eq!((shown, counts), (vec![back.to_owned(), back.to_owned()], vec![3, 0]));
    }
}

#[tokio::test]
async fn columns_of_other_types_are_read_too() {
    use ScalarType as T;
    let home = Home::new(&server()).await;
    let connection = open(&home, "").await;
    let mut session = Alone::new(&connection, Use::Alone);
    for (text, ty, back) in [
        ("SELECT '{\"b\": 1, \"a\": [1, 2]}'::jsonb", T::Json, "{\"a\":[1,2],\"b\":1}"),
        ("SELECT 7::smallint", T::Int, "Int(7)"),
        ("SELECT 0.1::real", T::Float, "Float(0.1)"),
        ("SELECT 7::bigint", DECIMAL, "7.0000"),
        (
            "SELECT sum(x) FROM (VALUES (9223372036854775806::bigint), (1)) AS q (x)",
            T::BigInt,
            "Int(9223372036854775807)",
        ),
        ("SELECT avg(x) FROM (VALUES (1), (1), (2)) AS q (x)", DECIMAL, "1.3333"),
        ("SELECT 0.00005::numeric", DECIMAL, "0.0001"),
        ("SELECT 'ab'::character varying(9)", T::String, "\"ab\""),
        ("SELECT '2026-01-31 09:00:00.5'::timestamp", T::Timestamp, "\"2026-01-31T09:00:00.5+00:00\""),
    ] {
        assert_eq!(cells(&mut session, &statement(text, Vec::new()), &[ty]).await, [back], "{text}");
    }
}

#[tokio::test]
async fn numbers_beyond_their_type_are_compared_all_the_same() {
    let home = Home::new(&server()).await;
    let connection = open(&home, "").await;
    let mut session = Alone::new(&connection, Use::Alone);
    for number in [1, 5_000_000_000, 2, -5_000_000_000] {
        let less =
            statement("SELECT 3::integer < $1", vec![Bind::Value(Value::Int(number), ScalarType::Int)]);
        let expected = format!("Bool({})", 3 < number);
        assert_eq!(cells(&mut session, &less, &[ScalarType::Boolean]).await, [expected]);
    }
}

#[tokio::test]
async fn broken_constraints_are_told_by_name_and_leave_the_transaction_usable() {
    let home = Home::new(&server()).await;
    let connection = open(&home, "").await;
    let tables = "CREATE TABLE up (id integer CONSTRAINT up_pkey PRIMARY KEY);
        CREATE TABLE t (a integer NOT NULL, b integer CONSTRAINT t_b_check CHECK (b > 0),
          c integer CONSTRAINT t_c_key UNIQUE, d integer CONSTRAINT t_d_fkey REFERENCES up ON DELETE RESTRICT);
        INSERT INTO up VALUES (1); INSERT INTO t VALUES (1, 1, 1, 1)";
    connection.client().batch_execute(tables).await.unwrap();
    let begin = Begin::Write(Isolation::ReadCommitted, References::PerStatement);
    let mut session = Transaction::new(&connection, begin);
    for (text, expected) in [
        ("INSERT INTO t VALUES (NULL)", Violation::NotNull("a".into())),
        ("INSERT INTO t VALUES (1, 0)", Violation::Check("t_b_check".into())),
        ("INSERT INTO t VALUES (1, 1, 1)", Violation::Unique(Named::Name("t_c_key".into()))),
        ("INSERT INTO t VALUES (1, 1, 2, 7)", Violation::Reference(Some("t_d_fkey".into()))),
        ("DELETE FROM up", Violation::Reference(Some("t_d_fkey".into()))),
    ] {
        let refused = session.run(&statement(text, Vec::new()), &[], &mut |_| Ok(())).await;
        let Err(Failure::Violation(violation)) = refused else { panic!("{refused:?}") };
        assert_eq!(violation, expected, "{text}");
        let update = statement("UPDATE t SET b = b + 1", Vec::new());
        assert_eq!(session.run(&update, &[], &mut |_| Ok(())).await.unwrap(), 1);
    }
    session.commit().await.unwrap();
    let count = statement("SELECT b FROM t", Vec::new());
    assert_eq!(cells(&mut Alone::new(&connection, Use::Alone), &count, &[ScalarType::Int]).await, ["Int(6)"]);
}

#[tokio::test]
async fn a_statement_whose_plan_does_not_hold_any_more_is_prepared_anew() {
    let home = Home::new(&server()).await;
    let connection = open(&home, "").await;
    connection.client().batch_execute("CREATE TABLE t (a integer); INSERT INTO t VALUES (1)").await.unwrap();
    let read = statement("SELECT * FROM t", Vec::new());
    let mut session = Alone::new(&connection, Use::Alone);
    for _ in 0..3 {
        assert_eq!(cells(&mut session, &read, &[ScalarType::Int]).await, ["Int(1)"]);
    }
    connection.client().batch_execute("ALTER TABLE t ALTER COLUMN a TYPE text").await.unwrap();
    for _ in 0..3 {
        assert_eq!(cells(&mut session, &read, &[ScalarType::String]).await, ["\"1\""]);
    }
}

#[tokio::test]
async fn no_value_reaches_a_log() {
    let home = Home::new(&server()).await;
    let connection = open(&home, "").await;
    connection.client().batch_execute("CREATE TABLE t (a integer PRIMARY KEY)").await.unwrap();
    let mut session = Alone::new(&connection, Use::Alone);
    let secret = || Bind::Value(Value::Text("hidden value".into()), ScalarType::String);
    for text in
        ["SELECT $1::text::integer / 0", "SELECT nothing FROM t WHERE $1 = 'x'", "SELECT chr(0) || $1"]
    {
        let refused = session.run(&statement(text, vec![secret()]), &[], &mut |_| Ok(())).await;
        let Err(Failure::Fault(fault)) = refused else { panic!("{refused:?}") };
        let logged = format!("{:?}", fault.source);
        assert!(!logged.contains("hidden"), "{logged}");
    }
}
