//! What somebody may do who does not read the mail of an address: learn nothing of it, and get into no account.

use crate::{
    PASSWORD, SCHEMA, SECOND, body, follow, fragment, letter, link, mirrored, post, refusal, refused, server,
    sign_in, sign_up,
};
use backstay_auth::settings::Settings;
use backstay_testkit::served::{Answer, Served, Setup};
use serde_json::{Value, json};

/// An answer without what differs between two requests of any kind.
fn bare(answer: &Answer, email: &str) -> (u16, Vec<(String, String)>, String) {
    let mut text = answer.body.replace(email, "EMAIL");
    if let Some(id) = body(answer)["id"].as_str() {
        text = text.replace(id, "ID");
    }
    if let Some(id) = body(answer)["identities"][0]["identity_id"].as_str() {
        text = text.replace(id, "IDENTITY");
    }
    let headers = answer.headers.iter().filter(|(name, _)| name != "x-request-id").cloned().collect();
    (answer.status, headers, text)
}

/// An address with a confirmed account, one with an open account, and one with none.
async fn three(served: &Served) -> [&'static str; 3] {
    sign_up(served, "ann@x.test", PASSWORD).await;
    follow(served, &link(&letter(served, "ann@x.test"))).await;
    let own = json!({"email": "bob@x.test", "password": PASSWORD, "data": {"name": "Bob", "street": "Elm"}});
    assert_eq!(post(served, "/signup", &own).await.status, 200);
    letter(served, "bob@x.test");
    served.clock.advance(61 * SECOND);
    ["ann@x.test", "bob@x.test", "eve@x.test"]
}

/// Asks the same about each address, and gives the one answer that there is.
async fn alike(served: &Served, target: &str, asked: &Value) -> (u16, String) {
    let mut answers = Vec::new();
    for email in three(served).await {
        let mut asked = asked.clone();
        asked["email"] = json!(email);
        let first = bare(&post(served, target, &asked).await, email);
        // the limit is the same for who is there and who is not
        let soon = bare(&post(served, target, &asked).await, email);
        answers.push((first, soon));
    }
    let ((status, _, text), _) = answers[0].clone();
    for other in &answers {
        assert_eq!(*other, answers[0], "{target} {asked}");
    }
    (status, text)
}

