//! References of rows that are written: what must hold of each, and in which order
//! they are blamed. A target that the caller may not name counts as missing.

use backstay_query::plan::{ColumnRef, Exists, Pred, PredOp, Reference, Scalar, SourceId, Sources};
use backstay_schema::catalog::{Catalog, ColumnId, OnDelete, RelationKind, Table};

/// What must be TRUE of a row for one of its references to stand.
#[derive(Debug)]
pub(super) struct Condition<'c> {
    pub(super) constraint: &'c str,
    pub(super) columns: &'c [ColumnId],
    pub(super) target: &'c Table,
    pub(super) holds: Pred,
}

/// Which references are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// All: the database found one missing, or will look only at commit.
    All,
    /// Those that the caller must be allowed to name; the database has seen that targets are there.
    Guarded,
}

/// The conditions of a table's references over `row`, in order.
pub(super) fn conditions<'c>(
    catalog: &'c Catalog,
    (table, row): (&'c Table, SourceId),
    guarded: &[Reference],
    (asked, sources): (Asked, &mut Sources),
) -> Vec<Condition<'c>> {
    let mut all = Vec::new();
    for foreign in foreign_keys(catalog, table) {
        let ForeignKey { constraint, columns, target, .. } = foreign;
        let allowed = guarded.iter().find(|reference| reference.constraint == constraint);
        let holds = match (allowed, asked) {
            (Some(reference), _) => reference.allowed.clone(),
            (None, Asked::All) => target_is_there(table, row, (columns, target), sources.next_id()),
            (None, Asked::Guarded) => continue,
        };
        all.push(Condition { constraint, columns, target, holds: or_null(table, row, columns, holds) });
    }
    all
}

/// A foreign key of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct ForeignKey<'c> {
    pub(super) constraint: &'c str,
    pub(super) columns: &'c [ColumnId],
    pub(super) target: &'c Table,
    pub(super) on_delete: OnDelete,
}

/// The foreign keys of a table, in order; a view keeps none.
pub(super) fn foreign_keys<'c>(
    catalog: &'c Catalog,
    table: &'c Table,
) -> impl Iterator<Item = ForeignKey<'c>> {
    let kept = table.relations.iter().filter(|_| !table.is_view);
    kept.filter_map(|relation| match &relation.kind {
        RelationKind::ToOne { columns, constraint, on_delete, .. } => Some(ForeignKey {
            constraint,
            columns,
            target: catalog.table(relation.target),
            on_delete: *on_delete,
        }),
        RelationKind::ToMany { .. } | RelationKind::ManyToMany { .. } => None,
    })
}

/// TRUE where the target is there; `source` is new.
fn target_is_there(
    table: &Table,
    row: SourceId,
    (columns, target): (&[ColumnId], &Table),
    source: SourceId,
) -> Pred {
    let here = |column: ColumnId| Scalar::Column(ColumnRef { source: row, table: table.id, column });
    let there = |column: ColumnId| Scalar::Column(ColumnRef { source, table: target.id, column });
    let pairs = columns.iter().zip(&target.key);
    let join = pairs.map(|(mine, theirs)| Pred::Compare(PredOp::Eq, there(*theirs), here(*mine))).collect();
    Pred::Exists(Box::new(Exists { source, table: target.id, filter: Pred::And(join) }))
}

/// `pred`, or some of the columns is NULL.
pub(super) fn or_null(table: &Table, row: SourceId, columns: &[ColumnId], pred: Pred) -> Pred {
    let nulls = columns.iter().filter(|id| table.column(**id).nullable).map(|column| {
        Pred::IsNull(Scalar::Column(ColumnRef { source: row, table: table.id, column: *column }))
    });
    let mut all: Vec<Pred> = nulls.collect();
    if all.is_empty() {
        return pred;
    }
    all.push(pred);
    Pred::Or(all)
}
