//! [`Pool`]: the connections of one node to one database. A few are shared by every short
//! read, pipelined; transactions and long reads have one to themselves. What waits is bounded
//! in number and time. A database that is away is asked again by whoever comes next.

use crate::connection::Connection;
use crate::error::{Then, Trouble, unreachable_fault};
use crate::retry::Attempts;
use crate::target::Target;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use backstay_engine::reading::Reading;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most connections that are shared.
const MOST_SHARED: usize = 8;

/// Most connections that are being opened at a time: a storm of them would keep the database from work.
const OPENING: usize = 4;

/// Longest wait for a connection of one's own.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How long after a refused connection others are refused without asking.
const REST: Duration = Duration::from_millis(100);

/// How long after the last good sign a lost connection is thought to be a restart.
const RECENT: Duration = Duration::from_secs(30);

/// The connections to one database.
#[derive(Debug)]
pub struct Pool {
    target: Arc<Target>,
    shared: Vec<Slot>,
    next: AtomicUsize,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
    opening: Semaphore,
    health: Mutex<Health>,
    reads: Queue,
    writes: Queue,
    statement_ms: u64,
}

/// The place of a shared connection.
#[derive(Debug, Default)]
struct Slot {
    current: Mutex<Option<Arc<Connection>>>,
    opening: tokio::sync::Mutex<()>,
}

/// When the database was reached last, and when not.
#[derive(Debug, Default)]
struct Health {
    reached: Option<Instant>,
    refused: Option<Instant>,
}

/// Who waits, and how many may.
#[derive(Debug)]
struct Queue {
    inside: AtomicUsize,
    most: usize,
    full: &'static str,
}

/// A place in a queue.
#[derive(Debug)]
struct Place<'q>(&'q AtomicUsize);

/// What a connection is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reading.
    Read,
    /// Writing.
    Write,
}

