//! Rows that move into the table that takes the place of another: which column each of its columns comes from.
//! Enters: an `INSERT … SELECT`. It knows no rule.

use super::act::{Act, last, plain};
use sqlparser::ast::{Expr, Insert, SelectItem, SetExpr, TableFactor, TableObject};

/// A column of the new table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Its name.
    pub(crate) to: String,
    /// The column that its values come from.
    pub(crate) from: String,
    /// Whether a value may be refused on the way: no column takes the bytes that it becomes.
    pub(crate) may_be_refused: bool,
    /// Whether a null becomes something else on the way.
    pub(crate) fills_null: bool,
}

/// The columns that an `INSERT` fills from those of one table.
pub(super) fn moved(insert: &Insert) -> Option<Act> {
    let TableObject::TableName(table) = &insert.table else { return None };
    let SetExpr::Select(select) = &*insert.source.as_ref()?.body else { return None };
    let [from] = select.from.as_slice() else { return None };
    let TableFactor::Table { .. } = &from.relation else { return None };
    let moved = insert.columns.iter().zip(&select.projection).filter_map(|(name, item)| {
        let SelectItem::UnnamedExpr(value) = item else { return None };
        let text = value.to_string();
        let from = match value {
            Expr::Identifier(name) => plain(name),
            _ => text.split('"').nth(1)?.to_owned(),
        };
        let fills_null = ["coalesce(", "ifnull("].iter().any(|call| text.to_ascii_lowercase().contains(call));
        Some(Moved { to: last(name), from, may_be_refused: text.contains(" AS BLOB)"), fills_null })
    });
    Some(Act::MoveRows { table: last(table), moved: moved.collect() })
}
