//! `serve`: what it applies, what it refuses, how it ends.

use crate::kit::{Client, NOTES, Project, ask};
use insta::assert_snapshot;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// A project whose first migration is written and applied.
fn migrated(schema: &str) -> Project {
    let project = Project::with(schema);
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    assert_eq!(project.run(&["migrate", "up"]).code, 0);
    project
}

#[test]
fn pending_files_that_keep_everything_are_applied() {
    let project = Project::with(NOTES);
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    let secret = project.secret();
    let (mut server, _) = project.serve().ready();
    let made = ask(&server.url, &secret, "POST", "/rest/v1/note", "{\"text\":\"a\"}");
    assert_eq!((made.status, made.body.as_str()), (201, ""));
    server.terminate();
    assert_eq!(server.ended(), (0, "applied 0001_init.sql\n".to_owned()));
}

#[test]
fn people_come_without_an_address_where_that_is_allowed() {
    for (config, status) in [("", 422), ("[auth]\nanonymous = true\n", 200)] {
        let project = migrated(NOTES);
        project.write("backstay.toml", config);
        let secret = project.secret();
        let (server, _) = project.serve().ready();
        let come = ask(&server.url, &secret, "POST", "/auth/v1/signup", "{}");
        assert_eq!(come.status, status, "{}", come.body);
        let code = if status == 200 { r#""is_anonymous":true"# } else { "anonymous_provider_disabled" };
        assert!(come.body.contains(code), "{}", come.body);
        let settings = ask(&server.url, &secret, "GET", "/auth/v1/settings", "");
        let told = format!(r#""anonymous_users":{}"#, status == 200);
        assert!(settings.body.contains(&told), "{}", settings.body);
    }
}

#[test]
fn a_schema_that_differs_from_the_database_is_refused() {
    let project = migrated(NOTES);
    project.edit("  stars", "  more: String\n  stars");
    let done = project.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    assert_snapshot!(done.err);
}

#[test]
fn a_pending_file_that_may_lose_data_is_refused() {
    let project = migrated(NOTES);
    project.database().execute("INSERT INTO note VALUES ('1', 'kept', 3)", []).unwrap();
    project.edit("  stars: Int @valid(min: 0)\n", "");
    assert_eq!(project.run(&["migrate", "new", "--yes"]).code, 0);
    let done = project.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    assert_snapshot!(done.err);
    assert_eq!(project.rows("SELECT text, stars FROM note"), ["kept|3"]);
}

#[test]
fn a_schema_with_mistakes_is_refused_with_all_of_them() {
    let project = Project::with("type Note @access(read: \"this.a\") {\n  text: Strin\n}\n");
    let done = project.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    assert_snapshot!(done.err);
}

#[test]
fn a_second_process_on_the_same_file_is_refused() {
    let project = migrated(NOTES);
    let (server, _) = project.serve().ready();
    for command in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["dev", "--port", "0"],
        &["keys", "list"],
        &["migrate", "up"],
    ] {
        let done = project.run(command);
        assert_eq!((done.code, done.out.as_str()), (1, ""), "{command:?}");
        let holder = server.id();
        assert_eq!(
            done.err,
            format!(
                "error: app/.backstay/dev.db is in use by process {holder}; one process may use a database file at a time\n"
            ),
        );
    }
}

#[test]
fn an_address_in_use_is_refused_before_anything_is_touched() {
    let project = Project::with(NOTES);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let done = project.run(&["serve", "--listen", &address]);
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    assert!(done.err.starts_with(&format!("error: cannot listen on {address}")), "{}", done.err);
    assert_eq!(project.files(".backstay"), [""; 0]);
}

#[test]
fn the_end_waits_for_an_open_request() {
    let project = migrated(NOTES);
    let secret = project.secret();
    let (mut server, _) = project.serve().ready();
    let mut open = Client::new(&server.url, &secret).unwrap();
    // an answer proves that the connection is served, not waiting in the backlog
    assert_eq!(open.ask("GET", "/rest/v1/note", "").unwrap().body, "[]");
    let body = "{\"text\":\"drained\"}";
    open.begin("POST", "/rest/v1/note", body.len(), &body[..5]).unwrap();
    let mut other = Client::new(&server.url, &secret).unwrap();
    assert_eq!(other.ask("GET", "/rest/v1/note", "").unwrap().status, 200);
    server.terminate();
    let address = server.url.trim_start_matches("http://").to_owned();
    crate::kit::until(|| TcpStream::connect(&address).is_err());
    open.send(&body[5..]).unwrap();
    assert_eq!(open.answer().unwrap().status, 201);
    assert_eq!(server.ended(), (0, String::new()));
    assert_eq!(project.rows("SELECT text FROM note"), ["drained"]);
}

#[test]
fn health_and_metrics_have_an_address_of_their_own() {
    let project = migrated(NOTES);
    project.write(
        "backstay.toml",
        "[server]\nadmin_listen = \"127.0.0.1:0\"\n[backup]\nurl = \"file:copies\"\n",
    );
    let secret = project.secret();
    let (mut server, ready) = project.serve().ready();
    let admin = ready["admin"].as_str().unwrap().to_owned();
    assert_ne!(admin, server.url);
    assert_eq!(ask(&server.url, &secret, "POST", "/rest/v1/note", "{\"text\":\"a\"}").status, 201);
    let health = ask(&admin, "", "GET", "/health/ready", "");
    assert_eq!(health.status, 200, "{health:?}");
    assert_eq!(health.json()["checks"]["backup"], "ok", "{health:?}");
    let told = ask(&admin, "", "GET", "/metrics", "").body;
    for line in [
        "backstay_requests_total{door=\"rest\",method=\"POST\",status=\"2xx\"} 1",
        "backstay_backup_chain_broken 0",
        "backstay_connections ",
        "process_resident_memory_bytes ",
        "process_open_fds ",
        "backstay_sqlite_commits_total ",
    ] {
        assert!(told.lines().any(|told| told.starts_with(line)), "{line} is not in {told}");
    }
    for path in ["/metrics", "/health/live", "/health/ready"] {
        assert_eq!(ask(&server.url, &secret, "GET", path, "").status, 404, "{path} is no public door");
    }
    assert_eq!(ask(&admin, &secret, "GET", "/rest/v1/note", "").status, 404);
    server.terminate();
    assert_eq!(server.ended().0, 0);
}

#[test]
fn an_admin_address_that_is_taken_ends_the_start() {
    let project = migrated(NOTES);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    project.write("backstay.toml", &format!("[server]\nadmin_listen = \"{address}\"\n"));
    let done = project.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    assert!(
        done.err.starts_with(&format!("error: cannot listen on {address} ([server] admin_listen)")),
        "{}",
        done.err
    );
}

#[test]
fn rules_see_the_address_that_a_trusted_proxy_tells() {
    let schema = "type Note @access(all: \"request.ip == '203.0.113.7'\") {\n  text: String! @unique\n}\n";
    let project = migrated(schema);
    let key = project.json(&["keys", "list", "--reveal"])["legacy"]["anon"].as_str().unwrap().to_owned();
    let post =
        "POST /rest/v1/note HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 12";
    for (configuration, listed, status) in [
        ("", "203.0.113.7", 401),
        ("trusted_proxies = [\"127.0.0.1\"]", "203.0.113.7", 201),
        ("trusted_proxies = [\"127.0.0.1\"]", "203.0.113.7, 198.51.100.1", 401),
        ("trusted_proxies = [\"127.0.0.0/8\"]\nproxy_header = \"forwarded\"", "203.0.113.7", 401),
    ] {
        project.write("backstay.toml", &format!("[server]\n{configuration}\n"));
        let (server, _) = project.serve().ready();
        let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
        let request = format!(
            "{post}\r\nConnection: close\r\napikey: {key}\r\nX-Forwarded-For: {listed}\r\n\r\n{{\"text\":\"a\"}}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{configuration} {listed}: {answer}");
    }
}
