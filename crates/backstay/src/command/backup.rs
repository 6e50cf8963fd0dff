//! `backstay backup create|list|verify|restore`.

use crate::Context;
use crate::output::{Colour, Exit};
use crate::project::Project;
use crate::{shipping, store};
use anyhow::{Context as _, Result, bail};
use backstay_backup::dump;
use backstay_backup::error::BackupError;
use backstay_backup::manifest::{self, Manifest};
use backstay_backup::note::Note;
use backstay_backup::place;
use backstay_backup::restore::{Restored, Wanted, restore, verify};
use backstay_backup::snapshot;
use backstay_backup::target::Target;
use backstay_backup::tool::Server;
use backstay_base::clock::Clock;
use clap::Subcommand;
use serde_json::json;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Copy the database as it is now, while it is served or not
    Create,
    /// The copies at the target
    List,
    /// Read a backup as a restore would, check everything, and keep nothing
    Verify {
        /// One copy alone; without it the newest with all commits that follow
        copy: Option<String>,
    },
    /// Make a database of a backup, at a new place
    Restore {
        /// One copy alone; without it the newest with all commits that follow
        #[arg(conflicts_with = "at")]
        copy: Option<String>,
        /// The file to make; of a server's backup the URL of an empty database
        #[arg(long)]
        to: String,
        /// The moment, of a SQLite store: 2026-01-31T09:00:00Z; every commit until then, none after
        #[arg(long)]
        at: Option<jiff::Timestamp>,
    },
}

/// Runs it.
pub async fn run(context: &Context, action: &Action) -> Result<Exit> {
    let project = Project::open(&context.dir)?;
    let target = shipping::target(&project)?;
    let url = &project.config.store.default.url;
    if let Some(server) = Server::of(url)? {
        let server = with_tools(server, &project).await;
        return of_server((context, &project), action, &target, &server).await;
    }
    match action {
        Action::Create => {
            let database =
                store::file_of(url, &project.folder).context("the store is no file and no server")?;
            let made = snapshot::create(&target, &database, Clock::system().now_micros()).await?;
            show_copy(context, &made);
        }
        Action::List => list(context, &target).await?,
        Action::Verify { copy } => {
            let restored = verify(&target, &wanted(copy.as_ref(), None)).await?;
            show_restored(context, "whole", &restored);
        }
        Action::Restore { copy, to, at } => {
            let restored = restore(&target, &wanted(copy.as_ref(), *at), to.as_ref()).await?;
            show_restored(context, "restored", &restored);
            if let Some(until) = restored.missing {
                context.output.remark(&format!(
                    "commits until {} were shipped and are not at the target any more: this is an earlier state",
                    place::time(until)
                ));
            }
        }
    }
    Ok(Exit::Ok)
}

/// The same of a database on a server, by the server's own tools.
async fn of_server(
    (context, project): (&Context, &Project),
    action: &Action,
    target: &Target,
    server: &Server,
) -> Result<Exit> {
    let now = Clock::system().now_micros();
    match action {
        Action::Create => show_copy(context, &dump::create(target, server, now).await?),
        Action::List => list(context, target).await?,
        Action::Verify { copy } => {
            let manifest = dump::choose(target, server, copy.as_deref()).await?;
            dump::verify(target, &manifest, server, now).await?;
            show_equal(context, "whole", &manifest);
        }
        Action::Restore { at: Some(_), .. } => {
            bail!(
                "moments between copies are kept of SQLite stores; a server keeps them by its own log (docs/guide/backups.md)"
            )
        }
        Action::Restore { copy, to, at: None } => {
            let into = Server::of(to)?.context("--to is the URL of an empty database on a server")?;
            let into = with_tools(into, project).await;
            let manifest = dump::choose(target, server, copy.as_deref()).await?;
            dump::restore(target, &manifest, &into).await?;
            show_equal(context, "restored", &manifest);
        }
    }
    Ok(Exit::Ok)
}

/// The server's tools that this project takes.
async fn with_tools(server: Server, project: &Project) -> Server {
    let named = project.config.backup.pg_dump.as_ref().map(|path| project.folder.join(path));
    server.with_tools(named.as_deref(), std::env::var_os("PATH").as_deref()).await
}

