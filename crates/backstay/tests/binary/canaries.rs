//! What nobody may find in what the program writes of itself: passwords, keys, tokens, addresses and
//! rows are planted through every door, right and wrong, and all outputs are searched for them.

use crate::data::servers;
use crate::kit::{Answer, Project, Running, ask};
use backstay_base::clock::Clock;
use backstay_base::limit::Limits;
use backstay_testkit::database::Database;
use backstay_testkit::idp::{CLIENT, Idp, Twist};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use tokio::runtime::Runtime;

const SCHEMA: &str =
    "type Note @access(all: \"true\") {\n  text: String! @unique\n  stars: Int @valid(min: 0)\n}\n";
const PASSWORD: &str = "canary-password-7f3a";
const WRONG: &str = "canary-wrong-password-11c9";
const EMAIL: &str = "canary.mail@x.test";
const ROW: &str = "canary-row-e82b";
const DATABASE: &str = "canary-database-password-40d2";

/// What was planted.
struct Canaries(Vec<String>);

impl Canaries {
    fn add(&mut self, value: &Value) {
        // whatever is shorter is found by chance
        if let Some(text) = value.as_str().filter(|text| text.len() >= 12) {
            self.0.push(text.to_owned());
            self.0.extend(text.split('.').filter(|part| part.len() >= 32).map(str::to_owned));
        }
    }

    fn none_in(&self, what: &str, text: &str) {
        for canary in &self.0 {
            assert!(!text.contains(canary.as_str()), "{canary} was written to {what}:\n{text}");
        }
    }
}

/// One request as it stands, on a connection of its own.
fn raw(url: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// A request with these headers beside the key.
fn with(url: &str, line: &str, headers: &[(&str, &str)], body: &str) -> Value {
    let mut request =
        format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    let answer = raw(url, &format!("{request}\r\n{body}"));
    answer.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok()).unwrap_or_default()
}

/// Everything that the auth door takes, right and wrong.
fn accounts(url: &str, anon: &str, secret: &str, canaries: &mut Canaries) {
    let post = |target: &str, body: &Value| ask(url, anon, "POST", target, &body.to_string()).json();
    let person = json!({ "email": EMAIL, "password": PASSWORD, "data": { "nick": ROW } });
    post("/auth/v1/signup", &person);
    post("/auth/v1/signup", &person);
    post("/auth/v1/signup", &json!({ "email": format!("{EMAIL} <x>"), "password": PASSWORD }));
    post("/auth/v1/token?grant_type=password", &json!({ "email": EMAIL, "password": WRONG }));
    let session = post("/auth/v1/token?grant_type=password", &person);
    let (access, refresh) = (&session["access_token"], &session["refresh_token"]);
    canaries.add(access);
    canaries.add(refresh);
    let bearer = format!("Bearer {}", access.as_str().unwrap());
    let own = [("apikey", anon), ("authorization", bearer.as_str())];
    with(url, "GET /auth/v1/user", &own, "");
    with(url, "PUT /auth/v1/user", &own, &json!({ "password": WRONG, "data": { "a": ROW } }).to_string());
    with(url, "GET /rest/v1/note", &own, "");
    with(url, "GET /rest/v1/note", &[("apikey", secret), ("authorization", &format!("{bearer}x"))], "");
    with(url, "GET /rest/v1/note", &[("apikey", access.as_str().unwrap())], "");
    let renewed = post("/auth/v1/token?grant_type=refresh_token", &json!({ "refresh_token": refresh }));
    canaries.add(&renewed["access_token"]);
    canaries.add(&renewed["refresh_token"]);
    post("/auth/v1/token?grant_type=refresh_token", &json!({ "refresh_token": ROW }));
    for target in ["/auth/v1/recover", "/auth/v1/otp", "/auth/v1/resend", "/auth/v1/verify"] {
        post(target, &json!({ "email": EMAIL, "type": "recovery", "token": ROW, "token_hash": ROW }));
    }
    ask(url, anon, "GET", &format!("/auth/v1/verify?token={ROW}&type=signup&redirect_to=http://{ROW}/"), "");
    for (method, target) in [("GET", "/auth/v1/admin/users"), ("POST", "/auth/v1/admin/users")] {
        let body = json!({ "email": format!("2{EMAIL}"), "password": PASSWORD }).to_string();
        ask(url, secret, method, target, &body);
        ask(url, anon, method, target, &body);
    }
    ask(url, secret, "GET", &format!("/auth/v1/admin/users/{ROW}"), "");
    ask(url, anon, "POST", "/auth/v1/signup", &format!("{{\"email\": {ROW}"));
    with(url, "POST /auth/v1/logout", &own, "");
}

