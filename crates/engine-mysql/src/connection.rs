//! [`Connection`]: one connection with its settings and prepared statements. Every
//! connection of the process is made here. An address enters; what runs on the
//! connection, it does not know.

use crate::address::{Address, Host, TlsMode};
use crate::error::{OpenError, fault, is_lost, timed_out, unknown_outcome};
use crate::flavour::Flavour;
use crate::tls;
use backstay_base::code;
use backstay_base::fault::Fault;
use mysql_async::prelude::{Queryable, ToValue};
use mysql_async::{Conn, DriverError, Error, IoError, Opts, OptsBuilder, Params, Statement};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// Prepared statements that a connection keeps.
const CACHED_STATEMENTS: usize = 256;

/// How much longer than the server we wait for a statement, in milliseconds: the server's
/// own limit comes first unless it does not answer at all.
const GRACE_MS: u64 = 2_000;

/// How long a connection is believed to be what it was when it was used last.
const TRUSTED: Duration = Duration::from_millis(500);

/// The server shuts down, or somebody killed the connection: whatever ran may have been done.
const ENDED: &[u16] = &[1053, 1927];

/// Bytes of a packet that are neither text nor values.
const OVERHEAD: usize = 1_024;

/// What is no batch cannot be run as one.
const NO_BATCH: u16 = 1295;

/// How a comparison with a pattern of a request or rule stands in a statement.
const PATTERN: &str = " REGEXP ?";

/// The number of the warning about a pattern that the server gave up.
const GAVE_UP: u16 = 1139;

/// Everything that makes answers depend on how a server is set up. What does not fit its
/// column is refused; times are UTC; messages are those that [`crate::error`] reads.
const SETTINGS: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', lc_messages = 'en_US', group_concat_max_len = 1073741824, autocommit = 1, div_precision_increment = 8, foreign_key_checks = 1, unique_checks = 1; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// How a server is reached.
#[derive(Debug)]
pub struct Connector {
    address: Address,
    options: Vec<(Host, Opts)>,
    plain: Vec<Opts>,
    statement_ms: u64,
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    conn: Conn,
    flavour: &'static Flavour,
    statements: HashMap<Box<str>, (Statement, u64)>,
    used: u64,
    /// Largest packet that the server takes.
    packet_bytes: usize,
    statement_ms: u64,
    usable: bool,
    busy: bool,
    in_transaction: bool,
    silent: bool,
    references_wait: bool,
    /// Whether the server takes a batch as one statement, once it was asked.
    batches: Option<bool>,
    idle_since: Instant,
    /// Which generation of connections it belongs to.
    pub generation: u64,
    /// When it is closed though nothing is wrong with it.
    pub expires: Instant,
}

impl Connector {
    /// Reads certificates; connects to nothing.
    ///
    /// # Errors
    /// [`OpenError`], when certificates cannot be read.
    pub fn new(address: Address, statement_ms: u64) -> Result<Self, OpenError> {
        let tls = tls::options(&address.tls)?;
        let of = |host: &Host, tls| {
            let builder = OptsBuilder::default()
                .ip_or_hostname(host.name.clone())
                .tcp_port(host.port)
                .user(Some(address.user.clone()))
                .pass(address.password.as_ref().map(|password| password.expose().clone()))
                .db_name((!address.database.is_empty()).then(|| address.database.clone()))
                .prefer_socket(false)
                .tcp_nodelay(true)
                .tcp_keepalive(Some(Duration::from_secs(10)))
                .stmt_cache_size(0)
                .client_found_rows(true)
                .ssl_opts(tls);
            Opts::from(builder)
        };
        let options = address.hosts.iter().map(|host| (host.clone(), of(host, tls.clone()))).collect();
        let plain = match address.tls.mode {
            TlsMode::Preferred => address.hosts.iter().map(|host| of(host, None)).collect(),
            _ => Vec::new(),
        };
        Ok(Self { address, options, plain, statement_ms })
    }

