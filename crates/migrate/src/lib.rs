//! Migrations: what differs between the catalog and a database, the SQL that makes
//! it equal, the numbered files that carry it, and the journal of those applied.
//! The only caller of `Engine::introspect`, `journal`, `rehearse` and `migrate`.

pub mod apply;
pub mod back;
pub mod change;
mod columns;
pub mod copy;
pub mod diff;
pub mod draft;
pub mod drift;
pub mod expand;
pub mod file;
mod full_text;
pub mod import;
mod in_place;
pub mod lease;
pub mod lint;
mod partial;
mod predicted;
mod rebuild;
pub mod security;
mod shape;
pub mod squash;
mod statements;
mod types;
pub mod view;
