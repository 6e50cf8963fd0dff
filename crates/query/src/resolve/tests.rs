//! Tests: named queries → plans, shown in a short notation; refusals in full.

mod model;
mod show;

use super::{Reach, resolve};
use crate::named::{
    Aggregate, Comparison, Conflict, ConflictAction, Delete, Embed, Field, Filter, Input, Insert, Item,
    JsonKey, JsonStep, Operand, Order, Query, Select, Test, Update,
};
use crate::plan::{End, Expect};
use backstay_base::fault::{Details, Fault};
use backstay_base::limit::Limits;
use backstay_schema::expr::AggregateFunction;
use backstay_schema::value::Value;

fn run_with(query: Query, reach: Reach, limits: &Limits) -> Result<String, Fault> {
    let catalog = model::catalog();
    let script = resolve(&catalog, &[(query, Expect::Any)], End::Commit, reach, limits)?;
    Ok(show::script(&script, &catalog))
}

fn run(query: Query) -> String {
    match run_with(query, Reach::Public, &Limits::default()) {
        Ok(text) => text,
        Err(fault) => refused(&fault.narrowed(|_, _| true)),
    }
}

fn refused(fault: &Fault) -> String {
    let details = match &fault.details {
        Some(Details::Text(text) | Details::Json(text)) => text,
        None => "-",
    };
    format!("{} | {} | {details} | {}", fault.code.text, fault.message, fault.hint.as_deref().unwrap_or("-"))
}

fn field(name: &str) -> Field {
    Field { name: name.to_owned(), path: Vec::new() }
}

fn column(name: &str) -> Item {
    Item::Field { field: field(name), alias: None, cast: None, aggregate: None }
}

fn cast(name: &str, to: &str) -> Item {
    Item::Field { field: field(name), alias: None, cast: Some(to.to_owned()), aggregate: None }
}

fn embed(target: &str, items: Vec<Item>) -> Embed {
    Embed {
        target: target.to_owned(),
        hint: None,
        alias: None,
        inner: false,
        spread: false,
        select: Select { items, ..Select::default() },
    }
}

fn hinted(target: &str, hint: &str) -> Item {
    Item::Embed(Embed { hint: Some(hint.to_owned()), ..embed(target, vec![column("id")]) })
}

fn select(table: &str, items: Vec<Item>) -> Select {
    Select { table: table.to_owned(), items, ..Select::default() }
}

fn read(table: &str, items: Vec<Item>) -> String {
    run(Query::Select(select(table, items)))
}

fn compare(name: &str, comparison: Comparison, text: &str) -> Filter {
    Filter::Field(field(name), Test::Compare(comparison, Operand::Text(text.to_owned())))
}

fn eq(name: &str, text: &str) -> Filter {
    compare(name, Comparison::Eq, text)
}

fn filtered(filter: Filter) -> String {
    let select = Select { filters: vec![filter], ..select("product", vec![column("id")]) };
    run(Query::Select(select))
}

const ID: &str = "00000000-0000-4000-8000-000000000001";

#[test]
fn selects() {
    let embeds = vec![
        column("title"),
        Item::Embed(embed("seller", vec![column("name")])),
        Item::Embed(embed("items", vec![Item::Star])),
        Item::Embed(embed("tags", vec![column("name")])),
        Item::Embed(embed("reviews", vec![Item::Count { alias: None, called: true, cast: None }])),
    ];
    insta::assert_snapshot!(
        [
            read("tag", vec![Item::Star]),
            read("tag", vec![]),
            read("tag", vec![Item::Star, column("name")]),
            read("product", vec![column("rating"), cast("price", "text"), cast("price", "numeric")]),
            read("product", embeds),
            read("product", vec![Item::Embed(embed("items", vec![]))]),
            read(
                "order_item",
                vec![Item::Embed(Embed { spread: true, ..embed("product", vec![column("title")]) })]
            ),
            read("user", vec![Item::Embed(embed("profile", vec![column("id")]))]),
            read("product_tag", vec![Item::Star]),
        ]
        .join("\n\n")
    );
}

