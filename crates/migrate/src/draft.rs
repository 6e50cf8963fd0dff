//! [`Draft`]: what the next migration file says, for every engine at once, planned without
//! a server: the files so far are rehearsed in a scratch database of SQLite.

use crate::apply::rehearsed;
use crate::change::Plan;
use crate::diff::compare;
use crate::file::MigrationFile;
use crate::shape::{Scope, desired};
use crate::types::Types;
use backstay_base::fault::Fault;
use backstay_engine::Engine;
use backstay_schema::catalog::Catalog;
use backstay_sql::dialect::DIALECTS;
use backstay_sql::dialect::sqlite::SQLITE;

/// What the schema needs beyond the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// A plan per engine.
    pub plans: Vec<(&'static str, Plan)>,
    /// Remarks on the types of the tables that change.
    pub types: Vec<String>,
}

impl Draft {
    /// Whether no engine has anything to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plans.iter().all(|(_, plan)| plan.is_empty())
    }

    /// Whether a step may lose data on some engine.
    #[must_use]
    pub fn is_destructive(&self) -> bool {
        self.plans.iter().any(|(_, plan)| plan.is_destructive())
    }

    /// The plan of an engine; the first one's where there is none of this name.
    #[must_use]
    pub fn plan(&self, engine: &str) -> Option<&Plan> {
        let own = self.plans.iter().find(|(name, _)| *name == engine);
        own.or(self.plans.first()).map(|(_, plan)| plan)
    }
}

/// Drafts what is missing. `scratch` is an engine of SQLite that rehearses.
///
/// # Errors
/// When the files or the definitions cannot be rehearsed.
pub async fn draft(scratch: &dyn Engine, catalog: &Catalog, files: &[MigrationFile]) -> Result<Draft, Fault> {
    let base = rehearsed(scratch, files).await?;
    let wanted = desired(scratch, &SQLITE, catalog, Scope::Project).await?;
    let (before, after) = (Types::of_files(files), Types::of_catalog(catalog, Scope::Project));
    let mut plans: Vec<(&'static str, Plan)> = Vec::new();
    for dialect in DIALECTS {
        if plans.iter().any(|(name, _)| *name == dialect.name) {
            continue;
        }
        let plan = if dialect.name == SQLITE.name {
            let (base, wanted) = (before.told(&base, dialect), after.told(&wanted, dialect));
            compare(dialect, catalog, (&base, &wanted), Scope::Project)
        } else {
            let base = before.translated(&base, catalog, dialect);
            let wanted = after.translated(&wanted, catalog, dialect);
            compare(dialect, catalog, (&base, &wanted), Scope::Project)
        };
        plans.push((dialect.name, plan));
    }
    let plans_say_nothing = plans.iter().all(|(_, plan)| plan.is_empty());
    let types = if plans_say_nothing { Vec::new() } else { after.remarks(&before) };
    Ok(Draft { plans, types })
}
