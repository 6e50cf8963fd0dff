//! [`Pool`]: connections that are opened when they are needed, kept, and closed when
//! they are old. Those who wait are counted: where too many do, the next is refused at
//! once. The database may be down when the pool is made.

use crate::address::Address;
use crate::connection::{Connection, Connector};
use crate::error::OpenError;
use crate::flavour::Flavour;
use crate::retry::{Attempts, random};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use backstay_engine::Work;
use backstay_engine::reading::Reading;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// How long a request waits for a connection, in milliseconds.
const WAIT_MS: u64 = 10_000;

/// How long a connection is kept at least, in seconds; up to half as much comes on top.
const LIFETIME_S: u64 = 1_800;

/// The connections of one process.
#[derive(Debug)]
pub struct Pool {
    connector: Connector,
    idle: Mutex<Vec<Connection>>,
    connections: usize,
    permits: Arc<Semaphore>,
    waiting: [AtomicUsize; 2],
    queues: [usize; 2],
    generation: AtomicU64,
    flavour: OnceLock<&'static Flavour>,
}

/// Who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A read.
    Read,
    /// A write.
    Write,
}

/// A connection that goes back to the pool, unless something is wrong with it.
#[derive(Debug)]
pub struct Pooled<'p> {
    pool: &'p Pool,
    connection: Option<Connection>,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// [`OpenError`], when certificates cannot be read.
    pub fn new(address: Address, limits: &Limits) -> Result<Self, OpenError> {
        let connections = address.connections;
        let permits = Arc::new(Semaphore::new(connections));
        Ok(Self {
            connector: Connector::new(address, limits.statement_ms)?,
            idle: Mutex::default(),
            connections,
            permits,
            waiting: [AtomicUsize::new(0), AtomicUsize::new(0)],
            queues: [limits.read_queue, limits.write_queue],
            generation: AtomicU64::new(0),
            flavour: OnceLock::new(),
        })
    }

    /// How connections are made.
    #[must_use]
    pub const fn connector(&self) -> &Connector {
        &self.connector
    }

    /// A connection: the one used last, or a new one.
    ///
    /// # Errors
    /// 53400 when too many wait already, PGRST003 after a long wait, PGRST000 when the database cannot be reached.
    pub async fn take(&self, purpose: Purpose) -> Result<Pooled<'_>, Fault> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.wait(purpose).await?,
        };
        let mut idle = self.idle();
        while let Some(connection) = &mut idle
            && !connection.is_alive().await
        {
            idle = self.idle();
        }
        let connection = match idle {
            Some(connection) => connection,
            None => self.open().await?,
        };
        Ok(Pooled { pool: self, connection: Some(connection), _permit: permit })
    }

    /// Which server it is.
    ///
    /// # Errors
    /// As [`Pool::take`].
    pub async fn flavour(&self) -> Result<&'static Flavour, Fault> {
        match self.flavour.get() {
            Some(flavour) => Ok(*flavour),
            None => Ok(self.take(Purpose::Read).await?.flavour()),
        }
    }

    /// Closes connections that are idle, and those in use when they come back: the server
    /// they lead to went away, or definitions changed.
    pub fn renew(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Runs something on connections of the pool, again where the database undid it.
    ///
    /// # Errors
    /// The last fault.
    pub async fn repeat<'w, T>(&self, work: impl Fn() -> Work<'w, T>) -> Result<T, Fault> {
        let mut attempts = Attempts::new();
        loop {
            match work().await {
                Ok(done) => return Ok(done),
                Err(fault) => self.again(&mut attempts, fault).await?,
            }
        }
    }

    /// After a failure: waits and allows another attempt, or says why not.
    ///
    /// # Errors
    /// The fault itself, when it is final.
    pub async fn again(&self, attempts: &mut Attempts, fault: Fault) -> Result<(), Fault> {
        if fault.code == code::CONNECTION_LOST {
            // the others most likely lead to the same server
            self.renew();
        }
        attempts.again(fault).await
    }

    fn idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(connection) = idle.pop() {
            if connection.expires > Instant::now() {
                return Some(connection);
            }
        }
        None
    }

    async fn open(&self) -> Result<Connection, Fault> {
        let generation = self.generation.load(Ordering::Acquire);
        let mut connection = self.connector.connect().await?;
        connection.generation = generation;
        let lifetime = LIFETIME_S + random() % (LIFETIME_S / 2);
        connection.expires = Instant::now() + Duration::from_secs(lifetime);
        let known = *self.flavour.get_or_init(|| connection.flavour());
        if std::ptr::eq(known, connection.flavour()) {
            return Ok(connection);
        }
        Err(Fault::new(code::NO_DATABASE, "the hosts of the database are not of one kind"))
    }

    /// How many connections there are, and who waits for one.
    #[must_use]
    pub fn readings(&self) -> Vec<Reading> {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let leased = self.connections.saturating_sub(self.permits.available_permits());
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).len();
        let [reads, writes] = [0, 1].map(|queue: usize| {
            self.waiting.get(queue).map_or(0, |waiting| count(waiting.load(Ordering::Relaxed)))
        });
        let gauge = Reading::gauge;
        vec![
            gauge("backstay_pool_leased", "Connections that a script has for itself.", count(leased)),
            gauge("backstay_pool_idle", "Connections that nobody uses.", count(idle)),
            gauge("backstay_pool_reads_waiting", "Reads that wait for a connection.", reads),
            gauge("backstay_pool_writes_waiting", "Writes that wait for a connection.", writes),
        ]
    }

    async fn wait(&self, purpose: Purpose) -> Result<OwnedSemaphorePermit, Fault> {
        let _place = Place::among(self, purpose)?;
        let acquired = Arc::clone(&self.permits).acquire_owned();
        match timeout(Duration::from_millis(WAIT_MS), acquired).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(closed)) => Err(Fault::internal("the pool of connections is closed").with_source(closed)),
            Err(late) => {
                let words = "no connection to the database became free in time; nothing was done";
                Err(Fault::new(code::POOL_TIMEOUT, words).with_source(late))
            }
        }
    }
}

impl Deref for Pooled<'_> {
    type Target = Connection;

    #[expect(clippy::expect_used, reason = "only dropping takes it away")]
    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("a pooled connection is there until it is dropped")
    }
}

impl DerefMut for Pooled<'_> {
    #[expect(clippy::expect_used, reason = "only dropping takes it away")]
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("a pooled connection is there until it is dropped")
    }
}

impl Drop for Pooled<'_> {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let current = connection.generation == self.pool.generation.load(Ordering::Acquire);
        if connection.is_idle() && current {
            connection.rest();
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

/// A place among those who wait.
struct Place<'p>(&'p AtomicUsize);

impl<'p> Place<'p> {
    fn among(pool: &'p Pool, purpose: Purpose) -> Result<Self, Fault> {
        let [reads, writes] = &pool.waiting;
        let [most_reads, most_writes] = pool.queues;
        let (waiting, most, words) = match purpose {
            Purpose::Read => (reads, most_reads, "too many reads are waiting; nothing was done"),
            Purpose::Write => (writes, most_writes, "too many writes are waiting; nothing was done"),
        };
        let place = Self(waiting);
        if waiting.fetch_add(1, Ordering::Relaxed) >= most {
            return Err(Fault::new(code::TOO_MANY_REQUESTS, words));
        }
        Ok(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
