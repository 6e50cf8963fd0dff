//! Reads: one statement, and those of its to-many embeds, per row or per level.

use super::{Nested, Runner, fold, unexpected};
use crate::lower::group;
use crate::lower::select::{self, Piece, Reading, Way};
use crate::session::{Elements, OnRow, Row, Session};
use backstay_base::fault::Fault;
use backstay_query::plan::{Pred, Select};
use backstay_query::reply::{Cell, Part, Rows};
use backstay_schema::catalog::Catalog;
use backstay_schema::expr::AggregateFunction;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;
use std::ops::Range;

/// A cell, or the place of a child's rows.
#[derive(Debug, Clone, Copy)]
enum Item {
    Cell(Cell),
    Many(usize),
    Single(usize),
}

impl<S: Session> Runner<'_, S> {
    /// Runs a read.
    pub(super) async fn select(&mut self, select: &Select) -> Result<Part, Fault> {
        if matches!(select.filter, Pred::Const(false)) {
            return Ok(none_readable(select));
        }
        let reading = select::reading(self.catalog, self.dialect, select)?;
        let mut rows = Rows::default();
        rows.cells.reserve(reading.cells.len());
        rows.count = if reading.children.is_empty() {
            self.read_flat(&reading, &[], &mut rows).await?
        } else {
            self.read(&reading, &[], &mut rows).await?
        };
        let total = if select.count {
            let statement = select::count(self.catalog, self.dialect, select)?;
            match self.first(&statement, &[], ScalarType::BigInt).await? {
                Value::Int(number) => u64::try_from(number).ok(),
                _ => None,
            }
        } else {
            None
        };
        Ok(Part { affected: rows.count, rows, total, ..Part::default() })
    }

    /// Answers of a write: the rows with these keys. A row that its writer may not read is 42501.
    pub(super) async fn answer(
        &mut self,
        select: Option<&Select>,
        table: &str,
        keys: &[Vec<Value>],
    ) -> Result<Rows, Fault> {
        let mut rows = Rows::default();
        let Some(select) = select else { return Ok(rows) };
        rows.count = match keys {
            [] => 0,
            [key] => {
                let reading = select::returning(self.catalog, self.dialect, select)?;
                self.read(&reading, key, &mut rows).await?
            }
            _ => {
                let keys = (self.new_source(), keys);
                let reading = select::returning_all(self.catalog, self.dialect, select, keys)?;
                self.read(&reading, &[], &mut rows).await?
            }
        };
        if rows.count != keys.len() as u64 {
            return Err(Fault::row_security(table));
        }
        Ok(rows)
    }

    fn read<'b>(
        &'b mut self,
        reading: &'b Reading<'b>,
        slots: &'b [Value],
        into: &'b mut Rows,
    ) -> Nested<'b, u64> {
        Box::pin(async move {
            if reading.children.is_empty() {
                return self.read_flat(reading, slots, into).await;
            }
            let level = self.read_level(reading, slots, into).await?;
            let rows = level.ends.len();
            for row in 0..rows {
                self.emit(&level, row, into).await?;
            }
            Ok(rows as u64)
        })
    }

    /// Runs the statement of a level and, where they have one for all its rows, of the levels below it.
    fn read_level<'b, 'r: 'b>(
        &'b mut self,
        reading: &'r Reading<'r>,
        slots: &'b [Value],
        into: &'b mut Rows,
    ) -> Nested<'b, Level<'r>> {
        Box::pin(async move {
            let mut level = Level { nothing: reading.nothing.clone(), ..Level::default() };
            let first = usize::from(reading.by_parent);
            let last = first + reading.cells.len();
            self.run_reading(reading, slots, &mut |row| {
                if reading.by_parent
                    && let Value::Int(parent) = row.value(0, ScalarType::BigInt)?
                {
                    level.parents.push(usize::try_from(parent).unwrap_or(usize::MAX));
                }
                lay(reading, row, into, &mut Items(&mut level.items))?;
                level.ends.push(level.items.len());
                let values = reading.given.iter().enumerate();
                let values = values.map(|(index, ty)| row.value(last + index, *ty));
                level.given.push(values.collect::<Result<_, Fault>>()?);
                Ok(())
            })
            .await?;
            for child in &reading.children {
                let below = match &child.way {
                    Way::PerRow(reading) => Below::PerRow(reading, &child.places),
                    Way::PerLevel { .. } if level.given.is_empty() => Below::Read(Level::default()),
                    Way::PerLevel { select, outside } => {
                        let rows = level.given.iter().map(|row| placed(row, &child.places));
                        let rows = rows.collect::<Result<Vec<_>, Fault>>()?;
                        let rows = (self.new_source(), rows);
                        let reading = select::per_level(self.catalog, self.dialect, (select, outside), rows)?;
                        Below::Read(self.read_level(&reading, &[], into).await?.detached()?)
                    }
                };
                level.below.push(below);
            }
            Ok(level)
        })
    }

    /// Appends the cells of a row with those of the levels below it.
    fn emit<'b>(&'b mut self, level: &'b Level<'_>, row: usize, into: &'b mut Rows) -> Nested<'b, ()> {
        Box::pin(async move {
            for item in level.items_of(row) {
                let (child, single) = match item {
                    Item::Cell(cell) => {
                        into.cells.push(*cell);
                        continue;
                    }
                    Item::Many(child) => (child, false),
                    Item::Single(child) => (child, true),
                };
                let place = into.cells.len();
                into.cells.push(Cell::List(0));
                let count = match level.below.get(*child).ok_or_else(without_parent)? {
                    Below::PerRow(reading, places) => {
                        let given = level.given.get(row).ok_or_else(without_parent)?;
                        self.read(reading, &placed(given, places)?, into).await?
                    }
                    Below::Read(below) => {
                        let rows = below.rows_of(row);
                        if let (true, Some(nothing)) = (rows.is_empty(), &below.nothing) {
                            nothing.iter().for_each(|value| into.push_value(value));
                        }
                        for row in rows.clone() {
                            self.emit(below, row, into).await?;
                        }
                        (rows.len() as u64).max(u64::from(below.nothing.is_some()))
                    }
                };
                if let Some(cell) = into.cells.get_mut(place) {
                    *cell = match (single, count) {
                        (true, 0) => Cell::Null,
                        (true, _) => Cell::Row,
                        (false, count) => Cell::List(u32::try_from(count).unwrap_or(u32::MAX)),
                    };
                }
            }
            Ok(())
        })
    }

    async fn read_flat(
        &mut self,
        reading: &Reading<'_>,
        slots: &[Value],
        into: &mut Rows,
    ) -> Result<u64, Fault> {
        let mut count = 0;
        self.run_reading(reading, slots, &mut |row| {
            count += 1;
            lay(reading, row, into, &mut Straight)
        })
        .await?;
        Ok(count)
    }

    /// Runs the statement of a reading. What cannot be cast is refused alike everywhere.
    async fn run_reading(
        &mut self,
        reading: &Reading<'_>,
        slots: &[Value],
        on_row: OnRow<'_>,
    ) -> Result<(), Fault> {
        let mut ours = None;
        let mut on_row = |row: &dyn Row| {
            on_row(row).map_err(|fault| {
                ours = Some(fault);
                Fault::internal("a row was refused")
            })
        };
        let result = self.session.run(&reading.statement, slots, &mut on_row).await;
        match (result.map_err(unexpected), ours) {
            (_, Some(fault)) => Err(fault),
            (Err(fault), None) if reading.casts && fold::is_cast(&fault) => Err(fold::uncastable()),
            (Err(fault), None) => Err(fault),
            (Ok(_), None) => Ok(()),
        }
    }
}

