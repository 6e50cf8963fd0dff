//! [`Session`]s: one script on one connection, statement by statement or in a transaction.
//! `BEGIN` and savepoints travel with the statement that needs them, in one flush.

use crate::connection::{Connection, Use};
use crate::error::{Then, Trouble, unknown_outcome};
use crate::replica::{ASK, PRIMARY, located};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_schema::value::Value;
use backstay_sql::run::References;
use backstay_sql::session::{Failure, OnRow, Session};
use backstay_sql::statement::Statement;
use futures_util::future::{Either, select};
use std::future::Future;
use std::pin::pin;

/// Statements that are each a transaction of their own.
#[derive(Debug)]
pub struct Alone<'c> {
    connection: &'c Connection,
    used: Use,
    /// What may be done about the last failure.
    pub then: Then,
}

impl<'c> Alone<'c> {
    /// On this connection.
    #[must_use]
    pub const fn new(connection: &'c Connection, used: Use) -> Self {
        Self { connection, used, then: Then::Answer }
    }

    async fn statement(
        &mut self,
        statement: &Statement,
        slots: &[Value],
        on_row: OnRow<'_>,
    ) -> Result<u64, Failure> {
        let mut result = self.connection.run(statement, slots, on_row, self.used).await;
        if result.as_ref().is_err_and(|trouble| trouble.then == Then::Prepare) {
            result = self.connection.run(statement, slots, on_row, self.used).await;
        }
        result.map_err(|trouble| {
            self.then = trouble.then;
            if trouble.is_unanswered() && writes(&statement.text) {
                self.then = Then::Answer;
                return Failure::Fault(unknown_outcome().with_source(trouble.into_fault()));
            }
            trouble.failure
        })
    }
}

impl Session for Alone<'_> {
    fn run<'a>(
        &'a mut self,
        statement: &'a Statement,
        slots: &'a [Value],
        on_row: OnRow<'a>,
    ) -> impl Future<Output = Result<u64, Failure>> + Send {
        self.statement(statement, slots, on_row)
    }
}

/// A transaction. It begins with its first statement.
#[derive(Debug)]
pub struct Transaction<'c> {
    connection: &'c Connection,
    begin: Begin,
    state: State,
    /// What may be done about the last failure.
    pub then: Then,
}

/// How a transaction begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// To read with more than one statement.
    Snapshot,
    /// To write.
    Write(Isolation, References),
}

/// How far writes of others are kept away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// What rules read of single rows is locked.
    ReadCommitted,
    /// As if no other ran.
    Serializable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    Begun,
    /// There is a savepoint to return to.
    Saved,
}

impl Begin {
    /// What is sent before the first statement, one that writes or not.
    const fn text(self, writes: bool) -> &'static str {
        use Isolation::{ReadCommitted, Serializable};
        use References::{AtCommit, PerStatement};
        match (self, writes) {
            (Self::Snapshot, _) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            (Self::Write(ReadCommitted, PerStatement), false) => {
                "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
            }
            (Self::Write(ReadCommitted, PerStatement), true) => {
                "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SAVEPOINT statement"
            }
            (Self::Write(ReadCommitted, AtCommit), false) => {
                "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET CONSTRAINTS ALL DEFERRED"
            }
            (Self::Write(ReadCommitted, AtCommit), true) => {
                "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET CONSTRAINTS ALL DEFERRED; SAVEPOINT statement"
            }
            (Self::Write(Serializable, PerStatement), false) => {
                "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"
            }
            (Self::Write(Serializable, PerStatement), true) => {
                "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE; SAVEPOINT statement"
            }
            (Self::Write(Serializable, AtCommit), false) => {
                "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE; SET CONSTRAINTS ALL DEFERRED"
            }
            (Self::Write(Serializable, AtCommit), true) => {
                "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE; SET CONSTRAINTS ALL DEFERRED; SAVEPOINT statement"
            }
        }
    }
}

