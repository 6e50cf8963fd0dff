//! A read that comes again is run from what was kept of the first; nobody can tell: the same requests
//! at a server that keeps nothing get the same answers, whoever asks, whatever was written and whatever
//! became of the caller in between.

#![cfg(test)]

mod inserts;

use backstay_base::clock::Clock;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_policy::caller::{Caller, User};
use backstay_policy::recurring::{Kept, Recurring};
use backstay_policy::weave::weave;
use backstay_query::named::{Item, Query, Select};
use backstay_query::plan::{End, Expect};
use backstay_query::resolve::{Reach, resolve};
use backstay_testkit::seed::{cases, seeded};
use backstay_testkit::served::{Answer, Ask, Served, Setup, Wanted};
use backstay_testkit::store::{NOW_MICROS, catalog, info};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// Row and field rules of every kind: by account, role, tenant, claim, relation, time, address, header.
const SCHEMA: &str = r#"
type Team @access(read: "auth.role == 'staff' || this.members.exists(m, m.account == auth.uid)", create: "true") {
  id: Int!  name: String!  members: [Member!]!
}
type Member @access(read: "this.account == auth.uid", create: "true") { id: Int!  team: Team!  account: ID! }
type Note @access(read: "this.open || this.author == auth.uid || auth.role == 'staff'", update: "true", create: "true", delete: "true") {
  id: Int!  author: ID  open: Boolean!  title: String!  size: BigInt
  secret: String @access(read: "this.author == auth.uid")
  team: Team
}
type Paper @table(softDelete: true) @access(read: "true", update: "true", delete: "auth.role == 'staff'", create: "true") {
  id: Int!  title: String!
}
type Embargo @access(read: "this.until < request.time", create: "true") { id: Int!  until: Timestamp! }
type Local @access(read: "request.ip == this.ip", create: "true") { id: Int!  ip: String! }
type Keyed @access(read: "request.headers['x-request-id'] == this.word", create: "true") { id: Int!  word: String! }
type Limited @limit(rate: "3/hour", on: [READ]) @access(read: "true", create: "true") { id: Int! }
"#;

const PEOPLE: [&str; 5] = ["ann", "bob", "cleo", "anon", "service"];

async fn server(recurring_requests: usize) -> Served {
    let limits = Limits { recurring_requests, ..Limits::default() };
    let setup = Setup {
        sdl: SCHEMA.to_owned(),
        roles: vec!["staff".to_owned()],
        limits,
        aggregates: true,
        ..Setup::default()
    };
    let mut served = Served::start(&setup).await;
    for (name, app) in
        [("ann", Value::Null), ("bob", json!({ "org": "one" })), ("cleo", json!({ "role": "staff" }))]
    {
        served.sign_up(&Wanted { name: name.to_owned(), data: json!({}), app }).await;
    }
    for team in 1..4 {
        served.row("team", &json!({ "id": team, "name": format!("team {team}") })).await;
    }
    for (id, who) in ["ann", "bob", "ann"].into_iter().enumerate() {
        let account = served.person(who).id.clone();
        served.row("member", &json!({ "id": id, "team_id": id + 1, "account": account })).await;
    }
    for id in 0..24 {
        let author = served.person(PEOPLE[id % 3]).id.clone();
        let title = TITLES[id % TITLES.len()];
        let note = json!({
            "id": id, "author": author, "open": id % 4 == 0, "title": title, "size": 1_u64 << (id + 30),
            "secret": format!("secret {id}"), "team_id": id % 3 + 1,
        });
        served.row("note", &note).await;
        served.row("paper", &json!({ "id": id, "title": title })).await;
    }
    served
}

const TITLES: [&str; 6] = ["plain", "two words", "with+plus & more", "eq.5", "quo\"te,(d)", "ünï"];

