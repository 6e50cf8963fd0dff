//! `backstay migrate plan|new|up|adopt|status|squash|push|lint`.

use crate::Context;
use crate::command::lint;
use crate::output::{Colour, Exit};
use crate::project::Project;
use crate::shipping;
use crate::store::{self, Store};
use crate::wiring::{Database, Scratch};
use anyhow::{Context as _, Result};
use backstay_backup::snapshot;
use backstay_base::clock::Clock;
use backstay_base::ids::Ids;
use backstay_engine::Engine;
use backstay_migrate::apply;
use backstay_migrate::back;
use backstay_migrate::change::Plan;
use backstay_migrate::diff::{Scope, diff};
use backstay_migrate::draft::{Draft, draft};
use backstay_migrate::drift::{self, Drift};
use backstay_migrate::expand::{self, Expansion};
use backstay_migrate::file;
use backstay_migrate::lease::Node;
use backstay_migrate::view;
use clap::Subcommand;
use serde_json::json;
use std::sync::Arc;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// What would change, without writing anything
    Plan {
        /// What the database itself lacks, whatever the files say
        #[arg(long)]
        live: bool,
    },
    /// Write the next migration file
    New {
        /// What the file is called
        #[arg(default_value = "change")]
        name: String,
        /// Two files: nodes of the version before live with the first one
        #[arg(long)]
        expand: bool,
    },
    /// Apply pending files
    Up {
        /// Those, too, that take away what nodes of the version before need: none of these runs any more
        #[arg(long)]
        contract: bool,
    },
    /// Take the last applied file back, where nothing is lost by that
    Down {
        /// How many files
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
        steps: u16,
    },
    /// Note pending files as applied without running them, in a database that is what they make already
    Adopt,
    /// What is applied and what is pending, and what somebody changed in the database beside the files
    Status,
    /// Put one file in the place of all; databases that ran them take it for them
    Squash,
    /// Apply the files to another database
    Push {
        /// Its URL: sqlite:, postgres:// or mysql://
        #[arg(long)]
        to: String,
    },
    /// What files do to rows, to clients, and to those who use the database while they run
    Lint(lint::Args),
}

/// Runs it.
pub async fn run(context: &Context, action: &Action) -> Result<Exit> {
    let project = Project::open(&context.dir)?;
    let files = file::read(&project.migrations())?;
    match action {
        Action::Plan { live: true } => live(context, &project).await,
        Action::Plan { live: false } => {
            let draft = drafted(&project, &files).await?;
            show(context, draft.plan(project.engine()));
            Ok(Exit::Ok)
        }
        Action::New { name, expand: false } => new(context, &project, &files, name).await,
        Action::New { name, expand: true } => expand_new(context, &project, &files, name).await,
        Action::Up { contract } => {
            let kept = Kept { project: &project };
            up(context, &Target::of(&Database::open(&project)?), &files, (*contract, Some(&kept))).await
        }
        Action::Down { steps } => {
            down(context, &Database::open(&project)?, &files, usize::from(*steps)).await
        }
        Action::Squash => squash(context, &project, &files).await,
        Action::Push { to } => push(context, &project, &files, to).await,
        Action::Adopt => adopt(context, &project, &files).await,
        Action::Status => status(context, &Database::open(&project)?, &files).await,
        Action::Lint(args) => lint::run(context, &project, &files, args),
    }
}

async fn new(
    context: &Context,
    project: &Project,
    files: &[file::MigrationFile],
    name: &str,
) -> Result<Exit> {
    let draft = drafted(project, files).await?;
    if draft.is_empty() {
        context.output.remark("nothing to write: the migration files already make this schema");
        return Ok(Exit::Ok);
    }
    if draft.is_destructive() && !context.yes {
        show(context, draft.plan(project.engine()));
        context.output.remark("this may lose data; to write it anyway: backstay migrate new --yes");
        return Ok(Exit::NeedsConsent);
    }
    let title = if files.is_empty() && name == "change" { "init" } else { name };
    let written = file::write(&project.migrations(), title, &draft)?;
    if context.output.json {
        context.output.value(&json!({ "file": written.name }));
    } else {
        let wrote = context.output.paint(Colour::Green, "wrote");
        context.output.data(&format!("{wrote} migrations/{}", written.name));
    }
    Ok(Exit::Ok)
}

