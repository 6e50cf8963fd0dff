//! How much text an index holds. Databases differ in it; the smallest bound holds on every
//! engine, so that a row that one takes is taken by all.

use crate::catalog::{Column, ColumnId, RelationKind, Table};
use crate::scalar::ScalarType;

/// Characters that the text columns of one index hold together, on every engine: `InnoDB`'s
/// 3072 bytes, less what other columns of the index take.
pub const INDEXED_CHARACTERS: u32 = 650;

impl Table {
    /// How many characters (of binary data: bytes) a column may hold because an index does; none for every other column.
    #[must_use]
    pub fn indexed_characters(&self, column: &Column) -> Option<u32> {
        if !is_long(column) {
            return None;
        }
        let references = self.relations.iter().filter_map(|relation| match &relation.kind {
            RelationKind::ToOne { columns, .. } => Some(columns.as_slice()),
            RelationKind::ToMany { .. } | RelationKind::ManyToMany { .. } => None,
        });
        let texts = |columns: &[ColumnId]| {
            let texts = columns.iter().filter(|id| is_long(self.column(**id)));
            u32::try_from(texts.count()).unwrap_or(1).max(1)
        };
        let widest = std::iter::once(self.key.as_slice())
            .chain(self.uniques.iter().map(|unique| unique.columns.as_slice()))
            .chain(self.indexes.iter().map(|index| index.columns.as_slice()))
            .chain(self.partials.iter().map(|partial| partial.columns.as_slice()))
            .chain(references)
            .filter(|columns| columns.contains(&column.id))
            .map(texts)
            .max()?;
        Some(INDEXED_CHARACTERS / widest)
    }
}

/// Whether values may be of any length.
const fn is_long(column: &Column) -> bool {
    matches!(column.ty, ScalarType::String | ScalarType::Bytes)
}
