//! `backstay migrate plan|new|up|adopt|status|lint`.

use crate::Context;
use crate::command::lint;
use crate::output::{Colour, Exit};
use crate::project::Project;
use crate::wiring::{Database, Scratch};
use anyhow::Result;
use backstay_migrate::apply;
use backstay_migrate::change::Plan;
use backstay_migrate::diff::{Scope, diff};
use backstay_migrate::draft::{Draft, draft};
use backstay_migrate::file;
use clap::Subcommand;
use serde_json::json;

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
    },
    /// Apply pending files
    Up,
    /// Note pending files as applied without running them, in a database that is what they make already
    Adopt,
    /// What is applied and what is pending
    Status,
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
        Action::New { name } => new(context, &project, &files, name).await,
        Action::Up => up(context, &Database::open(&project)?, &files).await,
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

async fn up(context: &Context, database: &Database, files: &[file::MigrationFile]) -> Result<Exit> {
    let status = apply::status(&*database.engine, files).await?;
    let losing = status.pending.iter().find(|file| !file.losses(database.engine.name()).is_empty());
    if let (Some(file), false) = (losing, context.yes) {
        for statement in file.losses(database.engine.name()) {
            context.output.remark(&format!("{}: {statement}", file.name));
        }
        context.output.remark("this may lose data; to apply it anyway: backstay migrate up --yes");
        return Ok(Exit::NeedsConsent);
    }
    let done = apply::up(&*database.engine, files, &database.clock, context.yes, &database.node).await?;
    if context.output.json {
        context.output.value(&json!({ "applied": done }));
    } else if done.is_empty() {
        context.output.data("nothing to apply");
    } else {
        done.iter().for_each(|name| context.output.data(&format!("applied {name}")));
    }
    Ok(Exit::Ok)
}

/// What stands in the database beside what the schema wants.
async fn live(context: &Context, project: &Project) -> Result<Exit> {
    let catalog = project.check()?.catalog()?;
    let database = Database::open(project)?;
    let found = database.engine.introspect().await?;
    let plan = diff(&*database.engine, database.dialect, &catalog, &found, Scope::Project).await?;
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
    if context.output.json {
        let applied: Vec<serde_json::Value> = status
            .applied
            .iter()
            .map(|row| json!({ "number": row.number, "name": row.name, "applied_at": row.applied_at }))
            .collect();
        let pending: Vec<&str> = status.pending.iter().map(|file| file.name.as_str()).collect();
        context.output.value(&json!({ "applied": applied, "pending": pending, "problems": status.problems }));
    } else {
        for row in &status.applied {
            context.output.data(&format!("applied  {}  {}", row.name, row.applied_at));
        }
        for file in &status.pending {
            context.output.data(&format!("pending  {}", file.name));
        }
        for problem in &status.problems {
            context.output.remark(&format!("{} {problem}", context.output.paint(Colour::Red, "problem")));
        }
    }
    Ok(if status.problems.is_empty() { Exit::Ok } else { Exit::Problems })
}
