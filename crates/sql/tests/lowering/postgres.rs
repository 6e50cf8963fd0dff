//! Text for PostgreSQL: what whole scripts ask, as a session hears it.

use crate::kit::{catalog, cell, embed, eq, field, script, select, show, test};
use backstay_query::named::{
    self, Comparison, Conflict, ConflictAction, Filter, Insert, Item, JsonKey, JsonStep, Operand, Order,
    Test, Update,
};
use backstay_schema::value::Value;
use backstay_sql::dialect::postgres::POSTGRES;
use backstay_sql::run::direct::Direct;
use backstay_sql::run::{References, ready, run};
use backstay_sql::session::{Failure, OnRow, Session};
use backstay_sql::statement::Statement;
use std::future::Future;

/// A session that writes down what it is asked and has no rows.
#[derive(Default)]
struct Recorder(Vec<String>);

impl Session for Recorder {
    fn run<'a>(
        &'a mut self,
        statement: &'a Statement,
        _slots: &'a [Value],
        _on_row: OnRow<'a>,
    ) -> impl Future<Output = Result<u64, Failure>> + Send {
        self.0.push(show(statement));
        std::future::ready(Ok(0))
    }
}

/// What running it step by step asks until an answer would be needed.
fn steps(query: named::Query) -> String {
    let mut recorder = Recorder::default();
    let outcome =
        ready(run(&mut recorder, &script(&catalog(), query), &POSTGRES, References::PerStatement)).unwrap();
    drop(outcome);
    recorder.0.join("\n\n")
}

fn reads(select: named::Select) -> String {
    steps(named::Query::Select(select))
}

/// The one statement that a write is.
fn at_once(query: named::Query) -> String {
    let script = script(&catalog(), query);
    let direct = Direct::of(&script, &POSTGRES).unwrap().expect("one statement");
    let mut recorder = Recorder::default();
    assert!(ready(direct.run(&mut recorder, &script, &POSTGRES)).unwrap().unwrap().is_none());
    recorder.0.join("\n\n")
}

fn insert(columns: &str, rows: Vec<Vec<&str>>) -> Insert {
    Insert {
        table: "post".into(),
        columns: columns.split_whitespace().map(Into::into).collect(),
        rows: rows.iter().map(|row| row.iter().map(|text| cell(text)).collect()).collect(),
        ..Insert::default()
    }
}

const ID: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

#[test]
fn a_page_in_order() {
    let order = |name: &str, descending, nulls_first| Order {
        field: field(name),
        relation: None,
        descending,
        nulls_first,
    };
    insta::assert_snapshot!(reads(named::Select {
        order: vec![
            order("price", false, Some(true)),
            order("words", true, None),
            order("meta", false, None)
        ],
        limit: Some(10),
        offset: 5,
        ..select("post", "id title price")
    }));
}

#[test]
fn filters_of_all_kinds() {
    let like = |ignore_case| test("title", Test::Like { pattern: "A%\\_".into(), ignore_case });
    let words = Test::In(vec![Operand::Text("1".into()), Operand::Text("2".into())]);
    let filters = vec![
        eq("id", ID),
        test("words", words),
        like(false),
        Filter::Not(Box::new(like(true))),
        Filter::Or(vec![
            test("price", Test::IsNull),
            test("flag", Test::Compare(Comparison::Eq, Operand::Text("true".into()))),
        ]),
    ];
    insta::assert_snapshot!(reads(named::Select { filters, ..select("post", "id") }));
}

#[test]
fn members_of_documents() {
    let step = |as_text: bool, key| JsonStep { key, as_text };
    let path = vec![
        step(false, JsonKey::Member("a".into())),
        step(false, JsonKey::Index(-1)),
        step(true, JsonKey::Member("b".into())),
    ];
    let deep = named::Field { name: "meta".into(), path };
    let item = Item::Field { field: deep.clone(), alias: None, cast: None, aggregate: None };
    let filters = vec![Filter::Field(deep, Test::Compare(Comparison::Eq, Operand::Text("x".into())))];
    insta::assert_snapshot!(reads(named::Select { items: vec![item], filters, ..select("post", "") }));
}

#[test]
fn embeds_of_one_level_are_lists_beside_their_parent() {
    let mut author = select("", "name");
    author.items.push(embed("manager", select("", "name")));
    let mut post = select("post", "id");
    post.items.push(embed("author", author));
    let order = vec![Order { field: field("label"), relation: None, descending: true, nulls_first: None }];
    post.items.push(embed("tags", named::Select { order, limit: Some(3), offset: 1, ..select("", "label") }));
    post.count = true;
    insta::assert_snapshot!(reads(post));
}

#[test]
fn an_insert_of_many_rows_is_one_statement() {
    let rows = vec![vec!["one", "aone", "7", "1"], vec!["two", "atwo", "7", "2"]];
    insta::assert_snapshot!(at_once(named::Query::Insert(insert("slug title author_id words", rows))));
}

#[test]
fn an_update_is_one_statement() {
    let assign = vec![("words".into(), cell("5")), ("title".into(), cell("abc"))];
    let returning = Some(select("", "id words"));
    let update = Update { table: "post".into(), assign, filters: vec![eq("id", ID)], returning };
    insta::assert_snapshot!(at_once(named::Query::Update(update)));
}

#[test]
fn a_delete_is_one_statement() {
    let filters = vec![eq("slug", "x")];
    let delete = named::Delete { table: "post".into(), filters, returning: None };
    insta::assert_snapshot!(at_once(named::Query::Delete(delete)));
}

#[test]
fn an_upsert_looks_for_the_row_first() {
    let conflict = Some(Conflict { columns: vec!["slug".into()], action: ConflictAction::Merge });
    let row = vec![vec!["one", "aone", "7", "1"]];
    let upsert = Insert { conflict, ..insert("slug title author_id words", row) };
    insta::assert_snapshot!(steps(named::Query::Insert(upsert)));
}