#[test]
fn embed_names_in_their_classes() {
    insta::assert_snapshot!(
        [
            read("product", vec![Item::Embed(embed("seller_id", vec![column("id")]))]),
            read("product", vec![Item::Embed(embed("product_editor_id_fkey", vec![column("id")]))]),
            read("product", vec![Item::Embed(embed("order_item", vec![column("id")]))]),
            read("order_item", vec![Item::Embed(embed("order_item_product_id_fkey", vec![column("id")]))]),
            read("product", vec![hinted("user", "seller_id")]),
            read("product", vec![hinted("user", "product_editor_id_fkey")]),
            read("product", vec![hinted("user", "seller")]),
            read("product", vec![hinted("tag", "product_tag")]),
            read("user", vec![hinted("product", "editor_id")]),
            read("tag", vec![hinted("tag", "parent_id")]),
            read("tag", vec![hinted("tag", "children")]),
            read("tag", vec![hinted("tag", "tag_parent_id_fkey")]),
        ]
        .join("\n\n")
    );
}

#[test]
fn inner_embeds_and_null_tests() {
    let tags = Embed {
        inner: true,
        select: Select { filters: vec![eq("name", "red")], items: vec![column("name")], ..Select::default() },
        ..embed("tags", vec![])
    };
    let profile = Embed { inner: true, ..embed("profile", vec![column("id")]) };
    let seller = Embed { inner: true, ..embed("seller", vec![Item::Embed(profile)]) };
    let null = |test: Test, negated: bool| {
        let filter = Filter::Field(field("s"), test);
        let filter = if negated { Filter::Not(Box::new(filter)) } else { filter };
        let item = Item::Embed(Embed { alias: Some("s".to_owned()), ..embed("seller", vec![]) });
        run(Query::Select(Select { filters: vec![filter], ..select("product", vec![item]) }))
    };
    insta::assert_snapshot!(
        [
            read("product", vec![Item::Embed(tags)]),
            read("product", vec![Item::Embed(seller)]),
            null(Test::IsNull, false),
            null(Test::IsNull, true),
            null(Test::IsNotNull, false),
            null(Test::IsBool(true), false),
        ]
        .join("\n\n")
    );
}

#[test]
fn filters_read_values_by_type() {
    let json = |as_text: bool| Field {
        name: "meta".to_owned(),
        path: vec![JsonStep { key: JsonKey::Member("a".to_owned()), as_text }],
    };
    let text = |text: &str| Operand::Text(text.to_owned());
    let like = |name: &str, pattern: &str| {
        Filter::Field(field(name), Test::Like { pattern: pattern.to_owned(), ignore_case: false })
    };
    let list = |texts: &[&str]| Test::In(texts.iter().map(|one| text(one)).collect());
    insta::assert_snapshot!(
        [
            filtered(eq("title", "a")),
            filtered(Filter::Not(Box::new(Filter::Or(vec![eq("price", "1.5"), eq("published", "t")])))),
            filtered(Filter::Field(field("id"), list(&[ID]))),
            filtered(Filter::Field(field("stock"), list(&[]))),
            filtered(Filter::Field(json(true), Test::Compare(Comparison::Gt, text("x")))),
            filtered(Filter::Field(json(false), Test::Compare(Comparison::Eq, text("{\"b\": 1}")))),
            filtered(Filter::Field(field("published"), Test::IsUnknown)),
            filtered(like("title", "a%")),
            filtered(eq("rating", "4.5")),
            filtered(Filter::Field(field("id"), Test::Compare(Comparison::Eq, Operand::Value(Value::Null)))),
        ]
        .join("\n")
    );
}

