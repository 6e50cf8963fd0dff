//! `backstay.toml`: read once, checked whole. `${VAR}` in a string reads the
//! environment, so that no secret stands in the file.

use anyhow::{Context, Result, bail};
use backstay_base::limit::Limits;
use backstay_base::secret::Secret;
use backstay_outbound::egress::Allowed;
use ipnet::IpNet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// The file's name in a project folder.
pub const FILE: &str = "backstay.toml";

/// The header of RFC 7239.
pub const FORWARDED: &str = "forwarded";

/// The variable that names the default store, whatever the file says.
const DATABASE_URL: &str = "DATABASE_URL";

/// The configuration of a project.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// About the project.
    pub project: Project,
    /// Role names that rules and accounts may use, besides the built-in ones.
    pub roles: Vec<String>,
    /// The listener.
    pub server: Server,
    /// Databases by name; `default` is the only one yet.
    pub store: Stores,
    /// Accounts and tokens.
    pub auth: Auth,
    /// Outgoing mail.
    pub mail: Mail,
    /// Requests of this server to others.
    pub outbound: Outbound,
    /// The REST door.
    pub rest: Rest,
    /// Where backups go.
    pub backup: Backup,
    /// The named limits.
    pub limits: LimitSettings,
    /// What is logged, and how.
    pub log: Log,
}

/// About the project.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Project {
    /// Its name.
    pub name: String,
}

/// The listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port.
    pub listen: String,
    /// Address and port of health and metrics (`127.0.0.1:8001`), for `serve`; empty for none. They ask for no
    /// key: let nobody reach it but those who watch.
    pub admin_listen: String,
    /// What clients call the server, for token issuers and links.
    pub public_url: Option<String>,
    /// Proxies, as addresses or networks (`10.0.0.0/8`), that are believed when they say for whom a request comes.
    pub trusted_proxies: Vec<Network>,
    /// In which header they say it: `x-forwarded-for` or `forwarded`. The other one is not read.
    #[serde(deserialize_with = "proxy_header")]
    pub proxy_header: String,
    /// Origins that browsers' pages may call from.
    pub cors_origins: Vec<String>,
    /// Whether answers carry `Server-Timing`.
    pub server_timing: bool,
    /// TLS.
    pub tls: Tls,
}

/// TLS of `serve`. Both files are PEM; a change of them is taken over without a restart.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The certificate and those between it and a root, relative to the project.
    pub certificate: Option<String>,
    /// Its private key.
    pub key: Option<String>,
    /// Or from where `serve` gets one.
    pub acme: Acme,
}

/// Certificates from an authority that speaks ACME. It looks at port 443 of each name (TLS-ALPN-01).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Acme {
    /// The names that the certificate is for: `["api.example.com"]`. None: no certificate is asked for.
    pub names: Vec<String>,
    /// Whether you have read the authority's terms and agree to them; without it none is asked.
    pub terms_agreed: bool,
    /// Where the authority may write to.
    pub email: Option<String>,
    /// Where the authority is: by default Let's Encrypt.
    pub directory: String,
    /// The root of the authority's own certificate, a PEM file, where it is not one that the system knows.
    pub root: Option<String>,
}

impl Default for Acme {
    fn default() -> Self {
        Self {
            names: vec![],
            terms_agreed: false,
            email: None,
            directory: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
            root: None,
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8000".to_owned(),
            // a second server on this machine would find the port taken
            admin_listen: String::new(),
            public_url: None,
            // nobody is believed
            trusted_proxies: vec![],
            proxy_header: "x-forwarded-for".to_owned(),
            cors_origins: vec!["*".to_owned()],
            server_timing: false,
            tls: Tls::default(),
        }
    }
}

/// One address, or a network of them.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub struct Network(pub IpNet);

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let alone = || text.parse::<IpAddr>().ok().map(IpNet::from);
        let net = text.parse().ok().or_else(alone);
        net.map(Self).ok_or_else(|| format!("{text:?} is no address and no network such as 10.0.0.0/8"))
    }
}

/// One of the headers in which proxies say for whom a request comes.
fn proxy_header<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.as_str() {
        "x-forwarded-for" | FORWARDED => Ok(text),
        other => Err(D::Error::custom(format!("{other:?} is neither x-forwarded-for nor forwarded"))),
    }
}

