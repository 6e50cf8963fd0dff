//! Encrypted connections: who vouches for the server, and for which name.

use crate::instance::Instance;
use crate::kit::refused;
use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_engine_mysql::MySql;
use backstay_engine_mysql::connection::Refusal;
use backstay_engine_mysql::pool::Purpose;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

fn openssl(folder: &Path, arguments: &str) -> bool {
    let words = arguments.split_whitespace();
    let mut command = Command::new("openssl");
    command.args(words).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// An authority, another one, and the certificate of a server called `localhost`.
fn certificates() -> Option<TempDir> {
    let folder = tempfile::tempdir().unwrap();
    crate::instance::open_to_all(folder.path());
    std::fs::write(folder.path().join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    let made = ["ca", "stranger"].iter().all(|name| {
        let request = format!(
            "req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.pem -days 2 -subj /CN={name}"
        );
        openssl(folder.path(), &request)
    }) && openssl(
        folder.path(),
        "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost",
    ) && openssl(
        folder.path(),
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
    );
    for name in ["server.key", "server.pem", "ca.pem"] {
        if made {
            crate::instance::open_to_all(&folder.path().join(name));
        }
    }
    made.then_some(folder)
}

/// The cipher of a new connection; empty where there is none.
async fn cipher(url: &str) -> Result<String, backstay_base::fault::Fault> {
    let engine = MySql::connect(&Secret::new(url.to_owned()), &Limits::default()).unwrap();
    let mut connection = engine.pool().take(Purpose::Read).await?;
    let mut cipher = String::new();
    let mut read = |row: mysql_async::Row| {
        if let Some(mysql_async::Value::Bytes(bytes)) = row.as_ref(1) {
            cipher = String::from_utf8(bytes.clone()).unwrap();
        }
        Ok(())
    };
    connection
        .execute("SHOW STATUS LIKE 'Ssl_cipher'", vec![], &mut read)
        .await
        .map_err(Refusal::into_fault)?;
    Ok(cipher)
}

#[tokio::test]
async fn a_server_must_show_what_the_mode_asks_for() {
    let Some(folder) = certificates() else { return };
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let settings =
        [["--ssl-cert=", &file("server.pem")].concat(), ["--ssl-key=", &file("server.key")].concat()];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let Some(mut instance) = Instance::new(&settings) else { return };
    instance.start();
    instance.ready().await;
    let (ca, stranger) = (file("ca.pem"), file("stranger.pem"));
    let port = instance.port;
    let asked = |host: &str, parameters: &str| format!("mysql://root@{host}:{port}/mysql?{parameters}");
    for (host, parameters, encrypted) in [
        ("127.0.0.1", "ssl-mode=disabled".to_owned(), false),
        ("127.0.0.1", String::new(), true),
        ("127.0.0.1", "ssl-mode=required".to_owned(), true),
        ("127.0.0.1", format!("ssl-mode=verify-identity&ssl-name=localhost&ssl-ca={ca}"), true),
        ("localhost", format!("ssl-mode=verify-identity&ssl-ca={ca}"), true),
    ] {
        let found = cipher(&asked(host, &parameters)).await.unwrap();
        assert_eq!(!found.is_empty(), encrypted, "{host} {parameters}");
    }
    for (host, parameters) in [
        ("localhost", format!("ssl-mode=verify-identity&ssl-ca={stranger}")),
        ("127.0.0.1", format!("ssl-mode=verify-identity&ssl-ca={ca}")),
        ("localhost", format!("ssl-mode=verify-identity&ssl-name=elsewhere&ssl-ca={ca}")),
        ("localhost", "ssl-mode=verify-identity".to_owned()),
    ] {
        let refusal = cipher(&asked(host, &parameters)).await;
        assert_eq!(refused(refusal), "PGRST000 | the database cannot be reached | ", "{host} {parameters}");
    }
    let missing = Secret::new(asked("localhost", "ssl-mode=verify-identity&ssl-ca=/nowhere.pem"));
    let words = MySql::connect(&missing, &Limits::default()).unwrap_err().to_string();
    assert!(words.starts_with("the certificates for the database cannot be read: /nowhere.pem: "), "{words}");
}

#[tokio::test]
async fn without_encryption_only_what_asks_for_it_is_refused() {
    let Some(mut instance) = Instance::new(&["--skip-ssl"]) else { return };
    instance.start();
    instance.ready().await;
    let url = |parameters: &str| format!("{}/mysql?{parameters}", instance.url());
    assert_eq!(cipher(&url("")).await.unwrap(), "");
    let required = cipher(&url("ssl-mode=required")).await;
    assert_eq!(refused(required), "PGRST000 | the database cannot be reached | ");
}

#[tokio::test]
async fn the_first_host_that_takes_writes_is_used() {
    let Some(mut first) = Instance::new(&["--read-only"]) else { return };
    let Some(mut second) = Instance::new(&[]) else { return };
    for instance in [&mut first, &mut second] {
        instance.start();
        instance.ready().await;
    }
    let hosts = format!("127.0.0.1:1,127.0.0.1:{},127.0.0.1:{}", first.port, second.port);
    let engine =
        MySql::connect(&Secret::new(format!("mysql://root@{hosts}/mysql")), &Limits::default()).unwrap();
    let mut connection = engine.pool().take(Purpose::Read).await.unwrap();
    let mut port = None;
    let mut read = |row: mysql_async::Row| {
        port = row.as_ref(0).cloned();
        Ok(())
    };
    connection.execute("SELECT @@port", vec![], &mut read).await.map_err(Refusal::into_fault).unwrap();
    assert!(
        matches!(port, Some(mysql_async::Value::Int(port)) if port == i64::from(second.port)),
        "{port:?}"
    );
}
