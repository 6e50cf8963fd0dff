//! Accounts that take one more way to sign in, and give one up.

use crate::{
    CHALLENGE, OWN, Scene, VERIFIER, asked, back, body, follow, header, person, post, refusal, refused,
    scene, scene_with, settings, sign_in, sign_up, through, told, user, user_at,
};
use backstay_auth::settings::Settings;
use backstay_base::limit::Limits;
use backstay_testkit::idp::Idp;
use backstay_testkit::served::{Answer, Ask, Served};
use serde_json::{Value, json};
use url::Url;

async fn linking() -> Scene {
    scene_with(Settings { manual_linking: true, anonymous: true, ..settings() }, Limits::default()).await
}

async fn with(served: &Served, token: &str, method: &str, target: &str) -> Answer {
    let ask = Ask::new("nobody", method, &format!("/auth/v1{target}"), "");
    served.ask(&ask.header("authorization", &format!("Bearer {token}"))).await
}

/// Ann, who signed up and confirmed her address: her access token.
async fn ann(served: &Served) -> String {
    sign_up(served, "ann@x.test", OWN).await;
    told(&follow(served).await, "access_token").unwrap()
}

/// The address to open for one more way in.
async fn begun(served: &Served, token: &str, provider: &str) -> Url {
    let query = format!(
        "provider={provider}&redirect_to=myapp://in&code_challenge={CHALLENGE}&code_challenge_method=s256&skip_http_redirect=true"
    );
    let answer = with(served, token, "GET", &format!("/user/identities/authorize?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    body(&answer)["url"].as_str().unwrap().parse().unwrap()
}

/// Where a browser is led that opens it and signs in at the service.
async fn opened(served: &Served, idp: &Idp, url: &Url) -> Url {
    through(served, idp, url.query().unwrap()).await
}

async fn fetched(served: &Served, place: &Url, verifier: &str) -> Answer {
    let code = asked(place, "code").unwrap_or_else(|| panic!("no code: {place}"));
    post(served, "/token?grant_type=pkce", &json!({"auth_code": code, "code_verifier": verifier})).await
}

fn providers(user: &Value) -> Vec<String> {
    let identities = user["identities"].as_array().unwrap().iter();
    let mut names: Vec<String> = identities.map(|one| one["provider"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn an_account_takes_one_more_way_in() {
    let Scene { served, corp, other } = linking().await;
    let token = ann(&served).await;
    // whatever address she has there, and though nobody verified it
    corp.sign_in(json!({"sub": "7", "email": "work@corp.test"}));
    let url = begun(&served, &token, "corp").await;
    let place = opened(&served, &corp, &url).await;
    assert_eq!((place.scheme(), place.fragment()), ("myapp", None));
    // nothing is linked before the app says that it is the one that asked
    assert_eq!(providers(&user(&served, &token).await), ["email"]);
    let answer = fetched(&served, &place, VERIFIER).await;
    let session = body(&answer);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        (providers(&session["user"]), &session["user"]["email"]),
        (vec!["corp".to_owned(), "email".to_owned()], &json!("ann@x.test"))
    );
    assert_eq!(session["provider_token"], "canary-provider-token-1");
    assert_eq!(session["user"]["app_metadata"], json!({"provider": "email", "providers": ["email", "corp"]}));
    let again = user_at(&served, &through(&served, &corp, "provider=corp").await).await;
    assert_eq!(again["id"], session["user"]["id"]);
    assert_eq!(sign_in(&served, "ann@x.test", OWN).await, refused(200, ""));
    // once more, and somebody else's
    let place = opened(&served, &corp, &begun(&served, &token, "corp").await).await;
    let twice = fetched(&served, &place, VERIFIER).await;
    assert_eq!(
        (refusal(&twice), &body(&twice)["msg"]),
        (refused(422, "identity_already_exists"), &json!("Identity is already linked"))
    );
    other.sign_in(person("8", "bob@x.test"));
    let bob = told(&through(&served, &other, "provider=other").await, "access_token").unwrap();
    let place = opened(&served, &corp, &begun(&served, &bob, "corp").await).await;
    let taken = fetched(&served, &place, VERIFIER).await;
    assert_eq!(body(&taken)["msg"], "Identity is already linked to another user");
    assert_eq!(providers(&user(&served, &bob).await), ["other"]);
}

/// [somebody is led to sign in where an intruder began: the intruder's account would become theirs, too]
#[tokio::test]
async fn who_is_led_here_by_somebody_else_links_nothing() {
    let Scene { served, corp, .. } = linking().await;
    let token = ann(&served).await;
    corp.sign_in(person("9", "victim@x.test"));
    let url = begun(&served, &token, "corp").await;
    let place = opened(&served, &corp, &url).await;
    // the page where the victim lands has no verifier, or one of its own
    let answer = fetched(&served, &place, CHALLENGE).await;
    assert_eq!(refusal(&answer), refused(400, "bad_code_verifier"));
    assert_eq!(refusal(&fetched(&served, &place, VERIFIER).await), refused(404, "flow_state_not_found"));
    assert_eq!(providers(&user(&served, &token).await), ["email"]);
    let victim = user_at(&served, &through(&served, &corp, "provider=corp").await).await;
    assert_eq!(victim["email"], "victim@x.test");
    // a begun sign-in is of its provider, and no other is taken up so
    let state = asked(&url, "flow").unwrap();
    let (location, _) = crate::sent(&served, "provider=corp").await;
    let free = asked(&location.parse().unwrap(), "state").unwrap();
    for (provider, flow) in [
        ("other", state.as_str()),
        ("corp", "x.y"),
        ("corp", ""),
        ("corp", free.as_str()),
        ("corp", state.as_str()),
    ] {
        let target = format!("/auth/v1/authorize?provider={provider}&flow={flow}");
        let answer = served.ask(&Ask::new("nobody", "GET", &target, "")).await;
        assert_eq!(refusal(&answer), refused(400, "bad_oauth_state"), "{provider} {flow}");
        assert_eq!(header(&answer, "set-cookie"), None);
    }
}

#[tokio::test]
async fn what_a_session_began_ends_with_it() {
    let Scene { served, corp, .. } = linking().await;
    corp.sign_in(json!({"sub": "7", "email": "ann@corp.test", "email_verified": true}));
    let _ = ann(&served).await;
    // before the browser comes back, and after
    for early in [true, false] {
        let session = body(
            &post(&served, "/token?grant_type=password", &json!({"email": "ann@x.test", "password": OWN}))
                .await,
        );
        let token = session["access_token"].as_str().unwrap().to_owned();
        let url = begun(&served, &token, "corp").await;
        let (location, cookie) = crate::sent(&served, url.query().unwrap()).await;
        if early {
            with(&served, &token, "POST", "/logout").await;
        }
        let place = back(&served, &corp.consent(&location), &cookie).await;
        if early {
            assert_eq!(told(&place, "error_code").as_deref(), Some("bad_oauth_state"), "{place}");
            continue;
        }
        with(&served, &token, "POST", "/logout").await;
        assert_eq!(refusal(&fetched(&served, &place, VERIFIER).await), refused(404, "flow_state_not_found"));
    }
    let stranger = user_at(&served, &through(&served, &corp, "provider=corp").await).await;
    assert_eq!(stranger["email"], "ann@corp.test");
}

#[tokio::test]
async fn an_intruder_who_waits_with_a_code_is_put_out() {
    let auth = Settings { manual_linking: true, autoconfirm: true, ..settings() };
    let Scene { served, corp, other } = scene_with(auth, Limits::default()).await;
    let intruder = body(&sign_up(&served, "ann@x.test", "intruder1").await);
    let token = intruder["access_token"].as_str().unwrap().to_owned();
    other.sign_in(person("1", "eve@x.test"));
    let waiting = opened(&served, &other, &begun(&served, &token, "other").await).await;
    let begun = begun(&served, &token, "other").await;
    corp.sign_in(person("7", "ann@x.test"));
    let owner = user_at(&served, &through(&served, &corp, "provider=corp").await).await;
    assert_eq!(owner["id"], intruder["user"]["id"]);
    assert_eq!(refusal(&fetched(&served, &waiting, VERIFIER).await), refused(404, "flow_state_not_found"));
    let target = format!("/auth/v1/authorize?{}", begun.query().unwrap());
    let answer = served.ask(&Ask::new("nobody", "GET", &target, "")).await;
    assert_eq!(refusal(&answer), refused(400, "bad_oauth_state"));
    let eve = user_at(&served, &through(&served, &other, "provider=other").await).await;
    assert_eq!(eve["email"], "eve@x.test");
}

#[tokio::test]
async fn somebody_without_a_name_becomes_somebody() {
    let Scene { served, corp, .. } = linking().await;
    let nobody = body(&post(&served, "/signup", &json!({})).await);
    let token = nobody["access_token"].as_str().unwrap().to_owned();
    corp.sign_in(person("7", "ann@x.test"));
    let place = opened(&served, &corp, &begun(&served, &token, "corp").await).await;
    let session = body(&fetched(&served, &place, VERIFIER).await);
    let ann = &session["user"];
    assert_eq!(
        (&ann["id"], &ann["email"], &ann["is_anonymous"]),
        (&nobody["user"]["id"], &json!("ann@x.test"), &json!(false))
    );
    assert_eq!(ann["app_metadata"], json!({"provider": "corp", "providers": ["corp"]}));
    // an address that has an account is not taken from it
    let nobody = body(&post(&served, "/signup", &json!({})).await);
    let token = nobody["access_token"].as_str().unwrap().to_owned();
    corp.sign_in(person("8", "ann@x.test"));
    let place = opened(&served, &corp, &begun(&served, &token, "corp").await).await;
    assert_eq!(refusal(&fetched(&served, &place, VERIFIER).await), refused(422, "email_exists"));
}

#[tokio::test]
async fn an_account_gives_a_way_up_but_not_the_last_one() {
    let Scene { served, corp, other } = linking().await;
    let token = ann(&served).await;
    for (idp, name) in [(&corp, "corp"), (&other, "other")] {
        idp.sign_in(person("7", "ann@x.test"));
        user_at(&served, &through(&served, idp, &format!("provider={name}")).await).await;
    }
    other.sign_in(person("8", "bob@x.test"));
    let bob = user_at(&served, &through(&served, &other, "provider=other").await).await;
    let foreign = bob["identities"][0]["identity_id"].as_str().unwrap();
    let identity = |user: &Value, name: &str| {
        let mut all = user["identities"].as_array().unwrap().iter();
        all.find(|one| one["provider"] == name).unwrap()["identity_id"].as_str().unwrap().to_owned()
    };
    let me = user(&served, &token).await;
    for (id, expected) in [
        (foreign, refused(422, "identity_not_found")),
        ("00000000-0000-4000-8000-000000000000", refused(422, "identity_not_found")),
        ("nonsense", refused(404, "validation_failed")),
    ] {
        assert_eq!(
            refusal(&with(&served, &token, "DELETE", &format!("/user/identities/{id}")).await),
            expected,
            "{id}"
        );
    }
    let by_email =
        with(&served, &token, "DELETE", &format!("/user/identities/{}", identity(&me, "email"))).await;
    assert_eq!((by_email.status, by_email.body.as_str()), (200, "{}"));
    // the password went with it
    assert_eq!(sign_in(&served, "ann@x.test", OWN).await, refused(400, "invalid_credentials"));
    let me = user(&served, &token).await;
    assert_eq!(me["app_metadata"], json!({"provider": "corp", "providers": ["corp", "other"]}), "{me}");
    // of two at once one stays
    let ids = [identity(&me, "corp"), identity(&me, "other")];
    let targets = ids.map(|id| format!("/user/identities/{id}"));
    let (one, two) = futures_util::future::join(
        with(&served, &token, "DELETE", &targets[0]),
        with(&served, &token, "DELETE", &targets[1]),
    )
    .await;
    let mut answers = [refusal(&one), refusal(&two)];
    answers.sort();
    assert_eq!(answers, [refused(200, ""), refused(422, "single_identity_not_deletable")]);
    assert_eq!(providers(&user(&served, &token).await).len(), 1);
}

#[tokio::test]
async fn it_is_off_unless_it_is_on_and_takes_a_verifier() {
    let Scene { served, .. } = scene().await;
    let token = ann(&served).await;
    let target = format!(
        "/user/identities/authorize?provider=corp&code_challenge={CHALLENGE}&code_challenge_method=s256"
    );
    for (method, target) in
        [("GET", target.as_str()), ("DELETE", "/user/identities/00000000-0000-4000-8000-000000000000")]
    {
        let answer = with(&served, &token, method, target).await;
        assert_eq!(refusal(&answer), refused(404, "manual_linking_disabled"), "{target}");
    }
    let Scene { served, .. } = linking().await;
    let token = ann(&served).await;
    for target in ["/user/identities/authorize?provider=corp", "/user/identities/authorize?provider=google"] {
        let answer = with(&served, &token, "GET", target).await;
        assert_eq!(refusal(&answer), refused(400, "validation_failed"), "{target}");
    }
    assert_eq!(with(&served, &token, "GET", &target).await.status, 302);
    assert_eq!(with(&served, "nonsense", "GET", &target).await.status, 403);
}
