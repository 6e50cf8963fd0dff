//! Tests: forged, confused, truncated and repacked tokens.

use super::{Parts, SignKey, TokenError, VerifyKey, sign, split};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::SigningKey;
use p256::pkcs8::EncodePublicKey;

fn key(byte: u8) -> SigningKey {
    SigningKey::from_slice(&[byte; 32]).unwrap()
}

fn verify(token: &str, key: &VerifyKey) -> Result<Vec<u8>, TokenError> {
    split(token).and_then(|parts: Parts<'_>| parts.verify(key))
}

fn es256() -> VerifyKey {
    VerifyKey::Es256(*key(7).verifying_key())
}

fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

const PAYLOAD: &[u8] = br#"{"sub":"a"}"#;

#[test]
fn what_was_signed_verifies() {
    let token = sign(&SignKey::Es256(key(7)), Some("k"), PAYLOAD);
    assert_eq!(split(&token).unwrap().kid.as_deref(), Some("k"));
    assert_eq!(verify(&token, &es256()), Ok(PAYLOAD.to_vec()));
    let secret = vec![9; 32];
    let token = sign(&SignKey::Hs256(secret.clone()), None, PAYLOAD);
    assert_eq!(verify(&token, &VerifyKey::Hs256(secret)), Ok(PAYLOAD.to_vec()));
}

#[test]
fn another_key_or_payload_does_not() {
    let token = sign(&SignKey::Es256(key(8)), Some("k"), PAYLOAD);
    assert_eq!(verify(&token, &es256()), Err(TokenError::Signature));
    let good = sign(&SignKey::Es256(key(7)), Some("k"), PAYLOAD);
    let parts: Vec<&str> = good.split('.').collect();
    let forged = format!("{}.{}.{}", parts[0], encoded(r#"{"sub":"b"}"#), parts[2]);
    assert_eq!(verify(&forged, &es256()), Err(TokenError::Signature));
    let weak = sign(&SignKey::Hs256(vec![1; 31]), None, PAYLOAD);
    assert_eq!(verify(&weak, &VerifyKey::Hs256(vec![1; 31])), Err(TokenError::Signature));
}

#[test]
fn every_truncation_is_refused() {
    let token = sign(&SignKey::Es256(key(7)), Some("k"), PAYLOAD);
    for length in 0..token.len() {
        assert!(verify(&token[..length], &es256()).is_err(), "{length}");
    }
    for longer in [format!("{token}A"), format!("{token}."), format!("{token}="), format!(".{token}")] {
        assert!(verify(&longer, &es256()).is_err(), "{longer}");
    }
}

#[test]
fn no_algorithm_but_that_of_the_key() {
    let body = encoded(r#"{"sub":"a"}"#);
    for name in ["none", "None", "NONE", "", "HS256", "RS256", "ES384", "es256"] {
        let header = encoded(&format!(r#"{{"alg":"{name}","kid":"k"}}"#));
        for signature in ["", "AA"] {
            let refused = verify(&format!("{header}.{body}.{signature}"), &es256());
            assert_eq!(refused, Err(TokenError::Algorithm), "{name}");
        }
    }
}

/// The classic confusion: HMAC with the public key as its secret.
#[test]
fn a_public_key_is_no_secret() {
    let public = key(7).verifying_key().to_public_key_der().unwrap();
    let point = key(7).verifying_key().to_encoded_point(false);
    for secret in [public.as_bytes().to_vec(), point.as_bytes().to_vec()] {
        let token = sign(&SignKey::Hs256(secret), Some("k"), PAYLOAD);
        assert_eq!(verify(&token, &es256()), Err(TokenError::Algorithm));
    }
    let token = sign(&SignKey::Es256(key(7)), Some("k"), PAYLOAD);
    assert_eq!(verify(&token, &VerifyKey::Hs256(vec![9; 32])), Err(TokenError::Algorithm));
}

#[test]
fn signatures_of_zeros_or_another_length_are_refused() {
    let token = sign(&SignKey::Es256(key(7)), Some("k"), PAYLOAD);
    let signed = token.rsplit_once('.').unwrap().0;
    for signature in [vec![0; 64], vec![0; 63], vec![], vec![255; 64], vec![1; 72]] {
        let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        assert_eq!(verify(&forged, &es256()), Err(TokenError::Signature));
    }
}

#[test]
fn headers_that_change_the_meaning_are_refused() {
    let body = encoded(r#"{"sub":"a"}"#);
    for extra in [r#""crit":["exp"]"#, r#""zip":"DEF""#, r#""b64":false"#] {
        let header = encoded(&format!(r#"{{"alg":"ES256",{extra}}}"#));
        assert_eq!(split(&format!("{header}.{body}.AA")).err(), Some(TokenError::Header), "{extra}");
    }
    for header in
        [r#"{"alg":"ES256","alg":"none"}"#, r#"{"kid":"k"}"#, "[]", "", r#"{"alg":1}"#, "\u{feff}{}"]
    {
        let token = format!("{}.{body}.AA", encoded(header));
        assert_eq!(split(&token).err(), Some(TokenError::Malformed), "{header}");
    }
    let embedded = encoded(r#"{"alg":"ES256","jwk":{"kty":"EC"},"jku":"http://evil.example/","x5u":"x"}"#);
    assert_eq!(verify(&format!("{embedded}.{body}.AA"), &es256()), Err(TokenError::Signature));
}

#[test]
fn what_is_no_jws_is_refused() {
    let huge = "a".repeat(9000);
    for token in ["", ".", "..", "...", "a.b", "a.b.c.d", "eyJ.eyJ.", "ä.ö.ü", &huge] {
        assert_eq!(split(token).err(), Some(TokenError::Malformed), "{token:.20}");
    }
}
