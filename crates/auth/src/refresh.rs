//! Rotation of refresh tokens, as a decision: what a presented token deserves.
//! The successor of a token is derived from it and a server secret, so that two tabs
//! which refresh at once get the same one and a family never has two live tokens.
//!
//! Source: RFC 9700 §4.14.2; GoTrue's reuse interval and parent rule.

/// The presented token, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presented {
    /// When it was used, in microseconds; none while it is live.
    pub revoked_at: Option<i64>,
    /// Whether its successor is there and live.
    pub successor_live: bool,
    /// When its session ends, in microseconds.
    pub session_ends: Option<i64>,
    /// Until when its account is banned, in microseconds.
    pub banned_until: Option<i64>,
}

/// When a used token may give its successor once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// After its use, in microseconds.
    pub micros: i64,
    /// At any time, as long as the successor is live.
    pub always: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Use it up and give its successor.
    Rotate,
    /// Give its successor once more.
    Repeat,
    /// The token was stolen or copied: end the session.
    Reuse,
    /// The session is over.
    Expired,
    /// The account is banned.
    Banned,
}

/// Decides. `now` is in microseconds.
#[must_use]
pub fn decide(token: Presented, grace: Grace, now: i64) -> Decision {
    let repeat =
        |used: i64| token.successor_live && (grace.always || now.saturating_sub(used) <= grace.micros);
    match token.revoked_at {
        Some(used) if !repeat(used) => Decision::Reuse,
        _ if token.banned_until.is_some_and(|until| until > now) => Decision::Banned,
        _ if token.session_ends.is_some_and(|end| end <= now) => Decision::Expired,
        Some(_) => Decision::Repeat,
        None => Decision::Rotate,
    }
}

#[cfg(test)]
mod tests {
    use super::{Decision, Grace, Presented, decide};

    const SECOND: i64 = 1_000_000;
    const LIVE: Presented =
        Presented { revoked_at: None, successor_live: false, session_ends: None, banned_until: None };

    fn used(ago: i64, successor_live: bool) -> Presented {
        Presented { revoked_at: Some(100 * SECOND - ago), successor_live, ..LIVE }
    }

    #[test]
    fn rotation_matrix() {
        let safe = Grace { micros: 10 * SECOND, always: false };
        let compatible = Grace { always: true, ..safe };
        let now = 100 * SECOND;
        let cases = [
            (LIVE, Decision::Rotate, Decision::Rotate),
            (used(0, true), Decision::Repeat, Decision::Repeat),
            (used(10 * SECOND, true), Decision::Repeat, Decision::Repeat),
            (used(10 * SECOND + 1, true), Decision::Reuse, Decision::Repeat),
            (used(0, false), Decision::Reuse, Decision::Reuse),
            (used(11 * SECOND, false), Decision::Reuse, Decision::Reuse),
            (Presented { session_ends: Some(now), ..LIVE }, Decision::Expired, Decision::Expired),
            (Presented { session_ends: Some(now + 1), ..LIVE }, Decision::Rotate, Decision::Rotate),
            (Presented { banned_until: Some(now + 1), ..LIVE }, Decision::Banned, Decision::Banned),
            (Presented { banned_until: Some(now), ..LIVE }, Decision::Rotate, Decision::Rotate),
            (Presented { banned_until: Some(now + 1), ..used(0, true) }, Decision::Banned, Decision::Banned),
            (Presented { session_ends: Some(0), ..used(0, true) }, Decision::Expired, Decision::Expired),
            (Presented { banned_until: Some(now + 1), ..used(0, false) }, Decision::Reuse, Decision::Reuse),
        ];
        for (token, by_default, as_gotrue) in cases {
            assert_eq!(decide(token, safe, now), by_default, "{token:?}");
            assert_eq!(decide(token, compatible, now), as_gotrue, "{token:?}");
        }
    }

    #[test]
    fn a_clock_that_went_back_does_not_overflow() {
        let token = Presented { revoked_at: Some(i64::MAX), successor_live: true, ..LIVE };
        assert_eq!(decide(token, Grace { micros: 0, always: false }, i64::MIN), Decision::Repeat);
    }
}
