//! The engine on a real server. What must be the same on every engine is tested by the same
//! files as SQLite's.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail loudly"
)]

#[path = "../../../engine-sqlite/tests/engine/arithmetic.rs"]
mod arithmetic;
#[path = "../../../engine-sqlite/tests/engine/deletes.rs"]
mod deletes;
mod documents;
mod faults;
#[path = "../../../engine-sqlite/tests/engine/inserts.rs"]
mod inserts;
mod instance;
#[path = "../../../engine-sqlite/tests/engine/kit.rs"]
mod kit;
mod live;
mod pooler;
#[path = "../../../engine-sqlite/tests/engine/reads.rs"]
mod reads;
mod replicas;
mod store;
mod tls;
#[path = "../../../engine-sqlite/tests/engine/updates.rs"]
mod updates;
#[path = "../../../engine-sqlite/tests/engine/upserts.rs"]
mod upserts;
#[path = "../../../engine-sqlite/tests/engine/values.rs"]
mod values;
mod wire;
