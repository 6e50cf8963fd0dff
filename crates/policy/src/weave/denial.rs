//! [`Demands`]: what a write must hold, and what `@deny(message:)` says to whom nothing
//! else stands in the way of. Compiled conditions enter; the rule of a plan and its
//! denials leave. It knows no rows.

use super::Weaver;
use crate::compile::{Compiler, Scope};
use backstay_base::fault::Fault;
use backstay_query::plan::{Denial, Denials, Pred};
use backstay_schema::catalog::{Access, ColumnId, Operation, Permit, Table};

/// The conditions of a write, gathered.
#[derive(Debug)]
pub(super) struct Demands {
    /// All of them.
    pub rule: Pred,
    /// What is told where some of them fail.
    denials: Denials,
    speaks: bool,
}

impl Demands {
    /// Nothing yet, for a write of these columns.
    pub fn of(table: &Table, operation: Operation, named: &[ColumnId]) -> Self {
        let speaks = |access: &Access| access.permit(operation).deny.iter().any(|arm| arm.message.is_some());
        let speaks = speaks(&table.access) || named.iter().any(|id| speaks(&table.column(*id).access));
        Self { rule: Pred::TRUE, denials: Denials::default(), speaks }
    }

    /// Adds what must hold, whatever is denied.
    pub fn require(&mut self, holds: Pred) {
        if self.speaks {
            self.denials.rule = taken(&mut self.denials.rule).and(holds.clone());
        }
        self.rule = taken(&mut self.rule).and(holds);
    }

    /// Adds that a denial is clear: of the stored row, and of the row as written.
    pub fn forbid(&mut self, message: Option<&String>, (stored, row): (Pred, Pred)) {
        match message {
            Some(message) => {
                let denial = Denial { message: message.clone(), stored, row: row.clone() };
                self.denials.each.push(denial);
            }
            None if self.speaks => self.denials.rule = taken(&mut self.denials.rule).and(row.clone()),
            None => {}
        }
        self.rule = taken(&mut self.rule).and(row);
    }

    /// Adds an arm of an update without the denials that speak.
    pub fn open(&mut self, stored: impl FnOnce() -> Pred) {
        if self.speaks {
            self.denials.open.push(stored());
        }
    }

    /// A refusal that is known without a row, in the words of the denial that alone causes it.
    pub fn refusal(&self, fault: Fault) -> Fault {
        let shut = |denial: &&Denial| denial.row == Pred::FALSE || denial.stored == Pred::FALSE;
        match self.denials.each.iter().find(shut) {
            Some(denial) if self.denials.rule != Pred::FALSE => fault.saying(&denial.message),
            _ => fault,
        }
    }

    /// The rule, and what is told.
    pub fn finish(self) -> (Pred, Denials) {
        let denials = if self.denials.each.is_empty() { Denials::default() } else { self.denials };
        (self.rule, denials)
    }
}

fn taken(pred: &mut Pred) -> Pred {
    std::mem::replace(pred, Pred::TRUE)
}

impl Weaver<'_> {
    /// Adds the rules of a type or field for one row.
    pub(super) fn demand(
        compiler: &mut Compiler<'_>,
        permit: &Permit,
        (scope, without_arms): (&Scope, Pred),
        demands: &mut Demands,
    ) -> Result<(), Fault> {
        let allowed = compiler.allows(permit, scope, without_arms)?;
        demands.require(allowed);
        for arm in &permit.deny {
            let clear = compiler.is_false(&arm.expr, scope)?;
            demands.forbid(arm.message.as_ref(), (Pred::TRUE, clear));
        }
        Ok(())
    }
}
