//! What the server puts into a new row: defaults, ids, stamps, `@set`.

use super::Weaver;
use crate::compile::{Operand, Replaced, RowRef, Scope, bind};
use crate::constant;
use crate::recurring::recipe::Filled;
use backstay_base::fault::Fault;
use backstay_query::plan::{Insert, Scalar};
use backstay_schema::catalog::{Column, ColumnId, DefaultValue, Fill, Operation, RelationKind, Table};
use backstay_schema::expr::{Expr, Ty};
use backstay_schema::value::Value;
use std::rc::Rc;

/// What fills a column that the client left out.
enum Filling {
    /// The same value in every row.
    Value(Value),
    /// The time of the request.
    Now,
    /// A new id for each row.
    NewId,
    /// Computed from the prospective row.
    Derived(Scalar),
    /// The engine counts or computes.
    Counted,
    /// Nothing: NULL.
    Nothing,
}

/// The row as an insert would write it, and its values where they are known.
pub(super) struct Prospective {
    pub(super) row: RowRef,
    pub(super) known: Option<Rc<Replaced>>,
}

impl Weaver<'_> {
    /// Completes the rows of an insert, and tells with what. Afterwards every column but the counted and the derived
    /// has a value.
    pub(super) fn fill(&mut self, insert: &mut Insert, changed: &[String]) -> Result<Vec<Filled>, Fault> {
        let catalog = self.catalog;
        let table = catalog.table(insert.table);
        let given = insert.columns.clone();
        for (index, column) in given.iter().enumerate() {
            self.fill_absent(insert, table, table.column(*column), index, changed)?;
        }
        // an upsert leaves the absent cells of an existing row as they are
        if insert.conflict.is_none() {
            insert.absent.clear();
        }
        let missing = table.columns.len().saturating_sub(given.len());
        insert.columns.reserve(missing);
        for row in &mut insert.rows {
            row.reserve(missing);
        }
        let (ids, now) = (self.ids, Value::Timestamp(self.info.now_micros));
        let mut all_filled = Vec::with_capacity(missing);
        for column in &table.columns {
            if given.contains(&column.id) {
                continue;
            }
            let filled = match self.filling(insert, table, column, changed)? {
                Filling::Counted => continue,
                Filling::Derived(scalar) => {
                    insert.derived.push((column.id, scalar));
                    continue;
                }
                Filling::Value(value) => Filled::Same(value),
                Filling::Nothing => Filled::Same(Value::Null),
                Filling::Now => Filled::Now,
                Filling::NewId => Filled::NewId,
            };
            push_column(insert, column.id, || match &filled {
                Filled::Same(value) => value.clone(),
                Filled::Now => now.clone(),
                Filled::NewId => Value::Uuid(ids.row()),
            });
            all_filled.push(filled);
        }
        Ok(all_filled)
    }

    /// `missing=default`: cells that the row did not give.
    fn fill_absent(
        &mut self,
        insert: &mut Insert,
        table: &Table,
        column: &Column,
        index: usize,
        changed: &[String],
    ) -> Result<(), Fault> {
        let is_absent = |row: &Vec<bool>| row.get(index).copied().unwrap_or(false);
        if !insert.absent.iter().any(is_absent) {
            return Ok(());
        }
        let filling = self.filling(insert, table, column, changed)?;
        let (ids, now_micros) = (self.ids, self.info.now_micros);
        for (row, absent) in insert.rows.iter_mut().zip(&insert.absent) {
            if !is_absent(absent) {
                continue;
            }
            if let Some(cell) = row.get_mut(index) {
                *cell = match &filling {
                    Filling::Value(value) => value.clone(),
                    Filling::NewId => Value::Uuid(ids.row()),
                    Filling::Now => Value::Timestamp(now_micros),
                    Filling::Derived(_) | Filling::Counted | Filling::Nothing => Value::Null,
                };
            }
        }
        Ok(())
    }

    fn filling(
        &mut self,
        insert: &Insert,
        table: &Table,
        column: &Column,
        changed: &[String],
    ) -> Result<Filling, Fault> {
        if let Some(expr) = &column.set_create {
            let row = RowRef::Source(insert.row, insert.table);
            let operand =
                self.set_value(table, column, expr, &Scope::one(row), Operation::Create, changed)?;
            return Ok(match operand {
                Operand::Known(value) => Filling::Value(value),
                Operand::Absent => Filling::Nothing,
                Operand::Sql(scalar, _) => Filling::Derived(scalar),
            });
        }
        Ok(match (column.fill, &column.default) {
            (Fill::RowId, _) => Filling::NewId,
            (Fill::AutoIncrement | Fill::Stored(_), _) => Filling::Counted,
            (Fill::CreatedAt | Fill::UpdatedAt, _) => Filling::Now,
            (_, Some(DefaultValue::Value(value))) => Filling::Value(value.clone()),
            (_, Some(DefaultValue::Expr(expr))) => {
                let scope = Scope::default();
                match self.set_value(table, column, expr, &scope, Operation::Create, changed)? {
                    Operand::Known(value) => Filling::Value(value),
                    Operand::Absent | Operand::Sql(..) => Filling::Nothing,
                }
            }
            (Fill::None | Fill::Client | Fill::Account | Fill::DeletedAt, None) => Filling::Nothing,
        })
    }

    /// The value of a `@set` or `@default(expr:)` for one column.
    pub(super) fn set_value(
        &mut self,
        table: &Table,
        column: &Column,
        expr: &Expr,
        scope: &Scope,
        operation: Operation,
        changed: &[String],
    ) -> Result<Operand, Fault> {
        let mut compiler = self.compiler(operation, changed);
        let operand = if matches!(expr.ty, Ty::Row(_)) {
            let parts = compiler.key_parts(expr, scope)?;
            parts.into_iter().nth(part_of(table, column)).unwrap_or(Operand::Absent)
        } else {
            compiler.operand(expr, Some(column.ty), scope)?
        };
        Ok(match operand {
            Operand::Known(value) => {
                constant::convert(&value, column.ty).map_or(Operand::Absent, Operand::Known)
            }
            other => other,
        })
    }

    /// The prospective row, with the values that are known before the write when there is one row.
    pub(super) fn prospective(&self, insert: &Insert) -> Prospective {
        let [row] = insert.rows.as_slice() else {
            return Prospective { row: RowRef::Source(insert.row, insert.table), known: None };
        };
        let table = self.catalog.table(insert.table);
        let known = insert.columns.iter().zip(row);
        let values = known.map(|(id, value)| (*id, bind(value.clone(), table.column(*id).ty))).collect();
        let known = Replaced::new(values);
        let row = RowRef::Prospective(insert.row, insert.table, Rc::clone(&known));
        Prospective { row, known: Some(known) }
    }
}

/// Which part of a composite reference a column holds.
fn part_of(table: &Table, column: &Column) -> usize {
    let Some(relation) = column.relation else { return 0 };
    match &table.relation(relation).kind {
        RelationKind::ToOne { columns, .. } => columns.iter().position(|id| *id == column.id).unwrap_or(0),
        RelationKind::ToMany { .. } | RelationKind::ManyToMany { .. } => 0,
    }
}

fn push_column(insert: &mut Insert, column: ColumnId, mut value: impl FnMut() -> Value) {
    insert.columns.push(column);
    for row in &mut insert.rows {
        row.push(value());
    }
}
