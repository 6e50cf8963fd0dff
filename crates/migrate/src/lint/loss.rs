//! What is lost, or breaks those who know the database as it was: BM100–BM104, BM106 of
//! tables that are made anew, BM123–BM125.

use super::act::Act;
use super::world::{Column, Table};
use super::{Found, Scene, rule};

pub(super) fn judge(scene: &Scene<'_>, found: &mut Found) {
    let at = scene.at;
    let world = scene.world;
    match scene.act {
        Act::Unread { why } => found.push((&rule::BM100, at, why.clone())),
        Act::DropTable { table } if world.is_old(table) => {
            dropped(scene, table, found);
            unnamed(scene, scene.named.table(table), table, found);
        }
        Act::Empty { table } if world.is_old(table) => {
            found.push((&rule::BM101, at, format!("{table} is emptied")));
        }
        Act::DropSchema { schema } => {
            found.push((&rule::BM101, at, format!("{schema} is dropped with all its tables")));
        }
        Act::DropColumn { table, column } if world.is_old_column(table, column) => {
            let taken = scene.later().any(
                |act| matches!(act, Act::RenameColumn { table: t, to, .. } if t == table && to == column),
            );
            found.push(if taken {
                (&rule::BM104, at, format!("{table}.{column} changes its type through a new column"))
            } else {
                (&rule::BM102, at, format!("{table}.{column} is dropped"))
            });
            unnamed(scene, scene.named.column(table, column), &format!("{table}.{column}"), found);
        }
        Act::RenameTable { from, to } if world.is_old(from) => {
            found.push((&rule::BM103, at, format!("{from} is called {to}")));
            unnamed(scene, scene.named.table(from), from, found);
        }
        Act::RenameColumn { table, from, to } if world.is_old_column(table, from) => {
            found.push((&rule::BM103, at, format!("{table}.{from} is called {to}")));
            unnamed(scene, scene.named.column(table, from), &format!("{table}.{from}"), found);
        }
        Act::Recollate { table } if world.is_old(table) => {
            found.push((&rule::BM104, at, format!("the texts of {table} are compared in another way")));
        }
        Act::OpenWall { table } if scene.changes_rows() => {
            found.push((&rule::BM124, at, format!("the policies of {table} change beside rows")));
        }
        Act::RenameMember { name } => {
            found.push((&rule::BM103, at, format!("a member of {name} gets another name")));
        }
        Act::ChangeType { table, column, .. } if world.is_old_column(table, &column.name) => {
            let to = column.ty.to_string();
            let known = world.column(table, &column.name);
            if !known.is_some_and(|known| holds(scene.engine, &known.ty, &to)) {
                found.push((&rule::BM104, at, format!("{table}.{} becomes {to}", column.name)));
            } else if known.is_some_and(|known| known.collation != column.collation) {
                let message = format!("the texts of {table}.{} are compared in another way", column.name);
                found.push((&rule::BM104, at, message));
            }
        }
        Act::CreateEnum { name } => {
            found.push((&rule::BM123, at, format!("{name} is an enum of the database")));
        }
        Act::AddMember { name } => {
            found.push((&rule::BM123, at, format!("{name} gets a member that it never loses")));
        }
        // neither rows nor names
        _ => {}
    }
}

/// A table that goes, or that another one with its rows takes the name of.
fn dropped(scene: &Scene<'_>, table: &str, found: &mut Found) {
    let successor = scene.later().find_map(|act| match act {
        Act::RenameTable { from, to } if to == table => Some(from),
        _ => None,
    });
    let Some(successor) = successor else {
        found.push((&rule::BM101, scene.at, format!("{table} is dropped with all its rows")));
        return;
    };
    found.push((&rule::BM122, scene.at, format!("{table} is made anew")));
    let (Some(old), Some(new)) = (scene.world.tables.get(table), scene.world.tables.get(successor)) else {
        return;
    };
    required(scene, table, (old, new), found);
    for (name, column) in &old.columns {
        let comes = |column: &Column| column.moved.as_ref().is_some_and(|moved| moved.from == *name);
        let heir = new.columns.iter().find(|(_, now)| comes(now)).map(|(heir, _)| heir);
        match new.columns.get(name) {
            None if let Some(heir) = heir => {
                found.push((&rule::BM103, scene.at, format!("{table}.{name} is called {heir}")));
            }
            None => found.push((
                &rule::BM102,
                scene.at,
                format!("{table} is made anew without the column {name}"),
            )),
            Some(now) if now.ty != column.ty => {
                found.push((&rule::BM104, scene.at, format!("{table}.{name} becomes {}", now.ty)));
            }
            Some(now) if now.moved.as_ref().is_some_and(|moved| moved.may_be_refused) => {
                found.push((&rule::BM104, scene.at, format!("{table}.{name} takes another type")));
            }
            Some(_) => {}
        }
    }
}

/// Columns that allowed null in a table and require a value in the one that takes its place.
fn required(scene: &Scene<'_>, table: &str, (old, new): (&Table, &Table), found: &mut Found) {
    for (name, now) in new.columns.iter().filter(|(_, now)| !now.nullable) {
        let from = now.moved.as_ref().map_or(name, |moved| &moved.from);
        let filled = now.moved.as_ref().is_some_and(|moved| moved.fills_null);
        if !filled && old.columns.get(from).is_some_and(|was| was.nullable) {
            found.push((&rule::BM106, scene.at, format!("{table}.{name} requires a value")));
        }
    }
}

/// What goes and is still named by the schema beside the files.
fn unnamed(scene: &Scene<'_>, by: Option<&str>, what: &str, found: &mut Found) {
    if let Some(by) = by {
        found.push((&rule::BM125, scene.at, format!("{what} is gone, and {by} of the schema is it")));
    }
}

/// Whether a column takes the type without being written anew: a longer text on PostgreSQL, or the same.
fn holds(engine: &str, from: &str, to: &str) -> bool {
    let length = |ty: &str| {
        let upper = ty.to_ascii_uppercase();
        match upper.split_once('(') {
            Some(("VARCHAR" | "CHARACTER VARYING", rest)) => rest.trim_end_matches(')').parse::<u64>().ok(),
            None if matches!(upper.as_str(), "TEXT" | "VARCHAR" | "CHARACTER VARYING") => Some(u64::MAX),
            _ => None,
        }
    };
    let longer = || matches!((length(from), length(to)), (Some(from), Some(to)) if from <= to);
    from.eq_ignore_ascii_case(to) || (engine == "postgres" && longer())
}
