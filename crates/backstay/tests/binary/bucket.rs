//! `backup` to S3: a server of its own (moto's, which checks signatures and rights) for each test, behind a
//! door that can be shut.

use crate::kit::{Project, Running, ask, until};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

const BUCKET: &str = "copies";
const SCHEMA: &str = "type Note @access(all: \"true\") {\n  text: String!\n}\n";

/// An S3 server that knows one account.
struct Bucket {
    server: Child,
    address: SocketAddr,
    door: Door,
    id: String,
    secret: String,
}

impl Drop for Bucket {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Bucket {
    /// Starts it; none where the program is not there.
    #[expect(clippy::print_stderr, clippy::disallowed_methods, reason = "what is not tried is told")]
    fn new() -> Option<Self> {
        let Ok(program) = std::env::var("BACKSTAY_TEST_MOTO") else {
            eprintln!("no moto_server is named by BACKSTAY_TEST_MOTO: S3 was not tried");
            return None;
        };
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
        // so many requests make the account; from then on it asks who somebody is
        command.env("INITIAL_NO_AUTH_ACTION_COUNT", "4");
        let server =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let door = Door::new(address);
        let mut bucket = Self { server, address, door, id: String::new(), secret: String::new() };
        until(|| TcpStream::connect(address).is_ok());
        let allowed =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
        bucket.account("Action=CreateUser&UserName=backup");
        bucket.account(&format!(
            "Action=PutUserPolicy&UserName=backup&PolicyName=all&PolicyDocument={allowed}"
        ));
        let key = bucket.account("Action=CreateAccessKey&UserName=backup");
        let told = |name: &str| {
            let rest = key.split_once(&format!("<{name}>")).unwrap().1;
            rest.split_once('<').unwrap().0.to_owned()
        };
        (bucket.id, bucket.secret) = (told("AccessKeyId"), told("SecretAccessKey"));
        bucket.asked("PUT", &format!("/{BUCKET}"), "s3", "");
        Some(bucket)
    }

    fn account(&self, action: &str) -> String {
        self.asked("POST", "/", "iam", &format!("{action}&Version=2010-05-08"))
    }

    /// One request without a signature, as the set-up may send.
    fn asked(&self, method: &str, path: &str, service: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=x/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=x\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer
    }

    /// A project whose backups go there.
    fn project(&self, more: &str) -> Project {
        let mut project = Project::with(SCHEMA);
        let backup = format!("[backup]\nurl = \"s3://{BUCKET}/of/shop\"\n{more}");
        project.write("backstay.toml", &format!("[server]\nadmin_listen = \"127.0.0.1:0\"\n{backup}"));
        project.set("AWS_ENDPOINT", &format!("http://{}", self.door.address));
        project.set("AWS_ALLOW_HTTP", "true");
        project.set("AWS_REGION", "us-east-1");
        project.set("AWS_ACCESS_KEY_ID", &self.id);
        project.set("AWS_SECRET_ACCESS_KEY", &self.secret);
        // of no meaning here; what such a variable holds is nobody's business either
        project.set("AWS_PROFILE", "nobody");
        assert_eq!(project.run(&["migrate", "new"]).code, 0);
        project
    }
}

/// Passes connections on, or does not.
struct Door {
    address: SocketAddr,
    is: Arc<AtomicU8>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

const OPEN: u8 = 0;
/// Who comes is sent away.
const SHUT: u8 = 1;
/// Who comes waits for ever.
const SILENT: u8 = 2;

impl Door {
    fn new(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (is, open) = (Arc::new(AtomicU8::new(OPEN)), Arc::<Mutex<Vec<TcpStream>>>::default());
        let (state, passing) = (Arc::clone(&is), Arc::clone(&open));
        std::thread::spawn(move || {
            let mut waiting = Vec::new();
            for from in listener.incoming().map_while(Result::ok) {
                match state.load(Ordering::SeqCst) {
                    SHUT => drop(from),
                    SILENT => waiting.push(from),
                    _ => {
                        let Ok(to) = TcpStream::connect(to) else { continue };
                        let streams = [&from, &to].map(|stream| stream.try_clone().unwrap());
                        passing.lock().unwrap().extend(streams);
                        let back = (to.try_clone().unwrap(), from.try_clone().unwrap());
                        std::thread::spawn(move || pass(from, to));
                        std::thread::spawn(move || pass(back.0, back.1));
                    }
                }
            }
        });
        Self { address, is, open }
    }

