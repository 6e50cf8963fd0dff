//! The schema language: `schema.graphql` in, a checked [`catalog::Catalog`] or
//! a list of [`diagnostic::Diagnostic`]s out. Knows nothing of SQL, HTTP or callers.

pub mod audit;
pub mod catalog;
pub mod cel;
pub mod comment;
pub mod compile;
pub mod diagnostic;
pub mod embedded;
pub mod expr;
pub mod extras;
pub mod indexed;
pub mod name;
pub mod scalar;
pub mod value;
mod watched;
