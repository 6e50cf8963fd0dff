//! ID tokens (OpenID Connect Core §3.1.3.7): who issued one, for whom, for which sign-in, until when. The issuer is
//! the one that the configuration names; nothing in a token says by which key or whose it is to be checked.

use super::jwk::Keys;
use crate::token::{self, TokenError};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

/// How far clocks may differ, in seconds.
const SKEW_S: i64 = 60;
/// Longest `sub`, in bytes (OpenID Connect Core §2).
const SUBJECT_BYTES: usize = 255;

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    /// The clients that it may be for.
    pub(crate) clients: &'a [&'a str],
    /// The nonce; none where the token must not have one.
    pub(crate) nonce: Option<&'a str>,
    /// The access token that came with it, where one did.
    pub(crate) access_token: Option<&'a str>,
    /// In seconds.
    pub(crate) now: i64,
}

/// Why a token is not taken. For the log; people hear one sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IdTokenError {
    #[error("the ID token does not verify: {0}")]
    Token(#[from] TokenError),
    #[error("the ID token has no object of claims")]
    Claims,
    #[error("the ID token is of another issuer")]
    Issuer,
    #[error("the ID token is for somebody else")]
    Audience,
    #[error("the ID token has ended or not begun")]
    Time,
    #[error("the ID token is for another sign-in")]
    Nonce,
    #[error("the ID token names nobody")]
    Subject,
    #[error("the ID token is for another access token")]
    AccessToken,
}

/// Verifies a token and gives its claims.
///
/// # Errors
/// Every [`IdTokenError`].
pub(crate) fn verify(
    token: &str,
    keys: &Keys,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, IdTokenError> {
    let parts = token::split(token)?;
    let payload = keys.verify(&parts)?;
    let claims: Map<String, Value> = serde_json::from_slice(&payload).map_err(|_| IdTokenError::Claims)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(IdTokenError::Issuer);
    }
    audience(&claims, expected.clients)?;
    let seconds = |name: &str| claims.get(name).and_then(Value::as_f64);
    let (exp, iat) = (seconds("exp").ok_or(IdTokenError::Time)?, seconds("iat").ok_or(IdTokenError::Time)?);
    let begins = seconds("nbf").map_or(iat, |nbf| nbf.max(iat));
    let (now, skew) = (expected.now as f64, SKEW_S as f64);
    // written so that what is no number does not pass
    if !(exp + skew > now && begins - skew <= now) {
        return Err(IdTokenError::Time);
    }
    let is_meant = match (text("nonce"), expected.nonce) {
        (Some(nonce), Some(expected)) => nonce.as_bytes().ct_eq(expected.as_bytes()).into(),
        (None, None) => !claims.contains_key("nonce"),
        (Some(_), None) | (None, Some(_)) => false,
    };
    if !is_meant {
        return Err(IdTokenError::Nonce);
    }
    if !text("sub").is_some_and(|sub| !sub.is_empty() && sub.len() <= SUBJECT_BYTES) {
        return Err(IdTokenError::Subject);
    }
    if let (Some(hash), Some(access_token)) = (claims.get("at_hash"), expected.access_token)
        && hash.as_str() != half_hash(parts.algorithm(), access_token).as_deref()
    {
        return Err(IdTokenError::AccessToken);
    }
    Ok(claims)
}

/// It is for one of these clients, and where it is for others, too, one of these asked for it.
fn audience(claims: &Map<String, Value>, clients: &[&str]) -> Result<(), IdTokenError> {
    let is_client = |one: &Value| one.as_str().is_some_and(|one| clients.contains(&one));
    let (is_ours, is_shared) = match claims.get("aud") {
        Some(Value::Array(all)) => (all.iter().any(is_client), all.len() > 1),
        Some(one) => (is_client(one), false),
        None => (false, false),
    };
    let party = claims.get("azp").map_or(!is_shared, is_client);
    if is_ours && party { Ok(()) } else { Err(IdTokenError::Audience) }
}

/// The left half of the hash of the algorithm; none where it has no hash that is known.
fn half_hash(algorithm: &str, access_token: &str) -> Option<String> {
    let text = access_token.as_bytes();
    let hash = match algorithm.get(2..) {
        Some("256") => Sha256::digest(text).to_vec(),
        Some("384") => Sha384::digest(text).to_vec(),
        // RS512; and Ed25519 hashes so within
        Some(_) | None => Sha512::digest(text).to_vec(),
    };
    Some(URL_SAFE_NO_PAD.encode(hash.get(..hash.len() / 2)?))
}
