//! What keeps others waiting, or fails where rows are: BM105–BM111, BM114, BM117, BM120, BM121.

use super::act::{Act, Constraint, Kind, NewColumn, NewIndex};
use super::{Found, Scene, rule};

pub(super) fn judge(scene: &Scene<'_>, found: &mut Found) {
    let at = scene.at;
    let world = scene.world;
    match scene.act {
        Act::AddColumn { table, column } if world.is_old(table) => added(scene, table, column, found),
        Act::SetNotNull { table, column } if world.is_old(table) => {
            let proven = world.tables.get(table).is_some_and(|table| table.never_null.contains(column));
            if !(scene.engine == "postgres" && proven) {
                found.push((&rule::BM106, at, format!("{table}.{column} requires a value")));
            }
        }
        Act::ChangeType { table, column, whole: true } if world.is_old(table) => {
            let required = world.column(table, &column.name).is_some_and(|column| !column.nullable);
            if column.not_null && !required {
                found.push((&rule::BM106, at, format!("{table}.{} requires a value", column.name)));
            }
        }
        Act::AddConstraint { table, constraint } if world.is_old(table) => {
            constrained(scene, table, constraint, found);
        }
        Act::DropConstraint { table, name } if world.is_old(table) && name.ends_with("_pkey") => {
            found.push((&rule::BM117, at, format!("the key of {table} is dropped")));
        }
        Act::DropKey { table } if world.is_old(table) => {
            found.push((&rule::BM117, at, format!("the key of {table} is dropped")));
            let again = |act: &Act| matches!(act, Act::AddConstraint { constraint, .. } if constraint.kind == Kind::Key);
            let statement = scene.sheet.statements.get(at);
            if !statement.is_some_and(|statement| statement.acts.iter().any(again)) {
                found.push((&rule::BM121, at, format!("{table} is copied without a key")));
            }
        }
        Act::CreateIndex { table, index } => indexed(scene, table, index, found),
        Act::DropIndex { name, concurrently: true, if_exists } => {
            if !if_exists {
                found.push((&rule::BM120, at, format!("{name} may be gone when this runs again")));
            }
            beside(scene, found);
        }
        Act::DropIndex { name, concurrently: false, .. } => {
            let table = world.table_of_index(name);
            if table.is_none_or(|table| world.is_old(table) && !is_rewritten(scene, table)) {
                found.push((&rule::BM109, at, format!("{name} is dropped while writers wait")));
            }
        }
        Act::Reindex => {
            found.push((&rule::BM109, at, "an index is built anew while writers wait".to_owned()))
        }
        Act::Detach { table, concurrently } => {
            if *concurrently {
                beside(scene, found);
            } else {
                found.push((&rule::BM109, at, format!("a partition of {table} is detached while all wait")));
            }
        }
        Act::ChangeRows { table, all } if world.is_old(table) => {
            let altered = world.tables.get(table).is_some_and(|table| table.altered);
            if *all {
                found.push((&rule::BM114, at, format!("every row of {table} changes at once")));
            } else if altered && scene.engine == "postgres" {
                let message = format!("rows of {table} change while the file holds it locked");
                found.push((&rule::BM114, at, message));
            }
        }
        // nobody waits for it
        _ => {}
    }
}

fn added(scene: &Scene<'_>, table: &str, column: &NewColumn, found: &mut Found) {
    let name = format!("{table}.{}", column.name);
    if column.not_null && !column.has_default && column.computed.is_none() {
        found.push((&rule::BM105, scene.at, format!("{name} requires a value and has no default")));
    }
    if let Some(computed) = &column.computed {
        found.push((&rule::BM107, scene.at, format!("{name} has {computed} in each row")));
    }
    if column.unique {
        found.push((&rule::BM108, scene.at, format!("{name} is unique")));
    }
    if column.key {
        found.push((&rule::BM117, scene.at, format!("{name} is the key")));
    }
    if column.references {
        found.push((&rule::BM121, scene.at, format!("the reference of {name} is not heard by MySQL")));
    }
}

fn constrained(scene: &Scene<'_>, table: &str, constraint: &Constraint, found: &mut Found) {
    let at = scene.at;
    let columns: Vec<&str> = constraint.columns.iter().flatten().map(String::as_str).collect();
    let name = constraint.name.clone().unwrap_or_else(|| columns.join(", "));
    match constraint.kind {
        Kind::Unique if !constraint.using_index => {
            found.push((&rule::BM108, at, format!("{table} ({}) is unique", columns.join(", "))));
        }
        Kind::Key if !constraint.using_index => {
            found.push((&rule::BM117, at, format!("{table} gets the key ({})", columns.join(", "))));
        }
        Kind::Reference => {
            if !constraint.not_valid {
                found.push((&rule::BM111, at, format!("the reference {name} of {table} reads all rows")));
            }
            found.push((&rule::BM121, at, format!("{table} is copied for the reference {name}")));
        }
        Kind::Check if !constraint.not_valid => {
            found.push((&rule::BM111, at, format!("the check {name} of {table} reads all rows")));
        }
        Kind::Unique | Kind::Key | Kind::Check | Kind::Index => {}
    }
}

fn indexed(scene: &Scene<'_>, table: &str, index: &NewIndex, found: &mut Found) {
    let name = index.name.clone().unwrap_or_else(|| "an index".to_owned());
    if index.concurrently {
        beside(scene, found);
    } else if scene.world.is_old(table) {
        let message = format!("{name} of {table} is built while writers wait");
        found.push((&rule::BM109, scene.at, message));
    }
    if index.unique && !index.concurrently && scene.world.is_old(table) {
        found.push((&rule::BM108, scene.at, format!("{name} of {table} is unique")));
    }
}

/// Whether the file changes columns of the table, which locks it more than the index does.
fn is_rewritten(scene: &Scene<'_>, table: &str) -> bool {
    let mut acts = scene.sheet.statements.iter().flat_map(|statement| &statement.acts);
    acts.any(|act| {
        matches!(act, Act::DropColumn { table: of, .. } | Act::ChangeType { table: of, .. } if of == table)
    })
}

/// A statement outside the transaction, behind others that a transaction should hold and that no COMMIT ends.
fn beside(scene: &Scene<'_>, found: &mut Found) {
    let outside = |act: &Act| {
        matches!(
            act,
            Act::CreateIndex { index: NewIndex { concurrently: true, .. }, .. }
                | Act::DropIndex { concurrently: true, .. }
                | Act::Detach { concurrently: true, .. }
                | Act::Validate { .. }
        )
    };
    // whatever changes rows behind a COMMIT may be done by itself
    let ends = |act: &&Act| !outside(act) && !matches!(act, Act::ChangeRows { .. });
    let before = scene.sheet.statements.iter().take(scene.at).rev();
    let last = before.flat_map(|statement| statement.acts.iter().rev()).find(ends);
    if last.is_some_and(|act| *act != Act::Commit) {
        found.push((&rule::BM110, scene.at, "this file is not one transaction".to_owned()));
    }
}
