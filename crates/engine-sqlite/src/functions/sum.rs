//! Exact sums as text. SQLite's own sum refuses what leaves 64 bits on the way, and adds floats
//! in whatever order it finds them.

use super::{flags, float_argument, integer_argument, small_argument};
use backstay_schema::value::exact_sum::ExactSum;
use backstay_schema::value::{Decimal, Value};
use rusqlite::functions::{Aggregate, Context};
use rusqlite::{Connection, Result};

pub(super) fn register(connection: &Connection) -> Result<()> {
    connection.create_aggregate_function("bs_sum", 2, flags(), Whole)?;
    connection.create_aggregate_function("bs_sum_float", 1, flags(), Floating)
}

/// Of integers that stand for decimals of a scale; NULL of nothing.
struct Whole;

impl Aggregate<Option<Decimal>, Option<String>> for Whole {
    fn init(&self, _context: &mut Context<'_>) -> Result<Option<Decimal>> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, sum: &mut Option<Decimal>) -> Result<()> {
        if let Some(units) = integer_argument(context, 0) {
            let scale = small_argument(context, 1);
            sum.get_or_insert(Decimal { units: 0, scale }).units += i128::from(units);
        }
        Ok(())
    }

    fn finalize(&self, _context: &mut Context<'_>, sum: Option<Option<Decimal>>) -> Result<Option<String>> {
        Ok(sum.flatten().map(|sum| sum.to_string()))
    }
}

/// Of floats; NULL of nothing.
struct Floating;

impl Aggregate<Option<ExactSum>, Option<String>> for Floating {
    fn init(&self, _context: &mut Context<'_>) -> Result<Option<ExactSum>> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, sum: &mut Option<ExactSum>) -> Result<()> {
        if let Some(number) = float_argument(context, 0) {
            sum.get_or_insert_default().add(number);
        }
        Ok(())
    }

    fn finalize(&self, _context: &mut Context<'_>, sum: Option<Option<ExactSum>>) -> Result<Option<String>> {
        // two of the largest are beyond it too, and are added up where the sum is finished
        let beyond = || "1.7976931348623157e308,1.7976931348623157e308".to_owned();
        let text = |sum: ExactSum| sum.value().map_or_else(beyond, |sum| Value::Float(sum).to_text());
        Ok(sum.flatten().map(text))
    }
}
