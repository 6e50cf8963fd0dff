//! Rows that change so many at a time, each time in a transaction of its own, until there are none. Where the statement
//! goes by a key, a batch begins behind the last row of the one before; the place is kept by this run alone, since
//! another one finds what is left by the condition.

use super::refusal::refused;
use crate::error::Trouble;
use backstay_engine::migration::MOST_BATCHES;
use backstay_engine::migration::by_key::{ByKey, take};
use tokio_postgres::{Client, SimpleQueryMessage};

/// A planner that expects few rows, of a column that it knows nothing of yet, would rather look at all rows and sort;
/// compiling that takes longer than the batch.
const THE_KEY: &str =
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off; ";

/// Asks a statement until it changes nothing.
pub(super) async fn by_batches(client: &Client, number: usize, statement: &str) -> Result<(), Trouble> {
    let mut left = MOST_BATCHES;
    match ByKey::read(statement, false).filter(|by_key| by_key.within) {
        // rows that came behind the last one meanwhile are found by another pass
        Some(by_key) => while pass(client, number, (&by_key, &mut left)).await? {},
        None => {
            while changes(&client.simple_query(statement).await.map_err(|error| refused(number, error))?) {
                take(&mut left, number).map_err(Trouble::answer)?;
            }
        }
    }
    Ok(())
}

/// Goes through the table once; whether a row was changed.
async fn pass(
    client: &Client,
    number: usize,
    (by_key, left): (&ByKey<'_>, &mut u64),
) -> Result<bool, Trouble> {
    let (mut after, mut changed) = (None, false);
    loop {
        // statements that are sent together are one transaction
        let text = [THE_KEY, &batch(by_key, after.as_deref())].concat();
        let answers = client.simple_query(&text).await.map_err(|error| refused(number, error))?;
        let last = answers.into_iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let Some(last) = last else { return Ok(changed) };
        let values = (0..by_key.key.len()).map(|index| last.get(index).map(str::to_owned));
        // without a value there is nothing to begin behind
        after = values.collect::<Option<Vec<String>>>();
        changed = true;
        take(left, number).map_err(Trouble::answer)?;
    }
}

fn changes(answers: &[SimpleQueryMessage]) -> bool {
    answers.iter().any(|answer| matches!(answer, SimpleQueryMessage::CommandComplete(rows) if *rows > 0))
}

/// Changes the rows behind a key, and answers with the key of the last one.
fn batch(by_key: &ByKey<'_>, after: Option<&[String]>) -> String {
    let ByKey { head, table, condition, key, limit, .. } = by_key;
    let key = key.join(", ");
    let behind = after.map_or_else(String::new, |values| {
        let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        [" AND (", &key, ") > (", &values.join(", "), ")"].concat()
    });
    [
        "WITH _backstay_batch AS MATERIALIZED (SELECT ",
        &key,
        " FROM ",
        table,
        " WHERE (",
        condition,
        ")",
        &behind,
        " ORDER BY ",
        &key,
        " LIMIT ",
        &limit.to_string(),
        "), _backstay_done AS (",
        head,
        "(SELECT ",
        &key,
        " FROM _backstay_batch)) SELECT ",
        &key,
        " FROM _backstay_batch ORDER BY ROW(",
        &key,
        ") DESC LIMIT 1",
    ]
    .concat()
}

/// A text that says the same whatever `standard_conforming_strings` is.
fn quoted(value: &str) -> String {
    ["E'", &value.replace('\\', r"\\").replace('\'', "''"), "'"].concat()
}

#[cfg(test)]
mod tests {
    use super::batch;
    use backstay_engine::migration::by_key::ByKey;

    #[test]
    fn a_batch_begins_behind_the_last_one() {
        let text = "UPDATE t SET n = 1 WHERE (a, b) IN (SELECT a, b FROM t WHERE n IS NULL OR o ORDER BY a, b LIMIT 5)";
        let by_key = ByKey::read(text, false).unwrap();
        assert_eq!(
            batch(&by_key, Some(&[r"it's \".to_owned(), "7".to_owned()])),
            "WITH _backstay_batch AS MATERIALIZED (SELECT a, b FROM t WHERE (n IS NULL OR o) AND (a, b) > (E'it''s \\\\', E'7') \
             ORDER BY a, b LIMIT 5), _backstay_done AS (UPDATE t SET n = 1 WHERE (a, b) IN (SELECT a, b FROM \
             _backstay_batch)) SELECT a, b FROM _backstay_batch ORDER BY ROW(a, b) DESC LIMIT 1"
        );
        assert!(!batch(&by_key, None).contains('>'));
    }
}
