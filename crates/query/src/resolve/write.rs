//! Writes: columns → ids, cells → typed values. What the rules add is left empty.

use super::{Resolver, Scope, cells};
use crate::named::{self, ConflictAction, Input};
use crate::plan::{Assign, Conflict, Delete, Denials, Insert, Pred, Select, SourceId, Update};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_schema::catalog::{Column, ColumnId, DefaultValue, Fill, Member, RelationKind, Table};
use backstay_schema::value::Value;

const NAMES_OF_EXTRAS: &str =
    "What has no field is named by up to 63 letters, digits and \"_\", and by no parameter of a request.";

impl<'c> Resolver<'c> {
    pub(super) fn insert(&mut self, insert: &named::Insert) -> Result<Insert, Fault> {
        let table = self.table(&insert.table)?;
        match self.rows_apart(table, insert)? {
            Some((fields, patches)) => self.insert_into(table, &fields, patches),
            None => self.insert_into(table, insert, Vec::new()),
        }
    }

    /// New rows of fields, with what each row has beside them; empty where no row has.
    fn insert_into(
        &mut self,
        table: &'c Table,
        insert: &named::Insert,
        patches: Vec<Value>,
    ) -> Result<Insert, Fault> {
        let row = self.sources.next_id();
        let columns = insert
            .columns
            .iter()
            .map(|name| written(table, name, Verb::Insert))
            .collect::<Result<Vec<_>, Fault>>()?;
        super::within(insert.rows.len(), self.limits.write_rows, "rows of one write")?;
        let mut ids: Vec<ColumnId> = columns.iter().map(|column| column.id).collect();
        let rows = insert.rows.iter().map(|cells| cells::row(self.catalog, table, &ids, cells));
        let mut rows = rows.collect::<Result<Vec<Vec<Value>>, Fault>>()?;
        let mut absent = absent(&insert.rows);
        if let Some(extras) = table.extras.filter(|_| !patches.is_empty()) {
            ids.push(extras);
            rows.iter_mut().zip(patches).for_each(|(row, patch)| row.push(patch));
            absent.iter_mut().for_each(|row| row.push(false));
        }
        let conflict = match &insert.conflict {
            Some(conflict) => Some(self.conflict(table, conflict, &ids)?),
            None => None,
        };
        let returning = match &insert.returning {
            Some(select) => Some(self.returning(select, table, row)?),
            None => None,
        };
        Ok(Insert { absent, conflict, returning, ..Insert::of(table.id, row, ids, rows) })
    }

    pub(super) fn update(&mut self, update: &named::Update) -> Result<Update, Fault> {
        let table = self.table(&update.table)?;
        let (row, old) = (self.sources.next_id(), self.sources.next_id());
        let scope = Scope { table, source: row, items: &[], depth: 0 };
        let mut assign = Vec::with_capacity(update.assign.len());
        let (extras, fields) = self.apart(table, &update.assign);
        for (name, input) in fields {
            let column = written(table, name, Verb::Update)?;
            let value = match input {
                Input::Default => default(column)?,
                input => cells::value(self.catalog, table, column, input)?,
            };
            assign.push((column.id, Assign::Value(value)));
        }
        let given = self.patch(table, &extras)?;
        assign.extend(given.iter().zip(table.extras).map(|(_, id)| (id, Assign::Given(0))));
        let given = Vec::from_iter(given);
        let filter = self.filters(scope, &update.filters)?;
        let returning = match &update.returning {
            Some(select) => Some(self.returning(select, table, row)?),
            None => None,
        };
        let filtered = !update.filters.is_empty();
        Ok(Update { filtered, assign, given, returning, ..bare_update(table, row, old, filter) })
    }

    pub(super) fn delete(&mut self, delete: &named::Delete) -> Result<Delete, Fault> {
        let table = self.table(&delete.table)?;
        let row = self.sources.next_id();
        let scope = Scope { table, source: row, items: &[], depth: 0 };
        let filter = self.filters(scope, &delete.filters)?;
        let returning = match &delete.returning {
            Some(select) => Some(self.returning(select, table, row)?),
            None => None,
        };
        let filtered = !delete.filters.is_empty();
        Ok(Delete {
            table: table.id,
            row,
            filter,
            filtered,
            rule: Pred::TRUE,
            denials: Denials::default(),
            returning,
        })
    }

    /// What a write answers with: every row written, in the order of the write unless another
    /// is asked for. Its filter is left to the rules: a row that an `!inner` embed leaves out
    /// would otherwise look like one that its writer may not read.
    fn returning(
        &mut self,
        select: &named::Select,
        table: &'c Table,
        row: SourceId,
    ) -> Result<Select, Fault> {
        let resolved = self.select_of(select, table, row)?;
        if resolved.group.is_some() {
            return Err(Fault::new(code::NOT_IMPLEMENTED, "Feature not implemented")
                .with_details("aggregates of what a write answers with are not available")
                .with_hint("ask for them in a read"));
        }
        let order = if select.order.is_empty() { Vec::new() } else { resolved.order };
        Ok(Select { order, filter: Pred::TRUE, ..resolved })
    }

