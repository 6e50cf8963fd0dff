//! [`Recipe`]: how the one row of an insert was completed, and on which of its values the rules were judged. The
//! cells of the next row enter, its values leave; whatever needs another judgement makes no row.

use crate::valid;
use backstay_base::ids::Ids;
use backstay_query::named::Input;
use backstay_query::plan::Insert;
use backstay_query::resolve::cells;
use backstay_schema::catalog::{Catalog, ColumnId, Table};
use backstay_schema::value::Value;
use std::sync::Arc;

/// What the server put into a column that the request left out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filled {
    /// A new id.
    NewId,
    /// The time of the request.
    Now,
    /// What every row of the same form and caller gets.
    Same(Value),
}

/// How a row was completed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recipe {
    /// So many of the first columns are given by the request.
    given: usize,
    /// What fills the others, in their order.
    filled: Vec<Filled>,
    /// Values that rules looked at, by the index of their column: another row has them, too, or is woven anew.
    judged: Vec<(usize, Value)>,
}

impl Recipe {
    /// Of a woven insert that breaks nothing; none where its rules looked at what no other row has.
    pub(crate) fn of(
        (table, insert): (&Table, &Insert),
        filled: Vec<Filled>,
        looked_at: &[ColumnId],
    ) -> Option<Self> {
        let [row] = insert.rows.as_slice() else { return None };
        let given = insert.columns.len().checked_sub(filled.len())?;
        let mut judged = Vec::with_capacity(looked_at.len());
        for (index, (column, value)) in insert.columns.iter().zip(row).enumerate() {
            let is_looked_at = looked_at.contains(column);
            match index.checked_sub(given).map(|place| filled.get(place)) {
                None if is_looked_at => judged.push((index, value.clone())),
                None | Some(Some(Filled::Same(_))) => {}
                Some(Some(Filled::NewId | Filled::Now)) => {
                    if is_looked_at || !table.column(*column).valid.is_empty() {
                        return None;
                    }
                }
                Some(None) => return None,
            }
        }
        Some(Self { given, filled, judged })
    }

    /// The row of these cells. None where a cell is no value of its column, where a rule has to look anew,
    /// and where the row breaks what `@valid` asks: then the long way says what is to be said.
    pub(crate) fn row(
        &self,
        (catalog, insert): (&Catalog, &Insert),
        input: &[Input],
        (now_micros, ids): (i64, &Ids),
    ) -> Option<Arc<[Value]>> {
        let table = catalog.table(insert.table);
        let given = insert.columns.get(..self.given)?;
        let mut row = cells::row(catalog, table, given, input).ok()?;
        let is_judged = self.judged.iter().all(|(index, value)| row.get(*index) == Some(value));
        if !is_judged || !valid::row_holds(table, given, &row) {
            return None;
        }
        for filled in &self.filled {
            row.push(match filled {
                Filled::NewId => Value::Uuid(ids.row()),
                Filled::Now => Value::Timestamp(now_micros),
                Filled::Same(value) => value.clone(),
            });
        }
        Some(row.into())
    }
}
