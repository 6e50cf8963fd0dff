//! Rows of the `@user` type that are behind their accounts: a field `email` or `role` was added when there were
//! accounts already, or the type itself. Enters: after which account to begin, and how many to look at. Leaves: how
//! many rows were made or brought to what their account says. Each is written with the version of its account, so that
//! who changes an account at that moment is not overwritten. Knows not who asks, nor when.

use crate::account::{Account, Object};
use crate::profile::{self, followed, is_own_word, user_table};
use crate::record::Record;
use crate::schema::ACCOUNT;
use crate::service::Auth;
use crate::statement::{self, Step, all, eq, field};
use crate::verified::AUTHENTICATED;
use backstay_base::fault::Fault;
use backstay_policy::caller::{Caller, RequestInfo, User};
use backstay_query::named::{Comparison, Filter, Item, Operand, Order, Query, Select, Test};
use backstay_query::plan::Expect;
use backstay_schema::catalog::{Catalog, Column, Table};
use backstay_schema::value::Value as Cell;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// Accounts that are written in one transaction.
const TOGETHER: usize = 100;
/// Members of `user_metadata` that sign-up adds to what the client gave.
const ADDED: [&str; 4] = ["email", "email_verified", "phone_verified", "sub"];

/// How far a walk over all accounts has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(Uuid);

/// What became of some accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walked {
    /// Rows that were made or changed.
    pub rows: u64,
    /// Accounts whose row cannot say what it should: the database refuses it.
    pub refused: u64,
    /// Where to go on; none where all accounts were looked at.
    pub last: Option<Place>,
}

/// An account whose row is to be written, and how.
struct Behind {
    steps: Vec<Step>,
    /// The same without what the account's metadata give, where the row is new.
    bare: Option<Vec<Step>>,
}

/// What became of an attempt.
enum Outcome {
    Written,
    /// Somebody changed an account since it was read, and with it its row.
    Overtaken,
    Refused,
}

impl Auth {
    /// Looks at `count` accounts in the order of their ids, from `after` on, and writes the rows that are behind.
    ///
    /// # Errors
    /// When the database does not answer. What was done until then stays.
    pub async fn follow_accounts(
        &self,
        catalog: &Arc<Catalog>,
        after: Option<Place>,
        count: u64,
    ) -> Result<Walked, Fault> {
        let mut walked = Walked { rows: 0, refused: 0, last: None };
        let Some((table, key)) = user_table(catalog) else { return Ok(walked) };
        let accounts = self.accounts_after(catalog, after, count).await?;
        let behind = self.behind(catalog, (table, key), &accounts).await?;
        for some in behind.chunks(TOGETHER) {
            let together: Vec<Step> = some.iter().flat_map(|one| one.steps.iter().cloned()).collect();
            if matches!(self.attempt(catalog, &together).await?, Outcome::Written) {
                walked.rows += some.len() as u64;
                continue;
            }
            for one in some {
                match self.alone(catalog, one).await? {
                    Outcome::Written => walked.rows += 1,
                    Outcome::Overtaken => {}
                    Outcome::Refused => walked.refused += 1,
                }
            }
        }
        let is_full = accounts.len() as u64 >= count;
        walked.last = accounts.last().filter(|_| is_full).map(|account| Place(account.id));
        Ok(walked)
    }

    async fn accounts_after(
        &self,
        catalog: &Arc<Catalog>,
        after: Option<Place>,
        count: u64,
    ) -> Result<Vec<Account>, Fault> {
        let further = after.map(|Place(id)| {
            let operand = Operand::Value(Cell::Uuid(id));
            Filter::Field(field("id"), Test::Compare(Comparison::Gt, operand))
        });
        let mut wanted = all(ACCOUNT, further.into_iter().collect());
        wanted.order =
            vec![Order { field: field("id"), relation: None, descending: false, nulls_first: None }];
        wanted.limit = Some(count);
        let found = self.run_one(catalog, (Query::Select(wanted), Expect::Any)).await?;
        found.iter().map(Account::read).collect()
    }

