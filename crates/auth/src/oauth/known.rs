//! table: services that need no more than a client id and its secret. A new one is an entry.

/// A service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// What requests and the configuration call it.
    pub name: &'static str,
    /// What is asked of it.
    pub scopes: &'static [&'static str],
    /// Whether it takes PKCE.
    pub pkce: bool,
    /// How it is spoken to.
    pub protocol: Protocol,
}

/// How a service is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// OpenID Connect.
    Oidc {
        /// The issuer; none where each customer has one, so that the configuration names it.
        issuer: Option<&'static str>,
        /// The claim that says whether the e-mail address is verified.
        verified: &'static str,
    },
    /// OAuth 2.0, with a profile in JSON.
    OAuth2 {
        /// What identities say that the person is known by.
        issuer: &'static str,
        /// Where browsers are sent.
        authorize: &'static str,
        /// Where codes are exchanged.
        token: &'static str,
        /// Where it wants the client's secret.
        client_auth: ClientAuth,
        /// Where the profile is.
        user: &'static str,
        /// Where the e-mail addresses are, where the profile does not have them.
        emails: Option<&'static str>,
        /// What the profile calls things.
        fields: Fields,
    },
}

/// Where a service wants the client's secret (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// In the form with the code.
    Form,
    /// In the `Authorization` header.
    Header,
}

/// Places in a profile, as JSON pointers; empty where there is no such thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields {
    /// The person's id: text or a whole number.
    pub id: &'static str,
    /// The name.
    pub name: &'static str,
    /// The name to sign in with.
    pub user_name: &'static str,
    /// Address of a picture.
    pub picture: &'static str,
    /// The e-mail address.
    pub email: &'static str,
    /// Whether the service verified it.
    pub verified: Verified,
    /// What the list of e-mail addresses calls things.
    pub emails: Emails,
}

/// How a profile says that its e-mail address is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// It is true here.
    True(&'static str),
    /// Something stands here.
    Present(&'static str),
    /// It does not say it.
    Unsaid,
}

/// Places in a list of e-mail addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Emails {
    /// The list.
    pub list: &'static str,
    /// In an entry: the address.
    pub email: &'static str,
    /// In an entry: whether it is the one to use.
    pub primary: &'static str,
    /// In an entry: whether it is verified.
    pub verified: &'static str,
}

const NO_EMAILS: Emails = Emails { list: "", email: "", primary: "", verified: "" };

/// Claims of OpenID Connect, which other services give in their profiles, too.
pub const STANDARD: Fields = Fields {
    id: "/sub",
    name: "/name",
    user_name: "/preferred_username",
    picture: "/picture",
    email: "/email",
    verified: Verified::True("/email_verified"),
    emails: NO_EMAILS,
};

const OPENID: &[&str] = &["openid", "email", "profile"];

const fn oidc(name: &'static str, issuer: Option<&'static str>, verified: &'static str) -> Known {
    Known { name, scopes: OPENID, pkce: true, protocol: Protocol::Oidc { issuer, verified } }
}

/// What is asked of an issuer of one's own.
pub const OWN: Known = oidc("", None, "/email_verified");

