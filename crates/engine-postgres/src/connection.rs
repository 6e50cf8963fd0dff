//! [`Connection`]: one session of PostgreSQL with what it has prepared. Requests sent at the
//! same time follow each other on the wire without waiting (pipelining). A statement is sent
//! whole in one flush; it is prepared when it comes a second time.

use crate::bind::{Parameter, parameters};
use crate::error::{Then, Trouble, is_pooled, is_unsupported_option};
use crate::row::PostgresRow;
use crate::target::Target;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_schema::value::Value;
use backstay_sql::session::{Failure, OnRow};
use backstay_sql::statement::Statement;
use futures_util::TryStreamExt as _;
use futures_util::future::join;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, RowStream};

/// Prepared statements that a connection keeps; the one used longest ago is closed.
const PREPARED: usize = 512;

/// How old a connection gets, and by how much that differs between connections.
const LIFETIME: Duration = Duration::from_secs(30 * 60);
const LIFETIME_JITTER_S: u64 = 5 * 60;

/// How much later than the server this side gives a statement up.
const PATIENCE: Duration = Duration::from_secs(2);

/// A session.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    target: Arc<Target>,
    prepared: Mutex<Prepared>,
    ends: Instant,
    /// It stopped answering.
    broken: AtomicBool,
    statement_limit: Duration,
}

/// Whether other statements may be under way on the same connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// They may: nothing can be cancelled without hitting them.
    Shared,
    /// They are not.
    Alone,
}

impl Connection {
    /// Opens one, encrypted as the target says.
    ///
    /// # Errors
    /// The fault of a database that cannot be reached.
    pub async fn open(target: &Arc<Target>, statement_ms: u64) -> Result<Self, Trouble> {
        let wait = target.connect_wait.saturating_mul(2);
        let opened = tokio::time::timeout(wait, Self::start(target)).await;
        let client = opened.map_err(|_| Trouble::lost("the database does not answer"))??;
        let age = LIFETIME + Duration::from_secs(crate::retry::random_below(LIFETIME_JITTER_S));
        Ok(Self {
            client,
            target: Arc::clone(target),
            prepared: Mutex::default(),
            ends: Instant::now() + age,
            broken: AtomicBool::new(false),
            statement_limit: Duration::from_millis(statement_ms),
        })
    }

