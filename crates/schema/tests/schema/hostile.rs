//! Texts that nobody would write: random changes of the shop and of its rules never
//! panic, never hang, and always end in a catalog or in diagnostics.

use super::rules::with_rule;
use super::shape::{SHOP, file, settings};
use backstay_schema::cel::parser::parse;
use backstay_schema::compile::compile;
use backstay_schema::diagnostic::render;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::hash::{BuildHasher, Hasher, RandomState};

/// `SEED=… cargo test` repeats a run.
fn seed() -> u64 {
    let fresh = || RandomState::new().build_hasher().finish();
    let seed = option_env!("SEED").and_then(|text| text.parse().ok()).unwrap_or_else(fresh);
    println!("SEED={seed}");
    seed
}

const PIECES: [&str; 44] = [
    "\"",
    "\"\"\"",
    "'",
    "\\",
    "\\u0041",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "@",
    "!",
    ":",
    ",",
    "\n",
    " ",
    "#",
    "\0",
    "ä",
    "😀",
    "==",
    "=",
    "&&",
    "||",
    "in",
    "null",
    "this.",
    "auth.user",
    ".exists(x, ",
    "@access(",
    "@relation(field: \"items\")",
    "@unique",
    "@user",
    "@table(key: [\"id\"])",
    "[Order!]!",
    "Product",
    "type A {",
    "extend schema",
    "enum E {",
    "id: ",
    "9e999",
    "-",
    "?",
];

fn mutated(text: &str, random: &mut StdRng, changes: usize) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..random.random_range(1..=changes) {
        let at = random.random_range(0..=chars.len());
        match random.random_range(0..4) {
            0 => {
                let end = (at + random.random_range(0..20)).min(chars.len());
                chars.drain(at..end);
            }
            1 => {
                let piece = PIECES[random.random_range(0..PIECES.len())];
                chars.splice(at..at, piece.chars());
            }
            2 => {
                let end = (at + random.random_range(0..60)).min(chars.len());
                let copy: Vec<char> = chars[at..end].to_vec();
                let to = random.random_range(0..=chars.len());
                chars.splice(to..to, copy);
            }
            _ => {
                if at < chars.len() {
                    chars[at] = char::from(random.random_range(1..127_u8));
                }
            }
        }
    }
    chars.into_iter().collect()
}

#[test]
fn changed_schemas_end_in_a_catalog_or_in_diagnostics() {
    let mut random = StdRng::seed_from_u64(seed());
    let mut compiled = 0;
    for _ in 0..400 {
        let files = [file(&mutated(SHOP, &mut random, 4))];
        match compile(&files, &settings()) {
            Ok(_) => compiled += 1,
            Err(mistakes) => {
                assert!(!mistakes.is_empty());
                assert!(!render::text(&mistakes, &files).is_empty());
                assert!(render::json(&mistakes, &files).starts_with('['));
            }
        }
    }
    assert!(compiled > 0, "some changes leave a schema");
}

#[test]
fn changed_rules_end_in_an_expression_or_in_diagnostics() {
    let mut random = StdRng::seed_from_u64(seed());
    let rules = [
        "this.steps.filter(s, s.done).map(s, s.hours * s.rate).sum() > 10 && member(this.team)",
        "auth.user in this.team.members.map(m, m.user) || this.meta['plan'].tier == this.count",
        "old.status == 'OPEN' && !(new.status in ['CLOSED']) ? this.price * 1.5 > 2 : now - duration('1h') > this.due",
        "['a', 'b'].exists(p, this.title.startsWith(p)) && this.title.matches(r'^\\d+$')",
        "any(this.steps) && positive(this.count) && allowed(this.team, 'read') && 'team' in request.changed",
    ];
    for _ in 0..400 {
        let rule = mutated(rules[random.random_range(0..rules.len())], &mut random, 5);
        let files = [file(&with_rule(&rule))];
        if let Err(mistakes) = compile(&files, &settings()) {
            assert!(!render::text(&mistakes, &files).is_empty());
        }
    }
}

#[test]
fn random_tokens_never_panic_the_rule_parser() {
    let mut random = StdRng::seed_from_u64(seed());
    for _ in 0..20_000 {
        let rule: String =
            (0..random.random_range(0..40)).map(|_| PIECES[random.random_range(0..PIECES.len())]).collect();
        if let Err(error) = parse(&rule) {
            assert!(
                error.start <= error.end && error.end <= rule.len().max(error.start),
                "{rule:?} {error:?}"
            );
        }
    }
}

#[test]
fn limits_hold() {
    let codes = |text: &str| -> Vec<&'static str> {
        let mut codes: Vec<&str> = match compile(&[file(text)], &settings()) {
            Ok(_) => Vec::new(),
            Err(mistakes) => mistakes.iter().map(|m| m.code).filter(|code| code.starts_with('E')).collect(),
        };
        codes.dedup();
        codes
    };
    assert_eq!(codes(&"#".repeat(1_100_000)), ["E1004"]);
    assert_eq!(codes(&"{".repeat(100_000)), ["E1001"]);
    assert_eq!(codes(&format!("type A {{ a: {}Int{} }}", "[".repeat(10_000), "]".repeat(10_000))), ["E1001"]);
    assert_eq!(
        codes(&format!(
            "type A {{ a: JSON @default(value: {}1{}) }}",
            "[".repeat(10_000),
            "]".repeat(10_000)
        )),
        ["E1001"]
    );
    let fields: String = (0..501).map(|n| format!("f{n}: Int ")).collect();
    assert_eq!(codes(&format!("type A {{ {fields} }}")), ["E1004"]);
    let types: String = (0..1_001).map(|n| format!("type A{n} {{ n: Int }} ")).collect();
    assert_eq!(codes(&types), ["E1004"]);
    let long = "x".repeat(64);
    assert_eq!(codes(&format!("type A {{ {long}: Int }}")), ["E1004"]);
    assert_eq!(codes(&format!("type A{long} {{ n: Int }}")), ["E1004"]);
    let members: String = (0..1_001).map(|n| format!("M{n} ")).collect();
    assert_eq!(codes(&format!("enum E {{ {members} }}")), ["E1004"]);
    assert_eq!(codes(&format!("type A @access(read: \"{}\") {{ n: Int }}", "x".repeat(20_000))), ["E2012"]);
}
