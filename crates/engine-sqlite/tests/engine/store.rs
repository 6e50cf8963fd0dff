//! A database in a temporary directory.

use backstay_base::limit::Limits;
use backstay_engine_sqlite::Sqlite;
use backstay_sql::dialect::Dialect;
use backstay_sql::dialect::sqlite::SQLITE;
use std::sync::Arc;
use tempfile::TempDir;

/// The dialect that its tables are made in.
pub static DIALECT: &Dialect = &SQLITE;

/// The engine.
pub type Database = Sqlite;

/// Where the database is, as long as this lives.
pub type Home = TempDir;

/// A new, empty database.
pub async fn open(limits: &Limits) -> (Home, Arc<Database>) {
    let dir = tempfile::tempdir().unwrap();
    let engine = Arc::new(Sqlite::open(&dir.path().join("test.db"), limits).unwrap());
    (dir, engine)
}
