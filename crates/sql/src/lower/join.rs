//! `EXISTS` as a join: where the sub-select can match at most one row, because it
//! holds a whole key, both mean the same, and a join may be begun from either side.
//! That makes n-n embeds and rules about membership start at the junction.

use super::Lower;
use backstay_base::fault::Fault;
use backstay_query::plan::{Exists, Pred, PredOp, Scalar, SourceId};
use backstay_schema::catalog::{Catalog, ColumnId, Table};

/// A filter taken apart.
#[derive(Debug)]
pub(super) struct Parts<'p> {
    /// Sub-selects that are joined.
    pub(super) joined: Vec<&'p Exists>,
    /// What stays a condition.
    rest: Vec<&'p Pred>,
}

/// Takes a filter apart.
pub(super) fn parts<'p>(catalog: &Catalog, filter: &'p Pred) -> Parts<'p> {
    let conjuncts = match filter {
        Pred::And(all) => all.iter().collect(),
        other => vec![other],
    };
    let mut parts = Parts { joined: Vec::new(), rest: Vec::new() };
    for pred in conjuncts {
        match pred {
            Pred::Exists(exists) if matches_at_most_one(catalog, exists) => parts.joined.push(exists),
            Pred::Const(true) => {}
            other => parts.rest.push(other),
        }
    }
    parts
}

/// Whether a sub-select holds a whole key, and so matches one row or none.
pub(crate) fn matches_at_most_one(catalog: &Catalog, exists: &Exists) -> bool {
    held_to_one(catalog.table(exists.table), &exists.filter, exists.source)
}

/// Whether a filter holds a whole key of the row of `source`.
pub(crate) fn held_to_one(table: &Table, filter: &Pred, source: SourceId) -> bool {
    let conjuncts = match filter {
        Pred::And(all) => all.as_slice(),
        other => std::slice::from_ref(other),
    };
    let held: Vec<ColumnId> = conjuncts.iter().filter_map(|pred| held(pred, source)).collect();
    let covers = |key: &[ColumnId]| !key.is_empty() && key.iter().all(|column| held.contains(column));
    // nothing keeps the key of a view unique
    !table.is_view && (covers(&table.key) || table.uniques.iter().any(|unique| covers(&unique.columns)))
}

/// The own column that a conjunct holds to one value from outside.
fn held(pred: &Pred, own: SourceId) -> Option<ColumnId> {
    let Pred::Compare(PredOp::Eq, a, b) = pred else { return None };
    match (a, b) {
        (Scalar::Column(column), other) | (other, Scalar::Column(column)) if column.source == own => {
            let outside = match other {
                Scalar::Column(other) => other.source != own,
                Scalar::Bind(..) => true,
                _ => false,
            };
            outside.then_some(column.column)
        }
        _ => None,
    }
}

impl Lower<'_> {
    /// ` JOIN "post_tag" AS s4 ON …` for each joined sub-select.
    pub(super) fn join_parts(&mut self, parts: &Parts<'_>) -> Result<(), Fault> {
        for exists in &parts.joined {
            let table = self.catalog.table(exists.table);
            self.writer.push(" JOIN ").table(table).push(" AS ").alias(exists.source).push(" ON ");
            self.enter(exists.source);
            self.pred(&exists.filter)?;
            self.leave();
        }
        Ok(())
    }

    /// The conditions that stayed.
    pub(super) fn rest(&mut self, keyword: &'static str, parts: &Parts<'_>) -> Result<(), Fault> {
        for (index, pred) in parts.rest.iter().enumerate() {
            self.writer.push(if index == 0 { keyword } else { " AND " });
            self.pred(pred)?;
        }
        Ok(())
    }
}
