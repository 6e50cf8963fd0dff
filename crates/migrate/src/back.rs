//! Going back: what takes the last applied file back, where nothing is lost by that. What stood before is
//! what the files before it make when the engine rehearses them; that becomes a schema, as a live database
//! does that is imported, and the diff says the way. The way is rehearsed, too: it has to end where the
//! file began. Knows nothing of where the files lie.

mod origins;
mod values;

use self::origins::Origins;
use crate::apply;
use crate::change::Plan;
use crate::diff::{Scope, compare};
use crate::drift::{self, Drift, compared};
use crate::file::MigrationFile;
use crate::import::import;
use crate::lease::{self, Node};
use crate::types::Types;
use backstay_base::clock::Clock;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::ids::Ids;
use backstay_engine::Engine;
use backstay_engine::live::{Live, LiveColumn, LiveTable};
use backstay_engine::migration::{Batch, JournalRow, Pace, Way};
use backstay_schema::catalog::{Catalog, Valid};
use backstay_schema::compile::{Owner, Settings, SourceFile, compile};
use backstay_schema::scalar::ScalarType;
use backstay_sql::ddl;
use backstay_sql::ddl::column::Stored;
use backstay_sql::dialect::Dialect;
use backstay_sql::dialect::conversion::told_apart;
use std::collections::BTreeSet;

/// What the loss parts of a plan begin with that [`values`] looks at row by row.
const LOOKED_AT: &[&str] = &["the values of ", "all rows of "];

/// Where a file is taken back.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The database.
    pub engine: &'a dyn Engine,
    /// Its words.
    pub dialect: &'static Dialect,
    /// Who does it.
    pub node: &'a Node,
    /// For the queries that look for values.
    pub ids: &'a Ids,
    /// Their time.
    pub clock: &'a Clock,
}

/// Takes the last `steps` applied files back, the last one first, while no other node migrates. Those that
/// were taken back are pending again.
///
/// # Errors
/// With the step that cannot be taken back without loss, when the database is not as the files left it, when
/// another node does not end, and when a row breaks what held before. The files after that one are taken back
/// then, and `done` has their names.
pub async fn down(
    place: Place<'_>,
    files: &[MigrationFile],
    steps: usize,
    done: &mut Vec<String>,
) -> Result<(), Fault> {
    lease::alone(place.engine, place.node, async |held| {
        for _ in 0..steps {
            let Some(step) = prepared(place, files).await? else { return Ok(()) };
            let batch = Batch { lease: Some(held.clone()), ..step.batch };
            place.engine.migrate(&batch).await.map_err(|fault| Fault {
                message: format!("{}, on the way back: {}", step.name, apply::shown(&fault.message)),
                ..fault
            })?;
            done.push(step.name);
        }
        Ok(())
    })
    .await
}

/// A file that can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepBack {
    /// Its name.
    pub name: String,
    /// What takes it back.
    pub batch: Batch,
}

/// How the last applied file is taken back; none where none is applied.
///
/// # Errors
/// As [`down`].
pub async fn prepared(place: Place<'_>, files: &[MigrationFile]) -> Result<Option<StepBack>, Fault> {
    let Place { engine, dialect, .. } = place;
    let journal = engine.journal().await?;
    let Some(row) = journal.last() else { return Ok(None) };
    let unfinished = engine.unfinished().await?;
    let begun = unfinished.iter().any(|one| one.way == Way::Back && one.number == row.number);
    if let Some(stopped) = unfinished.iter().find(|one| one.way == Way::Forth) {
        let message = format!("migration {:04} stopped half-way when it was applied", stopped.number);
        return Err(Fault::new(code::TRANSACTION_STATE, message)
            .with_hint("mend the rest of it and let backstay migrate up end it first"));
    }
    let (before, file) = split(files, row)?;
    let applied: Vec<MigrationFile> = before.iter().chain([file]).cloned().collect();
    if !begun && let Some(drift) = drift::drift(engine, dialect, &applied).await?.first() {
        let message = format!("the database is not as the migration files left it: {}", drift.message);
        return Err(Fault::new(code::TRANSACTION_STATE, message).with_hint("put it back first"));
    }
    let way = way(engine, dialect, (before, file)).await?;
    if !begun {
        values::none_is_lost(place, file, &way).await?;
    }
    let batch = Batch {
        journal: Some(row.clone()),
        pace: Pace::Whole,
        way: Way::Back,
        ..Batch::plain(way.statements())
    };
    Ok(Some(StepBack { name: file.name.clone(), batch }))
}

