//! Applying: files that the journal does not have, in order, each with its journal row.

use crate::change::Plan;
use crate::diff::{Scope, diff};
use crate::drift::{self, Drift};
use crate::file::MigrationFile;
use crate::lease;
use crate::lease::Node;
use crate::view;
use backstay_base::clock::Clock;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_engine::Engine;
use backstay_engine::lease::Held;
use backstay_engine::live::Live;
use backstay_engine::migration::{Batch, JournalRow, Pace, SCRATCH_PREFIX, Way};
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value;
use backstay_sql::dialect::{Dialect, named};

/// How the problem ends that a file is gone.
const NOT_AMONG_THE_FILES: &str = "was applied but is not among the files";

/// How the problem ends that a file has too low a number.
const APPLIED_ALREADY: &str = "which is applied already";

/// What the name of a file ends with that nodes of the version before live with.
pub const EXPANDS: &str = "_expand.sql";

/// Where a database stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Applied, as the journal says.
    pub applied: Vec<JournalRow>,
    /// Files that are still to be applied.
    pub pending: Vec<MigrationFile>,
    /// Applied as the files that these stand for: their journal rows are to be exchanged.
    pub squashed: Vec<MigrationFile>,
    /// Those of the pending files of which a part is done already: what that changed is no drift.
    pub begun: Vec<MigrationFile>,
    /// What stands in the way: edited or missing files.
    pub problems: Vec<String>,
}

impl Status {
    /// Whether a newer version has made room for itself: the database has more than this one knows.
    #[must_use]
    pub fn is_expanded(&self, files: &[MigrationFile]) -> bool {
        let known = |row: &JournalRow| files.iter().any(|file| file.number == row.number);
        self.applied.iter().any(|row| row.name.ends_with(EXPANDS) && !known(row))
    }

    fn is_done(&self) -> bool {
        self.pending.is_empty() && self.squashed.is_empty() && self.problems.is_empty()
    }
}

/// Compares the files with the journal.
///
/// # Errors
/// When the database cannot be read.
pub async fn status(engine: &dyn Engine, files: &[MigrationFile]) -> Result<Status, Fault> {
    let applied = engine.journal().await?;
    let mut problems = Vec::new();
    let mut squashed: Vec<MigrationFile> = Vec::new();
    for file in files {
        match stands_for(file, &applied) {
            StandsFor::All => squashed.push(file.clone()),
            StandsFor::Some => problems.push(format!(
                "{} stands for files of which only some were applied; apply the others first, as they were",
                file.name
            )),
            StandsFor::None => {}
        }
    }
    let told: Vec<i64> =
        squashed.iter().flat_map(MigrationFile::squashes).map(|(number, _)| number).collect();
    for row in applied.iter().filter(|row| !told.contains(&row.number)) {
        match files.iter().find(|file| file.number == row.number) {
            // a newer version began: what it did so far leaves this one as it is
            None if files.iter().all(|file| file.number < row.number) && row.name.ends_with(EXPANDS) => {}
            None => problems.push(format!("{} {NOT_AMONG_THE_FILES}", row.name)),
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
        problems.push(format!("{} comes before {last:04}, {APPLIED_ALREADY}", file.name));
    }
    let unfinished = engine.unfinished().await?;
    let is_begun = |file: &&MigrationFile| {
        unfinished.iter().any(|one| one.way == Way::Forth && one.number == file.number)
    };
    let begun = pending.iter().filter(is_begun).cloned().collect();
    for one in unfinished.iter().filter(|one| one.way == Way::Back) {
        problems.push(format!(
            "migration {:04} stopped half-way back; backstay migrate down goes on there",
            one.number
        ));
    }
    Ok(Status { applied, pending, squashed, begun, problems })
}

/// How much of what a file stands for was applied.
enum StandsFor {
    None,
    Some,
    All,
}

fn stands_for(file: &MigrationFile, applied: &[JournalRow]) -> StandsFor {
    let squashes = file.squashes();
    let itself = |row: &&JournalRow| row.number == file.number && row.checksum == file.checksum;
    if squashes.is_empty() || applied.iter().any(|row| itself(&row)) {
        return StandsFor::None;
    }
    let is_applied = |(number, checksum): &&(i64, String)| {
        applied.iter().any(|row| row.number == *number && row.checksum == *checksum)
    };
    match squashes.iter().filter(is_applied).count() {
        0 => StandsFor::None,
        all if all == squashes.len() => StandsFor::All,
        _ => StandsFor::Some,
    }
}

/// How files are applied.
#[derive(Debug, Clone, Copy)]
pub struct Going {
    /// Whether what may lose data is applied.
    consent: bool,
    pace: Pace,
    contracts: Contracts,
}

impl Going {
    /// In parts, up to a file that waits. Without `consent` a file that may lose data stops it before anything is done.
    #[must_use]
    pub const fn with_consent(consent: bool) -> Self {
        Self { consent, pace: Pace::Parts, contracts: Contracts::Wait }
    }

    /// With files that take away what nodes of the version before need: none of these runs any more.
    #[must_use]
    pub const fn contracting(self) -> Self {
        Self { contracts: Contracts::Follow, ..self }
    }

    /// On a database that nobody else uses: where definitions are transactional each file is done as a whole, so
    /// that one that is refused leaves no trace.
    #[must_use]
    pub const fn whole(self) -> Self {
        Self { pace: Pace::Whole, ..self.contracting() }
    }
}

/// Whether files that contract are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contracts {
    /// Nodes of the version before may run, unless the database is new or has one process.
    Wait,
    Follow,
}

