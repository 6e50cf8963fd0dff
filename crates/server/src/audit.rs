//! What audits have kept for `audit_days` is forgotten: once at the start, then every hour. Any node
//! may do so; two that do it at once find the same rows gone.

use crate::app::App;
use backstay_base::fault::Fault;
use backstay_policy::weave;
use backstay_query::named::{Comparison, Delete, Field, Filter, Operand, Query, Test};
use backstay_query::plan::{End, Expect};
use backstay_query::resolve::{Reach, resolve};
use backstay_schema::audit::AT;
use backstay_schema::catalog::Origin;
use backstay_schema::value::Value;
use std::sync::Arc;
use std::time::Duration;

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;
const BETWEEN: Duration = Duration::from_secs(60 * 60);

/// Forgets what is too old in the audits of the catalog that is served; answers with how many entries.
///
/// # Errors
/// When the database does not answer, or nothing is served yet.
pub async fn forget(app: &App) -> Result<u64, Fault> {
    let limits = &app.rest.limits;
    if limits.audit_days == 0 {
        return Ok(0);
    }
    let catalog = app.catalog()?;
    let now = app.clock.now_micros();
    let oldest = now.saturating_sub(i64::from(limits.audit_days).saturating_mul(DAY_MICROS));
    let mut forgotten = 0;
    for audit in catalog.tables.iter().filter(|table| table.origin == Origin::Audit) {
        let at = Field { name: AT.to_owned(), path: Vec::new() };
        let older = Test::Compare(Comparison::Lt, Operand::Value(Value::Timestamp(oldest)));
        let filters = vec![Filter::Field(at, older)];
        let delete = Query::Delete(Delete { table: audit.name.clone(), filters, returning: None });
        let script = resolve(&catalog, &[(delete, Expect::Any)], End::Commit, Reach::Public, limits)?;
        let guarded = weave::system(script, now, &catalog, &app.ids)?;
        let reply = app.engine.run(&guarded).await?;
        forgotten += reply.parts.iter().map(|part| part.affected).sum::<u64>();
    }
    Ok(forgotten)
}

/// Forgets from now on, until the task is dropped.
pub async fn keep_forgetting(app: Arc<App>) {
    loop {
        match forget(&app).await {
            Ok(0) => {}
            Ok(entries) => tracing::info!(audit.entries = entries, "old entries of audits are forgotten"),
            Err(fault) => {
                tracing::warn!(fault.code = fault.code.text, "old entries of audits could not be forgotten");
            }
        }
        tokio::time::sleep(BETWEEN).await;
    }
}
