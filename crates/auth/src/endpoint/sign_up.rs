//! `POST /signup`: an account with its identity, its `@user` row and a first session, in
//! one script. Without autoconfirm there is no session yet: a letter asks to confirm the address, and
//! the answer is the same whether there was an account or not, to its bytes but ids and times.

use crate::account::{Account, Identity, Mailed, Object, UserBody, email_data};
use crate::email;
use crate::endpoint::{Request, is_taken};
use crate::one_time::{Purpose, Way};
use crate::password;
use crate::pkce;
use crate::profile;
use crate::refusal::Refusal;
use crate::schema::{ACCOUNT, IDENTITY};
use crate::service::Auth;
use crate::statement::{self, Step, delete, eq, null, text, update};
use crate::verified::AUTHENTICATED;
use crate::wire::Response;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::secret::Secret;
use backstay_policy::caller::{Caller, RequestInfo, User};
use backstay_query::plan::{End, Expect};
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

/// What somebody signs up with.
struct Wanted {
    email: String,
    password: String,
    data: Object,
}

/// The rows of a new account, about to be stored.
pub(super) struct Entry {
    pub(super) account: Account,
    pub(super) identities: Vec<Identity>,
    pub(super) steps: Vec<Step>,
}

impl Auth {
    pub(super) async fn sign_up(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        let body: Body = request.json()?;
        let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        if !self.settings.sign_up {
            return Err(Refusal::sign_up_disabled());
        }
        if given(&body.phone) {
            return Err(Refusal::phone_disabled());
        }
        let data = body.data.unwrap_or_default();
        let now = self.clock.now_micros();
        if !given(&body.email) && !given(&body.password) {
            return self.sign_up_anonymous(catalog, request, data, now).await;
        }
        if !self.settings.autoconfirm {
            self.mail()?;
        }
        let challenge = body.pkce.challenge(self.settings.pkce_plain)?;
        let password = body.password.unwrap_or_default();
        if password.is_empty() {
            return Err(Refusal::validation("Signup requires a valid password"));
        }
        let email = email::given(body.email.as_deref().unwrap_or_default())?;
        password::check_new(&password, self.settings.password_characters, self.limits.password_bytes)?;
        if !self.settings.autoconfirm {
            let redirect_to = request.decoded("redirect_to");
            let way = Way { redirect_to: redirect_to.as_deref(), challenge };
            return self.sign_up_unconfirmed(catalog, request, Wanted { email, password, data }, &way).await;
        }
        let there =
            self.run_one(catalog, statement::select(ACCOUNT, vec![eq("email", text(&*email))])).await?;
        if there.first().is_some() {
            return Err(Refusal::user_already_exists());
        }
        let hash = self.hasher.hash(Secret::new(password)).await?;
        let account = email_account(self.ids.account(), email, hash, now);
        self.enter(catalog, request, account, data, "password").await
    }

    async fn sign_up_anonymous(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        data: Object,
        now: i64,
    ) -> Result<Response, Refusal> {
        if !self.settings.anonymous {
            return Err(Refusal::anonymous_disabled());
        }
        let account = Account { is_anonymous: true, ..bare_account(self.ids.account(), now) };
        self.enter(catalog, request, account, data, "anonymous").await
    }

