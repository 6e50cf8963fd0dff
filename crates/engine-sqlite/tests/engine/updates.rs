//! Updates: reach, rules on both rows, constraints, transitions, keys.

use crate::kit::{Db, eq, refused, select, update};
use backstay_query::named::{Filter, Query, Update};
use backstay_query::plan::{End, Expect};

fn change(assign: &[(&str, &str)], filters: Vec<Filter>) -> Query {
    Query::Update(update("post", assign, filters))
}

async fn with_long_post(id: &str, words: &str) -> Db {
    let db = Db::ruled().await;
    let row = vec![id, "Long", "long", "1", words, "DRAFT"];
    let insert = crate::kit::insert("post", "id title slug author_id words state", &[row]);
    db.run(Query::Insert(insert)).await.unwrap();
    db
}

#[tokio::test]
async fn rows_in_reach_are_changed_and_others_skipped() {
    let db = with_long_post("3", "40").await;
    let part =
        db.as_user(change(&[("title", "New")], vec![Filter::Not(Box::new(eq("id", "9")))])).await.unwrap();
    assert_eq!(part.affected, 2);
    assert_eq!(
        db.dump("post", "id title").await,
        r#"[{id:1,title:"New"},{id:2,title:"New"},{id:3,title:"Long"}]"#
    );
}

#[tokio::test]
async fn readable_but_not_changeable_is_denied_and_hidden_is_nothing() {
    let db = with_long_post("3", "40").await;
    assert_eq!(
        refused(db.as_user(change(&[("title", "New")], vec![eq("id", "3")])).await),
        "42501 | permission denied for table post | "
    );
    let db = with_long_post("3", "60").await;
    assert_eq!(db.as_user(change(&[("title", "New")], vec![eq("id", "3")])).await.unwrap().affected, 0);
}

