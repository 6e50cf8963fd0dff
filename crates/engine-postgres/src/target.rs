//! [`Target`]: which database, from its URL. `postgres://user:password@host1,host2/name?…`
//! with libpq's parameters enters; what opens connections leaves. Nothing here connects.
//!
//! Parameters of libpq: `sslmode` (`disable`, `prefer` (the default), `require`, `verify-ca`,
//! `verify-full`), `sslrootcert`, `sslcert`, `sslkey`, `application_name`, `connect_timeout`,
//! `target_session_attrs` (here `read-write` unless said otherwise), `load_balance_hosts`,
//! `channel_binding`, `keepalives…`. Our own: `pooler=transaction` (a pooler between us and
//! the database hands each transaction to another session), `connections` (the most that are
//! open for transactions and long reads).

use crate::error::OpenError;
use crate::tls::{self, Files, Verify};
use backstay_base::secret::Secret;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::form_urlencoded;

/// Connections for transactions and long reads, where the URL says nothing.
const CONNECTIONS: usize = 24;

/// Longest wait for a connection to be made, where the URL says nothing.
const CONNECT_WAIT: Duration = Duration::from_secs(5);

/// How long what was sent may stay unacknowledged.
const UNACKNOWLEDGED: Duration = Duration::from_secs(15);

/// How long a connection is silent before the other side is probed, how often, and how many
/// probes go unanswered before it is gone: what stands between forgets connections without a word.
const SILENCE: Duration = Duration::from_secs(60);
const PROBE: Duration = Duration::from_secs(10);
const PROBES: u32 = 3;

/// Bounds of how long a session may do nothing within a transaction, in milliseconds.
const LEAST_IDLE_MS: u64 = 10_000;
const MOST_IDLE_MS: u64 = 24 * 60 * 60 * 1000;

/// A database, not yet reached.
pub struct Target {
    config: Config,
    /// Settings of a session, where they can be given when it starts.
    options: String,
    /// What encrypts.
    pub tls: MakeRustlsConnect,
    /// Most connections for transactions and long reads.
    pub connections: usize,
    /// Longest wait for a connection to be made.
    pub connect_wait: Duration,
    /// The session may be another one for each transaction.
    pooled: AtomicBool,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("pooled", &self.pooled).finish_non_exhaustive()
    }
}

/// Our part of the parameters.
#[derive(Debug, Default)]
struct Own {
    mode: Option<String>,
    files: Files,
    pooled: bool,
    connections: Option<usize>,
    attributes: bool,
    keepalives: bool,
}

impl Target {
    /// Reads a URL; `statement_ms` is how long a statement may take.
    ///
    /// # Errors
    /// [`OpenError`], when it does not parse or names files that cannot be read.
    pub fn parse(url: &Secret<String>, statement_ms: u64) -> Result<Self, OpenError> {
        let (base, own) = split(url.expose())?;
        let mut config: Config = base.parse().map_err(|cause| unreadable(&cause))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(OpenError::Url("it names no host".to_owned()));
        }
        let verify = encryption(&mut config, &own)?;
        if config.get_application_name().is_none() {
            config.application_name("backstay");
        }
        if !own.attributes {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let connect_wait = config.get_connect_timeout().copied().unwrap_or(CONNECT_WAIT);
        config.connect_timeout(connect_wait);
        if !own.keepalives {
            config.keepalives_idle(SILENCE).keepalives_interval(PROBE).keepalives_retries(PROBES);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNACKNOWLEDGED);
        }
        let options = [
            config.get_options().unwrap_or_default(),
            " -c TimeZone=UTC -c jit=off -c client_min_messages=warning -c statement_timeout=",
            &statement_ms.to_string(),
            // a node that froze within a transaction keeps nobody waiting for ever
            " -c idle_in_transaction_session_timeout=",
            &statement_ms.saturating_mul(2).clamp(LEAST_IDLE_MS, MOST_IDLE_MS).to_string(),
        ]
        .concat();
        Ok(Self {
            config,
            options: options.trim_start().to_owned(),
            tls: tls::connector(verify, &own.files)?,
            connections: own.connections.unwrap_or(CONNECTIONS),
            connect_wait,
            pooled: AtomicBool::new(own.pooled),
        })
    }

    /// How to connect now: without settings where a pooler would not pass them on.
    #[must_use]
    pub fn config(&self) -> Config {
        let mut config = self.config.clone();
        if !self.is_pooled() {
            config.options(self.options.as_str());
        }
        config
    }

    /// Whether each transaction may meet another session: nothing is prepared then.
    #[must_use]
    pub fn is_pooled(&self) -> bool {
        self.pooled.load(Ordering::Relaxed)
    }

    /// Remembers that a pooler was met. Whether that was news.
    pub fn found_pooler(&self) -> bool {
        let news = !self.pooled.swap(true, Ordering::Relaxed);
        if news {
            tracing::warn!("a pooler in transaction mode was met: statements are not kept prepared");
        }
        news
    }

    /// The same for reading from any node, a replica among them.
    #[must_use]
    pub fn any_node(mut self) -> Self {
        self.config.target_session_attrs(TargetSessionAttrs::Any);
        self
    }
}

