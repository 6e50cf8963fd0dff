//! `cs` and `cd` of JSON: every engine finds the documents that the reference finds, however they are written.

#![cfg(test)]

mod extras;
mod written_out;

use backstay_engine::migration::Batch;
use backstay_policy::caller::Caller;
use backstay_query::named::{Field, Filter, Input, Insert, Item, Operand, Query, Select, SetTest, Test};
use backstay_query::plan::End;
use backstay_query::reply::Cell;
use backstay_testkit::seed::{cases, seeded};
use backstay_testkit::store::{Store, catalog};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

pub(crate) const SCHEMA: &str = r#"type Thing @access(read: "true") { id: Int!  doc: JSON }"#;
const WORDS: &[&str] =
    &["", "a", "ab", "A", "a\"b", "\\", "/", "é", "💡", "a b", "\n", "}", "[", ",", ":", "1", "null"];
const QUESTIONS: u64 = 400;
pub(crate) const DOCUMENTS: usize = 60;

/// A number as others may write it, and its value.
const NUMBERS: &[(&str, f64)] = &[
    ("0", 0.0),
    ("-0", 0.0),
    ("0.0", 0.0),
    ("0e5", 0.0),
    ("1", 1.0),
    ("1.0", 1.0),
    ("10e-1", 1.0),
    ("0.01e2", 1.0),
    ("-1", -1.0),
    ("-1.00", -1.0),
    ("10", 10.0),
    ("1e1", 10.0),
    ("1E+01", 10.0),
    ("100", 100.0),
    ("1.00e2", 100.0),
    ("1.5", 1.5),
    ("15e-1", 1.5),
    ("0.15E1", 1.5),
    ("1.05", 1.05),
    ("-105e-02", -1.05),
    ("1e30", 1e30),
    ("1000000000000000000000000000000", 1e30),
    ("2.5e-7", 2.5e-7),
    ("0.00000025", 2.5e-7),
];

/// A document with the text that it is written as.
#[derive(Clone)]
pub(crate) struct Written {
    pub(crate) value: Value,
    pub(crate) text: String,
}

/// What `@>` of `jsonb` is, said once more.
pub(crate) fn contains(whole: &Value, part: &Value, top: bool) -> bool {
    match (whole, part) {
        (Value::Object(all), Value::Object(some)) => {
            some.iter().all(|(name, part)| all.get(name).is_some_and(|whole| contains(whole, part, false)))
        }
        (Value::Array(all), Value::Array(some)) => {
            some.iter().all(|part| all.iter().any(|whole| contains(whole, part, false)))
        }
        (Value::Array(all), part) if top && !part.is_object() => all.contains(part),
        (whole, part) => whole == part,
    }
}

fn space(rng: &mut StdRng) -> &'static str {
    ["", "", "", " ", "\n\t"][rng.random_range(0..5)]
}

fn string(text: &str, rng: &mut StdRng) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if rng.random_bool(0.2) {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| {
                out.push_str(&if rng.random() { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") });
            });
        } else {
            let plain = serde_json::to_string(&c.to_string()).unwrap();
            out.push_str(&plain[1..plain.len() - 1]);
        }
    }
    out + "\""
}

pub(crate) fn written(depth: u32, rng: &mut StdRng) -> Written {
    let kind = rng.random_range(0..if depth == 0 { 3 } else { 7 });
    let word = |rng: &mut StdRng| WORDS[rng.random_range(0..WORDS.len())];
    match kind {
        0 => {
            let (text, value) = NUMBERS[rng.random_range(0..NUMBERS.len())];
            Written { value: json!(value), text: text.to_owned() }
        }
        1 => {
            let word = word(rng);
            Written { value: json!(word), text: string(word, rng) }
        }
        2 => {
            let (value, text) = [(Value::Null, "null"), (json!(true), "true"), (json!(false), "false")]
                [rng.random_range(0..3)]
            .clone();
            Written { value, text: text.to_owned() }
        }
        3 | 4 => {
            let items: Vec<Written> = (0..rng.random_range(0..4)).map(|_| written(depth - 1, rng)).collect();
            let texts: Vec<String> =
                items.iter().map(|item| [space(rng), &item.text, space(rng)].concat()).collect();
            let value = Value::Array(items.into_iter().map(|item| item.value).collect());
            Written { value, text: format!("[{}{}]", space(rng), texts.join(",")) }
        }
        _ => {
            let mut members = serde_json::Map::new();
            let mut texts = Vec::new();
            for _ in 0..rng.random_range(0..4) {
                let name = ["a", "b", "é", "a\"b"][rng.random_range(0..4)];
                let item = written(depth - 1, rng);
                // the last of equal names wins
                texts.push(
                    [space(rng), &string(name, rng), space(rng), ":", space(rng), &item.text, space(rng)]
                        .concat(),
                );
                members.insert(name.to_owned(), item.value);
            }
            Written { value: Value::Object(members), text: format!("{{{}{}}}", space(rng), texts.join(",")) }
        }
    }
}

