//! `/admin/users`: accounts as whoever holds a secret key lists, makes, changes and deletes them.

use crate::account::{Account, Identity, Mailed, Object, UserBody, email_data, merge};
use crate::email;
use crate::endpoint::user::change_email;
use crate::endpoint::{Request, is_taken};
use crate::password;
use crate::profile;
use crate::refusal::Refusal;
use crate::schema::{ACCOUNT, IDENTITY, SESSION};
use crate::service::Auth;
use crate::statement::{self, Step, all, among, delete, eq, field, select};
use crate::verified::AUTHENTICATED;
use crate::wire::Response;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::secret::Secret;
use backstay_policy::caller::{Caller, RequestInfo};
use backstay_query::named::{Order, Query};
use backstay_query::plan::Expect;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// Accounts of one page, where the request does not say.
const PAGE: u64 = 50;
/// Most accounts of one page.
const MOST: u64 = 1000;
const SECOND_MICROS: i64 = 1_000_000;

/// What an admin says of an account.
#[derive(Deserialize, Default)]
pub(crate) struct Wanted {
    pub(crate) id: Option<Uuid>,
    pub(crate) role: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) password_hash: Option<String>,
    pub(crate) email_confirm: Option<bool>,
    pub(crate) user_metadata: Option<Object>,
    pub(crate) app_metadata: Option<Object>,
    pub(crate) ban_duration: Option<String>,
}

#[derive(Serialize)]
struct List<'a> {
    users: Vec<UserBody<'a>>,
    aud: &'static str,
}

impl Auth {
    pub(super) async fn admin_users_list(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        self.admit_admin(request).await?;
        let page = number(request, "page", 1)?.max(1);
        let size = number(request, "per_page", PAGE)?.clamp(1, MOST);
        let (accounts, total) = self.list_accounts(catalog, page, size).await?;
        let owned = select(IDENTITY, vec![among("account_id", accounts.iter().map(|one| one.id))]);
        let identities = Identity::read_all(&self.run_one(catalog, owned).await?)?;
        let users = accounts.iter().map(|account| UserBody::of(account, &identities)).collect();
        let mut response = Response::json(200, &List { users, aud: AUTHENTICATED })?;
        response.headers.push(("X-Total-Count", total.to_string()));
        response.headers.push(("Link", links(page, size, total)));
        Ok(response)
    }

    /// A page of accounts, the newest first, and how many there are. Pages count from 1.
    pub(crate) async fn list_accounts(
        &self,
        catalog: &Arc<Catalog>,
        page: u64,
        size: u64,
    ) -> Result<(Vec<Account>, u64), Fault> {
        let newest =
            Order { field: field("created_at"), relation: None, descending: true, nulls_first: None };
        let mut wanted = all(ACCOUNT, Vec::new());
        wanted.order = vec![newest];
        wanted.limit = Some(size);
        wanted.offset = page.saturating_sub(1).saturating_mul(size).min(i64::MAX.unsigned_abs());
        wanted.count = true;
        let found = self.run_one(catalog, (Query::Select(wanted), Expect::Any)).await?;
        let accounts = found.iter().map(Account::read).collect::<Result<Vec<_>, Fault>>()?;
        Ok((accounts, found.total()))
    }

    pub(super) async fn admin_users_get(
        &self,
        catalog: &Arc<Catalog>,
        id: Uuid,
    ) -> Result<Response, Refusal> {
        let (account, identities) = self.account(catalog, id).await?.ok_or_else(Refusal::user_not_found)?;
        Response::json(200, &UserBody::of(&account, &identities))
    }

    pub(super) async fn admin_users_create(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        self.admit_admin(request).await?;
        let (account, identity) = self.create_account(catalog, request.json()?).await?;
        Response::json(200, &UserBody::of(&account, &[identity]))
    }

