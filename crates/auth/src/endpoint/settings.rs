//! `GET /settings`: which ways of signing in there are.

use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::wire::Response;
use serde::Serialize;
use serde_json::{Map, Value};

/// Providers that clients look for; only those of this server are on.
const EXTERNAL: &[&str] = &[
    "apple",
    "azure",
    "bitbucket",
    "discord",
    "facebook",
    "figma",
    "fly",
    "github",
    "gitlab",
    "google",
    "kakao",
    "keycloak",
    "linkedin",
    "linkedin_oidc",
    "notion",
    "slack",
    "slack_oidc",
    "snapchat",
    "spotify",
    "twitch",
    "twitter",
    "workos",
    "x",
    "zoom",
];

#[derive(Serialize)]
struct Body {
    external: Map<String, Value>,
    disable_signup: bool,
    mailer_autoconfirm: bool,
    phone_autoconfirm: bool,
    sms_provider: &'static str,
    saml_enabled: bool,
    passkeys_enabled: bool,
}

pub(super) fn answer(settings: &Settings) -> Result<Response, Refusal> {
    let mut external: Map<String, Value> =
        EXTERNAL.iter().map(|name| ((*name).to_owned(), Value::from(false))).collect();
    external.extend(settings.providers.iter().map(|provider| (provider.name.clone(), Value::from(true))));
    external.insert("anonymous_users".to_owned(), Value::from(settings.anonymous));
    external.insert("email".to_owned(), Value::from(true));
    external.insert("phone".to_owned(), Value::from(false));
    Response::json(
        200,
        &Body {
            external,
            disable_signup: !settings.sign_up,
            mailer_autoconfirm: settings.autoconfirm,
            phone_autoconfirm: false,
            sms_provider: "",
            saml_enabled: false,
            passkeys_enabled: false,
        },
    )
}
