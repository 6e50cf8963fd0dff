//! Projects in temporary folders, the binary as a process, and a raw HTTP client.
//! Nothing here sleeps: a test waits for a line of the process or for its end.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a line may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A schema with one open type, for tests that are not about rules.
pub const NOTES: &str =
    "type Note @access(all: \"true\") {\n  text: String! @unique\n  stars: Int @valid(min: 0)\n}\n";

/// A project folder.
pub struct Project {
    root: Arc<TempDir>,
    variables: Vec<(String, String)>,
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Project {
    /// A folder with this schema and a configuration of roles.
    pub fn with(schema: &str) -> Self {
        let project = Self::nothing();
        std::fs::create_dir(project.folder()).unwrap();
        project.write("schema.graphql", schema);
        project.write("backstay.toml", "roles = [\"staff\"]\n");
        project
    }

    /// A place for a folder that `new` is to make.
    pub fn nothing() -> Self {
        Self { root: Arc::new(tempfile::tempdir().unwrap()), variables: Vec::new() }
    }

    /// The same folder, for commands with another environment.
    pub fn beside(other: &Self) -> Self {
        Self { root: Arc::clone(&other.root), variables: other.variables.clone() }
    }

    /// Sets a variable of the environment of all commands from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// What `new --template` makes.
    pub fn new(template: &str) -> Self {
        let project = Self::nothing();
        let made = project.run_outside(&["new", "app", "--template", template]);
        assert_eq!(made.code, 0, "{made:?}");
        project
    }

    pub fn folder(&self) -> PathBuf {
        self.root.path().join("app")
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder().join(name)).unwrap()
    }

    /// Replaces a text that must be there.
    pub fn edit(&self, from: &str, to: &str) {
        let text = self.read("schema.graphql");
        assert!(text.contains(from), "{from:?} is not in the schema");
        self.write("schema.graphql", &text.replacen(from, to, 1));
    }

    pub fn files(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.folder().join(folder)) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = outside(self.root.path(), args);
        command.arg("-C").arg("app");
        command.envs(self.variables.iter().cloned());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        ran(&self.command(args).stdin(Stdio::null()).output().unwrap(), self.root.path())
    }

    pub fn run_outside(&self, args: &[&str]) -> Ran {
        ran(&outside(self.root.path(), args).stdin(Stdio::null()).output().unwrap(), self.root.path())
    }

    /// Runs with a text on standard input.
    pub fn run_with(&self, args: &[&str], input: &str) -> Ran {
        let mut command = self.command(args);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // a command that does not ask for it may be gone already
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        ran(&child.wait_with_output().unwrap(), self.root.path())
    }

    /// Runs a command whose standard output is one JSON value.
    pub fn json(&self, args: &[&str]) -> Value {
        let done = self.run(&[args, &["--json"]].concat());
        assert_eq!(done.code, 0, "{args:?}: {done:?}");
        serde_json::from_str(&done.out).unwrap()
    }

    pub fn start(&self, args: &[&str]) -> Running {
        Running::new(self.command(args))
    }

    /// `serve` with JSON lines, and a log that tells as much as this level has.
    pub fn serve_telling(&self, level: &str) -> Running {
        let mut command = self.command(&["serve", "--json", "--listen", "127.0.0.1:0"]);
        command.env("BACKSTAY_LOG", level);
        Running::new(command)
    }

    /// Runs with another database than the configured one.
    pub fn run_on(&self, url: &str, args: &[&str]) -> Ran {
        let mut command = self.command(args);
        command.env("DATABASE_URL", url).env("BACKSTAY_LOG", "debug");
        ran(&command.stdin(Stdio::null()).output().unwrap(), self.root.path())
    }

    /// `dev` with JSON lines, on any free port.
    pub fn dev(&self) -> Running {
        self.start(&["dev", "--json", "--port", "0"])
    }

    /// `serve` with JSON lines, on any free port.
    pub fn serve(&self) -> Running {
        self.start(&["serve", "--json", "--listen", "127.0.0.1:0"])
    }

    /// The secret key, in its legacy form, which can be shown at any time.
    pub fn secret(&self) -> String {
        let keys = self.json(&["keys", "list", "--reveal"]);
        keys["legacy"]["service_role"].as_str().unwrap().to_owned()
    }

    /// The database, opened by SQLite alone.
    pub fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder().join(".backstay/dev.db")).unwrap()
    }

    /// All rows of a query, cells as text.
    pub fn rows(&self, sql: &str) -> Vec<String> {
        let connection = self.database();
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let cells = (0..columns).map(|index| {
                Ok(match row.get::<_, rusqlite::types::Value>(index)? {
                    rusqlite::types::Value::Null => "NULL".to_owned(),
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    rusqlite::types::Value::Real(number) => number.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    rusqlite::types::Value::Blob(bytes) => format!("{bytes:x?}"),
                })
            });
            Ok(cells.collect::<rusqlite::Result<Vec<String>>>()?.join("|"))
        });
        rows.unwrap().collect::<rusqlite::Result<Vec<String>>>().unwrap()
    }
}

