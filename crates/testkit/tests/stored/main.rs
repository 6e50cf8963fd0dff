//! Random expressions, computed when they are read and kept by the database: the same values in the same
//! rows, inserted and changed, on every engine.

#![cfg(test)]

use backstay_testkit::seed::{cases, seeded};
use backstay_testkit::served::{Ask, Served, Setup};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// Expressions per schema.
const EXPRESSIONS: usize = 12;
const ROWS: i64 = 12;
const TEXTS: [&str; 8] = ["", "a", "Straße", "ÄÖ İı", "it's \\ \"q\"", "\u{1f600}", "x%_", " A "];

fn pick<'t>(random: &mut StdRng, words: &[&'t str]) -> &'t str {
    words[random.random_range(0..words.len())]
}

fn condition(random: &mut StdRng, depth: u32) -> String {
    if depth > 0 && random.random_bool(0.4) {
        let (a, b) = (condition(random, depth - 1), condition(random, depth - 1));
        return match random.random_range(0..3) {
            0 => format!("({a} && {b})"),
            1 => format!("({a} || {b})"),
            _ => format!("!({a})"),
        };
    }
    match random.random_range(0..7) {
        0 => format!("this.i {} this.j", pick(random, &["==", "!=", "<", ">="])),
        1 => format!("this.i {} {}", pick(random, &["==", "!=", "<", "<="]), random.random_range(-2..3)),
        2 => format!("this.t {} this.u", pick(random, &["==", "!="])),
        3 => format!("this.t in ['a', 'Straße', '{}']", pick(random, &["", "x%_"])),
        4 => format!("this.{} {} null", pick(random, &["t", "i", "d", "b"]), pick(random, &["==", "!="])),
        5 => "this.b".into(),
        _ => format!("this.s == '{}'", pick(random, &["ONE", "TWO"])),
    }
}

fn chosen(random: &mut StdRng, depth: u32, make: fn(&mut StdRng, u32) -> String) -> String {
    let condition = condition(random, 1);
    format!("({condition} ? {} : {})", make(random, depth - 1), make(random, depth - 1))
}

fn whole(random: &mut StdRng, depth: u32) -> String {
    match random.random_range(0..if depth > 0 { 7 } else { 3 }) {
        0 => "this.i".into(),
        1 => "this.j".into(),
        2 => random.random_range(-3..100_000).to_string(),
        3 => format!("-({})", whole(random, depth - 1)),
        4 => chosen(random, depth, whole),
        _ => {
            let (a, b) = (whole(random, depth - 1), whole(random, depth - 1));
            format!("({a} {} {b})", pick(random, &["+", "-", "*"]))
        }
    }
}

fn big(random: &mut StdRng, depth: u32) -> String {
    match random.random_range(0..if depth > 0 { 5 } else { 2 }) {
        0 | 1 => "this.n".into(),
        2 => format!("(this.n {} this.i)", pick(random, &["+", "-", "*"])),
        3 => chosen(random, depth, big),
        _ => {
            let (a, b) = (big(random, depth - 1), big(random, depth - 1));
            format!("({a} {} {b})", pick(random, &["+", "-", "*"]))
        }
    }
}

fn decimal(random: &mut StdRng, depth: u32) -> String {
    match random.random_range(0..if depth > 0 { 6 } else { 2 }) {
        0 => "this.d".into(),
        1 => "this.e".into(),
        2 => format!("(this.d * this.{})", pick(random, &["i", "j"])),
        3 => format!("({} * this.e)", "this.j"),
        4 => chosen(random, depth, decimal),
        _ => {
            let (a, b) = (decimal(random, depth - 1), decimal(random, depth - 1));
            format!("({a} {} {b})", pick(random, &["+", "-"]))
        }
    }
}

fn text(random: &mut StdRng, depth: u32) -> String {
    match random.random_range(0..if depth > 0 { 6 } else { 3 }) {
        0 => "this.t".into(),
        1 => "this.u".into(),
        2 => format!("'{}'", pick(random, &["", "-", "ß", "a b"])),
        3 => chosen(random, depth, text),
        _ => format!("({} + {})", text(random, depth - 1), text(random, depth - 1)),
    }
}

