//! Leases as rows, by the database's clock: no lock of a session, which a pooler would lose.

use crate::error::{Then, Trouble};
use crate::pool::{Pool, Purpose};
use crate::retry::Attempts;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_engine::lease::{Held, LeaseAction, LeaseAnswer, LeaseRequest};
use backstay_schema::value::Value;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error};

/// Two nodes may make it at the same time; the loser finds it there.
pub const MAKE_TABLE: &str = "CREATE TABLE IF NOT EXISTS \"_backstay_lease\" (
  \"name\" text COLLATE \"C\" NOT NULL CONSTRAINT \"_backstay_lease_pkey\" PRIMARY KEY,
  \"holder\" text COLLATE \"C\" NOT NULL,
  \"fence\" bigint NOT NULL,
  \"until\" timestamp with time zone NOT NULL
)";

const TAKE: &str = "INSERT INTO \"_backstay_lease\" AS l (\"name\", \"holder\", \"fence\", \"until\")
VALUES ($1, $2, 1, clock_timestamp() + $3 * interval '1 millisecond')
ON CONFLICT (\"name\") DO UPDATE SET \"holder\" = excluded.\"holder\", \"fence\" = l.\"fence\" + 1, \"until\" = excluded.\"until\"
WHERE l.\"holder\" = excluded.\"holder\" OR l.\"until\" <= clock_timestamp()
RETURNING l.\"fence\"";

const RENEW: &str =
    "UPDATE \"_backstay_lease\" SET \"until\" = clock_timestamp() + $4 * interval '1 millisecond'
WHERE \"name\" = $1 AND \"holder\" = $2 AND \"fence\" = $3 RETURNING \"fence\"";

const RELEASE: &str = "UPDATE \"_backstay_lease\" SET \"until\" = clock_timestamp()
WHERE \"name\" = $1 AND \"holder\" = $2 AND \"fence\" = $3";

const READ: &str = "SELECT \"holder\", (extract(epoch FROM \"until\") * 1000000)::bigint
FROM \"_backstay_lease\" WHERE \"name\" = $1";

const LOCK: &str =
    "SELECT \"fence\" FROM \"_backstay_lease\" WHERE \"name\" = $1 AND \"fence\" = $2 FOR UPDATE";

const KEEP: &str =
    "UPDATE \"_backstay_lease\" SET \"until\" = clock_timestamp() + $3 * interval '1 millisecond'
WHERE \"name\" = $1 AND \"fence\" = $2";

/// Takes, renews or gives back.
///
/// # Errors
/// When the database cannot be reached or written.
pub async fn ask(pool: &Pool, request: &LeaseRequest) -> Result<LeaseAnswer, Fault> {
    let mut attempts = Attempts::new();
    loop {
        match once(pool, request).await {
            Ok(answer) => return Ok(answer),
            Err(trouble) => pool.again(trouble, &mut attempts).await?,
        }
    }
}

async fn once(pool: &Pool, request: &LeaseRequest) -> Result<LeaseAnswer, Trouble> {
    let connection = pool.take(Purpose::Write).await?;
    let work = async {
        match answer(connection.client(), request).await {
            Err(error) if is_missing(&error) => {
                make(connection.client()).await?;
                Ok(answer(connection.client(), request).await?)
            }
            answered => Ok(answered?),
        }
    };
    let result = connection.within_limit(work, crate::connection::Use::Alone).await;
    connection.give_back();
    result
}

async fn answer(client: &Client, request: &LeaseRequest) -> Result<LeaseAnswer, Error> {
    let LeaseRequest { name, holder, action } = request;
    let (name, holder) = ((name as _, Type::TEXT), (holder as _, Type::TEXT));
    let held = match *action {
        LeaseAction::Take { ttl_ms } => {
            client.query_typed_opt(TAKE, &[name, holder, (&float(ttl_ms), Type::FLOAT8)]).await?
        }
        LeaseAction::Renew { fence, ttl_ms } => {
            let shown = (&fence as _, Type::INT8);
            client.query_typed_opt(RENEW, &[name, holder, shown, (&float(ttl_ms), Type::FLOAT8)]).await?
        }
        LeaseAction::Release { fence } => {
            client.execute_typed(RELEASE, &[name, holder, (&fence, Type::INT8)]).await?;
            return Ok(LeaseAnswer::Released);
        }
    };
    if let Some(row) = held {
        return Ok(LeaseAnswer::Held { fence: row.try_get(0)? });
    }
    match client.query_typed_opt(READ, &[(&request.name, Type::TEXT)]).await? {
        Some(row) => Ok(LeaseAnswer::Taken {
            holder: row.try_get(0)?,
            until: Value::Timestamp(row.try_get(1)?).to_text(),
        }),
        None => Ok(LeaseAnswer::Taken { holder: String::new(), until: String::new() }),
    }
}

async fn make(client: &Client) -> Result<(), Error> {
    match client.batch_execute(MAKE_TABLE).await {
        Err(error) if error.code().is_some_and(|code| matches!(code.code(), "23505" | "42P07" | "42710")) => {
            Ok(())
        }
        made => made,
    }
}

fn is_missing(error: &Error) -> bool {
    error.code().is_some_and(|code| code.code() == "42P01")
}

/// Holds the row of a migration's lease until the end of its transaction.
///
/// # Errors
/// 55P03, when somebody else has it.
pub async fn lock(client: &Client, held: &Held) -> Result<(), Trouble> {
    let row = client.query_typed_opt(LOCK, &[(&held.name, Type::TEXT), (&held.fence, Type::INT8)]).await;
    match row {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(lost(held)),
        Err(error) if is_missing(&error) => Err(lost(held)),
        Err(error) => Err(error.into()),
    }
}

/// Gives the lease of a migration its time anew.
///
/// # Errors
/// 55P03, when somebody else has it.
pub async fn keep(client: &Client, held: &Held) -> Result<(), Trouble> {
    let ttl = float(held.ttl_ms);
    let values: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
        [(&held.name, Type::TEXT), (&held.fence, Type::INT8), (&ttl, Type::FLOAT8)];
    if client.execute_typed(KEEP, &values).await? == 1 { Ok(()) } else { Err(lost(held)) }
}

fn lost(held: &Held) -> Trouble {
    let message = format!("the lease {:?} was taken over; nothing was done", held.name);
    Trouble { failure: Fault::new(code::LEASE_LOST, message).into(), then: Then::Answer }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds far below 2^53")]
const fn float(ms: u64) -> f64 {
    ms as f64
}
