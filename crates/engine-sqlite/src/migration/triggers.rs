//! Triggers that somebody wrote on a table that is made anew: the old table takes them with it, the new one
//! gets them again. One that the new table has no place for is named, and the migration leaves no trace.

use crate::error::fault;
use backstay_base::code;
use backstay_base::fault::Fault;
use rusqlite::Connection;

const READ: &str = "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger' AND sql IS NOT NULL";

const COLUMNS: &str = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0";

/// A trigger as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trigger {
    name: String,
    table: String,
    text: String,
}

/// The triggers before a table goes.
#[derive(Debug, Default)]
pub(super) struct Triggers(Vec<Trigger>);

impl Triggers {
    /// What stands now.
    pub(super) fn read(connection: &Connection) -> Result<Self, Fault> {
        let mut statement = connection.prepare(READ).map_err(fault)?;
        let rows = statement
            .query_map([], |row| Ok(Trigger { name: row.get(0)?, table: row.get(1)?, text: row.get(2)? }));
        let rows = rows.and_then(Iterator::collect).map_err(fault)?;
        Ok(Self(rows))
    }

    /// Makes those of a table again that went with the one that had its name.
    ///
    /// # Errors
    /// With the name of a trigger that the table has no place for.
    pub(super) fn restore(&self, connection: &Connection, table: &str) -> Result<(), Fault> {
        let there = Self::read(connection)?;
        for trigger in self.0.iter().filter(|trigger| trigger.table.eq_ignore_ascii_case(table)) {
            if there.0.iter().any(|other| other.name == trigger.name) {
                continue;
            }
            let made = connection.execute_batch(&trigger.text).and_then(|()| is_possible(connection, table));
            made.map_err(|error| {
                let message = format!(
                    "the trigger {} of {table}, which somebody wrote, does not fit the table as it becomes: {error}",
                    trigger.name
                );
                Fault::new(code::TRANSACTION_STATE, message)
                    .with_hint("drop it before in the migration file, and make it anew behind")
            })?;
        }
        Ok(())
    }
}

/// A trigger is read as a whole when a statement that fires it is.
fn is_possible(connection: &Connection, table: &str) -> rusqlite::Result<()> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let mut columns = connection.prepare(COLUMNS)?;
    let columns = columns.query_map([table], |row| row.get::<_, String>(0))?;
    let columns = columns.collect::<rusqlite::Result<Vec<String>>>()?;
    let table = quoted(table);
    let set: Vec<String> = columns.iter().map(|column| format!("{0} = {0}", quoted(column))).collect();
    for text in [
        ["EXPLAIN INSERT INTO ", &table, " DEFAULT VALUES"].concat(),
        ["EXPLAIN DELETE FROM ", &table].concat(),
        ["EXPLAIN UPDATE ", &table, " SET ", &set.join(", ")].concat(),
    ] {
        connection.prepare(&text)?;
    }
    Ok(())
}
