//! [`SqliteSession`]: one script on one connection. Its futures are always ready.

use crate::bind::{SqliteRow, bound};
use crate::error::failure;
use backstay_schema::value::Value;
use backstay_sql::session::{Failure, OnRow, Session};
use backstay_sql::statement::Statement;
use rusqlite::Connection;
use std::future::Future;

/// A connection in the middle of a transaction.
pub struct SqliteSession<'c> {
    connection: &'c mut Connection,
}

impl<'c> SqliteSession<'c> {
    /// Runs on this connection.
    pub const fn new(connection: &'c mut Connection) -> Self {
        Self { connection }
    }

    fn run_now(&mut self, statement: &Statement, slots: &[Value], on_row: OnRow<'_>) -> Result<u64, Failure> {
        let mut prepared = self.connection.prepare_cached(&statement.text).map_err(failure)?;
        for (index, bind) in statement.binds.iter().enumerate() {
            let value = bound(bind, slots)?;
            prepared.raw_bind_parameter(index + 1, value).map_err(failure)?;
        }
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next().map_err(failure)? {
            on_row(&SqliteRow(row))?;
        }
        drop(rows);
        drop(prepared);
        Ok(self.connection.changes())
    }
}

impl Session for SqliteSession<'_> {
    fn run<'a>(
        &'a mut self,
        statement: &'a Statement,
        slots: &'a [Value],
        on_row: OnRow<'a>,
    ) -> impl Future<Output = Result<u64, Failure>> + Send {
        std::future::ready(self.run_now(statement, slots, on_row))
    }
}
