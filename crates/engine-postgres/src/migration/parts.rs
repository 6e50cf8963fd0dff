//! Migrations in parts: `COMMIT` ends one, and what no transaction may hold, or would hold others up in one
//! (`CREATE INDEX CONCURRENTLY`, `VALIDATE CONSTRAINT`), stands between two. What was done is known by its
//! checksum: the rest of a file that was refused half-way may be mended.

use super::batches::by_batches;
use super::refusal::refused;
use super::{MAKE_JOURNAL, add_journal_row, begin, commit, run};
use crate::connection::Connection;
use crate::error::Trouble;
use crate::lease;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_engine::migration::{Batch, JournalRow, Pace, Way, is_batched};
use std::borrow::Cow;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

const LOCK_JOURNAL: &str = "LOCK TABLE \"_backstay_migration\" IN SHARE ROW EXCLUSIVE MODE";

const IS_APPLIED: &str = "SELECT 1 FROM \"_backstay_migration\" WHERE \"number\" = $1";

/// How far a migration came that is not one transaction.
const MAKE_STEPS: &str = "CREATE TABLE IF NOT EXISTS \"_backstay_migration_step\" (
  \"number\" bigint NOT NULL,
  \"checksum\" text COLLATE \"C\" NOT NULL,
  \"done\" bigint NOT NULL,
  CONSTRAINT \"_backstay_migration_step_pkey\" PRIMARY KEY (\"number\", \"checksum\")
)";

const HAS_STEPS: &str = "SELECT to_regclass('\"_backstay_migration_step\"') IS NOT NULL";

const READ_STEP: &str =
    "SELECT \"done\", \"checksum\" FROM \"_backstay_migration_step\" WHERE \"number\" = $1";

const WRITE_STEP: &str =
    "INSERT INTO \"_backstay_migration_step\" (\"number\", \"checksum\", \"done\") VALUES ($1, $2, $3)";

const CLEAR_STEPS: &str = "DELETE FROM \"_backstay_migration_step\" WHERE \"number\" = $1";

/// Checksum of what was done.
const CHAIN: &str = "SELECT encode(sha256(convert_to(string_agg(s, E'\\n' ORDER BY place), 'UTF8')), 'hex') FROM unnest($1) WITH ORDINALITY AS u(s, place)";

/// Building an index, and waiting for those who read what it indexes, may take as long as it likes: nobody
/// waits behind it.
const UNLIMITED: &str = "SET statement_timeout = 0; SET lock_timeout = 0";

const INDEX: &str = "SELECT x.indisvalid, format('DROP INDEX CONCURRENTLY %I', i.relname)
FROM pg_catalog.pg_index AS x
JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = i.relnamespace
WHERE n.nspname = current_schema() AND i.relname = $1";

/// Runs a migration.
pub(super) async fn apply(connection: &Connection, batch: &Batch) -> Result<(), Trouble> {
    let client = connection.client();
    let split = batch.statements.iter().any(|statement| Part::of(statement) != Part::Within);
    let Some(row) = batch.journal.as_ref().filter(|_| split && batch.way == Way::Forth) else {
        return whole(connection, batch).await;
    };
    if batch.pace == Pace::Whole && read_step(client, batch, row).await? == 0 {
        return whole(connection, batch).await;
    }
    loop {
        begin(client).await?;
        if let Some(held) = &batch.lease {
            lease::lock(client, held).await?;
        }
        alone(client, batch, row).await?;
        let mut done = read_step(client, batch, row).await?;
        let rest = batch.statements.get(done..).unwrap_or_default();
        let together = rest.iter().take_while(|statement| Part::of(statement) == Part::Within).count();
        for (index, statement) in rest.iter().take(together).enumerate() {
            run(client, done + index + 1, statement).await?;
        }
        done += together;
        let Some(next) = rest.get(together) else {
            add_journal_row(client, batch, row).await?;
            client.batch_execute(MAKE_STEPS).await?;
            client.execute_typed(CLEAR_STEPS, &[(&row.number, Type::INT8)]).await?;
            return commit(connection, batch).await;
        };
        let is_boundary = Part::of(next) == Part::Boundary;
        let kept = if is_boundary { done + 1 } else { done };
        write_step(client, row, batch.statements.get(..kept).unwrap_or_default()).await?;
        commit(connection, batch).await?;
        if !is_boundary {
            build(connection, done + 1, next).await?;
            begin(client).await?;
            write_step(client, row, batch.statements.get(..=done).unwrap_or_default()).await?;
            commit(connection, batch).await?;
        }
    }
}

