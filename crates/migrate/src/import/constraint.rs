//! Unique constraints and indexes, on a field or on the type.

use super::Type;
use super::field::listed;
use crate::shape::is_foreign;
use backstay_engine::live::{LiveIndex, LiveTable};

fn constraint(ty: &mut Type, word: &str, columns: &[String]) -> Option<()> {
    if let Some(field) = ty.field_of(columns) {
        field.directives.push(format!("@{word}"));
        return Some(());
    }
    let names: Vec<String> = ty.fields_of(columns)?.into_iter().map(str::to_owned).collect();
    ty.directives.push(format!("@{word}(fields: [{}])", listed(&names)));
    Some(())
}

pub(super) fn uniques(ty: &mut Type, table: &LiveTable) {
    let indexes = table.indexes.iter().filter(|index| index.unique && !is_foreign(index));
    let mut done: Vec<Vec<String>> = table.key.iter().map(|key| key.columns.clone()).collect();
    let constraints = table.uniques.iter().map(|unique| unique.columns.clone());
    let all: Vec<Vec<String>> = constraints.chain(indexes.map(columns_of)).collect();
    for columns in all {
        if done.contains(&columns) {
            continue;
        }
        if constraint(ty, "unique", &columns).is_none() {
            ty.remarks.push(format!("not said: unique ({})", columns.join(", ")));
        }
        done.push(columns);
    }
}

fn columns_of(index: &LiveIndex) -> Vec<String> {
    index.columns.iter().flatten().cloned().collect()
}

pub(super) fn indexes(ty: &mut Type, table: &LiveTable) {
    let mut done: Vec<Vec<String>> =
        table.references.iter().map(|reference| reference.columns.clone()).collect();
    for index in &table.indexes {
        if is_foreign(index) {
            ty.remarks
                .push(format!("not said: index {} (of a part of the rows, or of an expression)", index.name));
            continue;
        }
        let columns = columns_of(index);
        if index.unique || done.contains(&columns) {
            continue;
        }
        if constraint(ty, "index", &columns).is_none() {
            ty.remarks.push(format!("not said: index {}", index.name));
        }
        done.push(columns);
    }
}

pub(super) fn full_texts(ty: &mut Type, table: &LiveTable) {
    for index in &table.full_texts {
        let names: Option<Vec<String>> = index
            .columns
            .iter()
            .map(|column| ty.field_of(std::slice::from_ref(column)).map(|field| field.name.clone()))
            .collect();
        match names {
            Some(names) => {
                ty.directives.push(format!("@index(fields: [{}], kind: FULLTEXT)", listed(&names)));
            }
            None => ty.remarks.push(format!("not said: index {}", index.name)),
        }
    }
}
