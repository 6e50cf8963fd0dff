//! `POST /otp`: a link and a code to sign in with, for an account that is there or a new one.

use crate::account::Object;
use crate::email;
use crate::endpoint::Request;
use crate::endpoint::sign_up::{Entry, taken, unconfirmed_account};
use crate::one_time::{Purpose, Way};
use crate::pkce;
use crate::refusal::Refusal;
use crate::service::Auth;
use crate::wire::Response;
use backstay_schema::catalog::Catalog;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Deserialize)]
struct Body {
    email: Option<String>,
    phone: Option<String>,
    create_user: Option<bool>,
    data: Option<Object>,
    #[serde(flatten)]
    pkce: pkce::Asked,
}

impl Auth {
    pub(super) async fn otp(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        self.mail()?;
        let body: Body = request.json()?;
        if body.phone.is_some_and(|phone| !phone.is_empty()) {
            return Err(Refusal::phone_disabled());
        }
        let email = email::given(body.email.as_deref().unwrap_or_default())?;
        let challenge = body.pkce.challenge(self.settings.pkce_plain)?;
        let now = self.clock.now_micros();
        self.claim_letter(catalog, Purpose::MagicLink, &email, now).await?;
        let redirect_to = request.decoded("redirect_to");
        let way = Way { redirect_to: redirect_to.as_deref(), challenge };
        let creates = body.create_user != Some(false) && self.settings.sign_up;
        let fresh = unconfirmed_account(self.ids.account(), email.clone(), None, now);
        let data = body.data.unwrap_or_default();
        match self.account_by_email(catalog, &email).await? {
            Some(account) => {
                if creates {
                    self.rehearse(catalog, request, Some(&account), (fresh, data)).await?;
                }
                self.send_link(catalog, Purpose::MagicLink, &account, &email, &way).await?;
            }
            None if !creates => {
                if self.settings.reveal_accounts {
                    let is_open = self.settings.sign_up;
                    return Err(if is_open { Refusal::otp_disabled() } else { Refusal::sign_up_disabled() });
                }
                self.feign_letter(catalog, Purpose::MagicLink, &email, now).await?;
            }
            None => {
                let Entry { account, mut steps, .. } = self.entry(catalog, request, fresh, data)?;
                let issued = self.issue(Purpose::MagicLink, &account, &email, &way, now)?;
                steps.extend(issued.steps);
                self.run(catalog, &steps).await.map_err(taken)?;
                self.mail()?.send(issued.letter);
            }
        }
        Response::json(200, &json!({}))
    }
}
