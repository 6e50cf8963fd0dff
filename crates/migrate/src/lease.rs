//! One migrating node at a time: work under a lease of the database. Enters: who this is
//! and how long it waits. While the work runs the lease is renewed; every transaction of
//! the work shows its fence, so that a node that was taken for dead cannot go on.

use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_engine::Engine;
use backstay_engine::lease::{Held, LeaseAction, LeaseAnswer, LeaseRequest};
use std::time::Duration;

/// The duty.
const NAME: &str = "migrate";

/// How long a lease is held without a sign of life, in milliseconds.
pub const TTL_MS: u64 = 30_000;

/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(10);

/// How long until a lease that somebody else has is asked for again.
const PAUSE: Duration = Duration::from_millis(200);

/// Who migrates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name, another one for every run of the program.
    pub holder: String,
    /// How long it waits for another node, in milliseconds.
    pub wait_ms: u64,
}

/// Runs `work` while this node alone migrates.
///
/// # Errors
/// 55P03 naming the holder when another node does not end in time, and whatever `work` fails with.
pub async fn alone<T>(
    engine: &dyn Engine,
    node: &Node,
    work: impl AsyncFnOnce(Held) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let fence = taken(engine, node).await?;
    let held = Held { name: NAME.to_owned(), fence, ttl_ms: TTL_MS };
    let result = tokio::select! {
        result = work(held) => result,
        never = renewed(engine, node, fence) => match never {},
    };
    // when this fails the lease ends by itself
    if let Err(fault) = ask(engine, node, LeaseAction::Release { fence }).await {
        tracing::warn!(code = fault.code.text, "the lease for migrating could not be given back");
    }
    result
}

async fn taken(engine: &dyn Engine, node: &Node) -> Result<i64, Fault> {
    let waiting = async {
        loop {
            match ask(engine, node, LeaseAction::Take { ttl_ms: TTL_MS }).await? {
                LeaseAnswer::Held { fence } => return Ok(fence),
                LeaseAnswer::Taken { .. } | LeaseAnswer::Released => tokio::time::sleep(PAUSE).await,
            }
        }
    };
    match tokio::time::timeout(Duration::from_millis(node.wait_ms), waiting).await {
        Ok(taken) => taken,
        Err(_) => Err(busy(engine, node).await?),
    }
}

/// Who has it; asking once more may also find it free, and is then refused all the same.
async fn busy(engine: &dyn Engine, node: &Node) -> Result<Fault, Fault> {
    let words = match ask(engine, node, LeaseAction::Renew { fence: 0, ttl_ms: 0 }).await? {
        LeaseAnswer::Taken { holder, until } => format!("{holder} migrates this database until {until}"),
        LeaseAnswer::Held { .. } | LeaseAnswer::Released => "another node migrated this database".to_owned(),
    };
    Ok(Fault::new(code::LEASE_LOST, words)
        .with_hint("wait for it, or raise limits.migration_wait_ms; a lease whose node died ends by itself"))
}

/// Renews until it is dropped. A renewal that fails is no failure yet: each transaction of the work
/// checks the fence itself.
async fn renewed(engine: &dyn Engine, node: &Node, fence: i64) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(RENEWAL).await;
        match ask(engine, node, LeaseAction::Renew { fence, ttl_ms: TTL_MS }).await {
            Ok(LeaseAnswer::Held { .. }) => {}
            Ok(LeaseAnswer::Taken { .. } | LeaseAnswer::Released) => {
                tracing::warn!("another node took the lease for migrating");
            }
            Err(fault) => tracing::warn!(code = fault.code.text, "the lease was not renewed"),
        }
    }
}

async fn ask(engine: &dyn Engine, node: &Node, action: LeaseAction) -> Result<LeaseAnswer, Fault> {
    let request = LeaseRequest { name: NAME.to_owned(), holder: node.holder.clone(), action };
    engine.lease(&request).await
}
