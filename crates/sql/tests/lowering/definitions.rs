//! Text of definitions.
use crate::kit::catalog;
use backstay_sql::ddl;
use backstay_sql::dialect::sqlite::SQLITE;

#[test]
fn tables_and_indexes() {
    insta::assert_snapshot!(ddl::create_all(&catalog(), &SQLITE).join(";\n"));
}

#[test]
fn changes() {
    let catalog = catalog();
    let post = catalog.public_table("post").unwrap();
    let changes = [
        ddl::add_column(&catalog, &SQLITE, post, post.column_named("price").unwrap()),
        ddl::add_column(&catalog, &SQLITE, post, post.column_named("editor_id").unwrap()),
        ddl::drop_column(&SQLITE, "po\"st", "a"),
        ddl::rename_column(&SQLITE, "post", "a", "b"),
        ddl::rename_table(&SQLITE, "post", "article"),
        ddl::drop_index(&SQLITE, "post_a_idx"),
        ddl::copy_rows(&SQLITE, "post", "post_new", &[("a".into(), "a".into()), ("b".into(), "old".into())]),
        ddl::drop_table(&SQLITE, "post"),
    ];
    insta::assert_snapshot!(changes.join(";\n"));
}
