//! The rules of types and fields, and `allowed(…)`.

use super::{Asked, Compiled, Compiler, Operand, RowRef, Scope, Sight, bind};
use crate::caller::Caller;
use backstay_query::plan::{Pred, PredOp, SourceId};
use backstay_schema::catalog::{Access, ColumnId, Operation, Origin, Permit, Table, TableId};
use backstay_schema::expr::{AuthField, Hop, Path};

impl Compiler<'_> {
    /// Where the caller may do `operation` with `row`: T(any arm) and F(every denial). A deleted row
    /// is read only by those who may delete it, and only where the request asks for such.
    pub(crate) fn may(&mut self, table: TableId, operation: Operation, row: &RowRef) -> Compiled {
        let alive = match (self.asked.caller, operation) {
            (Caller::System, _) | (_, Operation::Create) => Pred::TRUE,
            _ => self.alive(row)?,
        };
        let include = self.asked.info.deleted && operation == Operation::Read && !self.inside;
        let counted = if alive == Pred::TRUE || !include {
            alive
        } else {
            alive.or(self.ruled(table, Operation::Delete, row)?)
        };
        if counted == Pred::FALSE {
            return Ok(counted);
        }
        Ok(self.ruled(table, operation, row)?.and(counted))
    }

    /// Where the rules of a type allow, deleted or not.
    pub(crate) fn ruled(&mut self, table: TableId, operation: Operation, row: &RowRef) -> Compiled {
        let confined = self.confined(row)?;
        if passes_access(self.asked.caller) || confined == Pred::FALSE {
            return Ok(confined);
        }
        let catalog = self.catalog;
        let permit = catalog.table(table).access.permit(operation);
        let scope = Scope::one(row.clone());
        let ruled = self.raw(operation, |compiler| compiler.permit(permit, &scope, Pred::FALSE))?;
        Ok(ruled.and(confined))
    }

    /// Where a row belongs to the tenant that the caller acts for. A call with a secret key is
    /// confined where it names a tenant, also in the links between rows.
    pub(crate) fn confined(&mut self, row: &RowRef) -> Compiled {
        let free = matches!(self.asked.caller, Caller::System)
            || (matches!(self.asked.caller, Caller::Service) && self.asked.info.tenant.is_none());
        let catalog = self.catalog;
        let table = catalog.table(row.table());
        if free {
            return Ok(Pred::TRUE);
        }
        if table.origin == Origin::Junction && matches!(self.asked.caller, Caller::Service) {
            return self.ends_confined(row, table);
        }
        let Some(id) = table.tenant else { return Ok(Pred::TRUE) };
        let ty = table.column(id).ty;
        let Operand::Known(org) = self.auth(&AuthField::Org, Some(ty)) else { return Ok(Pred::FALSE) };
        let sight = std::mem::replace(&mut self.sight, Sight::Raw);
        let operand = self.column(row, id);
        self.sight = sight;
        Ok(match operand? {
            Operand::Known(value) => Pred::Const(value == org),
            Operand::Absent => Pred::FALSE,
            Operand::Sql(scalar, _) => Pred::Compare(PredOp::Eq, scalar, bind(org, ty)),
        })
    }

    fn ends_confined(&mut self, row: &RowRef, table: &Table) -> Compiled {
        let mut both = Pred::TRUE;
        for relation in &table.relations {
            if self.catalog.table(relation.target).tenant.is_some() {
                let hop = Hop { table: table.id, relation: relation.id, target: relation.target };
                let end = self.through(row, &[hop], &Scope::one(row.clone()), &mut |compiler, row, _| {
                    compiler.confined(row)
                })?;
                both = both.and(end);
            }
        }
        Ok(both)
    }

    /// Where a row is not deleted.
    pub(crate) fn alive(&mut self, row: &RowRef) -> Compiled {
        let Some(column) = self.catalog.table(row.table()).soft_delete else { return Ok(Pred::TRUE) };
        let sight = std::mem::replace(&mut self.sight, Sight::Raw);
        let operand = self.column(row, column);
        self.sight = sight;
        Ok(match operand? {
            Operand::Known(value) => Pred::Const(value.is_null()),
            Operand::Absent => Pred::TRUE,
            Operand::Sql(scalar, _) => Pred::IsNull(scalar),
        })
    }

    /// Where the rule of a field holds; a field without arms adds nothing.
    pub(crate) fn field_may(&mut self, access: &Access, operation: Operation, scope: &Scope) -> Compiled {
        if passes_access(self.asked.caller) {
            return Ok(Pred::TRUE);
        }
        let permit = access.permit(operation);
        self.raw(operation, |compiler| compiler.permit(permit, scope, Pred::TRUE))
    }

    /// Where the caller may see a column of a row.
    pub(crate) fn mask(&mut self, source: SourceId, table: TableId, column: ColumnId) -> Compiled {
        let catalog = self.catalog;
        let column = catalog.table(table).column(column);
        if !column.has_read_rule() {
            return Ok(Pred::TRUE);
        }
        self.field_may(&column.access, Operation::Read, &Scope::one(RowRef::Source(source, table)))
    }

    /// Where some argument of `@access` allows, whatever is denied.
    pub(crate) fn allows(&mut self, permit: &Permit, scope: &Scope, without_arms: Pred) -> Compiled {
        let mut allowed = if permit.allow.is_empty() { without_arms } else { Pred::FALSE };
        // a rule for some fields is no leave to change the row
        for arm in permit.allow.iter().filter(|arm| arm.fields.is_none()) {
            allowed = allowed.or(self.is_true(&arm.expr, scope)?);
            if allowed == Pred::TRUE {
                break;
            }
        }
        Ok(allowed)
    }

    fn permit(&mut self, permit: &Permit, scope: &Scope, without_arms: Pred) -> Compiled {
        let mut allowed = self.allows(permit, scope, without_arms)?;
        if allowed == Pred::FALSE {
            return Ok(allowed);
        }
        for arm in &permit.deny {
            allowed = allowed.and(self.is_false(&arm.expr, scope)?);
        }
        Ok(allowed)
    }

    /// Runs with stored values and `operation` as `request.op`.
    fn raw(&mut self, operation: Operation, run: impl FnOnce(&mut Self) -> Compiled) -> Compiled {
        let sight = std::mem::replace(&mut self.sight, Sight::Raw);
        let inside = std::mem::replace(&mut self.inside, true);
        let asked = self.asked;
        self.asked = Asked { operation, ..asked };
        let made = run(self);
        self.asked = asked;
        self.inside = inside;
        self.sight = sight;
        made
    }

    /// `allowed(row, operation)`, wanted to be definitely `want`.
    pub(super) fn allowed(
        &mut self,
        path: &Path,
        operation: Operation,
        scope: &Scope,
        want: bool,
    ) -> Compiled {
        self.at_end(path, scope, &mut |compiler, row, _| {
            if want {
                return compiler.may(row.table(), operation, row);
            }
            if passes_access(compiler.asked.caller) {
                return Ok(Pred::FALSE);
            }
            let catalog = compiler.catalog;
            let permit = catalog.table(row.table()).access.permit(operation);
            let scope = Scope::one(row.clone());
            let foreign = super::quantifier::not_true(compiler.confined(row)?);
            let deleted = match operation {
                Operation::Create => Pred::FALSE,
                Operation::Read | Operation::Update | Operation::Delete => {
                    super::quantifier::not_true(compiler.alive(row)?)
                }
            };
            compiler.raw(operation, |compiler| {
                let mut refused = Pred::TRUE;
                for arm in permit.allow.iter().filter(|arm| arm.fields.is_none()) {
                    refused = refused.and(compiler.is_false(&arm.expr, &scope)?);
                }
                for arm in &permit.deny {
                    refused = refused.or(compiler.is_true(&arm.expr, &scope)?);
                }
                Ok(refused.or(deleted).or(foreign))
            })
        })
    }
}

/// Whether access rules do not apply (SEMANTICS 14).
pub(crate) const fn passes_access(caller: &Caller) -> bool {
    matches!(caller, Caller::Service | Caller::System)
}
