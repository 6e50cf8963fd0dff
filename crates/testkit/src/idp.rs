//! [`Idp`]: a service to sign in with: a real HTTP server with keys of its own, that speaks OpenID Connect and what GitHub
//! speaks. It checks what a service has to check (the client's secret, PKCE, codes that are good once), and does any of
//! the things that a hostile or broken one would do. The browser is the test: it consents by [`Idp::consent`].

mod signed;

use crate::idp::signed::{KID, Signing};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use backstay_base::clock::Clock;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use url::{Url, form_urlencoded};

/// The client that is registered.
pub const CLIENT: (&str, &str) = ("backstay client", "s3cret & +/% of canary-client");

/// What it does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twist {
    /// Nothing.
    None,
    /// The ID token is signed with no key.
    AlgNone,
    /// The ID token is signed with the public key as a shared secret.
    PublicKeyAsSecret,
    /// The ID token is signed with a key that is not published, under the name of one that is.
    ForeignKey,
    /// The ID token is signed with a key that is not published.
    UnknownKey,
    /// The signature is cut off.
    NoSignature,
    /// The ID token names its own key.
    EmbeddedKey,
    /// A claim has another value.
    Claim(&'static str, Option<&'static str>),
    /// `exp` lies so many seconds from now.
    Expires(i64),
    /// `iat` lies so many seconds from now.
    Issued(i64),
    /// The ID token is for this client among others.
    Shared,
    /// There is no ID token.
    NoIdToken,
    /// The token endpoint answers so.
    Token(u16, &'static str),
    /// The token endpoint sends on to itself.
    TokenRedirects,
    /// The token endpoint answers with so many bytes.
    TokenHuge(usize),
    /// The token endpoint takes the request and does not answer.
    TokenHangs,
    /// Discovery tells of another issuer.
    DiscoveryForeign,
    /// Discovery answers so.
    Discovery(u16, &'static str),
    /// Discovery names a token endpoint that is not of the open internet.
    TokenInside(&'static str),
    /// The profile is of somebody else than the ID token, which has no address.
    OtherProfile,
}

/// A code that was given.
struct Grant {
    claims: Value,
    nonce: Option<String>,
    challenge: Option<String>,
    redirect_uri: String,
}

struct World {
    twist: Twist,
    /// Who is signed in there.
    person: Value,
    /// What GitHub's list of addresses says.
    emails: Value,
    /// Whether callbacks name their issuer, and discovery says so.
    names_itself: bool,
    grants: HashMap<String, Grant>,
    /// By access token.
    signed_in: HashMap<String, Value>,
    count: usize,
    asked: Vec<String>,
}

/// The service.
#[derive(Clone)]
pub struct Idp {
    /// Its issuer and address.
    pub url: String,
    clock: Clock,
    signing: Arc<Signing>,
    world: Arc<Mutex<World>>,
}

impl Idp {
    /// Starts one, on the time of a server.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start(clock: &Clock) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let world = World {
            twist: Twist::None,
            person: Value::Null,
            emails: json!([]),
            names_itself: false,
            grants: HashMap::new(),
            signed_in: HashMap::new(),
            count: 0,
            asked: Vec::new(),
        };
        let idp = Self {
            url,
            clock: clock.clone(),
            signing: Arc::new(Signing::new()),
            world: Arc::new(Mutex::new(world)),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(profile))
            .route("/user", get(profile))
            .route("/user/emails", get(emails))
            .with_state(idp.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        idp
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Who is signed in there from now on.
    pub fn sign_in(&self, person: Value) {
        self.world().person = person;
    }

    /// What the list of addresses says from now on.
    pub fn list(&self, emails: Value) {
        self.world().emails = emails;
    }

    /// What it does wrong from now on.
    pub fn twist(&self, twist: Twist) {
        self.world().twist = twist;
    }

    /// Whether callbacks name their issuer from now on.
    pub fn name_itself(&self, names: bool) {
        self.world().names_itself = names;
    }

    /// The paths that were asked for since the last look.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.world().asked)
    }

    /// What a browser is sent back to once the person agreed to what an address of this service asks.
    ///
    /// # Panics
    /// When it asks for something that a service refuses.
    #[must_use]
    pub fn consent(&self, location: &str) -> Url {
        let location: Url = location.parse().unwrap();
        let asked: HashMap<String, String> = location.query_pairs().into_owned().collect();
        assert_eq!(asked.len(), location.query_pairs().count(), "{location}");
        assert_eq!((asked["client_id"].as_str(), asked["response_type"].as_str()), (CLIENT.0, "code"));
        let mut world = self.world();
        world.count += 1;
        let code = format!("canary-authorization-code-{}", world.count);
        if let Some(method) = asked.get("code_challenge_method") {
            assert_eq!(method, "S256");
        }
        let grant = Grant {
            claims: world.person.clone(),
            nonce: asked.get("nonce").cloned(),
            challenge: asked.get("code_challenge").cloned(),
            redirect_uri: asked["redirect_uri"].clone(),
        };
        let mut back: Url = grant.redirect_uri.parse().unwrap();
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked["state"]);
        if world.names_itself {
            back.query_pairs_mut().append_pair("iss", &self.url);
        }
        world.grants.insert(code, grant);
        back
    }

    /// What an app of whoever is signed in gets from the service itself: an ID token and an access token.
    #[must_use]
    pub fn issue(&self, nonce: Option<&str>) -> (String, String) {
        let mut world = self.world();
        world.count += 1;
        let grant = Grant {
            claims: world.person.clone(),
            nonce: nonce.map(str::to_owned),
            challenge: None,
            redirect_uri: String::new(),
        };
        let access = format!("canary-provider-token-{}", world.count);
        world.signed_in.insert(access.clone(), grant.claims.clone());
        (self.id_token(&grant, world.twist, &access), access)
    }

    fn is_client(headers: &HeaderMap, form: &HashMap<String, String>) -> bool {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = STANDARD.encode(format!("{}:{}", encode(CLIENT.0), encode(CLIENT.1)));
        let basic = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let said = |name: &str| form.get(name).map(String::as_str);
        basic == Some(&format!("Basic {pair}"))
            || (said("client_id"), said("client_secret")) == (Some(CLIENT.0), Some(CLIENT.1))
    }

    /// The ID token of a grant, with what is wrong about it.
    fn id_token(&self, grant: &Grant, twist: Twist, access: &str) -> String {
        let now = self.clock.now_seconds();
        let hash = digest(&SHA256, access.as_bytes());
        let mut claims = grant.claims.clone();
        claims["iss"] = json!(self.url);
        claims["aud"] = json!(CLIENT.0);
        claims["iat"] = json!(now);
        claims["exp"] = json!(now + 300);
        claims["at_hash"] = json!(URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]));
        if let Some(nonce) = &grant.nonce {
            claims["nonce"] = json!(nonce);
        }
        match twist {
            Twist::Claim(name, Some(value)) => claims[name] = json!(value),
            Twist::Claim(name, None) => drop(claims.as_object_mut().unwrap().remove(name)),
            Twist::Expires(seconds) => claims["exp"] = json!(now + seconds),
            Twist::Issued(seconds) => claims["iat"] = json!(now + seconds),
            Twist::Shared => claims["aud"] = json!([CLIENT.0, "another client"]),
            Twist::OtherProfile => drop(claims.as_object_mut().unwrap().remove("email")),
            _ => {}
        }
        self.signing.sign(&claims, twist)
    }
}

