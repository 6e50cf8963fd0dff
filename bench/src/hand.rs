//! Tokens and text, as a careful person writes them for one program.

use anyhow::Result;
use axum::http::{HeaderMap, StatusCode, header};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::EncodePrivateKey;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::RwLock;
use uuid::Uuid;

/// Verified tokens, and the key that they are signed with.
pub struct Tokens {
    key: DecodingKey,
    known: RwLock<HashMap<String, (Uuid, i64)>>,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
    aud: String,
    role: String,
}

impl Tokens {
    /// Of one key; with a token for `uid`.
    ///
    /// # Errors
    /// When the token cannot be signed.
    pub fn new(uid: Uuid) -> Result<(Self, String)> {
        let secret = p256::SecretKey::from_slice(&[7_u8; 32])?;
        let private = secret.to_pkcs8_der()?;
        let point = secret.public_key().to_encoded_point(false);
        let role = "authenticated".to_owned();
        let claims = Claims { sub: uid.to_string(), exp: i64::MAX / 4, aud: role.clone(), role };
        let signing = EncodingKey::from_ec_der(private.as_bytes());
        let token = encode(&Header::new(Algorithm::ES256), &claims, &signing)?;
        Ok((Self { key: DecodingKey::from_ec_der(point.as_bytes()), known: RwLock::default() }, token))
    }

    /// Who asks.
    ///
    /// # Errors
    /// 401 for a token that is not ours.
    pub fn caller(&self, headers: &HeaderMap) -> Result<Uuid, StatusCode> {
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|text| text.strip_prefix("Bearer ")).ok_or(StatusCode::UNAUTHORIZED)?;
        if let Ok(known) = self.known.read()
            && let Some((uid, exp)) = known.get(token)
            && *exp > now()
        {
            return Ok(*uid);
        }
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&["authenticated"]);
        let claims =
            decode::<Claims>(token, &self.key, &validation).map_err(|_| StatusCode::UNAUTHORIZED)?.claims;
        let uid = Uuid::parse_str(&claims.sub).map_err(|_| StatusCode::UNAUTHORIZED)?;
        if let Ok(mut known) = self.known.write() {
            known.insert(token.to_owned(), (uid, claims.exp));
        }
        Ok(uid)
    }
}

/// Seconds since 1970.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "of programs of their own, outside the workspace's rules for time"
)]
pub fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Appends a JSON string.
pub fn quoted(out: &mut String, text: &str) {
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}