    /// Sends a letter to whoever wants an account. Whoever asks hears the same, in the same time, whether the
    /// address has no account, an open one or a confirmed one.
    async fn sign_up_unconfirmed(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        wanted: Wanted,
        way: &Way<'_>,
    ) -> Result<Response, Refusal> {
        let now = self.clock.now_micros();
        let Wanted { email, password, data } = wanted;
        self.claim_letter(catalog, Purpose::SignUp, &email, now).await?;
        let there = self.account_by_email(catalog, &email).await?;
        let (hash, agreed) = self.hash_or_compare(password, there.as_ref()).await?;
        let fresh = unconfirmed_account(self.ids.account(), email.clone(), hash, now);
        let Entry { account, mut identities, mut steps } =
            self.entry(catalog, request, fresh.clone(), data.clone())?;
        // where there is no account, too: it takes its time
        self.rehearse(catalog, request, there.as_ref(), (fresh, data)).await?;
        match there {
            None => {
                let issued = self.issue(Purpose::SignUp, &account, &email, way, now)?;
                steps.extend(issued.steps);
                self.run(catalog, &steps).await.map_err(taken)?;
                self.mail()?.send(issued.letter);
            }
            Some(there) => {
                if there.email_confirmed_at.is_none() {
                    self.confirm_again(catalog, &there, agreed, way).await?;
                } else {
                    self.feign_letter(catalog, Purpose::SignUp, &email, now).await?;
                    if self.settings.reveal_accounts {
                        identities.clear();
                    }
                }
            }
        }
        Response::json(200, &UserBody::of(&account, &identities))
    }

    /// The hash of a password for a new account; or whether it is the one of an open account. One costs what the
    /// other costs.
    async fn hash_or_compare(
        &self,
        password: String,
        there: Option<&Account>,
    ) -> Result<(Option<String>, bool), Refusal> {
        let open = there.filter(|account| account.email_confirmed_at.is_none());
        let password = Secret::new(password);
        let Some(open) = open else { return Ok((Some(self.hasher.hash(password).await?), false)) };
        let stored = open.password_hash.as_ref().map(|hash| hash.expose().clone());
        let verdict = self.hasher.verify(password, stored).await?;
        Ok((None, verdict.matches))
    }

    /// The letter of an open account once more. Where its password is another than the one that came with this
    /// sign-up, somebody else wants the same address, and nobody knows who of them reads the letter: then no
    /// password stands.
    async fn confirm_again(
        &self,
        catalog: &Arc<Catalog>,
        there: &Account,
        agreed: bool,
        way: &Way<'_>,
    ) -> Result<(), Refusal> {
        let now = self.clock.now_micros();
        let mut cells = vec![("confirmation_sent_at", Cell::Timestamp(now))];
        if !agreed {
            cells.push(("password_hash", Cell::Null));
        }
        let open = vec![eq("id", Cell::Uuid(there.id)), null("email_confirmed_at")];
        let (changed, _) = update(ACCOUNT, cells, open);
        let email = there.email.as_deref().unwrap_or_default();
        let issued = self.issue(Purpose::SignUp, there, email, way, now)?;
        let mut steps = vec![(changed, Expect::OneOrNothing)];
        steps.extend(issued.steps);
        if self.run(catalog, &steps).await?.first().is_some_and(|changed| changed.affected() == 1) {
            self.mail()?.send(issued.letter);
        }
        Ok(())
    }

    /// Refuses what a new account would be refused for, and keeps nothing: otherwise data that no account can have
    /// would tell which address has one. An open account makes room for it, as its own values are no obstacle.
    pub(super) async fn rehearse(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        there: Option<&Account>,
        (fresh, data): (Account, Object),
    ) -> Result<(), Refusal> {
        let mut steps: Vec<Step> = Vec::new();
        let open = there.filter(|account| account.email_confirmed_at.is_none());
        if let Some(there) = open {
            steps.extend(profile::delete(catalog, there.id));
            steps.push(delete(ACCOUNT, vec![eq("id", Cell::Uuid(there.id))]));
        }
        // the address is taken, which is not to be told
        let email = Some(format!("{}@example.invalid", fresh.id.simple()));
        let entry = self.entry(catalog, request, Account { email, ..fresh }, data)?;
        steps.extend(entry.steps);
        match self.run_ending(catalog, &steps, End::Rollback).await {
            // rows refer to the open account, so that it cannot make room
            Err(fault) if open.is_some() && fault.code == code::FOREIGN_KEY_VIOLATION => Ok(()),
            done => done.map(drop).map_err(taken),
        }
    }

