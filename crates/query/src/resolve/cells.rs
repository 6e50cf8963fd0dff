//! Cells of a body → values of their columns. Names were looked up before, rules come after.

use crate::named::Input;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_schema::catalog::{Catalog, Column, ColumnId, Table};
use backstay_schema::embedded;
use backstay_schema::indexed::INDEXED_CHARACTERS;
use backstay_schema::scalar::read::JsonCell;
use backstay_schema::value::Value;

/// The values of a row that gives these columns.
///
/// # Errors
/// 22P02 and its kin for what is no value of its column, 54000 for what is too long for an index.
pub fn row(
    catalog: &Catalog,
    table: &Table,
    columns: &[ColumnId],
    cells: &[Input],
) -> Result<Vec<Value>, Fault> {
    if columns.len() != cells.len() {
        return Err(Fault::internal("a row of an insert has another number of cells than of columns"));
    }
    // the server adds its own columns
    let mut row = Vec::with_capacity(table.columns.len());
    for (id, input) in columns.iter().zip(cells) {
        row.push(value(catalog, table, table.column(*id), input)?);
    }
    Ok(row)
}

/// The value of one cell, no longer than an index of its column holds.
pub(super) fn value(
    catalog: &Catalog,
    table: &Table,
    column: &Column,
    input: &Input,
) -> Result<Value, Fault> {
    fits_its_index(table, column, cell(catalog, column, input)?)
}

/// The value of a cell of a body.
pub(super) fn cell(catalog: &Catalog, column: &Column, input: &Input) -> Result<Value, Fault> {
    let cell = match input {
        Input::Default | Input::Null => return Ok(Value::Null),
        Input::Value(value) => return column.ty.convert(catalog, value),
        Input::Bool(value) => JsonCell::Bool(*value),
        Input::Number(text) => JsonCell::Number(text),
        Input::Text(text) => JsonCell::Text(text),
        Input::Json(text) => JsonCell::Json(text),
    };
    let value = column.ty.parse_json(catalog, cell)?;
    match (&value, column.shape) {
        (Value::Json(document), Some(shape)) => {
            embedded::fitted(catalog, shape, document, &column.name).map(Value::Json)
        }
        _ => Ok(value),
    }
}

/// Text in an index has a length that every engine's indexes hold.
fn fits_its_index(table: &Table, column: &Column, value: Value) -> Result<Value, Fault> {
    let (bytes, unit) = match &value {
        Value::Text(text) => (text.len(), "characters"),
        Value::Bytes(bytes) => (bytes.len(), "bytes"),
        _ => return Ok(value),
    };
    // an index has at most 32 columns
    if bytes <= (INDEXED_CHARACTERS / 32) as usize {
        return Ok(value);
    }
    let length = match &value {
        Value::Text(text) => text.chars().count(),
        _ => bytes,
    };
    match table.indexed_characters(column) {
        Some(most) if length > most as usize => Err(Fault::new(
            code::INDEX_TOO_WIDE,
            format!("\"{}\" is in an index and holds at most {most} {unit}", column.name),
        )),
        _ => Ok(value),
    }
}
