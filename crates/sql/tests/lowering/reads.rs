//! Text of reads: every filter, scalar and embed.

use crate::kit::{catalog, embed, eq, field, plan, select, show, show_reading, test};
use backstay_query::named::{self, Filter, Item, JsonKey, JsonStep, Operand, Order, Test};
use backstay_query::plan::{
    Aggregate, ColumnRef, ComputedRef, Exists, Lookup, Output, OutputValue, Pred, PredOp, Query, Scalar,
    Select, SourceId,
};
use backstay_schema::catalog::ComputedId;
use backstay_schema::expr::{AggregateFunction, ArithmeticOp, Function};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::{Decimal, Value};
use backstay_sql::dialect::mysql::{MARIADB, MYSQL};
use backstay_sql::dialect::postgres::POSTGRES;
use backstay_sql::dialect::sqlite::SQLITE;
use backstay_sql::lower::select as lower;

fn planned(select: named::Select) -> Select {
    match plan(&catalog(), named::Query::Select(select)) {
        Query::Select(select) => select,
        _ => unreachable!(),
    }
}

fn text(select: named::Select) -> String {
    show_reading(&lower::reading(&catalog(), &SQLITE, &planned(select)).unwrap())
}

fn order(name: &str, descending: bool, nulls_first: Option<bool>) -> Order {
    Order { field: field(name), relation: None, descending, nulls_first }
}

#[test]
fn by_key() {
    let filters = vec![eq("id", "6ba7b810-9dad-11d1-80b4-00c04fd430c8")];
    insta::assert_snapshot!(text(named::Select { filters, ..select("post", "id title price") }));
}

#[test]
fn a_page_in_order() {
    let order = vec![order("price", false, None), order("words", true, None), order("at", true, Some(false))];
    insta::assert_snapshot!(text(named::Select {
        order,
        limit: Some(10),
        offset: 5,
        ..select("post", "id")
    }));
}

#[test]
fn only_an_offset() {
    insta::assert_snapshot!(text(named::Select { offset: 5, ..select("post", "id") }));
}

#[test]
fn nothing_but_rows() {
    insta::assert_snapshot!(text(select("post", "")));
}

#[test]
fn to_one_embeds_are_joined() {
    let mut author = select("", "name");
    author.items.push(embed("manager", select("", "name")));
    let mut post = select("post", "id");
    post.items.push(embed("author", author));
    insta::assert_snapshot!(text(post));
}

#[test]
fn to_many_embeds_are_children() {
    let mut tags = named::Select { limit: Some(3), ..select("", "label") };
    tags.items.push(embed("posts", select("", "id")));
    let mut manager = select("", "id");
    manager.items.push(embed("reports", select("", "name")));
    let mut author = select("", "name");
    author.items.push(embed("manager", manager));
    let mut post = select("post", "id");
    post.items.push(embed("tags", tags));
    post.items.push(embed("author", author));
    let mut count = select("", "");
    count.items.push(Item::Count { alias: None, called: true, cast: None });
    post.items.push(embed("tags", count));
    if let Some(Item::Embed(embed)) = post.items.last_mut() {
        embed.alias = Some("tag_count".into());
    }
    insta::assert_snapshot!(text(post));
}

#[test]
fn groups_in_every_dialect() {
    let fold = |name: &str, function, cast: Option<&str>| Item::Field {
        field: field(name),
        alias: None,
        cast: cast.map(str::to_owned),
        aggregate: Some(named::Aggregate { function, cast: None }),
    };
    let mut author = select("", "name");
    author.items.push(fold("name", AggregateFunction::Max, None));
    let mut post = named::Select { limit: Some(5), offset: 2, ..select("post", "title") };
    post.items.push(fold("words", AggregateFunction::Sum, None));
    post.items.push(fold("words", AggregateFunction::Avg, None));
    post.items.push(fold("title", AggregateFunction::Sum, Some("int")));
    if let Item::Embed(embed) = embed("author", author) {
        post.items.push(Item::Embed(named::Embed { spread: true, ..embed }));
    }
    let planned = planned(post);
    let catalog = catalog();
    let texts = [&SQLITE, &POSTGRES, &MARIADB].map(|dialect| {
        let one = show_reading(&lower::reading(&catalog, dialect, &planned).unwrap());
        format!("-- {}\n{one}\n{}", dialect.name, show(&lower::count(&catalog, dialect, &planned).unwrap()))
    });
    insta::assert_snapshot!(texts.join("\n\n"));
}

