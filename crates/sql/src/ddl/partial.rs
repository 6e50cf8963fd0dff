//! Indexes of a part of the rows. The condition is written as it is definitely true, so that
//! a NULL in it means the same as in a rule: `this.a != 'x'` holds where `a` is NULL.

use super::check::typed;
use super::column_list;
use crate::dialect::definition::Partial;
use crate::dialect::{Dialect, digits_and_scale};
use crate::writer::Writer;
use backstay_schema::catalog::{Column, PartialIndex, Table};
use backstay_schema::expr::plain::{is_null, literal, own_column};
use backstay_schema::expr::{CompareOp, Expr, ExprKind};
use backstay_schema::name::fitted;

/// What the name of a column begins with that only an index needs; no door and no import shows it.
pub const HIDDEN: &str = "_backstay_";

/// Makes the index.
#[must_use]
pub fn create(table: &Table, dialect: &'static Dialect, partial: &PartialIndex) -> String {
    create_by(&dialect.definition.partial, table, dialect, partial)
}

pub(super) fn create_by(
    templates: &Partial,
    table: &Table,
    dialect: &'static Dialect,
    partial: &PartialIndex,
) -> String {
    let template = if partial.unique { templates.unique } else { templates.plain };
    let mut writer = Writer::new(dialect);
    writer.template(template, &mut |writer, mark| match mark {
        '1' => named(writer, &partial.name),
        '2' => named(writer, &table.name),
        '3' => column_list(writer, table, &partial.columns),
        '4' => holds(writer, table, &partial.condition, true),
        _ => named(writer, &hidden(&partial.name)),
    });
    writer.finish().text
}

/// Drops the index of this name.
#[must_use]
pub fn drop(dialect: &'static Dialect, table: &str, name: &str) -> String {
    let mut writer = Writer::new(dialect);
    writer.template(dialect.definition.partial.drop, &mut |writer, mark| match mark {
        '1' => named(writer, name),
        '2' => named(writer, table),
        _ => named(writer, &hidden(name)),
    });
    writer.finish().text
}

/// Whether an index of a part of the rows is one of the schema's: its name ends in a hash of
/// its condition.
#[must_use]
pub fn is_ours(name: &str) -> bool {
    let Some((stem, hash)) = name.rsplit_once('_') else { return false };
    hash.len() == 8
        && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        && (stem.ends_with("_key") || stem.ends_with("_idx"))
}

fn named(writer: &mut Writer, name: &str) {
    writer.name(name);
}

fn hidden(name: &str) -> String {
    fitted([HIDDEN, name].concat())
}

/// The columns that a condition reads, by name.
#[must_use]
pub fn reads(table: &Table, partial: &PartialIndex) -> Vec<String> {
    let paths = partial.condition.paths().into_iter();
    let columns = paths.filter_map(|path| match path.end {
        backstay_schema::expr::End::Column(id) => Some(table.column(id).name.clone()),
        _ => None,
    });
    columns.collect()
}

/// Where `expr` is definitely `want`; TRUE or not, never asked for more.
pub(super) fn holds(writer: &mut Writer, on: &Table, expr: &Expr, want: bool) {
    match &expr.kind {
        ExprKind::Not(inner) => holds(writer, on, inner, !want),
        ExprKind::Rule { body, .. } => holds(writer, on, body, want),
        ExprKind::Cast(inner) => holds(writer, on, inner, want),
        ExprKind::And(a, b) => pair(writer, on, (a, if want { " AND " } else { " OR " }, b), want),
        ExprKind::Or(a, b) => pair(writer, on, (a, if want { " OR " } else { " AND " }, b), want),
        ExprKind::In(item, list) => {
            let ExprKind::List(items) = &list.kind else { return };
            writer.push("(");
            operand(writer, on, item, None);
            writer.push(if want { " IN (" } else { " NOT IN (" });
            let column = column_of(on, item);
            for (index, other) in items.iter().enumerate() {
                writer.push(if index > 0 { ", " } else { "" });
                operand(writer, on, other, column);
            }
            writer.push(")");
            if !want && column.is_some_and(|column| column.nullable) {
                writer.push(" OR ");
                operand(writer, on, item, None);
                writer.push(" IS NULL");
            }
            writer.push(")");
        }
        ExprKind::Compare(op, a, b) => compare(writer, on, (*op, a, b), want),
        _ => {
            operand(writer, on, expr, None);
            writer.push(if want { " IS TRUE" } else { " IS FALSE" });
        }
    }
}

fn pair(writer: &mut Writer, on: &Table, (a, between, b): (&Expr, &'static str, &Expr), want: bool) {
    writer.push("(");
    holds(writer, on, a, want);
    writer.push(between);
    holds(writer, on, b, want);
    writer.push(")");
}

fn compare(writer: &mut Writer, on: &Table, (op, a, b): (CompareOp, &Expr, &Expr), want: bool) {
    let (value, other) = if is_null(a) { (b, a) } else { (a, b) };
    let op = if want { op } else { opposite(op) };
    if is_null(other) {
        operand(writer, on, value, None);
        writer.push(if op == CompareOp::Ne { " IS NOT NULL" } else { " IS NULL" });
        return;
    }
    let column = column_of(on, a).or_else(|| column_of(on, b));
    writer.push("(");
    operand(writer, on, a, column);
    writer.push(sign(op));
    operand(writer, on, b, column);
    let nulls: Vec<&Expr> =
        [a, b].into_iter().filter(|side| column_of(on, side).is_some_and(|column| column.nullable)).collect();
    match (op, nulls.as_slice()) {
        // equality is defined for NULL, too: NULL equals NULL alone
        (CompareOp::Eq, [a, b]) => {
            both_null(writer, on, " OR (", (a, " IS NULL AND ", b), " IS NULL)");
        }
        (CompareOp::Ne, [a, b]) => {
            both_null(writer, on, " OR (", (a, " IS NULL AND ", b), " IS NOT NULL)");
            both_null(writer, on, " OR (", (a, " IS NOT NULL AND ", b), " IS NULL)");
        }
        (CompareOp::Ne, [one]) => {
            writer.push(" OR ");
            operand(writer, on, one, None);
            writer.push(" IS NULL");
        }
        _ => {}
    }
    writer.push(")");
}

fn both_null(
    writer: &mut Writer,
    on: &Table,
    before: &'static str,
    (a, between, b): (&Expr, &'static str, &Expr),
    after: &'static str,
) {
    writer.push(before);
    operand(writer, on, a, None);
    writer.push(between);
    operand(writer, on, b, None);
    writer.push(after);
}

fn column_of<'t>(table: &'t Table, expr: &Expr) -> Option<&'t Column> {
    own_column(expr).map(|id| table.column(id))
}

/// A column, or a literal in the stored form of the column that it is compared with.
fn operand(writer: &mut Writer, on: &Table, expr: &Expr, with: Option<&Column>) {
    if let Some(column) = column_of(on, expr) {
        writer.column(column);
    } else if let (Some(value), Some(column)) = (literal(expr), with) {
        writer.schema_literal(&typed(value, column.ty), digits_and_scale(column.ty).1);
    }
}

const fn opposite(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Ne,
        CompareOp::Ne => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Ge,
        CompareOp::Le => CompareOp::Gt,
        CompareOp::Gt => CompareOp::Le,
        CompareOp::Ge => CompareOp::Lt,
    }
}

const fn sign(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => " = ",
        CompareOp::Ne => " <> ",
        CompareOp::Lt => " < ",
        CompareOp::Le => " <= ",
        CompareOp::Gt => " > ",
        CompareOp::Ge => " >= ",
    }
}
