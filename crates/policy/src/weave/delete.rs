//! Deleted rows: removed, or marked where the type says `softDelete`.

use super::Weaver;
use super::denial::Demands;
use crate::caller::Caller;
use crate::compile::{RowRef, Scope};
use backstay_base::fault::Fault;
use backstay_query::plan::{Assign, Delete, Denial, Denials, Pred, Query, Select, Update};
use backstay_schema::catalog::{ColumnId, Operation};
use backstay_schema::value::Value;

impl Weaver<'_> {
    pub(super) fn delete(&mut self, mut delete: Delete) -> Result<Query, Fault> {
        let catalog = self.catalog;
        let table = catalog.table(delete.table);
        self.refuse_unwritable(table)?;
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
        delete.returning.iter_mut().try_for_each(|select| self.select(select))?;
        match table.soft_delete.filter(|_| !matches!(self.caller, Caller::System)) {
            Some(column) => Ok(Query::Update(self.marked(delete, column)?)),
            None => Ok(Query::Delete(delete)),
        }
    }

    /// The rows are marked instead: no foreign key action, no other column.
    fn marked(&mut self, delete: Delete, column: ColumnId) -> Result<Update, Fault> {
        let Delete { table, row, filter, filtered, rule, denials, returning } = delete;
        let at = RowRef::Source(row, table);
        let mut compiler = self.compiler(Operation::Read, &[]);
        // also where the request counts deleted rows: one is not deleted twice
        let filter = compiler.alive(&at)?.and(filter);
        let returning = match returning {
            Some(select) => {
                let at = RowRef::Source(select.source, select.table);
                Some(Select { filter: compiler.ruled(table, Operation::Read, &at)?, ..select })
            }
            None => None,
        };
        let each = denials.each.into_iter().map(|denial| Denial {
            message: denial.message,
            stored: denial.row,
            row: Pred::TRUE,
        });
        let each: Vec<Denial> = each.collect();
        let open = if each.is_empty() { Vec::new() } else { vec![denials.rule] };
        Ok(Update {
            table,
            row,
            old: self.sources.next_id(),
            filter,
            filtered,
            assign: vec![(column, Assign::Value(Value::Timestamp(self.info.now_micros)))],
            given: Vec::new(),
            stored: vec![rule],
            arms: vec![Pred::TRUE],
            references: Vec::new(),
            checks: Vec::new(),
            rule: Pred::TRUE,
            denials: Denials { open, each, rule: Pred::TRUE },
            keep: Vec::new(),
            transitions: Vec::new(),
            invalid: Vec::new(),
            returning,
        })
    }
}
