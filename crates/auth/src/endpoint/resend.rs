//! `POST /resend`: the letter that asks to confirm an address, once more.

use crate::email;
use crate::endpoint::Request;
use crate::endpoint::email_change::Asked;
use crate::one_time::{Purpose, Way};
use crate::pkce;
use crate::refusal::Refusal;
use crate::schema::ACCOUNT;
use crate::service::Auth;
use crate::statement::{eq, null, update};
use crate::wire::Response;
use backstay_query::plan::Expect;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "type")]
    kind: Option<String>,
    email: Option<String>,
    #[serde(flatten)]
    pkce: pkce::Asked,
}

impl Auth {
    pub(super) async fn resend(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        let mail = self.mail()?;
        let body: Body = request.json()?;
        let kind = body.kind.as_deref().unwrap_or_default();
        if !matches!(kind, "signup" | "email_change") {
            return Err(Refusal::validation("Missing one of these types: signup, email_change"));
        }
        let email = email::given(body.email.as_deref().unwrap_or_default())?;
        let challenge = body.pkce.challenge(self.settings.pkce_plain)?;
        let redirect_to = request.decoded("redirect_to");
        let way = Way { redirect_to: redirect_to.as_deref(), challenge };
        let now = self.clock.now_micros();
        let purpose = if kind == "signup" { Purpose::SignUp } else { Purpose::LeaveEmail };
        self.claim_letter(catalog, purpose, &email, now).await?;
        let found = self.account_by_email(catalog, &email).await?;
        let asked = match (purpose, found) {
            (Purpose::SignUp, Some(account)) if account.email_confirmed_at.is_none() => {
                let issued = self.issue(Purpose::SignUp, &account, &email, &way, now)?;
                let open = vec![eq("id", Cell::Uuid(account.id)), null("email_confirmed_at")];
                let (noted, _) = update(ACCOUNT, vec![("confirmation_sent_at", Cell::Timestamp(now))], open);
                let mut steps = vec![(noted, Expect::OneOrNothing)];
                steps.extend(issued.steps);
                Asked { steps, letters: vec![issued.letter] }
            }
            (Purpose::LeaveEmail, Some(mut account)) => self.ask_again(&mut account, &way)?,
            _ => Asked::default(),
        };
        if asked.letters.is_empty() {
            self.feign_letter(catalog, purpose, &email, now).await?;
        } else if self.run(catalog, &asked.steps).await?.first().is_some_and(|noted| noted.affected() == 1) {
            asked.letters.into_iter().for_each(|letter| mail.send(letter));
        }
        Response::json(200, &json!({}))
    }
}
