//! A database on the server.

use crate::server::Database;
use backstay_base::limit::Limits;
use backstay_engine_mysql::MySql;
use backstay_sql::dialect::Dialect;
use std::sync::Arc;

/// The engine.
pub type Backend = MySql;

/// Where its database is, for as long as this lives.
pub type Place = Database;

/// A new database. Without a server there is nothing that a test of this binary could do.
pub async fn open(limits: &Limits) -> (Place, Arc<Backend>, &'static Dialect) {
    let Some(database) = Database::new().await else { std::process::exit(0) };
    let engine = database.engine_with(limits);
    let dialect = engine.pool().flavour().await.unwrap().dialect;
    (database, engine, dialect)
}
