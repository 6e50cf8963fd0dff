//! Audits: whose a write is, and that nobody but Backstay writes what is told of it.

use super::Weaver;
use crate::caller::{Caller, RequestInfo};
use backstay_base::fault::Fault;
use backstay_query::plan::{Audit, Author, Query, Step};
use backstay_schema::catalog::{Catalog, Origin, Table};
use backstay_schema::value::Value;

/// Whether what these steps write is told, and as whose.
pub(super) fn told(
    audit: Audit,
    steps: &[Step],
    catalog: &Catalog,
    (caller, info): (&Caller, &RequestInfo<'_>),
) -> Audit {
    let told = |step: &Step| match &step.query {
        Query::Select(_) => false,
        Query::Insert(insert) => catalog.table(insert.table).audit.is_some(),
        Query::Update(update) => catalog.table(update.table).audit.is_some(),
        Query::Delete(delete) => catalog.table(delete.table).deletes_audited,
    };
    if audit == Audit::Off || !steps.iter().any(told) {
        return Audit::Off;
    }
    let (account, role) = match caller {
        Caller::Anon => (Value::Null, "anon"),
        Caller::User(user) => (Value::Uuid(user.uid), user.role.as_str()),
        Caller::Service => (Value::Null, "service"),
        Caller::System => (Value::Null, "system"),
    };
    Audit::By(Author { at: info.now_micros, account, role: role.to_owned() })
}

impl Weaver<'_> {
    /// An audit is written with the rows that it tells of, and by nobody; a view is only read.
    pub(super) fn refuse_unwritable(&self, table: &Table) -> Result<(), Fault> {
        if table.is_view {
            let fault = Fault::permission("table", &table.name);
            return Err(fault.with_hint("it is a view: write to the tables that it reads"));
        }
        if table.origin != Origin::Audit || matches!(self.caller, Caller::System) {
            return Ok(());
        }
        Err(Fault::permission("table", &table.name)
            .with_hint("an audit is written with the rows that it tells of, and by nobody"))
    }
}
