//! PKCE (RFC 7636): an app that asks for a link shows by a secret of its own that it is the one that
//! fetches the session.

use crate::refusal::Refusal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Shortest and longest verifier and challenge, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 43..=128;

/// What a request for a letter says of it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

impl Asked {
    /// As [`challenge`].
    pub(crate) fn challenge(&self, plain: bool) -> Result<Option<String>, Refusal> {
        challenge(self.code_challenge.as_deref(), self.code_challenge_method.as_deref(), plain)
    }
}

/// The stored form of a challenge; none when the request has none.
///
/// # Errors
/// `validation_failed` for half of one, another method, `plain` where it is not taken, or odd characters.
pub(crate) fn challenge(
    challenge: Option<&str>,
    method: Option<&str>,
    plain: bool,
) -> Result<Option<String>, Refusal> {
    let given = |text: Option<&'_ str>| text.is_some_and(|text| !text.is_empty());
    if !given(challenge) && !given(method) {
        return Ok(None);
    }
    let (Some(challenge), Some(method)) = (challenge, method) else {
        return Err(Refusal::validation("PKCE flow requires code_challenge_method and code_challenge"));
    };
    if !well_formed(challenge) {
        return Err(Refusal::validation(
            "code challenge has to be between 43 and 128 characters of A-Z, a-z, 0-9, -, ., _ and ~",
        ));
    }
    if method.eq_ignore_ascii_case("s256") {
        Ok(Some(format!("s256:{challenge}")))
    } else if method.eq_ignore_ascii_case("plain") && plain {
        Ok(Some(format!("plain:{challenge}")))
    } else {
        Err(Refusal::validation("code_challenge_method is s256"))
    }
}

/// The challenge of a verifier, by S256.
pub(crate) fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// Whether a verifier is the one that a stored challenge was made from.
#[must_use]
pub fn matches(stored: &str, verifier: &str) -> bool {
    let Some((method, challenge)) = stored.split_once(':') else { return false };
    let shown = match method {
        "s256" => s256(verifier),
        "plain" => verifier.to_owned(),
        // `challenge` writes no other
        _ => return false,
    };
    well_formed(verifier) && shown.as_bytes().ct_eq(challenge.as_bytes()).into()
}

fn well_formed(text: &str) -> bool {
    LENGTH.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::{challenge, matches};

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc() {
        let stored = challenge(Some(CHALLENGE), Some("S256"), false).unwrap().unwrap();
        assert!(matches(&stored, VERIFIER));
        for other in ["", CHALLENGE, &VERIFIER[1..], &format!("{VERIFIER}="), &VERIFIER.to_lowercase()] {
            assert!(!matches(&stored, other), "{other}");
        }
    }

    #[test]
    fn halves_and_weak_ones_are_refused() {
        let code = |given, method, plain| challenge(given, method, plain).map_err(|refusal| refusal.code);
        assert_eq!(code(None, None, false), Ok(None));
        assert_eq!(code(Some(""), Some(""), false), Ok(None));
        let long = "a".repeat(129);
        for (given, method) in [
            (Some(CHALLENGE), None),
            (None, Some("s256")),
            (Some(CHALLENGE), Some("plain")),
            (Some(CHALLENGE), Some("none")),
            (Some("short"), Some("s256")),
            (Some(long.as_str()), Some("s256")),
            (Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c%"), Some("s256")),
        ] {
            assert_eq!(code(given, method, false), Err("validation_failed"), "{given:?} {method:?}");
        }
        let plain = challenge(Some(VERIFIER), Some("plain"), true).unwrap().unwrap();
        assert!(matches(&plain, VERIFIER) && !matches(&plain, CHALLENGE));
    }
}
