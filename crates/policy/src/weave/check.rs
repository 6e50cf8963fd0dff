//! `@check`: what is definitely false of a written row is refused, as SQL CHECK does (SEMANTICS 1).

use super::Weaver;
use crate::compile::{RowRef, Scope};
use backstay_base::fault::Fault;
use backstay_query::plan::{Pred, RowCheck, SourceId};
use backstay_schema::catalog::{Operation, Table};

impl Weaver<'_> {
    /// The checks of a table over `row`; they read raw values and bind everybody.
    pub(super) fn checks(&mut self, row: SourceId, table: &Table) -> Result<Vec<RowCheck>, Fault> {
        let mut found = Vec::with_capacity(table.checks.len());
        for check in &table.checks {
            let scope = Scope::one(RowRef::Source(row, table.id));
            let broken = self.compiler(Operation::Read, &[]).is_false(&check.expr, &scope)?;
            if broken != Pred::FALSE {
                let (constraint, message) = (check.name.clone(), check.message.clone());
                found.push(RowCheck { constraint, message, broken });
            }
        }
        Ok(found)
    }
}
