//! [`ExactSum`]: the sum of floats without rounding, whatever their order and number, as one
//! number of fixed point wide enough for all of them. Floats enter, the nearest float leaves.

/// Places of 64 bits: 2^-1074 up to 2^1024, and room for 2^77 of the largest.
const PLACES: usize = 34;

/// Bits of a float's mantissa, with the one that is not written.
const MANTISSA: usize = 53;

/// A sum in the making: two's complement, the lowest bit is 2^-1074.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactSum {
    places: [u64; PLACES],
}

impl Default for ExactSum {
    fn default() -> Self {
        Self { places: [0; PLACES] }
    }
}

impl ExactSum {
    /// Adds a finite number; another is passed over.
    pub fn add(&mut self, number: f64) {
        if !number.is_finite() {
            return;
        }
        let bits = number.to_bits();
        let exponent = usize::try_from((bits >> 52) & 0x7ff).unwrap_or_default();
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, shift) =
            if exponent == 0 { (fraction, 0) } else { (fraction | (1 << 52), exponent - 1) };
        let wide = u128::from(mantissa) << (shift % 64);
        let parts = [low(wide), low(wide >> 64)];
        self.carry(shift / 64, parts, number.is_sign_negative());
    }

    /// Adds two places, or takes them away, from `start` on.
    fn carry(&mut self, start: usize, parts: [u64; 2], negative: bool) {
        let mut carry = false;
        for (index, place) in self.places.iter_mut().skip(start).enumerate() {
            let part = parts.get(index).copied().unwrap_or(0);
            if index > 1 && !carry {
                return;
            }
            let (sum, once) =
                if negative { place.overflowing_sub(part) } else { place.overflowing_add(part) };
            let carried = u64::from(carry);
            let (sum, twice) =
                if negative { sum.overflowing_sub(carried) } else { sum.overflowing_add(carried) };
            *place = sum;
            carry = once || twice;
        }
    }

    /// The nearest float, ties to even; none beyond the largest.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        let negative = self.places.last().is_some_and(|place| place >> 63 == 1);
        let mut size = Self::default();
        if negative {
            let mut carry = true;
            for (to, from) in size.places.iter_mut().zip(&self.places) {
                (*to, carry) = (!from).overflowing_add(u64::from(carry));
            }
        } else {
            size.places = self.places;
        }
        let float = size.nearest()?;
        Some(if negative { -float } else { float })
    }

    /// Of a number that is not negative.
    fn nearest(&self) -> Option<f64> {
        let top = self.places.iter().rposition(|place| *place != 0);
        let Some(top) = top else { return Some(0.0) };
        let highest = top * 64 + 63 - self.places.get(top).map_or(0, |place| place.leading_zeros() as usize);
        if highest < MANTISSA {
            return self.places.first().map(|place| f64::from_bits(*place));
        }
        let shift = highest + 1 - MANTISSA;
        let mantissa = self.bits(shift);
        let half = self.bit(shift - 1);
        let more = (0..shift - 1).any(|bit| self.bit(bit));
        let rounded = mantissa + u64::from(half && (more || mantissa & 1 == 1));
        let bits = ((shift as u64 + 1) << 52) + (rounded - (1 << 52));
        Some(f64::from_bits(bits)).filter(|float| float.is_finite())
    }

    fn bit(&self, bit: usize) -> bool {
        self.places.get(bit / 64).is_some_and(|place| place >> (bit % 64) & 1 == 1)
    }

    /// A mantissa's worth of bits from `start` on.
    fn bits(&self, start: usize) -> u64 {
        let place = |index: usize| u128::from(self.places.get(index).copied().unwrap_or(0));
        let wide = place(start / 64) | place(start / 64 + 1) << 64;
        low(wide >> (start % 64)) & ((1 << MANTISSA) - 1)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
const fn low(wide: u128) -> u64 {
    wide as u64
}

#[cfg(test)]
mod tests {
    use super::ExactSum;

    fn sum(numbers: &[f64]) -> Option<f64> {
        let mut sum = ExactSum::default();
        numbers.iter().for_each(|number| sum.add(*number));
        sum.value()
    }

    #[test]
    fn adds_without_rounding() {
        for one in
            [0.0, 1.0, -1.0, 0.1, 1e300, -1e-300, f64::MAX, f64::MIN, 5e-324, f64::MIN_POSITIVE, 1.5e-310]
        {
            assert_eq!(sum(&[one]), Some(one), "{one}");
            assert_eq!(sum(&[one, 1e10, -one, -1e10]), Some(0.0), "{one}");
            assert_eq!(sum(&[one, one]), Some(one + one).filter(|sum| sum.is_finite()), "{one}");
        }
        assert_eq!(sum(&[0.1; 10]), Some(1.0));
        assert_eq!(sum(&[1e16, 1.0, 1.0]), Some(1e16 + 2.0));
        assert_eq!(sum(&[1e100, 1.0, -1e100]), Some(1.0));
        assert_eq!(sum(&[f64::MAX, f64::MAX, f64::MIN]), Some(f64::MAX));
        assert_eq!(sum(&[9007199254740992.0, 1.0]), Some(9007199254740992.0));
        assert_eq!(sum(&[9007199254740992.0, 1.0, 5e-324]), Some(9007199254740994.0));
        assert_eq!(sum(&[f64::NAN, f64::INFINITY, 2.0]), Some(2.0));
        assert_eq!(sum(&[]), Some(0.0));
    }
}