/// A service that people sign in with.
struct Service {
    idp: Idp,
    // it answers while the test waits
    _runtime: Runtime,
}

impl Service {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        Self { idp: runtime.block_on(Idp::start(&Clock::system())), _runtime: runtime }
    }

    fn configuration(&self) -> String {
        let (id, secret) = CLIENT;
        let url = &self.idp.url;
        format!(
            "[outbound]\nallow = [\"127.0.0.1\"]\n[auth.providers.corp]\nissuer = \"{url}\"\nclient_id = \"{id}\"\nclient_secret = \"{secret}\"\n"
        )
    }

    /// Signs somebody in, right and wrong.
    fn visited(&self, url: &str, canaries: &mut Canaries) {
        canaries.add(&CLIENT.1.into());
        self.idp.sign_in(
            json!({ "sub": ROW, "email": format!("3{EMAIL}"), "email_verified": true, "name": ROW }),
        );
        for (twist, wrong) in [
            (Twist::None, ""),
            (Twist::Token(400, "{\"error\":\"canary-row-e82b\"}"), ""),
            (Twist::ForeignKey, ""),
            (Twist::None, "x"),
        ] {
            self.idp.twist(twist);
            let host = url.trim_start_matches("http://");
            let begun = raw(
                url,
                &format!(
                    "GET /auth/v1/authorize?provider=corp HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
                ),
            );
            let header = |answer: &str, name: &str| {
                let found = answer.lines().find(|line| line.to_ascii_lowercase().starts_with(name));
                found.map(|line| line.split_once(": ").unwrap().1.to_owned()).unwrap_or_default()
            };
            let (location, cookie) = (header(&begun, "location"), header(&begun, "set-cookie"));
            let cookie = cookie.split(';').next().unwrap();
            canaries.add(&cookie.split_once('=').unwrap().1.into());
            let back = self.idp.consent(&location);
            for (_, value) in back.query_pairs() {
                canaries.add(&value.into_owned().into());
            }
            let head = format!("{}?{}{wrong}", back.path(), back.query().unwrap());
            let answer = raw(
                url,
                &format!("GET {head} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"),
            );
            let place = header(&answer, "location");
            assert_eq!(place.contains("access_token="), twist == Twist::None && wrong.is_empty(), "{answer}");
            for pair in place.split_once('#').unwrap().1.split('&') {
                let (name, value) = pair.split_once('=').unwrap();
                if name.contains("token") && name != "token_type" {
                    canaries.add(&value.into());
                }
            }
        }
    }
}

/// Everything that the data door takes, right and wrong.
fn rows(url: &str, anon: &str, secret: &str) {
    let row = format!("{{\"text\":\"{ROW}\"}}");
    ask(url, anon, "POST", "/rest/v1/note", &row);
    ask(url, anon, "POST", "/rest/v1/note", &row);
    ask(url, anon, "POST", "/rest/v1/note", &format!("{{\"stars\":\"{ROW}\",\"text\":\"a\"}}"));
    ask(url, anon, "POST", "/rest/v1/note", &format!("{{\"text\": {ROW}"));
    ask(url, anon, "PATCH", &format!("/rest/v1/note?text=eq.{ROW}"), "{\"stars\":-1}");
    for target in
        ["note?text=eq.", "note?stars=eq.", "note?select=", "note?order=", "", "note/", "note?apikey="]
    {
        ask(url, anon, "GET", &format!("/rest/v1/{target}{ROW}"), "");
    }
    ask(url, anon, "GET", &format!("/{ROW}"), "");
    ask(url, anon, &ROW.to_ascii_uppercase(), "/rest/v1/note", "");
    ask(url, ROW, "GET", "/rest/v1/note", "");
    // a request may have any short name, but none of the form of a key
    with(url, "GET /rest/v1/note", &[("apikey", anon), ("x-request-id", secret)], "");
    for header in ["cookie", "prefer", "range", "accept", "x-backstay-pos", "x-backstay-tenant"] {
        with(url, "GET /rest/v1/note", &[("apikey", anon), (header, PASSWORD)], "");
    }
    for broken in [
        format!("{ROW}\r\n\r\n"),
        format!("GET /{ROW} HTTP/9.9\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{ROW}\r\n\r\n"),
        format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{ROW}"),
        format!("POST /rest/v1/note HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{ROW}\r\n"),
    ] {
        raw(url, &broken);
    }
}

