//! [`Statement`]: text and what is bound to it. The text depends on the shape of
//! a request and never on its values.

use backstay_query::named::JsonStep;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// SQL text of one dialect.
    pub text: String,
    /// What its placeholders hold, in order.
    pub binds: Vec<Bind>,
}

/// What a placeholder holds. Engines turn it into a value of their driver.
#[derive(Debug, Clone, PartialEq)]
pub enum Bind {
    /// A value of a type.
    Value(Value, ScalarType),
    /// A number that is no value of the schema: limit, offset.
    Count(u64),
    /// A list as one value.
    List(Vec<Value>, ScalarType),
    /// Rows as one value.
    Rows(RowSet),
    /// A way into a JSON value.
    Path(Vec<JsonStep>),
    /// The value that is given for this index when the statement runs.
    Slot(usize, ScalarType),
}

/// Rows that are given to a statement as one value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowSet {
    /// Types of the columns.
    pub types: Vec<ScalarType>,
    /// The rows; each has one value per type.
    pub rows: Vec<Vec<Value>>,
}
