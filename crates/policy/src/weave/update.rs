//! Changed rows: the stored row before, the new row after, by one and the same arm.

use super::denial::Demands;
use super::{Weaver, server_set};
use crate::columns;
use crate::compile::{Compiler, Replaced, RowRef, Scope, bind};
use crate::paths;
use crate::valid;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::plan::{Assign, Denial, Denials, Pred, Transition, Update};
use backstay_schema::catalog::{Access, Arm, ColumnId, Operation, RelationKind, Table};
use backstay_schema::expr::Root;
use backstay_schema::scalar::ScalarType;

/// The rows that update rules read.
struct Rows {
    /// `this` and `old` before the write.
    stored: Scope,
    /// `this` and `new` after it, `old` as kept.
    after: Scope,
    /// `this` and `old` as kept, `new` after the write.
    before: Scope,
}

impl Weaver<'_> {
    pub(super) fn update(&mut self, update: &mut Update) -> Result<(), Fault> {
        self.refuse_unwritable(self.catalog.table(update.table))?;
        let readable = self.compiler(Operation::Read, &[]).may(
            update.table,
            Operation::Read,
            &RowRef::Source(update.row, update.table),
        )?;
        let asked = self.pred(std::mem::replace(&mut update.filter, Pred::TRUE))?;
        update.filter = readable.and(asked);
        self.rules_of_update(update, &[])?;
        update.returning.iter_mut().try_for_each(|select| self.select(select))
    }

    /// The update half of an upsert; `given` are the columns of its rows. Where its rules fold to
    /// false, no existing row may be changed; new rows ask the create rules alone (SEMANTICS 11).
    pub(super) fn merge(&mut self, mut merge: Update, given: &[ColumnId]) -> Result<Update, Fault> {
        merge.filter = self.compiler(Operation::Read, &[]).may(
            merge.table,
            Operation::Read,
            &RowRef::Source(merge.row, merge.table),
        )?;
        let mut ruled = merge.clone();
        match self.rules_of_update(&mut ruled, given) {
            Err(fault) if fault.code == code::DENIED => {
                merge.stored = vec![Pred::FALSE];
                merge.arms = vec![Pred::FALSE];
                // with the author's words there are details
                if fault.details.is_some() {
                    let denial = Denial { message: fault.message, stored: Pred::FALSE, row: Pred::FALSE };
                    merge.denials =
                        Denials { open: vec![Pred::TRUE], each: vec![denial], ..Denials::default() };
                }
                Ok(merge)
            }
            Err(fault) => Err(fault),
            Ok(()) => Ok(ruled),
        }
    }

    fn rules_of_update(&mut self, update: &mut Update, given: &[ColumnId]) -> Result<(), Fault> {
        let catalog = self.catalog;
        let table = catalog.table(update.table);
        let named: Vec<ColumnId> = update.assign.iter().map(|(id, _)| *id).collect();
        for id in &named {
            self.refuse_server_set(table, table.column(*id), Operation::Update)?;
            self.refuse_role(table, *id)?;
        }
        let changed: Vec<String> = named.iter().map(|id| table.column(*id).field.clone()).collect();
        let rows = Self::rows(update, table);
        (update.rule, update.denials) = self.update_rule(update, &named, &rows, &changed)?.finish();
        update.references = self.references(update.row, table, &named)?;
        if !update.assign.is_empty() {
            update.checks = self.checks(update.row, table)?;
        }
        update.transitions = self.transitions(update, table);
        update.invalid = valid::assigned(table, update);
        if !update.assign.is_empty() {
            self.assign(update, table, given, &changed)?;
        }
        update.keep = Self::kept(update, table);
        Ok(())
    }

    /// The arms of the type, and what must hold besides.
    fn update_rule(
        &mut self,
        update: &mut Update,
        named: &[ColumnId],
        rows: &Rows,
        changed: &[String],
    ) -> Result<Demands, Fault> {
        let catalog = self.catalog;
        let table = catalog.table(update.table);
        let mut demands = Demands::of(table, Operation::Update, named);
        if let (Some(tenant), Some(new)) = (table.tenant, &rows.after.new)
            && named.contains(&tenant)
        {
            demands.require(self.compiler(Operation::Update, changed).confined(new)?);
        }
        if !self.is_client() {
            update.stored = vec![Pred::TRUE];
            update.arms = vec![Pred::TRUE];
            return Ok(demands);
        }
        self.type_rules(update, (table, named), rows, changed, &mut demands)?;
        self.field_rules(table, named, rows, changed, &mut demands)?;
        self.moved_rows(table, named, rows, changed, &mut demands)?;
        self.restored(update, table, rows, &mut demands)?;
        Ok(demands)
    }

    fn rows(update: &Update, table: &Table) -> Rows {
        let stored = RowRef::Source(update.row, update.table);
        let kept = RowRef::Source(update.old, update.table);
        let values = update
            .assign
            .iter()
            .filter_map(|(id, assign)| match assign {
                Assign::Value(value) => Some((*id, bind(value.clone(), table.column(*id).ty))),
                Assign::Scalar(_) | Assign::Given(_) => None,
            })
            .collect();
        let new = RowRef::Prospective(update.row, update.table, Replaced::new(values));
        let scope = |this: &RowRef, old: &RowRef, new: Option<&RowRef>| {
            let mut scope = Scope::one(this.clone());
            scope.old = Some(old.clone());
            scope.new = new.cloned();
            scope
        };
        Rows {
            stored: scope(&stored, &stored, None),
            after: scope(&new, &kept, Some(&new)),
            before: scope(&kept, &kept, Some(&new)),
        }
    }

    /// The arms of the type's update rule, judged before and after; its denials.
    fn type_rules(
        &mut self,
        update: &mut Update,
        (table, named): (&Table, &[ColumnId]),
        rows: &Rows,
        changed: &[String],
        demands: &mut Demands,
    ) -> Result<(), Fault> {
        let permit = &table.access.update;
        let mut compiler = self.compiler(Operation::Update, changed);
        let (mut before, mut silent) = (Pred::TRUE, Pred::TRUE);
        for arm in &permit.deny {
            let mut stored = Pred::TRUE;
            if !mentions(arm, Root::New) {
                stored = compiler.is_false(&arm.expr, &rows.stored)?;
                before = before.and(stored.clone());
                if arm.message.is_none() {
                    silent = silent.and(stored.clone());
                }
            }
            demands.forbid(arm.message.as_ref(), (stored, compiler.is_false(&arm.expr, &rows.after)?));
        }
        let mut may_touch = false;
        let mut beyond = None;
        for arm in &permit.allow {
            let (stored, after) = arm_pair(&mut compiler, arm, rows)?;
            if !arm.covers(named) {
                if stored != Pred::FALSE && after != Pred::FALSE {
                    beyond = beyond.or_else(|| named.iter().find(|id| !arm.covers(&[**id])));
                }
                continue;
            }
            may_touch |= stored != Pred::FALSE;
            if stored != Pred::FALSE && after != Pred::FALSE {
                demands.open(|| stored.clone().and(silent.clone()));
                update.stored.push(stored.and(before.clone()));
                update.arms.push(after);
            }
        }
        let verdict = update.stored.iter().cloned().fold(Pred::FALSE, Pred::or);
        self.trail.note(table.id, Operation::Update, &verdict);
        match (verdict, may_touch, beyond) {
            // the caller may change such rows, but not into this
            (Pred::Const(false), true, _) => Err(demands.refusal(Fault::row_security(&table.name))),
            (Pred::Const(false), false, Some(column)) => {
                Err(Fault::permission("column", &table.column(*column).name))
            }
            (Pred::Const(false), false, None) => Err(Fault::permission("table", &table.name)),
            _ => Ok(()),
        }
    }

    /// The rules of every named field: on the stored and on the new row, by one arm.
    fn field_rules(
        &mut self,
        table: &Table,
        named: &[ColumnId],
        rows: &Rows,
        changed: &[String],
        demands: &mut Demands,
    ) -> Result<(), Fault> {
        for id in named {
            let column = table.column(*id);
            let mut compiler = self.compiler(Operation::Update, changed);
            let others = std::mem::replace(&mut demands.rule, Pred::TRUE);
            field_rule(&mut compiler, &column.access, rows, demands)?;
            if demands.rule == Pred::FALSE {
                return Err(demands.refusal(Fault::permission("column", &column.name)));
            }
            let own = std::mem::replace(&mut demands.rule, Pred::TRUE);
            demands.rule = others.and(own);
        }
        Ok(())
    }

    /// Moving is creating there: a named reference asks the create rule too (SEMANTICS 4).
    fn moved_rows(
        &mut self,
        table: &Table,
        named: &[ColumnId],
        rows: &Rows,
        changed: &[String],
        demands: &mut Demands,
    ) -> Result<(), Fault> {
        let moves = table.relations.iter().any(|relation| match &relation.kind {
            RelationKind::ToOne { columns, .. } => columns.iter().any(|column| named.contains(column)),
            RelationKind::ToMany { .. } | RelationKind::ManyToMany { .. } => false,
        });
        let Some(new) = rows.after.new.clone().filter(|_| moves) else { return Ok(()) };
        let rule = self.compiler(Operation::Create, changed).may(table.id, Operation::Create, &new)?;
        if rule == Pred::FALSE {
            return Err(Fault::row_security(&table.name));
        }
        demands.require(rule);
        Ok(())
    }

    /// A client takes a deletion back, and no more: only whoever may delete the stored row does.
    fn restored(
        &mut self,
        update: &Update,
        table: &Table,
        rows: &Rows,
        demands: &mut Demands,
    ) -> Result<(), Fault> {
        let named = update.assign.iter().find(|(id, _)| Some(*id) == table.soft_delete);
        let Some((id, value)) = named else { return Ok(()) };
        if !matches!(value, Assign::Value(value) if value.is_null()) {
            return Err(server_set(table, table.column(*id), Operation::Update));
        }
        let Some(stored) = rows.before.this.clone() else { return Ok(()) };
        let rule = self.compiler(Operation::Delete, &[]).ruled(table.id, Operation::Delete, &stored)?;
        if rule == Pred::FALSE {
            return Err(Fault::permission("column", &table.column(*id).name));
        }
        demands.require(rule);
        Ok(())
    }

    /// A field `role` of the `@user` type mirrors the account; clients need its own rule (SEMANTICS 26).
    fn refuse_role(&self, table: &Table, id: ColumnId) -> Result<(), Fault> {
        let column = table.column(id);
        let guarded = !column.access.update.allow.is_empty();
        if self.is_client() && self.catalog.user == Some(table.id) && column.field == "role" && !guarded {
            return Err(Fault::permission("column", &column.name));
        }
        Ok(())
    }

    fn transitions(&self, update: &Update, table: &Table) -> Vec<Transition> {
        let mut found = Vec::new();
        for (id, _) in &update.assign {
            let ScalarType::Enum(enum_id) = table.column(*id).ty else { continue };
            let kind = self.catalog.enum_type(enum_id);
            if !kind.transitions {
                continue;
            }
            let edges = kind.members.iter().flat_map(|from| {
                let next = from.next.iter().filter_map(|index| kind.members.get(*index));
                next.map(|to| (from.name.clone(), to.name.clone()))
            });
            found.push(Transition { column: *id, edges: edges.collect() });
        }
        found
    }

    /// Columns of the stored row that are needed after the write.
    fn kept(update: &Update, table: &Table) -> Vec<ColumnId> {
        let mut keep: Vec<ColumnId> = update.transitions.iter().map(|transition| transition.column).collect();
        keep.extend(table.extras.filter(|extras| update.assign.iter().any(|(id, _)| id == extras)));
        for arm in &update.arms {
            columns::in_pred(arm, update.old, &mut keep);
        }
        let denials = update.denials.each.iter().map(|denial| &denial.row);
        for pred in denials.chain([&update.rule, &update.denials.rule]) {
            columns::in_pred(pred, update.old, &mut keep);
        }
        keep
    }
}

