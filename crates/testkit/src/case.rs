//! The runner of `cases/`: a text file with schemas, accounts, rows and requests enters,
//! the same text leaves with every answer as the server gives it now. A case holds when
//! nothing changed. The form of the files is described in `cases/README.md`.

use crate::served::{Answer, Ask, Served, Setup, Wanted, compiled};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// What a case file has set up so far.
struct Bench<'p> {
    folder: &'p Path,
    setup: Setup,
    served: Option<Served>,
}

/// A request of a case, as read so far.
#[derive(Default)]
struct Pending {
    ask: Option<Ask>,
    /// The name under which the session of the answer is kept.
    keep: Option<String>,
}

/// Plays a case file and gives its text with the answers as they are.
///
/// # Panics
/// When the file cannot be read or played.
pub async fn play(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let folder = path.parent().unwrap();
    let mut bench = Bench { folder, setup: Setup::default(), served: None };
    let mut out = String::new();
    let (head, sections) = sections(&text);
    out.push_str(head);
    for (title, lines) in sections {
        let _ = writeln!(out, "== {title}");
        out.push_str(&bench.section(title, lines).await);
    }
    out
}

/// What stands before the first section, and the sections with their titles.
fn sections(text: &str) -> (&str, Vec<(&str, &str)>) {
    let mut starts: Vec<usize> = text.match_indices("\n== ").map(|(at, _)| at + 1).collect();
    if text.starts_with("== ") {
        starts.insert(0, 0);
    }
    let head = &text[..starts.first().copied().unwrap_or(text.len())];
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let section = |(start, end): (&usize, usize)| {
        let (title, lines) = text[*start + 3..end].split_once('\n').unwrap();
        (title, lines)
    };
    (head, starts.iter().zip(ends).map(section).collect())
}

impl Bench<'_> {
    /// Plays one section and gives its lines anew.
    async fn section(&mut self, title: &str, lines: &str) -> String {
        match title.split_whitespace().next().unwrap_or_default() {
            "settings" => stated(lines).for_each(|line| self.setting(line)),
            "schema" => match title.trim_start_matches("schema").trim() {
                "" => self.schema(lines),
                file => {
                    let text = std::fs::read_to_string(self.folder.join(file)).unwrap();
                    self.schema(&text);
                }
            },
            "use" => {
                let path = self.folder.join(title.trim_start_matches("use").trim());
                let text = std::fs::read_to_string(&path).unwrap();
                for (title, lines) in sections(&text).1 {
                    Box::pin(self.section(title, lines)).await;
                }
            }
            "accounts" => {
                for line in stated(lines) {
                    self.served().await.sign_up(&wanted(line)).await;
                }
            }
            "rows" => {
                for line in stated(lines) {
                    let served = self.served().await;
                    let line = named(served, line);
                    let (table, row) = line.split_once(' ').unwrap();
                    served.row(table, &serde_json::from_str(row).unwrap()).await;
                }
            }
            "sql" => {
                let statements = stated(lines).map(str::to_owned).collect();
                self.served().await.sql(statements).await;
            }
            "requests" => return self.requests(lines).await,
            "refused" => return refused(&self.setup, lines),
            other => panic!("no section is called {other}"),
        }
        lines.to_owned()
    }

    fn schema(&mut self, lines: &str) {
        lines.clone_into(&mut self.setup.sdl);
        self.served = None;
    }

    fn setting(&mut self, line: &str) {
        let (name, value) = line.split_once('=').unwrap();
        let value = value.trim();
        let words = || value.split_whitespace().map(str::to_owned).collect();
        let on = value == "true";
        match name.trim() {
            "roles" => self.setup.roles = words(),
            "cors_origins" => self.setup.cors_origins = words(),
            "tx_rollback" => self.setup.tx_rollback = on,
            "unfiltered_writes" => self.setup.unfiltered_writes = on,
            "aggregates" => self.setup.aggregates = on,
            "max_rows" => self.setup.limits.rows = value.parse().unwrap(),
            "keyless" => self.setup.auth.keyless_anon = on,
            "anonymous" => self.setup.auth.anonymous = on,
            "autoconfirm" => self.setup.auth.autoconfirm = on,
            "legacy_keys" => self.setup.auth.legacy_keys = on,
            other => panic!("no setting is called {other}"),
        }
    }

    /// The server, started when it is first needed.
    async fn served(&mut self) -> &mut Served {
        if self.served.is_none() {
            self.served = Some(Served::start(&self.setup).await);
        }
        self.served.as_mut().unwrap()
    }

    async fn requests(&mut self, lines: &str) -> String {
        let served = self.served().await;
        let mut out = String::new();
        let mut pending = Pending::default();
        let mut in_answer = false;
        for line in lines.lines().chain([""]) {
            let answered = line.starts_with("< ");
            if (answered || line.is_empty()) && pending.ask.is_some() {
                out.push_str(&answer(served, std::mem::take(&mut pending)).await);
            }
            in_answer = answered || in_answer && !line.is_empty();
            if in_answer {
                continue;
            }
            out.push_str(line);
            out.push('\n');
            pending.line(served, line);
        }
        while out.ends_with("\n\n") && !lines.ends_with("\n\n") {
            out.pop();
        }
        if lines.ends_with("\n\n") {
            while out.ends_with("\n\n\n") {
                out.pop();
            }
        }
        out
    }
}

