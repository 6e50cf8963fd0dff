//! Statements that no transaction may hold, between those that one holds.

use super::refusal::refused;
use super::{add_journal_row, begin, commit, run};
use crate::connection::Connection;
use crate::error::Trouble;
use crate::lease;
use backstay_engine::migration::{Batch, JournalRow};
use std::borrow::Cow;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// How far a migration came that is not one transaction.
const MAKE_STEPS: &str = "CREATE TABLE IF NOT EXISTS \"_backstay_migration_step\" (
  \"number\" bigint NOT NULL,
  \"checksum\" text COLLATE \"C\" NOT NULL,
  \"done\" bigint NOT NULL,
  CONSTRAINT \"_backstay_migration_step_pkey\" PRIMARY KEY (\"number\", \"checksum\")
)";

const HAS_STEPS: &str = "SELECT to_regclass('\"_backstay_migration_step\"') IS NOT NULL";

const READ_STEP: &str =
    "SELECT \"done\" FROM \"_backstay_migration_step\" WHERE \"number\" = $1 AND \"checksum\" = $2";

const WRITE_STEP: &str =
    "INSERT INTO \"_backstay_migration_step\" (\"number\", \"checksum\", \"done\") VALUES ($1, $2, $3)
ON CONFLICT (\"number\", \"checksum\") DO UPDATE SET \"done\" = excluded.\"done\"";

const CLEAR_STEPS: &str = "DELETE FROM \"_backstay_migration_step\" WHERE \"number\" = $1";

/// Building an index may take as long as it likes.
const UNLIMITED: &str = "SET statement_timeout = 0";

const INDEX: &str = "SELECT x.indisvalid, format('DROP INDEX CONCURRENTLY %I', i.relname)
FROM pg_catalog.pg_index AS x
JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = i.relnamespace
WHERE n.nspname = current_schema() AND i.relname = $1";

/// Runs a migration: in one transaction where it can be.
pub(super) async fn apply(connection: &Connection, batch: &Batch) -> Result<(), Trouble> {
    let client = connection.client();
    let split = batch.statements.iter().any(|statement| is_concurrent(statement));
    let mut done = match &batch.journal {
        Some(row) if split => read_step(client, row).await?,
        _ => 0,
    };
    loop {
        let rest = batch.statements.get(done..).unwrap_or_default();
        let together = rest.iter().take_while(|statement| !is_concurrent(statement)).count();
        let last = together == rest.len();
        begin(client).await?;
        if let Some(held) = &batch.lease {
            lease::lock(client, held).await?;
        }
        for (index, statement) in rest.iter().take(together).enumerate() {
            run(client, done + index + 1, statement).await?;
        }
        done += together;
        match &batch.journal {
            Some(row) if last => {
                add_journal_row(client, row).await?;
                if split {
                    client.execute_typed(CLEAR_STEPS, &[(&row.number, Type::INT8)]).await?;
                }
            }
            Some(row) => write_step(client, row, done).await?,
            None => {}
        }
        commit(connection, batch).await?;
        if last {
            return Ok(());
        }
        if let Some(statement) = rest.get(together) {
            build(connection, done + 1, statement).await?;
        }
        done += 1;
    }
}

async fn read_step(client: &Client, row: &JournalRow) -> Result<usize, Trouble> {
    let there = client.query_typed_one(HAS_STEPS, &[]).await?;
    if !there.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let values = [(&row.number as _, Type::INT8), (&row.checksum as _, Type::TEXT)];
    match client.query_typed_opt(READ_STEP, &values).await? {
        Some(found) => Ok(usize::try_from(found.try_get::<_, i64>(0)?).unwrap_or(0)),
        None => Ok(0),
    }
}

async fn write_step(client: &Client, row: &JournalRow, done: usize) -> Result<(), Trouble> {
    client.batch_execute(MAKE_STEPS).await?;
    let done = i64::try_from(done).unwrap_or(i64::MAX);
    let values = [(&row.number as _, Type::INT8), (&row.checksum as _, Type::TEXT), (&done as _, Type::INT8)];
    client.execute_typed(WRITE_STEP, &values).await?;
    Ok(())
}

/// Builds or drops an index while others write. One that an interrupted run left behind
/// unfinished is built anew, one that it finished stays.
async fn build(connection: &Connection, number: usize, statement: &str) -> Result<(), Trouble> {
    let client = connection.client();
    if !connection.is_pooled() {
        client.batch_execute(UNLIMITED).await?;
        connection.retire();
    }
    if let Some(name) = created_index(statement)
        && let Some(found) = client.query_typed_opt(INDEX, &[(&name, Type::TEXT)]).await?
    {
        if found.try_get(0)? {
            return Ok(());
        }
        client.batch_execute(found.try_get(1)?).await.map_err(|error| refused(number, error))?;
    }
    client.batch_execute(statement).await.map_err(|error| refused(number, error))
}

/// The first words of a statement, until one that is none.
fn words(statement: &str) -> impl Iterator<Item = &str> {
    statement.split([' ', '\n', '\t', '\r']).filter(|word| !word.is_empty())
}

fn is_word(word: &str, wanted: &str) -> bool {
    word.eq_ignore_ascii_case(wanted)
}

/// Whether no transaction may hold it.
fn is_concurrent(statement: &str) -> bool {
    let mut words = words(statement);
    let verb = words.next().unwrap_or_default();
    let index = ["CREATE", "DROP", "REINDEX"].iter().any(|known| is_word(verb, known));
    index && words.take(3).any(|word| is_word(word, "CONCURRENTLY"))
}

/// The index that a statement creates.
fn created_index(statement: &str) -> Option<String> {
    let mut words = words(statement);
    words.next().filter(|verb| is_word(verb, "CREATE"))?;
    let mut rest = words.skip_while(|word| !is_word(word, "CONCURRENTLY")).skip(1);
    let mut name = rest.next()?;
    if is_word(name, "IF") {
        name = rest.nth(2)?;
    }
    match name.strip_prefix('"') {
        Some(quoted) => Some(quoted.strip_suffix('"')?.replace("\"\"", "\"")),
        None => Some(name.to_lowercase()),
    }
}

/// The statement as a transaction may hold it: a rehearsal builds on empty tables.
pub(super) fn within_transaction(statement: &str) -> Cow<'_, str> {
    if !is_concurrent(statement) {
        return Cow::Borrowed(statement);
    }
    let kept: Vec<&str> = words(statement).collect();
    let place = kept.iter().position(|word| is_word(word, "CONCURRENTLY"));
    let kept = kept.iter().enumerate().filter(|(index, _)| Some(*index) != place);
    Cow::Owned(kept.map(|(_, word)| *word).collect::<Vec<&str>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::{created_index, is_concurrent, within_transaction};

    #[test]
    fn concurrent_statements_are_told() {
        for (statement, concurrent, name) in [
            ("CREATE INDEX CONCURRENTLY a_b_idx ON a (b)", true, Some("a_b_idx")),
            ("create unique index\n concurrently if not exists \"A \"\"x\" ON a (b)", true, None),
            ("create unique index concurrently if not exists \"A\"\"x\" ON a (b)", true, Some("A\"x")),
            ("DROP INDEX CONCURRENTLY a_b_idx", true, None),
            ("CREATE INDEX concurrently_idx ON a (concurrently)", false, None),
            ("INSERT INTO a VALUES ('CREATE INDEX CONCURRENTLY')", false, None),
        ] {
            assert_eq!(is_concurrent(statement), concurrent, "{statement}");
            if concurrent {
                assert_eq!(created_index(statement).as_deref(), name, "{statement}");
            }
        }
        assert_eq!(
            within_transaction("CREATE INDEX CONCURRENTLY a_b_idx ON a (b)"),
            "CREATE INDEX a_b_idx ON a (b)"
        );
    }
}
