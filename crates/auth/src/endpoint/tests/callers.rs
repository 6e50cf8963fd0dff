//! Who calls: every kind of key and token, at this door and for others.

use super::kit::{Kit, NOW, PROJECT, SECOND, open, open_with, service};
use crate::endpoint::ENDPOINTS;
use crate::identify::Credentials;
use crate::key_ring::ApiRole;
use crate::schema::SIGNING_KEY;
use crate::settings::Settings;
use crate::statement::{text, update};
use backstay_base::fault::Fault;
use backstay_policy::caller::Caller;
use std::sync::Arc;

async fn who(kit: &Kit, apikey: Option<&str>, token: Option<&str>, user_agent: Option<&str>) -> String {
    let authorization = token.map(|token| format!("Bearer {token}"));
    let credentials = Credentials { apikey, authorization: authorization.as_deref(), user_agent };
    match kit.auth.identify(&credentials).await {
        Ok(Caller::Anon) => "anon".to_owned(),
        Ok(Caller::Service) => "service".to_owned(),
        Ok(Caller::User(user)) => format!("{} {:?}", user.role, user.email),
        Ok(Caller::System) => "system".to_owned(),
        Err(fault) => fault.to_string(),
    }
}

/// API key, bearer token, user agent, and who that is.
type Case<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>, &'a str);

#[tokio::test]
async fn keys_and_tokens() {
    let kit = open().await;
    let token = kit.sign_up("a@b.cd").await.text("access_token");
    let shown = |key: &Option<backstay_base::secret::Secret<String>>| key.as_ref().unwrap().expose().clone();
    let (publishable, secret) = (shown(&kit.keys.publishable), shown(&kit.keys.secret));
    let (anon, service_role) = (shown(&kit.keys.anon), shown(&kit.keys.service_role));
    let user = "authenticated Some(\"a@b.cd\")";
    let cases: [Case<'_>; 16] = [
        (Some(&publishable), None, None, "anon"),
        (Some(&publishable), Some(&publishable), None, "anon"),
        (Some(&publishable), Some(&token), None, user),
        (Some(&secret), Some(&token), None, user),
        (None, Some(&token), None, user),
        (Some(&secret), None, None, "service"),
        (Some(&secret), Some(&secret), None, "service"),
        (Some(&secret), None, Some("Mozilla/5.0"), "PGRST301: Forbidden use of secret API key in browser"),
        (Some(&anon), Some(&anon), None, "anon"),
        (Some(&anon), Some(&service_role), None, "service"),
        (None, Some(&anon), None, "anon"),
        (
            Some(&publishable),
            Some(&secret),
            None,
            "PGRST301: an API key is not a bearer token: send it as apikey",
        ),
        (Some("sb_secret_x"), None, None, "PGRST301: Invalid API key"),
        (Some("x"), None, None, "PGRST301: Invalid API key"),
        (Some(&publishable), Some("x"), None, "PGRST301: JWT cannot be verified"),
        (None, None, None, "PGRST302: No API key found in request"),
    ];
    for (apikey, bearer, agent, expected) in cases {
        assert_eq!(who(&kit, apikey, bearer, agent).await, expected, "{apikey:?} {bearer:?}");
    }
}

