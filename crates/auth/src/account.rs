//! An account with its identities: as stored, and as the `user` object of the wire.

use crate::record::{Record, Records};
use crate::statement::{eq, null};
use crate::verified::AUTHENTICATED;
use backstay_base::fault::Fault;
use backstay_base::secret::Secret;
use backstay_query::named::Filter;
use backstay_schema::value::Value as Cell;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// A JSON object.
pub type Object = Map<String, Value>;

/// An account as stored. Times are in microseconds.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id, a `UUIDv4`.
    pub id: Uuid,
    /// E-mail address in its stored form.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// Hash of the password, if it has one.
    pub password_hash: Option<Secret<String>>,
    /// When the e-mail address was confirmed.
    pub email_confirmed_at: Option<i64>,
    /// When the phone number was confirmed.
    pub phone_confirmed_at: Option<i64>,
    /// Set by the server and by admins.
    pub app_metadata: Object,
    /// Set by the account itself.
    pub user_metadata: Object,
    /// Without e-mail and password.
    pub is_anonymous: bool,
    /// Until when it may not sign in.
    pub banned_until: Option<i64>,
    /// When it last signed in.
    pub last_sign_in_at: Option<i64>,
    /// What was sent to it.
    pub mailed: Mailed,
    /// The e-mail address that it wants instead, until that is confirmed.
    pub change: Option<Change>,
    /// How often what was read of it was changed; none where it never was.
    pub version: Option<i64>,
    /// When it was made.
    pub created_at: i64,
    /// When it was last changed.
    pub updated_at: i64,
}

/// When mail was last sent to an account, in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mailed {
    /// A link to confirm its address.
    pub confirmation_at: Option<i64>,
    /// A link to sign in without the password.
    pub recovery_at: Option<i64>,
    /// Links to confirm another address.
    pub change_at: Option<i64>,
}

/// Another e-mail address that an account wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The address, in its stored form.
    pub email: String,
    /// How many letters must still be answered.
    pub open: i64,
}

/// A way in which an account signs in, as stored.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Row id.
    pub id: Uuid,
    /// Account id.
    pub account: Uuid,
    /// `email`, …
    pub provider: String,
    /// By what it is known: the account's id for `email`, else a hash of the service's issuer and its id of the person.
    pub provider_id: String,
    /// What the provider says.
    pub data: Object,
    /// When it was last used.
    pub last_sign_in_at: Option<i64>,
    /// When it was made.
    pub created_at: i64,
    /// When it was last changed.
    pub updated_at: i64,
}

impl Account {
    pub(crate) fn read(record: Record<'_>) -> Result<Self, Fault> {
        Ok(Self {
            id: record.uuid("id")?,
            email: record.owned("email")?,
            phone: record.owned("phone")?,
            password_hash: record.owned("password_hash")?.map(Secret::new),
            email_confirmed_at: record.time("email_confirmed_at")?,
            phone_confirmed_at: record.time("phone_confirmed_at")?,
            app_metadata: record.object("app_metadata")?,
            user_metadata: record.object("user_metadata")?,
            is_anonymous: record.flag("is_anonymous")?,
            banned_until: record.time("banned_until")?,
            last_sign_in_at: record.time("last_sign_in_at")?,
            mailed: Mailed {
                confirmation_at: record.time("confirmation_sent_at")?,
                recovery_at: record.time("recovery_sent_at")?,
                change_at: record.time("new_email_sent_at")?,
            },
            change: match record.owned("new_email")? {
                Some(email) => Some(Change { email, open: record.number("new_email_open")? }),
                None => None,
            },
            version: record.optional_number("version")?,
            created_at: record.time("created_at")?.unwrap_or_default(),
            updated_at: record.time("updated_at")?.unwrap_or_default(),
        })
    }

