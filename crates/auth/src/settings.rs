//! What `backstay.toml` may say about accounts.

use crate::letters::Templates;
use crate::oauth::provider::Provider;
use crate::rates::Rates;

/// The settings of this crate, with defaults for development.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `iss` of the tokens: the public address of `/auth/v1`.
    pub issuer: String,
    /// Whether tokens of another issuer are refused. Without a public address each node names
    /// the one that it listens on, and must take the others' tokens: the keys say whose they are.
    pub issuer_is_public: bool,
    /// Whether anybody may sign up.
    pub sign_up: bool,
    /// Whether accounts without e-mail and password may be made.
    pub anonymous: bool,
    /// Whether e-mail addresses count as confirmed at sign-up. Without it, mail must be sent.
    pub autoconfirm: bool,
    /// Whether sign-up, sign-in by mail and changes of an address say which address has an account, as GoTrue's do.
    pub reveal_accounts: bool,
    /// Where the application stands: links in mail lead there, unless a request says otherwise.
    pub site_url: String,
    /// Where else links may lead: whole addresses, with `*` for what holds no `.` and no `/`, `**` for anything.
    pub redirect_urls: Vec<String>,
    /// The words of mail.
    pub templates: Templates,
    /// Between two letters of a kind to one address, in seconds.
    pub mail_interval_s: i64,
    /// How long what was sent can be shown, in seconds.
    pub one_time_s: i64,
    /// How often a code may be guessed.
    pub code_attempts: i64,
    /// Whether another e-mail address must be confirmed from the one that it replaces, too.
    pub double_confirm_changes: bool,
    /// Whether PKCE's `plain` challenges are taken.
    pub pkce_plain: bool,
    /// How long an access token is valid, in seconds.
    pub access_token_s: i64,
    /// How long a session may last in all, in seconds; 0 is without end.
    pub session_s: i64,
    /// How long a used refresh token gives its successor once more, in seconds.
    pub reuse_grace_s: i64,
    /// Whether the parent of the live refresh token gives it once more at any time, as GoTrue does.
    pub reuse_parent_always: bool,
    /// Fewest characters of a password.
    pub password_characters: usize,
    /// Whether legacy HS256 `anon` and `service_role` keys are taken.
    pub legacy_keys: bool,
    /// Whether a request without any key is anonymous instead of refused.
    pub keyless_anon: bool,
    /// Services that people may sign in with.
    pub providers: Vec<Provider>,
    /// How long a sign-in with another service may take, in seconds.
    pub flow_s: i64,
    /// How often an address may ask.
    pub rates: Rates,
    /// Most verified tokens that are remembered.
    pub verified_tokens: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issuer: "http://localhost:4000/auth/v1".to_owned(),
            issuer_is_public: true,
            sign_up: true,
            anonymous: false,
            autoconfirm: true,
            reveal_accounts: false,
            site_url: "http://localhost:3000".to_owned(),
            redirect_urls: Vec::new(),
            templates: Templates::default(),
            mail_interval_s: 60,
            one_time_s: 3600,
            code_attempts: 5,
            double_confirm_changes: true,
            pkce_plain: false,
            access_token_s: 3600,
            session_s: 0,
            reuse_grace_s: 10,
            reuse_parent_always: false,
            password_characters: 6,
            legacy_keys: true,
            keyless_anon: false,
            providers: Vec::new(),
            flow_s: 600,
            rates: Rates::default(),
            verified_tokens: 10_000,
        }
    }
}
