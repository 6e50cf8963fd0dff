//! Services, browsers and pages that do not do what they should: nobody gets in, nothing is left behind.

use crate::{
    SCHEMA, SECOND, SITE, Scene, asked, back, header, person, provider, rows, scene, scene_with, sent,
    settings, told,
};
use backstay_auth::settings::Settings;
use backstay_base::limit::Limits;
use backstay_testkit::idp::{Idp, Twist};
use backstay_testkit::served::{Ask, Served, Setup};
use serde_json::json;
use url::Url;

/// What a page is told of a sign-in that failed.
fn failure(place: &Url) -> (String, String) {
    assert_eq!(told(place, "access_token"), None, "{place}");
    assert_eq!(asked(place, "code"), None, "{place}");
    assert_eq!(told(place, "error"), asked(place, "error"), "{place}");
    let of = |name| told(place, name).unwrap_or_default();
    (of("error"), of("error_code"))
}

fn failed(error: &str, code: &str) -> (String, String) {
    (error.to_owned(), code.to_owned())
}

#[tokio::test]
async fn no_id_token_is_taken_but_the_right_one() {
    let Scene { served, corp, other } = scene().await;
    corp.sign_in(person("7", "ann@x.test"));
    let twists = [
        Twist::AlgNone,
        Twist::PublicKeyAsSecret,
        Twist::ForeignKey,
        Twist::UnknownKey,
        Twist::NoSignature,
        Twist::EmbeddedKey,
        Twist::Claim("iss", Some("https://accounts.google.com")),
        Twist::Claim("iss", None),
        Twist::Claim("aud", Some("another client")),
        Twist::Claim("aud", None),
        Twist::Claim("azp", Some("another client")),
        Twist::Shared,
        Twist::Claim("nonce", Some("of another sign-in")),
        Twist::Claim("nonce", None),
        Twist::Claim("sub", Some("")),
        Twist::Claim("sub", None),
        Twist::Claim("at_hash", Some("of another token")),
        Twist::Claim("exp", None),
        Twist::Claim("exp", Some("9999999999")),
        Twist::Claim("iat", None),
        Twist::Expires(-61),
        Twist::Issued(61),
        Twist::NoIdToken,
        Twist::Token(200, "nonsense"),
        Twist::Token(200, "[]"),
        Twist::Token(200, "{}"),
        Twist::Token(200, r#"{"access_token":"x","token_type":"mac"}"#),
        Twist::Token(200, r#"{"error":"invalid_grant","access_token":"x","id_token":"y"}"#),
        Twist::Token(500, r#"{"access_token":"x","id_token":"y"}"#),
        Twist::Token(200, r#"{"access_token":"x","access_token":"z","id_token":"y"}"#),
        Twist::TokenRedirects,
        Twist::TokenHuge(2 * 1024 * 1024),
        Twist::OtherProfile,
    ];
    for twist in twists {
        corp.twist(twist);
        let (location, cookie) = sent(&served, "provider=corp").await;
        let place = back(&served, &corp.consent(&location), &cookie).await;
        assert_eq!(failure(&place), failed("server_error", "unexpected_failure"), "{twist:?}");
        assert!(place.as_str().starts_with(SITE), "{place}");
    }
    assert_eq!(rows(&served).await, json!([]));
    // the clocks of two machines may differ a little
    for twist in [Twist::Expires(-59), Twist::Issued(59), Twist::None] {
        corp.twist(twist);
        let (location, cookie) = sent(&served, "provider=corp").await;
        let place = back(&served, &corp.consent(&location), &cookie).await;
        assert!(told(&place, "access_token").is_some(), "{twist:?} {place}");
    }
    assert_eq!(other.asked(), [""; 0]);
}

/// [a foreign issuer, named by the token, is asked for its keys]
#[tokio::test]
async fn keys_are_those_of_the_configured_issuer_whatever_a_token_says() {
    let Scene { served, corp, other } = scene().await;
    corp.sign_in(person("7", "ann@x.test"));
    corp.twist(Twist::UnknownKey);
    let mut places = Vec::new();
    for _ in 0..3 {
        let (location, cookie) = sent(&served, "provider=corp").await;
        places.push(back(&served, &corp.consent(&location), &cookie).await);
    }
    let keys = corp.asked().iter().filter(|path| *path == "keys").count();
    // unknown keys of whoever signs in do not make this server ask again and again
    assert_eq!((keys, other.asked().len()), (1, 0));
    served.clock.advance(61 * SECOND);
    let (location, cookie) = sent(&served, "provider=corp").await;
    places.push(back(&served, &corp.consent(&location), &cookie).await);
    assert_eq!(corp.asked().iter().filter(|path| *path == "keys").count(), 1);
    for place in places {
        assert_eq!(failure(&place), failed("server_error", "unexpected_failure"));
    }
}

#[tokio::test]
async fn a_state_is_good_once_for_one_browser_and_not_for_long() {
    let Scene { served, corp, .. } = scene().await;
    corp.sign_in(person("7", "ann@x.test"));
    let bad = failed("invalid_request", "bad_oauth_state");
    let (location, cookie) = sent(&served, "provider=corp&redirect_to=https://shop.test/in").await;
    let (_, other_cookie) = sent(&served, "provider=corp").await;
    let place = corp.consent(&location);
    let _ = corp.asked();
    // login CSRF: somebody else's link, in a browser that did not begin it
    for cookie in ["", &other_cookie, "a=b", &cookie.replace('=', "=x"), &cookie[..cookie.len() - 1]] {
        let place = back(&served, &place, cookie).await;
        assert_eq!(failure(&place), bad, "{cookie}");
        assert!(place.as_str().starts_with("https://shop.test/?"), "{place}");
    }
    let state = asked(&place, "state").unwrap();
    for wrong in ["", "x", ".", "..", "x.y", &state[1..], &format!("{state}A"), &state.replace('.', "%2e%2e")]
    {
        let mut wrong_place = place.clone();
        let code = asked(&place, "code").unwrap();
        wrong_place.set_query(Some(&format!("code={code}&state={wrong}")));
        let expected =
            if wrong.is_empty() { failed("invalid_request", "bad_oauth_callback") } else { bad.clone() };
        assert_eq!(failure(&back(&served, &wrong_place, &cookie).await), expected, "{wrong}");
    }
    // none of that used it up, or asked anybody
    assert_eq!(corp.asked(), [""; 0]);
    assert!(told(&back(&served, &place, &cookie).await, "access_token").is_some());
    assert_eq!(failure(&back(&served, &place, &cookie).await), bad);
    let (location, cookie) = sent(&served, "provider=corp").await;
    let place = corp.consent(&location);
    served.clock.advance(600 * SECOND);
    assert_eq!(failure(&back(&served, &place, &cookie).await), bad);
    assert_eq!(rows(&served).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn of_many_at_once_one_gets_in() {
    let Scene { served, corp, .. } = scene().await;
    corp.sign_in(person("7", "ann@x.test"));
    let (location, cookie) = sent(&served, "provider=corp").await;
    let place = corp.consent(&location);
    let all = (0..8).map(|_| back(&served, &place, &cookie));
    let places = futures_util::future::join_all(all).await;
    assert_eq!(places.iter().filter(|place| told(place, "access_token").is_some()).count(), 1);
    // and of a stranger in eight windows there is one account
    corp.sign_in(person("8", "bob@x.test"));
    let mut windows = Vec::new();
    for _ in 0..8 {
        let (location, cookie) = sent(&served, "provider=corp").await;
        windows.push((corp.consent(&location), cookie));
    }
    let all = windows.iter().map(|(place, cookie)| back(&served, place, cookie));
    let places = futures_util::future::join_all(all).await;
    assert!(places.iter().all(|place| told(place, "access_token").is_some()), "{places:?}");
    assert_eq!(rows(&served).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_code_is_of_one_sign_in_and_one_service() {
    let Scene { served, corp, other } = scene().await;
    corp.sign_in(person("7", "ann@x.test"));
    other.sign_in(person("7", "eve@x.test"));
    // code injection: the code of one sign-in in another; the service's PKCE refuses it
    let (victims, _) = sent(&served, "provider=corp").await;
    let stolen = asked(&corp.consent(&victims), "code").unwrap();
    let (location, cookie) = sent(&served, "provider=corp").await;
    let state = asked(&corp.consent(&location), "state").unwrap();
    let mut place: Url = "http://localhost:4000/auth/v1/callback".parse().unwrap();
    place.query_pairs_mut().append_pair("code", &stolen).append_pair("state", &state);
    let wrong = failed("server_error", "unexpected_failure");
    assert_eq!(failure(&back(&served, &place, &cookie).await), wrong);
    // mix-up: a callback that says it is of another service
    for (idp, provider) in [(&corp, "corp"), (&other, "other")] {
        let (location, cookie) = sent(&served, &format!("provider={provider}")).await;
        let mut place = idp.consent(&location);
        place.query_pairs_mut().append_pair("iss", "https://evil.test");
        let _ = idp.asked();
        assert_eq!(
            failure(&back(&served, &place, &cookie).await),
            failed("invalid_request", "bad_oauth_callback")
        );
        assert_eq!(idp.asked(), [""; 0]);
    }
}

#[tokio::test]
async fn a_service_that_names_itself_has_to() {
    let Scene { served, corp, .. } = scene().await;
    corp.sign_in(person("7", "ann@x.test"));
    corp.name_itself(true);
    let (location, cookie) = sent(&served, "provider=corp").await;
    assert!(told(&back(&served, &corp.consent(&location), &cookie).await, "access_token").is_some());
    let (location, cookie) = sent(&served, "provider=corp").await;
    corp.name_itself(false);
    let place = back(&served, &corp.consent(&location), &cookie).await;
    assert_eq!(failure(&place), failed("invalid_request", "bad_oauth_callback"));
}

#[tokio::test]
async fn what_a_service_says_went_wrong_is_told_in_its_own_words() {
    let Scene { served, corp, .. } = scene().await;
    let _ = corp.asked();
    let (location, cookie) = sent(&served, "provider=corp&redirect_to=https://shop.test/in?a=b").await;
    let state = asked(&location.parse().unwrap(), "state").unwrap();
    let mut place: Url = "http://localhost:4000/auth/v1/callback".parse().unwrap();
    let long = format!("no\r\nthanks <script>\"{}", "x".repeat(1000));
    place
        .query_pairs_mut()
        .append_pair("error", "access_denied")
        .append_pair("error_description", &long)
        .append_pair("code", "x")
        .append_pair("state", &state);
    let place = back(&served, &place, &cookie).await;
    assert_eq!(failure(&place), failed("access_denied", ""));
    let words = told(&place, "error_description").unwrap();
    assert!(words.starts_with("nothanks <script>xx") && words.len() == 256, "{words}");
    assert!(place.as_str().starts_with("https://shop.test/in?a=b&error=access_denied&"), "{place}");
    assert!(!corp.asked().contains(&"token".to_owned()));
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_not_waited_for() {
    let limits = Limits { egress_ms: 300, egress_bytes: 100_000, ..Limits::default() };
    let Scene { served, corp, .. } = scene_with(settings(), limits).await;
    corp.sign_in(person("7", "ann@x.test"));
    for twist in [Twist::TokenHangs, Twist::TokenHuge(100_001)] {
        let (location, cookie) = sent(&served, "provider=corp").await;
        corp.twist(twist);
        let place = back(&served, &corp.consent(&location), &cookie).await;
        assert_eq!(failure(&place), failed("server_error", "unexpected_failure"), "{twist:?}");
    }
}

/// Asks to be sent to `corp`, whose discovery is as `twist` has it.
async fn discovered(twist: Twist) -> (u16, usize) {
    let Scene { served, corp, .. } = scene().await;
    corp.twist(twist);
    let mut status = 0;
    for _ in 0..3 {
        let answer = served.ask(&Ask::new("nobody", "GET", "/auth/v1/authorize?provider=corp", "")).await;
        assert!(!answer.body.contains(&corp.url), "{}", answer.body);
        assert_eq!(header(&answer, "set-cookie").is_some(), answer.status == 302);
        status = answer.status;
    }
    (status, corp.asked().len())
}

#[tokio::test]
async fn discovery_is_of_the_issuer_or_nothing() {
    assert_eq!(discovered(Twist::None).await, (302, 2));
    for twist in [
        Twist::DiscoveryForeign,
        Twist::Discovery(500, "{}"),
        Twist::Discovery(200, "{}"),
        Twist::Discovery(200, "nonsense"),
        Twist::Discovery(302, "{}"),
    ] {
        // and is not asked for again at once
        assert_eq!(discovered(twist).await, (503, 1), "{twist:?}");
    }
}

/// [a document of a service leads this server into its own network]
#[tokio::test]
async fn a_service_leads_nowhere_inside() {
    let served = scene().await.served;
    for inside in [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest",
        "http://[::1]:1/",
        "file:///etc/passwd",
        "https://localhost:1/",
    ] {
        let idp = Idp::start(&served.clock).await;
        idp.sign_in(person("7", "ann@x.test"));
        idp.twist(Twist::TokenInside(inside));
        let auth = Settings { providers: vec![provider("corp", &idp, |_| {})], ..settings() };
        let served = Served::start(&Setup { sdl: SCHEMA.to_owned(), auth, ..Setup::default() }).await;
        let (location, cookie) = sent(&served, "provider=corp").await;
        let place = back(&served, &idp.consent(&location), &cookie).await;
        assert_eq!(failure(&place), failed("server_error", "unexpected_failure"), "{inside}");
    }
}

#[tokio::test]
async fn another_secret_or_a_provider_that_is_gone_lets_nobody_in() {
    let Scene { served, corp, .. } = scene().await;
    corp.sign_in(person("7", "ann@x.test"));
    let auth = Settings {
        providers: vec![provider("corp", &corp, |wanted| "guessed".clone_into(&mut wanted.client_secret))],
        ..settings()
    };
    let wrong = Served::start(&Setup { sdl: SCHEMA.to_owned(), auth, ..Setup::default() }).await;
    let (location, cookie) = sent(&wrong, "provider=corp").await;
    let place = back(&wrong, &corp.consent(&location), &cookie).await;
    assert_eq!(failure(&place), failed("server_error", "unexpected_failure"));
    // a state of another server
    let (location, cookie) = sent(&served, "provider=corp").await;
    let place = back(&wrong, &corp.consent(&location), &cookie).await;
    assert_eq!(failure(&place), failed("invalid_request", "bad_oauth_state"));
}
