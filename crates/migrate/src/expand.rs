//! Two files in the place of one, where nodes of the version before go on while the new one starts: the first
//! lets both write (the new columns stand beside the old ones and are kept alike), the second takes away
//! what only the version before needs. Enters: the files so far and the schema. Leaves: two drafts. Where one process
//! has the database to itself the first has nothing to do.

mod merged;

use self::merged::{Beside, Table as Merged};
use crate::apply::rehearsed;
use crate::change::{Change, Plan};
use crate::diff::compare;
use crate::draft::Draft;
use crate::file::MigrationFile;
use crate::file::contract::Contracted;
use crate::shape::{Scope, desired};
use crate::types::Types;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_engine::Engine;
use backstay_engine::live::Live;
use backstay_schema::catalog::Catalog;
use backstay_sql::ddl::expand;
use backstay_sql::dialect::definition::Alter;
use backstay_sql::dialect::sqlite::SQLITE;
use backstay_sql::dialect::{DIALECTS, Dialect};

/// Two drafts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expansion {
    /// What both versions live with.
    pub expand: Draft,
    /// What the version before does not live with; empty where the first one says all.
    pub contract: Draft,
}

/// Drafts what is missing in two steps. `scratch` is an engine of SQLite that rehearses.
///
/// # Errors
/// With the change that cannot be made in two steps, and when the files or the definitions cannot be rehearsed.
pub async fn draft(
    scratch: &dyn Engine,
    catalog: &Catalog,
    files: &[MigrationFile],
) -> Result<Expansion, Fault> {
    let base = rehearsed(scratch, files).await?;
    let wanted = desired(scratch, &SQLITE, catalog, Scope::Project).await?;
    let (before, after) = (Types::of_files(files), Types::of_catalog(catalog, Scope::Project));
    let mut expansion = Expansion::default();
    let mut told: Vec<String> = Vec::new();
    for dialect in DIALECTS {
        if expansion.expand.plans.iter().any(|(name, _)| *name == dialect.name) {
            continue;
        }
        let (first, second) = if matches!(dialect.definition.alter, Alter::Rebuild) {
            let (base, wanted) = (before.told(&base, dialect), after.told(&wanted, dialect));
            (Plan::default(), compare(dialect, catalog, (&base, &wanted), Scope::Project))
        } else {
            let base = before.translated(&base, catalog, dialect);
            let wanted = after.translated(&wanted, catalog, dialect);
            let (first, second, remarks) = in_two(dialect, catalog, (&base, &wanted))?;
            told = remarks;
            (first, second)
        };
        expansion.expand.plans.push((dialect.name, first));
        expansion.contract.plans.push((dialect.name, second));
    }
    let types = after.remarks(&before);
    if told.is_empty() {
        // nothing that the version before minds
        expansion =
            Expansion { expand: crate::draft::draft(scratch, catalog, files).await?, ..Expansion::default() };
        return Ok(expansion);
    }
    expansion.contract.types = told.into_iter().chain(types).collect();
    Ok(expansion)
}

