//! Updates: classify, write by key, verify the rows as they are then, read back.

use super::audit::Image;
use super::extras;
use super::reference::{self, conditions};
use super::refusal;
use super::{References, Runner, key_types, unexpected};
use crate::dialect::Returning;
use crate::lower::insert as lower_insert;
use crate::lower::update::{self as lower, Asked, Kept};
use crate::session::{Failure, Session, Violation};
use crate::statement::Statement;
use backstay_base::fault::Fault;
use backstay_query::plan::{Assign, Pred, SourceId, Transition, Update};
use backstay_query::reply::Part;
use backstay_schema::catalog::{ColumnId, Table};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// A row that an update reaches.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) key: Vec<Value>,
    pub(super) new_key: Vec<Value>,
    pub(super) keep: Vec<Value>,
    pub(super) bits: Vec<Value>,
    /// What an upsert's row gives, in the order of its columns.
    pub(super) given: Vec<Value>,
    /// The whole row as it was, where an audit tells of it.
    pub(super) before: Option<Image>,
}

/// An update on its way: what it assigns, and how.
pub(super) struct Updating<'p> {
    pub(super) update: &'p Update,
    pub(super) table: &'p Table,
    pub(super) assign: Vec<&'p (ColumnId, Assign)>,
    statement: Option<Statement>,
}

impl<'p> Updating<'p> {
    /// The same with other rules, to be judged only.
    pub(super) fn judging<'q>(&self, update: &'q Update) -> Updating<'q>
    where
        'p: 'q,
    {
        Updating { update, table: self.table, assign: self.assign.clone(), statement: None }
    }
}

impl Target {
    /// From the columns that classifying answers with.
    pub(super) fn read(table: &Table, update: &Update, row: &[Value], given: Vec<Value>) -> Self {
        let (key, rest) = row.split_at_checked(table.key.len()).unwrap_or((row, &[]));
        let (keep, bits) = rest.split_at_checked(update.keep.len()).unwrap_or((rest, &[]));
        let bits = bits.get(..update.stored.len()).unwrap_or(bits);
        let (key, keep, bits) = (key.to_vec(), keep.to_vec(), bits.to_vec());
        Self { new_key: key.clone(), key, keep, bits, given, before: None }
    }

    /// Whether some arm may change it.
    pub(super) fn is_open(&self) -> bool {
        self.bits.contains(&Value::Bool(true))
    }

    fn slots(&self) -> Vec<Value> {
        self.key.iter().chain(&self.given).cloned().collect()
    }

    /// In the order of the columns of [`Kept`].
    fn kept(&self, table: &Table, update: &Update) -> Vec<Value> {
        let keep = update.keep.iter().zip(&self.keep);
        let keep = keep.filter(|(id, _)| !table.key.contains(id)).map(|(_, value)| value);
        self.new_key.iter().chain(&self.bits).chain(&self.key).chain(keep).cloned().collect()
    }
}

