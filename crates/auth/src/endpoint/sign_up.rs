//! `POST /signup`: an account with its identity, its `@user` row and a first session, in
//! one script. Without autoconfirm mail would have to be sent, so it is refused.

use crate::account::{Account, Identity, Object, email_data};
use crate::email;
use crate::endpoint::{Request, is_taken};
use crate::password;
use crate::profile;
use crate::refusal::Refusal;
use crate::schema::{ACCOUNT, IDENTITY};
use crate::service::Auth;
use crate::statement::{self, eq, text};
use crate::verified::AUTHENTICATED;
use crate::wire::Response;
use backstay_base::secret::Secret;
use backstay_policy::caller::{Caller, RequestInfo, User};
use backstay_schema::catalog::Catalog;
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
            return Err(Refusal::needs_mail());
        }
        let password = body.password.unwrap_or_default();
        if password.is_empty() {
            return Err(Refusal::validation("Signup requires a valid password"));
        }
        let email = email::normalised(body.email.as_deref().unwrap_or_default())
            .ok_or_else(|| Refusal::validation("Unable to validate email address: invalid format"))?;
        password::check_new(&password, self.settings.password_characters, self.limits.password_bytes)?;
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

    /// Stores a new account with all that belongs to it, and signs it in.
    async fn enter(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        mut account: Account,
        mut data: Object,
        method: &str,
    ) -> Result<Response, Refusal> {
        let caller = Caller::User(Arc::new(User {
            uid: account.id,
            role: AUTHENTICATED.to_owned(),
            email: account.email.clone(),
            org: None,
            aal: "aal1".to_owned(),
            claims: Arc::default(),
        }));
        let info = RequestInfo {
            deleted: false,
            tenant: None,
            now_micros: account.created_at,
            method: request.method,
            ip: Some(request.ip),
            headers: &[],
        };
        let profile = profile::insert(catalog, &account, &mut data, &caller, &info)?;
        data.append(&mut account.user_metadata);
        account.user_metadata = data;
        let identity = account
            .email
            .as_ref()
            .map(|email| Identity::of_email(self.ids.account(), account.id, email, true, account.created_at));
        let beginning = self.begin(account.id, method, request, account.created_at);
        let mut steps = vec![statement::insert(ACCOUNT, account.cells())];
        steps.extend(identity.as_ref().map(|identity| statement::insert(IDENTITY, identity.cells())));
        steps.extend(profile);
        steps.extend(beginning.steps);
        self.run(catalog, &steps)
            .await
            .map_err(|fault| if is_taken(&fault) { Refusal::user_already_exists() } else { fault.into() })?;
        let identities: Vec<Identity> = identity.into_iter().collect();
        self.session_response(&account, &identities, &beginning.session, beginning.refresh_token)
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

fn bare_account(id: Uuid, now: i64) -> Account {
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
        created_at: now,
        updated_at: now,
    }
}
