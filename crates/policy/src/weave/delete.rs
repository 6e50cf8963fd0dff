//! Deleted rows.

use super::Weaver;
use crate::caller::Caller;
use crate::compile::RowRef;
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
        let mut compiler = self.compiler(Operation::Delete, &[]);
        let rule = compiler.may(table.id, Operation::Delete, &row)?;
        let readable = compiler.may(table.id, Operation::Read, &row)?;
        self.trail.note(table.id, Operation::Delete, &rule);
        if rule == Pred::FALSE {
            return Err(Fault::permission("table", &table.name));
        }
        let asked = self.pred(delete.filter)?;
        delete.filter = readable.and(asked);
        delete.rule = rule;
        delete.returning = delete.returning.take().map(|select| self.select(select)).transpose()?;
        Ok(delete)
    }
}