impl Pool {
    /// Nothing is connected yet.
    #[must_use]
    pub fn new(target: Target, limits: &Limits) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let shared = (2 * cores).min(MOST_SHARED);
        Self {
            shared: std::iter::repeat_with(Slot::default).take(shared).collect(),
            next: AtomicUsize::new(0),
            idle: Mutex::default(),
            permits: Arc::new(Semaphore::new(target.connections)),
            opening: Semaphore::new(OPENING),
            health: Mutex::default(),
            reads: Queue::new(limits.read_queue, "too many reads are waiting; nothing was done"),
            writes: Queue::new(limits.write_queue, "too many writes are waiting; nothing was done"),
            statement_ms: limits.statement_ms,
            target: Arc::new(target),
        }
    }

    /// The next of the shared connections.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn share(&self) -> Result<Arc<Connection>, Trouble> {
        let number = self.next.fetch_add(1, Ordering::Relaxed) % self.shared.len().max(1);
        let slot = self
            .shared
            .get(number)
            .ok_or_else(|| Trouble::answer(Fault::internal("there are no places for shared connections")))?;
        if let Some(connection) = slot.usable() {
            return Ok(connection);
        }
        let _alone = slot.opening.lock().await;
        if let Some(connection) = slot.usable() {
            return Ok(connection);
        }
        // opening is rare and large: it does not grow the work that waits for it
        let connection = Arc::new(Box::pin(self.open()).await?);
        *slot.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&connection));
        Ok(connection)
    }

    /// A connection of one's own.
    ///
    /// # Errors
    /// 53400 when too many wait for one, PGRST003 when none becomes free in time, or when the
    /// database cannot be reached.
    pub async fn take(&self, purpose: Purpose) -> Result<Lease<'_>, Trouble> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.wait(purpose).await.map_err(Trouble::answer)?,
        };
        let idle = loop {
            let idle = self.lock_idle().pop();
            match idle {
                Some(connection) if !connection.is_usable() => {}
                found => break found,
            }
        };
        let connection = match idle {
            Some(connection) => connection,
            None => Box::pin(self.open()).await?,
        };
        Ok(Lease { pool: self, connection: Some(connection), _permit: permit })
    }

    /// How many connections there are, and who waits for one.
    #[must_use]
    pub fn readings(&self) -> Vec<Reading> {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let leased = self.target.connections.saturating_sub(self.permits.available_permits());
        let shared = self.shared.iter().filter_map(Slot::usable).count();
        let waiting = |queue: &Queue| count(queue.inside.load(Ordering::Relaxed));
        let gauge = Reading::gauge;
        vec![
            gauge("backstay_pool_shared", "Connections that all single statements share.", count(shared)),
            gauge("backstay_pool_leased", "Connections that a transaction has for itself.", count(leased)),
            gauge("backstay_pool_idle", "Connections that nobody uses.", count(self.lock_idle().len())),
            gauge("backstay_pool_reads_waiting", "Reads that wait for a connection.", waiting(&self.reads)),
            gauge(
                "backstay_pool_writes_waiting",
                "Writes that wait for a connection.",
                waiting(&self.writes),
            ),
        ]
    }

    async fn wait(&self, purpose: Purpose) -> Result<OwnedSemaphorePermit, Fault> {
        let _place = match purpose {
            Purpose::Read => self.reads.enter(),
            Purpose::Write => self.writes.enter(),
        }?;
        match tokio::time::timeout(LONGEST_WAIT, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(closed)) => Err(Fault::internal("the pool of connections is closed").with_source(closed)),
            Err(_) => {
                let message = "no connection to the database became free in time; nothing was done";
                Err(Fault::new(code::POOL_TIMEOUT, message))
            }
        }
    }

    /// Forgets what idle and shared connections have prepared: definitions have changed.
    pub fn forget_statements(&self) {
        for connection in self.lock_idle().iter() {
            connection.forget();
        }
        for connection in self.shared.iter().filter_map(Slot::usable) {
            connection.forget();
        }
    }

    /// Pauses, where beginning anew may help.
    ///
    /// # Errors
    /// The fault, where it may not.
    pub async fn again(&self, trouble: Trouble, attempts: &mut Attempts) -> Result<(), Fault> {
        let worth = match trouble.then {
            Then::Again | Then::Prepare => true,
            Then::Lost => self.was_reached_lately(),
            Then::Answer | Then::GaveUp => false,
        };
        if worth && attempts.another().await {
            tracing::debug!(reason = ?trouble.then, "work is begun anew");
            return Ok(());
        }
        Err(trouble.into_fault())
    }

    /// Whether a lost connection may be worth another attempt: the database was there a moment ago.
    fn was_reached_lately(&self) -> bool {
        self.lock_health().reached.is_some_and(|reached| reached.elapsed() < RECENT)
    }

    async fn open(&self) -> Result<Connection, Trouble> {
        let permit = self.opening.acquire().await;
        if permit.is_err() || self.is_resting() {
            let failure = unreachable_fault().with_source("it was not there a moment ago").into();
            return Err(Trouble { failure, then: Then::Lost });
        }
        let opened = Connection::open(&self.target, self.statement_ms).await;
        let mut health = self.lock_health();
        match opened {
            Ok(connection) => {
                *health = Health { reached: Some(Instant::now()), refused: None };
                Ok(connection)
            }
            Err(trouble) => {
                health.refused = Some(Instant::now());
                // whatever the server said: there is no session
                let failure = unreachable_fault().with_source(trouble.into_fault()).into();
                Err(Trouble { failure, then: Then::Lost })
            }
        }
    }

    fn is_resting(&self) -> bool {
        self.lock_health().refused.is_some_and(|refused| refused.elapsed() < REST)
    }

    fn lock_idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_health(&self) -> std::sync::MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn usable(&self) -> Option<Arc<Connection>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|connection| connection.is_usable()).map(Arc::clone)
    }
}

impl Queue {
    const fn new(most: usize, full: &'static str) -> Self {
        Self { inside: AtomicUsize::new(0), most, full }
    }

    fn enter(&self) -> Result<Place<'_>, Fault> {
        let place = Place(&self.inside);
        if self.inside.fetch_add(1, Ordering::Relaxed) >= self.most {
            return Err(Fault::new(code::TOO_MANY_REQUESTS, self.full));
        }
        Ok(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection of one's own, until [`Lease::give_back`]. Dropped before that, what runs on
/// it is cancelled and the connection closed: the request was abandoned.
#[derive(Debug)]
pub struct Lease<'p> {
    pool: &'p Pool,
    connection: Option<Connection>,
    _permit: OwnedSemaphorePermit,
}

impl Lease<'_> {
    /// For the next one who needs it.
    pub fn give_back(mut self) {
        if let Some(connection) = self.connection.take().filter(Connection::is_usable) {
            self.pool.lock_idle().push(connection);
        }
    }
}

impl Deref for Lease<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("it is taken only when the lease ends")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.abandon();
        }
    }
}