impl<'c> Transaction<'c> {
    /// A transaction that begins so.
    #[must_use]
    pub const fn new(connection: &'c Connection, begin: Begin) -> Self {
        Self { connection, begin, state: State::Before, then: Then::Answer }
    }

    /// Makes what was written durable.
    ///
    /// # Errors
    /// 08007 when the connection broke before the answer came; what a deferred constraint or
    /// another transaction refuses it with.
    pub async fn commit(&mut self) -> Result<(), Fault> {
        if self.state == State::Before {
            return Ok(());
        }
        let committed = self.connection.control("COMMIT").await;
        committed.map_err(|trouble| self.uncommitted(trouble))
    }

    /// The same, and where in the log the primary is afterwards, in one flush.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub async fn commit_and_locate(&mut self) -> Result<Option<String>, Fault> {
        if self.state == State::Before {
            return Ok(None);
        }
        let connection = self.connection;
        let (commit, place) = (pin!(connection.control("COMMIT")), pin!(located(connection, PRIMARY)));
        let (committed, place) = match select(commit, place).await {
            Either::Left((committed, place)) => (committed, tokio::time::timeout(ASK, place).await.ok()),
            Either::Right((place, commit)) => (commit.await, Some(place)),
        };
        committed.map_err(|trouble| self.uncommitted(trouble))?;
        // a position that is not known only sends the caller to the primary
        Ok(place.and_then(Result::ok).flatten())
    }

    fn uncommitted(&mut self, trouble: Trouble) -> Fault {
        if trouble.is_unanswered() {
            return unknown_outcome().with_source(trouble.into_fault());
        }
        self.then = trouble.then;
        match trouble.failure {
            Failure::Violation(_) => Fault::new(
                code::FOREIGN_KEY_VIOLATION,
                "insert or update violates a foreign key constraint: a reference names a row that is not there",
            ),
            Failure::Fault(fault) => fault,
        }
    }

    /// Ends it without keeping anything. A connection that cannot is not used again.
    pub async fn roll_back(&self) {
        if self.state != State::Before && self.connection.control("ROLLBACK").await.is_err() {
            self.connection.retire();
        }
    }

    async fn statement(
        &mut self,
        statement: &Statement,
        slots: &[Value],
        on_row: OnRow<'_>,
    ) -> Result<u64, Failure> {
        let saved = self.begin != Begin::Snapshot && writes(&statement.text);
        let before = match (self.state, saved) {
            (State::Before, _) => Some(self.begin.text(saved)),
            (State::Begun, true) => Some("SAVEPOINT statement"),
            (State::Saved, true) => Some("RELEASE SAVEPOINT statement; SAVEPOINT statement"),
            (State::Begun | State::Saved, false) => None,
        };
        self.state = if saved || self.state == State::Saved { State::Saved } else { State::Begun };
        let result = match before {
            None => self.connection.run(statement, slots, on_row, Use::Alone).await,
            Some(before) => self.connection.run_after(before, statement, slots, on_row).await,
        };
        let trouble = match result {
            Ok(changed) => return Ok(changed),
            Err(trouble) => trouble,
        };
        self.then = trouble.then;
        if saved && trouble.then == Then::Answer {
            self.connection.control("ROLLBACK TO SAVEPOINT statement").await.map_err(|undone| {
                self.then = undone.then;
                undone.into_fault()
            })?;
        }
        Err(trouble.failure)
    }
}

impl Session for Transaction<'_> {
    fn run<'a>(
        &'a mut self,
        statement: &'a Statement,
        slots: &'a [Value],
        on_row: OnRow<'a>,
    ) -> impl Future<Output = Result<u64, Failure>> + Send {
        self.statement(statement, slots, on_row)
    }
}

/// Whether a statement of the lowering may change something.
fn writes(text: &str) -> bool {
    !text.starts_with("SELECT")
}
