//! Refreshing, signing out, changing oneself.

use super::kit::{Kit, PROJECT, SECOND, open, open_with};
use crate::settings::Settings;
use futures_util::future::join_all;
use std::sync::Arc;

fn used() -> (u16, String) {
    (400, "refresh_token_already_used".to_owned())
}

fn unknown() -> (u16, String) {
    (400, "refresh_token_not_found".to_owned())
}

async fn alive(kit: &Kit, token: &str) -> bool {
    kit.call("GET /user", Some(token), "").await.status == 200
}

#[tokio::test]
async fn refresh_tokens_rotate() {
    let kit = open().await;
    let first = kit.sign_up("a@b.cd").await;
    let a = first.text("refresh_token");
    let second = kit.refresh(&a).await;
    assert_eq!(second.status, 200, "{}", second.body);
    let b = second.text("refresh_token");
    assert_ne!(a, b);
    assert_eq!(second.body["user"], first.body["user"]);
    kit.clock.advance(10 * SECOND);
    assert_eq!(kit.refresh(&a).await.text("refresh_token"), b, "its parent, within the grace");
    let c = kit.refresh(&b).await.text("refresh_token");
    assert!(alive(&kit, &second.text("access_token")).await);
    assert_eq!(kit.refresh(&a).await.refusal(), used(), "its grandparent, at any time");
    assert_eq!(kit.refresh(&c).await.refusal(), unknown(), "the family is gone");
    assert!(!alive(&kit, &second.text("access_token")).await);
}

#[tokio::test]
async fn a_parent_after_the_grace_ends_the_family() {
    let kit = open().await;
    let a = kit.sign_up("a@b.cd").await.text("refresh_token");
    let b = kit.refresh(&a).await.text("refresh_token");
    kit.clock.advance(10 * SECOND + 1);
    assert_eq!(kit.refresh(&a).await.refusal(), used());
    assert_eq!(kit.refresh(&b).await.refusal(), unknown());
    let compatible = Settings { reuse_parent_always: true, ..Settings::default() };
    let kit = open_with(compatible, PROJECT).await;
    let a = kit.sign_up("a@b.cd").await.text("refresh_token");
    let b = kit.refresh(&a).await.text("refresh_token");
    kit.clock.advance(3600 * SECOND);
    assert_eq!(kit.refresh(&a).await.text("refresh_token"), b);
}

#[tokio::test]
async fn refreshes_at_once_give_one_live_successor() {
    let kit = Arc::new(open().await);
    let a = kit.sign_up("a@b.cd").await.text("refresh_token");
    let answers = join_all((0..30).map(|_| kit.refresh(&a))).await;
    let first = answers[0].text("refresh_token");
    assert!(answers.iter().all(|one| one.status == 200 && one.text("refresh_token") == first));
    let tokens = kit.rows("_backstay_refresh_token", &["revoked_at"]).await;
    assert_eq!(tokens.iter().filter(|row| row[0].is_none()).count(), 1);
    assert_eq!(tokens.len(), 2);
}

#[tokio::test]
async fn bad_refresh_tokens() {
    let kit = open().await;
    let token = kit.sign_up("a@b.cd").await.text("refresh_token");
    for bad in ["x", &token[1..], &format!("{token}x"), "' OR 1=1"] {
        assert_eq!(kit.refresh(bad).await.refusal(), unknown());
    }
    assert_eq!(kit.refresh("").await.refusal(), (400, "validation_failed".to_owned()));
    assert_eq!(kit.refresh(&token).await.status, 200);
}

#[tokio::test]
async fn sessions_end_when_they_are_told_to() {
    let kit = open_with(Settings { session_s: 60, ..Settings::default() }, PROJECT).await;
    let answer = kit.sign_up("a@b.cd").await;
    kit.clock.advance(60 * SECOND);
    let refreshed = kit.refresh(&answer.text("refresh_token")).await;
    assert_eq!(refreshed.refusal(), (400, "session_expired".to_owned()));
    let seen = kit.call("GET /user", Some(&answer.text("access_token")), "").await;
    assert_eq!(seen.refusal(), (403, "session_not_found".to_owned()));
}

