//! Several processes on one database, where what they count is counted together.

use crate::data::servers;
use crate::kit::{Project, ask};
use backstay_base::limit::Limits;
use backstay_testkit::database::Database;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

/// Rows that an account may make in an hour.
const RATE: usize = 48;
const ASKS: usize = 40;

/// What a node answers to somebody who makes a row.
fn make(url: &str, key: &str, token: &str, text: &str) -> String {
    let body = json!({ "text": text }).to_string();
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    write!(
        stream,
        "POST /rest/v1/note HTTP/1.1\r\nHost: x\r\nConnection: close\r\napikey: {key}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn three_processes_together_never_give_more_than_the_rate() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for server in servers() {
        let database = runtime.block_on(Database::on(&server, &Limits::default()));
        let mut project = Project::with(&format!(
            "type Note @access(create: \"auth.uid != null\", read: \"true\") \
             @limit(rate: \"{RATE}/hour\", by: \"auth.uid\", on: [CREATE]) {{\n  text: String!\n}}\n"
        ));
        project.set("DATABASE_URL", &database.url);
        let written = project.run(&["migrate", "new"]);
        assert_eq!(written.code, 0, "{written:?}");
        // all three begin at once, and one of them applies the migration
        let nodes = [(); 3].map(|()| project.serve()).map(|node| node.ready().0);
        let keys = project.json(&["keys", "list", "--reveal"]);
        let anon = keys["legacy"]["anon"].as_str().unwrap();
        let signed_up = |email: &str| {
            let person = json!({ "email": email, "password": "a long password" }).to_string();
            let made = ask(&nodes[0].url, anon, "POST", "/auth/v1/signup", &person).json();
            made["access_token"].as_str().unwrap().to_owned()
        };
        let (ann, bob) = (signed_up("ann@x.test"), signed_up("bob@x.test"));
        let began = Instant::now();
        let given: usize = std::thread::scope(|scope| {
            let asking = nodes.iter().enumerate().map(|(node, running)| {
                let (url, token) = (running.url.as_str(), ann.as_str());
                scope.spawn(move || {
                    let answers = (0..ASKS).map(|ask| make(url, anon, token, &format!("{node} {ask}")));
                    answers.filter(|answer| is_given(answer)).count()
                })
            });
            asking.collect::<Vec<_>>().into_iter().map(|asks| asks.join().unwrap()).sum()
        });
        // what time brings back meanwhile; bunches that nobody wants are lost, a sixteenth of a bucket per node at most
        let back = usize::try_from(began.elapsed().as_secs()).unwrap() * RATE / 3_600 + 1;
        assert!((RATE - RATE / 16 * 3..=RATE + back).contains(&given), "{server}: {given} were given");
        let counted = runtime.block_on(database.texts("SELECT count(*) FROM note"));
        assert_eq!(counted, [given.to_string()], "{server}");
        // somebody else has all of theirs, at any node
        for node in &nodes {
            assert!(is_given(&make(&node.url, anon, &bob, "bob's")), "{server}");
        }
        // a node that begins anew has not forgotten
        let [first, ..] = nodes;
        drop(first);
        let (again, _) = project.serve().ready();
        let more =
            (0..ASKS).filter(|ask| is_given(&make(&again.url, anon, &ann, &format!("again {ask}")))).count();
        assert!(given + more <= RATE + back + 1, "{server}: {given} and {more} were given");
    }
}

/// Whether a row was made; else the answer says when to come again.
fn is_given(answer: &str) -> bool {
    if answer.starts_with("HTTP/1.1 201 ") {
        return true;
    }
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 429 ") && head.to_ascii_lowercase().contains("\r\nretry-after: "),
        "{answer}"
    );
    assert!(body.contains("\"code\":\"PT429\""), "{answer}");
    false
}
