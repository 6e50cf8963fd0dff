//! `backstay serve`: production. Applies pending migrations that keep everything;
//! refuses those that may lose data, and a schema that the database does not match.

use crate::Context;
use crate::command::lint;
use crate::encryption;
use crate::logging;
use crate::output::{Colour, Exit};
use crate::post::Post;
use crate::project::Project;
use crate::spans::Spans;
use crate::watching;
use crate::wiring::{Database, open_files, stopped};
use anyhow::{Context as _, Result, bail};
use backstay_auth::service::Auth;
use backstay_base::code::Kind;
use backstay_base::fault::Fault;
use backstay_migrate::diff::{Scope, diff};
use backstay_migrate::expand::contracted;
use backstay_migrate::{apply, file, view};
use backstay_schema::catalog::Catalog;
use backstay_server::house::keep_house;
use backstay_server::listen::{listen, listen_encrypted};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
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
    open_files();
    let project = Project::open(&context.dir)?;
    let catalog = Arc::new(project.check()?.catalog()?);
    let address = args.listen.as_deref().unwrap_or(&project.config.server.listen);
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let encryption = encryption::start(&project)?;
    let scheme = if encryption.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", listener.local_addr()?);
    let database = Database::open(&project)?;
    let post = Post::of(&project.config)?;
    let auth = database.auth(&project.config, &url, post.mail.clone())?;
    let spans = Spans::start(project.config.log.otlp.as_deref())?.map(Arc::new);
    let lines = logging::requests(&project.config.log, spans.clone());
    let app = database.app(&project.config, Arc::clone(&auth), lines, None)?;
    let admin = &project.config.server.admin_listen;
    let clock = &database.clock;
    let backup = database.shipped.as_ref().map(|shipped| watching::backup(shipped, clock));
    let certificate = encryption.as_ref().map(|encryption| encryption.watched(clock));
    let watching = watching::start(admin, &app, backup.into_iter().chain(certificate).collect()).await?;
    let stop = stopped()?;
    let mut listening = std::pin::pin!(async {
        match &encryption {
            Some(encryption) => {
                listen_encrypted(Arc::clone(&app), listener, encryption.tls.clone(), stop).await
            }
            None => listen(Arc::clone(&app), listener, stop).await,
        }
    });
    let starting =
        Starting { context, project: &project, database: &database, auth: &auth, catalog: &catalog };
    tokio::select! {
        // a signal while the database is awaited
        () = &mut listening => return Ok(Exit::Ok),
        started = starting.wait() => started?,
    }
    app.load(catalog);
    let housekeeping = tokio::spawn(keep_house(Arc::clone(&app), database.node.holder.clone()));
    let shipping =
        database.shipped.as_ref().map(|shipped| shipped.start(&project, &database.clock)).transpose()?;
    if context.output.json {
        let mut event = json!({ "event": "ready", "url": url, "ms": millis(began) });
        if let (Some(event), Some(watching)) = (event.as_object_mut(), &watching) {
            event.insert("admin".to_owned(), watching.url.as_str().into());
        }
        context.output.value(&event);
    } else {
        let ready = context.output.paint(Colour::Green, "ready");
        context.output.data(&format!(
            "backstay {}  {ready} in {} ms  {url}",
            env!("CARGO_PKG_VERSION"),
            millis(began)
        ));
    }
    listening.await;
    housekeeping.abort();
    if let Some(shipping) = shipping {
        shipping.finish().await;
    }
    post.finish().await;
    if let Some(spans) = spans {
        tokio::task::spawn_blocking(move || spans.finish()).await?;
    }
    Ok(Exit::Ok)
}

/// Between two looks at a database that is down.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What has to be done before requests are answered. Until then they get 503.
struct Starting<'s> {
    context: &'s Context,
    project: &'s Project,
    database: &'s Database,
    auth: &'s Auth,
    catalog: &'s Arc<Catalog>,
}

impl Starting<'_> {
    /// Waits for the database as long as it takes; what it refuses for good ends the start.
    async fn wait(&self) -> Result<()> {
        let mut told = false;
        loop {
            match self.start().await {
                Ok(()) => return Ok(()),
                Err(error) if is_down(&error) => {
                    if !told {
                        self.context.output.remark(&format!("waiting for the database: {error:#}"));
                    }
                    told = true;
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn start(&self) -> Result<()> {
        self.database.prepare(self.auth, self.catalog).await?;
        migrate(self.context, self.project, self.database, self.catalog).await?;
        self.auth.start().await?;
        Ok(())
    }
}

fn is_down(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| fault.code.kind == Kind::Unavailable)
}

fn millis(began: std::time::Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Applies what keeps everything; anything else must be done by a person first.
async fn migrate(context: &Context, project: &Project, database: &Database, catalog: &Catalog) -> Result<()> {
    let files = file::read(&project.migrations())?;
    let status = apply::status(&*database.engine, &files).await?;
    let names: Vec<&str> =
        apply::due(&*database.engine, &status).iter().map(|file| file.name.as_str()).collect();
    lint::warn(context, &files, &names, database.engine.name());
    let done = apply::up(
        &*database.engine,
        &files,
        &database.clock,
        apply::Going::with_consent(false),
        &database.node,
    )
    .await?;
    for name in &done {
        context.output.remark(&format!("applied {name}"));
    }
    let status = apply::status(&*database.engine, &files).await?;
    if status.is_expanded(&files) {
        context.output.remark("a newer version has made room for itself in the database; this one serves on");
        return Ok(());
    }
    let live = contracted(&database.engine.introspect().await?, catalog, &status.pending);
    let plan = diff(&*database.engine, database.dialect, catalog, &live, Scope::Project).await?;
    let changes: Vec<String> = plan.needed().map(|change| format!("  {}", change.summary)).collect();
    if !changes.is_empty() {
        bail!(
            "the database does not match the schema:\n{}\nwrite a migration: backstay migrate new",
            changes.join("\n")
        );
    }
    view::check(database.dialect, catalog, &live)?;
    Ok(())
}