/// On MySQL; the text is that of the shape of the document.
#[test]
fn documents_are_written_out() {
    let catalog = catalog();
    let lowered = |of: named::SetTest, document: &str| {
        let filters = vec![test("meta", Test::Set(of, Operand::Text(document.into())))];
        let planned = planned(named::Select { filters, ..select("post", "id") });
        lower::reading(&catalog, &MYSQL, &planned).unwrap().statement
    };
    let (contains, contained) = (named::SetTest::Contains, named::SetTest::Contained);
    let asked = [
        (contains, r#"{"a":{"b":1},"c":["x",null]}"#, r#"{"a":{"b":-20},"c":["",false]}"#),
        (contains, "\"x\"", "\"y\""),
        (contained, r#"{"a":{"b":1},"c":["x",null]}"#, r#"{"a":{"b":-20},"c":["",false]}"#),
        (contained, "[[],{},1]", "[[],{},true]"),
    ];
    let texts = asked.map(|(of, one, other)| {
        let one = lowered(of, one);
        assert_eq!(one.text, lowered(of, other).text);
        show(&one)
    });
    insta::assert_snapshot!(texts.join("\n\n"));
}

#[test]
fn what_writes_answer_with() {
    let catalog = catalog();
    let mut one = select("post", "id title");
    one.items.push(embed("author", select("", "name")));
    one.items.push(embed("tags", select("", "label")));
    let mut planned = planned(one);
    planned.order.clear();
    let keys = [vec![Value::Uuid(uuid::Uuid::nil())], vec![Value::Uuid(uuid::Uuid::max())]];
    let texts = [
        show_reading(&lower::returning(&catalog, &SQLITE, &planned).unwrap()),
        show_reading(&lower::returning_all(&catalog, &SQLITE, &planned, (SourceId(70), &keys)).unwrap()),
    ];
    insta::assert_snapshot!(texts.join("\n\n"));
}

#[test]
fn the_count_of_all() {
    let select =
        planned(named::Select { filters: vec![eq("words", "5")], count: true, ..select("post", "id") });
    insta::assert_snapshot!(show(&lower::count(&catalog(), &SQLITE, &select).unwrap()));
}

#[test]
fn every_filter() {
    let text_of = |text: &str| Operand::Text(text.into());
    let filters = vec![
        test("words", Test::Compare(named::Comparison::Gte, text_of("3"))),
        test("price", Test::In(vec![text_of("1.5"), text_of("2")])),
        Filter::Not(Box::new(test("slug", Test::In(vec![text_of("a")])))),
        test("title", Test::Like { pattern: "a%".into(), ignore_case: false }),
        test("title", Test::Like { pattern: "a%".into(), ignore_case: true }),
        test("editor_id", Test::IsNull),
        test("editor_id", Test::IsNotNull),
        test("flag", Test::IsBool(true)),
        test("flag", Test::IsBool(false)),
        test("flag", Test::IsUnknown),
        Filter::Or(vec![eq("state", "LIVE"), Filter::And(vec![eq("words", "1"), eq("slug", "x")])]),
    ];
    insta::assert_snapshot!(text(named::Select { filters, ..select("post", "id") }));
}

#[test]
fn json_members() {
    let step = |key, as_text| JsonStep { key, as_text };
    let path = vec![step(JsonKey::Member("a".into()), false), step(JsonKey::Index(0), true)];
    let item = |path| Item::Field {
        field: named::Field { name: "meta".into(), path },
        alias: Some("v".into()),
        cast: None,
        aggregate: None,
    };
    let one = named::Select { items: vec![item(path)], ..select("post", "") };
    insta::assert_snapshot!(text(one));
}

/// A read whose outputs and filter are made by hand over the post's columns.
fn with(make: impl Fn(&dyn Fn(&str) -> Scalar) -> (Vec<(Scalar, ScalarType)>, Pred)) -> String {
    let catalog = catalog();
    let mut select = planned(select("post", "id"));
    let post = catalog.public_table("post").unwrap();
    let source = select.source;
    let (outputs, filter) = make(&|name| {
        Scalar::Column(ColumnRef { source, table: post.id, column: post.column_named(name).unwrap().id })
    });
    let output = |(scalar, ty)| Output {
        name: "v".into(),
        starred: false,
        spilled: false,
        value: OutputValue::Scalar(scalar, ty),
    };
    select.outputs = outputs.into_iter().map(output).collect();
    select.filter = filter;
    match lower::reading(&catalog, &SQLITE, &select) {
        Ok(reading) => show_reading(&reading),
        Err(fault) => format!("{:?}", fault.source.unwrap().to_string()),
    }
}

const SCALED: ScalarType = ScalarType::Decimal { digits: 18, scale: 4 };

#[test]
fn scalars() {
    insta::assert_snapshot!(with(|column| {
        let boxed = |name: &str| Box::new(column(name));
        let int = || Box::new(Scalar::Bind(Value::Int(2), ScalarType::Int));
        let outputs = vec![
            (Scalar::Null(ScalarType::Int), ScalarType::Int),
            (Scalar::Cast(boxed("words"), SCALED), SCALED),
            (Scalar::Cast(boxed("price"), ScalarType::Float), ScalarType::Float),
            (Scalar::Cast(boxed("slug"), ScalarType::Int), ScalarType::Int),
            (Scalar::Cast(boxed("at"), ScalarType::String), ScalarType::String),
            (Scalar::Masked(Box::new(Pred::IsTrue(column("flag"))), boxed("title")), ScalarType::String),
            (Scalar::Arithmetic(ArithmeticOp::Mul, boxed("price"), int(), SCALED), SCALED),
            (Scalar::Arithmetic(ArithmeticOp::Add, boxed("words"), int(), ScalarType::Int), ScalarType::Int),
            (
                Scalar::Arithmetic(ArithmeticOp::Sub, boxed("at"), int(), ScalarType::Timestamp),
                ScalarType::Timestamp,
            ),
            (Scalar::Negate(boxed("words"), ScalarType::Int), ScalarType::Int),
            (Scalar::Concat(boxed("title"), boxed("slug")), ScalarType::String),
            (Scalar::Call(Function::Size, vec![column("title")]), ScalarType::Int),
            (Scalar::Call(Function::Month, vec![column("at")]), ScalarType::Int),
            (Scalar::Case(vec![(Pred::IsNull(column("at")), *int())], boxed("words")), ScalarType::Int),
            (Scalar::Test(Box::new(Pred::IsNull(column("at")))), ScalarType::Boolean),
        ];
        (outputs, Pred::TRUE)
    }));
}

#[test]
fn predicates_of_rules() {
    let catalog = catalog();
    let tag = catalog.public_table("tag").unwrap();
    let source = SourceId(50);
    let label =
        Scalar::Column(ColumnRef { source, table: tag.id, column: tag.column_named("label").unwrap().id });
    insta::assert_snapshot!(with(|column| {
        let compare = |a, b| Pred::Compare(PredOp::Eq, a, b);
        let exists = || {
            let filter = compare(label.clone(), column("title"));
            Box::new(Exists { source, table: tag.id, filter })
        };
        let number = |units, scale| {
            let ty = ScalarType::Decimal { digits: 18, scale };
            Scalar::Bind(Value::Decimal(Decimal { units, scale }), ty)
        };
        let aggregate = |function, value| {
            let (filter, ty) = (compare(label.clone(), column("slug")), ScalarType::BigInt);
            Scalar::Aggregate(Box::new(Aggregate { function, source, table: tag.id, filter, value, ty }))
        };
        let lookup = Lookup { source, table: tag.id, filter: Pred::TRUE, value: label.clone() };
        let filter = Pred::And(vec![
            Pred::Const(true),
            Pred::Or(Vec::new()),
            Pred::IsNotTrue(Box::new(Pred::IsFalse(column("flag")))),
            compare(column("price"), number(15, 1)),
            compare(column("price"), column("words")),
            Pred::Text(Function::StartsWith, column("title"), column("slug")),
            Pred::NotText(Function::Matches, column("title"), column("slug")),
            Pred::Exists(exists()),
            Pred::NotExists(exists()),
            compare(aggregate(AggregateFunction::Count, None), column("words")),
            compare(aggregate(AggregateFunction::Sum, Some(column("words"))), column("words")),
            compare(Scalar::Lookup(Box::new(lookup)), column("title")),
        ]);
        (vec![(column("id"), ScalarType::Uuid)], filter)
    }));
}

#[test]
fn what_weaving_must_have_replaced_is_refused() {
    let refused = with(|column| {
        let Scalar::Column(id) = column("id") else { unreachable!() };
        let computed = ComputedRef { source: id.source, table: id.table, computed: ComputedId(0) };
        (vec![(Scalar::Computed(computed), ScalarType::Int)], Pred::TRUE)
    });
    assert_eq!(refused, "\"a computed field reached lowering; weaving puts its expression in place\"");
    let refused = with(|column| {
        let Scalar::Column(id) = column("title") else { unreachable!() };
        let other = Scalar::Column(ColumnRef { source: SourceId(99), ..id });
        (vec![(other, ScalarType::String)], Pred::TRUE)
    });
    assert_eq!(refused, "\"a statement names column title of a source that it does not have\"");
}
