//! Predicates of a row as a write would leave it, said of the row as it is stored: each
//! column is replaced by what becomes of it.

use backstay_query::plan::{Aggregate, ColumnRef, Elements, Exists, Lookup, Pred, Scalar};
use backstay_schema::catalog::TableId;

/// What stands in place of a column; none leaves it.
pub(crate) type Replace<'r> = dyn Fn(ColumnRef) -> Option<Scalar> + 'r;

/// The predicate with columns replaced, in sub-selects too.
pub(crate) fn pred(pred_: &Pred, replace: &Replace<'_>) -> Pred {
    let inside = |inner: &Pred| Box::new(pred(inner, replace));
    let value = |of: &Scalar| scalar(of, replace);
    let all = |preds: &[Pred]| preds.iter().map(|inner| pred(inner, replace)).collect();
    let exists = |exists: &Exists| {
        Box::new(Exists { source: exists.source, table: exists.table, filter: pred(&exists.filter, replace) })
    };
    let elements = |of: &Elements| {
        let (list, filter) = (scalar(&of.list, replace), pred(&of.filter, replace));
        Box::new(Elements { list, filter, ..of.clone() })
    };
    match pred_ {
        Pred::Const(_) | Pred::Candidates(_) => pred_.clone(),
        Pred::And(preds) => Pred::And(all(preds)),
        Pred::Or(preds) => Pred::Or(all(preds)),
        Pred::Not(inner) => Pred::Not(inside(inner)),
        Pred::IsNotTrue(inner) => Pred::IsNotTrue(inside(inner)),
        Pred::Compare(op, a, b) => Pred::Compare(*op, value(a), value(b)),
        Pred::IsNull(of) => Pred::IsNull(value(of)),
        Pred::IsNotNull(of) => Pred::IsNotNull(value(of)),
        Pred::IsTrue(of) => Pred::IsTrue(value(of)),
        Pred::IsFalse(of) => Pred::IsFalse(value(of)),
        Pred::In(of, values, ty) => Pred::In(value(of), values.clone(), *ty),
        Pred::NotIn(of, values, ty) => Pred::NotIn(value(of), values.clone(), *ty),
        Pred::Like { value: of, pattern, ignore_case } => {
            Pred::Like { value: value(of), pattern: pattern.clone(), ignore_case: *ignore_case }
        }
        Pred::Member(a, b, ty) => Pred::Member(value(a), value(b), *ty),
        Pred::NotMember(a, b, ty) => Pred::NotMember(value(a), value(b), *ty),
        Pred::Set(test, a, b) => Pred::Set(*test, value(a), value(b)),
        Pred::SomeElement(inner) => Pred::SomeElement(elements(inner)),
        Pred::NoElement(inner) => Pred::NoElement(elements(inner)),
        Pred::Text(function, a, b) => Pred::Text(*function, value(a), value(b)),
        Pred::NotText(function, a, b) => Pred::NotText(*function, value(a), value(b)),
        Pred::Exists(inner) => Pred::Exists(exists(inner)),
        Pred::NotExists(inner) => Pred::NotExists(exists(inner)),
    }
}

