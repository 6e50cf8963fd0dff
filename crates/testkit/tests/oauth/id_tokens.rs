//! Apps that have an ID token from the service itself.

use crate::{Scene, body, person, post, provider, refusal, refused, rows, scene, settings, user};
use backstay_auth::settings::Settings;
use backstay_testkit::idp::{Idp, Twist};
use backstay_testkit::served::{Answer, Served, Setup};
use serde_json::{Value, json};

/// SHA-256 of `of the app`.
const HASHED: &str = "f2577c9ae34cd7d1c2cc0004bc81689cca6323eae08205a9b3e8cf976f18a4aa";

async fn grant(served: &Served, asked: Value) -> Answer {
    post(served, "/token?grant_type=id_token", &asked).await
}

async fn shown(served: &Served, idp: &Idp, nonce: Option<&str>, hashed: Option<&str>) -> Answer {
    let (id_token, access_token) = idp.issue(hashed);
    let asked =
        json!({"provider": "corp", "id_token": id_token, "access_token": access_token, "nonce": nonce});
    grant(served, asked).await
}

#[tokio::test]
async fn an_id_token_lets_in_once() {
    let Scene { served, corp, .. } = scene().await;
    corp.sign_in(person("7", "ann@x.test"));
    let (id_token, _) = corp.issue(None);
    let asked = json!({"provider": "corp", "id_token": id_token});
    let answers = futures_util::future::join_all((0..4).map(|_| grant(&served, asked.clone()))).await;
    let let_in: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(let_in.len(), 1, "{answers:?}");
    let session = body(let_in[0]);
    let ann = user(&served, session["access_token"].as_str().unwrap()).await;
    assert_eq!((&ann["email"], &ann["app_metadata"]["provider"]), (&json!("ann@x.test"), &json!("corp")));
    assert!(session["provider_token"].is_null());
    let again = grant(&served, asked).await;
    assert_eq!(
        (refusal(&again), &body(&again)["msg"]),
        (refused(400, "validation_failed"), &json!("Bad ID token: it was used before"))
    );
    // another one of the same person
    served.clock.advance(1_000_000);
    let next = shown(&served, &corp, Some("of the app"), Some(HASHED)).await;
    assert_eq!((next.status, &body(&next)["user"]["id"]), (200, &ann["id"]), "{}", next.body);
    assert_eq!(rows(&served).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn no_id_token_is_taken_from_an_app_but_the_right_one() {
    let Scene { served, corp, other } = scene().await;
    corp.sign_in(person("7", "ann@x.test"));
    other.sign_in(person("7", "ann@x.test"));
    for twist in [
        Twist::AlgNone,
        Twist::PublicKeyAsSecret,
        Twist::ForeignKey,
        Twist::UnknownKey,
        Twist::NoSignature,
        Twist::EmbeddedKey,
        Twist::Claim("iss", Some("https://accounts.google.com")),
        Twist::Claim("aud", Some("another client")),
        Twist::Claim("azp", Some("another client")),
        Twist::Claim("sub", None),
        Twist::Claim("at_hash", Some("of another token")),
        Twist::Claim("nonce", Some("")),
        Twist::Shared,
        Twist::Expires(-61),
        Twist::Issued(61),
    ] {
        corp.twist(twist);
        let answer = shown(&served, &corp, None, None).await;
        assert_eq!(refusal(&answer), refused(400, "validation_failed"), "{twist:?}");
        assert_eq!(body(&answer)["msg"], "Bad ID token", "{twist:?}");
    }
    corp.twist(Twist::None);
    // of another service; under the name of this one, of none, or of an issuer that the request names
    let (foreign, _) = other.issue(None);
    let (own, _) = corp.issue(None);
    for (asked, message) in [
        (json!({"provider": "corp", "id_token": foreign}), "Bad ID token"),
        (json!({"provider": "corp", "id_token": foreign, "issuer": other.url}), "Bad ID token"),
        (json!({"provider": "google", "id_token": own}), "Unsupported provider: provider is not enabled"),
        (json!({"provider": "github", "id_token": own}), "Unsupported provider: provider is not enabled"),
        (json!({"issuer": corp.url, "client_id": "x", "id_token": own}), "provider required"),
        (json!({"provider": "corp"}), "id_token required"),
        (json!({"provider": "corp", "id_token": "a.b.c"}), "Bad ID token"),
    ] {
        let answer = grant(&served, asked.clone()).await;
        assert_eq!(
            (refusal(&answer), &body(&answer)["msg"]),
            (refused(400, "validation_failed"), &json!(message)),
            "{asked}"
        );
    }
    for (nonce, hashed) in [
        (Some("of the app"), None),
        (None, Some(HASHED)),
        (Some("another"), Some(HASHED)),
        (Some(HASHED), Some(HASHED)),
    ] {
        let answer = shown(&served, &corp, nonce, hashed).await;
        assert_eq!(refusal(&answer), refused(400, "validation_failed"), "{nonce:?} {hashed:?}");
    }
    assert_eq!(rows(&served).await, json!([]));
    // an address that is not verified leads nowhere by this way either
    corp.sign_in(json!({"sub": "8", "email": "ann@x.test"}));
    let answer = shown(&served, &corp, None, None).await;
    assert_eq!(refusal(&answer), refused(422, "provider_email_needs_verification"));
}

#[tokio::test]
async fn other_clients_of_the_project_are_those_that_it_names() {
    let Scene { served, corp, .. } = scene().await;
    let providers =
        vec![provider("corp", &corp, |wanted| wanted.id_token_clients = vec!["the app".to_owned()])];
    let auth = Settings { providers, ..settings() };
    let named = Served::start(&Setup { sdl: crate::SCHEMA.to_owned(), auth, ..Setup::default() }).await;
    corp.sign_in(person("7", "ann@x.test"));
    corp.twist(Twist::Claim("aud", Some("the app")));
    assert_eq!(refusal(&shown(&served, &corp, None, None).await), refused(400, "validation_failed"));
    assert_eq!(shown(&named, &corp, None, None).await.status, 200);
    // but not where a browser comes back
    let place = crate::through(&named, &corp, "provider=corp").await;
    assert_eq!(crate::told(&place, "error_code").as_deref(), Some("unexpected_failure"));
}