fn answer(status: u16, body: impl Into<String>) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/json")], body.into()).into_response()
}

async fn discovery(State(idp): State<Idp>) -> Response {
    let mut world = idp.world();
    world.asked.push("discovery".to_owned());
    let (url, twist) = (&idp.url, world.twist);
    if let Twist::Discovery(status, body) = twist {
        return answer(status, body);
    }
    let issuer = if twist == Twist::DiscoveryForeign { "https://accounts.example.com" } else { url };
    let inside =
        if let Twist::TokenInside(inside) = twist { inside.to_owned() } else { format!("{url}/token") };
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{url}/authorize?tenant=1"),
        "token_endpoint": inside,
        "userinfo_endpoint": format!("{url}/userinfo"),
        "jwks_uri": format!("{url}/keys"),
        "authorization_response_iss_parameter_supported": world.names_itself,
    });
    answer(200, document.to_string())
}

async fn keys(State(idp): State<Idp>) -> Response {
    idp.world().asked.push("keys".to_owned());
    answer(200, json!({ "keys": [{"kty": "oct", "k": "AAAA", "kid": KID}, idp.signing.jwk()] }).to_string())
}

async fn token(State(idp): State<Idp>, headers: HeaderMap, body: Bytes) -> Response {
    let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let twist = {
        let mut world = idp.world();
        world.asked.push("token".to_owned());
        world.twist
    };
    match twist {
        Twist::Token(status, body) => return answer(status, body),
        Twist::TokenHuge(bytes) => return answer(200, "x".repeat(bytes)),
        Twist::TokenHangs => return std::future::pending().await,
        Twist::TokenRedirects => {
            return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/token")]).into_response();
        }
        _ => {}
    }
    let refused = |error: &str| answer(400, json!({ "error": error }).to_string());
    if !Idp::is_client(&headers, &form) {
        return refused("invalid_client");
    }
    let mut world = idp.world();
    let code = form.get("code").map(String::as_str).unwrap_or_default();
    // a code is good once
    let Some(grant) = world.grants.remove(code) else { return refused("invalid_grant") };
    let verifier = form
        .get("code_verifier")
        .map(|text| URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()).as_ref()));
    if grant.challenge != verifier || form.get("redirect_uri") != Some(&grant.redirect_uri) {
        return refused("invalid_grant");
    }
    let access = format!("canary-provider-token-{}", world.count);
    world.signed_in.insert(access.clone(), grant.claims.clone());
    let mut tokens = json!({
        "access_token": access,
        "refresh_token": format!("canary-provider-refresh-{}", world.count),
        "token_type": "Bearer",
        "expires_in": 3600,
    });
    if grant.nonce.is_some() && twist != Twist::NoIdToken {
        tokens["id_token"] = json!(idp.id_token(&grant, twist, &access));
    }
    answer(200, tokens.to_string())
}

async fn profile(State(idp): State<Idp>, headers: HeaderMap) -> Response {
    let mut world = idp.world();
    world.asked.push("profile".to_owned());
    let Some(mut person) = signed_in(&world, &headers) else { return answer(401, "{}") };
    if world.twist == Twist::OtherProfile {
        person["sub"] = json!("somebody else");
    }
    answer(200, person.to_string())
}

async fn emails(State(idp): State<Idp>, headers: HeaderMap) -> Response {
    let world = idp.world();
    match signed_in(&world, &headers) {
        Some(_) => answer(200, world.emails.to_string()),
        None => answer(401, "{}"),
    }
}

fn signed_in(world: &World, headers: &HeaderMap) -> Option<Value> {
    let token = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    world.signed_in.get(token).cloned()
}
