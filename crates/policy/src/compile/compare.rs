//! Comparisons and tests of text, with null and unknown told apart.

use super::operand::{cast, scalar_type};
use super::{Compiled, Compiler, NullMeans, Operand, Scope};
use crate::constant;
use backstay_query::plan::{Pred, PredOp, Scalar};
use backstay_schema::expr::{CompareOp, End, Expr, ExprKind, Function, Path, RelationPath, Root, Ty};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// Receives an operand and makes the predicate around it.
pub(super) type Use<'u, 'c> = &'u mut dyn FnMut(&mut Compiler<'c>, Operand) -> Compiled;

impl<'c> Compiler<'c> {
    /// A comparison, wanted to be definitely `want`.
    pub(super) fn compare(
        &mut self,
        op: CompareOp,
        left: &Expr,
        right: &Expr,
        scope: &Scope,
        want: bool,
    ) -> Compiled {
        let (op, want) = if op == CompareOp::Ne { (CompareOp::Eq, !want) } else { (op, want) };
        if is_null(right) {
            return self.null_test(left, scope, want);
        }
        if is_null(left) {
            return self.null_test(right, scope, want);
        }
        if matches!(left.ty, Ty::Row(_)) || matches!(right.ty, Ty::Row(_)) {
            return self.compare_rows(left, right, scope, want);
        }
        let ty = scalar_type(&left.ty).or_else(|| scalar_type(&right.ty));
        self.with_operand(left, ty, scope, &mut |compiler, a| {
            compiler.with_operand(right, ty, scope, &mut |_, b| {
                Ok(compare_operands(op, a.clone(), b, ty.unwrap_or(ScalarType::String), want))
            })
        })
    }

    /// Compiles `expr` and hands it to `then`. A path over relations is walked by
    /// EXISTS around what `then` makes: a missing row on the way makes T and F fail.
    pub(super) fn with_operand(
        &mut self,
        expr: &Expr,
        hint: Option<ScalarType>,
        scope: &Scope,
        then: Use<'_, 'c>,
    ) -> Compiled {
        match &expr.kind {
            ExprKind::Path(path) => self.at_end(path, scope, &mut |compiler, row, _| {
                let known = scalar_type(&expr.ty);
                let operand = compiler.end_scalar(row, &path.end, known.or(hint))?;
                then(compiler, operand)
            }),
            ExprKind::Cast(inner) => {
                let (from, to) = (scalar_type(&inner.ty), scalar_type(&expr.ty));
                self.with_operand(inner, hint, scope, &mut |compiler, operand| {
                    then(compiler, cast(operand, from, to))
                })
            }
            ExprKind::If(condition, yes, no) => {
                let hint = scalar_type(&expr.ty).or(hint);
                let when_true = self.is_true(condition, scope)?;
                let when_false = self.is_false(condition, scope)?;
                let first = when_true.and(self.with_operand(yes, hint, scope, then)?);
                Ok(first.or(when_false.and(self.with_operand(no, hint, scope, then)?)))
            }
            ExprKind::Aggregate { function, over, var, filter, value } if is_away(&over.row) => {
                self.at_end(&over.row, scope, &mut |compiler, row, scope| {
                    let (here, scope) = scope.with_fresh(row.clone());
                    let over = RelationPath {
                        row: Path { root: Root::Var(here), hops: Vec::new(), end: End::Row },
                        hop: over.hop,
                    };
                    let kind = ExprKind::Aggregate {
                        function: *function,
                        over,
                        var: *var,
                        filter: filter.clone(),
                        value: value.clone(),
                    };
                    let near = Expr { kind, ty: expr.ty.clone(), span: expr.span };
                    compiler.with_operand(&near, hint, &scope, then)
                })
            }
            _ => {
                let mark = self.guards.len();
                let operand = self.operand(expr, hint, scope)?;
                let pred = then(self, operand)?;
                Ok(self.guarded(mark, pred))
            }
        }
    }

    /// `expr == null`, wanted to be definitely `want`.
    fn null_test(&mut self, expr: &Expr, scope: &Scope, want: bool) -> Compiled {
        if matches!(expr.ty, Ty::Row(_)) {
            return self.row_is_null(expr, scope, want);
        }
        let ty = scalar_type(&expr.ty);
        self.with_operand(expr, ty, scope, &mut |_, operand| {
            Ok(match operand {
                Operand::Known(value) => Pred::Const(value.is_null() == want),
                // the one defined test of something absent: `auth.email == null`
                Operand::Absent => Pred::Const(want),
                Operand::Sql(_, NullMeans::Never) => Pred::Const(!want),
                Operand::Sql(scalar, NullMeans::Null) if want => Pred::IsNull(scalar),
                Operand::Sql(scalar, NullMeans::Null) => Pred::IsNotNull(scalar),
                Operand::Sql(_, NullMeans::Unknown) if want => Pred::FALSE,
                Operand::Sql(scalar, NullMeans::Unknown) => Pred::IsNotNull(scalar),
            })
        })
    }

