//! [`Records`]: the flat rows of a reply, read by name.

use backstay_base::fault::Fault;
use backstay_query::reply::{Cell, Part, Rows, Shape};
use backstay_schema::value::calendar;
use serde_json::{Map, Value};
use uuid::Uuid;

/// The answer to one step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Records {
    names: Vec<String>,
    part: Part,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    names: &'a [String],
    cells: &'a [Cell],
    rows: &'a Rows,
}

impl Records {
    pub(crate) fn new(shape: Option<&Shape<'_>>, part: Part) -> Self {
        let members = shape.map(|shape| shape.members.as_slice()).unwrap_or_default();
        Self { names: members.iter().map(|member| member.name.to_owned()).collect(), part }
    }

    /// Rows written.
    pub(crate) const fn affected(&self) -> u64 {
        self.part.affected
    }

    /// Rows that match, where they were counted.
    pub(crate) fn total(&self) -> u64 {
        self.part.total.unwrap_or(self.part.rows.count)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        let width = self.names.len().max(1);
        self.part.rows.cells.chunks_exact(width).map(|cells| Record {
            names: &self.names,
            cells,
            rows: &self.part.rows,
        })
    }

    pub(crate) fn first(&self) -> Option<Record<'_>> {
        self.iter().next()
    }
}

impl<'a> Record<'a> {
    fn cell(self, name: &str) -> Result<Cell, Fault> {
        let place = self.names.iter().position(|one| one == name);
        let cell = place.and_then(|place| self.cells.get(place)).copied();
        cell.ok_or_else(|| Fault::internal(format!("a reply has no column {name}")))
    }

    /// Text, or none for NULL.
    pub(crate) fn text(self, name: &str) -> Result<Option<&'a str>, Fault> {
        match self.cell(name)? {
            Cell::Null => Ok(None),
            Cell::Text { start, len } | Cell::Raw { start, len } => Ok(Some(self.rows.slice(start, len))),
            Cell::Bool(_) | Cell::Int(_) | Cell::Float(_) | Cell::Row | Cell::List(_) => Err(odd(name)),
        }
    }

    /// Text that is there.
    pub(crate) fn needed(self, name: &str) -> Result<&'a str, Fault> {
        self.text(name)?.ok_or_else(|| odd(name))
    }

    pub(crate) fn owned(self, name: &str) -> Result<Option<String>, Fault> {
        Ok(self.text(name)?.map(str::to_owned))
    }

    pub(crate) fn uuid(self, name: &str) -> Result<Uuid, Fault> {
        Uuid::parse_str(self.needed(name)?).map_err(|_| odd(name))
    }

    /// Microseconds since the epoch.
    pub(crate) fn time(self, name: &str) -> Result<Option<i64>, Fault> {
        self.text(name)?.map(|text| calendar::parse_timestamp(text).ok_or_else(|| odd(name))).transpose()
    }

    pub(crate) fn optional_number(self, name: &str) -> Result<Option<i64>, Fault> {
        if matches!(self.cell(name)?, Cell::Null) { Ok(None) } else { self.number(name).map(Some) }
    }

    pub(crate) fn number(self, name: &str) -> Result<i64, Fault> {
        match self.cell(name)? {
            Cell::Int(value) => Ok(value),
            Cell::Null
            | Cell::Bool(_)
            | Cell::Float(_)
            | Cell::Text { .. }
            | Cell::Raw { .. }
            | Cell::Row
            | Cell::List(_) => Err(odd(name)),
        }
    }

    pub(crate) fn flag(self, name: &str) -> Result<bool, Fault> {
        match self.cell(name)? {
            Cell::Bool(value) => Ok(value),
            Cell::Int(value) => Ok(value != 0),
            Cell::Null
            | Cell::Float(_)
            | Cell::Text { .. }
            | Cell::Raw { .. }
            | Cell::Row
            | Cell::List(_) => Err(odd(name)),
        }
    }

    /// A JSON object.
    pub(crate) fn object(self, name: &str) -> Result<Map<String, Value>, Fault> {
        serde_json::from_str(self.needed(name)?).map_err(|_| odd(name))
    }
}

fn odd(name: &str) -> Fault {
    Fault::internal(format!("column {name} of an own table holds something else than its type"))
}
