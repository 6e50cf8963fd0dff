//! The real binary, driven from outside: commands, exit codes, `dev` and `serve`
//! over HTTP, migrations of real files, and what a kill leaves behind.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail loudly"
)]

mod acme;
mod backups;
mod bucket;
mod canaries;
mod commands;
mod crash;
mod data;
mod dev;
mod diagnostics;
mod kit;
mod migrate;
mod nodes;
mod serve;
#[cfg(feature = "otlp")]
mod spans;
mod tls;
