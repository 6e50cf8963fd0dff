//! [`World`]: what the files so far made, as far as lints ask: which tables stand, which of
//! them are new in this file, their columns, indexes and references.

use super::act::{Act, Constraint, Kind, NewColumn, NewIndex};
use super::moved::Moved;
use std::collections::{BTreeMap, BTreeSet};

/// The tables that files made.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    pub(super) tables: BTreeMap<String, Table>,
}

/// A table that a file made.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// Made by the file at hand: no rows are in it yet, and nobody uses it.
    pub(super) new: bool,
    pub(super) columns: BTreeMap<String, Column>,
    pub(super) indexes: Vec<Index>,
    pub(super) references: Vec<Reference>,
    /// Columns of CHECKs that are not validated yet, by name.
    unproven: BTreeMap<String, String>,
    /// Columns that a CHECK holds to be there.
    pub(super) never_null: BTreeSet<String>,
    /// What the file at hand changed the definition of.
    pub(super) altered: bool,
}

/// A column as it stands.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) ty: String,
    pub(super) collation: Option<String>,
    pub(super) nullable: bool,
    pub(super) new: bool,
    /// Where its values come from, in a table that takes the place of another.
    pub(super) moved: Option<Moved>,
}

/// An index, or the one of a constraint.
#[derive(Debug, Clone)]
pub(super) struct Index {
    pub(super) name: Option<String>,
    pub(super) columns: Vec<Option<String>>,
    pub(super) unique: bool,
    /// It holds every row, in the order of its columns.
    pub(super) whole: bool,
    /// The statement of the file at hand that made it.
    pub(super) by: Option<usize>,
}

/// A reference to another table.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub(super) name: Option<String>,
    pub(super) columns: Vec<Option<String>>,
    pub(super) by: Option<usize>,
}

impl World {
    /// Another file begins: what is there is old now.
    pub(super) fn turn_page(&mut self) {
        for table in self.tables.values_mut() {
            table.new = false;
            table.altered = false;
            table.columns.values_mut().for_each(|column| column.new = false);
            table.indexes.iter_mut().for_each(|index| index.by = None);
            table.references.iter_mut().for_each(|reference| reference.by = None);
        }
    }

    /// Whether a table may hold rows: one that the files do not make was there before them.
    pub(super) fn is_old(&self, table: &str) -> bool {
        self.tables.get(table).is_none_or(|table| !table.new)
    }

    /// Whether a column may hold values.
    pub(super) fn is_old_column(&self, table: &str, column: &str) -> bool {
        let known = self.tables.get(table).and_then(|table| table.columns.get(column));
        self.is_old(table) && known.is_none_or(|column| !column.new)
    }

    pub(super) fn column(&self, table: &str, column: &str) -> Option<&Column> {
        self.tables.get(table)?.columns.get(column)
    }

    /// The table of an index.
    pub(super) fn table_of_index(&self, name: &str) -> Option<&str> {
        let holds = |table: &Table| table.indexes.iter().any(|index| index.name.as_deref() == Some(name));
        self.tables.iter().find(|(_, table)| holds(table)).map(|(name, _)| name.as_str())
    }

    /// Takes in what the statement `by` does.
    pub(super) fn follow(&mut self, by: usize, act: &Act) {
        match act {
            Act::CreateTable { table, columns, constraints } => {
                let mut made = Table { new: true, ..Table::default() };
                columns.iter().for_each(|column| made.add(by, column));
                constraints.iter().for_each(|constraint| made.hold(by, constraint));
                self.tables.insert(table.clone(), made);
            }
            Act::DropTable { table } => drop(self.tables.remove(table)),
            Act::RenameTable { from, to } => {
                if let Some(table) = self.tables.remove(from) {
                    self.tables.insert(to.clone(), table);
                }
            }
            Act::MoveRows { table, moved } => {
                let Some(table) = self.tables.get_mut(table) else { return };
                for moved in moved {
                    if let Some(column) = table.columns.get_mut(&moved.to) {
                        column.moved = Some(moved.clone());
                    }
                }
            }
            Act::RenameIndex { from, to } => {
                let indexes = self.tables.values_mut().flat_map(|table| &mut table.indexes);
                for index in indexes.filter(|index| index.name.as_ref() == Some(from)) {
                    index.name = Some(to.clone());
                }
            }
            Act::DropIndex { name, .. } => {
                for table in self.tables.values_mut() {
                    table.indexes.retain(|index| index.name.as_deref() != Some(name));
                }
            }
            Act::AddColumn { table, .. }
            | Act::DropColumn { table, .. }
            | Act::RenameColumn { table, .. }
            | Act::ChangeType { table, .. }
            | Act::SetNotNull { table, .. }
            | Act::AddConstraint { table, .. }
            | Act::DropConstraint { table, .. }
            | Act::DropKey { table }
            | Act::Validate { table, .. }
            | Act::CreateIndex { table, .. } => {
                self.tables.entry(table.clone()).or_default().follow(by, act);
            }
            Act::Commit => self.tables.values_mut().for_each(|table| table.altered = false),
            Act::Empty { .. }
            | Act::DropSchema { .. }
            | Act::ChangeRows { .. }
            | Act::CreateEnum { .. }
            | Act::AddMember { .. }
            | Act::RenameMember { .. }
            | Act::Reindex
            | Act::Recollate { .. }
            | Act::Detach { .. }
            | Act::OpenWall { .. }
            | Act::BareWord { .. }
            | Act::Unread { .. } => {}
        }
    }
}

