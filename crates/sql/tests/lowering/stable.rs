//! The text of a shape does not depend on its values.

use crate::kit::{catalog, embed, field, plan, select, test};
use backstay_query::named::{self, Comparison, Filter, Operand, Order, Test};
use backstay_query::plan::{Query, SourceId};
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value;
use backstay_sql::dialect::{DIALECTS, Dialect};
use backstay_sql::lower::select::{Reading, Way, per_level, reading};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::collections::BTreeSet;

fn word(values: &mut StdRng) -> String {
    const HOSTILE: &[&str] =
        &["a", "'", "\"; DROP TABLE post; --", "?", "$1", "%", "\\", "NULL", "s0.\"id\"", "é𝄞"];
    let first = HOSTILE[values.random_range(0..HOSTILE.len())];
    format!("{first}{}", values.random_range(0..1000))
}

fn filter(shape: &mut StdRng, values: &mut StdRng, depth: u32) -> Filter {
    match shape.random_range(0..if depth == 0 { 5 } else { 8 }) {
        0 => test("slug", Test::Compare(Comparison::Eq, Operand::Text(word(values)))),
        1 => {
            let length = values.random_range(0..20);
            test("title", Test::In((0..length).map(|_| Operand::Text(word(values))).collect()))
        }
        2 => test(
            "words",
            Test::Compare(Comparison::Lt, Operand::Text(values.random_range(0..99_999).to_string())),
        ),
        3 => test("title", Test::Like { pattern: word(values), ignore_case: shape.random_bool(0.5) }),
        4 => test("price", Test::IsNull),
        5 => Filter::Not(Box::new(filter(shape, values, depth - 1))),
        6 => Filter::And((0..3).map(|_| filter(shape, values, depth - 1)).collect()),
        _ => Filter::Or((0..2).map(|_| filter(shape, values, depth - 1)).collect()),
    }
}

fn query(shape: &mut StdRng, values: &mut StdRng) -> named::Select {
    let mut post = select("post", "id title price meta");
    for target in ["author", "tags"] {
        if shape.random_bool(0.5) {
            let inner = if target == "tags" { "label" } else { "name" };
            let limit = shape.random_bool(0.5).then(|| page(shape, values, 0));
            post.items.push(embed(target, named::Select { limit, ..select("", inner) }));
        }
    }
    post.filters = (0..shape.random_range(0..4)).map(|_| filter(shape, values, 3)).collect();
    let descending = shape.random_bool(0.5);
    post.order = vec![Order { field: field("price"), relation: None, descending, nulls_first: None }];
    post.offset = if shape.random_bool(0.5) { values.random_range(1..=4) } else { 0 };
    post.limit = shape.random_bool(0.5).then(|| page(shape, values, post.offset));
    post
}

/// A limit. The power of two that the end of the page is rounded up to belongs to the shape.
fn page(shape: &mut StdRng, values: &mut StdRng, offset: u64) -> u64 {
    let end = 1_u64 << shape.random_range(4..10);
    values.random_range(end / 2 + 1..=end - offset)
}

fn texts(catalog: &Catalog, dialect: &'static Dialect, reading: &Reading<'_>, into: &mut Vec<String>) {
    into.push(reading.statement.text.clone());
    for child in &reading.children {
        match &child.way {
            Way::PerRow(reading) => texts(catalog, dialect, reading, into),
            Way::PerLevel { select, outside } => {
                let rows = vec![vec![Value::Null; outside.len()]];
                let below = per_level(catalog, dialect, (select, outside), (SourceId(9999), rows)).unwrap();
                texts(catalog, dialect, &below, into);
            }
        }
    }
}

#[test]
fn other_values_make_the_same_text() {
    let catalog = catalog();
    let seed = 7;
    println!("seed {seed}");
    for case in 0..500 {
        let lowered = |values: u64| {
            let query = query(&mut StdRng::seed_from_u64(seed + case), &mut StdRng::seed_from_u64(values));
            let Query::Select(select) = plan(&catalog, named::Query::Select(query)) else { unreachable!() };
            let mut all = Vec::new();
            for dialect in DIALECTS {
                texts(&catalog, dialect, &reading(&catalog, dialect, &select).unwrap(), &mut all);
            }
            all
        };
        let (one, other) = (lowered(1000 + case), lowered(900_000 + case));
        assert_eq!(one, other, "case {case}");
        assert!(one.iter().all(|text| !text.contains("DROP") && !text.contains("𝄞")), "{one:?}");
    }
}

#[test]
fn pages_of_all_sizes_have_few_texts() {
    let catalog = catalog();
    for dialect in DIALECTS {
        let mut seen = BTreeSet::new();
        for limit in 0..=1000 {
            let mut post = select("post", "id");
            post.limit = Some(limit);
            let Query::Select(select) = plan(&catalog, named::Query::Select(post)) else { unreachable!() };
            seen.insert(reading(&catalog, dialect, &select).unwrap().statement.text);
        }
        assert_eq!(seen.len(), if dialect.plans_once { 11 } else { 1 }, "{seen:?}");
    }
}
