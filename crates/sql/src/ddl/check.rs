//! CHECK constraints: enum members, booleans, digits of decimals, plain `@valid` conditions, and those
//! `@check` expressions that SQL says without a registered function. Whatever
//! cannot stand here is judged by the rules of each write.

use super::is_plain;
use crate::dialect::{Dialect, digits_and_scale};
use crate::lower::Lower;
use crate::writer::Writer;
use backstay_schema::catalog::{Catalog, Check, Column, Table, Valid};
use backstay_schema::expr::{CompareOp, End, Expr, ExprKind, Function, Root, Ty};
use backstay_schema::name::fitted;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// A CHECK of a table.
#[derive(Debug)]
pub struct Definition<'a> {
    /// Constraint name.
    pub name: String,
    condition: Condition<'a>,
}

#[derive(Debug)]
enum Condition<'a> {
    Column { column: &'a Column, members: Vec<&'a str> },
    Digits { column: &'a Column, digits: u8 },
    Json { column: &'a Column, template: &'static str },
    Row(&'a Expr),
}

/// Name of the CHECK of a column: `product_price_check`.
#[must_use]
pub fn column_check_name(table: &Table, column: &Column) -> String {
    fitted([table.name.as_str(), &column.name, "check"].join("_"))
}

/// What the name of the digits' CHECK of a column begins with: `product_price_decimal_`.
#[must_use]
pub fn decimal_check_prefix(table: &str, column: &str) -> String {
    [table, column, "decimal", ""].join("_")
}

/// The scale in the name of a digits' CHECK: a database that keeps decimals as integers
/// says nowhere else how they are scaled, and a migration has to know.
#[must_use]
pub fn scale_of_check(name: &str, table: &str, column: &str) -> Option<u8> {
    digits_of_check(name, table, column).map(|(_, scale)| scale)
}

/// Digits and scale in the name of a digits' CHECK.
#[must_use]
pub fn digits_of_check(name: &str, table: &str, column: &str) -> Option<(u8, u8)> {
    let (digits, scale) = name.strip_prefix(&decimal_check_prefix(table, column))?.split_once('_')?;
    Some((digits.parse().ok()?, scale.parse().ok()?))
}

/// The CHECKs of a table.
#[must_use]
pub fn of_table<'a>(
    catalog: &'a Catalog,
    dialect: &'static Dialect,
    table: &'a Table,
) -> Vec<Definition<'a>> {
    let columns = table.columns.iter().flat_map(|column| of_column(catalog, dialect, table, column));
    columns.chain(table.checks.iter().filter_map(of_row)).collect()
}

/// The CHECKs of a column: its digits, and its members and plain conditions.
#[must_use]
pub fn of_column<'a>(
    catalog: &'a Catalog,
    dialect: &'static Dialect,
    table: &Table,
    column: &'a Column,
) -> Vec<Definition<'a>> {
    let mut found = Vec::new();
    let definition = dialect.definition;
    if let ScalarType::Decimal { digits, scale } = column.ty
        && definition.scaled_decimals
    {
        let prefix = decimal_check_prefix(&table.name, &column.name);
        let name = [prefix, digits.to_string(), "_".to_owned(), scale.to_string()].concat();
        found.push(Definition { name, condition: Condition::Digits { column, digits } });
    }
    let members: Vec<&str> = match column.ty {
        ScalarType::Enum(id) => {
            catalog.enum_type(id).members.iter().map(|member| member.name.as_str()).collect()
        }
        _ => Vec::new(),
    };
    let plain = column.valid.iter().any(|valid| is_plain(valid, column.ty));
    if let (ScalarType::Json | ScalarType::List(_), Some(template)) = (column.ty, definition.json_check) {
        let name = column_check_name(table, column);
        found.push(Definition { name, condition: Condition::Json { column, template } });
    } else if !members.is_empty() || is_counted_boolean(dialect, column) || plain {
        found.push(Definition {
            name: column_check_name(table, column),
            condition: Condition::Column { column, members },
        });
    }
    found
}

/// A `@check`, where plain SQL can say it.
#[must_use]
pub fn of_row(check: &Check) -> Option<Definition<'_>> {
    is_sayable(&check.expr)
        .then(|| Definition { name: check.name.clone(), condition: Condition::Row(&check.expr) })
}

