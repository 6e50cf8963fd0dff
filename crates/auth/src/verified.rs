//! Access tokens: their claims, and a bounded memory of those that verified. ES256 costs
//! more than the rest of a request, so a token is verified once per ring of keys.

use crate::key_ring::KeyRing;
use crate::settings::Settings;
use crate::token::TokenError;
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// `aud` and `role` of a signed-in account's token.
pub const AUTHENTICATED: &str = "authenticated";
/// How far `iat` and `nbf` may lie ahead, in seconds: clocks of several nodes differ.
const SKEW_S: i64 = 30;

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Who made it.
    pub iss: String,
    /// Account id.
    pub sub: Uuid,
    /// For whom: `authenticated`.
    pub aud: String,
    /// End, in seconds.
    pub exp: i64,
    /// Start, in seconds.
    pub iat: i64,
    /// E-mail address, or empty.
    pub email: String,
    /// Phone number, or empty.
    pub phone: String,
    /// Set by the server.
    pub app_metadata: Map<String, Value>,
    /// Set by the account itself.
    pub user_metadata: Map<String, Value>,
    /// `authenticated`.
    pub role: String,
    /// `aal1` or `aal2`.
    pub aal: String,
    /// How it signed in.
    pub amr: Vec<Method>,
    /// Session id.
    pub session_id: Uuid,
    /// Without e-mail and password.
    pub is_anonymous: bool,
    /// Not before, in seconds; Backstay writes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
}

/// One way in which a session signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// `password`, `anonymous`, …
    pub method: String,
    /// When, in seconds.
    pub timestamp: i64,
}

/// A token that verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// Its claims.
    pub claims: Claims,
    /// The same, as rules see them: all claims but `user_metadata`.
    pub for_rules: Arc<Map<String, Value>>,
    epoch: u64,
}

/// Tokens that verified.
pub struct VerifiedTokens {
    cache: Cache<Token, Arc<Verified>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// A token as it was sent: found by the end of its signature, which is compared in constant time, and
/// compared whole. Who knows that end has seen the token: the time that the rest takes tells nothing
/// new, and constant time over all of it took a twentieth of the work of a read. A digest of the whole token would cost as much as all the rest of knowing a caller,
/// and hide little: the signing keys stand in the same memory.
#[derive(Eq)]
struct Token(Box<str>);

/// The same, borrowed.
struct Shown<'t>(&'t str);

/// Bytes of a signature that tell tokens apart.
const TAIL_BYTES: usize = 32;

fn tail(token: &str) -> &[u8] {
    let bytes = token.as_bytes();
    bytes.get(bytes.len().saturating_sub(TAIL_BYTES)..).unwrap_or_default()
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        is_same(&self.0, &other.0)
    }
}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        tail(&self.0).hash(state);
    }
}

impl Hash for Shown<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        tail(self.0).hash(state);
    }
}

impl Equivalent<Token> for Shown<'_> {
    fn equivalent(&self, token: &Token) -> bool {
        is_same(self.0, &token.0)
    }
}

fn is_same(shown: &str, known: &str) -> bool {
    bool::from(tail(shown).ct_eq(tail(known))) && shown == known
}

impl VerifiedTokens {
    /// Remembers at most `capacity` tokens.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { cache: Cache::new(capacity), hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// How many were found in memory, and how many were not.
    pub(crate) fn found(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }

    /// Verifies a token, from memory where it can. `now` is in seconds.
    ///
    /// # Errors
    /// Every [`TokenError`].
    pub fn verify(
        &self,
        token: &str,
        ring: &KeyRing,
        settings: &Settings,
        now: i64,
    ) -> Result<Arc<Verified>, TokenError> {
        if let Some(known) = self.cache.get(&Shown(token)).filter(|known| known.epoch == ring.epoch) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            check_time(&known.claims, now)?;
            return Ok(known);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let payload = ring.verify(token)?;
        let mut verified = read(&payload, ring.epoch)?;
        check(&verified.claims, settings)?;
        check_time(&verified.claims, now)?;
        // two requests may verify it at once, or a new ring: what is kept for a caller is found by
        // comparing claims, and the very same ones are equal at a glance
        if let Some(known) =
            self.cache.get(&Shown(token)).filter(|known| known.for_rules == verified.for_rules)
        {
            verified.for_rules = Arc::clone(&known.for_rules);
        }
        let verified = Arc::new(verified);
        self.cache.insert(Token(token.into()), Arc::clone(&verified));
        Ok(verified)
    }
}