#[tokio::test]
async fn no_answer_tells_who_has_an_account() {
    for (target, asked, status) in [
        ("/signup", json!({"password": "another1", "data": {"name": "Ann", "more": 1}}), 200),
        ("/signup", json!({"password": "another1", "data": {"name": "too long for a name"}}), 422),
        ("/signup", json!({"password": "another1", "data": {"age": "old"}}), 422),
        ("/signup", json!({"password": "short"}), 422),
        ("/recover", json!({}), 200),
        ("/resend", json!({"type": "signup"}), 200),
        ("/resend", json!({"type": "email_change"}), 200),
        ("/otp", json!({}), 200),
        ("/otp", json!({"create_user": false}), 200),
        ("/otp", json!({"data": {"name": "too long for a name"}}), 422),
        ("/token?grant_type=password", json!({"password": "another1"}), 400),
        ("/verify", json!({"type": "recovery", "token": "123456"}), 403),
    ] {
        let served = server().await;
        let (found, text) = alike(&served, target, &asked).await;
        assert_eq!(found, status, "{target} {asked}: {text}");
        assert!(!text.contains("Elm"), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_lets_nobody_sign_up_tells_as_little() {
    let auth = Settings { autoconfirm: false, ..Settings::default() };
    let served = Served::start(&Setup { sdl: SCHEMA.to_owned(), auth, ..Setup::default() }).await;
    sign_up(&served, "ann@x.test", PASSWORD).await;
    letter(&served, "ann@x.test");
    let auth = Settings { autoconfirm: false, sign_up: false, ..Settings::default() };
    let closed = Served::start(&Setup { sdl: SCHEMA.to_owned(), auth, ..Setup::default() }).await;
    assert_eq!(post(&closed, "/otp", &json!({"email": "eve@x.test"})).await.body, "{}");
    assert!(closed.letters().is_empty());
    assert_eq!(mirrored(&closed).await, json!([]));
}

#[tokio::test]
async fn what_goes_to_whom_is_right_all_the_same() {
    let served = server().await;
    let [confirmed, open, nobody] = three(&served).await;
    for (target, sent) in [("/recover", [confirmed, open]), ("/otp", [confirmed, open])] {
        for email in [confirmed, open] {
            post(&served, target, &json!({"email": email})).await;
        }
        post(&served, target, &json!({"email": nobody, "create_user": false})).await;
        let letters: Vec<String> = served.letters().into_iter().map(|letter| letter.to).collect();
        assert_eq!(letters, sent, "{target}");
    }
    sign_up(&served, confirmed, "another1").await;
    assert!(served.letters().is_empty());
    assert_eq!(sign_in(&served, confirmed, "another1").await, refused(400, "invalid_credentials"));
    assert_eq!(sign_in(&served, confirmed, PASSWORD).await.0, 200);
    // a rehearsal leaves nothing
    assert_eq!(mirrored(&served).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn who_reads_no_mail_prepares_no_password() {
    let served = server().await;
    // of two passwords for an open account none stands, whoever came first
    for (email, first, second) in
        [("ann@x.test", PASSWORD, "intruder1"), ("bob@x.test", "intruder1", PASSWORD)]
    {
        sign_up(&served, email, first).await;
        let early = letter(&served, email);
        let soon = sign_up(&served, email, second).await;
        assert_eq!(refusal(&soon), refused(429, "over_email_send_rate_limit"));
        served.clock.advance(60 * SECOND);
        assert_eq!(sign_up(&served, email, second).await.status, 200);
        let late = letter(&served, email);
        // nor does it come back by being said again
        served.clock.advance(60 * SECOND);
        assert_eq!(sign_up(&served, email, second).await.status, 200);
        let last = letter(&served, email);
        for stale in [early, late] {
            let place = follow(&served, &link(&stale)).await;
            assert_eq!(fragment(&place, "error_code").as_deref(), Some("otp_expired"));
        }
        assert!(fragment(&follow(&served, &link(&last)).await, "access_token").is_some());
        for password in [first, second] {
            assert_eq!(
                sign_in(&served, email, password).await,
                refused(400, "invalid_credentials"),
                "{email}"
            );
        }
    }
}

#[tokio::test]
async fn who_signs_up_again_with_the_same_password_keeps_it() {
    let served = server().await;
    sign_up(&served, "ann@x.test", PASSWORD).await;
    letter(&served, "ann@x.test");
    served.clock.advance(61 * SECOND);
    let again = sign_up(&served, "ann@x.test", PASSWORD).await;
    assert_eq!(again.status, 200, "{}", again.body);
    follow(&served, &link(&letter(&served, "ann@x.test"))).await;
    assert_eq!(sign_in(&served, "ann@x.test", PASSWORD).await.0, 200);
    assert_eq!(mirrored(&served).await, json!([{"name": "Ann", "email": "ann@x.test"}]));
}

#[tokio::test]
async fn an_address_that_nobody_confirmed_fills_no_field() {
    let served = server().await;
    let data = json!({"name": "Boss", "clearance": "all"});
    let asked = json!({"email": "boss@corp.test", "password": PASSWORD, "data": data});
    let user = body(&post(&served, "/signup", &asked).await);
    assert_eq!(user["user_metadata"]["clearance"], "all", "{user}");
    let asked =
        backstay_testkit::served::Ask::new("service", "GET", "/rest/v1/user?select=name,clearance", "");
    assert_eq!(body(&served.ask(&asked).await), json!([{"name": "Boss", "clearance": null}]));
}

#[tokio::test]
async fn a_server_that_reveals_accounts_says_so_as_its_model_does() {
    let auth = Settings { autoconfirm: false, reveal_accounts: true, ..Settings::default() };
    let served = Served::start(&Setup { sdl: SCHEMA.to_owned(), auth, ..Setup::default() }).await;
    let [confirmed, _, nobody] = three(&served).await;
    let feigned = sign_up(&served, confirmed, "another1").await;
    assert_eq!((feigned.status, &body(&feigned)["identities"]), (200, &json!([])));
    let closed = json!({"email": nobody, "create_user": false});
    assert_eq!(refusal(&post(&served, "/otp", &closed).await), refused(422, "otp_disabled"));
}
