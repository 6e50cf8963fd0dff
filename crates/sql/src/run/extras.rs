//! What rows keep beside their fields, while they are written: a patch is merged here with what was stored when the row
//! was classified, on every engine alike.

use super::update::Target;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::plan::{Assign, Insert, Update};
use backstay_schema::catalog::Table;
use backstay_schema::extras::{Bounds, NOTHING, merged};
use backstay_schema::value::Value;

/// Puts what the row keeps from now on in the place of the patch.
pub(super) fn merge(
    table: &Table,
    update: &Update,
    target: &mut Target,
    bounds: Bounds,
) -> Result<(), Fault> {
    let Some(extras) = table.extras else { return Ok(()) };
    let place = update.assign.iter().find_map(|(id, assign)| match assign {
        Assign::Given(place) if *id == extras => Some(*place),
        Assign::Given(_) | Assign::Value(_) | Assign::Scalar(_) => None,
    });
    let stored = update.keep.iter().position(|id| *id == extras).and_then(|place| target.keep.get(place));
    if let Some(patch) = place.and_then(|place| target.given.get_mut(place)) {
        *patch = after(stored, patch, bounds)?;
    }
    Ok(())
}

/// A row of an upsert as it is where it is new: nothing is there to be taken away.
pub(super) fn of_new_row(
    table: &Table,
    insert: &Insert,
    row: &[Value],
    bounds: Bounds,
) -> Result<Vec<Value>, Fault> {
    let mut row = row.to_vec();
    let place = insert.columns.iter().position(|id| Some(*id) == table.extras);
    if let Some(patch) = place.and_then(|place| row.get_mut(place)) {
        *patch = after(None, patch, bounds)?;
    }
    Ok(row)
}

fn after(stored: Option<&Value>, patch: &Value, bounds: Bounds) -> Result<Value, Fault> {
    let text = |value: &Value| match value {
        Value::Json(text) => text.clone(),
        _ => NOTHING.to_owned(),
    };
    let stored = stored.map_or_else(|| NOTHING.to_owned(), text);
    let kept = merged(&stored, &text(patch), bounds)
        .map_err(|refusal| Fault::new(code::TOO_COMPLEX, refusal.to_string()))?;
    Ok(Value::Json(kept))
}
