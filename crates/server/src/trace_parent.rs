//! [`TraceParent`]: the trace that a request is a part of, as its `traceparent` says
//! (<https://www.w3.org/TR/trace-context/>). It names, and protects nothing: anybody may send any.

use http::{HeaderMap, HeaderName};

const HEADER: HeaderName = HeaderName::from_static("traceparent");

/// Bytes of version 00.
const LENGTH: usize = 55;

/// Where in a trace a request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace; not 0.
    pub trace: u128,
    /// The span in it that sent the request; not 0.
    pub span: u64,
    /// Whether its sender keeps the trace.
    pub is_sampled: bool,
}

impl TraceParent {
    /// The one of these headers, where there is exactly one and it is well formed.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut given = headers.get_all(HEADER).iter();
        let (Some(value), None) = (given.next(), given.next()) else { return None };
        Self::parse(value.as_bytes())
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let (known, more) = text.split_at_checked(LENGTH)?;
        let mut parts = known.split(|byte| *byte == b'-');
        let mut next = |digits: usize| hex(parts.next()?, digits);
        let version = next(2)?;
        let trace = next(32).filter(|trace| *trace != 0)?;
        let span = u64::try_from(next(16)?).ok().filter(|span| *span != 0)?;
        let flags = next(2)?;
        // a later version may say more, after another dash
        let is_whole = if version == 0 { more.is_empty() } else { matches!(more, [] | [b'-', ..]) };
        (version != 0xff && is_whole).then_some(Self { trace, span, is_sampled: flags & 1 == 1 })
    }
}

/// A number of so many digits, all small.
fn hex(text: &[u8], digits: usize) -> Option<u128> {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    if text.len() != digits || !text.iter().all(is_digit) {
        return None;
    }
    u128::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::TraceParent;
    use http::{HeaderMap, HeaderValue};

    const WHOLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn of(values: &[&[u8]]) -> Option<TraceParent> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("traceparent", HeaderValue::from_bytes(value).unwrap());
        }
        TraceParent::of(&headers)
    }

    #[test]
    fn a_well_formed_one_is_taken() {
        let taken = TraceParent {
            trace: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
            span: 0x00f0_67aa_0ba9_02b7,
            is_sampled: true,
        };
        assert_eq!(of(&[WHOLE.as_bytes()]), Some(taken));
        assert_eq!(
            of(&[WHOLE.replace("-01", "-00").as_bytes()]),
            Some(TraceParent { is_sampled: false, ..taken })
        );
        assert_eq!(of(&[WHOLE.replace("-01", "-03").as_bytes()]), Some(taken));
        assert_eq!(of(&[WHOLE.replace("00-4", "cc-4").as_bytes()]), Some(taken));
        assert_eq!(
            of(&[format!("{}-what-a-later-one-says", WHOLE.replace("00-4", "cc-4")).as_bytes()]),
            Some(taken)
        );
    }

    #[test]
    fn anything_else_is_none() {
        let long = "a".repeat(100_000);
        let hostile = [
            String::new(),
            WHOLE.to_uppercase(),
            format!("{WHOLE}-"),
            format!("{WHOLE}0"),
            format!(" {WHOLE}"),
            format!("{}0", WHOLE.replace("00-4", "cc-4")),
            WHOLE.replace("00-4", "ff-4"),
            WHOLE.replace("00-4", "0-04"),
            WHOLE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            WHOLE.replace("00f067aa0ba902b7", &"0".repeat(16)),
            WHOLE.replace("00f067aa0ba902b7", "+0f067aa0ba902b7"),
            WHOLE.replace('b', "g"),
            WHOLE.replace('-', "_"),
            WHOLE.get(..54).unwrap().to_owned(),
            long,
        ];
        for text in &hostile {
            assert_eq!(of(&[text.as_bytes()]), None, "{text:.80}");
        }
        assert_eq!(of(&[b"00-4bf92f3577b34da6a3ce929d0e0e47\xff6-00f067aa0ba902b7-01"]), None);
        assert_eq!(of(&[WHOLE.as_bytes(), WHOLE.as_bytes()]), None);
        assert_eq!(of(&[]), None);
    }
}
