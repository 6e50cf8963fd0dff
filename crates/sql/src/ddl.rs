//! Definitions: what a table of the catalog looks like in a database. Constraints
//! bear names that errors can be told by. CHECKs call no registered function.

pub mod alter;
pub mod check;
pub mod column;
pub mod comment;
pub mod copy;
pub mod expand;
pub mod full_text;
pub mod online;
pub mod partial;
pub mod security;
pub mod stored;

use crate::dialect::Dialect;
use crate::dialect::definition::Alter;
use crate::lower::Lower;
use crate::writer::Writer;
use backstay_schema::catalog::{Catalog, ColumnId, Relation, RelationId, RelationKind, Table, Unique, Valid};
use backstay_schema::name::fitted;
use backstay_schema::scalar::ScalarType;

/// Everything of a catalog: tables, then indexes, then what had to wait. Backstay's own tables are among them.
#[must_use]
pub fn create_all(catalog: &Catalog, dialect: &'static Dialect) -> Vec<String> {
    let tables: Vec<&Table> = catalog.tables.iter().collect();
    create_tables(catalog, dialect, &tables)
}

/// Some tables of a catalog with their indexes, in an order that a database takes.
#[must_use]
pub fn create_tables(catalog: &Catalog, dialect: &'static Dialect, tables: &[&Table]) -> Vec<String> {
    let tables: Vec<&Table> = tables.iter().copied().filter(|table| !table.is_view).collect();
    let order = in_order(catalog, &tables);
    let late = late_references(dialect, &order);
    let creations = order.iter().map(|table| create_table(catalog, dialect, table, &late));
    let indexes = order.iter().flat_map(|table| create_indexes(table, dialect));
    let references =
        late.iter().map(|late| alter::add_reference(catalog, dialect, late.table, late.relation));
    let comments = order.iter().flat_map(|table| comment::statements(dialect, table));
    creations.chain(indexes).chain(references).chain(comments).collect()
}

/// A foreign key that is made once both tables stand.
#[derive(Debug, Clone, Copy)]
pub struct Late<'a> {
    /// The table that refers.
    pub table: &'a Table,
    /// Its reference.
    pub relation: &'a Relation,
}

/// Tables so that each stands after those that it refers to; those that refer to each other in a
/// circle stand in their order of declaration.
#[must_use]
pub fn in_order<'a>(catalog: &Catalog, tables: &[&'a Table]) -> Vec<&'a Table> {
    let mut left = tables.to_vec();
    let mut placed: Vec<&Table> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits = |table: &Table| {
            let mut targets = references(table).map(|(relation, _)| catalog.table(relation.target).id);
            targets.any(|target| target != table.id && left.iter().any(|other| other.id == target))
        };
        let next = left.iter().position(|table| !waits(table)).unwrap_or(0);
        placed.push(left.remove(next));
    }
    placed
}