/// Reads claims; a claim that stands there twice is refused.
fn read(payload: &[u8], epoch: u64) -> Result<Verified, TokenError> {
    let claims: Claims = serde_json::from_slice(payload).map_err(|_| TokenError::Claims)?;
    let mut for_rules: Map<String, Value> =
        serde_json::from_slice(payload).map_err(|_| TokenError::Claims)?;
    for_rules.remove("user_metadata");
    Ok(Verified { claims, for_rules: Arc::new(for_rules), epoch })
}

fn check(claims: &Claims, settings: &Settings) -> Result<(), TokenError> {
    let issued_here = claims.iss == settings.issuer || !settings.issuer_is_public;
    let ours = issued_here && claims.aud == AUTHENTICATED && claims.role == AUTHENTICATED;
    let level = matches!(claims.aal.as_str(), "aal1" | "aal2");
    if ours && level { Ok(()) } else { Err(TokenError::Claims) }
}

fn check_time(claims: &Claims, now: i64) -> Result<(), TokenError> {
    if claims.exp <= now {
        return Err(TokenError::Expired);
    }
    let ahead = claims.iat.max(claims.nbf.unwrap_or(claims.iat));
    if ahead > now.saturating_add(SKEW_S) {
        return Err(TokenError::Early);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Claims, Method, VerifiedTokens};
    use crate::key_ring::tests::ring;
    use crate::settings::Settings;
    use crate::token::TokenError;
    use serde_json::{Map, Value};
    use std::sync::Arc;
    use uuid::Uuid;

    fn claims() -> Claims {
        Claims {
            iss: Settings::default().issuer,
            sub: Uuid::nil(),
            aud: "authenticated".to_owned(),
            exp: 1000,
            iat: 100,
            email: "a@b.cd".to_owned(),
            phone: String::new(),
            app_metadata: Map::new(),
            user_metadata: Map::from_iter([("k".to_owned(), Value::Null)]),
            role: "authenticated".to_owned(),
            aal: "aal1".to_owned(),
            amr: vec![Method { method: "password".to_owned(), timestamp: 100 }],
            session_id: Uuid::nil(),
            is_anonymous: false,
            nbf: None,
        }
    }

    fn check(payload: &[u8], now: i64) -> Result<Claims, TokenError> {
        let ring = ring(1);
        let tokens = VerifiedTokens::new(16);
        let token = ring.sign(payload);
        let verified = tokens.verify(&token, &ring, &Settings::default(), now).map(|one| one.claims.clone());
        let again = tokens.verify(&token, &ring, &Settings::default(), now).map(|one| one.claims.clone());
        assert_eq!(verified, again, "memory and key agree");
        verified
    }

    fn changed(change: impl Fn(&mut Map<String, Value>)) -> Vec<u8> {
        let Value::Object(mut map) = serde_json::to_value(claims()).unwrap() else { panic!("an object") };
        change(&mut map);
        serde_json::to_vec(&map).unwrap()
    }

    #[test]
    fn claims_round_trip_and_rules_do_not_see_user_metadata() {
        assert_eq!(check(&changed(|_| {}), 500), Ok(claims()));
        let ring = ring(1);
        let token = ring.sign(&changed(|_| {}));
        let verified = VerifiedTokens::new(1).verify(&token, &ring, &Settings::default(), 500).unwrap();
        assert!(verified.for_rules.contains_key("app_metadata"));
        assert!(!verified.for_rules.contains_key("user_metadata"));
    }

    #[test]
    fn a_known_token_is_known_whole() {
        let ring = ring(1);
        let tokens = VerifiedTokens::new(16);
        let token = ring.sign(&changed(|_| {}));
        let ask = |token: &str| tokens.verify(token, &ring, &Settings::default(), 500).map(|_| ());
        assert_eq!(ask(&token), Ok(()));
        // the same end after other claims, another start, and a piece of it
        let other = ring.sign(&changed(|map| {
            map.insert("sub".into(), Uuid::max().to_string().into());
        }));
        let (claims, _) = other.rsplit_once('.').unwrap();
        let (_, signature) = token.rsplit_once('.').unwrap();
        for forged in [
            format!("{claims}.{signature}"),
            format!("x{token}"),
            format!(" {token}"),
            token[1..].to_owned(),
            token[token.len() - 40..].to_owned(),
            String::new(),
        ] {
            assert!(ask(&forged).is_err(), "{forged}");
        }
        assert_eq!(ask(&token), Ok(()));
    }

    #[test]
    fn time_is_checked_on_every_use() {
        let ring = ring(1);
        let tokens = VerifiedTokens::new(16);
        let token = ring.sign(&changed(|_| {}));
        let at = |now| tokens.verify(&token, &ring, &Settings::default(), now).map(|_| ());
        assert_eq!(at(999), Ok(()));
        assert_eq!(at(1000), Err(TokenError::Expired));
        assert_eq!(at(70), Ok(()));
        assert_eq!(at(69), Err(TokenError::Early));
        assert_eq!(
            check(
                &changed(|map| {
                    map.insert("nbf".into(), 600.into());
                }),
                500
            ),
            Err(TokenError::Early)
        );
        assert_eq!(
            check(
                &changed(|map| {
                    map.insert("exp".into(), i64::MIN.into());
                }),
                500
            ),
            Err(TokenError::Expired)
        );
    }

    #[test]
    fn tokens_for_others_are_refused() {
        let cases: [(&str, Value); 10] = [
            ("iss", "http://evil.example/auth/v1".into()),
            ("iss", Value::Null),
            ("aud", "anon".into()),
            ("aud", serde_json::json!(["authenticated"])),
            ("role", "service_role".into()),
            ("role", "anon".into()),
            ("sub", "admin".into()),
            ("session_id", "".into()),
            ("aal", "aal9".into()),
            ("exp", "9999999999".into()),
        ];
        for (name, value) in cases {
            let payload = changed(|map| {
                map.insert(name.into(), value.clone());
            });
            assert_eq!(check(&payload, 500), Err(TokenError::Claims), "{name}");
        }
        for name in ["iss", "sub", "aud", "exp", "iat", "role", "aal", "session_id"] {
            let payload = changed(|map| {
                map.remove(name);
            });
            assert_eq!(check(&payload, 500), Err(TokenError::Claims), "{name}");
        }
    }

    #[test]
    fn a_claim_that_stands_there_twice_is_refused() {
        let text = String::from_utf8(changed(|_| {})).unwrap();
        let twice = text.replacen('{', r#"{"sub":"00000000-0000-0000-0000-000000000001","#, 1);
        assert_eq!(check(twice.as_bytes(), 500), Err(TokenError::Claims));
        assert_eq!(check(b"[]", 500), Err(TokenError::Claims));
        assert_eq!(check(b"\xff", 500), Err(TokenError::Claims));
    }

    #[test]
    fn a_new_ring_forgets_what_verified() {
        let old = ring(1);
        let tokens = VerifiedTokens::new(16);
        let token = old.sign(&changed(|_| {}));
        assert!(tokens.verify(&token, &old, &Settings::default(), 500).is_ok());
        let mut new = ring(2);
        new.epoch = 2;
        let refused = tokens.verify(&token, &new, &Settings::default(), 500);
        assert_eq!(refused.err(), Some(TokenError::UnknownKey));
    }

    #[test]
    fn claims_that_verify_again_are_the_very_same() {
        let old = ring(1);
        let mut new = ring(1);
        new.epoch = 2;
        let tokens = VerifiedTokens::new(16);
        let token = old.sign(&changed(|_| {}));
        let [first, second] =
            [&old, &new].map(|ring| tokens.verify(&token, ring, &Settings::default(), 500).unwrap());
        assert_ne!(first.epoch, second.epoch);
        assert!(Arc::ptr_eq(&first.for_rules, &second.for_rules));
    }

    #[test]
    fn memory_is_bounded() {
        let ring = ring(1);
        let tokens = VerifiedTokens::new(4);
        for minute in 0..50 {
            let token = ring.sign(&changed(|map| {
                map.insert("iat".into(), minute.into());
            }));
            assert!(tokens.verify(&token, &ring, &Settings::default(), 500).is_ok());
        }
        assert!(tokens.cache.len() <= 4);
    }
}
