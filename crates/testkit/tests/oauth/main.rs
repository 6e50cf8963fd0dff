//! Signing in with other services, on the engine of the run: a real server signs people in, and does everything that a
//! hostile one would do.

#![cfg(test)]

mod hostile;
mod id_tokens;
mod linking;
mod orderings;
mod redirects;
mod services;

use backstay_auth::oauth::provider::{Provider, Wanted};
use backstay_auth::settings::Settings;
use backstay_base::clock::Clock;
use backstay_base::limit::Limits;
use backstay_testkit::idp::{CLIENT, Idp};
use backstay_testkit::served::{Answer, Ask, PASSWORD, Served, Setup};
use backstay_testkit::store::NOW_MICROS;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

pub(crate) const SCHEMA: &str = r#"
type User @user @access(read: "this == auth.user") {
  name: String @valid(maxLength: 12)
  email: String
  avatar_url: String @access(write: "false")
  clearance: String @access(write: "auth.email == 'boss@corp.test'")
}"#;
pub(crate) const SECOND: i64 = 1_000_000;
/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const SITE: &str = "https://shop.test/";

/// A server, and two services to sign in with.
pub(crate) struct Scene {
    pub(crate) served: Served,
    pub(crate) corp: Idp,
    pub(crate) other: Idp,
}

/// A provider of this name with its issuer.
pub(crate) fn provider(name: &str, idp: &Idp, change: impl FnOnce(&mut Wanted)) -> Provider {
    let mut wanted = Wanted {
        client_id: CLIENT.0.to_owned(),
        client_secret: CLIENT.1.to_owned(),
        issuer: Some(idp.url.clone()),
        ..Wanted::default()
    };
    change(&mut wanted);
    Provider::new(name, wanted).unwrap()
}

pub(crate) fn settings() -> Settings {
    Settings {
        autoconfirm: false,
        site_url: SITE.to_owned(),
        redirect_urls: vec!["myapp://**".to_owned()],
        mail_interval_s: 0,
        ..Settings::default()
    }
}

/// A server with these settings, and the providers `corp`, `other` (OpenID Connect) and `github`.
pub(crate) async fn scene_with(auth: Settings, limits: Limits) -> Scene {
    let clock = Clock::fixed(NOW_MICROS);
    let (corp, other) = (Idp::start(&clock).await, Idp::start(&clock).await);
    let github = provider("github", &other, |wanted| {
        let url = |path: &str| Some(format!("{}{path}", other.url));
        wanted.issuer = None;
        wanted.authorize_url = url("/authorize");
        wanted.token_url = url("/token");
        wanted.user_url = url("/user");
        wanted.emails_url = url("/user/emails");
    });
    let providers = vec![provider("corp", &corp, |_| {}), provider("other", &other, |_| {}), github];
    let auth = Settings { providers, ..auth };
    let served = Served::start(&Setup { sdl: SCHEMA.to_owned(), auth, limits, ..Setup::default() }).await;
    Scene { served, corp, other }
}

pub(crate) async fn scene() -> Scene {
    scene_with(settings(), Limits::default()).await
}

/// A person of a service, whose address it has verified.
pub(crate) fn person(sub: &str, email: &str) -> Value {
    json!({ "sub": sub, "email": email, "email_verified": true, "name": "Ann" })
}

pub(crate) fn header(answer: &Answer, name: &str) -> Option<String> {
    answer.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
}

pub(crate) fn body(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_default()
}

pub(crate) fn refusal(answer: &Answer) -> (u16, String) {
    (answer.status, body(answer)["error_code"].as_str().unwrap_or_default().to_owned())
}

pub(crate) fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

pub(crate) async fn post(served: &Served, target: &str, body: &Value) -> Answer {
    served.ask(&Ask::new("anon", "POST", &format!("/auth/v1{target}"), &body.to_string())).await
}

/// What a page finds behind the `#` or in the query of where it was led.
pub(crate) fn told(place: &Url, name: &str) -> Option<String> {
    let fragment = place.fragment().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(fragment.as_bytes()).into_owned();
    pairs.find(|(key, _)| key == name).map(|(_, value)| value)
}

