//! Accounts by e-mail, on the engine of the run: every letter that is sent is read, every link followed.

#![cfg(test)]

mod email_change;
mod strangers;
mod upgrade;

use backstay_auth::settings::Settings;
use backstay_outbound::mail::Letter;
use backstay_testkit::served::{Answer, Ask, PASSWORD, Served, Setup};
use serde_json::{Value, json};
use url::Url;

const SCHEMA: &str = r#"
type User @user @access(read: "this == auth.user") {
  name: String @valid(maxLength: 12)
  email: String
  age: Int
  clearance: String @access(write: "auth.email == 'boss@corp.test'")
}"#;
const SECOND: i64 = 1_000_000;
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

async fn server() -> Served {
    let auth = Settings {
        autoconfirm: false,
        site_url: "https://shop.test/".to_owned(),
        redirect_urls: vec!["myapp://**".to_owned()],
        ..Settings::default()
    };
    Served::start(&Setup { sdl: SCHEMA.to_owned(), auth, ..Setup::default() }).await
}

async fn post(served: &Served, target: &str, body: &Value) -> Answer {
    served.ask(&Ask::new("anon", "POST", &format!("/auth/v1{target}"), &body.to_string())).await
}

fn body(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_default()
}

fn refusal(answer: &Answer) -> (u16, String) {
    let body = body(answer);
    (answer.status, body["error_code"].as_str().unwrap_or_default().to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// The one letter that was sent, to this address.
fn letter(served: &Served, to: &str) -> Letter {
    let mut letters = served.letters();
    assert_eq!(letters.len(), 1, "letters to {to}");
    let letter = letters.remove(0);
    assert_eq!(letter.to, to);
    letter
}

fn code(letter: &Letter) -> String {
    letter.text.split("code: ").nth(1).unwrap().get(..6).unwrap().to_owned()
}

/// The target of the link of a letter.
fn link(letter: &Letter) -> String {
    let url = letter.text.lines().find(|line| line.starts_with("http")).unwrap();
    url.split_once("/auth/v1").map(|(_, target)| format!("/auth/v1{target}")).unwrap()
}

async fn follow(served: &Served, target: &str) -> Url {
    let answer = served.ask(&Ask::new("nobody", "GET", target, "")).await;
    assert_eq!((answer.status, answer.body.as_str()), (303, ""));
    let header =
        |name: &str| answer.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!((header("cache-control"), header("referrer-policy")), (Some("no-store"), Some("no-referrer")));
    header("location").unwrap().parse().unwrap()
}

fn fragment(url: &Url, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(url.fragment()?.as_bytes());
    pairs.into_owned().find(|(key, _)| key == name).map(|(_, value)| value)
}

async fn sign_up(served: &Served, email: &str, password: &str) -> Answer {
    post(served, "/signup", &json!({"email": email, "password": password, "data": {"name": "Ann"}})).await
}

async fn sign_in(served: &Served, email: &str, password: &str) -> (u16, String) {
    refusal(&post(served, "/token?grant_type=password", &json!({"email": email, "password": password})).await)
}

async fn mirrored(served: &Served) -> Value {
    let found =
        served.ask(&Ask::new("service", "GET", "/rest/v1/user?select=name,email&order=email", "")).await;
    body(&found)
}

#[tokio::test]
async fn a_link_confirms_once() {
    let served = server().await;
    let answer = sign_up(&served, "Ann@x.test", PASSWORD).await;
    let user = body(&answer);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(user["access_token"].is_null() && user["email_confirmed_at"].is_null(), "{user}");
    assert_eq!((&user["email"], &user["identities"][0]["provider"]), (&json!("ann@x.test"), &json!("email")));
    assert!(user["confirmation_sent_at"].is_string());
    assert_eq!(mirrored(&served).await, json!([{"name": "Ann", "email": null}]));
    assert_eq!(sign_in(&served, "ann@x.test", PASSWORD).await, refused(400, "email_not_confirmed"));
    assert_eq!(sign_in(&served, "ann@x.test", "guessed1").await, refused(400, "invalid_credentials"));
    let letter = letter(&served, "ann@x.test");
    assert!(!format!("{user}").contains(&code(&letter)));
    let target = link(&letter);
    let place = follow(&served, &target).await;
    assert_eq!((place.host_str(), fragment(&place, "type").as_deref()), (Some("shop.test"), Some("signup")));
    assert_eq!(fragment(&place, "token_type").as_deref(), Some("bearer"));
    let refresh = fragment(&place, "refresh_token").unwrap();
    let session = post(&served, "/token?grant_type=refresh_token", &json!({"refresh_token": refresh})).await;
    assert_eq!(session.status, 200, "{}", session.body);
    assert_eq!(body(&session)["user"]["user_metadata"]["email_verified"], true);
    assert_eq!(mirrored(&served).await, json!([{"name": "Ann", "email": "ann@x.test"}]));
    assert_eq!(sign_in(&served, "ann@x.test", PASSWORD).await.0, 200);
    // a second time, and the code of the same letter
    let again = follow(&served, &target).await;
    assert_eq!(fragment(&again, "error_code").as_deref(), Some("otp_expired"));
    assert_eq!(fragment(&again, "access_token"), None);
    let shown = json!({"type": "signup", "email": "ann@x.test", "token": code(&letter)});
    assert_eq!(refusal(&post(&served, "/verify", &shown).await), refused(403, "otp_expired"));
}

#[tokio::test]
async fn a_code_confirms_and_is_guessed_five_times_only() {
    let served = server().await;
    sign_up(&served, "ann@x.test", PASSWORD).await;
    let right = code(&letter(&served, "ann@x.test"));
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let show = |token: &str, kind: &str| json!({"type": kind, "email": "ann@x.test", "token": token});
    for _ in 0..4 {
        let answer = post(&served, "/verify", &show(wrong, "signup")).await;
        assert_eq!(refusal(&answer), refused(403, "otp_expired"));
    }
    // for another purpose or another address the guess is not even looked at
    assert_eq!(
        refusal(&post(&served, "/verify", &show(&right, "recovery")).await),
        refused(403, "otp_expired")
    );
    let other = json!({"type": "signup", "email": "bob@x.test", "token": right});
    assert_eq!(refusal(&post(&served, "/verify", &other).await), refused(403, "otp_expired"));
    let session = post(&served, "/verify", &show(&right, "email")).await;
    assert_eq!(session.status, 200, "{}", session.body);
    assert!(body(&session)["access_token"].is_string());

    sign_up(&served, "bob@x.test", PASSWORD).await;
    let right = code(&letter(&served, "bob@x.test"));
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let show = |token: &str| json!({"type": "signup", "email": "bob@x.test", "token": token});
    for _ in 0..5 {
        post(&served, "/verify", &show(wrong)).await;
    }
    assert_eq!(refusal(&post(&served, "/verify", &show(&right)).await), refused(403, "otp_expired"));
}

#[tokio::test]
async fn what_was_sent_ends_after_an_hour() {
    let served = server().await;
    sign_up(&served, "ann@x.test", PASSWORD).await;
    let letter = letter(&served, "ann@x.test");
    served.clock.advance(3600 * SECOND);
    let shown = json!({"type": "signup", "email": "ann@x.test", "token": code(&letter)});
    assert_eq!(refusal(&post(&served, "/verify", &shown).await), refused(403, "otp_expired"));
    let place = follow(&served, &link(&letter)).await;
    assert_eq!(fragment(&place, "error_code").as_deref(), Some("otp_expired"));
    assert_eq!(sign_in(&served, "ann@x.test", PASSWORD).await, refused(400, "email_not_confirmed"));
}

#[tokio::test]
async fn links_lead_home_and_where_it_is_allowed() {
    let served = server().await;
    for (number, (wanted, host)) in [
        ("https://shop.test/in", "shop.test"),
        ("myapp://in", "in"),
        ("https://evil.test/", "shop.test"),
        ("javascript:alert(1)", "shop.test"),
        ("data:text/html,x", "shop.test"),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("a{number}@x.test");
        let target = format!("/otp?redirect_to={wanted}");
        assert_eq!(post(&served, &target, &json!({"email": email})).await.status, 200, "{wanted}");
        let link = link(&letter(&served, &email));
        assert!(!link.contains("evil") && !link.contains("javascript"), "{link}");
        // a link that was changed on the way, too
        let mangled =
            format!("{}&redirect_to=https://evil.test/", link.split("&redirect_to").next().unwrap());
        let mangled = mangled.replace("token=", "token=x");
        assert_eq!(follow(&served, &mangled).await.host_str(), Some("shop.test"));
        let place = follow(&served, &link).await;
        assert_eq!(place.host_str(), Some(host), "{wanted}");
        assert!(fragment(&place, "access_token").is_some(), "{place}");
    }
}

#[tokio::test]
async fn a_forgotten_password_is_replaced() {
    let served = server().await;
    sign_up(&served, "ann@x.test", "intruder1").await;
    letter(&served, "ann@x.test");
    assert_eq!(post(&served, "/recover", &json!({"email": "ann@x.test"})).await.body, "{}");
    let letter = letter(&served, "ann@x.test");
    let shown = json!({"type": "recovery", "email": "ann@x.test", "token": code(&letter)});
    let session = post(&served, "/verify", &shown).await;
    assert_eq!(session.status, 200, "{}", session.body);
    // whoever set the first password never had the address
    assert_eq!(sign_in(&served, "ann@x.test", "intruder1").await, refused(400, "invalid_credentials"));
    let token = body(&session)["access_token"].as_str().unwrap().to_owned();
    let put = Ask::new("nobody", "PUT", "/auth/v1/user", &json!({"password": PASSWORD}).to_string())
        .header("authorization", &format!("Bearer {token}"));
    assert_eq!(served.ask(&put).await.status, 200);
    assert_eq!(sign_in(&served, "ann@x.test", PASSWORD).await.0, 200);
}

#[tokio::test]
async fn who_asked_with_a_challenge_fetches_the_session_with_its_verifier() {
    let served = server().await;
    let asked =
        |email: &str| json!({"email": email, "code_challenge": CHALLENGE, "code_challenge_method": "s256"});
    let fetch = |code: &str, verifier: &str| json!({"auth_code": code, "code_verifier": verifier});
    let grant = "/token?grant_type=pkce";
    for (email, late, verifier, expected) in [
        ("a@x.test", 0, VERIFIER, refused(200, "")),
        ("b@x.test", 0, CHALLENGE, refused(400, "bad_code_verifier")),
        ("c@x.test", 301, VERIFIER, refused(403, "flow_state_expired")),
    ] {
        assert_eq!(post(&served, "/otp", &asked(email)).await.status, 200);
        let place = follow(&served, &link(&letter(&served, email))).await;
        assert_eq!(place.fragment(), None);
        let code = place.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned();
        served.clock.advance(late * SECOND);
        assert_eq!(refusal(&post(&served, grant, &fetch(&code, verifier)).await), expected, "{email}");
        // one attempt, whatever came of it
        let again = post(&served, grant, &fetch(&code, VERIFIER)).await;
        assert_eq!(refusal(&again), refused(404, "flow_state_not_found"), "{email}");
    }
    let plain = json!({"email": "d@x.test", "code_challenge": VERIFIER, "code_challenge_method": "plain"});
    assert_eq!(refusal(&post(&served, "/otp", &plain).await), refused(400, "validation_failed"));
}

#[tokio::test]
async fn requests_that_are_none_send_nothing() {
    let served = server().await;
    for (target, body) in [
        ("/otp", json!({})),
        ("/otp", json!({"email": "a@b.cd\r\nBcc: eve@x.test"})),
        ("/recover", json!({"email": "nonsense"})),
        ("/resend", json!({"email": "a@x.test"})),
        ("/resend", json!({"type": "sms", "email": "a@x.test"})),
        ("/verify", json!({"token": "123456", "email": "a@x.test"})),
        ("/verify", json!({"type": "sms", "token": "123456", "email": "a@x.test"})),
        ("/verify", json!({"type": "signup", "token": "123456"})),
        ("/verify", json!({"type": "signup", "token_hash": "x", "email": "a@x.test"})),
        ("/token?grant_type=pkce", json!({"auth_code": "x"})),
    ] {
        assert_eq!(
            refusal(&post(&served, target, &body).await),
            refused(400, "validation_failed"),
            "{target} {body}"
        );
    }
    let closed = json!({"email": "a@x.test", "create_user": false});
    assert_eq!(post(&served, "/otp", &closed).await.body, "{}");
    assert!(served.letters().is_empty());
    assert_eq!(mirrored(&served).await, json!([]));
}
