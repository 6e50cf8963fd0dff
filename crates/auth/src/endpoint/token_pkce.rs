//! `POST /token?grant_type=pkce`: the session of a followed link or of a sign-in with another service, for the app that
//! asked for it.

use crate::endpoint::Request;
use crate::key_ring::fingerprint;
use crate::oauth::sealed::{self, ProviderTokens};
use crate::pkce;
use crate::refusal::Refusal;
use crate::schema::FLOW_STATE;
use crate::service::Auth;
use crate::statement::{delete, eq, select, text};
use crate::wire::Response;
use backstay_query::plan::Expect;
use backstay_schema::catalog::Catalog;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
struct Body {
    auth_code: Option<String>,
    code_verifier: Option<String>,
}

impl Auth {
    /// A code is worth one attempt, with the right verifier or another.
    pub(super) async fn token_pkce(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        let body: Body = request.json()?;
        let (Some(code), Some(verifier)) = (body.auth_code, body.code_verifier) else {
            return Err(Refusal::validation(
                "invalid request: both auth code and code verifier should be non-empty",
            ));
        };
        let own = || eq("hash", text(fingerprint(&code)));
        let (used, _) = delete(FLOW_STATE, vec![own()]);
        let answers =
            self.run(catalog, &[select(FLOW_STATE, vec![own()]), (used, Expect::OneOrNothing)]).await?;
        let used = answers.last().is_some_and(|used| used.affected() == 1);
        let flow = answers.first().and_then(|found| found.first()).filter(|_| used);
        let flow = flow.ok_or_else(Refusal::flow_state_not_found)?;
        let now = self.clock.now_micros();
        if flow.time("expires_at")?.is_none_or(|until| until <= now) {
            return Err(Refusal::flow_state_expired());
        }
        if !pkce::matches(flow.needed("challenge")?, &verifier) {
            return Err(Refusal::bad_code_verifier());
        }
        let tokens = match flow.text("sealed")? {
            // sealed with a secret that was there a moment ago
            Some(sealed) => sealed::open(&*self.ring()?, &code, sealed).unwrap_or_default(),
            None => ProviderTokens::default(),
        };
        let found = self.account(catalog, flow.uuid("account_id")?).await?;
        let (account, identities) = found.ok_or_else(Refusal::flow_state_not_found)?;
        if account.banned(now) {
            return Err(Refusal::user_banned());
        }
        let beginning = self.begin(account.id, flow.needed("method")?, request, now);
        self.run(catalog, &beginning.steps).await?;
        let session = (&beginning.session, beginning.refresh_token);
        self.session_response_with(&account, &identities, session, tokens)
    }
}
