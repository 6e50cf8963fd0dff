//! The row of the project's `@user` type that goes with an account (SEMANTICS 24–26):
//! made, mirrored and deleted in the script of the account.

use crate::account::{Account, Object, role_of};
use crate::refusal::Refusal;
use crate::statement::{self, Step, eq};
use backstay_base::fault::Fault;
use backstay_policy::caller::{Caller, RequestInfo};
use backstay_policy::signup;
use backstay_query::named::Input;
use backstay_schema::catalog::{Catalog, Column, Fill, OnDelete, RelationKind, Table, TableId};
use backstay_schema::compile::BUILT_IN_ROLES;
use backstay_schema::scalar::read::JsonCell;
use backstay_schema::value::Value as Cell;
use serde_json::Value;

/// Columns that follow the account.
const MIRRORED: [&str; 3] = ["email", "phone", "role"];

/// The step that makes the row; fields that `data` fills are taken out of it.
///
/// # Errors
/// 22P02 and kin for values that do not fit the fields which they are for.
pub(crate) fn insert(
    catalog: &Catalog,
    account: &Account,
    data: &mut Object,
    caller: &Caller,
    info: &RequestInfo<'_>,
) -> Result<Option<Step>, Fault> {
    let Some((table, key)) = user_table(catalog) else { return Ok(None) };
    let mut cells = vec![(key.to_owned(), Input::Value(Cell::Uuid(account.id)))];
    for (column, value) in followed(table, account) {
        if let Cell::Text(value) = value {
            cells.push((column.name.clone(), Input::Text(value)));
        }
    }
    for (column, value) in filled(catalog, table, data, caller, info)? {
        data.remove(&column.name);
        cells.push((column.name.clone(), Input::Value(value)));
    }
    Ok(Some(statement::insert_inputs(&table.name, cells)))
}

/// The fields that sign-up data fill: those whose create rules hold for `caller` (SEMANTICS 25).
fn filled<'c>(
    catalog: &Catalog,
    table: &'c Table,
    data: &Object,
    caller: &Caller,
    info: &RequestInfo<'_>,
) -> Result<Vec<(&'c Column, Cell)>, Fault> {
    let mut candidates = Vec::new();
    for column in &table.columns {
        let mirrored = MIRRORED.contains(&column.name.as_str());
        let own = !mirrored && column.relation.is_none() && !table.key.contains(&column.id);
        if let Some(value) = data.get(&column.name).filter(|_| own) {
            candidates.push((column.id, cell(catalog, column, value)?));
        }
    }
    let allowed = signup::fields(catalog, caller, info, &candidates)?;
    let fills = candidates.into_iter().filter(|(id, _)| allowed.contains(id));
    Ok(fills.map(|(id, value)| (table.column(id), value)).collect())
}

/// What the row of an account says of it: columns with what stands in them. An address that nobody confirmed
/// stands in a column that cannot be empty, and else leaves there what is.
pub(crate) fn followed<'c>(table: &'c Table, account: &Account) -> Vec<(&'c Column, Cell)> {
    let mut cells = Vec::new();
    for (name, value, at) in [
        ("email", &account.email, account.email_confirmed_at),
        ("phone", &account.phone, account.phone_confirmed_at),
    ] {
        if let (Some(column), Some(value)) = (table.column_named(name), value)
            && (at.is_some() || !column.nullable)
        {
            cells.push((column, statement::text(&**value)));
        }
    }
    if let Some(column) = table.column_named("role") {
        match account.role() {
            Some(role) => cells.push((column, statement::text(role))),
            None if column.nullable => cells.push((column, Cell::Null)),
            None => {}
        }
    }
    cells
}

/// Whether the column is the project's own word, which data doors write too: the account's role stands there once,
/// when it is given.
pub(crate) fn is_own_word(column: &Column) -> bool {
    column.name == "role" && column.fill == Fill::None
}

/// The step that lets the row follow what the account became.
pub(crate) fn mirror(catalog: &Catalog, before: &Account, after: &Account) -> Option<Step> {
    let (table, key) = user_table(catalog)?;
    let role_stands = before.role() == after.role();
    let mut cells = followed(table, after);
    cells.retain(|(column, _)| !(role_stands && is_own_word(column)));
    let cells: Vec<_> = cells.into_iter().map(|(column, value)| (&*column.name, value)).collect();
    let filter = eq(key, Cell::Uuid(after.id));
    (!cells.is_empty()).then(|| statement::update(&table.name, cells, vec![filter]))
}

/// The step that deletes the row.
pub(crate) fn delete(catalog: &Catalog, account: uuid::Uuid) -> Option<Step> {
    let (table, key) = user_table(catalog)?;
    Some(statement::delete(&table.name, vec![eq(key, Cell::Uuid(account))]))
}

/// Types whose rows keep a row of the `@user` type from being deleted.
pub(crate) fn restricting_types(catalog: &Catalog, message: &str) -> Vec<String> {
    let Some(user) = catalog.user else { return Vec::new() };
    let all: Vec<&Table> = catalog.tables.iter().filter(|table| restricts(table, user)).collect();
    let named = |table: &&&Table| message.contains(&format!("\"{}\"", table.name)) && table.id != user;
    let named: Vec<&&Table> = all.iter().filter(named).collect();
    match named.as_slice() {
        [] => all.iter().map(|table| table.type_name.clone()).collect(),
        some => some.iter().map(|table| table.type_name.clone()).collect(),
    }
}

fn restricts(table: &Table, user: TableId) -> bool {
    !table.is_view
        && table.relations.iter().any(|relation| {
            relation.target == user
                && matches!(relation.kind, RelationKind::ToOne { on_delete: OnDelete::Restrict, .. })
        })
}

/// Refuses a role that the project does not declare, or that nobody is given.
pub(crate) fn check_role(catalog: &Catalog, app_metadata: &Object) -> Result<(), Refusal> {
    let Some(stated) = app_metadata.get("role") else { return Ok(()) };
    let declared = role_of(app_metadata)
        .is_some_and(|role| catalog.roles.iter().any(|one| one == role) && !BUILT_IN_ROLES.contains(&role));
    if declared {
        return Ok(());
    }
    Err(Refusal::new(422, "validation_failed", format!("role {stated} is not declared in backstay.toml")))
}

/// The `@user` table and its key column.
pub(crate) fn user_table(catalog: &Catalog) -> Option<(&Table, &str)> {
    let table = catalog.table(catalog.user?);
    match table.key.as_slice() {
        [one] => Some((table, &table.column(*one).name)),
        _ => None,
    }
}

/// Leaves those members of sign-up data that no field has, or that fit theirs.
pub(crate) fn keep_fitting(catalog: &Catalog, data: &mut Object) {
    let Some((table, _)) = user_table(catalog) else { return };
    let fits = |name: &str, value: &Value| {
        table.column_named(name).is_none_or(|column| cell(catalog, column, value).is_ok())
    };
    data.retain(|name, value| fits(name, value));
}

/// A member of sign-up data as a value of its column.
fn cell(catalog: &Catalog, column: &Column, value: &Value) -> Result<Cell, Fault> {
    let text = match value {
        Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
        Value::Null | Value::Bool(_) | Value::String(_) => String::new(),
    };
    let cell = match value {
        Value::Null => JsonCell::Null,
        Value::Bool(value) => JsonCell::Bool(*value),
        Value::Number(_) => JsonCell::Number(&text),
        Value::String(text) => JsonCell::Text(text),
        Value::Array(_) | Value::Object(_) => JsonCell::Json(&text),
    };
    column.ty.parse_json(catalog, cell)
}