    /// What somebody made of `before`, who made `after` of it, done to this one: it may have been changed since.
    #[must_use]
    pub(crate) fn changed_alike(&self, before: &Self, after: &Self) -> Self {
        let mut changed = self.clone();
        take(&mut changed.email, &before.email, &after.email);
        take(&mut changed.phone, &before.phone, &after.phone);
        let hash = |account: &Self| account.password_hash.as_ref().map(|hash| hash.expose().clone());
        if hash(before) != hash(after) {
            changed.password_hash.clone_from(&after.password_hash);
        }
        take(&mut changed.email_confirmed_at, &before.email_confirmed_at, &after.email_confirmed_at);
        take(&mut changed.phone_confirmed_at, &before.phone_confirmed_at, &after.phone_confirmed_at);
        patch(&mut changed.app_metadata, &before.app_metadata, &after.app_metadata);
        patch(&mut changed.user_metadata, &before.user_metadata, &after.user_metadata);
        take(&mut changed.is_anonymous, &before.is_anonymous, &after.is_anonymous);
        take(&mut changed.banned_until, &before.banned_until, &after.banned_until);
        take(&mut changed.last_sign_in_at, &before.last_sign_in_at, &after.last_sign_in_at);
        take(&mut changed.mailed, &before.mailed, &after.mailed);
        take(&mut changed.change, &before.change, &after.change);
        changed
    }

    /// The cells in which it differs from another reading of the same account.
    pub(crate) fn cells_beside(&self, other: &Self) -> Vec<(&'static str, Cell)> {
        let cells = self.cells().into_iter().zip(other.cells());
        cells.filter(|(own, other)| own != other).map(|(own, _)| own).collect()
    }

    /// The account as it was read: nobody has changed what was read of it since.
    pub(crate) fn as_read(&self) -> Vec<Filter> {
        let version = self.version.map_or_else(|| null("version"), |read| eq("version", Cell::Int(read)));
        vec![eq("id", Cell::Uuid(self.id)), version]
    }

    /// The cell by which others see that it was changed.
    pub(crate) fn next_version(&self) -> (&'static str, Cell) {
        ("version", Cell::Int(self.version.unwrap_or(0).wrapping_add(1)))
    }

    /// `app_metadata.role`.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        role_of(&self.app_metadata)
    }

    /// Whether it is banned at this moment.
    #[must_use]
    pub fn banned(&self, now: i64) -> bool {
        self.banned_until.is_some_and(|until| until > now)
    }

    /// The cells of a new row, but for `created_at` and `updated_at`.
    pub(crate) fn cells(&self) -> Vec<(&'static str, Cell)> {
        use crate::statement::{json, optional_text, optional_time};
        let hash = self.password_hash.as_ref().map(|hash| hash.expose().clone());
        vec![
            ("id", Cell::Uuid(self.id)),
            ("email", optional_text(self.email.clone())),
            ("phone", optional_text(self.phone.clone())),
            ("password_hash", optional_text(hash)),
            ("email_confirmed_at", optional_time(self.email_confirmed_at)),
            ("phone_confirmed_at", optional_time(self.phone_confirmed_at)),
            ("app_metadata", json(self.app_metadata.clone())),
            ("user_metadata", json(self.user_metadata.clone())),
            ("is_anonymous", Cell::Bool(self.is_anonymous)),
            ("banned_until", optional_time(self.banned_until)),
            ("last_sign_in_at", optional_time(self.last_sign_in_at)),
            ("confirmation_sent_at", optional_time(self.mailed.confirmation_at)),
            ("recovery_sent_at", optional_time(self.mailed.recovery_at)),
            ("new_email", optional_text(self.change.as_ref().map(|change| change.email.clone()))),
            ("new_email_open", self.change.as_ref().map_or(Cell::Null, |change| Cell::Int(change.open))),
            ("new_email_sent_at", optional_time(self.mailed.change_at)),
        ]
    }
}

/// The role that app metadata state.
#[must_use]
pub fn role_of(app_metadata: &Object) -> Option<&str> {
    app_metadata.get("role").and_then(Value::as_str)
}

impl Identity {
    pub(crate) fn read(record: Record<'_>) -> Result<Self, Fault> {
        Ok(Self {
            id: record.uuid("id")?,
            account: record.uuid("account_id")?,
            provider: record.needed("provider")?.to_owned(),
            provider_id: record.needed("provider_id")?.to_owned(),
            data: record.object("data")?,
            last_sign_in_at: record.time("last_sign_in_at")?,
            created_at: record.time("created_at")?.unwrap_or_default(),
            updated_at: record.time("updated_at")?.unwrap_or_default(),
        })
    }

    /// The identity of an account that signs in with its e-mail address.
    #[must_use]
    pub fn of_email(id: Uuid, account: Uuid, email: &str, verified: bool, now: i64) -> Self {
        Self {
            id,
            account,
            provider: "email".to_owned(),
            provider_id: account.to_string(),
            data: email_data(account, email, verified),
            last_sign_in_at: Some(now),
            created_at: now,
            updated_at: now,
        }
    }

