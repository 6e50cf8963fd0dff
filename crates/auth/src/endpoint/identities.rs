//! `/user/identities/…`: an account takes one more way to sign in, or gives one up.

use crate::account::state_providers;
use crate::endpoint::external::{all_done, changed, too_many};
use crate::endpoint::{Request, SignedIn};
use crate::refusal::Refusal;
use crate::schema::IDENTITY;
use crate::service::Auth;
use crate::statement::{delete, eq};
use crate::wire::Response;
use backstay_query::plan::Expect;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// How often it is looked again which ways in an account has, because something of it changed meanwhile.
const TRIES: usize = 8;

impl Auth {
    async fn linking(&self, catalog: &Arc<Catalog>, request: &Request<'_>) -> Result<SignedIn, Refusal> {
        let caller = self.signed_in(catalog, request).await?;
        if self.settings.manual_linking { Ok(caller) } else { Err(Refusal::linking_disabled()) }
    }

    /// Where a browser is sent for another service to say who is there. Nobody but the app that asks gets any further: it
    /// has the verifier.
    pub(super) async fn identity_authorize(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        let caller = self.linking(catalog, request).await?;
        let provider = self.provider_of(request)?;
        let flow = self.wanted(request, provider, Some(caller.verified.claims.session_id))?;
        if flow.challenge.is_none() {
            return Err(Refusal::linking_takes_pkce());
        }
        let state = self.begin_flow(catalog, &*self.ring()?, flow).await?;
        let url = self.own_address(request, Some(state.text()));
        if request.parameter("skip_http_redirect") == Some("true") {
            return Response::json(200, &json!({ "url": url }));
        }
        let headers = vec![("Location", url), ("Cache-Control", "no-store".to_owned())];
        Ok(Response { status: 302, headers, body: Vec::new() })
    }

    pub(super) async fn identity_delete(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        id: &str,
    ) -> Result<Response, Refusal> {
        let caller = self.linking(catalog, request).await?;
        let id = Uuid::parse_str(id).map_err(|_| Refusal::bad_identity_id())?;
        for _ in 0..TRIES {
            let found = self.account(catalog, caller.state.account).await?;
            let (before, mut identities) = found.ok_or_else(Refusal::sub_not_found)?;
            if identities.len() <= 1 {
                return Err(Refusal::single_identity());
            }
            let place = identities.iter().position(|identity| identity.id == id);
            let gone = identities.remove(place.ok_or_else(Refusal::identity_not_found)?);
            let mut account = before.clone();
            if gone.provider == "email" {
                account.password_hash = None;
            }
            state_providers(&mut account.app_metadata, &identities);
            let (deleted, _) = delete(IDENTITY, vec![eq("id", Cell::Uuid(gone.id))]);
            // of two at once that would leave none, the second looks again
            let steps = [changed(&before, &account), (deleted, Expect::OneOrNothing)];
            let answers = self.run(catalog, &steps).await?;
            self.states.forget();
            if all_done(&steps, &answers) {
                return Response::json(200, &json!({}));
            }
        }
        Err(too_many())
    }
}