/// A part of a document, so that some questions are answered with yes.
pub(crate) fn part_of(value: &Value, rng: &mut StdRng) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members
                .iter()
                .filter(|_| rng.random_bool(0.6))
                .map(|(name, value)| (name.clone(), value.clone()));
            let kept: Vec<(String, Value)> = kept.collect();
            Value::Object(kept.into_iter().map(|(name, value)| (name, part_of(&value, rng))).collect())
        }
        Value::Array(items) => {
            let kept: Vec<Value> = items.iter().filter(|_| rng.random_bool(0.6)).cloned().collect();
            Value::Array(kept.iter().map(|item| part_of(item, rng)).collect())
        }
        other => other.clone(),
    }
}

async fn ask(
    store: &Store,
    model: &std::sync::Arc<backstay_schema::catalog::Catalog>,
    test: SetTest,
    text: &str,
) -> Vec<i64> {
    let field = |name: &str| Field { name: name.to_owned(), path: Vec::new() };
    let filter = Filter::Field(field("doc"), Test::Set(test, Operand::Text(text.to_owned())));
    let item = Item::Field { alias: None, field: field("id"), cast: None, aggregate: None };
    let select =
        Select { table: "thing".to_owned(), items: vec![item], filters: vec![filter], ..Select::default() };
    let part = store.ask(model, &Caller::Anon, Query::Select(select), End::Commit).await.unwrap();
    part.rows
        .cells
        .iter()
        .map(|cell| match cell {
            Cell::Int(id) => *id,
            other => panic!("{other:?} is no id"),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_engine_finds_what_the_reference_finds() {
    let mut rng = seeded("documents", 12);
    let model = catalog(SCHEMA, &[]);
    let store = Store::new(&model).await;
    let documents: Vec<Written> = (0..DOCUMENTS).map(|_| written(3, &mut rng)).collect();
    let backslash = if store.engine.name() == "mysql" { "\\\\" } else { "\\" };
    let raw = |(id, document): (usize, &Written)| {
        let text = document.text.replace('\\', backslash).replace('\'', "''");
        format!("INSERT INTO thing (id, doc) VALUES ({id}, '{text}')")
    };
    let by_hand: Vec<String> = documents.iter().enumerate().take(DOCUMENTS / 2).map(raw).collect();
    store.engine.migrate(&Batch::plain(by_hand)).await.unwrap();
    let rows = documents.iter().enumerate().skip(DOCUMENTS / 2);
    let rows =
        rows.map(|(id, document)| vec![Input::Number(id.to_string()), Input::Json(document.text.clone())]);
    let columns = vec!["id".to_owned(), "doc".to_owned()];
    let insert = Insert { table: "thing".to_owned(), columns, rows: rows.collect(), ..Insert::default() };
    store.fill(&model, insert).await;
    let mut found = 0;
    for _ in 0..cases(QUESTIONS) {
        let asked = if rng.random_bool(0.5) {
            let text = written(3, &mut rng);
            (text.text, text.value)
        } else {
            let value = part_of(&documents[rng.random_range(0..DOCUMENTS)].value, &mut rng);
            (value.to_string(), value)
        };
        for test in [SetTest::Contains, SetTest::Contained] {
            let ids = ask(&store, &model, test, &asked.0).await;
            let wanted = documents.iter().enumerate().filter(|(_, document)| match test {
                SetTest::Contains => contains(&document.value, &asked.1, true),
                SetTest::Contained | SetTest::Overlaps => contains(&asked.1, &document.value, true),
            });
            let wanted: Vec<i64> = wanted.map(|(id, _)| i64::try_from(id).unwrap()).collect();
            let shown = |ids: &[i64]| {
                let texts = ids.iter().map(|id| documents[usize::try_from(*id).unwrap()].text.clone());
                texts.collect::<Vec<_>>()
            };
            assert_eq!(
                ids,
                wanted,
                "{test:?} {}\nfound {:#?}\nwanted {:#?}",
                asked.0,
                shown(&ids),
                shown(&wanted)
            );
            found += ids.len();
        }
    }
    assert!(found as u64 > cases(QUESTIONS) / 2, "{found} found");
}

/// A document of a megabyte is looked through to its end, or the question is refused: never answered wrongly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_documents_are_looked_through() {
    let model = catalog(SCHEMA, &[]);
    let store = Store::new(&model).await;
    let items: Vec<Value> = (0..30_000).map(|n| json!({ "n": n, "word": format!("w{n}") })).collect();
    let document = json!({ "items": items, "deep": { "a": [[[["x"]]]] }, "last": true }).to_string();
    assert!(document.len() > 800_000);
    let row = vec![Input::Number("1".to_owned()), Input::Json(document)];
    let columns = vec!["id".to_owned(), "doc".to_owned()];
    let insert = Insert { table: "thing".to_owned(), columns, rows: vec![row], ..Insert::default() };
    store.fill(&model, insert).await;
    for (text, found) in [
        (r#"{"last":true}"#, true),
        (r#"{"last":false}"#, false),
        (r#"{"items":[{"n":29999}]}"#, true),
        (r#"{"items":[{"n":29999,"word":"w29999"},{"n":0}]}"#, true),
        (r#"{"items":[{"n":29999,"word":"w1"}]}"#, false),
        (r#"{"deep":{"a":[[[["x"]]]]}}"#, true),
        (r#"{"deep":{"a":[[["x"]]]}}"#, false),
    ] {
        let ids = ask(&store, &model, SetTest::Contains, text).await;
        assert_eq!(!ids.is_empty(), found, "{text}");
    }
}
