//! Reads: types, embeds, filters, pages, scalars of rules.

use crate::kit::{Db, compare, embed, eq, field, refused, select, text};
use backstay_query::named::{self, Comparison, Filter, Item, Order, Test};
use backstay_query::plan::{
    Aggregate, ColumnRef, End, Expect, Lookup, Output, OutputValue, Pred, PredOp, Query, Scalar,
};
use backstay_schema::expr::{AggregateFunction, ArithmeticOp, Function};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

#[tokio::test]
async fn every_type_comes_back_in_its_form() {
    let db = Db::filled().await;
    let rows = db.json(named::Select {
        filters: vec![eq("id", "1")],
        ..select("post", "id title state words price score flag meta day at ref")
    });
    assert_eq!(
        rows.await,
        r#"[{id:1,title:"First",state:"DRAFT",words:10,price:9.5000,score:null,flag:true,meta:{"a":{"b":[1,"x"],"c":12345678901234567890.10,"n":null}},day:null,at:null,ref:null}]"#
    );
}

#[tokio::test]
async fn to_one_embeds_nest_and_may_be_absent() {
    let db = Db::filled().await;
    let manager = embed("manager", select("", "name"));
    let mut author = select("", "name");
    author.items.push(manager);
    author.items.push(embed("posts", select("", "id")));
    let mut post = select("post", "id");
    post.items.push(embed("author", author));
    post.items.extend(crate::kit::items("slug"));
    assert_eq!(
        db.json(post).await,
        r#"[{id:1,author:{name:"Ann",manager:null,posts:[{id:1}]},slug:"first"},{id:2,author:{name:"Bob",manager:{name:"Ann"},posts:[{id:2}]},slug:"second"}]"#
    );
}

#[tokio::test]
async fn an_absent_to_one_row_takes_its_children_with_it() {
    let db = Db::filled().await;
    let mut manager = select("", "name");
    manager.items.push(embed("posts", select("", "id title")));
    manager.items.push(embed("manager", select("", "id")));
    let mut person = select("person", "id");
    person.items.push(embed("manager", manager));
    person.items.extend(crate::kit::items("name"));
    assert_eq!(
        db.json(person).await,
        r#"[{id:1,manager:null,name:"Ann"},{id:2,manager:{name:"Ann",posts:[{id:1,title:"First"}],manager:null},name:"Bob"},{id:3,manager:{name:"Ann",posts:[{id:1,title:"First"}],manager:null},name:"Cy"}]"#
    );
}

#[tokio::test]
async fn to_many_and_n_n_embeds_nest_with_their_own_page() {
    let db = Db::filled().await;
    let mut note = select("", "id");
    note.order = vec![Order { field: field("id"), relation: None, descending: true, nulls_first: None }];
    note.limit = Some(1);
    let mut post = select("post", "id");
    post.items.push(embed("notes", note));
    post.items.push(embed("tags", select("", "label")));
    let mut counted = select("", "");
    counted.items.push(Item::Count { alias: None, called: true, cast: None });
    post.items.push(embed("notes", counted));
    let script = db.script(named::Query::Select(post.clone()));
    assert_eq!(script.steps.len(), 1);
    assert_eq!(
        db.json(named::Select { items: post.items[..3].to_vec(), ..post }).await,
        r#"[{id:1,notes:[{id:2}],tags:[{label:"red"},{label:"blue"}]},{id:2,notes:[{id:3}],tags:[{label:"blue"}]}]"#
    );
}

#[tokio::test]
async fn relation_counts() {
    let db = Db::filled().await;
    let mut counted = select("", "");
    counted.items.push(Item::Count { alias: None, called: true, cast: None });
    let mut post = select("post", "id");
    post.items.push(embed("notes", counted));
    assert_eq!(db.json(post).await, "[{id:1,notes:2},{id:2,notes:1}]");
}

#[tokio::test]
async fn pages_and_totals() {
    let db = Db::filled().await;
    let page = named::Select { limit: Some(1), offset: 1, count: true, ..select("person", "id") };
    let part = db.run(named::Query::Select(page)).await.unwrap();
    assert_eq!((part.rows.count, part.total, part.affected), (1, Some(3), 1));
    assert_eq!(db.json(named::Select { offset: 2, ..select("person", "id") }).await, "[{id:3}]");
    assert_eq!(db.json(named::Select { limit: Some(0), ..select("person", "id") }).await, "[]");
}

