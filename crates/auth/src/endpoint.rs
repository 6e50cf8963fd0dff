//! The endpoints below `/auth/v1`: [`answer`] finds the one that a request means.

pub(crate) mod admin_users;
mod authorize;
mod callback;
mod email_change;
mod external;
mod health;
mod jwks;
mod logout;
mod otp;
mod recover;
mod resend;
mod settings;
mod sign_up;
mod token_id_token;
mod token_password;
mod token_pkce;
mod token_refresh;
mod user;
mod verify;

use crate::account::{Account, Identity};
use crate::identify::Credentials;
use crate::refusal::Refusal;
use crate::schema::{ACCOUNT, IDENTITY};
use crate::service::Auth;
use crate::state::SessionState;
use crate::statement::{eq, select};
use crate::verified::Verified;
use crate::wire::{self, Response};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_policy::caller::Caller;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

/// A request below `/auth/v1`.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// What follows `/auth/v1`, with its slash.
    pub path: &'a str,
    /// What follows `?`.
    pub query: Option<&'a str>,
    /// Header names (any case) and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// The whole body.
    pub body: &'a [u8],
    /// Client address.
    pub ip: IpAddr,
    /// What the request is called in the log.
    pub id: &'a str,
}

/// One endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The method.
    pub method: &'static str,
    /// The path below `/auth/v1`, with `{id}` for an account's id.
    pub path: &'static str,
    /// The whole path.
    pub route: &'static str,
}

macro_rules! endpoint {
    ($method:literal, $path:literal) => {
        Endpoint { method: $method, path: $path, route: concat!("/auth/v1", $path) }
    };
}

/// Every endpoint.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint!("GET", "/health"),
    endpoint!("GET", "/settings"),
    endpoint!("GET", "/.well-known/jwks.json"),
    endpoint!("POST", "/signup"),
    endpoint!("POST", "/token"),
    endpoint!("GET", "/verify"),
    endpoint!("POST", "/verify"),
    endpoint!("POST", "/resend"),
    endpoint!("POST", "/recover"),
    endpoint!("POST", "/otp"),
    endpoint!("GET", "/authorize"),
    endpoint!("GET", "/callback"),
    endpoint!("POST", "/callback"),
    endpoint!("GET", "/user"),
    endpoint!("PUT", "/user"),
    endpoint!("POST", "/logout"),
    endpoint!("GET", "/admin/users"),
    endpoint!("POST", "/admin/users"),
    endpoint!("GET", "/admin/users/{id}"),
    endpoint!("PUT", "/admin/users/{id}"),
    endpoint!("DELETE", "/admin/users/{id}"),
];

/// The route of [`ENDPOINTS`] that a path below `/auth/v1` takes.
#[must_use]
pub fn route(path: &str) -> Option<&'static str> {
    let path = path.trim_end_matches('/');
    let form = if path.starts_with("/admin/users/") { "/admin/users/{id}" } else { path };
    ENDPOINTS.iter().find(|endpoint| endpoint.path == form).map(|endpoint| endpoint.route)
}

/// Answers a request. Never fails: what goes wrong is written as the door's error.
pub async fn answer(auth: &Auth, request: &Request<'_>) -> Response {
    let response = auth.route(request).await.unwrap_or_else(|refusal| {
        if refusal.status >= 500 {
            tracing::error!(
                request.id = request.id,
                route = route(request.path).unwrap_or_default(),
                error = refusal.source.as_ref().map(tracing::field::display),
                "a request to the auth door failed"
            );
        }
        Response::refused(&refusal, request.headers)
    });
    response.versioned(request.headers)
}

/// Answers a request that reached no endpoint.
#[must_use]
pub fn refusal(headers: &[(&str, &str)], fault: &Fault) -> Response {
    let mut refusal = Refusal::of(fault);
    if fault.code == code::TOO_MANY_REQUESTS {
        // the server is full, whoever asks
        refusal.status = 503;
    }
    Response::refused(&refusal, headers).versioned(headers)
}

impl<'a> Request<'a> {
    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// The bearer token.
    #[must_use]
    pub fn bearer(&self) -> Option<&'a str> {
        wire::bearer(self.header("authorization")?)
    }

    /// A parameter of the query whose values need no percent-decoding.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        self.query?
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, v)| v)
    }

    /// A parameter of the query that may hold anything.
    #[must_use]
    pub fn decoded(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.query?.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The body as JSON of this form; an empty one reads as `{}`.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let body = if self.body.is_empty() { b"{}" } else { self.body };
        serde_json::from_slice(body)
            .map_err(|error| Refusal { source: Some(error.into()), ..Refusal::bad_json() })
    }
}

/// Whoever holds a valid access token of a session that goes on.
pub(crate) struct SignedIn {
    pub(crate) verified: Arc<Verified>,
    pub(crate) state: Arc<SessionState>,
}

