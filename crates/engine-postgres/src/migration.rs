//! Migrations and their journal. Definitions are transactional: a migration is one
//! transaction, and its journal row with it. What cannot run in one (`CREATE INDEX
//! CONCURRENTLY`), and `COMMIT`, end the transaction before; how far the migration came is then
//! written down with each part, so that a second run goes on from there.

mod batches;
mod parts;
mod refusal;

use self::refusal::refused_values;
use crate::connection::{Connection, Use};
use crate::error::{Then, Trouble, unknown_outcome};
use crate::introspect;
use crate::lease;
use crate::pool::{Pool, Purpose};
use crate::retry::{Attempts, random_below};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_engine::live::Live;
use backstay_engine::migration::{Batch, JournalRow, Unfinished, Way};
use futures_util::future::BoxFuture;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

const MAKE_JOURNAL: &str = "CREATE TABLE IF NOT EXISTS \"_backstay_migration\" (
  \"number\" bigint NOT NULL CONSTRAINT \"_backstay_migration_pkey\" PRIMARY KEY,
  \"name\" text COLLATE \"C\" NOT NULL,
  \"checksum\" text COLLATE \"C\" NOT NULL,
  \"applied_at\" text COLLATE \"C\" NOT NULL
)";

const ADD_JOURNAL_ROW: &str = "INSERT INTO \"_backstay_migration\" (\"number\", \"name\", \"checksum\", \"applied_at\") VALUES ($1, $2, $3, $4)";

const FORGET_JOURNAL_ROWS: &str = "DELETE FROM \"_backstay_migration\" WHERE \"number\" = ANY($1)";

const READ_JOURNAL: &str = "SELECT \"number\", \"name\", \"checksum\", \"applied_at\" FROM \"_backstay_migration\" ORDER BY \"number\"";

const READ_UNFINISHED: &str =
    "SELECT DISTINCT \"number\" FROM \"_backstay_migration_step\" ORDER BY \"number\"";

const HAS_JOURNAL: &str = "SELECT to_regclass('\"_backstay_migration\"') IS NOT NULL";

/// Definitions wait for locks a second at a time: whoever waits keeps everybody behind them waiting.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = 0;
SET LOCAL backstay.migration = 'runs'";

/// A setting of the transaction: it is gone when a statement has ended it.
const STILL_INSIDE: &str = "SELECT coalesce(current_setting('backstay.migration', TRUE), '') = 'runs'";

/// What the name of the schema begins with in which a rehearsal happens: two at a time are two schemas.
const REHEARSAL: &str = "_backstay_rehearsal_";

/// Runs a migration: all of it and its journal row, or nothing.
///
/// # Errors
/// Whatever a statement is refused with, named by its number; 55P03 when the lease is lost or
/// the tables stay locked.
pub async fn apply(pool: &Pool, batch: &Batch) -> Result<(), Fault> {
    let mut attempts = Attempts::patient();
    loop {
        let connection = pool.take(Purpose::Write).await.map_err(Trouble::into_fault)?;
        let result = parts::apply(&connection, batch).await;
        if result.is_err() {
            roll_back(&connection).await;
        }
        connection.give_back();
        pool.forget_statements();
        match result {
            Ok(()) => return Ok(()),
            Err(trouble) if trouble.then == Then::Again && attempts.another().await => {}
            Err(trouble) => return Err(trouble.into_fault()),
        }
    }
}

/// What an empty database looks like after these statements.
///
/// # Errors
/// Whatever a statement is refused with.
pub async fn rehearse(pool: &Pool, statements: &[String]) -> Result<Live, Fault> {
    let connection = pool.take(Purpose::Write).await.map_err(Trouble::into_fault)?;
    let client = connection.client();
    let work = async {
        begin(client).await?;
        let stage = [REHEARSAL, &format!("{:016x}", random_below(u64::MAX))].concat();
        let begins = ["CREATE SCHEMA \"", &stage, "\"; SET LOCAL search_path TO \"", &stage, "\""].concat();
        client.batch_execute(&begins).await?;
        for (index, statement) in statements.iter().enumerate() {
            run(client, index + 1, &parts::within_transaction(statement)).await?;
        }
        introspect::live(client).await
    };
    let result = work.await;
    roll_back(&connection).await;
    connection.give_back();
    result.map_err(Trouble::into_fault)
}

/// What stands in the database now.
///
/// # Errors
/// When the database cannot be reached.
pub async fn live(pool: &Pool) -> Result<Live, Fault> {
    in_attempts(pool, |client| {
        Box::pin(async {
            client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
            introspect::live(client).await
        })
    })
    .await
}