/// The rows of a level, before they are put together with those of the levels below.
#[derive(Default)]
struct Level<'r> {
    items: Vec<Item>,
    /// Where the items of each row end.
    ends: Vec<usize>,
    /// The number of each row's parent, rising; empty at the top.
    parents: Vec<usize>,
    /// Values that the levels below need, per row.
    given: Vec<Vec<Value>>,
    below: Vec<Below<'r>>,
    /// What a parent without rows has instead.
    nothing: Option<Vec<Value>>,
}

/// A level below.
enum Below<'r> {
    /// To be read row by row.
    PerRow(&'r Reading<'r>, &'r [usize]),
    /// Read.
    Read(Level<'r>),
}

impl Level<'_> {
    fn items_of(&self, row: usize) -> &[Item] {
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(row).copied().unwrap_or(start);
        self.items.get(start..end).unwrap_or_default()
    }

    /// The rows of one parent.
    fn rows_of(&self, parent: usize) -> Range<usize> {
        let start = self.parents.partition_point(|number| *number < parent);
        start..self.parents.partition_point(|number| *number <= parent)
    }

    /// The same without a hold on its reading: no level of a dialect that reads
    /// level by level is read row by row.
    fn detached<'r>(mut self) -> Result<Level<'r>, Fault> {
        let below = std::mem::take(&mut self.below).into_iter().map(|below| match below {
            Below::PerRow(..) => Err(Fault::internal("a level is read in two ways")),
            Below::Read(level) => Ok(Below::Read(level.detached()?)),
        });
        let below = below.collect::<Result<_, Fault>>()?;
        let Self { items, ends, parents, given, nothing, .. } = self;
        Ok(Level { items, ends, parents, given, below, nothing })
    }
}

/// The answer where no row may be read: what an aggregate says of nothing, else nothing.
fn none_readable(select: &Select) -> Part {
    let mut rows = Rows::default();
    if let Some(values) = group::nothing(select) {
        values.iter().for_each(|value| rows.push_value(value));
        rows.count = 1;
    }
    let count = u64::from(group::is_one_row(select));
    Part { affected: rows.count, rows, total: select.count.then_some(count), ..Part::default() }
}

fn without_parent() -> Fault {
    Fault::internal("a child statement without its parent's columns")
}