/// Databases.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stores {
    /// The one that types live in.
    pub default: Store,
}

/// A database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// `sqlite:` and a path relative to the project, `postgres://…` or `mysql://…`. The
    /// environment's `DATABASE_URL` wins.
    pub url: String,
    /// Replicas of a PostgreSQL database: `postgres://…`. They answer reads of data doors when they have
    /// come far enough, never rules of writes or accounts.
    pub replicas: Vec<String>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            url: "sqlite:.backstay/dev.db".to_owned(),
            // the primary answers all
            replicas: vec![],
        }
    }
}

/// Accounts and tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// Whether people may sign themselves up.
    pub signup: bool,
    /// Whether people may have accounts without an address (`signInAnonymously`), which they can give them later.
    pub anonymous: bool,
    /// Whether an e-mail address counts as confirmed at sign-up.
    pub autoconfirm: bool,
    /// Whether sign-up, sign-in by mail and changes of an address say which address has an account, as Supabase Auth
    /// does. With `autoconfirm` sign-up always says it.
    pub reveal_accounts: bool,
    /// Where the application stands: links in mail and sign-ins with other services lead there. By default `public_url`, else where the server listens.
    pub site_url: Option<String>,
    /// Where else links in mail and sign-ins with other services may lead: whole addresses, with `*` for anything but `.` and `/`, and `**` for anything.
    pub redirect_urls: Vec<String>,
    /// Seconds between two letters of a kind to one address.
    pub mail_interval_seconds: i64,
    /// Seconds for which a link or a code that was sent is good.
    pub link_seconds: i64,
    /// How often the code of a letter may be guessed.
    pub code_attempts: i64,
    /// Whether another e-mail address must be confirmed from the one that it replaces, too.
    pub double_confirm_changes: bool,
    /// Whether PKCE's `plain` challenges are taken, which protect nothing on the way.
    pub pkce_plain: bool,
    /// Lifetime of an access token, in seconds.
    pub token_seconds: i64,
    /// Fewest characters of a password.
    pub password_min_length: usize,
    /// Whether legacy HS256 `anon` and `service_role` keys are taken.
    pub legacy_keys: bool,
    /// Whether requests without any key count as anonymous.
    pub keyless: bool,
    /// Whether people may link services to their accounts and take them off (`linkIdentity`, `unlinkIdentity`), whatever addresses
    /// they have there.
    pub manual_linking: bool,
    /// Seconds that a sign-in with another service may take, from where it begins to where the browser comes back.
    pub flow_seconds: i64,
    /// How often one address may use the endpoints that guess, send or make.
    pub rate_limit: AuthRates,
    /// Services that people may sign in with, by name.
    pub providers: BTreeMap<String, AuthProvider>,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            signup: true,
            anonymous: false,
            autoconfirm: true,
            reveal_accounts: false,
            site_url: None,
            redirect_urls: vec![],
            mail_interval_seconds: 60,
            link_seconds: 3600,
            code_attempts: 5,
            double_confirm_changes: true,
            pkce_plain: false,
            token_seconds: 3600,
            password_min_length: 6,
            legacy_keys: true,
            keyless: false,
            manual_linking: false,
            flow_seconds: 600,
            rate_limit: AuthRates::default(),
            providers: BTreeMap::new(),
        }
    }
}

/// A service that people may sign in with. Those that are known by name need no more than `client_id` and `client_secret`
/// (`azure` and `keycloak` their `issuer`, too); under any other name, `issuer` names one that speaks OpenID Connect.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthProvider {
    /// What the service calls this application.
    pub client_id: String,
    /// The secret that it gave: `${GOOGLE_SECRET}`.
    #[serde(deserialize_with = "secret")]
    pub client_secret: Secret<String>,
    /// The issuer of OpenID Connect, as its ID tokens spell it; no other issuer's tokens are taken.
    pub issuer: Option<String>,
    /// Where browsers are sent, for a service that speaks OAuth 2.0 alone.
    pub authorize_url: Option<String>,
    /// Where codes are exchanged, for such a service.
    pub token_url: Option<String>,
    /// Where the profile is, for such a service.
    pub user_url: Option<String>,
    /// Where the e-mail addresses are, for a `github` or `bitbucket` of one's own.
    pub emails_url: Option<String>,
    /// Other clients of this project at the service, those of its apps, whose ID tokens are taken, too.
    pub id_token_clients: Vec<String>,
    /// What is asked of it besides what signing in takes.
    pub scopes: Vec<String>,
    /// Whether PKCE is used with it; by default wherever the service takes it.
    pub pkce: Option<bool>,
    /// Whether its e-mail addresses count as verified although it does not say so. Whoever can have any address there
    /// gets into the account of that address here.
    pub trust_email: bool,
    /// Whether people who have no e-mail address there may have an account here.
    pub email_optional: bool,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret<String>, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

