//! Definitions: what a table of the catalog looks like in a database. Constraints
//! bear names that errors can be told by. CHECKs call no registered function.

pub mod check;
pub mod copy;

use crate::dialect::{Dialect, digits_and_scale};
use crate::lower::Lower;
use crate::writer::Writer;
use backstay_schema::catalog::{
    Catalog, Column, ColumnId, DefaultValue, Fill, Relation, RelationKind, Table, Unique, Valid,
};
use backstay_schema::scalar::ScalarType;

/// Everything of a catalog: tables, then indexes. Backstay's own tables are among them.
#[must_use]
pub fn create_all(catalog: &Catalog, dialect: &'static Dialect) -> Vec<String> {
    let tables = catalog.tables.iter().map(|table| create_table(catalog, dialect, table));
    let indexes = catalog.tables.iter().flat_map(|table| create_indexes(table, dialect));
    tables.chain(indexes).collect()
}

/// `CREATE TABLE` with its constraints.
#[must_use]
pub fn create_table(catalog: &Catalog, dialect: &'static Dialect, table: &Table) -> String {
    create_table_named(catalog, dialect, table, &table.name)
}

/// `CREATE TABLE` under another name: a migration that rebuilds a table fills that one and renames it.
#[must_use]
pub fn create_table_named(catalog: &Catalog, dialect: &'static Dialect, table: &Table, name: &str) -> String {
    let mut lower = Lower::new(catalog, dialect);
    lower.writer.push("CREATE TABLE ").name(name).push(" (");
    for (index, column) in table.columns.iter().enumerate() {
        lower.writer.push(if index > 0 { ",\n  " } else { "\n  " });
        lower.column_definition(table, column);
    }
    lower.keys(table);
    lower.references(table);
    lower.checks(table);
    lower.writer.push("\n)").push(dialect.table_suffix);
    lower.finish().0.text
}

/// `CREATE INDEX` for each index of the table and each reference that no index leads with.
#[must_use]
pub fn create_indexes(table: &Table, dialect: &'static Dialect) -> Vec<String> {
    indexes(table).iter().map(|index| create_index(table, dialect, index)).collect()
}

/// The indexes that a table has besides those of its key and unique constraints.
#[must_use]
pub fn indexes(table: &Table) -> Vec<Unique> {
    let mut all: Vec<Unique> = table
        .indexes
        .iter()
        .map(|index| Unique { name: index.name.clone(), columns: index.columns.clone() })
        .collect();
    for relation in &table.relations {
        let RelationKind::ToOne { columns, .. } = &relation.kind else { continue };
        let led = |known: &[ColumnId]| known.starts_with(columns);
        let known = led(&table.key)
            || table.uniques.iter().any(|unique| led(&unique.columns))
            || all.iter().any(|index| led(&index.columns));
        if !known {
            all.push(Unique { name: index_name(table, columns), columns: columns.clone() });
        }
    }
    all
}

/// `CREATE INDEX` of one index.
#[must_use]
pub fn create_index(table: &Table, dialect: &'static Dialect, index: &Unique) -> String {
    let mut writer = Writer::new(dialect);
    writer.push("CREATE INDEX ").name(&index.name).push(" ON ").table(table).push(" (");
    column_list(&mut writer, table, &index.columns);
    writer.push(")");
    writer.finish().text
}

/// `ALTER TABLE … ADD COLUMN`, for columns that need no key and no reference.
#[must_use]
pub fn add_column(catalog: &Catalog, dialect: &'static Dialect, table: &Table, column: &Column) -> String {
    let mut lower = Lower::new(catalog, dialect);
    lower.writer.push("ALTER TABLE ").table(table).push(" ADD COLUMN ");
    lower.column_definition(table, column);
    if let Some(DefaultValue::Value(value)) = &column.default {
        // what the rows that are there already get; later ones get theirs from the server
        lower.writer.push(" DEFAULT ");
        lower.writer.schema_literal(&check::typed(value, column.ty), digits_and_scale(column.ty).1);
    }
    if let Some(relation) = column.relation.map(|id| table.relation(id)) {
        lower.inline_reference(relation);
    }
    for check in check::of_column(catalog, table, column) {
        lower.writer.push(" CONSTRAINT ").name(&check.name).push(" CHECK (");
        check.write(&mut lower, table);
        lower.writer.push(")");
    }
    lower.finish().0.text
}

/// `ALTER TABLE … DROP COLUMN`; the name is of the live database.
#[must_use]
pub fn drop_column(dialect: &'static Dialect, table: &str, column: &str) -> String {
    let mut writer = Writer::new(dialect);
    writer.push("ALTER TABLE ").name(table).push(" DROP COLUMN ").name(column);
    writer.finish().text
}

/// `ALTER TABLE … RENAME COLUMN`.
#[must_use]
pub fn rename_column(dialect: &'static Dialect, table: &str, from: &str, to: &str) -> String {
    let mut writer = Writer::new(dialect);
    writer.push("ALTER TABLE ").name(table).push(" RENAME COLUMN ").name(from).push(" TO ").name(to);
    writer.finish().text
}

