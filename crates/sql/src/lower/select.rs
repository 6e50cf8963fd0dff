//! Reads. To-one embeds are joined into the statement of their parent; to-many
//! embeds and counts become child statements that run once per parent row, with
//! the parent's columns in their slots.

use super::Lower;
use super::join::parts;
use crate::dialect::{Dialect, NullOrder};
use crate::lower::row::RowSetColumn;
use crate::statement::{Bind, RowSet, Statement};
use backstay_base::fault::Fault;
use backstay_query::plan::{ColumnRef, Order, Output, OutputValue, Scalar, Select, SourceId};
use backstay_schema::catalog::Catalog;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// A read, ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The statement of this level.
    pub statement: Statement,
    /// Types of the columns that become cells, in order; they come first.
    pub cells: Vec<ScalarType>,
    /// Types of the columns that children need, in order; they come after the cells.
    pub given: Vec<ScalarType>,
    /// How the cells of a row are laid out in the reply.
    pub layout: Vec<Piece>,
    /// Statements that run per row.
    pub children: Vec<Child>,
}

/// A step of laying out a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// The next cell.
    Cell,
    /// The next cell tells whether a joined row is there: its pieces follow, else
    /// this many pieces and this many cells are left out.
    One {
        /// Pieces that belong to the row.
        pieces: usize,
        /// Cells that belong to the row.
        cells: usize,
    },
    /// The rows of a child.
    Many(usize),
    /// The number of rows of a child.
    Count(usize),
}

/// A statement that runs per row of its parent.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// The read.
    pub reading: Reading,
    /// For each slot, which of the parent's given columns goes there.
    pub slots: Vec<usize>,
}

/// Lowers a read that stands alone.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn reading(catalog: &Catalog, dialect: &'static Dialect, select: &Select) -> Result<Reading, Fault> {
    level(Lower::new(catalog, dialect), select, Source::Table).map(|(reading, _)| reading)
}

/// Lowers what a write answers with: the select over the one row whose key stands in
/// the first slots. Order and page of the select are not used.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn returning(catalog: &Catalog, dialect: &'static Dialect, select: &Select) -> Result<Reading, Fault> {
    level(Lower::new(catalog, dialect), select, Source::Row).map(|(reading, _)| reading)
}

/// Lowers the count of all rows that a read matches.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn count(catalog: &Catalog, dialect: &'static Dialect, select: &Select) -> Result<Statement, Fault> {
    let mut lower = Lower::new(catalog, dialect);
    lower.count(select)?;
    Ok(lower.finish().0)
}

/// Lowers what a write of several rows answers with: the select over the rows with
/// these keys, in the order of the keys unless the select gives one. `source` is new.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn returning_all(
    catalog: &Catalog,
    dialect: &'static Dialect,
    select: &Select,
    (source, keys): (SourceId, &[Vec<Value>]),
) -> Result<Reading, Fault> {
    level(Lower::new(catalog, dialect), select, Source::Keys(source, keys)).map(|(reading, _)| reading)
}

/// Where the rows of a level come from.
#[derive(Debug, Clone, Copy)]
enum Source<'k> {
    /// The table.
    Table,
    /// The one row whose key stands in the first slots.
    Row,
    /// The rows with these keys.
    Keys(SourceId, &'k [Vec<Value>]),
}

/// What one level gathers while its outputs are written.
#[derive(Debug, Default)]
struct Gathered<'s> {
    cells: Vec<ScalarType>,
    layout: Vec<Piece>,
    joins: Vec<&'s Select>,
    children: Vec<(Reading, Vec<ColumnRef>)>,
}

