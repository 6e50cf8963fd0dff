//! The two servers as processes of their own, over the same rows.

use crate::load::{Shape, Work};
use anyhow::{Context, Result, bail};
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use uuid::Uuid;

/// Posts of the account that asks.
const OWN: usize = 1_000;
/// Rows of one bulk insert.
const BULK: usize = 100;
/// Authors that posts refer to.
const AUTHORS: usize = 100;

/// Backstay, serving `bench/project`.
pub struct Subject {
    _child: Child,
    pub pid: u32,
    pub ready_ms: u64,
    address: String,
    key: String,
    token: String,
    /// Posts that everybody sees.
    pub ids: Vec<String>,
    /// Whom new posts name.
    pub author: String,
    /// Posts of the account itself.
    pub own: Vec<String>,
    /// The account.
    pub uid: String,
    database: PathBuf,
}

/// The hand-written program.
pub struct Baseline {
    _child: Child,
    pub pid: u32,
    address: String,
    token: String,
    ids: Vec<String>,
    author: String,
    own: Vec<String>,
}

pub fn binary(name: &str) -> Result<PathBuf> {
    Ok(std::env::current_exe()?.parent().context("no folder")?.join(name))
}

impl Subject {
    pub async fn start(folder: &Path, posts: usize, updated: bool) -> Result<Self> {
        let project = folder.join("project");
        std::fs::create_dir_all(&project)?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("project");
        for file in ["schema.graphql", "backstay.toml"] {
            std::fs::copy(source.join(file), project.join(file))?;
        }
        // dev writes the migrations and tells the keys; serve is what is measured
        let (mut dev, ready) = spawn(&project, &["dev", "--port", "0", "--json"]).await?;
        let address = address(&ready)?;
        let secret = text(&ready, "/keys/secret")?;
        let key = text(&ready, "/keys/publishable")?;
        let signup = json!({ "email": "bench@example.com", "password": "correct horse battery" });
        post(&address, "/auth/v1/signup", &key, &key, &signup).await?;
        let (ids, author) = fill(&address, &secret, posts).await?;
        stop(&mut dev).await?;
        let (child, ready) = spawn(&project, &["serve", "--listen", "127.0.0.1:0", "--json"]).await?;
        let address = self::address(&ready)?;
        let session = post(&address, "/auth/v1/token?grant_type=password", &key, &key, &signup).await?;
        let token = text(&session, "/access_token")?;
        // on SQLite nothing is updated, and the other program's account has no such rows in its lists
        let own = if updated { OWN } else { 0 };
        let mine: Vec<Value> = (0..own).map(|_| new_row(&author)).collect();
        let mine = post(&address, "/rest/v1/post?select=id", &key, &token, &Value::Array(mine)).await?;
        let own = mine.as_array().context("no rows")?.iter().map(|row| text(row, "/id"));
        Ok(Self {
            own: own.collect::<Result<_>>()?,
            uid: text(&session, "/user/id")?,
            pid: child.id().context("no process")?,
            ready_ms: ready.pointer("/ms").and_then(Value::as_u64).context("no time")?,
            token,
            database: project.join(".backstay/dev.db"),
            _child: child,
            address,
            key,
            ids,
            author,
        })
    }

    pub fn idle_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
    }

    /// A log-in with a password that is not the right one.
    pub fn wrong_login(&self) -> Shape {
        let body = r#"{"email":"bench@example.com","password":"not the right one"}"#;
        let headers = format!("apikey: {}\r\n", self.key);
        let login = request("POST", "/auth/v1/token?grant_type=password", &headers, body);
        Shape { address: self.address.clone(), requests: Arc::new(vec![login]) }
    }

    pub fn shape(&self, work: Work) -> Shape {
        let headers = format!("apikey: {}\r\nauthorization: Bearer {}\r\n", self.key, self.token);
        let get = |target: &str| request("GET", target, &headers, "");
        let by_id = self.ids.iter().map(|id| get(&format!("/rest/v1/post?select=*&id=eq.{id}"))).collect();
        let list =
            vec![get("/rest/v1/post?select=id,title,score,author(id,name)&order=created_at.desc&limit=20")];
        let insert = vec![request("POST", "/rest/v1/post", &headers, &new_post(&self.author))];
        let bulk = vec![request("POST", "/rest/v1/post", &headers, &new_posts(&self.author))];
        let change = |(n, id): (usize, &String)| {
            request("PATCH", &format!("/rest/v1/post?id=eq.{id}"), &headers, &format!("{{\"score\":{n}}}"))
        };
        let update: Vec<Vec<u8>> = self.own.iter().enumerate().map(change).collect();
        match work {
            Work::Bulk => return Shape { address: self.address.clone(), requests: Arc::new(bulk) },
            Work::Update => return Shape { address: self.address.clone(), requests: Arc::new(update) },
            Work::ById | Work::List | Work::Insert | Work::Mixed => {}
        }
        Shape { address: self.address.clone(), requests: Arc::new(pick(work, by_id, &list, &insert)) }
    }
}

