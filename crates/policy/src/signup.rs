//! Which fields of the `@user` row a new account may fill at sign-up (SEMANTICS 25).

use crate::caller::{Caller, RequestInfo};
use crate::compile::{Asked, Compiler, Replaced, RowRef, Scope};
use backstay_base::fault::Fault;
use backstay_query::plan::{Pred, Scalar, SourceId, Sources};
use backstay_schema::catalog::{Catalog, ColumnId, Fill, Operation};
use backstay_schema::value::Value;

/// Of `candidates`, the columns of the `@user` type that the new account may set itself:
/// those that the server does not set and whose field create rules hold for `caller`,
/// the account about to be. A rule that would have to read rows does not hold.
///
/// # Errors
/// Only for a defect of the catalog.
pub fn fields(
    catalog: &Catalog,
    caller: &Caller,
    info: &RequestInfo<'_>,
    candidates: &[(ColumnId, Value)],
) -> Result<Vec<ColumnId>, Fault> {
    let Some(user) = catalog.user else { return Ok(Vec::new()) };
    let table = catalog.table(user);
    let mut sources = Sources::default();
    let row = sources.next_id();
    // the id of the row is that of the account, so that `this == auth.user` holds
    let own = match (caller, table.key.as_slice()) {
        (Caller::User(account), [key]) => Some((*key, Value::Uuid(account.uid))),
        _ => None,
    };
    let known: Vec<(ColumnId, Value)> = own.into_iter().chain(candidates.iter().cloned()).collect();
    let scope = Scope::one(prospective(catalog, row, &known));
    let changed: Vec<String> = candidates.iter().map(|(id, _)| table.column(*id).field.clone()).collect();
    let asked = Asked { caller, info, operation: Operation::Create, changed: &changed };
    let mut compiler = Compiler::new(catalog, asked, &mut sources);
    let mut allowed = Vec::new();
    for (id, _) in candidates {
        let column = table.column(*id);
        let server_set = column.set_create.is_some()
            || column.relation.is_some()
            || !matches!(column.fill, Fill::None)
            || matches!(column.field.as_str(), "id" | "email" | "phone");
        // a mirrored role is the account's, never the sign-up's own word
        let mirrored_role = column.field == "role" && column.access.create.allow.is_empty();
        if server_set || mirrored_role {
            continue;
        }
        if compiler.field_may(&column.access, Operation::Create, &scope)? == Pred::TRUE {
            allowed.push(*id);
        }
    }
    Ok(allowed)
}

fn prospective(catalog: &Catalog, row: SourceId, candidates: &[(ColumnId, Value)]) -> RowRef {
    let user = catalog.user.unwrap_or(backstay_schema::catalog::TableId(0));
    let table = catalog.table(user);
    let values: Vec<(ColumnId, Scalar)> = candidates
        .iter()
        .map(|(id, value)| (*id, crate::compile::bind(value.clone(), table.column(*id).ty)))
        .collect();
    RowRef::Prospective(row, user, Replaced::new(values))
}
