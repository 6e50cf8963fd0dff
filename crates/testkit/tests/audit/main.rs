//! Audits beyond the cases: what is too old is forgotten, and whatever random writes do, the
//! entries in their order lead from nothing to the rows as they stand.

#![cfg(test)]

use backstay_base::limit::Limits;
use backstay_server::house::House;
use backstay_testkit::seed::{cases, seeded};
use backstay_testkit::served::{Ask, Served, Setup};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SCHEMA: &str = r#"
type User @user { name: String }
type Tree @table(audit: true) @access(all: "true") {
  id: Int!
  parent: Tree @relation(onDelete: CASCADE)
  friend: Tree
  name: String
  slug: String @unique
  size: Float
  loud: String @computed(expr: "this.name + '!'", stored: true)
  leaves: [Leaf!]!
}
type Leaf @table(audit: true, softDelete: true) @access(all: "true") {
  id: Int!
  tree: Tree @relation(onDelete: CASCADE)
  data: JSON
}
"#;

async fn server(audit_days: u32) -> Served {
    let limits = Limits { audit_days, rows: 100_000, ..Limits::default() };
    Served::start(&Setup { sdl: SCHEMA.to_owned(), limits, tx_rollback: true, ..Setup::default() }).await
}

async fn write(served: &Served, leaf: &Value) {
    let answer = served.ask(&Ask::new("service", "POST", "/rest/v1/leaf", &leaf.to_string())).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}

