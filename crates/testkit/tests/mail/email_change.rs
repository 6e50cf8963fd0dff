//! Another address for an account: both addresses agree, and nobody else can make it so.

use crate::*;

async fn signed_in(served: &Served, email: &str) -> String {
    sign_up(served, email, PASSWORD).await;
    follow(served, &link(&letter(served, email))).await;
    let session =
        post(served, "/token?grant_type=password", &json!({"email": email, "password": PASSWORD})).await;
    body(&session)["access_token"].as_str().unwrap().to_owned()
}

async fn put(served: &Served, token: &str, changes: &Value) -> Answer {
    let put = Ask::new("nobody", "PUT", "/auth/v1/user", &changes.to_string());
    served.ask(&put.header("authorization", &format!("Bearer {token}"))).await
}

/// The letters of a change: to the new address, to the old one.
fn both(served: &Served, new: &str, old: &str) -> (Letter, Letter) {
    let mut letters = served.letters();
    letters.sort_by_key(|letter| letter.to != new);
    let to: Vec<&str> = letters.iter().map(|letter| &*letter.to).collect();
    assert_eq!(to, [new, old]);
    let old = letters.pop().unwrap();
    (letters.pop().unwrap(), old)
}

#[tokio::test]
async fn an_address_changes_once_both_agree() {
    for old_first in [false, true] {
        let served = server().await;
        let token = signed_in(&served, "ann@x.test").await;
        let asked = put(&served, &token, &json!({"email": "Anna@y.test"})).await;
        let user = body(&asked);
        assert_eq!((asked.status, &user["email"]), (200, &json!("ann@x.test")), "{user}");
        assert_eq!(user["new_email"], "anna@y.test");
        assert!(user["email_change_sent_at"].is_string());
        let (new, old) = both(&served, "anna@y.test", "ann@x.test");
        assert!(new.text.contains("anna@y.test takes the place of ann@x.test"), "{}", new.text);
        let (first, second) = if old_first { (old, new) } else { (new, old) };
        let place = follow(&served, &link(&first)).await;
        let half = "Confirmation link accepted. Please proceed to confirm link sent to the other email";
        assert_eq!(fragment(&place, "message").as_deref(), Some(half));
        assert_eq!(fragment(&place, "access_token"), None);
        // one letter twice is not two letters
        let again = follow(&served, &link(&first)).await;
        assert_eq!(fragment(&again, "error_code").as_deref(), Some("otp_expired"));
        assert_eq!(sign_in(&served, "anna@y.test", PASSWORD).await, refused(400, "invalid_credentials"));
        assert_eq!(mirrored(&served).await, json!([{"name": "Ann", "email": "ann@x.test"}]));
        let shown = json!({"type": "email_change", "email": second.to, "token": code(&second)});
        let session = post(&served, "/verify", &shown).await;
        let user = &body(&session)["user"];
        assert_eq!((session.status, &user["email"]), (200, &json!("anna@y.test")), "{}", session.body);
        assert!(user["new_email"].is_null());
        assert_eq!(user["identities"][0]["email"], "anna@y.test");
        assert_eq!(user["user_metadata"]["email"], "anna@y.test");
        assert_eq!(mirrored(&served).await, json!([{"name": "Ann", "email": "anna@y.test"}]));
        assert_eq!(sign_in(&served, "anna@y.test", PASSWORD).await.0, 200);
        assert_eq!(sign_in(&served, "ann@x.test", PASSWORD).await, refused(400, "invalid_credentials"));
    }
}

#[tokio::test]
async fn one_letter_is_enough_where_it_is_said() {
    let auth = Settings { autoconfirm: false, double_confirm_changes: false, ..Settings::default() };
    let served = Served::start(&Setup { sdl: SCHEMA.to_owned(), auth, ..Setup::default() }).await;
    let token = signed_in(&served, "ann@x.test").await;
    assert_eq!(put(&served, &token, &json!({"email": "anna@y.test"})).await.status, 200);
    let place = follow(&served, &link(&letter(&served, "anna@y.test"))).await;
    assert!(fragment(&place, "access_token").is_some(), "{place}");
    assert_eq!(fragment(&place, "type").as_deref(), Some("email_change"));
    assert_eq!(sign_in(&served, "anna@y.test", PASSWORD).await.0, 200);
}

