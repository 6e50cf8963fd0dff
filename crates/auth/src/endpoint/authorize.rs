//! `GET /authorize`: sends a browser to another service to sign in there.

use crate::endpoint::Request;
use crate::oauth::flow::Flow;
use crate::oauth::provider::Provider;
use crate::pkce;
use crate::redirect;
use crate::refusal::Refusal;
use crate::service::Auth;
use crate::wire::Response;
use backstay_schema::catalog::Catalog;
use serde_json::json;
use std::sync::Arc;
use url::form_urlencoded;

/// Parameters of this endpoint and of the protocol, which an application does not set at the service.
const RESERVED: &[&str] = &[
    "apikey",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "grant_type",
    "invite_token",
    "nonce",
    "provider",
    "redirect_to",
    "redirect_uri",
    "registration",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "scopes",
    "skip_http_redirect",
    "state",
];
/// Most parameters that an application adds, and the longest one, in bytes.
const FURTHER: (usize, usize) = (16, 512);

impl Auth {
    /// The service that a request names; nothing is looked up for a name that is not configured.
    pub(super) fn provider_of(&self, request: &Request<'_>) -> Result<&Provider, Refusal> {
        let name = request.decoded("provider").unwrap_or_default();
        self.provider_named(&name).ok_or_else(Refusal::provider_disabled)
    }

    pub(super) fn provider_named(&self, name: &str) -> Option<&Provider> {
        self.settings.providers.iter().find(|provider| provider.name == name)
    }

    pub(super) async fn authorize(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        let provider = self.provider_of(request)?;
        let (challenge, method) =
            (request.decoded("code_challenge"), request.decoded("code_challenge_method"));
        let challenge = pkce::challenge(challenge.as_deref(), method.as_deref(), self.settings.pkce_plain)?;
        let (scopes, further) = (scopes(request)?, further(request)?);
        if request.parameter("skip_http_redirect") == Some("true") {
            return Response::json(200, &json!({ "url": self.same_without_skip(request) }));
        }
        let url = self
            .authorization_url(provider, &scopes, &further)
            .await
            .map_err(|error| Refusal { source: Some(error.into()), ..Refusal::provider_away() })?;
        let wanted = request.decoded("redirect_to");
        let settings = &self.settings;
        let redirect_to = redirect::target(wanted.as_deref(), &settings.site_url, &settings.redirect_urls);
        let ring = self.ring()?;
        let flow = Flow { provider: provider.name.clone(), redirect_to, challenge };
        let state = self.begin_flow(catalog, &ring, flow).await?;
        let headers = vec![
            ("Location", Self::with_state(provider, url, &state, &ring)),
            ("Set-Cookie", state.set_cookie(&ring, &settings.issuer, settings.flow_s)),
            ("Cache-Control", "no-store".to_owned()),
            ("Referrer-Policy", "no-referrer".to_owned()),
        ];
        Ok(Response { status: 302, headers, body: Vec::new() })
    }

    /// The address to open instead of being sent on: the browser has to come by here for its cookie.
    fn same_without_skip(&self, request: &Request<'_>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(request.query.unwrap_or_default().as_bytes()) {
            if name != "skip_http_redirect" {
                query.append_pair(&name, &value);
            }
        }
        format!("{}/authorize?{}", self.settings.issuer, query.finish())
    }
}

/// What an application asks for besides: separated by spaces or commas (RFC 6749 §3.3).
fn scopes(request: &Request<'_>) -> Result<Vec<String>, Refusal> {
    let asked = request.decoded("scopes").unwrap_or_default();
    let scopes: Vec<String> =
        asked.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    let plain = |scope: &String| scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
    if asked.len() > FURTHER.1 || !scopes.iter().all(plain) {
        return Err(Refusal::validation("scopes are separated by spaces or commas, in 512 bytes at most"));
    }
    Ok(scopes)
}

/// What an application tells the service besides: `prompt`, `access_type`, `hd`, …
fn further(request: &Request<'_>) -> Result<Vec<(String, String)>, Refusal> {
    let pairs = form_urlencoded::parse(request.query.unwrap_or_default().as_bytes());
    let is_free = |name: &str| !RESERVED.contains(&name.to_ascii_lowercase().as_str());
    let further: Vec<(String, String)> =
        pairs.into_owned().filter(|(name, _)| is_free(name)).take(FURTHER.0 + 1).collect();
    let fits = |(name, value): &(String, String)| name.len() + value.len() <= FURTHER.1;
    if further.len() > FURTHER.0 || !further.iter().all(fits) {
        return Err(Refusal::validation("at most 16 parameters of 512 bytes go on to the provider"));
    }
    Ok(further)
}
