//! Inserts that come again: another row takes the place of the one that was woven, and nobody can tell.

use super::told;
use backstay_base::limit::Limits;
use backstay_testkit::seed::{cases, seeded};
use backstay_testkit::served::{Ask, Served, Setup, Wanted};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

/// Whatever may go into a new row, and whatever may be asked of one.
const SCHEMA: &str = r#"
enum Stage { DRAFT @next(to: [SENT]) SENT }
type Team @access(read: "auth.uid != null", create: "true") { id: Int!  name: String! }
type Plain @access(read: "true", create: "auth.uid != null") {
  title: String! @valid(maxLength: 6, pattern: "^[a-z]*$")  count: Int! @default(value: 3)  size: Float  day: Date
  made: Timestamp  created_at: Timestamp!  doc: JSON  tags: [String!]
}
type Owned @access(read: "this.owner == auth.uid || this.open", create: "auth.uid != null") {
  owner: ID @set(create: "auth.uid")  open: Boolean! @default(value: false)  title: String! @index
}
type Claimed @access(read: "this.level < 5", create: "this.author == auth.uid || this.level < 3") {
  author: ID  level: Int!  word: String @access(create: "this.level > 1")
}
type Fresh @access(read: "true", create: "this.created_at == request.time && this.title != 'no'") {
  title: String!  created_at: Timestamp!
}
type Named @access(read: "true", create: "this.id != this.other") { other: ID  id: ID! }
type Staged @access(read: "true", create: "auth.uid != null") { stage: Stage! @default(value: DRAFT)  title: String }
type Child @access(read: "true", create: "this.team.name != 'team 2'") { team: Team  next: Child  title: String! @unique }
type Joined @check(expr: "this.word != 'bad'", message: "Bad.") @access(read: "true", create: "true") { team: Team!  word: String }
type Loose @table(strict: false) @access(read: "true", create: "true") { title: String }
type Told @table(audit: true) @access(read: "true", create: "true") { title: String }
type Mine @table(tenant: "org") @access(read: "true", create: "true") { org: String!  title: String }
type Counted @limit(rate: "5/hour", on: [CREATE]) @access(read: "true", create: "true") { title: String }
type Keyed @access(read: "true", create: "request.headers['x-word'] == this.word") { word: String }
type Derived @access(read: "this.title != 'hidden'", create: "true") {
  title: String!  longer: String @set(create: "this.title + '!'")  made: Timestamp @default(expr: "request.time")
  stored: Boolean @computed(expr: "this.title == 'no'", stored: true)
}
type Said @access(read: "true", create: "true") @deny(create: "this.title == 'no'", message: "Not this one.") { title: String }
"#;

const PEOPLE: [&str; 5] = ["ann", "bob", "cleo", "anon", "service"];

const TABLES: [(&str, &[&str]); 17] = [
    ("team", &["name", "id"]),
    ("plain", &["title", "count", "size", "day", "doc", "tags", "made"]),
    ("plain", &["title", "title"]),
    ("owned", &["title", "open", "owner"]),
    ("owned", &["title"]),
    ("claimed", &["author", "level", "word"]),
    ("fresh", &["title", "created_at"]),
    ("named", &["other", "id"]),
    ("staged", &["stage", "title"]),
    ("child", &["team_id", "title", "next_id"]),
    ("joined", &["team_id", "word"]),
    ("loose", &["title", "colour"]),
    ("told", &["title"]),
    ("mine", &["title", "org"]),
    ("counted", &["title"]),
    ("keyed", &["word"]),
    ("derived", &["title", "stored"]),
];

async fn server(recurring_requests: usize) -> Served {
    let limits = Limits { recurring_requests, ..Limits::default() };
    let setup = Setup { sdl: SCHEMA.to_owned(), limits, tx_rollback: true, ..Setup::default() };
    let mut served = Served::start(&setup).await;
    for (name, app) in
        [("ann", json!({ "org": "two" })), ("bob", json!({ "org": "one" })), ("cleo", Value::Null)]
    {
        served.sign_up(&Wanted { name: name.to_owned(), data: json!({}), app }).await;
    }
    for team in 1..4 {
        served.row("team", &json!({ "id": team, "name": format!("team {team}") })).await;
    }
    served
}

