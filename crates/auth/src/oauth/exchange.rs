//! What follows a callback: the code for tokens, the tokens for a [`Person`]. Nothing of it is logged or kept but
//! what the person's identity says; what goes wrong is told to the log alone.

use super::discovery::{ProviderError, Told};
use super::flow::State;
use super::id_token::{self, Expected, IdTokenError};
use super::known::{ClientAuth, Fields, STANDARD, Verified};
use super::person::{self, Person};
use super::provider::{OAuth2, Provider, Speaks};
use super::sealed::ProviderTokens;
use crate::key_ring::KeyRing;
use crate::pkce;
use crate::service::Auth;
use crate::token::TokenError;
use backstay_outbound::egress::Call;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use url::form_urlencoded::Serializer;

/// Errors of RFC 6749 §5.2, and those of GitHub.
const ERRORS: &[&str] = &[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "incorrect_client_credentials",
    "redirect_uri_mismatch",
    "bad_verification_code",
];

#[derive(Deserialize)]
struct Tokens {
    access_token: Option<String>,
    refresh_token: Option<String>,
    id_token: Option<String>,
    token_type: Option<String>,
    error: Option<String>,
}

/// Where a service is, for one sign-in.
enum Places<'p> {
    Oidc { told: Arc<Told>, issuer: &'p str, verified: &'static str },
    OAuth2(&'p OAuth2),
}

impl Auth {
    /// Where a browser is sent to sign in; `further` are parameters that an application adds.
    pub(crate) async fn authorization_url(
        &self,
        provider: &Provider,
        scopes: &[String],
        further: &[(String, String)],
    ) -> Result<url::Url, ProviderError> {
        let places = self.places(provider).await?;
        let endpoint = match &places {
            Places::Oidc { told, .. } => &told.document.authorization_endpoint,
            Places::OAuth2(places) => &places.authorize,
        };
        let mut url = url::Url::parse(endpoint).map_err(|_| ProviderError::Form("authorize_url"))?;
        let scopes: Vec<&str> = provider.scopes.iter().chain(scopes).map(|scope| &**scope).collect();
        url.query_pairs_mut()
            .extend_pairs(further)
            .append_pair("client_id", &provider.client_id)
            .append_pair("redirect_uri", &self.callback_url())
            .append_pair("response_type", "code")
            .append_pair("scope", &scopes.join(" "));
        Ok(url)
    }

