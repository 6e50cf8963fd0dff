//! Pages of rows along the primary key, and the queries that read and write them.

use backstay_base::fault::Fault;
use backstay_query::plan::{
    Assign, ColumnRef, Delete, Denials, Expect, Insert, Order, Output, OutputValue, Pred, PredOp, Query,
    Scalar, Select, SourceId, Sources, Step, Update,
};
use backstay_query::reply::{Cell, Reply, Rows};
use backstay_schema::catalog::{Catalog, Column, ColumnId, Table};
use backstay_schema::scalar::ScalarType;
use backstay_schema::scalar::read::JsonCell;
use backstay_schema::value::Value;

/// The occurrence that every query here reads or writes.
const ROW: SourceId = SourceId(0);
/// The stored row of an update.
const OLD: SourceId = SourceId(1);

/// Rows with all columns of their table, in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Page {
    pub(super) rows: Vec<Vec<Value>>,
}

/// Values of a primary key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Position(Vec<Value>);

impl Position {
    pub(super) const fn of(values: Vec<Value>) -> Self {
        Self(values)
    }

    /// A JSON list of texts.
    pub(super) fn write(&self) -> String {
        let texts: Vec<String> = self.0.iter().map(Value::to_text).collect();
        serde_json::Value::from(texts).to_string()
    }

    pub(super) fn read(catalog: &Catalog, table: &Table, text: &str) -> Result<Self, Fault> {
        let texts: Vec<String> = serde_json::from_str(text)
            .map_err(|error| Fault::internal("the progress of a copy does not parse").with_source(error))?;
        let columns = table.key.iter().map(|id| table.column(*id));
        let values = columns.zip(&texts).map(|(column, text)| column.ty.parse_text(catalog, text));
        Ok(Self(values.collect::<Result<_, _>>()?))
    }
}

impl Page {
    /// The key of the last row.
    pub(super) fn last(&self, table: &Table) -> Option<Position> {
        Some(Position(key_of(table, self.rows.last()?)))
    }

    /// Sets columns to NULL.
    pub(super) fn clear(&mut self, columns: &[ColumnId]) {
        for cell in self.rows.iter_mut().flat_map(|row| {
            row.iter_mut().enumerate().filter(|(index, _)| is_among(*index, columns)).map(|(_, cell)| cell)
        }) {
            *cell = Value::Null;
        }
    }
}

fn is_among(index: usize, columns: &[ColumnId]) -> bool {
    columns.iter().any(|id| usize::from(id.0) == index)
}

fn key_of(table: &Table, row: &[Value]) -> Vec<Value> {
    table.key.iter().filter_map(|id| row.get(usize::from(id.0)).cloned()).collect()
}

/// Source ids beyond those that the queries here use.
pub(super) fn sources() -> Sources {
    let mut sources = Sources::default();
    let _ = (sources.next_id(), sources.next_id());
    sources
}

fn column(table: &Table, column: &Column) -> Scalar {
    Scalar::Column(ColumnRef { source: ROW, table: table.id, column: column.id })
}

/// The rows after a key, in its order.
pub(super) fn select(table: &Table, after: Option<&Position>, limit: u64) -> Query {
    ordered(table, after.map_or(Pred::TRUE, |after| is_after(table, after)), (limit, false))
}

/// The row with the largest key.
pub(super) fn largest(table: &Table) -> Query {
    ordered(table, Pred::TRUE, (1, true))
}

/// The row with this key.
pub(super) fn one(table: &Table, key: &Position) -> Query {
    ordered(table, is(table, key), (1, false))
}

fn ordered(table: &Table, filter: Pred, (limit, descending): (u64, bool)) -> Query {
    let outputs = table.columns.iter().map(|of| Output {
        name: of.name.clone(),
        starred: false,
        spilled: false,
        value: OutputValue::Scalar(column(table, of), of.ty),
    });
    let key = table.key.iter().map(|id| table.column(*id));
    let order = key.map(|of| Order { by: column(table, of), descending, nulls_first: false });
    Query::Select(Select {
        source: ROW,
        table: table.id,
        outputs: outputs.collect(),
        filter,
        order: order.collect(),
        limit: Some(limit),
        offset: 0,
        count: false,
        group: None,
    })
}

fn compared(table: &Table, id: ColumnId, op: PredOp, value: &Value) -> Pred {
    let of = table.column(id);
    Pred::Compare(op, column(table, of), Scalar::Bind(value.clone(), of.ty))
}

