//! What a request costs, by the `@limit`s of the types that it reaches: told from the request alone,
//! before a rule or a row is looked at. Who counts is not known here.

use crate::caller::{Caller, RequestInfo};
use crate::compile::{Asked, Compiler, Operand, Scope};
use backstay_base::fault::Fault;
use backstay_query::plan::{OutputValue, Query, Script, Select, Sources};
use backstay_query::reply::{Cell, Rows};
use backstay_schema::catalog::{Catalog, Operation, RateLimit, TableId};
use backstay_schema::expr::Ty;

/// Tokens that a request costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The limit: the type and which of its `@limit`s.
    pub limit: String,
    /// Whose bucket; none for that of the client's address.
    pub key: Option<String>,
    /// What the bucket holds.
    pub tokens: u32,
    /// How long an empty one takes to fill, in seconds.
    pub period_s: u32,
    /// Rows that are known before: those of an insert, else one.
    pub rows: u64,
    /// What is charged beyond those when it is known.
    pub then: Then,
}

/// Rows that only the answer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// None: all were known before.
    Nothing,
    /// The rows of the answer.
    Rows,
    /// The rows of this embed, by its place in [`embedded`].
    Embedded(usize),
}

/// What a resolved request costs this caller. Nothing for a secret key, and for Backstay itself.
///
/// # Errors
/// Only for a defect of the catalog.
pub fn charges(
    script: &Script,
    caller: &Caller,
    info: &RequestInfo<'_>,
    catalog: &Catalog,
) -> Result<Vec<Charge>, Fault> {
    let mut reached = Vec::new();
    for step in &script.steps {
        reach(&step.query, catalog, &mut reached);
    }
    let mut charges = Vec::new();
    if reached.is_empty() || matches!(caller, Caller::Service | Caller::System) {
        return Ok(charges);
    }
    for Reached { table, operation, rows, then } in reached {
        let table = catalog.table(table);
        for (index, limit) in table.limits.iter().enumerate() {
            if limit.on.contains(&operation) {
                charges.push(Charge {
                    limit: format!("{} {index}", table.name),
                    key: key(limit, operation, caller, info, catalog)?,
                    tokens: limit.tokens,
                    period_s: limit.period_s,
                    rows,
                    then,
                });
            }
        }
    }
    Ok(charges)
}

/// A limited type that a request reaches.
struct Reached {
    table: TableId,
    operation: Operation,
    rows: u64,
    then: Then,
}

fn reach(query: &Query, catalog: &Catalog, reached: &mut Vec<Reached>) {
    let mut add = |table: TableId, operation: Operation, rows: u64, then: Then| {
        if !catalog.table(table).limits.is_empty() {
            reached.push(Reached { table, operation, rows, then });
        }
    };
    let returning = match query {
        Query::Select(select) => {
            add(select.table, Operation::Read, 1, Then::Rows);
            Some(select)
        }
        Query::Insert(insert) => {
            let rows = u64::try_from(insert.rows.len()).unwrap_or(u64::MAX);
            add(insert.table, Operation::Create, rows.max(1), Then::Nothing);
            if insert.conflict.is_some() {
                add(insert.table, Operation::Update, rows.max(1), Then::Nothing);
            }
            insert.returning.as_ref()
        }
        Query::Update(update) => {
            add(update.table, Operation::Update, 1, Then::Rows);
            update.returning.as_ref()
        }
        Query::Delete(delete) => {
            add(delete.table, Operation::Delete, 1, Then::Rows);
            delete.returning.as_ref()
        }
    };
    // whoever embeds a type reads it
    let Some(select) = returning else { return };
    for (place, embed) in Embed::of(select).iter().flat_map(Embed::all).enumerate() {
        add(embed.table, Operation::Read, 1, Then::Embedded(place));
    }
    let joined = |select: &Select| select.group.iter().flat_map(|group| &group.joined).cloned().collect();
    let mut open: Vec<Select> = joined(select);
    while let Some(inner) = open.pop() {
        // of these only aggregates and groups are told
        add(inner.table, Operation::Read, 1, Then::Nothing);
        open.extend(joined(&inner));
    }
}

/// An embed with those within it.
struct Embed {
    table: TableId,
    /// Whether its rows are told, and not their number alone.
    has_rows: bool,
    /// Per output of its select.
    within: Vec<Option<Self>>,
}

impl Embed {
    fn new(select: &Select, has_rows: bool) -> Self {
        let within = select.outputs.iter().map(|output| match &output.value {
            OutputValue::One(inner)
            | OutputValue::Many(inner)
            | OutputValue::Spread(inner)
            | OutputValue::SpreadMany(inner) => Some(Self::new(inner, true)),
            OutputValue::Count { select: inner, .. } => Some(Self::new(inner, false)),
            OutputValue::Scalar(..) | OutputValue::Aggregate(_) => None,
        });
        Self { table: select.table, has_rows, within: within.collect() }
    }

    /// The embeds of a select, each with its place among all of them.
    fn of(select: &Select) -> Vec<Self> {
        Self::new(select, true).within.into_iter().flatten().collect()
    }

    /// This one and those within, each before its own.
    fn all(&self) -> Vec<&Self> {
        let within = self.within.iter().flatten().flat_map(Self::all);
        std::iter::once(self).chain(within).collect()
    }
}

/// How many rows each embed of an answer shows: one number per embed, each before those within it.
/// An embed that tells its number alone shows none.
#[must_use]
pub fn embedded(select: &Select, rows: &Rows) -> Vec<u64> {
    let top = Embed::new(select, true);
    let mut counting = Counting { cells: rows.cells.iter(), counts: vec![0; top.all().len()] };
    for _ in 0..rows.count {
        counting.row(&top, 0);
    }
    counting.counts.remove(0);
    counting.counts
}

struct Counting<'r> {
    cells: std::slice::Iter<'r, Cell>,
    /// Of the select itself, then of its embeds.
    counts: Vec<u64>,
}

impl Counting<'_> {
    /// Passes over the cells of a row of the embed at this place.
    fn row(&mut self, embed: &Embed, place: usize) {
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
        let mut next = place + 1;
        for within in &embed.within {
            let cell = self.cells.next().copied().unwrap_or(Cell::Null);
            let Some(within) = within else { continue };
            let rows = match cell {
                Cell::Row => 1,
                Cell::List(count) => count,
                _ => 0,
            };
            if within.has_rows {
                (0..rows).for_each(|_| self.row(within, next));
            }
            next += within.all().len();
        }
    }
}

/// Whose bucket it is: the value that the limit counts by, else the account. None where that is null.
fn key(
    limit: &RateLimit,
    operation: Operation,
    caller: &Caller,
    info: &RequestInfo<'_>,
    catalog: &Catalog,
) -> Result<Option<String>, Fault> {
    let Some(by) = &limit.by else {
        return Ok(match caller {
            Caller::User(user) => Some(user.uid.to_string()),
            Caller::Anon | Caller::Service | Caller::System => None,
        });
    };
    let mut sources = Sources::default();
    let asked = Asked { caller, info, operation, changed: &[] };
    let mut compiler = Compiler::new(catalog, asked, &mut sources);
    let scope = Scope::default();
    let operand = if matches!(by.ty, Ty::Row(_)) {
        compiler.key_parts(by, &scope)?.into_iter().next().unwrap_or(Operand::Absent)
    } else {
        compiler.operand(by, None, &scope)?
    };
    Ok(match operand {
        Operand::Known(value) if !value.is_null() => Some(value.to_text()),
        Operand::Known(_) | Operand::Absent | Operand::Sql(..) => None,
    })
}
