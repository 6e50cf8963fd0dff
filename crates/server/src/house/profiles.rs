//! Rows of the `@user` type follow their accounts: a walk over all accounts, once when a node begins to serve a schema
//! whose account type is another one, and once a day for what a node of before has written since. Nothing is noted
//! in the database that could say that a walk is not needed.

use crate::house::{Batch, Chore, House};
use backstay_auth::mirror::Place;
use backstay_auth::service::Auth;
use backstay_engine::Work;
use backstay_schema::catalog::{Catalog, Table};
use std::sync::{Arc, Mutex, PoisonError};

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// What of the account type decides whether there is another walk: its columns, and which may be empty.
type Form = Vec<(String, bool)>;

/// The walk that was last done by this node.
#[derive(Debug, Default)]
pub struct LastWalk(Mutex<Option<(i64, Form)>>);

impl LastWalk {
    fn is_due(&self, now: i64, form: &Form) -> bool {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().is_none_or(|(at, of)| now.saturating_sub(*at) >= DAY_MICROS || of != form)
    }

    fn done(&self, now: i64, form: Form) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, form));
    }
}

/// A walk.
struct Follow {
    auth: Arc<Auth>,
    table: String,
    form: Form,
    after: Option<Place>,
    refused: u64,
}

pub(super) fn chores(house: &House, catalog: &Catalog) -> Vec<Box<dyn Chore>> {
    let Some(user) = catalog.user else { return Vec::new() };
    let table = catalog.table(user);
    let form = form(table);
    if !house.walked.is_due(house.clock.now_micros(), &form) {
        return Vec::new();
    }
    vec![Box::new(Follow {
        auth: Arc::clone(&house.auth),
        table: table.name.clone(),
        form,
        after: None,
        refused: 0,
    })]
}

fn form(table: &Table) -> Form {
    table.columns.iter().map(|column| (column.name.clone(), column.nullable)).collect()
}

impl Chore for Follow {
    fn name(&self) -> &str {
        &self.table
    }

    fn batch<'a>(&'a mut self, house: &'a House, catalog: &'a Arc<Catalog>) -> Work<'a, Batch> {
        Box::pin(async move {
            let walked = self.auth.follow_accounts(catalog, self.after, house.limits.prune_rows).await?;
            self.refused += walked.refused;
            self.after = walked.last;
            let is_last = walked.last.is_none();
            if is_last {
                house.walked.done(house.clock.now_micros(), std::mem::take(&mut self.form));
                if self.refused > 0 {
                    tracing::warn!(
                        house.of = self.table,
                        house.rows = self.refused,
                        "accounts whose row of the account type the database refuses: rules that read it refuse them"
                    );
                }
            }
            Ok(Batch { rows: walked.rows, is_last })
        })
    }
}
