//! Limits of connections, over a real socket. The server's own timers end what is waited
//! for; `GIVE_UP` only turns a limit that does not hold into a failure.

use crate::server;
use backstay_base::limit::Limits;
use backstay_server::listen::listen;
use backstay_testkit::served::Served;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const GIVE_UP: Duration = Duration::from_secs(20);

pub(crate) struct Listening {
    pub served: Served,
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

pub(crate) async fn listening(limits: Limits) -> Listening {
    let served = server(limits).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let app = Arc::clone(&served.app);
    let running = tokio::spawn(listen(app, listener, async move {
        let _ = stopped.await;
    }));
    Listening { served, address, stop, running }
}

impl Listening {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A GET that is whole.
    fn get(&self) -> String {
        format!("GET /rest/v1/node HTTP/1.1\r\nhost: x\r\napikey: {}\r\n\r\n", self.served.publishable)
    }

    /// A POST that promises more of a body than it sends.
    fn half_a_post(&self) -> String {
        let key = &self.served.publishable;
        format!(
            "POST /rest/v1/node HTTP/1.1\r\nhost: x\r\napikey: {key}\r\ncontent-length: 12\r\n\r\n{{\"tex"
        )
    }
}

/// What the future gives, in time.
async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(GIVE_UP, work).await.expect("the limit holds")
}

/// Reads one whole answer, which is `[]`.
async fn empty_list(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n[]") {
        let byte = soon(stream.read_u8()).await.unwrap();
        text.push(byte);
    }
    String::from_utf8(text).unwrap()
}

