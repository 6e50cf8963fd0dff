//! Another e-mail address for an account: asked for by `PUT /user`, in force once the letters to it and, with
//! `double_confirm_changes`, to the address that the account leaves were answered.

use super::verify::Admitted;
use crate::account::{Account, Change, Identity, email_data};
use crate::email;
use crate::endpoint::user::change_email;
use crate::one_time::{OneTime, Purpose, Way};
use crate::profile;
use crate::refusal::Refusal;
use crate::schema::{ACCOUNT, ONE_TIME_TOKEN};
use crate::service::Auth;
use crate::statement::{Step, delete, eq, text, update};
use backstay_outbound::mail::Letter;
use backstay_query::plan::Expect;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use std::sync::Arc;

/// What is stored, and the letters that are sent once it is.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) steps: Vec<Step>,
    pub(super) letters: Vec<Letter>,
}

impl Auth {
    /// Notes in `account` the address that it wants. Nothing where that is its own.
    pub(super) async fn ask_email(
        &self,
        catalog: &Arc<Catalog>,
        account: &mut Account,
        wanted: &str,
        way: &Way<'_>,
    ) -> Result<Asked, Refusal> {
        self.mail()?;
        let wanted = email::given(wanted)?;
        if account.email.as_ref() == Some(&wanted) {
            return Ok(Asked::default());
        }
        // whose address it is, only the letter to it tells, where the answer to it is refused
        if self.settings.reveal_accounts && self.account_by_email(catalog, &wanted).await?.is_some() {
            return Err(Refusal::email_exists());
        }
        self.claim_letter(catalog, Purpose::NewEmail, &wanted, self.clock.now_micros()).await?;
        account.change = Some(Change { email: wanted, open: 0 });
        self.ask_again(account, way)
    }

    /// New letters to the addresses of a change, in place of the last ones: all must be answered.
    pub(super) fn ask_again(&self, account: &mut Account, way: &Way<'_>) -> Result<Asked, Refusal> {
        let Some(change) = &mut account.change else { return Ok(Asked::default()) };
        let now = self.clock.now_micros();
        let left = account.email.clone().filter(|_| self.settings.double_confirm_changes);
        change.open = if left.is_some() { 2 } else { 1 };
        account.mailed.change_at = Some(now);
        let wanted = change.email.clone();
        let noted =
            vec![("new_email_open", Cell::Int(change.open)), ("new_email_sent_at", Cell::Timestamp(now))];
        let of = vec![eq("id", Cell::Uuid(account.id)), eq("new_email", text(&*wanted))];
        let mut asked = Asked { steps: vec![update(ACCOUNT, noted, of)], letters: Vec::new() };
        let mut issue = |purpose, to: &str| {
            let issued = self.issue(purpose, account, to, way, now)?;
            asked.steps.extend(issued.steps);
            asked.letters.push(issued.letter);
            Ok::<_, Refusal>(())
        };
        issue(Purpose::NewEmail, &wanted)?;
        match &left {
            Some(left) => issue(Purpose::LeaveEmail, left)?,
            None => asked.steps.push(self.forgotten(account, Purpose::LeaveEmail)),
        }
        Ok(asked)
    }

    /// The account of a letter about another address, as it is once the letter was answered.
    pub(super) async fn admit_change(
        &self,
        catalog: &Arc<Catalog>,
        one: &OneTime,
        (mut account, mut identities): (Account, Vec<Identity>),
        now: i64,
    ) -> Result<Admitted, Refusal> {
        let change = account.change.take().ok_or_else(Refusal::otp_expired)?;
        let addressed = match one.purpose {
            Purpose::NewEmail => Some(&*change.email),
            _ => account.email.as_deref(),
        };
        if addressed != Some(&*one.email) {
            return Err(Refusal::otp_expired());
        }
        let mut as_read =
            vec![eq("new_email", text(&*change.email)), eq("new_email_open", Cell::Int(change.open))];
        if change.open > 1 {
            as_read.push(eq("id", Cell::Uuid(account.id)));
            let (answered, _) =
                update(ACCOUNT, vec![("new_email_open", Cell::Int(change.open - 1))], as_read);
            let steps = vec![one.used(), (answered, Expect::OneOrNothing)];
            return Ok(Admitted { account, identities, steps, half: true });
        }
        // metadata are one cell: who changed them meanwhile is not overwritten, and the letter can be answered again
        as_read.extend(account.as_read());
        let mut before = account.clone();
        before.change = Some(change.clone());
        let fresh = self.ids.account();
        let identity = change_email(&mut account, &identities, &change.email, Some(now), fresh)?;
        account.last_sign_in_at = Some(now);
        account.updated_at = now;
        let mut cells = account.cells_beside(&before);
        cells.push(before.next_version());
        let (changed, _) = update(ACCOUNT, cells, as_read);
        let mut steps = vec![one.used(), (changed, Expect::OneOrNothing)];
        steps.extend(identity);
        // nothing that went to the old address is of use any more
        steps.push(delete(ONE_TIME_TOKEN, vec![eq("account_id", Cell::Uuid(account.id))]));
        steps.extend(profile::mirror(catalog, &before, &account));
        match identities.iter_mut().find(|identity| identity.provider == "email") {
            Some(identity) => identity.data = email_data(account.id, &change.email, true),
            None => identities.push(Identity::of_email(fresh, account.id, &change.email, true, now)),
        }
        Ok(Admitted { account, identities, steps, half: false })
    }
}
