//! table: PostgreSQL 13 and later.

use super::{Dialect, NullOrder, Placeholder, definition, sqlite};
use backstay_schema::value::Value;

/// PostgreSQL 13 and later.
pub static POSTGRES: Dialect = Dialect {
    name: "postgres",
    placeholder: Placeholder::Dollar,
    null_order: NullOrder::Largest,
    decimal_literal: |decimal, _| decimal.to_string(),
    literal: |value: &Value| ["'", &value.to_text(), "'"].concat(),
    definition: &definition::postgres::POSTGRES,
    ..sqlite::SQLITE
};
