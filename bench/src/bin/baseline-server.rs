//! The hand-written program that Backstay is measured against on a database server: axum
//! with tokio-postgres (a few shared connections, everything prepared, requests pipelined) or
//! mysql_async (a pool, everything prepared), over the very tables that Backstay serves, with
//! the same rules in the statements and the same check of an ES256 token with a cache.
//! usage: baseline-server DATABASE_URL UID

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bench::hand::{Tokens, quoted};
use mysql_async::prelude::Queryable;
use serde::Deserialize;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

type Answer = Result<Response, StatusCode>;

/// One post as it is answered.
struct Post {
    id: Uuid,
    owner: Option<Uuid>,
    author: Uuid,
    title: String,
    body: Option<String>,
    score: i32,
    published: bool,
    created_at: String,
}

/// One post of the list with its author.
struct Listed {
    id: Uuid,
    title: String,
    score: i32,
    author: Uuid,
    name: String,
}

#[derive(Deserialize, Clone)]
struct NewPost {
    author_id: Uuid,
    title: String,
    body: Option<String>,
    #[serde(default)]
    published: bool,
}

#[derive(Clone)]
struct App {
    tokens: Arc<Tokens>,
    store: Arc<Store>,
}

enum Store {
    Postgres { sessions: Vec<Session>, next: AtomicUsize },
    MySql(mysql_async::Pool),
}

/// A shared connection with its statements.
struct Session {
    client: Client,
    by_id: Statement,
    list: Statement,
    insert: Statement,
    bulk: Statement,
    update: Statement,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let url = args.next().context("usage: baseline-server DATABASE_URL UID")?;
    let uid: Uuid = args.next().context("usage: baseline-server DATABASE_URL UID")?.parse()?;
    let (tokens, token) = Tokens::new(uid)?;
    let store = if url.starts_with("postgres") {
        let mut sessions = Vec::new();
        for _ in 0..4 {
            sessions.push(Session::open(&url).await?);
        }
        Store::Postgres { sessions, next: AtomicUsize::new(0) }
    } else if url.starts_with("mysql") {
        let options = mysql_async::Opts::from_url(&url)?;
        let limits = mysql_async::PoolConstraints::new(16, 16).context("a pool of no size")?;
        let pool = mysql_async::PoolOpts::default().with_constraints(limits);
        Store::MySql(mysql_async::Pool::new(mysql_async::OptsBuilder::from_opts(options).pool_opts(pool)))
    } else {
        bail!("{url} names no server")
    };
    let app = App { tokens: Arc::new(tokens), store: Arc::new(store) };
    let router = Router::new()
        .route("/post", get(by_id).post(insert).patch(update))
        .route("/posts", post(bulk))
        .route("/list", get(list))
        .with_state(app);
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

impl Session {
    async fn open(url: &str) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        let by_id = client
            .prepare(
                "SELECT id, owner_id, author_id, title, body, score, published, to_json(created_at) #>> '{}' FROM post
                 WHERE id = $1 AND (published OR owner_id = $2)",
            )
            .await?;
        let list = client
            .prepare(
                "SELECT p.id, p.title, p.score, a.id, a.name FROM post p JOIN author a ON a.id = p.author_id
                 WHERE (p.published OR p.owner_id = $1) ORDER BY p.created_at DESC, p.id DESC LIMIT 20",
            )
            .await?;
        let insert = client
            .prepare(
                "INSERT INTO post (id, owner_id, author_id, title, body, score, published, created_at)
                 SELECT $1, $2, $3, $4, $5, 0, $6, now() WHERE EXISTS (SELECT 1 FROM author WHERE id = $3)",
            )
            .await?;
        let bulk = client
            .prepare(
                "INSERT INTO post (id, owner_id, author_id, title, body, score, published, created_at)
                 SELECT n.id, $2, n.author, n.title, n.body, 0, n.published, now()
                 FROM unnest($1::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bool[]) AS n(id, author, title, body, published)",
            )
            .await?;
        let update = client.prepare("UPDATE post SET score = $1 WHERE id = $2 AND owner_id = $3").await?;
        Ok(Self { client, by_id, list, insert, bulk, update })
    }
}

