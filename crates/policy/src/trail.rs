//! [`Trail`]: which rules decided a request, for the line that `dev` prints.

use backstay_query::plan::Pred;
use backstay_schema::catalog::{Catalog, Operation, TableId};

/// The rules that a script was woven with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trail {
    /// One entry per table and operation, in the order met.
    pub entries: Vec<Entry>,
}

/// What the rules of one table said about one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The table.
    pub table: TableId,
    /// The operation.
    pub operation: Operation,
    /// The outcome.
    pub verdict: Verdict,
}

/// The outcome of rules for one caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Allowed for every row.
    Always,
    /// Refused for every row.
    Never,
    /// Decided row by row.
    Where,
}

impl Verdict {
    /// The verdict that a woven predicate stands for.
    #[must_use]
    pub const fn of(pred: &Pred) -> Self {
        match pred {
            Pred::Const(true) => Self::Always,
            Pred::Const(false) => Self::Never,
            _ => Self::Where,
        }
    }
}

impl Trail {
    pub(crate) fn note(&mut self, table: TableId, operation: Operation, pred: &Pred) {
        let entry = Entry { table, operation, verdict: Verdict::of(pred) };
        if !self.entries.contains(&entry) {
            self.entries.push(entry);
        }
    }

    /// One line for people: `Product.read where this.published || …`.
    #[must_use]
    pub fn describe(&self, catalog: &Catalog) -> String {
        let entries = self.entries.iter().map(|entry| {
            let table = catalog.table(entry.table);
            let operation = crate::constant::operation_name(entry.operation);
            let name = &table.type_name;
            match entry.verdict {
                Verdict::Always => format!("{name}.{operation} always"),
                Verdict::Never => format!("{name}.{operation} never"),
                Verdict::Where => {
                    let arms = &table.access.permit(entry.operation).allow;
                    let texts: Vec<&str> = arms.iter().map(|arm| arm.text.trim()).collect();
                    format!("{name}.{operation} where {}", texts.join(" or "))
                }
            }
        });
        entries.collect::<Vec<_>>().join("; ")
    }
}
