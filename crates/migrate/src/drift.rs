//! Drift: what somebody changed in a database beside the files that were applied to it. Enters: the files
//! as the engine itself rehearses them, and what stands. Names of constraints, and words that mean the
//! same, are no drift: a database that was adopted is as its owner made it.

use crate::file::MigrationFile;
use crate::import::condition::read;
use crate::lint;
use crate::shape::{Names, same_index};
use crate::shape::{bound, is_foreign, provides, same_reference, scalar_of};
use backstay_base::fault::Fault;
use backstay_engine::Engine;
use backstay_engine::live::{Live, LiveColumn, LiveFullText, LiveTable};
use backstay_sql::dialect::Dialect;

/// One thing that is not as the files left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The table.
    pub table: String,
    /// What is different, in words: `product.price is text, not numeric(18,4)`.
    pub message: String,
}

/// What differs between the database and the files that were applied.
///
/// # Errors
/// When the database cannot be read, or cannot rehearse the files.
pub async fn drift(
    engine: &dyn Engine,
    dialect: &'static Dialect,
    applied: &[MigrationFile],
) -> Result<Vec<Drift>, Fault> {
    let statements: Vec<String> = applied.iter().flat_map(|file| file.statements(engine.name())).collect();
    let wanted = engine.rehearse(&statements).await?;
    let live = engine.introspect().await?;
    Ok(compared(dialect, &live, &wanted))
}

/// The drift of tables that files are about to change.
#[must_use]
pub fn in_the_way<'d>(drift: &'d [Drift], pending: &[MigrationFile], engine: &str) -> Vec<&'d Drift> {
    let touched = lint::touched(pending, engine);
    drift.iter().filter(|drift| touched.contains(&drift.table)).collect()
}

/// Without what differs because a file is done only in part: the rest of it is still to come.
#[must_use]
pub fn beside(drift: Vec<Drift>, begun: &[MigrationFile], engine: &str) -> Vec<Drift> {
    let touched = lint::touched(begun, engine);
    drift.into_iter().filter(|drift| !touched.contains(&drift.table)).collect()
}

fn own(live: &Live) -> impl Iterator<Item = &LiveTable> {
    live.tables.iter().filter(|table| !table.name.starts_with("_backstay_"))
}

pub(crate) fn compared(dialect: &'static Dialect, live: &Live, wanted: &Live) -> Vec<Drift> {
    let mut found = Vec::new();
    for table in own(wanted) {
        let Some(stands) = own(live).find(|stands| stands.name == table.name) else {
            found.push(Drift { table: table.name.clone(), message: format!("{} is gone", table.name) });
            continue;
        };
        let mut told = |message: String| found.push(Drift { table: table.name.clone(), message });
        columns(dialect, stands, table, &mut told);
        constraints(stands, table, &mut told);
    }
    views(dialect, live, wanted, &mut found);
    for table in own(live).filter(|table| !own(wanted).any(|wanted| wanted.name == table.name)) {
        let message = format!("{} is a table that no file makes", table.name);
        found.push(Drift { table: table.name.clone(), message });
    }
    found
}

/// Views have the columns that the files gave them; how a view comes to its rows is not compared.
fn views(dialect: &'static Dialect, live: &Live, wanted: &Live, found: &mut Vec<Drift>) {
    for view in &wanted.views {
        let table = view.name.clone();
        let Some(stands) = live.views.iter().find(|stands| stands.name == view.name) else {
            found.push(Drift { message: format!("{table} is gone"), table });
            continue;
        };
        columns(dialect, stands, view, &mut |message| found.push(Drift { table: table.clone(), message }));
    }
    for view in live.views.iter().filter(|view| !wanted.views.iter().any(|wanted| wanted.name == view.name)) {
        let message = format!("{} is a view that no file makes", view.name);
        found.push(Drift { table: view.name.clone(), message });
    }
}

fn columns(dialect: &'static Dialect, live: &LiveTable, wanted: &LiveTable, told: &mut impl FnMut(String)) {
    for column in &wanted.columns {
        let name = format!("{}.{}", wanted.name, column.name);
        let Some(stands) = live.columns.iter().find(|stands| stands.name == column.name) else {
            told(format!("{name} is gone"));
            continue;
        };
        if !same_type(dialect, stands, column) {
            told(format!("{name} is {}, not {}", stands.ty, column.ty));
        }
        if stands.nullable != column.nullable {
            let what = if stands.nullable { "allows null" } else { "requires a value" };
            told(format!("{name} {what}"));
        }
        if stands.counted != column.counted || stands.generated != column.generated {
            told(format!("{name} gets its values in another way"));
        }
    }
    let added = live.columns.iter().filter(|live| !wanted.columns.iter().any(|c| c.name == live.name));
    for column in added {
        told(format!("{}.{} is a column that no file makes", wanted.name, column.name));
    }
}

fn same_type(dialect: &'static Dialect, live: &LiveColumn, wanted: &LiveColumn) -> bool {
    if live.ty == wanted.ty {
        return true;
    }
    let kinds = (scalar_of(dialect, live), scalar_of(dialect, wanted));
    let lengths = (bound(&live.ty), bound(&wanted.ty));
    kinds.0.is_some() && kinds.0 == kinds.1 && !matches!(lengths, (Some(a), Some(b)) if a != b)
}

