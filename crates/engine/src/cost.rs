//! [`Cost`] of a read, judged from the plan alone: whether it may run on the
//! thread that asks. An engine may still move a misjudged one elsewhere.

use backstay_query::plan::{Output, OutputValue, Pred, PredOp, Query, Scalar, Script, Select, SourceId};
use backstay_schema::catalog::{Catalog, ColumnId, Table};

/// Largest page that counts as short.
pub const SHORT_PAGE_ROWS: u64 = 100;

/// How long a read may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// By key, or a short page by an index: microseconds.
    Inline,
    /// Anything else.
    Blocking,
}

/// The cost of a script that only reads.
#[must_use]
pub fn of(script: &Script, catalog: &Catalog) -> Cost {
    let short = script.steps.iter().all(|step| match &step.query {
        Query::Select(select) => short(select, catalog, true),
        Query::Insert(_) | Query::Update(_) | Query::Delete(_) => false,
    });
    if short { Cost::Inline } else { Cost::Blocking }
}

fn short(select: &Select, catalog: &Catalog, top: bool) -> bool {
    let table = catalog.table(select.table);
    let fixed = fixed_columns(&select.filter, select.source);
    let point = is_point(table, &fixed);
    let indexed = point || leads_an_index(table, &fixed) || is_member(&select.filter, catalog);
    let page = select.limit.is_some_and(|limit| limit <= SHORT_PAGE_ROWS);
    // a filter may pass over most of the index: the engine's budget finds that out
    let ordered = order_is_indexed(select, table);
    if select.group.is_some() {
        return false;
    }
    let reached = point || (indexed && (page || !top)) || (page && !select.count && ordered);
    reached && (point || !select.count) && select.outputs.iter().all(|output| output_short(output, catalog))
}

fn output_short(output: &Output, catalog: &Catalog) -> bool {
    match &output.value {
        OutputValue::Scalar(scalar, _) => !matches!(scalar, Scalar::Aggregate(_)),
        OutputValue::One(select)
        | OutputValue::Spread(select)
        | OutputValue::Many(select)
        | OutputValue::SpreadMany(select) => short(select, catalog, false),
        OutputValue::Count { .. } | OutputValue::Aggregate(_) => false,
    }
}

/// Columns of the source that the filter holds to one value.
fn fixed_columns(filter: &Pred, source: SourceId) -> Vec<ColumnId> {
    match filter {
        Pred::And(all) => all.iter().flat_map(|pred| fixed_columns(pred, source)).collect(),
        Pred::Compare(PredOp::Eq, a, b) => {
            [own_column(a, source), own_column(b, source)].into_iter().flatten().collect()
        }
        Pred::In(scalar, values, _) if values.len() <= 16 => own_column(scalar, source).into_iter().collect(),
        Pred::Const(_)
        | Pred::Or(_)
        | Pred::Not(_)
        | Pred::IsNotTrue(_)
        | Pred::Compare(..)
        | Pred::IsNull(_)
        | Pred::IsNotNull(_)
        | Pred::IsTrue(_)
        | Pred::IsFalse(_)
        | Pred::In(..)
        | Pred::NotIn(..)
        | Pred::Like { .. }
        | Pred::Text(..)
        | Pred::Member(..)
        | Pred::NotMember(..)
        | Pred::Set(..)
        | Pred::SomeElement(_)
        | Pred::NoElement(_)
        | Pred::NotText(..)
        | Pred::Candidates(_)
        | Pred::Exists(_)
        | Pred::NotExists(_) => Vec::new(),
    }
}

fn own_column(scalar: &Scalar, source: SourceId) -> Option<ColumnId> {
    match scalar {
        Scalar::Column(column) if column.source == source => Some(column.column),
        _ => None,
    }
}

/// Whether the rows are those that some row of an indexed page of another table names.
fn is_member(filter: &Pred, catalog: &Catalog) -> bool {
    match filter {
        Pred::And(all) => all.iter().any(|pred| is_member(pred, catalog)),
        Pred::Exists(exists) => {
            let table = catalog.table(exists.table);
            let fixed = fixed_columns(&exists.filter, exists.source);
            is_point(table, &fixed) && leads_an_index(table, &fixed)
        }
        // nothing else begins at another table
        _ => false,
    }
}

fn is_point(table: &Table, fixed: &[ColumnId]) -> bool {
    let covered =
        |columns: &[ColumnId]| !columns.is_empty() && columns.iter().all(|column| fixed.contains(column));
    covered(&table.key) || table.uniques.iter().any(|unique| covered(&unique.columns))
}

fn leads_an_index(table: &Table, fixed: &[ColumnId]) -> bool {
    fixed.iter().any(|column| is_leading(table, *column))
}

fn is_leading(table: &Table, column: ColumnId) -> bool {
    table.key.first() == Some(&column)
        || table.uniques.iter().any(|unique| unique.columns.first() == Some(&column))
        || table.indexes.iter().any(|index| index.columns.first() == Some(&column))
        || table.column(column).relation.is_some()
}

fn order_is_indexed(select: &Select, table: &Table) -> bool {
    select
        .order
        .first()
        .and_then(|order| own_column(&order.by, select.source))
        .is_some_and(|column| is_leading(table, column))
}
