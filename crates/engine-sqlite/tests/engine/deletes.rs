//! Deletes: reach, rules, references, answers.

use crate::kit::{Db, eq, refused, select};
use backstay_query::named::{Delete, Filter, Query};
use backstay_query::plan::{End, Expect};

fn delete(table: &str, filters: Vec<Filter>) -> Query {
    Query::Delete(Delete { table: table.into(), filters, returning: None })
}

#[tokio::test]
async fn rows_in_reach_go_and_others_are_skipped() {
    let db = Db::ruled().await;
    let part = db.as_user(delete("post", vec![Filter::Not(Box::new(eq("id", "9")))])).await.unwrap();
    assert_eq!(part.affected, 1);
    assert_eq!(db.dump("post", "id").await, "[{id:2}]");
    assert_eq!(db.dump("note", "id").await, "[{id:3}]");
    assert_eq!(db.dump("post_tag", "post_id tag_id").await, "[{post_id:2,tag_id:2}]");
}

#[tokio::test]
async fn readable_but_not_deletable_is_denied_and_absent_is_nothing() {
    let db = Db::ruled().await;
    assert_eq!(
        refused(db.as_user(delete("post", vec![eq("id", "2")])).await),
        "42501 | permission denied for table post | "
    );
    assert_eq!(db.as_user(delete("post", vec![eq("id", "9")])).await.unwrap().affected, 0);
    assert_eq!(db.as_user(delete("person", vec![eq("name", "Cy")])).await.unwrap().affected, 0);
}

#[tokio::test]
async fn rows_that_others_refer_to_stay() {
    let db = Db::ruled().await;
    assert_eq!(
        refused(db.as_user(delete("person", vec![eq("id", "2")])).await),
        "23503 | update or delete on table \"person\" violates foreign key constraint \"post_author_id_fkey\" on table \"post\" | Key (id)=(2) is still referenced from table \"post\"."
    );
    assert_eq!(db.dump("person", "id").await, "[{id:1},{id:2},{id:3}]");
}

#[tokio::test]
async fn what_goes_is_read_before() {
    let db = Db::ruled().await;
    let mut answer = select("", "id");
    answer.items.push(crate::kit::embed("notes", select("", "id")));
    let query =
        Query::Delete(Delete { table: "post".into(), filters: vec![eq("id", "1")], returning: Some(answer) });
    let script = db.script(query);
    let shape = match &script.steps[0].query {
        backstay_query::plan::Query::Delete(delete) => {
            backstay_query::reply::Shape::of(delete.returning.as_ref().unwrap())
        }
        _ => unreachable!(),
    };
    let reply = db.execute_as_user(script.clone()).await.unwrap();
    assert_eq!(crate::kit::render(&reply.parts[0].rows, &shape), "[{id:1,notes:[{id:1},{id:2}]}]");
}

#[tokio::test]
async fn expectations_decide_before_anything_is_kept() {
    let db = Db::ruled().await;
    let all = delete("note", vec![Filter::Not(Box::new(eq("id", "9")))]);
    let script = db.script_of(&[(all, Expect::AtMost(2))], End::Commit);
    assert_eq!(
        refused(db.execute_as_user(script).await),
        "PGRST124 | Query result exceeds max-affected preference constraint | The query affects 3 rows"
    );
    assert_eq!(db.dump("note", "id").await, "[{id:1},{id:2},{id:3}]");
}
