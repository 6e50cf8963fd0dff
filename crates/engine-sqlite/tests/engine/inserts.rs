use crate::kit::{Db, insert, refused, select};
use backstay_query::named::{Input, Insert, Query};
use backstay_query::plan::{End, Expect};
use backstay_query::reply::Part;

const POST: &str = "id title slug author_id words";

fn post(row: Vec<&str>) -> Query {
    Query::Insert(insert("post", POST, &[row]))
}

fn answering(insert: Insert, columns: &str) -> Query {
    Query::Insert(Insert { returning: Some(select("", columns)), ..insert })
}

async fn posts(db: &Db) -> String {
    db.dump("post", "id").await
}

#[tokio::test]
async fn a_row_is_written_and_its_key_told() {
    let db = Db::ruled().await;
    let part = db.as_user(post(vec!["7", "Title", "seven", "1", "5"])).await.unwrap();
    assert_eq!(part, Part { affected: 1, inserted: 1, key: Some(vec!["7".into()]), ..Part::default() });
    assert_eq!(posts(&db).await, "[{id:1},{id:2},{id:7}]");
}

#[tokio::test]
async fn the_database_counts_keys_and_never_gives_one_again() {
    let db = Db::ruled().await;
    let note = || Query::Insert(insert("note", "post_id", &[vec!["1"]]));
    let key = |part: Part| part.key.unwrap().remove(0);
    assert_eq!(key(db.as_user(note()).await.unwrap()), "4");
    let filters = vec![crate::kit::eq("id", "4")];
    let delete = backstay_query::named::Delete { table: "note".into(), filters, returning: None };
    assert_eq!(db.as_user(Query::Delete(delete)).await.unwrap().affected, 1);
    assert_eq!(key(db.as_user(note()).await.unwrap()), "5");
}

#[tokio::test]
async fn a_rule_that_does_not_hold_refuses_and_undoes_all_rows() {
    let db = Db::ruled().await;
    let rows =
        insert("post", POST, &[vec!["7", "Title", "a", "1", "5"], vec!["8", "Title", "b", "1", "500"]]);
    assert_eq!(
        refused(db.as_user(Query::Insert(rows)).await),
        "42501 | new row violates row-level security policy for table \"post\" | "
    );
    assert_eq!(posts(&db).await, "[{id:1},{id:2}]");
}

#[tokio::test]
async fn constraint_errors_speak_like_postgresql() {
    let db = Db::ruled().await;
    for (row, expected) in [
        (
            vec!["7", "Title", "first", "1", "5"],
            "23505 | duplicate key value violates unique constraint \"post_slug_key\" | Key (slug)=(first) already exists.",
        ),
        (
            vec!["1", "Title", "x", "1", "5"],
            "23505 | duplicate key value violates unique constraint \"post_pkey\" | Key (id)=(1) already exists.",
        ),
        (
            vec!["7", "Title", "x", "77", "5"],
            "23503 | insert or update on table \"post\" violates foreign key constraint \"post_author_id_fkey\" | Key (author_id)=(77) is not present in table \"person\".",
        ),
        (
            vec!["7", "Title", "x", "3", "5"],
            "23503 | insert or update on table \"post\" violates foreign key constraint \"post_author_id_fkey\" | Key (author_id)=(3) is not present in table \"person\".",
        ),
        (
            vec!["7", "", "x", "1", "5"],
            "23502 | null value in column \"title\" of relation \"post\" violates not-null constraint | ",
        ),
        (
            vec!["7", "T", "x", "1", "5"],
            "23514 | new row for relation \"post\" violates check constraint \"post_title_check\" | ",
        ),
    ] {
        assert_eq!(refused(db.as_user(post(row.clone())).await), expected, "{row:?}");
    }
    assert_eq!(posts(&db).await, "[{id:1},{id:2}]");
}

#[tokio::test]
async fn constraint_errors_are_shown_only_where_the_rule_holds() {
    let db = Db::ruled().await;
    for row in [
        vec!["7", "Title", "first", "1", "500"],
        vec!["1", "Title", "x", "1", "500"],
        vec!["7", "Title", "x", "77", "500"],
        vec!["7", "Title", "x", "3", "500"],
        vec!["7", "", "x", "1", "500"],
        vec!["7", "T", "x", "1", "500"],
    ] {
        assert_eq!(
            refused(db.as_user(post(row.clone())).await),
            "42501 | new row violates row-level security policy for table \"post\" | ",
            "{row:?}"
        );
    }
}

#[tokio::test]
async fn a_row_that_its_writer_may_not_read_is_written_only_in_silence() {
    let db = Db::ruled().await;
    let hidden = insert("post", POST, &[vec!["7", "Title", "x", "1", "70"]]);
    assert_eq!(
        refused(db.as_user(answering(hidden.clone(), "id")).await),
        "42501 | new row violates row-level security policy for table \"post\" | "
    );
    assert_eq!(posts(&db).await, "[{id:1},{id:2}]");
    assert_eq!(db.as_user(Query::Insert(hidden)).await.unwrap().affected, 1);
}

