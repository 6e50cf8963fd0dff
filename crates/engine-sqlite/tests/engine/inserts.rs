//! Inserts: rules, constraints in PostgreSQL's words, references, expectations.

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
async fn checks_bind_whether_the_database_can_say_them_or_not() {
    let db = Db::ruled().await;
    for (row, expected) in [
        (
            vec!["7", "Title", "x", "1", "-1"],
            "23514 | too few words | new row for relation \"post\" violates check constraint \"post_check\"",
        ),
        (
            vec!["7", "xTitle", "x", "1", "5"],
            "23514 | no title begins with x | new row for relation \"post\" violates check constraint \"post_check1\"",
        ),
        (
            vec!["7", "xTitle", "x", "1", "500"],
            "42501 | new row violates row-level security policy for table \"post\" | ",
        ),
    ] {
        assert_eq!(refused(db.as_user(post(row.clone())).await), expected, "{row:?}");
    }
    assert_eq!(posts(&db).await, "[{id:1},{id:2}]");
}

/// Cy (3) is hidden and nobody has 77: whichever stands first is blamed, in the same words.
#[tokio::test]
async fn hidden_and_absent_targets_cannot_be_told_apart() {
    let db = Db::ruled().await;
    let pair = |one: &'static str, two: &'static str, three: &'static str| {
        Query::Insert(insert("pair", "id one_id two_id three_id", &[vec!["1", one, two, three]]))
    };
    let blamed = |column: &str, key: &str, target: &str| {
        format!(
            "23503 | insert or update on table \"pair\" violates foreign key constraint \"pair_{column}_fkey\" | Key ({column})=({key}) is not present in table \"{target}\"."
        )
    };
    for (one, two, three, expected) in [
        ("3", "77", "", blamed("one_id", "3", "person")),
        ("77", "3", "", blamed("one_id", "77", "person")),
        ("1", "3", "77", blamed("two_id", "3", "person")),
        ("1", "77", "77", blamed("two_id", "77", "person")),
        ("1", "2", "77", blamed("three_id", "77", "post")),
    ] {
        assert_eq!(refused(db.as_user(pair(one, two, three)).await), expected, "{one} {two} {three}");
    }
    assert_eq!(db.as_user(pair("1", "2", "")).await.unwrap().affected, 1);
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
    let reply = db.execute_as_user(script.clone()).await.unwrap();
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

#[tokio::test]
async fn among_many_rows_hidden_and_absent_targets_are_blamed_alike() {
    let db = Db::ruled().await;
    for target in ["3", "77"] {
        let ids: Vec<String> = (1..40).map(|id| id.to_string()).collect();
        let row =
            |id: &'static str, slug: &'static str, author: &'static str| vec![id, "Title", slug, author, "5"];
        let mut rows: Vec<Vec<&str>> = vec![row("100", "a", target)];
        let slugs: Vec<String> = ids.iter().map(|id| format!("s{id}")).collect();
        let more = ids.iter().zip(&slugs).skip(10);
        rows.extend(more.map(|(id, slug)| vec![id.as_str(), "Title", slug.as_str(), "1", "5"]));
        let many = Query::Insert(insert("post", POST, &rows));
        assert_eq!(
            refused(db.as_user(many).await),
            format!(
                "23503 | insert or update on table \"post\" violates foreign key constraint \"post_author_id_fkey\" | Key (author_id)=({target}) is not present in table \"person\"."
            )
        );
        rows[0] = row("100", "a", target);
        rows[5][2] = "first";
        let many = Query::Insert(insert("post", POST, &rows));
        assert_eq!(
            refused(db.as_user(many).await),
            "23505 | duplicate key value violates unique constraint \"post_slug_key\" | Key (slug)=(first) already exists."
        );
    }
    assert_eq!(posts(&db).await, "[{id:1},{id:2}]");
}
