//! [`Discovery`]: what issuers tell of themselves: where browsers are sent, where codes are exchanged, with which keys
//! they sign. Asked for when it is needed first, and again when it is old or a key is unknown; a service that
//! does not answer is left in peace for a moment.

use super::jwk::Keys;
use super::provider::{Provider, Speaks};
use backstay_outbound::egress::{Call, Egress, Failure};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;

const SECOND_MICROS: i64 = 1_000_000;
/// How long what a service told is believed: an hour.
const BELIEVED_MICROS: i64 = 3_600 * SECOND_MICROS;
/// Keys are not asked for again sooner because one was unknown: a minute.
const KEYS_MICROS: i64 = 60 * SECOND_MICROS;
/// How long a service that did not answer is not asked.
const PEACE_MICROS: i64 = 5 * SECOND_MICROS;

/// Why a service cannot be signed in with. For the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    #[error(transparent)]
    Egress(#[from] Failure),
    #[error("{what} was answered with {status}")]
    Status { what: &'static str, status: u16 },
    #[error("{0} is not of the form that it should have")]
    Form(&'static str),
    #[error("the service says {0}")]
    Refused(&'static str),
    #[error("discovery tells of another issuer")]
    Issuer,
    #[error(transparent)]
    IdToken(#[from] super::id_token::IdTokenError),
    #[error("the profile is of another person than the ID token")]
    Subject,
    #[error("it did not answer a moment ago")]
    Peace,
}

/// The document of an issuer.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Document {
    issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
    pub(crate) userinfo_endpoint: Option<String>,
    jwks_uri: String,
    #[serde(default)]
    pub(crate) token_endpoint_auth_methods_supported: Vec<String>,
    /// Whether its answers say by whom they are (RFC 9207).
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// What an issuer told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) document: Document,
    pub(crate) keys: Keys,
    at: i64,
}

#[derive(Debug, Default)]
struct Known {
    told: Option<Arc<Told>>,
    /// When it did not answer last.
    failed_at: Option<i64>,
}

/// What all issuers told; a place for each that is configured, and no more.
#[derive(Debug)]
pub(crate) struct Discovery {
    known: HashMap<String, Mutex<Known>>,
}

impl Discovery {
    pub(crate) fn of(providers: &[Provider]) -> Self {
        let issuers = providers.iter().filter_map(|provider| match &provider.speaks {
            Speaks::Oidc { issuer, .. } => Some(issuer.clone()),
            Speaks::OAuth2(_) => None,
        });
        Self { known: issuers.map(|issuer| (issuer, Mutex::default())).collect() }
    }

    /// What an issuer tells. `now` is in microseconds.
    ///
    /// # Errors
    /// When it cannot be asked, or tells something else than it should.
    pub(crate) async fn told(
        &self,
        egress: &Egress,
        issuer: &str,
        now: i64,
    ) -> Result<Arc<Told>, ProviderError> {
        self.younger(egress, issuer, now, BELIEVED_MICROS).await
    }

    /// As [`Discovery::told`], because a key was unknown.
    ///
    /// # Errors
    /// As [`Discovery::told`].
    pub(crate) async fn told_anew(
        &self,
        egress: &Egress,
        issuer: &str,
        now: i64,
    ) -> Result<Arc<Told>, ProviderError> {
        self.younger(egress, issuer, now, KEYS_MICROS).await
    }

    /// What was told less than so long ago. One request asks, others wait for what it hears.
    async fn younger(
        &self,
        egress: &Egress,
        issuer: &str,
        now: i64,
        most: i64,
    ) -> Result<Arc<Told>, ProviderError> {
        let known = self.known.get(issuer).ok_or(ProviderError::Issuer)?;
        let mut known = known.lock().await;
        let is_young = |at: i64, most: i64| (0..most).contains(&now.saturating_sub(at));
        if let Some(told) = known.told.as_ref().filter(|told| is_young(told.at, most)) {
            return Ok(Arc::clone(told));
        }
        if known.failed_at.is_some_and(|at| is_young(at, PEACE_MICROS)) {
            return Err(ProviderError::Peace);
        }
        match ask(egress, issuer, now).await {
            Ok(told) => {
                let told = Arc::new(told);
                *known = Known { told: Some(Arc::clone(&told)), failed_at: None };
                Ok(told)
            }
            Err(error) => {
                known.failed_at = Some(now);
                Err(error)
            }
        }
    }
}

async fn ask(egress: &Egress, issuer: &str, now: i64) -> Result<Told, ProviderError> {
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let document = get(egress, &url, "discovery").await?;
    let document: Document =
        serde_json::from_slice(&document).map_err(|_| ProviderError::Form("discovery"))?;
    if document.issuer != issuer {
        return Err(ProviderError::Issuer);
    }
    egress.admits(&document.authorization_endpoint)?;
    let keys = get(egress, &document.jwks_uri, "the key set").await?;
    let keys = Keys::read(&keys).ok_or(ProviderError::Form("the key set"))?;
    Ok(Told { document, keys, at: now })
}

async fn get(egress: &Egress, url: &str, what: &'static str) -> Result<Vec<u8>, ProviderError> {
    let answer = egress.call(Call { url, headers: &[("accept", "application/json")], form: None }).await?;
    if answer.status == 200 {
        Ok(answer.body)
    } else {
        Err(ProviderError::Status { what, status: answer.status })
    }
}
