//! Applying: files that the journal does not have, in order, each with its journal row.

use crate::change::Plan;
use crate::diff::{Scope, diff};
use crate::file::MigrationFile;
use crate::lease;
use crate::lease::Node;
use crate::rebuild::SCRATCH;
use backstay_base::clock::Clock;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_engine::Engine;
use backstay_engine::lease::Held;
use backstay_engine::live::Live;
use backstay_engine::migration::{Batch, JournalRow, Pace};
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value;
use backstay_sql::dialect::Dialect;

/// Where a database stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Applied, as the journal says.
    pub applied: Vec<JournalRow>,
    /// Files that are still to be applied.
    pub pending: Vec<MigrationFile>,
    /// What stands in the way: edited or missing files.
    pub problems: Vec<String>,
}

/// Compares the files with the journal.
///
/// # Errors
/// When the database cannot be read.
pub async fn status(engine: &dyn Engine, files: &[MigrationFile]) -> Result<Status, Fault> {
    let applied = engine.journal().await?;
    let mut problems = Vec::new();
    for row in &applied {
        match files.iter().find(|file| file.number == row.number) {
            None => problems.push(format!("{} was applied but is not among the files", row.name)),
            Some(file) if file.checksum != row.checksum => {
                problems.push(format!("{} was edited after it was applied", file.name));
            }
            Some(_) => {}
        }
    }
    let last = applied.last().map_or(0, |row| row.number);
    let is_applied = |file: &MigrationFile| applied.iter().any(|row| row.number == file.number);
    let pending: Vec<MigrationFile> = files.iter().filter(|file| !is_applied(file)).cloned().collect();
    for file in pending.iter().filter(|file| file.number < last) {
        problems.push(format!("{} comes before {last:04}, which is applied already", file.name));
    }
    Ok(Status { applied, pending, problems })
}

/// Applies the pending files, while no other node does. Without `consent` a file that may lose data stops
/// it before anything is done.
///
/// # Errors
/// When files and journal disagree, when consent is missing, when another node does not end, and when a
/// statement fails: then that file left no trace where definitions are transactional.
pub async fn up(
    engine: &dyn Engine,
    files: &[MigrationFile],
    clock: &Clock,
    consent: bool,
    node: &Node,
) -> Result<Vec<String>, Fault> {
    let before = status(engine, files).await?;
    if before.pending.is_empty() && before.problems.is_empty() {
        return Ok(Vec::new());
    }
    let pace = Pace::Parts;
    lease::alone(engine, node, async |held| up_alone(engine, files, clock, (consent, pace, held)).await).await
}

/// The same for a database that nobody else uses: where definitions are transactional each file is done as a
/// whole, so that one that is refused leaves no trace.
///
/// # Errors
/// As [`up`].
pub async fn up_whole(
    engine: &dyn Engine,
    files: &[MigrationFile],
    clock: &Clock,
    consent: bool,
    node: &Node,
) -> Result<Vec<String>, Fault> {
    let before = status(engine, files).await?;
    if before.pending.is_empty() && before.problems.is_empty() {
        return Ok(Vec::new());
    }
    let pace = Pace::Whole;
    lease::alone(engine, node, async |held| up_alone(engine, files, clock, (consent, pace, held)).await).await
}

async fn up_alone(
    engine: &dyn Engine,
    files: &[MigrationFile],
    clock: &Clock,
    (consent, pace, held): (bool, Pace, Held),
) -> Result<Vec<String>, Fault> {
    // another node may have applied some since
    let status = checked(engine, files).await?;
    if !consent {
        refuse_losses(engine, &status.pending)?;
    }
    let mut done = Vec::new();
    for file in &status.pending {
        let statements = file.statements(engine.name());
        let journal = Some(journal_row(file, clock));
        let batch = Batch { statements, journal, lease: Some(held.clone()), pace };
        engine.migrate(&batch).await.map_err(|fault| Fault {
            // a table that is made anew has another name while its rows move
            message: format!("{}: {}", file.name, fault.message.replace(SCRATCH, "")),
            ..fault
        })?;
        done.push(file.name.clone());
    }
    Ok(done)
}

