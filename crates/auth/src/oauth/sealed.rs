//! Tokens of another service, kept until an app brings its code: sealed with a key that is made of the code and of a
//! secret of this server, so that neither the database nor the server alone can read them.

use crate::key_ring::KeyRing;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};

/// What a service gives for its own doors.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProviderTokens {
    pub(crate) access: Option<String>,
    pub(crate) refresh: Option<String>,
}

impl std::fmt::Debug for ProviderTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[provider tokens]")
    }
}

/// A key for one code seals once: any nonce is a new one.
fn key(ring: &KeyRing, code: &str) -> Option<(LessSafeKey, Nonce)> {
    let key = UnboundKey::new(&AES_256_GCM, &ring.derived("provider tokens", code)).ok()?;
    Some((LessSafeKey::new(key), Nonce::assume_unique_for_key([0; NONCE_LEN])))
}

/// Seals tokens for whoever brings this code.
pub(crate) fn seal(ring: &KeyRing, code: &str, tokens: &ProviderTokens) -> Option<String> {
    let mut text = serde_json::to_vec(tokens).ok()?;
    let (key, nonce) = key(ring, code)?;
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut text).ok()?;
    Some(STANDARD.encode(text))
}

/// Opens what was sealed for this code.
pub(crate) fn open(ring: &KeyRing, code: &str, sealed: &str) -> Option<ProviderTokens> {
    let mut text = STANDARD.decode(sealed).ok()?;
    let (key, nonce) = key(ring, code)?;
    serde_json::from_slice(key.open_in_place(nonce, Aad::empty(), &mut text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::{ProviderTokens, open, seal};
    use crate::key_ring::tests::ring;

    #[test]
    fn only_the_code_and_the_server_together_open() {
        let tokens = ProviderTokens { access: Some("ya29.secret".to_owned()), refresh: None };
        let (ours, theirs) = (ring(1), ring(2));
        let sealed = seal(&ours, "code", &tokens).unwrap();
        assert!(!sealed.contains("ya29"));
        assert_eq!(open(&ours, "code", &sealed), Some(tokens));
        assert_eq!(open(&ours, "other", &sealed), None);
        assert_eq!(open(&theirs, "code", &sealed), None);
        assert_eq!(open(&ours, "code", &sealed.replacen(&sealed[..1], "_", 1)), None);
        assert_eq!(format!("{:?}", ProviderTokens::default()), "[provider tokens]");
    }
}