impl Definition<'_> {
    /// The condition alone, as a CHECK says it.
    #[must_use]
    pub fn text(&self, catalog: &Catalog, dialect: &'static Dialect, table: &Table) -> String {
        let mut lower = Lower::new(catalog, dialect);
        self.write(&mut lower, table);
        lower.finish().0.text
    }

    /// Writes the condition.
    pub(crate) fn write(&self, lower: &mut Lower<'_>, table: &Table) {
        match &self.condition {
            Condition::Column { column, members } => write_column(lower, column, members),
            Condition::Digits { column, digits } => {
                let most = 10_u64.saturating_pow(u32::from(*digits)) - 1;
                lower.writer.column(column).push(" BETWEEN -").number(most).push(" AND ").number(most);
            }
            Condition::Json { column, template } => {
                lower.writer.template(template, &mut |writer, _| {
                    writer.column(column);
                });
            }
            Condition::Row(expr) => write_expr(lower, table, expr),
        }
    }
}

fn is_counted_boolean(dialect: &'static Dialect, column: &Column) -> bool {
    column.ty == ScalarType::Boolean && dialect.definition.counted_booleans
}

fn write_column(lower: &mut Lower<'_>, column: &Column, members: &[&str]) {
    let mut first = true;
    let mut and = |lower: &mut Lower<'_>| {
        lower.writer.push(if first { "" } else { " AND " });
        first = false;
    };
    if is_counted_boolean(lower.dialect, column) {
        and(lower);
        lower.writer.column(column).push(" IN (0, 1)");
    }
    if !members.is_empty() {
        and(lower);
        lower.writer.column(column).push(" IN (");
        for (index, member) in members.iter().enumerate() {
            let member = Value::Text((*member).to_owned());
            lower.writer.push(if index > 0 { ", " } else { "" }).schema_literal(&member, 0);
        }
        lower.writer.push(")");
    }
    let scale = digits_and_scale(column.ty).1;
    for valid in column.valid.iter().filter(|valid| is_plain(valid, column.ty)) {
        and(lower);
        match valid {
            Valid::Min(least) => {
                lower.writer.column(column).push(" >= ").schema_literal(&typed(least, column.ty), scale)
            }
            Valid::Max(most) => {
                lower.writer.column(column).push(" <= ").schema_literal(&typed(most, column.ty), scale)
            }
            Valid::MinLength(least) => write_characters(lower, column).push(" >= ").number(*least),
            Valid::MaxLength(most) => write_characters(lower, column).push(" <= ").number(*most),
            Valid::Pattern(_) | Valid::Format(_) => continue,
        };
    }
}

fn write_characters<'l>(lower: &'l mut Lower<'_>, column: &Column) -> &'l mut Writer {
    let template = lower.dialect.definition.characters;
    lower.writer.template(template, &mut |writer, _| {
        writer.column(column);
    })
}

/// A bound in the type of its column: `min: 0` of a decimal is a decimal.
pub(super) fn typed(value: &Value, ty: ScalarType) -> Value {
    match (value, ty) {
        (Value::Int(number), ScalarType::Decimal { .. }) => {
            Value::Decimal(backstay_schema::value::Decimal { units: i128::from(*number), scale: 0 })
        }
        #[expect(clippy::cast_precision_loss, reason = "a bound written in the schema file is small")]
        (Value::Int(number), ScalarType::Float) => Value::Float(*number as f64),
        _ => value.clone(),
    }
}

/// Comparisons of columns and literals of one stored form, null tests, lists of
/// literals, sizes, and what joins them.
fn is_sayable(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::And(a, b) | ExprKind::Or(a, b) => is_sayable(a) && is_sayable(b),
        ExprKind::Not(a) => is_sayable(a),
        ExprKind::Rule { body, .. } => is_sayable(body),
        ExprKind::Compare(_, a, b) => {
            is_operand(a) && is_operand(b) && (is_null(a) || is_null(b) || same_form(a, b))
        }
        ExprKind::In(a, list) => match &list.kind {
            ExprKind::List(items) => {
                is_operand(a)
                    && items.iter().all(|item| matches!(item.kind, ExprKind::Const(_)) && same_form(a, item))
            }
            _ => false,
        },
        ExprKind::Path(_) | ExprKind::Const(Value::Bool(_)) => is_operand(expr) && is_boolean(expr),
        _ => false,
    }
}

