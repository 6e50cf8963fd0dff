//! What is lost, or breaks those who know the database as it was: BM100–BM104, BM123.

use super::act::Act;
use super::world::Column;
use super::{Found, Scene, rule};

pub(super) fn judge(scene: &Scene<'_>, found: &mut Found) {
    let at = scene.at;
    let world = scene.world;
    match scene.act {
        Act::Unread { why } => found.push((&rule::BM100, at, why.clone())),
        Act::DropTable { table } if world.is_old(table) => dropped(scene, table, found),
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
        }
        Act::RenameTable { from, to } if world.is_old(from) => {
            found.push((&rule::BM103, at, format!("{from} is called {to}")));
        }
        Act::RenameColumn { table, from, to } if world.is_old_column(table, from) => {
            found.push((&rule::BM103, at, format!("{table}.{from} is called {to}")));
        }
        Act::RenameMember { name } => {
            found.push((&rule::BM103, at, format!("a member of {name} gets another name")));
        }
        Act::ChangeType { table, column, .. } if world.is_old_column(table, &column.name) => {
            let to = column.ty.to_string();
            let from = world.column(table, &column.name).map(|column| column.ty.as_str());
            if !from.is_some_and(|from| holds(scene.engine, from, &to)) {
                found.push((&rule::BM104, at, format!("{table}.{} becomes {to}", column.name)));
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
