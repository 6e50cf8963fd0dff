//! `POST /token?grant_type=password`. Known and unknown accounts, right and wrong
//! passwords cost the same hash and get the same answer.

use crate::account::{Account, Identity};
use crate::email;
use crate::endpoint::Request;
use crate::password;
use crate::refusal::Refusal;
use crate::schema::{ACCOUNT, IDENTITY};
use crate::service::Auth;
use crate::statement::{self, eq, text, update};
use crate::wire::Response;
use backstay_base::fault::Fault;
use backstay_base::secret::Secret;
use backstay_query::plan::Expect;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
struct Body {
    email: Option<String>,
    password: Option<String>,
}

impl Auth {
    pub(super) async fn token_password(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        let body: Body = request.json()?;
        let password = body.password.unwrap_or_default();
        password::check_length(&password, self.limits.password_bytes)?;
        let email = body.email.as_deref().and_then(email::normalised);
        let found = match email {
            Some(email) => self.account_by_email(catalog, &email).await?,
            None => None,
        };
        let stored = found.as_ref().and_then(|account| account.password_hash.clone());
        let known = stored.as_ref().map(|hash| hash.expose().clone());
        let verdict = self.hasher.verify(Secret::new(password.clone()), known.clone()).await?;
        let (Some(account), Some(known), true) = (found, known, verdict.matches) else {
            return Err(Refusal::invalid_credentials());
        };
        let now = self.clock.now_micros();
        if account.banned(now) {
            return Err(Refusal { status: 400, ..Refusal::user_banned() });
        }
        if account.email_confirmed_at.is_none() {
            return Err(Refusal::email_not_confirmed());
        }
        let renewed = if verdict.outdated {
            // A full queue is no reason to turn away whoever knows the password.
            self.hasher.hash(Secret::new(password)).await.ok()
        } else {
            None
        };
        self.sign_in(catalog, request, account, known, renewed).await
    }

    /// Begins a session, if the password is still the one that was verified.
    async fn sign_in(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        mut account: Account,
        known: String,
        renewed: Option<String>,
    ) -> Result<Response, Refusal> {
        let now = self.clock.now_micros();
        let own = || eq("id", Cell::Uuid(account.id));
        let mut cells = vec![("last_sign_in_at", Cell::Timestamp(now))];
        cells.extend(renewed.map(|hash| ("password_hash", text(hash))));
        let (signed, _) = update(ACCOUNT, cells, vec![own(), eq("password_hash", text(known))]);
        let identity = || vec![eq("account_id", Cell::Uuid(account.id)), eq("provider", text("email"))];
        let beginning = self.begin(account.id, "password", request, now);
        let mut steps = vec![
            (signed, Expect::OneOrNothing),
            update(IDENTITY, vec![("last_sign_in_at", Cell::Timestamp(now))], identity()),
        ];
        steps.extend(beginning.steps);
        steps.push(statement::select(IDENTITY, vec![eq("account_id", Cell::Uuid(account.id))]));
        let answers = self.run(catalog, &steps).await?;
        if answers.first().is_none_or(|signed| signed.affected() != 1) {
            return Err(Refusal::invalid_credentials());
        }
        let identities = answers.last().map(Identity::read_all).transpose()?.unwrap_or_default();
        account.last_sign_in_at = Some(now);
        account.updated_at = now;
        self.session_response(&account, &identities, &beginning.session, beginning.refresh_token)
    }

    pub(crate) async fn account_by_email(
        &self,
        catalog: &Arc<Catalog>,
        email: &str,
    ) -> Result<Option<Account>, Fault> {
        let found = self.run_one(catalog, statement::select(ACCOUNT, vec![eq("email", text(email))])).await?;
        found.first().map(Account::read).transpose()
    }
}
