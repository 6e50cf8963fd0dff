//! What a database should look like, told from the catalog alone. Its words are ours, not the
//! database's, so that it can say that nothing is to be done but not what is.

use crate::full_text::wanted;
use crate::shape::Scope;
use backstay_engine::live::{
    Live, LiveCheck, LiveColumn, LiveFullText, LiveIndex, LiveKey, LiveReference, LiveTable,
};
use backstay_schema::catalog::{Catalog, ColumnId, OnDelete, RelationKind, Table};
use backstay_sql::ddl;
use backstay_sql::ddl::column::Stored;
use backstay_sql::dialect::Dialect;

/// The tables of `scope`.
pub(crate) fn predicted(dialect: &'static Dialect, catalog: &Catalog, scope: Scope) -> Live {
    let tables = catalog.tables.iter().filter(|table| scope.holds(table));
    let tables = tables.map(|table| described(dialect, catalog, table)).collect();
    Live { tables, views: Vec::new() }
}

fn described(dialect: &'static Dialect, catalog: &Catalog, table: &Table) -> LiveTable {
    let names =
        |of: &Table, ids: &[ColumnId]| ids.iter().map(|id| of.column(*id).name.clone()).collect::<Vec<_>>();
    let columns = table.columns.iter().map(|column| {
        let stored = Stored::of(table, column);
        LiveColumn {
            name: column.name.clone(),
            ty: stored.words(dialect),
            nullable: column.nullable,
            counted: stored.counted,
            generated: ddl::stored::expression(table, column).is_some(),
            comment: ddl::comment::kept_of_column(dialect, table, column),
            ..LiveColumn::default()
        }
    });
    let uniques = table.uniques.iter();
    let uniques = uniques.map(|u| LiveKey { name: Some(u.name.clone()), columns: names(table, &u.columns) });
    let indexes = ddl::indexes(table).into_iter().map(|index| LiveIndex {
        columns: names(table, &index.columns).into_iter().map(Some).collect(),
        name: index.name,
        ..LiveIndex::default()
    });
    let partials = table.partials.iter().map(|partial| LiveIndex {
        columns: names(table, &partial.columns).into_iter().map(Some).collect(),
        name: partial.name.clone(),
        unique: partial.unique,
        partial: true,
    });
    let indexes = indexes.chain(partials);
    let mut full_texts: Vec<LiveFullText> =
        table.full_texts.iter().map(|index| wanted(table, index)).collect();
    full_texts.sort_by(|a, b| a.name.cmp(&b.name));
    let references = ddl::references(table).filter_map(|(relation, constraint)| {
        let RelationKind::ToOne { columns, on_delete, .. } = &relation.kind else { return None };
        let target = catalog.table(relation.target);
        Some(LiveReference {
            name: Some(constraint.to_owned()),
            columns: names(table, columns),
            target: target.name.clone(),
            target_columns: names(target, &target.key),
            on_delete: match on_delete {
                OnDelete::Restrict => "RESTRICT",
                OnDelete::Cascade => "CASCADE",
                OnDelete::SetNull => "SET NULL",
            }
            .to_owned(),
        })
    });
    let checks = ddl::check::of_table(catalog, dialect, table)
        .into_iter()
        .map(|check| LiveCheck { text: check.text(catalog, dialect, table), name: Some(check.name) });
    LiveTable {
        name: table.name.clone(),
        comment: ddl::comment::kept_of_table(dialect, table),
        key: Some(LiveKey { name: Some(ddl::key_name(table)), columns: names(table, &table.key) }),
        uniques: uniques.collect(),
        indexes: indexes.collect(),
        full_texts,
        references: references.collect(),
        checks: checks.collect(),
        columns: columns.collect(),
    }
}
