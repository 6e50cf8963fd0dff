//! The engine on real files: reads, every branch of writing, groups, migrations.

mod deletes;
mod durability;
mod inserts;
mod kit;
mod live;
mod reads;
mod updates;
mod upserts;
mod values;