    /// Adds what belongs to one sign-in.
    pub(crate) fn with_state(
        provider: &Provider,
        mut url: url::Url,
        state: &State,
        ring: &KeyRing,
    ) -> String {
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("state", state.text());
            if provider.pkce {
                query.append_pair("code_challenge", &pkce::s256(&state.verifier(ring)));
                query.append_pair("code_challenge_method", "S256");
            }
            if matches!(provider.speaks, Speaks::Oidc { .. }) {
                query.append_pair("nonce", &state.nonce(ring));
            }
        }
        url.into()
    }

    /// Where services send browsers back to.
    pub(crate) fn callback_url(&self) -> String {
        format!("{}/callback", self.settings.issuer)
    }

    /// Whether a callback that names its issuer so is one of this service (RFC 9207): a service that says it always
    /// names itself has to.
    pub(crate) async fn is_issuer(
        &self,
        provider: &Provider,
        named: Option<&str>,
    ) -> Result<bool, ProviderError> {
        match self.places(provider).await? {
            Places::Oidc { told, issuer, .. } => {
                let always = told.document.authorization_response_iss_parameter_supported;
                Ok(named.map_or(!always, |named| named == issuer))
            }
            // nothing that is known of these services says what they would name
            Places::OAuth2(_) => Ok(true),
        }
    }

    async fn places<'p>(&self, provider: &'p Provider) -> Result<Places<'p>, ProviderError> {
        match &provider.speaks {
            Speaks::Oidc { issuer, verified } => {
                let told = self.discovery.told(&self.egress, issuer, self.clock.now_micros()).await?;
                Ok(Places::Oidc { told, issuer, verified })
            }
            Speaks::OAuth2(places) => Ok(Places::OAuth2(places)),
        }
    }

    /// Exchanges the code of a callback for the person who signed in, and for what the service gives for its doors.
    pub(crate) async fn exchange(
        &self,
        provider: &Provider,
        state: &State,
        ring: &KeyRing,
        code: &str,
    ) -> Result<(Person, ProviderTokens), ProviderError> {
        let places = self.places(provider).await?;
        let (endpoint, client_auth) = match &places {
            Places::Oidc { told, .. } => (&told.document.token_endpoint, client_auth(told)),
            Places::OAuth2(places) => (&places.token, places.client_auth),
        };
        let tokens = self.tokens(provider, endpoint, client_auth, (code, &state.verifier(ring))).await?;
        let access = tokens.access_token.ok_or(ProviderError::Form("the answer with tokens"))?;
        let person = match &places {
            Places::Oidc { told, issuer, verified } => {
                let id_token = tokens.id_token.ok_or(ProviderError::Form("the answer with tokens"))?;
                let expected = Expected {
                    issuer,
                    clients: &[&provider.client_id],
                    nonce: Some(&state.nonce(ring)),
                    access_token: Some(&access),
                    now: self.clock.now_seconds(),
                };
                self.by_id_token(provider, (told, verified), &id_token, &expected).await?
            }
            Places::OAuth2(places) => self.by_profile(provider, places, &access).await?,
        };
        Ok((person, ProviderTokens { access: Some(access), refresh: tokens.refresh_token }))
    }

    async fn tokens(
        &self,
        provider: &Provider,
        endpoint: &str,
        client_auth: ClientAuth,
        (code, verifier): (&str, &str),
    ) -> Result<Tokens, ProviderError> {
        let form = self.form(provider, client_auth, code, verifier);
        let basic = basic(provider);
        let mut headers = vec![("accept", "application/json")];
        if client_auth == ClientAuth::Header {
            headers.push(("authorization", &*basic));
        }
        let call = Call { url: endpoint, headers: &headers, form: Some(&form) };
        let answer = self.egress.call(call).await?;
        let tokens: Option<Tokens> = serde_json::from_slice(&answer.body).ok();
        // some say with 200 that they refuse
        if let Some(error) = tokens.as_ref().and_then(|tokens| tokens.error.as_ref()) {
            return Err(ProviderError::Refused(known_error(error)));
        }
        if answer.status != 200 {
            return Err(ProviderError::Status { what: "the code", status: answer.status });
        }
        let is_bearer = |tokens: &Tokens| {
            tokens.token_type.as_ref().is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"))
        };
        tokens.filter(is_bearer).ok_or(ProviderError::Form("the answer with tokens"))
    }

    fn form(&self, provider: &Provider, client_auth: ClientAuth, code: &str, verifier: &str) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code");
        form.append_pair("code", code).append_pair("redirect_uri", &self.callback_url());
        if provider.pkce {
            form.append_pair("code_verifier", verifier);
        }
        if client_auth == ClientAuth::Form {
            form.append_pair("client_id", &provider.client_id);
            form.append_pair("client_secret", provider.client_secret.expose());
        }
        form.finish()
    }

    /// The person of an ID token that an app got from the service itself.
    pub(crate) async fn person_of(
        &self,
        provider: &Provider,
        id_token: &str,
        (nonce, access_token): (Option<&str>, Option<&str>),
    ) -> Result<Person, ProviderError> {
        let Places::Oidc { told, issuer, verified } = self.places(provider).await? else {
            return Err(ProviderError::Issuer);
        };
        let clients: Vec<&str> = std::iter::once(&provider.client_id)
            .chain(&provider.id_token_clients)
            .map(String::as_str)
            .collect();
        let now = self.clock.now_seconds();
        let expected = Expected { issuer, clients: &clients, nonce, access_token, now };
        self.by_id_token(provider, (&told, verified), id_token, &expected).await
    }

    /// The person of an ID token; where it has no e-mail address, with what the service says of the same person.
    async fn by_id_token(
        &self,
        provider: &Provider,
        (told, verified): (&Arc<Told>, &'static str),
        id_token: &str,
        expected: &Expected<'_>,
    ) -> Result<Person, ProviderError> {
        let fields = Fields { verified: Verified::True(verified), ..STANDARD };
        let claims = match id_token::verify(id_token, &told.keys, expected) {
            Err(IdTokenError::Token(TokenError::UnknownKey)) => {
                let now = self.clock.now_micros();
                let anew = self.discovery.told_anew(&self.egress, expected.issuer, now).await?;
                id_token::verify(id_token, &anew.keys, expected)?
            }
            verified => verified?,
        };
        let mut claims = Value::Object(claims);
        if claims.get("email").is_none()
            && let (Some(endpoint), Some(access)) = (&told.document.userinfo_endpoint, expected.access_token)
        {
            let more = self.document(endpoint, access, "the profile").await?;
            if more.get("sub") != claims.get("sub") {
                return Err(ProviderError::Subject);
            }
            if let (Value::Object(claims), Value::Object(more)) = (&mut claims, more) {
                for (name, value) in more {
                    // what was signed stands
                    claims.entry(name).or_insert(value);
                }
            }
        }
        person::read(expected.issuer, &fields, &claims, None, provider.trust_email)
            .ok_or(ProviderError::Form("the ID token"))
    }

    async fn by_profile(
        &self,
        provider: &Provider,
        places: &OAuth2,
        access: &str,
    ) -> Result<Person, ProviderError> {
        let profile = self.document(&places.user, access, "the profile").await?;
        let listed = match &places.emails {
            Some(url) => Some(self.document(url, access, "the list of e-mail addresses").await?),
            None => None,
        };
        person::read(&places.issuer, &places.fields, &profile, listed.as_ref(), provider.trust_email)
            .ok_or(ProviderError::Form("the profile"))
    }

    async fn document(&self, url: &str, access: &str, what: &'static str) -> Result<Value, ProviderError> {
        let bearer = format!("Bearer {access}");
        let headers = [("accept", "application/json"), ("authorization", &*bearer)];
        let answer = self.egress.call(Call { url, headers: &headers, form: None }).await?;
        if answer.status != 200 {
            return Err(ProviderError::Status { what, status: answer.status });
        }
        serde_json::from_slice(&answer.body).map_err(|_| ProviderError::Form(what))
    }
}

/// In the form where the service takes that, as most do; else as the specification has it.
fn client_auth(told: &Told) -> ClientAuth {
    let methods = &told.document.token_endpoint_auth_methods_supported;
    if methods.iter().any(|method| method == "client_secret_post") {
        ClientAuth::Form
    } else {
        ClientAuth::Header
    }
}

/// RFC 6749 §2.3.1: both are URL-encoded first.
fn basic(provider: &Provider) -> String {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(&provider.client_id), encode(provider.client_secret.expose()));
    format!("Basic {}", BASE64.encode(pair))
}

/// What a service says, where it is one of the words that are known: anything else may hold what it was sent.
fn known_error(text: &str) -> &'static str {
    ERRORS.iter().find(|known| **known == text).copied().unwrap_or("something that is no known error")
}