fn is_operand(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Const(_) => true,
        ExprKind::Path(path) => {
            matches!(path.root, Root::This | Root::New)
                && path.hops.is_empty()
                && matches!(path.end, End::Column(_))
        }
        ExprKind::Call(Function::Size, arguments) => arguments.iter().all(is_operand),
        ExprKind::Cast(inner) => matches!(inner.kind, ExprKind::Const(Value::Int(_))),
        _ => false,
    }
}

fn same_form(a: &Expr, b: &Expr) -> bool {
    match (&a.ty, &b.ty) {
        (
            Ty::Scalar(ScalarType::Enum(_) | ScalarType::String),
            Ty::Scalar(ScalarType::Enum(_) | ScalarType::String),
        ) => true,
        (Ty::Scalar(a), Ty::Scalar(b)) => a == b,
        _ => false,
    }
}

const fn is_null(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Const(Value::Null))
}

fn is_boolean(expr: &Expr) -> bool {
    expr.ty == Ty::Scalar(ScalarType::Boolean)
}

fn write_expr(lower: &mut Lower<'_>, table: &Table, expr: &Expr) {
    match &expr.kind {
        ExprKind::And(a, b) => write_pair(lower, table, (a, " AND ", b)),
        ExprKind::Or(a, b) => write_pair(lower, table, (a, " OR ", b)),
        ExprKind::Not(a) => {
            lower.writer.push("NOT (");
            write_expr(lower, table, a);
            lower.writer.push(")");
        }
        ExprKind::Rule { body, .. } => write_expr(lower, table, body),
        ExprKind::Compare(op, a, b) => write_compare(lower, table, (*op, a, b)),
        ExprKind::In(a, list) => {
            write_expr(lower, table, a);
            lower.writer.push(" IN (");
            if let ExprKind::List(items) = &list.kind {
                for (index, item) in items.iter().enumerate() {
                    lower.writer.push(if index > 0 { ", " } else { "" });
                    write_expr(lower, table, item);
                }
            }
            lower.writer.push(")");
        }
        ExprKind::Call(_, arguments) => {
            let (before, after) = lower.dialect.definition.characters.split_once("$1").unwrap_or_default();
            lower.writer.push(before);
            for argument in arguments {
                write_expr(lower, table, argument);
            }
            lower.writer.push(after);
        }
        ExprKind::Path(path) => {
            if let End::Column(id) = path.end {
                lower.writer.column(table.column(id));
            }
        }
        ExprKind::Cast(inner) => {
            if let (ExprKind::Const(value), Ty::Scalar(ty)) = (&inner.kind, &expr.ty) {
                lower.writer.schema_literal(&typed(value, *ty), digits_and_scale(*ty).1);
            }
        }
        ExprKind::Const(value) => {
            let scale = match expr.ty {
                Ty::Scalar(ty) => digits_and_scale(ty).1,
                _ => 0,
            };
            lower.writer.schema_literal(value, scale);
        }
        _ => {
            lower.writer.push("TRUE");
        }
    }
}

fn write_pair(lower: &mut Lower<'_>, table: &Table, (a, between, b): (&Expr, &'static str, &Expr)) {
    lower.writer.push("(");
    write_expr(lower, table, a);
    lower.writer.push(between);
    write_expr(lower, table, b);
    lower.writer.push(")");
}

fn write_compare(lower: &mut Lower<'_>, table: &Table, (op, a, b): (CompareOp, &Expr, &Expr)) {
    let (value, null) = if is_null(a) { (b, a) } else { (a, b) };
    lower.writer.push("(");
    write_expr(lower, table, value);
    if is_null(null) {
        lower.writer.push(if op == CompareOp::Ne { " IS NOT NULL" } else { " IS NULL" });
    } else {
        lower.writer.push(match op {
            CompareOp::Eq => " = ",
            CompareOp::Ne => " <> ",
            CompareOp::Lt => " < ",
            CompareOp::Le => " <= ",
            CompareOp::Gt => " > ",
            CompareOp::Ge => " >= ",
        });
        write_expr(lower, table, b);
    }
    lower.writer.push(")");
}