/// The references to tables that stand later in `order`; none where the database does not mind, and
/// none where nothing can be added to a table that stands.
#[must_use]
pub fn late_references<'a>(dialect: &'static Dialect, order: &[&'a Table]) -> Vec<Late<'a>> {
    if matches!(dialect.definition.alter, Alter::Rebuild) {
        return Vec::new();
    }
    let mut late = Vec::new();
    for (index, table) in order.iter().enumerate() {
        let later = order.get(index + 1..).unwrap_or_default();
        let waiting = references(table)
            .filter(|(relation, _)| later.iter().any(|other| other.id == relation.target))
            .map(|(relation, _)| Late { table, relation });
        late.extend(waiting);
    }
    late
}

/// The references of a table, with the names of their constraints.
pub fn references(table: &Table) -> impl Iterator<Item = (&Relation, &str)> {
    table.relations.iter().filter_map(|relation| match &relation.kind {
        RelationKind::ToOne { constraint, .. } => Some((relation, constraint.as_str())),
        RelationKind::ToMany { .. } | RelationKind::ManyToMany { .. } => None,
    })
}

/// `CREATE TABLE` with its constraints, without the references that are made later.
#[must_use]
pub fn create_table(
    catalog: &Catalog,
    dialect: &'static Dialect,
    table: &Table,
    late: &[Late<'_>],
) -> String {
    let is_late =
        |id: RelationId| late.iter().any(|late| late.table.id == table.id && late.relation.id == id);
    create(catalog, dialect, (table, &table.name), &is_late)
}

/// `CREATE TABLE` under another name: a migration that rebuilds a table fills that one and renames it.
#[must_use]
pub fn create_table_named(catalog: &Catalog, dialect: &'static Dialect, table: &Table, name: &str) -> String {
    create(catalog, dialect, (table, name), &|_| false)
}

fn create(
    catalog: &Catalog,
    dialect: &'static Dialect,
    (table, name): (&Table, &str),
    is_late: &dyn Fn(RelationId) -> bool,
) -> String {
    let mut lower = Lower::new(catalog, dialect);
    lower.writer.push("CREATE TABLE ").name(name).push(" (");
    for (index, column) in table.columns.iter().enumerate() {
        lower.writer.push(if index > 0 { ",\n  " } else { "\n  " });
        lower.column_definition(table, column);
    }
    lower.keys(table);
    for (relation, _) in references(table).filter(|(relation, _)| !is_late(relation.id)) {
        lower.writer.push(",\n  ");
        lower.reference(table, relation);
    }
    for check in check::of_table(catalog, dialect, table) {
        lower.writer.push(",\n  CONSTRAINT ").name(&check.name).push(" CHECK (");
        check.write(&mut lower, table);
        lower.writer.push(")");
    }
    lower.writer.push("\n)").push(dialect.definition.table_suffix);
    comment::clause_of_table(&mut lower.writer, dialect, table);
    lower.finish().0.text
}

/// `CREATE INDEX` for each index of the table and each reference that no index leads with.
#[must_use]
pub fn create_indexes(table: &Table, dialect: &'static Dialect) -> Vec<String> {
    let plain = indexes(table).into_iter().map(|index| create_index(table, dialect, &index));
    let partials = table.partials.iter().map(|index| partial::create(table, dialect, index));
    let words = table.full_texts.iter().flat_map(|index| full_text::create(table, dialect, index));
    plain.chain(partials).chain(words).collect()
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

/// `DROP TABLE`.
#[must_use]
pub fn drop_table(dialect: &'static Dialect, table: &str) -> String {
    let mut writer = Writer::new(dialect);
    writer.push("DROP TABLE ").name(table);
    writer.finish().text
}

/// `DROP INDEX`.
#[must_use]
pub fn drop_index(dialect: &'static Dialect, table: &str, index: &str) -> String {
    let mut writer = Writer::new(dialect);
    writer.template(dialect.definition.drop_index, &mut |writer, mark| {
        writer.name(if mark == '1' { index } else { table });
    });
    writer.finish().text
}

/// Name of the primary key constraint: `product_pkey`.
#[must_use]
pub fn key_name(table: &Table) -> String {
    fitted(table.name.clone() + "_pkey")
}

fn index_name(table: &Table, columns: &[ColumnId]) -> String {
    let mut name = table.name.clone();
    for id in columns {
        name.push('_');
        name.push_str(&table.column(*id).name);
    }
    fitted(name + "_idx")
}

pub(crate) fn column_list(writer: &mut Writer, table: &Table, columns: &[ColumnId]) {
    for (index, id) in columns.iter().enumerate() {
        writer.push(if index > 0 { ", " } else { "" }).column(table.column(*id));
    }
}

impl Lower<'_> {
    fn keys(&mut self, table: &Table) {
        let counted = table.columns.iter().any(|column| column::is_counted(table, column));
        if !counted && !table.key.is_empty() {
            self.writer.push(",\n  ");
            self.key(table);
        }
        for unique in &table.uniques {
            self.writer.push(",\n  ");
            self.unique(table, unique);
        }
    }

    pub(crate) fn key(&mut self, table: &Table) {
        self.writer.push("CONSTRAINT ").name(&key_name(table)).push(" PRIMARY KEY (");
        column_list(&mut self.writer, table, &table.key);
        self.writer.push(")");
    }

    pub(crate) fn unique(&mut self, table: &Table, unique: &Unique) {
        self.writer.push("CONSTRAINT ").name(&unique.name).push(" UNIQUE (");
        column_list(&mut self.writer, table, &unique.columns);
        self.writer.push(")");
    }

    pub(crate) fn reference(&mut self, table: &Table, relation: &Relation) {
        let RelationKind::ToOne { columns, on_delete, constraint, .. } = &relation.kind else { return };
        let target = self.catalog.table(relation.target);
        self.writer.push("CONSTRAINT ").name(constraint).push(" FOREIGN KEY (");
        column_list(&mut self.writer, table, columns);
        self.writer.push(") REFERENCES ").table(target).push(" (");
        column_list(&mut self.writer, target, &target.key);
        let definition = self.dialect.definition;
        self.writer.push(")").push((definition.on_delete)(*on_delete)).push(definition.reference_suffix);
    }
}

/// Whether a condition of `@valid` can stand in a CHECK.
#[must_use]
pub(crate) const fn is_plain(valid: &Valid, ty: ScalarType) -> bool {
    match valid {
        Valid::Min(_) | Valid::Max(_) => true,
        Valid::MinLength(_) | Valid::MaxLength(_) => matches!(ty, ScalarType::String | ScalarType::Bytes),
        Valid::Pattern(_) | Valid::Format(_) => false,
    }
}
