//! Reads. To-one embeds are joined into the statement of their parent, counts are sub-selects.
//! To-many embeds come as the dialect says: lists in the row of their parent, a
//! statement per parent row with the parent's columns in its slots, or one statement
//! for all parent rows.

use super::Lower;
use super::group::{group_level, group_per_level};
use super::join::{held_to_one, parts};
use crate::dialect::{Children, Dialect, NullOrder};
use crate::lower::row::RowSetColumn;
use crate::statement::{Bind, RowSet, Statement};
use crate::writer::Fragment;
use backstay_base::fault::Fault;
use backstay_query::plan::{ColumnRef, Order, Output, OutputValue, Scalar, Select, SourceId};
use backstay_schema::catalog::Catalog;
use backstay_schema::expr::AggregateFunction;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// A read, ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading<'s> {
    /// The statement of this level.
    pub statement: Statement,
    /// Whether the first column is the number of the parent's row.
    pub by_parent: bool,
    /// Types of the columns that become cells, in order; of lists those of the elements.
    pub cells: Vec<ScalarType>,
    /// Types of the columns that children need, in order; they come after the cells.
    pub given: Vec<ScalarType>,
    /// How the cells of a row are laid out in the reply.
    pub layout: Vec<Piece>,
    /// Levels below that have statements of their own.
    pub children: Vec<Child<'s>>,
    /// What is answered where there is nothing to aggregate, of the members of its one row.
    pub nothing: Option<Vec<Value>>,
    /// Whether the database casts values on their way into groups.
    pub casts: bool,
}

/// A step of laying out a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// The next cell.
    Cell,
    /// The next cell, brought into this type.
    Cast(ScalarType),
    /// The next cell tells whether a joined row is there: its pieces follow, else
    /// this many pieces and this many cells are left out.
    One {
        /// Pieces that belong to the row.
        pieces: usize,
        /// Cells that belong to the row.
        cells: usize,
    },
    /// The next cells are lists side by side: the rows of an embed, each laid out by the pieces that follow.
    List {
        /// Pieces that belong to a row.
        pieces: usize,
        /// Cells that belong to a row.
        cells: usize,
    },
    /// The rows of a child.
    Many(usize),
    /// The one row of a child, or none.
    Single(usize),
    /// The next cell, and for a mean the one after it, make an exact sum or mean of this type,
    /// which is brought into another where one is said.
    Fold(AggregateFunction, ScalarType, Option<ScalarType>),
    /// The next cell is a value that could not be cast, or NULL.
    Refuse,
}

/// A level below another.
#[derive(Debug, Clone, PartialEq)]
pub struct Child<'s> {
    /// How it is read.
    pub way: Way<'s>,
    /// For each of its slots, or columns from outside, which of the parent's given columns goes there.
    pub places: Vec<usize>,
}

/// How a level below another is read.
#[derive(Debug, Clone, PartialEq)]
pub enum Way<'s> {
    /// By a statement per parent row, whose values stand in the slots.
    PerRow(Reading<'s>),
    /// By one statement for all parent rows: see [`per_level`].
    PerLevel {
        /// What to read.
        select: &'s Select,
        /// The parents' columns that it names.
        outside: Vec<ColumnRef>,
    },
}

/// Lowers a read that stands alone.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn reading<'s>(
    catalog: &Catalog,
    dialect: &'static Dialect,
    select: &'s Select,
) -> Result<Reading<'s>, Fault> {
    level(Lower::new(catalog, dialect), select, Source::Table).map(|(reading, _)| reading)
}

/// Lowers what a write answers with: the select over the one row whose key stands in
/// the first slots. Order and page of the select are not used.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn returning<'s>(
    catalog: &Catalog,
    dialect: &'static Dialect,
    select: &'s Select,
) -> Result<Reading<'s>, Fault> {
    level(Lower::new(catalog, dialect), select, Source::Row).map(|(reading, _)| reading)
}

/// Lowers the count of all rows that a read matches.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn count(catalog: &Catalog, dialect: &'static Dialect, select: &Select) -> Result<Statement, Fault> {
    let mut lower = Lower::new(catalog, dialect);
    match &select.group {
        Some(group) => lower.count_groups(select, group)?,
        None => lower.count(select)?,
    }
    Ok(lower.finish().0)
}