    /// `startsWith` and its kin.
    pub(super) fn text_test(
        &mut self,
        function: Function,
        args: &[Expr],
        scope: &Scope,
        want: bool,
    ) -> Compiled {
        let [subject, needle] = args else { return Ok(Pred::FALSE) };
        let text = Some(ScalarType::String);
        self.with_operand(subject, text, scope, &mut |compiler, a| {
            compiler.with_operand(needle, text, scope, &mut |_, b| {
                Ok(match (a.clone(), b) {
                    (Operand::Known(Value::Text(x)), Operand::Known(Value::Text(y))) => {
                        constant::text_test(function, &x, &y)
                            .map_or(Pred::FALSE, |found| Pred::Const(found == want))
                    }
                    (Operand::Absent | Operand::Known(Value::Null), _)
                    | (_, Operand::Absent | Operand::Known(Value::Null)) => Pred::FALSE,
                    (x, y) => {
                        let x = x.into_scalar(ScalarType::String);
                        let y = y.into_scalar(ScalarType::String);
                        if want { Pred::Text(function, x, y) } else { Pred::NotText(function, x, y) }
                    }
                })
            })
        })
    }
}

/// Whether a path leaves the row that it starts from.
const fn is_away(path: &Path) -> bool {
    !path.hops.is_empty() || matches!(path.root, Root::AuthUser)
}

const fn is_null(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Const(Value::Null))
}

/// `a op b`, wanted to be definitely `want`; `op` is never `Ne`.
pub(super) fn compare_operands(op: CompareOp, a: Operand, b: Operand, ty: ScalarType, want: bool) -> Pred {
    match (&a, &b) {
        (Operand::Absent, _) | (_, Operand::Absent) => return Pred::FALSE,
        (Operand::Known(x), Operand::Known(y)) => {
            return constant::compare(op, x, y).map_or(Pred::FALSE, |found| Pred::Const(found == want));
        }
        (Operand::Known(Value::Null), Operand::Sql(scalar, means))
        | (Operand::Sql(scalar, means), Operand::Known(Value::Null)) => {
            return equal_to_null(op, scalar.clone(), *means, want);
        }
        _ => {}
    }
    let (left_null, right_null) = (a.null_means(), b.null_means());
    let (x, y) = (a.into_scalar(ty), b.into_scalar(ty));
    if op != CompareOp::Eq {
        return Pred::Compare(if want { plain(op) } else { opposite(op) }, x, y);
    }
    if want {
        let equal = Pred::Compare(PredOp::Eq, x.clone(), y.clone());
        if left_null == NullMeans::Null && right_null == NullMeans::Null {
            return equal.or(Pred::IsNull(x).and(Pred::IsNull(y)));
        }
        return equal;
    }
    let differs = Pred::Compare(PredOp::Ne, x.clone(), y.clone());
    let one_null = |null: Scalar, other: Scalar, other_null: NullMeans| {
        if other_null == NullMeans::Never {
            Pred::IsNull(null)
        } else {
            Pred::IsNull(null).and(Pred::IsNotNull(other))
        }
    };
    let mut pred = differs;
    if left_null == NullMeans::Null {
        pred = pred.or(one_null(x.clone(), y.clone(), right_null));
    }
    if right_null == NullMeans::Null {
        pred = pred.or(one_null(y, x, left_null));
    }
    pred
}

/// A value that turned out null at run time (a claim, a list element) against a column.
fn equal_to_null(op: CompareOp, scalar: Scalar, means: NullMeans, want: bool) -> Pred {
    if op != CompareOp::Eq {
        return Pred::FALSE;
    }
    match (means, want) {
        (NullMeans::Never, _) => Pred::Const(!want),
        (NullMeans::Null, true) => Pred::IsNull(scalar),
        (NullMeans::Unknown, true) => Pred::FALSE,
        (NullMeans::Null | NullMeans::Unknown, false) => Pred::IsNotNull(scalar),
    }
}

const fn plain(op: CompareOp) -> PredOp {
    match op {
        CompareOp::Eq => PredOp::Eq,
        CompareOp::Ne => PredOp::Ne,
        CompareOp::Lt => PredOp::Lt,
        CompareOp::Le => PredOp::Le,
        CompareOp::Gt => PredOp::Gt,
        CompareOp::Ge => PredOp::Ge,
    }
}

const fn opposite(op: CompareOp) -> PredOp {
    match op {
        CompareOp::Eq => PredOp::Ne,
        CompareOp::Ne => PredOp::Eq,
        CompareOp::Lt => PredOp::Ge,
        CompareOp::Le => PredOp::Gt,
        CompareOp::Gt => PredOp::Le,
        CompareOp::Ge => PredOp::Lt,
    }
}
