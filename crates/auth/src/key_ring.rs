//! [`KeyRing`]: every key that tokens and API keys are checked against, as loaded at
//! one moment. Replaced as a whole; `epoch` tells caches when that matters.

use crate::token::{self, SignKey, TokenError, VerifyKey};
use backstay_base::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::SigningKey;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use uuid::Uuid;

/// The keys of a project.
#[derive(Clone)]
pub struct KeyRing {
    /// Rises whenever the signing keys change: what verified before must verify again.
    pub epoch: u64,
    /// When it was loaded, in microseconds.
    pub loaded_at: i64,
    /// Access tokens are signed with this one.
    pub(crate) current: (String, SigningKey),
    /// Keys that access tokens may be signed with, by `kid`.
    pub(crate) signing: HashMap<String, SigningKey>,
    /// The HS256 secret of legacy API keys.
    pub(crate) legacy: Option<Secret<Vec<u8>>>,
    /// Derives the successors of refresh tokens.
    pub(crate) refresh: Secret<Vec<u8>>,
    /// Opaque API keys, by hash.
    pub(crate) api_keys: HashMap<String, ApiRole>,
}

/// What an API key may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiRole {
    /// For browsers and apps: nobody signed in.
    Publishable,
    /// For servers: passes the rules.
    Secret,
}

/// A public key as a JWK.
#[derive(Debug, Serialize)]
pub(crate) struct Jwk {
    kty: &'static str,
    crv: &'static str,
    x: String,
    y: String,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    key_ops: [&'static str; 1],
    ext: bool,
    kid: String,
}

impl KeyRing {
    /// Verifies the signature of an access token and gives its payload.
    ///
    /// # Errors
    /// Every [`TokenError`] but those of claims.
    pub fn verify(&self, token: &str) -> Result<Vec<u8>, TokenError> {
        let parts = token::split(token)?;
        let key = parts.kid.as_ref().and_then(|kid| self.signing.get(kid)).ok_or(TokenError::UnknownKey)?;
        parts.verify(&VerifyKey::Es256(*key.verifying_key()))
    }

    /// Verifies the signature of a legacy API key and gives its payload.
    ///
    /// # Errors
    /// As [`KeyRing::verify`].
    pub fn verify_legacy(&self, token: &str) -> Result<Vec<u8>, TokenError> {
        let secret = self.legacy.as_ref().ok_or(TokenError::UnknownKey)?;
        token::split(token)?.verify(&VerifyKey::Hs256(secret.expose().clone()))
    }

    /// Signs an access token.
    #[must_use]
    pub fn sign(&self, payload: &[u8]) -> String {
        let (kid, key) = &self.current;
        token::sign(&SignKey::Es256(key.clone()), Some(kid), payload)
    }

    /// The public keys, in order of their ids.
    pub(crate) fn jwks(&self) -> Vec<Jwk> {
        let mut keys: Vec<Jwk> = self.signing.iter().map(|(kid, key)| jwk(kid, key)).collect();
        keys.sort_by(|a, b| a.kid.cmp(&b.kid));
        keys
    }

    /// The refresh token that follows this one.
    pub(crate) fn successor(&self, refresh_token: &str) -> String {
        let derived = token::hmac_sha256(self.refresh.expose(), refresh_token.as_bytes());
        URL_SAFE_NO_PAD.encode(derived)
    }

    /// A secret for one purpose, made from what only this server knows.
    pub(crate) fn derived(&self, purpose: &str, text: &str) -> [u8; 32] {
        token::hmac_sha256(self.refresh.expose(), format!("{purpose} {text}").as_bytes())
    }