/// Whether a rule reads `root`.
fn mentions(arm: &Arm, root: Root) -> bool {
    let mut found = false;
    paths::each(&arm.expr, &mut |path| found |= path.root == root);
    found
}

/// What the stored row and what the new row must hold for one arm.
fn arm_pair(compiler: &mut Compiler<'_>, arm: &Arm, rows: &Rows) -> Result<(Pred, Pred), Fault> {
    let after = compiler.is_true(&arm.expr, &rows.after)?;
    if !mentions(arm, Root::New) {
        return Ok((compiler.is_true(&arm.expr, &rows.stored)?, after));
    }
    if mentions(arm, Root::This) {
        return Ok((Pred::TRUE, after.and(compiler.is_true(&arm.expr, &rows.before)?)));
    }
    Ok((Pred::TRUE, after))
}

fn field_rule(
    compiler: &mut Compiler<'_>,
    access: &Access,
    rows: &Rows,
    demands: &mut Demands,
) -> Result<(), Fault> {
    let permit = &access.update;
    let mut allowed = Pred::Const(permit.allow.is_empty());
    for arm in &permit.allow {
        let mut holds = compiler.is_true(&arm.expr, &rows.after)?;
        if mentions(arm, Root::This) {
            holds = holds.and(compiler.is_true(&arm.expr, &rows.before)?);
        }
        allowed = allowed.or(holds);
    }
    demands.require(allowed);
    for arm in &permit.deny {
        let mut clear = compiler.is_false(&arm.expr, &rows.after)?;
        if mentions(arm, Root::This) {
            clear = clear.and(compiler.is_false(&arm.expr, &rows.before)?);
        }
        demands.forbid(arm.message.as_ref(), (Pred::TRUE, clear));
    }
    Ok(())
}