/// A target whose holes are filled with values that fit, nearly fit, or do not.
fn target(random: &mut StdRng, served: &Served) -> String {
    const FORMS: [&str; 22] = [
        "note?id=eq.{n}",
        "note?select=*&id=eq.{n}",
        "note?select=id,title,secret&title=eq.{t}&order=id",
        "note?title=eq.{t}&id=eq.{n}",
        "note?id=eq.{n}&title=eq.{t}",
        "note?author=eq.{u}&select=id,team(name)&order=id.desc&limit=3",
        "note?select=id,team(name,member(id))&team_id=eq.{n}&order=id",
        "note?select=count()&team_id=eq.{n}",
        "note?size=eq.{n}&id=gt.{n}",
        "note?secret=eq.secret%20{n}&select=id",
        "note?%69d=eq.{n}&id=eq.{n}",
        "note?select=eq.{n}&id=eq.{n}",
        "note?columns=eq.{n}&%69d=eq.{n}",
        "note?id=eq.{n}&id=eq.{n}",
        "note?id=not.eq.{n}&team_id=eq.{n}&select=id&order=id",
        "note?open=eq.{n}&select=id",
        "team?id=eq.{n}&select=*,note(id)&note.id=eq.{n}",
        "team?select=id,member(*)&id=eq.{n}",
        "paper?id=eq.{n}",
        "paper?id=eq.{n}&deleted=include",
        "note?or=(id.eq.{n},title.eq.{t})&select=id&order=id",
        "nothing?id=eq.{n}",
    ];
    let mut target = format!("/rest/v1/{}", FORMS[random.random_range(0..FORMS.len())]);
    while target.contains("{n}") {
        let odd =
            ["", "x", "1x", "%201", "%2B1", "99999999999999999999", "null", "1%00", "%ff", "1;--", "-0"];
        let number = match random.random_range(0..5) {
            0 => odd[random.random_range(0..odd.len())].to_owned(),
            _ => random.random_range(0..26).to_string(),
        };
        target = target.replacen("{n}", &number, 1);
    }
    while target.contains("{t}") {
        let title = TITLES[random.random_range(0..TITLES.len())];
        let written = percent_encoding::utf8_percent_encode(title, percent_encoding::NON_ALPHANUMERIC);
        target = target.replacen("{t}", &written.to_string(), 1);
    }
    while target.contains("{u}") {
        let person = served.person(PEOPLE[random.random_range(0..3)]);
        target = target.replacen("{u}", &person.id, 1);
    }
    target
}

fn read(random: &mut StdRng, served: &Served) -> Ask {
    const HEADERS: [&[(&str, &str)]; 9] = [
        &[],
        &[],
        &[],
        &[("accept", "text/csv")],
        &[("accept", "application/vnd.pgrst.object+json")],
        &[("prefer", "count=exact")],
        &[("range", "1-2")],
        &[("accept-profile", "public")],
        &[("accept-profile", "other")],
    ];
    let who = PEOPLE[random.random_range(0..PEOPLE.len())];
    let method = if random.random_bool(0.1) { "HEAD" } else { "GET" };
    let mut ask = Ask::new(who, method, &target(random, served), "");
    for (name, value) in HEADERS[random.random_range(0..HEADERS.len())] {
        ask.headers.push(((*name).to_owned(), (*value).to_owned()));
    }
    ask
}

fn write(random: &mut StdRng) -> Ask {
    let id = random.random_range(0..24);
    let (method, target, body) = match random.random_range(0..4) {
        0 => ("PATCH", format!("note?id=eq.{id}"), json!({ "open": random.random_bool(0.5) })),
        1 => ("PATCH", format!("note?id=eq.{id}"), json!({ "title": TITLES[id % 5] })),
        2 => ("DELETE", format!("paper?id=eq.{id}"), Value::Null),
        _ => ("PATCH", format!("paper?id=eq.{id}"), json!({ "title": "changed" })),
    };
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Ask::new("service", method, &format!("/rest/v1/{target}"), &body)
}

