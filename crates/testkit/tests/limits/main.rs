//! Every field of `Limits` is met by a test: those of a request here, those of a socket
//! in `socket.rs`, those of queues and time in `load.rs`. The list below stops compiling
//! when a limit is added.

#![cfg(test)]

mod housekeeping;
mod load;
mod profiles;
mod rates;
mod socket;

use backstay_base::limit::Limits;
use backstay_testkit::served::{Answer, Ask, Served, Setup};
use serde_json::Value;

/// Where each limit is met.
#[test]
fn every_limit_has_its_test() {
    let Limits {
        body_bytes: _,         // here
        target_bytes: _,       // here
        rows: _,               // here
        write_rows: _,         // here
        depth: _,              // here
        nodes: _,              // here
        hops: _,               // here
        list: _,               // here
        document_values: _,    // here
        pattern_bytes: _,      // here
        pattern_steps: _,      // here
        extras_keys: _,        // here
        extras_bytes: _,       // here
        extras_depth: _,       // here
        recurring_requests: _, // testkit/tests/recurring
        statement_ms: _,       // load; engine-sqlite/tests/engine/durability.rs
        write_queue: _,        // load
        read_queue: _,         // load
        connections: _,        // socket
        in_flight: _,          // socket
        slow_bodies: _,        // socket
        bodies_bytes: _,       // here
        head_ms: _,            // socket
        idle_ms: _,            // socket
        stall_ms: _,           // socket
        body_ms: _,            // socket
        hash_queue: _,         // load; auth/src/hasher.rs
        mail_queue: _,         // outbound/src/mail.rs
        mailbox: _,            // outbound/src/mailbox.rs
        egress_bytes: _,       // outbound/src/egress/tests.rs
        egress_ms: _,          // outbound/src/egress/tests.rs
        audit_days: _,         // testkit/tests/audit
        prune_rows: _,         // housekeeping
        used_token_days: _,    // housekeeping
        password_bytes: _,     // here; auth/src/password.rs
        linger_ms: _,          // socket
        drain_ms: _,           // socket
        migration_wait_ms: _,  // migrate/tests/servers
    } = Limits::default();
}

/// Anybody may do anything with a row; nodes and their children nest without end.
pub(crate) const SCHEMA: &str = r#"
type Node @access(all: "true") { id: Int!  text: String  parent: Node  children: [Node!]! }
"#;

pub(crate) async fn server(limits: Limits) -> Served {
    Served::start(&Setup { sdl: SCHEMA.to_owned(), limits, ..Setup::default() }).await
}

/// Status and code of a refusal, and what it says.
pub(crate) fn refusal(answer: &Answer) -> (u16, String, String) {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let code = text("error_code").or_else(|| text("code")).unwrap_or_default();
    (answer.status, code, text("message").or_else(|| text("msg")).unwrap_or_default())
}

fn too_complex(message: &str) -> (u16, String, String) {
    (400, "54001".to_owned(), message.to_owned())
}

/// Asks as nobody in particular; `request` is `METHOD target`.
async fn ask(served: &Served, request: &str, body: &str) -> Answer {
    let (method, target) = request.split_once(' ').unwrap();
    served.ask(&Ask::new("anon", method, target, body)).await
}

