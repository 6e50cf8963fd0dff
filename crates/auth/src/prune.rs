//! Housekeeping: what has ended long ago is forgotten, by one node at a time and some rows at a time. Enters: who
//! asks. Leaves: how many rows went. The lease is the database's, and is shown before each batch; moments are this
//! node's, with an hour to spare, so that nodes need not agree on the time. Two that did it at once would find the same rows gone.

use crate::one_time::REMEMBERED_MICROS;
use crate::schema::{BUCKET, FLOW_STATE, MAIL_SENT, ONE_TIME_TOKEN, REFRESH_TOKEN, SESSION};
use crate::service::Auth;
use crate::statement::{all, before, field};
use backstay_base::fault::Fault;
use backstay_engine::lease::{LeaseAction, LeaseAnswer, LeaseRequest};
use backstay_query::named::{Delete, Filter, Operand, Order, Query, Test};
use backstay_query::plan::Expect;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use std::sync::Arc;
use std::time::Duration;

/// The duty.
pub const DUTY: &str = "auth housekeeping";
/// How long it is somebody's without a sign of life, in milliseconds.
const TTL_MS: u64 = 60_000;
/// What has ended is kept for so long: clocks differ.
const SPARE_MICROS: i64 = 3_600_000_000;
const DAY_MICROS: i64 = 86_400_000_000;
/// Between two rounds.
const BETWEEN: Duration = Duration::from_secs(10 * 60);

/// What is forgotten.
struct Kind {
    table: &'static str,
    key: &'static str,
    /// Rows go that are older by this column than the moment.
    ends: &'static str,
    kept_micros: i64,
}

/// What a round took away, by table.
pub type Pruned = Vec<(&'static str, u64)>;

impl Auth {
    /// Forgets what has ended; none where another node is at it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn prune(&self, holder: &str) -> Result<Option<Pruned>, Fault> {
        let LeaseAnswer::Held { fence } = self.duty(holder, LeaseAction::Take { ttl_ms: TTL_MS }).await?
        else {
            return Ok(None);
        };
        let done = self.prune_alone(holder, fence).await;
        self.duty(holder, LeaseAction::Release { fence }).await?;
        done.map(Some)
    }

    async fn prune_alone(&self, holder: &str, fence: i64) -> Result<Pruned, Fault> {
        let catalog = &self.catalog()?;
        let now = self.clock.now_micros();
        let mut done = Pruned::new();
        for kind in self.kinds() {
            let moment = now.saturating_sub(kind.kept_micros);
            let mut gone = 0;
            loop {
                let renewed = self.duty(holder, LeaseAction::Renew { fence, ttl_ms: TTL_MS }).await?;
                if !matches!(renewed, LeaseAnswer::Held { .. }) {
                    return Ok(done);
                }
                let (found, deleted) = self.batch(catalog, &kind, moment).await?;
                gone += deleted;
                if found < self.limits.prune_rows {
                    break;
                }
            }
            done.push((kind.table, gone));
        }
        Ok(done)
    }

    fn kinds(&self) -> [Kind; 6] {
        let used = i64::from(self.limits.used_token_days).saturating_mul(DAY_MICROS);
        let kind = |table, key, ends, kept| Kind {
            table,
            key,
            ends,
            kept_micros: SPARE_MICROS.saturating_add(kept),
        };
        [
            kind(REFRESH_TOKEN, "hash", "revoked_at", used),
            kind(ONE_TIME_TOKEN, "id", "expires_at", 0),
            kind(FLOW_STATE, "hash", "expires_at", 0),
            kind(MAIL_SENT, "hash", "sent_at", REMEMBERED_MICROS),
            kind(BUCKET, "hash", "full_at", 0),
            kind(SESSION, "id", "not_after", 0),
        ]
    }

    /// Looks for a batch and deletes it, where it still is what it was; how many were found, and how many went.
    async fn batch(&self, catalog: &Arc<Catalog>, kind: &Kind, moment: i64) -> Result<(u64, u64), Fault> {
        let mut old = all(kind.table, vec![before(kind.ends, moment)]);
        old.order =
            vec![Order { field: field(kind.ends), relation: None, descending: false, nulls_first: None }];
        old.limit = Some(self.limits.prune_rows);
        let found = self.run_one(catalog, (Query::Select(old), Expect::Any)).await?;
        let keys = found.iter().map(|row| {
            Ok(Operand::Value(match row.text(kind.key) {
                Ok(Some(hash)) if kind.key == "hash" => Cell::Text(hash.to_owned()),
                Ok(_) | Err(_) => Cell::Uuid(row.uuid(kind.key)?),
            }))
        });
        let keys = keys.collect::<Result<Vec<Operand>, Fault>>()?;
        let count = keys.len() as u64;
        if count == 0 {
            return Ok((0, 0));
        }
        let filters = vec![Filter::Field(field(kind.key), Test::In(keys)), before(kind.ends, moment)];
        let delete = Query::Delete(Delete { table: kind.table.to_owned(), filters, returning: None });
        let gone = self.run_one(catalog, (delete, Expect::Any)).await?;
        Ok((count, gone.affected()))
    }

    async fn duty(&self, holder: &str, action: LeaseAction) -> Result<LeaseAnswer, Fault> {
        let request = LeaseRequest { name: DUTY.to_owned(), holder: holder.to_owned(), action };
        self.engine.lease(&request).await
    }
}

/// Keeps house from now on, until the task is dropped.
pub async fn keep_house(auth: Arc<Auth>, holder: String) {
    loop {
        match auth.prune(&holder).await {
            Ok(done) => {
                let rows: u64 = done.iter().flatten().map(|(_, rows)| rows).sum();
                if rows > 0 {
                    tracing::info!(auth.rows = rows, "what has ended long ago is forgotten");
                }
            }
            Err(fault) => {
                tracing::warn!(fault.code = fault.code.text, "what has ended could not be forgotten");
            }
        }
        tokio::time::sleep(BETWEEN).await;
    }
}
