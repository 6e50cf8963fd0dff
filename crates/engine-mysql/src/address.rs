//! [`Address`]: where a database is and how it is spoken to, read from a URL:
//! `mysql://user:password@host:3306,other:3306/database?ssl-mode=verify-identity`.
//! Nothing is connected here; passwords never print.

use crate::error::OpenError;
use backstay_base::secret::Secret;
use std::path::PathBuf;
use std::time::Duration;

/// Port where a URL names none.
const DEFAULT_PORT: u16 = 3306;

/// Connections that a node opens at most, where a URL says nothing.
const DEFAULT_CONNECTIONS: usize = 32;

/// Most connections that a URL may ask for.
const MOST_CONNECTIONS: usize = 1_000;

/// How long a host may take to answer a new connection, where a URL says nothing, in milliseconds.
const DEFAULT_CONNECT_MS: u64 = 5_000;

/// A database, perhaps on one of several hosts.
#[derive(Debug, Clone)]
pub struct Address {
    /// Hosts in the order in which they are tried.
    pub hosts: Vec<Host>,
    /// Who connects.
    pub user: String,
    /// The password; none where the account has none.
    pub password: Option<Secret<String>>,
    /// The database.
    pub database: String,
    /// Whether and how the connection is encrypted.
    pub tls: Tls,
    /// Most connections of this process.
    pub connections: usize,
    /// How long a host may take to answer a new connection.
    pub connect_timeout: Duration,
}

/// One host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Name or address.
    pub name: String,
    /// Port.
    pub port: u16,
}

/// Encryption, in the words of the `mysql` program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Which.
    pub mode: TlsMode,
    /// Certificates to trust instead of those of the system.
    pub authorities: Option<PathBuf>,
    /// The name that the server's certificate must bear, where it is not the one in the URL.
    pub name: Option<String>,
    /// Certificate and key to show to the server.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// How much encryption is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// Never.
    Disabled,
    /// Where the server can; nothing is verified.
    #[default]
    Preferred,
    /// Always; nothing is verified.
    Required,
    /// Always; an authority must vouch for the server under the name in the URL.
    VerifyIdentity,
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`OpenError::Url`] names what is wrong, never the password.
    pub fn parse(url: &str) -> Result<Self, OpenError> {
        let rest = ["mysql://", "mariadb://"].iter().find_map(|scheme| url.strip_prefix(scheme));
        let rest = rest.ok_or_else(|| wrong("it begins with mysql:// or mariadb://"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (account, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match account.split_once(':') {
            Some((user, password)) => (user, Some(Secret::new(decoded(password)?))),
            None => (account, None),
        };
        let user = if user.is_empty() { "root".to_owned() } else { decoded(user)? };
        let mut address = Self {
            hosts: hosts.split(',').map(host).collect::<Result<_, _>>()?,
            user,
            password,
            database: decoded(database)?,
            tls: Tls::default(),
            connections: DEFAULT_CONNECTIONS,
            connect_timeout: Duration::from_millis(DEFAULT_CONNECT_MS),
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            address.set(name, &decoded(value)?)?;
        }
        Ok(address)
    }

    /// The same server with another database, or with none.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        Self { database: database.to_owned(), ..self.clone() }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), OpenError> {
        let number = |most: u64| match value.parse::<u64>() {
            Ok(number) if (1..=most).contains(&number) => Ok(number),
            Ok(_) | Err(_) => Err(wrong(&format!("{name} is a number from 1 to {most}"))),
        };
        match name.replace('_', "-").as_str() {
            "ssl-mode" => self.tls.mode = tls_mode(value)?,
            "ssl-name" => self.tls.name = Some(value.to_owned()),
            "ssl-ca" => self.tls.authorities = Some(PathBuf::from(value)),
            "ssl-cert" => {
                let key = self.tls.identity.take().map_or_else(PathBuf::new, |(_, key)| key);
                self.tls.identity = Some((PathBuf::from(value), key));
            }
            "ssl-key" => {
                let certificate = self.tls.identity.take().map_or_else(PathBuf::new, |(it, _)| it);
                self.tls.identity = Some((certificate, PathBuf::from(value)));
            }
            "connections" => {
                self.connections = usize::try_from(number(MOST_CONNECTIONS as u64)?).unwrap_or(1);
            }
            "connect-timeout-ms" => self.connect_timeout = Duration::from_millis(number(600_000)?),
            _ => {
                return Err(wrong(&format!(
                    "it has no parameter \"{name}\"; there are ssl-mode, ssl-name, ssl-ca, ssl-cert, ssl-key, connections, connect-timeout-ms"
                )));
            }
        }
        Ok(())
    }
}

fn host(text: &str) -> Result<Host, OpenError> {
    // an IPv6 address stands in brackets
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, rest)) => (name, rest.strip_prefix(':')),
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        Some(port) => port.parse().map_err(|_| wrong("a port is a number up to 65535"))?,
        None => DEFAULT_PORT,
    };
    if name.is_empty() {
        return Err(wrong("a host is missing"));
    }
    Ok(Host { name: name.to_owned(), port })
}

