//! `@table(strict: false)`: whatever random writes do, rows keep beside their fields what a reference in a few lines
//! keeps, on every engine to the byte; and of those who write to one row at once, none undoes what another did.

use backstay_testkit::seed::{cases, seeded};
use backstay_testkit::served::{Answer, Ask, Served, Setup};
use futures_util::future::join_all;
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const SCHEMA: &str = r#"
type Thing @table(strict: false) @access(all: "true") { id: Int!  name: String  size: Int }
type Told @table(strict: false, audit: true) @access(all: "true") { id: Int!  name: String }
"#;
const NAMES: &[&str] = &["a", "B", "colour", "k_1", "_z", "zz"];
const TEXTS: &[&str] = &["", "red", "null", "1", "a\"b\\", "{", "é💡", "\n", " x "];
const STEPS: u64 = 250;

type Row = (Option<String>, BTreeMap<String, Value>);

async fn served() -> Served {
    let setup = Setup { sdl: SCHEMA.to_owned(), unfiltered_writes: true, ..Setup::default() };
    Served::start(&setup).await
}

async fn ask(served: &Served, method: &str, target: &str, body: &Value, prefer: &str) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let ask = Ask::new("service", method, target, &body);
    served.ask(&if prefer.is_empty() { ask } else { ask.header("Prefer", prefer) }).await
}

fn value(rng: &mut StdRng, depth: usize) -> Value {
    let kinds = if depth > 2 { 5 } else { 7 };
    match rng.random_range(0..kinds) {
        0 => Value::Null,
        1 => json!(rng.random_bool(0.5)),
        2 => json!(rng.random_range(-3..12)),
        3 | 4 => json!(TEXTS[rng.random_range(0..TEXTS.len())]),
        5 => (0..rng.random_range(0..3)).map(|_| value(rng, depth + 1)).collect(),
        _ => {
            let name = |rng: &mut StdRng| TEXTS[rng.random_range(0..TEXTS.len())].to_owned();
            let members = (0..rng.random_range(0..3)).map(|_| (name(rng), value(rng, depth + 1)));
            Value::Object(members.collect::<Map<_, _>>())
        }
    }
}

fn extras(rng: &mut StdRng) -> BTreeMap<String, Value> {
    let count = rng.random_range(0..4);
    (0..count).map(|_| (NAMES[rng.random_range(0..NAMES.len())].to_owned(), value(rng, 0))).collect()
}

fn merge(row: &mut BTreeMap<String, Value>, patch: &BTreeMap<String, Value>) {
    row.extend(patch.clone());
    row.retain(|_, value| !value.is_null());
}

/// The text that a condition compares.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn body(fields: &[(&str, Value)], extras: &BTreeMap<String, Value>) -> Value {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Value::Object(extras.clone().into_iter().chain(fields).collect())
}

fn written(rows: &BTreeMap<i64, Row>) -> String {
    let row = |(id, (name, extras)): (&i64, &Row)| {
        let fields = [("id", json!(id)), ("name", json!(name)), ("size", Value::Null)];
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
        Value::Object(fields.chain(extras.clone()).collect()).to_string()
    };
    format!("[{}]", rows.iter().map(row).collect::<Vec<_>>().join(",\n "))
}

