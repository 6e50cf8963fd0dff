//! Quantifiers and aggregates over relations, macros over known lists.

use super::list::element_type;
use super::operand::scalar_type;
use super::path::exists;
use super::{Compiled, Compiler, Operand, RowRef, Scope};
use backstay_base::fault::Fault;
use backstay_query::plan::{Aggregate, Elements, Exists, Pred, PredOp, Scalar};
use backstay_schema::expr::{AggregateFunction, Expr, ExprKind, Over, Quantifier, RelationPath, Ty, VarId};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// Longest list that a macro over a claim unrolls; a longer one is not known.
const CLAIM_LIST: usize = 200;

impl Compiler<'_> {
    /// `over.exists(var, body)` and its kin, wanted to be definitely `want`.
    pub(super) fn quantifier(
        &mut self,
        quantifier: Quantifier,
        over: &Over,
        var: VarId,
        body: &Expr,
        scope: &Scope,
        want: bool,
    ) -> Compiled {
        match over {
            Over::List(list) => self.over_list(quantifier, list, var, body, scope, want),
            Over::Relation(relation) => self.at_end(&relation.row, scope, &mut |compiler, row, scope| {
                let source = compiler.sources.next_id();
                let join = compiler.join(row, relation.hop, source)?;
                let table = relation.hop.target;
                let inner = scope.with_row(var, RowRef::Source(source, table));
                let some = |filter: Pred| exists(source, table, join.clone().and(filter));
                let none = |filter: Pred| negated(some(filter));
                Ok(match (quantifier, want) {
                    (Quantifier::Exists, true) => some(compiler.is_true(body, &inner)?),
                    (Quantifier::Exists, false) => none(not_true(compiler.is_false(body, &inner)?)),
                    (Quantifier::All, true) => none(not_true(compiler.is_true(body, &inner)?)),
                    (Quantifier::All, false) => some(compiler.is_false(body, &inner)?),
                    (Quantifier::ExistsOne, _) => {
                        let yes = compiler.is_true(body, &inner)?;
                        let no = compiler.is_false(body, &inner)?;
                        let all_known = none(not_true(yes.clone().or(no)));
                        let count = Scalar::Aggregate(Box::new(Aggregate {
                            function: AggregateFunction::Count,
                            source,
                            table,
                            filter: join.clone().and(yes),
                            value: None,
                            ty: ScalarType::BigInt,
                        }));
                        let op = if want { PredOp::Eq } else { PredOp::Ne };
                        let one = Scalar::Bind(Value::Int(1), ScalarType::BigInt);
                        Pred::Compare(op, count, one).and(all_known)
                    }
                })
            }),
        }
    }

    fn over_list(
        &mut self,
        quantifier: Quantifier,
        list: &Expr,
        var: VarId,
        body: &Expr,
        scope: &Scope,
        want: bool,
    ) -> Compiled {
        if let ExprKind::Path(_) = &list.kind {
            return self.over_stored(quantifier, list, var, body, scope, want);
        }
        let ty = match &list.ty {
            Ty::List(inner) => scalar_type(inner).unwrap_or(ScalarType::String),
            Ty::Scalar(_) | Ty::Null | Ty::Row(_) | Ty::Embedded(_) | Ty::Dynamic => ScalarType::String,
        };
        let Some(elements) = self.elements(list, ty, scope)? else { return Ok(Pred::FALSE) };
        if elements.len() > CLAIM_LIST {
            return Ok(Pred::FALSE);
        }
        let mut values = Vec::with_capacity(elements.len());
        for element in elements {
            let Operand::Known(value) = element else { return Ok(Pred::FALSE) };
            values.push(value);
        }
        self.over_values(quantifier, values, var, body, scope, want)
    }

    /// A macro over a list that is read from a row.
    fn over_stored(
        &mut self,
        quantifier: Quantifier,
        list: &Expr,
        var: VarId,
        body: &Expr,
        scope: &Scope,
        want: bool,
    ) -> Compiled {
        let element = element_type(&list.ty).unwrap_or(ScalarType::String);
        self.with_operand(list, None, scope, &mut |compiler, list| {
            let list = match list {
                Operand::Known(Value::List(values)) => {
                    return compiler.over_values(quantifier, values, var, body, scope, want);
                }
                Operand::Known(_) | Operand::Absent => return Ok(Pred::FALSE),
                Operand::Sql(list, _) => list,
            };
            let source = compiler.sources.next_id();
            let inner = scope.with_element(var, Scalar::Element(source, element));
            let there = Pred::IsNotNull(list.clone());
            let of = |filter: Pred| Box::new(Elements { source, list, element, filter });
            Ok(match (quantifier, want) {
                (Quantifier::Exists | Quantifier::ExistsOne, true) => {
                    Pred::SomeElement(of(compiler.is_true(body, &inner)?))
                }
                (Quantifier::Exists | Quantifier::ExistsOne, false) => {
                    Pred::NoElement(of(not_true(compiler.is_false(body, &inner)?))).and(there)
                }
                (Quantifier::All, true) => {
                    Pred::NoElement(of(not_true(compiler.is_true(body, &inner)?))).and(there)
                }
                (Quantifier::All, false) => Pred::SomeElement(of(compiler.is_false(body, &inner)?)),
            })
        })
    }

    fn over_values(
        &mut self,
        quantifier: Quantifier,
        values: Vec<Value>,
        var: VarId,
        body: &Expr,
        scope: &Scope,
        want: bool,
    ) -> Compiled {
        let mut parts = Vec::with_capacity(values.len());
        for value in values {
            let inner = scope.with_value(var, value);
            parts.push((self.is_true(body, &inner)?, self.is_false(body, &inner)?));
        }
        Ok(match (quantifier, want) {
            (Quantifier::Exists, true) => any(parts.into_iter().map(|(yes, _)| yes)),
            (Quantifier::Exists, false) => every(parts.into_iter().map(|(_, no)| no)),
            (Quantifier::All, true) => every(parts.into_iter().map(|(yes, _)| yes)),
            (Quantifier::All, false) => any(parts.into_iter().map(|(_, no)| no)),
            (Quantifier::ExistsOne, true) => one_of(&parts),
            (Quantifier::ExistsOne, false) => not_one_of(&parts),
        })
    }

    /// An aggregate over a relation. Where the filter is not known for some row, neither is the aggregate.
    #[expect(clippy::too_many_arguments, reason = "the parts of the node, taken apart by its only caller")]
    pub(super) fn aggregate(
        &mut self,
        function: AggregateFunction,
        over: &RelationPath,
        var: VarId,
        filter: Option<&Expr>,
        value: Option<&Expr>,
        ty: ScalarType,
        scope: &Scope,
    ) -> Result<Scalar, Fault> {
        if let Some(filter) = filter {
            let known = self.at_end(&over.row, scope, &mut |compiler, row, scope| {
                compiler.filter_is_known(over, row, var, filter, scope)
            })?;
            self.guards.push(known);
        }
        let mut made = None;
        let reach = self.at_end(&over.row, scope, &mut |compiler, row, scope| {
            let source = compiler.sources.next_id();
            let table = over.hop.target;
            let mut rows = compiler.join(row, over.hop, source)?;
            let inner = scope.with_row(var, RowRef::Source(source, table));
            if let Some(filter) = filter {
                rows = rows.and(compiler.is_true(filter, &inner)?);
            }
            let value = match value {
                None => None,
                Some(value) => {
                    let of = scalar_type(&value.ty).unwrap_or(ty);
                    Some(compiler.operand(value, Some(of), &inner)?.into_scalar(of))
                }
            };
            made = Some(Aggregate { function, source, table, filter: rows, value, ty });
            Ok(Pred::TRUE)
        })?;
        let aggregate = made.map(|made| Scalar::Aggregate(Box::new(made)));
        Ok(aggregate.map_or(Scalar::Null(ty), |aggregate| inside(reach, aggregate)))
    }

    /// No row for which the filter is neither true nor false.
    fn filter_is_known(
        &mut self,
        over: &RelationPath,
        row: &RowRef,
        var: VarId,
        filter: &Expr,
        scope: &Scope,
    ) -> Compiled {
        let source = self.sources.next_id();
        let table = over.hop.target;
        let inner = scope.with_row(var, RowRef::Source(source, table));
        let decided = self.is_true(filter, &inner)?.or(self.is_false(filter, &inner)?);
        if always_decided(filter) {
            return Ok(Pred::TRUE);
        }
        let join = self.join(row, over.hop, source)?;
        Ok(negated(exists(source, table, join.and(not_true(decided)))))
    }
}