impl Baseline {
    pub async fn start(folder: &Path, subject: &Subject) -> Result<Self> {
        let path = folder.join("baseline.db");
        // the same rows, in a file of its own
        Connection::open(&subject.database)?
            .execute("VACUUM INTO ?1", params![path.display().to_string()])?;
        Connection::open(&path)?.execute_batch(
            "PRAGMA journal_mode = WAL; INSERT INTO user (id) VALUES ('00000000-0000-0000-0000-000000000001')",
        )?;
        let mut child =
            Command::new(binary("baseline")?).arg(&path).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let ready = first_json(&mut child).await?;
        Ok(Self {
            pid: child.id().context("no process")?,
            address: address(&ready)?,
            token: text(&ready, "/token")?,
            ids: subject.ids.clone(),
            own: subject.own.clone(),
            author: subject.author.clone(),
            _child: child,
        })
    }

    /// Over the very tables of the subject.
    pub async fn on_server(url: &str, subject: &Subject) -> Result<Self> {
        let mut child = Command::new(binary("baseline-server")?)
            .args([url, &subject.uid])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let ready = first_json(&mut child).await?;
        Ok(Self {
            pid: child.id().context("no process")?,
            address: address(&ready)?,
            token: text(&ready, "/token")?,
            ids: subject.ids.clone(),
            own: subject.own.clone(),
            author: subject.author.clone(),
            _child: child,
        })
    }

    pub fn shape(&self, work: Work) -> Shape {
        let headers = format!("authorization: Bearer {}\r\n", self.token);
        let by_id =
            self.ids.iter().map(|id| request("GET", &format!("/post?id=eq.{id}"), &headers, "")).collect();
        let list = vec![request("GET", "/list", &headers, "")];
        let insert = vec![request("POST", "/post", &headers, &new_post(&self.author))];
        let bulk = vec![request("POST", "/posts", &headers, &new_posts(&self.author))];
        let change = |(n, id): (usize, &String)| {
            request("PATCH", &format!("/post?id=eq.{id}"), &headers, &format!("{{\"score\":{n}}}"))
        };
        let update: Vec<Vec<u8>> = self.own.iter().enumerate().map(change).collect();
        match work {
            Work::Bulk => return Shape { address: self.address.clone(), requests: Arc::new(bulk) },
            Work::Update => return Shape { address: self.address.clone(), requests: Arc::new(update) },
            Work::ById | Work::List | Work::Insert | Work::Mixed => {}
        }
        Shape { address: self.address.clone(), requests: Arc::new(pick(work, by_id, &list, &insert)) }
    }
}

fn pick(work: Work, by_id: Vec<Vec<u8>>, list: &[Vec<u8>], insert: &[Vec<u8>]) -> Vec<Vec<u8>> {
    match work {
        Work::ById => by_id,
        Work::List => list.to_vec(),
        Work::Insert | Work::Bulk | Work::Update => insert.to_vec(),
        Work::Mixed => {
            by_id.chunks(8).flat_map(|eight| eight.iter().chain(list).chain(insert).cloned()).collect()
        }
    }
}

fn new_row(author: &str) -> Value {
    json!({ "author_id": author, "title": "a new post", "body": "some words about it", "published": false })
}

fn new_post(author: &str) -> String {
    new_row(author).to_string()
}

fn new_posts(author: &str) -> String {
    Value::Array((0..BULK).map(|_| new_row(author)).collect()).to_string()
}