/// A value that fits a column, nearly fits or does not.
fn cell(random: &mut StdRng, served: &Served, name: &str) -> Value {
    if random.random_bool(0.08) {
        return [json!(null), json!("x\u{0}y"), json!({ "a": [1] }), json!([]), json!(1e300), json!("")]
            [random.random_range(0..6)]
        .clone();
    }
    match name {
        "team_id" | "next_id" | "id" if random.random_bool(0.9) => json!(random.random_range(1..5)),
        "level" | "count" | "stored" => json!(random.random_range(0..6)),
        "size" => json!(random.random_range(0..9) as f64 / 2.0),
        "open" => json!(random.random_bool(0.5)),
        "author" | "other" | "owner" | "id" => {
            json!(served.person(PEOPLE[random.random_range(0..3)]).id)
        }
        "day" => json!(["2024-02-29", "2023-02-29"][random.random_range(0..2)]),
        "made" | "created_at" => json!("2024-02-29T10:00:00Z"),
        "doc" => json!({ "n": random.random_range(0..3) }),
        "tags" => json!(["a", "b"]),
        "stage" => json!(["DRAFT", "DRAFT", "SENT", "GONE"][random.random_range(0..4)]),
        "org" => json!("one"),
        _ => json!(
            ["no", "bad", "hidden", "short", "words", "Loud", "far too long"][random.random_range(0..7)]
        ),
    }
}

fn body(random: &mut StdRng, served: &Served, columns: &[&str]) -> String {
    let mut members = Map::new();
    // most leave the same members out each time, so that they come again
    let whole = random.random_bool(0.5);
    for (place, name) in columns.iter().enumerate() {
        if place == 0 || (whole && random.random_bool(0.95)) {
            members.insert((*name).to_owned(), cell(random, served, name));
        }
    }
    let text = Value::Object(members).to_string();
    match random.random_range(0..40) {
        0 => format!("[{text}]"),
        1 => format!("[{text},{text}]"),
        2 => text.replace('}', ""),
        3 => format!(" \n{text} "),
        4 => text.replacen('{', r#"{"none":1,"#, 1),
        5 => text.replacen('{', r#"{"title":"first","#, 1),
        6 => String::from("{}"),
        _ => text,
    }
}

/// Mostly the first, so that requests come again.
fn mostly<'a>(random: &mut StdRng, choices: &[&'a str]) -> &'a str {
    if random.random_bool(0.75) { choices[0] } else { choices[random.random_range(0..choices.len())] }
}