/// Waits until no other session is at the journal: one that nobody hears any more may still end.
async fn alone(client: &Client, batch: &Batch, row: &JournalRow) -> Result<(), Trouble> {
    client.batch_execute(MAKE_JOURNAL).await?;
    client.batch_execute(LOCK_JOURNAL).await?;
    let applied = client.query_typed_opt(IS_APPLIED, &[(&row.number, Type::INT8)]).await?.is_some();
    let fault = match batch.way {
        Way::Forth if !applied || batch.forget.contains(&row.number) => return Ok(()),
        Way::Back if applied => return Ok(()),
        Way::Forth => {
            let message = format!("a migration with the number {} was applied already", row.number);
            Fault::new(code::UNIQUE_VIOLATION, message)
        }
        Way::Back => Fault::new(code::TRANSACTION_STATE, format!("{} was taken back already", row.name)),
    };
    Err(Trouble::answer(fault))
}

/// All of it in one transaction.
async fn whole(connection: &Connection, batch: &Batch) -> Result<(), Trouble> {
    let client = connection.client();
    begin(client).await?;
    if let Some(held) = &batch.lease {
        lease::lock(client, held).await?;
    }
    if let Some(row) = &batch.journal {
        alone(client, batch, row).await?;
    }
    for (index, statement) in batch.statements.iter().enumerate() {
        if is_batched(statement) {
            by_batches(client, index + 1, statement).await?;
        } else {
            run(client, index + 1, &within_transaction(statement)).await?;
        }
    }
    if let Some(row) = &batch.journal {
        add_journal_row(client, batch, row).await?;
    }
    commit(connection, batch).await
}

/// Whether there is a table of how far migrations came.
pub(super) async fn has_steps(client: &Client) -> Result<bool, Trouble> {
    Ok(client.query_typed_one(HAS_STEPS, &[]).await?.try_get(0)?)
}

/// How many statements were done, which must be those that the file begins with.
async fn read_step(client: &Client, batch: &Batch, row: &JournalRow) -> Result<usize, Trouble> {
    if !has_steps(client).await? {
        return Ok(0);
    }
    let Some(found) = client.query_typed_opt(READ_STEP, &[(&row.number as _, Type::INT8)]).await? else {
        return Ok(0);
    };
    let done = usize::try_from(found.try_get::<_, i64>(0)?).unwrap_or(usize::MAX);
    let known: &str = found.try_get(1)?;
    // an earlier release wrote down the checksum of the whole file
    if known == row.checksum || batch.statements.get(..done).is_none_or(<[String]>::is_empty) {
        return Ok(if known == row.checksum { done } else { 0 });
    }
    let begun = batch.statements.get(..done).unwrap_or_default();
    if chain(client, begun).await? == known {
        return Ok(done);
    }
    let message = format!(
        "{} stopped after {done} of its statements, and these were changed since; put them back as they were",
        row.name
    );
    Err(Trouble::answer(Fault::new(code::TRANSACTION_STATE, message)))
}

async fn write_step(client: &Client, row: &JournalRow, done: &[String]) -> Result<(), Trouble> {
    client.batch_execute(MAKE_STEPS).await?;
    client.execute_typed(CLEAR_STEPS, &[(&row.number, Type::INT8)]).await?;
    let checksum = chain(client, done).await?;
    let done = i64::try_from(done.len()).unwrap_or(i64::MAX);
    let values = [(&row.number as _, Type::INT8), (&checksum as _, Type::TEXT), (&done as _, Type::INT8)];
    client.execute_typed(WRITE_STEP, &values).await?;
    Ok(())
}

async fn chain(client: &Client, statements: &[String]) -> Result<String, Trouble> {
    let found = client.query_typed_one(CHAIN, &[(&statements, Type::TEXT_ARRAY)]).await?;
    Ok(found.try_get::<_, Option<String>>(0)?.unwrap_or_default())
}

/// Builds or drops an index, or holds rows against a constraint, while others write. An index that an
/// interrupted run left behind unfinished is built anew, one that it finished stays.
async fn build(connection: &Connection, number: usize, statement: &str) -> Result<(), Trouble> {
    let client = connection.client();
    if !connection.is_pooled() {
        client.batch_execute(UNLIMITED).await?;
        connection.retire();
    }
    if is_batched(statement) {
        return by_batches(client, number, statement).await;
    }
    let name = created_index(statement);
    if let Some(name) = &name
        && clear(client, name).await? == Stands::Whole
    {
        return Ok(());
    }
    let built = client.batch_execute(statement).await;
    if let (Err(_), Some(name)) = (&built, &name) {
        // what is unfinished would go on refusing values; when it cannot go now the next run sees to it
        let _ = clear(client, name).await;
    }
    built.map_err(|error| refused(number, error))
}

