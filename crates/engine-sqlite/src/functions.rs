//! Functions that statements call and SQLite does not have. All are pure; none
//! may stand in a schema (`DIRECTONLY`), so that a file opens anywhere.

mod convert;
mod json;
mod number;
mod sum;
mod text;
mod time;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{ToSql, ValueRef};
use rusqlite::{Connection, Result};

/// Registers every function on a connection.
///
/// # Errors
/// When SQLite refuses.
pub fn register(connection: &Connection) -> Result<()> {
    text::register(connection)?;
    number::register(connection)?;
    sum::register(connection)?;
    time::register(connection)?;
    convert::register(connection)?;
    json::register(connection)
}

fn flags() -> FunctionFlags {
    FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY
}

/// A function whose result is NULL where some argument is.
fn strict<T: ToSql + 'static>(
    connection: &Connection,
    name: &str,
    arguments: i32,
    function: impl Fn(&Context<'_>) -> Result<Option<T>> + Send + 'static,
) -> Result<()> {
    connection.create_scalar_function(name, arguments, flags(), move |context| {
        if (0..context.len()).any(|index| matches!(context.get_raw(index), ValueRef::Null)) {
            return Ok(None);
        }
        function(context)
    })
}

/// Text of an argument; none where it is not text.
fn text_argument<'c>(context: &'c Context<'_>, index: usize) -> Option<&'c str> {
    context.get_raw(index).as_str().ok()
}

/// An integer argument; none where it is not one.
fn integer_argument(context: &Context<'_>, index: usize) -> Option<i64> {
    context.get_raw(index).as_i64().ok()
}

/// A number as a float; none where it is not one.
#[expect(clippy::cast_precision_loss, reason = "an integer among floats")]
fn float_argument(context: &Context<'_>, index: usize) -> Option<f64> {
    match context.get_raw(index) {
        ValueRef::Real(number) => Some(number),
        ValueRef::Integer(number) => Some(number as f64),
        ValueRef::Null | ValueRef::Text(_) | ValueRef::Blob(_) => None,
    }
}

/// A small argument that lowering writes: digits, scale.
fn small_argument(context: &Context<'_>, index: usize) -> u8 {
    integer_argument(context, index).and_then(|number| u8::try_from(number).ok()).unwrap_or(0)
}
