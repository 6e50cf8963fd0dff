//! Who a person of another service is here. A person is known by the service, its issuer and its id of them, by
//! nothing else; an e-mail address leads to an account only where the service has verified it, and an account whose address
//! nobody has shown to read loses what it was prepared with.

use crate::account::{Account, Identity, Object, merge, state_providers};
use crate::endpoint::Request;
use crate::endpoint::sign_up::{Entry, bare_account};
use crate::key_ring::fingerprint;
use crate::oauth::person::Person;
use crate::oauth::provider::Provider;
use crate::profile;
use crate::refusal::Refusal;
use crate::schema::{ACCOUNT, FLOW_STATE, IDENTITY, OAUTH_FLOW, ONE_TIME_TOKEN, SESSION};
use crate::service::Auth;
use crate::statement::{
    Step, delete, eq, insert, json, not, optional_text, optional_time, select, text, update,
};
use backstay_base::code;
use backstay_query::plan::Expect;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// How often it is looked again who somebody is, because something of it changed meanwhile.
const TRIES: usize = 8;

/// By what an identity of another service is stored: its issuer belongs to it, should the configuration ever name another.
fn known_by(person: &Person) -> String {
    fingerprint(&format!("{} {}", person.issuer, person.subject))
}

impl Auth {
    /// Lets a person in: in one script, their account as it is from now on, and what `then` adds.
    pub(super) async fn let_in(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        (provider, person): (&Provider, &Person),
        mut then: impl FnMut(&Entry) -> Vec<Step>,
    ) -> Result<Entry, Refusal> {
        for _ in 0..TRIES {
            let entry = self.welcome(catalog, request, provider, person).await?;
            let mut steps = entry.steps.clone();
            steps.extend(then(&entry));
            let answers = match self.run(catalog, &steps).await {
                Ok(answers) => answers,
                // somebody was faster: the same person in another tab, or a sign-up for the same address
                Err(fault) if fault.code == code::UNIQUE_VIOLATION && is_own(&fault.message) => continue,
                Err(fault) if fault.code == code::UNIQUE_VIOLATION && fault.message.contains(OAUTH_FLOW) => {
                    return Err(Refusal::id_token_used());
                }
                Err(fault) => return Err(fault.into()),
            };
            self.states.forget();
            let is_done = |(at, (_, expect)): (usize, &Step)| {
                *expect != Expect::OneOrNothing || answers.get(at).is_some_and(|one| one.affected() == 1)
            };
            if steps.iter().enumerate().all(is_done) {
                return Ok(entry);
            }
        }
        Err(Refusal::new(409, "conflict", "too many change this user at once; try again in a moment"))
    }

    async fn welcome(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        provider: &Provider,
        person: &Person,
    ) -> Result<Entry, Refusal> {
        let by_identity =
            vec![eq("provider", text(&*provider.name)), eq("provider_id", text(known_by(person)))];
        let found = self.run_one(catalog, select(IDENTITY, by_identity)).await?;
        if let Some(identity) = found.first().map(Identity::read).transpose()? {
            let found = self.account(catalog, identity.account).await?;
            let (account, identities) = found.ok_or_else(Refusal::user_not_found)?;
            return self.again(catalog, (account, identities), person, identity);
        }
        let Some(email) = &person.email else {
            return if provider.email_optional {
                self.new_account(catalog, request, provider, person)
            } else {
                Err(Refusal::no_external_email())
            };
        };
        // where addresses count as confirmed unseen, a new account may have this one, too; no account that is there
        // is given away by it
        if !email.verified && !self.settings.autoconfirm {
            return Err(Refusal::external_email_unverified());
        }
        match self.account_by_email(catalog, &email.address).await? {
            None => self.new_account(catalog, request, provider, person),
            Some(_) if !email.verified => Err(Refusal::external_email_unverified()),
            Some(there) => {
                let found = self.account(catalog, there.id).await?;
                let (account, identities) = found.ok_or_else(Refusal::user_not_found)?;
                let identity = self.identity(there.id, provider, person);
                self.again(catalog, (account, identities), person, identity)
            }
        }
    }

    fn identity(&self, account: Uuid, provider: &Provider, person: &Person) -> Identity {
        let now = self.clock.now_micros();
        Identity {
            id: self.ids.account(),
            account,
            provider: provider.name.clone(),
            provider_id: known_by(person),
            data: person.data.clone(),
            last_sign_in_at: Some(now),
            created_at: now,
            updated_at: now,
        }
    }