/// One random write to both; what it was, for whoever reads a failure.
async fn step(served: &Served, rows: &mut BTreeMap<i64, Row>, rng: &mut StdRng) -> String {
    let id = rng.random_range(1..12);
    let name = rng.random_bool(0.7).then(|| TEXTS[rng.random_range(0..TEXTS.len())].to_owned());
    let patch = extras(rng);
    let (method, target, body, prefer) = match rng.random_range(0..7) {
        0 | 1 => {
            let body = body(&[("id", json!(id)), ("name", json!(name))], &patch);
            let row = rows.entry(id).or_default();
            row.0 = name;
            merge(&mut row.1, &patch);
            ("POST", "/rest/v1/thing".to_owned(), body, "resolution=merge-duplicates")
        }
        2 => {
            let other = id + 1;
            let (one, more) = (extras(rng), extras(rng));
            let names: Vec<&str> = ["id"].into_iter().chain(NAMES.iter().copied()).collect();
            let all = [(id, &one), (other, &more)];
            let bodies = all.map(|(id, extras)| body(&[("id", json!(id))], extras));
            for (id, given) in all {
                // what a row does not give is null, as that of a field
                let given: BTreeMap<_, _> = NAMES
                    .iter()
                    .map(|name| ((*name).to_owned(), given.get(*name).cloned().unwrap_or_default()))
                    .collect();
                merge(&mut rows.entry(id).or_default().1, &given);
            }
            let target = format!("/rest/v1/thing?columns={}", names.join(","));
            ("POST", target, json!(bodies), "resolution=merge-duplicates")
        }
        3 => {
            let named = name.is_some();
            let body = if named { body(&[("name", json!(name))], &patch) } else { body(&[], &patch) };
            for (_, row) in rows.range_mut(id..=id + 3) {
                merge(&mut row.1, &patch);
                row.0 = if named { name.clone() } else { row.0.clone() };
            }
            ("PATCH", format!("/rest/v1/thing?id=gte.{id}&id=lte.{}", id + 3), body, "")
        }
        4 => {
            // what is there is replaced
            let row = rows.entry(id).or_default();
            *row = (name.clone(), BTreeMap::new());
            merge(&mut row.1, &patch);
            let body = body(&[("id", json!(id)), ("name", json!(name))], &patch);
            ("PUT", format!("/rest/v1/thing?id=eq.{id}"), body, "")
        }
        5 => {
            let wanted = ["red", "1", "true"][rng.random_range(0..3)];
            for row in
                rows.values_mut().filter(|row| row.1.get("colour").map(text).as_deref() == Some(wanted))
            {
                merge(&mut row.1, &patch);
            }
            ("PATCH", format!("/rest/v1/thing?colour=eq.{wanted}"), body(&[], &patch), "")
        }
        _ => {
            rows.retain(|known, row| *known != id || row.1.contains_key("zz"));
            ("DELETE", format!("/rest/v1/thing?id=eq.{id}&zz=is.null"), Value::Null, "")
        }
    };
    let answer = ask(served, method, &target, &body, prefer).await;
    assert!(answer.status < 300, "{method} {target} {body}: {answer:?}");
    format!("{method} {target} {body}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_keep_what_the_reference_keeps() {
    let mut rng = seeded("extras", 17);
    let served = served().await;
    let mut rows = BTreeMap::new();
    for _ in 0..cases(STEPS) {
        let done = step(&served, &mut rows, &mut rng).await;
        let stand = ask(&served, "GET", "/rest/v1/thing?order=id", &Value::Null, "").await;
        assert_eq!(stand.body.replace("},{", "},\n {"), written(&rows).replace("},{", "},\n {"), "{done}");
        let name = NAMES[rng.random_range(0..NAMES.len())];
        let wanted = ["red", "1", "true", "null"][rng.random_range(0..4)];
        let target = format!("/rest/v1/thing?select=id&{name}=eq.{wanted}&order=id");
        let found = ask(&served, "GET", &target, &Value::Null, "").await;
        let found: Vec<Value> = serde_json::from_str(&found.body).unwrap();
        let held = |row: &Row| row.1.get(name).map(text).as_deref() == Some(wanted);
        let expected: Vec<Value> =
            rows.iter().filter(|(_, row)| held(row)).map(|(id, _)| json!({ "id": id })).collect();
        assert_eq!(found, expected, "{target} after {done}");
    }
    assert!(rows.values().any(|row| !row.1.is_empty()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_to_a_row_at_once_undoes_nothing() {
    let served = served().await;
    for table in ["thing", "told"] {
        let made = ask(&served, "POST", &format!("/rest/v1/{table}"), &json!({ "id": 1 }), "").await;
        assert_eq!(made.status, 201, "{made:?}");
        let writes = (0..24).map(async |number: usize| {
            let name = format!("k{number:02}");
            if number.is_multiple_of(3) {
                let body = json!({ "id": 1, name: number });
                let target = format!("/rest/v1/{table}");
                return ask(&served, "POST", &target, &body, "resolution=merge-duplicates").await;
            }
            ask(&served, "PATCH", &format!("/rest/v1/{table}?id=eq.1"), &json!({ name: number }), "").await
        });
        for answer in join_all(writes).await {
            assert!(answer.status < 300, "{answer:?}");
        }
        let stand = ask(&served, "GET", &format!("/rest/v1/{table}"), &Value::Null, "").await;
        let rows: Vec<Map<String, Value>> = serde_json::from_str(&stand.body).unwrap();
        let kept = rows[0].iter().filter(|(name, _)| name.starts_with('k')).count();
        assert_eq!(kept, 24, "{table}: {}", stand.body);
    }
}
