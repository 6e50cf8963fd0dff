//! The engine on a real server: the reads and writes that every engine is held to, and
//! what is special here.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail loudly"
)]

#[path = "../../../engine-sqlite/tests/engine/deletes.rs"]
mod deletes;
mod faults;
mod galera;
#[path = "../../../engine-sqlite/tests/engine/inserts.rs"]
mod inserts;
mod instance;
#[path = "../../../engine-sqlite/tests/engine/kit.rs"]
mod kit;
mod live;
mod many;
mod proxy;
#[path = "../../../engine-sqlite/tests/engine/reads.rs"]
mod reads;
#[path = "../../../engine-sqlite/tests/engine/scalars.rs"]
mod scalars;
mod server;
mod store;
mod tls;
#[path = "../../../engine-sqlite/tests/engine/updates.rs"]
mod updates;
#[path = "../../../engine-sqlite/tests/engine/upserts.rs"]
mod upserts;
mod values;
