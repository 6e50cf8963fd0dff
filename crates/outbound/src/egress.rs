//! [`Egress`]: requests of this server to services that its configuration names, or that such a service names. It
//! asks hosts of the open internet over HTTPS; every address that a name has is looked at, and one that was looked at
//! is what is connected to. It follows no redirect, knows no proxy, keeps no cookie, and waits and reads within limits.
//! Knows nothing of what it asks for.

use crate::address::{is_among, is_global};
use ipnet::IpNet;
use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use url::{Host, Url};

/// What [`Egress::new`] needs.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What may be asked besides the open internet, over HTTP as well.
    pub allow: Vec<Allowed>,
    /// Largest answer, in bytes.
    pub answer_bytes: usize,
    /// Longest wait for a whole answer.
    pub wait: Duration,
}

/// Something that may be asked besides the open internet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// Addresses.
    Network(IpNet),
    /// A name, whatever addresses it has.
    Host(String),
}

/// The client, cheap to clone.
#[derive(Debug, Clone)]
pub struct Egress(Arc<Way>);

#[derive(Debug)]
struct Way {
    allow: Arc<Allow>,
    answer_bytes: usize,
    wait: Duration,
    /// Made when somebody is asked first: it reads the certificates of the system, which a server that asks nobody
    /// needs not have.
    client: OnceLock<Client>,
}

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Where to.
    pub url: &'a str,
    /// Header names and values.
    pub headers: &'a [(&'static str, &'a str)],
    /// The body of a `POST`, URL-encoded; none for a `GET`.
    pub form: Option<&'a str>,
}

/// What came back.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Answer {
    /// Bodies hold tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[answer {} of {} bytes]", self.status, self.body.len())
    }
}

/// Why there is no answer. Texts name hosts, never what was sent.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No URL that is asked.
    #[error("{0} is no URL that is asked: it takes https and no user name")]
    Url(String),
    /// An address that is not of the open internet, or a name that has one.
    #[error("{0} has an address that is not of the open internet; `[outbound] allow` may allow it")]
    Address(String),
    /// The answer took too long.
    #[error("{0} did not answer within egress_ms")]
    Late(String),
    /// The answer is too large.
    #[error("the answer of {0} is larger than egress_bytes")]
    Large(String),
    /// Anything that goes wrong on a network.
    #[error("{0} could not be asked: {1}")]
    Network(String, String),
    /// A header that cannot be sent.
    #[error("a header for {0} cannot be sent")]
    Header(String),
}

impl Egress {
    /// A client that has asked nobody yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let Settings { allow, answer_bytes, wait } = settings;
        let allow = Arc::new(Allow { listed: allow });
        Self(Arc::new(Way { allow, answer_bytes, wait, client: OnceLock::new() }))
    }

    fn client(&self) -> Result<&Client, Failure> {
        if let Some(client) = self.0.client.get() {
            return Ok(client);
        }
        // once for the process; a second call finds it there
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .dns_resolver(Checked(Arc::clone(&self.0.allow)))
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .timeout(self.0.wait)
            .user_agent("backstay")
            .build()
            .map_err(|error| Failure::Network("the client".to_owned(), words(error)))?;
        Ok(self.0.client.get_or_init(|| client))
    }

    /// Whether this URL would be asked, as far as it can be told without looking its name up.
    ///
    /// # Errors
    /// [`Failure::Url`], [`Failure::Address`].
    pub fn admits(&self, url: &str) -> Result<(), Failure> {
        self.0.allow.url(url).map(drop)
    }

    /// Asks.
    ///
    /// # Errors
    /// Every [`Failure`]; one of the network, too, when the system gives no certificates to check others by.
    pub async fn call(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let (url, host) = self.0.allow.url(call.url)?;
        let client = self.client()?;
        let mut headers = HeaderMap::new();
        for (name, value) in call.headers {
            let mut value = HeaderValue::from_str(value).map_err(|_| Failure::Header(host.clone()))?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
        let request = match call.form {
            Some(form) => {
                let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
                headers.insert(reqwest::header::CONTENT_TYPE, form_type);
                client.post(url).body(form.to_owned())
            }
            None => client.get(url),
        };
        let failed = |error| failure(&host, error);
        let mut response = request.headers(headers).send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > self.0.answer_bytes {
                return Err(Failure::Large(host));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }
}

/// What may be asked.
#[derive(Debug)]
struct Allow {
    listed: Vec<Allowed>,
}

impl Allow {
    /// The URL with its host, where it may be asked. A name is looked up, and its addresses looked at, later.
    fn url(&self, text: &str) -> Result<(Url, String), Failure> {
        let url = Url::parse(text).map_err(|_| Failure::Url("a text".to_owned()))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let wrong = || Failure::Url(format!("{}://{host}", url.scheme()));
        if !url.username().is_empty() || url.password().is_some() || !matches!(url.scheme(), "http" | "https")
        {
            return Err(wrong());
        }
        let is_secure = url.scheme() == "https";
        let (is_listed, address) = match url.host().ok_or_else(wrong)? {
            Host::Domain(name) => (self.lists_name(name), None),
            Host::Ipv4(address) => (self.lists(address.into()), Some(IpAddr::from(address))),
            Host::Ipv6(address) => (self.lists(address.into()), Some(IpAddr::from(address))),
        };
        if !is_listed && address.is_some_and(|address| !is_global(address)) {
            return Err(Failure::Address(host));
        }
        // in the clear only where somebody said so
        if is_secure || is_listed { Ok((url, host)) } else { Err(wrong()) }
    }

    fn lists_name(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.');
        self.listed.iter().any(|one| matches!(one, Allowed::Host(host) if host.eq_ignore_ascii_case(name)))
    }

    fn lists(&self, address: IpAddr) -> bool {
        self.listed.iter().any(|one| match one {
            Allowed::Network(net) => is_among(std::slice::from_ref(net), address),
            Allowed::Host(host) => host.trim_matches(['[', ']']).parse() == Ok(address),
        })
    }

    /// Whether a name with these addresses may be asked: all of them, since any may be taken.
    fn admits(&self, name: &str, addresses: &[SocketAddr]) -> bool {
        let fits = |address: &SocketAddr| is_global(address.ip()) || self.lists(address.ip());
        self.lists_name(name) || addresses.iter().all(fits)
    }
}

/// Looks names up, and gives no address that may not be asked.
struct Checked(Arc<Allow>);

/// Found among the causes of an error of the client.
#[derive(Debug, thiserror::Error)]
#[error("an address that is not of the open internet")]
struct Inner;

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let allow = Arc::clone(&self.0);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if !allow.admits(name.as_str(), &found) {
                return Err(Inner.into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

fn failure(host: &str, error: reqwest::Error) -> Failure {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(found) = cause {
        if found.is::<Inner>() {
            return Failure::Address(host.to_owned());
        }
        cause = found.source();
    }
    if error.is_timeout() {
        return Failure::Late(host.to_owned());
    }
    Failure::Network(host.to_owned(), words(error))
}

/// What went wrong, without the URL: a query may hold a secret.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(found) = cause {
        words.push_str(": ");
        words.push_str(&found.to_string());
        cause = found.source();
    }
    words
}

#[cfg(test)]
mod tests;
