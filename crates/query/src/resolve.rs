//! Names → ids: a [`named::Query`] against one catalog becomes a [`plan::Script`]
//! with typed values, all joins spelled out and the primary key appended to every order.
//! Rules are not looked at here; what a name means is, in PostgREST's words.

mod aggregate;
pub mod cells;
mod embed;
mod extras;
mod field;
mod filter;
mod order;
mod pattern;
mod search;
mod select;
mod write;

use crate::named;
use crate::plan::{Audit, End, Expect, Query, Script, SourceId, Sources, Step};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use backstay_base::suggest::{self, OPENING};
use backstay_schema::catalog::{Catalog, Origin, Table};
use backstay_schema::extras::Bounds;

/// Which tables a query may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// What doors show.
    Public,
    /// Backstay's own tables too.
    System,
}

/// Resolves the steps of one request.
///
/// # Errors
/// PGRST200/201/204/205/108/118/120, 42703, 22P02, 22003 and kin, and 54001 when a limit is passed.
pub fn resolve(
    catalog: &Catalog,
    steps: &[(named::Query, Expect)],
    end: End,
    reach: Reach,
    limits: &Limits,
) -> Result<Script, Fault> {
    let reads = steps.iter().all(|(query, _)| matches!(query, named::Query::Select(_)));
    let mut resolver =
        Resolver { catalog, reach, limits, reads, sources: Sources::default(), nodes: 0, hops: 0 };
    let steps = steps
        .iter()
        .map(|(query, expect)| Ok(Step { query: resolver.query(query)?, expect: *expect }))
        .collect::<Result<_, Fault>>()?;
    Ok(Script { steps, end, sources: resolver.sources, audit: Audit::Wanted, extras: Bounds::of(limits) })
}

/// The state of one resolution.
struct Resolver<'c> {
    catalog: &'c Catalog,
    reach: Reach,
    limits: &'c Limits,
    /// Nothing is written: what an index says is what stands.
    reads: bool,
    sources: Sources,
    nodes: usize,
    hops: usize,
}

/// The row that names are looked up on.
#[derive(Clone, Copy)]
struct Scope<'c, 'q> {
    table: &'c Table,
    source: SourceId,
    /// Items of the select at hand: null tests and orders may name its embeds.
    items: &'q [named::Item],
    /// Embeds around this one.
    depth: usize,
}

impl<'c> Resolver<'c> {
    fn query(&mut self, query: &named::Query) -> Result<Query, Fault> {
        Ok(match query {
            named::Query::Select(select) => Query::Select(self.top_select(select)?),
            named::Query::Insert(insert) => Query::Insert(self.insert(insert)?),
            named::Query::Update(update) => Query::Update(self.update(update)?),
            named::Query::Delete(delete) => Query::Delete(self.delete(delete)?),
        })
    }

    /// The table of this name, within reach.
    fn table(&self, name: &str) -> Result<&'c Table, Fault> {
        let found = self.catalog.any_table(name).filter(|table| self.reaches(table));
        found.ok_or_else(|| {
            let names = self.catalog.tables.iter().filter(|table| self.reaches(table));
            let near = suggest::nearest(name, names.map(|table| table.name.as_str()));
            let message = format!("Could not find the table 'public.{name}' in the schema cache");
            let fault = Fault::new(code::NO_TABLE, message);
            match near {
                Some(near) => fault.with_hint(format!("{OPENING} the table 'public.{near}'")),
                None => fault,
            }
        })
    }

    /// Whether requests may know of this table.
    fn reaches(&self, table: &Table) -> bool {
        self.reach == Reach::System || table.origin != Origin::System
    }

    /// One more filter, output, sort key or embed.
    fn node(&mut self) -> Result<(), Fault> {
        self.nodes += 1;
        within(self.nodes, self.limits.nodes, "filters, columns and embeds")
    }

    /// One more relation that is followed.
    fn hop(&mut self) -> Result<(), Fault> {
        self.hops += 1;
        within(self.hops, self.limits.hops, "relations")
    }

    fn deep(&self, depth: usize) -> Result<(), Fault> {
        within(depth, self.limits.depth, "levels of nesting")
    }
}

fn within(used: usize, limit: usize, what: &str) -> Result<(), Fault> {
    if used <= limit {
        return Ok(());
    }
    Err(Fault::new(code::TOO_COMPLEX, format!("request passes the limit of {limit} {what}"))
        .with_hint("split the request into smaller ones"))
}

#[cfg(test)]
mod tests;