/// The scalar with columns replaced.
pub(crate) fn scalar(scalar_: &Scalar, replace: &Replace<'_>) -> Scalar {
    let inside = |inner: &Scalar| Box::new(scalar(inner, replace));
    match scalar_ {
        Scalar::Column(column) => replace(*column).unwrap_or(Scalar::Column(*column)),
        Scalar::Computed(_) | Scalar::Bind(..) | Scalar::Slot(..) | Scalar::Null(_) | Scalar::Element(..) => {
            scalar_.clone()
        }
        Scalar::Json(of, path) => Scalar::Json(inside(of), path.clone()),
        Scalar::Cast(of, ty) => Scalar::Cast(inside(of), *ty),
        Scalar::Masked(guard, of) => Scalar::Masked(Box::new(pred(guard, replace)), inside(of)),
        Scalar::Arithmetic(op, a, b, ty) => Scalar::Arithmetic(*op, inside(a), inside(b), *ty),
        Scalar::Negate(of, ty) => Scalar::Negate(inside(of), *ty),
        Scalar::Concat(a, b) => Scalar::Concat(inside(a), inside(b)),
        Scalar::Call(function, arguments) => {
            Scalar::Call(*function, arguments.iter().map(|argument| scalar(argument, replace)).collect())
        }
        Scalar::Case(arms, last) => {
            let arms = arms.iter().map(|(guard, of)| (pred(guard, replace), scalar(of, replace)));
            Scalar::Case(arms.collect(), inside(last))
        }
        Scalar::Lookup(lookup) => Scalar::Lookup(Box::new(Lookup {
            source: lookup.source,
            table: lookup.table,
            filter: pred(&lookup.filter, replace),
            value: scalar(&lookup.value, replace),
        })),
        Scalar::Aggregate(aggregate) => Scalar::Aggregate(Box::new(Aggregate {
            function: aggregate.function,
            source: aggregate.source,
            table: aggregate.table,
            filter: pred(&aggregate.filter, replace),
            value: aggregate.value.as_ref().map(|value| scalar(value, replace)),
            ty: aggregate.ty,
        })),
        Scalar::Test(inner) => Scalar::Test(Box::new(pred(inner, replace))),
    }
}

/// What a predicate or scalar reads besides columns of its own row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    /// Tables of its sub-selects.
    pub(crate) tables: Vec<TableId>,
    /// Columns, of whatever source.
    pub(crate) columns: Vec<ColumnRef>,
}

impl Reads {
    /// Adds what a predicate reads.
    pub(crate) fn pred(&mut self, pred: &Pred) {
        match pred {
            Pred::Const(_) | Pred::Candidates(_) => {}
            Pred::And(preds) | Pred::Or(preds) => preds.iter().for_each(|inner| self.pred(inner)),
            Pred::Not(inner) | Pred::IsNotTrue(inner) => self.pred(inner),
            Pred::Compare(_, a, b)
            | Pred::Text(_, a, b)
            | Pred::NotText(_, a, b)
            | Pred::Member(a, b, _)
            | Pred::NotMember(a, b, _)
            | Pred::Set(_, a, b) => {
                self.scalar(a);
                self.scalar(b);
            }
            Pred::IsNull(of)
            | Pred::IsNotNull(of)
            | Pred::IsTrue(of)
            | Pred::IsFalse(of)
            | Pred::In(of, _, _)
            | Pred::NotIn(of, _, _)
            | Pred::Like { value: of, .. } => self.scalar(of),
            Pred::SomeElement(of) | Pred::NoElement(of) => {
                self.scalar(&of.list);
                self.pred(&of.filter);
            }
            Pred::Exists(exists) | Pred::NotExists(exists) => {
                self.tables.push(exists.table);
                self.pred(&exists.filter);
            }
        }
    }

    /// Adds what a scalar reads.
    pub(crate) fn scalar(&mut self, scalar: &Scalar) {
        match scalar {
            Scalar::Column(column) => self.columns.push(*column),
            Scalar::Computed(_)
            | Scalar::Bind(..)
            | Scalar::Slot(..)
            | Scalar::Null(_)
            | Scalar::Element(..) => {}
            Scalar::Json(of, _) | Scalar::Cast(of, _) | Scalar::Negate(of, _) => self.scalar(of),
            Scalar::Masked(pred, of) => {
                self.pred(pred);
                self.scalar(of);
            }
            Scalar::Arithmetic(_, a, b, _) | Scalar::Concat(a, b) => {
                self.scalar(a);
                self.scalar(b);
            }
            Scalar::Call(_, arguments) => arguments.iter().for_each(|argument| self.scalar(argument)),
            Scalar::Case(arms, last) => {
                for (pred, of) in arms {
                    self.pred(pred);
                    self.scalar(of);
                }
                self.scalar(last);
            }
            Scalar::Lookup(lookup) => {
                self.tables.push(lookup.table);
                self.pred(&lookup.filter);
                self.scalar(&lookup.value);
            }
            Scalar::Aggregate(aggregate) => {
                self.tables.push(aggregate.table);
                self.pred(&aggregate.filter);
                aggregate.value.iter().for_each(|value| self.scalar(value));
            }
            Scalar::Test(pred) => self.pred(pred),
        }
    }
}
