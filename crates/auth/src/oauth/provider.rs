//! [`Provider`]: a service as this project uses it: what is known of it, with what the configuration says.

use super::known::{ClientAuth, Fields, KNOWN, OWN, Protocol, STANDARD};
use backstay_base::secret::Secret;

/// Longest name, in bytes.
const NAME_BYTES: usize = 32;
/// Ways to sign in that are no services.
const TAKEN: &[&str] = &["email", "phone", "anonymous", "anonymous_users", "sso", "saml", "web3"];

/// What the configuration says of a service.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: String,
    /// The issuer of OpenID Connect.
    pub issuer: Option<String>,
    /// Where browsers are sent, for OAuth 2.0.
    pub authorize_url: Option<String>,
    /// Where codes are exchanged, for OAuth 2.0.
    pub token_url: Option<String>,
    /// Where the profile is, for OAuth 2.0.
    pub user_url: Option<String>,
    /// Where the e-mail addresses are, for OAuth 2.0.
    pub emails_url: Option<String>,
    /// Other clients of this project whose ID tokens are taken from apps.
    pub id_token_clients: Vec<String>,
    /// What is asked of it besides.
    pub scopes: Vec<String>,
    /// Whether PKCE is used, where that is not what is known of it.
    pub pkce: Option<bool>,
    /// Whether its e-mail addresses count as verified although it does not say so.
    pub trust_email: bool,
    /// Whether people without an e-mail address may have accounts.
    pub email_optional: bool,
}

/// A service that people may sign in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// What requests call it.
    pub name: String,
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: Secret<String>,
    /// Other clients of this project whose ID tokens are taken from apps.
    pub id_token_clients: Vec<String>,
    /// What is asked of it.
    pub scopes: Vec<String>,
    /// Whether PKCE is used.
    pub pkce: bool,
    /// Whether its e-mail addresses count as verified although it does not say so.
    pub trust_email: bool,
    /// Whether people without an e-mail address may have accounts.
    pub email_optional: bool,
    /// How it is spoken to.
    pub speaks: Speaks,
}

/// How a service is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaks {
    /// OpenID Connect; everything else its issuer tells.
    Oidc {
        /// The issuer, as its tokens spell it.
        issuer: String,
        /// The claim that says whether the e-mail address is verified.
        verified: &'static str,
    },
    /// OAuth 2.0.
    OAuth2(OAuth2),
}

/// Where a service without discovery is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth2 {
    /// What identities say that the person is known by.
    pub issuer: String,
    /// Where browsers are sent.
    pub authorize: String,
    /// Where codes are exchanged.
    pub token: String,
    /// Where it wants the client's secret.
    pub client_auth: ClientAuth,
    /// Where the profile is.
    pub user: String,
    /// Where the e-mail addresses are.
    pub emails: Option<String>,
    /// What the profile calls things.
    pub fields: Fields,
}

impl Provider {
    /// A service as the configuration wants it.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn new(name: &str, wanted: Wanted) -> Result<Self, String> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        if name.is_empty() || name.len() > NAME_BYTES || !name.bytes().all(plain) || TAKEN.contains(&name) {
            return Err(format!(
                "{name:?} is no name for a provider: a-z, 0-9, _ and -, and none of {TAKEN:?}"
            ));
        }
        if wanted.client_id.is_empty() || wanted.client_secret.is_empty() {
            return Err(format!("provider {name} needs client_id and client_secret"));
        }
        let known = KNOWN.iter().find(|known| known.name == name).unwrap_or(&OWN);
        let scopes =
            known.scopes.iter().map(|scope| (*scope).to_owned()).chain(wanted.scopes.iter().cloned());
        Ok(Self {
            name: name.to_owned(),
            scopes: scopes.collect(),
            pkce: wanted.pkce.unwrap_or(known.pkce),
            trust_email: wanted.trust_email,
            email_optional: wanted.email_optional,
            speaks: speaks(name, &known.protocol, &wanted)?,
            id_token_clients: wanted.id_token_clients,
            client_id: wanted.client_id,
            client_secret: Secret::new(wanted.client_secret),
        })
    }

    /// What identities of its people say that they are known by.
    #[must_use]
    pub fn issuer(&self) -> &str {
        match &self.speaks {
            Speaks::Oidc { issuer, .. } => issuer,
            Speaks::OAuth2(places) => &places.issuer,
        }
    }
}