/// Requests of this server to others: to the services that people sign in with. It asks hosts of the open internet over
/// HTTPS, and nobody else.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outbound {
    /// What else may be asked, over HTTP as well: addresses or networks (`10.0.0.0/8`), or names of hosts (`idp.corp.internal`).
    pub allow: Vec<Reach>,
}

/// A host that may be asked although it is not of the open internet.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Reach(pub Allowed);

impl TryFrom<String> for Reach {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Ok(Network(net)) = Network::try_from(text.clone()) {
            return Ok(Self(Allowed::Network(net)));
        }
        let label = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || b == b'.';
        let is_name = !text.is_empty() && text.bytes().all(label) && text.parse::<u32>().is_err();
        if is_name {
            Ok(Self(Allowed::Host(text)))
        } else {
            Err(format!("{text:?} is no address, no network such as 10.0.0.0/8 and no name of a host"))
        }
    }
}

/// How often one address may use the endpoints that guess, send or make; 0 is without a limit. Addresses of
/// this machine have none: behind a proxy, name it in `trusted_proxies`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthRates {
    /// Sign-ups and sign-ins in five minutes.
    pub sign_in_sign_ups: u32,
    /// Renewals of a session in five minutes.
    pub token_refresh: u32,
    /// Codes and links shown in five minutes.
    pub token_verifications: u32,
    /// Letters asked for in an hour.
    pub email_sent: u32,
}

impl Default for AuthRates {
    fn default() -> Self {
        Self {
            // those of Supabase, for each address
            sign_in_sign_ups: 30,
            token_refresh: 150,
            token_verifications: 30,
            email_sent: 30,
        }
    }
}

/// Outgoing mail.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    /// `smtps://user:password@host`, or `smtp://…?tls=required` for STARTTLS. Without it there is no mail;
    /// `dev` keeps it in `.backstay/mail` and shows it at `/_/mail`.
    pub url: Option<String>,
    /// Who letters are from: `App <app@example.com>`.
    pub from: String,
    /// The letter that asks to confirm an address.
    pub confirmation: Words,
    /// The letter that helps whoever forgot the password.
    pub recovery: Words,
    /// The letter to sign in by link or code.
    pub magic_link: Words,
    /// The letters that ask to confirm another address.
    pub email_change: Words,
}

/// The words of a letter. `{{ .ConfirmationURL }}`, `{{ .Token }}`, `{{ .TokenHash }}`, `{{ .Email }}`,
/// `{{ .NewEmail }}`, `{{ .SiteURL }}` and `{{ .RedirectTo }}` are filled in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Words {
    /// One line instead of the built-in one.
    pub subject: Option<String>,
    /// Plain text instead of the built-in one; `{{ .ConfirmationURL }}`, `{{ .Token }}`, `{{ .TokenHash }}`,
    /// `{{ .Email }}`, `{{ .NewEmail }}`, `{{ .SiteURL }}` and `{{ .RedirectTo }}` are filled in.
    pub text: Option<String>,
}

/// The REST door.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rest {
    /// Whether `Prefer: tx=rollback` is honoured.
    pub tx_rollback: bool,
    /// Whether an update or delete may come without a filter.
    pub unfiltered_writes: bool,
    /// Whether aggregates (`price.sum()`) may be asked for; the number of an embed's rows always may.
    pub aggregates: bool,
    /// Whether `/rest/v1/` describes to each caller what it may do (Swagger 2.0).
    pub openapi: bool,
}

impl Default for Rest {
    fn default() -> Self {
        Self {
            tx_rollback: false,
            unfiltered_writes: false,
            aggregates: false,
            // it tells each caller what that caller may know
            openapi: true,
        }
    }
}

