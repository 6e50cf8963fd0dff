//! Updates and deletes as one statement: rules of the row as it will be are said of the
//! row as it is, with new values in the place of old ones.

use super::{Answer, Asking, Direct, Way, is_own, reads_of};
use crate::dialect::Returning;
use crate::lower::join::held_to_one;
use crate::lower::substitute;
use crate::lower::{Lower, Naming};
use crate::run::check::unsaid;
use crate::run::reference::or_null;
use backstay_base::fault::Fault;
use backstay_query::plan::{
    Assign, ColumnRef, Delete, Expect, Pred, PredOp, Scalar, Select, SourceId, Transition, Update,
};
use backstay_schema::catalog::{ColumnId, Table};
use backstay_schema::value::Value;

impl<'p> Asking<'p> {
    /// An update of at most one row, or one whose new rows need nothing to hold.
    pub(super) fn update(&self, update: &'p Update) -> Result<Option<Direct<'p>>, Fault> {
        let table = self.catalog.table(update.table);
        let keyed = update.assign.iter().any(|(id, _)| table.key.contains(id));
        let one = held_to_one(table, &update.filter, update.row);
        if update.assign.is_empty() || keyed || !update.invalid.is_empty() || !(one && self.expects(1)) {
            return Ok(None);
        }
        let Some(conditions) = self.conditions(update, table) else { return Ok(None) };
        let returning = update.returning.as_ref();
        let Some((answer, read)) =
            self.answer(returning, update.row, self.dialect.returning == Returning::Always)
        else {
            return Ok(None);
        };
        let Some(keys) = known_keys(table, &update.filter, update.row, &answer) else { return Ok(None) };
        let next = Next { update, table };
        let read = read.map(|read| next.pred(read));
        if read.as_ref().is_some_and(|read| reads_of(read).tables.contains(&table.id)) {
            return Ok(None);
        }
        let mut lower = Lower::judging(self.catalog, self.dialect);
        lower.writes(Some((update.row, Naming::Table)));
        lower.writer.push("UPDATE ").table(table).push(" SET ");
        for (index, (id, assign)) in update.assign.iter().enumerate() {
            lower.writer.push(if index > 0 { ", " } else { "" }).column(table.column(*id)).push(" = ");
            lower.scalar_as(&value_of(table, *id, assign), table.column(*id).ty)?;
        }
        let mut keyword = " WHERE ";
        for pred in [&update.filter].into_iter().chain(&conditions).chain(&read) {
            lower.and_holds(&mut keyword, pred)?;
        }
        let asked = matches!(answer, Answer::Cells(_)).then_some(returning).flatten();
        lower.returning(table, asked, &[])?;
        let statement = lower.finish().0;
        let way = Way { statement, rows: Some(1), inserts: false, answer, key_types: Vec::new() };
        Ok(Some(Direct { keys, ..Direct::plain(self.step, table, way) }))
    }

    /// A delete whose answer needs no order.
    pub(super) fn delete(&self, delete: &'p Delete) -> Result<Option<Direct<'p>>, Fault> {
        let table = self.catalog.table(delete.table);
        let one = held_to_one(table, &delete.filter, delete.row) && self.expects(1);
        let many = self.step.expect == Expect::Any && delete.returning.is_none();
        if !(one || many) {
            return Ok(None);
        }
        let can_answer = self.dialect.returning >= Returning::InsertAndDelete;
        let returning = delete.returning.as_ref();
        let Some((answer @ (Answer::Nothing | Answer::Cells(_)), read)) =
            self.answer(returning, delete.row, can_answer)
        else {
            return Ok(None);
        };
        let mut lower = Lower::judging(self.catalog, self.dialect);
        lower.writes(Some((delete.row, Naming::Table)));
        lower.writer.push("DELETE FROM ").table(table);
        let mut keyword = " WHERE ";
        for pred in [&delete.filter, &delete.rule].into_iter().chain(read) {
            lower.and_holds(&mut keyword, pred)?;
        }
        let asked = matches!(answer, Answer::Cells(_)).then_some(returning).flatten();
        lower.returning(table, asked, &[])?;
        let statement = lower.finish().0;
        let rows = one.then_some(1);
        let way = Way { statement, rows, inserts: false, answer, key_types: Vec::new() };
        Ok(Some(Direct::plain(self.step, table, way)))
    }

    /// Where the answer comes from, and what it must hold besides; none when it cannot be had.
    fn answer(
        &self,
        select: Option<&'p Select>,
        row: SourceId,
        can_answer: bool,
    ) -> Option<(Answer, Option<&'p Pred>)> {
        let Some(select) = select else { return Some((Answer::Nothing, None)) };
        match self.cells(select, row).filter(|_| can_answer) {
            Some(cells) => Some((Answer::Cells(cells), Some(&select.filter))),
            None => Some((Answer::Read, None)),
        }
    }

    /// What must hold of the stored row for the new one to be allowed; none when that
    /// cannot be said before it is written.
    fn conditions(&self, update: &Update, table: &Table) -> Option<Vec<Pred>> {
        let next = Next { update, table };
        let mut all = vec![next.pred(&update.rule)];
        if update.arms.len() != update.stored.len() {
            return None;
        }
        let arms = update.stored.iter().zip(&update.arms);
        all.push(arms.fold(Pred::FALSE, |any, (stored, arm)| any.or(both(stored.clone(), next.pred(arm)))));
        for reference in &update.references {
            if reference.columns.iter().any(|id| next.assigns(*id)) {
                let holds = or_null(table, update.row, &reference.columns, reference.allowed.clone());
                all.push(next.pred(&holds));
            }
        }
        let checks = unsaid(table, &update.checks);
        all.extend(checks.map(|check| Pred::IsNotTrue(Box::new(next.pred(&check.broken)))));
        if all.iter().any(|pred| reads_of(pred).tables.contains(&table.id)) {
            return None;
        }
        for transition in &update.transitions {
            all.push(edge(update, table, transition)?);
        }
        let plain = |assign: &Assign| match assign {
            Assign::Value(_) => true,
            Assign::Scalar(scalar) => {
                let mut reads = substitute::Reads::default();
                reads.scalar(scalar);
                is_own(&reads, update.row)
            }
            Assign::Given(_) => false,
        };
        update.assign.iter().all(|(_, assign)| plain(assign)).then_some(all)
    }
}

fn both(a: Pred, b: Pred) -> Pred {
    match (a, b) {
        (Pred::Const(true), pred) | (pred, Pred::Const(true)) => pred,
        (a, b) => Pred::And(vec![a, b]),
    }
}

/// The keys of the rows, where another statement reads the answer by them: none when
/// only the write would tell.
fn known_keys(table: &Table, filter: &Pred, row: SourceId, answer: &Answer) -> Option<Vec<Vec<Value>>> {
    if !matches!(answer, Answer::Read) {
        return Some(Vec::new());
    }
    let part = |id: &ColumnId| held_value(filter, row, *id);
    table.key.iter().map(part).collect::<Option<Vec<Value>>>().map(|key| vec![key])
}

/// The value that a filter holds a column to.
fn held_value(filter: &Pred, row: SourceId, id: ColumnId) -> Option<Value> {
    match filter {
        Pred::And(all) => all.iter().find_map(|pred| held_value(pred, row, id)),
        Pred::Compare(PredOp::Eq, Scalar::Column(column), Scalar::Bind(value, _))
        | Pred::Compare(PredOp::Eq, Scalar::Bind(value, _), Scalar::Column(column))
            if column.source == row && column.column == id =>
        {
            Some(value.clone())
        }
        _ => None,
    }
}

/// Whether the stored member may become the new one; none when the new one is not known.
fn edge(update: &Update, table: &Table, transition: &Transition) -> Option<Pred> {
    let id = transition.column;
    let (_, assign) = update.assign.iter().rfind(|(assigned, _)| *assigned == id)?;
    let Assign::Value(Value::Text(to)) = assign else { return None };
    let ty = table.column(id).ty;
    let from = transition.edges.iter().filter(|(_, wanted)| wanted == to).map(|(from, _)| from);
    let members = from.chain([to]).map(|member| Value::Text(member.clone())).collect();
    let column = Scalar::Column(ColumnRef { source: update.row, table: table.id, column: id });
    Some(Pred::In(column, members, ty))
}

fn value_of(table: &Table, id: ColumnId, assign: &Assign) -> Scalar {
    let ty = table.column(id).ty;
    match assign {
        Assign::Scalar(scalar) => scalar.clone(),
        Assign::Value(Value::Null) => Scalar::Null(ty),
        Assign::Value(value) => Scalar::Bind(value.clone(), ty),
        Assign::Given(index) => Scalar::Slot(*index, ty),
    }
}

/// The row as it will be.
struct Next<'u> {
    update: &'u Update,
    table: &'u Table,
}

impl Next<'_> {
    fn assigns(&self, column: ColumnId) -> bool {
        self.update.assign.iter().any(|(id, _)| *id == column)
    }

    /// A predicate over the new row and the old one, said of the stored row.
    fn pred(&self, pred: &Pred) -> Pred {
        let Update { row, old, assign, table, .. } = self.update;
        substitute::pred(pred, &|column: ColumnRef| {
            if column.source == *old {
                return Some(Scalar::Column(ColumnRef { source: *row, ..column }));
            }
            if column.source != *row || column.table != *table {
                return None;
            }
            let assigned = assign.iter().rfind(|(id, _)| *id == column.column);
            assigned.map(|(id, assign)| value_of(self.table, *id, assign))
        })
    }
}
