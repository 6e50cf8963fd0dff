//! Upserts: how rows are told apart, and who may merge what.

use crate::kit::{Db, insert, refused};
use backstay_query::named::{Conflict, ConflictAction, Input, Insert, Query};

const POST: &str = "id title slug author_id words";

fn upsert(target: &str, action: ConflictAction, rows: &[Vec<&str>]) -> Query {
    let conflict = Conflict { columns: target.split_whitespace().map(Into::into).collect(), action };
    Query::Insert(Insert { conflict: Some(conflict), ..insert("post", POST, rows) })
}

fn merge(rows: &[Vec<&str>]) -> Query {
    upsert("slug", ConflictAction::Merge, rows)
}

#[tokio::test]
async fn rows_are_told_apart_by_the_target() {
    let db = Db::ruled().await;
    let part = db
        .as_user(upsert(
            "",
            ConflictAction::Merge,
            &[vec!["1", "Changed", "first", "1", "11"], vec!["7", "Made", "seven", "1", "5"]],
        ))
        .await
        .unwrap();
    assert_eq!((part.affected, part.inserted), (2, 1));
    assert_eq!(
        db.dump("post", "id title words state").await,
        r#"[{id:1,title:"Changed",words:11,state:"DRAFT"},{id:2,title:"Second",words:20,state:"LIVE"},{id:7,title:"Made",words:5,state:"DRAFT"}]"#
    );
}

#[tokio::test]
async fn a_conflict_with_a_hidden_row_is_the_one_of_an_insert() {
    let db = Db::ruled().await;
    let long = insert("post", POST, &[vec!["3", "Long", "long", "1", "60"]]);
    db.run(Query::Insert(long)).await.unwrap();
    assert_eq!(
        refused(db.as_user(merge(&[vec!["3", "Mine", "long", "1", "5"]])).await),
        "23505 | duplicate key value violates unique constraint \"post_slug_key\" | Key (slug)=(long) already exists."
    );
    assert_eq!(
        refused(db.as_user(merge(&[vec!["3", "Mine", "long", "1", "500"]])).await),
        "42501 | new row violates row-level security policy for table \"post\" | "
    );
}

#[tokio::test]
async fn a_readable_row_that_may_not_change_is_denied() {
    let db = Db::ruled().await;
    let long = insert("post", POST, &[vec!["3", "Long", "long", "1", "40"]]);
    db.run(Query::Insert(long)).await.unwrap();
    assert_eq!(
        refused(db.as_user(merge(&[vec!["3", "Mine", "long", "1", "5"]])).await),
        "42501 | permission denied for table post | "
    );
}

#[tokio::test]
async fn the_merged_row_must_satisfy_the_rule() {
    let db = Db::ruled().await;
    assert_eq!(
        refused(db.as_user(merge(&[vec!["1", "Mine", "first", "1", "35"]])).await),
        "42501 | new row violates row-level security policy for table \"post\" | "
    );
    assert_eq!(
        refused(db.as_user(merge(&[vec!["1", "Mine", "first", "3", "5"]])).await),
        "23503 | insert or update on table \"post\" violates foreign key constraint \"post_author_id_fkey\" | Key (author_id)=(3) is not present in table \"person\"."
    );
    assert_eq!(
        refused(db.as_user(merge(&[vec!["1", "M", "first", "1", "5"]])).await),
        "23514 | new row for relation \"post\" violates check constraint \"post_title_check\" | "
    );
}

#[tokio::test]
async fn one_row_named_twice_is_refused() {
    let db = Db::ruled().await;
    let twice = [vec!["8", "One", "same", "1", "5"], vec!["9", "Two", "same", "1", "5"]];
    assert_eq!(
        refused(db.as_user(merge(&twice)).await),
        "21000 | ON CONFLICT DO UPDATE command cannot affect row a second time | "
    );
    assert_eq!(db.dump("post", "id").await, "[{id:1},{id:2}]");
}

#[tokio::test]
async fn a_conflict_elsewhere_is_23505() {
    let db = Db::ruled().await;
    assert_eq!(
        refused(db.as_user(merge(&[vec!["1", "Other", "other", "1", "5"]])).await),
        "23505 | duplicate key value violates unique constraint \"post_pkey\" | Key (id)=(1) already exists."
    );
}

#[tokio::test]
async fn ignoring_leaves_existing_rows_alone_but_asks_the_create_rule() {
    let db = Db::ruled().await;
    let rows = [vec!["1", "Mine", "first", "1", "5"], vec!["8", "New", "new", "1", "5"]];
    let part = db.as_user(upsert("slug", ConflictAction::Ignore, &rows)).await.unwrap();
    assert_eq!((part.affected, part.inserted), (1, 1));
    assert_eq!(
        db.dump("post", "id title").await,
        r#"[{id:1,title:"First"},{id:2,title:"Second"},{id:8,title:"New"}]"#
    );
    let refused_row = [vec!["1", "Mine", "first", "1", "500"]];
    assert_eq!(
        refused(db.as_user(upsert("slug", ConflictAction::Ignore, &refused_row)).await),
        "42501 | new row violates row-level security policy for table \"post\" | "
    );
}

#[tokio::test]
async fn columns_that_the_body_does_not_name_stay() {
    let db = Db::ruled().await;
    let cell = |text: &str| Input::Text(text.into());
    let conflict = Some(Conflict { columns: vec!["slug".into()], action: ConflictAction::Merge });
    let columns = ["title", "slug", "author_id", "words"].map(String::from).to_vec();
    let rows = vec![vec![cell("Merged"), cell("second"), cell("2"), cell("21")]];
    let body = Insert { table: "post".into(), columns, rows, conflict, returning: None };
    db.as_user(Query::Insert(body)).await.unwrap();
    assert_eq!(
        db.json(backstay_query::named::Select {
            filters: vec![crate::kit::eq("id", "2")],
            ..crate::kit::select("post", "id title state words")
        })
        .await,
        r#"[{id:2,title:"Merged",state:"LIVE",words:21}]"#
    );
}

#[tokio::test]
async fn cells_that_a_row_does_not_give_stay() {
    let db = Db::ruled().await;
    let cell = |text: &str| Input::Text(text.into());
    let conflict = Some(Conflict { columns: vec!["slug".into()], action: ConflictAction::Merge });
    let columns = ["id", "slug", "title", "author_id", "words", "state"].map(String::from).to_vec();
    let rows = vec![
        vec![cell("2"), cell("second"), cell("Merged"), cell("2"), Input::Default, Input::Default],
        vec![cell("8"), cell("eighth"), cell("Made"), cell("1"), cell("5"), Input::Default],
    ];
    let body = Insert { table: "post".into(), columns, rows, conflict, returning: None };
    let part = db.as_user(Query::Insert(body)).await.unwrap();
    assert_eq!((part.affected, part.inserted), (2, 1));
    assert_eq!(
        db.json(backstay_query::named::Select {
            filters: vec![crate::kit::compare("id", backstay_query::named::Comparison::Gt, "1")],
            ..crate::kit::select("post", "id title state words")
        })
        .await,
        r#"[{id:2,title:"Merged",state:"LIVE",words:20},{id:8,title:"Made",state:"DRAFT",words:5}]"#
    );
}
