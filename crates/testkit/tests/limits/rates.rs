//! Rates: `@limit` and those of the auth door, on buckets that nodes share. Three nodes are three
//! services over one database, each with its own memory.

use crate::refusal;
use backstay_auth::bucket::{Bucket, Rate};
use backstay_auth::rates::Rates;
use backstay_auth::service::{Auth, Parts};
use backstay_auth::settings::Settings;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_server::client_address::Proxies;
use backstay_testkit::served::{Answer, Ask, Served, Setup, egress};
use futures_util::future::join_all;
use std::sync::Arc;

fn node(served: &Served, seed: u64) -> Arc<Auth> {
    let auth = Arc::new(Auth::new(Parts {
        engine: Arc::clone(&served.app.engine),
        settings: Settings::default(),
        clock: served.clock.clone(),
        ids: Ids::seeded(served.clock.clone(), seed),
        limits: Limits::default(),
        mail: None,
        egress: egress(&Limits::default()),
    }));
    auth.load(served.app.catalog().unwrap());
    auth
}

/// Asks for single tokens at three nodes at once; how many were given.
async fn given(nodes: &[Arc<Auth>], bucket: Bucket<'_>, asks: usize) -> usize {
    let asks = (0..asks).map(|n| nodes[n % nodes.len()].take(bucket, 1));
    let answers = join_all(asks).await;
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(refused.code.text, "PT429", "{refused:?}");
    }
    answers.iter().filter(|answer| answer.is_ok()).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_never_give_more_than_the_rate() {
    let served = crate::server(Limits::default()).await;
    let nodes: Vec<Arc<Auth>> = (10..13).map(|seed| node(&served, seed)).collect();
    for tokens in [1, 7, 60] {
        let limit = format!("test {tokens}");
        let bucket = Bucket { limit: &limit, whose: "ann", rate: Rate { tokens, period_s: 60 } };
        let first = given(&nodes, bucket, 120).await;
        let most = usize::try_from(tokens).unwrap();
        // bunches that nobody wants are lost, a sixteenth of a bucket per node at most
        let least = most - most / 16 * nodes.len();
        assert!((least..=most).contains(&first), "{tokens}: {first} were given");
        assert!(given(&nodes, bucket, 30).await <= most - first);
        // another caller has another bucket
        let other = Bucket { whose: "bob", ..bucket };
        assert!(given(&nodes, other, 1).await == 1);
        // half of the time brings half of the bucket
        served.clock.advance(30_000_000);
        let half = given(&nodes, bucket, 120).await;
        assert!(half <= most.div_ceil(2), "{tokens}: {half} were given after half of the time");
        assert!(most == 1 || half >= 1, "{tokens}: none was given after half of the time");
        served.clock.advance(600_000_000);
        assert!(given(&nodes, bucket, 120).await <= most, "a bucket holds no more than it holds");
    }
}

#[tokio::test]
async fn a_node_that_forgot_asks_the_database() {
    let served = crate::server(Limits::default()).await;
    let bucket = Bucket { limit: "test", whose: "ann", rate: Rate { tokens: 2, period_s: 60 } };
    assert!(node(&served, 1).take(bucket, 2).await.is_ok());
    let refused = node(&served, 2).take(bucket, 1).await.expect_err("it is empty");
    assert_eq!((refused.code.text, refused.retry_after_s), ("PT429", Some(30)));
    node(&served, 3).owe(bucket, 2).await.unwrap();
    let refused = node(&served, 4).take(bucket, 1).await.expect_err("and two are owed");
    assert_eq!(refused.retry_after_s, Some(90));
    served.clock.advance(90_000_000);
    assert!(node(&served, 5).take(bucket, 1).await.is_ok());
    let never = node(&served, 6).take(bucket, 3).await.expect_err("it never holds so many");
    assert_eq!(never.message, "one request may carry at most 2 rows here");
}

async fn limited() -> Served {
    let rates = Rates { sign_in_sign_ups: 2, token_refresh: 1, token_verifications: 1, email_sent: 1 };
    let proxies = Proxies { trusted: vec!["127.0.0.1/32".parse().unwrap()], ..Proxies::default() };
    let auth = Settings { rates, ..Settings::default() };
    Served::start(&Setup { sdl: crate::SCHEMA.to_owned(), auth, proxies, ..Setup::default() }).await
}

