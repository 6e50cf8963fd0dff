//! What SQLite makes of our statements: point reads and joins use their indexes.

use crate::kit::{Db, embed, eq, select};
use backstay_base::limit::Limits;
use backstay_query::named::{self, Query, Search, SearchForm};
use backstay_query::plan::{End, Expect, Query as Planned};
use backstay_query::resolve::{Reach, resolve};
use backstay_schema::compile::{Owner, Settings, SourceFile, compile};
use backstay_sql::ddl::create_all;
use backstay_sql::dialect::sqlite::SQLITE;
use backstay_sql::lower::select::{Reading, Way, reading};
use rusqlite::functions::FunctionFlags;

/// `EXPLAIN QUERY PLAN` of every level.
fn explained(connection: &rusqlite::Connection, reading: &Reading<'_>, into: &mut Vec<String>) {
    let text = ["EXPLAIN QUERY PLAN ", &reading.statement.text].concat();
    let mut statement = connection.prepare(&text).unwrap();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().unwrap() {
        into.push(row.get(3).unwrap());
    }
    for child in &reading.children {
        if let Way::PerRow(reading) = &child.way {
            explained(connection, reading, into);
        }
    }
}

async fn plan(select: named::Select) -> Vec<String> {
    let db = Db::filled().await;
    let script = crate::kit::guarded(&db.catalog, db.script(Query::Select(select)));
    let Planned::Select(select) = &script.inner().steps[0].query else { unreachable!() };
    let reading = reading(&db.catalog, &SQLITE, select).unwrap();
    let connection = rusqlite::Connection::open(db.dir.path().join("test.db")).unwrap();
    let mut steps = Vec::new();
    explained(&connection, &reading, &mut steps);
    steps
}

#[tokio::test]
async fn a_read_by_a_unique_column_searches() {
    let slug = named::Select { filters: vec![eq("slug", "x")], ..select("post", "id") };
    assert_eq!(plan(slug).await, ["SEARCH s0 USING COVERING INDEX sqlite_autoindex_post_1 (slug=?)"]);
}

#[tokio::test]
async fn embeds_search() {
    let mut post = named::Select { filters: vec![eq("id", "1")], ..select("post", "id") };
    post.items.push(embed("author", select("", "name")));
    post.items.push(embed("notes", select("", "id")));
    post.items.push(embed("tags", select("", "label")));
    assert_eq!(
        plan(post).await,
        [
            "SEARCH s0 USING INTEGER PRIMARY KEY (rowid=?)",
            "SEARCH s1 USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
            "SEARCH s2 USING COVERING INDEX note_post_id_idx (post_id=?)",
            "SEARCH s4 USING COVERING INDEX sqlite_autoindex_post_tag_1 (post_id=?)",
            "SEARCH s3 USING INTEGER PRIMARY KEY (rowid=?)",
            "USE TEMP B-TREE FOR ORDER BY",
        ]
    );
}

#[tokio::test]
async fn lists_search() {
    let values = ["1", "2"].map(|text| named::Operand::Text(text.into())).to_vec();
    let list = named::Filter::Field(crate::kit::field("slug"), named::Test::In(values));
    assert_eq!(
        plan(named::Select { filters: vec![list], ..select("post", "id") }).await,
        [
            "SEARCH s0 USING COVERING INDEX sqlite_autoindex_post_1 (slug=?)",
            "LIST SUBQUERY 1",
            "SCAN json_each VIRTUAL TABLE INDEX 1:",
            "USE TEMP B-TREE FOR ORDER BY",
        ]
    );
}

#[test]
fn a_search_by_an_index_of_words_reads_no_other_rows() {
    let text = "type T @index(fields: [\"t\"], kind: FULLTEXT) { id: String!  t: String }";
    let file = SourceFile { name: "schema.graphql".into(), text: text.into(), owner: Owner::Project };
    let catalog = compile(&[file], &Settings::default()).unwrap().catalog;
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    connection.execute_batch(&create_all(&catalog, &SQLITE).join(";\n")).unwrap();
    connection.create_scalar_function("bs_matches", 2, FunctionFlags::SQLITE_UTF8, |_| Ok(true)).unwrap();
    let search = Search { form: SearchForm::Plain, query: "fat cat".into(), config: None };
    let test = named::Filter::Field(crate::kit::field("t"), named::Test::Search(search));
    let query = Query::Select(named::Select { filters: vec![test], ..select("t", "id") });
    let steps = [(query, Expect::Any)];
    let script = resolve(&catalog, &steps, End::Commit, Reach::Public, &Limits::default()).unwrap();
    let Planned::Select(select) = &script.steps[0].query else { unreachable!() };
    let mut steps = Vec::new();
    explained(&connection, &reading(&catalog, &SQLITE, select).unwrap(), &mut steps);
    assert_eq!(steps.first().map(String::as_str), Some("SEARCH s0 USING INDEX sqlite_autoindex_t_1 (id=?)"));
    assert!(steps.iter().any(|step| step.contains("VIRTUAL TABLE INDEX")), "{steps:?}");
    assert!(!steps.iter().any(|step| step.starts_with("SCAN s0")), "{steps:?}");
}