#[tokio::test]
async fn signing_out_has_three_scopes() {
    let kit = open().await;
    kit.sign_up("other@b.cd").await;
    let stranger = kit.sign_in("other@b.cd", "hunter22").await.text("access_token");
    let mut tokens = vec![kit.sign_up("a@b.cd").await.text("access_token")];
    for _ in 0..3 {
        tokens.push(kit.sign_in("a@b.cd", "hunter22").await.text("access_token"));
    }
    let out = kit.call("POST /logout?scope=local", Some(&tokens[0]), "").await;
    assert_eq!(out.status, 204);
    let mut state = Vec::new();
    for token in &tokens {
        state.push(alive(&kit, token).await);
    }
    assert_eq!(state, [false, true, true, true]);
    assert_eq!(kit.call("POST /logout?scope=others", Some(&tokens[1]), "").await.status, 204);
    assert!(alive(&kit, &tokens[1]).await);
    assert!(!alive(&kit, &tokens[2]).await);
    let odd = kit.call("POST /logout?scope=all", Some(&tokens[1]), "").await;
    assert_eq!(odd.refusal(), (400, "validation_failed".to_owned()));
    assert_eq!(kit.call("POST /logout", Some(&tokens[1]), "").await.status, 204);
    assert!(!alive(&kit, &tokens[1]).await);
    assert!(alive(&kit, &stranger).await);
    let again = kit.call("POST /logout", Some(&tokens[1]), "").await;
    assert_eq!(again.refusal(), (403, "session_not_found".to_owned()));
}

#[tokio::test]
async fn a_new_password_ends_other_sessions() {
    let kit = open().await;
    let old = kit.sign_up("a@b.cd").await.text("access_token");
    let own = kit.sign_in("a@b.cd", "hunter22").await.text("access_token");
    let put = async |body: &str| kit.call("PUT /user", Some(&own), body).await;
    assert_eq!(put(r#"{"password":"hunter22"}"#).await.refusal(), (422, "same_password".to_owned()));
    assert_eq!(put(r#"{"password":"x"}"#).await.refusal(), (422, "weak_password".to_owned()));
    assert_eq!(put(r#"{"password":"hunter33","data":{"theme":"dark"}}"#).await.status, 200);
    assert!(alive(&kit, &own).await);
    assert!(!alive(&kit, &old).await);
    assert_eq!(kit.sign_in("a@b.cd", "hunter22").await.status, 400);
    let user = kit.sign_in("a@b.cd", "hunter33").await;
    assert_eq!(user.body["user"]["user_metadata"]["theme"], "dark");
}

#[tokio::test]
async fn a_new_address_is_mirrored_and_unique() {
    let kit = open().await;
    kit.sign_up("other@b.cd").await;
    let token = kit.sign_up("a@b.cd").await.text("access_token");
    let taken = kit.call("PUT /user", Some(&token), r#"{"email":"OTHER@b.cd"}"#).await;
    assert_eq!(taken.refusal(), (422, "email_exists".to_owned()));
    let changed = kit.call("PUT /user", Some(&token), r#"{"email":"new@b.cd"}"#).await;
    assert_eq!((changed.status, changed.text("email")), (200, "new@b.cd".to_owned()), "{}", changed.body);
    assert_eq!(changed.body["identities"][0]["identity_data"]["email"], "new@b.cd");
    let mut rows = kit.rows("user", &["email"]).await.concat();
    rows.sort();
    assert_eq!(rows, [Some("new@b.cd".to_owned()), Some("other@b.cd".to_owned())]);
    assert_eq!(kit.sign_in("a@b.cd", "hunter22").await.status, 400);
    assert_eq!(kit.sign_in("new@b.cd", "hunter22").await.status, 200);
}
