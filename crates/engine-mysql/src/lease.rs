//! Leases as rows; the database's clock decides when one ends.

use crate::connection::{Connection, Refusal, Transaction};
use crate::pool::{Pool, Purpose};
use crate::row::value;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_engine::lease::{Held, LeaseAction, LeaseAnswer, LeaseRequest};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

const MAKE_TABLE: &str = "CREATE TABLE IF NOT EXISTS `_backstay_lease` (
  `name` VARCHAR(100) NOT NULL,
  `holder` VARCHAR(255) NOT NULL,
  `fence` BIGINT NOT NULL,
  `until` DATETIME(6) NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";

const MAKE_ROW: &str = "INSERT IGNORE INTO `_backstay_lease` (`name`, `holder`, `fence`, `until`) VALUES (?, '', 0, '1970-01-02 00:00:00')";

const TAKE: &str = "UPDATE `_backstay_lease` SET `fence` = `fence` + 1, `holder` = ?, `until` = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND WHERE `name` = ? AND (`holder` = ? OR `until` <= UTC_TIMESTAMP(6))";

const RENEW: &str = "UPDATE `_backstay_lease` SET `until` = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND WHERE `name` = ? AND `holder` = ? AND `fence` = ?";

const RELEASE: &str = "UPDATE `_backstay_lease` SET `until` = UTC_TIMESTAMP(6) WHERE `name` = ? AND `holder` = ? AND `fence` = ?";

const READ: &str = "SELECT `holder`, `fence`, `until` FROM `_backstay_lease` WHERE `name` = ?";

const KEEP: &str = "UPDATE `_backstay_lease` SET `until` = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND WHERE `name` = ? AND `fence` = ?";

/// `ER_NO_SUCH_TABLE`.
const NO_SUCH_TABLE: u16 = 1146;

/// Takes, renews or gives back.
///
/// # Errors
/// When the database cannot be reached or written.
pub async fn ask(pool: &Pool, request: &LeaseRequest) -> Result<LeaseAnswer, Fault> {
    let mut connection = pool.take(Purpose::Write).await?;
    make_row(&mut connection, &request.name).await?;
    connection.begin(Transaction::Write).await?;
    let answer = answer(&mut connection, request).await;
    match answer {
        Ok(answer) => connection.commit().await.map(|()| answer),
        Err(fault) => {
            connection.rollback().await;
            Err(fault)
        }
    }
}

/// Shows that a migration goes on.
///
/// # Errors
/// 55P03, when the lease is not its own any more.
pub async fn keep(connection: &mut Connection, held: &Held) -> Result<(), Fault> {
    let values = vec![micros(held.ttl_ms), held.name.as_str().into(), held.fence.into()];
    if change(connection, KEEP, values).await? == 1 {
        return Ok(());
    }
    let message = format!("the lease {:?} was taken over; nothing more was done", held.name);
    Err(Fault::new(code::LEASE_LOST, message))
}

async fn make_row(connection: &mut Connection, name: &str) -> Result<(), Fault> {
    let values = || vec![name.into()];
    match connection.execute(MAKE_ROW, values(), &mut |_| Ok(())).await {
        Ok(_) => Ok(()),
        Err(refusal) if refusal.number() == Some(NO_SUCH_TABLE) => {
            connection.control(MAKE_TABLE).await.map_err(Refusal::into_fault)?;
            change(connection, MAKE_ROW, values()).await.map(drop)
        }
        Err(refusal) => Err(refusal.into_fault()),
    }
}

async fn answer(connection: &mut Connection, request: &LeaseRequest) -> Result<LeaseAnswer, Fault> {
    let (name, holder) = (request.name.as_str(), request.holder.as_str());
    let held = match request.action {
        LeaseAction::Take { ttl_ms } => {
            let values = vec![holder.into(), micros(ttl_ms), name.into(), holder.into()];
            change(connection, TAKE, values).await?
        }
        LeaseAction::Renew { fence, ttl_ms } => {
            let values = vec![micros(ttl_ms), name.into(), holder.into(), fence.into()];
            change(connection, RENEW, values).await?
        }
        LeaseAction::Release { fence } => {
            change(connection, RELEASE, vec![name.into(), holder.into(), fence.into()]).await?;
            return Ok(LeaseAnswer::Released);
        }
    };
    let (holder, fence, until) = read(connection, name).await?;
    Ok(if held == 1 { LeaseAnswer::Held { fence } } else { LeaseAnswer::Taken { holder, until } })
}

async fn read(connection: &mut Connection, name: &str) -> Result<(String, i64, String), Fault> {
    let rows = connection.rows(READ, &[&name]).await?;
    let column = |index: usize, ty| {
        let received = rows.first().and_then(|row| row.as_ref(index));
        received.map_or(Ok(None), |received| value(received, ty))
    };
    let fence = match column(1, ScalarType::BigInt)? {
        Some(Value::Int(fence)) => fence,
        _ => return Err(Fault::internal("a lease has no row")),
    };
    let text = |value: Option<Value>| value.map(|value| value.to_text()).unwrap_or_default();
    Ok((text(column(0, ScalarType::String)?), fence, text(column(2, ScalarType::Timestamp)?)))
}

async fn change(
    connection: &mut Connection,
    text: &'static str,
    values: Vec<mysql_async::Value>,
) -> Result<u64, Fault> {
    connection.execute(text, values, &mut |_| Ok(())).await.map_err(Refusal::into_fault)
}

fn micros(ms: u64) -> mysql_async::Value {
    ms.saturating_mul(1_000).into()
}
