//! A whole server in process, over a database of its own: real accounts,
//! real keys and tokens, repeatable ids, a clock that stands still. Requests enter as
//! they would from a socket, answers leave with status, headers and body.

use crate::database::Database;
use crate::store::{NOW_MICROS, fill, texts};
use backstay_auth::service::{Auth, Parts as AuthParts};
use backstay_auth::settings::Settings as AuthSettings;
use backstay_base::clock::Clock;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_engine::migration::Batch;
use backstay_outbound::egress::{Allowed, Egress, Settings as EgressSettings};
use backstay_outbound::mail::{Letter, Mail};
use backstay_query::named::{Input, Insert};
use backstay_rest::request::Settings as RestSettings;
use backstay_schema::catalog::Catalog;
use backstay_schema::compile::{Compiled, Owner, Settings as SchemaSettings, SourceFile, compile};
use backstay_schema::diagnostic::render;
use backstay_server::app::{App, Edge, State};
use backstay_server::client_address::Proxies;
use backstay_server::metrics::Metrics;
use backstay_server::request_id::RequestIds;
use backstay_server::request_log::RequestLog;
use backstay_server::routes::serve;
use backstay_sql::ddl;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;

/// The password of every account that a test makes.
pub const PASSWORD: &str = "hunter22";

/// What a server is made from.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// The project's schema.
    pub sdl: String,
    /// Roles of `backstay.toml`.
    pub roles: Vec<String>,
    /// The named limits.
    pub limits: Limits,
    /// Whether `Prefer: tx=rollback` is honoured.
    pub tx_rollback: bool,
    /// Whether updates and deletes may come without a filter.
    pub unfiltered_writes: bool,
    /// Whether aggregates may be asked for.
    pub aggregates: bool,
    /// Origins that may call; none for any.
    pub cors_origins: Vec<String>,
    /// What is said about accounts.
    pub auth: AuthSettings,
    /// Who may say for whom a request comes.
    pub proxies: Proxies,
}

/// A running server with the people that it knows.
pub struct Served {
    /// What answers.
    pub app: Arc<App>,
    /// Its time.
    pub clock: Clock,
    /// The publishable key.
    pub publishable: String,
    /// The secret key.
    pub secret: String,
    /// The accounts, by the names that tests call them.
    pub people: Vec<Person>,
    letters: Mutex<mpsc::Receiver<Letter>>,
    catalog: Arc<Catalog>,
    ids: Ids,
    database: Database,
}

/// An account that is signed in.
#[derive(Debug, Clone)]
pub struct Person {
    /// What tests call it.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Its access token.
    pub token: String,
    /// Its refresh token.
    pub refresh: String,
}

/// What an account is made with besides its name.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What tests call it; its e-mail address is `name@x.test`.
    pub name: String,
    /// `data` of the sign-up.
    pub data: Value,
    /// What the administrator adds to `app_metadata`.
    pub app: Value,
}

/// One request.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// `anon`, `service`, `nobody` (no key at all) or the name of an account.
    pub who: String,
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// Everything that leaves the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case with values, sorted.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// Compiles a schema together with Backstay's own tables.
///
/// # Errors
/// The mistakes, as text.
pub fn compiled(setup: &Setup) -> Result<Compiled, String> {
    let file = |name: &str, text: &str, owner| SourceFile { name: name.into(), text: text.into(), owner };
    let files = [
        file("backstay", backstay_auth::schema::SCHEMA, Owner::System),
        file("schema.graphql", &setup.sdl, Owner::Project),
    ];
    let settings = SchemaSettings { roles: setup.roles.clone() };
    compile(&files, &settings).map_err(|mistakes| render::text(&mistakes, &files))
}

impl Served {
    /// Starts a server.
    ///
    /// # Panics
    /// When it does not start, or the schema has mistakes.
    pub async fn start(setup: &Setup) -> Self {
        let catalog = match compiled(setup) {
            Ok(compiled) => Arc::new(compiled.catalog),
            Err(mistakes) => panic!("{mistakes}"),
        };
        let database = Database::fresh(&setup.limits).await;
        let statements = ddl::create_all(&catalog, database.dialect);
        database.engine.migrate(&Batch::plain(statements)).await.unwrap();
        Self::over(setup, database).await
    }

