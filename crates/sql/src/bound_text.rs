//! Lists and row sets as one JSON text, for drivers that bind no arrays. How an element
//! stands in it is the engine's to say.

use crate::statement::RowSet;
use backstay_base::fault::Fault;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// Appends an element of a type.
pub type Element = fn(&Value, ScalarType, &mut String) -> Result<(), Fault>;

/// `[a,b]`.
///
/// # Errors
/// Those of an element.
pub fn list(values: &[Value], ty: ScalarType, element: Element) -> Result<String, Fault> {
    let mut text = String::with_capacity(2 + values.len() * 16);
    array(values.iter().map(|value| (value, ty)), element, &mut text)?;
    Ok(text)
}

/// `[[a,b],[c,d]]`, a list per row.
///
/// # Errors
/// Those of an element.
pub fn rows(set: &RowSet, element: Element) -> Result<String, Fault> {
    let mut text = String::from("[");
    for (index, row) in set.rows.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        array(row.iter().zip(set.types.iter().copied()), element, &mut text)?;
    }
    text.push(']');
    Ok(text)
}

fn array<'v>(
    values: impl Iterator<Item = (&'v Value, ScalarType)>,
    element: Element,
    text: &mut String,
) -> Result<(), Fault> {
    text.push('[');
    for (index, (value, ty)) in values.enumerate() {
        if index > 0 {
            text.push(',');
        }
        element(value, ty, text)?;
    }
    text.push(']');
    Ok(())
}