/// The files before the one of a journal row, and that one.
fn split<'f>(
    files: &'f [MigrationFile],
    row: &JournalRow,
) -> Result<(&'f [MigrationFile], &'f MigrationFile), Fault> {
    let at = files.iter().position(|file| file.number == row.number);
    let found = at.and_then(|at| Some((files.get(..at)?, files.get(at)?)));
    match found {
        Some((before, file)) if file.checksum == row.checksum => Ok((before, file)),
        Some((_, file)) => {
            let message = format!("{} was edited after it was applied", file.name);
            Err(Fault::new(code::TRANSACTION_STATE, message).with_hint("restore it as it was applied"))
        }
        None => {
            let message = format!("{} was applied but is not among the files", row.name);
            Err(Fault::new(code::TRANSACTION_STATE, message).with_hint("it says what there is to take back"))
        }
    }
}

/// How a file is taken back.
struct WayBack {
    /// Ends what keeps two shapes of a table alike.
    ends: Vec<String>,
    plan: Plan,
    origins: Origins,
    /// What stood before.
    base: Live,
    /// What the file leaves.
    top: Live,
}

impl WayBack {
    fn statements(&self) -> Vec<String> {
        self.ends.iter().cloned().chain(self.plan.statements()).collect()
    }
}

fn cannot(file: &MigrationFile, why: &str) -> Fault {
    Fault::new(code::TRANSACTION_STATE, format!("{} cannot be taken back: {why}", file.name)).with_hint(
        "a copy from before it has what is lost: backstay backup list, then backstay backup restore",
    )
}

async fn way(
    engine: &dyn Engine,
    dialect: &'static Dialect,
    (before, file): (&[MigrationFile], &MigrationFile),
) -> Result<WayBack, Fault> {
    let mut statements: Vec<String> = before.iter().flat_map(|file| file.statements(engine.name())).collect();
    let types = Types::of_files(before);
    let base = types.with_kinds(&engine.rehearse(&statements).await?, dialect);
    let origins = Origins::of(&base, file, engine.name());
    if let Some(lost) = origins.lost.first() {
        return Err(cannot(file, lost));
    }
    statements.extend(file.statements(engine.name()));
    let left: Vec<MigrationFile> = before.iter().chain([file]).cloned().collect();
    let top = Types::of_files(&left).with_kinds(&engine.rehearse(&statements).await?, dialect);
    let touched = touched(&base, &top, &origins);
    let mut catalog = catalog(dialect, &base)
        .ok_or_else(|| cannot(file, "what stood before it cannot be said in the schema language"))?;
    name(&mut catalog, &base, &origins);
    let wanted: Vec<_> = catalog.tables.iter().filter(|table| Scope::Project.holds(table)).collect();
    let made = ddl::create_tables(&catalog, dialect, &wanted);
    let mut desired = types.with_kinds(&engine.rehearse(&made).await?, dialect);
    let (kept, desired_kept) = (silent(&base, &top), silent(&desired, &Live::default()));
    let own = |live: &Live, names: &BTreeSet<String>| Live {
        tables: live.tables.iter().filter(|table| names.contains(&table.name)).cloned().collect(),
        ..Live::default()
    };
    if let Some(unsaid) =
        differs(dialect, &own(&desired_kept, &touched.base), &own(&kept, &touched.base)).first()
    {
        return Err(cannot(
            file,
            &format!("what stood before it is more than a schema says: {}", unsaid.message),
        ));
    }
    wordless(&mut desired, &touched.base);
    // tables that the file leaves alone are as the catalog wants them
    let mut from = silent(&top, &base);
    from.tables.retain(|table| touched.top.contains(&table.name));
    from.tables.extend(desired.tables.iter().filter(|table| !touched.base.contains(&table.name)).cloned());
    let plan = compare(dialect, &catalog, (&from, &desired), Scope::Project);
    if let Some(lost) =
        plan.changes.iter().filter_map(|change| change.loses.as_deref()).find(|lost| !is_looked_at(lost))
    {
        return Err(cannot(file, &format!("going back loses {lost}")));
    }
    let ends = origins.triggers.iter();
    let ends: Vec<String> =
        ends.flat_map(|(table, name)| ddl::expand::drop_trigger(dialect, (table, name))).collect();
    statements.extend(ends.iter().cloned().chain(plan.statements()));
    let there = engine.rehearse(&statements).await.map_err(|fault| {
        let why = format!("the way back does not end where it began: {}", fault.message);
        cannot(file, &why).with_source(fault)
    })?;
    if let Some(differs) = differs(dialect, &there, &base).first() {
        return Err(cannot(file, &format!("the way back does not end where it began: {}", differs.message)));
    }
    Ok(WayBack { ends, plan, origins, base, top })
}

