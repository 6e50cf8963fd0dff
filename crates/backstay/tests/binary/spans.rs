//! `[log] otlp`: what a collector of OpenTelemetry gets, read by the wire format of protocol buffers alone.

use crate::kit::{NOTES, Project, ask};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Heads and bodies of requests.
type Taken = Vec<(String, Vec<u8>)>;

/// A server that keeps what it is sent.
pub struct Collector {
    pub url: String,
    requests: Arc<Mutex<Taken>>,
}

impl Collector {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Taken>>::default();
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || take(&stream, &kept));
            }
        });
        Self { url, requests }
    }

    /// The heads and bodies of all requests.
    pub fn taken(&self) -> Taken {
        self.requests.lock().unwrap().clone()
    }

    /// All spans, in the order in which they ended.
    fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = self.taken().iter().flat_map(|(_, body)| spans(body)).collect();
        spans.sort_by_key(|span| span.end);
        spans
    }
}

/// Answers each request of a connection with an empty message: all was taken.
fn take(stream: &TcpStream, kept: &Mutex<Taken>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let (mut head, mut line) = (String::new(), String::new());
        while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
            head.push_str(&line.to_ascii_lowercase());
            line.clear();
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let Some(length) = length.map(|length| length.trim().parse().unwrap()) else { return };
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        kept.lock().unwrap().push((head, body));
        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";
        let _ = (&*stream).write_all(answer.as_bytes());
    }
}

/// A field of a message: a number, or bytes.
enum Field<'m> {
    Number(u64),
    Bytes(&'m [u8]),
}

/// The fields of a message by their numbers (<https://protobuf.dev/programming-guides/encoding/>).
fn fields(mut message: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut message)),
            1 => Field::Number(u64::from_le_bytes(cut(&mut message, 8).try_into().unwrap())),
            2 => {
                let length = usize::try_from(varint(&mut message)).unwrap();
                Field::Bytes(cut(&mut message, length))
            }
            5 => Field::Number(u64::from(u32::from_le_bytes(cut(&mut message, 4).try_into().unwrap()))),
            other => panic!("no such kind of field: {other}"),
        };
        fields.push((key >> 3, field));
    }
    fields
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = cut(message, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

fn cut<'m>(message: &mut &'m [u8], length: usize) -> &'m [u8] {
    let (taken, rest) = message.split_at(length);
    *message = rest;
    taken
}

/// All messages in a field.
fn messages(message: &[u8], number: u64) -> Vec<&[u8]> {
    let fields = fields(message).into_iter();
    fields
        .filter_map(
            |(key, field)| {
                if let Field::Bytes(bytes) = field { (key == number).then_some(bytes) } else { None }
            },
        )
        .collect()
}

/// What is asserted of a span: fields of `opentelemetry/proto/trace/v1/trace.proto`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Span {
    trace: String,
    parent: String,
    name: String,
    kind: u64,
    start: u64,
    end: u64,
    /// 2 is an error.
    status: u64,
    attributes: BTreeMap<String, String>,
}

/// The spans of an `ExportTraceServiceRequest`: resource spans, scope spans, spans.
fn spans(request: &[u8]) -> Vec<Span> {
    let resources = messages(request, 1);
    let about: BTreeMap<String, String> =
        resources.iter().flat_map(|resource| messages(resource, 1)).flat_map(attributes).collect();
    assert_eq!(about.get("service.name").map(String::as_str), Some("backstay"));
    let scopes = resources.iter().flat_map(|resource| messages(resource, 2));
    scopes.flat_map(|scope| messages(scope, 2)).map(span).collect()
}

fn attributes(message: &[u8]) -> BTreeMap<String, String> {
    messages(message, 1).into_iter().map(attribute).collect()
}

fn attribute(message: &[u8]) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let name = text(messages(message, 1)[0]);
    let value = fields(messages(message, 2)[0]).into_iter().next().unwrap();
    match value {
        (1, Field::Bytes(value)) => (name, text(value)),
        (3, Field::Number(value)) => (name, value.to_string()),
        (kind, _) => panic!("{name} is of kind {kind}"),
    }
}

fn span(message: &[u8]) -> Span {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut span = Span::default();
    for (number, field) in fields(message) {
        match (number, field) {
            (1, Field::Bytes(bytes)) => span.trace = hex(bytes),
            (4, Field::Bytes(bytes)) => span.parent = hex(bytes),
            (5, Field::Bytes(bytes)) => span.name = String::from_utf8(bytes.to_vec()).unwrap(),
            (6, Field::Number(kind)) => span.kind = kind,
            (7, Field::Number(nanos)) => span.start = nanos,
            (8, Field::Number(nanos)) => span.end = nanos,
            (9, Field::Bytes(bytes)) => span.attributes.extend([attribute(bytes)]),
            (15, Field::Bytes(bytes)) => {
                let code = fields(bytes).into_iter().find_map(|(number, field)| match field {
                    Field::Number(code) if number == 3 => Some(code),
                    _ => None,
                });
                span.status = code.unwrap_or(0);
            }
            _ => {}
        }
    }
    span
}

fn project(more: &str) -> Project {
    let project = Project::with(NOTES);
    project.write("backstay.toml", more);
    assert_eq!(project.run(&["migrate", "new"]).code, 0);
    project
}