/// The pending files that are applied now: those up to one that waits.
#[must_use]
pub fn due<'f>(engine: &dyn Engine, status: &'f Status) -> &'f [MigrationFile] {
    let waits = engine.capabilities().many_nodes && !status.applied.is_empty();
    let first = status.pending.iter().position(|file| waits && !file.contracts().is_empty());
    status.pending.get(..first.unwrap_or(status.pending.len())).unwrap_or_default()
}

/// Applies the pending files, while no other node does.
///
/// # Errors
/// When files and journal disagree, when consent is missing, when another node does not end, and when a
/// statement fails: then that file left no trace where definitions are transactional, but for the parts of it
/// that were done before.
pub async fn up(
    engine: &dyn Engine,
    files: &[MigrationFile],
    clock: &Clock,
    way: Going,
    node: &Node,
) -> Result<Vec<String>, Fault> {
    let found = status(engine, files).await?;
    if found.is_done() || (way.waits_for_all(engine, &found)) {
        return Ok(Vec::new());
    }
    lease::alone(engine, node, async |held| up_alone(engine, files, clock, (way, held)).await).await
}

impl Going {
    /// Whether nothing is to be done before somebody says that no node of the version before runs.
    fn waits_for_all(self, engine: &dyn Engine, status: &Status) -> bool {
        let nothing = status.problems.is_empty() && status.squashed.is_empty();
        nothing && self.contracts == Contracts::Wait && due(engine, status).is_empty()
    }
}

async fn up_alone(
    engine: &dyn Engine,
    files: &[MigrationFile],
    clock: &Clock,
    (Going { consent, pace, contracts }, held): (Going, Held),
) -> Result<Vec<String>, Fault> {
    // another node may have applied some since
    let mut status = checked(engine, files).await?;
    if contracts == Contracts::Wait {
        status.pending = due(engine, &status).to_vec();
    }
    if !consent {
        refuse_losses(engine, &status.pending)?;
    }
    refuse_drift(engine, files, &status).await?;
    let mut done = Vec::new();
    for file in &status.squashed {
        let forget = file.squashes().into_iter().map(|(number, _)| number).collect();
        let journal = Some(journal_row(file, clock));
        let batch = Batch { journal, forget, lease: Some(held.clone()), ..Batch::plain(Vec::new()) };
        engine.migrate(&batch).await?;
    }
    for file in &status.pending {
        let journal = Some(journal_row(file, clock));
        let lease = Some(held.clone());
        let batch = Batch { journal, lease, pace, ..Batch::plain(file.statements(engine.name())) };
        engine.migrate(&batch).await.map_err(|fault| Fault {
            message: format!("{}: {}", file.name, shown(&fault.message)),
            ..fault
        })?;
        done.push(file.name.clone());
    }
    Ok(done)
}

