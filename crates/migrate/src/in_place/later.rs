//! [`Later`]: what reads the rows of tables that others use, and therefore is done once the definitions
//! stand, in transactions of its own: rows get values, indexes are built, constraints are held against
//! what is there; last come definitions that need that.

use crate::change::{Change, Plan};
use backstay_sql::ddl::online;
use backstay_sql::dialect::Dialect;
use backstay_sql::dialect::definition::Online;

/// A step: its summary and its statements.
pub(super) type Step = (String, Vec<String>);

/// Steps that follow the definitions.
#[derive(Debug, Default)]
pub(crate) struct Later {
    /// Rows that get other values.
    pub(super) rows: Vec<Step>,
    /// Indexes whose names are taken again.
    pub(super) in_the_way: Vec<Step>,
    /// Indexes that are built.
    pub(super) builds: Vec<Step>,
    /// Constraints that are held against all rows.
    pub(super) validations: Vec<Step>,
    /// Indexes that nobody needs any more.
    pub(super) drops: Vec<Step>,
    /// Definitions that need what is before them.
    pub(super) ends: Vec<Step>,
}

impl Later {
    /// All rows of a table are held against a constraint.
    pub(super) fn hold(&mut self, dialect: &'static Dialect, words: &Online, (table, name): (&str, &str)) {
        let statement = online::validate(dialect, words, table, name);
        self.validations.push((format!("= {name} holds for all rows"), vec![statement]));
    }

    /// Puts them behind the definitions.
    pub(crate) fn follow(self, words: &Online, plan: &mut Plan) {
        let Self { rows, in_the_way, builds, validations, drops, ends } = self;
        let steps = [rows, in_the_way, builds, validations, drops, ends];
        // the definitions are done whatever becomes of the rest, and their locks are gone
        let mut before: Vec<String> =
            if plan.is_empty() { Vec::new() } else { vec![words.boundary.to_owned()] };
        for (summary, own) in steps.into_iter().flatten() {
            let mut statements = std::mem::take(&mut before);
            statements.extend(own);
            plan.changes.push(Change::keeping(summary, statements));
        }
    }
}
