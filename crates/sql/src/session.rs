//! [`Session`]: all that running a script asks of a driver, and how a driver says
//! what went wrong.

use crate::statement::Statement;
use backstay_base::fault::Fault;
use backstay_query::reply::Rows;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;
use std::future::Future;

/// What takes rows as they come.
pub type OnRow<'a> = &'a mut (dyn FnMut(&dyn Row) -> Result<(), Fault> + Send);

/// One connection within one transaction.
///
/// A statement that fails changes nothing and leaves the transaction usable: an
/// engine whose database does not work so puts a savepoint around each write.
pub trait Session: Send {
    /// Runs a statement that may answer with rows; `slots` fill its [`crate::statement::Bind::Slot`]s.
    /// Answers with the number of rows changed.
    fn run<'a>(
        &'a mut self,
        statement: &'a Statement,
        slots: &'a [Value],
        on_row: OnRow<'a>,
    ) -> impl Future<Output = Result<u64, Failure>> + Send;

    /// Runs a statement without an answer for each of many rows of slots; where the dialect has
    /// batches, all of it is one statement. Answers with the number of rows changed.
    fn run_each<'a>(
        &'a mut self,
        statement: &'a Statement,
        rows: &'a [Vec<Value>],
    ) -> impl Future<Output = Result<u64, Failure>> + Send {
        async move {
            let mut changed = 0;
            for slots in rows {
                changed += self.run(statement, slots, &mut |_| Ok(())).await?;
            }
            Ok(changed)
        }
    }
}

/// One row of an answer.
pub trait Row {
    /// Appends a column as a cell.
    ///
    /// # Errors
    /// Internal, when the column does not hold the type.
    fn cell(&self, index: usize, ty: ScalarType, into: &mut Rows) -> Result<(), Fault>;

    /// A column as a value.
    ///
    /// # Errors
    /// Internal, when the column does not hold the type.
    fn value(&self, index: usize, ty: ScalarType) -> Result<Value, Fault>;

    /// The elements of a column that is an array; NULL has none.
    ///
    /// # Errors
    /// Internal, when the column is no array: only dialects that fetch children so have them.
    fn elements(&self, index: usize, ty: ScalarType) -> Result<Box<dyn Elements + '_>, Fault> {
        let _ = ty;
        Err(Fault::internal(format!("column {index} of an answer is no list")))
    }
}

/// The elements of an array, one after the other.
pub trait Elements {
    /// How many there are in all.
    fn count(&self) -> usize;

    /// Appends the next one as a cell.
    ///
    /// # Errors
    /// Internal, when it does not hold the type or there is none.
    fn cell(&mut self, into: &mut Rows) -> Result<(), Fault>;

    /// Whether the next one, a boolean, is TRUE.
    ///
    /// # Errors
    /// As [`Elements::cell`].
    fn is_true(&mut self) -> Result<bool, Fault>;

    /// Passes over the next one.
    ///
    /// # Errors
    /// As [`Elements::cell`].
    fn skip(&mut self) -> Result<(), Fault>;
}

/// Why a statement failed.
#[derive(Debug)]
pub enum Failure {
    /// A constraint refused it.
    Violation(Violation),
    /// Anything else.
    Fault(Fault),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Which constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// A key or unique constraint, named by its columns where the database does not tell its name.
    Unique(Named),
    /// A column that may not be NULL.
    NotNull(String),
    /// A CHECK constraint.
    Check(String),
    /// A foreign key; many databases do not say which.
    Reference(Option<String>),
}

/// How a database names a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// By its name.
    Name(String),
    /// By the names of its columns.
    Columns(Vec<String>),
}