/// The aggregate read inside the look-ups that lead to its row: `EXISTS(a, EXISTS(b, TRUE))`
/// around a predicate becomes the same nesting around a value.
fn inside(reach: Pred, value: Scalar) -> Scalar {
    use backstay_query::plan::Lookup;
    match reach {
        Pred::Exists(step) => {
            let Exists { source, table, filter } = *step;
            let (filter, value) = match filter {
                Pred::And(mut parts) => match parts.pop() {
                    Some(last @ Pred::Exists(_)) => (Pred::And(parts), inside(last, value)),
                    Some(last) => {
                        parts.push(last);
                        (Pred::And(parts), value)
                    }
                    None => (Pred::TRUE, value),
                },
                other => (other, value),
            };
            Scalar::Lookup(Box::new(Lookup { source, table, filter, value }))
        }
        Pred::Const(true) => value,
        _ => Scalar::Null(ScalarType::BigInt),
    }
}

/// Whether a filter is true or false for every row, whatever its values.
fn always_decided(expr: &Expr) -> bool {
    matches!(expr.kind, backstay_schema::expr::ExprKind::Const(Value::Bool(_)))
}

/// `IS NOT TRUE`, folded.
pub(super) fn not_true(pred: Pred) -> Pred {
    match pred {
        Pred::Const(known) => Pred::Const(!known),
        other => Pred::IsNotTrue(Box::new(other)),
    }
}

/// The other one of EXISTS and NOT EXISTS, folded.
pub(super) fn negated(pred: Pred) -> Pred {
    match pred {
        Pred::Const(known) => Pred::Const(!known),
        Pred::Exists(inner) => Pred::NotExists(inner),
        other => not_true(other),
    }
}

fn any(parts: impl Iterator<Item = Pred>) -> Pred {
    parts.fold(Pred::FALSE, Pred::or)
}

fn every(parts: impl Iterator<Item = Pred>) -> Pred {
    parts.fold(Pred::TRUE, Pred::and)
}

/// Exactly one part true and all others false.
fn one_of(parts: &[(Pred, Pred)]) -> Pred {
    any((0..parts.len()).map(|chosen| {
        every(
            parts
                .iter()
                .enumerate()
                .map(|(index, (yes, no))| if index == chosen { yes.clone() } else { no.clone() }),
        )
    }))
}

/// All parts known, and none or at least two true.
fn not_one_of(parts: &[(Pred, Pred)]) -> Pred {
    let known = every(parts.iter().map(|(yes, no)| yes.clone().or(no.clone())));
    let none = every(parts.iter().map(|(_, no)| no.clone()));
    let mut two = Pred::FALSE;
    for (index, (first, _)) in parts.iter().enumerate() {
        for (second, _) in parts.iter().skip(index + 1) {
            two = two.or(first.clone().and(second.clone()));
        }
    }
    known.and(none.or(two))
}
