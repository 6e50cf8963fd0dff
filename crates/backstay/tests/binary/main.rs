//! The real binary, driven from outside: commands, exit codes, `dev` and `serve`
//! over HTTP, migrations of real files, and what a kill leaves behind.

mod commands;
mod crash;
mod dev;
mod diagnostics;
mod kit;
mod migrate;
mod serve;
