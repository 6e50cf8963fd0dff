//! Encrypted connections: what each `sslmode` asks of the server.

use crate::instance::{Instance, has};
use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine::Engine as _;
use backstay_engine_postgres::Postgres;
use std::path::Path;
use std::process::{Command, Stdio};

const OPENSSL: &str = "/usr/bin/openssl";

fn openssl(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(OPENSSL);
    let command = command.current_dir(folder).args(arguments);
    assert!(command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success(), "{arguments:?}");
}

/// A root, and a certificate of it for a name.
fn certificates(folder: &Path, name: &str) {
    let subject = format!("/CN={name}");
    let extension = format!("subjectAltName = DNS:{name}\nbasicConstraints = CA:FALSE\n");
    std::fs::write(folder.join("extension"), extension).unwrap();
    let new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let root = ["-x509", "-days", "30", "-subj", "/CN=root", "-keyout", "root.key", "-out", "root.crt"];
    openssl(folder, &[&new[..], &root[..]].concat());
    openssl(
        folder,
        &[&new[..], &["-subj", &subject, "-keyout", "server.key", "-out", "server.csr"]].concat(),
    );
    let sign = ["x509", "-req", "-days", "30", "-in", "server.csr", "-CA", "root.crt", "-CAkey", "root.key"];
    let out = ["-CAcreateserial", "-extfile", "extension", "-out", "server.crt"];
    openssl(folder, &[&sign[..], &out[..]].concat());
}

/// Whether a connection comes about.
async fn connects(instance: &Instance, host: &str, parameters: &str) -> bool {
    let url = format!("postgres://postgres@{host}:{}/postgres?{parameters}", instance.port);
    let engine = Postgres::new(&Secret::new(url), &Limits::default()).unwrap();
    engine.journal().await.is_ok()
}

#[tokio::test]
async fn each_mode_asks_what_it_says() {
    if !has(OPENSSL) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    certificates(folder.path(), "localhost");
    certificates(other.path(), "localhost");
    let Some(instance) = Instance::start("fsync = off") else { return };
    // without encryption at first
    assert!(connects(&instance, "127.0.0.1", "").await);
    assert!(!connects(&instance, "127.0.0.1", "sslmode=require").await);
    instance.down();
    let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let certificate = instance.file("server.crt", &text("server.crt"));
    let key = instance.file("server.key", &text("server.key"));
    let configuration = instance.data().join("postgresql.conf");
    let known = std::fs::read_to_string(&configuration).unwrap();
    let settings = format!(
        "{known}\nssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\n",
        certificate.display(),
        key.display()
    );
    std::fs::write(&configuration, settings).unwrap();
    let only = "hostssl all all 127.0.0.1/32 trust\nhostssl all all ::1/128 trust\n";
    std::fs::write(instance.data().join("pg_hba.conf"), only).unwrap();
    instance.up();
    let root = |folder: &Path| format!("sslrootcert={}", folder.join("root.crt").display());
    let (known, unknown) = (root(folder.path()), root(other.path()));
    for (host, parameters, expected) in [
        ("127.0.0.1", "sslmode=disable".to_owned(), false),
        ("127.0.0.1", String::new(), true),
        ("127.0.0.1", "sslmode=require".to_owned(), true),
        ("127.0.0.1", format!("sslmode=require&{unknown}"), false),
        ("127.0.0.1", format!("sslmode=verify-ca&{known}"), true),
        ("127.0.0.1", format!("sslmode=verify-ca&{unknown}"), false),
        ("127.0.0.1", format!("sslmode=verify-full&{known}"), false),
        ("localhost", format!("sslmode=verify-full&{known}"), true),
        ("localhost", format!("sslmode=verify-full&{unknown}"), false),
        ("localhost", "sslmode=verify-full".to_owned(), false),
    ] {
        assert_eq!(connects(&instance, host, &parameters).await, expected, "{host} {parameters}");
    }
}
