//! `backstay serve`: production. Applies pending migrations that keep everything;
//! refuses those that may lose data, and a schema that the database does not match.

use crate::Context;
use crate::output::{Colour, Exit};
use crate::project::Project;
use crate::wiring::{Database, stopped};
use anyhow::{Context as _, Result, bail};
use backstay_migrate::diff::{Scope, diff};
use backstay_migrate::{apply, file};
use backstay_server::listen::listen;
use backstay_server::request_log::RequestLog;
use serde_json::json;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Where to listen.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address and port, over `[server] listen`
    #[arg(long)]
    listen: Option<String>,
}

/// Serves until stopped.
pub async fn run(context: &Context, args: &Args) -> Result<Exit> {
    let began = std::time::Instant::now();
    let project = Project::open(&context.dir)?;
    let catalog = Arc::new(project.check()?.catalog()?);
    let address = args.listen.as_deref().unwrap_or(&project.config.server.listen);
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let url = format!("http://{}", listener.local_addr()?);
    let database = Database::open(&project)?;
    let auth = database.auth(&project.config, &url);
    database.prepare(&auth, &catalog).await?;
    migrate(context, &project, &database, &catalog).await?;
    auth.start().await?;
    let app = database.app(&project.config, auth, RequestLog::default());
    app.load(catalog);
    let stop = stopped()?;
    if context.output.json {
        context.output.value(&json!({ "event": "ready", "url": url, "ms": millis(began) }));
    } else {
        let ready = context.output.paint(Colour::Green, "ready");
        context.output.data(&format!(
            "backstay {}  {ready} in {} ms  {url}",
            env!("CARGO_PKG_VERSION"),
            millis(began)
        ));
    }
    listen(app, listener, stop).await;
    Ok(Exit::Ok)
}

fn millis(began: std::time::Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Applies what keeps everything; anything else must be done by a person first.
async fn migrate(
    context: &Context,
    project: &Project,
    database: &Database,
    catalog: &backstay_schema::catalog::Catalog,
) -> Result<()> {
    let files = file::read(&project.migrations())?;
    let done = apply::up(&*database.engine, &files, &database.clock, false, &database.node).await?;
    for name in &done {
        context.output.remark(&format!("applied {name}"));
    }
    let live = database.engine.introspect().await?;
    let plan = diff(&*database.engine, database.dialect, catalog, &live, Scope::Project).await?;
    if !plan.is_empty() {
        let changes: Vec<String> =
            plan.changes.iter().map(|change| format!("  {}", change.summary)).collect();
        bail!(
            "the database does not match the schema:\n{}\nwrite a migration: backstay migrate new",
            changes.join("\n")
        );
    }
    Ok(())
}
