//! Who calls: API key and bearer token → [`Caller`], for every door. A user's token
//! outranks the key beside it; a bearer that equals the key is no user's token.

use crate::account::{Account, Object};
use crate::api_key::is_opaque;
use crate::endpoint::Request;
use crate::key_ring::ApiRole;
use crate::schema::{ACCOUNT, SESSION};
use crate::service::Auth;
use crate::session::Session;
use crate::state::SessionState;
use crate::statement::{eq, select};
use crate::token::TokenError;
use crate::verified::{AUTHENTICATED, Verified};
use crate::wire;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_policy::caller::{Caller, User};
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use std::sync::Arc;

/// What a request shows of its caller.
#[derive(Debug, Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// The `apikey` header.
    pub apikey: Option<&'a str>,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The `User-Agent` header: a browser must not hold a secret key.
    pub user_agent: Option<&'a str>,
}

impl<'a> Credentials<'a> {
    /// Those of a request to the auth door.
    #[must_use]
    pub fn of(request: &Request<'a>) -> Self {
        Self {
            apikey: request.header("apikey"),
            authorization: request.header("authorization"),
            user_agent: request.header("user-agent"),
        }
    }
}

/// What credentials amount to before sessions are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim<'a> {
    /// The role of this API key.
    Key(&'a str),
    /// This access token, or this legacy key.
    Token(&'a str),
    Nothing,
}

fn claim<'a>(credentials: &Credentials<'a>) -> Claim<'a> {
    match (credentials.authorization.and_then(wire::bearer), credentials.apikey) {
        (Some(bearer), Some(apikey)) if bearer == apikey => Claim::Key(apikey),
        (Some(bearer), _) => Claim::Token(bearer),
        (None, Some(apikey)) => Claim::Key(apikey),
        (None, None) => Claim::Nothing,
    }
}

impl Auth {
    /// Who calls.
    ///
    /// # Errors
    /// PGRST301 for keys and tokens that are not ours, PGRST302 for none at all, PGRST303
    /// for tokens that have ended; 503 kinds when the database does not answer.
    pub async fn identify(&self, credentials: &Credentials<'_>) -> Result<Caller, Fault> {
        let catalog = &self.catalog()?;
        match claim(credentials) {
            Claim::Nothing if self.settings.keyless_anon => Ok(Caller::Anon),
            Claim::Nothing => Err(Fault::new(code::ANON_DISABLED, "No API key found in request")
                .with_hint("No `apikey` request header or url param was found.")),
            Claim::Key(key) => {
                let role = self.api_role(catalog, key).await?;
                let role = role.ok_or_else(|| Fault::new(code::JWT_INVALID, "Invalid API key"))?;
                as_caller(role, credentials)
            }
            Claim::Token(token) if is_opaque(token) => {
                let message = "an API key is not a bearer token: send it as apikey";
                Err(Fault::new(code::JWT_INVALID, message))
            }
            Claim::Token(token) => match self.verify(catalog, token).await? {
                Ok(verified) => self.user(catalog, &verified).await,
                Err(error) => match self.ring()?.api_role(token, self.clock.now_seconds()) {
                    Some(role) => as_caller(role, credentials),
                    None => Err(refused(error)),
                },
            },
        }
    }

    /// Verifies an access token; with keys loaded anew when its key is unknown.
    pub(crate) async fn verify(
        &self,
        catalog: &Arc<Catalog>,
        token: &str,
    ) -> Result<Result<Arc<Verified>, TokenError>, Fault> {
        let now = self.clock.now_seconds();
        let ring = self.current_ring(catalog).await?;
        let first = self.verified.verify(token, &ring, &self.settings, now);
        if !matches!(first, Err(TokenError::UnknownKey)) {
            return Ok(first);
        }
        Ok(match self.fresher_ring(catalog).await? {
            Some(ring) => self.verified.verify(token, &ring, &self.settings, now),
            None => first,
        })
    }

    async fn api_role(&self, catalog: &Arc<Catalog>, key: &str) -> Result<Option<ApiRole>, Fault> {
        let now = self.clock.now_seconds();
        if let Some(role) = self.current_ring(catalog).await?.api_role(key, now) {
            return Ok(Some(role));
        }
        Ok(self.fresher_ring(catalog).await?.and_then(|ring| ring.api_role(key, now)))
    }

    /// The signed-in account of a verified token.
    async fn user(&self, catalog: &Arc<Catalog>, verified: &Verified) -> Result<Caller, Fault> {
        let state = self.session_state(catalog, verified).await?;
        let state = state.ok_or_else(|| Fault::new(code::JWT_CLAIMS, "the session of the token is over"))?;
        if state.banned_until.is_some_and(|until| until > self.clock.now_micros()) {
            return Err(Fault::new(code::JWT_CLAIMS, "the account of the token is banned"));
        }
        Ok(Caller::User(Arc::new(User {
            uid: state.account,
            role: state.role.clone().unwrap_or_else(|| AUTHENTICATED.to_owned()),
            email: state.email.clone(),
            org: state.org.clone(),
            aal: verified.claims.aal.clone(),
            claims: Arc::clone(&verified.for_rules),
        })))
    }