/// Lowers what a write of several rows answers with: the select over the rows with
/// these keys, in the order of the keys unless the select gives one. `source` is new.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn returning_all<'s>(
    catalog: &Catalog,
    dialect: &'static Dialect,
    select: &'s Select,
    (source, keys): (SourceId, &[Vec<Value>]),
) -> Result<Reading<'s>, Fault> {
    level(Lower::new(catalog, dialect), select, Source::Keys(source, keys)).map(|(reading, _)| reading)
}

/// Lowers a level below another for all parent rows at once: each answered row begins with
/// the number of its parent in `rows`, which hold the values of `outside`. `source` is new.
///
/// # Errors
/// Internal, as [`Lower::scalar`].
pub fn per_level<'s>(
    catalog: &Catalog,
    dialect: &'static Dialect,
    (select, outside): (&'s Select, &[ColumnRef]),
    (source, rows): (SourceId, Vec<Vec<Value>>),
) -> Result<Reading<'s>, Fault> {
    let mut lower = Lower::below(catalog, dialect, source, outside.to_vec());
    let types = outside.iter().map(|column| catalog.table(column.table).column(column.column).ty).collect();
    if let Some(group) = &select.group {
        let parents = Source::Parents(source, RowSet { types, rows });
        return group_per_level(lower, (select, group), parents);
    }
    let mut gathered = Gathered { named: true, ..Gathered::default() };
    lower.enter(select.source);
    enter_joined(&mut lower, &select.outputs);
    lower.writer.push("SELECT q.").name("#n");
    let list = lower.writer.detach();
    lower.writer.push("SELECT ").alias(source).push(".").name("#n").push(", ");
    lower.outputs(&select.outputs, &mut gathered)?;
    let (given, places) = lower.given(&gathered)?;
    if gathered.cells.len() + given.len() > 0 {
        lower.writer.push(", ");
    }
    lower.writer.push("row_number() OVER (PARTITION BY ").alias(source).push(".").name("#n");
    lower.order(&select.order)?;
    lower.writer.push(") AS ").name("#o");
    lower.from(select, &gathered, Source::Parents(source, RowSet { types, rows }))?;
    let inner = lower.writer.detach();
    lower.writer.attach(list);
    for index in 0..gathered.cells.len() + given.len() {
        lower.writer.push(", q.c").number(index as u64);
    }
    lower.writer.push(" FROM (").attach(inner).push(") AS q");
    lower.page_of_parent(select);
    lower.writer.push(" ORDER BY q.").name("#n").push(", q.").name("#o");
    Ok(finish(lower, gathered, (given, places), true).0)
}

/// Where the rows of a level come from.
#[derive(Debug, Clone)]
pub(super) enum Source<'k> {
    /// The table.
    Table,
    /// The one row whose key stands in the first slots.
    Row,
    /// The rows with these keys.
    Keys(SourceId, &'k [Vec<Value>]),
    /// The table, once per parent row.
    Parents(SourceId, RowSet),
}

/// What one level gathers while its outputs are written.
#[derive(Debug, Default)]
pub(super) struct Gathered<'s> {
    pub(super) cells: Vec<ScalarType>,
    pub(super) layout: Vec<Piece>,
    pub(super) joins: Vec<&'s Select>,
    /// Lists that come with the row: alias and text.
    pub(super) lists: Vec<(SourceId, Fragment)>,
    pub(super) children: Vec<(Way<'s>, Vec<ColumnRef>)>,
    /// Whether the columns bear names `c0`, `c1` …
    pub(super) named: bool,
    /// Of a grouped select: which cells are no values to group by.
    pub(super) folds: Option<Vec<usize>>,
    /// Whether values are cast on their way into groups.
    pub(super) casts: bool,
}

