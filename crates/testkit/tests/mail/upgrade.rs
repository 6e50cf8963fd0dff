//! A database whose own tables are those of before there was mail.

use backstay_auth::schema::SCHEMA;
use backstay_base::limit::Limits;
use backstay_engine::migration::Batch;
use backstay_migrate::apply::own_tables;
use backstay_migrate::diff::{Scope, diff};
use backstay_migrate::lease::Node;
use backstay_schema::catalog::Catalog;
use backstay_schema::compile::{Owner, Settings, SourceFile, compile};
use backstay_sql::ddl;
use backstay_testkit::database::Database;

fn catalog(sdl: &str) -> Catalog {
    let file = SourceFile { name: "backstay".to_owned(), text: sdl.to_owned(), owner: Owner::System };
    compile(&[file], &Settings { roles: Vec::new() })
        .unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
        .catalog
}

/// The schema without what came with mail.
fn before() -> String {
    let (head, rest) = SCHEMA.split_once("\"A token and a code that were sent").unwrap();
    let (_, tail) = rest.split_once("\"A key that signs or signed").unwrap();
    let sdl = format!("{head}\"A key that signs or signed{tail}");
    let columns = ["  confirmation_sent_at: Timestamp\n", "  recovery_sent_at: Timestamp\n"];
    columns.iter().fold(sdl, |sdl, column| sdl.replacen(column, "", 1))
}

#[tokio::test]
async fn own_tables_follow_this_binary() {
    let database = Database::fresh(&Limits::default()).await;
    let old = catalog(&before());
    assert_eq!(old.tables.len(), 7);
    database.engine.migrate(&Batch::plain(ddl::create_all(&old, database.dialect))).await.unwrap();
    let new = catalog(SCHEMA);
    let node = Node { holder: "test".to_owned(), wait_ms: 1000 };
    for _ in 0..2 {
        own_tables(&*database.engine, database.dialect, &new, &node).await.unwrap();
        let live = database.engine.introspect().await.unwrap();
        let left = diff(&*database.engine, database.dialect, &new, &live, Scope::System).await.unwrap();
        assert!(left.is_empty(), "{:?}", left.changes.iter().map(|one| &one.summary).collect::<Vec<_>>());
    }
}
