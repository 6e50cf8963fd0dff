//! Which expressions every engine computes to the byte alike when a column of a row is written, so that
//! the database itself may keep their values. A checked expression enters; what stands in the way leaves.

use super::plain::{is_plain, literal, own_column};
use super::{ArithmeticOp, Expr, ExprKind, Ty};
use crate::catalog::{Catalog, Table, Valid};
use crate::scalar::ScalarType;
use crate::value::Value;

/// How deep calculations may nest: each level is written several times where a database has no better words.
const DEPTH: usize = 4;

/// Why the value of an expression cannot be kept; none where it can.
#[must_use]
pub fn refusal(table: &Table, expr: &Expr) -> Option<&'static str> {
    value(table, expr, 0).err()
}

fn value(table: &Table, expr: &Expr, depth: usize) -> Result<(), &'static str> {
    if depth > DEPTH {
        return Err("it calculates more than four levels deep");
    }
    let inner = |inner: &Expr| value(table, inner, depth + usize::from(is_number(&expr.ty)));
    if expr.ty == Ty::Scalar(ScalarType::Boolean) && is_plain(table, expr) {
        return Ok(());
    }
    if literal(expr).is_some() {
        return kept(&expr.ty);
    }
    if own_column(expr).is_some() {
        return kept(&expr.ty);
    }
    match &expr.kind {
        ExprKind::Rule { body, .. } => value(table, body, depth),
        ExprKind::If(condition, a, b) => {
            if !is_plain(table, condition) {
                return Err("its condition is more than comparisons of columns of the row");
            }
            inner(a).and_then(|()| inner(b))
        }
        ExprKind::Concat(a, b) => inner(a).and_then(|()| inner(b)),
        ExprKind::Call(..) => Err("it calls a function"),
        ExprKind::Negate(of) if is_number(&expr.ty) => inner(of),
        ExprKind::Arithmetic(op, a, b) if is_number(&expr.ty) => {
            let whole = as_whole(a).is_some() || as_whole(b).is_some();
            match (op, &expr.ty) {
                (ArithmeticOp::Div | ArithmeticOp::Rem, _) => Err("it divides"),
                (ArithmeticOp::Mul, Ty::Scalar(ScalarType::Decimal { .. })) if !whole => {
                    Err("it multiplies two decimals; one of them may be a whole number")
                }
                (ArithmeticOp::Mul, Ty::Scalar(ScalarType::Decimal { .. })) => {
                    [a, b].into_iter().try_for_each(|side| inner(as_whole(side).unwrap_or(side)))
                }
                _ => inner(a).and_then(|()| inner(b)),
            }
        }
        ExprKind::Cast(of) => widened(&of.ty, &expr.ty).and_then(|()| inner(of)),
        ExprKind::Path(_) => Err("it reads more than columns of its own row"),
        _ => Err("it is none of: columns, literals, comparisons, `+`, `-`, `*`, `? :`"),
    }
}

/// The whole number that was widened to a decimal.
#[must_use]
pub fn as_whole(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Cast(of) if matches!(of.ty, Ty::Scalar(ScalarType::Int | ScalarType::BigInt)) => Some(of),
        _ => None,
    }
}

const fn is_number(ty: &Ty) -> bool {
    matches!(ty, Ty::Scalar(ScalarType::Int | ScalarType::BigInt | ScalarType::Decimal { .. }))
}

fn kept(ty: &Ty) -> Result<(), &'static str> {
    match ty {
        Ty::Scalar(ScalarType::Float) => Err("floats differ in their last digits"),
        Ty::Scalar(ScalarType::Json | ScalarType::List(_)) => {
            Err("documents and lists have no value to compare")
        }
        Ty::Scalar(_) => Ok(()),
        Ty::Null | Ty::Row(_) | Ty::List(_) | Ty::Embedded(_) | Ty::Dynamic => {
            Err("it reads more than columns of its own row")
        }
    }
}

/// Casts that change no value; the digits of decimals are those of 18.
fn widened(from: &Ty, to: &Ty) -> Result<(), &'static str> {
    use ScalarType as T;
    let (Ty::Scalar(from), Ty::Scalar(to)) = (from, to) else { return Err("it converts") };
    match (from, to) {
        (T::Int, T::BigInt) | (T::Enum(_), T::String) => Ok(()),
        // within 18 digits, however the decimal is scaled
        (T::Int, T::Decimal { digits, scale }) if digits - scale >= 10 => Ok(()),
        (T::Decimal { scale: a, .. }, T::Decimal { scale: b, .. }) if a == b => Ok(()),
        _ => Err("it converts numbers in a way that may lose digits"),
    }
}

/// Most characters of a text that is kept; none where it may have any number.
#[must_use]
pub fn longest(catalog: &Catalog, table: &Table, expr: &Expr) -> Option<u64> {
    if let Some(Value::Text(text)) = literal(expr) {
        return u64::try_from(text.chars().count()).ok();
    }
    if let Some(id) = own_column(expr) {
        let column = table.column(id);
        let members = |id| catalog.enum_type(id).members.iter().map(|member| member.name.len() as u64);
        return match column.ty {
            ScalarType::Enum(id) => members(id).max(),
            _ => column.valid.iter().find_map(|valid| match valid {
                Valid::MaxLength(most) => Some(*most),
                _ => None,
            }),
        };
    }
    let of = |expr: &Expr| longest(catalog, table, expr);
    match &expr.kind {
        ExprKind::Concat(a, b) => of(a)?.checked_add(of(b)?),
        ExprKind::If(_, a, b) => Some(of(a)?.max(of(b)?)),
        ExprKind::Rule { body: inner, .. } | ExprKind::Cast(inner) => of(inner),
        _ => None,
    }
}

/// The expression in words that stay the same as long as it gives the same values.
#[must_use]
pub fn words(table: &Table, expr: &Expr) -> String {
    let pair = |a: &Expr, sign: &str, b: &Expr| format!("({} {sign} {})", words(table, a), words(table, b));
    match &expr.kind {
        _ if expr.ty == Ty::Scalar(ScalarType::Boolean) && is_plain(table, expr) => {
            super::plain::words(table, expr)
        }
        ExprKind::Rule { body, .. } => words(table, body),
        ExprKind::If(condition, a, b) => {
            format!("({} ? {} : {})", words(table, condition), words(table, a), words(table, b))
        }
        ExprKind::Concat(a, b) => pair(a, "||", b),
        ExprKind::Arithmetic(op, a, b) => pair(a, &format!("{op:?}"), b),
        ExprKind::Negate(of) => format!("-{}", words(table, of)),
        ExprKind::Cast(of) if own_column(expr).is_none() && literal(expr).is_none() => {
            format!("{}::{:?}", words(table, of), expr.ty)
        }
        _ => match (own_column(expr), literal(expr)) {
            (Some(id), _) => format!("{}:{:?}", table.column(id).name, table.column(id).ty),
            (None, Some(value)) => format!("{value:?}"),
            (None, None) => String::new(),
        },
    }
}
