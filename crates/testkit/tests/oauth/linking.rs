//! Which account a person of a service gets into, where there may be one already.

use crate::{
    OWN, SCHEMA, Scene, asked, body, follow, person, post, provider, refused, rows, scene, scene_with, sent,
    settings, sign_in, sign_up, through, told, user, user_at,
};
use backstay_auth::settings::Settings;
use backstay_base::limit::Limits;
use backstay_testkit::served::{Ask, Served, Setup};
use serde_json::{Value, json};

fn error(place: &url::Url) -> Option<String> {
    assert_eq!(told(place, "access_token"), None, "{place}");
    told(place, "error_code")
}

#[tokio::test]
async fn a_verified_address_leads_to_its_confirmed_account() {
    let Scene { served, corp, other } = scene().await;
    sign_up(&served, "ann@x.test", OWN).await;
    let own = user_at(&served, &follow(&served).await).await;
    corp.sign_in(person("7", "Ann@X.test"));
    let ann = user_at(&served, &through(&served, &corp, "provider=corp").await).await;
    assert_eq!(ann["id"], own["id"]);
    assert_eq!(ann["app_metadata"], json!({"provider": "email", "providers": ["email", "corp"]}));
    assert_eq!(ann["user_metadata"]["full_name"], "Ann");
    // what she had goes on
    assert_eq!(sign_in(&served, "ann@x.test", OWN).await, refused(200, ""));
    // an equal id at another service is another person
    other.sign_in(person("7", "eve@x.test"));
    let eve = user_at(&served, &through(&served, &other, "provider=other").await).await;
    assert_ne!(eve["id"], ann["id"]);
    other.sign_in(person("8", "ann@x.test"));
    let again = user_at(&served, &through(&served, &other, "provider=other").await).await;
    assert_eq!((&again["id"], again["identities"].as_array().unwrap().len()), (&ann["id"], 3));
    assert_eq!(rows(&served).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_address_that_the_service_has_not_verified_leads_nowhere() {
    let Scene { served, corp, .. } = scene().await;
    sign_up(&served, "ann@x.test", OWN).await;
    follow(&served).await;
    sign_up(&served, "bob@x.test", OWN).await;
    let _ = served.letters();
    let before = rows(&served).await;
    // confirmed, open and unknown: the answer does not tell which
    let mut answers = Vec::new();
    for (sub, email) in [("1", "ann@x.test"), ("2", "bob@x.test"), ("3", "cy@x.test")] {
        for verified in [json!(false), json!("false"), Value::Null, json!("yes")] {
            let sub = format!("{sub} {verified}");
            corp.sign_in(json!({"sub": sub, "email": email, "email_verified": verified, "name": "Ann"}));
            let place = through(&served, &corp, "provider=corp").await;
            assert_eq!(error(&place).as_deref(), Some("provider_email_needs_verification"));
            assert_eq!(told(&place, "error").as_deref(), Some("access_denied"));
            answers.push(place);
        }
    }
    assert!(answers.iter().all(|place| *place == answers[0]));
    assert_eq!((rows(&served).await, served.letters().len()), (before, 0));
    // nor does an address that is none, or none at all
    for person in [
        json!({"sub": "4"}),
        json!({"sub": "5", "email": "nonsense", "email_verified": true}),
        json!({"sub": "6", "email": 7}),
    ] {
        corp.sign_in(person.clone());
        let place = through(&served, &corp, "provider=corp").await;
        assert_eq!(error(&place).as_deref(), Some("unexpected_failure"), "{person}");
        assert_eq!(
            told(&place, "error_description").as_deref(),
            Some("Error getting user email from external provider")
        );
    }
}

#[tokio::test]
async fn an_open_account_loses_what_it_was_prepared_with() {
    let Scene { served, corp, .. } = scene().await;
    sign_up(&served, "ann@x.test", "intruder1").await;
    let prepared = crate::letter(&served);
    corp.sign_in(person("7", "ann@x.test"));
    let ann = user_at(&served, &through(&served, &corp, "provider=corp").await).await;
    assert_eq!(ann["app_metadata"], json!({"provider": "corp", "providers": ["corp"]}));
    assert_eq!(ann["identities"].as_array().unwrap().len(), 1, "{ann}");
    assert!(ann["email_confirmed_at"].is_string());
    assert_eq!(
        rows(&served).await,
        json!([{"name": "Eve", "email": "ann@x.test", "avatar_url": null, "clearance": null}])
    );
    assert_eq!(sign_in(&served, "ann@x.test", "intruder1").await, refused(400, "invalid_credentials"));
    let answer = served.ask(&Ask::new("nobody", "GET", &prepared, "")).await;
    assert!(crate::header(&answer, "location").unwrap().contains("error_code=otp_expired"));
}

/// Where addresses count as confirmed unseen, a confirmed one shows nothing.
#[tokio::test]
async fn without_letters_the_service_alone_shows_whose_an_address_is() {
    let Scene { served, corp, other } =
        scene_with(Settings { autoconfirm: true, ..settings() }, Limits::default()).await;
    let intruder = body(&sign_up(&served, "ann@x.test", "intruder1").await);
    let token = intruder["access_token"].as_str().unwrap().to_owned();
    assert_eq!(user(&served, &token).await["email"], "ann@x.test");
    // another one took the address with an account of a service
    other.sign_in(person("1", "eve@x.test"));
    let eve = told(&through(&served, &other, "provider=other").await, "access_token").unwrap();
    let put = |token: &str, body: &str| {
        Ask::new("nobody", "PUT", "/auth/v1/user", body).header("authorization", &format!("Bearer {token}"))
    };
    let taken = served.ask(&put(&eve, r#"{"email":"bob@x.test"}"#)).await;
    assert_eq!(
        body(&taken)["app_metadata"],
        json!({"provider": "other", "providers": ["other", "email"]}),
        "{}",
        taken.body
    );
    for (sub, email, token) in [("7", "ann@x.test", &token), ("8", "bob@x.test", &eve)] {
        corp.sign_in(person(sub, email));
        let owner = user_at(&served, &through(&served, &corp, "provider=corp").await).await;
        assert_eq!(owner["identities"].as_array().unwrap().len(), 1, "{owner}");
        assert_eq!(user(&served, token).await["error_code"], "session_not_found");
    }
    assert_eq!(sign_in(&served, "ann@x.test", "intruder1").await, refused(400, "invalid_credentials"));
    // who was there comes again as somebody else
    other.sign_in(person("1", "eve@x.test"));
    let eve = user_at(&served, &through(&served, &other, "provider=other").await).await;
    assert_eq!(eve["email"], "eve@x.test");
    // the owner sets a password, and keeps it when coming from the service again, or from another one
    let place = through(&served, &corp, "provider=corp").await;
    let owner = told(&place, "access_token").unwrap();
    assert_eq!(served.ask(&put(&owner, &json!({"password": OWN}).to_string())).await.status, 200);
    other.sign_in(person("9", "bob@x.test"));
    for (idp, name) in [(&corp, "corp"), (&other, "other")] {
        user_at(&served, &through(&served, idp, &format!("provider={name}")).await).await;
    }
    assert_eq!(sign_in(&served, "bob@x.test", OWN).await, refused(200, ""));
    // what the service has not verified makes a new account as a sign-up does, and gives away none
    corp.sign_in(json!({"sub": "10", "email": "cy@x.test"}));
    assert_eq!(user_at(&served, &through(&served, &corp, "provider=corp").await).await["email"], "cy@x.test");
    corp.sign_in(json!({"sub": "11", "email": "cy@x.test"}));
    let place = through(&served, &corp, "provider=corp").await;
    assert_eq!(error(&place).as_deref(), Some("provider_email_needs_verification"));
}

#[tokio::test]
async fn another_issuer_under_the_same_name_is_somebody_else() {
    let Scene { served, corp, other } = scene().await;
    corp.sign_in(person("7", "ann@x.test"));
    let ann = user_at(&served, &through(&served, &corp, "provider=corp").await).await;
    let database = served.into_database();
    let auth = Settings { providers: vec![provider("corp", &other, |_| {})], ..settings() };
    let moved = Served::over(&Setup { sdl: SCHEMA.to_owned(), auth, ..Setup::default() }, database).await;
    other.sign_in(person("7", "eve@x.test"));
    let eve = user_at(&moved, &through(&moved, &other, "provider=corp").await).await;
    assert_ne!(eve["id"], ann["id"]);
}

#[tokio::test]
async fn what_a_configuration_says_of_addresses_holds() {
    let Scene { served, corp, .. } = scene().await;
    let providers = vec![
        provider("corp", &corp, |wanted| wanted.trust_email = true),
        provider("anybody", &corp, |wanted| wanted.email_optional = true),
    ];
    let setup =
        Setup { sdl: SCHEMA.to_owned(), auth: Settings { providers, ..settings() }, ..Setup::default() };
    drop(served);
    let served = Served::start(&setup).await;
    sign_up(&served, "ann@x.test", OWN).await;
    let own = user_at(&served, &follow(&served).await).await;
    corp.sign_in(json!({"sub": "1", "email": "ann@x.test"}));
    assert_eq!(user_at(&served, &through(&served, &corp, "provider=corp").await).await["id"], own["id"]);
    corp.sign_in(json!({"sub": "2", "name": "Nobody"}));
    let nobody = user_at(&served, &through(&served, &corp, "provider=anybody").await).await;
    assert_eq!((&nobody["email"], &nobody["email_confirmed_at"]), (&json!(""), &Value::Null));
    let again = user_at(&served, &through(&served, &corp, "provider=anybody").await).await;
    assert_eq!(again["id"], nobody["id"]);
}

#[tokio::test]
async fn an_address_that_an_administrator_gave_lets_nobody_in_until_it_is_confirmed() {
    let Scene { served, corp, .. } = scene().await;
    corp.sign_in(person("7", "ann@x.test"));
    let ann = user_at(&served, &through(&served, &corp, "provider=corp").await).await;
    let target = format!("/auth/v1/admin/users/{}", ann["id"].as_str().unwrap());
    let body = r#"{"email":"anna@x.test","email_confirm":false}"#;
    let changed = served.ask(&Ask::new("service", "PUT", &target, body)).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert!(crate::body(&changed)["email_confirmed_at"].is_null(), "{}", changed.body);
    let place = through(&served, &corp, "provider=corp").await;
    assert_eq!(error(&place).as_deref(), Some("email_not_confirmed"));
    // whoever reads its mail gets in, and is alone there
    post(&served, "/recover", &json!({"email": "anna@x.test"})).await;
    let anna = user_at(&served, &follow(&served).await).await;
    let identities = anna["identities"].as_array().unwrap();
    assert_eq!((&anna["id"], identities.len()), (&ann["id"], 1), "{anna}");
    assert_eq!(anna["app_metadata"], json!({"provider": "email", "providers": ["email"]}));
    let again = user_at(&served, &through(&served, &corp, "provider=corp").await).await;
    assert_ne!(again["id"], ann["id"]);
}

#[tokio::test]
async fn a_pending_change_of_address_goes_with_what_an_account_was_prepared_with() {
    let auth = Settings { autoconfirm: true, ..settings() };
    let Scene { served, corp, .. } = scene_with(auth, Limits::default()).await;
    sign_up(&served, "ann@x.test", "intruder1").await;
    corp.sign_in(person("7", "ann@x.test"));
    let (location, cookie) = sent(&served, "provider=corp").await;
    let place = crate::back(&served, &corp.consent(&location), &cookie).await;
    assert!(asked(&place, "error").is_none());
    assert_eq!(user_at(&served, &place).await["new_email"], Value::Null);
    let recover = post(&served, "/recover", &json!({"email": "ann@x.test"})).await;
    assert_eq!(recover.status, 200);
    assert_eq!(user_at(&served, &follow(&served).await).await["email"], "ann@x.test");
}
