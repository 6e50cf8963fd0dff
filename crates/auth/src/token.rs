//! Compact JWS: only what Backstay itself signs, ES256 and (legacy keys) HS256. The
//! algorithm comes from the key record, never from the token; the header merely names
//! the key. Nothing in a header is fetched, embedded keys are not looked at.
//!
//! Source: RFC 7515, RFC 7518 §3, RFC 8725.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::Sha256;

/// Longest token that is looked at, in bytes.
pub const TOKEN_BYTES: usize = 8 * 1024;
/// Shortest HMAC secret, in bytes.
pub const SECRET_BYTES: usize = 32;

/// A key to verify with; its variant is its one algorithm.
#[derive(Clone)]
pub enum VerifyKey {
    /// ECDSA on P-256 with SHA-256.
    Es256(VerifyingKey),
    /// HMAC with SHA-256.
    Hs256(Vec<u8>),
}

/// A key to sign with.
#[derive(Clone)]
pub enum SignKey {
    /// ECDSA on P-256 with SHA-256.
    Es256(SigningKey),
    /// HMAC with SHA-256.
    Hs256(Vec<u8>),
}

/// Why a token does not verify. For logs and tests; callers hear one sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not three parts of base64url, or no JSON header.
    #[error("token is not a compact JWS")]
    Malformed,
    /// `crit`, `zip` or `b64` in the header.
    #[error("token has a header that is not understood")]
    Header,
    /// No key of this id.
    #[error("no key for this token")]
    UnknownKey,
    /// The header names another algorithm than the key has.
    #[error("wrong algorithm for this key")]
    Algorithm,
    /// The signature does not fit.
    #[error("invalid signature")]
    Signature,
    /// Claims are missing, of the wrong kind or for somebody else.
    #[error("invalid claims")]
    Claims,
    /// `exp` has passed.
    #[error("token is expired")]
    Expired,
    /// `iat` or `nbf` lies ahead.
    #[error("token is not valid yet")]
    Early,
}

/// A token taken apart, not verified.
#[derive(Debug)]
pub struct Parts<'a> {
    /// `kid` of the header.
    pub kid: Option<String>,
    algorithm: String,
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<IgnoredAny>,
    zip: Option<IgnoredAny>,
    b64: Option<IgnoredAny>,
}

/// Takes a token apart.
///
/// # Errors
/// [`TokenError::Malformed`], [`TokenError::Header`].
pub fn split(token: &str) -> Result<Parts<'_>, TokenError> {
    if token.len() > TOKEN_BYTES {
        return Err(TokenError::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed);
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Malformed)?;
    if header.crit.is_some() || header.zip.is_some() || header.b64.is_some() {
        return Err(TokenError::Header);
    }
    Ok(Parts { kid: header.kid, algorithm: header.alg, signed, payload, signature: decode(signature)? })
}

impl Parts<'_> {
    /// `alg` of the header, to be compared with what a key is for.
    pub(crate) fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// What was signed, and the signature.
    pub(crate) fn signed(&self) -> (&[u8], &[u8]) {
        (self.signed.as_bytes(), &self.signature)
    }

    /// What is said, whoever says it.
    pub(crate) fn unverified_payload(&self) -> Result<Vec<u8>, TokenError> {
        URL_SAFE_NO_PAD.decode(self.payload).map_err(|_| TokenError::Malformed)
    }

    /// Verifies the signature with this key and gives the payload.
    ///
    /// # Errors
    /// [`TokenError::Algorithm`], [`TokenError::Signature`], [`TokenError::Malformed`].
    pub fn verify(&self, key: &VerifyKey) -> Result<Vec<u8>, TokenError> {
        let (name, good) = match key {
            VerifyKey::Es256(key) => ("ES256", self.es256(key)),
            VerifyKey::Hs256(secret) => ("HS256", self.hs256(secret)),
        };
        if self.algorithm != name {
            return Err(TokenError::Algorithm);
        }
        if !good {
            return Err(TokenError::Signature);
        }
        self.unverified_payload()
    }

    fn es256(&self, key: &VerifyingKey) -> bool {
        // A signature with a zero in it is not made at all (CVE-2022-21449).
        let signature = Signature::from_slice(&self.signature);
        signature.is_ok_and(|signature| key.verify(self.signed.as_bytes(), &signature).is_ok())
    }

    fn hs256(&self, secret: &[u8]) -> bool {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return false };
        mac.update(self.signed.as_bytes());
        secret.len() >= SECRET_BYTES && mac.verify_slice(&self.signature).is_ok()
    }
}

/// Signs a payload of JSON.
#[must_use]
pub fn sign(key: &SignKey, kid: Option<&str>, payload: &[u8]) -> String {
    let name = match key {
        SignKey::Es256(_) => "ES256",
        SignKey::Hs256(_) => "HS256",
    };
    let header = match kid {
        Some(kid) => serde_json::json!({ "alg": name, "kid": kid, "typ": "JWT" }),
        None => serde_json::json!({ "alg": name, "typ": "JWT" }),
    };
    let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(payload));
    let signature = match key {
        SignKey::Es256(key) => {
            let signature: Signature = key.sign(token.as_bytes());
            signature.to_bytes().to_vec()
        }
        SignKey::Hs256(secret) => hmac_sha256(secret, token.as_bytes()).to_vec(),
    };
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature));
    token
}

/// HMAC with SHA-256; any length of key is one.
#[must_use]
pub fn hmac_sha256(secret: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