impl Table {
    fn follow(&mut self, by: usize, act: &Act) {
        self.altered |= !matches!(act, Act::CreateIndex { .. } | Act::Validate { .. });
        match act {
            Act::AddColumn { column, .. } => self.add(by, column),
            Act::DropColumn { column, .. } => {
                self.columns.remove(column);
                let holds = |columns: &[Option<String>]| columns.iter().flatten().any(|name| name == column);
                self.indexes.retain(|index| !holds(&index.columns));
                self.references.retain(|reference| !holds(&reference.columns));
            }
            Act::RenameColumn { from, to, .. } => self.rename(from, to),
            Act::ChangeType { column, whole, .. } => {
                let was = self.columns.get(&column.name);
                let nullable =
                    if *whole { !column.not_null } else { was.is_none_or(|column| column.nullable) };
                let new = was.is_some_and(|column| column.new);
                let ty = column.ty.to_string();
                let collation = column.collation.clone();
                let stands = Column { ty, collation, nullable, new, moved: None };
                self.columns.insert(column.name.clone(), stands);
            }
            Act::SetNotNull { column, .. } => {
                if let Some(column) = self.columns.get_mut(column) {
                    column.nullable = false;
                }
            }
            Act::AddConstraint { constraint, .. } => self.hold(by, constraint),
            Act::DropConstraint { name, .. } => {
                self.indexes.retain(|index| index.name.as_deref() != Some(name));
                self.references.retain(|reference| reference.name.as_deref() != Some(name));
            }
            Act::Validate { name, .. } => self.never_null.extend(self.unproven.remove(name)),
            Act::CreateIndex { index, .. } => self.index(by, index),
            // of whole tables, and of nothing that a table has
            _ => {}
        }
    }

    fn add(&mut self, by: usize, column: &NewColumn) {
        let (ty, nullable) = (column.ty.to_string(), !column.not_null);
        let collation = column.collation.clone();
        let stands = Column { ty, collation, nullable, new: true, moved: None };
        self.columns.insert(column.name.clone(), stands);
        let columns = vec![Some(column.name.clone())];
        if column.key || column.unique {
            let unique =
                Index { name: None, columns: columns.clone(), unique: true, whole: true, by: Some(by) };
            self.indexes.push(unique);
        }
        if column.references {
            self.references.push(Reference { name: None, columns, by: Some(by) });
        }
    }

    fn hold(&mut self, by: usize, constraint: &Constraint) {
        let (name, columns) = (constraint.name.clone(), constraint.columns.clone());
        match constraint.kind {
            Kind::Key | Kind::Unique | Kind::Index if !constraint.using_index => {
                let unique = constraint.kind != Kind::Index;
                self.indexes.push(Index { name, columns, unique, whole: true, by: Some(by) });
            }
            Kind::Key | Kind::Unique | Kind::Index => {}
            Kind::Reference => self.references.push(Reference { name, columns, by: Some(by) }),
            Kind::Check => {
                let Some(column) = &constraint.never_null else { return };
                if let (true, Some(name)) = (constraint.not_valid, name) {
                    self.unproven.insert(name, column.clone());
                } else {
                    self.never_null.insert(column.clone());
                }
            }
        }
    }

    fn index(&mut self, by: usize, index: &NewIndex) {
        self.indexes.push(Index {
            name: index.name.clone(),
            columns: index.columns.clone(),
            unique: index.unique,
            whole: index.whole,
            by: Some(by),
        });
    }

    fn rename(&mut self, from: &str, to: &str) {
        if let Some(column) = self.columns.remove(from) {
            self.columns.insert(to.to_owned(), column);
        }
        let indexes = self.indexes.iter_mut().flat_map(|index| &mut index.columns);
        let references = self.references.iter_mut().flat_map(|reference| &mut reference.columns);
        for name in indexes.chain(references).flatten().filter(|name| *name == from) {
            to.clone_into(name);
        }
    }
}
