//! Plans from named queries, and statements as text to look at.

use backstay_base::clock::Clock;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_policy::guarded::Guarded;
use backstay_policy::weave;
use backstay_query::named::{self, Embed, Field, Filter, Input, Item, Operand, Test};
use backstay_query::plan::{End, Expect, Query, Script};
use backstay_query::resolve::{Reach, resolve};
use backstay_schema::catalog::Catalog;
use backstay_schema::compile::{Owner, Settings, SourceFile, compile};
use backstay_sql::lower::select::{Reading, Way};
use backstay_sql::statement::Statement;
use std::fmt::Write as _;
use std::sync::Arc;

pub const SCHEMA: &str = r#"
type Person { id: Int! name: String! manager: Person reports: [Person!]! posts: [Post!]! @relation(field: "author") }
enum State { DRAFT LIVE }
type Post @index(fields: ["words", "title"]) @check(expr: "this.words > 0 || this.title == null", message: "no") {
  title: String! @valid(minLength: 2, maxLength: 20, pattern: "^a")
  slug: String! @unique
  author: Person! @relation(onDelete: CASCADE)
  editor: Person
  state: State! @default(value: DRAFT)
  words: Int!
  price: Decimal @valid(min: 0, max: 10)
  flag: Boolean
  meta: JSON
  at: Timestamp
  tags: [Tag!]!
}
type Tag { label: String! posts: [Post!]! }
"#;

pub fn catalog() -> Arc<Catalog> {
    compiled(SCHEMA)
}

pub fn compiled(schema: &str) -> Arc<Catalog> {
    let file = SourceFile { name: "schema.graphql".into(), text: schema.into(), owner: Owner::Project };
    match compile(&[file], &Settings::default()) {
        Ok(compiled) => Arc::new(compiled.catalog),
        Err(diagnostics) => panic!("{diagnostics:#?}"),
    }
}

/// The woven plan of a query.
pub fn plan(catalog: &Arc<Catalog>, query: named::Query) -> Query {
    script(catalog, query).inner().steps[0].query.clone()
}

/// The woven script of a query.
pub fn script(catalog: &Arc<Catalog>, query: named::Query) -> Guarded<Script> {
    let limits = Limits::default();
    let script = resolve(catalog, &[(query, Expect::Any)], End::Commit, Reach::Public, &limits).unwrap();
    let ids = Ids::seeded(Clock::fixed(0), 1);
    weave::system(script, 0, catalog, &ids).unwrap()
}

pub fn field(name: &str) -> Field {
    Field { name: name.into(), path: Vec::new() }
}

pub fn select(table: &str, columns: &str) -> named::Select {
    let one = |name: &str| Item::Field { field: field(name), alias: None, cast: None, aggregate: None };
    let items = columns.split_whitespace().map(one).collect();
    named::Select { table: table.into(), items, ..named::Select::default() }
}

pub fn embed(target: &str, select: named::Select) -> Item {
    let target = target.into();
    Item::Embed(Embed { target, hint: None, alias: None, inner: false, spread: false, select })
}

pub fn test(name: &str, test: Test) -> Filter {
    Filter::Field(field(name), test)
}

pub fn eq(name: &str, value: &str) -> Filter {
    test(name, Test::Compare(named::Comparison::Eq, Operand::Text(value.into())))
}

pub fn cell(text: &str) -> Input {
    Input::Text(text.into())
}

pub fn show(statement: &Statement) -> String {
    let mut out = statement.text.clone();
    for bind in &statement.binds {
        write!(out, "\n  {bind:?}").unwrap();
    }
    out
}

pub fn show_reading(reading: &Reading<'_>) -> String {
    let mut out = show(&reading.statement);
    write!(out, "\n  layout {:?} given {:?}", reading.layout, reading.given).unwrap();
    for child in &reading.children {
        let Way::PerRow(reading) = &child.way else { panic!("SQLite reads its children row by row") };
        write!(out, "\n-- child, slots {:?}\n{}", child.places, show_reading(reading)).unwrap();
    }
    out
}