    /// Makes an account with its identity and its `@user` row.
    pub(crate) async fn create_account(
        &self,
        catalog: &Arc<Catalog>,
        body: Wanted,
    ) -> Result<(Account, Identity), Refusal> {
        refuse_unavailable(&body)?;
        let now = self.clock.now_micros();
        let email = email::normalised(body.email.as_deref().unwrap_or_default())
            .ok_or_else(|| Refusal::validation("Cannot create a user without a valid email address"))?;
        let mut account = Account {
            id: body.id.unwrap_or_else(|| self.ids.account()),
            phone: None,
            password_hash: self.given_password(&body).await?,
            email_confirmed_at: body.email_confirm.unwrap_or(false).then_some(now),
            phone_confirmed_at: None,
            app_metadata: Object::from_iter([
                ("provider".to_owned(), Value::from("email")),
                ("providers".to_owned(), Value::from(vec!["email"])),
            ]),
            user_metadata: Object::new(),
            is_anonymous: false,
            banned_until: ban(body.ban_duration.as_deref(), now)?.unwrap_or(None),
            last_sign_in_at: None,
            mailed: Mailed::default(),
            change: None,
            version: None,
            created_at: now,
            updated_at: now,
            email: Some(email.clone()),
        };
        merge(&mut account.app_metadata, body.app_metadata.unwrap_or_default());
        profile::check_role(catalog, &account.app_metadata)?;
        let mut data = body.user_metadata.unwrap_or_default();
        let info = RequestInfo { now_micros: now, ..RequestInfo::default() };
        let profile = profile::insert(catalog, &account, &mut data, &Caller::Service, &info)?;
        account.user_metadata = data;
        let verified = account.email_confirmed_at.is_some();
        merge(&mut account.user_metadata, email_data(account.id, &email, verified));
        let identity = Identity::of_email(self.ids.account(), account.id, &email, verified, now);
        let mut steps =
            vec![statement::insert(ACCOUNT, account.cells()), statement::insert(IDENTITY, identity.cells())];
        steps.extend(profile);
        self.run(catalog, &steps)
            .await
            .map_err(|fault| if is_taken(&fault) { Refusal::email_exists() } else { fault.into() })?;
        Ok((account, identity))
    }

    pub(super) async fn admin_users_update(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        id: Uuid,
    ) -> Result<Response, Refusal> {
        self.change_account(catalog, id, request.json()?).await
    }

    /// Changes an account, its identity and what its `@user` row mirrors.
    pub(crate) async fn change_account(
        &self,
        catalog: &Arc<Catalog>,
        id: Uuid,
        mut body: Wanted,
    ) -> Result<Response, Refusal> {
        refuse_unavailable(&body)?;
        if body.id.is_some_and(|other| other != id) {
            return Err(Refusal::validation("the id of a user cannot be changed"));
        }
        let found = self.account(catalog, id).await?;
        let (mut account, identities) = found.ok_or_else(Refusal::user_not_found)?;
        let before = account.clone();
        let now = self.clock.now_micros();
        let mut further: Vec<Step> = Vec::new();
        if let Some(email) = body.email.take().filter(|email| !email.is_empty()) {
            let fresh = self.ids.account();
            let confirmed = body.email_confirm.unwrap_or(true).then_some(now);
            further.extend(change_email(&mut account, &identities, &email, confirmed, fresh)?);
        }
        if body.email_confirm == Some(true) && account.email_confirmed_at.is_none() {
            account.email_confirmed_at = Some(now);
        }
        if let Some(hash) = self.given_password(&body).await? {
            account.password_hash = Some(hash);
            further.push(delete(SESSION, vec![eq("account_id", Cell::Uuid(id))]));
        }
        if let Some(banned_until) = ban(body.ban_duration.as_deref(), now)? {
            account.banned_until = banned_until;
        }
        merge(&mut account.app_metadata, body.app_metadata.unwrap_or_default());
        profile::check_role(catalog, &account.app_metadata)?;
        merge(&mut account.user_metadata, body.user_metadata.unwrap_or_default());
        self.store(catalog, (&before, &account), further).await
    }

    pub(super) async fn admin_users_delete(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
        id: Uuid,
    ) -> Result<Response, Refusal> {
        #[derive(Deserialize)]
        struct How {
            #[serde(default)]
            should_soft_delete: bool,
        }
        let how: How = request.json()?;
        if how.should_soft_delete {
            return Err(Refusal::validation("soft deletion is not available: ban the user instead"));
        }
        self.delete_account(catalog, id).await?;
        Response::json(200, &Object::new())
    }

    /// Deletes an account and its `@user` row.
    pub(crate) async fn delete_account(&self, catalog: &Arc<Catalog>, id: Uuid) -> Result<(), Refusal> {
        let mut steps: Vec<Step> = profile::delete(catalog, id).into_iter().collect();
        steps.push(delete(ACCOUNT, vec![eq("id", Cell::Uuid(id))]));
        let deleted = self.run(catalog, &steps).await;
        self.states.forget();
        let answers = deleted.map_err(|fault| referenced(catalog, fault))?;
        if answers.last().is_none_or(|account| account.affected() == 0) {
            return Err(Refusal::user_not_found());
        }
        Ok(())
    }