    /// An account for somebody who had none.
    fn new_account(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        provider: &Provider,
        person: &Person,
    ) -> Result<Entry, Refusal> {
        if !self.settings.sign_up {
            return Err(Refusal::sign_up_disabled());
        }
        let (id, now) = (self.ids.account(), self.clock.now_micros());
        let identity = self.identity(id, provider, person);
        let mut app_metadata = Object::new();
        state_providers(&mut app_metadata, std::slice::from_ref(&identity));
        let account = Account {
            email: person.email.as_ref().map(|email| email.address.clone()),
            email_confirmed_at: person.email.as_ref().map(|_| now),
            app_metadata,
            user_metadata: person.data.clone(),
            ..bare_account(id, now)
        };
        self.entry_with(catalog, request, account, person.data.clone(), Some(identity))
    }

    /// The account that a person has, signing in by an identity that is there or that is new to it.
    fn again(
        &self,
        catalog: &Arc<Catalog>,
        (before, mut identities): (Account, Vec<Identity>),
        person: &Person,
        mut identity: Identity,
    ) -> Result<Entry, Refusal> {
        let now = self.clock.now_micros();
        if before.banned(now) {
            return Err(Refusal::user_banned());
        }
        let mut account = before.clone();
        let mut steps = Vec::new();
        let shown = person.email.as_ref().filter(|email| email.verified);
        let shows_address = shown.is_some_and(|email| before.email.as_ref() == Some(&email.address));
        if shows_address && !self.is_shown(&before, &identities) {
            steps.extend(emptied(&mut account, &identity, now));
            identities.retain(|one| one.id == identity.id);
        }
        if account.email.is_some() && account.email_confirmed_at.is_none() {
            // an address that an administrator gave, and nobody has shown to read
            return Err(Refusal::email_not_confirmed());
        }
        identity.data = person.data.clone();
        identity.last_sign_in_at = Some(now);
        identity.updated_at = now;
        match identities.iter_mut().find(|one| one.id == identity.id) {
            Some(there) => {
                let email = person.email.as_ref().map(|email| email.address.clone());
                let cells = vec![
                    ("data", json(identity.data.clone())),
                    ("email", optional_text(email)),
                    ("last_sign_in_at", optional_time(Some(now))),
                ];
                steps.push(update(IDENTITY, cells, vec![eq("id", Cell::Uuid(identity.id))]));
                *there = identity;
            }
            None => {
                steps.push(insert(IDENTITY, identity.cells()));
                identities.push(identity);
            }
        }
        account.last_sign_in_at = Some(now);
        account.updated_at = now;
        merge(&mut account.user_metadata, person.data.clone());
        state_providers(&mut account.app_metadata, &identities);
        let mut cells = account.cells_beside(&before);
        cells.push(before.next_version());
        // who changed the account meanwhile is not overwritten: it is looked again who this is
        let (changed, _) = update(ACCOUNT, cells, before.as_read());
        steps.insert(0, (changed, Expect::OneOrNothing));
        steps.extend(profile::mirror(catalog, &before, &account));
        Ok(Entry { account, identities, steps })
    }

    /// Whether somebody showed that they read the mail of an account's address. Where addresses count as confirmed
    /// unseen, only another service may have said so.
    fn is_shown(&self, account: &Account, identities: &[Identity]) -> bool {
        let says_so = |one: &Identity| {
            one.provider != "email"
                && one.data.get("email").and_then(Value::as_str) == account.email.as_deref()
                && one.data.get("email_verified") == Some(&Value::Bool(true))
        };
        account.email_confirmed_at.is_some() && (!self.settings.autoconfirm || identities.iter().any(says_so))
    }
}

/// Takes everything from an account by which somebody else may get in, or may be in already.
fn emptied(account: &mut Account, kept: &Identity, now: i64) -> Vec<Step> {
    account.email_confirmed_at = account.email_confirmed_at.or(Some(now));
    account.password_hash = None;
    account.phone = None;
    account.phone_confirmed_at = None;
    account.change = None;
    let own = || vec![eq("account_id", Cell::Uuid(account.id))];
    let mut others = own();
    others.push(not("id", Cell::Uuid(kept.id)));
    vec![
        delete(SESSION, own()),
        delete(ONE_TIME_TOKEN, own()),
        delete(FLOW_STATE, own()),
        delete(IDENTITY, others),
    ]
}

/// Whether a table of accounts says that something is there already; one of the project's says so for good.
fn is_own(message: &str) -> bool {
    [ACCOUNT, IDENTITY].iter().any(|table| message.contains(table))
}
