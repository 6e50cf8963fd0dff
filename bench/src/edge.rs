//! Measurements of the edge, without a program to compare with: what an idle connection costs, and what
//! wrong log-ins do to everybody else.

use crate::load::{self, Measured};
use crate::server::Subject;
use anyhow::{Context, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// How long a phase of log-ins lasts.
const PHASE: Duration = Duration::from_secs(10);

/// Opens connections that ask once and then say nothing, and tells what each holds.
pub async fn idle(subject: &Subject, connections: usize) -> Result<String> {
    let shape = subject.shape(load::Work::ById);
    let before = subject.idle_kib()?;
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        let mut stream = TcpStream::connect(&shape.address).await.context("raise ulimit -n")?;
        load::once(&mut stream, &shape).await?;
        open.push(stream);
    }
    let after = subject.idle_kib()?;
    let asked = Instant::now();
    load::once(open.last_mut().context("no connection")?, &shape).await?;
    let micros = asked.elapsed().as_micros();
    let each = after.saturating_sub(before) * 1024 / u64::try_from(connections.max(1))?;
    Ok(format!(
        "{connections} idle connections: {before} KiB before, {after} KiB with them, {each} bytes each; \
         one of them is answered in {micros} µs"
    ))
}

/// Asks for rows by key at a steady pace, alone and beside wrong log-ins.
pub async fn logins(subject: &Subject, per_second: u32) -> Result<String> {
    let alone = paced(subject).await?;
    let refused = Arc::new(AtomicUsize::new(0));
    let judged = Arc::new(AtomicUsize::new(0));
    let attack =
        tokio::spawn(attack(subject.wrong_login(), per_second, Arc::clone(&judged), Arc::clone(&refused)));
    let beside = paced(subject).await?;
    attack.abort();
    let (judged, refused) = (judged.load(Ordering::Relaxed), refused.load(Ordering::Relaxed));
    Ok(format!(
        "reads by key, 50 per second: p50 {} µs, p99 {} µs; beside {per_second} wrong log-ins per second: p50 {} µs, \
         p99 {} µs ({judged} log-ins judged, {refused} answered 429)",
        alone.percentile(0.5),
        alone.percentile(0.99),
        beside.percentile(0.5),
        beside.percentile(0.99),
    ))
}

/// Fifty reads a second over one connection.
async fn paced(subject: &Subject) -> Result<Measured> {
    let shape = subject.shape(load::Work::ById);
    let mut stream = TcpStream::connect(&shape.address).await?;
    stream.set_nodelay(true)?;
    let mut measured = Measured::default();
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    let began = Instant::now();
    while began.elapsed() < PHASE {
        pace.tick().await;
        let asked = Instant::now();
        load::once(&mut stream, &shape).await?;
        measured.latencies.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    measured.latencies.sort_unstable();
    Ok(measured)
}

/// Wrong log-ins at a steady pace, whether they are answered or not.
async fn attack(shape: load::Shape, per_second: u32, judged: Arc<AtomicUsize>, refused: Arc<AtomicUsize>) {
    let mut pace = tokio::time::interval(Duration::from_secs(1) / per_second.max(1));
    loop {
        pace.tick().await;
        let (shape, judged, refused) = (shape.clone(), Arc::clone(&judged), Arc::clone(&refused));
        tokio::spawn(async move {
            match load::status(&shape).await {
                Ok(429) => refused.fetch_add(1, Ordering::Relaxed),
                Ok(_) => judged.fetch_add(1, Ordering::Relaxed),
                Err(_) => 0,
            }
        });
    }
}