#[tokio::test]
async fn body_bytes() {
    let served = server(Limits { body_bytes: 20, ..Limits::default() }).await;
    let fits = ask(&served, "POST /rest/v1/node", r#"{"text":"12345678"}"#).await;
    assert_eq!(fits.status, 201, "{}", fits.body);
    let over = ask(&served, "POST /rest/v1/node", r#"{"text":"1234567890"}"#).await;
    assert_eq!(refusal(&over), too_complex("the body is too large"));
    let auth = ask(&served, "POST /auth/v1/signup", r#"{"email":"a@x.test"}   "#).await;
    let expected = (400, "validation_failed".to_owned(), "the body is too large".to_owned());
    assert_eq!(refusal(&auth), expected);
}

/// [a few bytes that become gigabytes]
#[tokio::test]
async fn packed_bodies_are_refused_unread() {
    let served = server(Limits::default()).await;
    let post = |target: &str, encoding: &str| {
        Ask::new("service", "POST", target, r#"{"text":"a"}"#).header("content-encoding", encoding)
    };
    for encoding in ["gzip", "br", "deflate, gzip", "identity, gzip", "x"] {
        let over = served.ask(&post("/rest/v1/node", encoding)).await;
        assert_eq!(refusal(&over), (400, "PGRST102".to_owned(), "the body is packed".to_owned()));
        let over = served.ask(&post("/auth/v1/signup", encoding)).await;
        assert_eq!(refusal(&over), (422, "validation_failed".to_owned(), "the body is packed".to_owned()));
    }
    assert_eq!(served.ask(&post("/rest/v1/node", "Identity")).await.status, 201);
}

#[tokio::test]
async fn bodies_bytes() {
    let served = server(Limits { bodies_bytes: 8192, ..Limits::default() }).await;
    let fits = ask(&served, "POST /rest/v1/node", &format!("{{\"text\":\"{}\"}}", "a".repeat(8000))).await;
    assert_eq!(fits.status, 201, "{}", fits.body);
    let body = format!("{{\"text\":\"{}\"}}", "a".repeat(8192));
    let over = ask(&served, "POST /rest/v1/node", &body).await;
    let full = (503, "53400".to_owned(), "too many bodies are held; nothing was done".to_owned());
    assert_eq!(refusal(&over), full);
    assert!(over.headers.contains(&("retry-after".to_owned(), "1".to_owned())), "{over:?}");
    // what was refused holds no room
    assert_eq!(ask(&served, "POST /rest/v1/node", r#"{"text":"b"}"#).await.status, 201);
}

#[tokio::test]
async fn target_bytes() {
    let served = server(Limits { target_bytes: 30, ..Limits::default() }).await;
    assert_eq!(ask(&served, "GET /rest/v1/node?text=eq.1234567", "").await.status, 200);
    let over = ask(&served, "GET /rest/v1/node?text=eq.12345678901", "").await;
    assert_eq!(refusal(&over), too_complex("the request target is too long"));
    let auth = ask(&served, "GET /auth/v1/settings?padding=1234567890", "").await;
    assert_eq!(refusal(&auth).0, 400);
}

#[tokio::test]
async fn rows() {
    let served = server(Limits { rows: 2, ..Limits::default() }).await;
    ask(&served, "POST /rest/v1/node", r#"[{"text":"a"},{"text":"b"},{"text":"c"}]"#).await;
    for target in ["select=id", "select=id&limit=3", "select=id&limit=9999999999999999999"] {
        let cut = ask(&served, &format!("GET /rest/v1/node?{target}"), "").await;
        assert_eq!((cut.status, cut.body.as_str()), (200, r#"[{"id":1},{"id":2}]"#), "{target}");
    }
    let ranged = Ask::new("anon", "GET", "/rest/v1/node?select=id", "").header("range", "0-2");
    let ranged = served.ask(&ranged.header("prefer", "count=exact")).await;
    assert_eq!((ranged.status, ranged.body.as_str()), (206, r#"[{"id":1},{"id":2}]"#));
}

#[tokio::test]
async fn write_rows() {
    let served = server(Limits { write_rows: 2, ..Limits::default() }).await;
    let fits = ask(&served, "POST /rest/v1/node", r#"[{"text":"a"},{"text":"b"}]"#).await;
    assert_eq!(fits.status, 201);
    let over = ask(&served, "POST /rest/v1/node", r#"[{"text":"a"},{"text":"b"},{"text":"c"}]"#).await;
    assert_eq!(refusal(&over), too_complex("request passes the limit of 2 rows of one write"));
}

#[tokio::test]
async fn depth() {
    let served = server(Limits { depth: 3, ..Limits::default() }).await;
    let logic = |levels: usize| {
        let (open, close) = ("or(id.eq.1,".repeat(levels - 1), ")".repeat(levels - 1));
        format!("GET /rest/v1/node?or=({open}id.eq.2{close})")
    };
    let embeds = |levels: usize| {
        format!("GET /rest/v1/node?select=id{}{}", ",children(id".repeat(levels), ")".repeat(levels))
    };
    let over = "request passes the limit of 3 levels of nesting";
    for request in [logic(3), embeds(3)] {
        let answer = ask(&served, &request, "").await;
        assert_eq!(answer.status, 200, "{request} {}", answer.body);
    }
    for request in [logic(4), embeds(4), logic(900), embeds(900)] {
        assert_eq!(refusal(&ask(&served, &request, "").await), too_complex(over), "{request}");
    }
    let filters = "PATCH /rest/v1/node?and=(and(and(and(id.eq.1))))";
    assert_eq!(refusal(&ask(&served, filters, r#"{"text":"x"}"#).await), too_complex(over));
}

#[tokio::test]
async fn nodes() {
    let served = server(Limits { nodes: 8, ..Limits::default() }).await;
    let over = "request passes the limit of 8 filters, columns and embeds";
    let columns = |count: usize| format!("GET /rest/v1/node?select={}", vec!["id"; count].join(","));
    assert_eq!(ask(&served, &columns(8), "").await.status, 200);
    let filters = format!("GET /rest/v1/node?select=id{}", "&id=gt.0".repeat(9));
    let order = format!("GET /rest/v1/node?select=id&order={}", ["id"; 9].join(","));
    let embeds = format!("GET /rest/v1/node?select={}", ["children(id)"; 5].join(","));
    let logic = format!("GET /rest/v1/node?or=({})", ["id.eq.1"; 9].join(","));
    for request in [columns(9), filters, order, embeds, logic] {
        assert_eq!(refusal(&ask(&served, &request, "").await), too_complex(over), "{request}");
    }
    let members: Vec<String> = (0..9).map(|n| format!(r#""m{n}":1"#)).collect();
    let wide = ask(&served, "POST /rest/v1/node", &format!("{{{}}}", members.join(","))).await;
    assert_eq!(refusal(&wide), too_complex("request passes the limit of 8 columns of one write"));
}

#[tokio::test]
async fn hops() {
    let served = server(Limits { hops: 2, ..Limits::default() }).await;
    let fits = "GET /rest/v1/node?select=id,children(id),parent(id)";
    assert_eq!(ask(&served, fits, "").await.status, 200);
    let over = "request passes the limit of 2 relations";
    for request in [
        "GET /rest/v1/node?select=id,children(id),parent(id,parent(id))",
        "GET /rest/v1/node?select=id,a:children(),b:children(),c:children()&a=not.is.null",
        "GET /rest/v1/node?select=id,...parent(text),a:children(count),b:children(count)",
        "POST /rest/v1/node?select=id,a:parent(id),b:parent(id),c:parent(id)",
    ] {
        let body = if request.starts_with("POST") { r#"{"text":"x"}"# } else { "" };
        let asked =
            Ask::new("anon", request.split_once(' ').unwrap().0, request.split_once(' ').unwrap().1, body);
        let answer = served.ask(&asked.header("prefer", "return=representation")).await;
        assert_eq!(refusal(&answer), too_complex(over), "{request}");
    }
    assert_eq!(ask(&served, "GET /rest/v1/node?select=id", "").await.body, "[]", "nothing was written");
}

#[tokio::test]
async fn list() {
    let served = server(Limits { list: 3, ..Limits::default() }).await;
    let over = "request passes the limit of 3 elements of a list";
    assert_eq!(ask(&served, "GET /rest/v1/node?id=in.(1,2,3)", "").await.status, 200);
    for request in [
        "GET /rest/v1/node?id=in.(1,2,3,4)",
        "GET /rest/v1/node?id=not.in.(1,2,3,4)",
        "GET /rest/v1/node?id=eq(any).{1,2,3,4}",
        "GET /rest/v1/node?or=(id.in.(1,2,3,4),id.eq.1)",
        "DELETE /rest/v1/node?id=in.(1,2,3,4)",
    ] {
        assert_eq!(refusal(&ask(&served, request, "").await), too_complex(over), "{request}");
    }
}

#[tokio::test]
async fn document_values() {
    let limits = Limits { document_values: 5, depth: 3, ..Limits::default() };
    let sdl = r#"type Node @access(all: "true") { id: Int!  doc: JSON }"#.to_owned();
    let served = Served::start(&Setup { sdl, limits, ..Setup::default() }).await;
    for fits in [r#"{"a":1,"b":[2,3]}"#, r#"["[,{","\\",{},[]]"#, "[[[]]]"] {
        for test in ["cs", "cd", "not.cs"] {
            let answer = ask(&served, &format!("GET /rest/v1/node?doc={test}.{fits}"), "").await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "[]"), "{test} {fits}");
        }
    }
    let over = "request passes the limit of 5 values of a document";
    for target in [
        r#"doc=cs.{"a":1,"b":[2,3,4]}"#,
        "doc=not.cd.[1,2,3,4,5]",
        r#"or=(doc.cs."{\"a\":[1,2,3,{}]}",id.eq.1)"#,
        r#"doc->a=cd.[[],[],[[]],[]]"#,
    ] {
        let large = ask(&served, &format!("GET /rest/v1/node?{target}"), "").await;
        assert_eq!(refusal(&large), too_complex(over), "{target}");
    }
    let deep = ask(&served, "GET /rest/v1/node?doc=cs.[[[[]]]]", "").await;
    assert_eq!(refusal(&deep), too_complex("request passes the limit of 3 levels of nesting"));
}

#[tokio::test]
async fn extras_keys_bytes_and_depth() {
    let limits = Limits { extras_keys: 2, extras_bytes: 21, extras_depth: 1, ..Limits::default() };
    let sdl = r#"type Node @table(strict: false) @access(all: "true") { id: String! }"#.to_owned();
    let served = Served::start(&Setup { sdl, limits, ..Setup::default() }).await;
    let ways = ["POST /rest/v1/node", "PATCH /rest/v1/node?id=eq.1", "PUT /rest/v1/node?id=eq.1"];
    assert_eq!(ask(&served, "POST /rest/v1/node", r#"{"id":"1","a":"123456","b":[]}"#).await.status, 201);
    for way in ways {
        for (body, over) in [
            (r#"{"id":"1","a":1,"b":2,"c":3}"#, "a row keeps at most 2 values that have no field"),
            (
                r#"{"id":"1","a":"1234567","b":[]}"#,
                "a row keeps at most 21 bytes of values that have no field",
            ),
            (r#"{"id":"1","a":[[]]}"#, "values that have no field are nested at most 1 deep"),
        ] {
            assert_eq!(refusal(&ask(&served, way, body).await), too_complex(over), "{way} {body}");
        }
    }
    // what a row has already counts, but for where it goes
    let one_more = ask(&served, "PATCH /rest/v1/node?id=eq.1", r#"{"c":1}"#).await;
    assert_eq!(refusal(&one_more), too_complex("a row keeps at most 2 values that have no field"));
    assert_eq!(ask(&served, "PATCH /rest/v1/node?id=eq.1", r#"{"a":null,"c":1}"#).await.status, 204);
    assert_eq!(ask(&served, "PUT /rest/v1/node?id=eq.1", r#"{"id":"1","d":1,"e":2}"#).await.status, 204);
    assert_eq!(ask(&served, "GET /rest/v1/node", "").await.body, r#"[{"id":"1","d":1,"e":2}]"#);
}

#[tokio::test]
async fn pattern_bytes() {
    let served = server(Limits { pattern_bytes: 5, ..Limits::default() }).await;
    assert_eq!(ask(&served, "GET /rest/v1/node?text=match.abcde", "").await.status, 200);
    let over = "request passes the limit of 5 bytes of a pattern";
    for target in ["text=match.abcdef", "text=not.imatch.abcdef", "or=(text.match(any).{a,abcdef})"] {
        let over_long = ask(&served, &format!("GET /rest/v1/node?{target}"), "").await;
        assert_eq!(refusal(&over_long), too_complex(over), "{target}");
    }
}

#[tokio::test]
async fn pattern_steps() {
    let served = server(Limits { pattern_steps: 5, ..Limits::default() }).await;
    assert_eq!(ask(&served, "GET /rest/v1/node?text=match.a{5}", "").await.status, 200);
    let over = "request passes the limit of 5 steps of a pattern";
    for target in ["text=match.a{6}", "text=match.(ab|cd){2}", "text=imatch.abc"] {
        let dear = ask(&served, &format!("GET /rest/v1/node?{target}"), "").await;
        assert_eq!(refusal(&dear), too_complex(over), "{target}");
    }
}

#[tokio::test]
async fn password_bytes() {
    let served = server(Limits { password_bytes: 10, ..Limits::default() }).await;
    let body = |password: &str| format!(r#"{{"email":"a@x.test","password":"{password}"}}"#);
    for target in ["/auth/v1/signup", "/auth/v1/token?grant_type=password"] {
        let over = ask(&served, &format!("POST {target}"), &body("12345678901")).await;
        let expected = (400, "validation_failed", "Password is longer than this server accepts");
        let (status, code, message) = refusal(&over);
        assert_eq!((status, code.as_str(), message.as_str()), expected, "{target}");
    }
    let fits = ask(&served, "POST /auth/v1/signup", &body("1234567890")).await;
    assert_eq!(fits.status, 200, "{}", fits.body);
}