/// Notes pending files as applied without running them: the database is what they make already, because
/// it was there before them.
///
/// # Errors
/// When files and journal disagree, when the database differs from the catalog, and when another node
/// does not end.
pub async fn adopt(
    engine: &dyn Engine,
    dialect: &'static Dialect,
    catalog: &Catalog,
    files: &[MigrationFile],
    (clock, node): (&Clock, &Node),
) -> Result<Vec<String>, Fault> {
    lease::alone(engine, node, async |held| {
        let status = checked(engine, files).await?;
        let live = engine.introspect().await?;
        let plan = diff(engine, dialect, catalog, &live, Scope::Project).await?;
        if let Some(change) = plan.needed().next() {
            let message = format!("the database differs from the schema: {}", change.summary);
            return Err(Fault::new(code::SYNTAX_ERROR, message).with_hint(
                "change the schema until `backstay schema import` of this database says the same",
            ));
        }
        let mut done = Vec::new();
        for file in &status.pending {
            let journal = Some(journal_row(file, clock));
            let lease = Some(held.clone());
            let batch = Batch { statements: Vec::new(), journal, lease, pace: Pace::Whole };
            engine.migrate(&batch).await?;
            done.push(file.name.clone());
        }
        Ok(done)
    })
    .await
}

/// Where a database stands, unless something stands in the way.
async fn checked(engine: &dyn Engine, files: &[MigrationFile]) -> Result<Status, Fault> {
    let status = status(engine, files).await?;
    match status.problems.first() {
        Some(problem) => Err(Fault::new(code::INTERNAL, problem.clone())
            .with_hint("restore the file as it was applied, and put the change into a new one")),
        None => Ok(status),
    }
}

fn journal_row(file: &MigrationFile, clock: &Clock) -> JournalRow {
    JournalRow {
        number: file.number,
        name: file.name.clone(),
        checksum: file.checksum.clone(),
        applied_at: Value::Timestamp(clock.now_micros()).to_text(),
    }
}

fn refuse_losses(engine: &dyn Engine, pending: &[MigrationFile]) -> Result<(), Fault> {
    for file in pending {
        if let Some(statement) = file.losses(engine.name()).first() {
            return Err(Fault::new(code::DENIED, format!("{} may lose data: {statement}", file.name))
                .with_hint("look at the file, then run: backstay migrate up --yes"));
        }
    }
    Ok(())
}

/// Brings Backstay's own tables to what this binary needs.
///
/// # Errors
/// When the database refuses, another node does not end, or the database was made by a newer binary whose
/// tables this one would shrink.
pub async fn own_tables(
    engine: &dyn Engine,
    dialect: &'static Dialect,
    catalog: &Catalog,
    node: &Node,
) -> Result<(), Fault> {
    if own_plan(engine, dialect, catalog).await?.is_empty() {
        return Ok(());
    }
    lease::alone(engine, node, async |held| {
        // another node may have made them since
        let statements = own_plan(engine, dialect, catalog).await?.statements();
        if statements.is_empty() {
            return Ok(());
        }
        engine.migrate(&Batch { lease: Some(held), ..Batch::plain(statements) }).await
    })
    .await
}

async fn own_plan(engine: &dyn Engine, dialect: &'static Dialect, catalog: &Catalog) -> Result<Plan, Fault> {
    let live = engine.introspect().await?;
    let plan = diff(engine, dialect, catalog, &live, Scope::System).await?;
    if let Some(change) = plan.changes.iter().find(|change| change.loses.is_some()) {
        return Err(Fault::new(
            code::INTERNAL,
            format!("the database was used by a newer backstay: {} would be lost", change.summary),
        ));
    }
    Ok(plan)
}

/// What a database looks like that ran all `files`; nothing of it is kept.
///
/// # Errors
/// When a statement fails.
pub async fn rehearsed(engine: &dyn Engine, files: &[MigrationFile]) -> Result<Live, Fault> {
    let statements: Vec<String> = files.iter().flat_map(|file| file.statements(engine.name())).collect();
    engine.rehearse(&statements).await
}