#[test]
fn bad_values_and_operators_are_refused() {
    let like = |name: &str, pattern: &str, ignore_case| {
        filtered(Filter::Field(field(name), Test::Like { pattern: pattern.to_owned(), ignore_case }))
    };
    let step = |as_text| JsonStep { key: JsonKey::Member("a".to_owned()), as_text };
    let way = |name: &str, path: Vec<JsonStep>| Field { name: name.to_owned(), path };
    insta::assert_snapshot!(
        [
            filtered(eq("id", "nope")),
            filtered(eq("stock", "1.5")),
            filtered(eq("stock", "3000000000")),
            filtered(eq("status", "GONE")),
            filtered(eq("published", "perhaps")),
            filtered(eq("made_at", "yesterday-ish")),
            filtered(Filter::Field(field("id"), Test::In(vec![Operand::Text("x".to_owned())]))),
            like("stock", "1%", false),
            like("meta", "1%", true),
            like("title", "a\\", false),
            like("title", "a\\\\", false),
            filtered(Filter::Field(field("title"), Test::IsBool(true))),
            filtered(Filter::Field(field("stock"), Test::IsUnknown)),
            filtered(Filter::Field(
                way("meta", vec![step(false)]),
                Test::Compare(Comparison::Lt, Operand::Text("1".to_owned()))
            )),
            filtered(Filter::Field(way("title", vec![step(true)]), Test::IsNull)),
            filtered(Filter::Field(way("meta", vec![step(true), step(false)]), Test::IsNull)),
            read("product", vec![cast("id", "int")]),
            read("product", vec![cast("title", "regclass")]),
            read("product", vec![cast("meta", "uuid")]),
        ]
        .join("\n")
    );
}

#[test]
fn unknown_names_are_refused_with_the_nearest() {
    let order = |relation: Option<&str>, name: &str| {
        let key = Order {
            field: field(name),
            relation: relation.map(str::to_owned),
            descending: false,
            nulls_first: None,
        };
        let items = vec![Item::Embed(embed("items", vec![])), Item::Embed(embed("seller", vec![]))];
        run(Query::Select(Select { order: vec![key], ..select("product", items) }))
    };
    let spread = Embed { spread: true, ..embed("items", vec![column("id")]) };
    let sum = Item::Field {
        field: field("price"),
        alias: None,
        cast: None,
        aggregate: Some(Aggregate { function: AggregateFunction::Sum, cast: None }),
    };
    insta::assert_snapshot!(
        [
            read("prodct", vec![]),
            read("zzz", vec![]),
            read("product", vec![column("titel")]),
            read("product", vec![column("zzzzzz")]),
            read("product", vec![column("seller")]),
            read("product", vec![column("items")]),
            filtered(eq("titel", "x")),
            order(None, "titel"),
            order(Some("seller"), "nam"),
            order(Some("items"), "id"),
            order(Some("nope"), "id"),
            read("product", vec![Item::Embed(embed("selle", vec![]))]),
            read("product", vec![Item::Embed(embed("zzz", vec![]))]),
            read("product", vec![hinted("seller", "nope")]),
            read("product", vec![Item::Embed(embed("user", vec![]))]),
            read("user", vec![Item::Embed(embed("product", vec![]))]),
            read("tag", vec![Item::Embed(embed("tag", vec![]))]),
            read("product", vec![Item::Count { alias: None, called: false, cast: None }]),
            read("product", vec![sum]),
            read(
                "product",
                vec![Item::Embed(embed(
                    "items",
                    vec![column("id"), Item::Count { alias: None, called: true, cast: None }]
                ))]
            ),
            read("product", vec![Item::Embed(spread)]),
            read(
                "product",
                vec![Item::Embed(embed(
                    "seller",
                    vec![Item::Count { alias: None, called: true, cast: None }]
                ))]
            ),
        ]
        .join("\n")
    );
}