/// Where a project has its rows: a file of its own, or a database of a server.
enum Store {
    File,
    Server { database: Database, runtime: Runtime },
}

impl Store {
    /// A file, and a database on each server of the run.
    fn all() -> Vec<Self> {
        let on = |server: &String| {
            let runtime = Runtime::new().unwrap();
            let database = runtime.block_on(Database::on(server, &Limits::default()));
            Self::Server { database, runtime }
        };
        std::iter::once(Self::File).chain(servers().iter().map(on)).collect()
    }

    /// Has a project use it, with a password that is a canary where the server takes any.
    fn take(&self, project: &mut Project) {
        let Self::Server { database, .. } = self else { return };
        let (user, password) = ("://postgres@", format!("://postgres:{DATABASE}@"));
        project.set("DATABASE_URL", &database.url.replace(user, &password));
    }

    fn rows(&self, project: &Project, query: &str) -> Vec<String> {
        match self {
            Self::File => project.rows(query),
            Self::Server { database, runtime } => runtime.block_on(database.texts(query)),
        }
    }

    fn execute(&self, project: &Project, statement: &str) {
        match self {
            Self::File => drop(project.database().execute(statement, []).unwrap()),
            Self::Server { database, runtime } => runtime.block_on(database.execute(statement)),
        }
    }

    /// The secrets of the project, as they stand in the database.
    fn secrets(&self, project: &Project, canaries: &mut Canaries) {
        for query in [
            "SELECT value FROM _backstay_secret",
            "SELECT private_key FROM _backstay_signing_key",
            "SELECT password_hash FROM _backstay_account WHERE password_hash IS NOT NULL",
        ] {
            let found = self.rows(project, query);
            assert!(!found.is_empty(), "{query}");
            found.into_iter().for_each(|row| canaries.add(&row.into()));
        }
    }
}

fn project(format: &str, more: &str) -> Project {
    let project = Project::with(SCHEMA);
    let log = format!("[log]\nformat = \"{format}\"\nrequests = \"all\"\n{more}");
    project.write("backstay.toml", &format!("{log}[server]\nadmin_listen = \"127.0.0.1:0\"\n"));
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    project
}

fn server(format: &str) -> (Project, Running, Value) {
    let project = project(format, "");
    let (server, ready) = project.serve_telling("debug").ready();
    (project, server, ready)
}

fn nothing_is_told(format: &str) {
    for store in Store::all() {
        #[cfg(feature = "otlp")]
        let collector = crate::spans::Collector::new();
        #[cfg(feature = "otlp")]
        let more = format!("otlp = \"{}\"\n", collector.url);
        #[cfg(not(feature = "otlp"))]
        let more = String::new();
        let service = Service::start();
        let mut project = project(format, &format!("{more}{}", service.configuration()));
        store.take(&mut project);
        let canaries = played(&project, &store, &service);
        #[cfg(feature = "otlp")]
        for (head, body) in collector.taken() {
            canaries.none_in("a span", &format!("{head}{}", String::from_utf8_lossy(&body)));
        }
        drop(canaries);
    }
}