/// Every service that is known.
pub const KNOWN: &[Known] = &[
    // Entra says which addresses are verified in a claim that is asked for; `email` itself can be set by anybody
    oidc("azure", None, "/xms_edov"),
    Known {
        name: "bitbucket",
        scopes: &["account", "email"],
        pkce: true,
        protocol: Protocol::OAuth2 {
            issuer: "https://api.bitbucket.org/2.0",
            authorize: "https://bitbucket.org/site/oauth2/authorize",
            token: "https://bitbucket.org/site/oauth2/access_token",
            client_auth: ClientAuth::Form,
            user: "https://api.bitbucket.org/2.0/user",
            emails: Some("https://api.bitbucket.org/2.0/user/emails"),
            fields: Fields {
                id: "/uuid",
                name: "/display_name",
                user_name: "/username",
                picture: "/links/avatar/href",
                email: "",
                verified: Verified::Unsaid,
                emails: Emails {
                    list: "/values",
                    email: "/email",
                    primary: "/is_primary",
                    verified: "/is_confirmed",
                },
            },
        },
    },
    Known {
        name: "discord",
        scopes: &["email", "identify"],
        pkce: true,
        protocol: Protocol::OAuth2 {
            issuer: "https://discord.com/api",
            authorize: "https://discord.com/api/oauth2/authorize",
            token: "https://discord.com/api/oauth2/token",
            client_auth: ClientAuth::Form,
            user: "https://discord.com/api/users/@me",
            emails: None,
            fields: Fields {
                id: "/id",
                name: "/global_name",
                user_name: "/username",
                picture: "",
                email: "/email",
                verified: Verified::True("/verified"),
                emails: NO_EMAILS,
            },
        },
    },
    Known {
        name: "facebook",
        scopes: &["email"],
        pkce: true,
        protocol: Protocol::OAuth2 {
            issuer: "https://www.facebook.com",
            authorize: "https://www.facebook.com/dialog/oauth",
            token: "https://graph.facebook.com/oauth/access_token",
            client_auth: ClientAuth::Form,
            user: "https://graph.facebook.com/me?fields=id,name,email,picture",
            emails: None,
            fields: Fields {
                id: "/id",
                name: "/name",
                user_name: "",
                picture: "/picture/data/url",
                email: "/email",
                verified: Verified::Unsaid,
                emails: NO_EMAILS,
            },
        },
    },
    Known {
        name: "figma",
        scopes: &["current_user:read"],
        pkce: true,
        protocol: Protocol::OAuth2 {
            issuer: "https://api.figma.com",
            authorize: "https://www.figma.com/oauth",
            token: "https://api.figma.com/v1/oauth/token",
            client_auth: ClientAuth::Header,
            user: "https://api.figma.com/v1/me",
            emails: None,
            fields: Fields {
                id: "/id",
                name: "/handle",
                user_name: "",
                picture: "/img_url",
                email: "/email",
                verified: Verified::Unsaid,
                emails: NO_EMAILS,
            },
        },
    },
    Known {
        name: "github",
        scopes: &["user:email"],
        pkce: true,
        protocol: Protocol::OAuth2 {
            issuer: "https://api.github.com",
            authorize: "https://github.com/login/oauth/authorize",
            token: "https://github.com/login/oauth/access_token",
            client_auth: ClientAuth::Form,
            user: "https://api.github.com/user",
            emails: Some("https://api.github.com/user/emails"),
            fields: Fields {
                id: "/id",
                name: "/name",
                user_name: "/login",
                picture: "/avatar_url",
                email: "",
                verified: Verified::Unsaid,
                emails: Emails { list: "", email: "/email", primary: "/primary", verified: "/verified" },
            },
        },
    },
    Known {
        name: "gitlab",
        scopes: &["read_user"],
        pkce: true,
        protocol: Protocol::OAuth2 {
            issuer: "https://gitlab.com",
            authorize: "https://gitlab.com/oauth/authorize",
            token: "https://gitlab.com/oauth/token",
            client_auth: ClientAuth::Form,
            user: "https://gitlab.com/api/v4/user",
            emails: None,
            fields: Fields {
                id: "/id",
                name: "/name",
                user_name: "/username",
                picture: "/avatar_url",
                email: "/email",
                verified: Verified::Present("/confirmed_at"),
                emails: NO_EMAILS,
            },
        },
    },
    oidc("google", Some("https://accounts.google.com"), "/email_verified"),
    Known {
        name: "kakao",
        scopes: &["openid", "account_email", "profile_image", "profile_nickname"],
        pkce: true,
        protocol: Protocol::Oidc { issuer: Some("https://kauth.kakao.com"), verified: "/email_verified" },
    },
    oidc("keycloak", None, "/email_verified"),
    // its apps have to be registered as public ones to take PKCE
    Known { pkce: false, ..oidc("slack_oidc", Some("https://slack.com"), "/email_verified") },
    Known {
        name: "spotify",
        scopes: &["user-read-email"],
        pkce: true,
        protocol: Protocol::OAuth2 {
            issuer: "https://api.spotify.com/v1",
            authorize: "https://accounts.spotify.com/authorize",
            token: "https://accounts.spotify.com/api/token",
            client_auth: ClientAuth::Header,
            user: "https://api.spotify.com/v1/me",
            emails: None,
            fields: Fields {
                id: "/id",
                name: "/display_name",
                user_name: "",
                picture: "/images/0/url",
                email: "/email",
                // its documentation warns that nobody looked
                verified: Verified::Unsaid,
                emails: NO_EMAILS,
            },
        },
    },
];