async fn rows(served: &Served, target: &str) -> Vec<Value> {
    let answer = served.ask(&Ask::new("service", "GET", target, "")).await;
    assert_eq!(answer.status, 200, "{target} {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_old_is_forgotten() {
    const DAY: i64 = 24 * 60 * 60 * 1_000_000;
    let served = server(3).await;
    for day in 0..5 {
        write(&served, &json!({ "id": day, "data": day })).await;
        served.clock.advance(DAY);
    }
    let ids = || async {
        let entries = rows(&served, "/rest/v1/leaf_audit?select=row_id&order=id").await;
        entries.iter().map(|entry| entry["row_id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids().await, [0, 1, 2, 3, 4]);
    assert_eq!(kept(&served, &node(&served, "a", 3)).await, Some(vec![("leaf_audit".to_owned(), 2, 1)]));
    assert_eq!(ids().await, [2, 3, 4]);
    assert_eq!(kept(&served, &node(&served, "a", 3)).await, Some(Vec::new()));
    let served = server(0).await;
    write(&served, &json!({ "id": 1 })).await;
    served.clock.advance(10_000 * DAY);
    assert_eq!(kept(&served, &node(&served, "a", 0)).await, Some(Vec::new()));
    assert_eq!(rows(&served, "/rest/v1/leaf_audit").await.len(), 1);
}

fn node(served: &Served, holder: &str, audit_days: u32) -> House {
    let limits = Limits { audit_days, prune_rows: 3, list: 1, ..Limits::default() };
    House { limits, ..House::of(&served.app, holder.to_owned()) }
}

/// What a node did to audits: table, entries, batches. None where another one is at it.
async fn kept(served: &Served, node: &House) -> Option<Vec<(String, u64, u64)>> {
    let done = node.round(&served.app.catalog().unwrap()).await.unwrap()?;
    let done = done.into_iter().inspect(|done| assert!(done.fault.is_none(), "{done:?}"));
    let told = done.filter(|done| done.name.ends_with("_audit") && done.rows > 0);
    Some(told.map(|done| (done.name, done.rows, done.batches)).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_nodes_forgets_and_some_entries_at_a_time() {
    let served = server(1).await;
    for id in 0..10 {
        write(&served, &json!({ "id": id })).await;
    }
    served.clock.advance(2 * 24 * 60 * 60 * 1_000_000);
    write(&served, &json!({ "id": 10 })).await;
    let nodes = [node(&served, "a", 1), node(&served, "b", 1)];
    let (one, other) = tokio::join!(kept(&served, &nodes[0]), kept(&served, &nodes[1]));
    // the second asked while the first was at it, or after it and found nothing
    let done: Vec<_> = [one, other].into_iter().flatten().flatten().collect();
    assert_eq!(done, [("leaf_audit".to_owned(), 10, 4)]);
    assert_eq!(rows(&served, "/rest/v1/leaf_audit").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_duty_that_cannot_be_done_does_not_hold_up_the_others() {
    let served = server(1).await;
    for table in ["tree", "leaf"] {
        let row = json!({ "id": 1 }).to_string();
        let made = served.ask(&Ask::new("service", "POST", &format!("/rest/v1/{table}"), &row)).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
    served.clock.advance(2 * 24 * 60 * 60 * 1_000_000);
    served.sql(vec!["ALTER TABLE leaf_audit RENAME TO elsewhere".to_owned()]).await;
    let done = node(&served, "a", 1).round(&served.app.catalog().unwrap()).await.unwrap().unwrap();
    let of = |table: &str| {
        let done = done.iter().find(|done| done.name == table).unwrap();
        (done.rows, done.fault.is_some())
    };
    assert_eq!((of("tree_audit"), of("leaf_audit")), ((1, false), (0, true)));
}

/// Random writes of every kind.
const WRITES: u64 = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_lead_to_the_rows_as_they_stand() {
    let mut rng = seeded("audit", 5);
    let served = server(365).await;
    let mut refused = 0;
    let total = cases(WRITES);
    for _ in 0..total {
        let ask = random(&mut rng);
        let answer = served.ask(&ask).await;
        // one upsert that names a row twice is 21000, which is a 500 on this wire
        assert!(answer.status < 500 || answer.body.contains("\"21000\""), "{answer:?}");
        refused += u64::from(answer.status >= 400);
    }
    assert!(refused * 2 < total, "{refused} of {total} refused");
    for (table, columns) in
        [("tree", "id,parent_id,friend_id,name,slug,size"), ("leaf", "id,tree_id,data,deleted_at")]
    {
        let stand =
            rows(&served, &format!("/rest/v1/{table}?select={columns}&order=id&deleted=include")).await;
        let entries = rows(&served, &format!("/rest/v1/{table}_audit?order=id&limit=1000000")).await;
        assert!(entries.len() as u64 > total / 10, "{} entries of {table}", entries.len());
        let told = played(&entries);
        let without_nulls = |row: &Value| {
            let members = row.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
            Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect())
        };
        let stand: BTreeMap<i64, Value> =
            stand.iter().map(|row| (row["id"].as_i64().unwrap(), without_nulls(row))).collect();
        let told: BTreeMap<i64, Value> = told.iter().map(|(id, row)| (*id, without_nulls(row))).collect();
        assert_eq!(told, stand, "{table}");
    }
}

/// The rows that these entries make; each entry must fit the row that the ones before it made.
fn played(entries: &[Value]) -> BTreeMap<i64, Value> {
    let mut made: BTreeMap<i64, Value> = BTreeMap::new();
    for entry in entries {
        let id = entry["row_id"].as_i64().unwrap();
        let (before, after) = (&entry["before"], &entry["after"]);
        if let Some(before) = before.as_object() {
            let row = made.get(&id).unwrap_or_else(|| panic!("{entry} tells of a row that is not there"));
            for (name, value) in before {
                assert_eq!(row.get(name).unwrap_or(&Value::Null), value, "{entry}");
            }
        } else {
            assert!(!made.contains_key(&id), "{entry} makes a row that is there");
        }
        match after.as_object() {
            Some(after) => {
                let row = made.entry(id).or_insert_with(|| json!({}));
                for (name, value) in after {
                    row[name] = value.clone();
                }
            }
            None => {
                made.remove(&id);
            }
        }
    }
    made
}

fn random(rng: &mut StdRng) -> Ask {
    let id = |rng: &mut StdRng| rng.random_range(1..25);
    let table = if rng.random_bool(0.5) { "tree" } else { "leaf" };
    let target = format!("/rest/v1/{table}");
    let some = format!("id=in.({},{},{})", id(rng), id(rng), id(rng));
    let ask = match (rng.random_range(0..6), table) {
        (0 | 1, _) => {
            let rows: Vec<Value> = (0..rng.random_range(1..4)).map(|_| row(table, rng)).collect();
            Ask::new("service", "POST", &target, &json!(rows).to_string())
                .header("Prefer", "resolution=merge-duplicates")
        }
        (2, _) => Ask::new("service", "POST", &target, &row(table, rng).to_string()),
        (3, _) => {
            let mut body = row(table, rng);
            body.as_object_mut().unwrap().remove("id");
            let with = format!("{target}?{some}&deleted=include");
            let slugged = body.get("slug").is_some_and(|slug| !slug.is_null());
            let with = if slugged { format!("{target}?id=eq.{}", id(rng)) } else { with };
            Ask::new("service", "PATCH", &with, &body.to_string())
        }
        (4, "tree") => {
            let body = json!({ "id": id(rng) }).to_string();
            Ask::new("service", "PATCH", &format!("{target}?id=eq.{}&leaves=is.null", id(rng)), &body)
        }
        (4, _) => Ask::new(
            "service",
            "PATCH",
            &format!("{target}?{some}&deleted=include"),
            r#"{"deleted_at":null}"#,
        ),
        (_, _) => Ask::new("service", "DELETE", &format!("{target}?{some}"), ""),
    };
    if rng.random_bool(0.1) { ask.header("Prefer", "tx=rollback") } else { ask }
}

fn row(table: &str, rng: &mut StdRng) -> Value {
    let id: i64 = rng.random_range(1..25);
    let maybe =
        |rng: &mut StdRng| if rng.random_bool(0.6) { Value::Null } else { json!(rng.random_range(1..25)) };
    if table == "leaf" {
        return json!({ "id": id, "tree_id": maybe(rng), "data": { "n": rng.random_range(0..9) } });
    }
    let slug =
        if rng.random_bool(0.7) { Value::Null } else { json!(format!("s{}", rng.random_range(0..30))) };
    json!({
        "id": id, "parent_id": maybe(rng), "friend_id": maybe(rng), "name": format!("n{}", rng.random_range(0..9)),
        "slug": slug, "size": f64::from(rng.random_range(0..40)) / 8.0,
    })
}