async fn list(context: &Context, target: &Target) -> Result<()> {
    for (id, manifest) in manifest::all(target).await? {
        match manifest {
            Ok(manifest) => show_copy(context, &manifest),
            Err(error) if context.output.json => {
                context.output.value(&json!({ "copy": id, "error": error.to_string() }));
            }
            Err(error) => context.output.data(&format!("{id}  {error}")),
        }
    }
    for id in manifest::unfinished(target).await? {
        let words = "it was not finished, or lost its manifest";
        if context.output.json {
            context.output.value(&json!({ "copy": id, "error": words }));
        } else {
            context.output.data(&format!("{id}  {words}"));
        }
    }
    for (name, note) in Note::all(target).await? {
        show_note(context, &name, note);
    }
    Ok(())
}

/// How far a chain reaches, and how long ago that was.
fn show_note(context: &Context, name: &str, note: Result<Note, BackupError>) {
    let age = |at: i64| Clock::system().now_micros().saturating_sub(at) / 1_000_000;
    match (note, context.output.json) {
        (Ok(note), true) => context.output.value(&json!({
            "chain": note.chain, "until": place::time(note.at), "seconds": age(note.at),
        })),
        (Ok(note), false) => context.output.data(&format!(
            "chain {}  commits until {}, {} s ago",
            note.chain,
            place::time(note.at),
            age(note.at)
        )),
        (Err(error), true) => context.output.value(&json!({ "chain": name, "error": error.to_string() })),
        (Err(error), false) => context.output.data(&format!("{name}  {error}")),
    }
}

fn wanted(copy: Option<&String>, at: Option<jiff::Timestamp>) -> Wanted {
    match (copy, at) {
        (Some(copy), _) => Wanted::Copy(copy.clone()),
        (None, Some(at)) => Wanted::At(at.as_microsecond()),
        (None, None) => Wanted::Newest,
    }
}

fn show_copy(context: &Context, manifest: &Manifest) {
    let rows: u64 = manifest.tables.iter().map(|table| table.rows).sum();
    let shipped = manifest.place.is_some();
    if let Some(dump) = &manifest.dump {
        if context.output.json {
            context.output.value(&json!({
                "copy": manifest.id, "bytes": manifest.bytes, "engine": dump.engine, "tool": dump.tool,
            }));
            return;
        }
        return context.output.data(&format!("{}  {} bytes  by {}", manifest.id, manifest.bytes, dump.tool));
    }
    if context.output.json {
        let tables: serde_json::Map<String, serde_json::Value> =
            manifest.tables.iter().map(|table| (table.name.clone(), table.rows.into())).collect();
        context.output.value(&json!({
            "copy": manifest.id, "bytes": manifest.bytes, "rows": rows, "tables": tables, "followed": shipped,
        }));
        return;
    }
    let followed = if shipped { "  followed by commits" } else { "" };
    let tables = manifest.tables.len();
    context.output.data(&format!(
        "{}  {} bytes  {rows} rows in {tables} tables{followed}",
        manifest.id, manifest.bytes
    ));
}

fn show_equal(context: &Context, verdict: &str, manifest: &Manifest) {
    if context.output.json {
        context.output.value(&json!({
            "copy": manifest.id, "at": place::time(manifest.at), "bytes": manifest.bytes,
        }));
        return;
    }
    let verdict = context.output.paint(Colour::Green, verdict);
    let at = place::time(manifest.at);
    context.output.data(&format!(
        "{verdict}: copy {}, as of {at}; restored, it dumps to the same {} bytes",
        manifest.id, manifest.bytes
    ));
}

fn show_restored(context: &Context, verdict: &str, restored: &Restored) {
    let rows: u64 = restored.tables.iter().map(|table| table.rows).sum();
    if context.output.json {
        context.output.value(&json!({
            "copy": restored.copy, "commits": restored.commits, "at": place::time(restored.at), "rows": rows,
            "missing_until": restored.missing.map(place::time),
        }));
        return;
    }
    let verdict = context.output.paint(Colour::Green, verdict);
    context.output.data(&format!(
        "{verdict}: copy {} and {} commits after it, as of {}; {rows} rows in {} tables",
        restored.copy,
        restored.commits,
        place::time(restored.at),
        restored.tables.len()
    ));
}