/// Whatever is no part of the answer: each server calls its requests something of its own.
fn told(mut answer: Answer) -> Answer {
    answer.headers.retain(|(name, _)| name != "x-request-id");
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_answers_as_what_is_woven_anew() {
    let mut random = seeded("recurring", 77);
    // ids are seeded alike, so both have the same accounts
    let (keeping, forgetting) = (server(512).await, server(0).await);
    let mut with_rows = 0;
    let total = cases(2_000);
    for done in 0..total {
        let ask = if done % 16 == 0 { write(&mut random) } else { read(&mut random, &keeping) };
        let one = told(keeping.ask(&ask).await);
        let other = told(forgetting.ask(&ask).await);
        assert_eq!(one, other, "request {done}: {ask:?}");
        with_rows += u64::from(one.status == 200 && one.body.len() > 2);
    }
    assert!(with_rows * 5 > total, "only {with_rows} of {total} showed something");
    assert!(keeping.app.kept_requests() > 50, "only {} requests were kept", keeping.app.kept_requests());
    assert_eq!(forgetting.app.kept_requests(), 0);
    let reloaded = keeping.app.catalog().unwrap();
    keeping.app.load(reloaded);
    assert_eq!(keeping.app.kept_requests(), 0, "a reload keeps what it holds no more");
}

async fn body(served: &Served, who: &str, target: &str) -> String {
    served.ask(&Ask::new(who, "GET", &format!("/rest/v1/{target}"), "")).await.body
}

/// What is kept for one is found by nobody who differs in anything that a rule may ask for.
#[test]
fn every_part_of_a_caller_counts() {
    let model = catalog(SCHEMA, &["staff"]);
    let select = Select { table: "note".to_owned(), items: vec![Item::Star], ..Select::default() };
    let steps = [(Query::Select(select), Expect::Any)];
    let script = resolve(&model, &steps, End::Commit, Reach::Public, &Limits::default()).unwrap();
    let claims = |level: i64| Arc::new(json!({ "level": level }).as_object().unwrap().clone());
    let ann = User {
        uid: Uuid::from_u128(1),
        role: "authenticated".to_owned(),
        email: Some("ann@x.test".to_owned()),
        org: None,
        aal: "aal1".to_owned(),
        claims: claims(1),
    };
    let caller = Caller::User(Arc::new(ann.clone()));
    let ids = Ids::seeded(Clock::fixed(NOW_MICROS), 1);
    let guarded = weave(script, &caller, &info(), &model, &ids).unwrap();
    let recurring = Recurring::new(8);
    recurring.keep("form", &caller, Arc::new(Kept::new(guarded, Vec::new(), ())));
    let others = [
        User { uid: Uuid::from_u128(2), ..ann.clone() },
        User { role: "staff".to_owned(), ..ann.clone() },
        User { email: None, ..ann.clone() },
        User { org: Some("one".to_owned()), ..ann.clone() },
        User { aal: "aal2".to_owned(), ..ann.clone() },
        User { claims: claims(2), ..ann.clone() },
    ];
    for other in others {
        assert!(
            recurring.find("form", &Caller::User(Arc::new(other.clone())), &model).is_none(),
            "{other:?}"
        );
    }
    for other in [Caller::Anon, Caller::Service] {
        assert!(recurring.find("form", &other, &model).is_none(), "{other:?}");
    }
    assert!(recurring.find("form ", &caller, &model).is_none());
    let reloaded = catalog(SCHEMA, &["staff"]);
    assert!(recurring.find("form", &caller, &reloaded).is_none(), "of another catalog");
    let again = Caller::User(Arc::new(ann));
    assert!(recurring.find("form", &again, &model).is_some());
}

/// Time goes on, addresses and headers differ: what rules made of them is not kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_see_the_moment() {
    let served = server(512).await;
    served.row("embargo", &json!({ "id": 1, "until": "2026-01-31T09:00:05Z" })).await;
    served.row("keyed", &json!({ "id": 1, "word": "sesame" })).await;
    for (later, rows) in [(0, "[]"), (1, "[]"), (5, "[{\"id\":1}]"), (-2, "[]")] {
        served.clock.advance(later * 1_000_000);
        assert_eq!(body(&served, "anon", "embargo?id=eq.1&select=id").await, rows, "{later} s later");
    }
    for (word, rows) in [("no", "[]"), ("sesame", "[{\"id\":1}]"), ("no", "[]")] {
        let mut ask = Ask::new("anon", "GET", "/rest/v1/keyed?id=eq.1&select=id", "");
        ask.headers.push(("x-request-id".to_owned(), word.to_owned()));
        assert_eq!(served.ask(&ask).await.body, rows, "{word}");
    }
    assert_eq!(served.app.kept_requests(), 0, "what depends on the moment was kept");
}

/// A read that is charged for is charged for each time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_count_each_read() {
    let served = server(512).await;
    served.row("limited", &json!({ "id": 1 })).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(served.ask(&Ask::new("anon", "GET", "/rest/v1/limited?id=eq.1", "")).await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
}

/// Somebody's role is taken away: the next read with a new token, of the same form, shows it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_role_is_another_caller() {
    let mut served = server(512).await;
    let target = "note?id=eq.1&select=id,secret";
    assert_eq!(body(&served, "cleo", target).await, "[{\"id\":1,\"secret\":null}]");
    assert_eq!(body(&served, "cleo", target).await, "[{\"id\":1,\"secret\":null}]");
    let cleo = served.person("cleo").clone();
    let change = json!({ "app_metadata": { "role": null } }).to_string();
    let change = Ask::new("service", "PUT", &format!("/auth/v1/admin/users/{}", cleo.id), &change);
    assert_eq!(served.ask(&change).await.status, 200);
    // an account's state is believed for a second
    served.clock.advance(2_000_000);
    assert_eq!(body(&served, "cleo", target).await, "[]");
    let refresh = json!({ "refresh_token": cleo.refresh }).to_string();
    let refresh = Ask::new("anon", "POST", "/auth/v1/token?grant_type=refresh_token", &refresh);
    let session = served.ask(&refresh).await;
    served.remember("cleo", &session.body);
    assert_eq!(body(&served, "cleo", target).await, "[]");
}
