//! The text of every lowered shape, and that values never change it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail loudly"
)]

mod definitions;
mod kit;
mod postgres;
mod reads;
mod stable;
mod writes;