#[tokio::test]
async fn roles_bans_and_ends_take_effect_at_once() {
    let kit = open().await;
    let answer = kit.sign_up("a@b.cd").await;
    let token = answer.text("access_token");
    let id = answer.body["user"]["id"].as_str().unwrap().to_owned();
    let line = format!("PUT /admin/users/{id}");
    let me = async || who(&kit, None, Some(&token), None).await;
    assert_eq!(me().await, "authenticated Some(\"a@b.cd\")");
    assert_eq!(kit.admin(&line, r#"{"app_metadata":{"role":"staff"}}"#).await.status, 200);
    assert_eq!(me().await, "staff Some(\"a@b.cd\")");
    assert_eq!(kit.rows("user", &["role"]).await, [[Some("staff".to_owned())]]);
    assert_eq!(kit.admin(&line, r#"{"ban_duration":"1h"}"#).await.status, 200);
    assert_eq!(me().await, "PGRST303: the account of the token is banned");
    let banned = kit.sign_in("a@b.cd", "hunter22").await;
    assert_eq!(banned.refusal(), (400, "user_banned".to_owned()));
    assert_eq!(kit.refresh(&answer.text("refresh_token")).await.refusal(), (400, "user_banned".to_owned()));
    assert_eq!(kit.admin(&line, r#"{"ban_duration":"none"}"#).await.status, 200);
    assert_eq!(me().await, "staff Some(\"a@b.cd\")");
    assert_eq!(kit.admin(&line, r#"{"password":"another1"}"#).await.status, 200);
    assert_eq!(me().await, "PGRST303: the session of the token is over");
}

#[tokio::test]
async fn tokens_end() {
    let kit = open().await;
    let token = kit.sign_up("a@b.cd").await.text("access_token");
    kit.clock.advance(3599 * SECOND);
    assert_eq!(who(&kit, None, Some(&token), None).await, "authenticated Some(\"a@b.cd\")");
    kit.clock.advance(SECOND);
    assert_eq!(who(&kit, None, Some(&token), None).await, "PGRST303: JWT expired");
    let seen = kit.call("GET /user", Some(&token), "").await;
    assert_eq!(seen.refusal(), (403, "bad_jwt".to_owned()));
}

/// A second process on the same database knows the keys of the first, and the other way round.
#[tokio::test]
async fn keys_are_shared_and_taken_back() {
    let kit = open().await;
    let token = kit.sign_up("a@b.cd").await.text("access_token");
    let second = service(&kit.engine, Settings::default(), &kit.clock, 2);
    second.load(Arc::clone(&kit.catalog));
    let keys = second.start().await.unwrap();
    assert!(keys.secret.is_none());
    assert_eq!(
        keys.publishable.map(|key| key.expose().clone()),
        kit.keys.publishable.as_ref().map(|key| key.expose().clone())
    );
    let bearer = format!("Bearer {token}");
    let user = Credentials { authorization: Some(&bearer), ..Credentials::default() };
    assert!(matches!(second.identify(&user).await, Ok(Caller::User(_))));
    let made = second.create_api_key(ApiRole::Secret, "worker").await.unwrap();
    assert_eq!(who(&kit, Some(made.expose()), None, None).await, "PGRST301: Invalid API key");
    kit.clock.advance(2 * SECOND);
    assert_eq!(who(&kit, Some(made.expose()), None, None).await, "service");
    let listed = kit.auth.api_keys().await.unwrap();
    let worker = listed.iter().find(|key| key.name == "worker").unwrap();
    assert_eq!((worker.role, worker.public_text.as_ref()), (ApiRole::Secret, None));
    assert!(made.expose().starts_with(&worker.prefix));
    assert!(kit.auth.revoke_api_key(worker.id).await.unwrap());
    assert_eq!(who(&kit, Some(made.expose()), None, None).await, "PGRST301: Invalid API key");
}

#[tokio::test]
async fn nothing_secret_is_stored_in_the_clear() {
    let kit = open().await;
    let answer = kit.sign_up("a@b.cd").await;
    let secret = kit.keys.secret.as_ref().unwrap().expose().clone();
    let keys = kit.rows("_backstay_api_key", &["hash", "prefix", "public_text", "name"]).await;
    assert!(keys.concat().iter().flatten().all(|cell| *cell != secret));
    let tokens = kit.rows("_backstay_refresh_token", &["hash", "parent"]).await;
    assert!(tokens.concat().iter().flatten().all(|cell| *cell != answer.text("refresh_token")));
    let accounts = kit.rows("_backstay_account", &["password_hash"]).await;
    assert!(accounts.concat().iter().flatten().all(|cell| !cell.contains("hunter22")));
}

/// Every endpoint for every kind of caller. `*` answers with something else than a refusal of the caller.
#[tokio::test]
async fn every_endpoint_for_every_caller() {
    let kit = open().await;
    let user = kit.sign_up("a@b.cd").await.text("access_token");
    let publishable = kit.keys.publishable.as_ref().unwrap().expose().clone();
    let bearer = format!("Bearer {user}");
    let callers: [&[(&str, &str)]; 4] = [
        &[],
        &[("apikey", &publishable)],
        &[("apikey", &publishable), ("Authorization", &bearer)],
        &[("apikey", &publishable), ("Authorization", "Bearer nonsense")],
    ];
    let mut table = String::new();
    for endpoint in ENDPOINTS {
        let path = endpoint.path.replace("{id}", "00000000-0000-4000-8000-000000000000");
        let line = format!("{} {path}", endpoint.method);
        let mut outcomes = Vec::new();
        for headers in callers {
            // The body is refused by every endpoint that reads it, so nothing is changed.
            let answer = kit.call_with(&line, headers, "[]").await;
            let code = answer.body["error_code"].as_str().unwrap_or_default().to_owned();
            outcomes.push(if line == "POST /logout" && answer.status == 204 {
                "signs out".to_owned()
            } else {
                format!("{} {code}", answer.status)
            });
        }
        table.push_str(&format!("{line}: {}\n", outcomes.join(" | ")));
    }
    assert_eq!(
        table,
        "GET /health: 200  | 200  | 200  | 200 \n\
         GET /settings: 200  | 200  | 200  | 200 \n\
         GET /.well-known/jwks.json: 200  | 200  | 200  | 200 \n\
         POST /signup: 400 bad_json | 400 bad_json | 400 bad_json | 400 bad_json\n\
         POST /token: 400 invalid_grant | 400 invalid_grant | 400 invalid_grant | 400 invalid_grant\n\
         GET /verify: 303  | 303  | 303  | 303 \n\
         POST /verify: 400 bad_json | 400 bad_json | 400 bad_json | 400 bad_json\n\
         POST /resend: 422 email_provider_disabled | 422 email_provider_disabled | 422 email_provider_disabled | 422 email_provider_disabled\n\
         POST /recover: 422 email_provider_disabled | 422 email_provider_disabled | 422 email_provider_disabled | 422 email_provider_disabled\n\
         POST /otp: 422 email_provider_disabled | 422 email_provider_disabled | 422 email_provider_disabled | 422 email_provider_disabled\n\
         GET /authorize: 400 validation_failed | 400 validation_failed | 400 validation_failed | 400 validation_failed\n\
         GET /callback: 303  | 303  | 303  | 303 \n\
         POST /callback: 303  | 303  | 303  | 303 \n\
         GET /user: 401 no_authorization | 401 no_authorization | 200  | 403 bad_jwt\n\
         PUT /user: 401 no_authorization | 401 no_authorization | 400 bad_json | 403 bad_jwt\n\
         POST /logout: 401 no_authorization | 401 no_authorization | signs out | 403 bad_jwt\n\
         GET /admin/users: 401 no_authorization | 403 not_admin | 401 bad_jwt | 401 bad_jwt\n\
         POST /admin/users: 401 no_authorization | 403 not_admin | 401 bad_jwt | 401 bad_jwt\n\
         GET /admin/users/00000000-0000-4000-8000-000000000000: 401 no_authorization | 403 not_admin | 401 bad_jwt | 401 bad_jwt\n\
         PUT /admin/users/00000000-0000-4000-8000-000000000000: 401 no_authorization | 403 not_admin | 401 bad_jwt | 401 bad_jwt\n\
         DELETE /admin/users/00000000-0000-4000-8000-000000000000: 401 no_authorization | 403 not_admin | 401 bad_jwt | 401 bad_jwt\n"
    );
    assert_eq!(kit.call("GET /nothing", None, "").await.refusal(), (404, "not_found".to_owned()));
    assert_eq!(kit.call("DELETE /user", None, "").await.refusal(), (405, "not_found".to_owned()));
    let jwks = kit.call("GET /.well-known/jwks.json", None, "").await;
    assert_eq!(jwks.body["keys"][0]["alg"], "ES256");
    assert_eq!(jwks.header("Cache-Control"), Some("public, max-age=600"));
    assert_eq!(NOW % SECOND, 0);
}

#[tokio::test]
async fn before_the_schema_is_loaded_nobody_is_known() {
    let kit = open().await;
    let early = service(&kit.engine, Settings::default(), &kit.clock, 3);
    let asked = Credentials { apikey: Some("sb_publishable_x"), ..Credentials::default() };
    let refused = early.identify(&asked).await.expect_err("is not ready");
    assert_eq!(refused.code.text, "PGRST002");
    early.load(Arc::clone(&kit.catalog));
    let refused = early.identify(&asked).await.expect_err("is not ready");
    assert_eq!(refused.code.text, "PGRST002");
}

#[tokio::test]
async fn without_a_key_only_where_it_is_allowed() {
    let settings = Settings { keyless_anon: true, legacy_keys: false, ..Settings::default() };
    let kit = open_with(settings, PROJECT).await;
    assert_eq!(who(&kit, None, None, None).await, "anon");
    assert_eq!(who(&kit, Some("x"), None, None).await, "PGRST301: Invalid API key");
    assert_eq!(who(&kit, None, Some("x"), None).await, "PGRST301: JWT cannot be verified");
    assert!(kit.keys.anon.is_none() && kit.keys.service_role.is_none());
}

#[tokio::test]
async fn signing_keys_rotate_and_are_taken_back() {
    let kit = open().await;
    let other = service(&kit.engine, Settings::default(), &kit.clock, 4);
    other.load(Arc::clone(&kit.catalog));
    other.start().await.unwrap();
    let old = kit.sign_up("a@b.cd").await.text("access_token");
    kit.auth.rotate_signing_key().await.unwrap();
    let new = kit.sign_in("a@b.cd", "hunter22").await.text("access_token");
    assert_ne!(old.split('.').next(), new.split('.').next());
    let user = "authenticated Some(\"a@b.cd\")";
    assert_eq!(who(&kit, None, Some(&old), None).await, user);
    assert_eq!(who(&kit, None, Some(&new), None).await, user);
    let keys = kit.call("GET /.well-known/jwks.json", None, "").await;
    assert_eq!(keys.body["keys"].as_array().unwrap().len(), 2);
    assert_eq!(kit.auth.revoke_previous_signing_keys().await.unwrap(), 1);
    assert_eq!(who(&kit, None, Some(&old), None).await, "PGRST301: JWT cannot be verified");
    assert_eq!(who(&kit, None, Some(&new), None).await, user);
    let bearer = format!("Bearer {old}");
    let stale = Credentials { authorization: Some(&bearer), ..Credentials::default() };
    kit.clock.advance(SECOND - 1);
    assert!(other.identify(&stale).await.is_ok());
    kit.clock.advance(1);
    assert!(other.identify(&stale).await.is_err());
}

/// What stands in the database of a key that is known is not looked at again.
#[tokio::test]
async fn signing_keys_are_read_once() {
    let kit = open().await;
    let token = kit.sign_up("a@b.cd").await.text("access_token");
    let spoilt = vec![("private_key", text("no key"))];
    kit.auth.run_one(&kit.catalog, update(SIGNING_KEY, spoilt, Vec::new())).await.unwrap();
    kit.clock.advance(10 * SECOND);
    assert_eq!(who(&kit, None, Some(&token), None).await, "authenticated Some(\"a@b.cd\")");
    kit.auth.load_keys(&kit.catalog).await.unwrap();
    // a key that was taken back is gone although it is known
    let gone = vec![("status", text("revoked"))];
    kit.auth.run_one(&kit.catalog, update(SIGNING_KEY, gone, Vec::new())).await.unwrap();
    let cause = |fault: Fault| fault.source.unwrap().to_string();
    let refused = cause(kit.auth.load_keys(&kit.catalog).await.expect_err("is refused"));
    assert_eq!(refused, "no current signing key");
    let started = service(&kit.engine, Settings::default(), &kit.clock, 2);
    started.load(Arc::clone(&kit.catalog));
    let back = vec![("status", text("current"))];
    kit.auth.run_one(&kit.catalog, update(SIGNING_KEY, back, Vec::new())).await.unwrap();
    let refused = cause(started.start().await.expect_err("is refused"));
    assert!(refused.ends_with("cannot be read"), "{refused}");
}
