//! Values of every type come back as they went.

use crate::kit::{Db, field, open};
use backstay_query::named::{self, Filter, Input, Insert, Operand, Query, Test};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// Writes one post with these cells and reads it back.
async fn stored(db: &Db, id: i64, cells: &[(&str, &str)]) -> String {
    let mut columns: Vec<String> = ["id", "slug", "author_id", "words"].map(String::from).to_vec();
    let mut row: Vec<Input> =
        vec![Input::Number(id.to_string()), Input::Text(format!("s{id}")), Input::Number("1".into())];
    row.push(Input::Number("1".into()));
    for (name, text) in cells {
        columns.push((*name).into());
        row.push(Input::Text((*text).into()));
    }
    if !columns.contains(&"title".to_owned()) {
        columns.push("title".into());
        row.push(Input::Text("ti".into()));
    }
    let insert = Insert { table: "post".into(), columns, rows: vec![row], ..Insert::default() };
    db.run(Query::Insert(insert)).await.unwrap();
    let names: Vec<&str> = cells.iter().map(|(name, _)| *name).collect();
    let filters = vec![crate::kit::eq("id", &id.to_string())];
    db.json(named::Select { filters, ..crate::kit::select("post", &names.join(" ")) }).await
}

#[tokio::test]
async fn values_come_back_as_they_went() {
    let db = Db::filled().await;
    for (index, (column, text, back)) in [
        ("price", "0.0001", "0.0001"),
        ("price", "-99999999999999.9999", "-99999999999999.9999"),
        ("price", "1", "1.0000"),
        ("score", "0.1", "0.1"),
        ("score", "1e300", "1e300"),
        ("score", "5e-324", "5e-324"),
        ("score", "3", "3.0"),
        ("flag", "false", "false"),
        ("day", "0001-01-01", "\"0001-01-01\""),
        ("day", "9999-12-31", "\"9999-12-31\""),
        ("at", "2026-01-31T10:00:00.120+01:00", "\"2026-01-31T09:00:00.12+00:00\""),
        ("ref", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\""),
        ("title", "q\"'\\%_ü𝄞", "\"q\\\"'\\\\%_ü𝄞\""),
    ]
    .into_iter()
    .enumerate()
    {
        let id = 100 + i64::try_from(index).unwrap();
        assert_eq!(stored(&db, id, &[(column, text)]).await, format!("[{{{column}:{back}}}]"));
        let found = |test| {
            let filters = vec![crate::kit::eq("id", &id.to_string()), Filter::Field(field(column), test)];
            named::Select { filters, ..crate::kit::select("post", "id") }
        };
        if column != "flag" {
            let list = Test::In(vec![Operand::Text(text.into())]);
            assert_eq!(db.json(found(list)).await, format!("[{{id:{id}}}]"), "{text} in a list");
        }
        let equal = Test::Compare(named::Comparison::Eq, Operand::Text(text.into()));
        assert_eq!(db.json(found(equal)).await, format!("[{{id:{id}}}]"), "{text} equals itself");
    }
}

#[tokio::test]
async fn timestamps_sort_by_time() {
    let db = Db::filled().await;
    let times = [
        "0999-12-31T23:59:59Z",
        "2026-01-31T09:00:00Z",
        "2026-01-31T09:00:00.000001Z",
        "2026-01-31T09:00:00.1Z",
    ];
    for (index, time) in times.iter().enumerate() {
        stored(&db, 200 + i64::try_from(index).unwrap(), &[("at", time)]).await;
    }
    let order =
        named::Order { field: field("at"), relation: None, descending: false, nulls_first: Some(false) };
    let select = named::Select { order: vec![order], limit: Some(4), ..crate::kit::select("post", "id") };
    assert_eq!(db.json(select).await, "[{id:200},{id:201},{id:202},{id:203}]");
}

/// Random text survives storing, comparing and listing, whatever quotes it has.
#[tokio::test]
async fn random_text_is_only_ever_a_value() {
    let seed = 20_260_131;
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let db = open().await;
    let alphabet: Vec<char> = "ab'\"\\;-%_()[]{}$?:,\u{1}\n é𝄞".chars().collect();
    let texts: Vec<String> = (0..200)
        .map(|_| {
            (0..random.random_range(1..12))
                .map(|_| alphabet[random.random_range(0..alphabet.len())])
                .collect()
        })
        .collect();
    for (id, text) in texts.iter().enumerate() {
        let rows = vec![vec![Input::Number(id.to_string()), Input::Text(text.clone())]];
        let columns = vec!["id".into(), "label".into()];
        db.run(Query::Insert(Insert { table: "tag".into(), columns, rows, ..Insert::default() }))
            .await
            .unwrap();
    }
    for (id, text) in texts.iter().enumerate() {
        let operand = || Operand::Text(text.clone());
        for test in [Test::Compare(named::Comparison::Eq, operand()), Test::In(vec![operand()])] {
            let filters = vec![crate::kit::eq("id", &id.to_string()), Filter::Field(field("label"), test)];
            let select = named::Select { filters, ..crate::kit::select("tag", "label") };
            assert_eq!(db.json(select).await, format!("[{{label:{text:?}}}]"));
        }
    }
}
