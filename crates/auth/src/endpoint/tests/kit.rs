//! A service on a database in a temporary directory, and requests to it.

use crate::endpoint::{Request, answer};
use crate::schema::tests::catalog;
use crate::service::{Auth, Parts, StartedKeys};
use crate::settings::Settings;
use backstay_base::clock::Clock;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_engine::Engine;
use backstay_engine::migration::Batch;
use backstay_engine_sqlite::Sqlite;
use backstay_outbound::egress::{Egress, Settings as EgressSettings};
use backstay_query::named::{Item, Query, Select};
use backstay_query::plan::Expect;
use backstay_schema::catalog::Catalog;
use backstay_sql::ddl;
use backstay_sql::dialect::sqlite::SQLITE;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tempfile::TempDir;

pub(super) const PROJECT: &str = r#"
type User @user @access(read: "true", update: "this == auth.user") {
  name: String! @valid(maxLength: 20)
  email: String! @unique
  role: String
  age: Int
  score: Int @access(write: "auth.role == 'staff'")
  posts: [Post!]!
}
type Post @access(all: "true") { author: User! title: String! }
"#;

/// 2026-01-31T09:00:00Z.
pub(super) const NOW: i64 = 1_769_850_000_000_000;
pub(super) const SECOND: i64 = 1_000_000;

pub(super) struct Kit {
    pub auth: Arc<Auth>,
    pub clock: Clock,
    pub keys: StartedKeys,
    pub engine: Arc<Sqlite>,
    pub catalog: Arc<Catalog>,
    _dir: TempDir,
}

/// An answer: status, body, and headers.
pub(super) struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: Vec<(&'static str, String)>,
}

impl Answer {
    pub fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("no text {name} in {}", self.body)).to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// Status and code of a refusal.
    pub fn refusal(&self) -> (u16, String) {
        (self.status, self.text("code"))
    }
}

pub(super) async fn open() -> Kit {
    open_with(Settings::default(), PROJECT).await
}

pub(super) async fn open_with(settings: Settings, project: &str) -> Kit {
    let dir = tempfile::tempdir().unwrap();
    let engine = Arc::new(Sqlite::open(&dir.path().join("test.db"), &Limits::default()).unwrap());
    let catalog = Arc::new(catalog(project));
    let statements = ddl::create_all(&catalog, &SQLITE);
    engine.migrate(&Batch::plain(statements)).await.unwrap();
    let clock = Clock::fixed(NOW);
    let auth = Arc::new(service(&engine, settings, &clock, 1));
    auth.load(Arc::clone(&catalog));
    let keys = auth.start().await.unwrap();
    Kit { auth, clock, keys, engine, catalog, _dir: dir }
}

pub(super) fn service(engine: &Arc<Sqlite>, settings: Settings, clock: &Clock, seed: u64) -> Auth {
    let ids = Ids::seeded(clock.clone(), seed);
    let engine: Arc<dyn Engine> = Arc::<Sqlite>::clone(engine);
    let egress = Egress::new(EgressSettings::default());
    let (clock, limits) = (clock.clone(), Limits::default());
    Auth::new(Parts { engine, settings, clock, ids, limits, mail: None, egress })
}

impl Kit {
    /// `method path?query` with an optional bearer token and a JSON body.
    pub async fn call(&self, line: &str, bearer: Option<&str>, body: &str) -> Answer {
        let authorization = bearer.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("X-Supabase-Api-Version", "2024-01-01")];
        headers.extend(authorization.as_deref().map(|value| ("Authorization", value)));
        self.call_with(line, &headers, body).await
    }

    pub async fn call_with(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let request = Request { method, path, query, headers, body: body.as_bytes(), ip, id: "1" };
        let response = answer(&self.auth, &request).await;
        let body = if response.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&response.body).unwrap()
        };
        Answer { status: response.status, body, headers: response.headers }
    }

    /// As whoever holds the secret key.
    pub async fn admin(&self, line: &str, body: &str) -> Answer {
        let key = self.keys.secret.as_ref().unwrap().expose().clone();
        self.call_with(line, &[("apikey", &key), ("X-Supabase-Api-Version", "2024-01-01")], body).await
    }

    pub async fn sign_up(&self, email: &str) -> Answer {
        let body = format!(r#"{{"email":"{email}","password":"hunter22","data":{{"name":"Ann"}}}}"#);
        let answer = self.call("POST /signup", None, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        let body = format!(r#"{{"email":"{email}","password":"{password}"}}"#);
        self.call("POST /token?grant_type=password", None, &body).await
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        let body = format!(r#"{{"refresh_token":"{token}"}}"#);
        self.call("POST /token?grant_type=refresh_token", None, &body).await
    }

    /// All rows of a table, as debug text of some of its columns.
    pub async fn rows(&self, table: &str, columns: &[&str]) -> Vec<Vec<Option<String>>> {
        let select = Select { table: table.to_owned(), items: vec![Item::Star], ..Select::default() };
        let found = self.auth.run_one(&self.catalog, (Query::Select(select), Expect::Any)).await.unwrap();
        found
            .iter()
            .map(|row| columns.iter().map(|name| row.text(name).unwrap().map(str::to_owned)).collect())
            .collect()
    }
}
