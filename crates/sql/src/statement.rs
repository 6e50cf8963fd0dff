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

impl RowSet {
    /// The columns, each with its type.
    #[must_use]
    pub fn into_columns(self) -> Vec<(Vec<Value>, ScalarType)> {
        let mut columns: Vec<(Vec<Value>, ScalarType)> =
            self.types.iter().map(|ty| (Vec::with_capacity(self.rows.len()), *ty)).collect();
        for row in self.rows {
            for ((values, _), value) in columns.iter_mut().zip(row) {
                values.push(value);
            }
        }
        columns
    }
}

impl Bind {
    /// The type of what is bound, where it is one value of the schema: drivers that declare
    /// parameters need it.
    #[must_use]
    pub const fn ty(&self) -> Option<ScalarType> {
        match self {
            Self::Value(_, ty) | Self::Slot(_, ty) | Self::List(_, ty) => Some(*ty),
            Self::Count(_) | Self::Rows(_) | Self::Path(_) => None,
        }
    }
}