/// Writes two files where nodes of the version before go on, else one.
async fn expand_new(
    context: &Context,
    project: &Project,
    files: &[file::MigrationFile],
    name: &str,
) -> Result<Exit> {
    let catalog = project.check()?.catalog()?;
    let scratch = Scratch::open(project)?;
    let Expansion { expand, contract } = expand::draft(&*scratch.engine, &catalog, files).await?;
    if contract.is_empty() {
        return new(context, project, files, name).await;
    }
    if contract.is_destructive() && !context.yes {
        show(context, contract.plan(project.engine()));
        context.output.remark("this may lose data; to write it anyway: backstay migrate new --expand --yes");
        return Ok(Exit::NeedsConsent);
    }
    let first = file::write(&project.migrations(), &format!("{name}_expand"), &expand)?;
    let second = file::write(&project.migrations(), &format!("{name}_contract"), &contract)?;
    if context.output.json {
        context.output.value(&json!({ "files": [first.name, second.name] }));
    } else {
        let wrote = context.output.paint(Colour::Green, "wrote");
        context.output.data(&format!("{wrote} migrations/{}", first.name));
        context.output.data(&format!("{wrote} migrations/{}", second.name));
        context.output.remark("the second one waits for: backstay migrate up --contract");
    }
    Ok(Exit::Ok)
}

/// A database that files are applied to.
struct Target {
    engine: Arc<dyn Engine>,
    clock: Clock,
    node: Node,
}

impl Target {
    fn of(database: &Database) -> Self {
        let Database { engine, clock, node, .. } = database;
        Self { engine: Arc::clone(engine), clock: clock.clone(), node: node.clone() }
    }
}

/// A project whose database is copied before a file loses something of it.
struct Kept<'p> {
    project: &'p Project,
}

impl Kept<'_> {
    /// Copies a SQLite store to the place where backups go, where there is one.
    async fn copy(&self, context: &Context, target: &Target) -> Result<()> {
        let config = &self.project.config;
        let Some(file) = store::file_of(&config.store.default.url, &self.project.folder) else {
            return Ok(());
        };
        if config.backup.url.is_none() {
            return Ok(());
        }
        let place = shipping::target(self.project)?;
        let made = snapshot::create(&place, &file, target.clock.now_micros())
            .await
            .context("the copy before what may be lost failed; nothing was applied")?;
        context.output.remark(&format!(
            "copied first: {}; back to it: backstay backup restore {} --to FILE",
            made.id, made.id
        ));
        Ok(())
    }
}

async fn push(context: &Context, project: &Project, files: &[file::MigrationFile], to: &str) -> Result<Exit> {
    let limits = project.config.limits.limits();
    let clock = Clock::system();
    let node = Database::node(&Ids::system(clock.clone()), &limits);
    let store = Store::open(to, &project.folder, &limits).context("--to cannot be opened")?;
    let draft = drafted(project, files).await?;
    if !draft.is_empty() {
        context.output.remark("the schema needs more than the files say: backstay migrate new");
        return Ok(Exit::Problems);
    }
    up(context, &Target { engine: store.engine, clock, node }, files, (false, None)).await
}

async fn squash(context: &Context, project: &Project, files: &[file::MigrationFile]) -> Result<Exit> {
    if files.len() < 2 {
        context.output.remark("nothing to squash: there are not two files");
        return Ok(Exit::Ok);
    }
    let by_hand = backstay_migrate::squash::by_hand(files);
    if !by_hand.is_empty() {
        by_hand.iter().for_each(|statement| context.output.remark(statement));
        context.output.remark("the schema does not make these again; squash knows what it makes alone");
        return Ok(Exit::Problems);
    }
    if !drafted(project, files).await?.is_empty() {
        context.output.remark("the schema needs more than the files say: backstay migrate new");
        return Ok(Exit::Problems);
    }
    let whole = drafted(project, &[]).await?;
    let written = file::squash(&project.migrations(), files, &whole)?;
    if context.output.json {
        context.output.value(&json!({ "file": written.name }));
    } else {
        let wrote = context.output.paint(Colour::Green, "wrote");
        let count = files.len();
        context.output.data(&format!("{wrote} migrations/{} in the place of {count} files", written.name));
    }
    Ok(Exit::Ok)
}

