//! What will be regretted later: references without index, narrow keys, types that are not
//! what they seem, needless indexes, names: BM112, BM115, BM116, BM118, BM119, BM121, BM123.

use super::act::define::is_serial;
use super::act::{Act, Constraint, Kind, NewColumn};
use super::world::{Index, Table, World};
use super::{Found, Scene, rule};
use sqlparser::ast::{DataType, TimezoneInfo};

/// Columns that an index may have before it is asked about.
const COLUMNS: usize = 3;

/// Bytes of a name on PostgreSQL, characters on MySQL.
const NAME_BYTES: usize = 63;
const NAME_CHARACTERS: usize = 64;

pub(super) fn judge(scene: &Scene<'_>, found: &mut Found) {
    match scene.act {
        Act::CreateTable { table, columns, constraints } => {
            named(scene, table, found);
            twin(scene, scene.world.tables.keys(), table, found);
            for (index, column) in columns.iter().enumerate() {
                typed(scene, table, column, found);
                let earlier = columns.iter().take(index).map(|column| &column.name);
                twin(scene, earlier, &column.name, found);
                if column.references {
                    let message = format!("the reference of {table}.{} is not heard by MySQL", column.name);
                    found.push((&rule::BM121, scene.at, message));
                }
                let alone = |constraint: &Constraint| {
                    constraint.kind == Kind::Key && constraint.columns == [Some(column.name.clone())]
                };
                if column.key || constraints.iter().any(alone) {
                    key(scene, table, column, found);
                }
            }
            for name in constraints.iter().filter_map(|constraint| constraint.name.as_ref()) {
                named(scene, name, found);
            }
        }
        Act::AddColumn { table, column } => {
            typed(scene, table, column, found);
            let columns = scene.world.tables.get(table).into_iter().flat_map(|table| table.columns.keys());
            twin(scene, columns, &column.name, found);
            if column.key {
                key(scene, table, column, found);
            }
        }
        Act::ChangeType { table, column, .. } => typed(scene, table, column, found),
        Act::RenameTable { to, .. } | Act::RenameColumn { to, .. } => named(scene, to, found),
        Act::AddConstraint { constraint: Constraint { name: Some(name), .. }, .. } => {
            named(scene, name, found);
        }
        Act::CreateIndex { index, .. } => {
            if let Some(name) = &index.name {
                named(scene, name, found);
            }
        }
        Act::BareWord { word } => {
            found.push((&rule::BM119, scene.at, format!("{word} is a word of SQL: quote it")));
        }
        // nothing is defined
        _ => {}
    }
}

/// What shows when the whole file was read.
pub(super) fn judge_whole(world: &World, found: &mut Found) {
    for (name, table) in &world.tables {
        unindexed(name, table, found);
        needless(name, table, found);
    }
}

fn unindexed(name: &str, table: &Table, found: &mut Found) {
    for reference in &table.references {
        let Some(by) = reference.by else { continue };
        let helps = |index: &Index| {
            let first = index.columns.get(..reference.columns.len()).unwrap_or_default();
            index.whole && reference.columns.iter().all(|column| first.contains(column))
        };
        if !table.indexes.iter().any(helps) {
            let columns: Vec<&str> = reference.columns.iter().flatten().map(String::as_str).collect();
            let message = format!("the reference {name} ({}) has no index", columns.join(", "));
            found.push((&rule::BM112, by, message));
        }
    }
}

fn needless(table: &str, stands: &Table, found: &mut Found) {
    for (place, index) in stands.indexes.iter().enumerate() {
        let (Some(by), false) = (index.by, index.unique) else { continue };
        let name = index.name.as_deref().unwrap_or("an index");
        if index.columns.len() > COLUMNS {
            let message = format!("{name} of {table} has {} columns", index.columns.len());
            found.push((&rule::BM118, by, message));
        }
        let covers = |(other, wider): (usize, &Index)| {
            let same = wider.columns.len() == index.columns.len() && !wider.unique;
            other != place
                && wider.whole
                && index.whole
                && index.columns.iter().all(Option::is_some)
                && wider.columns.starts_with(&index.columns)
                // of two that are the same the later one is needless
                && (!same || other < place)
        };
        if let Some((_, wider)) = stands.indexes.iter().enumerate().find(|pair| covers(*pair)) {
            let wider = wider.name.as_deref().unwrap_or("the index of a constraint");
            found.push((&rule::BM118, by, format!("{name} of {table} does nothing that {wider} does not")));
        }
    }
}

fn key(scene: &Scene<'_>, table: &str, column: &NewColumn, found: &mut Found) {
    use DataType as T;
    let serial = is_serial(&column.ty) && !column.ty.to_string().to_ascii_lowercase().starts_with("big");
    let narrow = matches!(
        column.ty,
        T::Int(_)
            | T::Integer(_)
            | T::Int4(_)
            | T::Int2(_)
            | T::SmallInt(_)
            | T::TinyInt(_)
            | T::MediumInt(_)
    );
    if narrow || serial {
        found.push((&rule::BM115, scene.at, format!("the key {table}.{} is {}", column.name, column.ty)));
    }
}

fn typed(scene: &Scene<'_>, table: &str, column: &NewColumn, found: &mut Found) {
    use DataType as T;
    named(scene, &column.name, found);
    let misleads = matches!(
        column.ty,
        T::Char(_) | T::Character(_) | T::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone)
    );
    if misleads {
        found.push((&rule::BM116, scene.at, format!("{table}.{} is {}", column.name, column.ty)));
    }
    if scene.engine == "mysql" && matches!(column.ty, T::Enum(..)) {
        found.push((&rule::BM123, scene.at, format!("{table}.{} is an enum of the database", column.name)));
    }
}

fn named(scene: &Scene<'_>, name: &str, found: &mut Found) {
    let long = match scene.engine {
        "postgres" => name.len() > NAME_BYTES,
        "mysql" => name.chars().count() > NAME_CHARACTERS,
        _ => false,
    };
    if long {
        found.push((&rule::BM119, scene.at, format!("{name} is too long a name")));
    }
}

/// A name that another one differs from in capitals alone.
fn twin<'n>(scene: &Scene<'_>, mut others: impl Iterator<Item = &'n String>, name: &str, found: &mut Found) {
    if let Some(other) = others.find(|other| *other != name && other.eq_ignore_ascii_case(name)) {
        found.push((&rule::BM119, scene.at, format!("{name} differs from {other} in capitals alone")));
    }
}