    pub(crate) fn cells(&self) -> Vec<(&'static str, Cell)> {
        use crate::statement::{json, optional_text, optional_time, text};
        let email = self.data.get("email").and_then(Value::as_str).map(str::to_owned);
        vec![
            ("id", Cell::Uuid(self.id)),
            ("account_id", Cell::Uuid(self.account)),
            ("provider", text(&*self.provider)),
            ("provider_id", text(&*self.provider_id)),
            ("email", optional_text(email)),
            ("data", json(self.data.clone())),
            ("last_sign_in_at", optional_time(self.last_sign_in_at)),
        ]
    }

    pub(crate) fn read_all(records: &Records) -> Result<Vec<Self>, Fault> {
        records.iter().map(Self::read).collect()
    }
}

/// The ways in which an account with these identities signs in, as its `app_metadata` say: the first one, and all.
pub(crate) fn state_providers(app_metadata: &mut Object, identities: &[Identity]) {
    let mut names: Vec<&str> = Vec::new();
    for identity in identities {
        if !names.contains(&identity.provider.as_str()) {
            names.push(&identity.provider);
        }
    }
    if names.is_empty() {
        // it signs in by letters
        names.push("email");
    }
    let stated = app_metadata.get("provider").and_then(Value::as_str);
    let first = stated.filter(|stated| names.contains(stated)).or(names.first().copied()).map(Value::from);
    app_metadata.insert("provider".to_owned(), first.unwrap_or_default());
    app_metadata.insert("providers".to_owned(), Value::from(names));
}

/// What an e-mail identity says; user metadata repeat it, as in GoTrue.
#[must_use]
pub fn email_data(account: Uuid, email: &str, verified: bool) -> Object {
    Map::from_iter([
        ("email".to_owned(), Value::from(email)),
        ("email_verified".to_owned(), Value::from(verified)),
        ("phone_verified".to_owned(), Value::from(false)),
        ("sub".to_owned(), Value::from(account.to_string())),
    ])
}

fn take<T: PartialEq + Clone>(into: &mut T, before: &T, after: &T) {
    if before != after {
        into.clone_from(after);
    }
}

/// Puts into an object what one reading of it became another by.
fn patch(into: &mut Object, before: &Object, after: &Object) {
    for (name, value) in after {
        if before.get(name) != Some(value) {
            into.insert(name.clone(), value.clone());
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        into.remove(name);
    }
}

/// Puts members into an object; null takes one out.
pub fn merge(into: &mut Object, from: Object) {
    for (name, value) in from {
        if value.is_null() {
            into.remove(&name);
        } else {
            into.insert(name, value);
        }
    }
}

/// The `user` object of the wire.
#[derive(Debug, Serialize)]
pub(crate) struct UserBody<'a> {
    id: Uuid,
    aud: &'static str,
    role: &'static str,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_confirmed_at: Option<String>,
    phone: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_confirmed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation_sent_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_sent_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_change_sent_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sign_in_at: Option<String>,
    app_metadata: &'a Object,
    user_metadata: &'a Object,
    identities: Vec<IdentityBody<'a>>,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    banned_until: Option<String>,
    is_anonymous: bool,
}

#[derive(Debug, Serialize)]
struct IdentityBody<'a> {
    identity_id: Uuid,
    id: &'a str,
    user_id: Uuid,
    identity_data: &'a Object,
    provider: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sign_in_at: Option<String>,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

impl<'a> UserBody<'a> {
    /// Writes an account down; of `identities` those that are its own.
    pub(crate) fn of(account: &'a Account, identities: &'a [Identity]) -> Self {
        let confirmed = account.email_confirmed_at.into_iter().chain(account.phone_confirmed_at).min();
        Self {
            id: account.id,
            aud: AUTHENTICATED,
            role: AUTHENTICATED,
            email: account.email.as_deref().unwrap_or_default(),
            email_confirmed_at: account.email_confirmed_at.map(stamp),
            phone: account.phone.as_deref().unwrap_or_default(),
            phone_confirmed_at: account.phone_confirmed_at.map(stamp),
            confirmed_at: confirmed.map(stamp),
            confirmation_sent_at: account.mailed.confirmation_at.map(stamp),
            recovery_sent_at: account.mailed.recovery_at.map(stamp),
            new_email: account.change.as_ref().map(|change| &*change.email),
            email_change_sent_at: account.mailed.change_at.map(stamp),
            last_sign_in_at: account.last_sign_in_at.map(stamp),
            app_metadata: &account.app_metadata,
            user_metadata: &account.user_metadata,
            identities: identities.iter().filter(|one| one.account == account.id).map(identity).collect(),
            created_at: stamp(account.created_at),
            updated_at: stamp(account.updated_at),
            banned_until: account.banned_until.map(stamp),
            is_anonymous: account.is_anonymous,
        }
    }
}

