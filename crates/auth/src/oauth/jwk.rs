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

#[cfg(test)]
mod tests {
    use super::Keys;
    use crate::token::{TokenError, split};
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::rand::SystemRandom;
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    };
    use serde_json::{Value, json};

    type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

    fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm, curve: &str, width: usize) -> (Value, Sign) {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
        let point = pair.public_key().as_ref()[1..].to_vec();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[..width]), URL_SAFE_NO_PAD.encode(&point[width..]));
        let sign = move |text: &[u8]| pair.sign(&SystemRandom::new(), text).unwrap().as_ref().to_vec();
        (json!({ "kty": "EC", "crv": curve, "x": x, "y": y }), Box::new(sign))
    }

    /// Keys of a kind each, with the algorithm that they sign by.
    fn pairs() -> Vec<(&'static str, Value, Sign)> {
        let (p256, by_p256) = ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256", 32);
        let (p384, by_p384) = ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384", 48);
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
        let ed = json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(pair.public_key()) });
        let by_ed: Sign = Box::new(move |text| pair.sign(text).as_ref().to_vec());
        vec![("ES256", p256, by_p256), ("ES384", p384, by_p384), ("EdDSA", ed, by_ed)]
    }

    fn token(algorithm: &str, kid: Option<&str>, sign: &Sign) -> String {
        let mut header = json!({ "alg": algorithm });
        if let Some(kid) = kid {
            header["kid"] = json!(kid);
        }
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode("{}"));
        let signature = sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn keys(keys: &[Value]) -> Keys {
        Keys::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    fn verify(keys: &Keys, token: &str) -> Result<(), TokenError> {
        keys.verify(&split(token).unwrap()).map(drop)
    }

    #[test]
    fn each_kind_of_key_verifies_what_it_signed_and_nothing_else() {
        let pairs = pairs();
        for (name, key, sign) in &pairs {
            let own = keys(std::slice::from_ref(key));
            assert_eq!(verify(&own, &token(name, None, sign)), Ok(()), "{name}");
            for algorithm in ["none", "HS256", "RS256", "PS256", "ES256", "ES384", "EdDSA", "es256", ""] {
                if algorithm != *name {
                    let wrong = verify(&own, &token(algorithm, None, sign));
                    assert_eq!(wrong, Err(TokenError::Algorithm), "{name} {algorithm}");
                }
            }
            for (other, _, foreign) in pairs.iter().filter(|(other, ..)| other != name) {
                assert_eq!(verify(&own, &token(name, None, foreign)), Err(TokenError::Signature), "{other}");
            }
        }
        // RFC 8037, appendix A.4
        let rfc = keys(&[json!({
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        })]);
        let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        assert_eq!(verify(&rfc, signed), Ok(()));
    }

    #[test]
    fn keys_are_found_by_name_and_are_for_what_they_say() {
        let pairs = pairs();
        let (name, key, sign) = &pairs[0];
        let with = |name: &str, value: &str| {
            let mut key = key.clone();
            key[name] = json!(value);
            key
        };
        let two = keys(&[with("kid", "a"), pairs[1].1.clone()]);
        assert_eq!(verify(&two, &token(name, Some("a"), sign)), Ok(()));
        assert_eq!(verify(&two, &token(name, Some("b"), sign)), Err(TokenError::UnknownKey));
        // without a name whichever fits
        assert_eq!(verify(&two, &token(name, None, sign)), Ok(()));
        assert_eq!(
            verify(&keys(&[with("use", "enc")]), &token(name, None, sign)),
            Err(TokenError::UnknownKey)
        );
        assert_eq!(
            verify(&keys(&[with("alg", "RS256")]), &token(name, None, sign)),
            Err(TokenError::Algorithm)
        );
        assert_eq!(verify(&keys(&[with("alg", "ES256")]), &token(name, None, sign)), Ok(()));
        // what is no key is passed over
        let odd = [
            json!({ "kty": "oct", "k": "AAAA" }),
            json!(7),
            json!({ "kty": "EC" }),
            with("x", "AA"),
            with("crv", "P-521"),
        ];
        assert_eq!(verify(&keys(&odd), &token(name, None, sign)), Err(TokenError::UnknownKey));
        assert!(Keys::read(b"[]").is_none() && Keys::read(b"{}").is_none());
    }
}