#[tokio::test]
async fn nulls_sort_where_they_are_told() {
    let db = Db::filled().await;
    let by = |descending, nulls_first| {
        let order = Order { field: field("manager_id"), relation: None, descending, nulls_first };
        named::Select { order: vec![order], ..select("person", "id") }
    };
    assert_eq!(db.json(by(false, None)).await, "[{id:2},{id:3},{id:1}]");
    assert_eq!(db.json(by(true, None)).await, "[{id:1},{id:3},{id:2}]");
    assert_eq!(db.json(by(false, Some(true))).await, "[{id:1},{id:2},{id:3}]");
    assert_eq!(db.json(by(true, Some(false))).await, "[{id:3},{id:2},{id:1}]");
}

#[tokio::test]
async fn filters_are_three_valued() {
    let db = Db::filled().await;
    for (filter, expected) in [
        (eq("price", "9.5"), "[{id:1}]"),
        (compare("price", Comparison::Neq, "9.5"), "[]"),
        (Filter::Not(Box::new(eq("price", "9.5"))), "[]"),
        (Filter::Not(Box::new(eq("price", "1"))), "[{id:1}]"),
        (compare("price", Comparison::Gt, "9.4999"), "[{id:1}]"),
        (Filter::Field(field("price"), Test::IsNull), "[{id:2}]"),
        (Filter::Field(field("flag"), Test::IsBool(true)), "[{id:1}]"),
        (Filter::Field(field("flag"), Test::IsUnknown), "[{id:2}]"),
        (like("title", "F%", false), "[{id:1}]"),
        (like("title", "f%", false), "[]"),
        (like("title", "%ST", true), "[{id:1}]"),
        (Filter::Field(field("id"), Test::In(vec![named::Operand::Text("2".into())])), "[{id:2}]"),
        (Filter::Field(field("id"), Test::In(Vec::new())), "[]"),
        (Filter::Or(vec![eq("id", "1"), eq("slug", "second")]), "[{id:1},{id:2}]"),
        (Filter::And(Vec::new()), "[{id:1},{id:2}]"),
    ] {
        let rows = db.json(named::Select { filters: vec![filter.clone()], ..select("post", "id") }).await;
        assert_eq!(rows, expected, "{filter:?}");
    }
}

fn like(name: &str, pattern: &str, ignore_case: bool) -> Filter {
    Filter::Field(field(name), Test::Like { pattern: pattern.into(), ignore_case })
}

