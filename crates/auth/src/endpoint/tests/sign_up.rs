//! Signing up and in.

use super::kit::{NOW, PROJECT, SECOND, open, open_with};
use crate::settings::Settings;
use backstay_base::secret::Secret;
use futures_util::future::join_all;
use serde_json::{Map, json};

#[tokio::test]
async fn signing_up_makes_account_row_and_session() {
    let kit = open().await;
    let body = r#"{"email":"Ann@Example.com","password":"hunter22",
        "data":{"name":"Ann","age":7,"score":9,"role":"staff","email":"x@y.zz","theme":"dark"}}"#;
    let answer = kit.call("POST /signup", None, body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut keys: Vec<&String> = answer.body.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["access_token", "expires_at", "expires_in", "refresh_token", "token_type", "user"]);
    assert_eq!(answer.body["token_type"], "bearer");
    assert_eq!(answer.body["expires_in"], 3600);
    assert_eq!(answer.body["expires_at"], NOW / SECOND + 3600);
    let user = &answer.body["user"];
    let id = user["id"].as_str().unwrap();
    assert_eq!(user["app_metadata"], json!({"provider":"email","providers":["email"]}));
    assert_eq!(
        user["user_metadata"],
        json!({"score":9,"role":"staff","theme":"dark","email":"ann@example.com",
            "email_verified":true,"phone_verified":false,"sub":id})
    );
    assert_eq!(user["identities"][0]["provider"], "email");
    assert_eq!(user["created_at"], "2026-01-31T09:00:00Z");
    let row = |cells: [&str; 3]| cells.map(|cell| Some(cell.to_owned())).to_vec();
    assert_eq!(kit.rows("user", &["id", "name", "email"]).await, [row([id, "Ann", "ann@example.com"])]);
    assert_eq!(kit.rows("user", &["role"]).await, [[None]]);
    let token = answer.text("access_token");
    let seen = kit.call("GET /user", Some(&token), "").await;
    assert_eq!((seen.status, &seen.body), (200, user));
}

