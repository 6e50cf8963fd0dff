//! A file in a temporary directory.

use backstay_base::limit::Limits;
use backstay_engine_sqlite::Sqlite;
use backstay_sql::dialect::Dialect;
use backstay_sql::dialect::sqlite::SQLITE;
use std::sync::Arc;

/// The engine.
pub type Backend = Sqlite;

/// Where its database is, for as long as this lives.
pub type Place = tempfile::TempDir;

/// A new database.
pub async fn open(limits: &Limits) -> (Place, Arc<Backend>, &'static Dialect) {
    let dir = tempfile::tempdir().unwrap();
    let engine = Sqlite::open(&dir.path().join("test.db"), limits).unwrap();
    (dir, Arc::new(engine), &SQLITE)
}
