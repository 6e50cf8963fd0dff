//! ID tokens as a service signs them, and as nobody should take them.

use crate::idp::Twist;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

/// The name of the published key.
pub(crate) const KID: &str = "key-1";
/// An RSA key of 2048 bits, for tests alone: to make one takes longer than to run them.
const KEY: &str = include_str!("key.txt");

/// The keys of a service.
pub(crate) struct Signing {
    published: RsaKeyPair,
    foreign: EcdsaKeyPair,
    random: SystemRandom,
}

impl Signing {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let der = STANDARD.decode(KEY.lines().collect::<String>()).unwrap();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let foreign = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let foreign = EcdsaKeyPair::from_pkcs8(algorithm, foreign.as_ref(), &random).unwrap();
        Self { published: RsaKeyPair::from_pkcs8(&der).unwrap(), foreign, random }
    }

    fn public(&self) -> PublicKeyComponents<Vec<u8>> {
        self.published.public().into()
    }

    /// The published key.
    pub(crate) fn jwk(&self) -> Value {
        let PublicKeyComponents { n, e } = self.public();
        let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
        json!({ "kty": "RSA", "use": "sig", "kid": KID, "n": n, "e": e })
    }

    /// A token of these claims, signed as `twist` has it.
    pub(crate) fn sign(&self, claims: &Value, twist: Twist) -> String {
        let header = match twist {
            Twist::AlgNone => json!({ "alg": "none", "typ": "JWT" }),
            Twist::PublicKeyAsSecret => json!({ "alg": "HS256", "kid": KID }),
            Twist::ForeignKey => json!({ "alg": "ES256", "kid": KID }),
            Twist::UnknownKey => json!({ "alg": "ES256", "kid": "key-2" }),
            Twist::EmbeddedKey => {
                let point = self.foreign.public_key().as_ref();
                let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
                json!({ "alg": "ES256", "jwk": { "kty": "EC", "crv": "P-256", "x": x, "y": y } })
            }
            _ => json!({ "alg": "RS256", "kid": KID, "typ": "JWT" }),
        };
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature = match twist {
            Twist::AlgNone | Twist::NoSignature => Vec::new(),
            Twist::PublicKeyAsSecret => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &self.public().n);
                hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
            Twist::ForeignKey | Twist::UnknownKey | Twist::EmbeddedKey => {
                self.foreign.sign(&self.random, signed.as_bytes()).unwrap().as_ref().to_vec()
            }
            _ => {
                let mut signature = vec![0; self.published.public().modulus_len()];
                self.published
                    .sign(&RSA_PKCS1_SHA256, &self.random, signed.as_bytes(), &mut signature)
                    .unwrap();
                signature
            }
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
