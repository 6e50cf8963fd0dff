//! Load: keep-alive connections over raw sockets, so that the client costs little.

use anyhow::{Context, Result, bail};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// One row by its key.
    ById,
    /// Twenty rows with an embedded one each.
    List,
    /// One new row under a rule, durable.
    Insert,
    /// A hundred new rows under a rule, durable.
    Bulk,
    /// One changed row under a rule, durable.
    Update,
    /// Eight by id, one list, one insert.
    Mixed,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ById => "get by id",
            Self::List => "list of 20 with embed",
            Self::Insert => "insert under rule",
            Self::Bulk => "bulk insert of 100",
            Self::Update => "guarded update",
            Self::Mixed => "mixed 8:1:1",
        })
    }
}

/// Whole requests as bytes, asked in turn.
#[derive(Debug, Clone)]
pub struct Shape {
    /// `host:port`.
    pub address: String,
    /// The requests.
    pub requests: Arc<Vec<Vec<u8>>>,
}

/// One round.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// Requests answered with 2xx.
    pub requests: usize,
    /// How long it took.
    pub seconds: f64,
    /// Processor time of the server, in microseconds.
    pub cpu_micros: u64,
    /// Latencies, in microseconds, sorted.
    pub latencies: Vec<u32>,
}

impl Measured {
    /// Requests per second.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    /// Processor microseconds per request.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn cpu(&self) -> f64 {
        self.cpu_micros as f64 / self.requests.max(1) as f64
    }

    /// The latency that `share` of the requests stay below, in microseconds.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index into a list"
    )]
    pub fn percentile(&self, share: f64) -> u32 {
        let index = (self.latencies.len() as f64 * share) as usize;
        self.latencies.get(index.min(self.latencies.len().saturating_sub(1))).copied().unwrap_or(0)
    }
}

/// Asks over `level` connections for `round`.
pub async fn run(shape: &Shape, level: usize, round: Duration) -> Result<Measured> {
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..level {
        clients.spawn(client(shape.clone(), Arc::clone(&next), began + round));
    }
    let mut measured = Measured::default();
    while let Some(done) = clients.join_next().await {
        let latencies = done??;
        measured.requests += latencies.len();
        measured.latencies.extend(latencies);
    }
    measured.seconds = began.elapsed().as_secs_f64();
    measured.latencies.sort_unstable();
    Ok(measured)
}

async fn client(shape: Shape, next: Arc<AtomicUsize>, until: Instant) -> Result<Vec<u32>> {
    let mut stream = TcpStream::connect(&shape.address).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::new();
    let mut buffer = Vec::with_capacity(64 * 1024);
    while Instant::now() < until {
        let index = next.fetch_add(1, Ordering::Relaxed) % shape.requests.len();
        let request = shape.requests.get(index).context("no request")?;
        let asked = Instant::now();
        stream.write_all(request).await?;
        answer(&mut stream, &mut buffer).await?;
        latencies.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(latencies)
}

/// Asks once for the first of the requests.
pub async fn once(stream: &mut TcpStream, shape: &Shape) -> Result<()> {
    stream.write_all(shape.requests.first().context("no request")?).await?;
    answer(stream, &mut Vec::new()).await
}

/// The status that a request is answered with, on a connection of its own.
pub async fn status(shape: &Shape) -> Result<u16> {
    let mut stream = TcpStream::connect(&shape.address).await?;
    stream.write_all(shape.requests.first().context("no request")?).await?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    Ok(String::from_utf8_lossy(&head).split(' ').nth(1).context("no status")?.parse()?)
}

/// Reads one answer; anything but 2xx is a failure of the benchmark.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<()> {
    buffer.clear();
    let mut needed = None;
    loop {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the server closed the connection: {}", String::from_utf8_lossy(buffer));
        }
        if needed.is_none()
            && let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n")
        {
            let head = String::from_utf8_lossy(buffer.get(..end).unwrap_or_default()).to_ascii_lowercase();
            if !head.starts_with("http/1.1 2") {
                bail!("not answered: {}", String::from_utf8_lossy(buffer));
            }
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(Ok(0), str::parse)?;
            needed = Some(end + 4 + length);
        }
        if needed.is_some_and(|needed| buffer.len() >= needed) {
            return Ok(());
        }
    }
}