async fn up(
    context: &Context,
    database: &Target,
    files: &[file::MigrationFile],
    (contract, kept): (bool, Option<&Kept<'_>>),
) -> Result<Exit> {
    let status = apply::status(&*database.engine, files).await?;
    let due = if contract { &status.pending } else { apply::due(&*database.engine, &status) };
    let losing = due.iter().find(|file| !file.losses(database.engine.name()).is_empty());
    if let (Some(file), false) = (losing, context.yes) {
        for statement in file.losses(database.engine.name()) {
            context.output.remark(&format!("{}: {statement}", file.name));
        }
        context.output.remark("this may lose data; to apply it anyway: backstay migrate up --yes");
        return Ok(Exit::NeedsConsent);
    }
    if let (Some(_), Some(kept)) = (losing, kept) {
        kept.copy(context, database).await?;
    }
    let Target { engine, clock, node } = database;
    let going = apply::Going::with_consent(context.yes);
    let going = if contract { going.contracting() } else { going };
    let done = apply::up(&**engine, files, clock, going, node).await?;
    if context.output.json {
        context.output.value(&json!({ "applied": done }));
    } else if done.is_empty() {
        context.output.data("nothing to apply");
    } else {
        done.iter().for_each(|name| context.output.data(&format!("applied {name}")));
    }
    if due.len() < status.pending.len() {
        context.output.remark(WAITS);
    }
    Ok(Exit::Ok)
}

/// What is said where a file stopped half-way.
const BEGUN: &str =
    "of a file that is begun some statements are done; mend what stopped it, then: backstay migrate up";

/// What is said where a file is left.
const WAITS: &str =
    "a file waits until no node of the version before runs; then: backstay migrate up --contract";

async fn down(
    context: &Context,
    database: &Database,
    files: &[file::MigrationFile],
    steps: usize,
) -> Result<Exit> {
    let Database { engine, dialect, clock, ids, node, .. } = database;
    let place = back::Place { engine: &**engine, dialect, node, ids, clock };
    let mut done = Vec::new();
    let outcome = back::down(place, files, steps, &mut done).await;
    if context.output.json {
        context.output.value(&json!({ "taken_back": done }));
    } else if done.is_empty() && outcome.is_ok() {
        context.output.data("nothing is applied");
    } else {
        done.iter().for_each(|name| context.output.data(&format!("took {name} back")));
    }
    outcome?;
    if !done.is_empty() {
        context
            .output
            .remark("pending again: backstay migrate up, serve and dev apply what is among the files");
    }
    Ok(Exit::Ok)
}

/// What stands in the database beside what the schema wants.
async fn live(context: &Context, project: &Project) -> Result<Exit> {
    let catalog = project.check()?.catalog()?;
    let database = Database::open(project)?;
    let found = database.engine.introspect().await?;
    let plan = diff(&*database.engine, database.dialect, &catalog, &found, Scope::Project).await?;
    for lacking in view::lacking(database.dialect, &catalog, &found) {
        context.output.remark(&lacking);
    }
    if plan.is_empty() && !context.output.json {
        context.output.data("nothing to do: the database is what the schema says");
    } else {
        show(context, Some(&plan));
    }
    Ok(Exit::Ok)
}

async fn adopt(context: &Context, project: &Project, files: &[file::MigrationFile]) -> Result<Exit> {
    let catalog = project.check()?.catalog()?;
    let database = Database::open(project)?;
    let at = (&database.clock, &database.node);
    let done = apply::adopt(&*database.engine, database.dialect, &catalog, files, at).await?;
    if context.output.json {
        context.output.value(&json!({ "adopted": done }));
    } else if done.is_empty() {
        context.output.data("nothing to adopt");
    } else {
        done.iter().for_each(|name| context.output.data(&format!("adopted {name}")));
    }
    Ok(Exit::Ok)
}

/// What the schema needs beyond the files.
pub(super) async fn drafted(project: &Project, files: &[file::MigrationFile]) -> Result<Draft> {
    let catalog = project.check()?.catalog()?;
    let scratch = Scratch::open(project)?;
    Ok(draft(&*scratch.engine, &catalog, files).await?)
}

fn show(context: &Context, plan: Option<&Plan>) {
    let nothing = Plan::default();
    let plan = plan.unwrap_or(&nothing);
    if context.output.json {
        let changes: Vec<serde_json::Value> = plan
            .changes
            .iter()
            .map(|change| json!({ "summary": change.summary, "loses": change.loses, "statements": change.statements }))
            .collect();
        context.output.value(&json!({ "changes": changes }));
        return;
    }
    if plan.is_empty() {
        context.output.data("nothing to do: the migration files already make this schema");
    }
    for change in &plan.changes {
        let colour = if change.loses.is_some() { Colour::Red } else { Colour::Green };
        context.output.data(&context.output.paint(colour, &change.summary));
        if let Some(loses) = &change.loses {
            context.output.data(&format!("  loses {loses}"));
        }
        for statement in &change.statements {
            context.output.data(&format!("{statement};"));
        }
    }
}

async fn status(context: &Context, database: &Database, files: &[file::MigrationFile]) -> Result<Exit> {
    let status = apply::status(&*database.engine, files).await?;
    let is_pending =
        |file: &file::MigrationFile| status.pending.iter().any(|other| other.number == file.number);
    let applied: Vec<file::MigrationFile> = files.iter().filter(|file| !is_pending(file)).cloned().collect();
    let mut drift: Vec<Drift> = Vec::new();
    if status.problems.is_empty() && !applied.is_empty() {
        match drift::drift(&*database.engine, database.dialect, &applied).await {
            Ok(found) => drift = drift::beside(found, &status.begun, database.engine.name()),
            Err(fault) => {
                let message = &fault.message;
                context
                    .output
                    .remark(&format!("what was changed beside the files cannot be told: {message}"));
            }
        }
    }
    let drifted: &Vec<String> = &drift.into_iter().map(|drift| drift.message).collect();
    let problems = &status.problems;
    if context.output.json {
        let applied: Vec<serde_json::Value> = status
            .applied
            .iter()
            .map(|row| json!({ "number": row.number, "name": row.name, "applied_at": row.applied_at }))
            .collect();
        let names = |files: &[file::MigrationFile]| -> Vec<String> {
            files.iter().map(|file| file.name.clone()).collect()
        };
        let (pending, begun) = (names(&status.pending), names(&status.begun));
        context.output.value(&json!({
            "applied": applied, "pending": pending, "begun": begun, "problems": problems, "drift": drifted,
        }));
    } else {
        for row in &status.applied {
            context.output.data(&format!("applied  {}  {}", row.name, row.applied_at));
        }
        for file in &status.squashed {
            context.output.data(&format!("squashed {}", file.name));
        }
        let due = apply::due(&*database.engine, &status).len();
        for (place, file) in status.pending.iter().enumerate() {
            let begun = status.begun.iter().any(|begun| begun.number == file.number);
            let word = match place < due {
                _ if begun => "begun   ",
                true => "pending ",
                false => "waiting ",
            };
            context.output.data(&format!("{word} {}", file.name));
        }
        if !status.begun.is_empty() {
            context.output.remark(BEGUN);
        }
        for (word, lines) in [("problem", problems), ("drift", drifted)] {
            for line in lines {
                context.output.remark(&format!("{} {line}", context.output.paint(Colour::Red, word)));
            }
        }
    }
    Ok(if problems.is_empty() && drifted.is_empty() { Exit::Ok } else { Exit::Problems })
}