#[tokio::test]
async fn the_rule_holds_for_the_new_row_too() {
    let db = Db::ruled().await;
    assert_eq!(
        refused(db.as_user(change(&[("title", "first")], vec![eq("id", "1")])).await),
        "42501 | new row violates row-level security policy for table \"post\" | "
    );
    assert_eq!(db.dump("post", "title").await, r#"[{title:"First"},{title:"Second"}]"#);
}

#[tokio::test]
async fn constraint_errors_are_shown_only_where_the_rules_hold() {
    let db = Db::ruled().await;
    for (assign, title, expected) in [
        (
            vec![("slug", "second")],
            "",
            "23505 | duplicate key value violates unique constraint \"post_slug_key\" | Key (slug)=(second) already exists.",
        ),
        (
            vec![("author_id", "77")],
            "first",
            "23503 | insert or update on table \"post\" violates foreign key constraint \"post_author_id_fkey\" | Key (author_id)=(77) is not present in table \"person\".",
        ),
        (
            vec![("author_id", "3")],
            "first",
            "23503 | insert or update on table \"post\" violates foreign key constraint \"post_author_id_fkey\" | Key (author_id)=(3) is not present in table \"person\".",
        ),
        (
            vec![("author_id", "")],
            "first",
            "23502 | null value in column \"author_id\" of relation \"post\" violates not-null constraint | ",
        ),
        (
            vec![("rank", "-1")],
            "first",
            "23514 | new row for relation \"post\" violates check constraint \"post_rank_check\" | ",
        ),
        (
            vec![("id", "2")],
            "first",
            "23505 | duplicate key value violates unique constraint \"post_pkey\" | Key (id)=(2) already exists.",
        ),
    ] {
        let result = db.as_user(change(&assign, vec![eq("id", "1")])).await;
        assert_eq!(refused(result), expected, "{assign:?}");
        if title.is_empty() {
            continue;
        }
        let hidden: Vec<_> = assign.into_iter().chain([("title", title)]).collect();
        let result = db.as_user(change(&hidden, vec![eq("id", "1")])).await;
        assert_eq!(
            refused(result),
            "42501 | new row violates row-level security policy for table \"post\" | ",
            "{hidden:?}"
        );
    }
}

#[tokio::test]
async fn checks_bind_whether_the_database_can_say_them_or_not() {
    let db = Db::ruled().await;
    let result = db.as_user(change(&[("words", "-1")], vec![eq("id", "1")])).await;
    assert_eq!(
        refused(result),
        "23514 | too few words | new row for relation \"post\" violates check constraint \"post_check\""
    );
    let result = db.as_user(change(&[("title", "xTitle")], vec![eq("id", "1")])).await;
    assert_eq!(
        refused(result),
        "23514 | no title begins with x | new row for relation \"post\" violates check constraint \"post_check1\""
    );
    assert_eq!(
        db.dump("post", "title words").await,
        r#"[{title:"First",words:10},{title:"Second",words:20}]"#
    );
}

#[tokio::test]
async fn a_refusal_of_one_row_undoes_the_others() {
    let db = Db::ruled().await;
    let both = || vec![Filter::Not(Box::new(eq("id", "9")))];
    assert_eq!(
        refused(db.as_user(change(&[("slug", "same")], both())).await),
        "23505 | duplicate key value violates unique constraint \"post_slug_key\" | Key (slug)=(same) already exists."
    );
    assert_eq!(db.dump("post", "slug").await, r#"[{slug:"first"},{slug:"second"}]"#);
}

#[tokio::test]
async fn enums_follow_their_edges() {
    let db = Db::ruled().await;
    let to = |state: &'static str, id: &'static str| change(&[("state", state)], vec![eq("id", id)]);
    assert_eq!(db.as_user(to("LIVE", "1")).await.unwrap().affected, 1);
    assert_eq!(db.as_user(to("LIVE", "1")).await.unwrap().affected, 1);
    assert_eq!(
        refused(db.as_user(to("DRAFT", "1")).await),
        "23514 | \"state\" of relation \"post\" may not go from LIVE → DRAFT | "
    );
    let both = vec![("state", "DRAFT"), ("title", "first")];
    assert_eq!(
        refused(db.as_user(change(&both, vec![eq("id", "1")])).await),
        "42501 | new row violates row-level security policy for table \"post\" | "
    );
}

#[tokio::test]
async fn keys_may_change_and_the_answer_follows() {
    let db = Db::ruled().await;
    db.run(Query::Delete(backstay_query::named::Delete { table: "note".into(), ..Default::default() }))
        .await
        .unwrap();
    db.run(Query::Delete(backstay_query::named::Delete { table: "post_tag".into(), ..Default::default() }))
        .await
        .unwrap();
    let changed = Update {
        returning: Some(select("", "id slug")),
        ..update("post", &[("id", "12")], vec![eq("id", "1")])
    };
    let script = db.script(Query::Update(changed));
    let shape = match &script.steps[0].query {
        backstay_query::plan::Query::Update(update) => {
            backstay_query::reply::Shape::of(update.returning.as_ref().unwrap())
        }
        _ => unreachable!(),
    };
    let reply = db.execute_as_user(script.clone()).await.unwrap();
    assert_eq!(crate::kit::render(&reply.parts[0].rows, &shape), r#"[{id:12,slug:"first"}]"#);
}

#[tokio::test]
async fn a_key_that_others_refer_to_stays() {
    let db = Db::ruled().await;
    let moved = Query::Update(update("person", &[("id", "12")], vec![eq("id", "2")]));
    assert_eq!(
        refused(db.as_user(moved).await),
        "23503 | update or delete on table \"person\" violates foreign key constraint \"post_author_id_fkey\" on table \"post\" | Key (id)=(2) is still referenced from table \"post\"."
    );
}

#[tokio::test]
async fn expectations_decide_before_anything_is_kept() {
    let db = Db::ruled().await;
    let run = |filters: Vec<Filter>, expect, end| {
        db.execute_as_user(db.script_of(&[(change(&[("title", "New")], filters), expect)], end))
    };
    let all = || vec![Filter::Not(Box::new(eq("id", "9")))];
    assert_eq!(
        refused(run(all(), Expect::Singular, End::Commit).await),
        "PGRST116 | Cannot coerce the result to a single JSON object | The result contains 2 rows"
    );
    assert_eq!(
        run(vec![eq("id", "9")], Expect::OneOrNothing, End::Commit).await.unwrap().parts[0].affected,
        0
    );
    assert_eq!(run(all(), Expect::Any, End::Rollback).await.unwrap().parts[0].affected, 2);
    assert_eq!(db.dump("post", "title").await, r#"[{title:"First"},{title:"Second"}]"#);
    assert_eq!(
        run(vec![eq("id", "1")], Expect::OneOrNothing, End::Commit).await.unwrap().parts[0].affected,
        1
    );
}
