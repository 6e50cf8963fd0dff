//! Names of requests, by which a client, a proxy and the log speak of the same one: `x-request-id` as it
//! came, where it is a short token, else a new one. They name, and protect nothing.

use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::atomic::{AtomicU64, Ordering};

/// The header.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest name that is taken over, in bytes.
const LONGEST: usize = 128;

/// Makes names; those of two processes differ.
#[derive(Debug)]
pub struct RequestIds {
    next: AtomicU64,
}

impl RequestIds {
    /// Names that follow from `seed`, which differs between processes.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { next: AtomicU64::new(seed) }
    }

    /// The name of a request with these headers.
    pub(crate) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        match headers.get(HEADER) {
            Some(given) if is_sane(given.as_bytes()) => given.clone(),
            Some(_) | None => self.make(),
        }
    }

    fn make(&self) -> HeaderValue {
        // the step and the finish of SplitMix64 (Steele, Lea, Flood 2014): no two names of a process are equal
        let step = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.next.fetch_add(step, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        let mut text = [0_u8; 16];
        for (index, digit) in text.iter_mut().enumerate() {
            let nibble = (z >> (60 - 4 * index)) & 15;
            *digit = u8::try_from(nibble).map_or(b'0', |n| if n < 10 { b'0' + n } else { b'a' + n - 10 });
        }
        HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static("0"))
    }
}

/// Short, and of characters that mean nothing to a log, a shell or a page. A key or a token of ours is
/// none: it has a form of its own, and whoever sends one here by mistake must not find it in a log.
fn is_sane(text: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:=+/".contains(byte);
    let secret = [b"sb_".as_slice(), b"ey"].iter().any(|start| text.starts_with(start));
    !text.is_empty() && text.len() <= LONGEST && text.iter().all(plain) && !secret
}

#[cfg(test)]
mod tests {
    use super::{HEADER, RequestIds};
    use http::{HeaderMap, HeaderValue};
    use std::collections::HashSet;

    fn of(given: &[u8]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_bytes(given).unwrap());
        RequestIds::new(7).of(&headers).to_str().unwrap().to_owned()
    }

    #[test]
    fn sane_names_are_kept() {
        let long = "a".repeat(128);
        for name in
            ["a", "0b8e4a1e-37c8-4b93-9d05-6f0f5c6f2c11", "1-67891233-abcdef012345678912345678", &long]
        {
            assert_eq!(of(name.as_bytes()), name);
        }
    }

    #[test]
    fn anything_else_is_replaced() {
        let made = RequestIds::new(7).of(&HeaderMap::new());
        let long = "a".repeat(129);
        let hostile: [&[u8]; 9] = [
            b"",
            b"a b",
            b"a\tb",
            b"a\"b",
            b"\x1b[31m",
            b"caf\xc3\xa9",
            b"{\"level\":\"error\"}",
            b"sb_secret_0123456789",
            long.as_bytes(),
        ];
        for name in hostile.into_iter().chain([b"eyJhbGciOiJIUzI1NiJ9.e30.x".as_slice()]) {
            // an escape cannot even stand in a header
            if HeaderValue::from_bytes(name).is_ok() {
                assert_eq!(of(name), made.to_str().unwrap(), "{name:?}");
            }
        }
    }

    #[test]
    fn no_two_are_equal() {
        let ids = RequestIds::new(u64::MAX - 5);
        let made: HashSet<HeaderValue> = (0..10_000).map(|_| ids.of(&HeaderMap::new())).collect();
        assert_eq!(made.len(), 10_000);
        assert!(made.iter().all(|id| id.len() == 16));
    }
}
