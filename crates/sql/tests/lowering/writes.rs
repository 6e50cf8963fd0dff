//! Text of writes: every step of inserting, changing, deleting.

use crate::kit::{catalog, cell, eq, plan, show};
use backstay_query::named::{self, Conflict, ConflictAction};
use backstay_query::plan::{
    Assign, ColumnRef, Delete, Insert, Lookup, Pred, PredOp, Query, Scalar, SourceId, Update,
};
use backstay_schema::catalog::Table;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;
use backstay_sql::dialect::sqlite::SQLITE;
use backstay_sql::lower::update::{Asked, Kept};
use backstay_sql::lower::{delete, insert, update};

fn inserting(conflict: Option<Conflict>) -> Insert {
    let columns = ["title", "slug", "author_id", "words"].map(String::from).to_vec();
    let rows = vec![vec![cell("t"), cell("s"), cell("1"), cell("5")]];
    let insert = named::Insert { table: "post".into(), columns, rows, conflict, returning: None };
    match plan(&catalog(), named::Query::Insert(insert)) {
        Query::Insert(insert) => insert,
        _ => unreachable!(),
    }
}

fn column(table: &Table, source: SourceId, name: &str) -> Scalar {
    Scalar::Column(ColumnRef { source, table: table.id, column: table.column_named(name).unwrap().id })
}

/// With `words` computed from the author's name.
fn derived() -> Insert {
    let catalog = catalog();
    let mut insert = inserting(None);
    let (post, person) = (catalog.public_table("post").unwrap(), catalog.public_table("person").unwrap());
    let source = SourceId(30);
    let here = column(post, insert.row, "author_id");
    let lookup = Lookup {
        source,
        table: person.id,
        filter: Pred::Compare(PredOp::Eq, column(person, source, "id"), here),
        value: column(person, source, "id"),
    };
    insert.derived = vec![(post.column_named("words").unwrap().id, Scalar::Lookup(Box::new(lookup)))];
    insert
}

#[test]
fn one_prepared_row() {
    insta::assert_snapshot!(show(&insert::row(&catalog(), &SQLITE, &inserting(None)).unwrap()));
}

#[test]
fn a_row_with_a_derived_column() {
    insta::assert_snapshot!(show(&insert::row(&catalog(), &SQLITE, &derived()).unwrap()));
}

#[test]
fn a_row_whose_key_the_database_counts() {
    let columns = vec!["name".into()];
    let rows = vec![vec![cell("x")]];
    let person = named::Insert { table: "person".into(), columns, rows, ..named::Insert::default() };
    let Query::Insert(person) = plan(&catalog(), named::Query::Insert(person)) else { unreachable!() };
    insta::assert_snapshot!(show(&insert::row(&catalog(), &SQLITE, &person).unwrap()));
}

#[test]
fn judging_a_row_that_is_not_stored() {
    let catalog = catalog();
    let insert = derived();
    let post = catalog.public_table("post").unwrap();
    let words = column(post, insert.row, "words");
    let rule = Pred::Compare(PredOp::Lt, words, Scalar::Bind(Value::Int(9), ScalarType::Int));
    insta::assert_snapshot!(show(&insert::judge(&catalog, &SQLITE, &insert, &rule).unwrap()));
}

#[test]
fn peeking_at_a_row_that_is_not_stored() {
    let catalog = catalog();
    let slug = catalog.public_table("post").unwrap().column_named("slug").unwrap().id;
    insta::assert_snapshot!(show(&insert::peek(&catalog, &SQLITE, &inserting(None), &[slug]).unwrap()));
}

#[test]
fn verifying_inserted_rows() {
    let catalog = catalog();
    let insert = inserting(None);
    let post = catalog.public_table("post").unwrap();
    let rule = Pred::IsTrue(column(post, insert.row, "flag"));
    let keys = (SourceId(40), vec![vec![Value::Uuid(uuid::Uuid::nil())]]);
    insta::assert_snapshot!(show(&insert::verify(&catalog, &SQLITE, post, insert.row, &rule, keys).unwrap()));
}