fn insert(random: &mut StdRng, served: &Served) -> Ask {
    const QUERIES: [&str; 8] = [
        "",
        "?select=*",
        "?select=id",
        "?columns=title",
        "?c%6Flumns=title",
        "?c%6Flumns=word",
        "?on_conflict=id",
        "?select=id&limit=1",
    ];
    const PREFERENCES: [&str; 8] = [
        "return=representation",
        "return=headers-only",
        "return=minimal",
        "resolution=merge-duplicates,return=representation",
        "tx=rollback,return=representation",
        "missing=default,return=representation",
        "handling=strict,return=representation",
        "",
    ];
    let (table, columns) = TABLES[random.random_range(0..TABLES.len())];
    let (query, who) = (mostly(random, &QUERIES), mostly(random, &PEOPLE));
    let mut ask = Ask::new(who, "POST", &format!("/rest/v1/{table}{query}"), &body(random, served, columns));
    let mut add = |name: &str, value: &str| ask.headers.push((name.to_owned(), value.to_owned()));
    match mostly(random, &PREFERENCES) {
        "" => {}
        preference => add("prefer", preference),
    }
    match random.random_range(0..40) {
        0 | 1 => add("x-word", "short"),
        2 => add("accept", "application/vnd.pgrst.object+json"),
        3 => add("content-type", "text/csv"),
        4 => add("x-backstay-tenant", "one"),
        _ => {}
    }
    ask
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_row_is_written_as_if_it_were_the_first() {
    let mut random = seeded("recurring inserts", 78);
    // ids are seeded alike, and time goes alike
    let (keeping, forgetting) = (server(512).await, server(0).await);
    let (mut written, mut refused) = (0, 0);
    let total = cases(2_000);
    for done in 0..total {
        let ask = insert(&mut random, &keeping);
        let one = told(keeping.ask(&ask).await);
        let other = told(forgetting.ask(&ask).await);
        assert_eq!(one, other, "request {done}: {ask:?}");
        written += u64::from(one.status == 201);
        refused += u64::from(one.status == 401 || one.status == 403);
        keeping.clock.advance(1_000);
        forgetting.clock.advance(1_000);
    }
    assert!(written * 4 > total && refused * 50 > total, "{written} written, {refused} refused of {total}");
    assert!(keeping.app.kept_requests() > 50, "only {} inserts were kept", keeping.app.kept_requests());
    for table in TABLES.iter().map(|(table, _)| *table).chain(["told_audit", "said"]) {
        let all = Ask::new("service", "GET", &format!("/rest/v1/{table}?order=id"), "");
        assert_eq!(told(keeping.ask(&all).await), told(forgetting.ask(&all).await), "{table}");
    }
}

/// A parameter says which members count, however it is written: what it leaves out of one row stays out of the next.
#[tokio::test]
async fn members_that_do_not_count_stay_out() {
    let served = server(512).await;
    for name in ["columns", "c%6Flumns", "%63olumns", "colum%6E%73"] {
        for title in ["one", "two", "three"] {
            let target = format!("/rest/v1/told?{name}=none");
            let other = format!("/rest/v1/loose?{name}=title");
            let ask = |target: &str, body: Value| {
                let mut ask = Ask::new("ann", "POST", target, &body.to_string());
                ask.headers.push(("prefer".to_owned(), "return=representation".to_owned()));
                ask
            };
            let refused = served.ask(&ask(&target, json!({ "title": title }))).await;
            assert_eq!(refused.status, 400, "{target}: {}", refused.body);
            let answer = served.ask(&ask(&other, json!({ "colour": title }))).await;
            assert!(
                answer.status == 201 && answer.body.contains(r#""title":null"#),
                "{other}: {}",
                answer.body
            );
        }
    }
}

/// What was judged for one row does not pass another: the same form with a value that a rule looks at.
#[tokio::test]
async fn a_rule_looks_at_each_new_value() {
    let served = server(512).await;
    let (ann, bob) = (served.person("ann").id.clone(), served.person("bob").id.clone());
    let steps: [(&str, &str, &str, Value, u16); 17] = [
        ("ann", "plain", "", json!({ "title": "short" }), 201),
        ("ann", "plain", "", json!({ "title": "Loud" }), 400),
        ("ann", "plain", "", json!({ "title": "too long" }), 400),
        ("ann", "plain", "", json!({ "title": null }), 400),
        ("ann", "plain", "", json!({ "title": ["short"] }), 400),
        ("ann", "claimed", "", json!({ "author": ann, "level": 9 }), 201),
        ("ann", "claimed", "", json!({ "author": bob, "level": 9 }), 403),
        ("ann", "claimed", "", json!({ "author": bob, "level": 2 }), 201),
        ("ann", "claimed", "", json!({ "author": bob, "level": 3 }), 403),
        ("bob", "claimed", "", json!({ "author": bob, "level": 9 }), 201),
        ("bob", "claimed", "", json!({ "author": ann, "level": 9 }), 403),
        ("ann", "staged", "", json!({ "stage": "DRAFT" }), 201),
        ("ann", "staged", "", json!({ "stage": "SENT" }), 400),
        ("ann", "said", "", json!({ "title": "yes" }), 201),
        ("ann", "said", "", json!({ "title": "no" }), 403),
        ("ann", "child", "", json!({ "team_id": 1, "title": "a" }), 201),
        ("ann", "child", "", json!({ "team_id": 2, "title": "b" }), 403),
    ];
    // twice: what the first round kept does not change the second
    for round in 0..2 {
        for (who, table, query, row, status) in &steps {
            let mut row = row.clone();
            if round == 1 && *table == "child" {
                row["title"] = json!(format!("{} again", row["title"]));
            }
            let ask = Ask::new(who, "POST", &format!("/rest/v1/{table}{query}"), &row.to_string());
            let answer = served.ask(&ask).await;
            assert_eq!(answer.status, *status, "round {round}: {who} {table} {row}: {}", answer.body);
        }
    }
}