    /// To another database of the same server.
    ///
    /// # Errors
    /// When certificates cannot be read any more.
    pub fn elsewhere(&self, database: &str) -> Result<Self, Fault> {
        Self::new(self.address.with_database(database), self.statement_ms).map_err(|error| {
            Fault::new(code::NO_DATABASE, "the database cannot be reached").with_source(error)
        })
    }

    /// Connects to the first host that answers and takes writes.
    ///
    /// # Errors
    /// PGRST000, when none does.
    pub async fn connect(&self) -> Result<Connection, Fault> {
        let mut last = Fault::new(code::NO_DATABASE, "the database cannot be reached");
        for (index, (host, options)) in self.options.iter().enumerate() {
            let deadline = Instant::now() + self.address.connect_timeout;
            match timeout_at(deadline, self.open(options.clone(), self.plain.get(index))).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(cause)) => {
                    tracing::warn!(host.name = host.name, host.port, error = ?cause, "the database refuses a connection");
                    last = cause;
                }
                Err(_) => {
                    tracing::warn!(host.name = host.name, host.port, "the database does not answer");
                }
            }
        }
        Err(last)
    }

    async fn open(&self, options: Opts, plain: Option<&Opts>) -> Result<Connection, Fault> {
        let mut conn = match (Conn::new(options).await, plain) {
            (Err(Error::Driver(DriverError::NoClientSslFlagFromServer)), Some(plain)) => {
                Conn::new(plain.clone()).await.map_err(unreachable)?
            }
            (result, _) => result.map_err(unreachable)?,
        };
        let asked: Option<(String, bool, usize)> = conn
            .query_first("SELECT version(), @@global.read_only, @@max_allowed_packet")
            .await
            .map_err(unreachable)?;
        let (version, read_only, packet_bytes) = asked.unwrap_or_default();
        let flavour = Flavour::of(&version)?;
        if read_only && self.options.len() > 1 {
            return Err(Fault::new(code::NO_DATABASE, "the database takes no writes on this host"));
        }
        let settings = [&[SETTINGS.to_owned()], (flavour.settings)(self.statement_ms).as_slice()].concat();
        conn.query_drop(settings.join("; ")).await.map_err(unreachable)?;
        Ok(Connection {
            conn,
            flavour,
            statements: HashMap::new(),
            used: 0,
            packet_bytes,
            statement_ms: self.statement_ms,
            usable: true,
            busy: false,
            in_transaction: false,
            silent: false,
            references_wait: false,
            batches: None,
            idle_since: Instant::now(),
            generation: 0,
            expires: Instant::now(),
        })
    }
}