/// Backstay's own tables are as if they were not there, in whatever clause.
#[test]
fn system_tables_are_out_of_public_reach() {
    let absent = "PGRST205 | Could not find the table 'public._backstay_account' in the schema cache | - | -";
    assert_eq!(read("_backstay_account", vec![Item::Star]), absent);
    let near = read("_backstay_accoun", vec![]);
    assert_eq!(
        near,
        "PGRST205 | Could not find the table 'public._backstay_accoun' in the schema cache | - | -"
    );
    let insert = Insert { table: "_backstay_account".to_owned(), ..Insert::default() };
    assert_eq!(run(Query::Insert(insert)), absent);
    let update = Update { table: "_backstay_account".to_owned(), ..Update::default() };
    assert_eq!(run(Query::Update(update)), absent);
    let delete = Delete { table: "_backstay_account".to_owned(), ..Delete::default() };
    assert_eq!(run(Query::Delete(delete)), absent);
    for name in ["_backstay_account", "_backstay_account_user_id_fkey", "_backstay_accoun"] {
        assert_eq!(
            read("user", vec![Item::Embed(embed(name, vec![column("id")]))]),
            format!(
                "PGRST200 | Could not find a relationship between 'user' and '{name}' in the schema cache | \
                 Searched for a foreign key relationship between 'user' and '{name}' in the schema 'public', \
                 but no matches were found. | -"
            )
        );
    }
    let hinted = read("user", vec![hinted("user", "_backstay_account")]);
    assert!(hinted.starts_with("PGRST200"), "{hinted}");
    let own =
        Query::Select(select("_backstay_account", vec![Item::Embed(embed("user", vec![column("id")]))]));
    assert!(run_with(own, Reach::System, &Limits::default()).is_ok());
}

#[test]
fn orders_end_in_the_key() {
    let key = |name: &str, relation: Option<&str>, descending, nulls_first| Order {
        field: field(name),
        relation: relation.map(str::to_owned),
        descending,
        nulls_first,
    };
    let ordered = |order: Vec<Order>| {
        let items = vec![Item::Embed(Embed {
            select: Select { filters: vec![eq("name", "x")], ..Select::default() },
            ..embed("seller", vec![])
        })];
        run(Query::Select(Select { order, ..select("product", items) }))
    };
    insta::assert_snapshot!(
        [
            ordered(vec![]),
            ordered(vec![key("title", None, true, None), key("stock", None, false, None)]),
            ordered(vec![key("stock", None, false, None), key("title", None, true, Some(false))]),
            ordered(vec![key("id", None, true, Some(false))]),
            ordered(vec![key("name", Some("seller"), false, Some(true))]),
            read("product_tag", vec![]),
        ]
        .join("\n")
    );
}

#[test]
fn writes() {
    let text = |text: &str| Input::Text(text.to_owned());
    let insert = |columns: &[&str], rows: Vec<Vec<Input>>, conflict: Option<Conflict>| {
        run(Query::Insert(Insert {
            table: "product".to_owned(),
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            rows,
            conflict,
            returning: Some(select("product", vec![column("id")])),
        }))
    };
    let on = |columns: &[&str], action| {
        Some(Conflict { columns: columns.iter().map(|name| (*name).to_owned()).collect(), action })
    };
    let row = || vec![vec![text(ID), text("s"), Input::Number("1".to_owned())]];
    let three = ["id", "slug", "stock"];
    let update = Update {
        table: "product".to_owned(),
        assign: vec![("title".to_owned(), text("t")), ("stock".to_owned(), Input::Default)],
        filters: vec![eq("id", ID)],
        returning: Some(select("product", vec![Item::Embed(embed("seller", vec![column("name")]))])),
    };
    let delete = Delete { table: "product".to_owned(), filters: vec![], returning: None };
    let computed = Update {
        table: "product".to_owned(),
        assign: vec![("rating".to_owned(), Input::Null)],
        ..Update::default()
    };
    let seller = Embed { inner: true, ..embed("seller", vec![column("name")]) };
    let inner = Insert {
        table: "product".to_owned(),
        returning: Some(select("product", vec![Item::Embed(seller)])),
        ..Insert::default()
    };
    insta::assert_snapshot!(
        [
            insert(&three, row(), None),
            insert(
                &["title", "meta"],
                vec![vec![Input::Default, Input::Json("{\"a\": 1}".to_owned())]],
                None
            ),
            insert(&[], vec![vec![], vec![]], None),
            insert(&three, row(), on(&[], ConflictAction::Merge)),
            insert(&three, row(), on(&["slug"], ConflictAction::Merge)),
            insert(&three, row(), on(&["slug"], ConflictAction::Ignore)),
            insert(&three, row(), on(&["stock"], ConflictAction::Merge)),
            insert(&three, row(), on(&["nope"], ConflictAction::Merge)),
            insert(&["nope"], vec![], None),
            insert(&["seller"], vec![], None),
            insert(&["items"], vec![], None),
            insert(&["rating"], vec![], None),
            insert(&["stock"], vec![vec![Input::Number("1.5".to_owned())]], None),
            insert(&["stock"], vec![vec![]], None),
            run(Query::Update(update)),
            run(Query::Delete(delete)),
            run(Query::Update(computed)),
            run(Query::Insert(inner)),
        ]
        .join("\n\n")
    );
}