impl Pending {
    /// Takes the next line of a request.
    fn line(&mut self, served: &Served, line: &str) {
        if let Some(first) = line.strip_prefix("> ") {
            let mut words = first.split(' ');
            let who = words.next().unwrap();
            let method = words.next().unwrap();
            let target = named(served, words.next().unwrap_or_else(|| panic!("no target in {line:?}")));
            self.keep = words.next().and_then(|word| word.strip_prefix("keep=")).map(str::to_owned);
            self.ask = Some(Ask::new(who, method, &target, ""));
        } else if let Some(wait) = line.strip_prefix("~ ") {
            let seconds: i64 = wait.trim_end_matches('s').parse().unwrap();
            served.clock.advance(seconds * 1_000_000);
        } else if let Some(ask) = &mut self.ask {
            let is_header = ask.body.is_empty()
                && line
                    .split_once(": ")
                    .is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
            if is_header {
                let (name, value) = line.split_once(": ").unwrap();
                ask.headers.push((name.to_owned(), named(served, value)));
            } else {
                let newline = if ask.body.is_empty() { "" } else { "\n" };
                let _ = write!(ask.body, "{newline}{}", named(served, line));
            }
        }
    }
}

/// Asks, and writes down the answer.
async fn answer(served: &mut Served, pending: Pending) -> String {
    let answer = served.ask(&pending.ask.unwrap()).await;
    if let Some(name) = pending.keep {
        served.remember(&name, &answer.body);
    }
    shown(served, &answer)
}

/// An answer as it stands in a case: what every answer has is left out, ids and tokens
/// of accounts have the names of their owners, rows stand one to a line.
fn shown(served: &Served, answer: &Answer) -> String {
    let mut out = format!("< {}\n", answer.status);
    let code = serde_json::from_str::<Value>(&answer.body).ok();
    let code = code.as_ref().and_then(|body| body["code"].as_str()).unwrap_or_default();
    for (name, value) in &answer.headers {
        let expected = match name.as_str() {
            "content-type" => value == "application/json; charset=utf-8" || value == "application/json",
            // which request it was is of no meaning to a case
            "x-request-id" => true,
            "proxy-status" => *value == format!("PostgREST; error={code}"),
            _ => false,
        };
        if !expected {
            let _ = writeln!(out, "{name}: {}", unnamed(served, value));
        }
    }
    if !answer.body.is_empty() {
        if !answer.headers.iter().any(|(name, _)| name == "content-type") {
            out.push_str("content-type is missing\n");
        }
        let body = unnamed(served, &answer.body);
        let rows = if body.starts_with("[{") { row_by_row(&body) } else { body };
        let _ = writeln!(out, "{rows}");
    }
    out
}

/// A list of objects with one to a line.
fn row_by_row(body: &str) -> String {
    let (mut depth, mut text, mut escaped) = (0, false, false);
    let mut out = String::new();
    for c in body.chars() {
        out.push(c);
        match c {
            _ if escaped => escaped = false,
            '\\' if text => escaped = true,
            '"' => text = !text,
            '[' | '{' if !text => depth += 1,
            ']' | '}' if !text => depth -= 1,
            ',' if !text && depth == 1 => out.push_str("\n "),
            _ => {}
        }
    }
    out
}

/// `$ann` → her id, `$ann.token` and `$ann.refresh` → her tokens, `$secret` → the key.
fn named(served: &Served, text: &str) -> String {
    names(served).into_iter().fold(text.to_owned(), |text, (name, value)| text.replace(&name, &value))
}

fn unnamed(served: &Served, text: &str) -> String {
    names(served).into_iter().fold(text.to_owned(), |text, (name, value)| text.replace(&value, &name))
}

fn names(served: &Served) -> Vec<(String, String)> {
    let mut names = vec![
        ("$secret".to_owned(), served.secret.clone()),
        ("$publishable".to_owned(), served.publishable.clone()),
    ];
    for person in &served.people {
        names.push((format!("${}.token", person.name), person.token.clone()));
        names.push((format!("${}.refresh", person.name), person.refresh.clone()));
    }
    names.extend(served.people.iter().map(|person| (format!("${}", person.name), person.id.clone())));
    // no name is taken for the beginning of a longer one
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    names
}

/// `ann role=staff app={"team":"red"} data={"name":"Ann"}`; JSON holds no spaces.
fn wanted(line: &str) -> Wanted {
    let mut words = line.split_whitespace();
    let name = words.next().unwrap().to_owned();
    let mut wanted = Wanted { data: json!({ "name": name }), name, app: Value::Null };
    for word in words {
        let (what, value) = word.split_once('=').unwrap();
        match what {
            "role" => wanted.app["role"] = json!(value),
            "app" => wanted.app = serde_json::from_str(value).unwrap(),
            "data" => wanted.data = serde_json::from_str(value).unwrap(),
            other => panic!("an account has no {other}"),
        }
    }
    wanted
}

/// What the schema is refused with.
fn refused(setup: &Setup, lines: &str) -> String {
    let mut text = match compiled(setup) {
        Ok(_) => "accepted".to_owned(),
        Err(mistakes) => mistakes,
    };
    let errors = text.split("\n\n").filter(|one| !one.starts_with("warning["));
    text = errors.collect::<Vec<_>>().join("\n\n");
    text.truncate(text.trim_end().len());
    text.push('\n');
    if lines == "\n" || lines.ends_with("\n\n") {
        text.push('\n');
    }
    text
}

/// Lines that say something.
fn stated(lines: &str) -> impl Iterator<Item = &str> {
    lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}