fn level<'s>(
    mut lower: Lower<'_>,
    select: &'s Select,
    from: Source<'_>,
) -> Result<(Reading<'s>, Vec<ColumnRef>), Fault> {
    if let Some(group) = &select.group {
        return group_level(lower, select, group, from);
    }
    let mut gathered = Gathered::default();
    lower.enter(select.source);
    enter_joined(&mut lower, &select.outputs);
    lower.writer.push("SELECT ");
    lower.outputs(&select.outputs, &mut gathered)?;
    let given = lower.given(&gathered)?;
    if gathered.cells.is_empty() && given.0.is_empty() {
        lower.writer.push("1");
    }
    lower.from(select, &gathered, from.clone())?;
    match from {
        Source::Table if is_single(lower.catalog, select) => {}
        Source::Table => {
            lower.order(&select.order)?;
            lower.page(select)?;
        }
        Source::Keys(..) if !select.order.is_empty() => lower.order(&select.order)?,
        Source::Keys(source, _) => {
            lower.writer.push(" ORDER BY ").alias(source).push(".").name("#n");
        }
        Source::Row | Source::Parents(..) => {}
    }
    Ok(finish(lower, gathered, given, false))
}

pub(super) fn finish<'s>(
    lower: Lower<'_>,
    gathered: Gathered<'s>,
    (given, places): (Vec<ScalarType>, Vec<Vec<usize>>),
    by_parent: bool,
) -> (Reading<'s>, Vec<ColumnRef>) {
    let children = gathered.children.into_iter().zip(places);
    let children = children.map(|((way, _), places)| Child { way, places }).collect();
    let (statement, outside) = lower.finish();
    let (cells, layout) = (gathered.cells, gathered.layout);
    let casts = gathered.casts;
    (Reading { statement, by_parent, cells, given, layout, children, nothing: None, casts }, outside)
}

/// Whether a read is of at most one row, which needs neither order nor page.
fn is_single(catalog: &Catalog, select: &Select) -> bool {
    let whole = select.offset == 0 && select.limit.is_none_or(|limit| limit > 0);
    whole && held_to_one(catalog.table(select.table), &select.filter, select.source)
}

/// Whether an embed has no to-many embed below it.
fn is_leaf(outputs: &[Output]) -> bool {
    outputs.iter().all(|output| match &output.value {
        // lists are given on as they come, and nothing is cast in them
        OutputValue::Scalar(Scalar::Cast(..), _)
        | OutputValue::Many(_)
        | OutputValue::SpreadMany(_)
        | OutputValue::Aggregate(_) => false,
        OutputValue::Scalar(..) | OutputValue::Count { .. } => true,
        OutputValue::One(inner) | OutputValue::Spread(inner) => {
            inner.group.is_none() && is_leaf(&inner.outputs)
        }
    })
}

pub(super) fn enter_joined(lower: &mut Lower<'_>, outputs: &[Output]) {
    for output in outputs {
        if let OutputValue::One(inner) | OutputValue::Spread(inner) = &output.value
            && inner.group.is_none()
        {
            lower.enter(inner.source);
            enter_joined(lower, &inner.outputs);
        }
    }
}

