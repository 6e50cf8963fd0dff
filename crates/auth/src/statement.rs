//! Named queries on the tables of this crate, written down shortly.

use backstay_query::named::{
    Comparison, Delete, Field, Filter, Input, Insert, Item, Operand, Query, Select, Test, Update,
};
use backstay_query::plan::Expect;
use backstay_schema::value::Value;
use serde_json::Map;
use uuid::Uuid;

/// A step of a script.
pub(crate) type Step = (Query, Expect);

/// `column = value`.
pub(crate) fn eq(column: &str, value: Value) -> Filter {
    compare(column, Comparison::Eq, value)
}

/// `column <> value`.
pub(crate) fn not(column: &str, value: Value) -> Filter {
    compare(column, Comparison::Neq, value)
}

/// `column < moment`, in microseconds.
pub(crate) fn before(column: &str, moment: i64) -> Filter {
    compare(column, Comparison::Lt, Value::Timestamp(moment))
}

fn compare(column: &str, comparison: Comparison, value: Value) -> Filter {
    Filter::Field(field(column), Test::Compare(comparison, Operand::Value(value)))
}

/// `column IS NULL`.
pub(crate) fn null(column: &str) -> Filter {
    Filter::Field(field(column), Test::IsNull)
}

/// `column IN (ids)`.
pub(crate) fn among(column: &str, ids: impl IntoIterator<Item = Uuid>) -> Filter {
    let operands = ids.into_iter().map(|id| Operand::Value(Value::Uuid(id))).collect();
    Filter::Field(field(column), Test::In(operands))
}

pub(crate) fn field(name: &str) -> Field {
    Field { name: name.to_owned(), path: Vec::new() }
}

/// Every column of the rows that all filters hold for.
pub(crate) fn select(table: &str, filters: Vec<Filter>) -> Step {
    (Query::Select(all(table, filters)), Expect::Any)
}

/// As [`select`], to be changed further.
pub(crate) fn all(table: &str, filters: Vec<Filter>) -> Select {
    Select { table: table.to_owned(), items: vec![Item::Star], filters, ..Select::default() }
}

/// One new row.
pub(crate) fn insert(table: &str, cells: Vec<(&str, Value)>) -> Step {
    let cells = cells.into_iter().map(|(name, value)| (name.to_owned(), Input::Value(value)));
    insert_inputs(table, cells.collect())
}

/// One new row of cells as a client wrote them.
pub(crate) fn insert_inputs(table: &str, cells: Vec<(String, Input)>) -> Step {
    let (columns, row) = cells.into_iter().unzip();
    let insert = Insert { table: table.to_owned(), columns, rows: vec![row], ..Insert::default() };
    (Query::Insert(insert), Expect::Any)
}

/// New values for the rows that all filters hold for.
pub(crate) fn update(table: &str, cells: Vec<(&str, Value)>, filters: Vec<Filter>) -> Step {
    let assign = cells.into_iter().map(|(name, value)| (name.to_owned(), Input::Value(value))).collect();
    let update = Update { table: table.to_owned(), assign, filters, returning: None };
    (Query::Update(update), Expect::Any)
}

/// Deletes the rows that all filters hold for.
pub(crate) fn delete(table: &str, filters: Vec<Filter>) -> Step {
    (Query::Delete(Delete { table: table.to_owned(), filters, returning: None }), Expect::Any)
}

pub(crate) fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

pub(crate) fn optional_text(value: Option<String>) -> Value {
    value.map_or(Value::Null, Value::Text)
}

pub(crate) fn optional_time(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::Timestamp)
}

pub(crate) fn json(value: Map<String, serde_json::Value>) -> Value {
    Value::Json(serde_json::Value::Object(value).to_string())
}