/// What stands of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    Nothing,
    Whole,
}

/// Drops an index that is unfinished.
async fn clear(client: &Client, name: &String) -> Result<Stands, Trouble> {
    let Some(found) = client.query_typed_opt(INDEX, &[(name, Type::TEXT)]).await? else {
        return Ok(Stands::Nothing);
    };
    if found.try_get(0)? {
        return Ok(Stands::Whole);
    }
    client.batch_execute(found.try_get(1)?).await?;
    Ok(Stands::Nothing)
}

/// The first words of a statement, until one that is none.
fn words(statement: &str) -> impl Iterator<Item = &str> {
    statement.split([' ', '\n', '\t', '\r']).filter(|word| !word.is_empty())
}

fn is_word(word: &str, wanted: &str) -> bool {
    word.eq_ignore_ascii_case(wanted)
}

/// Where a statement stands in a migration in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// In a transaction with its neighbours.
    Within,
    /// Outside.
    Alone,
    /// It is what ends a transaction.
    Boundary,
}

impl Part {
    fn of(statement: &str) -> Self {
        let mut all = words(statement);
        let verb = all.next().unwrap_or_default();
        if is_word(verb, "COMMIT") && all.next().is_none() {
            return Self::Boundary;
        }
        let alone = is_concurrent(statement) || is_validation(statement) || is_batched(statement);
        if alone { Self::Alone } else { Self::Within }
    }
}

/// Whether no transaction may hold it.
fn is_concurrent(statement: &str) -> bool {
    let mut words = words(statement);
    let verb = words.next().unwrap_or_default();
    let index = ["CREATE", "DROP", "REINDEX"].iter().any(|known| is_word(verb, known));
    (index && words.take(3).any(|word| is_word(word, "CONCURRENTLY"))) || is_detachment(statement)
}

/// `ALTER TABLE a DETACH PARTITION b CONCURRENTLY`.
fn is_detachment(statement: &str) -> bool {
    let words: Vec<&str> = words(statement).collect();
    let [alter, table, _, detach, partition, _, last] = words.as_slice() else { return false };
    [(alter, "ALTER"), (table, "TABLE"), (detach, "DETACH"), (partition, "PARTITION"), (last, "CONCURRENTLY")]
        .iter()
        .all(|(word, wanted)| is_word(word, wanted))
}

/// Whether it does nothing but hold rows against a constraint: in a transaction that changed the table
/// before, others would wait for it.
fn is_validation(statement: &str) -> bool {
    let words: Vec<&str> = words(statement).collect();
    let validates =
        |pair: &[&str]| matches!(pair, [a, b] if is_word(a, "VALIDATE") && is_word(b, "CONSTRAINT"));
    let plain = !statement.contains([',', '\'']);
    matches!(words.as_slice(), [a, b, ..] if is_word(a, "ALTER") && is_word(b, "TABLE"))
        && plain
        && words.windows(2).any(validates)
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
    if Part::of(statement) == Part::Boundary {
        return Cow::Borrowed("");
    }
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
    use super::{Part, created_index, is_concurrent, within_transaction};

    #[test]
    fn parts_are_told() {
        for (statement, part) in [
            ("COMMIT", Part::Boundary),
            ("commit\n", Part::Boundary),
            ("COMMIT AND CHAIN", Part::Within),
            ("ALTER TABLE \"a b\" VALIDATE CONSTRAINT \"c d\"", Part::Alone),
            ("ALTER TABLE a VALIDATE CONSTRAINT c, ADD COLUMN d int", Part::Within),
            ("ALTER TABLE a ADD COLUMN c text DEFAULT 'VALIDATE CONSTRAINT c'", Part::Within),
            ("ALTER TABLE a ADD CONSTRAINT c CHECK (d > 0) NOT VALID", Part::Within),
            ("REINDEX INDEX CONCURRENTLY a", Part::Alone),
            ("ALTER TABLE a DETACH PARTITION b CONCURRENTLY", Part::Alone),
            ("ALTER TABLE a DETACH PARTITION concurrently", Part::Within),
        ] {
            assert_eq!(Part::of(statement), part, "{statement}");
        }
        assert_eq!(within_transaction("COMMIT"), "");
    }

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
