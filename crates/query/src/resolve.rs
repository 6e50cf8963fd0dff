//! Names → ids: a [`named::Query`] against one catalog becomes a [`plan::Script`]
//! with typed values, all joins spelled out and the primary key appended to every order.

use crate::named;
use crate::plan::{End, Expect, Script};
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use backstay_schema::catalog::Catalog;

/// Which tables a query may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// What doors show.
    Public,
    /// Backstay's own tables too.
    System,
}

/// Resolves the steps of one request.
///
/// # Errors
/// PGRST200/201/204/205/108/118/120, 42703, 22P02, 22003 and kin, and 54001 when a limit is passed.
pub fn resolve(
    catalog: &Catalog,
    steps: &[(named::Query, Expect)],
    end: End,
    reach: Reach,
    limits: &Limits,
) -> Result<Script, Fault> {
    let _ = (catalog, steps, end, reach, limits);
    Err(Fault::internal("resolve is not written yet"))
}