    /// What is stored of a short code: without the secret, six digits are soon guessed from their hash.
    pub(crate) fn code_hash(&self, token: Uuid, code: &str) -> String {
        let message = format!("code {token} {code}");
        URL_SAFE_NO_PAD.encode(token::hmac_sha256(self.refresh.expose(), message.as_bytes()))
    }
}

fn jwk(kid: &str, key: &SigningKey) -> Jwk {
    let point = key.verifying_key().to_encoded_point(false);
    let coordinate = |bytes: Option<&[u8]>| URL_SAFE_NO_PAD.encode(bytes.unwrap_or_default());
    Jwk {
        kty: "EC",
        crv: "P-256",
        x: coordinate(point.x().map(|x| &**x)),
        y: coordinate(point.y().map(|y| &**y)),
        alg: "ES256",
        usage: "sig",
        key_ops: ["verify"],
        ext: true,
        kid: kid.to_owned(),
    }
}

/// A new signing key from 32 random bytes; none in the rare case that they are no key.
#[must_use]
pub(crate) fn signing_key(random: &[u8; 32]) -> Option<SigningKey> {
    SigningKey::from_slice(random).ok()
}

/// A private key as stored: PKCS#8 in base64.
pub(crate) fn encode_private(key: &SigningKey) -> Option<String> {
    Some(STANDARD.encode(key.to_pkcs8_der().ok()?.as_bytes()))
}

/// A private key as it was stored.
pub(crate) fn decode_private(text: &str) -> Option<SigningKey> {
    SigningKey::from_pkcs8_der(&STANDARD.decode(text).ok()?).ok()
}

/// What is stored of a secret string.
#[must_use]
pub fn fingerprint(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{ApiRole, KeyRing, decode_private, encode_private, fingerprint, signing_key};
    use crate::token::{SignKey, TokenError, sign};
    use backstay_base::secret::Secret;
    use std::collections::HashMap;

    /// A ring whose signing key is made of `byte`.
    pub(crate) fn ring(byte: u8) -> KeyRing {
        let key = signing_key(&[byte; 32]).unwrap();
        let api_keys = HashMap::from([
            (fingerprint("sb_publishable_a"), ApiRole::Publishable),
            (fingerprint("sb_secret_a"), ApiRole::Secret),
        ]);
        KeyRing {
            epoch: 1,
            loaded_at: 0,
            current: (format!("kid-{byte}"), key.clone()),
            signing: HashMap::from([(format!("kid-{byte}"), key)]),
            legacy: Some(Secret::new(vec![byte; 32])),
            refresh: Secret::new(vec![byte; 32]),
            api_keys,
        }
    }

    #[test]
    fn keys_are_stored_and_read() {
        let key = signing_key(&[3; 32]).unwrap();
        assert_eq!(decode_private(&encode_private(&key).unwrap()), Some(key));
        assert_eq!(decode_private("nonsense"), None);
        assert!(signing_key(&[0; 32]).is_none());
        assert!(signing_key(&[255; 32]).is_none());
    }

    #[test]
    fn only_keys_of_the_ring_verify() {
        let (ours, theirs) = (ring(1), ring(2));
        let token = ours.sign(b"{}");
        assert_eq!(ours.verify(&token), Ok(b"{}".to_vec()));
        assert_eq!(theirs.verify(&token), Err(TokenError::UnknownKey));
        let claims_our_kid = sign(&SignKey::Es256(theirs.current.1.clone()), Some("kid-1"), b"{}");
        assert_eq!(ours.verify(&claims_our_kid), Err(TokenError::Signature));
        let no_kid = sign(&SignKey::Es256(ours.current.1.clone()), None, b"{}");
        assert_eq!(ours.verify(&no_kid), Err(TokenError::UnknownKey));
        for kid in ["../kid-1", "kid-1'--", "KID-1", ""] {
            let token = sign(&SignKey::Es256(ours.current.1.clone()), Some(kid), b"{}");
            assert_eq!(ours.verify(&token), Err(TokenError::UnknownKey), "{kid}");
        }
        let legacy = sign(&SignKey::Hs256(vec![1; 32]), Some("kid-1"), b"{}");
        assert_eq!(ours.verify(&legacy), Err(TokenError::Algorithm));
        assert_eq!(ours.verify_legacy(&token), Err(TokenError::Algorithm));
        assert_eq!(ours.verify_legacy(&legacy), Ok(b"{}".to_vec()));
        assert_eq!(theirs.verify_legacy(&legacy), Err(TokenError::Signature));
        assert_eq!(KeyRing { legacy: None, ..ours }.verify_legacy(&legacy), Err(TokenError::UnknownKey));
    }

    #[test]
    fn public_keys_hold_nothing_private() {
        let jwks = serde_json::to_value(ring(1).jwks()).unwrap();
        let mut names: Vec<&String> = jwks[0].as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["alg", "crv", "ext", "key_ops", "kid", "kty", "use", "x", "y"]);
    }

    #[test]
    fn successors_are_repeatable_and_secret() {
        assert_eq!(ring(1).successor("a"), ring(1).successor("a"));
        assert_ne!(ring(1).successor("a"), ring(1).successor("b"));
        assert_ne!(ring(1).successor("a"), ring(2).successor("a"));
        assert_eq!(ring(1).successor("a").len(), 43);
    }
}