async fn from(served: &Served, address: &str, target: &str, body: &str) -> Answer {
    let request = Ask::new("anon", "POST", target, body);
    served.ask(&request.header("x-forwarded-for", address)).await
}

const SIGN_IN: &str = "/auth/v1/token?grant_type=password";
const WRONG: &str = r#"{"email":"a@x.test","password":"guessed1"}"#;

fn is_over(answer: &Answer, code: &str, seconds: &str) -> bool {
    let over = (429, code.to_owned(), "Request rate limit reached".to_owned());
    refusal(answer) == over && answer.headers.contains(&("retry-after".to_owned(), seconds.to_owned()))
}

#[tokio::test]
async fn an_address_guesses_so_often_and_no_more() {
    let served = limited().await;
    for _ in 0..2 {
        let judged = from(&served, "198.51.100.1", SIGN_IN, WRONG).await;
        assert_eq!(refusal(&judged).1, "invalid_credentials", "{judged:?}");
    }
    for target in
        [SIGN_IN, "/auth/v1/signup", "/auth/v1/signup/", "/auth/v1/token", "/auth/v1/token?grant_type=pkce"]
    {
        let over = from(&served, "198.51.100.1", target, WRONG).await;
        assert!(is_over(&over, "over_request_rate_limit", "150"), "{target} {over:?}");
    }
    // what the client wrote into the list itself is not believed
    let over = from(&served, "203.0.113.77, 198.51.100.1", SIGN_IN, WRONG).await;
    assert!(is_over(&over, "over_request_rate_limit", "150"), "{over:?}");
    let mapped = from(&served, "::ffff:198.51.100.1", SIGN_IN, WRONG).await;
    assert!(is_over(&mapped, "over_request_rate_limit", "150"), "{mapped:?}");
    // others are not held up, and the sessions that are there go on
    let other = from(&served, "198.51.100.2", SIGN_IN, WRONG).await;
    assert_eq!(refusal(&other).1, "invalid_credentials");
    served.clock.advance(150_000_000);
    let again = from(&served, "198.51.100.1", SIGN_IN, WRONG).await;
    assert_eq!(refusal(&again).1, "invalid_credentials");
}

#[tokio::test]
async fn a_network_of_ipv6_is_one_address() {
    let served = limited().await;
    for last in ["1", "2"] {
        let judged = from(&served, &format!("2001:db8:1:2::{last}"), SIGN_IN, WRONG).await;
        assert_eq!(refusal(&judged).1, "invalid_credentials");
    }
    let over = from(&served, "2001:db8:1:2:ffff::3", SIGN_IN, WRONG).await;
    assert!(is_over(&over, "over_request_rate_limit", "150"), "{over:?}");
    let other = from(&served, "2001:db8:1:3::1", SIGN_IN, WRONG).await;
    assert_eq!(refusal(&other).1, "invalid_credentials");
}

#[tokio::test]
async fn each_kind_has_a_bucket_and_this_machine_none() {
    let served = limited().await;
    for (target, body, code, seconds) in [
        (
            "/auth/v1/token?grant_type=refresh_token",
            r#"{"refresh_token":"x"}"#,
            "over_request_rate_limit",
            "300",
        ),
        (
            "/auth/v1/verify",
            r#"{"type":"email","token":"123456","email":"a@x.test"}"#,
            "over_request_rate_limit",
            "300",
        ),
        ("/auth/v1/recover", r#"{"email":"a@x.test"}"#, "over_email_send_rate_limit", "3600"),
    ] {
        let first = from(&served, "198.51.100.1", target, body).await;
        assert_ne!(first.status, 429, "{target} {first:?}");
        let second = from(&served, "198.51.100.1", target, body).await;
        assert!(is_over(&second, code, seconds), "{target} {second:?}");
    }
    let otp = from(&served, "198.51.100.1", "/auth/v1/otp", r#"{"email":"b@x.test"}"#).await;
    assert!(is_over(&otp, "over_email_send_rate_limit", "3600"), "one bucket for all letters: {otp:?}");
    for _ in 0..5 {
        let local = served.ask(&Ask::new("anon", "POST", SIGN_IN, WRONG)).await;
        assert_eq!(refusal(&local).1, "invalid_credentials");
    }
}
