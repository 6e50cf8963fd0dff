//! `backstay data copy`: all rows of one database into another, accounts among them.

use crate::Context;
use crate::output::{Colour, Exit};
use crate::project::Project;
use crate::store::Store;
use crate::wiring::Database;
use anyhow::{Context as _, Result, bail};
use backstay_base::clock::Clock;
use backstay_base::fault::Fault;
use backstay_base::ids::Ids;
use backstay_migrate::copy::{Copied, Copy, SCHEMA};
use backstay_migrate::diff::{Scope, diff};
use backstay_migrate::lease::Node;
use backstay_migrate::{apply, file, view};
use backstay_schema::catalog::Catalog;
use backstay_schema::compile::{Owner, SourceFile};
use clap::Subcommand;
use serde_json::json;
use std::sync::Arc;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Copy a database into another one, of whatever engines; nobody may write meanwhile
    Copy {
        /// URL of the database to read: sqlite:, postgres:// or mysql://
        #[arg(long)]
        from: String,
        /// URL of the database to fill; it is migrated first and must be empty
        #[arg(long)]
        to: String,
        /// Go on with a copy that broke off
        #[arg(long)]
        resume: bool,
    },
}

/// Runs it.
pub async fn run(context: &Context, action: &Action) -> Result<Exit> {
    let Action::Copy { from, to, resume } = action;
    if from == to {
        bail!("--from and --to name the same database");
    }
    let project = Project::open(&context.dir)?;
    let progress = SourceFile { name: "copy".to_owned(), text: SCHEMA.to_owned(), owner: Owner::System };
    let catalog = Arc::new(project.check_with(Some(progress))?.catalog()?);
    let limits = project.config.limits.limits();
    let open = |url: &str| Store::open(url, &project.folder, &limits);
    let from = open(from).context("--from cannot be opened")?;
    let to = open(to).context("--to cannot be opened")?;
    let clock = Clock::system();
    let ids = Ids::system(clock.clone());
    let node = Database::node(&ids, &limits);
    stands_at_schema(&from, &catalog).await.context("--from")?;
    prepare(&project, (&to, &node), &clock, &catalog).await.context("--to")?;
    let copy = Copy {
        from: &*from.engine,
        to: &*to.engine,
        dialect: to.dialect,
        catalog: &catalog,
        clock: &clock,
        ids: &ids,
    };
    let copied = copy.run(*resume).await?;
    show(context, &copied);
    Ok(Exit::Ok)
}

/// The target gets its tables: Backstay's own, and those that the migration files make.
async fn prepare(
    project: &Project,
    (to, node): (&Store, &Node),
    clock: &Clock,
    catalog: &Catalog,
) -> Result<()> {
    let engine = &*to.engine;
    let live = engine.introspect().await?;
    // where nothing is, nothing can be lost
    let empty = live.tables.iter().all(|table| table.name.starts_with("_backstay_"));
    apply::own_tables(engine, to.dialect, catalog, node).await?;
    apply::up(engine, &file::read(&project.migrations())?, clock, apply::Going::with_consent(empty), node)
        .await?;
    stands_at_schema(to, catalog).await
}

async fn stands_at_schema(store: &Store, catalog: &Catalog) -> Result<()> {
    let live = store.engine.introspect().await?;
    let plan = diff(&*store.engine, store.dialect, catalog, &live, Scope::Project).await?;
    let Some(change) = plan.changes.first() else {
        return Ok(view::check(store.dialect, catalog, &live)?);
    };
    let message = format!("the database differs from the schema: {}", change.summary);
    Err(Fault::new(backstay_base::code::COPY_DIFFERS, message)
        .with_hint("write what is missing with: backstay migrate new; and apply it there")
        .into())
}

fn show(context: &Context, copied: &[Copied]) {
    if context.output.json {
        let tables: Vec<serde_json::Value> = copied
            .iter()
            .map(|table| json!({ "table": table.table, "rows": table.rows, "checksum": table.checksum }))
            .collect();
        context.output.value(&json!({ "copied": tables }));
        return;
    }
    for table in copied {
        context.output.data(&format!("{:<32} {:>10} rows  {}", table.table, table.rows, table.checksum));
    }
    let rows: u64 = copied.iter().map(|table| table.rows).sum();
    let mark = context.output.paint(Colour::Green, "✔");
    context.output.data(&format!("{mark} {rows} rows of {} tables are equal on both sides", copied.len()));
}
