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

impl crate::kit::Db {
    /// With a person and a post, in a database that is there.
    pub async fn in_database(database: Database) -> Self {
        use backstay_engine::Engine as _;
        let engine = database.engine();
        let dialect = engine.pool().flavour().await.unwrap().dialect;
        let catalog = crate::kit::catalog();
        let statements = backstay_sql::ddl::create_all(&catalog, dialect);
        engine.migrate(&backstay_engine::migration::Batch::plain(statements)).await.unwrap();
        let db = Self { dir: database, catalog, engine };
        for (table, columns, row) in [
            ("person", "id name", vec!["1", "Ann"]),
            ("post", "id title slug author_id words", vec!["1", "First", "first", "1", "1"]),
        ] {
            let insert = crate::kit::insert(table, columns, &[row]);
            db.run(backstay_query::named::Query::Insert(insert)).await.unwrap();
        }
        db
    }
}