/// A message as people read it: a table that is made anew has another name while its rows move.
pub(crate) fn shown(message: &str) -> String {
    message.replace(SCRATCH_PREFIX, "")
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
        view::check(dialect, catalog, &live)?;
        let mut done = Vec::new();
        for file in &status.pending {
            let journal = Some(journal_row(file, clock));
            let lease = Some(held.clone());
            let batch = Batch { journal, lease, ..Batch::plain(Vec::new()) };
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
        Some(problem) => Err(Fault::new(code::FILES_DIFFER, problem.clone()).with_hint(
            if problem.ends_with(NOT_AMONG_THE_FILES) {
                "put the file back; or name a database of this project in [store.default]"
            } else if problem.ends_with(APPLIED_ALREADY) {
                "give it a number behind that one: it was not tried on the tables before"
            } else {
                "restore the file as it was applied, and put the change into a new one"
            },
        )),
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

/// Pending files were written for tables as the files before them left these.
async fn refuse_drift(engine: &dyn Engine, files: &[MigrationFile], status: &Status) -> Result<(), Fault> {
    let Some(dialect) = named(engine.name()) else { return Ok(()) };
    let is_applied = |file: &MigrationFile| {
        let known = |row: &JournalRow| row.number == file.number;
        status.applied.iter().any(known) || status.squashed.iter().any(|other| other.number == file.number)
    };
    let applied: Vec<MigrationFile> = files.iter().filter(|file| is_applied(file)).cloned().collect();
    if status.pending.is_empty() || applied.is_empty() {
        return Ok(());
    }
    let drift = match drift::drift(engine, dialect, &applied).await {
        Ok(drift) => drift,
        Err(fault) => {
            // files written by hand may need what a rehearsal does not have
            tracing::warn!(
                code = fault.code.text,
                "what was changed beside the migration files cannot be told"
            );
            return Ok(());
        }
    };
    let drift = drift::beside(drift, &status.begun, engine.name());
    match drift::in_the_way(&drift, &status.pending, engine.name()).first() {
        None => Ok(()),
        Some(Drift { message, .. }) => Err(Fault::new(
            code::TRANSACTION_STATE,
            format!("the database is not as the migration files left it: {message}"),
        )
        .with_hint(
            "put it back; or write it into the schema, backstay migrate new, and backstay migrate adopt notes that it is there",
        )),
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
    let mut statements: Vec<String> = files.iter().flat_map(|file| file.statements(engine.name())).collect();
    let fault = match engine.rehearse(&statements).await {
        Ok(live) => return Ok(live),
        Err(fault) => fault,
    };
    // which file it was: the first with which it fails
    statements.clear();
    for file in files {
        let before = statements.len();
        statements.extend(file.statements(engine.name()));
        if let Err(fault) = engine.rehearse(&statements).await {
            let message = format!("{}: {}", file.name, shown(&numbered_from(&fault.message, before)));
            return Err(Fault { message, ..fault });
        }
    }
    Err(fault)
}

/// `statement 7 of the migration …` as a statement of the file that has so many before it.
fn numbered_from(message: &str, before: usize) -> String {
    let counted = message.strip_prefix("statement ").and_then(|rest| {
        let (number, rest) = rest.split_once(' ')?;
        Some(format!("statement {} {rest}", number.parse::<usize>().ok()?.checked_sub(before)?))
    });
    counted.unwrap_or_else(|| message.to_owned())
}
