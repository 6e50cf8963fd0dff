//! Deletes: classify, read what is answered with, delete by key.

use super::{Runner, key_types, unexpected};
use crate::lower::delete as lower;
use crate::session::{Failure, Session, Violation};
use backstay_base::fault::Fault;
use backstay_query::plan::{Delete, Pred};
use backstay_query::reply::Part;
use backstay_schema::catalog::Table;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

impl<S: Session> Runner<'_, S> {
    /// Runs a delete.
    pub(super) async fn delete(&mut self, delete: &Delete) -> Result<Part, Fault> {
        let catalog = self.catalog;
        let table = catalog.table(delete.table);
        let keys = self.doomed(table, delete).await?;
        let rows = self.answer(delete.returning.as_ref(), &table.name, &keys).await?;
        let gone = self.before_deleting(table, &keys).await?;
        let statement = lower::by_key(catalog, self.dialect, table);
        for key in &keys {
            match self.session.run(&statement, key, &mut |_| Ok(())).await {
                Ok(_) => {}
                Err(Failure::Fault(fault)) => return Err(fault),
                Err(Failure::Violation(Violation::Reference(_))) => {
                    return Err(self.still_referenced(table, key).await?);
                }
                Err(failure @ Failure::Violation(_)) => return Err(unexpected(failure)),
            }
        }
        self.tell_deleted(table, gone).await?;
        Ok(Part { rows, affected: keys.len() as u64, ..Part::default() })
    }

    async fn doomed(&mut self, table: &Table, delete: &Delete) -> Result<Vec<Vec<Value>>, Fault> {
        if matches!(delete.filter, Pred::Const(false)) {
            return Ok(Vec::new());
        }
        let statement = lower::classify(self.catalog, self.dialect, delete)?;
        let mut types = key_types(table);
        types.push(ScalarType::Boolean);
        let mut rows = self.values(&statement, &[], &types).await.map_err(unexpected)?;
        let matched = !rows.is_empty();
        rows.retain_mut(|row| row.pop() == Some(Value::Bool(true)));
        if rows.is_empty() && matched {
            let fault = Fault::permission("table", &table.name);
            return Err(self.told_deleted((table, delete), fault).await?);
        }
        Ok(rows)
    }
}