    /// Stores a new account with all that belongs to it, and signs it in.
    async fn enter(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        account: Account,
        data: Object,
        method: &str,
    ) -> Result<Response, Refusal> {
        let Entry { account, identities, mut steps } = self.entry(catalog, request, account, data)?;
        let beginning = self.begin(account.id, method, request, account.created_at);
        steps.extend(beginning.steps);
        self.run(catalog, &steps).await.map_err(taken)?;
        self.session_response(&account, &identities, &beginning.session, beginning.refresh_token)
    }

    /// The rows of a new account with all that belongs to it.
    pub(super) fn entry(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        account: Account,
        data: Object,
    ) -> Result<Entry, Refusal> {
        let verified = account.email_confirmed_at.is_some();
        let identity = account.email.as_ref().map(|email| {
            Identity::of_email(self.ids.account(), account.id, email, verified, account.created_at)
        });
        self.entry_with(catalog, request, account, data, identity)
    }

    /// As [`Auth::entry`], with the way in which the account signs in.
    pub(super) fn entry_with(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        mut account: Account,
        mut data: Object,
        identity: Option<Identity>,
    ) -> Result<Entry, Refusal> {
        let caller = Caller::User(Arc::new(User {
            uid: account.id,
            role: AUTHENTICATED.to_owned(),
            email: account.email.clone().filter(|_| account.email_confirmed_at.is_some()),
            org: None,
            aal: "aal1".to_owned(),
            claims: Arc::default(),
        }));
        let info = RequestInfo {
            now_micros: account.created_at,
            method: request.method,
            ip: Some(request.ip),
            ..RequestInfo::default()
        };
        let profile = profile::insert(catalog, &account, &mut data, &caller, &info)?;
        data.append(&mut account.user_metadata);
        account.user_metadata = data;
        let mut steps = vec![statement::insert(ACCOUNT, account.cells())];
        steps.extend(identity.as_ref().map(|identity| statement::insert(IDENTITY, identity.cells())));
        steps.extend(profile);
        Ok(Entry { account, identities: identity.into_iter().collect(), steps })
    }
}

/// What a fault means for whoever signs up.
pub(super) fn taken(fault: Fault) -> Refusal {
    if is_taken(&fault) { Refusal::user_already_exists() } else { fault.into() }
}

/// An account whose e-mail address nobody has confirmed yet.
pub(super) fn unconfirmed_account(id: Uuid, email: String, hash: Option<String>, now: i64) -> Account {
    Account {
        user_metadata: email_data(id, &email, false),
        email_confirmed_at: None,
        last_sign_in_at: None,
        password_hash: hash.map(Secret::new),
        mailed: Mailed { confirmation_at: Some(now), ..Mailed::default() },
        ..email_account(id, email, String::new(), now)
    }
}

/// An account with a confirmed e-mail address that signs in now.
fn email_account(id: Uuid, email: String, hash: String, now: i64) -> Account {
    Account {
        user_metadata: email_data(id, &email, true),
        app_metadata: Object::from_iter([
            ("provider".to_owned(), Value::from("email")),
            ("providers".to_owned(), Value::from(vec!["email"])),
        ]),
        email: Some(email),
        password_hash: Some(Secret::new(hash)),
        email_confirmed_at: Some(now),
        ..bare_account(id, now)
    }
}

/// An account that signs in now, without anything to sign in by.
pub(super) fn bare_account(id: Uuid, now: i64) -> Account {
    Account {
        id,
        email: None,
        phone: None,
        password_hash: None,
        email_confirmed_at: None,
        phone_confirmed_at: None,
        app_metadata: Object::new(),
        user_metadata: Object::new(),
        is_anonymous: false,
        banned_until: None,
        last_sign_in_at: Some(now),
        mailed: Mailed::default(),
        change: None,
        version: None,
        created_at: now,
        updated_at: now,
    }
}