impl<'a> Lower<'a> {
    pub(super) fn outputs<'s>(
        &mut self,
        outputs: &'s [Output],
        gathered: &mut Gathered<'s>,
    ) -> Result<(), Fault> {
        for output in outputs {
            match &output.value {
                OutputValue::Scalar(scalar, ty) if gathered.folds.is_some() => {
                    self.group_value(scalar, *ty, gathered)?;
                }
                OutputValue::Aggregate(folded) => self.fold(folded, gathered)?,
                OutputValue::Scalar(Scalar::Cast(of, to), _) if !self.dialect.casts_refuse => {
                    self.separate(gathered.cells.len());
                    self.scalar(of)?;
                    let from = self.type_of(of)?;
                    self.cell(from, gathered);
                    gathered.layout.push(Piece::Cast(*to));
                }
                OutputValue::Scalar(scalar, ty) => {
                    self.separate(gathered.cells.len());
                    self.scalar(scalar)?;
                    self.cell(*ty, gathered);
                    gathered.layout.push(Piece::Cell);
                }
                OutputValue::One(inner) if inner.group.is_some() => {
                    gathered.layout.push(Piece::Single(gathered.children.len()));
                    self.level_below(inner, gathered)?;
                }
                OutputValue::One(inner) | OutputValue::Spread(inner) => self.joined_row(inner, gathered)?,
                OutputValue::Many(inner) | OutputValue::SpreadMany(inner) => self.many(inner, gathered)?,
                OutputValue::Count { select, .. } => {
                    self.separate(gathered.cells.len());
                    self.writer.push("(");
                    self.nested(|lower| lower.count(select))?;
                    self.writer.push(")");
                    self.cell(ScalarType::BigInt, gathered);
                    gathered.layout.push(Piece::Cell);
                }
            }
        }
        Ok(())
    }

    /// Ends a column.
    pub(super) fn cell(&mut self, ty: ScalarType, gathered: &mut Gathered<'_>) {
        if gathered.named {
            self.writer.push(" AS c").number(gathered.cells.len() as u64);
        }
        gathered.cells.push(ty);
    }

    fn many<'s>(&mut self, inner: &'s Select, gathered: &mut Gathered<'s>) -> Result<(), Fault> {
        let grouped = inner.group.is_some();
        if self.dialect.children == Children::Arrays && !grouped && is_leaf(&inner.outputs) {
            return self.lists(inner, gathered);
        }
        gathered.layout.push(Piece::Many(gathered.children.len()));
        self.level_below(inner, gathered)
    }

    /// A level with a statement of its own.
    fn level_below<'s>(&mut self, inner: &'s Select, gathered: &mut Gathered<'s>) -> Result<(), Fault> {
        let (reading, outside) = level(Lower::child(self.catalog, self.dialect), inner, Source::Table)?;
        let way = match self.dialect.children {
            Children::PerRow => Way::PerRow(reading),
            Children::Arrays | Children::PerLevel => {
                Way::PerLevel { select: inner, outside: outside.clone() }
            }
        };
        gathered.children.push((way, outside));
        Ok(())
    }

    /// `(SELECT array_agg(q.c0) AS c0 FROM (SELECT … ORDER BY … LIMIT …) AS q)`, to be joined
    /// laterally, and its columns among those of the parent.
    fn lists<'s>(&mut self, inner: &'s Select, gathered: &mut Gathered<'s>) -> Result<(), Fault> {
        let parent = self.writer.detach();
        let mut below = Gathered { named: true, ..Gathered::default() };
        self.enter(inner.source);
        let depth = self.depth();
        enter_joined(self, &inner.outputs);
        self.writer.push("SELECT ");
        self.nesting += 1;
        self.outputs(&inner.outputs, &mut below)?;
        if below.cells.is_empty() {
            self.writer.push("1");
            self.cell(ScalarType::Int, &mut below);
        }
        self.from(inner, &below, Source::Table)?;
        self.order(&inner.order)?;
        self.page(inner)?;
        self.nesting -= 1;
        self.leave_to(depth - 1);
        let rows = self.writer.detach();
        self.writer.push("(SELECT ");
        for index in 0..below.cells.len() as u64 {
            self.writer.push(if index > 0 { ", " } else { "" });
            self.writer.push("array_agg(q.c").number(index);
            // arrays of different lengths make no array
            let list = below.cells.get(usize::try_from(index).unwrap_or(0));
            let list = list.is_some_and(|ty| matches!(ty, ScalarType::List(_)));
            self.writer.push(if list { "::text) AS c" } else { ") AS c" }).number(index);
        }
        self.writer.push(" FROM (").attach(rows).push(") AS q)");
        let list = self.writer.detach();
        self.writer.attach(parent);
        let (pieces, cells) = (below.layout.len(), below.cells.len());
        gathered.layout.push(Piece::List { pieces, cells });
        gathered.layout.extend(below.layout);
        for (index, ty) in below.cells.into_iter().enumerate() {
            self.separate(gathered.cells.len());
            self.writer.list_alias(inner.source).push(".c").number(index as u64);
            self.cell(ty, gathered);
        }
        gathered.lists.push((inner.source, list));
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
        self.cell(ScalarType::Boolean, gathered);
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

    pub(super) fn separate(&mut self, before: usize) {
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
                    let before = gathered.cells.len() + known.len();
                    self.separate(before);
                    self.column(*column)?;
                    if gathered.named {
                        self.writer.push(" AS c").number(before as u64);
                    }
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

    pub(super) fn from(
        &mut self,
        select: &Select,
        gathered: &Gathered<'_>,
        from: Source<'_>,
    ) -> Result<(), Fault> {
        let table = self.catalog.table(select.table);
        let rows_of_parents = matches!(from, Source::Parents(..));
        self.writer.push(" FROM ");
        let source = match &from {
            Source::Keys(source, keys) => {
                let types = table.key.iter().map(|id| table.column(*id).ty).collect();
                Some((*source, RowSet { types, rows: keys.to_vec() }))
            }
            Source::Parents(source, rows) => Some((*source, rows.clone())),
            Source::Table | Source::Row => None,
        };
        if let Some((source, rows)) = source {
            let columns: Vec<RowSetColumn> = (0..rows.types.len()).map(RowSetColumn::Key).collect();
            self.row_set(table, &columns, rows, source)?;
            self.writer.push(if rows_of_parents { " CROSS JOIN " } else { " JOIN " });
        }
        self.writer.table(table).push(" AS ").alias(select.source);
        if let Source::Keys(source, _) = from {
            self.writer.push(" ON ");
            self.key_is_in(table, select.source, source);
        }
        let parts = parts(self.catalog, &select.filter);
        self.join_parts(&parts)?;
        let joined = select.group.iter().flat_map(|group| &group.joined);
        for join in joined.chain(gathered.joins.iter().copied()) {
            let table = self.catalog.table(join.table);
            self.writer.push(" LEFT JOIN ").table(table).push(" AS ").alias(join.source).push(" ON ");
            self.pred(&join.filter)?;
        }
        for (source, list) in &gathered.lists {
            self.writer.push(" LEFT JOIN LATERAL ").attach(list.clone());
            self.writer.push(" AS ").list_alias(*source).push(" ON TRUE");
        }
        if matches!(from, Source::Row) {
            self.writer.push(" WHERE ");
            self.key_is(table, select.source, 0);
            return self.rest(" AND ", &parts);
        }
        self.rest(" WHERE ", &parts)
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

    pub(super) fn page(&mut self, select: &Select) -> Result<(), Fault> {
        let template = match (select.limit, select.offset) {
            (None, 0) => return Ok(()),
            (Some(_), 0) => self.dialect.limit,
            (Some(_), _) => self.dialect.limit_offset,
            (None, _) => self.dialect.offset,
        };
        if self.dialect.plans_once
            && let Some(last) = select.limit.and_then(|limit| limit.checked_add(select.offset))
        {
            self.bounded(last);
        }
        self.template(template, &mut |lower, marker| {
            let number = match (marker, select.limit) {
                ('1', Some(limit)) => limit,
                _ => select.offset,
            };
            lower.writer.bind(Bind::Count(number));
            Ok(())
        })
    }

    /// `SELECT * FROM (… LIMIT 32) AS page` around what was written. A plan that knows no values takes a page for a tenth
    /// of all rows, and one that does is made anew for each request, which costs more than most pages.
    /// Rounded up to a power of two, the number says enough, and the texts of a shape stay few.
    fn bounded(&mut self, rows: u64) {
        let Some(rows) = rows.checked_next_power_of_two() else { return };
        let inner = self.writer.detach();
        self.writer.push("SELECT * FROM (").attach(inner).push(" LIMIT ").number(rows).push(") AS page");
    }

    /// ` WHERE q."#o" > … AND q."#o" <= …`: the page among the rows of one parent.
    pub(super) fn page_of_parent(&mut self, select: &Select) {
        let mut keyword = " WHERE q.";
        if select.offset > 0 {
            self.writer.push(keyword).name("#o").push(" > ").bind(Bind::Count(select.offset));
            keyword = " AND q.";
        }
        if let Some(limit) = select.limit {
            let last = select.offset.saturating_add(limit);
            self.writer.push(keyword).name("#o").push(" <= ").bind(Bind::Count(last));
        }
    }

    fn count(&mut self, select: &Select) -> Result<(), Fault> {
        self.writer.push("SELECT count(*) FROM ");
        self.table_as(self.catalog.table(select.table), select.source);
        let parts = parts(self.catalog, &select.filter);
        self.join_parts(&parts)?;
        self.rest(" WHERE ", &parts)?;
        self.leave();
        Ok(())
    }
}
