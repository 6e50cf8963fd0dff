//! `backstay dev`: serves while you edit. A good save is migrated and swapped in;
//! a broken one is told and the last good schema keeps serving. At the start a schema that can be mended by
//! a save is waited for; a database that cannot be served ends it, as nobody may be there to read why.

use crate::Context;
use crate::command::check::summary;
use crate::output::{Colour, Exit, Output};
use crate::post::Post;
use crate::project::{Checked, Project};
use crate::wiring::{Database, Scratch, stopped};
use anyhow::{Context as _, Result};
use backstay_auth::service::StartedKeys;
use backstay_base::fault::Fault;
use backstay_base::secret::Secret;
use backstay_migrate::draft::draft;
use backstay_migrate::file::MigrationFile;
use backstay_migrate::{apply, file, view};
use backstay_schema::catalog::Catalog;
use backstay_schema::diagnostic::render;
use backstay_server::app::App;
use backstay_server::house::keep_house;
use backstay_server::listen::listen;
use backstay_server::request_log::{Line, RequestLog};
use notify::{RecursiveMode, Watcher};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// How long a burst of saves is gathered.
const SETTLE: Duration = Duration::from_millis(60);

/// Where to listen.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Port on this machine; 0 for any that is free
    #[arg(long, default_value_t = 8000)]
    port: u16,
}

/// What became of a schema on disk.
enum Reload {
    Served(Arc<Catalog>, Migrated),
    /// It has mistakes, or the rows that are there do not allow it; that was told.
    Broken,
}

/// What the database was brought to a schema by.
struct Migrated {
    /// In words.
    changes: Vec<String>,
    /// The file that was made for it.
    written: Option<MigrationFile>,
}

/// Serves until stopped.
pub async fn run(context: &Context, args: &Args) -> Result<Exit> {
    let began = Instant::now();
    let project = Project::open(&context.dir)?;
    project.write_directives()?;
    let address = format!("127.0.0.1:{}", args.port);
    let listener = TcpListener::bind(&address).await.with_context(|| {
        format!("cannot listen on {address}; another port: backstay dev --port {}", args.port.wrapping_add(1))
    })?;
    let url = format!("http://{}", listener.local_addr()?);
    let database = Database::open(&project)?;
    let post = Post::of_dev(&project.config, &project.folder, &database.ids)?;
    let auth = database.auth(&project.config, &url, post.mail.clone())?;
    let output = context.output;
    let log = RequestLog::explaining(move |line| print_line(output, line));
    let app = database.app(&project.config, Arc::clone(&auth), log, post.mailbox.clone())?;
    let (saves, mut saved) = mpsc::channel::<()>(16);
    let schema_saved = Arc::new(AtomicBool::new(false));
    let _watcher = watch(&project, saves, Arc::clone(&schema_saved))?;

    let mut first = Some(began);
    let mut housekeeping = None;
    let mut stop = std::pin::pin!(stopped()?);
    let (done, finished) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(listen(Arc::clone(&app), listener, async {
        let _ = finished.await;
    }));
    'serving: loop {
        // as they are now: what is saved from here on, also while this reloads, is news
        let mut known = file::read(&project.migrations()).ok();
        match reload(context, &project, &database, &app).await {
            Ok(Reload::Served(catalog, Migrated { changes, written })) => {
                if let (Some(known), Some(written)) = (&mut known, written) {
                    known.push(written);
                }
                if let Some(began) = first.take() {
                    auth.load(Arc::clone(&catalog));
                    let keys = auth.start().await?;
                    app.load(Arc::clone(&catalog));
                    housekeeping =
                        Some(tokio::spawn(keep_house(Arc::clone(&app), database.node.holder.clone())));
                    banner(context, &project, &url, &catalog, &keys, &changes, began);
                } else {
                    app.load(Arc::clone(&catalog));
                    told(context, &catalog, &changes);
                }
            }
            Ok(Reload::Broken) => {}
            // no save of the schema mends it, and nothing is served
            Err(error) if first.is_some() => return Err(error),
            Err(error) => refused(context, &app, &error),
        }
        loop {
            tokio::select! {
                () = &mut stop => break 'serving,
                _ = saved.recv() => {
                    // editors write a file in several steps
                    tokio::time::sleep(SETTLE).await;
                    while saved.try_recv().is_ok() {}
                }
            }
            let saved = schema_saved.swap(false, Ordering::SeqCst);
            if saved || file::read(&project.migrations()).ok() != known {
                break;
            }
        }
    }
    let _ = done.send(());
    let _ = server.await;
    if let Some(housekeeping) = housekeeping {
        housekeeping.abort();
    }
    post.finish().await;
    Ok(Exit::Ok)
}