/// A request with one header beside the key.
fn with(url: &str, key: &str, target: &str, header: &str) -> u16 {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\napikey: {key}\r\n{header}\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Some requests to a server with a collector, one of which it fails: the spans, and the status of the failure.
fn asked() -> (Vec<Span>, String) {
    let collector = Collector::new();
    let project = project(&format!("[log]\notlp = \"{}/\"\n", collector.url));
    let secret = project.secret();
    let (mut server, _) = project.serve().ready();
    let url = server.url.clone();
    assert_eq!(ask(&url, &secret, "POST", "/rest/v1/note", "{\"text\":\"a\"}").status, 201);
    assert_eq!(
        with(
            &url,
            &secret,
            "/rest/v1/note?text=eq.secret",
            &format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01")
        ),
        200
    );
    assert_eq!(
        with(&url, &secret, "/rest/v1/note", &format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-00")),
        200
    );
    assert_eq!(
        with(&url, &secret, "/rest/v1/note", &format!("traceparent: 00-{TRACE}-0000000000000000-01")),
        200
    );
    assert_eq!(ask(&url, &secret, "GET", "/auth/v1/health", "").status, 200);
    assert_eq!(ask(&url, "", "GET", "/nowhere", "").status, 404);
    project.database().execute("DROP TABLE note", []).unwrap();
    let failed = ask(&url, &secret, "POST", "/rest/v1/note", "{\"text\":\"b\"}");
    assert_eq!(failed.status / 100, 5, "{failed:?}");
    server.terminate();
    assert_eq!(server.ended().0, 0);

    for (head, _) in collector.taken() {
        assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
        assert!(head.contains("content-type: application/x-protobuf\r\n"), "{head}");
    }
    (collector.spans(), failed.status.to_string())
}

#[test]
fn a_request_is_a_span_of_the_trace_that_it_names() {
    let (spans, failed) = asked();
    let told: Vec<(&str, u64, &str)> = spans
        .iter()
        .map(|span| (span.name.as_str(), span.status, span.attributes["http.response.status_code"].as_str()))
        .collect();
    // what its sender does not keep is not kept here
    assert_eq!(
        told,
        [
            ("POST /rest/v1/{table}", 0, "201"),
            ("GET /rest/v1/{table}", 0, "200"),
            ("GET /rest/v1/{table}", 0, "200"),
            ("GET /auth/v1/health", 0, "200"),
            ("GET none", 0, "404"),
            ("POST /rest/v1/{table}", 2, failed.as_str()),
        ]
    );
    let (read, wrong) = (&spans[1], &spans[2]);
    assert_eq!((read.trace.as_str(), read.parent.as_str(), read.kind), (TRACE, "00f067aa0ba902b7", 2));
    assert!(wrong.trace != TRACE && wrong.parent.is_empty() && wrong.trace.len() == 32, "{wrong:?}");
    assert!(
        spans.iter().all(|span| span.start > 1_700_000_000_000_000_000 && span.start <= span.end),
        "{spans:?}"
    );
    let mut attributes = read.attributes.clone();
    let engine: u64 = attributes.remove("backstay.engine.micros").unwrap().parse().unwrap();
    assert!(engine * 1_000 <= read.end - read.start + 1_000, "{read:?}");
    assert_eq!(attributes.remove("backstay.request.id").unwrap().len(), 16);
    let expected = [
        ("backstay.door", "rest"),
        ("backstay.role", "service"),
        ("backstay.rows", "0"),
        ("backstay.table", "note"),
        ("http.request.method", "GET"),
        ("http.response.body.size", "2"),
        ("http.response.status_code", "200"),
        ("http.route", "/rest/v1/{table}"),
    ];
    let attributes: Vec<(&str, &str)> =
        attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(attributes, expected);
    assert_eq!(spans[5].attributes["error.type"], spans[5].attributes["backstay.code"]);
}

#[test]
fn a_collector_that_is_not_there_holds_nobody_up() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let project = project(&format!("[log]\notlp = \"http://{gone}\"\n"));
    let secret = project.secret();
    let (mut server, _) = project.serve().ready();
    for number in 0..200 {
        let body = format!("{{\"text\":\"{number}\"}}");
        assert_eq!(ask(&server.url, &secret, "POST", "/rest/v1/note", &body).status, 201);
    }
    server.terminate();
    let (code, said) = server.ended();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("opentelemetry") || said.contains("the last spans were not sent"), "{said}");
    assert!(!said.contains(&secret), "{said}");
}

#[test]
fn addresses_that_are_none_end_the_start() {
    for (otlp, words) in [
        ("nowhere", "error: [log] otlp is no URL: relative URL without a base\n"),
        ("grpc://127.0.0.1:4317", "error: [log] otlp is the http:// or https:// URL of a collector\n"),
        (
            "http://ann:secret@127.0.0.1:4318",
            "error: [log] otlp holds no credentials: they belong in the variable OTEL_EXPORTER_OTLP_HEADERS\n",
        ),
    ] {
        let project = project(&format!("[log]\notlp = \"{otlp}\"\n"));
        let done = project.run(&["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(
            (done.code, done.err.lines().last().unwrap_or_default()),
            (1, words.trim_end()),
            "{done:?}"
        );
    }
}
