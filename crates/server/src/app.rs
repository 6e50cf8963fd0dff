//! [`App`]: what every request shares. The catalog is swapped whole on reload; a
//! request keeps the one that it began with.

use crate::client_address::Proxies;
use crate::intake::Intake;
use crate::metrics::Metrics;
use crate::request_id::RequestIds;
use crate::request_log::RequestLog;
use backstay_auth::service::Auth;
use backstay_base::clock::Clock;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_engine::Engine;
use backstay_outbound::mailbox::Mailbox;
use backstay_policy::recurring::Recurring;
use backstay_rest::answer::Answer;
use backstay_rest::request::Settings;
use backstay_schema::catalog::Catalog;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Notify;

/// One running server.
pub struct App {
    /// The database.
    pub engine: Arc<dyn Engine>,
    /// Accounts, sessions and keys.
    pub auth: Arc<Auth>,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub ids: Ids,
    /// What the REST codec needs of the configuration, limits among it.
    pub rest: Settings,
    /// Edge settings.
    pub edge: Edge,
    /// One line per request.
    pub log: RequestLog,
    /// What requests are called.
    pub request_ids: RequestIds,
    /// The mailbox that `/_/mail` shows, in `dev`.
    pub mailbox: Option<Arc<Mailbox>>,
    /// What is counted.
    pub metrics: Metrics,
    /// What changes while it runs.
    pub state: State,
}

/// Settings of the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Origins that browsers may call from; `*` for any.
    pub cors_origins: Vec<String>,
    /// Whether answers carry `Server-Timing`.
    pub server_timing: bool,
    /// Who may say for whom a request comes.
    pub proxies: Proxies,
}

impl Default for Edge {
    fn default() -> Self {
        Self { cors_origins: vec!["*".to_owned()], server_timing: false, proxies: Proxies::default() }
    }
}

/// What changes while a server runs: what it serves, what it has taken in, and whether it goes.
pub struct State {
    intake: Intake,
    recurring: Recurring<Answer>,
    is_stopping: AtomicBool,
    catalog: RwLock<Option<Arc<Catalog>>>,
    reloaded: Notify,
}

impl State {
    /// Of a server that is not ready until [`App::load`].
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            intake: Intake::of(limits),
            recurring: Recurring::new(limits.recurring_requests),
            is_stopping: AtomicBool::new(false),
            catalog: RwLock::new(None),
            reloaded: Notify::new(),
        }
    }
}

impl App {
    /// Whether the listener lets connections go.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.state.is_stopping.load(Ordering::Relaxed)
    }

    pub(crate) const fn intake(&self) -> &Intake {
        &self.state.intake
    }

    pub(crate) const fn recurring(&self) -> &Recurring<Answer> {
        &self.state.recurring
    }

    pub(crate) fn stop(&self) {
        self.state.is_stopping.store(true, Ordering::Relaxed);
    }

    /// How many requests are kept for the next time.
    #[must_use]
    pub fn kept_requests(&self) -> usize {
        self.state.recurring.len()
    }

    /// Serves this catalog from now on.
    pub fn load(&self, catalog: Arc<Catalog>) {
        self.auth.load(Arc::clone(&catalog));
        self.state.recurring.forget();
        *self.state.catalog.write().unwrap_or_else(PoisonError::into_inner) = Some(catalog);
        self.state.reloaded.notify_one();
    }

    /// Waits until another catalog is served than when this was last asked.
    pub(crate) async fn reloaded(&self) {
        self.state.reloaded.notified().await;
    }

    /// The catalog for a request that begins now.
    ///
    /// # Errors
    /// PGRST002 before the first [`App::load`].
    pub fn catalog(&self) -> Result<Arc<Catalog>, Fault> {
        let catalog = self.state.catalog.read().unwrap_or_else(PoisonError::into_inner).clone();
        catalog.ok_or_else(|| {
            Fault::new(code::NOT_READY, "Could not query the database for the schema cache. Retrying.")
        })
    }
}
