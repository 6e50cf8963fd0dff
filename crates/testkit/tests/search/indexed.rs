//! The same searches of the same texts with an index of words and without one: the same rows, whoever wrote them,
//! for every letter and separator of the language.

use backstay_base::limit::Limits;
use backstay_query::folding::{SEPARATORS, forms, is_separator};
use backstay_query::named::{Field, Filter, Item, Query, Search, SearchForm, Select, Test};
use backstay_query::plan;
use backstay_query::resolve::{Reach, resolve};
use backstay_schema::catalog::Catalog;
use backstay_sql::lower::select::reading;
use backstay_sql::statement::Bind;
use backstay_testkit::database::Database;
use backstay_testkit::seed::{cases, seeded};
use backstay_testkit::served::{Ask, Served, Setup};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// `t` and `b` are in an index, `u` and `c` hold the same.
const SDL: &str = "type T @index(fields: [\"t\", \"b\"], kind: FULLTEXT) @access(all: \"true\") {
  id: Int!  t: String  b: String  u: String  c: String  k: String @unique }
type P @table(key: [\"m\", \"n\"]) @index(fields: [\"t\"], kind: FULLTEXT) @access(all: \"true\") {
  m: String!  n: Int!  t: String  u: String  of: T  }";
const WRITES: u64 = 120;

fn setup() -> Setup {
    let limits = Limits { rows: 20_000, body_bytes: 64 << 20, ..Limits::default() };
    Setup { sdl: SDL.to_owned(), limits, ..Setup::default() }
}

async fn asked(served: &Served, table: &str, filter: &str) -> String {
    let (name, rest) = filter.split_once('=').unwrap();
    let rest = utf8_percent_encode(rest, NON_ALPHANUMERIC).to_string();
    let target = format!("/rest/v1/{table}&{name}={}", rest.replace("%2E", "."));
    let answer = served.ask(&Ask::new("anon", "GET", &target, "")).await;
    assert_eq!(answer.status, 200, "{filter} {}", answer.body);
    answer.body
}

/// The rows by the index, after they were held against those without it.
async fn same(served: &Served, query: &str) -> usize {
    let table = "t?select=id&order=id";
    let mut count = 0;
    for (indexed, plain) in [("t", "u"), ("b", "c")] {
        let by = asked(served, table, &format!("{indexed}={query}")).await;
        let without = asked(served, table, &format!("{plain}={query}")).await;
        assert_eq!(by, without, "{indexed} {query}");
        count += by.matches("\"id\":").count();
    }
    count
}

async fn insert(served: &Served, table: &str, rows: &[Value]) {
    let body = Value::Array(rows.to_vec()).to_string();
    let answer = served.ask(&Ask::new("anon", "POST", &format!("/rest/v1/{table}"), &body)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}

fn twice(text: &str) -> Value {
    json!({ "t": text, "u": text })
}

#[tokio::test]
async fn every_letter_and_accent_is_found() {
    let served = Served::start(&setup()).await;
    // the question mark of Greek is a semicolon
    let forms = || forms().filter(|(form, letter)| !is_separator(*form) && !is_separator(*letter));
    let mut rows: Vec<Value> = forms().map(|(form, _)| twice(&format!("x{form}z"))).collect();
    let marks = ('\u{300}'..='\u{36f}').map(|mark| twice(&format!("Xe{mark}z")));
    rows.extend(marks);
    insert(&served, "t", &rows).await;
    let mut letters: Vec<char> = forms().map(|(_, letter)| letter).collect();
    letters.sort_unstable();
    letters.dedup();
    for letter in letters {
        let found = same(&served, &format!("plfts.x{letter}z")).await;
        let wanted = forms().filter(|(_, other)| *other == letter).count();
        assert_eq!(found, wanted + if letter == 'e' { 112 } else { 0 }, "{letter}");
    }
    assert_eq!(same(&served, "fts.x:*").await, rows.len());
}

#[tokio::test]
async fn every_separator_parts_words() {
    let served = Served::start(&setup()).await;
    let all = SEPARATORS.iter().flat_map(|(first, last)| *first..=*last).filter_map(char::from_u32);
    let rows: Vec<Value> = all.map(|separator| twice(&format!("fat{separator}Cat"))).collect();
    insert(&served, "t", &rows).await;
    for query in ["plfts.cat", "plfts.fat", "phfts.fat cat", "fts.ca:* & fa:*", "fts.cat & !dog"] {
        assert_eq!(same(&served, query).await, rows.len(), "{query}");
    }
    assert_eq!(same(&served, "plfts.fatcat").await, 0);
}

const WORDS: &[&str] = &[
    "the",
    "a",
    "Cat",
    "CAFÉ",
    "cafe\u{301}",
    "naïve",
    "Ёлка",
    "елка",
    "ΣΟΦΌΣ",
    "σοφος",
    "İstanbul",
    "ısı",
    "straße",
    "東京",
    "हिन्दी",
    "0",
    "42",
    "x\u{305}y",
    "🥳party",
    "party🥳",
    "ᾳδω",
    "it's",
    "AND",
    "NEAR",
    "zq",
    "*",
    "\\",
    "\"q\"",
    "zzbackstayanyzz",
    "well-known",
    "fat_cat",
    "ǅ",
    "한국어",
    "ὀδός",
    "Ǻ",
    "e\u{328}\u{301}",
];

fn text(random: &mut StdRng) -> Option<String> {
    let long = ["w".repeat(64), "w".repeat(65), "w".repeat(3000), "é".repeat(70), "ab ".repeat(110_000)];
    Some(match random.random_range(0..40) {
        0 | 1 => return None,
        2 => String::new(),
        3 => long[random.random_range(0..long.len())].clone() + " Cat",
        _ => {
            let words = (0..random.random_range(1..6)).map(|_| WORDS[random.random_range(0..WORDS.len())]);
            words.collect::<Vec<_>>().join([" ", ", ", "\n", "-"][random.random_range(0..4)])
        }
    })
}

fn row(random: &mut StdRng) -> Value {
    let (a, b) = (text(random), text(random));
    json!({ "t": a, "u": a, "b": b, "c": b })
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        _ => "NULL".into(),
    }
}

/// What somebody writes by hand. Databases read backslashes each in their own way.
fn by_hand(random: &mut StdRng, row: &Value) -> String {
    let value = |name: &str| literal(&row[name]).replace('\\', "/");
    let (t, u, b, c) = (value("t"), value("u"), value("b"), value("c"));
    let id = random.random_range(1..30);
    match random.random_range(0..5) {
        0 => format!("INSERT INTO t (t, u, b, c) VALUES ({t}, {u}, {b}, {c})"),
        1 => format!("UPDATE t SET t = {t}, u = {u} WHERE id < {id}"),
        2 => format!("UPDATE t SET b = {b}, c = {c} WHERE id = {id}"),
        3 => format!("UPDATE t SET id = 0 - id WHERE id = {id}"),
        _ => format!("DELETE FROM t WHERE id = {id}"),
    }
}

async fn write(served: &Served, random: &mut StdRng) {
    let mut row = row(random);
    let id = random.random_range(1..40);
    let ask = match random.random_range(0..7) {
        0 | 1 => {
            let rows: Vec<Value> = (0..random.random_range(1..4)).map(|_| self::row(random)).collect();
            Ask::new("anon", "POST", "/rest/v1/t", &Value::Array(rows).to_string())
        }
        2 => Ask::new("anon", "PATCH", &format!("/rest/v1/t?id=eq.{id}"), &row.to_string()),
        3 => Ask::new("anon", "DELETE", &format!("/rest/v1/t?id=eq.{id}"), ""),
        4 => Ask::new("anon", "PATCH", "/rest/v1/t?t=plfts.cat", &row.to_string()),
        5 => {
            row["k"] = format!("k{}", random.random_range(0..6)).into();
            Ask::new("anon", "POST", "/rest/v1/t?on_conflict=k", &row.to_string())
                .header("prefer", "resolution=merge-duplicates")
        }
        _ => return served.sql(vec![by_hand(random, &row)]).await,
    };
    let answer = served.ask(&ask).await;
    assert!((200..300).contains(&answer.status), "{} {}", answer.status, answer.body);
}

fn query(random: &mut StdRng) -> String {
    let word = |random: &mut StdRng| match random.random_range(0..12) {
        0 => "w".repeat(random.random_range(63..67)),
        1 => "ab".into(),
        _ => WORDS[random.random_range(0..WORDS.len())].to_owned(),
    };
    let quoted = |random: &mut StdRng| format!("'{}'", word(random).replace('\'', " "));
    match random.random_range(0..7) {
        0 | 1 => format!("plfts.{}", word(random)),
        2 => format!("plfts.{} {}", word(random), word(random)),
        3 => format!("phfts.{} {}", word(random), word(random)),
        4 => format!("wfts.{} or {} -{}", word(random), word(random), word(random)),
        5 => format!("fts.{}:* | ({} & !{})", quoted(random), quoted(random), quoted(random)),
        _ => format!("not.fts.{} & {}:*", quoted(random), quoted(random)),
    }
}

#[tokio::test]
async fn whoever_writes_and_however() {
    let mut random = seeded("indexed", 20_261_124);
    let served = Served::start(&setup()).await;
    let mut found = 0;
    for _ in 0..cases(WRITES) {
        write(&served, &mut random).await;
        found += same(&served, &query(&mut random)).await;
        found += same(&served, &query(&mut random)).await;
    }
    assert!(found > 100, "{found}");
}

#[tokio::test]
async fn keys_of_several_columns_and_conditions_around() {
    let served = Served::start(&setup()).await;
    insert(&served, "t", &[twice("Fat cat"), twice("fat dog"), twice("")]).await;
    let parts = [("a", 1, "the Cat"), ("a", 2, "a dog"), ("b'`\"", 1, "cat's dog")];
    let rows = parts.map(|(m, n, text)| json!({ "m": m, "n": n, "t": text, "u": text, "of_id": 1 }));
    insert(&served, "p", &rows).await;
    for (filter, count) in [
        ("t=plfts.cat", 2),
        ("t=not.plfts.cat", 1),
        ("or=(t.plfts.cat,n.eq.2)", 3),
        ("not.or=(t.plfts.cat,n.eq.2)", 0),
        ("and=(t.plfts.cat,or(t.plfts.dog,n.eq.9))", 1),
    ] {
        let plain = filter
            .strip_prefix("t=")
            .map_or_else(|| filter.replace("t.plfts", "u.plfts"), |rest| format!("u={rest}"));
        let by = asked(&served, "p?select=m,n", filter).await;
        let without = asked(&served, "p?select=m,n", &plain).await;
        assert_eq!(by, without, "{filter}");
        assert_eq!(by.matches("\"m\":").count(), count, "{filter} {by}");
    }
    let embedded = "/rest/v1/t?select=id,p!inner(n)&p.t=plfts.dog&order=id";
    let answer = served.ask(&Ask::new("anon", "GET", embedded, "")).await;
    assert_eq!(answer.body, r#"[{"id":1,"p":[{"n":2},{"n":1}]}]"#, "{}", answer.status);
    let counted = served
        .ask(&Ask::new("anon", "GET", "/rest/v1/t?t=plfts.fat&select=id", "").header("prefer", "count=exact"))
        .await;
    assert_eq!(counted.body, r#"[{"id":1},{"id":2}]"#);
    let star = served.ask(&Ask::new("anon", "GET", "/rest/v1/p?n=eq.2", "")).await;
    assert_eq!(star.body, r#"[{"m":"a","n":2,"t":"a dog","u":"a dog","of_id":1}]"#);
}

/// The statement of a search, with its values in place.
fn statement(catalog: &Catalog, database: &Database, words: &str) -> String {
    let search = Search { form: SearchForm::Plain, query: words.to_owned(), config: None };
    let field = |name: &str| Field { name: name.to_owned(), path: Vec::new() };
    let select = Select {
        table: "t".into(),
        items: vec![Item::Field { field: field("id"), alias: None, cast: None, aggregate: None }],
        filters: vec![Filter::Field(field("t"), Test::Search(search))],
        ..Select::default()
    };
    let steps = [(Query::Select(select), plan::Expect::Any)];
    let script = resolve(catalog, &steps, plan::End::Commit, Reach::Public, &Limits::default()).unwrap();
    let plan::Query::Select(select) = &script.steps[0].query else { panic!("a read") };
    let statement = reading(catalog, database.dialect, select).unwrap().statement;
    let mut text = statement.text;
    for (index, bind) in statement.binds.iter().enumerate() {
        let Bind::Value(value, _) = bind else { continue };
        let value = format!("'{}'", value.to_text().replace('\'', "''"));
        let place = if text.contains('?') && !database.url.starts_with("postgres") {
            "?".into()
        } else {
            format!("${}", index + 1)
        };
        let doubled = if database.url.starts_with("mysql") { value.replace('\\', "\\\\") } else { value };
        text = text.replacen(&place, &doubled, 1);
    }
    text
}

#[tokio::test]
async fn servers_read_no_other_rows() {
    if backstay_testkit::database::server().is_none() {
        return;
    }
    let database = Database::fresh(&Limits::default()).await;
    let catalog = backstay_testkit::store::catalog(SDL, &[]);
    for statement in backstay_sql::ddl::create_all(&catalog, database.dialect) {
        database.execute(&statement).await;
    }
    let rows: Vec<String> = (0..3000).map(|n| format!("('word{n} the cat')")).collect();
    database.execute(&format!("INSERT INTO t (t) VALUES {}", rows.join(", "))).await;
    let postgres = database.url.starts_with("postgres");
    database
        .execute(if postgres { "ANALYZE t" } else { "ANALYZE TABLE t, _backstay_search1_t_b_t_fts" })
        .await;
    let text = statement(&catalog, &database, "word77");
    let explain = if postgres { "EXPLAIN (COSTS OFF) " } else { "EXPLAIN FORMAT=JSON " };
    let plan = database.texts(&format!("{explain}{text}")).await.join("\n");
    if postgres {
        assert!(plan.contains("Bitmap Index Scan on t_b_t_fts"), "{plan}");
    } else {
        let row = plan.split("\"table_name\": \"s0\"").nth(1).unwrap_or_default();
        let way = row.split("\"access_type\": ").nth(1).unwrap_or_default();
        assert!(way.starts_with("\"eq_ref\""), "{plan}");
    }
    assert_eq!(database.texts(&text).await, ["78"]);
}
