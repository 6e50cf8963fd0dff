//! Members of documents within rules: compared as what they are compared with.

use crate::kit::{Db, insert, select};
use crate::store::{Home, server};
use backstay_base::limit::Limits;
use backstay_engine::Engine as _;
use backstay_engine::migration::Batch;
use backstay_query::named::{Input, Query};
use backstay_schema::compile::{Owner, Settings, SourceFile, compile};
use backstay_sql::ddl;
use backstay_sql::dialect::postgres::POSTGRES;
use std::sync::Arc;

/// The ids that a rule lets through.
async fn allowed(rule: &str, documents: &[&str]) -> Vec<String> {
    let text = format!("type Thing @access(read: \"{rule}\") {{ id: Int! meta: JSON }}");
    let file = SourceFile { name: "schema.graphql".into(), text, owner: Owner::Project };
    let catalog = match compile(&[file], &Settings::default()) {
        Ok(compiled) => Arc::new(compiled.catalog),
        Err(diagnostics) => panic!("{diagnostics:#?}"),
    };
    let home = Home::new(&server()).await;
    let db = Db { engine: home.engine(&Limits::default()), catalog, dir: home };
    db.engine.migrate(&Batch::plain(ddl::create_all(&db.catalog, &POSTGRES))).await.unwrap();
    let mut things = insert("thing", "id meta", &[]);
    for (id, document) in documents.iter().enumerate() {
        things.rows.push(vec![Input::Number(id.to_string()), Input::Json((*document).into())]);
    }
    db.run(Query::Insert(things)).await.unwrap();
    let part = db.as_user(Query::Select(select("thing", "id"))).await.unwrap();
    let cells = part.rows.cells.iter();
    cells.map(|cell| format!("{cell:?}")).collect()
}

#[tokio::test]
async fn members_are_compared_as_what_they_are_compared_with() {
    let documents =
        [r#"{"age":18,"name":"Zoe","on":true}"#, r#"{"age":7,"name":"ann","on":false}"#, r#"{"other":1}"#];
    for (rule, expected) in [
        ("this.meta.age > 9", &["Int(0)"][..]),
        ("this.meta.age == 7", &["Int(1)"]),
        ("this.meta.age < 7.5", &["Int(1)"]),
        ("this.meta.on == true", &["Int(0)"]),
        ("this.meta.name == 'ann'", &["Int(1)"]),
        // by its bytes: capitals come first
        ("this.meta.name < 'ann'", &["Int(0)"]),
    ] {
        assert_eq!(allowed(rule, &documents).await, expected, "{rule}");
    }
}