fn level(
    mut lower: Lower<'_>,
    select: &Select,
    from: Source<'_>,
) -> Result<(Reading, Vec<ColumnRef>), Fault> {
    let mut gathered = Gathered::default();
    lower.enter(select.source);
    enter_joined(&mut lower, &select.outputs);
    lower.writer.push("SELECT ");
    lower.outputs(&select.outputs, &mut gathered)?;
    let (given, slots) = lower.given(&gathered)?;
    if gathered.cells.is_empty() && given.is_empty() {
        lower.writer.push("1");
    }
    lower.from(select, &gathered, from)?;
    match from {
        Source::Table => {
            lower.order(&select.order)?;
            lower.page(select)?;
        }
        Source::Keys(..) if !select.order.is_empty() => lower.order(&select.order)?,
        Source::Keys(source, _) => {
            lower.writer.push(" ORDER BY ").alias(source).push(".").name("#n");
        }
        Source::Row => {}
    }
    let children = gathered.children.into_iter().zip(slots);
    let children = children.map(|((reading, _), slots)| Child { reading, slots }).collect();
    let (statement, outside) = lower.finish();
    let reading = Reading { statement, cells: gathered.cells, given, layout: gathered.layout, children };
    Ok((reading, outside))
}

fn enter_joined(lower: &mut Lower<'_>, outputs: &[Output]) {
    for output in outputs {
        if let OutputValue::One(inner) | OutputValue::Spread(inner) = &output.value {
            lower.enter(inner.source);
            enter_joined(lower, &inner.outputs);
        }
    }
}

