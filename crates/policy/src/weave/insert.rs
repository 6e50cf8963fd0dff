//! New rows: create rules, field rules, references, validation; upserts.

use super::Weaver;
use super::denial::Demands;
use super::fill::Prospective;
use crate::caller::Caller;
use crate::compile::Scope;
use crate::recurring::recipe::{Filled, Recipe};
use crate::valid;
use backstay_base::fault::Fault;
use backstay_query::plan::{Insert, Invalid, Pred, Refusal};
use backstay_schema::catalog::{ColumnId, DefaultValue, Operation, Table};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

impl Weaver<'_> {
    pub(super) fn insert(&mut self, insert: &mut Insert) -> Result<(), Fault> {
        let catalog = self.catalog;
        let table = catalog.table(insert.table);
        let is_plain = insert.conflict.is_none() && insert.absent.is_empty();
        if catalog.user == Some(table.id) && !matches!(self.caller, Caller::System) {
            return Err(Fault::permission("table", &table.name)
                .with_hint("rows of this type come and go with their account: sign up instead"));
        }
        self.refuse_unwritable(table)?;
        let named = named_columns(insert);
        for id in &named {
            self.refuse_server_set(table, table.column(*id), Operation::Create)?;
        }
        let changed: Vec<String> = named.iter().map(|id| table.column(*id).field.clone()).collect();
        insert.invalid = self.start_states(insert, table, &named);
        if let Some(conflict) = insert.conflict.take() {
            insert.conflict = Some(self.conflict(conflict, insert)?);
        }
        let filled = self.fill(insert, &changed)?;
        insert.invalid.extend(valid::rows(table, insert));
        let prospective = self.prospective(insert);
        let demands = self.create_rule((insert, &prospective), table, &named, &changed)?;
        (insert.rule, insert.denials) = demands.finish();
        if is_plain && insert.invalid.is_empty() {
            self.recipe = self.recipe(insert, &named, (filled, &prospective));
        }
        insert.references = self.references(insert.row, table, &named)?;
        insert.checks = self.checks(insert.row, table)?;
        insert.returning.iter_mut().try_for_each(|select| self.select(select))
    }

    fn conflict(
        &mut self,
        mut conflict: backstay_query::plan::Conflict,
        insert: &Insert,
    ) -> Result<backstay_query::plan::Conflict, Fault> {
        if let Some(mut merge) = conflict.merge.take() {
            merge.filter = Pred::TRUE;
            let given = insert.columns.clone();
            conflict.merge = Some(self.merge(merge, &given)?);
        }
        Ok(conflict)
    }

    /// The create rule of the type and the rules of every named field.
    fn create_rule(
        &mut self,
        (insert, prospective): (&Insert, &Prospective),
        table: &Table,
        named: &[ColumnId],
        changed: &[String],
    ) -> Result<Demands, Fault> {
        let row = &prospective.row;
        let scope = Scope::one(row.clone());
        let mut demands = Demands::of(table, Operation::Create, named);
        demands.require(self.compiler(Operation::Create, changed).confined(row)?);
        if demands.rule == Pred::FALSE {
            return Err(Fault::row_security(&table.name));
        }
        if !self.is_client() {
            self.trail.note(table.id, Operation::Create, &demands.rule);
            return Ok(demands);
        }
        let mut compiler = self.compiler(Operation::Create, changed);
        Self::demand(&mut compiler, &table.access.create, (&scope, Pred::FALSE), &mut demands)?;
        let verdict = demands.rule.clone();
        for id in named {
            let column = table.column(*id);
            if column.access.create.is_open() {
                continue;
            }
            let before = std::mem::replace(&mut demands.rule, Pred::TRUE);
            Self::demand(&mut compiler, &column.access.create, (&scope, Pred::TRUE), &mut demands)?;
            if demands.rule == Pred::FALSE {
                return Err(demands.refusal(Fault::permission("column", &column.name)));
            }
            demands.rule = before.and(demands.rule);
        }
        self.trail.note(table.id, Operation::Create, &verdict);
        // an upsert may find that every row exists: then the create rule is not asked
        if demands.rule == Pred::FALSE && insert.conflict.is_none() {
            return Err(demands.refusal(Fault::row_security(&table.name)));
        }
        Ok(demands)
    }

    /// How the next row of the same form is completed. What it keeps beside its fields is judged anew each time.
    fn recipe(
        &self,
        insert: &Insert,
        named: &[ColumnId],
        (filled, prospective): (Vec<Filled>, &Prospective),
    ) -> Option<Recipe> {
        let table = self.catalog.table(insert.table);
        if table.extras.is_some_and(|extras| named.contains(&extras)) {
            return None;
        }
        let mut looked_at = prospective.known.as_ref()?.looked_at();
        // states that a client may not start in were looked at, too
        looked_at.extend(named.iter().filter(|id| self.has_start(table, **id)));
        Recipe::of((table, insert), filled, &looked_at)
    }

    /// Whether a column holds a member that may become others.
    fn has_start(&self, table: &Table, id: ColumnId) -> bool {
        match table.column(id).ty {
            ScalarType::Enum(enum_id) => self.catalog.enum_type(enum_id).transitions,
            _ => false,
        }
    }

    /// `@next` binds create: a client starts in the default only (SEMANTICS 8).
    fn start_states(&self, insert: &Insert, table: &Table, named: &[ColumnId]) -> Vec<Invalid> {
        let mut found = Vec::new();
        if !self.is_client() {
            return found;
        }
        for (index, id) in insert.columns.iter().enumerate() {
            let column = table.column(*id);
            if !named.contains(id) || !self.has_start(table, *id) {
                continue;
            }
            let start = match &column.default {
                Some(DefaultValue::Value(Value::Text(member))) => Some(member),
                _ => None,
            };
            for (row, values) in insert.rows.iter().enumerate() {
                if let Some(Value::Text(to)) = values.get(index)
                    && start != Some(to)
                {
                    let refusal = Refusal::Transition { column: *id, from: None, to: to.clone() };
                    found.push(Invalid { row, refusal });
                }
            }
        }
        found
    }
}

/// The columns that at least one row gives a value for.
fn named_columns(insert: &Insert) -> Vec<ColumnId> {
    let given_by_some_row = |index: usize| {
        insert.absent.is_empty() || insert.absent.iter().any(|row| !row.get(index).copied().unwrap_or(false))
    };
    let columns = insert.columns.iter().enumerate();
    columns.filter(|(index, _)| given_by_some_row(*index)).map(|(_, id)| *id).collect()
}
