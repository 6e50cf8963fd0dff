//! Reads: one statement, and per row those of its to-many embeds.

use super::{Nested, Runner, unexpected};
use crate::lower::select::{self, Child, Piece, Reading};
use crate::session::{Row, Session};
use backstay_base::fault::Fault;
use backstay_query::plan::{Pred, Select};
use backstay_query::reply::{Cell, Part, Rows};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// A cell, or the place of a child's rows.
#[derive(Debug, Clone, Copy)]
enum Item {
    Cell(Cell),
    Many { child: usize, row: usize },
    Count { child: usize, row: usize },
}

impl<S: Session> Runner<'_, S> {
    /// Runs a read.
    pub(super) async fn select(&mut self, select: &Select) -> Result<Part, Fault> {
        if matches!(select.filter, Pred::Const(false)) {
            return Ok(Part { total: select.count.then_some(0), ..Part::default() });
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
        reading: &'b Reading,
        slots: &'b [Value],
        into: &'b mut Rows,
    ) -> Nested<'b, u64> {
        Box::pin(async move {
            if reading.children.is_empty() {
                return self.read_flat(reading, slots, into).await;
            }
            let mut items = Vec::new();
            let mut given: Vec<Vec<Value>> = Vec::new();
            self.session
                .run(&reading.statement, slots, &mut |row| {
                    lay(reading, row, into, &mut Items { items: &mut items, row: given.len() })?;
                    let first = reading.cells.len();
                    let values = reading.given.iter().enumerate();
                    let values = values.map(|(index, ty)| row.value(first + index, *ty));
                    given.push(values.collect::<Result<_, Fault>>()?);
                    Ok(())
                })
                .await
                .map_err(unexpected)?;
            for item in items {
                match item {
                    Item::Cell(cell) => into.cells.push(cell),
                    Item::Many { child, row } => {
                        let (child, slots) = child_of(reading, &given, child, row)?;
                        let place = into.cells.len();
                        into.cells.push(Cell::List(0));
                        let count = self.read(&child.reading, &slots, into).await?;
                        if let Some(cell) = into.cells.get_mut(place) {
                            *cell = Cell::List(u32::try_from(count).unwrap_or(u32::MAX));
                        }
                    }
                    Item::Count { child, row } => {
                        let (child, slots) = child_of(reading, &given, child, row)?;
                        self.read(&child.reading, &slots, into).await?;
                    }
                }
            }
            Ok(given.len() as u64)
        })
    }

    async fn read_flat(&mut self, reading: &Reading, slots: &[Value], into: &mut Rows) -> Result<u64, Fault> {
        let mut count = 0;
        self.session
            .run(&reading.statement, slots, &mut |row| {
                count += 1;
                lay(reading, row, into, &mut Straight)
            })
            .await
            .map_err(unexpected)?;
        Ok(count)
    }
}

fn child_of<'r>(
    reading: &'r Reading,
    given: &[Vec<Value>],
    child: usize,
    row: usize,
) -> Result<(&'r Child, Vec<Value>), Fault> {
    let missing = || Fault::internal("a child statement without its parent's columns");
    let child = reading.children.get(child).ok_or_else(missing)?;
    let row = given.get(row).ok_or_else(missing)?;
    let slots = child.slots.iter().map(|place| row.get(*place).cloned().ok_or_else(missing));
    Ok((child, slots.collect::<Result<_, Fault>>()?))
}

/// Where the pieces of a row go.
trait Place {
    /// The cell that was pushed last.
    fn cell(&mut self, into: &mut Rows);
    /// The rows of a child.
    fn child(&mut self, piece: Piece);
}

/// Cells stay where they were pushed; there are no children.
struct Straight;

impl Place for Straight {
    fn cell(&mut self, _into: &mut Rows) {}
    fn child(&mut self, _piece: Piece) {}
}

/// Cells wait until the children of the rows before them were read.
struct Items<'i> {
    items: &'i mut Vec<Item>,
    row: usize,
}

impl Place for Items<'_> {
    fn cell(&mut self, into: &mut Rows) {
        self.items.extend(into.cells.pop().map(Item::Cell));
    }

    fn child(&mut self, piece: Piece) {
        let row = self.row;
        match piece {
            Piece::Many(child) => self.items.push(Item::Many { child, row }),
            Piece::Count(child) => self.items.push(Item::Count { child, row }),
            Piece::Cell | Piece::One { .. } => {}
        }
    }
}

fn lay(reading: &Reading, row: &dyn Row, into: &mut Rows, place: &mut impl Place) -> Result<(), Fault> {
    let mut pieces = reading.layout.iter();
    let mut index = 0;
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Cell => {
                let ty = reading.cells.get(index).copied().unwrap_or(ScalarType::String);
                row.cell(index, ty, into)?;
                place.cell(into);
                index += 1;
            }
            Piece::One { pieces: inside, cells } => {
                let there = row.value(index, ScalarType::Boolean)? == Value::Bool(true);
                into.cells.push(if there { Cell::Row } else { Cell::Null });
                place.cell(into);
                index += 1;
                if !there {
                    index += cells;
                    if let Some(last) = inside.checked_sub(1) {
                        pieces.nth(last);
                    }
                }
            }
            Piece::Many(_) | Piece::Count(_) => place.child(*piece),
        }
    }
    Ok(())
}
