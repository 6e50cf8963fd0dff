//! `GET /user` and `PUT /user`: the signed-in account, seen and changed by itself.

use crate::account::{Account, Identity, Object, UserBody, email_data, merge, state_providers};
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
use backstay_query::plan::Expect;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use serde::Deserialize;
use std::sync::Arc;
use uuid::Uuid;

/// How often an account is read again because somebody else changed it meanwhile.
const TRIES: usize = 64;

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
        let before = account.clone();
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
        let answer = self.store(catalog, (&before, &account), further).await?;
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

    /// Stores what an account became, with further steps, and answers with it. Nothing else of it is written,
    /// and what somebody else changed since it was read stays: metadata, which are one cell, are changed alike in what
    /// stands by then.
    pub(super) async fn store(
        &self,
        catalog: &Arc<Catalog>,
        (before, after): (&Account, &Account),
        further: Vec<Step>,
    ) -> Result<Response, Refusal> {
        let id = before.id;
        let mut read = before.clone();
        for _ in 0..TRIES {
            if self.stored(catalog, &read, &read.changed_alike(before, after), &further).await? {
                let found = self.account(catalog, id).await?;
                let (account, identities) = found.ok_or_else(Refusal::user_not_found)?;
                return Response::json(200, &UserBody::of(&account, &identities));
            }
            let found = self.account(catalog, id).await?;
            (read, _) = found.ok_or_else(Refusal::user_not_found)?;
        }
        Err(Refusal::new(409, "conflict", "too many change this user at once; try again in a moment"))
    }

    /// Whether nobody changed the account since it was read.
    async fn stored(
        &self,
        catalog: &Arc<Catalog>,
        read: &Account,
        account: &Account,
        further: &[Step],
    ) -> Result<bool, Refusal> {
        let mut cells = account.cells_beside(read);
        cells.push(read.next_version());
        let (changed, _) = update(ACCOUNT, cells, read.as_read());
        let mut steps = vec![(changed, Expect::OneOrNothing)];
        steps.extend(further.iter().cloned());
        steps.extend(profile::mirror(catalog, read, account));
        let answers = self.run(catalog, &steps).await;
        self.states.forget();
        let answers =
            answers.map_err(|fault| if is_taken(&fault) { Refusal::email_exists() } else { fault.into() })?;
        Ok(answers.first().is_some_and(|changed| changed.affected() == 1))
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
    let email = email::given(email)?;
    if account.email.as_ref() == Some(&email) {
        return Ok(None);
    }
    let data = email_data(account.id, &email, confirmed_at.is_some());
    let by_email = identities.iter().find(|identity| identity.provider == "email");
    let mut all = identities.to_vec();
    let step = match by_email {
        Some(identity) => {
            let cells = vec![("email", text(&*email)), ("data", json(data.clone()))];
            update(IDENTITY, cells, vec![eq("id", Cell::Uuid(identity.id))])
        }
        None => {
            let at = confirmed_at.unwrap_or(account.updated_at);
            let identity = Identity::of_email(fresh, account.id, &email, confirmed_at.is_some(), at);
            let step = statement::insert(IDENTITY, identity.cells());
            all.push(identity);
            step
        }
    };
    merge(&mut account.user_metadata, data);
    state_providers(&mut account.app_metadata, &all);
    account.email = Some(email);
    account.change = None;
    account.email_confirmed_at = confirmed_at;
    account.is_anonymous = false;
    Ok(Some(step))
}
