//! Which conditions a database keeps by itself, in the same way on every engine:
//! comparisons of columns of one row with literals and with each other. A checked
//! expression enters, yes or no leaves.

use super::{CompareOp, End, Expr, ExprKind, Path, Root, Ty};
use crate::catalog::Table;
use crate::scalar::ScalarType;
use crate::value::Value;

/// Whether the condition of an index over `table` is plain.
#[must_use]
pub fn is_plain(table: &Table, expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::And(a, b) | ExprKind::Or(a, b) => is_plain(table, a) && is_plain(table, b),
        ExprKind::Not(inner) | ExprKind::Cast(inner) => is_plain(table, inner),
        ExprKind::Rule { body, .. } => is_plain(table, body),
        ExprKind::Compare(op, a, b) => {
            let of = |a: &Expr, b: &Expr| is_column(table, a, *op) && (is_literal(b) || is_null(b));
            let both = is_column(table, a, *op) && is_column(table, b, *op);
            (of(a, b) || of(b, a) || both) && (is_null(a) || is_null(b) || same_form(a, b))
        }
        ExprKind::In(item, list) => match &list.kind {
            ExprKind::List(items) => {
                is_column(table, item, CompareOp::Eq)
                    && !items.is_empty()
                    && items.iter().all(|other| is_literal(other) && same_form(item, other))
            }
            _ => false,
        },
        ExprKind::Path(_) => expr.ty == BOOLEAN && own_column(expr).is_some(),
        _ => false,
    }
}

const BOOLEAN: Ty = Ty::Scalar(ScalarType::Boolean);

/// The column of the row itself that an expression is.
#[must_use]
pub fn own_column(expr: &Expr) -> Option<crate::catalog::ColumnId> {
    match &expr.kind {
        ExprKind::Path(Path { root: Root::This, hops, end: End::Column(id) }) if hops.is_empty() => Some(*id),
        // an enum read as its text
        ExprKind::Cast(inner) if matches!(inner.ty, Ty::Scalar(ScalarType::Enum(_))) => own_column(inner),
        _ => None,
    }
}

/// The value that an expression is.
#[must_use]
pub fn literal(expr: &Expr) -> Option<&Value> {
    match &expr.kind {
        ExprKind::Const(value) if !value.is_null() => Some(value),
        ExprKind::Cast(inner) => literal(inner),
        _ => None,
    }
}

/// The condition in words that stay the same as long as it means the same to a database.
#[must_use]
pub fn words(table: &Table, expr: &Expr) -> String {
    let pair = |a: &Expr, sign: &str, b: &Expr| format!("({} {sign} {})", words(table, a), words(table, b));
    match &expr.kind {
        ExprKind::And(a, b) => pair(a, "&&", b),
        ExprKind::Or(a, b) => pair(a, "||", b),
        ExprKind::Not(inner) => format!("!{}", words(table, inner)),
        ExprKind::Cast(inner) => words(table, inner),
        ExprKind::Rule { body, .. } => words(table, body),
        ExprKind::Compare(op, a, b) => pair(a, &format!("{op:?}"), b),
        ExprKind::In(item, list) => pair(item, "in", list),
        ExprKind::List(items) => {
            let items: Vec<String> = items.iter().map(|item| words(table, item)).collect();
            format!("[{}]", items.join(", "))
        }
        ExprKind::Const(value) => format!("{value:?}"),
        _ => own_column(expr).map_or_else(String::new, |id| table.column(id).name.clone()),
    }
}

/// Whether an expression is `null`.
#[must_use]
pub fn is_null(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Const(Value::Null))
}

fn is_literal(expr: &Expr) -> bool {
    literal(expr).is_some()
}

/// Floats and JSON are not the same everywhere as texts of definitions; a stored text has an order
/// that depends on the collation of the database, but it is equal everywhere.
fn is_column(table: &Table, expr: &Expr, op: CompareOp) -> bool {
    let Some(id) = own_column(expr) else { return false };
    let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
    match table.column(id).ty {
        ScalarType::Float | ScalarType::Json => false,
        ScalarType::String | ScalarType::Enum(_) => equality,
        _ => true,
    }
}

fn same_form(a: &Expr, b: &Expr) -> bool {
    let text = |ty: &Ty| matches!(ty, Ty::Scalar(ScalarType::String | ScalarType::Enum(_)));
    (text(&a.ty) && text(&b.ty)) || a.ty == b.ty
}