/// The type of an expression and its text; one that is a literal alone has no column to read.
fn expression(random: &mut StdRng) -> (&'static str, String) {
    let (ty, text) = match random.random_range(0..5) {
        0 => ("Boolean", condition(random, 2)),
        1 => ("Int", whole(random, 3)),
        2 => ("BigInt", big(random, 2)),
        3 => ("Decimal", decimal(random, 2)),
        _ => ("String", text(random, 3)),
    };
    if text.contains("this.") { (ty, text) } else { ("Int", "this.i + 1".into()) }
}

fn row(random: &mut StdRng) -> Value {
    let mut row = json!({ "i": null });
    let mut put = |name: &str, value: Value| row[name] = value;
    let wholes = [0, 1, -1, 7, 46_341, -46_341, i64::from(i32::MAX), i64::from(i32::MIN)];
    for name in ["i", "j"] {
        if random.random_bool(0.8) {
            put(name, wholes[random.random_range(0..wholes.len())].into());
        }
    }
    let bigs = [0, 3, -3, 3_037_000_500, i64::MAX, i64::MIN, i64::MAX - 2_147_483_647];
    if random.random_bool(0.8) {
        put("n", bigs[random.random_range(0..bigs.len())].to_string().into());
    }
    let decimals = ["0", "0.0001", "-1.5", "99999999999999.9999", "-99999999999999.9999", "46566.1287"];
    for name in ["d", "e"] {
        if random.random_bool(0.8) {
            put(name, pick(random, &decimals).into());
        }
    }
    for name in ["t", "u"] {
        if random.random_bool(0.8) {
            put(name, pick(random, &TEXTS).into());
        }
    }
    if random.random_bool(0.7) {
        put("b", random.random::<bool>().into());
    }
    if random.random_bool(0.7) {
        put("s", pick(random, &["ONE", "TWO"]).into());
    }
    row
}

fn schema(random: &mut StdRng) -> String {
    let mut sdl = "enum S { ONE TWO }\ntype T @access(all: \"true\") {\n  id: Int!  i: Int  j: Int  n: BigInt  d: Decimal  e: Decimal  t: String  u: String  b: Boolean  s: S\n".to_owned();
    for index in 0..EXPRESSIONS {
        let (ty, expr) = expression(random);
        let mark = if ty != "String" && random.random_bool(0.3) { " @index" } else { "" };
        sdl.push_str(&format!("  v{index}: {ty} @computed(expr: \"{expr}\")\n"));
        sdl.push_str(&format!("  k{index}: {ty} @computed(expr: \"{expr}\", stored: true){mark}\n"));
    }
    sdl + "}\n"
}

#[tokio::test]
async fn what_is_kept_is_what_is_computed() {
    let mut random = seeded("stored", 20_261_101);
    for _ in 0..cases(8) {
        let sdl = schema(&mut random);
        let served = Served::start(&Setup { sdl: sdl.clone(), ..Setup::default() }).await;
        for id in 1..=ROWS {
            let body = row(&mut random).to_string();
            let answer = served.ask(&Ask::new("anon", "POST", "/rest/v1/t", &body)).await;
            assert_eq!(answer.status, 201, "{}\n{body}\n{sdl}", answer.body);
            if random.random_bool(0.4) {
                let body = row(&mut random).to_string();
                let target = format!("/rest/v1/t?id=eq.{id}");
                let answer = served.ask(&Ask::new("anon", "PATCH", &target, &body)).await;
                assert_eq!(answer.status, 204, "{}\n{body}\n{sdl}", answer.body);
            }
        }
        let names: Vec<String> = (0..EXPRESSIONS).map(|index| format!("v{index},k{index}")).collect();
        let target = format!("/rest/v1/t?select=id,{}&order=id", names.join(","));
        let answer = served.ask(&Ask::new("anon", "GET", &target, "")).await;
        let rows: Vec<Value> = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(rows.len(), 12);
        for row in rows {
            for index in 0..EXPRESSIONS {
                let (virtual_one, kept) = (&row[format!("v{index}")], &row[format!("k{index}")]);
                assert_eq!(virtual_one, kept, "v{index} of {row}\n{sdl}");
            }
        }
    }
}