    async fn start(target: &Target) -> Result<Client, Trouble> {
        let (client, connection) = match target.config().connect(target.tls.clone()).await {
            Err(refused) if is_unsupported_option(&refused) && target.found_pooler() => {
                target.config().connect(target.tls.clone()).await?
            }
            opened => opened?,
        };
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "a connection to the database ended");
            }
        });
        Ok(client)
    }

    /// Whether it can be used for another request.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        !self.client.is_closed() && !self.broken.load(Ordering::Relaxed) && Instant::now() < self.ends
    }

    /// The session itself, for statements that the engine has of its own.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Runs a statement; answers with the number of rows changed.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was done where it says [`Then::Prepare`].
    pub async fn run(
        &self,
        statement: &Statement,
        slots: &[Value],
        on_row: OnRow<'_>,
        used: Use,
    ) -> Result<u64, Trouble> {
        let parameters = parameters(statement, slots).map_err(Trouble::answer)?;
        let work = self.execute(&statement.text, parameters, on_row);
        self.within_limit(work, used).await
    }

    /// The same after statements that have no values, sent in one flush with it.
    ///
    /// # Errors
    /// As [`Connection::run`].
    pub async fn run_after(
        &self,
        before: &'static str,
        statement: &Statement,
        slots: &[Value],
        on_row: OnRow<'_>,
    ) -> Result<u64, Trouble> {
        let parameters = parameters(statement, slots).map_err(Trouble::answer)?;
        let both = async {
            let prelude = self.client.batch_execute(before);
            let (begun, result) = join(prelude, self.execute(&statement.text, parameters, on_row)).await;
            begun.map_err(|error| self.refused(error)).and(result)
        };
        self.within_limit(both, Use::Alone).await
    }

    /// Runs statements that have no values.
    ///
    /// # Errors
    /// As [`Connection::run`].
    pub async fn control(&self, statements: &str) -> Result<(), Trouble> {
        let work = async { self.client.batch_execute(statements).await.map_err(|error| self.refused(error)) };
        self.within_limit(work, Use::Alone).await
    }

    /// Gives a statement up that takes too long: the server's own limit comes first where it
    /// could be set. The session is then asked to cancel it, and not used any more if it does not.
    ///
    /// # Errors
    /// What the statement failed with; 57014.
    pub async fn within_limit<T>(
        &self,
        work: impl Future<Output = Result<T, Trouble>>,
        used: Use,
    ) -> Result<T, Trouble> {
        let mut work = pin!(work);
        let set = if self.target.is_pooled() { Duration::ZERO } else { PATIENCE };
        if let Ok(result) = tokio::time::timeout(self.statement_limit + set, &mut work).await {
            return result;
        }
        if used == Use::Alone {
            let cancel = self.client.cancel_token();
            let cancelled = Box::pin(cancel.cancel_query(self.target.tls.clone()));
            if tokio::time::timeout(PATIENCE, cancelled).await.is_ok()
                && let Ok(result) = tokio::time::timeout(PATIENCE, work).await
            {
                return result;
            }
        }
        self.broken.store(true, Ordering::Relaxed);
        let fault = Fault::new(code::STATEMENT_TIMEOUT, "canceling statement due to statement timeout");
        Err(Trouble { failure: Failure::Fault(fault), then: Then::GaveUp })
    }

    /// Ends what runs: the request that wanted it is gone.
    pub fn abandon(self) {
        let (cancel, target) = (self.client.cancel_token(), Arc::clone(&self.target));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let asked = tokio::time::timeout(PATIENCE, cancel.cancel_query(target.tls.clone())).await;
                drop((asked, self));
            });
        }
    }

    async fn execute(
        &self,
        text: &str,
        parameters: Vec<Parameter<'_>>,
        on_row: OnRow<'_>,
    ) -> Result<u64, Trouble> {
        let sent = self.send(text, parameters).await;
        let mut rows = pin!(sent.map_err(|error| self.refused(error))?);
        let mut stopped = None;
        while let Some(row) = rows.try_next().await.map_err(|error| self.refused(error))? {
            // what comes after a fault is still read, or the session would be out of step
            if stopped.is_none() {
                stopped = on_row(&PostgresRow(&row)).err();
            }
        }
        match stopped {
            Some(fault) => Err(Trouble::answer(fault)),
            None => Ok(rows.rows_affected().unwrap_or(0)),
        }
    }

    async fn send(
        &self,
        text: &str,
        parameters: Vec<Parameter<'_>>,
    ) -> Result<RowStream, tokio_postgres::Error> {
        match self.find(text, &parameters).await? {
            Some(statement) => self.client.query_raw(&statement, parameters).await,
            None => {
                let typed = parameters.into_iter().map(|parameter| {
                    let ty = parameter.ty.clone();
                    (parameter, ty)
                });
                self.client.query_typed_raw(text, typed).await
            }
        }
    }

    /// The prepared statement of a text; none when it comes for the first time, or with
    /// parameters of other types than before.
    async fn find(
        &self,
        text: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Option<tokio_postgres::Statement>, tokio_postgres::Error> {
        if self.target.is_pooled() {
            return Ok(None);
        }
        match self.lock().look(text, parameters) {
            Found::Nothing => return Ok(None),
            Found::Statement(statement) => return Ok(Some(statement)),
            Found::Seen => {}
        }
        let types: Vec<Type> = parameters.iter().map(|parameter| parameter.ty.clone()).collect();
        let statement = Box::pin(self.client.prepare_typed(text, &types)).await?;
        self.lock().keep(text, &statement);
        Ok(Some(statement))
    }

    fn refused(&self, error: tokio_postgres::Error) -> Trouble {
        if is_pooled(&error) {
            self.target.found_pooler();
        }
        let trouble = Trouble::from(error);
        match trouble.then {
            Then::Prepare => self.forget(),
            Then::Lost => self.broken.store(true, Ordering::Relaxed),
            Then::Answer | Then::Again | Then::GaveUp => {}
        }
        trouble
    }

    /// Whether each transaction may meet another session.
    #[must_use]
    pub fn is_pooled(&self) -> bool {
        self.target.is_pooled()
    }

    /// Keeps it from further use: its settings were changed.
    pub fn retire(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    /// Closes every prepared statement: definitions have changed.
    pub fn forget(&self) {
        *self.lock() = Prepared::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Prepared> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a session has prepared, by text.
#[derive(Debug, Default)]
struct Prepared {
    known: HashMap<Box<str>, Known>,
    clock: u64,
}

#[derive(Debug)]
struct Known {
    /// None: the text came once.
    statement: Option<tokio_postgres::Statement>,
    used: u64,
}

/// What is known of a text.
enum Found {
    Nothing,
    Seen,
    Statement(tokio_postgres::Statement),
}

impl Prepared {
    fn look(&mut self, text: &str, parameters: &[Parameter<'_>]) -> Found {
        self.clock += 1;
        if let Some(known) = self.known.get_mut(text) {
            known.used = self.clock;
            let Some(statement) = &known.statement else { return Found::Seen };
            let types = parameters.iter().map(|parameter| &parameter.ty);
            return if statement.params().iter().eq(types) {
                Found::Statement(statement.clone())
            } else {
                Found::Nothing
            };
        }
        if self.known.len() >= PREPARED {
            self.close_oldest();
        }
        self.known.insert(text.into(), Known { statement: None, used: self.clock });
        Found::Nothing
    }

    fn keep(&mut self, text: &str, statement: &tokio_postgres::Statement) {
        if let Some(known) = self.known.get_mut(text) {
            known.statement = Some(statement.clone());
        }
    }

    fn close_oldest(&mut self) {
        let oldest = self.known.iter().min_by_key(|(_, known)| known.used).map(|(text, _)| text.clone());
        if let Some(oldest) = oldest {
            self.known.remove(&oldest);
        }
    }
}