fn tls_mode(value: &str) -> Result<TlsMode, OpenError> {
    match value.to_ascii_lowercase().replace('_', "-").as_str() {
        "disabled" => Ok(TlsMode::Disabled),
        "preferred" => Ok(TlsMode::Preferred),
        "required" => Ok(TlsMode::Required),
        "verify-identity" => Ok(TlsMode::VerifyIdentity),
        // the driver knows no verification without a name
        "verify-ca" => {
            Err(wrong("there is no ssl-mode verify-ca; verify-identity takes another name by ssl-name"))
        }
        _ => Err(wrong("ssl-mode is disabled, preferred, required or verify-identity")),
    }
}

/// Takes `%41` apart.
fn decoded(text: &str) -> Result<String, OpenError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or_else(|| wrong("a % is followed by two hexadecimal digits"))?);
        rest = rest.get(2..).unwrap_or_default();
    }
    String::from_utf8(bytes).map_err(|_| wrong("it is UTF-8"))
}

fn wrong(rule: &str) -> OpenError {
    OpenError::Url(rule.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_url() {
        let url = "mysql://us%40er:p%3Aw%2F@a,b:3307,[::1]:3308/d%20b?ssl-mode=VERIFY_IDENTITY&ssl-ca=/ca.pem&connections=7";
        let address = Address::parse(url).unwrap();
        let host = |name: &str, port| Host { name: name.to_owned(), port };
        assert_eq!(address.hosts, [host("a", 3306), host("b", 3307), host("::1", 3308)]);
        assert_eq!(address.user, "us@er");
        assert_eq!(address.password, Some(Secret::new("p:w/".to_owned())));
        assert_eq!(address.database, "d b");
        assert_eq!(address.tls.mode, TlsMode::VerifyIdentity);
        assert_eq!(address.tls.authorities, Some(PathBuf::from("/ca.pem")));
        assert_eq!(address.connections, 7);
        assert!(!format!("{address:?}").contains("p:w"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (url, words) in [
            ("postgres://u:hidden@h/d", "mysql://"),
            ("mysql://u:hidden@h:x/d", "port"),
            ("mysql://u:hidden@/d", "host"),
            ("mysql://u:hidden%zz@h/d", "hexadecimal"),
            ("mysql://u:hidden@h/d?ssl-mode=on", "ssl-mode"),
            ("mysql://u:hidden@h/d?pool=3", "no parameter \"pool\""),
            ("mysql://u:hidden@h/d?connections=0", "1 to 1000"),
        ] {
            let error = Address::parse(url).unwrap_err().to_string();
            assert!(error.contains(words), "{url}: {error}");
            assert!(!error.contains("hidden"), "{error}");
        }
    }
}
