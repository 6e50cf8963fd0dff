//! Random aggregates over random rows against a model that adds up in whole numbers: same
//! groups, same order, same digits on every engine.

#![cfg(test)]

use backstay_testkit::seed::{cases, seeded};
use backstay_testkit::served::{Ask, Served, Setup};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SCHEMA: &str = r#"
type Fact @access(read: "this.shown", create: "true") {
  id: Int!  k: Int  t: String  b: Boolean  i: Int  n: BigInt  d: Decimal  shown: Boolean!
}
"#;

/// Questions per run unless told otherwise.
const QUESTIONS: u64 = 150;
const ROWS: i64 = 60;
const TEXTS: [&str; 6] = ["", "a", "A", "ä", "a b", "\"q\",\\"];

/// A row as the model has it; decimals in ten-thousandths.
#[derive(Debug, Clone, Default)]
struct Fact {
    k: Option<i64>,
    t: Option<&'static str>,
    b: Option<bool>,
    i: Option<i64>,
    n: Option<i64>,
    d: Option<i64>,
    shown: bool,
}

/// What rows are grouped by, in the order that groups come: nulls last, text by its bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Bool(bool),
    Int(i64),
    Text(&'static str),
    Null,
}

impl Fact {
    fn random(rng: &mut StdRng) -> Self {
        let mut maybe = |value: i64| rng.random_bool(0.8).then_some(value);
        let mut fact = Self { k: maybe(0), i: maybe(0), n: maybe(0), d: maybe(0), ..Self::default() };
        fact.k = fact.k.map(|_| rng.random_range(-2..3));
        fact.i = fact.i.map(|_| i64::from(rng.random::<i32>()));
        fact.n = fact.n.map(|_| rng.random());
        fact.d = fact.d.map(|_| rng.random_range(-999_999_999_999_999_999..=999_999_999_999_999_999));
        fact.t = rng.random_bool(0.8).then(|| TEXTS[rng.random_range(0..TEXTS.len())]);
        fact.b = rng.random_bool(0.8).then(|| rng.random());
        fact.shown = rng.random_bool(0.8);
        fact
    }

    fn row(&self, id: i64) -> Value {
        let d = self.d.map(|units| decimal(i128::from(units), 4));
        json!({ "id": id, "k": self.k, "t": self.t, "b": self.b, "i": self.i, "n": self.n, "d": d, "shown": self.shown })
    }

    fn key(&self, column: &str) -> Key {
        match column {
            "k" => self.k.map_or(Key::Null, Key::Int),
            "t" => self.t.map_or(Key::Null, Key::Text),
            _ => self.b.map_or(Key::Null, Key::Bool),
        }
    }

    /// Units of a number.
    fn number(&self, column: &str) -> Option<i128> {
        match column {
            "i" => self.i,
            "n" => self.n,
            _ => self.d,
        }
        .map(i128::from)
    }
}

fn decimal(units: i128, scale: usize) -> String {
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if units < 0 { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// Half away from zero, sixteen digits after the point.
fn mean(sum: i128, scale: u32, count: i128) -> String {
    let units = sum * 10_i128.pow(16 - scale);
    let (quotient, rest) = (units / count, units % count);
    let up = rest.abs() * 2 >= count;
    decimal(if up { quotient + units.signum() } else { quotient }, 16)
}

fn expected(rows: &[&Fact], (function, column): (&str, &str)) -> String {
    let scale = if column == "d" { 4 } else { 0 };
    let values: Vec<i128> = rows.iter().filter_map(|row| row.number(column)).collect();
    let count = values.len() as i128;
    let shown = |units: Option<&i128>| units.map_or("null".to_owned(), |units| decimal(*units, scale));
    match function {
        "count" => count.to_string(),
        "min" => shown(values.iter().min()),
        "max" => shown(values.iter().max()),
        _ if count == 0 => "null".to_owned(),
        "sum" => decimal(values.iter().sum(), scale),
        _ => mean(values.iter().sum(), if column == "d" { 4 } else { 0 }, count),
    }
}

fn said(key: &Key) -> String {
    match key {
        Key::Null => "null".to_owned(),
        Key::Bool(truth) => truth.to_string(),
        Key::Int(number) => number.to_string(),
        Key::Text(text) => json!(text).to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aggregates_are_those_of_the_model() {
    let mut rng = seeded("aggregates", 70);
    let served = Served::start(&Setup { sdl: SCHEMA.to_owned(), aggregates: true, ..Setup::default() }).await;
    let facts: Vec<Fact> = (0..ROWS).map(|_| Fact::random(&mut rng)).collect();
    for (id, fact) in facts.iter().enumerate() {
        served.row("fact", &fact.row(i64::try_from(id).unwrap() + 1)).await;
    }
    let mut groups_seen = 0;
    for _ in 0..cases(QUESTIONS) {
        let keys: Vec<&str> = ["k", "t", "b"].into_iter().filter(|_| rng.random_bool(0.4)).collect();
        let folds: Vec<(&str, &str)> = (0..rng.random_range(1..4))
            .map(|_| {
                let function = ["sum", "avg", "min", "max", "count"][rng.random_range(0..5)];
                (function, ["i", "n", "d"][rng.random_range(0..3)])
            })
            .collect();
        let least = rng.random_range(-4..3);
        let filtered = rng.random_bool(0.5);
        let mut items: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        items.extend(
            folds.iter().enumerate().map(|(n, (function, column))| format!("a{n}:{column}.{function}()")),
        );
        let filter = if filtered { format!("&k=gt.{least}") } else { String::new() };
        let target = format!("/rest/v1/fact?select={},count(){filter}", items.join(","));

        let seen = facts.iter().filter(|fact| fact.shown && (!filtered || fact.k.is_some_and(|k| k > least)));
        let mut groups: BTreeMap<Vec<Key>, Vec<&Fact>> = BTreeMap::new();
        for fact in seen {
            groups.entry(keys.iter().map(|key| fact.key(key)).collect()).or_default().push(fact);
        }
        if keys.is_empty() {
            groups.entry(Vec::new()).or_default();
        }
        let rows: Vec<String> = groups
            .iter()
            .map(|(values, rows)| {
                let named = keys.iter().zip(values).map(|(name, key)| format!("\"{name}\":{}", said(key)));
                let folded =
                    folds.iter().enumerate().map(|(n, fold)| format!("\"a{n}\":{}", expected(rows, *fold)));
                let count = [format!("\"count\":{}", rows.len())];
                format!("{{{}}}", named.chain(folded).chain(count).collect::<Vec<_>>().join(","))
            })
            .collect();
        groups_seen += rows.len();
        let answer = served.ask(&Ask::new("anon", "GET", &target, "")).await;
        assert_eq!((answer.status, answer.body), (200, format!("[{}]", rows.join(","))), "{target}");
    }
    assert!(groups_seen > 300 || cases(QUESTIONS) < QUESTIONS, "{groups_seen}");
}
