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
use backstay_engine::Engine;
use backstay_outbound::mailbox::Mailbox;
use backstay_policy::recurring::Recurring;
use backstay_rest::answer::Answer;
use backstay_rest::request::Settings;
use backstay_schema::catalog::Catalog;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

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
    pub(crate) intake: Intake,
    pub(crate) recurring: Recurring<Answer>,
    is_stopping: AtomicBool,
    catalog: RwLock<Option<Arc<Catalog>>>,
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

/// What an [`App`] is made of.
pub struct Parts {
    /// The database.
    pub engine: Arc<dyn Engine>,
    /// Accounts, sessions and keys.
    pub auth: Arc<Auth>,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub ids: Ids,
    /// What the REST codec needs of the configuration.
    pub rest: Settings,
    /// Edge settings.
    pub edge: Edge,
    /// One line per request.
    pub log: RequestLog,
    /// What requests are called.
    pub request_ids: RequestIds,
    /// The mailbox that `/_/mail` shows, in `dev`.
    pub mailbox: Option<Arc<Mailbox>>,
    /// Counters at zero.
    pub metrics: Metrics,
}

impl App {
    /// A server that is not ready until [`App::load`].
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { engine, auth, clock, ids, rest, edge, log, request_ids, mailbox, metrics } = parts;
        Arc::new(Self {
            intake: Intake::of(&rest.limits),
            recurring: Recurring::new(rest.limits.recurring_reads),
            engine,
            auth,
            clock,
            ids,
            rest,
            edge,
            log,
            request_ids,
            mailbox,
            metrics,
            is_stopping: AtomicBool::new(false),
            catalog: RwLock::new(None),
        })
    }

    /// Whether the listener lets connections go.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// How many reads are kept for the next time.
    #[must_use]
    pub fn kept_reads(&self) -> usize {
        self.recurring.len()
    }

    /// Serves this catalog from now on.
    pub fn load(&self, catalog: Arc<Catalog>) {
        self.auth.load(Arc::clone(&catalog));
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Some(catalog);
    }

    /// The catalog for a request that begins now.
    ///
    /// # Errors
    /// PGRST002 before the first [`App::load`].
    pub fn catalog(&self) -> Result<Arc<Catalog>, Fault> {
        let catalog = self.catalog.read().unwrap_or_else(PoisonError::into_inner).clone();
        catalog.ok_or_else(|| {
            Fault::new(code::NOT_READY, "Could not query the database for the schema cache. Retrying.")
        })
    }
}
