//! `POST /token?grant_type=id_token`: an app has an ID token from the service itself. The provider is one that is
//! configured, never one that the request or the token names; a token is good once.

use crate::endpoint::Request;
use crate::key_ring::fingerprint;
use crate::oauth::discovery::ProviderError;
use crate::oauth::provider::{Provider, Speaks};
use crate::refusal::Refusal;
use crate::schema::OAUTH_FLOW;
use crate::service::Auth;
use crate::statement::{Step, insert, text};
use crate::wire::Response;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;

/// How a session says that it began.
const METHOD: &str = "oauth";
/// How long it is remembered that a token was used, in microseconds: a day, longer than services let one be good.
const REMEMBERED_MICROS: i64 = 86_400_000_000;

#[derive(Deserialize)]
struct Body {
    provider: Option<String>,
    id_token: Option<String>,
    access_token: Option<String>,
    nonce: Option<String>,
}

impl Auth {
    pub(super) async fn token_id_token(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        let body: Body = request.json()?;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let id_token = given(body.id_token).ok_or_else(|| Refusal::validation("id_token required"))?;
        let name = given(body.provider).ok_or_else(|| Refusal::validation("provider required"))?;
        let speaks = |provider: &&Provider| matches!(provider.speaks, Speaks::Oidc { .. });
        let provider = self.provider_named(&name).filter(speaks).ok_or_else(Refusal::provider_disabled)?;
        // the service was given its hash
        let nonce = given(body.nonce).map(|nonce| hex_sha256(&nonce));
        let access_token = given(body.access_token);
        let person = self
            .person_of(provider, &id_token, (nonce.as_deref(), access_token.as_deref()))
            .await
            .map_err(refused)?;
        let mut beginning = None;
        let entry = self
            .let_in(catalog, request, (provider, &person), |entry| {
                let begun = self.begin(entry.account.id, METHOD, request, entry.account.updated_at);
                let mut steps = begun.steps.clone();
                steps.push(used(&id_token, provider, entry.account.updated_at));
                beginning = Some(begun);
                steps
            })
            .await?;
        let beginning = beginning.ok_or_else(Refusal::unexpected)?;
        let (account, identities) = (&entry.account, &entry.identities);
        self.session_response(account, identities, &beginning.session, beginning.refresh_token)
    }
}

/// The step that notes that a token was used: of two at once one does it.
fn used(id_token: &str, provider: &Provider, now: i64) -> Step {
    let row = vec![
        ("hash", text(fingerprint(&format!("id_token {id_token}")))),
        ("provider", text(&*provider.name)),
        ("redirect_to", text("")),
        ("expires_at", Cell::Timestamp(now.saturating_add(REMEMBERED_MICROS))),
    ];
    insert(OAUTH_FLOW, row)
}

fn refused(error: ProviderError) -> Refusal {
    let refusal = match error {
        ProviderError::IdToken(_) | ProviderError::Form(_) | ProviderError::Subject => {
            Refusal::bad_id_token()
        }
        ProviderError::Egress(_)
        | ProviderError::Status { .. }
        | ProviderError::Refused(_)
        | ProviderError::Issuer
        | ProviderError::Peace => Refusal::provider_away(),
    };
    Refusal { source: Some(Box::new(error)), ..refusal }
}

fn hex_sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
