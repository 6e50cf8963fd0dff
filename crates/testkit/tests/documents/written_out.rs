//! The statements that MySQL is asked, run on MariaDB: their words are those of both. MySQL keeps documents as
//! Backstay writes them; those of others come as MariaDB has them and stay away from here.

use crate::{DOCUMENTS, SCHEMA, Written, contains, part_of, written};
use backstay_base::clock::Clock;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine::migration::Batch;
use backstay_engine_mysql::MySql;
use backstay_engine_mysql::pool::Purpose;
use backstay_engine_mysql::session::MySqlSession;
use backstay_query::named::{self, Field, Filter, Input, Insert, Item, Operand, SetTest, Test};
use backstay_query::plan::{End, Expect, Query};
use backstay_query::resolve::{Reach, resolve};
use backstay_schema::catalog::Catalog;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;
use backstay_sql::ddl;
use backstay_sql::dialect::Dialect;
use backstay_sql::dialect::mysql::{MARIADB, MYSQL};
use backstay_sql::lower::select::reading;
use backstay_sql::session::Session;
use backstay_testkit::database::{Database, server};
use backstay_testkit::seed::{cases, seeded};
use backstay_testkit::store::{NOW_MICROS, catalog, fill};
use rand::Rng;

static DIALECT: Dialect = Dialect { documents: MYSQL.documents, ..MARIADB };
const QUESTIONS: u64 = 300;

/// Ids of the things for which a test of a document holds, does not, or is unknown.
async fn ask(engine: &MySql, model: &std::sync::Arc<Catalog>, test: SetTest, text: &str) -> [Vec<i64>; 2] {
    let mut answers = [Vec::new(), Vec::new()];
    for (negated, answer) in [false, true].into_iter().zip(&mut answers) {
        let field = |name: &str| Field { name: name.to_owned(), path: Vec::new() };
        let filter = Filter::Field(field("doc"), Test::Set(test, Operand::Text(text.to_owned())));
        let filter = if negated { Filter::Not(Box::new(filter)) } else { filter };
        let item = Item::Field { alias: None, field: field("id"), cast: None, aggregate: None };
        let select = named::Select {
            table: "thing".to_owned(),
            items: vec![item],
            filters: vec![filter],
            ..named::Select::default()
        };
        let steps = [(named::Query::Select(select), Expect::Any)];
        let limits = Limits { document_values: 1_000, nodes: 10_000, ..Limits::default() };
        let script = resolve(model, &steps, End::Commit, Reach::System, &limits).unwrap();
        let Query::Select(plan) = &script.steps[0].query else { panic!("a read") };
        let statement = reading(model, &DIALECT, plan).unwrap().statement;
        let mut connection = engine.pool().take(Purpose::Read).await.unwrap();
        let mut session = MySqlSession::new(&mut connection);
        let mut on_row = |row: &dyn backstay_sql::session::Row| {
            match row.value(0, ScalarType::Int)? {
                Value::Int(id) => answer.push(id),
                other => panic!("{other:?} is no id"),
            }
            Ok(())
        };
        session
            .run(&statement, &[], &mut on_row)
            .await
            .unwrap_or_else(|failure| panic!("{failure:?}\n{}", statement.text));
        answer.sort_unstable();
    }
    answers
}