fn updating() -> Update {
    let catalog = catalog();
    let assign = vec![("title".into(), cell("new")), ("state".into(), cell("LIVE"))];
    let update =
        named::Update { table: "post".into(), assign, filters: vec![eq("slug", "x")], returning: None };
    let Query::Update(mut update) = plan(&catalog, named::Query::Update(update)) else { unreachable!() };
    let post = catalog.public_table("post").unwrap();
    let words = |source| column(post, source, "words");
    update.stored = vec![Pred::IsTrue(column(post, update.row, "flag")), Pred::TRUE];
    update.arms = vec![Pred::TRUE, Pred::Compare(PredOp::Gt, words(update.row), words(update.old))];
    update.keep = vec![post.column_named("words").unwrap().id];
    let words_id = post.column_named("words").unwrap().id;
    let one = Scalar::Bind(Value::Int(1), ScalarType::Int);
    let next = Scalar::Arithmetic(
        backstay_schema::expr::ArithmeticOp::Add,
        Box::new(words(update.row)),
        Box::new(one),
        ScalarType::Int,
    );
    update.assign.push((words_id, Assign::Scalar(next)));
    update
}

fn kept(update: &Update) -> Kept<'_> {
    let key = || Value::Uuid(uuid::Uuid::nil());
    Kept { update, rows: vec![vec![key(), Value::Bool(true), Value::Bool(false), key(), Value::Int(4)]] }
}

#[test]
fn classifying_rows_to_change() {
    insta::assert_snapshot!(show(&update::classify(&catalog(), &SQLITE, &updating()).unwrap()));
}

#[test]
fn classifying_a_conflict() {
    let catalog = catalog();
    let slug = catalog.public_table("post").unwrap().column_named("slug").unwrap().id;
    insta::assert_snapshot!(show(
        &update::classify_conflict(&catalog, &SQLITE, &updating(), &[slug]).unwrap()
    ));
}

#[test]
fn finding_a_conflict() {
    let catalog = catalog();
    let post = catalog.public_table("post").unwrap();
    let slug = post.column_named("slug").unwrap().id;
    insta::assert_snapshot!(show(
        &update::find_conflict(&catalog, &SQLITE, post, SourceId(3), &[slug]).unwrap()
    ));
}

#[test]
fn writing_by_key() {
    let update = updating();
    let assign: Vec<_> = update.assign.iter().collect();
    insta::assert_snapshot!(show(&update::write(&catalog(), &SQLITE, &update, &assign).unwrap()));
}

#[test]
fn merging_given_values() {
    let conflict = Conflict { columns: vec!["slug".into()], action: ConflictAction::Merge };
    let insert = inserting(Some(conflict));
    let update = insert.conflict.unwrap().merge.unwrap();
    let assign: Vec<_> = update.assign.iter().collect();
    insta::assert_snapshot!(show(&update::write(&catalog(), &SQLITE, &update, &assign).unwrap()));
}

#[test]
fn verifying_changed_rows() {
    let update = updating();
    insta::assert_snapshot!(show(&update::verify(&catalog(), &SQLITE, kept(&update)).unwrap()));
}

#[test]
fn judging_a_row_as_it_would_become() {
    let catalog = catalog();
    let update = updating();
    let assign: Vec<_> = update.assign.iter().collect();
    let slug = catalog.public_table("post").unwrap().column_named("slug").unwrap().id;
    let columns = [slug];
    let asked = (&Asked::Rules, columns.as_slice());
    insta::assert_snapshot!(show(&update::judge(&catalog, &SQLITE, kept(&update), &assign, asked).unwrap()));
}

#[test]
fn deleting() {
    let catalog = catalog();
    let query = named::Delete { table: "post".into(), filters: vec![eq("slug", "x")], returning: None };
    let Query::Delete(planned) = plan(&catalog, named::Query::Delete(query)) else { unreachable!() };
    let post = catalog.public_table("post").unwrap();
    let rule = Pred::IsTrue(column(post, planned.row, "flag"));
    let planned = Delete { rule, ..planned };
    let author = post.column_named("author_id").unwrap().id;
    let statements = [
        show(&delete::classify(&catalog, &SQLITE, &planned).unwrap()),
        show(&delete::by_key(&catalog, &SQLITE, post)),
        show(&delete::referring(&catalog, &SQLITE, post, &[author], SourceId(9))),
    ];
    insta::assert_snapshot!(statements.join("\n"));
}