fn placed(row: &[Value], places: &[usize]) -> Result<Vec<Value>, Fault> {
    places.iter().map(|place| row.get(*place).cloned().ok_or_else(without_parent)).collect()
}

/// Where the pieces of a row go.
trait Place {
    /// The cell that was pushed last.
    fn cell(&mut self, into: &mut Rows);
    /// The rows of a child.
    fn child(&mut self, child: Item);
}

/// Cells stay where they were pushed; there are no children.
struct Straight;

impl Place for Straight {
    fn cell(&mut self, _into: &mut Rows) {}
    fn child(&mut self, _child: Item) {}
}

/// Cells wait until the children of the rows before them were read.
struct Items<'i>(&'i mut Vec<Item>);

impl Place for Items<'_> {
    fn cell(&mut self, into: &mut Rows) {
        self.0.extend(into.cells.pop().map(Item::Cell));
    }

    fn child(&mut self, child: Item) {
        self.0.push(child);
    }
}

fn lay(reading: &Reading<'_>, row: &dyn Row, into: &mut Rows, place: &mut impl Place) -> Result<(), Fault> {
    let mut pieces = reading.layout.as_slice();
    let first = usize::from(reading.by_parent);
    let mut index = 0;
    while let Some((piece, rest)) = pieces.split_first() {
        pieces = rest;
        match piece {
            Piece::Cell => {
                row.cell(first + index, type_at(reading, index), into)?;
                place.cell(into);
                index += 1;
            }
            Piece::Cast(to) => {
                let value = row.value(first + index, type_at(reading, index))?;
                into.push_value(&to.convert(&Catalog::default(), &value)?);
                place.cell(into);
                index += 1;
            }
            Piece::One { pieces: inside, cells } => {
                let there = row.value(first + index, ScalarType::Boolean)? == Value::Bool(true);
                into.cells.push(if there { Cell::Row } else { Cell::Null });
                place.cell(into);
                index += 1;
                if !there {
                    index += cells;
                    pieces = pieces.get(*inside..).unwrap_or_default();
                }
            }
            Piece::List { pieces: inside, cells } => {
                let columns = index..index + cells;
                let lists = columns.map(|index| row.elements(first + index, type_at(reading, index)));
                let mut lists = lists.collect::<Result<Vec<_>, Fault>>()?;
                let count = lists.first().map_or(0, |list| list.count());
                into.cells.push(Cell::List(u32::try_from(count).unwrap_or(u32::MAX)));
                place.cell(into);
                let (inside, after) = pieces.split_at_checked(*inside).unwrap_or((pieces, &[]));
                for _ in 0..count {
                    lay_element(inside, &mut lists, into, place)?;
                }
                pieces = after;
                index += cells;
            }
            Piece::Many(child) => place.child(Item::Many(*child)),
            Piece::Single(child) => place.child(Item::Single(*child)),
            Piece::Fold(function, of, then) => {
                let sum = row.value(first + index, ScalarType::String)?;
                index += 1;
                let count = if *function == AggregateFunction::Avg {
                    index += 1;
                    row.value(first + index - 1, ScalarType::BigInt)?
                } else {
                    Value::Null
                };
                into.push_value(&fold::finished((*function, *of), &sum, &count, *then)?);
                place.cell(into);
            }
            Piece::Refuse => {
                if row.value(first + index, type_at(reading, index))? != Value::Null {
                    return Err(fold::uncastable());
                }
                index += 1;
            }
        }
    }
    Ok(())
}

fn type_at(reading: &Reading<'_>, index: usize) -> ScalarType {
    reading.cells.get(index).copied().unwrap_or(ScalarType::String)
}

/// Lays out the next row of lists that stand side by side.
fn lay_element(
    mut pieces: &[Piece],
    lists: &mut [Box<dyn Elements + '_>],
    into: &mut Rows,
    place: &mut impl Place,
) -> Result<(), Fault> {
    let missing = || Fault::internal("lists of one embed differ in number");
    let mut lists = lists.iter_mut();
    while let Some((piece, rest)) = pieces.split_first() {
        pieces = rest;
        match piece {
            Piece::Cell => {
                lists.next().ok_or_else(missing)?.cell(into)?;
                place.cell(into);
            }
            Piece::One { pieces: inside, cells } => {
                let there = lists.next().ok_or_else(missing)?.is_true()?;
                into.cells.push(if there { Cell::Row } else { Cell::Null });
                place.cell(into);
                if !there {
                    for _ in 0..*cells {
                        lists.next().ok_or_else(missing)?.skip()?;
                    }
                    pieces = pieces.get(*inside..).unwrap_or_default();
                }
            }
            Piece::List { .. }
            | Piece::Many(_)
            | Piece::Single(_)
            | Piece::Cast(_)
            | Piece::Fold(..)
            | Piece::Refuse => {
                return Err(Fault::internal("a list within a list"));
            }
        }
    }
    // an embed without members has a column to be counted by
    lists.try_for_each(|list| list.skip())
}