impl<S: Session> Runner<'_, S> {
    /// Runs an update.
    pub(super) async fn update(&mut self, update: &Update) -> Result<Part, Fault> {
        let catalog = self.catalog;
        let table = catalog.table(update.table);
        let mut targets = self.targets(table, update).await?;
        let updating = self.updating(update, table, |_| true)?;
        if let (Some(invalid), Some(target)) = (update.invalid.first(), targets.first()) {
            let fault = refusal::known(table, &invalid.refusal);
            return Err(self.refuse_update(&updating, target, fault).await?);
        }
        if !update.assign.is_empty() {
            self.take_images(table, &mut targets).await?;
        }
        for target in &mut targets {
            self.update_row(&updating, target).await?;
        }
        self.verify_updated(&updating, &targets).await?;
        self.tell_updated(table, &targets.iter().collect::<Vec<_>>()).await?;
        let keys: Vec<Vec<Value>> = targets.into_iter().map(|target| target.new_key).collect();
        let rows = self.answer(update.returning.as_ref(), &table.name, &keys).await?;
        Ok(Part { rows, affected: keys.len() as u64, ..Part::default() })
    }

    async fn targets(&mut self, table: &Table, update: &Update) -> Result<Vec<Target>, Fault> {
        if matches!(update.filter, Pred::Const(false)) {
            return Ok(Vec::new());
        }
        let statement = lower::classify(self.catalog, self.dialect, update)?;
        let types = classified_types(table, update);
        let rows = self.values(&statement, &[], &types).await.map_err(unexpected)?;
        let matched = !rows.is_empty();
        let targets = rows.iter().map(|row| Target::read(table, update, row, update.given.clone()));
        let mut open: Vec<Target> = targets.filter(Target::is_open).collect();
        for target in &mut open {
            extras::merge(table, update, target, self.extras)?;
        }
        if open.is_empty() && matched {
            let fault = Fault::permission("table", &table.name);
            return Err(self.told_stored((table, update), None, fault).await?);
        }
        Ok(open)
    }

    /// Prepares the writing of those assignments that `wanted` keeps.
    pub(super) fn updating<'p>(
        &self,
        update: &'p Update,
        table: &'p Table,
        wanted: impl Fn(&Assign) -> bool,
    ) -> Result<Updating<'p>, Fault> {
        let assign: Vec<&(ColumnId, Assign)> =
            update.assign.iter().filter(|(_, value)| wanted(value)).collect();
        let statement = if assign.is_empty() {
            None
        } else {
            Some(lower::write(self.catalog, self.dialect, update, &assign)?)
        };
        Ok(Updating { update, table, assign, statement })
    }

    /// Writes one row; its new key goes into the target.
    pub(super) async fn update_row(
        &mut self,
        updating: &Updating<'_>,
        target: &mut Target,
    ) -> Result<(), Fault> {
        let Some(statement) = &updating.statement else { return Ok(()) };
        let table = updating.table;
        let moved = updating.assign.iter().any(|(id, _)| table.key.contains(id));
        let answers = moved && self.dialect.returning == Returning::Always;
        if moved && !answers {
            target.new_key = self.judge_update(updating, target, (&Asked::Rules, &table.key)).await?.1;
        }
        let types = if answers { key_types(table) } else { Vec::new() };
        match self.values(statement, &target.slots(), &types).await {
            Ok(rows) => {
                if answers {
                    target.new_key = rows.into_iter().next().unwrap_or_default();
                }
            }
            Err(Failure::Fault(fault)) => return Err(fault),
            Err(Failure::Violation(violation)) => {
                let fault = match self.misled_update(updating, target).await? {
                    Some(fault) => fault,
                    None => self.update_violation(updating, target, violation).await?,
                };
                return Err(self.refuse_update(updating, target, fault).await?);
            }
        }
        self.verify_set_references(updating, target).await?;
        self.check_updated(updating, target).await
    }

    /// Holds rules and transitions against the rows as they are.
    pub(super) async fn verify_updated(
        &mut self,
        updating: &Updating<'_>,
        targets: &[Target],
    ) -> Result<(), Fault> {
        let Updating { update, table, .. } = updating;
        if targets.is_empty() {
            return Ok(());
        }
        if let Some(index) = self.find_breached(updating, targets).await? {
            let fault = Fault::row_security(&table.name);
            let Some(target) = targets.get(index) else { return Err(fault) };
            return Err(self.told_written(updating, target, fault).await?);
        }
        for transition in &update.transitions {
            for target in targets {
                self.verify_transition(updating, transition, target).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn find_breached(
        &mut self,
        updating: &Updating<'_>,
        targets: &[Target],
    ) -> Result<Option<usize>, Fault> {
        let Updating { update, table, .. } = updating;
        let plain = matches!(update.rule, Pred::Const(true))
            && update.arms.len() == update.stored.len()
            && update.arms.iter().all(|arm| matches!(arm, Pred::Const(true)));
        if plain {
            return Ok(None);
        }
        let rows = targets.iter().map(|target| target.kept(table, update)).collect();
        let statement = lower::verify(self.catalog, self.dialect, Kept { update, rows })?;
        self.found(&statement).await
    }

    async fn verify_transition(
        &mut self,
        updating: &Updating<'_>,
        transition: &Transition,
        target: &Target,
    ) -> Result<(), Fault> {
        let Updating { update, table, assign, .. } = updating;
        let column = transition.column;
        let Some((_, assigned)) = assign.iter().rfind(|(id, _)| *id == column) else { return Ok(()) };
        let place = update.keep.iter().position(|id| *id == column);
        let from = place.and_then(|place| target.keep.get(place)).cloned().unwrap_or(Value::Null);
        let to = match assigned {
            Assign::Value(value) => value.clone(),
            Assign::Given(place) => target.given.get(*place).cloned().unwrap_or(Value::Null),
            Assign::Scalar(_) => {
                let stored = self.stored_values(table, update.row, &[column], &target.new_key).await?;
                stored.into_iter().next().unwrap_or(Value::Null)
            }
        };
        let text = |value: &Value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        let (before, after) = (text(&from), text(&to));
        let edge = |(a, b): &(String, String)| Some(a) == before.as_ref() && Some(b) == after.as_ref();
        if before == after || transition.edges.iter().any(edge) {
            return Ok(());
        }
        let to = after.unwrap_or_else(|| "null".to_owned());
        let from = before.unwrap_or_else(|| "null".to_owned());
        Err(refusal::transition(table, column, Some(&from), &to))
    }

    /// The fault, if the rules hold for the row as it would have become; else 42501.
    pub(super) async fn refuse_update(
        &mut self,
        updating: &Updating<'_>,
        target: &Target,
        fault: Fault,
    ) -> Result<Fault, Fault> {
        if self.would_hold(updating, target).await? {
            return Ok(fault);
        }
        let fault = Fault::row_security(&updating.table.name);
        self.told_prospective(updating, target, fault).await
    }

    /// Whether the rules hold for the row as the update would make it.
    pub(super) async fn would_hold(
        &mut self,
        updating: &Updating<'_>,
        target: &Target,
    ) -> Result<bool, Fault> {
        Ok(self.judge_update(updating, target, (&Asked::Rules, &[])).await?.0)
    }

    async fn judge_update(
        &mut self,
        updating: &Updating<'_>,
        target: &Target,
        asked: (&Asked<'_>, &[ColumnId]),
    ) -> Result<(bool, Vec<Value>), Fault> {
        let Updating { update, table, assign, .. } = updating;
        let kept = Kept { update, rows: vec![target.kept(table, update)] };
        let statement = lower::judge(self.catalog, self.dialect, kept, assign, asked)?;
        let columns = asked.1.iter().map(|id| table.column(*id).ty);
        let types: Vec<ScalarType> = std::iter::once(ScalarType::Boolean).chain(columns).collect();
        let rows = self.values(&statement, &target.slots(), &types).await.map_err(unexpected)?;
        let mut row = rows.into_iter().next().unwrap_or_default();
        if row.is_empty() {
            return Ok((false, row));
        }
        let holds = row.remove(0) == Value::Bool(true);
        Ok((holds, row))
    }

    async fn update_violation(
        &mut self,
        updating: &Updating<'_>,
        target: &Target,
        violation: Violation,
    ) -> Result<Fault, Fault> {
        let table = updating.table;
        Ok(match violation {
            Violation::NotNull(column) => refusal::not_null(table, &column),
            Violation::Check(constraint) => {
                refusal::check(table, &constraint, super::insert::check_message(table, &constraint))
            }
            Violation::Unique(named) => {
                let unique = refusal::unique_of(table, &named);
                let values = self.own_values(updating, target, &unique.columns).await?;
                refusal::unique(table, &unique, values.as_deref())
            }
            Violation::Reference(name) => match self.wrong_set_reference(updating, target, name).await? {
                Some(fault) => fault,
                None => match self.taken(updating, target).await? {
                    Some(fault) => fault,
                    None => self.key_referenced(table, &target.key).await?,
                },
            },
        })
    }

    /// A key or unique constraint that the update breaks, too: it is blamed first, whichever
    /// the database looks at first.
    async fn taken(&mut self, updating: &Updating<'_>, target: &Target) -> Result<Option<Fault>, Fault> {
        let Updating { table, assign, .. } = updating;
        let set = |id: &ColumnId| assign.iter().any(|(assigned, _)| assigned == id);
        let of = |columns: &[ColumnId]| refusal::unique_of_target(table, columns);
        let uniques = std::iter::once(of(&table.key));
        let uniques: Vec<_> = uniques.chain(table.uniques.iter().map(|unique| of(&unique.columns))).collect();
        for unique in uniques.into_iter().filter(|unique| unique.columns.iter().any(set)) {
            let (_, values) = self.judge_update(updating, target, (&Asked::Rules, &unique.columns)).await?;
            if values.iter().any(Value::is_null) {
                continue;
            }
            let row = self.new_source();
            let find = lower::find_conflict(self.catalog, self.dialect, table, row, &unique.columns)?;
            let found = self.values(&find, &values, &super::key_types(table)).await.map_err(unexpected)?;
            if found.iter().any(|key| *key != target.key) {
                let values = self.own_values(updating, target, &unique.columns).await?;
                return Ok(Some(refusal::unique(table, &unique, values.as_deref())));
            }
        }
        Ok(None)
    }

    /// Values of columns that the request itself sets; none where some is stored, perhaps hidden.
    async fn own_values(
        &mut self,
        updating: &Updating<'_>,
        target: &Target,
        columns: &[ColumnId],
    ) -> Result<Option<Vec<Value>>, Fault> {
        let own = |id: &ColumnId| updating.assign.iter().any(|(assigned, _)| assigned == id);
        if !columns.iter().all(own) {
            return Ok(None);
        }
        let (_, values) = self.judge_update(updating, target, (&Asked::Rules, columns)).await?;
        Ok(Some(values))
    }

    /// As for an insert: what is derived over a reference must not tell of a hidden row.
    async fn misled_update(
        &mut self,
        updating: &Updating<'_>,
        target: &Target,
    ) -> Result<Option<Fault>, Fault> {
        if !updating.assign.iter().any(|(_, value)| matches!(value, Assign::Scalar(_))) {
            return Ok(None);
        }
        self.wrong_set_reference(updating, target, None).await
    }

    /// The reference that the update sets to a row that is not there, or that the caller may not name.
    async fn wrong_set_reference(
        &mut self,
        updating: &Updating<'_>,
        target: &Target,
        name: Option<String>,
    ) -> Result<Option<Fault>, Fault> {
        let Updating { update, table, assign, .. } = updating;
        let set = |id: &ColumnId| assign.iter().any(|(assigned, _)| assigned == id);
        let asked = (reference::Asked::All, &mut self.sources);
        for condition in conditions(self.catalog, (table, update.row), &update.references, asked) {
            if !condition.columns.iter().any(set) {
                continue;
            }
            let named = name.as_deref().is_some_and(|name| name == condition.constraint);
            let asked = Asked::Pred(&condition.holds);
            if named || !self.judge_update(updating, target, (&asked, &[])).await?.0 {
                let values = self.own_values(updating, target, condition.columns).await?;
                let key = (condition.columns, values.as_deref());
                return Ok(Some(refusal::reference(table, condition.constraint, key, condition.target)));
            }
        }
        Ok(None)
    }

    /// References that the update sets must name rows that the caller may name.
    async fn verify_set_references(&mut self, updating: &Updating<'_>, target: &Target) -> Result<(), Fault> {
        let Updating { update, table, assign, .. } = updating;
        let set = |id: &ColumnId| assign.iter().any(|(assigned, _)| assigned == id);
        let asked = match self.references {
            References::PerStatement => reference::Asked::Guarded,
            References::AtCommit => reference::Asked::All,
        };
        let asked = (asked, &mut self.sources);
        for condition in conditions(self.catalog, (table, update.row), &update.references, asked) {
            if !condition.columns.iter().any(set) || matches!(condition.holds, Pred::Const(true)) {
                continue;
            }
            let keys = (self.new_source(), vec![target.new_key.clone()]);
            let statement =
                lower_insert::verify(self.catalog, self.dialect, table, update.row, &condition.holds, keys)?;
            if self.found(&statement).await?.is_none() {
                continue;
            }
            if self.find_breached(updating, std::slice::from_ref(target)).await?.is_some() {
                let fault = Fault::row_security(&table.name);
                return Err(self.told_written(updating, target, fault).await?);
            }
            let own = condition.columns.iter().all(set);
            let stored = self.stored_values(table, update.row, condition.columns, &target.new_key).await?;
            let key = (condition.columns, own.then_some(stored.as_slice()));
            return Err(refusal::reference(table, condition.constraint, key, condition.target));
        }
        Ok(())
    }

    /// Columns of the stored row with this key.
    pub(super) async fn stored_values(
        &mut self,
        table: &Table,
        row: SourceId,
        columns: &[ColumnId],
        key: &[Value],
    ) -> Result<Vec<Value>, Fault> {
        let statement = lower::stored_columns(self.catalog, self.dialect, table, row, columns)?;
        let types: Vec<ScalarType> = columns.iter().map(|id| table.column(*id).ty).collect();
        let rows = self.values(&statement, key, &types).await.map_err(unexpected)?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }
}

/// Types of what classifying answers with.
pub(super) fn classified_types(table: &Table, update: &Update) -> Vec<ScalarType> {
    let columns = table.key.iter().chain(&update.keep).map(|id| table.column(*id).ty);
    columns.chain(update.stored.iter().map(|_| ScalarType::Boolean)).collect()
}