fn is(table: &Table, key: &Position) -> Pred {
    let parts = table.key.iter().zip(&key.0);
    parts.map(|(id, value)| compared(table, *id, PredOp::Eq, value)).fold(Pred::TRUE, Pred::and)
}

/// `a > x OR (a = x AND b > y)`.
fn is_after(table: &Table, key: &Position) -> Pred {
    let parts: Vec<(ColumnId, &Value)> = table.key.iter().copied().zip(&key.0).collect();
    let mut any = Pred::FALSE;
    for (index, (id, value)) in parts.iter().enumerate() {
        let equal = parts.iter().take(index);
        let equal =
            equal.map(|(id, value)| compared(table, *id, PredOp::Eq, value)).fold(Pred::TRUE, Pred::and);
        any = any.or(equal.and(compared(table, *id, PredOp::Gt, value)));
    }
    any
}

/// Whole rows, nothing filled in.
pub(super) fn insert(table: &Table, page: Page) -> Step {
    // what the database computes it computes again
    let given = |column: &&Column| !matches!(column.fill, backstay_schema::catalog::Fill::Stored(_));
    let kept: Vec<&Column> = table.columns.iter().filter(given).collect();
    let of_row = |row: Vec<Value>| {
        let cells = row.into_iter().zip(&table.columns);
        cells.filter(|(_, column)| given(column)).map(|(cell, _)| cell).collect()
    };
    let rows = page.rows.into_iter().map(of_row).collect();
    let query = Query::Insert(Insert::of(table.id, ROW, kept.iter().map(|column| column.id).collect(), rows));
    Step { query, expect: Expect::Any }
}

/// The row with this key goes.
pub(super) fn delete(table: &Table, key: &Position) -> Step {
    let query = Query::Delete(Delete {
        table: table.id,
        row: ROW,
        filter: is(table, key),
        filtered: true,
        rule: Pred::TRUE,
        denials: Denials::default(),
        returning: None,
    });
    Step { query, expect: Expect::Any }
}

/// Whether one of the columns refers to something.
pub(super) fn refers(row: &[Value], columns: &[ColumnId]) -> bool {
    columns.iter().any(|id| row.get(usize::from(id.0)).is_some_and(|value| !value.is_null()))
}

/// Columns of one row take their values; stamps stay as they are.
pub(super) fn refer(table: &Table, row: &[Value], columns: &[ColumnId]) -> Step {
    let given = |id: ColumnId| row.get(usize::from(id.0)).cloned().unwrap_or(Value::Null);
    let stays = table.columns.iter().filter(|column| {
        column.set_update.is_some() || column.fill == backstay_schema::catalog::Fill::UpdatedAt
    });
    let assigned = columns.iter().copied().chain(stays.map(|column| column.id));
    let query = Query::Update(Update {
        table: table.id,
        row: ROW,
        old: OLD,
        filter: is(table, &Position(key_of(table, row))),
        filtered: true,
        assign: assigned.map(|id| (id, Assign::Value(given(id)))).collect(),
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
    });
    Step { query, expect: Expect::Any }
}

/// The rows of an answer to [`select`].
pub(super) fn read(catalog: &Catalog, table: &Table, reply: &Reply) -> Result<Page, Fault> {
    let Some(part) = reply.parts.first() else { return Ok(Page { rows: Vec::new() }) };
    let width = table.columns.len().max(1);
    let rows = part.rows.cells.chunks(width).map(|cells| {
        let cells = cells.iter().zip(&table.columns);
        cells.map(|(cell, column)| value(catalog, column, &part.rows, *cell)).collect()
    });
    Ok(Page { rows: rows.collect::<Result<_, Fault>>()? })
}

fn value(catalog: &Catalog, column: &Column, rows: &Rows, cell: Cell) -> Result<Value, Fault> {
    match cell {
        Cell::Null => Ok(Value::Null),
        Cell::Bool(truth) => Ok(Value::Bool(truth)),
        Cell::Int(number) => Ok(Value::Int(number)),
        Cell::Float(number) => Ok(Value::Float(number)),
        Cell::Raw { start, len } if matches!(column.ty, ScalarType::List(_)) => {
            column.ty.parse_json(catalog, JsonCell::Json(rows.slice(start, len)))
        }
        Cell::Text { start, len } | Cell::Raw { start, len } => {
            column.ty.parse_text(catalog, rows.slice(start, len))
        }
        Cell::Row | Cell::List(_) => {
            Err(Fault::internal(format!("column {} of a page is no scalar", column.name)))
        }
    }
}
