//! Certificates by ACME, from Let's Encrypt's own test authority (`pebble`), which looks at the server as the real one does.

use crate::kit::{NOTES, Project, Running, ask, until};
use crate::tls::{OPENSSL, certificate};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const PEBBLE: &str = "/usr/bin/pebble";
const NAMES: &str = "/usr/bin/pebble-challtestsrv";

/// An authority, with the names that it looks at.
struct Authority {
    servers: Vec<Child>,
    /// Where it is.
    port: u16,
    /// Where it looks at each name.
    looks_at: u16,
}

impl Drop for Authority {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn spawned(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

impl Authority {
    /// One whose certificates are good for so many seconds, and that rejects this part of the nonces, in percent.
    #[expect(clippy::print_stderr, reason = "what is not tried is told")]
    fn new(folder: &Path, seconds: u32, rejects: u8) -> Option<Self> {
        if ![PEBBLE, NAMES, OPENSSL].iter().all(|program| Path::new(program).is_file()) {
            eprintln!("pebble is not installed: ACME was not tried");
            return None;
        }
        // its own certificate, for localhost
        certificate(folder, "0x0b01");
        let (port, managed, names, looks_at) = (free_port(), free_port(), free_port(), free_port());
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"), "managementListenAddress": format!("127.0.0.1:{managed}"),
            "certificate": "server.crt", "privateKey": "server.key", "httpPort": free_port(), "tlsPort": looks_at,
            "certificateValidityPeriod": seconds,
        }});
        std::fs::write(folder.join("pebble.json"), config.to_string()).unwrap();
        let mut resolver = Command::new(NAMES);
        resolver.args(["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""]);
        resolver.args([
            "-dns01",
            &format!("127.0.0.1:{names}"),
            "-management",
            &format!("127.0.0.1:{}", free_port()),
        ]);
        let mut pebble = Command::new(PEBBLE);
        pebble.current_dir(folder).args([
            "-config",
            "pebble.json",
            "-dnsserver",
            &format!("127.0.0.1:{names}"),
        ]);
        pebble.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", rejects.to_string());
        let servers = vec![spawned(&mut resolver), spawned(&mut pebble)];
        until(|| {
            [port, managed].iter().all(|port| std::net::TcpStream::connect(("127.0.0.1", *port)).is_ok())
        });
        Some(Self { servers, port, looks_at })
    }

    fn settings(&self, names: &str) -> String {
        format!(
            "[server]\nadmin_listen = \"127.0.0.1:0\"\n[server.tls.acme]\nnames = {names}\nterms_agreed = true\n\
             email = \"a@shop.example\"\ndirectory = \"https://localhost:{}/dir\"\nroot = \"root.crt\"\n",
            self.port
        )
    }

    /// Serves where it looks.
    fn serve(&self, project: &Project) -> (Running, String) {
        let listen = format!("127.0.0.1:{}", self.looks_at);
        let (server, ready) = project.start(&["serve", "--json", "--listen", &listen]).ready();
        assert_eq!(server.url, format!("https://{listen}"));
        (server, ready["admin"].as_str().unwrap().to_owned())
    }
}

/// What a server shows of itself: the certificate's serial number, issuer and names. Empty without one.
fn shown(port: u16, name: &str, options: &[&str]) -> String {
    let mut command = Command::new(OPENSSL);
    command.args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-servername", name]).args(options);
    let seen = command.stdin(Stdio::null()).stderr(Stdio::null()).output().unwrap();
    let mut show = Command::new(OPENSSL);
    show.args(["x509", "-noout", "-serial", "-issuer", "-ext", "subjectAltName"]);
    let mut show = show.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // without a certificate it reads nothing
    let _ = std::io::Write::write_all(&mut show.stdin.take().unwrap(), &seen.stdout);
    String::from_utf8_lossy(&show.wait_with_output().unwrap().stdout).into_owned()
}

fn serial(shown: &str) -> &str {
    shown.lines().next().unwrap_or_default()
}

fn project(settings: &str, folder: &Path) -> Project {
    let project = Project::with(NOTES);
    project.write("backstay.toml", settings);
    std::fs::copy(folder.join("root.crt"), project.folder().join("root.crt")).unwrap();
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    project
}

#[test]
fn a_certificate_is_got_kept_and_renewed_before_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    // some nonces are rejected, as a busy authority may
    let Some(authority) = Authority::new(folder.path(), 40, 5) else { return };
    let project = project(&authority.settings("[\"shop.example\", \"www.shop.example\"]"), folder.path());
    let (server, admin) = authority.serve(&project);
    let see = || shown(authority.looks_at, "shop.example", &[]);
    until(|| !see().is_empty());
    let first = see();
    assert!(first.contains("Pebble Intermediate CA"), "{first}");
    assert!(["DNS:shop.example", "DNS:www.shop.example"].iter().all(|name| first.contains(name)), "{first}");
    let metrics = ask(&admin, "", "GET", "/metrics", "").body;
    let end =
        metrics.lines().find_map(|line| line.strip_prefix("backstay_certificate_end_seconds ")).unwrap();
    assert!(end.parse::<u64>().unwrap() > 1_700_000_000, "{end}");
    // who asks for a proof without being owed one gets nothing
    assert_eq!(shown(authority.looks_at, "shop.example", &["-alpn", "acme-tls/1"]), "");
    assert!(!shown(authority.looks_at, "shop.example", &["-alpn", "acme-tls/1,http/1.1"]).is_empty());
    let kept = project.files(".backstay/acme");
    assert_eq!(kept.len(), 3, "{kept:?}");
    #[cfg(unix)]
    for name in kept.iter().filter(|name| *name != "lock") {
        use std::os::unix::fs::PermissionsExt as _;
        let about = std::fs::metadata(project.folder().join(".backstay/acme").join(name)).unwrap();
        assert_eq!(about.permissions().mode() & 0o777, 0o600, "{name}");
    }
    // another start answers with what is kept, at once
    let before = see();
    drop(server);
    let (server, _) = authority.serve(&project);
    assert_eq!(serial(&see()), serial(&before));
    // before it ends there is another one
    until(|| !["", serial(&before)].contains(&serial(&see())));
    let account: Vec<String> =
        project.files(".backstay/acme").into_iter().filter(|name| name.starts_with("account")).collect();
    assert_eq!(account.len(), 1);
    drop(server);
}

