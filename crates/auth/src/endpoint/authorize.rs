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
use uuid::Uuid;

/// Says that a browser was sent here from another name of this machine.
const CAME_BY: &str = "came_by";
/// A sign-in that was begun already.
const FLOW: &str = "flow";
/// Parameters of this endpoint and of the protocol, which an application does not set at the service.
const RESERVED: &[&str] = &[
    "apikey",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    CAME_BY,
    FLOW,
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
        let flow = self.wanted(request, provider, None)?;
        let (scopes, further) = (scopes(request)?, further(request)?);
        if request.parameter("skip_http_redirect") == Some("true") {
            return Response::json(200, &json!({ "url": self.own_address(request, None) }));
        }
        if self.is_elsewhere(request) {
            let headers =
                vec![("Location", self.own_address(request, None)), ("Cache-Control", "no-store".to_owned())];
            return Ok(Response { status: 302, headers, body: Vec::new() });
        }
        let url = self
            .authorization_url(provider, &scopes, &further)
            .await
            .map_err(|error| Refusal { source: Some(error.into()), ..Refusal::provider_away() })?;
        let (ring, settings) = (self.ring()?, &self.settings);
        let state = match request.decoded(FLOW) {
            Some(begun) => self.begun_flow(catalog, &ring, &provider.name, &begun).await?,
            None => self.begin_flow(catalog, &ring, flow).await?,
        };
        let headers = vec![
            ("Location", Self::with_state(provider, url, &state, &ring)),
            ("Set-Cookie", state.set_cookie(&ring, &settings.issuer, settings.flow_s)),
            ("Cache-Control", "no-store".to_owned()),
            ("Referrer-Policy", "no-referrer".to_owned()),
        ];
        Ok(Response { status: 302, headers, body: Vec::new() })
    }

    /// The sign-in that a request asks for.
    pub(super) fn wanted(
        &self,
        request: &Request<'_>,
        provider: &Provider,
        session: Option<Uuid>,
    ) -> Result<Flow, Refusal> {
        let (challenge, method) =
            (request.decoded("code_challenge"), request.decoded("code_challenge_method"));
        let settings = &self.settings;
        let challenge = pkce::challenge(challenge.as_deref(), method.as_deref(), settings.pkce_plain)?;
        let wanted = request.decoded("redirect_to");
        let redirect_to = redirect::target(wanted.as_deref(), &settings.site_url, &settings.redirect_urls);
        Ok(Flow { provider: provider.name.clone(), redirect_to, challenge, session })
    }

    /// Whether the browser calls this machine by another name than the one that services send it back to, as `localhost` for
    /// `127.0.0.1`: its cookie would not come back. Where there is a public address, that is a matter of the proxy.
    fn is_elsewhere(&self, request: &Request<'_>) -> bool {
        let own = url::Url::parse(&self.settings.issuer).ok();
        let own = own.as_ref().map(url::Url::authority);
        let called = request.header("host");
        !self.settings.issuer_is_public
            && called.is_some_and(|called| own.is_some_and(|own| !called.eq_ignore_ascii_case(own)))
            && request.parameter(CAME_BY).is_none()
    }

    /// The address that the browser has to come by for its cookie; with a sign-in that was begun already, where there is one.
    pub(super) fn own_address(&self, request: &Request<'_>, begun: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(request.query.unwrap_or_default().as_bytes()) {
            let is_own = name == "skip_http_redirect" || name == CAME_BY;
            if !is_own && (begun.is_none() || name != FLOW) {
                query.append_pair(&name, &value);
            }
        }
        if let Some(begun) = begun {
            query.append_pair(FLOW, begun);
        }
        if self.is_elsewhere(request) {
            // no circle, should a proxy change the name
            query.append_pair(CAME_BY, "1");
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