    /// What an upsert does with rows that are there.
    fn conflict(
        &mut self,
        table: &'c Table,
        conflict: &named::Conflict,
        given: &[ColumnId],
    ) -> Result<Conflict, Fault> {
        let target = conflict_target(table, &conflict.columns)?;
        let merge = match conflict.action {
            ConflictAction::Ignore => None,
            ConflictAction::Merge | ConflictAction::Replace => {
                let (row, old) = (self.sources.next_id(), self.sources.next_id());
                let assign = given
                    .iter()
                    .enumerate()
                    .filter(|(_, column)| !target.contains(column))
                    .map(|(index, column)| (*column, Assign::Given(index)))
                    .collect();
                Some(Update { filtered: true, assign, ..bare_update(table, row, old, Pred::TRUE) })
            }
        };
        let replaces = conflict.action == ConflictAction::Replace;
        Ok(Conflict { target, merge, replaces })
    }
}

fn bare_update(table: &Table, row: SourceId, old: SourceId, filter: Pred) -> Update {
    Update {
        table: table.id,
        row,
        old,
        filter,
        filtered: false,
        assign: Vec::new(),
        given: Vec::new(),
        stored: Vec::new(),
        arms: Vec::new(),
        references: Vec::new(),
        checks: Vec::new(),
        rule: Pred::TRUE,
        denials: Denials::default(),
        keep: Vec::new(),
        transitions: Vec::new(),
        invalid: Vec::new(),
        returning: None,
    }
}

/// Which cells were absent; empty when none was.
fn absent(rows: &[Vec<Input>]) -> Vec<Vec<bool>> {
    if rows.iter().flatten().all(|cell| *cell != Input::Default) {
        return Vec::new();
    }
    rows.iter().map(|row| row.iter().map(|cell| *cell == Input::Default).collect()).collect()
}

/// What a body is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Insert,
    Update,
}

/// The column that a body names.
fn written<'c>(table: &'c Table, name: &str, verb: Verb) -> Result<&'c Column, Fault> {
    let unknown = || {
        let message = format!("Could not find the '{name}' column of '{}' in the schema cache", table.name);
        Fault::new(code::NO_COLUMN, message)
    };
    match table.members.get(name) {
        Some(Member::Column(id)) if !matches!(table.column(*id).fill, Fill::Stored(_)) => {
            Ok(table.column(*id))
        }
        Some(Member::Column(_) | Member::Computed(_)) => {
            let message = match verb {
                Verb::Insert => format!("cannot insert a non-DEFAULT value into column \"{name}\""),
                Verb::Update => format!("column \"{name}\" can only be updated to DEFAULT"),
            };
            Err(Fault::new(code::ALWAYS_GENERATED, message)
                .with_details(format!("Column \"{name}\" is a generated column.")))
        }
        Some(Member::Relation(id)) => match &table.relation(*id).kind {
            RelationKind::ToOne { columns, .. } => {
                let names: Vec<&str> = columns.iter().map(|id| table.column(*id).name.as_str()).collect();
                Err(unknown().with_hint(format!(
                    "\"{name}\" is a relation: write its key as \"{}\".",
                    names.join("\", \"")
                )))
            }
            RelationKind::ToMany { .. } | RelationKind::ManyToMany { .. } => Err(unknown()),
        },
        None if table.extras.is_some() => Err(unknown().with_hint(NAMES_OF_EXTRAS)),
        None => Err(unknown()),
    }
}

/// The value of `SET column = DEFAULT`.
fn default(column: &Column) -> Result<Value, Fault> {
    match &column.default {
        None => Ok(Value::Null),
        Some(DefaultValue::Value(value)) => Ok(value.clone()),
        Some(DefaultValue::Expr(_)) => Err(Fault::new(code::NOT_IMPLEMENTED, "Feature not implemented")
            .with_details(format!("an update cannot set \"{}\" to its computed default", column.name))),
    }
}

/// The unique constraint or key with exactly these columns; no columns mean the key.
fn conflict_target(table: &Table, names: &[String]) -> Result<Vec<ColumnId>, Fault> {
    if names.is_empty() {
        return Ok(table.key.clone());
    }
    let mut wanted = Vec::with_capacity(names.len());
    for name in names {
        let column = table
            .column_named(name)
            .ok_or_else(|| Fault::new(code::UNDEFINED_COLUMN, format!("column \"{name}\" does not exist")))?;
        wanted.push(column.id);
    }
    let same = |key: &&Vec<ColumnId>| {
        key.iter().all(|column| wanted.contains(column)) && wanted.iter().all(|column| key.contains(column))
    };
    let keys = std::iter::once(&table.key).chain(table.uniques.iter().map(|unique| &unique.columns));
    let keys = keys.filter(|columns| !table.has_stored(columns));
    keys.into_iter().find(same).cloned().ok_or_else(|| {
        Fault::new(
            code::NO_CONFLICT_TARGET,
            "there is no unique or exclusion constraint matching the ON CONFLICT specification",
        )
    })
}