/// Plants canaries through every door and looks for them in all that is written; what was planted.
fn played(project: &Project, store: &Store, service: &Service) -> Canaries {
    // a running server has the file; the keys are made by now
    drop(project.serve_telling("debug").ready());
    let keys = project.json(&["keys", "list", "--reveal"]);
    let key = |name: &str| keys["legacy"][name].as_str().unwrap().to_owned();
    let (anon, secret) = (key("anon"), key("service_role"));
    let opaque = project.json(&["keys", "create", "secret"]);
    let mut canaries = Canaries([PASSWORD, WRONG, EMAIL, ROW, DATABASE].map(str::to_owned).to_vec());
    [anon.as_str(), &secret].into_iter().for_each(|key| canaries.add(&key.into()));
    opaque
        .as_object()
        .unwrap()
        .values()
        .filter(|text| text.as_str().is_some_and(|text| text.starts_with("sb_")))
        .for_each(|key| canaries.add(key));
    let (mut server, ready) = project.serve_telling("debug").ready();
    let url = server.url.clone();
    accounts(&url, &anon, &secret, &mut canaries);
    service.visited(&url, &mut canaries);
    rows(&url, &anon, &secret);
    store.secrets(project, &mut canaries);
    // what fails has a line with its cause
    store.execute(project, "DROP TABLE note");
    let failed = ask(&url, &secret, "POST", "/rest/v1/note", &format!("{{\"text\":\"{ROW}2\"}}"));
    assert_eq!(failed.status / 100, 5, "{failed:?}");
    let admin = ready["admin"].as_str().unwrap();
    for path in ["/metrics", "/health/ready", "/health/live", &format!("/{ROW}")] {
        let Answer { body, .. } = ask(admin, &secret, "GET", path, "");
        canaries.none_in(path, &body);
    }
    server.terminate();
    let said = server.last_words();
    assert!(said.contains("/rest/v1/{table}") && said.contains("request failed"), "{said}");
    canaries.none_in("the log", &said);
    canaries
}

#[test]
fn the_text_log_tells_no_secret() {
    nothing_is_told("text");
}

#[test]
fn the_json_log_tells_no_secret() {
    nothing_is_told("json");
}

#[test]
fn a_database_that_does_not_answer_is_told_without_its_password() {
    let project = Project::with(SCHEMA);
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    let canaries = Canaries(vec![DATABASE.to_owned()]);
    for url in [
        format!("postgres://ada:{DATABASE}@127.0.0.1:1/x"),
        format!("postgres://ada:{DATABASE}@127.0.0.1:port/x"),
        format!("postgres://ada:{DATABASE}@/x?sslmode=nonsense"),
        format!("mysql://ada:{DATABASE}@127.0.0.1:1/x"),
        format!("mysql://ada:{DATABASE}@127.0.0.1:port/x"),
        format!("redis://ada:{DATABASE}@127.0.0.1/x"),
        DATABASE.to_owned(),
    ] {
        for args in [&["keys", "list"][..], &["migrate", "status"], &["check"], &["user", "list"]] {
            let done = project.run_on(&url, args);
            canaries.none_in(&format!("{args:?}"), &format!("{}{}", done.out, done.err));
        }
        for args in
            [&["schema", "import", &url][..], &["data", "copy", "--from", &url, "--to", "sqlite:x.db"]]
        {
            let done = project.run(args);
            assert_ne!(done.code, 0, "{args:?} {done:?}");
            canaries.none_in(&format!("{args:?}"), &format!("{}{}", done.out, done.err));
        }
    }
}

#[test]
fn every_request_has_one_line_and_a_name() {
    let (project, mut server, _) = server("json");
    let key = project.read("backstay.toml");
    assert!(key.contains("json"));
    let named = with(&server.url, "GET /rest/v1/note?text=eq.a", &[("x-request-id", "trace-7")], "");
    assert_eq!(named["code"], "PGRST302");
    let answer = raw(&server.url, "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let id = answer.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap().to_owned();
    server.terminate();
    let said = server.last_words();
    let lines: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let requests: Vec<&Value> = lines.iter().filter(|line| line["target"] == "backstay::requests").collect();
    let told: Vec<(&str, &str, u64, &str)> = requests
        .iter()
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap_or_default();
            assert!(line["micros"].is_u64() && line["bytes"].is_u64(), "{line}");
            (text("request.id"), text("route"), line["status"].as_u64().unwrap(), text("role"))
        })
        .collect();
    assert_eq!(told, [("trace-7", "/rest/v1/{table}", 401, "-"), (id.as_str(), "none", 404, "-")], "{said}");
    assert_eq!(
        (requests[0]["table"].as_str(), requests[0]["code"].as_str()),
        (Some("note"), Some("PGRST302"))
    );
}