fn identity(identity: &Identity) -> IdentityBody<'_> {
    IdentityBody {
        identity_id: identity.id,
        id: identity.data.get("sub").and_then(Value::as_str).unwrap_or(&identity.provider_id),
        user_id: identity.account,
        identity_data: &identity.data,
        provider: &identity.provider,
        last_sign_in_at: identity.last_sign_in_at.map(stamp),
        created_at: stamp(identity.created_at),
        updated_at: stamp(identity.updated_at),
        email: identity.data.get("email").and_then(Value::as_str),
    }
}

/// RFC 3339 with `Z`, as Go writes it.
fn stamp(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).map(|at| at.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Account, Identity, Mailed, Object, UserBody, merge};
    use backstay_base::secret::Secret;
    use uuid::Uuid;

    #[test]
    fn the_user_object_is_that_of_gotrue() {
        let id = Uuid::from_u128(1);
        let account = Account {
            id,
            email: Some("a@b.cd".to_owned()),
            phone: None,
            password_hash: Some(Secret::new("$argon2id$secret".to_owned())),
            email_confirmed_at: Some(1_700_000_000_000_000),
            phone_confirmed_at: None,
            app_metadata: Object::from_iter([("provider".to_owned(), "email".into())]),
            user_metadata: Object::new(),
            is_anonymous: false,
            banned_until: None,
            last_sign_in_at: Some(1_700_000_000_120_000),
            mailed: Mailed::default(),
            change: None,
            version: None,
            created_at: 1_700_000_000_000_000,
            updated_at: 1_700_000_000_000_000,
        };
        let other = Identity::of_email(Uuid::from_u128(9), Uuid::from_u128(8), "x@y.zz", true, 0);
        let own = Identity::of_email(Uuid::from_u128(2), id, "a@b.cd", true, 1_700_000_000_000_000);
        let body = serde_json::to_string(&UserBody::of(&account, &[other, own])).unwrap();
        assert_eq!(
            body,
            concat!(
                r#"{"id":"00000000-0000-0000-0000-000000000001","aud":"authenticated","role":"authenticated","#,
                r#""email":"a@b.cd","email_confirmed_at":"2023-11-14T22:13:20Z","phone":"","#,
                r#""confirmed_at":"2023-11-14T22:13:20Z","last_sign_in_at":"2023-11-14T22:13:20.12Z","#,
                r#""app_metadata":{"provider":"email"},"user_metadata":{},"#,
                r#""identities":[{"identity_id":"00000000-0000-0000-0000-000000000002","#,
                r#""id":"00000000-0000-0000-0000-000000000001","user_id":"00000000-0000-0000-0000-000000000001","#,
                r#""identity_data":{"email":"a@b.cd","email_verified":true,"phone_verified":false,"#,
                r#""sub":"00000000-0000-0000-0000-000000000001"},"provider":"email","#,
                r#""last_sign_in_at":"2023-11-14T22:13:20Z","created_at":"2023-11-14T22:13:20Z","#,
                r#""updated_at":"2023-11-14T22:13:20Z","email":"a@b.cd"}],"#,
                r#""created_at":"2023-11-14T22:13:20Z","updated_at":"2023-11-14T22:13:20Z","is_anonymous":false}"#
            )
        );
        assert!(!format!("{account:?}").contains("argon2id"));
    }

    #[test]
    fn null_takes_a_member_out() {
        let object = |text: &str| serde_json::from_str::<Object>(text).unwrap();
        let mut into = object(r#"{"a":1,"b":2}"#);
        merge(&mut into, object(r#"{"a":null,"c":{"d":null}}"#));
        assert_eq!(into, object(r#"{"b":2,"c":{"d":null}}"#));
    }
}
