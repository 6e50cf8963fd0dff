//! What the server puts into a changed row: `@set(update:)`, `@set(always:)`, `updated_at`.

use super::Weaver;
use crate::compile::{Operand, Replaced, RowRef, Scope, bind};
use backstay_base::fault::Fault;
use backstay_query::plan::{Assign, Scalar, Update};
use backstay_schema::catalog::{ColumnId, Fill, Operation, Table};
use backstay_schema::value::Value;

impl Weaver<'_> {
    /// Completes the new values of an update. `given` are the columns of an upsert's rows.
    pub(super) fn assign(
        &mut self,
        update: &mut Update,
        table: &Table,
        given: &[ColumnId],
        changed: &[String],
    ) -> Result<(), Fault> {
        let scope = Self::prospective_update(update, table);
        let named: Vec<ColumnId> = update.assign.iter().map(|(id, _)| *id).collect();
        for column in &table.columns {
            // Service may supply what the server sets; its value stands
            if named.contains(&column.id) || (given.contains(&column.id) && !self.is_client()) {
                continue;
            }
            if column.fill == Fill::UpdatedAt {
                update.assign.push((column.id, Assign::Value(Value::Timestamp(self.info.now_micros))));
                continue;
            }
            let Some(expr) = &column.set_update else { continue };
            let operand = self.set_value(table, column, expr, &scope, Operation::Update, changed)?;
            let value = match operand {
                Operand::Known(value) => Assign::Value(value),
                Operand::Absent => Assign::Value(Value::Null),
                Operand::Sql(scalar, _) => Assign::Scalar(scalar),
            };
            update.assign.push((column.id, value));
        }
        Ok(())
    }

    /// The row as it will be, while the stored one is still there: new values over stored columns.
    fn prospective_update(update: &Update, table: &Table) -> Scope {
        let values: Vec<(ColumnId, Scalar)> = update
            .assign
            .iter()
            .map(|(id, assign)| {
                let ty = table.column(*id).ty;
                let value = match assign {
                    Assign::Value(value) => bind(value.clone(), ty),
                    Assign::Scalar(scalar) => scalar.clone(),
                    // the slots of a written row: its key, then what the upsert's row gives
                    Assign::Given(index) => Scalar::Slot(table.key.len() + index, ty),
                };
                (*id, value)
            })
            .collect();
        let stored = RowRef::Source(update.row, update.table);
        let mut scope = Scope::one(RowRef::Prospective(update.row, update.table, Replaced::new(values)));
        scope.old = Some(stored);
        scope
    }
}
