//! Accounts and signing keys as whoever runs the server handles them from the command line: no token, no
//! request, the same steps as the admin endpoints.

use crate::account::{Account, Object};
use crate::email;
use crate::endpoint::admin_users::Wanted;
use crate::refusal::Refusal;
use crate::schema::SIGNING_KEY;
use crate::service::Auth;
use crate::statement::{eq, text, update};
use backstay_base::secret::Secret;
use backstay_schema::catalog::Catalog;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

impl Auth {
    /// Makes an account with a confirmed e-mail address. `data` fills its `@user` row.
    ///
    /// # Errors
    /// As `POST /admin/users`.
    pub async fn create_user(
        &self,
        email: &str,
        password: &Secret<String>,
        role: Option<&str>,
        data: Object,
    ) -> Result<Account, Refusal> {
        let wanted = Wanted {
            email: Some(email.to_owned()),
            password: Some(password.expose().clone()),
            email_confirm: Some(true),
            user_metadata: Some(data),
            app_metadata: role.map(with_role),
            ..Wanted::default()
        };
        let (account, _) = self.create_account(&self.catalog()?, wanted).await?;
        Ok(account)
    }

    /// A page of accounts, the newest first, and how many there are. Pages count from 1.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn users(&self, page: u64, size: u64) -> Result<(Vec<Account>, u64), Refusal> {
        Ok(self.list_accounts(&self.catalog()?, page, size).await?)
    }

    /// Gives an account a role, or takes it away. `who` is an id or an e-mail address.
    ///
    /// # Errors
    /// `user_not_found`, and `validation_failed` for a role that is not declared.
    pub async fn set_role(&self, who: &str, role: Option<&str>) -> Result<(), Refusal> {
        let catalog = &self.catalog()?;
        let id = self.find(catalog, who).await?;
        let change = role.map_or_else(|| Object::from_iter([("role".to_owned(), Value::Null)]), with_role);
        let wanted = Wanted { app_metadata: Some(change), ..Wanted::default() };
        self.change_account(catalog, id, wanted).await.map(|_| ())
    }

    /// Deletes an account with its `@user` row. `who` is an id or an e-mail address.
    ///
    /// # Errors
    /// `user_not_found`, and `conflict` naming the types whose rows still refer to it.
    pub async fn delete_user(&self, who: &str) -> Result<(), Refusal> {
        let catalog = &self.catalog()?;
        let id = self.find(catalog, who).await?;
        self.delete_account(catalog, id).await
    }

    /// Signs with a new key from now on. Tokens that are signed with older keys stay valid.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rotate_signing_key(&self) -> Result<(), Refusal> {
        let catalog = &self.catalog()?;
        let current = vec![eq("status", text("current"))];
        let steps =
            [update(SIGNING_KEY, vec![("status", text("previous"))], current), self.new_signing_key()?];
        self.run(catalog, &steps).await?;
        Ok(self.load_keys(catalog).await?)
    }

    /// Takes all keys but the current one back: their tokens are worth nothing from now on,
    /// on other nodes within half a minute.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn revoke_previous_signing_keys(&self) -> Result<u64, Refusal> {
        let catalog = &self.catalog()?;
        let previous = vec![eq("status", text("previous"))];
        let revoked = update(SIGNING_KEY, vec![("status", text("revoked"))], previous);
        let revoked = self.run_one(catalog, revoked).await?;
        self.load_keys(catalog).await?;
        Ok(revoked.affected())
    }

    async fn find(&self, catalog: &Arc<Catalog>, who: &str) -> Result<Uuid, Refusal> {
        if let Ok(id) = Uuid::parse_str(who) {
            return Ok(id);
        }
        let email = email::normalised(who).ok_or_else(Refusal::user_not_found)?;
        let found = self.account_by_email(catalog, &email).await?;
        found.map(|account| account.id).ok_or_else(Refusal::user_not_found)
    }
}

fn with_role(role: &str) -> Object {
    Object::from_iter([("role".to_owned(), Value::from(role))])
}
