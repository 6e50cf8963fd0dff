//! From woven plans to statements, and the order in which statements of a write
//! run. A plan and a catalog enter, statements with binds leave; what a driver
//! is, it does not know: [`session::Session`] is all that it asks of one.

pub mod bound_text;
pub mod ddl;
pub mod dialect;
pub mod document;
pub mod lower;
pub mod pattern;
pub mod run;
pub mod session;
pub mod statement;
pub mod support;
pub mod writer;
