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
        let values = values_of(statement, slots)?;
        let mut hand_on = |row| on_row(&MySqlRow(row));
        let outcome = self.connection.execute(&statement.text, values, &mut hand_on).await;
        outcome.map_err(|refusal| failed(refusal, statement))
    }

    async fn run_each_now(&mut self, statement: &Statement, rows: &[Vec<Value>]) -> Result<u64, Failure> {
        let rows = rows.iter().map(|slots| values_of(statement, slots));
        let rows = rows.collect::<Result<Vec<_>, Fault>>()?;
        let outcome = self.connection.execute_each(&statement.text, rows).await;
        outcome.map_err(|refusal| failed(refusal, statement))
    }
}

fn values_of(statement: &Statement, slots: &[Value]) -> Result<Vec<mysql_async::Value>, Fault> {
    statement.binds.iter().map(|bind| bound(bind, slots)).collect()
}

fn failed(refusal: Refusal, statement: &Statement) -> Failure {
    match refusal {
        Refusal::Server(error) => failure(error, &statement.text),
        Refusal::Fault(fault) => Failure::Fault(fault),
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

    fn run_each<'a>(
        &'a mut self,
        statement: &'a Statement,
        rows: &'a [Vec<Value>],
    ) -> impl Future<Output = Result<u64, Failure>> + Send {
        self.run_each_now(statement, rows)
    }
}
