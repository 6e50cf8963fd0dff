//! `@limit` at the data doors: what a request costs is taken before it runs, and what only its answer
//! shows afterwards. Rows that the caller may not see are never counted, nor is it told of them.

use crate::app::App;
use crate::door::Head;
use backstay_auth::bucket::{Bucket, Rate, address};
use backstay_base::fault::Fault;
use backstay_policy::limit::{Charge, Then};

/// Takes what is known before.
///
/// # Errors
/// PT429 when a bucket does not hold it.
pub(crate) async fn take(app: &App, head: &Head<'_>, charges: &[Charge]) -> Result<(), Fault> {
    for charge in charges {
        let whose = whose(head, charge);
        app.auth.take(bucket(charge, &whose), charge.rows).await?;
    }
    Ok(())
}

/// Charges the rows of the answer beyond what was taken, those of its embeds by their places. The answer
/// stands, whatever becomes of it.
pub(crate) async fn settle(app: &App, head: &Head<'_>, charges: &[Charge], rows: u64, embedded: &[u64]) {
    for charge in charges {
        let rows = match charge.then {
            Then::Nothing => 0,
            Then::Rows => rows,
            Then::Embedded(place) => embedded.get(place).copied().unwrap_or(0),
        };
        if rows <= charge.rows {
            continue;
        }
        let whose = whose(head, charge);
        if let Err(fault) = app.auth.owe(bucket(charge, &whose), rows - charge.rows).await {
            tracing::warn!(request.id = head.id, fault.code = fault.code.text, "rows could not be charged");
        }
    }
}

fn whose(head: &Head<'_>, charge: &Charge) -> String {
    charge.key.as_ref().map_or_else(|| address(head.ip), |key| format!("key {key}"))
}

fn bucket<'b>(charge: &'b Charge, whose: &'b str) -> Bucket<'b> {
    let rate = Rate { tokens: charge.tokens, period_s: charge.period_s };
    Bucket { limit: &charge.limit, whose, rate }
}