#[tokio::test]
async fn json_paths_name_members_and_never_paths() {
    let db = Db::filled().await;
    let get = |steps: &[&str]| {
        let path = steps.iter().enumerate().map(|(index, step)| named::JsonStep {
            key: step.parse().map_or_else(|_| named::JsonKey::Member((*step).into()), named::JsonKey::Index),
            as_text: index + 1 == steps.len(),
        });
        let item = Item::Field {
            field: named::Field { name: "meta".into(), path: path.collect() },
            alias: Some("v".into()),
            cast: None,
            aggregate: None,
        };
        named::Select { items: vec![item], filters: vec![eq("id", "1")], ..select("post", "") }
    };
    assert_eq!(db.json(get(&["a", "b", "1"])).await, r#"[{v:"x"}]"#);
    assert_eq!(db.json(get(&["a", "b", "-2"])).await, r#"[{v:"1"}]"#);
    assert_eq!(db.json(get(&["a", "b", "2"])).await, "[{v:null}]");
    assert_eq!(db.json(get(&["a", "b"])).await, r#"[{v:"[1,\"x\"]"}]"#);
    assert_eq!(db.json(get(&["a", "c"])).await, r#"[{v:"12345678901234567890.10"}]"#);
    assert_eq!(db.json(get(&["a", "n"])).await, "[{v:null}]");
    assert_eq!(db.json(get(&["a", "0"])).await, "[{v:null}]");
    assert_eq!(db.json(get(&["$.a"])).await, "[{v:null}]");
    assert_eq!(db.json(get(&["[0]"])).await, "[{v:null}]");
}

#[tokio::test]
async fn expectations_on_reads() {
    let db = Db::filled().await;
    let read = |filter: Vec<Filter>, expect| {
        let select = named::Select { filters: filter, ..select("person", "id") };
        db.script_of(&[(named::Query::Select(select), expect)], End::Commit)
    };
    let none = db.execute(read(vec![eq("id", "9")], Expect::Singular)).await;
    assert_eq!(
        refused(none),
        "PGRST116 | Cannot coerce the result to a single JSON object | The result contains 0 rows"
    );
    let three = db.execute(read(Vec::new(), Expect::Singular)).await;
    assert_eq!(
        refused(three),
        "PGRST116 | Cannot coerce the result to a single JSON object | The result contains 3 rows"
    );
    let most = db.execute(read(Vec::new(), Expect::AtMost(2))).await;
    assert_eq!(
        refused(most),
        "PGRST124 | Query result exceeds max-affected preference constraint | The query affects 3 rows"
    );
    assert!(db.execute(read(vec![eq("id", "1")], Expect::Singular)).await.is_ok());
}

/// Runs scalars over the post with id 1.
pub async fn scalars(db: &Db, make: impl Fn(&dyn Fn(&str) -> Scalar) -> Vec<(Scalar, ScalarType)>) -> String {
    let mut script = db
        .script(named::Query::Select(named::Select { filters: vec![eq("id", "1")], ..select("post", "id") }));
    let table = db.catalog.public_table("post").unwrap();
    let Query::Select(select) = &mut script.steps[0].query else { unreachable!() };
    let source = select.source;
    let column = |name: &str| {
        let column = table.column_named(name).unwrap().id;
        Scalar::Column(ColumnRef { source, table: table.id, column })
    };
    let outputs = make(&column).into_iter().enumerate().map(|(index, (scalar, ty))| Output {
        name: format!("v{index}"),
        starred: false,
        spilled: false,
        value: OutputValue::Scalar(scalar, ty),
    });
    select.outputs = outputs.collect();
    let select = select.clone();
    let shape = backstay_query::reply::Shape::of(&select);
    let reply = db.execute(script).await.unwrap();
    crate::kit::render(&reply.parts[0].rows, &shape)
}

fn int(number: i64) -> Scalar {
    Scalar::Bind(Value::Int(number), ScalarType::Int)
}

#[tokio::test]
async fn arithmetic_is_exact_and_overflow_is_null() {
    let db = Db::filled().await;
    let op = |op, a, b, ty| (Scalar::Arithmetic(op, Box::new(a), Box::new(b), ty), ty);
    let decimal = ScalarType::Decimal { digits: 18, scale: 4 };
    let rows = scalars(&db, |column| {
        vec![
            op(ArithmeticOp::Add, column("words"), int(5), ScalarType::Int),
            op(ArithmeticOp::Div, column("words"), int(0), ScalarType::Int),
            op(ArithmeticOp::Rem, int(-7), int(2), ScalarType::Int),
            op(ArithmeticOp::Add, int(i32::MAX.into()), int(1), ScalarType::Int),
            op(ArithmeticOp::Mul, int(i64::MAX), int(2), ScalarType::BigInt),
            op(ArithmeticOp::Mul, column("price"), Scalar::Cast(Box::new(int(3)), decimal), decimal),
            op(ArithmeticOp::Div, column("price"), Scalar::Cast(Box::new(int(7)), decimal), decimal),
            op(ArithmeticOp::Mul, column("price"), column("words"), decimal),
            op(ArithmeticOp::Div, column("price"), Scalar::Cast(Box::new(int(0)), decimal), decimal),
            (Scalar::Negate(Box::new(column("price")), decimal), decimal),
            op(
                ArithmeticOp::Div,
                Scalar::Cast(Box::new(int(1)), ScalarType::Float),
                int(4),
                ScalarType::Float,
            ),
            op(ArithmeticOp::Div, int(1), int(0), ScalarType::Float),
        ]
    });
    assert_eq!(
        rows.await,
        "[{v0:15,v1:null,v2:-1,v3:null,v4:null,v5:28.5000,v6:1.3571,v7:95.0000,v8:null,v9:-9.5000,v10:0.25,v11:null}]"
    );
}

#[tokio::test]
async fn casts_masks_cases_and_functions() {
    let db = Db::filled().await;
    let cast = |scalar, ty| (Scalar::Cast(Box::new(scalar), ty), ty);
    let string = ScalarType::String;
    let bind = |value: Value, ty| Scalar::Bind(value, ty);
    let at = bind(Value::Timestamp(1_769_850_000_120_000), ScalarType::Timestamp);
    let rows = scalars(&db, |column| {
        let call = |function, of: Scalar| (Scalar::Call(function, vec![of]), ScalarType::Int);
        let held = Pred::Compare(PredOp::Gt, column("price"), int(9));
        vec![
            cast(column("words"), string),
            cast(column("price"), string),
            cast(column("flag"), string),
            cast(column("price"), ScalarType::Int),
            cast(column("price"), ScalarType::Decimal { digits: 18, scale: 1 }),
            cast(bind(text("12"), string), ScalarType::Int),
            cast(at.clone(), ScalarType::Date),
            (Scalar::Masked(Box::new(Pred::FALSE), Box::new(column("title"))), string),
            (Scalar::Masked(Box::new(held.clone()), Box::new(column("title"))), string),
            (Scalar::Case(vec![(held, int(1))], Box::new(int(2))), ScalarType::Int),
            (Scalar::Concat(Box::new(column("title")), Box::new(bind(text("!"), string))), string),
            call(Function::Size, bind(text("äöü"), string)),
            call(Function::Year, at.clone()),
            call(Function::Month, at.clone()),
            call(Function::DayOfMonth, at.clone()),
            call(Function::DayOfWeek, at.clone()),
            call(Function::Hours, at.clone()),
            (Scalar::Test(Box::new(Pred::IsNull(column("score")))), ScalarType::Boolean),
            (
                Scalar::Arithmetic(
                    ArithmeticOp::Sub,
                    Box::new(at.clone()),
                    Box::new(bind(Value::Duration(86_400_000_000), ScalarType::BigInt)),
                    ScalarType::Timestamp,
                ),
                ScalarType::Timestamp,
            ),
        ]
    });
    assert_eq!(
        rows.await,
        "[{v0:\"10\",v1:\"9.5000\",v2:\"true\",v3:10,v4:9.5,v5:12,v6:\"2026-01-31\",v7:null,v8:\"First\",v9:1,v10:\"First!\",v11:3,v12:2026,v13:0,v14:30,v15:6,v16:9,v17:true,v18:\"2026-01-30T09:00:00.12+00:00\"}]"
    );
}

#[tokio::test]
async fn a_cast_that_cannot_be_is_refused_with_its_code() {
    let db = Db::filled().await;
    let mut script = db.script(named::Query::Select(select("post", "id")));
    let Query::Select(select) = &mut script.steps[0].query else { unreachable!() };
    let bad = Scalar::Cast(Box::new(Scalar::Bind(text("x"), ScalarType::String)), ScalarType::Int);
    select.outputs[0].value = OutputValue::Scalar(bad, ScalarType::Int);
    assert_eq!(refused(db.execute(script).await), "22P02 | invalid input syntax for type integer: \"x\" | ");
}

#[tokio::test]
async fn aggregates_and_lookups() {
    let db = Db::filled().await;
    let note = db.catalog.public_table("note").unwrap();
    let person = db.catalog.public_table("person").unwrap();
    let source = backstay_query::plan::SourceId(40);
    let of_note = |name: &str| {
        Scalar::Column(ColumnRef { source, table: note.id, column: note.column_named(name).unwrap().id })
    };
    let of_person = |name: &str| {
        Scalar::Column(ColumnRef { source, table: person.id, column: person.column_named(name).unwrap().id })
    };
    let decimal = ScalarType::Decimal { digits: 18, scale: 2 };
    let rows = scalars(&db, |column| {
        let aggregate = |function, value, ty, of: Scalar| {
            let filter = Pred::Compare(PredOp::Eq, of_note("post_id"), of);
            let aggregate = Aggregate { function, source, table: note.id, filter, value, ty };
            (Scalar::Aggregate(Box::new(aggregate)), ty)
        };
        let lookup = Lookup {
            source,
            table: person.id,
            filter: Pred::Compare(PredOp::Eq, of_person("id"), column("author_id")),
            value: of_person("name"),
        };
        vec![
            aggregate(AggregateFunction::Count, None, ScalarType::BigInt, column("id")),
            aggregate(AggregateFunction::Sum, Some(of_note("id")), ScalarType::BigInt, column("id")),
            aggregate(AggregateFunction::Sum, Some(of_note("id")), ScalarType::BigInt, int(99)),
            aggregate(AggregateFunction::Max, Some(of_note("text")), ScalarType::String, column("id")),
            aggregate(AggregateFunction::Min, Some(of_note("text")), ScalarType::String, int(99)),
            aggregate(AggregateFunction::Avg, Some(of_note("id")), ScalarType::Float, column("id")),
            aggregate(AggregateFunction::Avg, Some(of_note("id")), decimal, column("id")),
            aggregate(AggregateFunction::Avg, Some(of_note("id")), decimal, int(99)),
            (Scalar::Lookup(Box::new(lookup)), ScalarType::String),
        ]
    });
    assert_eq!(rows.await, "[{v0:2,v1:3,v2:0,v3:\"n2\",v4:null,v5:1.5,v6:1.50,v7:null,v8:\"Ann\"}]");
}

#[tokio::test]
async fn a_sum_beyond_64_bits_is_out_of_range() {
    let db = Db::filled().await;
    let note = db.catalog.public_table("note").unwrap();
    let mut script = db.script(named::Query::Select(select("post", "id")));
    let Query::Select(select) = &mut script.steps[0].query else { unreachable!() };
    let aggregate = Aggregate {
        function: AggregateFunction::Sum,
        source: backstay_query::plan::SourceId(40),
        table: note.id,
        filter: Pred::TRUE,
        value: Some(Scalar::Bind(Value::Int(i64::MAX), ScalarType::BigInt)),
        ty: ScalarType::BigInt,
    };
    select.outputs[0].value = OutputValue::Scalar(Scalar::Aggregate(Box::new(aggregate)), ScalarType::BigInt);
    assert_eq!(refused(db.execute(script).await), "22003 | value out of range | ");
}