/// The migrations that were applied.
///
/// # Errors
/// When the journal cannot be read.
pub async fn journal(pool: &Pool) -> Result<Vec<JournalRow>, Fault> {
    in_attempts(pool, |client| Box::pin(read(client))).await
}

/// The migrations whose first parts were done.
///
/// # Errors
/// When their table cannot be read.
pub async fn unfinished(pool: &Pool) -> Result<Vec<Unfinished>, Fault> {
    in_attempts(pool, |client| {
        Box::pin(async {
            if !parts::has_steps(client).await? {
                return Ok(Vec::new());
            }
            let rows = client.query_typed(READ_UNFINISHED, &[]).await?;
            let rows = rows.iter().map(|row| Ok(Unfinished { number: row.try_get(0)?, way: Way::Forth }));
            rows.collect()
        })
    })
    .await
}

/// A question that is asked again where that may help. It may begin a transaction.
async fn in_attempts<T>(
    pool: &Pool,
    ask: impl for<'c> Fn(&'c Client) -> BoxFuture<'c, Result<T, Trouble>>,
) -> Result<T, Fault> {
    let mut attempts = Attempts::new();
    loop {
        let found = async {
            let connection = pool.take(Purpose::Read).await?;
            let result = connection.within_limit(ask(connection.client()), Use::Alone).await;
            roll_back(&connection).await;
            connection.give_back();
            result
        };
        match found.await {
            Ok(found) => return Ok(found),
            Err(trouble) => pool.again(trouble, &mut attempts).await?,
        }
    }
}

async fn read(client: &Client) -> Result<Vec<JournalRow>, Trouble> {
    let there = client.query_typed_one(HAS_JOURNAL, &[]).await?;
    if !there.try_get::<_, bool>(0)? {
        return Ok(Vec::new());
    }
    let rows = client.query_typed(READ_JOURNAL, &[]).await?;
    let rows = rows.iter().map(|row| {
        Ok(JournalRow {
            number: row.try_get(0)?,
            name: row.try_get(1)?,
            checksum: row.try_get(2)?,
            applied_at: row.try_get(3)?,
        })
    });
    rows.collect()
}

/// Ends a transaction without keeping anything. A connection that cannot is not used again.
async fn roll_back(connection: &Connection) {
    if connection.control("ROLLBACK").await.is_err() {
        connection.retire();
    }
}

async fn begin(client: &Client) -> Result<(), Trouble> {
    Ok(client.batch_execute(BEGIN).await?)
}

/// Runs one statement within the transaction and holds that it did not end it.
async fn run(client: &Client, number: usize, statement: &str) -> Result<(), Trouble> {
    client.batch_execute(statement).await.map_err(|error| refused_values(number, statement, error))?;
    let inside = client.query_typed_one(STILL_INSIDE, &[]).await?;
    if inside.try_get(0)? {
        return Ok(());
    }
    let message = format!("statement {number} of the migration begins or ends a transaction");
    Err(Trouble::answer(Fault::new(code::TRANSACTION_STATE, message)))
}

async fn add_journal_row(client: &Client, batch: &Batch, row: &JournalRow) -> Result<(), Trouble> {
    client.batch_execute(MAKE_JOURNAL).await?;
    client.execute_typed(FORGET_JOURNAL_ROWS, &[(&batch.forget, Type::INT8_ARRAY)]).await?;
    if batch.way == Way::Back {
        client.execute_typed(FORGET_JOURNAL_ROWS, &[(&vec![row.number], Type::INT8_ARRAY)]).await?;
        return Ok(());
    }
    let values: [(&(dyn ToSql + Sync), Type); 4] = [
        (&row.number, Type::INT8),
        (&row.name, Type::TEXT),
        (&row.checksum, Type::TEXT),
        (&row.applied_at, Type::TEXT),
    ];
    client.execute_typed(ADD_JOURNAL_ROW, &values).await?;
    Ok(())
}

/// Ends the transaction of a migration, or of a part of it.
async fn commit(connection: &Connection, batch: &Batch) -> Result<(), Trouble> {
    if let Some(held) = &batch.lease {
        lease::keep(connection.client(), held).await?;
    }
    let committed = connection.client().batch_execute("COMMIT").await;
    committed.map_err(|error| {
        let trouble = Trouble::from(error);
        if trouble.is_unanswered() {
            return Trouble::answer(unknown_outcome().with_source(trouble.into_fault()));
        }
        trouble
    })
}
