//! Tests: what is asked and what is not, on real sockets; nobody may connect who was not allowed.

use super::{Allow, Allowed, Answer, Call, Egress, Failure, Settings};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn egress(allow: &[&str], answer_bytes: usize, wait_ms: u64) -> Egress {
    let allow = allow.iter().map(|text| match text.parse() {
        Ok(net) => Allowed::Network(net),
        Err(_) => Allowed::Host((*text).to_owned()),
    });
    let wait = Duration::from_millis(wait_ms);
    Egress::new(Settings { allow: allow.collect(), answer_bytes, wait })
}

fn kind(result: &Result<Answer, Failure>) -> &'static str {
    match result {
        Ok(_) => "answer",
        Err(Failure::Url(_)) => "url",
        Err(Failure::Address(_)) => "address",
        Err(Failure::Late(_)) => "late",
        Err(Failure::Large(_)) => "large",
        Err(Failure::Network(..)) => "network",
        Err(Failure::Header(_)) => "header",
    }
}

/// Answers every connection with these bytes after the head of a request, and keeps it open; gives what was sent.
async fn server(answer: &'static str) -> (SocketAddr, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let read = socket.read(&mut head).await.unwrap_or(0);
            let _ = tell.send(String::from_utf8_lossy(&head[..read]).into_owned());
            let _ = socket.write_all(answer.as_bytes()).await;
            open.push(socket);
        }
    });
    (address, told)
}

fn get(url: &str) -> Call<'_> {
    Call { url, headers: &[], form: None }
}

#[test]
fn only_the_open_internet_is_asked() {
    let none = Allow { listed: Vec::new() };
    let told = |url: &str| match none.url(url) {
        Ok(_) => "asked",
        Err(Failure::Url(_)) => "url",
        Err(Failure::Address(_)) => "address",
        Err(_) => "else",
    };
    for url in ["https://accounts.example.com/x?y", "https://1.1.1.1/", "https://[2606:4700::1111]:8443/"] {
        assert_eq!(told(url), "asked", "{url}");
    }
    for url in [
        "http://accounts.example.com/",
        "http://1.1.1.1/",
        "https://user@accounts.example.com/",
        "https://user:password@accounts.example.com/",
        "ftp://accounts.example.com/",
        "file:///etc/passwd",
        "gopher://accounts.example.com:70/_x",
        "unix:/run/x.sock",
        "data:text/plain,x",
        "//accounts.example.com",
        "accounts.example.com",
        "",
    ] {
        assert_eq!(told(url), "url", "{url}");
    }
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.168.1.1",
        "198.18.0.1",
        "203.0.113.7",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "１２７.0.0.1",
        "127。0。0。1",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2001::1]",
        "[2001:db8::1]",
        "[2002:7f00:1::]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[3fff::1]",
        "[5f00::1]",
    ] {
        assert_eq!(told(&format!("https://{host}/")), "address", "{host}");
    }
}

#[test]
fn a_name_is_asked_only_with_all_its_addresses() {
    let at = |text: &str| -> SocketAddr { format!("{text}:0").parse().unwrap() };
    let none = Allow { listed: Vec::new() };
    assert!(none.admits("a.test", &[at("1.1.1.1"), at("[2606:4700::1111]")]));
    for inner in ["127.0.0.1", "10.1.1.1", "169.254.169.254", "[::1]", "[fd00::1]", "[::ffff:10.0.0.1]"] {
        assert!(!none.admits("a.test", &[at("1.1.1.1"), at(inner)]), "{inner}");
        assert!(!none.admits("a.test", &[at(inner)]), "{inner}");
    }
    let listed = Allow {
        listed: vec![
            Allowed::Host("Idp.Inner.test".to_owned()),
            Allowed::Network("10.0.0.0/8".parse().unwrap()),
        ],
    };
    assert!(listed.admits("idp.inner.test", &[at("192.168.0.1")]));
    assert!(listed.admits("a.test", &[at("10.2.3.4"), at("1.1.1.1")]));
    assert!(!listed.admits("a.test", &[at("192.168.0.1")]));
    assert!(!listed.admits("x.idp.inner.test", &[at("192.168.0.1")]));
    assert!(listed.url("http://10.0.0.1/").is_ok() && listed.url("http://idp.inner.test/").is_ok());
    assert!(listed.url("http://a.test/").is_err() && listed.url("http://192.168.0.1/").is_err());
}

#[tokio::test]
async fn nobody_connects_to_an_address_that_is_not_allowed() {
    let (address, mut told) = server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await;
    let port = address.port();
    let closed = egress(&[], 1024, 5_000);
    for host in ["localhost", "127.0.0.1", "2130706433", "[::ffff:127.0.0.1]", "0"] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/");
            assert!(matches!(kind(&closed.call(get(&url)).await), "address" | "url"), "{url}");
        }
    }
    assert_eq!(kind(&closed.call(get(&format!("https://localhost:{port}/"))).await), "address");
    assert!(told.try_recv().is_err(), "the listener saw a connection");
    let open = egress(&["127.0.0.0/8"], 1024, 5_000);
    let answer = open.call(get(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"{}"[..]));
    assert!(told.recv().await.unwrap().starts_with("GET / HTTP/1.1\r\n"));
}

#[tokio::test]
async fn redirects_are_answers() {
    let (inner, mut told) = server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = [0; 4096];
        assert!(socket.read(&mut head).await.unwrap() > 0);
        let answer = format!("HTTP/1.1 307 X\r\nLocation: http://{inner}/\r\nContent-Length: 0\r\n\r\n");
        socket.write_all(answer.as_bytes()).await.unwrap();
    });
    let open = egress(&["127.0.0.1"], 1024, 5_000);
    let url = format!("http://{address}/");
    let call = Call { url: &url, headers: &[("accept", "application/json")], form: Some("secret=1") };
    assert_eq!(open.call(call).await.unwrap().status, 307);
    assert!(told.try_recv().is_err());
}

#[tokio::test]
async fn egress_bytes() {
    let open = egress(&["127.0.0.1"], 4, 5_000);
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n1234", "answer"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345", "large"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n123\r\n3\r\n123\r\n", "large"),
        ("nonsense\r\n\r\n", "network"),
    ] {
        let (address, _told) = server(answer).await;
        assert_eq!(kind(&open.call(get(&format!("http://{address}/"))).await), expected, "{answer}");
    }
}

#[tokio::test]
async fn egress_ms() {
    for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n12"] {
        let (address, _told) = server(answer).await;
        let open = egress(&["127.0.0.1"], 1024, 100);
        assert_eq!(kind(&open.call(get(&format!("http://{address}/"))).await), "late", "{answer}");
    }
}

#[test]
fn answers_and_failures_do_not_tell_what_was_sent() {
    let answer = Answer { status: 200, body: b"token".to_vec() };
    assert_eq!(format!("{answer:?}"), "[answer 200 of 5 bytes]");
}
