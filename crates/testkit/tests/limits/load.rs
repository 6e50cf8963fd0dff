//! Limits of time and of queues: a rule that reads rows to the third power keeps the
//! server busy until its statement limit ends it.

use crate::refusal;
use backstay_base::limit::Limits;
use backstay_testkit::served::{Answer, Ask, Served, Setup};
use futures_util::future::join_all;
use serde_json::json;

const SLOW: &str = r#"
extend schema @rule(name: "slow", params: ["h"], expr: "h.items.exists(a, h.items.exists(b, h.items.exists(c, c.n < a.n - 1000 - b.n)))")
type Hub @access(read: "true") { id: Int!  items: [Item!]! }
type Item @access(read: "slow(this.hub)", create: "true") { id: Int!  hub: Hub!  n: Int! }
type Note @access(read: "true", create: "true", update: "slow(this.hub)") { id: Int!  hub: Hub  text: String }
"#;

/// Items of the one hub.
const ITEMS: i64 = 300;

async fn server(limits: Limits) -> Served {
    let served = Served::start(&Setup { sdl: SLOW.to_owned(), limits, ..Setup::default() }).await;
    served.row("hub", &json!({ "id": 1 })).await;
    served.row("note", &json!({ "id": 1, "hub_id": 1 })).await;
    // as a migration would, which no limit of statements holds: on a busy machine so many rows take as long
    let items: Vec<String> = (0..ITEMS).map(|n| format!("(1, {n})")).collect();
    served.sql(vec![format!("INSERT INTO item (hub_id, n) VALUES {}", items.join(", "))]).await;
    served
}

fn slow_read() -> Ask {
    Ask::new("anon", "GET", "/rest/v1/item?select=n&order=n", "")
}

fn slow_write() -> Ask {
    Ask::new("anon", "PATCH", "/rest/v1/note?id=eq.1", r#"{"text":"x"}"#)
}

fn is_timeout(answer: &Answer) -> bool {
    let timeout = (500, "57014".to_owned(), "canceling statement due to statement timeout".to_owned());
    refusal(answer) == timeout
}

fn is_full(answer: &Answer, what: &str) -> bool {
    let full = (503, "53400".to_owned(), format!("too many {what} are waiting; nothing was done"));
    refusal(answer) == full && answer.headers.contains(&("retry-after".to_owned(), "1".to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statement_ms() {
    let served = server(Limits { statement_ms: 30, ..Limits::default() }).await;
    for request in [slow_read(), slow_write()] {
        let answer = served.ask(&request).await;
        assert!(is_timeout(&answer), "{request:?} {answer:?}");
    }
    // what was ended left nothing, and the connections work on
    let after = served.ask(&Ask::new("anon", "GET", "/rest/v1/note?select=text", "")).await;
    assert_eq!(after.body, r#"[{"text":null}]"#);
    let write = served.ask(&Ask::new("anon", "POST", "/rest/v1/note", r#"{"text":"y"}"#)).await;
    assert_eq!(write.status, 201, "{}", write.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_queue() {
    let served = server(Limits { statement_ms: 300, read_queue: 1, ..Limits::default() }).await;
    // more than run at a time on any engine: one that waits, and those for whom there is no place
    let running = std::thread::available_parallelism().unwrap().get().max(40);
    let requests: Vec<Ask> = (0..running + 8).map(|_| slow_read()).collect();
    let answers = join_all(requests.iter().map(|request| served.ask(request))).await;
    let full = answers.iter().filter(|answer| is_full(answer, "reads")).count();
    let ended = answers.iter().filter(|answer| is_timeout(answer)).count();
    assert_eq!((full > 0, full + ended), (true, answers.len()), "{answers:?}");
    // a read by key needs no place
    let short = served.ask(&Ask::new("anon", "GET", "/rest/v1/note?id=eq.1&select=id", "")).await;
    assert_eq!(short.body, r#"[{"id":1}]"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn write_queue() {
    let served = server(Limits { statement_ms: 300, write_queue: 1, ..Limits::default() }).await;
    let write = |n: usize| Ask::new("anon", "POST", "/rest/v1/note", &format!(r#"{{"text":"n{n}"}}"#));
    let requests: Vec<Ask> = std::iter::once(slow_write()).chain((0..64).map(write)).collect();
    let answers = join_all(requests.iter().map(|request| served.ask(request))).await;
    assert!(is_timeout(&answers[0]), "{:?}", answers[0]);
    let full = answers.iter().filter(|answer| is_full(answer, "writes")).count();
    let written = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!((full > 0, full + written + 1), (true, answers.len()), "{answers:?}");
    // nothing of what was refused is there, everything else is
    let request = Ask::new("anon", "GET", "/rest/v1/note?text=like.n*&select=id", "");
    let count = served.ask(&request.header("prefer", "count=exact")).await;
    let total = ("content-range".to_owned(), format!("0-{}/{written}", written.saturating_sub(1)));
    assert!(written == 0 || count.headers.contains(&total), "{count:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hash_queue() {
    let served = server(Limits { hash_queue: 1, ..Limits::default() }).await;
    let body = r#"{"email":"nobody@x.test","password":"guessed"}"#;
    let target = "/auth/v1/token?grant_type=password";
    let requests: Vec<Ask> = (0..16).map(|_| Ask::new("anon", "POST", target, body)).collect();
    let answers = join_all(requests.iter().map(|request| served.ask(request))).await;
    let busy = "over_request_rate_limit";
    let full = answers.iter().filter(|answer| refusal(answer).0 == 429 && refusal(answer).1 == busy).count();
    let judged = answers.iter().filter(|answer| refusal(answer).1 == "invalid_credentials").count();
    assert_eq!((full > 0, judged > 0, full + judged), (true, true, answers.len()), "{answers:?}");
}
