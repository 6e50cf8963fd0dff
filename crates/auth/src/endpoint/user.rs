//! `GET /user` and `PUT /user`: the signed-in account, seen and changed by itself.

use crate::account::{Account, Identity, Object, UserBody, email_data, merge};
use crate::email;
use crate::endpoint::{Request, is_taken};
use crate::one_time::Way;
use crate::password;
use crate::pkce;
use crate::profile;
use crate::refusal::Refusal;
use crate::schema::{ACCOUNT, IDENTITY, SESSION};
use crate::service::Auth;
use crate::statement::{self, Step, delete, eq, json, not, text, update};
use crate::wire::Response;
use backstay_base::secret::Secret;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Deserialize)]
struct Body {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    data: Option<Object>,
    #[serde(flatten)]
    pkce: pkce::Asked,
}

impl Auth {
    pub(super) async fn user_get(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        let caller = self.signed_in(catalog, request).await?;
        let found = self.account(catalog, caller.state.account).await?;
        let (account, identities) = found.ok_or_else(Refusal::sub_not_found)?;
        Response::json(200, &UserBody::of(&account, &identities))
    }

    pub(super) async fn user_put(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        let caller = self.signed_in(catalog, request).await?;
        let body: Body = request.json()?;
        let found = self.account(catalog, caller.state.account).await?;
        let (mut account, identities) = found.ok_or_else(Refusal::sub_not_found)?;
        if body.phone.is_some_and(|phone| !phone.is_empty()) {
            return Err(Refusal::phone_disabled());
        }
        let challenge = body.pkce.challenge(self.settings.pkce_plain)?;
        let mut further: Vec<Step> = Vec::new();
        let mut letters = Vec::new();
        if let Some(password) = body.password.filter(|password| !password.is_empty()) {
            self.change_password(&mut account, password).await?;
            let session = Cell::Uuid(caller.verified.claims.session_id);
            let others = vec![eq("account_id", Cell::Uuid(account.id)), not("id", session)];
            further.push(delete(SESSION, others));
        }
        if let Some(email) = body.email.filter(|email| !email.is_empty()) {
            if self.settings.autoconfirm {
                let now = self.clock.now_micros();
                let fresh = self.ids.account();
                further.extend(change_email(&mut account, &identities, &email, Some(now), fresh)?);
            } else {
                let redirect_to = request.decoded("redirect_to");
                let way = Way { redirect_to: redirect_to.as_deref(), challenge };
                let asked = self.ask_email(catalog, &mut account, &email, &way).await?;
                further.extend(asked.steps);
                letters = asked.letters;
            }
        }
        if let Some(data) = body.data {
            merge(&mut account.user_metadata, data);
        }
        let answer = self.store(catalog, account.id, &account, further).await?;
        for letter in letters {
            self.mail()?.send(letter);
        }
        Ok(answer)
    }

    async fn change_password(&self, account: &mut Account, password: String) -> Result<(), Refusal> {
        password::check_new(&password, self.settings.password_characters, self.limits.password_bytes)?;
        if let Some(stored) = &account.password_hash {
            let stored = stored.expose().clone();
            if self.hasher.verify(Secret::new(password.clone()), Some(stored)).await?.matches {
                return Err(Refusal::same_password());
            }
        }
        account.password_hash = Some(Secret::new(self.hasher.hash(Secret::new(password)).await?));
        Ok(())
    }

    /// Stores a changed account with further steps, and answers with it.
    pub(super) async fn store(
        &self,
        catalog: &Arc<Catalog>,
        id: Uuid,
        account: &Account,
        further: Vec<Step>,
    ) -> Result<Response, Refusal> {
        let mut cells = account.cells();
        cells.retain(|(name, _)| *name != "id");
        let mut steps = vec![update(ACCOUNT, cells, vec![eq("id", Cell::Uuid(id))])];
        steps.extend(further);
        steps.extend(profile::mirror(catalog, account));
        let stored = self.run(catalog, &steps).await;
        self.states.forget();
        stored.map_err(|fault| if is_taken(&fault) { Refusal::email_exists() } else { fault.into() })?;
        let found = self.account(catalog, id).await?;
        let (account, identities) = found.ok_or_else(Refusal::user_not_found)?;
        Response::json(200, &UserBody::of(&account, &identities))
    }
}

/// Gives an account another e-mail address; an anonymous one becomes permanent by it.
pub(super) fn change_email(
    account: &mut Account,
    identities: &[Identity],
    email: &str,
    confirmed_at: Option<i64>,
    fresh: Uuid,
) -> Result<Option<Step>, Refusal> {
    let email = email::normalised(email)
        .ok_or_else(|| Refusal::validation("Unable to validate email address: invalid format"))?;
    if account.email.as_ref() == Some(&email) {
        return Ok(None);
    }
    let data = email_data(account.id, &email, confirmed_at.is_some());
    let by_email = identities.iter().find(|identity| identity.provider == "email");
    let step = match by_email {
        Some(identity) => {
            let cells = vec![("email", text(&*email)), ("data", json(data.clone()))];
            update(IDENTITY, cells, vec![eq("id", Cell::Uuid(identity.id))])
        }
        None => {
            let at = confirmed_at.unwrap_or(account.updated_at);
            let identity = Identity::of_email(fresh, account.id, &email, confirmed_at.is_some(), at);
            statement::insert(IDENTITY, identity.cells())
        }
    };
    merge(&mut account.user_metadata, data);
    account.app_metadata.insert("provider".to_owned(), Value::from("email"));
    account.app_metadata.insert("providers".to_owned(), Value::from(vec!["email"]));
    account.email = Some(email);
    account.change = None;
    account.email_confirmed_at = confirmed_at;
    account.is_anonymous = false;
    Ok(Some(step))
}