async fn to_its_end(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // a reset is an end too
    let _ = soon(stream.read_to_end(&mut text)).await;
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn connections() {
    let listening = listening(Limits { connections: 1, ..Limits::default() }).await;
    let request = listening.get();
    let mut first = listening.connect().await;
    first.write_all(request.as_bytes()).await.unwrap();
    assert!(empty_list(&mut first).await.starts_with("HTTP/1.1 200 OK\r\n"));
    let mut second = listening.connect().await;
    second.write_all(request.as_bytes()).await.unwrap();
    // the first is served on while the second waits outside
    first.write_all(request.as_bytes()).await.unwrap();
    empty_list(&mut first).await;
    let unread = second.try_read(&mut [0; 16]).expect_err("nothing was answered");
    assert_eq!(unread.kind(), std::io::ErrorKind::WouldBlock);
    drop(first);
    assert!(empty_list(&mut second).await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn head_ms() {
    let listening = listening(Limits { head_ms: 100, ..Limits::default() }).await;
    for begun in ["", "G", "GET /rest/v1/node HTTP/1.1\r\nhost: x\r\n", "PRI * HTTP/2.0\r\n", "PRI"] {
        let mut stream = listening.connect().await;
        stream.write_all(begun.as_bytes()).await.unwrap();
        let answer = to_its_end(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{begun:?} {answer:?}");
    }
    // of the second request too
    let mut stream = listening.connect().await;
    stream.write_all(listening.get().as_bytes()).await.unwrap();
    empty_list(&mut stream).await;
    stream.write_all(b"GET /rest/v1").await.unwrap();
    assert_eq!(to_its_end(&mut stream).await, "");
}

/// What a client of HTTP/2 begins with: the preface, and settings that change nothing.
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// The frames of each turn.
type Flood<'f> = &'f dyn Fn(u32) -> Vec<u8>;

/// A frame of HTTP/2: its kind, its flags, its stream and what it holds.
fn frame(kind: u8, flags: u8, stream: u32, held: &[u8]) -> Vec<u8> {
    let length = u32::try_from(held.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), held].concat()
}

/// [requests that are taken back at once, heads without end, data that hold nothing]
#[tokio::test]
async fn floods_of_frames_end_their_connection_alone() {
    // GET http://x/
    let head = b"\x82\x86\x84\x41\x01x";
    let resets =
        |turn: u32| [frame(1, 5, 1 + 2 * turn, head), frame(3, 0, 1 + 2 * turn, &[0, 0, 0, 8])].concat();
    let heads = |turn: u32| match turn {
        0 => frame(1, 0, 1, head),
        _ => frame(9, 0, 1, &b"\x00\x01a\x01b".repeat(2000)),
    };
    let data = |turn: u32| match turn {
        0 => frame(1, 4, 1, &[&b"\x83"[..], &head[1..]].concat()),
        _ => frame(0, 0, 1, b""),
    };
    let floods: [(&str, Flood<'_>); 3] = [("resets", &resets), ("heads", &heads), ("data", &data)];
    let listening = listening(Limits::default()).await;
    for (name, flood) in floods {
        let mut stream = listening.connect().await;
        stream.write_all(HTTP2).await.unwrap();
        let (mut from, mut to) = stream.split();
        let read = async {
            let mut told = Vec::new();
            // a reset is an end, too
            let _ = from.read_to_end(&mut told).await;
        };
        let write = async {
            for turn in 0..200_000 {
                if to.write_all(&flood(turn)).await.is_err() {
                    return;
                }
            }
            panic!("all {name} were taken");
        };
        soon(async { tokio::join!(read, write) }).await;
        let mut other = listening.connect().await;
        other.write_all(listening.get().as_bytes()).await.unwrap();
        assert!(empty_list(&mut other).await.starts_with("HTTP/1.1 200 OK\r\n"));
    }
}

#[tokio::test]
async fn idle_ms() {
    let listening = listening(Limits { idle_ms: 100, head_ms: 600_000, ..Limits::default() }).await;
    let mut stream = listening.connect().await;
    stream.write_all(listening.get().as_bytes()).await.unwrap();
    empty_list(&mut stream).await;
    assert_eq!(to_its_end(&mut stream).await, "");
    let mut stream = listening.connect().await;
    stream.write_all(HTTP2).await.unwrap();
    let mut told = Vec::new();
    let _ = soon(stream.read_to_end(&mut told)).await;
    assert!(!told.is_empty(), "it spoke HTTP/2, and ended");
    // a head that is not whole does not count as a request, whatever comes of it
    let mut stream = listening.connect().await;
    stream.write_all(HTTP2).await.unwrap();
    // HEADERS of stream 1 without their end
    stream.write_all(b"\0\0\x01\x01\0\0\0\0\x01\x82").await.unwrap();
    let mut told = Vec::new();
    let _ = soon(stream.read_to_end(&mut told)).await;
}

#[tokio::test]
async fn a_request_at_work_is_not_idle() {
    let listening = listening(Limits { idle_ms: 50, head_ms: 50, body_ms: 400, ..Limits::default() }).await;
    let mut stream = listening.connect().await;
    stream.write_all(listening.half_a_post().as_bytes()).await.unwrap();
    // the limit of bodies ends it, not one of the others
    let answer = to_its_end(&mut stream).await;
    assert!(answer.contains("the body took too long to arrive"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stall_ms() {
    let listening = listening(Limits { stall_ms: 100, ..Limits::default() }).await;
    let text = "x".repeat(2_000_000);
    listening.served.row("node", &serde_json::json!({ "id": 1, "text": text })).await;
    // more than the buffers of a socket hold, and nobody reads it
    let columns: Vec<String> = (0..8).map(|n| format!("c{n}:text")).collect();
    let get = listening.get().replace("/node ", &format!("/node?select={} ", columns.join(",")));
    let mut stream = listening.connect().await;
    stream.write_all(get.as_bytes()).await.unwrap();
    let tells = |line: &str| {
        let told = String::from_utf8(listening.served.app.metrics.text(&[]).unwrap()).unwrap();
        told.lines().any(|one| one.starts_with(line))
    };
    // it is answered, and then let go
    soon(async {
        while !(tells("backstay_requests_total{door=\"rest\",method=\"GET\"")
            && tells("backstay_connections 0"))
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut read = Vec::new();
    let _ = soon(stream.read_to_end(&mut read)).await;
    assert!(read.starts_with(b"HTTP/1.1 200 OK\r\n") && read.len() < 16_000_000, "{}", read.len());
}

/// Asks until the answer begins so.
async fn until(listening: &Listening, request: &str, beginning: &str) -> String {
    soon(async {
        loop {
            let mut stream = listening.connect().await;
            let closing = request.replace("host: x", "host: x\r\nconnection: close");
            stream.write_all(closing.as_bytes()).await.unwrap();
            let answer = to_its_end(&mut stream).await;
            if answer.starts_with(beginning) {
                return answer;
            }
        }
    })
    .await
}

#[tokio::test]
async fn in_flight() {
    let listening = listening(Limits { in_flight: 1, ..Limits::default() }).await;
    let mut open = listening.connect().await;
    open.write_all(listening.half_a_post().as_bytes()).await.unwrap();
    let full = until(&listening, &listening.get(), "HTTP/1.1 503 ").await;
    assert!(full.contains("\r\nretry-after: 1\r\n"), "{full}");
    let body = full.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(
        body,
        r#"{"code":"53400","details":null,"hint":null,"message":"too many requests are being answered; nothing was done"}"#
    );
    // no byte of a body is waited for
    let mut refused = listening.connect().await;
    refused.write_all(listening.half_a_post().as_bytes()).await.unwrap();
    assert!(to_its_end(&mut refused).await.starts_with("HTTP/1.1 503 "));
    let auth = listening.get().replace("GET /rest/v1/node", "POST /auth/v1/token?grant_type=password");
    let auth = until(&listening, &auth, "HTTP/1.1 503 ").await;
    assert!(auth.contains("over_request_rate_limit") && auth.contains("\r\nretry-after: 1\r\n"), "{auth}");
    open.write_all(b"t\":\"x\"}").await.unwrap();
    until(&listening, &listening.get(), "HTTP/1.1 200 ").await;
}

#[tokio::test]
async fn slow_bodies() {
    let listening = listening(Limits { slow_bodies: 1, ..Limits::default() }).await;
    let mut open = listening.connect().await;
    open.write_all(listening.half_a_post().as_bytes()).await.unwrap();
    // the one whose turn it is waits, the other is refused
    let mut other = listening.connect().await;
    other.write_all(listening.half_a_post().as_bytes()).await.unwrap();
    let full = tokio::select! {
        answer = to_its_end(&mut other) => answer,
        answer = to_its_end(&mut open) => answer,
    };
    assert!(full.starts_with("HTTP/1.1 503 "), "{full}");
    assert!(full.contains("too many bodies are on their way; nothing was done"), "{full}");
    // a body that is there waits for nothing
    let key = &listening.served.publishable;
    let whole = format!(
        "POST /rest/v1/node HTTP/1.1\r\nhost: x\r\napikey: {key}\r\ncontent-length: 12\r\n\r\n{{\"text\":\"x\"}}"
    );
    let mut stream = listening.connect().await;
    stream.write_all(whole.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    soon(stream.read_exact(&mut status)).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 201");
}

#[tokio::test]
async fn body_ms() {
    let listening = listening(Limits { body_ms: 100, ..Limits::default() }).await;
    let mut stream = listening.connect().await;
    stream.write_all(listening.half_a_post().as_bytes()).await.unwrap();
    let answer = to_its_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(
        body,
        r#"{"code":"54001","details":"The limit body_ms is 100 milliseconds.","hint":null,"message":"the body took too long to arrive"}"#
    );
}

#[tokio::test]
async fn linger_ms() {
    let listening = listening(Limits { linger_ms: 60_000, ..Limits::default() }).await;
    let mut kept = listening.connect().await;
    kept.write_all(listening.get().as_bytes()).await.unwrap();
    empty_list(&mut kept).await;
    let (stop, get) = (
        listening.stop,
        format!("GET /rest/v1/node HTTP/1.1\r\nhost: x\r\napikey: {}\r\n\r\n", listening.served.publishable),
    );
    stop.send(()).unwrap();
    while !{
        let mut new = TcpStream::connect(listening.address).await.unwrap();
        new.write_all(get.as_bytes()).await.unwrap();
        let mut answer = [0; 4096];
        let read = new.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..read]).contains("connection: close")
    } {}
    kept.write_all(get.as_bytes()).await.unwrap();
    let answer = to_its_end(&mut kept).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "a kept connection is used once more: {answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    listening.running.abort();

    let short = listening_for(100).await;
    let mut idle = short.connect().await;
    idle.write_all(short.get().as_bytes()).await.unwrap();
    empty_list(&mut idle).await;
    short.stop.send(()).unwrap();
    assert_eq!(to_its_end(&mut idle).await, "", "then what is idle is closed");
    soon(short.running).await.unwrap();
}

async fn listening_for(linger_ms: u64) -> Listening {
    listening(Limits { linger_ms, ..Limits::default() }).await
}

#[tokio::test]
async fn drain_ms() {
    let listening = listening(Limits { linger_ms: 1, drain_ms: 100, ..Limits::default() }).await;
    let mut open = listening.connect().await;
    open.write_all(listening.half_a_post().as_bytes()).await.unwrap();
    // the listener is served in order, so what was begun before this answer is known to it
    let mut other = listening.connect().await;
    other.write_all(listening.get().as_bytes()).await.unwrap();
    empty_list(&mut other).await;
    listening.stop.send(()).unwrap();
    soon(listening.running).await.unwrap();
}

#[tokio::test]
async fn what_is_open_is_finished_while_draining() {
    let listening = listening_for(1).await;
    let mut open = listening.connect().await;
    open.write_all(listening.half_a_post().as_bytes()).await.unwrap();
    let mut other = listening.connect().await;
    other.write_all(listening.get().as_bytes()).await.unwrap();
    empty_list(&mut other).await;
    listening.stop.send(()).unwrap();
    assert_eq!(to_its_end(&mut other).await, "", "what is idle is closed");
    open.write_all(b"t\":\"x\"}").await.unwrap();
    let answer = to_its_end(&mut open).await;
    assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    soon(listening.running).await.unwrap();
    assert!(TcpStream::connect(listening.address).await.is_err(), "nobody new is let in");
}