fn request(method: &str, target: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let content = if body.is_empty() {
        String::new()
    } else {
        format!("content-type: application/json\r\ncontent-length: {length}\r\n")
    };
    format!("{method} {target} HTTP/1.1\r\nhost: bench\r\n{headers}{content}\r\n{body}").into_bytes()
}

/// Authors and posts through the public API; answers with ids of visible posts and one author.
async fn fill(address: &str, secret: &str, posts: usize) -> Result<(Vec<String>, String)> {
    let authors: Vec<Value> =
        (0..AUTHORS).map(|n| json!({ "id": id(1, n).to_string(), "name": format!("author {n}") })).collect();
    post(address, "/rest/v1/author", secret, secret, &Value::Array(authors)).await?;
    let row = |n: usize| {
        json!({
            "id": id(2, n).to_string(), "author_id": id(1, n % AUTHORS).to_string(), "title": format!("post number {n}"),
            "body": "The quick brown fox jumps over the lazy dog. ".repeat(6), "score": n % 100,
            "published": !n.is_multiple_of(4), "created_at": written_at(n),
        })
    };
    for start in (0..posts).step_by(5000) {
        let rows: Vec<Value> = (start..posts.min(start + 5000)).map(row).collect();
        post(address, "/rest/v1/post", secret, secret, &Value::Array(rows)).await?;
    }
    let visible = (0..posts).filter(|n| n % 4 != 0).map(|n| id(2, n).to_string()).collect();
    Ok((visible, id(1, 0).to_string()))
}

/// One post a minute: rows that all bear one moment would have to be sorted for every list.
fn written_at(n: usize) -> String {
    let minutes = i64::try_from(n).unwrap_or(i64::MAX / 60);
    jiff::Timestamp::from_second(1_767_225_600 + 60 * minutes).unwrap_or_default().to_string()
}

fn id(kind: u128, n: usize) -> Uuid {
    // scattered, as ids from many clients are
    let spread = (n as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Uuid::from_u128((kind << 120) | (spread << 32) | n as u128)
}

pub async fn spawn(project: &Path, args: &[&str]) -> Result<(Child, Value)> {
    let mut child = Command::new(binary("backstay")?)
        .arg("-C")
        .arg(project)
        .args(args)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let ready = first_json(&mut child).await?;
    Ok((child, ready))
}

async fn first_json(child: &mut Child) -> Result<Value> {
    let output = child.stdout.take().context("no output")?;
    let mut lines = BufReader::new(output).lines();
    let mut last = String::new();
    while let Some(line) = lines.next_line().await? {
        last.clone_from(&line);
        if let Ok(value) = serde_json::from_str::<Value>(&line)
            && value.get("url").is_some()
        {
            // the rest of the output is read, so that the server never waits for us
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(value);
        }
    }
    bail!("the server ended before it was ready: {last}")
}

pub async fn stop(child: &mut Child) -> Result<()> {
    let pid = child.id().context("no process")?.to_string();
    std::process::Command::new("kill").args(["-TERM", &pid]).status()?;
    child.wait().await?;
    Ok(())
}

pub fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    Ok(found.with_context(|| format!("no {pointer} in {value}"))?.to_owned())
}

pub fn address(ready: &Value) -> Result<String> {
    Ok(text(ready, "/url")?.trim_start_matches("http://").to_owned())
}

/// One request over a connection of its own.
pub async fn post(address: &str, target: &str, key: &str, bearer: &str, body: &Value) -> Result<Value> {
    let headers = format!(
        "apikey: {key}\r\nauthorization: Bearer {bearer}\r\nprefer: return=representation\r\nconnection: close\r\n"
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(&request("POST", target, &headers, &body.to_string())).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8(answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    if !head.starts_with("HTTP/1.1 2") {
        bail!("{target}: {answer}");
    }
    Ok(serde_json::from_str(body).unwrap_or(Value::Null))
}

/// Processor time of a process so far, in microseconds.
pub fn cpu_micros(pid: u32) -> Result<u64> {
    let mut total = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let path = task?.path().join("schedstat");
        // a thread may end while we look
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let nanos: u64 = text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0);
        total += nanos / 1000;
    }
    Ok(total)
}