/// The URL without our parameters, and those.
fn split(url: &str) -> Result<(String, Own), OpenError> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    if !base.starts_with("postgres://") && !base.starts_with("postgresql://") {
        return Err(OpenError::Url("it does not begin with postgres://".to_owned()));
    }
    let mut own = Own::default();
    let mut kept: Vec<&str> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = form_urlencoded::parse(pair.as_bytes()).next().unwrap_or_default();
        let path = || Some(PathBuf::from(value.as_ref()));
        match name.as_ref() {
            "sslmode" => own.mode = Some(value.into_owned()),
            "sslrootcert" => own.files.root = path().filter(|path| path.as_os_str() != "system"),
            "sslcert" => own.files.certificate = path(),
            "sslkey" => own.files.key = path(),
            "pooler" => own.pooled = pooler(&value)?,
            "connections" => own.connections = Some(count(&value)?),
            known => {
                own.attributes |= known == "target_session_attrs";
                own.keepalives |= known.starts_with("keepalives");
                kept.push(pair);
            }
        }
    }
    let rest = kept.join("&");
    Ok((if rest.is_empty() { base.to_owned() } else { [base, "?", &rest].concat() }, own))
}

fn pooler(value: &str) -> Result<bool, OpenError> {
    match value {
        "transaction" => Ok(true),
        "session" | "none" => Ok(false),
        _ => Err(OpenError::Url("`pooler` is `transaction`, `session` or `none`".to_owned())),
    }
}

fn count(value: &str) -> Result<usize, OpenError> {
    let number = value.parse().ok().filter(|number| (1..=10_000).contains(number));
    number.ok_or_else(|| OpenError::Url("`connections` is a number from 1 to 10000".to_owned()))
}

/// As libpq: a root file makes `require` ask for a certificate of that root.
fn encryption(config: &mut Config, own: &Own) -> Result<Verify, OpenError> {
    let (mode, verify) = match own.mode.as_deref() {
        Some("disable") => (SslMode::Disable, Verify::Nothing),
        None | Some("prefer" | "allow") => (SslMode::Prefer, Verify::Nothing),
        Some("require") if own.files.root.is_some() => (SslMode::Require, Verify::Root),
        Some("require") => (SslMode::Require, Verify::Nothing),
        Some("verify-ca") => (SslMode::Require, Verify::Root),
        Some("verify-full") => (SslMode::Require, Verify::RootAndName),
        Some(_) => return Err(OpenError::Url("`sslmode` is not one that libpq knows".to_owned())),
    };
    config.ssl_mode(mode);
    Ok(verify)
}

/// The driver's words: they name parameters, never their values.
fn unreadable(cause: &tokio_postgres::Error) -> OpenError {
    use std::error::Error as _;
    OpenError::Url(cause.source().map_or_else(|| cause.to_string(), ToString::to_string))
}

#[cfg(test)]
mod tests;