    /// Starts a server over a database that has its tables.
    ///
    /// # Panics
    /// When it does not start, or the schema has mistakes.
    pub async fn over(setup: &Setup, database: Database) -> Self {
        let catalog = match compiled(setup) {
            Ok(compiled) => Arc::new(compiled.catalog),
            Err(mistakes) => panic!("{mistakes}"),
        };
        let engine = Arc::clone(&database.engine);
        let clock = Clock::fixed(NOW_MICROS);
        let (mail, letters) = Mail::queue(setup.limits.mail_queue);
        let auth = Arc::new(Auth::new(AuthParts {
            engine: Arc::clone(&engine),
            settings: setup.auth.clone(),
            clock: clock.clone(),
            ids: Ids::seeded(clock.clone(), 1),
            limits: setup.limits.clone(),
            mail: Some(mail),
            egress: egress(&setup.limits),
        }));
        auth.load(Arc::clone(&catalog));
        let keys = auth.start().await.unwrap();
        let ids = Ids::seeded(clock.clone(), 2);
        let app = Arc::new(App {
            state: State::new(&setup.limits),
            engine,
            auth,
            clock: clock.clone(),
            ids: ids.clone(),
            rest: RestSettings {
                max_rows: setup.limits.rows,
                tx_rollback_allowed: setup.tx_rollback,
                unfiltered_writes_allowed: setup.unfiltered_writes,
                aggregates_allowed: setup.aggregates,
                openapi_served: true,
                limits: setup.limits.clone(),
            },
            edge: edge(setup),
            log: RequestLog::default(),
            request_ids: RequestIds::new(1),
            mailbox: None,
            metrics: Metrics::new().unwrap(),
        });
        app.load(Arc::clone(&catalog));
        Self {
            app,
            clock,
            publishable: keys.publishable.unwrap().expose().clone(),
            // one that is there already is told by nobody
            secret: keys.secret.map(|key| key.expose().clone()).unwrap_or_default(),
            people: Vec::new(),
            letters: Mutex::new(letters),
            catalog,
            ids,
            database,
        }
    }

    /// The letters that were sent since the last look.
    ///
    /// # Panics
    /// When another look panicked.
    #[must_use]
    pub fn letters(&self) -> Vec<Letter> {
        let mut letters = self.letters.lock().unwrap();
        std::iter::from_fn(|| letters.try_recv().ok()).collect()
    }

    /// Stops, and gives the database back.
    #[must_use]
    pub fn into_database(self) -> Database {
        self.database
    }

    /// Everything that stands in the columns of a table.
    ///
    /// # Panics
    /// When there is no such table.
    pub async fn texts(&self, table: &str) -> String {
        texts(&*self.app.engine, &self.ids, &self.catalog, table).await
    }

    /// Runs statements that somebody wrote by hand, in words that every engine knows.
    ///
    /// # Panics
    /// When one is refused.
    pub async fn sql(&self, statements: Vec<String>) {
        self.app.engine.migrate(&Batch::plain(statements)).await.unwrap();
    }

