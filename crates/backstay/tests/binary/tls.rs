//! TLS of `serve`, seen by OpenSSL: what is spoken, what is refused, and a certificate that changes.

use crate::kit::{NOTES, Project, Running, until};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

pub const OPENSSL: &str = "/usr/bin/openssl";

fn openssl(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(OPENSSL);
    let command = command.current_dir(folder).args(arguments);
    assert!(command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success(), "{arguments:?}");
}

/// A root, once, and a certificate of it with this serial number.
pub fn certificate(folder: &Path, serial: &str) {
    let new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    if !folder.join("root.crt").exists() {
        let root = ["-x509", "-days", "30", "-subj", "/CN=root", "-keyout", "root.key", "-out", "root.crt"];
        openssl(folder, &[&new[..], &root[..]].concat());
    }
    std::fs::write(folder.join("extension"), "subjectAltName = DNS:localhost\n").unwrap();
    openssl(
        folder,
        &[&new[..], &["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "csr"]].concat(),
    );
    let sign = ["x509", "-req", "-days", "30", "-in", "csr", "-CA", "root.crt", "-CAkey", "root.key"];
    let out = ["-set_serial", serial, "-extfile", "extension", "-out", "server.crt"];
    openssl(folder, &[&sign[..], &out[..]].concat());
}

/// A server with a certificate; none where there is no OpenSSL.
#[expect(clippy::print_stderr, reason = "what is not tried is told")]
fn server() -> Option<(Project, Running)> {
    if !Path::new(OPENSSL).is_file() {
        eprintln!("openssl is not installed: TLS was not tried");
        return None;
    }
    let project = Project::with(NOTES);
    certificate(&project.folder(), "0x0a01");
    let tls = "[server.tls]\ncertificate = \"server.crt\"\nkey = \"server.key\"\n";
    project.write("backstay.toml", &format!("{tls}[limits]\nhead_ms = 1000\n"));
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    let (server, _) = project.serve().ready();
    Some((project, server))
}

fn address(server: &Running) -> String {
    server.url.trim_start_matches("https://").to_owned()
}

/// What `openssl s_client` prints of a connection over which `request` is sent.
fn client(project: &Project, server: &Running, options: &[&str], request: &str) -> String {
    let mut command = Command::new(OPENSSL);
    command.current_dir(project.folder()).args(["s_client", "-connect", &address(server), "-ign_eof"]);
    command.args(["-servername", "localhost", "-CAfile", "root.crt", "-verify_return_error"]).args(options);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // a handshake that fails closes it
    let _ = child.stdin.take().unwrap().write_all(request.as_bytes());
    let done = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned()
}

const REQUEST: &str = "GET /auth/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[test]
fn http_is_spoken_over_tls_and_nothing_else() {
    let Some((project, server)) = server() else { return };
    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
    for options in [&["-alpn", "http/1.1"][..], &["-tls1_2"], &["-tls1_3"]] {
        let said = client(&project, &server, options, REQUEST);
        assert!(said.contains("Verification: OK") && said.contains("HTTP/1.1 200 OK"), "{options:?}: {said}");
    }
    let http2 = client(&project, &server, &["-alpn", "h2,http/1.1"], "");
    assert!(http2.contains("ALPN protocol: h2"), "{http2}");
    let old = client(&project, &server, &["-tls1_1"], REQUEST);
    assert!(!old.contains("HTTP/1.1"), "{old}");
    // words without TLS, and none at all, end within the time of a head
    for words in [REQUEST, "\u{16}\u{3}\u{1}", ""] {
        let mut stream = TcpStream::connect(address(&server)).unwrap();
        stream.write_all(words.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP"), "{words:?}");
    }
}

#[test]
fn a_new_certificate_is_taken_over_and_a_broken_one_is_not() {
    let Some((project, server)) = server() else { return };
    let serial = |wanted: &str| {
        let said = client(&project, &server, &["-alpn", "http/1.1"], REQUEST);
        assert!(said.contains("HTTP/1.1 200 OK"), "{said}");
        let pem = said.split("-----BEGIN CERTIFICATE-----").nth(1).unwrap();
        let pem = pem.split("-----END CERTIFICATE-----").next().unwrap();
        std::fs::write(
            project.folder().join("seen.crt"),
            format!("-----BEGIN CERTIFICATE-----{pem}-----END CERTIFICATE-----\n"),
        )
        .unwrap();
        let mut show = Command::new(OPENSSL);
        show.current_dir(project.folder()).args(["x509", "-in", "seen.crt", "-noout", "-serial"]);
        String::from_utf8_lossy(&show.output().unwrap().stdout).contains(wanted)
    };
    assert!(serial("serial=0A01"));
    // half of a renewal: the key is another one's
    project.write("server.key", "not a key");
    assert!(serial("serial=0A01"));
    certificate(&project.folder(), "0x0a02");
    until(|| serial("serial=0A02"));
}

#[test]
fn files_that_do_not_belong_together_end_the_start() {
    let Some((project, server)) = server() else { return };
    drop(server);
    let start = || project.run(&["serve", "--listen", "127.0.0.1:0"]);
    let key = project.read("server.key");
    certificate(&project.folder(), "0x0a03");
    project.write("server.key", &key);
    let done = start();
    assert_eq!(done.code, 1);
    assert!(
        done.err.starts_with("error: [server.tls] is not right: the certificate cannot be used"),
        "{}",
        done.err
    );
    project.write("server.crt", "");
    assert!(start().err.contains("holds no certificate"), "{}", start().err);
    project.write("backstay.toml", "[server.tls]\ncertificate = \"server.crt\"\n");
    assert_eq!(start().err, "error: [server.tls] needs `certificate` and `key`\n");
    project.write("backstay.toml", "[server.tls]\ncertificate = \"gone.crt\"\nkey = \"gone.key\"\n");
    assert!(start().err.contains("gone.crt cannot be read"), "{}", start().err);
}
