//! Exact arithmetic. Overflow and division by zero are NULL: unknown to a rule.

use super::{float_argument, integer_argument, small_argument, strict};
use backstay_schema::value::Decimal;
use rusqlite::functions::{Aggregate, Context};
use rusqlite::{Connection, Result};

type Checked = fn(i64, i64) -> Option<i64>;
type Wide = fn(i128, i128) -> Option<i128>;
type Floating = fn(f64, f64) -> f64;

pub(super) fn register(connection: &Connection) -> Result<()> {
    let operations: [(&str, &str, Checked); 5] = [
        ("bs_add_bigint", "bs_add_int", i64::checked_add),
        ("bs_sub_bigint", "bs_sub_int", i64::checked_sub),
        ("bs_mul_bigint", "bs_mul_int", i64::checked_mul),
        ("bs_div_bigint", "bs_div_int", i64::checked_div),
        ("bs_rem_bigint", "bs_rem_int", i64::checked_rem),
    ];
    for (wide, narrow, operation) in operations {
        strict(connection, wide, 2, move |context| Ok(integers(context, operation)))?;
        strict(connection, narrow, 2, move |context| {
            Ok(integers(context, operation).filter(|number| i32::try_from(*number).is_ok()))
        })?;
    }
    let floats: [(&str, Floating); 5] = [
        ("bs_add_float", |a, b| a + b),
        ("bs_sub_float", |a, b| a - b),
        ("bs_mul_float", |a, b| a * b),
        ("bs_div_float", |a, b| a / b),
        ("bs_rem_float", |a, b| a % b),
    ];
    for (name, operation) in floats {
        strict(connection, name, 2, move |context| {
            let pair = float_argument(context, 0).zip(float_argument(context, 1));
            Ok(pair.map(|(a, b)| operation(a, b)).filter(|number| number.is_finite()))
        })?;
    }
    decimals(connection)
}

fn decimals(connection: &Connection) -> Result<()> {
    let plain: [(&str, Wide); 3] = [
        ("bs_add_decimal", i128::checked_add),
        ("bs_sub_decimal", i128::checked_sub),
        ("bs_rem_decimal", i128::checked_rem),
    ];
    for (name, operation) in plain {
        strict(connection, name, 3, move |context| {
            let units = wide(context).and_then(|(a, b)| operation(a, b));
            Ok(units.and_then(|units| fit(units, small_argument(context, 2))))
        })?;
    }
    strict(connection, "bs_mul_decimal", 4, |context| {
        let one = power(small_argument(context, 3));
        let units =
            wide(context).and_then(|(a, b)| a.checked_mul(b)).map(|units| divide_rounding(units, one));
        Ok(units.and_then(|units| fit(units, small_argument(context, 2))))
    })?;
    strict(connection, "bs_div_decimal", 4, |context| {
        let one = power(small_argument(context, 3));
        let pair = wide(context).filter(|(_, b)| *b != 0);
        let units = pair.and_then(|(a, b)| Some(divide_rounding(a.checked_mul(one)?, b)));
        Ok(units.and_then(|units| fit(units, small_argument(context, 2))))
    })?;
    strict(connection, "bs_rescale", 4, |context| {
        let Some(units) = integer_argument(context, 0) else { return Ok(None) };
        let from = Decimal { units: i128::from(units), scale: small_argument(context, 1) };
        let to = from.fit(small_argument(context, 3), small_argument(context, 2));
        Ok(to.ok().and_then(|decimal| i64::try_from(decimal.units).ok()))
    })?;
    strict(connection, "bs_decimal_float", 2, |context| {
        let Some(units) = integer_argument(context, 0) else { return Ok(None) };
        let decimal = Decimal { units: i128::from(units), scale: small_argument(context, 1) };
        Ok(decimal.to_string().parse::<f64>().ok())
    })?;
    connection.create_aggregate_function("bs_avg_decimal", 1, super::flags(), Average)
}

fn integers(context: &Context<'_>, operation: Checked) -> Option<i64> {
    operation(integer_argument(context, 0)?, integer_argument(context, 1)?)
}

fn wide(context: &Context<'_>) -> Option<(i128, i128)> {
    Some((i128::from(integer_argument(context, 0)?), i128::from(integer_argument(context, 1)?)))
}

fn power(scale: u8) -> i128 {
    10_i128.pow(u32::from(scale.min(30)))
}

/// Half away from zero; `by` is not zero.
fn divide_rounding(units: i128, by: i128) -> i128 {
    let (quotient, rest) = (units / by, units % by);
    if rest.unsigned_abs() * 2 < by.unsigned_abs() {
        return quotient;
    }
    if (units < 0) == (by < 0) { quotient + 1 } else { quotient - 1 }
}

fn fit(units: i128, digits: u8) -> Option<i64> {
    let fits = units.unsigned_abs() < power(digits).unsigned_abs();
    i64::try_from(units).ok().filter(|_| fits)
}

/// The exact mean of scaled integers, rounded half away from zero; NULL of nothing.
struct Average;

impl Aggregate<(i128, i128), Option<i64>> for Average {
    fn init(&self, _context: &mut Context<'_>) -> Result<(i128, i128)> {
        Ok((0, 0))
    }

    fn step(&self, context: &mut Context<'_>, (sum, count): &mut (i128, i128)) -> Result<()> {
        if let Some(units) = integer_argument(context, 0) {
            *sum += i128::from(units);
            *count += 1;
        }
        Ok(())
    }

    fn finalize(&self, _context: &mut Context<'_>, state: Option<(i128, i128)>) -> Result<Option<i64>> {
        let state = state.filter(|(_, count)| *count > 0);
        Ok(state.and_then(|(sum, count)| i64::try_from(divide_rounding(sum, count)).ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::{divide_rounding, fit};

    #[test]
    fn division_rounds_half_away_from_zero() {
        for (a, b, quotient) in
            [(5, 2, 3), (-5, 2, -3), (5, -2, -3), (4, 3, 1), (-4, 3, -1), (0, 7, 0), (1, 2, 1), (-1, 2, -1)]
        {
            assert_eq!(divide_rounding(a, b), quotient, "{a}/{b}");
        }
    }

    #[test]
    fn digits_bound_the_result() {
        assert_eq!(fit(999, 3), Some(999));
        assert_eq!(fit(1_000, 3), None);
        assert_eq!(fit(-1_000, 3), None);
    }
}
