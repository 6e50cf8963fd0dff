//! Scripts on connections: a read of one statement stands alone, others see one state of
//! the database; a write is one transaction. What the database undid runs again as a
//! whole, unless nobody can know whether it was undone.

use crate::connection::{Connection, Transaction};
use crate::pool::{Pool, Purpose};
use crate::retry::Attempts;
use crate::session::MySqlSession;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_policy::guarded::Guarded;
use backstay_query::plan::{OutputValue, Query, Script, Select};
use backstay_query::reply::Reply;
use backstay_sql::run::{Outcome, References, run};

/// Runs a script, again where that may help.
///
/// # Errors
/// A fault of the script or of the database.
pub async fn answer(pool: &Pool, script: &Guarded<Script>) -> Result<Reply, Fault> {
    let mut attempts = Attempts::new();
    loop {
        let fault = match attempt(pool, script).await {
            Ok(reply) => return Ok(reply),
            Err(fault) => fault,
        };
        if fault.code == code::CONNECTION_LOST {
            // the others most likely lead to the same server
            pool.renew();
        }
        attempts.again(fault).await?;
    }
}

async fn attempt(pool: &Pool, script: &Guarded<Script>) -> Result<Reply, Fault> {
    if script.writes() {
        let mut connection = pool.take(Purpose::Write).await?;
        return write(&mut connection, script).await;
    }
    let mut connection = pool.take(Purpose::Read).await?;
    read(&mut connection, script).await
}

async fn read(connection: &mut Connection, script: &Guarded<Script>) -> Result<Reply, Fault> {
    if is_one_statement(script.inner()) {
        return Ok(run_on(connection, script).await?.reply);
    }
    connection.begin(Transaction::Snapshot).await?;
    let outcome = run_on(connection, script).await;
    connection.rollback().await;
    Ok(outcome?.reply)
}

async fn write(connection: &mut Connection, script: &Guarded<Script>) -> Result<Reply, Fault> {
    connection.begin(Transaction::Write).await?;
    let outcome = run_on(connection, script).await;
    if !matches!(outcome, Ok(Outcome { keep: true, .. })) {
        connection.rollback().await;
        return Ok(outcome?.reply);
    }
    connection.commit().await?;
    Ok(outcome?.reply)
}

async fn run_on(connection: &mut Connection, script: &Guarded<Script>) -> Result<Outcome, Fault> {
    let dialect = connection.flavour().dialect;
    run(&mut MySqlSession::new(connection), script, dialect, References::PerStatement).await
}

/// One statement is a snapshot by itself; more need a transaction around them.
fn is_one_statement(script: &Script) -> bool {
    match script.steps.as_slice() {
        [step] => matches!(&step.query, Query::Select(select) if !select.count && !has_children(select)),
        _ => false,
    }
}

fn has_children(select: &Select) -> bool {
    select.outputs.iter().any(|output| match &output.value {
        OutputValue::Scalar(..) => false,
        OutputValue::One(inner) | OutputValue::Spread(inner) => has_children(inner),
        OutputValue::Many(_) | OutputValue::Count { .. } => true,
    })
}
