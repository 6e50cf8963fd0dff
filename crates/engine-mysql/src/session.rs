//! [`MySqlSession`]: one script on one connection. InnoDB undoes a statement that fails
//! by itself, so that the transaction stays usable; a deadlock ends it, and the caller
//! runs the script again.

use crate::bind::bound;
use crate::connection::{Connection, Refusal};
use crate::error::failure;
use crate::row::MySqlRow;
use backstay_base::fault::Fault;
use backstay_schema::value::Value;
use backstay_sql::session::{Failure, OnRow, Session};
use backstay_sql::statement::Statement;
use std::future::Future;

/// A connection in the middle of a transaction.
#[derive(Debug)]
pub struct MySqlSession<'c> {
    connection: &'c mut Connection,
}

impl<'c> MySqlSession<'c> {
    /// Runs on this connection.
    pub const fn new(connection: &'c mut Connection) -> Self {
        Self { connection }
    }

    async fn run_now(
        &mut self,
        statement: &Statement,
        slots: &[Value],
        on_row: OnRow<'_>,
    ) -> Result<u64, Failure> {
        let values = statement.binds.iter().map(|bind| bound(bind, slots));
        let values = values.collect::<Result<Vec<mysql_async::Value>, Fault>>()?;
        let mut hand_on = |row| on_row(&MySqlRow(row));
        match self.connection.execute(&statement.text, values, &mut hand_on).await {
            Ok(affected) => Ok(affected),
            Err(Refusal::Server(error)) => Err(failure(error, &statement.text)),
            Err(Refusal::Fault(fault)) => Err(Failure::Fault(fault)),
        }
    }
}

impl Session for MySqlSession<'_> {
    fn run<'a>(
        &'a mut self,
        statement: &'a Statement,
        slots: &'a [Value],
        on_row: OnRow<'a>,
    ) -> impl Future<Output = Result<u64, Failure>> + Send {
        self.run_now(statement, slots, on_row)
    }
}