impl Connection {
    /// Which server this is.
    #[must_use]
    pub const fn flavour(&self) -> &'static Flavour {
        self.flavour
    }

    /// Whether somebody else may have it: nothing is wrong with it, and it is in the middle of
    /// nothing. Whoever stops waiting for a statement leaves it in the middle.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.usable && !self.busy && !self.in_transaction
    }

    /// Whether the last statement had no answer: what it did is not known.
    #[must_use]
    pub const fn is_silent(&self) -> bool {
        self.silent
    }

    /// Whether it can be used after a while: a server that was started anew does not know it.
    pub async fn is_alive(&mut self) -> bool {
        if self.idle_since.elapsed() < TRUSTED {
            return true;
        }
        self.busy = true;
        let alive = matches!(timeout(TRUSTED, self.conn.ping()).await, Ok(Ok(())));
        self.busy = !alive;
        alive
    }

    /// From when on nobody needs it.
    pub fn rest(&mut self) {
        self.idle_since = Instant::now();
    }

    /// References are not looked at by the database until the end of the transaction that follows.
    ///
    /// # Errors
    /// Whatever the server refuses it with.
    pub async fn defer_references(&mut self) -> Result<(), Fault> {
        self.references_wait = true;
        self.control("SET SESSION foreign_key_checks = 0").await.map_err(Refusal::into_fault)
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// Whatever the server refuses it with.
    pub async fn begin(&mut self, kind: Transaction) -> Result<(), Fault> {
        self.in_transaction = true;
        self.control(kind.text()).await.map_err(Refusal::into_fault)
    }

    /// Makes what the transaction wrote durable.
    ///
    /// # Errors
    /// 08007 where nobody can know whether it happened; else nothing of it did.
    pub async fn commit(&mut self) -> Result<(), Fault> {
        match self.control("COMMIT").await {
            Ok(()) => {
                self.in_transaction = false;
                self.look_at_references().await;
                Ok(())
            }
            Err(refusal) => {
                self.usable = false;
                Err(refusal.of_commit())
            }
        }
    }

    /// Undoes what the transaction wrote; a connection that does not answer is given up, and the
    /// server undoes it by itself.
    pub async fn rollback(&mut self) {
        if !self.usable {
            return;
        }
        match self.control("ROLLBACK").await {
            Ok(()) => {
                self.in_transaction = false;
                self.look_at_references().await;
            }
            Err(refusal) => {
                self.usable = false;
                tracing::debug!(error = ?refusal, "a transaction could not be rolled back");
            }
        }
    }

    async fn look_at_references(&mut self) {
        if self.references_wait {
            self.references_wait = false;
            self.usable &= self.control("SET SESSION foreign_key_checks = 1").await.is_ok();
        }
    }

    /// The number by which the server knows it.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.conn.id()
    }

    /// Runs a prepared statement, hands its rows on, and answers with the number of rows matched.
    ///
    /// # Errors
    /// Whatever the server refuses it with, or a fault of `on_row`.
    pub async fn execute(
        &mut self,
        text: &str,
        values: Vec<mysql_async::Value>,
        on_row: &mut (dyn FnMut(mysql_async::Row) -> Result<(), Fault> + Send),
    ) -> Result<u64, Refusal> {
        self.refuse_size(text.len() + size_of_values(&values))?;
        let deadline = self.deadline();
        self.busy = true;
        let work = self.execute_within(text, values, on_row);
        // dropped in the middle, a connection is in a state that nobody knows
        let result = match timeout_at(deadline, work).await {
            Ok(result) => result,
            Err(_) => Err(Refusal::Fault(timed_out())),
        };
        self.judge(result)
    }

    /// Whether a batch is one statement. Where the server does not say that it takes any, the driver
    /// runs row after row, each for itself; it does not tell which it does, but no server takes
    /// a batch of this statement.
    ///
    /// # Errors
    /// Whatever the server refuses the question with.
    pub async fn takes_batches(&mut self) -> Result<bool, Fault> {
        if let Some(known) = self.batches {
            return Ok(known);
        }
        let rows = [vec![mysql_async::Value::Int(1)], vec![mysql_async::Value::Int(2)]].to_vec();
        let known = match self.execute_each("DO ?", rows).await {
            Ok(_) => false,
            Err(refusal) if refusal.number() == Some(NO_BATCH) => true,
            Err(refusal) => return Err(refusal.into_fault()),
        };
        self.batches = Some(known);
        Ok(known)
    }

    /// Runs a prepared statement for each of many rows of values; in a batch where the server takes one.
    ///
    /// # Errors
    /// Whatever the server refuses it with.
    pub async fn execute_each(
        &mut self,
        text: &str,
        rows: Vec<Vec<mysql_async::Value>>,
    ) -> Result<u64, Refusal> {
        let bytes: usize = rows.iter().map(|values| size_of_values(values)).sum();
        self.refuse_size(bytes + text.len())?;
        let deadline = self.deadline();
        self.busy = true;
        let work = async {
            let statement = self.prepared(text).await?;
            self.conn.exec_batch(statement, rows.into_iter().map(Params::Positional)).await?;
            Ok(self.conn.affected_rows())
        };
        let result = match timeout_at(deadline, work).await {
            Ok(result) => result.map_err(Refusal::Server),
            Err(_) => Err(Refusal::Fault(timed_out())),
        };
        self.judge(result)
    }

    /// Refuses what is larger than the server takes: a batch in parts would be more than one statement.
    fn refuse_size(&self, bytes: usize) -> Result<(), Refusal> {
        if bytes + OVERHEAD <= self.packet_bytes {
            return Ok(());
        }
        let words = "a value or statement is too large";
        Err(Refusal::Fault(Fault::new(code::TOO_COMPLEX, words)))
    }

    /// Runs statements of the program that have neither values nor rows.
    ///
    /// # Errors
    /// Whatever the server refuses one with.
    pub async fn control(&mut self, text: &str) -> Result<(), Refusal> {
        let deadline = self.deadline();
        self.busy = true;
        let result = match timeout_at(deadline, self.conn.query_drop(text)).await {
            Ok(result) => result.map_err(Refusal::Server),
            Err(_) => Err(Refusal::Fault(timed_out())),
        };
        self.judge(result)
    }

    /// Runs a statement that somebody wrote, however long it takes; nothing of it is kept.
    ///
    /// # Errors
    /// Whatever the server refuses it with.
    pub async fn control_patiently(&mut self, text: &str) -> Result<(), Refusal> {
        self.busy = true;
        let result = self.conn.query_drop(text).await.map_err(Refusal::Server);
        self.judge(result)
    }

    /// How many rows the last statement changed.
    #[must_use]
    pub fn affected(&self) -> u64 {
        self.conn.affected_rows()
    }

    /// Rows of a fixed statement of the program.
    ///
    /// # Errors
    /// Whatever the server refuses it with.
    pub async fn rows(
        &mut self,
        text: &'static str,
        values: &[&(dyn ToValue + Sync)],
    ) -> Result<Vec<mysql_async::Row>, Fault> {
        let values = values.iter().map(|value| value.to_value()).collect();
        let mut rows = Vec::new();
        let mut keep = |row| {
            rows.push(row);
            Ok(())
        };
        self.execute(text, values, &mut keep).await.map_err(Refusal::into_fault)?;
        Ok(rows)
    }

    fn deadline(&self) -> Instant {
        Instant::now() + Duration::from_millis(self.statement_ms.saturating_add(GRACE_MS))
    }

    fn judge<T>(&mut self, result: Result<T, Refusal>) -> Result<T, Refusal> {
        self.busy = false;
        self.silent = match &result {
            Ok(_) => false,
            Err(Refusal::Server(Error::Server(server))) => ENDED.contains(&server.code),
            Err(Refusal::Server(_)) => true,
            Err(Refusal::Fault(fault)) => fault.code == code::STATEMENT_TIMEOUT,
        };
        match &result {
            Ok(_) => {}
            Err(Refusal::Server(error)) => self.usable &= !is_lost(error) && !error.is_fatal(),
            // a fault of ours leaves rows unread only where the time was over
            Err(Refusal::Fault(fault)) => self.usable &= fault.code != code::STATEMENT_TIMEOUT,
        }
        result
    }

    async fn execute_within(
        &mut self,
        text: &str,
        values: Vec<mysql_async::Value>,
        on_row: &mut (dyn FnMut(mysql_async::Row) -> Result<(), Fault> + Send),
    ) -> Result<u64, Refusal> {
        let statement = self.prepared(text).await.map_err(Refusal::Server)?;
        let mut answer =
            self.conn.exec_iter(statement, Params::Positional(values)).await.map_err(Refusal::Server)?;
        let mut refused = None;
        while let Some(row) = answer.next().await.map_err(Refusal::Server)? {
            if refused.is_none() {
                refused = on_row(row).err();
            }
        }
        let affected = answer.affected_rows();
        answer.drop_result().await.map_err(Refusal::Server)?;
        match refused {
            Some(fault) => Err(Refusal::Fault(fault)),
            None if text.contains(PATTERN) && self.conn.get_warnings() > 0 => {
                self.unfinished_pattern().await?;
                Ok(affected)
            }
            None => Ok(affected),
        }
    }

    /// A comparison with a pattern that the server gave up counts as one that found nothing,
    /// with a warning: refused, for nobody knows what it would have found.
    async fn unfinished_pattern(&mut self) -> Result<(), Refusal> {
        let warnings = self.conn.get_warnings();
        let shown: Vec<(String, u16, String)> =
            self.conn.query("SHOW WARNINGS").await.map_err(Refusal::Server)?;
        // what does not fit in the server's list cannot be told from it
        let hidden = usize::from(warnings) > shown.len();
        if hidden || shown.iter().any(|(_, number, _)| *number == GAVE_UP) {
            let fault = Fault::new(code::TOO_COMPLEX, "a pattern takes too long to compare");
            return Err(Refusal::Fault(fault.with_hint("use a simpler pattern")));
        }
        Ok(())
    }

    /// The statement of a text; the one used longest ago makes room.
    async fn prepared(&mut self, text: &str) -> Result<Statement, Error> {
        self.used += 1;
        if let Some((statement, used)) = self.statements.get_mut(text) {
            *used = self.used;
            return Ok(statement.clone());
        }
        if self.statements.len() >= CACHED_STATEMENTS
            && let Some(oldest) =
                self.statements.iter().min_by_key(|(_, (_, used))| *used).map(|(text, _)| text.clone())
            && let Some((statement, _)) = self.statements.remove(&oldest)
        {
            self.conn.close(statement).await?;
        }
        let statement = self.conn.prep(text).await?;
        self.statements.insert(text.into(), (statement.clone(), self.used));
        Ok(statement)
    }

    /// Forgets prepared statements: definitions changed.
    pub fn forget(&mut self) {
        self.statements.clear();
    }

    /// Closes it in good order.
    pub async fn close(self) {
        if let Err(error) = self.conn.disconnect().await {
            tracing::debug!(error = ?error, "a connection could not be closed in good order");
        }
    }
}