impl Store {
    async fn by_id(&self, id: Uuid, uid: Uuid) -> Result<Vec<Post>> {
        match self {
            Self::Postgres { sessions, next } => {
                let session = pick(sessions, next)?;
                let rows = session.client.query(&session.by_id, &[&id, &uid]).await?;
                Ok(rows
                    .iter()
                    .map(|row| Post {
                        id: row.get(0),
                        owner: row.get(1),
                        author: row.get(2),
                        title: row.get(3),
                        body: row.get(4),
                        score: row.get(5),
                        published: row.get(6),
                        created_at: row.get(7),
                    })
                    .collect())
            }
            Self::MySql(pool) => {
                let mut connection = pool.get_conn().await?;
                let rows: Vec<MyPost> = connection
                    .exec(
                        "SELECT id, owner_id, author_id, title, body, score, published,
                         DATE_FORMAT(created_at, '%Y-%m-%dT%T+00:00') FROM post
                         WHERE id = ? AND (published OR owner_id = ?)",
                        (id.as_bytes().to_vec(), uid.as_bytes().to_vec()),
                    )
                    .await?;
                rows.into_iter()
                    .map(|(id, owner, author, title, body, score, published, created_at)| {
                        Ok(Post {
                            id: Uuid::from_slice(&id)?,
                            owner: owner.map(|owner| Uuid::from_slice(&owner)).transpose()?,
                            author: Uuid::from_slice(&author)?,
                            title,
                            body,
                            score,
                            published,
                            created_at,
                        })
                    })
                    .collect()
            }
        }
    }

    async fn list(&self, uid: Uuid) -> Result<Vec<Listed>> {
        match self {
            Self::Postgres { sessions, next } => {
                let session = pick(sessions, next)?;
                let rows = session.client.query(&session.list, &[&uid]).await?;
                Ok(rows
                    .iter()
                    .map(|row| Listed {
                        id: row.get(0),
                        title: row.get(1),
                        score: row.get(2),
                        author: row.get(3),
                        name: row.get(4),
                    })
                    .collect())
            }
            Self::MySql(pool) => {
                let mut connection = pool.get_conn().await?;
                let rows: Vec<MyListed> = connection
                    .exec(
                        "SELECT p.id, p.title, p.score, a.id, a.name FROM post p JOIN author a ON a.id = p.author_id
                         WHERE (p.published OR p.owner_id = ?) ORDER BY p.created_at DESC, p.id DESC LIMIT 20",
                        (uid.as_bytes().to_vec(),),
                    )
                    .await?;
                rows.into_iter()
                    .map(|(id, title, score, author, name)| {
                        let (id, author) = (Uuid::from_slice(&id)?, Uuid::from_slice(&author)?);
                        Ok(Listed { id, title, score, author, name })
                    })
                    .collect()
            }
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a program of its own, outside the workspace's rules for ids"
    )]
    async fn insert(&self, post: &NewPost, uid: Uuid) -> Result<u64> {
        let id = Uuid::now_v7();
        match self {
            Self::Postgres { sessions, next } => {
                let session = pick(sessions, next)?;
                let NewPost { author_id, title, body, published } = post;
                let values: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
                    [&id, &uid, author_id, title, body, published];
                Ok(session.client.execute(&session.insert, &values).await?)
            }
            Self::MySql(pool) => {
                let mut connection = pool.get_conn().await?;
                let author = post.author_id.as_bytes().to_vec();
                connection
                    .exec_drop(
                        "INSERT INTO post (id, owner_id, author_id, title, body, score, published, created_at)
                         SELECT ?, ?, ?, ?, ?, 0, ?, UTC_TIMESTAMP(6) FROM DUAL WHERE EXISTS (SELECT 1 FROM author WHERE id = ?)",
                        (
                            id.as_bytes().to_vec(),
                            uid.as_bytes().to_vec(),
                            author.clone(),
                            post.title.as_str(),
                            post.body.as_deref(),
                            post.published,
                            author,
                        ),
                    )
                    .await?;
                Ok(connection.affected_rows())
            }
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a program of its own, outside the workspace's rules for ids"
    )]
    async fn bulk(&self, posts: &[NewPost], uid: Uuid) -> Result<u64> {
        let ids: Vec<Uuid> = posts.iter().map(|_| Uuid::now_v7()).collect();
        match self {
            Self::Postgres { sessions, next } => {
                let session = pick(sessions, next)?;
                let authors: Vec<Uuid> = posts.iter().map(|post| post.author_id).collect();
                let titles: Vec<&str> = posts.iter().map(|post| post.title.as_str()).collect();
                let bodies: Vec<Option<&str>> = posts.iter().map(|post| post.body.as_deref()).collect();
                let published: Vec<bool> = posts.iter().map(|post| post.published).collect();
                let values: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
                    [&ids, &uid, &authors, &titles, &bodies, &published];
                Ok(session.client.execute(&session.bulk, &values).await?)
            }
            Self::MySql(pool) => {
                let mut connection = pool.get_conn().await?;
                let mut text = String::from(
                    "INSERT INTO post (id, owner_id, author_id, title, body, score, published, created_at) VALUES ",
                );
                let mut values: Vec<mysql_async::Value> = Vec::new();
                for (index, (post, id)) in posts.iter().zip(&ids).enumerate() {
                    text.push_str(if index > 0 { "," } else { "" });
                    text.push_str("(?, ?, ?, ?, ?, 0, ?, UTC_TIMESTAMP(6))");
                    values.push(id.as_bytes().to_vec().into());
                    values.push(uid.as_bytes().to_vec().into());
                    values.push(post.author_id.as_bytes().to_vec().into());
                    values.push(post.title.as_str().into());
                    values.push(post.body.as_deref().into());
                    values.push(post.published.into());
                }
                connection.exec_drop(text, mysql_async::Params::Positional(values)).await?;
                Ok(connection.affected_rows())
            }
        }
    }

