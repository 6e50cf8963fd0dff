//! Services that speak OAuth 2.0 alone: who is there says a profile, whose address is verified a list.

use crate::{Scene, asked, body, rows, scene, sent, through, told, user_at};
use serde_json::json;
use url::Url;

#[tokio::test]
async fn github_is_asked_who_and_by_which_address() {
    let Scene { served, other, .. } = scene().await;
    other.sign_in(json!({"id": 42, "login": "ann", "name": "Ann", "email": "public@x.test", "avatar_url": "https://p.test/a.png"}));
    other.list(json!([
        {"email": "old@x.test", "primary": false, "verified": true},
        {"email": "ann@x.test", "primary": true, "verified": true},
    ]));
    let (location, _) = sent(&served, "provider=github&scopes=repo").await;
    let url: Url = location.parse().unwrap();
    assert_eq!(asked(&url, "scope").as_deref(), Some("user:email repo"));
    assert_eq!((asked(&url, "nonce"), asked(&url, "code_challenge_method").as_deref()), (None, Some("S256")));
    let place = through(&served, &other, "provider=github").await;
    let ann = user_at(&served, &place).await;
    assert_eq!(ann["email"], "ann@x.test");
    let data = &ann["identities"][0]["identity_data"];
    assert_eq!(
        *data,
        json!({
            "avatar_url": "https://p.test/a.png", "email": "ann@x.test", "email_verified": true, "full_name": "Ann",
            "iss": other.url, "name": "Ann", "phone_verified": false, "picture": "https://p.test/a.png",
            "preferred_username": "ann", "provider_id": "42", "sub": "42", "user_name": "ann",
        })
    );
    assert_eq!(told(&place, "provider_token").as_deref(), Some("canary-provider-token-1"));
    assert_eq!(rows(&served).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_address_that_is_not_verified_there_is_not_taken() {
    let Scene { served, other, .. } = scene().await;
    for (id, list, code) in [
        (
            1,
            json!([{"email": "ann@x.test", "primary": true, "verified": false}]),
            "provider_email_needs_verification",
        ),
        // another one that is verified does not stand for it
        (
            2,
            json!([{"email": "ann@x.test", "primary": true, "verified": false}, {"email": "a@x.test", "verified": true}]),
            "provider_email_needs_verification",
        ),
        (3, json!([]), "unexpected_failure"),
        (4, json!({"message": "Bad credentials"}), "unexpected_failure"),
        (5, json!([{"email": "ann@x.test", "verified": false}]), "unexpected_failure"),
    ] {
        other.sign_in(json!({"id": id, "login": "ann", "email": "ann@x.test"}));
        other.list(list.clone());
        let place = through(&served, &other, "provider=github").await;
        assert_eq!(told(&place, "error_code").as_deref(), Some(code), "{list}");
    }
    for profile in [json!({}), json!({"id": null}), json!({"id": ""}), json!({"id": 1.5}), json!([1])] {
        other.sign_in(profile.clone());
        let place = through(&served, &other, "provider=github").await;
        assert_eq!(
            told(&place, "error_description").as_deref(),
            Some("Unable to exchange external code"),
            "{profile}"
        );
    }
    assert_eq!(rows(&served).await, json!([]));
    assert_eq!(body(&crate::post(&served, "/otp", &json!({"email": "x@x.test"})).await), json!({}));
}