    /// Those of the accounts whose rows say something else than they, or are not there.
    async fn behind(
        &self,
        catalog: &Arc<Catalog>,
        (table, key): (&Table, &str),
        accounts: &[Account],
    ) -> Result<Vec<Behind>, Fault> {
        let item = |name: &str| Item::Field { field: field(name), alias: None, cast: None, aggregate: None };
        let names = ["email", "phone", "role"].into_iter().filter_map(|name| table.column_named(name));
        let wanted = Select {
            table: table.name.clone(),
            items: std::iter::once(key).chain(names.map(|column| &*column.name)).map(item).collect(),
            filters: vec![statement::among(key, accounts.iter().map(|account| account.id))],
            ..Select::default()
        };
        let step = (Query::Select(wanted), Expect::Any);
        let found = self.run_within(catalog, &[step], accounts.len() as u64).await?;
        let records = found.first();
        let records = records.iter().flat_map(|records| records.iter());
        let rows: HashMap<Uuid, Record<'_>> =
            records.map(|record| Ok((record.uuid(key)?, record))).collect::<Result<_, Fault>>()?;
        let mut behind = Vec::new();
        for account in accounts {
            match rows.get(&account.id) {
                Some(row) => behind.extend(changed(table, key, account, *row)?),
                None => behind.push(self.made(catalog, account)?),
            }
        }
        Ok(behind)
    }

    /// The row of an account that has none, as it would be if the account were made now.
    fn made(&self, catalog: &Catalog, account: &Account) -> Result<Behind, Fault> {
        let caller = newcomer(account);
        let info = RequestInfo { now_micros: self.clock.now_micros(), ..RequestInfo::default() };
        let steps = |mut data: Object| {
            let row = profile::insert(catalog, account, &mut data, &caller, &info)?;
            Ok::<_, Fault>(std::iter::once(as_read(account)).chain(row).collect())
        };
        let mut data = account.user_metadata.clone();
        ADDED.iter().for_each(|name| drop(data.remove(*name)));
        profile::keep_fitting(catalog, &mut data);
        Ok(Behind { steps: steps(data)?, bare: Some(steps(Object::new())?) })
    }

    async fn alone(&self, catalog: &Arc<Catalog>, one: &Behind) -> Result<Outcome, Fault> {
        match (self.attempt(catalog, &one.steps).await?, &one.bare) {
            (Outcome::Refused, Some(bare)) => self.attempt(catalog, bare).await,
            (outcome, _) => Ok(outcome),
        }
    }

    async fn attempt(&self, catalog: &Arc<Catalog>, steps: &[Step]) -> Result<Outcome, Fault> {
        match self.run_within(catalog, steps, 0).await {
            Ok(answers) if answers.first().is_some_and(|account| account.affected() == 1) => {
                Ok(Outcome::Written)
            }
            Ok(_) => Ok(Outcome::Overtaken),
            // what the database says of values and rows; anything else is about itself
            Err(fault) if ["22", "23"].iter().any(|class| fault.code.text.starts_with(class)) => {
                Ok(Outcome::Refused)
            }
            Err(fault) => Err(fault),
        }
    }
}

/// What brings a row to what its account says; none where it says so.
fn changed(table: &Table, key: &str, account: &Account, row: Record<'_>) -> Result<Option<Behind>, Fault> {
    let mut cells = Vec::new();
    for (column, value) in followed(table, account) {
        if !is_kept(column, &value) && row.text(&column.name)? != text_of(&value) {
            cells.push((&*column.name, value));
        }
    }
    if cells.is_empty() {
        return Ok(None);
    }
    let row = statement::update(&table.name, cells, vec![eq(key, Cell::Uuid(account.id))]);
    Ok(Some(Behind { steps: vec![as_read(account), row], bare: None }))
}

/// Whether what stands there is right whatever the account says: the project's own word, or its word for accounts to
/// whom nobody gave a role.
fn is_kept(column: &Column, value: &Cell) -> bool {
    is_own_word(column) || (matches!(value, Cell::Null) && column.default.is_some())
}

fn text_of(value: &Cell) -> Option<&str> {
    if let Cell::Text(text) = value { Some(text) } else { None }
}

/// Nobody has changed the account since it was read, and who read it before now will see that it was written with.
/// When it was last changed stays: nothing of it did.
fn as_read(account: &Account) -> Step {
    let cells = vec![account.next_version(), ("updated_at", Cell::Timestamp(account.updated_at))];
    let (held, _) = statement::update(ACCOUNT, cells, account.as_read());
    (held, Expect::OneOrNothing)
}

/// The account as it calls when it signs up.
fn newcomer(account: &Account) -> Caller {
    Caller::User(Arc::new(User {
        uid: account.id,
        role: AUTHENTICATED.to_owned(),
        email: account.email.clone().filter(|_| account.email_confirmed_at.is_some()),
        org: None,
        aal: "aal1".to_owned(),
        claims: Arc::default(),
    }))
}
