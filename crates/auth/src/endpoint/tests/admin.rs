//! The admin endpoints.

use super::kit::{Kit, SECOND, open};
use crate::account::Object;
use crate::statement::{insert, text};
use backstay_schema::value::Value as Cell;
use serde_json::{Value, json};
use uuid::Uuid;

async fn create(kit: &Kit, body: Value) -> super::kit::Answer {
    kit.admin("POST /admin/users", &body.to_string()).await
}

#[tokio::test]
async fn accounts_are_made_changed_and_deleted() {
    let kit = open().await;
    let made = create(
        &kit,
        json!({"email":"a@b.cd","password":"hunter22","email_confirm":true,
            "user_metadata":{"name":"Ann","score":3,"theme":"dark"},"app_metadata":{"role":"staff","plan":"pro"}}),
    )
    .await;
    assert_eq!(made.status, 200, "{}", made.body);
    assert_eq!(made.body["user_metadata"]["theme"], "dark");
    assert_eq!(
        made.body["app_metadata"],
        json!({"provider":"email","providers":["email"],"role":"staff","plan":"pro"})
    );
    let id = made.text("id");
    let one = format!("/admin/users/{id}");
    assert_eq!(kit.admin(&format!("GET {one}"), "").await.body, made.body);
    let body = r#"{"app_metadata":{"plan":null},"user_metadata":{"theme":"light"},"email":"New@b.cd"}"#;
    let changed = kit.admin(&format!("PUT {one}"), body).await;
    assert_eq!((changed.status, changed.text("email")), (200, "new@b.cd".to_owned()), "{}", changed.body);
    assert_eq!(changed.body["user_metadata"]["theme"], "light");
    assert!(changed.body["app_metadata"].get("plan").is_none());
    assert_eq!(kit.rows("user", &["email"]).await, [[Some("new@b.cd".to_owned())]]);
    assert_eq!(kit.admin(&format!("DELETE {one}"), "").await.body, Value::Object(Object::new()));
    for table in ["user", "_backstay_account", "_backstay_identity"] {
        assert!(kit.rows(table, &["id"]).await.is_empty(), "{table}");
    }
    for line in [format!("GET {one}"), format!("PUT {one}"), format!("DELETE {one}")] {
        assert_eq!(kit.admin(&line, "{}").await.refusal(), (404, "user_not_found".to_owned()), "{line}");
    }
}

#[tokio::test]
async fn bad_accounts_are_refused() {
    let kit = open().await;
    kit.sign_up("taken@b.cd").await;
    let cases = [
        (json!({"email":"taken@b.cd","user_metadata":{"name":"x"}}), 422, "email_exists"),
        (json!({"email":"a@b.cd"}), 422, "validation_failed"),
        (json!({"password":"hunter22"}), 400, "validation_failed"),
        (json!({"email":"a@b.cd","password":"x"}), 422, "weak_password"),
        (json!({"email":"a@b.cd","password_hash":"plain"}), 400, "validation_failed"),
        (json!({"email":"a@b.cd","role":"service_role"}), 400, "validation_failed"),
        (json!({"email":"a@b.cd","app_metadata":{"role":"service"}}), 422, "validation_failed"),
        (json!({"email":"a@b.cd","app_metadata":{"role":["admin"]}}), 422, "validation_failed"),
        (json!({"email":"a@b.cd","ban_duration":"soon"}), 400, "validation_failed"),
        (json!({"email":"a@b.cd","phone":"+49"}), 400, "phone_provider_disabled"),
        (json!({"email":"a@b.cd","id":"7"}), 400, "bad_json"),
    ];
    for (body, status, code) in cases {
        let answer = create(&kit, body.clone()).await;
        assert_eq!(answer.refusal(), (status, code.to_owned()), "{body}");
    }
    let bad_id = kit.admin("GET /admin/users/7", "").await;
    assert_eq!(bad_id.refusal(), (404, "validation_failed".to_owned()));
    assert_eq!(kit.rows("_backstay_account", &["id"]).await.len(), 1);
}

#[tokio::test]
async fn accounts_are_listed_by_page() {
    let kit = open().await;
    for number in 0..5 {
        kit.sign_up(&format!("a{number}@b.cd")).await;
        kit.clock.advance(SECOND);
    }
    let page = kit.admin("GET /admin/users?page=2&per_page=2", "").await;
    let emails: Vec<&Value> =
        page.body["users"].as_array().unwrap().iter().map(|user| &user["email"]).collect();
    assert_eq!(emails, ["a2@b.cd", "a1@b.cd"]);
    assert_eq!(page.body["users"][0]["identities"].as_array().unwrap().len(), 1);
    assert_eq!(page.body["aud"], "authenticated");
    assert_eq!(page.header("X-Total-Count"), Some("5"));
    assert_eq!(
        page.header("Link"),
        Some(
            "</admin/users?page=3&per_page=2>; rel=\"next\", </admin/users?page=3&per_page=2>; rel=\"last\""
        )
    );
    let past = kit.admin("GET /admin/users?page=9&per_page=2", "").await;
    assert_eq!(past.body["users"], json!([]));
    let odd = kit.admin("GET /admin/users?page=x", "").await;
    assert_eq!(odd.refusal(), (400, "validation_failed".to_owned()));
}

#[tokio::test]
async fn what_refers_to_an_account_keeps_it() {
    let kit = open().await;
    let id = kit.sign_up("a@b.cd").await.body["user"]["id"].as_str().unwrap().to_owned();
    let author = Cell::Uuid(Uuid::parse_str(&id).unwrap());
    let post = insert("post", vec![("author_id", author), ("title", text("x"))]);
    kit.auth.run_one(&kit.catalog, post).await.unwrap();
    let kept = kit.admin(&format!("DELETE /admin/users/{id}"), "").await;
    assert_eq!(kept.status, 409);
    assert_eq!(
        kept.body,
        json!({"code":"conflict","message":"User is still referenced by rows of Post; delete those first"})
    );
    assert_eq!(kit.rows("_backstay_account", &["id"]).await.len(), 1);
    assert_eq!(kit.rows("user", &["id"]).await.len(), 1);
}