#[tokio::test]
async fn written_rows_come_back_in_order_with_embeds() {
    let db = Db::ruled().await;
    let rows = insert("post", POST, &[vec!["9", "Nine", "x", "2", "5"], vec!["8", "Eight", "y", "1", "5"]]);
    let mut answer = select("", "id title state");
    answer.items.push(crate::kit::embed("author", select("", "name")));
    answer.items.push(crate::kit::embed("notes", select("", "id")));
    let script = db.script(Query::Insert(Insert { returning: Some(answer), ..rows }));
    let shape = match &script.steps[0].query {
        backstay_query::plan::Query::Insert(insert) => {
            backstay_query::reply::Shape::of(insert.returning.as_ref().unwrap())
        }
        _ => unreachable!(),
    };
    let reply = db.execute_as_user(script).await.unwrap();
    assert_eq!(
        crate::kit::render(&reply.parts[0].rows, &shape),
        r#"[{id:9,title:"Nine",state:"DRAFT",author:{name:"Bob"},notes:[]},{id:8,title:"Eight",state:"DRAFT",author:{name:"Ann"},notes:[]}]"#
    );
    assert_eq!(reply.parts[0].key, None);
}

#[tokio::test]
async fn rows_may_refer_to_rows_that_come_after_them() {
    let db = Db::ruled().await;
    let people = |rows: &[Vec<&str>]| Query::Insert(insert("person", "id name manager_id", rows));
    let part = db.as_user(people(&[vec!["10", "Ed", "11"], vec!["11", "Flo", ""]])).await.unwrap();
    assert_eq!(part.affected, 2);
    assert_eq!(
        refused(db.as_user(people(&[vec!["12", "Gus", "99"], vec!["13", "Hal", "12"]])).await),
        "23503 | insert or update on table \"person\" violates foreign key constraint \"person_manager_id_fkey\" | Key (manager_id)=(99) is not present in table \"person\"."
    );
    assert_eq!(
        refused(db.as_user(people(&[vec!["12", "Gus", "3"], vec!["13", "Hal", "12"]])).await),
        "23503 | insert or update on table \"person\" violates foreign key constraint \"person_manager_id_fkey\" | Key (manager_id)=(3) is not present in table \"person\"."
    );
    assert_eq!(db.dump("person", "id").await, "[{id:1},{id:2},{id:3},{id:10},{id:11}]");
}

#[tokio::test]
async fn expectations_decide_before_anything_is_kept() {
    let db = Db::ruled().await;
    let two = || insert("tag", "id label", &[vec!["8", "x"], vec!["9", "y"]]);
    let run = |expect, end| db.execute_as_user(db.script_of(&[(Query::Insert(two()), expect)], end));
    assert_eq!(
        refused(run(Expect::Singular, End::Commit).await),
        "PGRST116 | Cannot coerce the result to a single JSON object | The result contains 2 rows"
    );
    assert_eq!(
        refused(run(Expect::AtMost(1), End::Commit).await),
        "PGRST124 | Query result exceeds max-affected preference constraint | The query affects 2 rows"
    );
    assert_eq!(run(Expect::OneOrNothing, End::Commit).await.unwrap().parts, [Part::default()]);
    assert_eq!(run(Expect::Any, End::Rollback).await.unwrap().parts[0].affected, 2);
    assert_eq!(db.dump("tag", "id").await, "[{id:1},{id:2}]");
}

#[tokio::test]
async fn steps_see_each_other_and_fall_together() {
    let db = Db::ruled().await;
    let tag = |id: &str| Query::Insert(insert("tag", "id label", &[vec![id, "x"]]));
    let read = Query::Select(select("tag", "id"));
    let script = db.script_of(&[(tag("8"), Expect::Any), (read, Expect::Any)], End::Rollback);
    let reply = db.execute_as_user(script).await.unwrap();
    assert_eq!((reply.parts[0].affected, reply.parts[1].rows.count), (1, 3));
    let script = db.script_of(&[(tag("8"), Expect::Any), (tag("1"), Expect::Any)], End::Commit);
    assert_eq!(
        refused(db.execute_as_user(script).await),
        "23505 | duplicate key value violates unique constraint \"tag_pkey\" | Key (id)=(1) already exists."
    );
    assert_eq!(db.dump("tag", "id").await, "[{id:1},{id:2}]");
}

#[tokio::test]
async fn twenty_thousand_rows_are_one_write() {
    let db = Db::ruled().await;
    let rows = (10..20_010).map(|id| vec![Input::Number(id.to_string()), Input::Text("x".into())]).collect();
    let columns = vec!["id".into(), "label".into()];
    let insert = Insert { table: "tag".into(), columns, rows, ..Insert::default() };
    assert_eq!(db.as_user(Query::Insert(insert)).await.unwrap().affected, 20_000);
}