fn speaks(name: &str, known: &Protocol, wanted: &Wanted) -> Result<Speaks, String> {
    let places = (&wanted.authorize_url, &wanted.token_url, &wanted.user_url);
    match (*known, places) {
        // a service of one's own without an issuer
        (Protocol::Oidc { issuer: None, .. }, (Some(authorize), Some(token), Some(user)))
            if wanted.issuer.is_none() =>
        {
            Ok(Speaks::OAuth2(OAuth2 {
                issuer: origin(user),
                authorize: authorize.clone(),
                token: token.clone(),
                client_auth: ClientAuth::Form,
                user: user.clone(),
                emails: None,
                fields: STANDARD,
            }))
        }
        (Protocol::Oidc { issuer, verified }, _) => {
            let given = wanted.issuer.clone().or_else(|| issuer.map(str::to_owned));
            let issuer = given.ok_or_else(|| {
                format!("provider {name} needs issuer, or authorize_url, token_url and user_url")
            })?;
            if ["/common/", "/organizations/", "/consumers/"].iter().any(|part| issuer.contains(part))
                && issuer.contains("login.microsoftonline.com")
            {
                return Err(format!(
                    "provider {name} needs the issuer of one tenant: https://login.microsoftonline.com/TENANT-ID/v2.0"
                ));
            }
            Ok(Speaks::Oidc { issuer, verified })
        }
        (Protocol::OAuth2 { issuer, authorize, token, client_auth, user, emails, fields }, _) => {
            let own = |given: &Option<String>, known: &str| given.clone().unwrap_or_else(|| known.to_owned());
            let elsewhere = wanted.user_url.as_deref().map(origin);
            Ok(Speaks::OAuth2(OAuth2 {
                issuer: wanted.issuer.clone().or(elsewhere).unwrap_or_else(|| issuer.to_owned()),
                authorize: own(&wanted.authorize_url, authorize),
                token: own(&wanted.token_url, token),
                client_auth,
                user: own(&wanted.user_url, user),
                emails: wanted.emails_url.clone().or_else(|| emails.map(str::to_owned)),
                fields,
            }))
        }
    }
}

fn origin(url: &str) -> String {
    url::Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::{Provider, Speaks, Wanted};
    use crate::oauth::known::{KNOWN, Protocol};

    fn wanted() -> Wanted {
        Wanted { client_id: "id".to_owned(), client_secret: "secret".to_owned(), ..Wanted::default() }
    }

    #[test]
    fn what_is_known_needs_a_client_alone() {
        for known in KNOWN {
            let made = Provider::new(known.name, wanted());
            let needs_issuer = matches!(known.protocol, Protocol::Oidc { issuer: None, .. });
            assert_eq!(made.is_err(), needs_issuer, "{}", known.name);
        }
        let mut names: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
        names.dedup();
        assert!(names.is_sorted() && names.len() == KNOWN.len());
        let debug = format!("{:?}", Provider::new("google", wanted()).unwrap());
        assert!(!debug.contains("\"secret\""), "{debug}");
    }

    #[test]
    fn ones_own_need_an_issuer_or_places() {
        let issuer = Some("https://login.corp.test/x".to_owned());
        let corp = Provider::new("corp", Wanted { issuer, ..wanted() }).unwrap();
        assert_eq!(corp.issuer(), "https://login.corp.test/x");
        let url = |path: &str| Some(format!("https://api.corp.test/{path}"));
        let places = Wanted { authorize_url: url("a"), token_url: url("t"), user_url: url("u"), ..wanted() };
        let old = Provider::new("corp", places.clone()).unwrap();
        assert!(matches!(&old.speaks, Speaks::OAuth2(at) if at.issuer == "https://api.corp.test"));
        // people of another GitHub are other people
        assert_eq!(Provider::new("github", places).unwrap().issuer(), "https://api.corp.test");
        assert_eq!(Provider::new("github", wanted()).unwrap().issuer(), "https://api.github.com");
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for (name, wanted) in [
            ("email", wanted()),
            ("", wanted()),
            ("Google", wanted()),
            ("a b", wanted()),
            ("corp", wanted()),
            ("google", Wanted { client_secret: String::new(), ..wanted() }),
            ("google", Wanted { client_id: String::new(), ..wanted() }),
        ] {
            assert!(Provider::new(name, wanted).is_err(), "{name}");
        }
        for tenant in ["common", "organizations", "consumers"] {
            let issuer = Some(format!("https://login.microsoftonline.com/{tenant}/v2.0"));
            assert!(Provider::new("azure", Wanted { issuer, ..wanted() }).is_err(), "{tenant}");
        }
    }
}