/// Where backups go, and how commits are shipped there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Backup {
    /// `file:` and a folder relative to the project, or `s3://bucket/prefix` with the usual `AWS_…` variables.
    pub url: Option<String>,
    /// Whether `serve` ships each commit of a SQLite store there, so that any moment can be restored.
    pub ship: bool,
    /// Milliseconds between two shipments.
    pub interval_ms: u64,
    /// Hours between two whole copies.
    pub copy_hours: u32,
    /// Days for which any moment can be restored.
    pub keep_days: u32,
    /// Bytes that commits may take beside the database while the target is away; past them it goes on
    /// without a backup until the target is back.
    pub waiting_bytes: u64,
    /// The `pg_dump` that reads a PostgreSQL store, with `psql`, `createdb` and `dropdb` beside it; without it, the newest that is
    /// installed. It must be as new as the server.
    pub pg_dump: Option<PathBuf>,
}

impl Default for Backup {
    fn default() -> Self {
        Self {
            url: None,
            ship: true,
            interval_ms: 500,
            copy_hours: 24,
            keep_days: 7,
            waiting_bytes: 1024 * 1024 * 1024,
            pg_dump: None,
        }
    }
}

/// What is logged, and how. Logs go to standard error; `BACKSTAY_LOG` says from which level.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `text` for people, `json` for programs: an object per line.
    pub format: LogFormat,
    /// Which requests `serve` writes a line for: `none`, `failed` (answered with 500 and above) or `all`.
    pub requests: LoggedRequests,
    /// Where `serve` sends a span per request by OTLP, over HTTP: `http://127.0.0.1:4318`. It takes a program that was
    /// built with the feature `otlp`.
    pub otlp: Option<String>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            // a proxy has a line for the others
            requests: LoggedRequests::Failed,
            otlp: None,
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Which requests have a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoggedRequests {
    /// None.
    None,
    /// Those that the server failed.
    Failed,
    /// Every one.
    All,
}

/// How this project logs. What is wrong with its configuration is said later, by the command.
pub fn log_of(folder: &Path) -> Log {
    Config::read(folder).map(|config| config.log).unwrap_or_default()
}

macro_rules! limit_settings {
    ($($name:ident: $ty:ty),* $(,)?) => {
        /// Limits that differ from their defaults.
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct LimitSettings {
            $(#[doc = concat!("See `Limits::", stringify!($name), "`.")] pub $name: Option<$ty>,)*
        }

        impl LimitSettings {
            /// The limits in force.
            pub fn limits(&self) -> Limits {
                let defaults = Limits::default();
                Limits { $($name: self.$name.unwrap_or(defaults.$name),)* }
            }
        }
    };
}

limit_settings! {
    body_bytes: usize, target_bytes: usize, rows: u64, write_rows: usize, depth: usize, nodes: usize,
    hops: usize, list: usize, document_values: usize, pattern_bytes: usize, pattern_steps: usize, extras_keys: usize, extras_bytes: usize, extras_depth: usize, statement_ms: u64, recurring_requests: usize, write_queue: usize, read_queue: usize, connections: usize,
    in_flight: usize, slow_bodies: usize, bodies_bytes: usize, idle_ms: u64, stall_ms: u64, head_ms: u64, body_ms: u64, hash_queue: usize, mail_queue: usize, mailbox: usize, egress_bytes: usize, egress_ms: u64, password_bytes: usize, linger_ms: u64,
    drain_ms: u64,
    migration_wait_ms: u64, audit_days: u32, prune_rows: u64, used_token_days: u32,
}

impl Config {
    /// Reads the configuration of a project folder; a missing file means all defaults.
    ///
    /// # Errors
    /// When the file does not parse, names unknown keys or an environment variable that is not set.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let mut config = Self::default();
        if path.exists() {
            let text =
                std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            config = Self::parse(&text, environment).with_context(|| format!("{FILE} is not right"))?;
        }
        if let Some(url) = environment(DATABASE_URL).filter(|url| !url.is_empty()) {
            config.store.default.url = url;
        }
        Ok(config)
    }

    fn parse(text: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let mut table: toml::Table = toml::from_str(text)?;
        for value in table.iter_mut().map(|(_, value)| value) {
            substitute(value, &environment)?;
        }
        // parsed from text again, so that a mistake is shown with its line
        if text.contains("${") {
            return Ok(Self::deserialize(toml::Value::Table(table))?);
        }
        Ok(toml::from_str(text)?)
    }
}