    async fn update(&self, id: Uuid, score: i32, uid: Uuid) -> Result<u64> {
        match self {
            Self::Postgres { sessions, next } => {
                let session = pick(sessions, next)?;
                Ok(session.client.execute(&session.update, &[&score, &id, &uid]).await?)
            }
            Self::MySql(pool) => {
                let mut connection = pool.get_conn().await?;
                let (id, uid) = (id.as_bytes().to_vec(), uid.as_bytes().to_vec());
                connection
                    .exec_drop("UPDATE post SET score = ? WHERE id = ? AND owner_id = ?", (score, id, uid))
                    .await?;
                Ok(1)
            }
        }
    }
}

type MyListed = (Vec<u8>, String, i32, Vec<u8>, String);
type MyPost = (Vec<u8>, Option<Vec<u8>>, Vec<u8>, String, Option<String>, i32, bool, String);

fn pick<'s>(sessions: &'s [Session], next: &AtomicUsize) -> Result<&'s Session> {
    sessions.get(next.fetch_add(1, Ordering::Relaxed) % sessions.len().max(1)).context("no session")
}

fn failed(error: anyhow::Error) -> StatusCode {
    drop(error);
    StatusCode::INTERNAL_SERVER_ERROR
}

fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

fn key(query: &HashMap<String, String>) -> Result<Uuid, StatusCode> {
    let id = query.get("id").and_then(|value| value.strip_prefix("eq.")).ok_or(StatusCode::BAD_REQUEST)?;
    Uuid::parse_str(id).map_err(|_| StatusCode::BAD_REQUEST)
}

async fn by_id(
    State(app): State<App>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Answer {
    let uid = app.tokens.caller(&headers)?;
    let mut out = String::from("[");
    for post in app.store.by_id(key(&query)?, uid).await.map_err(failed)? {
        let _ = write!(out, "{{\"id\":\"{}\",\"owner_id\":", post.id);
        match post.owner {
            Some(owner) => {
                let _ = write!(out, "\"{owner}\"");
            }
            None => out.push_str("null"),
        }
        let _ = write!(out, ",\"author_id\":\"{}\",\"title\":", post.author);
        quoted(&mut out, &post.title);
        out.push_str(",\"body\":");
        match &post.body {
            Some(text) => quoted(&mut out, text),
            None => out.push_str("null"),
        }
        let (score, published) = (post.score, post.published);
        let _ = write!(out, ",\"score\":{score},\"published\":{published},\"created_at\":");
        quoted(&mut out, &post.created_at);
        out.push('}');
    }
    out.push(']');
    Ok(json(out))
}

async fn list(State(app): State<App>, headers: HeaderMap) -> Answer {
    let uid = app.tokens.caller(&headers)?;
    let mut out = String::from("[");
    for post in app.store.list(uid).await.map_err(failed)? {
        let _ = write!(out, "{}{{\"id\":\"{}\",\"title\":", if out.len() > 1 { "," } else { "" }, post.id);
        quoted(&mut out, &post.title);
        let _ = write!(out, ",\"score\":{},\"author\":{{\"id\":\"{}\",\"name\":", post.score, post.author);
        quoted(&mut out, &post.name);
        out.push_str("}}");
    }
    out.push(']');
    Ok(json(out))
}

async fn insert(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<StatusCode, StatusCode> {
    let uid = app.tokens.caller(&headers)?;
    let post: NewPost = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    if post.title.chars().count() > 200 {
        return Err(StatusCode::BAD_REQUEST);
    }
    let written = app.store.insert(&post, uid).await.map_err(failed)?;
    if written == 1 { Ok(StatusCode::CREATED) } else { Err(StatusCode::CONFLICT) }
}

async fn bulk(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<StatusCode, StatusCode> {
    let uid = app.tokens.caller(&headers)?;
    let posts: Vec<NewPost> = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    if posts.iter().any(|post| post.title.chars().count() > 200) {
        return Err(StatusCode::BAD_REQUEST);
    }
    app.store.bulk(&posts, uid).await.map_err(failed)?;
    Ok(StatusCode::CREATED)
}

#[derive(Deserialize)]
struct Change {
    score: i32,
}

async fn update(
    State(app): State<App>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    let uid = app.tokens.caller(&headers)?;
    let Change { score } = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let written = app.store.update(key(&query)?, score, uid).await.map_err(failed)?;
    if written == 1 { Ok(StatusCode::NO_CONTENT) } else { Err(StatusCode::FORBIDDEN) }
}