    /// The session of a verified token; none when it is over. At most two seconds old.
    pub(crate) async fn session_state(
        &self,
        catalog: &Arc<Catalog>,
        verified: &Verified,
    ) -> Result<Option<Arc<SessionState>>, Fault> {
        let (id, account) = (verified.claims.session_id, verified.claims.sub);
        let now = self.clock.now_micros();
        let known = match self.states.get(id, now) {
            Some(known) => known,
            None => {
                let ticket = self.states.ticket();
                let steps = [
                    select(SESSION, vec![eq("id", Cell::Uuid(id))]),
                    select(ACCOUNT, vec![eq("id", Cell::Uuid(account))]),
                ];
                // rare, and no part of the state of every request
                let answers = Box::pin(self.run(catalog, &steps)).await?;
                let mut rows = answers.iter().map(|records| records.first());
                let state = match (rows.next().flatten(), rows.next().flatten()) {
                    (Some(session), Some(account)) => {
                        let (session, account) = (Session::read(session)?, Account::read(account)?);
                        (session.account == account.id).then(|| Arc::new(state(&session, &account)))
                    }
                    _ => None,
                };
                self.states.put(ticket, id, state.clone(), now);
                state
            }
        };
        Ok(known.filter(|state| state.account == account && state.ends.is_none_or(|end| end > now)))
    }
}

fn state(session: &Session, account: &Account) -> SessionState {
    SessionState {
        account: session.account,
        role: account.role().map(str::to_owned),
        org: org_of(&account.app_metadata),
        email: account.email.clone().filter(|_| account.email_confirmed_at.is_some()),
        banned_until: account.banned_until,
        ends: session.not_after,
    }
}

/// `app_metadata.org`: a text, or the number of a counted key.
fn org_of(app_metadata: &Object) -> Option<String> {
    match app_metadata.get("org")? {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Secret keys are for servers: a browser that sends one has it in its page.
fn as_caller(role: ApiRole, credentials: &Credentials<'_>) -> Result<Caller, Fault> {
    let browser = credentials.user_agent.is_some_and(|agent| agent.contains("Mozilla/"));
    match role {
        ApiRole::Publishable => Ok(Caller::Anon),
        ApiRole::Secret if browser => {
            Err(Fault::new(code::JWT_INVALID, "Forbidden use of secret API key in browser")
                .with_hint("Secret API keys can only be used in a protected environment and should never be used in a browser. Delete and replace this secret API key immediately."))
        }
        ApiRole::Secret => Ok(Caller::Service),
    }
}

/// What callers hear of a token that does not verify.
fn refused(error: TokenError) -> Fault {
    match error {
        TokenError::Expired => Fault::new(code::JWT_CLAIMS, "JWT expired"),
        TokenError::Early => Fault::new(code::JWT_CLAIMS, "JWT not yet valid"),
        TokenError::Claims => Fault::new(code::JWT_CLAIMS, "JWT claims do not hold"),
        TokenError::Malformed
        | TokenError::Header
        | TokenError::UnknownKey
        | TokenError::Algorithm
        | TokenError::Signature => Fault::new(code::JWT_INVALID, "JWT cannot be verified").with_source(error),
    }
}

#[cfg(test)]
mod tests {
    use super::{Claim, Credentials, as_caller, claim};
    use crate::key_ring::ApiRole;
    use backstay_policy::caller::Caller;

    #[test]
    fn a_bearer_outranks_the_key_unless_it_is_the_key() {
        let of = |apikey, authorization| claim(&Credentials { apikey, authorization, user_agent: None });
        assert_eq!(of(None, None), Claim::Nothing);
        assert_eq!(of(Some("k"), None), Claim::Key("k"));
        assert_eq!(of(Some("k"), Some("Bearer k")), Claim::Key("k"));
        assert_eq!(of(Some("k"), Some("Bearer t")), Claim::Token("t"));
        assert_eq!(of(None, Some("bearer t")), Claim::Token("t"));
    }

    #[test]
    fn browsers_hold_no_secret_keys() {
        let from = |user_agent| Credentials { user_agent, ..Credentials::default() };
        let browser = from(Some("Mozilla/5.0 (X11; Linux x86_64)"));
        let refused = as_caller(ApiRole::Secret, &browser).expect_err("is refused");
        assert_eq!(refused.to_string(), "PGRST301: Forbidden use of secret API key in browser");
        assert!(matches!(as_caller(ApiRole::Publishable, &browser), Ok(Caller::Anon)));
        for agent in [None, Some("node"), Some("curl/8")] {
            assert!(matches!(as_caller(ApiRole::Secret, &from(agent)), Ok(Caller::Service)));
        }
    }
}
