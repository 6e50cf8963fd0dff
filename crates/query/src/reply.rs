//! [`Reply`]: what an engine answers. Typed cells in one arena, written depth
//! first in the order of a [`Shape`]; codecs walk both together and write bytes once.

use crate::plan::{OutputValue, Select};
use backstay_schema::scalar::{ScalarType, list};
use backstay_schema::value::Value;

/// The answer to a script: one part per step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// Answers of the steps, in order.
    pub parts: Vec<Part>,
}

/// The answer to one step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Part {
    /// The rows answered with, in the shape of the step's select.
    pub rows: Rows,
    /// All rows that match, when asked for.
    pub total: Option<u64>,
    /// Rows written (or answered with, for a select).
    pub affected: u64,
    /// Rows inserted (an upsert tells new ones from changed ones).
    pub inserted: u64,
    /// Keys of the rows written, in order, as text forms of the key columns; only for one-row inserts (`Location`).
    pub key: Option<Vec<String>>,
}

/// Rows of one shape.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// Number of top-level rows.
    pub count: u64,
    /// Cells, depth first.
    pub cells: Vec<Cell>,
    /// Text of the cells.
    pub text: String,
}

/// One cell. Text ranges point into [`Rows::text`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// NULL.
    Null,
    /// Boolean.
    Bool(bool),
    /// Int, `BigInt`.
    Int(i64),
    /// Float.
    Float(f64),
    /// Text of a string, id, enum, time or binary value: to be quoted and escaped.
    Text {
        /// First byte.
        start: u32,
        /// Length in bytes.
        len: u32,
    },
    /// Text that is JSON already (JSON columns, lists, exact decimals): copied as it is.
    Raw {
        /// First byte.
        start: u32,
        /// Length in bytes.
        len: u32,
    },
    /// A to-one row is there; its cells follow. ([`Cell::Null`] when it is not.)
    Row,
    /// This many rows follow.
    List(u32),
}

/// Room that an answer begins with, so that a row or two make it grow no further.
const FIRST_BYTES: usize = 512;
/// The same, of cells.
const FIRST_CELLS: usize = 16;

impl Rows {
    /// Appends a text cell.
    pub fn push_text(&mut self, text: &str) {
        let (start, len) = self.append(text);
        self.cells.push(Cell::Text { start, len });
    }

    /// Appends a cell of JSON text.
    pub fn push_raw(&mut self, json: &str) {
        let (start, len) = self.append(json);
        self.cells.push(Cell::Raw { start, len });
    }

    /// Appends a value as the cell of its type.
    pub fn push_value(&mut self, value: &Value) {
        match value {
            Value::Null => self.cells.push(Cell::Null),
            Value::Bool(truth) => self.cells.push(Cell::Bool(*truth)),
            Value::Int(number) => self.cells.push(Cell::Int(*number)),
            Value::Float(number) => self.cells.push(Cell::Float(*number)),
            Value::Decimal(number) => self.push_raw(&number.to_string()),
            Value::Json(text) => self.push_raw(text),
            Value::List(values) => {
                let mut json = String::new();
                list::write_json(values, &mut json);
                self.push_raw(&json);
            }
            Value::Text(text) => self.push_text(text),
            Value::Uuid(_)
            | Value::Timestamp(_)
            | Value::Date(_)
            | Value::Time(_)
            | Value::Duration(_)
            | Value::Bytes(_) => {
                self.push_text(&value.to_text());
            }
        }
    }

    /// The text of a range that this arena gave out.
    #[must_use]
    pub fn slice(&self, start: u32, len: u32) -> &str {
        let from = start as usize;
        self.text.get(from..from + len as usize).unwrap_or_default()
    }

    fn append(&mut self, text: &str) -> (u32, u32) {
        if self.text.is_empty() {
            self.text.reserve(FIRST_BYTES);
            self.cells.reserve(FIRST_CELLS);
        }
        let start = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        self.text.push_str(text);
        (start, u32::try_from(text.len()).unwrap_or(u32::MAX))
    }
}

/// Names and nesting of the cells of a row; the names are those of a select.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape<'q> {
    /// The members of a row, in order.
    pub members: Vec<ShapeMember<'q>>,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeMember<'q> {
    /// Name.
    pub name: &'q str,
    /// What its cells are.
    pub kind: ShapeKind<'q>,
}

/// What the cells of a member are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShapeKind<'q> {
    /// One cell.
    Scalar(ScalarType),
    /// One cell, a JSON object; its members stand in the row, but for those of names that are there already.
    Spilled,
    /// [`Cell::Row`] and its cells, or [`Cell::Null`].
    One(Shape<'q>),
    /// [`Cell::List`] and its rows.
    Many(Shape<'q>),
    /// One [`Cell::Int`]; rendered as `[{"name": n}]`.
    Count(&'q str),
    /// [`Cell::Row`] and its cells, or [`Cell::Null`]; its members stand in the parent (as nulls when absent).
    Spread(Shape<'q>),
    /// [`Cell::List`] and its rows; each of its members stands in the parent as the list of its values.
    SpreadMany(Shape<'q>),
}

impl<'q> Shape<'q> {
    /// The shape of the rows that a select answers with.
    #[must_use]
    pub fn of(select: &'q Select) -> Self {
        let members = select
            .outputs
            .iter()
            .map(|output| ShapeMember {
                name: &output.name,
                kind: match &output.value {
                    OutputValue::Scalar(..) if output.spilled => ShapeKind::Spilled,
                    OutputValue::Scalar(_, ty) => ShapeKind::Scalar(*ty),
                    OutputValue::Aggregate(folded) => ShapeKind::Scalar(folded.ty()),
                    OutputValue::One(inner) => ShapeKind::One(Self::of(inner)),
                    OutputValue::Many(inner) => ShapeKind::Many(Self::of(inner)),
                    OutputValue::Count { name, .. } => ShapeKind::Count(name),
                    OutputValue::Spread(inner) => ShapeKind::Spread(Self::of(inner)),
                    OutputValue::SpreadMany(inner) => ShapeKind::SpreadMany(Self::of(inner)),
                },
            })
            .collect();
        Self { members }
    }
}