/// `ALTER TABLE … RENAME TO`.
#[must_use]
pub fn rename_table(dialect: &'static Dialect, from: &str, to: &str) -> String {
    let mut writer = Writer::new(dialect);
    writer.push("ALTER TABLE ").name(from).push(" RENAME TO ").name(to);
    writer.finish().text
}

/// `DROP TABLE`.
#[must_use]
pub fn drop_table(dialect: &'static Dialect, table: &str) -> String {
    let mut writer = Writer::new(dialect);
    writer.push("DROP TABLE ").name(table);
    writer.finish().text
}

/// `DROP INDEX`.
#[must_use]
pub fn drop_index(dialect: &'static Dialect, index: &str) -> String {
    let mut writer = Writer::new(dialect);
    writer.push("DROP INDEX ").name(index);
    writer.finish().text
}

/// Name of the primary key constraint: `product_pkey`.
#[must_use]
pub fn key_name(table: &Table) -> String {
    table.name.clone() + "_pkey"
}

fn index_name(table: &Table, columns: &[ColumnId]) -> String {
    let mut name = table.name.clone();
    for id in columns {
        name.push('_');
        name.push_str(&table.column(*id).name);
    }
    name + "_idx"
}

fn column_list(writer: &mut Writer, table: &Table, columns: &[ColumnId]) {
    for (index, id) in columns.iter().enumerate() {
        writer.push(if index > 0 { ", " } else { "" }).column(table.column(*id));
    }
}

fn is_counted(table: &Table, column: &Column) -> bool {
    column.fill == Fill::AutoIncrement && table.key == [column.id]
}

impl Lower<'_> {
    fn column_definition(&mut self, table: &Table, column: &Column) {
        self.writer.column(column);
        if is_counted(table, column) {
            let counted = self.dialect.counted_key;
            let (before, after) = counted.split_once("$1").unwrap_or((counted, ""));
            self.writer.push(before).name(&key_name(table)).push(after);
            return;
        }
        self.writer.push(" ").push((self.dialect.column_type)(column.ty));
        if !column.nullable {
            self.writer.push(" NOT NULL");
        }
    }

    fn keys(&mut self, table: &Table) {
        let counted = table.columns.iter().any(|column| is_counted(table, column));
        if !counted && !table.key.is_empty() {
            self.writer.push(",\n  CONSTRAINT ").name(&key_name(table)).push(" PRIMARY KEY (");
            column_list(&mut self.writer, table, &table.key);
            self.writer.push(")");
        }
        for unique in &table.uniques {
            self.writer.push(",\n  CONSTRAINT ").name(&unique.name).push(" UNIQUE (");
            column_list(&mut self.writer, table, &unique.columns);
            self.writer.push(")");
        }
    }

    fn references(&mut self, table: &Table) {
        for relation in &table.relations {
            let RelationKind::ToOne { columns, on_delete, constraint, .. } = &relation.kind else { continue };
            let target = self.catalog.table(relation.target);
            self.writer.push(",\n  CONSTRAINT ").name(constraint).push(" FOREIGN KEY (");
            column_list(&mut self.writer, table, columns);
            self.writer.push(") REFERENCES ").table(target).push(" (");
            column_list(&mut self.writer, target, &target.key);
            self.writer.push(")").push((self.dialect.on_delete)(*on_delete));
        }
    }

    fn inline_reference(&mut self, relation: &Relation) {
        let RelationKind::ToOne { columns, on_delete, constraint, .. } = &relation.kind else { return };
        if columns.len() != 1 {
            return;
        }
        let target = self.catalog.table(relation.target);
        self.writer.push(" CONSTRAINT ").name(constraint).push(" REFERENCES ").table(target).push(" (");
        column_list(&mut self.writer, target, &target.key);
        self.writer.push(")").push((self.dialect.on_delete)(*on_delete));
    }

    fn checks(&mut self, table: &Table) {
        let catalog = self.catalog;
        let columns = table.columns.iter().flat_map(|column| check::of_column(catalog, table, column));
        let rows = table.checks.iter().filter_map(check::of_row);
        let all: Vec<check::Definition<'_>> = columns.chain(rows).collect();
        for check in all {
            self.writer.push(",\n  CONSTRAINT ").name(&check.name).push(" CHECK (");
            check.write(self, table);
            self.writer.push(")");
        }
    }
}

/// Whether a condition of `@valid` can stand in a CHECK.
#[must_use]
pub(crate) const fn is_plain(valid: &Valid, ty: ScalarType) -> bool {
    match valid {
        Valid::Min(_) | Valid::Max(_) => true,
        Valid::MinLength(_) | Valid::MaxLength(_) => matches!(ty, ScalarType::String),
        Valid::Pattern(_) | Valid::Format(_) => false,
    }
}