/// The two plans of a database that changes in place, and what the second file says of itself.
fn in_two(
    dialect: &'static Dialect,
    catalog: &Catalog,
    (base, wanted): (&Live, &Live),
) -> Result<(Plan, Plan, Vec<String>), Fault> {
    let cannot = |why: String| {
        Fault::new(code::TRANSACTION_STATE, format!("this cannot be done in two files: {why}"))
            .with_hint("leave it for a migration of its own, when no node of the version before runs")
    };
    let tables = merged::tables(dialect, catalog, (base, wanted)).map_err(cannot)?;
    let both = merged::catalog(catalog, &tables);
    let (from, to) = merged::first(base, wanted, &tables);
    let mut first = compare(dialect, &both, (&from, &to), Scope::Project);
    if let Some(change) = first.changes.iter().find(|change| change.loses.is_some()) {
        return Err(cannot(format!(
            "{} loses {}",
            change.summary,
            change.loses.as_deref().unwrap_or_default()
        )));
    }
    let stands = merged::second(base, &to, &tables);
    let mut second = Plan::default();
    let mut fills = Vec::new();
    for merged in &tables {
        for (name, stored) in &merged.relaxed {
            let statement = expand::relax(dialect, &merged.name, (name, *stored));
            let summary = format!("~ {}.{name} need not be written", merged.name);
            first.changes.push(Change::keeping(summary, Vec::from_iter(statement)));
        }
        let table = catalog.tables.iter().find(|table| table.name == merged.name);
        for beside in &merged.beside {
            let Some(table) = table else { continue };
            let Some(column) = table.columns.iter().find(|column| column.name == beside.column) else {
                continue;
            };
            let old = beside.old.as_ref().map(|(name, ty)| (name.as_str(), *ty));
            let mirror = expand::Mirror { table, column, old };
            if !expand::is_possible(&mirror) {
                return Err(cannot(format!("{}.{} has no way back to what it was", table.name, column.name)));
            }
            let summary = summary(merged, beside);
            first.changes.push(Change::keeping(format!("= {summary}"), expand::keep_alike(dialect, &mirror)));
            fills.push(Change::keeping(
                format!("~ rows of {}, some at a time", table.name),
                Vec::from_iter(expand::backfill(dialect, &mirror)),
            ));
            let ends = expand::stop_keeping(dialect, &mirror);
            second.changes.push(Change::keeping(format!("- {summary}"), ends));
        }
    }
    first.changes.extend(fills);
    let rest = compare(dialect, catalog, (&stands, wanted), Scope::Project).changes;
    second.changes.extend(rest.into_iter().map(|change| Change {
        loses: change.loses.as_deref().and_then(|lost| still_lost(lost, &tables)),
        ..change
    }));
    let remarks = tables.iter().filter(|table| !table.is_plain()).map(Merged::remark).collect();
    Ok((first, second, remarks))
}

/// What is lost of what a step loses: columns whose values live on in others are not.
fn still_lost(lost: &str, tables: &[Merged]) -> Option<String> {
    const VALUES: &str = "the values of ";
    let is_moved = |name: &&str| {
        let olds = |merged: &Merged| {
            let mut olds = merged.beside.iter().filter_map(|beside| beside.old.as_ref());
            olds.any(|(old, _)| *name == format!("{}.{old}", merged.name))
        };
        tables.iter().any(olds)
    };
    let parts = lost.split(" and ").filter_map(|part| match part.strip_prefix(VALUES) {
        None => Some(part.to_owned()),
        Some(names) => {
            let left: Vec<&str> = names.split(", ").filter(|name| !is_moved(name)).collect();
            (!left.is_empty()).then(|| format!("{VALUES}{}", left.join(", ")))
        }
    });
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(" and "))
}

fn summary(merged: &Merged, beside: &Beside) -> String {
    match &beside.old {
        Some((old, _)) => format!("{0}.{old} and {0}.{1} are kept alike", merged.name, beside.column),
        None => format!("{}.{} is given a value", merged.name, beside.column),
    }
}

/// The database as it will be once files that wait have taken away what only the version before needs: what
/// the schema is compared with until then.
#[must_use]
pub fn contracted(live: &Live, catalog: &Catalog, waiting: &[MigrationFile]) -> Live {
    let mut live = live.clone();
    for contract in waiting.iter().flat_map(MigrationFile::contracts) {
        if contract.columns.is_empty() {
            live.tables.retain(|table| table.name != contract.table);
            continue;
        }
        let Some(table) = live.tables.iter_mut().find(|table| table.name == contract.table) else { continue };
        let Some(wanted) = catalog.tables.iter().find(|wanted| wanted.name == contract.table) else {
            continue;
        };
        let gone = |name: &String| contract.gone().any(|gone| gone == name);
        table.columns.retain(|column| !gone(&column.name));
        table.uniques.retain(|unique| !unique.columns.iter().any(gone));
        table.indexes.retain(|index| !index.columns.iter().flatten().any(gone));
        table.full_texts.retain(|index| !index.columns.iter().any(gone));
        table.references.retain(|reference| !reference.columns.iter().any(gone));
        table.checks.retain(|check| {
            let mut words = check.text.split(|c: char| !c.is_alphanumeric() && c != '_');
            !words.any(|word| contract.gone().any(|gone| gone == word))
        });
        let comes = |name: &str| {
            contract
                .columns
                .iter()
                .any(|column| matches!(column, Contracted::Comes { column, .. } if column == name))
        };
        for column in table.columns.iter_mut().filter(|column| comes(&column.name)) {
            let known = wanted.columns.iter().find(|known| known.name == column.name);
            column.nullable = known.map_or(column.nullable, |known| known.nullable);
        }
    }
    live
}
