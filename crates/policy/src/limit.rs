//! What a request costs, by the `@limit`s of the types that it reaches: told from the request alone,
//! before a rule or a row is looked at. Who counts is not known here.

use crate::caller::{Caller, RequestInfo};
use crate::compile::{Asked, Compiler, Operand, Scope};
use backstay_base::fault::Fault;
use backstay_query::plan::{OutputValue, Query, Script, Select, Sources};
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
    /// Whether the rows of the answer beyond those are charged when they are known.
    pub is_open: bool,
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
    for Reached { table, operation, rows, is_open } in reached {
        let table = catalog.table(table);
        for (index, limit) in table.limits.iter().enumerate() {
            if limit.on.contains(&operation) {
                charges.push(Charge {
                    limit: format!("{} {index}", table.name),
                    key: key(limit, operation, caller, info, catalog)?,
                    tokens: limit.tokens,
                    period_s: limit.period_s,
                    rows,
                    is_open,
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
    is_open: bool,
}

fn reach(query: &Query, catalog: &Catalog, reached: &mut Vec<Reached>) {
    let mut add = |table: TableId, operation: Operation, rows: u64, is_open: bool| {
        if !catalog.table(table).limits.is_empty() {
            reached.push(Reached { table, operation, rows, is_open });
        }
    };
    let returning = match query {
        Query::Select(select) => {
            add(select.table, Operation::Read, 1, true);
            Some(select)
        }
        Query::Insert(insert) => {
            let rows = u64::try_from(insert.rows.len()).unwrap_or(u64::MAX);
            add(insert.table, Operation::Create, rows.max(1), false);
            if insert.conflict.is_some() {
                add(insert.table, Operation::Update, rows.max(1), false);
            }
            insert.returning.as_ref()
        }
        Query::Update(update) => {
            add(update.table, Operation::Update, 1, true);
            update.returning.as_ref()
        }
        Query::Delete(delete) => {
            add(delete.table, Operation::Delete, 1, true);
            delete.returning.as_ref()
        }
    };
    // whoever embeds a type reads it
    returning
        .into_iter()
        .for_each(|select| embeds(select, &mut |inner| add(inner.table, Operation::Read, 1, false)));
}

fn embeds(select: &Select, found: &mut dyn FnMut(&Select)) {
    let mut each = |inner: &Select| {
        found(inner);
        embeds(inner, found);
    };
    for output in &select.outputs {
        match &output.value {
            OutputValue::One(inner)
            | OutputValue::Many(inner)
            | OutputValue::Spread(inner)
            | OutputValue::SpreadMany(inner)
            | OutputValue::Count { select: inner, .. } => each(inner),
            OutputValue::Scalar(..) | OutputValue::Aggregate(_) => {}
        }
    }
    select.group.iter().flat_map(|group| &group.joined).for_each(each);
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
