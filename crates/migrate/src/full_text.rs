//! Indexes of words: which of them go, which come. They go before the columns and keys that they read, and
//! come when these stand.

use crate::change::{Change, Plan};
use crate::in_place::Pair;
use crate::shape::Names;
use backstay_engine::live::{LiveFullText, LiveTable};
use backstay_schema::catalog::{FullText, Table};
use backstay_sql::ddl::full_text::{VERSION, create, drop};
use backstay_sql::dialect::Dialect;

/// An index as it should stand.
pub(crate) fn wanted(table: &Table, index: &FullText) -> LiveFullText {
    let mut columns: Vec<String> = index.columns.iter().map(|id| table.column(*id).name.clone()).collect();
    columns.sort();
    LiveFullText { name: index.name.clone(), columns, version: VERSION.to_owned(), whole: true }
}

/// Indexes of a table that stay as they are.
fn stays(pair: &Pair<'_>, live: &LiveFullText) -> bool {
    let is_wanted = pair.table.full_texts.iter().any(|index| wanted(pair.table, index) == *live);
    is_wanted
        && pair.names == Names::Free
        && !pair.key_changes()
        && !live.columns.iter().any(|name| pair.is_touched(name))
}

/// Those of a table that go.
pub(crate) fn unwanted<'p>(pair: &'p Pair<'_>) -> impl Iterator<Item = &'p LiveFullText> {
    pair.found.full_texts.iter().filter(|live| !stays(pair, live))
}

/// Those of a table that have to be made.
pub(crate) fn missing<'p>(pair: &'p Pair<'_>) -> impl Iterator<Item = &'p FullText> {
    pair.table.full_texts.iter().filter(|index| {
        let stands = |live: &LiveFullText| live.name == index.name && stays(pair, live);
        !pair.found.full_texts.iter().any(stands)
    })
}

/// What drops an index, as a step.
pub(crate) fn gone(dialect: &'static Dialect, live: &LiveFullText) -> Change {
    Change::keeping(format!("- index {}", live.name), drop(dialect, &live.name, &live.version))
}

/// What makes an index, as a step.
pub(crate) fn made(dialect: &'static Dialect, table: &Table, index: &FullText) -> Change {
    Change::keeping(format!("+ index {}", index.name), create(table, dialect, index))
}

/// All of a table that goes: they would keep it, or stay behind.
pub(crate) fn all_gone(dialect: &'static Dialect, table: &LiveTable, plan: &mut Plan) {
    plan.changes.extend(table.full_texts.iter().map(|live| gone(dialect, live)));
}
