//! What tests share: stores in temporary folders, random rules with a reference
//! judge of their own, random requests, whole servers in process, the runner of `cases/`.
//! Development only.

// a test kit may stop the test that uses it
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failure here is a failure of the test"
)]

pub mod case;
pub mod database;
pub mod idp;
pub mod rule;
pub mod seed;
pub mod served;
pub mod store;
