//! What has ended is forgotten, by one node at a time and some rows at a time; and two who change an account at once
//! both do.

use crate::SCHEMA;
use backstay_auth::bucket::{Bucket, Rate};
use backstay_auth::settings::Settings;
use backstay_base::limit::Limits;
use backstay_engine::lease::{LeaseAction, LeaseAnswer, LeaseRequest};
use backstay_server::house::{DUTY, Done, House};
use backstay_testkit::served::{Answer, Ask, Served, Setup};
use futures_util::future::join_all;
use serde_json::{Value, json};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

async fn served() -> Served {
    let sdl = format!(
        "{SCHEMA} type User @user @access(read: \"this == auth.user\") {{ role: String email: String }}"
    );
    let auth = Settings { autoconfirm: false, session_s: 0, ..Settings::default() };
    Served::start(&Setup { sdl, auth, roles: vec!["staff".into()], ..Setup::default() }).await
}

fn node(served: &Served, holder: &str, prune_rows: u64) -> House {
    let limits = Limits { prune_rows, ..Limits::default() };
    House { limits, ..House::of(&served.app, holder.to_owned()) }
}

async fn round(served: &Served, node: &House) -> Option<Vec<Done>> {
    let done = node.round(&served.app.catalog().unwrap()).await.unwrap();
    for one in done.iter().flatten() {
        assert!(one.fault.is_none(), "{one:?}");
        assert_eq!(one.batches, one.rows.div_ceil(node.limits.prune_rows), "{one:?}");
    }
    done
}

async fn kept(served: &Served, node: &House) -> Vec<Done> {
    round(served, node).await.unwrap()
}

fn of(done: &[Done], table: &str) -> u64 {
    done.iter().filter(|done| done.name == table).map(|done| done.rows).sum()
}

async fn fill_buckets(served: &Served, from: std::ops::Range<usize>) {
    for number in from {
        let bucket =
            Bucket { limit: "test", whose: &number.to_string(), rate: Rate { tokens: 2, period_s: 60 } };
        served.app.auth.take(bucket, 2).await.unwrap();
    }
}

async fn post(served: &Served, target: &str, body: &Value) -> Answer {
    served.ask(&Ask::new("anon", "POST", &format!("/auth/v1{target}"), &body.to_string())).await
}

fn read(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_str(&answer.body).unwrap()
}

/// A confirmed account by an admin, signed in.
async fn signed_in(served: &Served, email: &str) -> (String, Value) {
    let account = json!({ "email": email, "password": "hunter22", "email_confirm": true });
    let made = served.ask(&Ask::new("service", "POST", "/auth/v1/admin/users", &account.to_string())).await;
    let id = read(&made)["id"].as_str().unwrap().to_owned();
    let session = json!({ "email": email, "password": "hunter22" });
    (id, read(&post(served, "/token?grant_type=password", &session).await))
}