#[test]
fn a_second_process_of_the_folder_takes_what_the_first_one_gets() {
    let folder = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(folder.path(), 3_000, 0) else { return };
    let project = project(&authority.settings("[\"shop.example\"]"), folder.path());
    let (server, _) = authority.serve(&project);
    until(|| !shown(authority.looks_at, "shop.example", &[]).is_empty());
    // with a database of its own, as a file is one process's
    let mut second = Project::beside(&project);
    second.set("DATABASE_URL", "sqlite:.backstay/second.db");
    let (other, _) = second.serve().ready();
    let port = other.url.rsplit(':').next().unwrap().parse().unwrap();
    let both = [authority.looks_at, port].map(|port| shown(port, "shop.example", &[]));
    assert!(!both[0].is_empty());
    assert_eq!(both[0], both[1]);
    drop((server, other));
}

#[test]
fn an_authority_that_gives_none_is_told_and_the_server_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(folder.path(), 3_000, 0) else { return };
    let project = project(&authority.settings("[\"shop.example\"]"), folder.path());
    // nobody is where the authority looks
    let (mut server, ready) = project.serve().ready();
    let said = server.remark("no certificate was got");
    let words = "the authority has not found the names here: API error: Failed to connect to 127.0.0.1:";
    assert!(said.contains(words), "{said}");
    let admin = ready["admin"].as_str().unwrap();
    let health = ask(admin, "", "GET", "/health/ready", "");
    assert_eq!(
        (health.status, health.json()["checks"]["certificate"].as_str()),
        (200, Some("there is no certificate yet"))
    );
    server.terminate();
    assert_eq!(server.ended().0, 0);
    // an authority that is not there, or whose certificate nobody knows
    for (from, to) in [
        (format!(":{}/", authority.port), format!(":{}/", free_port())),
        ("root = ".to_owned(), "# ".to_owned()),
    ] {
        let settings = authority.settings("[\"shop.example\"]").replace(&from, &to);
        project.write("backstay.toml", &settings);
        std::fs::remove_dir_all(project.folder().join(".backstay/acme")).unwrap();
        let (mut server, _) = project.serve().ready();
        server.remark("no certificate was got");
        drop(server);
    }
}

#[test]
fn settings_that_do_not_go_together_end_the_start() {
    let project = Project::with(NOTES);
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    let refused = |settings: &str| {
        project.write("backstay.toml", settings);
        let done = project.run(&["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(done.code, 1, "{done:?}");
        done.err
    };
    assert_eq!(
        refused("[server.tls.acme]\nnames = [\"a.example\"]\n"),
        "error: [server.tls.acme] asks https://acme-v02.api.letsencrypt.org/directory for a certificate: read its \
         terms and set terms_agreed = true\n"
    );
    assert_eq!(
        refused("[server.tls.acme]\nnames = [\"*.a.example\"]\nterms_agreed = true\n"),
        "error: [server.tls.acme] names \"*.a.example\": a certificate is for whole host names such as \
         api.example.com\n"
    );
    let files = "[server.tls]\ncertificate = \"a\"\nkey = \"b\"\n";
    assert_eq!(
        refused(&format!("{files}[server.tls.acme]\nnames = [\"a.example\"]\nterms_agreed = true\n")),
        "error: [server.tls] names files and [server.tls.acme] names: it is the one or the other\n"
    );
}