/// A thing per document, and one without.
async fn things(documents: &[String]) -> Option<(Database, MySql, std::sync::Arc<Catalog>)> {
    server().filter(|url| url.starts_with("mysql"))?;
    let model = catalog(SCHEMA, &[]);
    let database = Database::fresh(&Limits::default()).await;
    database.engine.migrate(&Batch::plain(ddl::create_all(&model, database.dialect))).await.unwrap();
    let rows = documents.iter().enumerate();
    let rows = rows.map(|(id, text)| vec![Input::Number(id.to_string()), Input::Json(text.clone())]);
    let mut rows: Vec<Vec<Input>> = rows.collect();
    rows.push(vec![Input::Number(documents.len().to_string()), Input::Null]);
    let columns = vec!["id".to_owned(), "doc".to_owned()];
    let insert = Insert { table: "thing".to_owned(), columns, rows, ..Insert::default() };
    fill(&*database.engine, &Ids::seeded(Clock::fixed(NOW_MICROS), 1), &model, insert).await;
    let engine = MySql::connect(&Secret::new(database.url.clone()), &Limits::default()).unwrap();
    Some((database, engine, model))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_out_finds_what_the_reference_finds() {
    let mut rng = seeded("documents written out", 31);
    let documents: Vec<Written> = (0..DOCUMENTS).map(|_| written(3, &mut rng)).collect();
    let texts: Vec<String> = documents.iter().map(|document| document.text.clone()).collect();
    let Some((_database, engine, model)) = things(&texts).await else { return };
    let mut found = 0;
    for _ in 0..cases(QUESTIONS) {
        let (text, value) = if rng.random_bool(0.4) {
            let asked = written(3, &mut rng);
            (asked.text, asked.value)
        } else {
            let value = part_of(&documents[rng.random_range(0..DOCUMENTS)].value, &mut rng);
            (value.to_string(), value)
        };
        for test in [SetTest::Contains, SetTest::Contained] {
            let passes = |document: &Written| match test {
                SetTest::Contains => contains(&document.value, &value, true),
                SetTest::Contained | SetTest::Overlaps => contains(&value, &document.value, true),
            };
            let mut wanted = [Vec::new(), Vec::new()];
            for (id, document) in (0_i64..).zip(&documents) {
                wanted[usize::from(!passes(document))].push(id);
            }
            found += wanted[0].len();
            assert_eq!(ask(&engine, &model, test, &text).await, wanted, "{test:?} {text}\n{texts:#?}");
        }
    }
    assert!(found as u64 > cases(QUESTIONS) / 2, "{found} found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_documents() {
    let documents = [
        r#"{"":1,"a.b":2,"q\"":3,"s\\":4,"$":5,"[0]":6,"é💡":7,"'":8}"#,
        r#"[null]"#,
        "null",
        r#""null""#,
        r#"[[null],{"a":null}]"#,
        r#"{"a":[]}"#,
        r#"{"a":{}}"#,
        "[]",
        "{}",
        r#""a ""#,
        r#"["a","A","a "]"#,
        "12345678901234567890123456789012345678901234567890",
        "[0.1,1e400]",
        r#""1""#,
        "true",
    ];
    let texts = documents.map(str::to_owned);
    let Some((_database, engine, model)) = things(&texts).await else { return };
    let wide: Vec<String> = (0..250).map(|n| n.to_string()).collect();
    let members: Vec<String> = (0..250).map(|n| format!("\"k{n}\":[{n}]")).collect();
    let deep = ["[".repeat(15), "]".repeat(15)].concat();
    let mut asked = texts.to_vec();
    asked.extend([format!("[{}]", wide.join(",")), format!("{{{}}}", members.join(",")), deep]);
    asked.extend(
        [
            r#"{"":1.0}"#,
            r#"{"a.b":2,"q\"":3,"s\\":4}"#,
            r#"{"$":5,"[0]":6}"#,
            r#"{"é💡":7,"'":8}"#,
            "0",
            "1e400",
            "\"a\"",
            "\"A\"",
            "\"\"",
            "[[]]",
            "[{}]",
        ]
        .map(str::to_owned),
    );
    let value = |text: &str| backstay_sql::document::parse(text).unwrap();
    for text in &asked {
        for test in [SetTest::Contains, SetTest::Contained] {
            let mut wanted = [Vec::new(), Vec::new()];
            for (id, document) in (0_i64..).zip(documents) {
                let (stored, given) = (value(document), value(text));
                let passes = match test {
                    SetTest::Contains => backstay_sql::document::contains(&stored, &given),
                    SetTest::Contained | SetTest::Overlaps => {
                        backstay_sql::document::contains(&given, &stored)
                    }
                };
                wanted[usize::from(!passes)].push(id);
            }
            assert_eq!(ask(&engine, &model, test, text).await, wanted, "{test:?} {text:.200}");
        }
    }
}
