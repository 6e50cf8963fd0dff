//! The engine on real files: reads, every branch of writing, groups, migrations.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail loudly"
)]

mod arithmetic;
mod deletes;
mod durability;
mod inserts;
mod kit;
mod live;
mod plans;
mod reads;
mod scalars;
mod store;
mod updates;
mod upserts;
mod values;
