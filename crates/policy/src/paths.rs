//! Walks the paths of an expression.

use backstay_schema::expr::{Expr, ExprKind, Over, Path};

/// Calls `visit` with every path that `expr` reads, inner ones too.
pub(crate) fn each<'e>(expr: &'e Expr, visit: &mut dyn FnMut(&'e Path)) {
    match &expr.kind {
        ExprKind::Const(_) | ExprKind::Auth(_) | ExprKind::Request(_) | ExprKind::Var(_) => {}
        ExprKind::List(items) | ExprKind::Call(_, items) => {
            for item in items {
                each(item, visit);
            }
        }
        ExprKind::Path(path) | ExprKind::Has(path) | ExprKind::Allowed { row: path, .. } => visit(path),
        ExprKind::Not(inner)
        | ExprKind::Negate(inner)
        | ExprKind::Cast(inner)
        | ExprKind::Rule { body: inner, .. } => each(inner, visit),
        ExprKind::And(a, b)
        | ExprKind::Or(a, b)
        | ExprKind::Compare(_, a, b)
        | ExprKind::Arithmetic(_, a, b)
        | ExprKind::Concat(a, b)
        | ExprKind::In(a, b) => {
            each(a, visit);
            each(b, visit);
        }
        ExprKind::If(condition, then, otherwise) => {
            each(condition, visit);
            each(then, visit);
            each(otherwise, visit);
        }
        ExprKind::Quantifier { over, body, .. } => {
            match over {
                Over::Relation(relation) => visit(&relation.row),
                Over::List(list) => each(list, visit),
            }
            each(body, visit);
        }
        ExprKind::Aggregate { over, filter, value, .. } => {
            visit(&over.row);
            for inner in filter.iter().chain(value) {
                each(inner, visit);
            }
        }
    }
}
