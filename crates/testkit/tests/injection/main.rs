//! Text that wants to be SQL, at every place of a request that holds text: values, lists,
//! patterns, names of columns, relations, types, tables and constraints, JSON paths,
//! cursors, bodies, headers. A value stays the value that it is, byte by byte; a name that
//! is none is refused in words; nothing else happens to what is stored.

#![cfg(test)]

use backstay_testkit::served::{Answer, Ask, Served, Setup};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

const SCHEMA: &str = r#"
type Note @access(all: "true") { id: Int!  text: String @unique  meta: JSON  marks: [Mark!]! }
type Mark @access(all: "true") { id: Int!  note: Note!  label: String }
type Secret { id: Int!  text: String! }
"#;

/// What closes the text that a payload may stand in.
const CLOSES: &[&str] = &[
    "", "'", "\"", "`", "')", "'))", "\")", "`)", "\\'", "\\", "';", "\";", "]]", "*/", "$$", "$q$", "%27",
    "%5c%27", "\u{ff07}", "\u{2bc}",
];

/// What it then wants to do.
const WANTS: &[&str] = &[
    " OR 1=1",
    " OR 'a'='a",
    " AND 1=2",
    " UNION SELECT id, text FROM secret",
    " UNION ALL SELECT NULL, NULL, NULL",
    "; DROP TABLE note",
    "; DELETE FROM note",
    "; UPDATE note SET text = 'owned'",
    "; ATTACH DATABASE '/tmp/x' AS x",
    "; COPY note TO PROGRAM 'true'",
    " AND pg_sleep(5) IS NULL",
    " AND SLEEP(5)",
    " AND extractvalue(1, concat(0x7e, version()))",
    " || (SELECT text FROM secret LIMIT 1)",
    " INTO OUTFILE '/tmp/x'",
    "::regclass",
    ":=1",
    "{{7*7}}${7*7}",
    " IN (SELECT text FROM secret)",
    " LIKE '%' ESCAPE '",
];

/// What hides the rest.
const HIDES: &[&str] = &["", "-- -", "#", "/*", "$1 ? :x \u{1}"];

fn payloads() -> Vec<String> {
    let mut all = Vec::new();
    for close in CLOSES {
        for want in WANTS {
            for hide in HIDES {
                all.push([*close, *want, *hide].concat());
            }
        }
    }
    all
}

fn written(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A value within double quotes, as PostgREST's lists and logic take it.
fn quoted(text: &str) -> String {
    written(&format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

async fn get(served: &Served, target: &str) -> Answer {
    served.ask(&Ask::new("anon", "GET", target, "")).await
}

fn rows(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

async fn server() -> Served {
    let served = Served::start(&Setup { sdl: SCHEMA.to_owned(), ..Setup::default() }).await;
    served.row("note", &json!({ "id": 1, "text": "plain", "meta": { "a": "b" } })).await;
    served.row("mark", &json!({ "id": 1, "note_id": 1, "label": "m" })).await;
    served.row("secret", &json!({ "id": 1, "text": "nobody may know" })).await;
    served
}

async fn is_untouched(served: &Served) {
    let all = rows(&get(served, "/rest/v1/note?select=id,text,meta,marks(label)").await);
    assert_eq!(all, json!([{ "id": 1, "text": "plain", "meta": { "a": "b" }, "marks": [{ "label": "m" }] }]));
    let service = served.ask(&Ask::new("service", "GET", "/rest/v1/secret", "")).await;
    assert_eq!(service.body, "[{\"id\":1,\"text\":\"nobody may know\"}]");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_stays_what_it_is() {
    let served = server().await;
    let payloads = payloads();
    for (index, payload) in payloads.iter().enumerate() {
        let body =
            json!({ "id": index + 2, "text": payload, "meta": { payload.as_str(): payload } }).to_string();
        let made = served.ask(&Ask::new("service", "POST", "/rest/v1/note", &body)).await;
        assert_eq!(made.status, 201, "{payload:?}: {}", made.body);
    }
    for (index, payload) in payloads.iter().enumerate() {
        let id = index + 2;
        let mine = json!([{ "id": id }]);
        let in_path = quoted(payload);
        for (filter, whole) in [
            (format!("text=eq.{}", written(payload)), true),
            (format!("text=in.({})", quoted(payload)), true),
            (format!("or=(text.eq.{})", quoted(payload)), true),
            (format!("meta->>{in_path}=eq.{}", written(payload)), false),
        ] {
            let answer = get(&served, &format!("/rest/v1/note?select=id&{filter}")).await;
            if whole {
                assert_eq!(rows(&answer), mine, "{filter}");
            } else {
                // what stands in a path is read by the codec's own rules of names
                assert!(answer.status == 200 || answer.status == 400, "{filter}: {}", answer.body);
                let found: Value = serde_json::from_str(&answer.body).unwrap();
                assert!(answer.status == 400 || found == mine || found == json!([]), "{filter}: {found}");
            }
        }
    }
    let gone = served.ask(&Ask::new("anon", "DELETE", "/rest/v1/note?id=gt.1", "")).await;
    assert_eq!(gone.status, 204);
    is_untouched(&served).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_none_is_refused_in_words() {
    let served = server().await;
    for payload in payloads() {
        let text = written(&payload);
        for target in [
            format!("/rest/v1/note?select={text}"),
            format!("/rest/v1/note?select=id::{text}"),
            format!("/rest/v1/note?select=marks!{text}(label)"),
            format!("/rest/v1/note?select=text->{text}"),
            format!("/rest/v1/note?order={text}"),
            format!("/rest/v1/note?order=id.{text}"),
            format!("/rest/v1/note?{text}=eq.1"),
            format!("/rest/v1/note?id={text}"),
            format!("/rest/v1/note?id=eq.{text}"),
            format!("/rest/v1/note?id=in.({text})"),
            format!("/rest/v1/note?text={text}.x"),
            format!("/rest/v1/note?limit={text}"),
            format!("/rest/v1/note?offset={text}"),
            format!("/rest/v1/{text}"),
            format!("/rest/v1/rpc/{text}"),
        ] {
            let answer = get(&served, &target).await;
            assert!((200..500).contains(&answer.status), "{target}: {} {}", answer.status, answer.body);
            assert!(!answer.body.contains("nobody may know"), "{target}: {}", answer.body);
        }
        let body = json!({ payload.as_str(): 1 }).to_string();
        let conflict = format!("/rest/v1/note?on_conflict={text}&columns={text}");
        for ask in [
            Ask::new("anon", "POST", "/rest/v1/note", &body),
            Ask::new("anon", "POST", &conflict, "[{\"id\":9,\"text\":\"x\"}]")
                .header("prefer", "resolution=merge-duplicates"),
            Ask::new("anon", "PATCH", &format!("/rest/v1/note?id=eq.1&{text}=eq.1"), "{\"text\":\"x\"}"),
            Ask::new("anon", "DELETE", &format!("/rest/v1/note?{text}=eq.1"), ""),
        ] {
            let answer = served.ask(&ask).await;
            assert!((400..500).contains(&answer.status), "{}: {} {}", ask.target, answer.status, answer.body);
        }
    }
    is_untouched(&served).await;
}