/// Tells of saves; `schema_saved` is set where one is of more than a migration.
fn watch(
    project: &Project,
    saves: mpsc::Sender<()>,
    schema_saved: Arc<AtomicBool>,
) -> Result<notify::RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        let is_schema =
            |path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "graphql" || e == "toml");
        let is_migration = |path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "sql");
        let own = |path: &std::path::PathBuf| path.components().any(|part| part.as_os_str() == ".backstay");
        let saved = |is: &dyn Fn(&std::path::PathBuf) -> bool| {
            !event.kind.is_access() && event.paths.iter().any(|path| is(path) && !own(path))
        };
        if saved(&is_schema) {
            schema_saved.store(true, Ordering::SeqCst);
        }
        if saved(&is_schema) || saved(&is_migration) {
            // a full channel means that a reload is due anyway
            let _ = saves.try_send(());
        }
    })?;
    watcher.watch(&project.folder, RecursiveMode::NonRecursive)?;
    let many = project.folder.join("schema");
    if many.is_dir() {
        watcher.watch(&many, RecursiveMode::Recursive)?;
    }
    let migrations = project.migrations();
    std::fs::create_dir_all(&migrations).context("cannot make the folder of migrations")?;
    watcher.watch(&migrations, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

/// Compiles what is on disk and brings the database to it, if that keeps everything.
async fn reload(context: &Context, project: &Project, database: &Database, app: &App) -> Result<Reload> {
    let Checked { files, outcome } = project.check()?;
    let compiled = match outcome {
        Ok(compiled) => compiled,
        Err(mistakes) => {
            if context.output.json {
                let mistakes: serde_json::Value = serde_json::from_str(&render::json(&mistakes, &files))?;
                context.output.value(&json!({ "event": "broken", "diagnostics": mistakes }));
            } else {
                context.output.remark(&render::text(&mistakes, &files));
                let serving = app.catalog().is_ok();
                let words = if serving {
                    "still serving the last good schema"
                } else {
                    "waiting for a schema that compiles"
                };
                context.output.remark(&format!("{} {words}", context.output.paint(Colour::Red, "✖")));
            }
            return Ok(Reload::Broken);
        }
    };
    if !compiled.warnings.is_empty() && !context.output.json {
        context.output.remark(&render::text(&compiled.warnings, &files));
    }
    let catalog = Arc::new(compiled.catalog);
    database.own_tables(&catalog).await?;
    let mut changes = apply_files(context, project, database).await?;
    let migrated = match draft_and_apply(context, project, database, &catalog).await {
        Ok(Migrated { changes: further, written }) => {
            changes.extend(further);
            Migrated { changes, written }
        }
        Err(error) => {
            refused(context, app, &error);
            return Ok(Reload::Broken);
        }
    };
    if catalog.tables.iter().any(|table| table.is_view) {
        view::check(database.dialect, &catalog, &database.engine.introspect().await?)?;
    }
    Ok(Reload::Served(catalog, migrated))
}

/// Applies pending files.
async fn apply_files(context: &Context, project: &Project, database: &Database) -> Result<Vec<String>> {
    let files = file::read(&project.migrations())?;
    let going = apply::Going::with_consent(context.yes).whole();
    let applied = apply::up(&*database.engine, &files, &database.clock, going, &database.node).await?;
    Ok(applied.iter().map(|name| format!("applied migrations/{name}")).collect())
}

/// Drafts and applies what the schema has and the files lack.
async fn draft_and_apply(
    context: &Context,
    project: &Project,
    database: &Database,
    catalog: &Catalog,
) -> Result<Migrated> {
    let engine = &*database.engine;
    let folder = project.migrations();
    let mut changes = Vec::new();
    let scratch = Scratch::open(project)?;
    let draft = draft(&*scratch.engine, catalog, &file::read(&folder)?).await?;
    let Some(plan) = draft.plan(engine.name()).filter(|_| !draft.is_empty()) else {
        return Ok(Migrated { changes, written: None });
    };
    if plan.is_destructive() && !context.yes {
        let losing: Vec<String> = plan
            .changes
            .iter()
            .filter_map(|change| Some(format!("  {} loses {}", change.summary, change.loses.as_ref()?)))
            .collect();
        let text = format!("this change would lose data:\n{}", losing.join("\n"));
        return Err(Fault::new(backstay_base::code::DENIED, text)
            .with_hint("name the old field with @was to rename it; or accept: end this, then backstay migrate new --yes && backstay migrate up --yes")
            .into());
    }
    let title = if file::read(&folder)?.is_empty() { "init".to_owned() } else { title(plan) };
    let written = file::write(&folder, &title, &draft)?;
    if let Err(fault) = apply::up(
        engine,
        &file::read(&folder)?,
        &database.clock,
        apply::Going::with_consent(context.yes).whole(),
        &database.node,
    )
    .await
    {
        // a draft that the database refuses must not stay to refuse again
        std::fs::remove_file(folder.join(&written.name)).context("cannot remove the refused draft")?;
        return Err(fault.into());
    }
    changes.extend(plan.changes.iter().map(|change| change.summary.clone()));
    changes.push(format!("migrations/{}", written.name));
    Ok(Migrated { changes, written: Some(written) })
}

fn title(plan: &backstay_migrate::change::Plan) -> String {
    let first = plan.changes.first().map_or("change", |change| change.summary.as_str());
    let words: String = first.chars().filter(|c| c.is_ascii_alphanumeric() || " ._".contains(*c)).collect();
    words.trim().replace(['.', ' '], "_").chars().take(40).collect()
}

fn banner(
    context: &Context,
    project: &Project,
    url: &str,
    catalog: &Catalog,
    keys: &StartedKeys,
    changes: &[String],
    began: Instant,
) {
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let out = context.output;
    if out.json {
        out.value(&json!({
            "event": "ready", "url": url, "ms": ms,
            "keys": {
                "publishable": shown(keys.publishable.as_ref()), "secret": shown(keys.secret.as_ref()),
                "anon": shown(keys.anon.as_ref()), "service_role": shown(keys.service_role.as_ref()),
            },
        }));
        return;
    }
    let publishable = shown(keys.publishable.as_ref()).unwrap_or("none: backstay keys create publishable");
    let label = |text: &str| out.paint(Colour::Bold, &format!("{text:<11}"));
    let mut lines = vec![
        format!("\n  backstay {}{}ready in {ms} ms\n", env!("CARGO_PKG_VERSION"), " ".repeat(30)),
        format!("  {}{url}/rest/v1", label("REST")),
        format!("  {}{url}/auth/v1", label("Auth")),
        format!("  {}{}", label("Mail"), mail_line(project, url)),
        format!("  {}{}", label("Database"), project.config.store.default.url),
        format!("  {}publishable {publishable}", label("Keys")),
        format!(
            "  {}secret      {}",
            label(""),
            shown(keys.secret.as_ref()).unwrap_or("shown once; another: backstay keys create secret")
        ),
        format!(
            "\n  {}{}   {} no problems",
            label("Schema"),
            summary(catalog),
            out.paint(Colour::Green, "✔")
        ),
    ];
    if !changes.is_empty() {
        lines.push(format!("  {}{}", label("Migrated"), changes.join("  ")));
    }
    let table = catalog.tables.iter().find(|table| {
        table.origin == backstay_schema::catalog::Origin::Declared && Some(table.id) != catalog.user
    });
    if let Some(table) = table {
        lines.push(format!(
            "\n  {}curl '{url}/rest/v1/{}?limit=3' -H 'apikey: {publishable}'",
            label("Try"),
            table.name
        ));
    }
    lines.push("\n  Ctrl-C ends it; saving the schema applies it.\n".to_owned());
    out.data(&lines.join("\n"));
}

fn mail_line(project: &Project, url: &str) -> String {
    if project.config.mail.url.is_some() { "by SMTP".to_owned() } else { format!("{url}/_/mail") }
}

fn shown(key: Option<&Secret<String>>) -> Option<&str> {
    key.map(|key| key.expose().as_str())
}

/// A save that cannot be served: what stood before goes on.
fn refused(context: &Context, app: &App, error: &anyhow::Error) {
    if context.output.json {
        let mut event = json!({ "event": "refused" });
        if let (Some(event), serde_json::Value::Object(told)) = (event.as_object_mut(), super::as_json(error))
        {
            event.extend(told);
        }
        context.output.value(&event);
        return;
    }
    super::report(context, error);
    if app.catalog().is_ok() {
        let mark = context.output.paint(Colour::Red, "✖");
        context.output.remark(&format!("{mark} still serving the last good schema"));
    }
}

fn told(context: &Context, catalog: &Catalog, changes: &[String]) {
    if context.output.json {
        context.output.value(&json!({ "event": "reloaded", "changes": changes }));
        return;
    }
    let changes =
        if changes.is_empty() { "no change to the database".to_owned() } else { changes.join("  ") };
    let mark = context.output.paint(Colour::Green, "✔");
    context.output.data(&format!("{mark} schema reloaded: {}   {changes}", summary(catalog)));
}

fn print_line(out: Output, line: &Line) {
    if out.json {
        out.value(&json!({
            "event": "request", "id": line.id, "method": line.method, "target": line.target, "status": line.status,
            "rows": line.rows, "micros": u64::try_from(line.micros).unwrap_or(u64::MAX),
            "who": line.who, "rules": line.rules,
        }));
        return;
    }
    let colour = match line.status {
        200..=299 => Colour::Green,
        300..=399 => Colour::Grey,
        _ => Colour::Red,
    };
    let status = out.paint(colour, &line.status.to_string());
    let rows = line.rows.map_or_else(String::new, |rows| format!("{rows} rows"));
    let time = format!("{}.{:01} ms", line.micros / 1000, line.micros % 1000 / 100);
    let rules = out.paint(Colour::Grey, line.rules.as_deref().unwrap_or_default());
    let target: String = line.target.chars().take(80).collect();
    out.data(&format!("{:<6} {target}   {status}   {rows}   {time}   {}   {rules}", line.method, line.who));
}
