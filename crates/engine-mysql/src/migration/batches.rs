//! Rows that change so many at a time, each time in a transaction of its own, until there are none. Where the statement
//! goes by a key, a batch begins behind the last row of the one before; the place is kept in variables of the
//! session, with their types, since another run finds what is left by the condition.

use super::{row, run};
use crate::connection::Connection;
use backstay_base::fault::Fault;
use backstay_engine::migration::MOST_BATCHES;
use backstay_engine::migration::by_key::{ByKey, take};

const HAS_LAST: &str = "SELECT @_backstay_last1 IS NOT NULL";

/// Asks a statement until it changes nothing. Whoever was not heard did some of it.
pub(super) async fn by_batches(
    connection: &mut Connection,
    number: usize,
    statement: &str,
) -> Result<(), Fault> {
    let mut left = MOST_BATCHES;
    match ByKey::read(statement, true).filter(|by_key| !by_key.within) {
        // rows that came behind the last one meanwhile are found by another pass
        Some(by_key) => while pass(connection, number, (&by_key, &mut left)).await? {},
        None => loop {
            run(connection, number, statement).await?;
            if connection.affected() == 0 {
                break;
            }
            take(&mut left, number)?;
        },
    }
    Ok(())
}

/// Goes through the table once; whether a row was changed.
async fn pass(
    connection: &mut Connection,
    number: usize,
    (by_key, left): (&ByKey<'_>, &mut u64),
) -> Result<bool, Fault> {
    let (mut place, mut changed) = (Place::Beginning, false);
    loop {
        for text in look(by_key, place) {
            run(connection, number, &text).await?;
        }
        let found = connection.rows(HAS_LAST, &[]).await?.into_iter().next();
        let (is_full,): (bool,) = found.map(row).transpose()?.unwrap_or_default();
        run(connection, number, &change(by_key, place, is_full)).await?;
        changed |= connection.affected() > 0;
        if !is_full {
            return Ok(changed);
        }
        run(connection, number, &go_on(by_key)).await?;
        place = Place::BehindTheLast;
        take(left, number)?;
    }
}

/// Where a batch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Beginning,
    BehindTheLast,
}

/// Which row is the last one of a full batch.
fn look(by_key: &ByKey<'_>, place: Place) -> [String; 2] {
    let ByKey { table, condition, key, limit, .. } = by_key;
    let into = variables("last", key.len());
    let nothing: Vec<String> = into.iter().map(|variable| [variable, " = NULL"].concat()).collect();
    let key = key.join(", ");
    let find = [
        "SELECT ",
        &key,
        " FROM ",
        table,
        " WHERE (",
        condition,
        ")",
        &behind(by_key, place),
        " ORDER BY ",
        &key,
        " LIMIT 1 OFFSET ",
        &(limit - 1).to_string(),
        " INTO ",
        &into.join(", "),
    ];
    [["SET ", &nothing.join(", ")].concat(), find.concat()]
}

/// Changes the rows up to the last one, or those that are left.
fn change(by_key: &ByKey<'_>, place: Place, is_full: bool) -> String {
    let ByKey { head, condition, key, limit, .. } = by_key;
    let behind = behind(by_key, place);
    let end = if is_full {
        [" AND ", &compared(key, "last", ("<", "<="))].concat()
    } else {
        [" ORDER BY ", &key.join(", "), " LIMIT ", &limit.to_string()].concat()
    };
    [*head, "WHERE (", condition, ")", &behind, &end].concat()
}

fn go_on(by_key: &ByKey<'_>) -> String {
    let count = by_key.key.len();
    let sets = variables("after", count).into_iter().zip(variables("last", count));
    let sets: Vec<String> = sets.map(|(after, last)| [after, " = ".into(), last].concat()).collect();
    ["SET ", &sets.join(", ")].concat()
}

fn behind(by_key: &ByKey<'_>, place: Place) -> String {
    match place {
        Place::Beginning => String::new(),
        Place::BehindTheLast => [" AND ", &compared(&by_key.key, "after", (">", ">"))].concat(),
    }
}

/// Compares a key with variables, part by part: of rows in brackets no index knows the order here.
fn compared(key: &[&str], variable: &str, (inner, last): (&str, &str)) -> String {
    let parts: Vec<(&&str, String)> = key.iter().zip(variables(variable, key.len())).collect();
    let sides = (0..parts.len()).map(|end| {
        let same = parts.iter().take(end).map(|(name, value)| [name, " = ", value].concat());
        let op = if end + 1 == parts.len() { last } else { inner };
        let differs =
            parts.iter().skip(end).take(1).map(|(name, value)| [name, " ", op, " ", value].concat());
        same.chain(differs).collect::<Vec<_>>().join(" AND ")
    });
    ["(", &sides.collect::<Vec<_>>().join(" OR "), ")"].concat()
}

fn variables(name: &str, count: usize) -> Vec<String> {
    (1..=count).map(|index| format!("@_backstay_{name}{index}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Place, change, go_on, look};
    use backstay_engine::migration::by_key::ByKey;

    #[test]
    fn a_batch_begins_behind_the_last_one() {
        let text = "UPDATE t SET n = 1 WHERE n IS NULL OR o ORDER BY a, b LIMIT 5";
        let by_key = ByKey::read(text, true).unwrap();
        assert_eq!(
            look(&by_key, Place::Beginning),
            [
                "SET @_backstay_last1 = NULL, @_backstay_last2 = NULL",
                "SELECT a, b FROM t WHERE (n IS NULL OR o) ORDER BY a, b LIMIT 1 OFFSET 4 INTO @_backstay_last1, @_backstay_last2",
            ]
        );
        assert_eq!(
            change(&by_key, Place::BehindTheLast, true),
            "UPDATE t SET n = 1 WHERE (n IS NULL OR o) AND (a > @_backstay_after1 OR a = @_backstay_after1 AND b > \
             @_backstay_after2) AND (a < @_backstay_last1 OR a = @_backstay_last1 AND b <= @_backstay_last2)"
        );
        assert_eq!(
            change(&by_key, Place::Beginning, false),
            "UPDATE t SET n = 1 WHERE (n IS NULL OR o) ORDER BY a, b LIMIT 5"
        );
        assert_eq!(
            go_on(&by_key),
            "SET @_backstay_after1 = @_backstay_last1, @_backstay_after2 = @_backstay_last2"
        );
    }
}
