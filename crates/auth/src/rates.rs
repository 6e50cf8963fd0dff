//! How often an address may use the endpoints that guess, send or make: GoTrue's rate limits, by its
//! names, on buckets that all nodes share. A loopback address is nobody's: it is this machine, or a proxy
//! that was not declared, and then everybody would have one bucket.

use crate::bucket::{Bucket, Rate, address};
use crate::endpoint::Request;
use crate::refusal::Refusal;
use crate::service::Auth;
use backstay_base::code;

/// The limits by address; 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Sign-ups and sign-ins by password or with another service, per five minutes.
    pub sign_in_sign_ups: u32,
    /// Renewals of a session, per five minutes.
    pub token_refresh: u32,
    /// Codes and links that are shown, per five minutes.
    pub token_verifications: u32,
    /// Letters that are asked for, per hour.
    pub email_sent: u32,
}

const FIVE_MINUTES_S: u32 = 300;
const HOUR_S: u32 = 3600;

impl Rates {
    /// The name, the number and the period of the limit that a request is under.
    fn of(self, method: &str, path: &str, grant: Option<&str>) -> Option<(&'static str, u32, u32)> {
        let sign_in = ("sign_in_sign_ups", self.sign_in_sign_ups, FIVE_MINUTES_S);
        let limit = match (method, path) {
            ("POST", "/signup") | ("GET", "/authorize") => sign_in,
            ("POST", "/token") => match grant {
                Some("refresh_token") => ("token_refresh", self.token_refresh, FIVE_MINUTES_S),
                Some(_) | None => sign_in,
            },
            ("GET" | "POST", "/verify" | "/callback") => {
                ("token_verifications", self.token_verifications, FIVE_MINUTES_S)
            }
            ("POST", "/recover" | "/otp" | "/resend") => ("email_sent", self.email_sent, HOUR_S),
            _ => return None,
        };
        (limit.1 > 0).then_some(limit)
    }
}

impl Auth {
    /// Takes a token for a request; nothing of it has been looked at.
    ///
    /// # Errors
    /// `over_request_rate_limit` or `over_email_send_rate_limit`, when the address has none left.
    pub(crate) async fn charge_address(&self, request: &Request<'_>, path: &str) -> Result<(), Refusal> {
        let limit = self.settings.rates.of(request.method, path, request.parameter("grant_type"));
        let ip = request.ip.to_canonical();
        let Some((name, tokens, period_s)) = limit.filter(|_| !ip.is_loopback()) else { return Ok(()) };
        let bucket = Bucket { limit: name, whose: &address(ip), rate: Rate { tokens, period_s } };
        match self.take(bucket, 1).await {
            Ok(()) => Ok(()),
            Err(fault) if fault.code == code::RATE_LIMITED => {
                let code = match name {
                    "email_sent" => "over_email_send_rate_limit",
                    _ => "over_request_rate_limit",
                };
                let refusal = Refusal::new(429, code, "Request rate limit reached");
                Err(Refusal { retry_after_s: fault.retry_after_s, ..refusal })
            }
            Err(fault) => Err(fault.into()),
        }
    }
}
