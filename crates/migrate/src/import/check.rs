//! CHECKs as enums, `@valid` and `@check`.

use super::Type;
use super::condition::{Condition, Operand, read};
use super::name::is_member;
use super::sdl::text;
use backstay_engine::live::{LiveCheck, LiveColumn, LiveTable};
use backstay_sql::ddl::check::digits_of_check;

/// Members of the enum that a column holds, from the database's own type or from a check.
pub(super) fn members(table: &LiveTable, column: &LiveColumn) -> Option<Vec<String>> {
    if !column.members.is_empty() {
        return column.members.iter().all(|member| is_member(member)).then(|| column.members.clone());
    }
    table.checks.iter().find_map(|check| listed(&read(&check.text)?, column))
}

fn listed(condition: &Condition, column: &LiveColumn) -> Option<Vec<String>> {
    let Condition::In(Operand::Column(name), list) = condition else { return None };
    let texts = list.iter().map(|operand| match operand {
        Operand::Text(text) if is_member(text) => Some(text.clone()),
        _ => None,
    });
    texts.collect::<Option<Vec<String>>>().filter(|_| *name == column.name)
}

/// Whether a check holds the column to 0 and 1.
pub(super) fn is_boolean(table: &LiveTable, column: &LiveColumn) -> bool {
    table.checks.iter().any(|check| boolean_column(check).as_deref() == Some(&column.name))
}

fn boolean_column(check: &LiveCheck) -> Option<String> {
    let Condition::In(Operand::Column(name), list) = read(&check.text)? else { return None };
    let number = |text: &str| Operand::Number(text.to_owned());
    (list == [number("0"), number("1")]).then_some(name)
}

/// Whether a check holds the column to JSON.
pub(super) fn is_json(table: &LiveTable, column: &LiveColumn) -> bool {
    table.checks.iter().any(|check| json_column(check).as_deref() == Some(&column.name))
}

fn json_column(check: &LiveCheck) -> Option<String> {
    match read(&check.text)? {
        Condition::Json(name) => Some(name),
        _ => None,
    }
}

/// The checks that no type says.
pub(super) fn of_table(ty: &mut Type, table: &LiveTable) {
    for check in &table.checks {
        let digits = |column: &LiveColumn| {
            check
                .name
                .as_deref()
                .is_some_and(|name| digits_of_check(name, &table.name, &column.name).is_some())
        };
        let is_type = table.columns.iter().any(digits)
            || json_column(check).is_some()
            || boolean_column(check).is_some();
        if is_type {
            continue;
        }
        let said = read(&check.text).and_then(|condition| said(ty, table, check, &condition));
        if said.is_none() {
            ty.remarks.push(format!(
                "not said: check {}: {}",
                check.name.as_deref().unwrap_or(""),
                one_line(&check.text)
            ));
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn said(ty: &mut Type, table: &LiveTable, check: &LiveCheck, condition: &Condition) -> Option<()> {
    if table
        .columns
        .iter()
        .any(|column| members(table, column).is_some() && listed(condition, column).is_some())
    {
        return Some(());
    }
    if let Some((column, arguments)) = valid(condition)
        && let Some(field) = ty.field_of(&[column])
        && field.target.is_none()
    {
        field.directives.retain(|directive| !directive.starts_with("@valid("));
        field.directives.push(format!("@valid({})", arguments.join(", ")));
        return Some(());
    }
    let expr = cel(ty, condition)?;
    let message = check.name.clone().unwrap_or_else(|| "this may not be".to_owned());
    ty.directives.push(format!("@check(expr: {}, message: {})", text(&expr), text(&message)));
    Some(())
}

/// Bounds of one column, in the order of the arguments.
fn valid(condition: &Condition) -> Option<(String, Vec<String>)> {
    let parts = match condition {
        Condition::And(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut column: Option<String> = None;
    let mut arguments = Vec::new();
    for part in parts {
        let Condition::Compare(sign, left, Operand::Number(number)) = part else { return None };
        let (name, argument) = match (*sign, left) {
            (">=", Operand::Column(name)) => (name, "min"),
            ("<=", Operand::Column(name)) => (name, "max"),
            (">=", Operand::Characters(name)) => (name, "minLength"),
            ("<=", Operand::Characters(name)) => (name, "maxLength"),
            _ => return None,
        };
        if column.as_ref().is_some_and(|known| known != name) {
            return None;
        }
        column = Some(name.clone());
        arguments.push(format!("{argument}: {number}"));
    }
    Some((column?, arguments))
}

/// The condition as a rule over `this`.
fn cel(ty: &mut Type, condition: &Condition) -> Option<String> {
    Some(match condition {
        Condition::And(all) => joined(ty, all, " && ")?,
        Condition::Or(any) => joined(ty, any, " || ")?,
        Condition::Not(inner) => match &**inner {
            Condition::IsNull(operand) => format!("{} != null", value(ty, operand)?),
            inner => format!("!({})", cel(ty, inner)?),
        },
        Condition::IsNull(operand) => format!("{} == null", value(ty, operand)?),
        Condition::Json(_) => return None,
        Condition::Holds(operand) => value(ty, operand)?,
        Condition::In(operand, list) => {
            let list: Option<Vec<String>> = list.iter().map(|item| value(ty, item)).collect();
            format!("{} in [{}]", value(ty, operand)?, list?.join(", "))
        }
        Condition::Compare(sign, left, right) => {
            let sign = match *sign {
                "=" => "==",
                "<>" => "!=",
                other => other,
            };
            format!("{} {sign} {}", value(ty, left)?, value(ty, right)?)
        }
    })
}

fn joined(ty: &mut Type, all: &[Condition], between: &str) -> Option<String> {
    let parts: Option<Vec<String>> = all
        .iter()
        .map(|part| {
            let text = cel(ty, part)?;
            Some(if matches!(part, Condition::Or(_)) { format!("({text})") } else { text })
        })
        .collect();
    Some(parts?.join(between))
}

fn value(ty: &mut Type, operand: &Operand) -> Option<String> {
    Some(match operand {
        Operand::Column(name) => member(ty, name)?,
        Operand::Characters(name) => format!("size({})", member(ty, name)?),
        Operand::Text(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        Operand::Number(number) => number.clone(),
        Operand::Bool(truth) => truth.to_string(),
    })
}

fn member(ty: &mut Type, column: &str) -> Option<String> {
    let field = ty.field_of(&[column.to_owned()])?;
    // what a time or an id is compared with is no number and no text in the language
    let sayable = ["Int", "BigInt", "Float", "Decimal", "Boolean", "String", "Date", "Time", "Timestamp"];
    let plain = sayable.contains(&field.ty.trim_end_matches('!'));
    let name = if field.target.is_some() { column } else { &field.name };
    (plain || field.target.is_some()).then(|| format!("this.{name}"))
}
