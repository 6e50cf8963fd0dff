//! `POST /recover`: a link to sign in without the password. The answer is the same whether
//! there is an account or not.

use crate::account::Account;
use crate::email;
use crate::endpoint::Request;
use crate::one_time::{Purpose, Way};
use crate::pkce;
use crate::refusal::Refusal;
use crate::schema::ACCOUNT;
use crate::service::Auth;
use crate::statement::{eq, update};
use crate::wire::Response;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Deserialize)]
struct Body {
    email: Option<String>,
    #[serde(flatten)]
    pkce: pkce::Asked,
}

impl Auth {
    pub(super) async fn recover(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        self.mail()?;
        let body: Body = request.json()?;
        let email = email::given(body.email.as_deref().unwrap_or_default())?;
        let challenge = body.pkce.challenge(self.settings.pkce_plain)?;
        let now = self.clock.now_micros();
        self.claim_letter(catalog, Purpose::Recovery, &email, now).await?;
        if let Some(account) = self.account_by_email(catalog, &email).await? {
            let redirect_to = request.decoded("redirect_to");
            let way = Way { redirect_to: redirect_to.as_deref(), challenge };
            self.send_link(catalog, Purpose::Recovery, &account, &email, &way).await?;
        } else {
            self.feign_letter(catalog, Purpose::Recovery, &email, now).await?;
        }
        Response::json(200, &json!({}))
    }

    /// Sends a link that signs an account in.
    pub(super) async fn send_link(
        &self,
        catalog: &Arc<Catalog>,
        purpose: Purpose,
        account: &Account,
        email: &str,
        way: &Way<'_>,
    ) -> Result<(), Refusal> {
        let now = self.clock.now_micros();
        let issued = self.issue(purpose, account, email, way, now)?;
        let own = vec![eq("id", Cell::Uuid(account.id))];
        let mut steps = vec![update(ACCOUNT, vec![("recovery_sent_at", Cell::Timestamp(now))], own)];
        steps.extend(issued.steps);
        self.run(catalog, &steps).await?;
        self.mail()?.send(issued.letter);
        Ok(())
    }
}
