//! table: [`Refusal`]: what the auth door answers when it does not do what was asked,
//! with GoTrue's statuses, codes and words.

use backstay_base::code::{self, Kind};
use backstay_base::fault::Fault;

/// A refusal of the auth door.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// GoTrue's error code.
    pub code: &'static str,
    /// For the person.
    pub message: String,
    /// Why a password is weak.
    pub weak: Vec<&'static str>,
    /// Seconds after which it may be tried again, where that is known.
    pub retry_after_s: Option<u32>,
    /// For the log only.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Refusal {
    /// A refusal in words of its own.
    #[must_use]
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), weak: Vec::new(), retry_after_s: None, source: None }
    }

    /// Mail went to the address a moment ago.
    #[must_use]
    pub fn mail_too_soon(seconds: i64) -> Self {
        let message = format!("For security purposes, you can only request this after {seconds} seconds.");
        let retry_after_s = u32::try_from(seconds).ok();
        Self { retry_after_s, ..Self::new(429, "over_email_send_rate_limit", message) }
    }

    /// What was sent is not of the right form.
    #[must_use]
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "validation_failed", message)
    }
}

impl From<Fault> for Refusal {
    /// A fault that no endpoint expected. Mistakes in values that a person gave are told.
    fn from(fault: Fault) -> Self {
        let refusal = Self::of(&fault);
        Self { source: Some(Box::new(fault)), ..refusal }
    }
}

impl Refusal {
    /// What the caller hears of a fault.
    #[must_use]
    pub fn of(fault: &Fault) -> Self {
        let (status, code) = match fault.kind() {
            Kind::Invalid => (422, "validation_failed"),
            Kind::Limit if fault.code == code::RATE_LIMITED => (429, "over_request_rate_limit"),
            Kind::Limit => (400, "validation_failed"),
            Kind::Conflict => (409, "conflict"),
            Kind::Denied if matches!(fault.code, code::JWT_INVALID | code::JWT_CLAIMS) => (403, "bad_jwt"),
            Kind::Denied if fault.code == code::ANON_DISABLED => (401, "no_authorization"),
            Kind::Unavailable if fault.code == code::TOO_MANY_REQUESTS => (429, "over_request_rate_limit"),
            Kind::Unavailable if fault.code == code::DISK_FULL => (507, "unexpected_failure"),
            Kind::Unavailable | Kind::OutcomeUnknown => (503, "unexpected_failure"),
            Kind::Denied | Kind::NotFound | Kind::Internal => (500, "unexpected_failure"),
        };
        let message = match status {
            500 => "Internal server error".to_owned(),
            _ => fault.message.clone(),
        };
        Self::new(status, code, message)
    }
}

macro_rules! refusals {
    ($($name:ident = $status:literal, $code:literal, $message:literal;)*) => {
        impl Refusal {
            $(#[doc = $message]
            #[must_use]
            pub fn $name() -> Self { Self::new($status, $code, $message) })*
        }
    };
}

refusals! {
    bad_json = 400, "bad_json", "Could not parse request body as JSON";
    invalid_credentials = 400, "invalid_credentials", "Invalid login credentials";
    email_not_confirmed = 400, "email_not_confirmed", "Email not confirmed";
    user_already_exists = 422, "user_already_exists", "User already registered";
    email_exists = 422, "email_exists", "A user with this email address has already been registered";
    user_not_found = 404, "user_not_found", "User not found";
    user_banned = 403, "user_banned", "User is banned";
    sub_not_found = 403, "user_not_found", "User from sub claim in JWT does not exist";
    session_not_found = 403, "session_not_found", "Session from session_id claim in JWT does not exist";
    session_expired = 400, "session_expired", "Invalid Refresh Token: Session Expired";
    refresh_token_not_found = 400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found";
    refresh_token_already_used = 400, "refresh_token_already_used", "Invalid Refresh Token: Already Used";
    no_authorization = 401, "no_authorization", "This endpoint requires a valid Bearer token";
    bad_jwt = 403, "bad_jwt", "invalid JWT: unable to parse or verify signature";
    not_admin = 403, "not_admin", "User not allowed";
    bad_user_id = 404, "validation_failed", "user_id must be an UUID";
    sign_up_disabled = 422, "signup_disabled", "Signups not allowed for this instance";
    anonymous_disabled = 422, "anonymous_provider_disabled", "Anonymous sign-ins are disabled";
    phone_disabled = 400, "phone_provider_disabled", "Phone signups are disabled";
    needs_mail = 422, "email_provider_disabled", "This needs outgoing mail, which this server does not have; set [mail], or auth.autoconfirm to sign up without it";
    otp_expired = 403, "otp_expired", "Token has expired or is invalid";
    otp_disabled = 422, "otp_disabled", "Signups not allowed for otp";
    flow_state_not_found = 404, "flow_state_not_found", "invalid flow state, no valid flow state found";
    flow_state_expired = 403, "flow_state_expired", "invalid flow state, flow state has expired";
    bad_code_verifier = 400, "bad_code_verifier", "code challenge does not match previously saved code verifier";
    same_password = 422, "same_password", "New password should be different from the old password.";
    password_too_long = 400, "validation_failed", "Password is longer than this server accepts";
    provider_disabled = 400, "validation_failed", "Unsupported provider: provider is not enabled";
    provider_gone = 400, "oauth_provider_not_supported", "Unsupported provider: provider is not enabled";
    provider_away = 503, "unexpected_failure", "The provider could not be asked; try again in a moment";
    state_missing = 400, "bad_oauth_callback", "OAuth state parameter missing";
    state_invalid = 400, "bad_oauth_state", "OAuth state parameter is invalid";
    state_of_another_browser = 400, "bad_oauth_state", "OAuth sign-in was begun in another browser";
    state_unknown = 400, "bad_oauth_state", "OAuth state not found or expired";
    state_expired = 400, "bad_oauth_state", "OAuth state has expired";
    issuer_mismatch = 400, "bad_oauth_callback", "OAuth callback comes from another issuer";
    code_missing = 400, "bad_oauth_callback", "OAuth callback with missing authorization code missing";
    code_not_exchanged = 500, "unexpected_failure", "Unable to exchange external code";
    no_profile = 500, "unexpected_failure", "Error getting user profile from external provider";
    no_external_email = 500, "unexpected_failure", "Error getting user email from external provider";
    external_email_unverified = 422, "provider_email_needs_verification", "The provider has not verified this e-mail address: verify it there, or sign in another way";
    bad_id_token = 400, "validation_failed", "Bad ID token";
    id_token_used = 400, "validation_failed", "Bad ID token: it was used before";
    unsupported_grant = 400, "invalid_grant", "unsupported_grant_type";
    busy = 429, "over_request_rate_limit", "Too many sign-ins at once; try again in a moment";
    not_found = 404, "not_found", "404: Not Found";
    method_not_allowed = 405, "not_found", "405: Method Not Allowed";
    unexpected = 500, "unexpected_failure", "Internal server error";
}
