//! Which columns of one source a predicate or value reads.

use backstay_query::plan::{Pred, Scalar, SourceId};
use backstay_schema::catalog::ColumnId;

/// Adds the columns of `source` that `pred` reads to `found`.
pub(crate) fn in_pred(pred: &Pred, source: SourceId, found: &mut Vec<ColumnId>) {
    match pred {
        Pred::Const(_) | Pred::Candidates(_) => {}
        Pred::And(parts) | Pred::Or(parts) => {
            for part in parts {
                in_pred(part, source, found);
            }
        }
        Pred::Not(inner) | Pred::IsNotTrue(inner) => in_pred(inner, source, found),
        Pred::Compare(_, a, b)
        | Pred::Text(_, a, b)
        | Pred::NotText(_, a, b)
        | Pred::Member(a, b, _)
        | Pred::NotMember(a, b, _)
        | Pred::Set(_, a, b) => {
            in_scalar(a, source, found);
            in_scalar(b, source, found);
        }
        Pred::IsNull(value)
        | Pred::IsNotNull(value)
        | Pred::IsTrue(value)
        | Pred::IsFalse(value)
        | Pred::In(value, _, _)
        | Pred::NotIn(value, _, _)
        | Pred::Like { value, .. } => in_scalar(value, source, found),
        Pred::SomeElement(inner) | Pred::NoElement(inner) => {
            in_scalar(&inner.list, source, found);
            in_pred(&inner.filter, source, found);
        }
        Pred::Exists(inner) | Pred::NotExists(inner) => in_pred(&inner.filter, source, found),
    }
}

/// Adds the columns of `source` that `scalar` reads to `found`.
pub(crate) fn in_scalar(scalar: &Scalar, source: SourceId, found: &mut Vec<ColumnId>) {
    match scalar {
        Scalar::Column(column) => {
            if column.source == source && !found.contains(&column.column) {
                found.push(column.column);
            }
        }
        Scalar::Computed(_) | Scalar::Bind(..) | Scalar::Slot(..) | Scalar::Null(_) | Scalar::Element(..) => {
        }
        Scalar::Json(inner, _) | Scalar::Cast(inner, _) | Scalar::Negate(inner, _) => {
            in_scalar(inner, source, found);
        }
        Scalar::Masked(pred, inner) => {
            in_pred(pred, source, found);
            in_scalar(inner, source, found);
        }
        Scalar::Arithmetic(_, a, b, _) | Scalar::Concat(a, b) => {
            in_scalar(a, source, found);
            in_scalar(b, source, found);
        }
        Scalar::Call(_, args) => {
            for arg in args {
                in_scalar(arg, source, found);
            }
        }
        Scalar::Case(cases, last) => {
            for (pred, value) in cases {
                in_pred(pred, source, found);
                in_scalar(value, source, found);
            }
            in_scalar(last, source, found);
        }
        Scalar::Lookup(lookup) => {
            in_pred(&lookup.filter, source, found);
            in_scalar(&lookup.value, source, found);
        }
        Scalar::Aggregate(aggregate) => {
            in_pred(&aggregate.filter, source, found);
            if let Some(value) = &aggregate.value {
                in_scalar(value, source, found);
            }
        }
        Scalar::Test(pred) => in_pred(pred, source, found),
    }
}