#[tokio::test]
async fn bad_sign_ups_leave_nothing() {
    let kit = open().await;
    let refused = async |body: &str| kit.call("POST /signup", None, body).await.refusal();
    let of = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(refused(r#"{"email":"a@b.cd","password":"hunter22"}"#).await, of(422, "validation_failed"));
    assert_eq!(
        refused(r#"{"email":"a@b.cd","password":"hunter22","data":{"name":"x","age":"old"}}"#).await,
        of(422, "validation_failed")
    );
    assert_eq!(
        refused(r#"{"email":"a@b.cd","password":"hunter22","data":{"name":"far too long to be a name"}}"#)
            .await,
        of(422, "validation_failed")
    );
    assert_eq!(refused(r#"{"email":"a@b.cd","password":"short"}"#).await, of(422, "weak_password"));
    assert_eq!(refused(r#"{"email":"nonsense","password":"hunter22"}"#).await, of(400, "validation_failed"));
    assert_eq!(refused(r#"{"email":"a@b.cd"}"#).await, of(400, "validation_failed"));
    assert_eq!(
        refused(r#"{"phone":"+4930123456","password":"hunter22"}"#).await,
        of(400, "phone_provider_disabled")
    );
    assert_eq!(refused("{}").await, of(422, "anonymous_provider_disabled"));
    assert_eq!(refused("[").await, of(400, "bad_json"));
    assert_eq!(refused(r#"{"email":7}"#).await, of(400, "bad_json"));
    let long = format!(r#"{{"email":"a@b.cd","password":"{}"}}"#, "x".repeat(4097));
    assert_eq!(refused(&long).await, of(400, "validation_failed"));
    assert!(kit.rows("_backstay_account", &["id"]).await.is_empty());
    assert!(kit.rows("user", &["id"]).await.is_empty());
    kit.sign_up("a@b.cd").await;
    let again = r#"{"email":"A@B.CD","password":"another1","data":{"name":"Bob"}}"#;
    assert_eq!(refused(again).await, of(422, "user_already_exists"));
}

#[tokio::test]
async fn settings_close_doors() {
    let closed = open_with(Settings { sign_up: false, ..Settings::default() }, PROJECT).await;
    let body = r#"{"email":"a@b.cd","password":"hunter22","data":{"name":"x"}}"#;
    let answer = closed.call("POST /signup", None, body).await;
    assert_eq!(answer.refusal(), (422, "signup_disabled".to_owned()));
    let mailing = open_with(Settings { autoconfirm: false, ..Settings::default() }, PROJECT).await;
    let answer = mailing.call("POST /signup", None, body).await;
    assert_eq!(answer.refusal(), (422, "email_provider_disabled".to_owned()));
    let settings = mailing.call("GET /settings", None, "").await;
    assert_eq!(settings.body["mailer_autoconfirm"], false);
    assert_eq!(settings.body["external"]["email"], true);
}

#[tokio::test]
async fn anonymous_accounts_become_permanent() {
    let settings = Settings { anonymous: true, ..Settings::default() };
    let kit = open_with(settings, "type User @user { email: String }").await;
    let answer = kit.call("POST /signup", None, "{}").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["user"]["is_anonymous"], true);
    assert_eq!(answer.body["user"]["email"], "");
    let token = answer.text("access_token");
    let changed = kit.call("PUT /user", Some(&token), r#"{"email":"a@b.cd","password":"hunter22"}"#).await;
    assert_eq!((changed.status, &changed.body["is_anonymous"]), (200, &json!(false)), "{}", changed.body);
    assert_eq!(kit.rows("user", &["email"]).await, [[Some("a@b.cd".to_owned())]]);
    assert_eq!(kit.sign_in("a@b.cd", "hunter22").await.status, 200);
}

/// The same words for all that is wrong with credentials.
#[tokio::test]
async fn sign_ins_tell_nothing() {
    let kit = open().await;
    kit.sign_up("a@b.cd").await;
    let wrong = kit.sign_in("a@b.cd", "hunter23").await;
    let expected = json!({"code":"invalid_credentials","message":"Invalid login credentials"});
    assert_eq!((wrong.status, &wrong.body), (400, &expected));
    for (email, password) in [("x@y.zz", "hunter22"), ("nonsense", "hunter22"), ("a@b.cd", ""), ("", "")] {
        let answer = kit.sign_in(email, password).await;
        assert_eq!((answer.status, &answer.body), (400, &expected), "{email}");
        assert_eq!(answer.header("x-sb-error-code"), Some("invalid_credentials"));
    }
    assert_eq!(kit.sign_in(" A@B.cd", "hunter22").await.status, 200);
    let grant = kit.call("POST /token?grant_type=magic", None, "{}").await;
    assert_eq!(grant.refusal(), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn imported_bcrypt_hashes_are_hashed_anew() {
    let kit = open().await;
    let hash = bcrypt::hash("hunter22", 4).unwrap();
    let body =
        json!({"email":"a@b.cd","password_hash":hash,"email_confirm":true,"user_metadata":{"name":"Ann"}});
    let made = kit.admin("POST /admin/users", &body.to_string()).await;
    assert_eq!(made.status, 200, "{}", made.body);
    assert_eq!(kit.sign_in("a@b.cd", "wrong").await.status, 400);
    assert_eq!(kit.sign_in("a@b.cd", "hunter22").await.status, 200);
    let stored = kit.rows("_backstay_account", &["password_hash"]).await;
    assert!(stored[0][0].as_ref().unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(kit.sign_in("a@b.cd", "hunter22").await.status, 200);
}

#[tokio::test]
async fn the_command_line_makes_roles_and_deletes() {
    let kit = open().await;
    let data = Map::from_iter([("name".to_owned(), "Ann".into())]);
    let password = Secret::new("hunter22".to_owned());
    let account = kit.auth.create_user("a@b.cd", &password, Some("staff"), data.clone()).await.unwrap();
    assert_eq!(kit.rows("user", &["role"]).await, [[Some("staff".to_owned())]]);
    let undeclared = kit.auth.create_user("x@b.cd", &password, Some("boss"), data).await;
    assert_eq!(undeclared.expect_err("is refused").code, "validation_failed");
    kit.auth.set_role("A@b.cd", None).await.unwrap();
    assert_eq!(kit.rows("user", &["role"]).await, [[None]]);
    for role in ["service", "anon", "authenticated", "boss", ""] {
        assert!(kit.auth.set_role("a@b.cd", Some(role)).await.is_err(), "{role}");
    }
    let (users, total) = kit.auth.users(1, 10).await.unwrap();
    assert_eq!((users.len(), total, users[0].id), (1, 1, account.id));
    kit.auth.delete_user(&account.id.to_string()).await.unwrap();
    assert!(kit.rows("user", &["id"]).await.is_empty());
    assert_eq!(kit.auth.delete_user("a@b.cd").await.expect_err("is gone").code, "user_not_found");
}

#[tokio::test]
async fn two_sign_ups_at_once_make_one_account() {
    let kit = open().await;
    let body = r#"{"email":"a@b.cd","password":"hunter22","data":{"name":"Ann"}}"#;
    let call = || kit.call("POST /signup", None, body);
    let answers = join_all((0..4).map(|_| call())).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422, 422, 422]);
    let refused = answers.iter().filter(|answer| answer.status == 422);
    assert!(refused.into_iter().all(|answer| answer.text("code") == "user_already_exists"));
    assert_eq!(kit.rows("user", &["email"]).await, [[Some("a@b.cd".to_owned())]]);
}