    /// The hash of the password that a body gives, or the hash itself.
    async fn given_password(&self, body: &Wanted) -> Result<Option<Secret<String>>, Refusal> {
        if let Some(hash) = &body.password_hash {
            let known = hash.starts_with("$argon2") || hash.starts_with("$2");
            if !known || body.password.is_some() || hash.len() > self.limits.password_bytes {
                return Err(Refusal::validation(
                    "password_hash is an argon2 or bcrypt hash, without a password beside it",
                ));
            }
            return Ok(Some(Secret::new(hash.clone())));
        }
        let Some(password) = &body.password else { return Ok(None) };
        password::check_new(password, self.settings.password_characters, self.limits.password_bytes)?;
        let hash = self.hasher.hash(Secret::new(password.clone())).await?;
        Ok(Some(Secret::new(hash)))
    }
}

fn refuse_unavailable(body: &Wanted) -> Result<(), Refusal> {
    if body.phone.as_ref().is_some_and(|phone| !phone.is_empty()) {
        return Err(Refusal::phone_disabled());
    }
    match body.role.as_deref() {
        None | Some("" | AUTHENTICATED) => Ok(()),
        Some(_) => Err(Refusal::validation("give a role as app_metadata.role")),
    }
}

/// 409 with the types whose rows refer to the account.
fn referenced(catalog: &Catalog, fault: Fault) -> Refusal {
    if fault.code != code::FOREIGN_KEY_VIOLATION {
        return fault.into();
    }
    let types = profile::restricting_types(catalog, &fault.message).join(", ");
    let message = format!("User is still referenced by rows of {types}; delete those first");
    Refusal { source: Some(Box::new(fault)), ..Refusal::new(409, "conflict", message) }
}

/// `none` lifts a ban; `24h`, `1h30m`, `300s` set one. None when nothing is said.
fn ban(duration: Option<&str>, now: i64) -> Result<Option<Option<i64>>, Refusal> {
    match duration {
        None | Some("") => Ok(None),
        Some("none") => Ok(Some(None)),
        Some(text) => {
            let seconds = go_seconds(text).ok_or_else(|| {
                Refusal::validation("ban_duration is \"none\" or a length of time such as \"24h\"")
            })?;
            Ok(Some(Some(now.saturating_add(seconds.saturating_mul(SECOND_MICROS)))))
        }
    }
}

/// Whole hours, minutes and seconds, as Go writes lengths of time.
fn go_seconds(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = rest.split_at(digits);
        let seconds = match unit.chars().next()? {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(seconds)?)?;
        rest = unit.get(1..)?;
    }
    (total > 0).then_some(total)
}

fn number(request: &Request<'_>, name: &str, default: u64) -> Result<u64, Refusal> {
    match request.parameter(name) {
        None | Some("") => Ok(default),
        Some(text) => text.parse().map_err(|_| Refusal::validation(format!("{name} is not a number"))),
    }
}

/// The `Link` header: the next page, if there is one, and the last.
fn links(page: u64, size: u64, total: u64) -> String {
    let last = total.div_ceil(size).max(1);
    let link = |page: u64, rel: &str| format!("</admin/users?page={page}&per_page={size}>; rel=\"{rel}\"");
    let mut links = Vec::new();
    if page < last {
        links.push(link(page + 1, "next"));
    }
    links.push(link(last, "last"));
    links.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{ban, go_seconds, links};

    #[test]
    fn lengths_of_time() {
        assert_eq!(go_seconds("24h"), Some(86_400));
        assert_eq!(go_seconds("1h30m5s"), Some(5405));
        for text in [
            "",
            "h",
            "1",
            "-1h",
            "1d",
            "1.5h",
            "0s",
            "1h ",
            "99999999999999999999h",
            "9223372036854775807h",
            "1hä",
        ] {
            assert_eq!(go_seconds(text), None, "{text}");
        }
        assert_eq!(ban(None, 5).unwrap(), None);
        assert_eq!(ban(Some("none"), 5).unwrap(), Some(None));
        assert_eq!(ban(Some("1s"), 5).unwrap(), Some(Some(1_000_005)));
        assert!(ban(Some("soon"), 5).is_err());
    }

    #[test]
    fn pages_are_linked() {
        assert_eq!(links(1, 50, 0), "</admin/users?page=1&per_page=50>; rel=\"last\"");
        assert_eq!(
            links(1, 2, 5),
            "</admin/users?page=2&per_page=2>; rel=\"next\", </admin/users?page=3&per_page=2>; rel=\"last\""
        );
        assert_eq!(links(3, 2, 5), "</admin/users?page=3&per_page=2>; rel=\"last\"");
    }
}
