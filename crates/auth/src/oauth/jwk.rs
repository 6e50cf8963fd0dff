//! [`Keys`]: public keys of another service (RFC 7517). A key is for the algorithms of its kind and no other, so that
//! a public key is never taken for a shared secret; kinds that are not known are passed over.

use crate::token::{Parts, TokenError};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;

/// Most keys of a service that are kept.
const MOST: usize = 64;

/// The keys of a service.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys(Vec<Key>);

#[derive(Debug, Clone)]
struct Key {
    kid: Option<String>,
    /// The one algorithm that the service says it is for, where it says so.
    algorithm: Option<String>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// Reads a key set.
    pub(crate) fn read(document: &[u8]) -> Option<Self> {
        let document: Document = serde_json::from_slice(document).ok()?;
        let keys = document.keys.into_iter().filter_map(|key| key_of(serde_json::from_value(key).ok()?));
        Some(Self(keys.take(MOST).collect()))
    }

    /// Verifies a token and gives its payload.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`] where no key may be meant; else as the last key that was tried.
    pub(crate) fn verify(&self, parts: &Parts<'_>) -> Result<Vec<u8>, TokenError> {
        let meant = |key: &&Key| match (&parts.kid, &key.kid) {
            (Some(wanted), Some(kid)) => wanted == kid,
            // a service with one key need not name it
            (None, _) => true,
            (Some(_), None) => self.0.len() == 1,
        };
        let mut wrong = TokenError::UnknownKey;
        for key in self.0.iter().filter(meant) {
            match key.verify(parts) {
                Ok(()) => return parts.unverified_payload(),
                Err(error) => wrong = error,
            }
        }
        Err(wrong)
    }
}

impl Key {
    fn verify(&self, parts: &Parts<'_>) -> Result<(), TokenError> {
        let name = parts.algorithm();
        if self.algorithm.as_ref().is_some_and(|algorithm| algorithm != name) {
            return Err(TokenError::Algorithm);
        }
        let (signed, signature) = parts.signed();
        let point = |algorithm: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(algorithm, key).verify(signed, signature)
        };
        let done = match (&self.kind, name) {
            (Kind::Rsa { n, e }, _) => {
                let parameters = match name {
                    "RS256" => &RSA_PKCS1_2048_8192_SHA256,
                    "RS384" => &RSA_PKCS1_2048_8192_SHA384,
                    "RS512" => &RSA_PKCS1_2048_8192_SHA512,
                    "PS256" => &RSA_PSS_2048_8192_SHA256,
                    // whatever a token may say
                    _ => return Err(TokenError::Algorithm),
                };
                RsaPublicKeyComponents { n, e }.verify(parameters, signed, signature)
            }
            (Kind::P256(key), "ES256") => point(&ECDSA_P256_SHA256_FIXED, key),
            (Kind::P384(key), "ES384") => point(&ECDSA_P384_SHA384_FIXED, key),
            (Kind::Ed25519(key), "EdDSA" | "Ed25519") => point(&ED25519, key),
            // none, HS256, or a key of another kind
            _ => return Err(TokenError::Algorithm),
        };
        done.map_err(|_| TokenError::Signature)
    }
}

fn key_of(jwk: Jwk) -> Option<Key> {
    if jwk.usage.as_ref().is_some_and(|usage| usage != "sig") {
        return None;
    }
    let bytes = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?.trim_end_matches('=')).ok();
    let uncompressed = |x: Option<String>, y: Option<String>, width: usize| {
        let (x, y) = (bytes(x)?, bytes(y)?);
        (x.len() == width && y.len() == width).then(|| [&[4_u8][..], &x, &y].concat())
    };
    let kind = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => Kind::Rsa { n: bytes(jwk.n)?, e: bytes(jwk.e)? },
        ("EC", Some("P-256")) => Kind::P256(uncompressed(jwk.x, jwk.y, 32)?),
        ("EC", Some("P-384")) => Kind::P384(uncompressed(jwk.x, jwk.y, 48)?),
        ("OKP", Some("Ed25519")) => Kind::Ed25519(bytes(jwk.x)?),
        // shared secrets, and whatever else there may be
        _ => return None,
    };
    Some(Key { kid: jwk.kid, algorithm: jwk.alg, kind })
}
