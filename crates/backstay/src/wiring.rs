//! What holds the crates together: opens the database of a project, brings it to
//! the schema, starts accounts and keys, and makes the server of them.

use crate::config::{self, AuthProvider, AuthRates, Config, Server};
use crate::post;
use crate::project::Project;
use crate::shipping::Shipped;
use crate::store::{self, Store};
use anyhow::{Context as _, Result, anyhow};
use backstay_auth::oauth::provider::{Provider, Wanted};
use backstay_auth::rates::Rates;
use backstay_auth::service::{Auth, Parts as AuthParts, StartedKeys};
use backstay_auth::settings::Settings as AuthSettings;
use backstay_base::clock::Clock;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_engine::Engine;
use backstay_engine_sqlite::Sqlite;
use backstay_migrate::lease::Node;
use backstay_outbound::egress::{Egress, Settings as EgressSettings};
use backstay_outbound::mail::Mail;
use backstay_outbound::mailbox::Mailbox;
use backstay_rest::request::Settings as RestSettings;
use backstay_schema::catalog::Catalog;
use backstay_server::app::{App, Edge, State};
use backstay_server::client_address::{Proxies, ProxyHeader};
use backstay_server::metrics::Metrics;
use backstay_server::request_id::RequestIds;
use backstay_server::request_log::RequestLog;
use backstay_sql::dialect::Dialect;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// An open database with what belongs to it.
pub struct Database {
    /// The engine.
    pub engine: Arc<dyn Engine>,
    /// Its dialect.
    pub dialect: &'static Dialect,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub ids: Ids,
    /// Who this is, where one node at a time does something.
    pub node: Node,
    /// Where its commits are told, when they are shipped.
    pub shipped: Option<Shipped>,
}

/// Lets this process open as many files as the system allows it: a connection is one, and the usual
/// thousand would be less than `connections`.
#[cfg(unix)]
pub fn open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut allowed = getrlimit(Resource::Nofile);
    allowed.current = allowed.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, allowed) {
        tracing::warn!("the number of open files could not be raised: {error}");
    }
}

/// Windows has no such limit.
#[cfg(windows)]
pub fn open_files() {}

/// Runs a future on the server's runtime.
///
/// # Errors
/// When the runtime cannot start, and whatever the future fails with.
pub fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // short reads run on these threads: with one, a misjudged read would stop the accept loop
        .worker_threads(std::thread::available_parallelism().map_or(2, |n| n.get().max(2)))
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    outcome
}

impl Database {
    /// Opens the database of a project; makes the file when it is missing.
    ///
    /// # Errors
    /// When another process has it, or it is damaged.
    pub fn open(project: &Project) -> Result<Self> {
        let clock = Clock::system();
        let ids = Ids::system(clock.clone());
        let limits = project.config.limits.limits();
        let shipped = Shipped::of(project, &clock);
        let Store { engine, dialect } = match &shipped {
            Some(shipped) => store::open_shipped(&shipped.database, &limits, Arc::clone(&shipped.log))?,
            None => Store::of(&project.config.store.default, &project.folder, &limits)?,
        };
        let node = Self::node(&ids, &limits);
        Ok(Self { engine, dialect, clock, ids, node, shipped })
    }

    /// This run of the program, among others that may use the same database.
    #[must_use]
    pub fn node(ids: &Ids, limits: &Limits) -> Node {
        let holder = format!("node {} (process {})", ids.row(), std::process::id());
        Node { holder, wait_ms: limits.migration_wait_ms }
    }

    /// Accounts and keys over this database.
    ///
    /// # Errors
    /// When the words of a letter or a provider are not right.
    pub fn auth(&self, config: &Config, url: &str, mail: Option<Mail>) -> Result<Arc<Auth>> {
        let public_url = config.server.public_url.as_deref().unwrap_or(url);
        let settings = AuthSettings {
            issuer: format!("{}/auth/v1", public_url),
            issuer_is_public: config.server.public_url.is_some(),
            sign_up: config.auth.signup,
            anonymous: config.auth.anonymous,
            autoconfirm: config.auth.autoconfirm,
            reveal_accounts: config.auth.reveal_accounts,
            site_url: config.auth.site_url.clone().unwrap_or_else(|| public_url.to_owned()),
            redirect_urls: config.auth.redirect_urls.clone(),
            templates: post::templates(config)?,
            mail_interval_s: config.auth.mail_interval_seconds,
            one_time_s: config.auth.link_seconds,
            code_attempts: config.auth.code_attempts,
            double_confirm_changes: config.auth.double_confirm_changes,
            pkce_plain: config.auth.pkce_plain,
            access_token_s: config.auth.token_seconds,
            password_characters: config.auth.password_min_length,
            legacy_keys: config.auth.legacy_keys,
            keyless_anon: config.auth.keyless,
            providers: providers(config)?,
            manual_linking: config.auth.manual_linking,
            flow_s: config.auth.flow_seconds,
            rates: rates(&config.auth.rate_limit),
            ..AuthSettings::default()
        };
        Ok(Arc::new(Auth::new(AuthParts {
            engine: Arc::clone(&self.engine),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            limits: config.limits.limits(),
            settings,
            mail,
            egress: egress(config),
        })))
    }