    /// From now on; connections that are open are cut.
    fn turn(&self, to: u8) {
        self.is.store(to, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

fn write(server: &Running, secret: &str, text: &str) {
    let body = format!("{{\"text\":\"{text}\"}}");
    let answer = ask(&server.url, secret, "POST", "/rest/v1/note", &body);
    assert_eq!((answer.status, answer.body.as_str()), (201, ""));
}

/// As `--at` takes it.
fn now() -> String {
    backstay_backup::place::time(backstay_base::clock::Clock::system().now_micros())
}

fn texts(project: &Project, file: &str) -> Vec<String> {
    let connection = rusqlite::Connection::open(project.folder().join(file)).unwrap();
    let mut statement = connection.prepare("SELECT substr(text, 1, 20) FROM note ORDER BY text").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

/// How many copies are at the target.
fn copies(project: &Project) -> usize {
    let listed = project.run(&["backup", "list"]).out;
    // the last lines tell how far chains reach
    listed.lines().filter(|line| !line.starts_with("chain ")).count()
}

/// Ends a server: what it has is at the target then.
fn ended(mut server: Running) -> String {
    server.terminate();
    let (code, said) = server.ended();
    assert_eq!(code, 0, "{said}");
    said
}

#[test]
fn a_bucket_takes_copies_and_commits_and_gives_any_moment_back() {
    let Some(bucket) = Bucket::new() else { return };
    let project = bucket.project("");
    let secret = project.secret();
    let (server, _) = project.serve().ready();
    write(&server, &secret, "one");
    ended(server);
    let copy = project.json(&["backup", "create"]);
    let name = copy["copy"].as_str().unwrap();
    let (server, _) = project.serve().ready();
    write(&server, &secret, "two");
    // the time of the database's own clock, between two commits
    let between = now();
    write(&server, &secret, "three");
    assert_eq!(ended(server), "");

    std::fs::remove_dir_all(project.folder().join(".backstay")).unwrap();
    let listed = project.run(&["backup", "list"]);
    assert!(copies(&project) == 2 && listed.out.contains(name), "{listed:?}");
    assert!(listed.out.lines().last().unwrap().starts_with("chain "), "{listed:?}");
    let whole = project.json(&["backup", "verify"]);
    let restored = project.json(&["backup", "restore", "--to", "app/new.db"]);
    assert_eq!(whole, restored);
    assert_eq!(texts(&project, "new.db"), ["one", "three", "two"]);
    project.json(&["backup", "restore", "--to", "app/at.db", "--at", &between]);
    assert_eq!(texts(&project, "at.db"), ["one", "two"]);
    project.json(&["backup", "restore", name, "--to", "app/old.db"]);
    assert_eq!(texts(&project, "old.db"), ["one"]);
    let gone = project.run(&["backup", "verify", "20010101T000000.000000Z"]);
    assert_eq!(
        gone.err,
        "error: the backup target has no of/shop/copies/20010101T000000.000000Z/manifest (NoSuchKey)\n"
    );
}

#[test]
fn a_target_that_is_away_for_a_while_gets_all_that_was_missed() {
    let Some(bucket) = Bucket::new() else { return };
    for away in [SHUT, SILENT] {
        let mut project = bucket.project("");
        // a silent target is not waited for as long as a real one would be
        project.set("AWS_TIMEOUT", "2s");
        let place = format!("s3://{BUCKET}/away/{away}");
        project.write(
            "backstay.toml",
            &project.read("backstay.toml").replace(&format!("s3://{BUCKET}/of/shop"), &place),
        );
        let secret = project.secret();
        let (mut server, _) = project.serve().ready();
        write(&server, &secret, "before");
        until(|| copies(&project) == 1);
        bucket.door.turn(away);
        write(&server, &secret, "while");
        server.remark("commits were not shipped");
        // nobody who asks the server notices
        for number in 0..50 {
            write(&server, &secret, &format!("while {number:02}"));
        }
        server.remark("commits have not been shipped for long");
        if away == SHUT {
            // who begins without the target waits for it, too
            ended(server);
            server = project.serve().ready().0;
            server.remark("commits were not shipped");
        }
        bucket.door.turn(OPEN);
        server.remark("commits are shipped again");
        write(&server, &secret, "after");
        let said = ended(server);
        for secret in [&bucket.secret, &secret] {
            assert!(!said.contains(secret.as_str()), "{said}");
        }
        // one chain, with all of it
        assert_eq!(copies(&project), 1);
        project.json(&["backup", "restore", "--to", "app/new.db"]);
        assert_eq!(texts(&project, "new.db").len(), 53);
    }
}

#[test]
fn what_waits_for_a_target_is_bounded_and_a_new_chain_begins() {
    let Some(bucket) = Bucket::new() else { return };
    // the least bound there is: 4,000 frames
    let project = bucket.project("waiting_bytes = 0\n");
    let secret = project.secret();
    let (mut server, ready) = project.serve().ready();
    let admin = ready["admin"].as_str().unwrap().to_owned();
    let told = |wanted: &str| ask(&admin, "", "GET", "/metrics", "").body.contains(wanted);
    write(&server, &secret, "before");
    until(|| copies(&project) == 1 && told("backstay_backup_commits_waiting 0"));
    bucket.door.turn(SHUT);
    let log = project.folder().join(".backstay/dev.db-wal");
    let mut longest = 0;
    for number in 0..80 {
        write(&server, &secret, &format!("{number:02}{}", "x".repeat(500_000)));
        longest = longest.max(std::fs::metadata(&log).unwrap().len());
    }
    assert!(longest < 24 << 20, "{longest} bytes of log for 40 MB of commits");
    server.remark("it goes on without");
    bucket.door.turn(OPEN);
    until(|| told("backstay_backup_chain_broken 0") && told("backstay_backup_commits_waiting 0"));
    write(&server, &secret, "after");
    ended(server);
    // a chain that had a gap begins anew with a copy
    assert!(copies(&project) >= 2);
    project.json(&["backup", "restore", "--to", "app/new.db"]);
    assert_eq!(texts(&project, "new.db").len(), 82);
}

#[test]
fn wrong_credentials_are_said_without_a_word_of_them() {
    let Some(bucket) = Bucket::new() else { return };
    let (key, secret) = ("AKIACANARYCANARY0001", "canary/secret+of/an/account/0123456789ab");
    let token = "canary-session-token-0123456789";
    let words = |code: &str| {
        format!(
            "the backup target lets nobody in with these credentials ({code}): look at AWS_ACCESS_KEY_ID, \
             AWS_SECRET_ACCESS_KEY and what they may do there"
        )
    };
    for (set, code) in [
        (&[("AWS_SECRET_ACCESS_KEY", secret)][..], "SignatureDoesNotMatch"),
        (&[("AWS_ACCESS_KEY_ID", key), ("AWS_SESSION_TOKEN", token)], "InvalidAccessKeyId"),
    ] {
        let mut project = bucket.project("");
        set.iter().for_each(|(name, value)| project.set(name, value));
        let own = project.secret();
        let refused = project.run(&["backup", "create"]);
        assert_eq!((refused.code, refused.err), (1, format!("error: {}\n", words(code))));
        let listed = project.run(&["backup", "list", "--json"]);
        assert!(listed.out.contains(&words(code)), "{listed:?}");
        // the server serves, and says what is the matter
        let (mut server, _) = project.serve_telling("debug").ready();
        let said = server.remark("commits were not shipped");
        assert!(said.contains(&words(code)), "{said}");
        write(&server, &own, "served");
        let said = ended(server);
        for canary in [key, secret, token, &bucket.id, &bucket.secret] {
            assert!(!said.contains(canary), "{canary}: {said}");
        }
    }
    let project = bucket.project("");
    let config = project.read("backstay.toml").replace(BUCKET, "nobodys");
    project.write("backstay.toml", &config);
    project.secret();
    let refused = project.run(&["backup", "create"]);
    assert!(
        refused.err.starts_with("error: the backup target has no ") && refused.err.contains("(NoSuchBucket)"),
        "{refused:?}"
    );
}
