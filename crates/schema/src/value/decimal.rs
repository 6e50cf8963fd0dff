//! Arithmetic of [`Decimal`]: exact numbers as scaled integers. Text in, text out; rounding is half
//! away from zero as PostgreSQL's `numeric` does it. Knows no types and no faults.

use crate::value::Decimal;
use std::cmp::Ordering;
use std::fmt;

/// Most digits that a decimal column may have: its units fit 64 bits.
pub const MAX_DIGITS: u8 = 18;

/// Why a decimal could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not a number.
    #[error("not a decimal number")]
    Syntax,
    /// Too many digits.
    #[error("too many digits")]
    Overflow,
}

impl Decimal {
    /// A whole number.
    #[must_use]
    pub const fn from_int(value: i64) -> Self {
        Self { units: value as i128, scale: 0 }
    }

    /// Reads `-12.5e3`, `.5`, `7.`; the scale is that of the text, at most 30.
    ///
    /// # Errors
    /// [`DecimalError::Syntax`] for other text, [`DecimalError::Overflow`] beyond 36 digits.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (text.get(..at).unwrap_or(""), exponent(text.get(at + 1..).unwrap_or(""))?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.as_bytes().first() {
            Some(b'-') => (true, mantissa.get(1..).unwrap_or("")),
            Some(b'+') => (false, mantissa.get(1..).unwrap_or("")),
            _ => (false, mantissa),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return Err(DecimalError::Syntax);
        }
        let mut units: i128 = 0;
        let mut scale: i64 = -exponent;
        let mut dropped: Option<u8> = None;
        for (index, digit) in whole.bytes().chain(fraction.bytes()).enumerate() {
            let after_point = index >= whole.len();
            if after_point && scale >= 30 {
                dropped = dropped.or(Some(digit));
                continue;
            }
            units = units.checked_mul(10).ok_or(DecimalError::Overflow)? + i128::from(digit - b'0');
            scale += i64::from(after_point);
            if units > 10_i128.pow(36) {
                return Err(DecimalError::Overflow);
            }
        }
        units += i128::from(dropped.is_some_and(|digit| digit >= b'5'));
        Self::scaled(if negative { -units } else { units }, scale)
    }

    /// Brings a scale outside 0..=30 into it.
    fn scaled(mut units: i128, mut scale: i64) -> Result<Self, DecimalError> {
        if units == 0 {
            scale = scale.clamp(0, 30);
        }
        while scale < 0 {
            units = units.checked_mul(10).ok_or(DecimalError::Overflow)?;
            scale += 1;
        }
        if scale > 30 {
            let drop = u32::try_from(scale - 30).unwrap_or(u32::MAX);
            units = if drop > 37 { 0 } else { divide_rounded(units, 10_i128.pow(drop)) };
            scale = 30;
        }
        let scale = u8::try_from(scale).map_err(|_| DecimalError::Overflow)?;
        Ok(Self { units, scale })
    }

    /// The same number with `scale` digits after the point, rounded half away from zero.
    ///
    /// # Errors
    /// [`DecimalError::Overflow`] when the units pass 128 bits.
    pub fn rescale(self, scale: u8) -> Result<Self, DecimalError> {
        let power = |digits: u8| 10_i128.checked_pow(u32::from(digits)).ok_or(DecimalError::Overflow);
        let units = if scale >= self.scale {
            self.units.checked_mul(power(scale - self.scale)?).ok_or(DecimalError::Overflow)?
        } else {
            divide_rounded(self.units, power(self.scale - scale)?)
        };
        Ok(Self { units, scale })
    }

    /// The number as a column of `digits` digits with `scale` after the point holds it.
    ///
    /// # Errors
    /// [`DecimalError::Overflow`] when the rounded number has more digits.
    pub fn fit(self, digits: u8, scale: u8) -> Result<Self, DecimalError> {
        let fitted = self.rescale(scale)?;
        let limit = 10_u128.checked_pow(u32::from(digits)).ok_or(DecimalError::Overflow)?;
        if fitted.units.unsigned_abs() >= limit { Err(DecimalError::Overflow) } else { Ok(fitted) }
    }

    /// Order by value, whatever the scales.
    #[must_use]
    pub fn compare(self, other: Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        match (self.rescale(scale), other.rescale(scale)) {
            (Ok(Self { units: a, .. }), Ok(Self { units: b, .. })) => a.cmp(&b),
            // beyond 128 bits at a common scale: the signs and whole parts decide
            _ => whole(self).cmp(&whole(other)),
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let scale = usize::from(self.scale);
        let digits = format!("{:0>width$}", self.units.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        if scale == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

fn exponent(text: &str) -> Result<i64, DecimalError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DecimalError::Syntax);
    }
    let value: i64 = text.parse().map_err(|_| DecimalError::Overflow)?;
    if value.abs() > 1000 { Err(DecimalError::Overflow) } else { Ok(value) }
}

/// Division with rounding half away from zero; `by` is a power of ten.
const fn divide_rounded(units: i128, by: i128) -> i128 {
    let rest = (units % by).unsigned_abs();
    let up = rest >= by.unsigned_abs() - rest && rest != 0;
    let quotient = units / by;
    if !up {
        quotient
    } else if units < 0 {
        quotient - 1
    } else {
        quotient + 1
    }
}

fn whole(decimal: Decimal) -> i128 {
    decimal.units / 10_i128.checked_pow(u32::from(decimal.scale)).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, DecimalError> {
        Decimal::parse(text).map(|decimal| decimal.to_string())
    }

    #[test]
    fn reads_what_numeric_reads() {
        for (text, expected) in [
            ("0", "0"),
            ("-0.50", "-0.50"),
            (".5", "0.5"),
            ("7.", "7"),
            ("+1.5e3", "1500"),
            ("15e-3", "0.015"),
            ("1e-40", "0.000000000000000000000000000000"),
            ("0e999", "0"),
        ] {
            assert_eq!(parsed(text), Ok(expected.to_owned()), "{text}");
        }
        for text in ["", ".", "-", "1e", "1e+", "0x1", "1_000", " 1", "NaN", "1.2.3", "--1", "1e1e1", "١"] {
            assert_eq!(parsed(text), Err(DecimalError::Syntax), "{text}");
        }
        for text in ["1e1000", "1e99999999999999999999", &"9".repeat(60)] {
            assert_eq!(parsed(text), Err(DecimalError::Overflow), "{text}");
        }
    }

    #[test]
    fn rounds_half_away_from_zero_and_fits() {
        let fit = |text: &str| Decimal::parse(text).and_then(|d| d.fit(4, 2)).map(|d| d.to_string());
        assert_eq!(fit("1.005"), Ok("1.01".to_owned()));
        assert_eq!(fit("-1.005"), Ok("-1.01".to_owned()));
        assert_eq!(fit("1.0049"), Ok("1.00".to_owned()));
        assert_eq!(fit("99.994"), Ok("99.99".to_owned()));
        assert_eq!(fit("99.995"), Err(DecimalError::Overflow));
        assert_eq!(fit("-100"), Err(DecimalError::Overflow));
    }
}
