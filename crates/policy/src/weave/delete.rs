//! Deleted rows.

use super::Weaver;
use super::denial::Demands;
use crate::caller::Caller;
use crate::compile::{RowRef, Scope};
use backstay_base::fault::Fault;
use backstay_query::plan::{Delete, Pred};
use backstay_schema::catalog::Operation;

impl Weaver<'_> {
    pub(super) fn delete(&mut self, mut delete: Delete) -> Result<Delete, Fault> {
        let catalog = self.catalog;
        let table = catalog.table(delete.table);
        if catalog.user == Some(table.id) && !matches!(self.caller, Caller::System) {
            return Err(Fault::permission("table", &table.name)
                .with_hint("rows of this type come and go with their account: delete the account instead"));
        }
        let row = RowRef::Source(delete.row, delete.table);
        let mut demands = Demands::of(table, Operation::Delete, &[]);
        let client = self.is_client();
        let mut compiler = self.compiler(Operation::Delete, &[]);
        if client {
            let scope = Scope::one(row.clone());
            Self::demand(&mut compiler, &table.access.delete, (&scope, Pred::FALSE), &mut demands)?;
        }
        let readable = compiler.may(table.id, Operation::Read, &row)?;
        self.trail.note(table.id, Operation::Delete, &demands.rule);
        if demands.rule == Pred::FALSE {
            return Err(demands.refusal(Fault::permission("table", &table.name)));
        }
        let asked = self.pred(delete.filter)?;
        delete.filter = readable.and(asked);
        (delete.rule, delete.denials) = demands.finish();
        delete.returning = delete.returning.take().map(|select| self.select(select)).transpose()?;
        Ok(delete)
    }
}