fn outside(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backstay"));
    command.args(args).current_dir(root).env("NO_COLOR", "1").env_remove("BACKSTAY_LOG");
    command
}

fn ran(output: &Output, root: &Path) -> Ran {
    let root = root.display().to_string();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&root, "ROOT");
    Ran { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
}

/// The lines of a stream, as they come.
fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// A process that serves.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    remarks: Receiver<String>,
    /// Remarks that were read.
    said: String,
    /// `http://…`, after [`Running::ready`].
    pub url: String,
}

impl Running {
    fn new(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        let remarks = lines_of(child.stderr.take().unwrap());
        Self { child, lines, remarks, said: String::new(), url: String::new() }
    }

    /// The next line of standard output.
    pub fn line(&mut self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            let _ = self.child.kill();
            panic!("no line came; standard error: {}", self.remarked())
        })
    }

    /// The next event of this name; others are passed over.
    pub fn event(&mut self, name: &str) -> Value {
        loop {
            let line = self.line();
            let value: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
            if value["event"] == name {
                return value;
            }
        }
    }

    /// Waits until it serves.
    pub fn ready(mut self) -> (Self, Value) {
        let ready = self.event("ready");
        ready["url"].as_str().unwrap().clone_into(&mut self.url);
        (self, ready)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// SIGKILL: no drain, no last words.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until standard error has a line with this, and gives it.
    pub fn remark(&mut self, wanted: &str) -> String {
        loop {
            let Ok(line) = self.remarks.recv_timeout(PATIENCE) else {
                panic!("{wanted:?} was never said: {}", self.said)
            };
            self.said.push_str(&line);
            self.said.push('\n');
            if line.contains(wanted) {
                return line;
            }
        }
    }

    /// All of standard error, once it has ended.
    fn remarked(&mut self) -> String {
        for line in self.remarks.iter() {
            self.said.push_str(&line);
            self.said.push('\n');
        }
        self.said.clone()
    }

    /// What it said since the last line that was read, on both outputs, once it has ended.
    pub fn last_words(&mut self) -> String {
        self.child.wait().unwrap();
        let lines: Vec<String> = self.lines.iter().collect();
        format!("{}\n{}", lines.join("\n"), self.remarked())
    }

    /// Exit code and standard error, once it has ended.
    pub fn ended(&mut self) -> (i32, String) {
        let status = self.child.wait().unwrap();
        (status.code().unwrap_or(-1), self.remarked())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a request was answered with.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// A connection that is kept between requests.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    key: String,
}

impl Client {
    pub fn new(url: &str, key: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(url.trim_start_matches("http://"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: Vec::new(), key: key.to_owned() })
    }

    /// Sends the head and a part of the body.
    pub fn begin(&mut self, method: &str, target: &str, length: usize, part: &str) -> std::io::Result<()> {
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: x\r\napikey: {}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{part}",
            self.key
        );
        self.stream.write_all(head.as_bytes())
    }

    pub fn send(&mut self, part: &str) -> std::io::Result<()> {
        self.stream.write_all(part.as_bytes())
    }

    /// Reads one answer; an error means that the server is gone.
    pub fn answer(&mut self) -> std::io::Result<Answer> {
        self.buffer.clear();
        let mut chunk = [0; 16 * 1024];
        let mut needed = None;
        while needed.is_none_or(|needed| self.buffer.len() < needed) {
            let n = self.stream.read(&mut chunk)?;
            if n == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            self.buffer.extend_from_slice(&chunk[..n]);
            if needed.is_none()
                && let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n")
            {
                let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                needed = Some(end + 4 + length.map_or(0, |length| length.parse::<usize>().unwrap()));
            }
        }
        let text = String::from_utf8_lossy(&self.buffer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Ok(Answer { status, body: body.to_owned() })
    }

    pub fn ask(&mut self, method: &str, target: &str, body: &str) -> std::io::Result<Answer> {
        self.begin(method, target, body.len(), body)?;
        self.answer()
    }
}

/// One request on a connection of its own.
pub fn ask(url: &str, key: &str, method: &str, target: &str, body: &str) -> Answer {
    Client::new(url, key).unwrap().ask(method, target, body).unwrap()
}

/// Asks until the answer is as wanted: for what no line tells.
pub fn until(wanted: impl Fn() -> bool) {
    let began = Instant::now();
    while !wanted() {
        assert!(began.elapsed() < PATIENCE, "it never came");
        std::thread::yield_now();
    }
}