fn constraints(live: &LiveTable, wanted: &LiveTable, told: &mut impl FnMut(String)) {
    let key = |table: &LiveTable| table.key.as_ref().map(|key| key.columns.clone());
    if key(live) != key(wanted) {
        told(format!("the key of {} is another", wanted.name));
    }
    let is_unique = |table: &LiveTable, columns: &[String]| {
        table.uniques.iter().any(|unique| unique.columns == columns)
            || table.indexes.iter().any(|index| provides(index, columns))
    };
    for (from, to, what) in
        [(wanted, live, "is no longer unique"), (live, wanted, "is unique, which no file says")]
    {
        for unique in from.uniques.iter().filter(|unique| !is_unique(to, &unique.columns)) {
            told(format!("{} ({}) {what}", wanted.name, unique.columns.join(", ")));
        }
        let indexes = from.indexes.iter().filter(|index| !is_foreign(index));
        let plain =
            indexes.filter(|index| !to.indexes.iter().any(|other| same_index(index, other, Names::Free)));
        for index in plain {
            let named: Vec<String> = index.columns.iter().flatten().cloned().collect();
            // a unique index and a unique constraint do the same
            if !(index.unique && is_unique(to, &named)) {
                let what = if std::ptr::eq(from, wanted) { "is gone" } else { "is made by no file" };
                told(format!("the index {} of {} {what}", index.name, wanted.name));
            }
        }
        for index in &from.full_texts {
            let same = |other: &LiveFullText| {
                other.columns == index.columns && other.version == index.version && other.whole == index.whole
            };
            if !to.full_texts.iter().any(same) {
                let what = if std::ptr::eq(from, wanted) { "is gone" } else { "is made by no file" };
                let what = if index.whole { what } else { "lacks a trigger" };
                told(format!("the index {} of {} {what}", index.name, wanted.name));
            }
        }
        for reference in &from.references {
            if !to.references.iter().any(|other| same_reference(other, reference, Names::Free)) {
                let what = if std::ptr::eq(from, wanted) { "is gone" } else { "is made by no file" };
                let columns = reference.columns.join(", ");
                told(format!("the reference {} ({columns}) to {} {what}", wanted.name, reference.target));
            }
        }
    }
    checks(live, wanted, told);
}

/// A check by its name and text, or by what it says.
fn checks(live: &LiveTable, wanted: &LiveTable, told: &mut impl FnMut(String)) {
    for (from, to, what) in [(wanted, live, "is gone"), (live, wanted, "is made by no file")] {
        for check in &from.checks {
            let same = to.checks.iter().any(|other| {
                other.text == check.text
                    || read(&check.text).is_some_and(|said| read(&other.text) == Some(said))
            });
            if !same {
                let name = check.name.as_deref().unwrap_or(&check.text);
                told(format!("the check {name} of {} {what}", wanted.name));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Drift, compared};
    use backstay_engine::live::{Live, LiveCheck, LiveColumn, LiveIndex, LiveKey, LiveTable};
    use backstay_sql::dialect::postgres::POSTGRES;

    fn column(name: &str, ty: &str) -> LiveColumn {
        LiveColumn { name: name.into(), ty: ty.into(), ..LiveColumn::default() }
    }

    fn table() -> LiveTable {
        LiveTable {
            name: "note".into(),
            columns: vec![
                column("id", "uuid"),
                column("text", "character varying(20)"),
                column("n", "integer"),
            ],
            key: Some(LiveKey { name: None, columns: vec!["id".into()] }),
            uniques: vec![LiveKey { name: Some("note_n_key".into()), columns: vec!["n".into()] }],
            checks: vec![LiveCheck { name: Some("note_n_check".into()), text: "n > 0".into() }],
            ..LiveTable::default()
        }
    }

    fn told(change: impl Fn(&mut LiveTable)) -> Vec<String> {
        let mut live = table();
        change(&mut live);
        let [live, wanted] = [live, table()].map(|table| Live { tables: vec![table], views: Vec::new() });
        compared(&POSTGRES, &live, &wanted).into_iter().map(|Drift { message, .. }| message).collect()
    }

    #[test]
    fn what_somebody_changed_is_told() {
        let unique =
            LiveIndex { name: "n".into(), columns: vec![Some("n".into())], unique: true, partial: false };
        assert_eq!(told(|_| {}), Vec::<String>::new());
        assert_eq!(told(|live| live.columns.truncate(2)), ["note.n is gone"]);
        assert_eq!(
            told(|live| live.columns.push(column("o", "text"))),
            ["note.o is a column that no file makes"]
        );
        assert_eq!(told(|live| live.columns[2].ty = "bigint".into()), ["note.n is bigint, not integer"]);
        assert_eq!(told(|live| live.columns[2].ty = "smallint".into()), Vec::<String>::new());
        assert_eq!(
            told(|live| live.columns[1].ty = "character varying(9)".into()),
            ["note.text is character varying(9), not character varying(20)"]
        );
        assert_eq!(told(|live| live.columns[0].nullable = true), ["note.id allows null"]);
        assert_eq!(told(|live| live.uniques.clear()), ["note (n) is no longer unique"]);
        assert_eq!(
            told(|live| {
                live.uniques.clear();
                live.indexes.push(unique.clone());
            }),
            Vec::<String>::new()
        );
        assert_eq!(told(|live| live.checks[0].text = "n > 1".into()).len(), 2);
        assert_eq!(told(|live| live.checks[0].name = None), Vec::<String>::new());
        assert_eq!(
            told(|live| live.name = "other".into()),
            ["note is gone", "other is a table that no file makes"]
        );
    }
}