#[tokio::test]
async fn what_has_ended_is_forgotten_and_nothing_else() {
    let served = served().await;
    let keeper = node(&served, "a", 2);
    let (_, session) = signed_in(&served, "ann@x.test").await;
    let mut tokens = vec![session["refresh_token"].as_str().unwrap().to_owned()];
    for _ in 0..5 {
        served.clock.advance(60 * SECOND);
        let next =
            post(&served, "/token?grant_type=refresh_token", &json!({ "refresh_token": tokens.last() }))
                .await;
        tokens.push(read(&next)["refresh_token"].as_str().unwrap().to_owned());
    }
    for number in 0..3 {
        fill_buckets(&served, number..number + 1).await;
        post(&served, "/otp", &json!({ "email": format!("o{number}@x.test") })).await;
    }
    let early = kept(&served, &keeper).await;
    assert_eq!(early.iter().map(|done| done.rows).sum::<u64>(), 0, "{early:?}");
    // an hour to spare, for clocks that differ
    served.clock.advance(HOUR + 59 * 60 * SECOND);
    let buckets = of(&kept(&served, &keeper).await, "_backstay_bucket");
    assert!(buckets >= 3, "{buckets}");
    served.clock.advance(2 * HOUR);
    let pruned = kept(&served, &keeper).await;
    assert_eq!(of(&pruned, "_backstay_one_time_token"), 3, "{pruned:?}");
    assert_eq!(of(&pruned, "_backstay_refresh_token"), 0);
    served.clock.advance(2 * DAY);
    assert!(of(&kept(&served, &keeper).await, "_backstay_mail_sent") >= 3);
    served.clock.advance(30 * DAY);
    let pruned = kept(&served, &keeper).await;
    assert_eq!(of(&pruned, "_backstay_refresh_token"), 5, "{pruned:?}");
    // the live one goes on, and a forgotten one is none
    let old = post(&served, "/token?grant_type=refresh_token", &json!({ "refresh_token": tokens[0] })).await;
    assert_eq!(old.status, 400, "{old:?}");
    read(&post(&served, "/token?grant_type=refresh_token", &json!({ "refresh_token": tokens[5] })).await);
}

#[tokio::test]
async fn one_node_keeps_house_at_a_time() {
    let served = served().await;
    let nodes = [node(&served, "a", 1), node(&served, "b", 1)];
    fill_buckets(&served, 0..12).await;
    served.clock.advance(DAY);
    let ask = async |holder: &str, action| {
        let request = LeaseRequest { name: DUTY.into(), holder: holder.into(), action };
        served.app.engine.lease(&request).await.unwrap()
    };
    let LeaseAnswer::Held { fence } = ask("other", LeaseAction::Take { ttl_ms: 60_000 }).await else {
        panic!("nobody else asked")
    };
    assert!(round(&served, &nodes[0]).await.is_none());
    ask("other", LeaseAction::Release { fence }).await;
    let (one, other) = tokio::join!(round(&served, &nodes[0]), round(&served, &nodes[1]));
    let gone: u64 = [one, other].iter().flatten().map(|done| of(done, "_backstay_bucket")).sum();
    assert_eq!(gone, 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_changes_an_account_at_once_changes_what_he_was_asked_to() {
    let served = served().await;
    let (id, session) = signed_in(&served, "ann@x.test").await;
    let token = format!("Bearer {}", session["access_token"].as_str().unwrap());
    let own = |number: usize| {
        let body = json!({ "data": { format!("own{number}"): number } }).to_string();
        Ask::new("anon", "PUT", "/auth/v1/user", &body).header("authorization", &token)
    };
    let admin = |number: usize| {
        let body = match number % 3 {
            0 => json!({ "app_metadata": { format!("app{number}"): number } }),
            1 => json!({ "user_metadata": { format!("by{number}"): number } }),
            _ => json!({ "ban_duration": "none", "app_metadata": { "role": "staff" } }),
        };
        Ask::new("service", "PUT", &format!("/auth/v1/admin/users/{id}"), &body.to_string())
    };
    let asks: Vec<Ask> =
        (0..24).map(|number| if number % 2 == 0 { own(number) } else { admin(number) }).collect();
    for answer in join_all(asks.iter().map(|ask| served.ask(ask))).await {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let found = served.ask(&Ask::new("service", "GET", &format!("/auth/v1/admin/users/{id}"), "")).await;
    let found = read(&found);
    for number in 0..24_usize {
        let (object, name) = match (number % 2, number % 3) {
            (0, _) => ("user_metadata", format!("own{number}")),
            (_, 0) => ("app_metadata", format!("app{number}")),
            (_, 1) => ("user_metadata", format!("by{number}")),
            _ => continue,
        };
        assert_eq!(found[object][&name], json!(number), "{found}");
    }
    assert_eq!(found["app_metadata"]["role"], "staff");
    assert_eq!(found["email"], "ann@x.test");
}
