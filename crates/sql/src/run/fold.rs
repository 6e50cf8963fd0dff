//! Sums and means, finished: the same number to the last digit on every database. What enters
//! is the text of [`crate::dialect::Dialect::exact_sum`] and a count.

use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_schema::catalog::Catalog;
use backstay_schema::expr::AggregateFunction;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::exact_sum::ExactSum;
use backstay_schema::value::{Decimal, Value};

/// Digits after the point of a mean, unless what it is the mean of has more.
const MEAN_SCALE: u8 = 16;

/// The sum or mean of values of type `of`, brought into `then` where one is said.
pub(super) fn finished(
    (function, of): (AggregateFunction, ScalarType),
    sum: &Value,
    count: &Value,
    then: Option<ScalarType>,
) -> Result<Value, Fault> {
    let Value::Text(sum) = sum else { return Ok(Value::Null) };
    let count = match count {
        Value::Int(count) if function == AggregateFunction::Avg => Some(*count),
        _ => None,
    };
    let value = match of {
        ScalarType::Float => float(sum, count)?,
        ScalarType::Int if count.is_none() => ScalarType::BigInt.parse_text(&Catalog::default(), sum)?,
        _ => exact(sum, count)?,
    };
    match then {
        Some(to) => to.convert(&Catalog::default(), &value),
        None => Ok(value),
    }
}

/// The fault of a value that cannot be cast on the way into a group: which one is met first
/// differs between databases, so that it is not named.
pub(super) fn uncastable() -> Fault {
    Fault::new(code::INVALID_TEXT, "a value cannot be cast as the aggregates ask")
        .with_hint("leave out such values by a filter")
}

/// Whether a database refuses a value that cannot be cast with this.
pub(super) fn is_cast(fault: &Fault) -> bool {
    [code::INVALID_TEXT, code::OUT_OF_RANGE, code::INVALID_DATETIME].contains(&fault.code)
}

fn exact(sum: &str, count: Option<i64>) -> Result<Value, Fault> {
    let sum = Decimal::parse(sum).map_err(|_| out_of_range())?;
    let Some(count) = count else { return Ok(Value::Decimal(sum)) };
    let scale = sum.scale.max(MEAN_SCALE);
    let sum = sum.rescale(scale).map_err(|_| out_of_range())?;
    let units = divided(sum.units, i128::from(count)).ok_or_else(out_of_range)?;
    Ok(Value::Decimal(Decimal { units, scale }))
}

/// Half away from zero.
fn divided(units: i128, by: i128) -> Option<i128> {
    let (quotient, rest) = (units.checked_div(by)?, units.checked_rem(by)?);
    let up = rest.unsigned_abs() >= by.unsigned_abs() - rest.unsigned_abs() && rest != 0;
    Some(if up { quotient + units.signum() } else { quotient })
}

#[expect(clippy::cast_precision_loss, reason = "no table has 2^53 rows")]
fn float(numbers: &str, count: Option<i64>) -> Result<Value, Fault> {
    let mut sum = ExactSum::default();
    for number in numbers.split(',') {
        sum.add(number.parse().map_err(|_| Fault::internal("a list of floats holds something else"))?);
    }
    let sum = sum.value().ok_or_else(out_of_range)?;
    Ok(Value::Float(count.map_or(sum, |count| sum / count as f64)))
}

fn out_of_range() -> Fault {
    Fault::new(code::OUT_OF_RANGE, "value out of range: overflow")
}

#[cfg(test)]
mod tests {
    use super::{AggregateFunction, ScalarType, Value, finished};

    fn of(function: AggregateFunction, of: ScalarType, sum: &str, count: i64) -> String {
        match finished((function, of), &Value::Text(sum.to_owned()), &Value::Int(count), None) {
            Ok(value) => value.to_text(),
            Err(fault) => fault.code.text.to_owned(),
        }
    }

    #[test]
    fn means_are_exact() {
        let mean = |ty, sum, count| of(AggregateFunction::Avg, ty, sum, count);
        assert_eq!(mean(ScalarType::Int, "1", 3), "0.3333333333333333");
        assert_eq!(mean(ScalarType::Int, "-2", 3), "-0.6666666666666667");
        assert_eq!(
            mean(ScalarType::BigInt, "18446744073709551614", 2),
            "9223372036854775807.0000000000000000"
        );
        assert_eq!(mean(ScalarType::Decimal { digits: 18, scale: 2 }, "0.05", 2), "0.0250000000000000");
        assert_eq!(mean(ScalarType::Float, "0.1,0.2", 2), "0.15000000000000002");
        assert_eq!(mean(ScalarType::BigInt, &"9".repeat(36), 2), "22003");
    }

    #[test]
    fn sums_do_not_depend_on_order() {
        let sum = |ty, sum| of(AggregateFunction::Sum, ty, sum, 0);
        assert_eq!(sum(ScalarType::Float, "1e300,1,-1e300"), "1");
        assert_eq!(sum(ScalarType::Float, "1.7e308,1.7e308,-1.7e308"), "1.7e+308");
        assert_eq!(sum(ScalarType::Float, "1.7e308,1.7e308"), "22003");
        assert_eq!(sum(ScalarType::Int, "9223372036854775808"), "22003");
        assert_eq!(sum(ScalarType::BigInt, "9223372036854775808"), "9223372036854775808");
        assert_eq!(sum(ScalarType::Decimal { digits: 18, scale: 2 }, "-12.50"), "-12.50");
    }
}
