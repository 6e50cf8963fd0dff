//! Slow clients by the hundred, as `slowhttptest` plays them: heads, bodies, ranges and reads that never
//! end. Others are served all the while, and memory stays where it was: that of the whole process, which is
//! why nothing else runs in this one.

#![cfg(test)]

use backstay_base::limit::Limits;
use backstay_server::listen::listen;
use backstay_testkit::served::{Served, Setup};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;

const SCHEMA: &str = r#"type Node @access(all: "true") { id: Int!  text: String }"#;

/// Most memory that an attack may add, in KiB.
const GROWTH_KIB: usize = 64 * 1024;

struct Listening {
    served: Served,
    address: SocketAddr,
}

async fn listening(limits: Limits) -> Listening {
    let served = Served::start(&Setup { sdl: SCHEMA.to_owned(), limits, ..Setup::default() }).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(listen(Arc::clone(&served.app), listener, std::future::pending()));
    Listening { served, address }
}

/// Memory of this process, in KiB.
fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// One request of somebody who means well; how it begins.
async fn asked(listening: &Listening, request: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).chars().take(12).collect()
}

/// Plays one mode for some seconds and asks others' requests all the while. None where the tool is not there.
async fn play(listening: &Listening, mode: &[&str]) -> Option<usize> {
    let url = format!("http://{}/rest/v1/node", listening.address);
    let mut command = Command::new("slowhttptest");
    command.args(mode).args(["-c", "800", "-r", "400", "-l", "5", "-i", "1", "-u", &url]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut attack = match command.spawn() {
        Ok(attack) => attack,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => panic!("{error}"),
    };
    let head =
        format!("HTTP/1.1\r\nhost: x\r\nconnection: close\r\napikey: {}", listening.served.publishable);
    let get = format!("GET /rest/v1/node?select=id&limit=1 {head}\r\n\r\n");
    let post = format!("POST /rest/v1/node {head}\r\ncontent-length: 12\r\n\r\n{{\"text\":\"x\"}}");
    let served = AtomicUsize::new(0);
    let asking = async {
        loop {
            assert_eq!(asked(listening, &get).await, "HTTP/1.1 200", "{mode:?}");
            assert_eq!(asked(listening, &post).await, "HTTP/1.1 201", "{mode:?}");
            served.fetch_add(2, Ordering::Relaxed);
        }
    };
    tokio::select! {
        () = asking => {}
        ended = attack.wait() => drop(ended.unwrap()),
    }
    Some(served.into_inner())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_take_nothing_from_others() {
    let limits =
        Limits { head_ms: 2_000, body_ms: 2_000, stall_ms: 2_000, slow_bodies: 200, ..Limits::default() };
    let listening = listening(limits).await;
    let text = "x".repeat(200_000);
    listening.served.row("node", &serde_json::json!({ "text": text })).await;
    for mode in [
        &["-H"][..],
        &["-B", "-s", "1000000"],
        &["-R", "-a", "10", "-b", "3000"],
        &["-X", "-w", "512", "-y", "1024", "-n", "1", "-z", "32", "-k", "3"],
    ] {
        let before = resident_kib();
        let Some(served) = play(&listening, mode).await else {
            eprintln!("slowhttptest is not installed: slow clients were not played");
            return;
        };
        let grown = resident_kib().saturating_sub(before);
        eprintln!("{mode:?}: {served} requests were served, memory grew by {grown} KiB");
        assert!(served > 20 && grown < GROWTH_KIB, "{mode:?}: {served} served, {grown} KiB more");
    }
}