#[tokio::test]
async fn the_last_wish_counts_and_old_letters_do_not() {
    let served = server().await;
    let token = signed_in(&served, "ann@x.test").await;
    put(&served, &token, &json!({"email": "one@y.test"})).await;
    let (one, old) = both(&served, "one@y.test", "ann@x.test");
    assert_eq!(refusal(&put(&served, &token, &json!({"email": "one@y.test"})).await).0, 429);
    follow(&served, &link(&old)).await;
    // another wish begins anew: the old address must agree to that one
    put(&served, &token, &json!({"email": "two@y.test"})).await;
    let (two, old) = both(&served, "two@y.test", "ann@x.test");
    let place = follow(&served, &link(&one)).await;
    assert_eq!(fragment(&place, "error_code").as_deref(), Some("otp_expired"));
    let place = follow(&served, &link(&two)).await;
    assert!(fragment(&place, "message").is_some(), "{place}");
    // once more by /resend: what was answered must be answered again
    served.clock.advance(61 * SECOND);
    let resend = json!({"type": "email_change", "email": "ann@x.test"});
    assert_eq!(post(&served, "/resend", &resend).await.body, "{}");
    let (again, _) = both(&served, "two@y.test", "ann@x.test");
    assert_eq!(refusal(&post(&served, "/resend", &resend).await), refused(429, "over_email_send_rate_limit"));
    let place = follow(&served, &link(&old)).await;
    assert_eq!(fragment(&place, "error_code").as_deref(), Some("otp_expired"));
    assert!(fragment(&follow(&served, &link(&again)).await, "message").is_some());
    // who has no wish, and who is not there, are answered alike
    for email in ["nobody@x.test", "two@y.test"] {
        let answer = post(&served, "/resend", &json!({"type": "email_change", "email": email})).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "{}"), "{email}");
    }
    assert!(served.letters().is_empty());
}

#[tokio::test]
async fn nobody_takes_the_address_of_another() {
    let served = server().await;
    let ann = signed_in(&served, "ann@x.test").await;
    let bob = signed_in(&served, "bob@x.test").await;
    // that the address is taken, nobody hears but who reads its mail
    let taken = put(&served, &ann, &json!({"email": "BOB@x.test"})).await;
    assert_eq!((taken.status, &body(&taken)["new_email"]), (200, &json!("bob@x.test")));
    let (new, old) = both(&served, "bob@x.test", "ann@x.test");
    assert!(fragment(&follow(&served, &link(&old)).await, "message").is_some());
    let place = follow(&served, &link(&new)).await;
    assert_eq!(fragment(&place, "error_code").as_deref(), Some("email_exists"), "{place}");
    assert_eq!(sign_in(&served, "ann@x.test", PASSWORD).await.0, 200);
    assert_eq!(sign_in(&served, "bob@x.test", PASSWORD).await.0, 200);
    assert_eq!(refusal(&put(&served, &ann, &json!({"email": "nonsense"})).await).0, 400);
    // both want the same one: who is first has it
    put(&served, &ann, &json!({"email": "both@y.test"})).await;
    let (new_of_ann, old_of_ann) = both(&served, "both@y.test", "ann@x.test");
    served.clock.advance(61 * SECOND);
    put(&served, &bob, &json!({"email": "both@y.test"})).await;
    let (new_of_bob, old_of_bob) = both(&served, "both@y.test", "bob@x.test");
    for letter in [&new_of_ann, &old_of_ann, &new_of_bob] {
        follow(&served, &link(letter)).await;
    }
    let place = follow(&served, &link(&old_of_bob)).await;
    assert_eq!(fragment(&place, "error_code").as_deref(), Some("email_exists"), "{place}");
    assert_eq!(sign_in(&served, "bob@x.test", PASSWORD).await.0, 200);
    assert_eq!(sign_in(&served, "both@y.test", PASSWORD).await.0, 200);
    // a letter of a change signs nobody in by another name
    let shown = json!({"type": "magiclink", "token_hash": link(&new_of_ann)});
    assert_eq!(refusal(&post(&served, "/verify", &shown).await), refused(403, "otp_expired"));
}
