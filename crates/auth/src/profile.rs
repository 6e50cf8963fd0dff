//! The row of the project's `@user` type that goes with an account (SEMANTICS 24–26):
//! made, mirrored and deleted in the script of the account.

use crate::account::{Account, Object, role_of};
use crate::refusal::Refusal;
use crate::statement::{self, Step, eq};
use backstay_base::fault::Fault;
use backstay_policy::caller::{Caller, RequestInfo};
use backstay_policy::signup;
use backstay_query::named::Input;
use backstay_schema::catalog::{Catalog, Column, OnDelete, RelationKind, Table, TableId};
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
    let confirmed = |column: &Column, at: Option<i64>| at.is_some() || !column.nullable;
    for (name, value, at) in [
        ("email", &account.email, account.email_confirmed_at),
        ("phone", &account.phone, account.phone_confirmed_at),
    ] {
        if let (Some(column), Some(value)) = (table.column_named(name), value)
            && confirmed(column, at)
        {
            cells.push((name.to_owned(), Input::Text(value.clone())));
        }
    }
    if let (Some(_), Some(role)) = (table.column_named("role"), account.role()) {
        cells.push(("role".to_owned(), Input::Text(role.to_owned())));
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

/// The step that lets the row follow the account's e-mail address and role.
pub(crate) fn mirror(catalog: &Catalog, account: &Account) -> Option<Step> {
    let (table, key) = user_table(catalog)?;
    let mut cells = Vec::new();
    if let (Some(_), Some(email), Some(_)) =
        (table.column_named("email"), &account.email, account.email_confirmed_at)
    {
        cells.push(("email", statement::text(&**email)));
    }
    if let Some(column) = table.column_named("role") {
        match account.role() {
            Some(role) => cells.push(("role", statement::text(role))),
            None if column.nullable => cells.push(("role", Cell::Null)),
            None => {}
        }
    }
    let filter = eq(key, Cell::Uuid(account.id));
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
fn user_table(catalog: &Catalog) -> Option<(&Table, &str)> {
    let table = catalog.table(catalog.user?);
    match table.key.as_slice() {
        [one] => Some((table, &table.column(*one).name)),
        _ => None,
    }
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