/// Whether all that a step loses are values of which it is asked whether there are any.
fn is_looked_at(lost: &str) -> bool {
    lost.split(" and ").all(|part| LOOKED_AT.iter().any(|known| part.starts_with(known)))
}

/// Tables that the file changes, by their names before it and after it.
struct Touched {
    base: BTreeSet<String>,
    top: BTreeSet<String>,
}

fn touched(base: &Live, top: &Live, origins: &Origins) -> Touched {
    let find = |live: &'_ Live, name: &str| live.tables.iter().find(|table| table.name == name).cloned();
    let mut touched = Touched { base: BTreeSet::new(), top: BTreeSet::new() };
    for table in &top.tables {
        let was = origins.tables.get(&table.name);
        let known = was.and_then(|was| was.name.as_deref());
        let moved = was.is_some_and(|was| {
            was.columns
                .iter()
                .any(|(name, origin)| origin.name.as_ref() != Some(name) || !origin.members.is_empty())
        });
        let stands = find(base, &table.name);
        if moved || known != Some(&table.name) || !stands.is_some_and(|stands| is_same(&stands, table)) {
            touched.top.insert(table.name.clone());
            touched.base.extend(known.map(str::to_owned));
        }
    }
    let left = base.tables.iter().filter(|table| find(top, &table.name).is_none());
    touched.base.extend(left.map(|table| table.name.clone()));
    touched
}

/// Whether two tables are the same, and what their columns are as far as the files say it of both.
fn is_same(base: &LiveTable, top: &LiveTable) -> bool {
    let mut top = top.clone();
    for (column, before) in top.columns.iter_mut().zip(&base.columns) {
        if column.kind.map(told_apart) == before.kind.map(told_apart) || before.kind.is_none() {
            column.kind = before.kind;
        }
    }
    *base == top
}

/// A database without what no schema says and the other one has as well: it stays where it is.
fn silent(live: &Live, other: &Live) -> Live {
    let mut live = live.clone();
    for table in &mut live.tables {
        let same = |known: &&LiveTable| known.name == table.name;
        let Some(other) = other.tables.iter().find(same) else { continue };
        table.indexes.retain(|index| !(index.partial && other.indexes.contains(index)));
        table.columns.retain(|column| !(column.generated && other.columns.contains(column)));
    }
    live
}

/// Words that the file brought go: a schema without any leaves those of others alone.
fn wordless(desired: &mut Live, touched: &BTreeSet<String>) {
    for table in desired.tables.iter_mut().filter(|table| touched.contains(&table.name)) {
        table.comment.get_or_insert_default();
        for column in &mut table.columns {
            column.comment.get_or_insert_default();
        }
    }
}

