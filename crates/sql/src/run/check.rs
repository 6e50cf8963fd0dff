//! `@check`s that the database cannot say: judged on the row as it was written.

use super::insert::Inserting;
use super::update::{Target, Updating};
use super::{Runner, refusal};
use crate::ddl::check::of_row;
use crate::lower::insert::verify;
use crate::session::Session;
use backstay_base::fault::Fault;
use backstay_query::plan::{Pred, RowCheck};
use backstay_schema::catalog::Table;
use backstay_schema::value::Value;

impl<S: Session> Runner<'_, S> {
    /// Holds the checks against inserted rows.
    pub(super) async fn check_inserted(
        &mut self,
        inserting: &Inserting<'_>,
        keys: &[Vec<Value>],
    ) -> Result<(), Fault> {
        let Inserting { insert, table, .. } = inserting;
        for check in unsaid(table, &insert.checks) {
            let Some(index) = self.find_breach(inserting, &unbroken(check), keys).await? else { continue };
            let key = keys.get(index).map(std::slice::from_ref).unwrap_or_default();
            if self.find_breach(inserting, &insert.rule, key).await?.is_some() {
                let fault = Fault::row_security(&table.name);
                let key = key.first().map(Vec::as_slice).unwrap_or_default();
                return Err(self.told_inserted(inserting, key, fault).await?);
            }
            return Err(fault(table, check));
        }
        Ok(())
    }

    /// Holds the checks against a changed row.
    pub(super) async fn check_updated(
        &mut self,
        updating: &Updating<'_>,
        target: &Target,
    ) -> Result<(), Fault> {
        let Updating { update, table, .. } = updating;
        for check in unsaid(table, &update.checks) {
            let keys = (self.new_source(), vec![target.new_key.clone()]);
            let statement = verify(self.catalog, self.dialect, table, update.row, &unbroken(check), keys)?;
            if self.found(&statement).await?.is_none() {
                continue;
            }
            if self.find_breached(updating, std::slice::from_ref(target)).await?.is_some() {
                let fault = Fault::row_security(&table.name);
                return Err(self.told_written(updating, target, fault).await?);
            }
            return Err(fault(table, check));
        }
        Ok(())
    }
}

/// The checks that do not stand in the table's definition.
pub(super) fn unsaid<'p>(table: &'p Table, checks: &'p [RowCheck]) -> impl Iterator<Item = &'p RowCheck> {
    let said = |check: &&RowCheck| {
        let declared = table.checks.iter().find(|declared| declared.name == check.constraint);
        declared.is_some_and(|declared| of_row(declared).is_some())
    };
    checks.iter().filter(move |check| !said(check))
}

fn unbroken(check: &RowCheck) -> Pred {
    Pred::IsNotTrue(Box::new(check.broken.clone()))
}

fn fault(table: &Table, check: &RowCheck) -> Fault {
    let message = Some(check.message.as_str()).filter(|message| !message.is_empty());
    refusal::check(table, &check.constraint, message)
}
