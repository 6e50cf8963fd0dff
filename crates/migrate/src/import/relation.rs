//! The other sides of references, and tables that only link two others.

use super::name::{field, plural};
use super::{Field, Source, Type, target};
use backstay_engine::live::LiveTable;
use backstay_schema::name::object_name;

/// Whether a table is what two lists that face each other make: named for both ends in order of the
/// alphabet, a column per end, both together the key, deleted with either end.
pub(super) fn is_hidden(known: &[Source<'_>], index: usize) -> bool {
    let Some(table) = known.get(index).map(|source| source.table) else { return false };
    let [first, second] = table.references.as_slice() else { return false };
    let (Some(a), Some(b)) = (target(known, first), target(known, second)) else { return false };
    let mut ends = [&a.table.name, &b.table.name];
    ends.sort();
    let conventional = |reference: &backstay_engine::live::LiveReference, end: &LiveTable| {
        let key = end.key.as_ref().map(|key| key.columns.as_slice()).unwrap_or_default();
        reference.on_delete == "CASCADE"
            && reference.columns.iter().zip(key).all(|(column, key)| *column == format!("{}_{key}", end.name))
    };
    let columns = first.columns.len() + second.columns.len();
    let others = |source: &Source<'_>| {
        let between =
            |table: &LiveTable, other: &LiveTable| table.references.iter().any(|r| r.target == other.name);
        source.table.name != table.name && (between(a.table, b.table) || between(b.table, a.table))
    };
    a.table.name != b.table.name
        && table.name == object_name(ends[0], "", ends[1])
        && conventional(first, a.table)
        && conventional(second, b.table)
        && table.columns.len() == columns
        && table.key.as_ref().is_some_and(|key| key.columns.len() == columns)
        && table.uniques.is_empty()
        && table.checks.is_empty()
        && !known.iter().any(others)
}

/// Puts the lists on the types that are referred to, where only one reference can be meant.
pub(super) fn lists(known: &[Source<'_>], types: &mut [Type]) {
    for source in known {
        if source.hidden {
            // an audit has no ends
            let ends: Vec<&Source<'_>> =
                source.table.references.iter().filter_map(|r| target(known, r)).collect();
            if let [a, b] = ends.as_slice() {
                add(types, a, b);
                add(types, b, a);
            }
            continue;
        }
        for reference in &source.table.references {
            let Some(to) = target(known, reference).filter(|to| !to.hidden) else { continue };
            let count = |from: &LiveTable, to: &LiveTable| {
                from.references.iter().filter(|other| other.target == to.name).count()
            };
            let is_field = types.iter().any(|ty| {
                ty.table == source.table.name
                    && ty.fields.iter().any(|f| f.columns == reference.columns && f.target.is_some())
            });
            let mutual = source.table.name != to.table.name && count(to.table, source.table) > 0;
            if is_field
                && count(source.table, to.table) == 1
                && !mutual
                && !is_unique(source.table, &reference.columns)
            {
                add(types, to, source);
            }
        }
    }
}

fn is_unique(table: &LiveTable, columns: &[String]) -> bool {
    table.key.as_ref().is_some_and(|key| key.columns == columns)
        || table.uniques.iter().any(|unique| unique.columns == columns)
        || table.indexes.iter().any(|index| index.unique && index.columns.iter().flatten().eq(columns))
}

/// A list of the rows of `of` on the type of `on`.
fn add(types: &mut [Type], on: &Source<'_>, of: &Source<'_>) {
    let Some(ty) = types.iter_mut().find(|ty| ty.table == on.table.name) else { return };
    let name = plural(&field(&of.type_name));
    let taken = |name: &str| {
        ty.fields.iter().any(|field| field.name == name || field.columns.iter().any(|column| column == name))
    };
    let name = if taken(&name) { format!("{name}_list") } else { name };
    if taken(&name) {
        return;
    }
    ty.fields.push(Field {
        name,
        ty: format!("[{}!]!", of.type_name),
        directives: Vec::new(),
        doc: None,
        remarks: Vec::new(),
        columns: Vec::new(),
        target: None,
    });
}