/// What differs, and indexes of a part of the rows with it, which are no drift.
fn differs(dialect: &'static Dialect, live: &Live, wanted: &Live) -> Vec<Drift> {
    let mut found = compared(dialect, live, wanted);
    for table in &wanted.tables {
        let Some(stands) = live.tables.iter().find(|stands| stands.name == table.name) else { continue };
        for (from, to, what) in [(table, stands, "is gone"), (stands, table, "was not there")] {
            let alone = from.indexes.iter().filter(|index| index.partial && !to.indexes.contains(index));
            found.extend(alone.map(|index| Drift {
                table: table.name.clone(),
                message: format!("the index {} of {} {what}", index.name, table.name),
            }));
        }
    }
    found
}

/// What stands, as a schema.
fn catalog(dialect: &'static Dialect, live: &Live) -> Option<Catalog> {
    if live.tables.iter().all(|table| !Scope::Project.holds_name(&table.name)) {
        return Some(Catalog::default());
    }
    let text = import(dialect, &Live { views: Vec::new(), ..live.clone() });
    let file = SourceFile { name: "schema.graphql".into(), text, owner: Owner::Project };
    let mut catalog = compile(&[file], &Settings::default()).ok()?.catalog;
    for index in 0..catalog.tables.len() {
        unbounded(&mut catalog, index, live);
    }
    for table in &mut catalog.tables {
        let Some(stands) = live.tables.iter().find(|stands| stands.name == table.name) else { continue };
        for column in &mut table.columns {
            let known = stands.columns.iter().find(|known| known.name == column.name);
            column.ty = known.and_then(|known| kind(dialect, known, column.ty)).unwrap_or(column.ty);
        }
    }
    Some(catalog)
}

/// What a column is of which the database knows only how it is stored.
fn kind(dialect: &'static Dialect, live: &LiveColumn, read: ScalarType) -> Option<ScalarType> {
    let words = |ty| Stored { ty, length: None, counted: false }.words(dialect);
    let is_plain = matches!(read, ScalarType::String | ScalarType::BigInt | ScalarType::Json);
    live.kind.filter(|kind| is_plain && !matches!(kind, ScalarType::Enum(_)) && words(*kind) == words(read))
}

/// The length that a text has in an index is no length that the schema asks for, unless a check does.
fn unbounded(catalog: &mut Catalog, index: usize, live: &Live) {
    let Some(table) = catalog.tables.get_mut(index) else { return };
    let Some(stands) = live.tables.iter().find(|stands| stands.name == table.name) else { return };
    let checked = |name: &str| stands.checks.iter().any(|check| check.name.as_deref() == Some(name));
    let names: Vec<String> =
        table.columns.iter().map(|column| ddl::check::column_check_name(table, column)).collect();
    for (column, name) in table.columns.iter_mut().zip(names) {
        if matches!(column.valid.as_slice(), [Valid::MaxLength(_)]) && !checked(&name) {
            column.valid.clear();
        }
    }
}

/// The names that things have now are their earlier ones on the way back.
fn name(catalog: &mut Catalog, base: &Live, origins: &Origins) {
    for (now, origin) in &origins.tables {
        let Some(was) = &origin.name else { continue };
        let Some(table) = catalog.tables.iter_mut().find(|table| table.name == *was) else { continue };
        table.was = (now != was).then(|| now.clone());
        for (now, origin) in &origin.columns {
            let Some(was) = &origin.name else { continue };
            let Some(column) = table.columns.iter_mut().find(|column| column.name == *was) else { continue };
            column.was = (now != was).then(|| now.clone());
            let ScalarType::Enum(id) = column.ty else { continue };
            let stood = |member: &str| {
                let table = base.tables.iter().find(|live| live.name == table.name);
                table.is_some_and(|live| {
                    live.checks.iter().any(|check| check.text.contains(&format!("'{member}'")))
                })
            };
            let Some(of) = catalog.enums.iter_mut().find(|known| known.id == id) else { continue };
            for (before, after) in origin.members.iter().filter(|(_, after)| !stood(after)) {
                if let Some(member) = of.members.iter_mut().find(|member| member.name == *before) {
                    member.was = Some(after.clone());
                }
            }
        }
    }
}
