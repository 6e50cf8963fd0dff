//! Columns that the database computes when a row is written: `GENERATED ALWAYS AS (…) STORED`, on every
//! engine without a registered function. What may stand there is said by `schema::expr::stored`.

use super::check::typed;
use super::partial;
use crate::dialect::{Dialect, digits_and_scale};
use crate::writer::Writer;
use backstay_schema::catalog::{Column, Fill, Table};
use backstay_schema::expr::plain::{is_plain, literal, own_column};
use backstay_schema::expr::stored::{as_whole, words};
use backstay_schema::expr::{ArithmeticOp, Expr, ExprKind, Ty};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// The expression of a column that is computed.
#[must_use]
pub fn expression<'t>(table: &'t Table, column: &Column) -> Option<&'t Expr> {
    match column.fill {
        Fill::Stored(id) => Some(&table.computed_field(id).expr),
        Fill::None
        | Fill::RowId
        | Fill::AutoIncrement
        | Fill::Client
        | Fill::Account
        | Fill::CreatedAt
        | Fill::UpdatedAt
        | Fill::DeletedAt => None,
    }
}

/// What a column computes, in words that change whenever its values may.
#[must_use]
pub fn said(table: &Table, column: &Column) -> Option<String> {
    expression(table, column).map(|expr| words(table, expr))
}

/// What follows the type of a column that is computed.
pub(crate) fn clause(writer: &mut Writer, dialect: &'static Dialect, table: &Table, column: &Column) {
    if let Some(expr) = expression(table, column) {
        writer.push(" GENERATED ALWAYS AS (");
        value(writer, dialect, table, (expr, column.ty));
        writer.push(") STORED");
    }
}

/// Writes the value of an expression in the stored form of a type.
fn value(writer: &mut Writer, dialect: &'static Dialect, on: &Table, (expr, ty): (&Expr, ScalarType)) {
    if let Some(known) = literal(expr) {
        writer.schema_literal(&typed(known, ty), digits_and_scale(ty).1);
        return;
    }
    if let Some(id) = own_column(expr) {
        writer.column(on.column(id));
        return;
    }
    match &expr.kind {
        _ if ty == ScalarType::Boolean && is_plain(on, expr) => {
            let definition = dialect.definition;
            writer.push("CASE WHEN ");
            partial::holds(writer, on, expr, true);
            writer.push(" THEN ").push(definition.truth).push(" WHEN ");
            partial::holds(writer, on, expr, false);
            writer.push(" THEN ").push(definition.falsehood).push(" END");
        }
        ExprKind::Rule { body, .. } => value(writer, dialect, on, (body, ty)),
        ExprKind::If(condition, a, b) => {
            writer.push("CASE WHEN ");
            partial::holds(writer, on, condition, true);
            writer.push(" THEN ");
            value(writer, dialect, on, (a, ty));
            writer.push(" WHEN ");
            partial::holds(writer, on, condition, false);
            writer.push(" THEN ");
            value(writer, dialect, on, (b, ty));
            writer.push(" END");
        }
        ExprKind::Concat(a, b) => written(writer, dialect, on, (dialect.concat, &[a, b], ScalarType::String)),
        ExprKind::Negate(of) => {
            let zero = Expr { kind: ExprKind::Const(Value::Int(0)), ty: Ty::Scalar(ty), span: expr.span };
            calculated(writer, dialect, on, (ArithmeticOp::Sub, &zero, of, ty));
        }
        ExprKind::Arithmetic(op, a, b) => calculated(writer, dialect, on, (*op, a, b, ty)),
        ExprKind::Cast(of) => {
            let from = if let Ty::Scalar(from) = of.ty { from } else { ty };
            let template = (dialect.definition.widened)(from, ty);
            let (digits, scale) = digits_and_scale(ty);
            writer.template(template, &mut |writer, mark| match mark {
                'd' => {
                    writer.number(u64::from(digits));
                }
                's' => {
                    writer.number(u64::from(scale));
                }
                'p' => {
                    writer.number(10_u64.saturating_pow(u32::from(scale)));
                }
                _ => value(writer, dialect, on, (of, from)),
            });
        }
        _ => {
            writer.push("NULL");
        }
    }
}

fn calculated(
    writer: &mut Writer,
    dialect: &'static Dialect,
    on: &Table,
    (op, a, b, ty): (ArithmeticOp, &Expr, &Expr, ScalarType),
) {
    let template = (dialect.definition.arithmetic)(op, ty);
    let (digits, scale) = digits_and_scale(ty);
    let decimals = dialect.definition.scaled_decimals && op == ArithmeticOp::Mul;
    // a scaled number times a whole one is scaled already
    let (a, b) = match (decimals && matches!(ty, ScalarType::Decimal { .. }), as_whole(a), as_whole(b)) {
        (true, _, Some(whole)) => (a, whole),
        (true, Some(whole), None) => (b, whole),
        _ => (a, b),
    };
    writer.template(template, &mut |writer, mark| match mark {
        'd' => {
            writer.number(u64::from(digits));
        }
        's' => {
            writer.number(u64::from(scale));
        }
        'm' => {
            writer.number(10_u64.saturating_pow(u32::from(digits)) - 1);
        }
        '1' => value(writer, dialect, on, (a, side(a, ty))),
        _ => value(writer, dialect, on, (b, side(b, ty))),
    });
}

fn side(expr: &Expr, ty: ScalarType) -> ScalarType {
    match (&expr.kind, &expr.ty) {
        // `0` of a negation is a number of any kind
        (ExprKind::Const(_), _) => match expr.ty {
            Ty::Scalar(own @ (ScalarType::Int | ScalarType::BigInt)) => own,
            _ => ty,
        },
        (_, Ty::Scalar(own)) => *own,
        _ => ty,
    }
}

fn written(
    writer: &mut Writer,
    dialect: &'static Dialect,
    on: &Table,
    (template, arguments, ty): (&'static str, &[&Expr], ScalarType),
) {
    writer.template(template, &mut |writer, mark| {
        let index = mark.to_digit(10).map_or(usize::MAX, |digit| digit as usize - 1);
        if let Some(argument) = arguments.get(index) {
            value(writer, dialect, on, (argument, ty));
        }
    });
}