pub(crate) fn asked(place: &Url, name: &str) -> Option<String> {
    place.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A browser that is sent to a service: where to, and the cookie that it got.
pub(crate) async fn sent(served: &Served, query: &str) -> (String, String) {
    let answer = served.ask(&Ask::new("nobody", "GET", &format!("/auth/v1/authorize?{query}"), "")).await;
    assert_eq!((answer.status, answer.body.as_str()), (302, ""), "{answer:?}");
    assert_eq!(header(&answer, "cache-control").as_deref(), Some("no-store"));
    let cookie = header(&answer, "set-cookie").unwrap();
    assert!(cookie.ends_with("; Path=/auth/v1/callback; Max-Age=600; HttpOnly; SameSite=Lax"), "{cookie}");
    (header(&answer, "location").unwrap(), cookie.split(';').next().unwrap().to_owned())
}

/// A browser that comes back: where it is led.
pub(crate) async fn back(served: &Served, place: &Url, cookie: &str) -> Url {
    let target = format!("{}?{}", place.path(), place.query().unwrap_or_default());
    let answer = served.ask(&Ask::new("nobody", "GET", &target, "").header("cookie", cookie)).await;
    assert!(matches!(answer.status, 302 | 303) && answer.body.is_empty(), "{answer:?}");
    let headers = (header(&answer, "cache-control"), header(&answer, "referrer-policy"));
    assert_eq!(headers, (Some("no-store".to_owned()), Some("no-referrer".to_owned())));
    header(&answer, "location").unwrap().parse().unwrap()
}

/// The whole way of a browser through a service.
pub(crate) async fn through(served: &Served, idp: &Idp, query: &str) -> Url {
    let (location, cookie) = sent(served, query).await;
    assert!(location.starts_with(&idp.url), "{location}");
    back(served, &idp.consent(&location), &cookie).await
}

/// The user of an access token.
pub(crate) async fn user(served: &Served, token: &str) -> Value {
    let ask =
        Ask::new("nobody", "GET", "/auth/v1/user", "").header("authorization", &format!("Bearer {token}"));
    body(&served.ask(&ask).await)
}

/// The user whom a place lets in.
pub(crate) async fn user_at(served: &Served, place: &Url) -> Value {
    user(served, &told(place, "access_token").unwrap_or_else(|| panic!("nobody is let in: {place}"))).await
}

pub(crate) async fn rows(served: &Served) -> Value {
    let target = "/rest/v1/user?select=name,email,avatar_url,clearance&order=email";
    body(&served.ask(&Ask::new("service", "GET", target, "")).await)
}

#[tokio::test]
async fn a_stranger_gets_an_account_and_comes_again() {
    let Scene { served, corp, .. } = scene().await;
    corp.sign_in(json!({
        "sub": "7", "email": "Ann@x.test", "email_verified": true, "name": "Ann",
        "picture": "https://pictures.test/ann.png", "preferred_username": "ann", "clearance": "all", "role": "service",
    }));
    let place = through(&served, &corp, "provider=corp&redirect_to=https://shop.test/in?a=b").await;
    assert!(place.as_str().starts_with("https://shop.test/in?a=b#access_token="), "{place}");
    assert_eq!(told(&place, "token_type").as_deref(), Some("bearer"));
    assert_eq!(told(&place, "expires_in").as_deref(), Some("3600"));
    assert_eq!(told(&place, "provider_token").as_deref(), Some("canary-provider-token-1"));
    assert_eq!(told(&place, "provider_refresh_token").as_deref(), Some("canary-provider-refresh-1"));
    let ann = user_at(&served, &place).await;
    let data = json!({
        "avatar_url": "https://pictures.test/ann.png", "email": "ann@x.test", "email_verified": true,
        "full_name": "Ann", "iss": corp.url, "name": "Ann", "phone_verified": false,
        "picture": "https://pictures.test/ann.png", "preferred_username": "ann", "provider_id": "7", "sub": "7",
        "user_name": "ann",
    });
    assert_eq!((&ann["email"], &ann["user_metadata"]), (&json!("ann@x.test"), &data));
    assert_eq!(ann["app_metadata"], json!({"provider": "corp", "providers": ["corp"]}));
    assert!(ann["email_confirmed_at"].is_string() && ann["last_sign_in_at"].is_string(), "{ann}");
    let identity = &ann["identities"][0];
    assert_eq!(
        (&identity["id"], &identity["provider"], &identity["email"]),
        (&json!("7"), &json!("corp"), &json!("ann@x.test"))
    );
    assert_eq!(identity["identity_data"], data);
    // fields of the project are filled as by a sign-up: what its rules allow
    assert_eq!(
        rows(&served).await,
        json!([{"name": "Ann", "email": "ann@x.test", "avatar_url": null, "clearance": null}])
    );
    let refresh = json!({"refresh_token": told(&place, "refresh_token").unwrap()});
    let session = body(&post(&served, "/token?grant_type=refresh_token", &refresh).await);
    assert_eq!(session["user"]["id"], ann["id"]);
    assert!(session["provider_token"].is_null(), "{session}");
    // whatever the service calls them by then
    corp.sign_in(person("7", "anna@y.test"));
    let again = user_at(&served, &through(&served, &corp, "provider=corp").await).await;
    assert_eq!((&again["id"], &again["email"]), (&ann["id"], &json!("ann@x.test")));
    assert_eq!(again["identities"][0]["identity_data"]["email"], "anna@y.test");
    assert_eq!(rows(&served).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_app_with_a_verifier_fetches_the_session_and_the_tokens_of_the_service() {
    let Scene { served, corp, .. } = scene().await;
    let query = format!(
        "provider=corp&redirect_to=myapp://in&code_challenge={CHALLENGE}&code_challenge_method=s256&scopes=a%20b,c&prompt=consent"
    );
    let fetch = |code: &str, verifier: &str| json!({"auth_code": code, "code_verifier": verifier});
    let grant = "/token?grant_type=pkce";
    for (sub, verifier, late, expected) in [
        ("1", VERIFIER, 0, refused(200, "")),
        ("2", CHALLENGE, 0, refused(400, "bad_code_verifier")),
        ("3", VERIFIER, 301, refused(403, "flow_state_expired")),
    ] {
        corp.sign_in(person(sub, &format!("a{sub}@x.test")));
        let (location, cookie) = sent(&served, &query).await;
        let url: Url = location.parse().unwrap();
        assert_eq!(asked(&url, "scope").as_deref(), Some("openid email profile a b c"));
        assert_eq!(
            (asked(&url, "prompt").as_deref(), asked(&url, "tenant").as_deref()),
            (Some("consent"), Some("1"))
        );
        // toward the service there is another challenge
        assert_ne!(asked(&url, "code_challenge").as_deref(), Some(CHALLENGE));
        let place = back(&served, &corp.consent(&location), &cookie).await;
        assert_eq!((place.scheme(), place.fragment()), ("myapp", None));
        let code = asked(&place, "code").unwrap();
        served.clock.advance(late * SECOND);
        let answer = post(&served, grant, &fetch(&code, verifier)).await;
        assert_eq!(refusal(&answer), expected, "{}", answer.body);
        if answer.status == 200 {
            let session = body(&answer);
            assert_eq!(session["provider_token"], "canary-provider-token-1");
            assert_eq!(session["provider_refresh_token"], "canary-provider-refresh-1");
            let claims = session["access_token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
            let claims = String::from_utf8(base64_url(&claims)).unwrap();
            assert!(claims.contains(r#""amr":[{"method":"oauth","timestamp""#), "{claims}");
        }
        let again = post(&served, grant, &fetch(&code, VERIFIER)).await;
        assert_eq!(refusal(&again), refused(404, "flow_state_not_found"));
    }
}

fn base64_url(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}

#[tokio::test]
async fn what_is_configured_is_told_and_nothing_else_is_begun() {
    let Scene { served, corp, .. } = scene().await;
    let settings = body(&served.ask(&Ask::new("anon", "GET", "/auth/v1/settings", "")).await);
    let external = &settings["external"];
    assert_eq!(
        (&external["corp"], &external["github"], &external["google"]),
        (&json!(true), &json!(true), &json!(false))
    );
    for query in ["provider=google", "provider=", "", "provider=Corp", "provider=corp%00", "provider=email"] {
        let answer = served.ask(&Ask::new("nobody", "GET", &format!("/auth/v1/authorize?{query}"), "")).await;
        assert_eq!(refusal(&answer), refused(400, "validation_failed"), "{query}");
        assert_eq!(body(&answer)["msg"], "Unsupported provider: provider is not enabled");
        assert_eq!(header(&answer, "set-cookie"), None);
    }
    let long = format!("provider=corp&a={}", "x".repeat(600));
    for query in [
        "provider=corp&code_challenge=short&code_challenge_method=s256",
        "provider=corp&code_challenge_method=s256",
        &format!("provider=corp&code_challenge={VERIFIER}&code_challenge_method=plain"),
        "provider=corp&scopes=a%22b",
        &long,
    ] {
        let answer = served.ask(&Ask::new("nobody", "GET", &format!("/auth/v1/authorize?{query}"), "")).await;
        assert_eq!(refusal(&answer), refused(400, "validation_failed"), "{query}");
    }
    assert_eq!(corp.asked(), [""; 0]);
    // what belongs to the protocol is not an application's to set
    let (location, _) = sent(
        &served,
        "provider=corp&state=x&redirect_uri=https://evil.test&client_id=y&nonce=z&Response_Type=token&request=w&response_mode=query&login_hint=ann",
    )
    .await;
    let url: Url = location.parse().unwrap();
    assert_eq!(asked(&url, "redirect_uri").as_deref(), Some("http://localhost:4000/auth/v1/callback"));
    assert_eq!(asked(&url, "login_hint").as_deref(), Some("ann"));
    let _ = corp.consent(&location);
    for name in ["request", "response_mode", "Response_Type"] {
        assert_eq!(asked(&url, name), None, "{name}");
    }
}

#[tokio::test]
async fn an_application_may_ask_for_the_address_alone() {
    let Scene { served, corp, .. } = scene().await;
    let target =
        "/auth/v1/authorize?provider=corp&redirect_to=https%3A%2F%2Fshop.test%2Fin&skip_http_redirect=true";
    let answer = served.ask(&Ask::new("nobody", "GET", target, "")).await;
    assert_eq!((answer.status, header(&answer, "set-cookie")), (200, None));
    let url: Url = body(&answer)["url"].as_str().unwrap().parse().unwrap();
    assert_eq!(url.path(), "/auth/v1/authorize");
    corp.sign_in(person("7", "ann@x.test"));
    let place = through(&served, &corp, url.query().unwrap()).await;
    assert!(place.as_str().starts_with("https://shop.test/in#access_token="), "{place}");
}

#[tokio::test]
async fn a_service_may_let_the_browser_post_a_form() {
    let Scene { served, corp, .. } = scene().await;
    corp.sign_in(person("7", "ann@x.test"));
    let (location, cookie) = sent(&served, "provider=corp").await;
    let place = corp.consent(&location);
    let form = format!("{}&user=%7B%7D&access_token=x", place.query().unwrap());
    // from another site, so that no cookie comes with it
    let answer = served.ask(&Ask::new("nobody", "POST", "/auth/v1/callback", &form)).await;
    assert_eq!((answer.status, header(&answer, "set-cookie")), (303, None));
    let again: Url = header(&answer, "location").unwrap().parse().unwrap();
    assert_eq!(
        (again.path(), asked(&again, "user"), asked(&again, "access_token")),
        ("/auth/v1/callback", None, None)
    );
    let place = back(&served, &again, &cookie).await;
    assert_eq!(user_at(&served, &place).await["email"], "ann@x.test");
}

#[tokio::test]
async fn sign_ups_are_bounded_by_the_same_rules() {
    let closed = Settings { sign_up: false, ..settings() };
    let Scene { served, corp, .. } = scene_with(closed, Limits::default()).await;
    corp.sign_in(person("7", "ann@x.test"));
    let place = through(&served, &corp, "provider=corp").await;
    assert_eq!(told(&place, "error_code").as_deref(), Some("signup_disabled"));
    assert_eq!(
        (told(&place, "error"), asked(&place, "error")),
        (Some("access_denied".to_owned()), Some("access_denied".to_owned()))
    );
    assert_eq!(rows(&served).await, json!([]));
    let Scene { served, corp, .. } = scene().await;
    corp.sign_in(
        json!({"sub": "7", "email": "ann@x.test", "email_verified": true, "name": "too long for a name"}),
    );
    let place = through(&served, &corp, "provider=corp").await;
    assert_eq!(told(&place, "error_code").as_deref(), Some("validation_failed"), "{place}");
    assert_eq!(rows(&served).await, json!([]));
    // who is banned stays out, also with a sign-in that is under way
    corp.sign_in(person("7", "ann@x.test"));
    let ann = user_at(&served, &through(&served, &corp, "provider=corp").await).await;
    let challenged = format!("provider=corp&code_challenge={CHALLENGE}&code_challenge_method=s256");
    let waiting = asked(&through(&served, &corp, &challenged).await, "code").unwrap();
    let target = format!("/auth/v1/admin/users/{}", ann["id"].as_str().unwrap());
    let banned = served.ask(&Ask::new("service", "PUT", &target, r#"{"ban_duration":"1h"}"#)).await;
    assert_eq!(banned.status, 200, "{}", banned.body);
    let fetch = json!({"auth_code": waiting, "code_verifier": VERIFIER});
    assert_eq!(refusal(&post(&served, "/token?grant_type=pkce", &fetch).await), refused(403, "user_banned"));
    let place = through(&served, &corp, "provider=corp").await;
    assert_eq!(
        (told(&place, "error_code").as_deref(), told(&place, "access_token")),
        (Some("user_banned"), None)
    );
}

#[tokio::test]
async fn what_a_service_gives_is_not_stored_in_the_clear() {
    let Scene { served, corp, .. } = scene().await;
    corp.sign_in(person("7", "ann@x.test"));
    let challenged = format!("provider=corp&code_challenge={CHALLENGE}&code_challenge_method=s256");
    let (location, cookie) = sent(&served, &challenged).await;
    let state = asked(&location.parse().unwrap(), "state").unwrap();
    let flows = served.texts("_backstay_oauth_flow").await;
    assert!(flows.contains("corp") && !flows.contains(&state[..20]), "{flows}");
    let code = asked(&back(&served, &corp.consent(&location), &cookie).await, "code").unwrap();
    let states = served.texts("_backstay_flow_state").await;
    assert!(states.contains("s256:") && !states.contains("canary") && !states.contains(&code), "{states}");
    assert_eq!(served.texts("_backstay_oauth_flow").await, "");
}

pub(crate) async fn sign_up(served: &Served, email: &str, password: &str) -> Answer {
    post(served, "/signup", &json!({"email": email, "password": password, "data": {"name": "Eve"}})).await
}

pub(crate) async fn sign_in(served: &Served, email: &str, password: &str) -> (u16, String) {
    refusal(&post(served, "/token?grant_type=password", &json!({"email": email, "password": password})).await)
}

/// The target of the link of the newest letter.
pub(crate) fn letter(served: &Served) -> String {
    let letter = served.letters().pop().unwrap();
    let url = letter.text.lines().find(|line| line.starts_with("http")).unwrap();
    url.split_once("/auth/v1").map(|(_, target)| format!("/auth/v1{target}")).unwrap()
}

/// Follows the link of the newest letter.
pub(crate) async fn follow(served: &Served) -> Url {
    let answer = served.ask(&Ask::new("nobody", "GET", &letter(served), "")).await;
    header(&answer, "location").unwrap().parse().unwrap()
}

pub(crate) const OWN: &str = PASSWORD;
