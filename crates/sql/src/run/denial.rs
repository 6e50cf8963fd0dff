//! What a refused caller is told: the author's words of `@deny(message:)`, where nothing
//! but denials refuses. A refusal that is certain enters; it leaves with the words or as
//! it came. Only rows that the caller may read, or wrote, are asked.

use super::insert::Inserting;
use super::update::{Target, Updating, classified_types};
use super::{Runner, unexpected};
use crate::lower::{delete as lower_delete, update as lower_update};
use crate::session::Session;
use backstay_base::fault::Fault;
use backstay_query::plan::{Delete, Denials, Pred, Update};
use backstay_schema::catalog::{ColumnId, Table};
use backstay_schema::value::Value;

impl<S: Session> Runner<'_, S> {
    /// Of rows that an update reaches and may not change: in the words for the first of them.
    pub(super) async fn told_stored(
        &mut self,
        (table, update): (&Table, &Update),
        conflict: Option<(&[ColumnId], &[Value])>,
        fault: Fault,
    ) -> Result<Fault, Fault> {
        let denials = &update.denials;
        if denials.each.is_empty() {
            return Ok(fault);
        }
        let stored = denials.open.iter().chain(denials.each.iter().map(|denial| &denial.stored));
        let asked = Update { stored: stored.cloned().collect(), keep: Vec::new(), ..update.clone() };
        let (statement, slots): (_, &[Value]) = match conflict {
            Some((target, values)) => {
                (lower_update::classify_conflict(self.catalog, self.dialect, &asked, target)?, values)
            }
            None => (lower_update::classify(self.catalog, self.dialect, &asked)?, &[]),
        };
        let types = classified_types(table, &asked);
        let rows = self.values(&statement, slots, &types).await.map_err(unexpected)?;
        for row in &rows {
            let (_, bits) = row.split_at_checked(table.key.len()).unwrap_or((row, &[]));
            if let Some(message) = spoken(denials, bits, denials.open.len()) {
                return Ok(fault.saying(message));
            }
        }
        Ok(fault)
    }

    /// Of a stored row that an update may not have made so.
    pub(super) async fn told_written(
        &mut self,
        updating: &Updating<'_>,
        target: &Target,
        fault: Fault,
    ) -> Result<Fault, Fault> {
        let one = std::slice::from_ref(target);
        let denials = &updating.update.denials;
        if denials.each.is_empty() {
            return Ok(fault);
        }
        let besides = Update { rule: denials.rule.clone(), ..updating.update.clone() };
        if self.find_breached(&updating.judging(&besides), one).await?.is_some() {
            return Ok(fault);
        }
        for denial in &denials.each {
            let alone = only(updating.update, &denial.row);
            if self.find_breached(&updating.judging(&alone), one).await?.is_some() {
                return Ok(fault.saying(&denial.message));
            }
        }
        Ok(fault)
    }

    /// Of a row that an update would make so.
    pub(super) async fn told_prospective(
        &mut self,
        updating: &Updating<'_>,
        target: &Target,
        fault: Fault,
    ) -> Result<Fault, Fault> {
        let denials = &updating.update.denials;
        if denials.each.is_empty() {
            return Ok(fault);
        }
        let besides = Update { rule: denials.rule.clone(), ..updating.update.clone() };
        if !self.would_hold(&updating.judging(&besides), target).await? {
            return Ok(fault);
        }
        for denial in &denials.each {
            let alone = only(updating.update, &denial.row);
            if !self.would_hold(&updating.judging(&alone), target).await? {
                return Ok(fault.saying(&denial.message));
            }
        }
        Ok(fault)
    }

    /// Of a row that was inserted.
    pub(super) async fn told_inserted(
        &mut self,
        inserting: &Inserting<'_>,
        key: &[Value],
        fault: Fault,
    ) -> Result<Fault, Fault> {
        let denials = &inserting.insert.denials;
        let key = [key.to_vec()];
        if denials.each.is_empty() || self.find_breach(inserting, &denials.rule, &key).await?.is_some() {
            return Ok(fault);
        }
        for denial in &denials.each {
            if self.find_breach(inserting, &denial.row, &key).await?.is_some() {
                return Ok(fault.saying(&denial.message));
            }
        }
        Ok(fault)
    }

    /// Of a row that would be inserted.
    pub(super) async fn told_given(
        &mut self,
        inserting: &Inserting<'_>,
        row: &[Value],
        fault: Fault,
    ) -> Result<Fault, Fault> {
        let denials = &inserting.insert.denials;
        if denials.each.is_empty() || !self.prospective_holds(inserting, row, &denials.rule).await? {
            return Ok(fault);
        }
        for denial in &denials.each {
            if !self.prospective_holds(inserting, row, &denial.row).await? {
                return Ok(fault.saying(&denial.message));
            }
        }
        Ok(fault)
    }

    /// Of rows that a delete reaches and may not remove: in the words for the first of them.
    pub(super) async fn told_deleted(
        &mut self,
        (table, delete): (&Table, &Delete),
        fault: Fault,
    ) -> Result<Fault, Fault> {
        let denials = &delete.denials;
        if denials.each.is_empty() {
            return Ok(fault);
        }
        let besides = Delete { rule: denials.rule.clone(), ..delete.clone() };
        let open = self.classified(table, &besides).await?;
        let mut clear = Vec::with_capacity(denials.each.len());
        for denial in &denials.each {
            let alone = Delete { rule: denial.row.clone(), ..delete.clone() };
            clear.push(self.classified(table, &alone).await?);
        }
        let first = open.iter().position(|open| *open);
        let denied = |row: usize| clear.iter().position(|denial| denial.get(row) == Some(&false));
        let denial = first.and_then(denied).and_then(|index| denials.each.get(index));
        Ok(match denial {
            Some(denial) => fault.saying(&denial.message),
            None => fault,
        })
    }

    async fn classified(&mut self, table: &Table, delete: &Delete) -> Result<Vec<bool>, Fault> {
        let statement = lower_delete::classify(self.catalog, self.dialect, delete)?;
        let mut types = super::key_types(table);
        types.push(backstay_schema::scalar::ScalarType::Boolean);
        let rows = self.values(&statement, &[], &types).await.map_err(unexpected)?;
        Ok(rows.iter().map(|row| row.last() == Some(&Value::Bool(true))).collect())
    }
}

/// The same write, refused by nothing but one condition.
fn only(update: &Update, rule: &Pred) -> Update {
    let arms = update.arms.iter().map(|_| Pred::TRUE).collect();
    Update { rule: rule.clone(), arms, ..update.clone() }
}

/// The message for a row that is open but for denials.
fn spoken<'d>(denials: &'d Denials, bits: &[Value], open: usize) -> Option<&'d str> {
    let (arms, clear) = bits.split_at_checked(open)?;
    if !arms.contains(&Value::Bool(true)) {
        return None;
    }
    let denied = clear.iter().position(|bit| *bit != Value::Bool(true))?;
    denials.each.get(denied).map(|denial| denial.message.as_str())
}