    /// Accounts and keys for a command, which serves nothing.
    ///
    /// # Errors
    /// When the schema has mistakes, or the database refuses.
    pub async fn accounts(&self, project: &Project) -> Result<(Arc<Auth>, StartedKeys)> {
        let catalog = Arc::new(project.check()?.catalog()?);
        let auth = self.auth(&project.config, "http://127.0.0.1:8000", None)?;
        self.prepare(&auth, &catalog).await?;
        let started = auth.start().await?;
        Ok((auth, started))
    }

    /// The server over this database; not ready until it has a catalog.
    ///
    /// # Errors
    /// When its counters cannot be made.
    pub fn app(
        &self,
        config: &Config,
        auth: Arc<Auth>,
        log: RequestLog,
        mailbox: Option<Arc<Mailbox>>,
    ) -> Result<Arc<App>> {
        let limits = config.limits.limits();
        Ok(Arc::new(App {
            state: State::new(&limits),
            engine: Arc::clone(&self.engine),
            auth,
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            rest: RestSettings {
                max_rows: limits.rows,
                tx_rollback_allowed: config.rest.tx_rollback,
                unfiltered_writes_allowed: config.rest.unfiltered_writes,
                aggregates_allowed: config.rest.aggregates,
                openapi_served: config.rest.openapi,
                limits,
            },
            edge: Edge {
                cors_origins: config.server.cors_origins.clone(),
                server_timing: config.server.server_timing,
                proxies: proxies(&config.server),
            },
            log,
            request_ids: self.request_ids(),
            mailbox,
            metrics: Metrics::new()?,
        }))
    }

    /// Names of requests that no other process gives.
    fn request_ids(&self) -> RequestIds {
        let mut seed = [0_u8; 8];
        self.ids.fill(&mut seed);
        RequestIds::new(u64::from_le_bytes(seed))
    }

    /// Brings Backstay's own tables to this binary.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn own_tables(&self, catalog: &Catalog) -> Result<()> {
        Ok(backstay_migrate::apply::own_tables(&*self.engine, self.dialect, catalog, &self.node).await?)
    }

    /// Brings Backstay's own tables to this binary and hands the catalog to `auth`.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn prepare(&self, auth: &Auth, catalog: &Arc<Catalog>) -> Result<()> {
        self.own_tables(catalog).await?;
        auth.load(Arc::clone(catalog));
        Ok(())
    }
}

/// Looks at what a configuration says beyond its form.
///
/// # Errors
/// When the words of a letter or a provider are not right.
pub fn check(config: &Config) -> Result<()> {
    post::templates(config)?;
    providers(config).map(drop)
}

/// The services that people may sign in with.
fn providers(config: &Config) -> Result<Vec<Provider>> {
    let of = |(name, given): (&String, &AuthProvider)| {
        let given = given.clone();
        let wanted = Wanted {
            client_id: given.client_id,
            client_secret: given.client_secret.expose().clone(),
            issuer: given.issuer,
            authorize_url: given.authorize_url,
            token_url: given.token_url,
            user_url: given.user_url,
            emails_url: given.emails_url,
            id_token_clients: given.id_token_clients,
            scopes: given.scopes,
            pkce: given.pkce,
            trust_email: given.trust_email,
            email_optional: given.email_optional,
        };
        Provider::new(name, wanted).map_err(|wrong| anyhow!("[auth.providers.{name}] is not right: {wrong}"))
    };
    config.auth.providers.iter().map(of).collect()
}

/// What asks other services.
fn egress(config: &Config) -> Egress {
    let limits = config.limits.limits();
    Egress::new(EgressSettings {
        allow: config.outbound.allow.iter().map(|one| one.0.clone()).collect(),
        answer_bytes: limits.egress_bytes,
        wait: Duration::from_millis(limits.egress_ms),
    })
}

fn rates(limits: &AuthRates) -> Rates {
    let AuthRates { sign_in_sign_ups, token_refresh, token_verifications, email_sent } = *limits;
    Rates { sign_in_sign_ups, token_refresh, token_verifications, email_sent }
}

fn proxies(server: &Server) -> Proxies {
    let trusted = server.trusted_proxies.iter().map(|network| network.0).collect();
    let is_standard = server.proxy_header == config::FORWARDED;
    let header = if is_standard { ProxyHeader::Forwarded } else { ProxyHeader::XForwardedFor };
    Proxies { trusted, header }
}

/// A database that holds nothing and goes with this value: migrations are planned on it,
/// beside a server that has the real one.
pub struct Scratch {
    /// The engine.
    pub engine: Arc<dyn Engine>,
    _folder: tempfile::TempDir,
}

impl Scratch {
    /// Makes it in a temporary folder.
    ///
    /// # Errors
    /// When the folder or the file cannot be made.
    pub fn open(project: &Project) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let limits = project.config.limits.limits();
        let engine: Arc<dyn Engine> = Arc::new(Sqlite::open(&folder.path().join("scratch.db"), &limits)?);
        Ok(Self { engine, _folder: folder })
    }
}

/// Resolves on Ctrl-C or SIGTERM. Both are caught from this call on, not only once
/// somebody waits: a signal right after the first line of output must drain, too.
///
/// # Errors
/// When the signals cannot be caught.
#[cfg(unix)]
pub fn stopped() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Resolves on Ctrl-C.
///
/// # Errors
/// When it cannot be caught.
#[cfg(windows)]
pub fn stopped() -> Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
