//! Housekeeping: duties that one node has at a time and does some rows at a time. Enters: who asks, and the catalog
//! that is served. Leaves: what was done. The lease is the database's and is shown before each batch; two that did the
//! same at once would find it done. A duty is a [`Chore`] in a file below and a line of [`KINDS`]; how one is done
//! this module does not know.

mod accounts;
mod audits;
pub(crate) mod forget;
pub mod profiles;

use crate::app::App;
use crate::house::profiles::LastWalk;
use backstay_auth::service::Auth;
use backstay_base::clock::Clock;
use backstay_base::fault::Fault;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_engine::lease::{LeaseAction, LeaseAnswer, LeaseRequest};
use backstay_engine::{Engine, Work};
use backstay_schema::catalog::Catalog;
use std::sync::Arc;
use std::time::Duration;

/// The duty, as the lease calls it.
pub const DUTY: &str = "housekeeping";
/// How long it is somebody's without a sign of life, in milliseconds.
const TTL_MS: u64 = 60_000;
/// Between two rounds.
const BETWEEN: Duration = Duration::from_secs(10 * 60);
/// Until the next try where another node is at it.
const BUSY: Duration = Duration::from_secs(60);

/// What a kind of duty has to do for a catalog.
type Kind = fn(&House, &Catalog) -> Vec<Box<dyn Chore>>;

/// Every kind of duty.
const KINDS: &[Kind] = &[accounts::chores, audits::chores, profiles::chores];

/// One duty of a round.
pub(crate) trait Chore: Send {
    /// What it is done to, for whoever reads the log: a table.
    fn name(&self) -> &str;

    /// Does a part that a statement or two can do, at most `prune_rows` rows.
    fn batch<'a>(&'a mut self, house: &'a House, catalog: &'a Arc<Catalog>) -> Work<'a, Batch>;
}

/// What one batch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) rows: u64,
    /// Whether there may be more.
    pub(crate) is_last: bool,
}

/// What became of one duty in a round.
#[derive(Debug)]
pub struct Done {
    /// What it was done to.
    pub name: String,
    /// How many rows it was done to.
    pub rows: u64,
    /// In how many parts, of `prune_rows` rows at most.
    pub batches: u64,
    /// Why it ended early; the other duties are done all the same.
    pub fault: Option<Fault>,
}

/// Who keeps house, and with what.
pub struct House {
    /// The database.
    pub engine: Arc<dyn Engine>,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub ids: Ids,
    /// The named limits.
    pub limits: Limits,
    /// This run of the program, among others that may use the same database.
    pub holder: String,
    /// Accounts.
    pub auth: Arc<Auth>,
    /// When this node last looked whether rows say what their accounts do.
    pub walked: LastWalk,
}

impl House {
    /// The house of a server.
    #[must_use]
    pub fn of(app: &App, holder: String) -> Self {
        Self {
            engine: Arc::clone(&app.engine),
            clock: app.clock.clone(),
            ids: app.ids.clone(),
            limits: app.rest.limits.clone(),
            holder,
            auth: Arc::clone(&app.auth),
            walked: LastWalk::default(),
        }
    }

    /// Does every duty once; none where another node is at it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn round(&self, catalog: &Arc<Catalog>) -> Result<Option<Vec<Done>>, Fault> {
        let LeaseAnswer::Held { fence } = self.lease(LeaseAction::Take { ttl_ms: TTL_MS }).await? else {
            return Ok(None);
        };
        let done = self.alone(catalog, fence).await;
        let released = self.lease(LeaseAction::Release { fence }).await;
        let done = done?;
        released?;
        Ok(Some(done))
    }

    async fn alone(&self, catalog: &Arc<Catalog>, fence: i64) -> Result<Vec<Done>, Fault> {
        let mut all = Vec::new();
        for mut chore in KINDS.iter().flat_map(|kind| kind(self, catalog)) {
            let mut done = Done { name: chore.name().to_owned(), rows: 0, batches: 0, fault: None };
            loop {
                let renewed = self.lease(LeaseAction::Renew { fence, ttl_ms: TTL_MS }).await?;
                if !matches!(renewed, LeaseAnswer::Held { .. }) {
                    all.push(done);
                    return Ok(all);
                }
                match chore.batch(self, catalog).await {
                    Ok(batch) => {
                        done.rows += batch.rows;
                        done.batches += u64::from(batch.rows > 0);
                        if batch.is_last {
                            break;
                        }
                    }
                    Err(fault) => {
                        done.fault = Some(fault);
                        break;
                    }
                }
            }
            all.push(done);
        }
        Ok(all)
    }

    async fn lease(&self, action: LeaseAction) -> Result<LeaseAnswer, Fault> {
        let request = LeaseRequest { name: DUTY.to_owned(), holder: self.holder.clone(), action };
        self.engine.lease(&request).await
    }
}

/// Keeps house from now on, until the task is dropped.
pub async fn keep_house(app: Arc<App>, holder: String) {
    let house = House::of(&app, holder);
    loop {
        // a reload changes what there is to do
        let round = match app.catalog() {
            Ok(catalog) => house.round(&catalog).await,
            Err(fault) => Err(fault),
        };
        let mut pause = BETWEEN;
        match round {
            Ok(Some(done)) => done.iter().for_each(tell),
            Ok(None) => pause = BUSY,
            Err(fault) => {
                tracing::warn!(fault.code = fault.code.text, "the house could not be kept");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = app.reloaded() => {}
        }
    }
}

fn tell(done: &Done) {
    let Done { name, rows, batches, fault } = done;
    match fault {
        Some(fault) => tracing::warn!(
            house.of = name,
            house.rows = rows,
            fault.code = fault.code.text,
            "a duty of the house ended early"
        ),
        None if *rows > 0 => tracing::info!(
            house.of = name,
            house.rows = rows,
            house.batches = batches,
            "a duty of the house is done"
        ),
        None => {}
    }
}
