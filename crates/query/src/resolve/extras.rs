//! What a request says of a row beside its fields, where the type keeps such: of a body a patch, of a clause a way
//! into the column that holds them. Where the type keeps none, this finds nothing.

use super::{Resolver, Scope, cells};
use crate::named::{self, ConflictAction, Field, Input, JsonKey, JsonStep};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_schema::catalog::{ColumnId, Table};
use backstay_schema::extras::{self, Bounds, NOTHING, is_name, merged};
use backstay_schema::value::Value;

/// A name with what is written to it.
type Cell = (String, Input);

impl Resolver<'_> {
    /// The cells of an update that have no field, and those that have one.
    pub(super) fn apart<'u>(&self, table: &Table, cells: &'u [Cell]) -> (Vec<&'u Cell>, Vec<&'u Cell>) {
        cells.iter().partition(|(name, _)| is_extra(table, name))
    }

    /// The patch that these cells make; none where there are none.
    pub(super) fn patch(&self, table: &Table, cells: &[&Cell]) -> Result<Option<Value>, Fault> {
        if cells.is_empty() {
            return Ok(None);
        }
        self.patch_of(table, cells.iter().map(|(name, input)| (name.as_str(), input))).map(Some)
    }

    /// The fields of an insert, and per row what it has beside them; none where no row has.
    pub(super) fn rows_apart(
        &self,
        table: &Table,
        insert: &named::Insert,
    ) -> Result<Option<(named::Insert, Vec<Value>)>, Fault> {
        let is_extra: Vec<bool> = insert.columns.iter().map(|name| is_extra(table, name)).collect();
        let action = insert.conflict.as_ref().map(|conflict| conflict.action);
        // a row that is replaced without any has none
        let replaces = action == Some(ConflictAction::Replace) && table.extras.is_some();
        if !replaces && !is_extra.contains(&true) {
            return Ok(None);
        }
        let merges = action == Some(ConflictAction::Merge);
        let mut patches = Vec::with_capacity(insert.rows.len());
        let mut rows = Vec::with_capacity(insert.rows.len());
        for cells in &insert.rows {
            let named = insert.columns.iter().map(String::as_str).zip(cells).zip(&is_extra);
            let (beside, fields): (Vec<_>, Vec<_>) = named.partition(|(_, is_extra)| **is_extra);
            // with `missing=default` what is absent stays, as a field of a row that is there does
            let beside =
                beside.into_iter().map(|(cell, _)| cell).filter(|(_, input)| **input != Input::Default);
            let patch = self.patch_of(table, beside)?;
            patches.push(if merges { patch } else { self.without_nulls(&patch)? });
            rows.push(fields.into_iter().map(|((_, input), _)| input.clone()).collect());
        }
        let columns = insert.columns.iter().filter(|name| !self::is_extra(table, name)).cloned().collect();
        Ok(Some((named::Insert { columns, rows, ..insert.clone() }, patches)))
    }

    fn patch_of<'n>(
        &self,
        table: &Table,
        cells: impl Iterator<Item = (&'n str, &'n Input)>,
    ) -> Result<Value, Fault> {
        let Some(column) = table.extras.map(|id| table.column(id)) else {
            return Err(Fault::internal(format!("{} keeps nothing beside its fields", table.name)));
        };
        let mut members = Vec::new();
        for (name, input) in cells {
            let text = match cells::cell(self.catalog, column, input)? {
                Value::Json(text) => text,
                _ => "null".to_owned(),
            };
            members.push((name, text));
        }
        let patch = Value::Json(extras::patch(members.iter().map(|(name, text)| (*name, text.as_str()))));
        self.without_nulls(&patch)?;
        Ok(patch)
    }

    /// What a new row keeps of a patch.
    fn without_nulls(&self, patch: &Value) -> Result<Value, Fault> {
        let Value::Json(patch) = patch else { return Ok(Value::Json(NOTHING.to_owned())) };
        let kept = merged(NOTHING, patch, Bounds::of(self.limits))
            .map_err(|refusal| Fault::new(code::TOO_COMPLEX, refusal.to_string()))?;
        Ok(Value::Json(kept))
    }
}

/// Whether a name is of no field, and rows may keep something by it.
fn is_extra(table: &Table, name: &str) -> bool {
    table.extras.is_some() && !table.members.contains_key(name) && is_name(name)
}

/// Where a name that is no field leads: the column, and the way into it. `as_text`: the name alone means its text, as
/// in conditions and orders.
pub(super) fn way(scope: Scope<'_, '_>, field: &Field, as_text: bool) -> Option<(ColumnId, Vec<JsonStep>)> {
    let column = scope.table.extras.filter(|_| is_extra(scope.table, &field.name))?;
    let as_text = as_text && field.path.is_empty();
    let first = JsonStep { key: JsonKey::Member(field.name.clone()), as_text };
    Some((column, std::iter::once(first).chain(field.path.iter().cloned()).collect()))
}