/// About how many bytes values are on their way.
fn size_of_values(values: &[mysql_async::Value]) -> usize {
    let value = |value: &mysql_async::Value| match value {
        mysql_async::Value::Bytes(bytes) => bytes.len() + 10,
        _ => 16,
    };
    values.iter().map(value).sum()
}

/// Why something did not run.
#[derive(Debug)]
pub enum Refusal {
    /// The server or the driver said so.
    Server(Error),
    /// We did.
    Fault(Fault),
}

impl Refusal {
    /// Outside of constraints.
    #[must_use]
    pub fn into_fault(self) -> Fault {
        match self {
            Self::Server(error) => fault(error),
            Self::Fault(fault) => fault,
        }
    }

    /// The number of the server's error.
    #[must_use]
    pub const fn number(&self) -> Option<u16> {
        match self {
            Self::Server(Error::Server(server)) => Some(server.code),
            Self::Server(_) | Self::Fault(_) => None,
        }
    }

    /// What it means that a COMMIT (or a write that is its own transaction) failed so. Only an
    /// answer that says that everything was undone is one.
    #[must_use]
    pub fn of_commit(self) -> Fault {
        match self {
            Self::Server(error) => {
                let known = fault(error);
                match known.code {
                    code::DEADLOCK | code::SERIALIZATION_FAILURE | code::DISK_FULL => known,
                    _ => unknown_outcome(known),
                }
            }
            Self::Fault(fault) => unknown_outcome(fault),
        }
    }
}

/// Why no connection came about. One that was lost while it was made may be tried again.
fn unreachable(error: Error) -> Fault {
    let begun = match &error {
        Error::Io(IoError::Io(io)) => {
            [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&io.kind())
        }
        _ => false,
    };
    let known = fault(error);
    if begun || known.code == code::NO_DATABASE {
        return known;
    }
    let message = "the database cannot be reached".to_owned();
    Fault { code: code::NO_DATABASE, message, ..known }
}

/// How a transaction begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    /// One state of the database for all statements; nothing is written.
    Snapshot,
    /// Writes that see what others made durable.
    Write,
    /// Writes as if one transaction ran after the other.
    Serializable,
}

impl Transaction {
    const fn text(self) -> &'static str {
        match self {
            Self::Snapshot => {
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
            }
            Self::Write => "START TRANSACTION",
            Self::Serializable => "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; START TRANSACTION",
        }
    }
}
