//! `numeric` on the wire: groups of four decimal digits, how far the first stands before
//! the point, a sign, and how many digits are shown after the point. Exact both ways.

use backstay_schema::value::Decimal;
use bytes::{BufMut, BytesMut};

const NEGATIVE: u16 = 0x4000;
const GROUP: u128 = 10_000;

/// Most digits after the point that a decimal in memory has.
const MOST_SCALE: i32 = 30;

/// Appends a number.
pub fn encode(decimal: Decimal, out: &mut BytesMut) {
    let scale = u32::from(decimal.scale);
    let point = 10_u128.saturating_pow(scale);
    let whole = decimal.units.unsigned_abs() / point;
    let below = scale.div_ceil(4);
    let fraction = decimal.units.unsigned_abs() % point * 10_u128.pow(below * 4 - scale);
    // from the last group to the first
    let mut groups: Vec<i16> = Vec::with_capacity(20);
    let mut left = fraction;
    for _ in 0..below {
        groups.push(group(left));
        left /= GROUP;
    }
    let mut left = whole;
    while left > 0 {
        groups.push(group(left));
        left /= GROUP;
    }
    let mut weight = i16::try_from(groups.len()).unwrap_or(i16::MAX) - i16::try_from(below).unwrap_or(0) - 1;
    while groups.last() == Some(&0) {
        groups.pop();
        weight -= 1;
    }
    let trailing = groups.iter().take_while(|group| **group == 0).count();
    let shown = groups.get(trailing..).unwrap_or_default();
    out.put_i16(i16::try_from(shown.len()).unwrap_or(i16::MAX));
    out.put_i16(if shown.is_empty() { 0 } else { weight });
    out.put_u16(if decimal.units < 0 { NEGATIVE } else { 0 });
    out.put_i16(i16::from(decimal.scale));
    for group in shown.iter().rev() {
        out.put_i16(*group);
    }
}

fn group(number: u128) -> i16 {
    i16::try_from(number % GROUP).unwrap_or(0)
}

/// Reads a number; none for what is not finite or has more than 38 digits.
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<Decimal> {
    let (head, digits) = bytes.split_first_chunk::<8>()?;
    let [_, _, w0, w1, s0, s1, _, _] = *head;
    let weight = i32::from(i16::from_be_bytes([w0, w1]));
    let negative = match u16::from_be_bytes([s0, s1]) {
        0 => false,
        NEGATIVE => true,
        _ => return None,
    };
    let mut units: i128 = 0;
    // the power of ten of the last group read
    let mut power = 4 * (weight + 1);
    for pair in digits.chunks_exact(2) {
        let digit = i16::from_be_bytes([*pair.first()?, *pair.get(1)?]);
        let next = units.checked_mul(10_000).and_then(|units| units.checked_add(i128::from(digit)));
        match next {
            Some(next) if -power < MOST_SCALE => {
                units = next;
                power -= 4;
            }
            // more digits after the point than can be kept
            _ if power <= 0 => break,
            _ => return None,
        }
    }
    if units == 0 {
        return Some(Decimal { units: 0, scale: 0 });
    }
    let units = if negative { -units } else { units };
    let scale = u8::try_from((-power).max(0)).ok()?;
    let raised = 10_i128.checked_pow(u32::try_from(power.max(0)).ok()?)?;
    Some(Decimal { units: units.checked_mul(raised)?, scale })
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use backstay_schema::value::Decimal;
    use bytes::BytesMut;
    use std::cmp::Ordering;

    #[test]
    fn numbers_come_back() {
        for text in [
            "0",
            "0.0000",
            "1",
            "-1",
            "9999",
            "10000",
            "10001",
            "0.1",
            "0.00001",
            "-0.0001",
            "12345.6789",
            "100000000",
            "-99999999999999.9999",
            "0.000000000000000000000000000001",
            "1234567890123456789012",
        ] {
            let decimal = Decimal::parse(text).unwrap();
            let mut bytes = BytesMut::new();
            encode(decimal, &mut bytes);
            let back = decode(&bytes).unwrap();
            assert_eq!(back.compare(decimal), Ordering::Equal, "{text}: {bytes:?}");
        }
    }

    #[test]
    fn the_form_is_that_of_the_server() {
        let mut bytes = BytesMut::new();
        encode(Decimal::parse("-12345.67").unwrap(), &mut bytes);
        assert_eq!(bytes.as_ref(), [0, 3, 0, 1, 0x40, 0, 0, 2, 0, 1, 9, 41, 26, 44]);
        let mut bytes = BytesMut::new();
        encode(Decimal { units: 0, scale: 4 }, &mut bytes);
        assert_eq!(bytes.as_ref(), [0, 0, 0, 0, 0, 0, 0, 4]);
    }

    #[test]
    fn what_is_no_number_is_none() {
        assert_eq!(decode(&[]), None);
        assert_eq!(decode(&[0, 0, 0, 0, 0xc0, 0, 0, 0]), None);
        assert_eq!(decode(&[0, 1, 0, 40, 0, 0, 0, 0, 0, 1]), None);
    }
}
