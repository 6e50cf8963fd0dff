//! What is forgotten when it has ended long ago: which tables, by which column, how much later. Moments are those of
//! the node that keeps house, with an hour to spare, so that nodes need not agree on the time. Knows not who does it.

use crate::one_time::REMEMBERED_MICROS;
use crate::schema::{BUCKET, FLOW_STATE, MAIL_SENT, OAUTH_FLOW, ONE_TIME_TOKEN, REFRESH_TOKEN, SESSION};
use backstay_base::limit::Limits;

/// What has ended is kept for so long: clocks differ.
const SPARE_MICROS: i64 = 3_600_000_000;
const DAY_MICROS: i64 = 86_400_000_000;

/// A table, the column that says when its rows end, and how long they are kept from then on, in microseconds.
pub type Ended = (&'static str, &'static str, i64);

/// Everything that is forgotten.
#[must_use]
pub fn ended(limits: &Limits) -> [Ended; 7] {
    let used = i64::from(limits.used_token_days).saturating_mul(DAY_MICROS);
    [
        (REFRESH_TOKEN, "revoked_at", SPARE_MICROS.saturating_add(used)),
        (ONE_TIME_TOKEN, "expires_at", SPARE_MICROS),
        (FLOW_STATE, "expires_at", SPARE_MICROS),
        (OAUTH_FLOW, "expires_at", SPARE_MICROS),
        (MAIL_SENT, "sent_at", SPARE_MICROS + REMEMBERED_MICROS),
        (BUCKET, "full_at", SPARE_MICROS),
        (SESSION, "not_after", SPARE_MICROS),
    ]
}
