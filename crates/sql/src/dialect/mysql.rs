//! table: MariaDB 10.6 and later, MySQL 8.0.19 and later.

use super::{Dialect, NullOrder, Placeholder, definition, sqlite};
use backstay_schema::value::Value;

/// MariaDB 10.6 and later.
pub static MARIADB: Dialect = Dialect {
    name: "mysql",
    quote: '`',
    placeholder: Placeholder::Question,
    null_order: NullOrder::Smallest,
    decimal_literal: |decimal, _| decimal.to_string(),
    literal,
    definition: &definition::mysql::MARIADB,
    ..sqlite::SQLITE
};

/// MySQL 8.0.19 and later.
pub static MYSQL: Dialect = Dialect { definition: &definition::mysql::MYSQL, ..MARIADB };

/// Ids are bytes; times bear no zone and are in UTC.
fn literal(value: &Value) -> String {
    let text = value.to_text();
    match value {
        Value::Uuid(_) => ["x'", &text.replace('-', ""), "'"].concat(),
        Value::Timestamp(_) => ["'", &text.replace('T', " ").replace("+00:00", ""), "'"].concat(),
        _ => ["'", &text, "'"].concat(),
    }
}