/// The one place where the environment is read.
#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn substitute(value: &mut toml::Value, environment: &impl Fn(&str) -> Option<String>) -> Result<()> {
    match value {
        toml::Value::String(text) => {
            while let Some((before, rest)) = text.split_once("${") {
                let Some((name, after)) = rest.split_once('}') else {
                    bail!("`${{` without `}}` in {text:?}")
                };
                let Some(found) = environment(name) else {
                    bail!("the environment variable {name} is not set");
                };
                *text = format!("{before}{found}{after}");
            }
            Ok(())
        }
        toml::Value::Array(items) => items.iter_mut().try_for_each(|item| substitute(item, environment)),
        toml::Value::Table(table) => {
            table.iter_mut().try_for_each(|(_, inner)| substitute(inner, environment))
        }
        toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn reads_the_environment_and_refuses_what_is_not_there() {
        let text = "[store.default]\nurl = \"sqlite:${DIR}/a.db\"\n";
        let config = Config::parse(text, |name| (name == "DIR").then(|| "data".to_owned())).unwrap();
        assert_eq!(config.store.default.url, "sqlite:data/a.db");
        let missing = Config::parse(text, |_| None).unwrap_err();
        assert_eq!(missing.to_string(), "the environment variable DIR is not set");
    }

    #[test]
    fn refuses_keys_that_it_does_not_know() {
        let error = Config::parse("[server]\nlissten = \"x\"\n", |_| None).unwrap_err().to_string();
        assert!(error.contains("unknown field `lissten`"), "{error}");
    }

    #[test]
    fn trusted_proxies_are_addresses_or_networks() {
        let text = "[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\nproxy_header = \"forwarded\"\n";
        let server = Config::parse(text, |_| None).unwrap().server;
        let nets: Vec<String> = server.trusted_proxies.iter().map(|net| net.0.to_string()).collect();
        assert_eq!(nets, ["10.0.0.0/8", "::1/128"]);
        for wrong in ["10.0.0.0/33", "localhost", "", "*", "10.0.0"] {
            let text = format!("[server]\ntrusted_proxies = [\"{wrong}\"]\n");
            let error = Config::parse(&text, |_| None).unwrap_err().to_string();
            assert!(error.contains("is no address and no network"), "{error}");
        }
        assert!(Config::parse("[server]\nproxy_header = \"x-real-ip\"\n", |_| None).is_err());
    }

    #[test]
    fn providers_have_names_and_secrets() {
        let text = "[auth.providers.google]\nclient_id = \"a\"\nclient_secret = \"${S}\"\n";
        let config = Config::parse(text, |name| (name == "S").then(|| "canary".to_owned())).unwrap();
        let google = config.auth.providers.get("google").unwrap();
        assert_eq!(google.client_secret.expose(), "canary");
        assert!(!format!("{config:?}").contains("canary"));
        for wrong in ["[auth.providers.google]\nclientid = \"a\"\n", "[auth.providers]\ngoogle = \"a\"\n"] {
            assert!(Config::parse(wrong, |_| None).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_may_be_asked_is_an_address_or_a_name() {
        let text = "[outbound]\nallow = [\"10.0.0.0/8\", \"::1\", \"idp.corp.internal\"]\n";
        let allow = Config::parse(text, |_| None).unwrap().outbound.allow;
        let shown: Vec<String> = allow.iter().map(|one| format!("{:?}", one.0)).collect();
        assert_eq!(shown, ["Network(10.0.0.0/8)", "Network(::1/128)", "Host(\"idp.corp.internal\")"]);
        for wrong in ["", "*", "http://idp.corp.internal", "idp corp", "2130706433", "10.0.0.0/33"] {
            let error = Config::parse(&format!("[outbound]\nallow = [\"{wrong}\"]\n"), |_| None).unwrap_err();
            assert!(error.to_string().contains("no name of a host"), "{error}");
        }
    }

    #[test]
    fn limits_keep_their_defaults_unless_told() {
        let config = Config::parse("[limits]\nlist = 5\n", |_| None).unwrap();
        let limits = config.limits.limits();
        assert_eq!((limits.list, limits.depth), (5, 16));
    }
}