    /// Inserts a row as System.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn row(&self, table: &str, row: &Value) {
        let Value::Object(row) = row else { panic!("a row of {table} is an object, not {row}") };
        let insert = Insert {
            table: table.to_owned(),
            columns: row.keys().cloned().collect(),
            rows: vec![row.values().map(input).collect()],
            ..Insert::default()
        };
        fill(&*self.app.engine, &self.ids, &self.catalog, insert).await;
    }

    /// Signs somebody up. What the administrator adds is in the token too.
    ///
    /// # Panics
    /// When sign-up is refused.
    pub async fn sign_up(&mut self, wanted: &Wanted) {
        let email = format!("{}@x.test", wanted.name);
        let body = json!({ "email": email, "password": PASSWORD, "data": wanted.data });
        let answer = self.ask(&Ask::new("anon", "POST", "/auth/v1/signup", &body.to_string())).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.remember(&wanted.name, &answer.body);
        if wanted.app.is_null() {
            return;
        }
        let person = self.people.last().unwrap().clone();
        let body = json!({ "app_metadata": wanted.app }).to_string();
        let target = format!("/auth/v1/admin/users/{}", person.id);
        let answer = self.ask(&Ask::new("service", "PUT", &target, &body)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let body = json!({ "refresh_token": person.refresh }).to_string();
        let target = "/auth/v1/token?grant_type=refresh_token";
        let answer = self.ask(&Ask::new("anon", "POST", target, &body)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.remember(&wanted.name, &answer.body);
    }

    /// Keeps the session that an answer of the auth door gave, under this name.
    ///
    /// # Panics
    /// When the answer is no session.
    pub fn remember(&mut self, name: &str, body: &str) {
        let body: Value = serde_json::from_str(body).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no session: {body}")).to_owned();
        self.people.retain(|person| person.name != name);
        self.people.push(Person {
            name: name.to_owned(),
            id: text(&body["user"]["id"]),
            token: text(&body["access_token"]),
            refresh: text(&body["refresh_token"]),
        });
    }

    /// The account of this name.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn person(&self, name: &str) -> &Person {
        let found = self.people.iter().find(|person| person.name == name);
        found.unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    /// The headers that show who asks.
    #[must_use]
    pub fn credentials(&self, who: &str) -> Vec<(String, String)> {
        let header = |name: &str, value: String| (name.to_owned(), value);
        match who {
            "nobody" => Vec::new(),
            "anon" => vec![header("apikey", self.publishable.clone())],
            "service" => vec![header("apikey", self.secret.clone())],
            name => vec![
                header("apikey", self.publishable.clone()),
                header("authorization", format!("Bearer {}", self.person(name).token)),
            ],
        }
    }

    /// Sends one request.
    ///
    /// # Panics
    /// When it is none.
    pub async fn ask(&self, ask: &Ask) -> Answer {
        let mut request = http::Request::builder().method(ask.method.as_str()).uri(written(&ask.target));
        for (name, value) in self.credentials(&ask.who).into_iter().chain(ask.headers.iter().cloned()) {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(ask.body.clone()))).unwrap();
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let (parts, body) = serve(Arc::clone(&self.app), request, ip).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.as_str().to_owned(), value.to_str().unwrap().to_owned())
        };
        let mut headers: Vec<(String, String)> = parts.headers.iter().map(header).collect();
        headers.sort();
        Answer { status: parts.status.as_u16(), headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }
}

impl Ask {
    /// A request without further headers.
    #[must_use]
    pub fn new(who: &str, method: &str, target: &str, body: &str) -> Self {
        Self {
            who: who.to_owned(),
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: body.to_owned(),
        }
    }

    /// The same request with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Asks services of the test alone, which are on this machine.
///
/// # Panics
/// Never: the network is one.
#[must_use]
pub fn egress(limits: &Limits) -> Egress {
    let allow = ["127.0.0.0/8"].map(|net| Allowed::Network(net.parse().unwrap())).to_vec();
    let wait = Duration::from_millis(limits.egress_ms);
    Egress::new(EgressSettings { allow, answer_bytes: limits.egress_bytes, wait })
}

fn edge(setup: &Setup) -> Edge {
    let edge = Edge { proxies: setup.proxies.clone(), ..Edge::default() };
    if setup.cors_origins.is_empty() {
        return edge;
    }
    Edge { cors_origins: setup.cors_origins.clone(), ..edge }
}

/// A target as clients write it: what may not stand there is percent-encoded.
fn written(target: &str) -> String {
    let mut out = String::with_capacity(target.len());
    for c in target.chars() {
        match c {
            '>' | '<' | '\\' | '"' | '^' | '`' | '|' => out.push_str(&format!("%{:02X}", u32::from(c))),
            other => out.push(other),
        }
    }
    out
}

fn input(value: &Value) -> Input {
    match value {
        Value::Null => Input::Null,
        Value::Bool(value) => Input::Bool(*value),
        Value::Number(number) => Input::Number(number.to_string()),
        Value::String(text) => Input::Text(text.clone()),
        Value::Array(_) | Value::Object(_) => Input::Json(value.to_string()),
    }
}