impl<'a> Lower<'a> {
    fn outputs<'s>(&mut self, outputs: &'s [Output], gathered: &mut Gathered<'s>) -> Result<(), Fault> {
        for output in outputs {
            match &output.value {
                OutputValue::Scalar(scalar, ty) => {
                    self.separate(gathered.cells.len());
                    self.scalar(scalar)?;
                    gathered.cells.push(*ty);
                    gathered.layout.push(Piece::Cell);
                }
                OutputValue::One(inner) | OutputValue::Spread(inner) => self.joined_row(inner, gathered)?,
                OutputValue::Many(inner) => {
                    let child = level(Lower::child(self.catalog, self.dialect), inner, Source::Table)?;
                    gathered.layout.push(Piece::Many(gathered.children.len()));
                    gathered.children.push(child);
                }
                OutputValue::Count { select, .. } => {
                    let child = counting(Lower::child(self.catalog, self.dialect), select)?;
                    gathered.layout.push(Piece::Count(gathered.children.len()));
                    gathered.children.push(child);
                }
            }
        }
        Ok(())
    }

    fn joined_row<'s>(&mut self, inner: &'s Select, gathered: &mut Gathered<'s>) -> Result<(), Fault> {
        let table = self.catalog.table(inner.table);
        let marker = table.key.first().ok_or_else(|| Fault::internal("a table has no key"))?;
        self.separate(gathered.cells.len());
        self.writer
            .push("(")
            .alias(inner.source)
            .push(".")
            .column(table.column(*marker))
            .push(" IS NOT NULL)");
        gathered.cells.push(ScalarType::Boolean);
        gathered.joins.push(inner);
        let (piece, cell) = (gathered.layout.len(), gathered.cells.len());
        gathered.layout.push(Piece::Cell);
        self.outputs(&inner.outputs, gathered)?;
        let pieces = gathered.layout.len() - piece - 1;
        let cells = gathered.cells.len() - cell;
        if let Some(place) = gathered.layout.get_mut(piece) {
            *place = Piece::One { pieces, cells };
        }
        Ok(())
    }

    fn separate(&mut self, before: usize) {
        if before > 0 {
            self.writer.push(", ");
        }
    }

    /// Columns that children need, after the cells; and for each child where its slots find them.
    fn given(&mut self, gathered: &Gathered<'_>) -> Result<(Vec<ScalarType>, Vec<Vec<usize>>), Fault> {
        let mut known: Vec<ColumnRef> = Vec::new();
        let mut types = Vec::new();
        let mut slots = Vec::new();
        for (_, outside) in &gathered.children {
            let mut places = Vec::new();
            for column in outside {
                let place = if let Some(place) = known.iter().position(|known| known == column) {
                    place
                } else {
                    self.separate(gathered.cells.len() + known.len());
                    self.column(*column)?;
                    known.push(*column);
                    types.push(self.catalog.table(column.table).column(column.column).ty);
                    known.len() - 1
                };
                places.push(place);
            }
            slots.push(places);
        }
        Ok((types, slots))
    }

    fn from(&mut self, select: &Select, gathered: &Gathered<'_>, from: Source<'_>) -> Result<(), Fault> {
        let table = self.catalog.table(select.table);
        self.writer.push(" FROM ");
        if let Source::Keys(source, keys) = from {
            let types = table.key.iter().map(|id| table.column(*id).ty).collect();
            let columns: Vec<RowSetColumn> = (0..table.key.len()).map(RowSetColumn::Key).collect();
            self.row_set(table, &columns, RowSet { types, rows: keys.to_vec() }, source)?;
            self.writer.push(" JOIN ");
        }
        self.writer.table(table).push(" AS ").alias(select.source);
        if let Source::Keys(source, _) = from {
            self.writer.push(" ON ");
            self.key_is_in(table, select.source, source);
        }
        let parts = parts(self.catalog, &select.filter);
        self.join_parts(&parts)?;
        for join in &gathered.joins {
            let table = self.catalog.table(join.table);
            self.writer.push(" LEFT JOIN ").table(table).push(" AS ").alias(join.source).push(" ON ");
            self.pred(&join.filter)?;
        }
        match from {
            Source::Table | Source::Keys(..) => self.rest(" WHERE ", &parts),
            Source::Row => {
                self.writer.push(" WHERE ");
                self.key_is(table, select.source, 0);
                self.rest(" AND ", &parts)
            }
        }
    }

    /// Keys that cannot be NULL, or whose NULLs stand where the database puts them anyway,
    /// say nothing of NULL: an index can then give the order.
    pub(crate) fn order(&mut self, order: &[Order]) -> Result<(), Fault> {
        for (index, key) in order.iter().enumerate() {
            self.writer.push(if index == 0 { " ORDER BY " } else { ", " });
            let default_first = (self.dialect.null_order == NullOrder::Smallest) != key.descending;
            let said = key.nulls_first != default_first && !self.never_null(&key.by);
            if said && !self.dialect.nulls_sayable {
                self.writer.push("(");
                self.scalar(&key.by)?;
                self.writer.push(if key.nulls_first { " IS NOT NULL), " } else { " IS NULL), " });
            }
            // documents sort by their text
            match self.type_of(&key.by)? {
                ScalarType::Json => self.scalar_as(&key.by, ScalarType::String)?,
                _ => self.scalar(&key.by)?,
            }
            if key.descending {
                self.writer.push(" DESC");
            }
            if said && self.dialect.nulls_sayable {
                self.writer.push(if key.nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
            }
        }
        Ok(())
    }

    fn never_null(&self, scalar: &Scalar) -> bool {
        let own = self.scope.first();
        matches!(scalar, Scalar::Column(column) if Some(&column.source) == own
            && !self.catalog.table(column.table).column(column.column).nullable)
    }

    fn page(&mut self, select: &Select) -> Result<(), Fault> {
        let template = match (select.limit, select.offset) {
            (None, 0) => return Ok(()),
            (Some(_), 0) => self.dialect.limit,
            (Some(_), _) => self.dialect.limit_offset,
            (None, _) => self.dialect.offset,
        };
        self.template(template, &mut |lower, marker| {
            let number = match (marker, select.limit) {
                ('1', Some(limit)) => limit,
                _ => select.offset,
            };
            lower.writer.bind(Bind::Count(number));
            Ok(())
        })
    }

    fn count(&mut self, select: &Select) -> Result<(), Fault> {
        self.writer.push("SELECT count(*) FROM ");
        self.table_as(self.catalog.table(select.table), select.source);
        let parts = parts(self.catalog, &select.filter);
        self.join_parts(&parts)?;
        self.rest(" WHERE ", &parts)
    }
}

fn counting(mut lower: Lower<'_>, select: &Select) -> Result<(Reading, Vec<ColumnRef>), Fault> {
    lower.count(select)?;
    let (statement, outside) = lower.finish();
    let cells = vec![ScalarType::BigInt];
    Ok((
        Reading { statement, cells, given: Vec::new(), layout: vec![Piece::Cell], children: Vec::new() },
        outside,
    ))
}
