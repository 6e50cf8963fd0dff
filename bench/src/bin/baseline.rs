//! The hand-written program that Backstay is measured against: axum and rusqlite,
//! the same tables, the same rule, the same durability (WAL, `synchronous=FULL`,
//! one writer thread that commits in groups), the same check of an ES256 token with
//! a cache. What a careful person would write for this one schema.

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bench::hand::{Tokens, quoted};
use rusqlite::{Connection, OpenFlags, params};
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

const SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
const LIST: &str =
    "SELECT p.id, p.title, p.score, a.id, a.name FROM post p JOIN author a ON a.id = p.author_id
  WHERE (p.published = 1 OR p.owner_id = ?1) ORDER BY p.created_at DESC, p.id DESC LIMIT 20";
const BY_ID: &str = "SELECT id, owner_id, author_id, title, body, score, published, created_at FROM post
  WHERE id = ?1 AND (published = 1 OR owner_id = ?2)";
const INSERT: &str = "INSERT INTO post (id, owner_id, author_id, title, body, score, published, created_at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
/// Most requests that share a commit.
const GROUP: usize = 256;

#[derive(Clone)]
struct App {
    path: Arc<PathBuf>,
    tokens: Arc<Tokens>,
    writer: mpsc::Sender<Job>,
}

struct Job {
    post: NewPost,
    owner: Uuid,
    answer: oneshot::Sender<Result<(), String>>,
}

#[derive(Deserialize)]
struct NewPost {
    author_id: String,
    title: String,
    body: Option<String>,
    #[serde(default)]
    published: bool,
}

thread_local! {
    static READER: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

fn main() -> Result<()> {
    let path = PathBuf::from(std::env::args().nth(1).context("usage: baseline FILE")?);
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(serve(path))
}

async fn serve(path: PathBuf) -> Result<()> {
    let (tokens, token) = Tokens::new(Uuid::from_u128(1))?;
    let (writer, jobs) = mpsc::channel(4096);
    let file = path.clone();
    std::thread::spawn(move || write_loop(&file, jobs));
    let app = App { path: Arc::new(path), tokens: Arc::new(tokens), writer };
    let router =
        Router::new().route("/post", get(by_id).post(insert)).route("/list", get(list)).with_state(app);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    say(&serde_json::json!({ "url": format!("http://{}", listener.local_addr()?), "token": token })
        .to_string());
    axum::serve(listener, router).await?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "how the driver learns the address")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program of its own, outside the workspace's rules for time and ids"
)]
fn write_loop(path: &Path, mut jobs: mpsc::Receiver<Job>) {
    let Ok(connection) = Connection::open(path) else { return };
    if connection.execute_batch(SETTINGS).is_err() {
        return;
    }
    while let Some(first) = jobs.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = jobs.try_recv()
        {
            group.push(next);
        }
        let mut answers = Vec::with_capacity(group.len());
        let begun = connection.execute_batch("BEGIN IMMEDIATE");
        for job in group {
            let _ = connection.execute_batch("SAVEPOINT s");
            let now = jiff::Timestamp::now().to_string();
            let outcome = connection.prepare_cached(INSERT).and_then(|mut statement| {
                statement.execute(params![
                    Uuid::now_v7().to_string(),
                    job.owner.to_string(),
                    job.post.author_id.to_string(),
                    job.post.title,
                    job.post.body,
                    0,
                    job.post.published,
                    now
                ])
            });
            let end = if outcome.is_ok() { "RELEASE s" } else { "ROLLBACK TO s; RELEASE s" };
            let _ = connection.execute_batch(end);
            answers.push((job.answer, outcome.map(|_| ()).map_err(|error| error.to_string())));
        }
        let committed = begun.and_then(|()| connection.execute_batch("COMMIT"));
        for (answer, outcome) in answers {
            let outcome = if committed.is_ok() { outcome } else { Err("commit failed".to_owned()) };
            let _ = answer.send(outcome);
        }
    }
}

impl App {
    fn read<T>(&self, run: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StatusCode> {
        READER.with_borrow_mut(|slot| {
            if slot.is_none() {
                let opened = Connection::open_with_flags(&*self.path, OpenFlags::SQLITE_OPEN_READ_ONLY);
                *slot = Some(opened.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?);
            }
            let connection = slot.as_ref().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
            run(connection).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
        })
    }
}

fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

async fn by_id(
    State(app): State<App>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    let uid = app.tokens.caller(&headers)?;
    let id = query.get("id").and_then(|value| value.strip_prefix("eq.")).ok_or(StatusCode::BAD_REQUEST)?;
    let id = Uuid::parse_str(id).map_err(|_| StatusCode::BAD_REQUEST)?;
    let body = app.read(|connection| {
        let mut statement = connection.prepare_cached(BY_ID)?;
        let mut rows = statement.query([id.to_string(), uid.to_string()])?;
        let mut out = String::from("[");
        while let Some(row) = rows.next()? {
            let _ = write!(out, "{}{{\"id\":", if out.len() > 1 { "," } else { "" });
            quoted(&mut out, row.get_ref(0)?.as_str()?);
            out.push_str(",\"owner_id\":");
            match row.get_ref(1)?.as_str_or_null()? {
                Some(owner) => quoted(&mut out, owner),
                None => out.push_str("null"),
            }
            out.push_str(",\"author_id\":");
            quoted(&mut out, row.get_ref(2)?.as_str()?);
            out.push_str(",\"title\":");
            quoted(&mut out, row.get_ref(3)?.as_str()?);
            out.push_str(",\"body\":");
            match row.get_ref(4)?.as_str_or_null()? {
                Some(text) => quoted(&mut out, text),
                None => out.push_str("null"),
            }
            let _ =
                write!(out, ",\"score\":{},\"published\":{}", row.get::<_, i64>(5)?, row.get::<_, bool>(6)?);
            out.push_str(",\"created_at\":");
            quoted(&mut out, row.get_ref(7)?.as_str()?);
            out.push('}');
        }
        out.push(']');
        Ok(out)
    })?;
    Ok(json(body))
}

async fn list(State(app): State<App>, headers: HeaderMap) -> Result<Response, StatusCode> {
    let uid = app.tokens.caller(&headers)?;
    let body = app.read(|connection| {
        let mut statement = connection.prepare_cached(LIST)?;
        let mut rows = statement.query([uid.to_string()])?;
        let mut out = String::from("[");
        while let Some(row) = rows.next()? {
            let _ = write!(out, "{}{{\"id\":", if out.len() > 1 { "," } else { "" });
            quoted(&mut out, row.get_ref(0)?.as_str()?);
            out.push_str(",\"title\":");
            quoted(&mut out, row.get_ref(1)?.as_str()?);
            let _ = write!(out, ",\"score\":{},\"author\":{{\"id\":", row.get::<_, i64>(2)?);
            quoted(&mut out, row.get_ref(3)?.as_str()?);
            out.push_str(",\"name\":");
            quoted(&mut out, row.get_ref(4)?.as_str()?);
            out.push_str("}}");
        }
        out.push(']');
        Ok(out)
    })?;
    Ok(json(body))
}

async fn insert(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<StatusCode, StatusCode> {
    let owner = app.tokens.caller(&headers)?;
    let post: NewPost = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    if post.title.chars().count() > 200 {
        return Err(StatusCode::BAD_REQUEST);
    }
    let (answer, answered) = oneshot::channel();
    app.writer.send(Job { post, owner, answer }).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    match answered.await {
        Ok(Ok(())) => Ok(StatusCode::CREATED),
        Ok(Err(_)) => Err(StatusCode::CONFLICT),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