impl Auth {
    async fn route(&self, request: &Request<'_>) -> Result<Response, Refusal> {
        let catalog = &self.catalog()?;
        let path = request.path.trim_end_matches('/');
        if let Some(id) = path.strip_prefix("/admin/users/") {
            return self.admin_user(catalog, request, id).await;
        }
        if path == "/authorize" {
            // a name that means nothing costs nothing
            self.provider_of(request)?;
        }
        self.charge_address(request, path).await?;
        match (request.method, path) {
            ("GET", "/health") => health::answer(),
            ("GET", "/settings") => settings::answer(&self.settings),
            ("GET", "/.well-known/jwks.json") => jwks::answer(&*self.ring()?),
            ("POST", "/signup") => self.sign_up(catalog, request).await,
            ("POST", "/token") => match request.parameter("grant_type") {
                Some("password") => self.token_password(catalog, request).await,
                Some("refresh_token") => self.token_refresh(catalog, request).await,
                Some("id_token") => self.token_id_token(catalog, request).await,
                Some("pkce") => self.token_pkce(catalog, request).await,
                Some(_) | None => Err(Refusal::unsupported_grant()),
            },
            ("GET", "/verify") => self.verify_link(catalog, request).await,
            ("POST", "/verify") => self.verify_code(catalog, request).await,
            ("POST", "/resend") => self.resend(catalog, request).await,
            ("POST", "/recover") => self.recover(catalog, request).await,
            ("POST", "/otp") => self.otp(catalog, request).await,
            ("GET", "/authorize") => self.authorize(catalog, request).await,
            ("GET", "/callback") => self.callback(catalog, request).await,
            ("POST", "/callback") => Ok(self.callback_form(request)),
            ("GET", "/user") => self.user_get(catalog, request).await,
            ("PUT", "/user") => self.user_put(catalog, request).await,
            ("POST", "/logout") => self.logout(catalog, request).await,
            ("GET", "/admin/users") => self.admin_users_list(catalog, request).await,
            ("POST", "/admin/users") => self.admin_users_create(catalog, request).await,
            _ if ENDPOINTS.iter().any(|known| known.path == path) => Err(Refusal::method_not_allowed()),
            _ => Err(Refusal::not_found()),
        }
    }

    async fn admin_user(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        id: &str,
    ) -> Result<Response, Refusal> {
        self.admit_admin(request).await?;
        let id = Uuid::parse_str(id).map_err(|_| Refusal::bad_user_id())?;
        match request.method {
            "GET" => self.admin_users_get(catalog, id).await,
            "PUT" => self.admin_users_update(catalog, request, id).await,
            "DELETE" => self.admin_users_delete(catalog, request, id).await,
            _ => Err(Refusal::method_not_allowed()),
        }
    }

    /// Refuses whoever holds no secret key.
    pub(crate) async fn admit_admin(&self, request: &Request<'_>) -> Result<(), Refusal> {
        match self.identify(&Credentials::of(request)).await {
            Ok(Caller::Service) => Ok(()),
            Ok(Caller::Anon | Caller::User(_) | Caller::System) => Err(Refusal::not_admin()),
            Err(fault) if fault.code == code::ANON_DISABLED => Err(Refusal::no_authorization()),
            Err(fault) if fault.code == code::JWT_INVALID || fault.code == code::JWT_CLAIMS => {
                Err(Refusal { status: 401, message: fault.message, ..Refusal::bad_jwt() })
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Whoever holds the bearer token.
    pub(crate) async fn signed_in(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<SignedIn, Refusal> {
        let token = request.bearer().ok_or_else(Refusal::no_authorization)?;
        let verified = self
            .verify(catalog, token)
            .await?
            .map_err(|error| Refusal { source: Some(Box::new(error)), ..Refusal::bad_jwt() })?;
        let state = self.session_state(catalog, &verified).await?.ok_or_else(Refusal::session_not_found)?;
        if state.banned_until.is_some_and(|until| until > self.clock.now_micros()) {
            return Err(Refusal::user_banned());
        }
        Ok(SignedIn { verified, state })
    }

    /// An account with its identities.
    pub(crate) async fn account(
        &self,
        catalog: &Arc<Catalog>,
        id: Uuid,
    ) -> Result<Option<(Account, Vec<Identity>)>, Fault> {
        let steps = [
            select(ACCOUNT, vec![eq("id", Cell::Uuid(id))]),
            select(IDENTITY, vec![eq("account_id", Cell::Uuid(id))]),
        ];
        let answers = self.run(catalog, &steps).await?;
        let [accounts, identities] = answers.as_slice() else {
            return Err(Fault::internal("a reply has another number of parts than its script"));
        };
        match accounts.first() {
            Some(account) => Ok(Some((Account::read(account)?, Identity::read_all(identities)?))),
            None => Ok(None),
        }
    }
}

/// Whether a fault says that an account with this e-mail address is there.
pub(crate) fn is_taken(fault: &Fault) -> bool {
    fault.code == code::UNIQUE_VIOLATION && fault.message.contains(ACCOUNT)
}

#[cfg(test)]
mod tests;