#[test]
fn limits_hold_before_any_statement() {
    let refused = |query: Query, limits: Limits| {
        run_with(query, Reach::Public, &limits).expect_err("passes a limit").to_string()
    };
    let mut nested = eq("title", "x");
    for _ in 0..20 {
        nested = Filter::Not(Box::new(nested));
    }
    let deep = Query::Select(Select { filters: vec![nested], ..select("product", vec![]) });
    assert_eq!(refused(deep, Limits::default()), "54001: request passes the limit of 16 levels of nesting");
    let mut chain = embed("children", vec![]);
    for _ in 0..20 {
        chain = embed("children", vec![Item::Embed(chain)]);
    }
    let fault =
        run_with(Query::Select(select("tag", vec![Item::Embed(chain)])), Reach::Public, &Limits::default())
            .expect_err("passes a limit");
    assert_eq!(fault.code.text, "54001");
    let wide = Query::Select(select("product", vec![Item::Star; 50]));
    assert_eq!(
        refused(wide, Limits { nodes: 49, ..Limits::default() }),
        "54001: request passes the limit of 49 filters, columns and embeds"
    );
    let list = Test::In(vec![Operand::Text("1".to_owned()); 3]);
    let long = Select { filters: vec![Filter::Field(field("stock"), list)], ..select("product", vec![]) };
    assert_eq!(
        refused(Query::Select(long), Limits { list: 2, ..Limits::default() }),
        "54001: request passes the limit of 2 elements of a list"
    );
    let rows = Insert { table: "product".to_owned(), rows: vec![vec![]; 3], ..Insert::default() };
    assert_eq!(
        refused(Query::Insert(rows), Limits { write_rows: 2, ..Limits::default() }),
        "54001: request passes the limit of 2 rows of one write"
    );
}

#[test]
fn the_embeds_of_the_end_limit_hold_too() {
    let mut inner = Embed { inner: true, ..embed("children", vec![]) };
    for _ in 0..14 {
        inner = Embed {
            select: Select {
                items: vec![Item::Embed(inner.clone()), Item::Embed(inner)],
                ..Select::default()
            },
            inner: true,
            ..embed("children", vec![])
        };
    }
    let query = Query::Select(select("tag", vec![Item::Embed(inner)]));
    let refused =
        |limits: &Limits| run_with(query.clone(), Reach::Public, limits).expect_err("passes a limit");
    assert_eq!(refused(&Limits::default()).to_string(), "54001: request passes the limit of 64 relations");
    let fault = refused(&Limits { hops: 1_000_000, ..Limits::default() });
    assert_eq!(fault.to_string(), "54001: request passes the limit of 2000 filters, columns and embeds");
}
