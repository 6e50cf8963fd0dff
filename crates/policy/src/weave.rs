//! Weaving: the rules of the catalog for one caller into every clause and hop of
//! a script; defaults, `@set`, ids and stamps into what it writes.

mod assign;
mod audit;
mod check;
mod delete;
mod denial;
mod fill;
mod insert;
mod mask;
mod reference;
mod select;
mod update;

use crate::caller::{Caller, RequestInfo};
use crate::compile::{Asked, Compiler};
use crate::guarded::Guarded;
use crate::recurring::recipe::Recipe;
use crate::trail::Trail;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::ids::Ids;
use backstay_query::plan::{Audit, End, Query, Script, Sources, Step};
use backstay_schema::catalog::{Catalog, Column, Fill, Operation, Table};
use std::sync::Arc;

/// Weaves the rules for `caller` into `script`, fills defaults, `@set` and ids.
///
/// # Errors
/// 42501 where a rule folds to false for this caller, 428C9 for values that the server sets.
pub fn weave(
    script: Script,
    caller: &Caller,
    info: &RequestInfo<'_>,
    catalog: &Arc<Catalog>,
    ids: &Ids,
) -> Result<Guarded<Script>, Fault> {
    let Script { mut steps, end, sources, audit, extras } = script;
    let mut weaver = Weaver { catalog, caller, info, ids, sources, trail: Trail::default(), recipe: None };
    steps.iter_mut().try_for_each(|step| weaver.query(&mut step.query))?;
    let audit = audit::told(audit, &steps, catalog, (caller, info));
    let Weaver { sources, trail, recipe, .. } = weaver;
    let row = match steps.as_mut_slice() {
        [Step { query: Query::Insert(insert), .. }] if end == End::Commit && audit == Audit::Off => {
            recipe.and_then(|recipe| insert.rows.pop().map(|row| (recipe, row)))
        }
        _ => None,
    };
    let script = Script { steps, end, sources, audit, extras };
    let catalog = Arc::clone(catalog);
    Ok(match row {
        Some((recipe, row)) => Guarded::of_row(script, catalog, trail, (recipe, row.into())),
        None => Guarded::new(script, catalog, trail),
    })
}

/// The one bypass: no access rules; defaults, ids and stamps are filled, `@valid`, checks and keys bind.
///
/// # Errors
/// As [`weave`], without access.
pub fn system(
    script: Script,
    now_micros: i64,
    catalog: &Arc<Catalog>,
    ids: &Ids,
) -> Result<Guarded<Script>, Fault> {
    let info = RequestInfo { now_micros, ..RequestInfo::default() };
    weave(script, &Caller::System, &info, catalog, ids)
}

/// The state of one weaving.
struct Weaver<'a> {
    catalog: &'a Catalog,
    caller: &'a Caller,
    info: &'a RequestInfo<'a>,
    ids: &'a Ids,
    sources: Sources,
    trail: Trail,
    /// Of an insert of one row that may come again with another.
    recipe: Option<Recipe>,
}

impl Weaver<'_> {
    fn query(&mut self, query: &mut Query) -> Result<(), Fault> {
        match query {
            Query::Select(select) => self.select(select),
            Query::Insert(insert) => self.insert(insert),
            Query::Update(update) => self.update(update),
            Query::Delete(delete) => {
                *query = self.delete(delete.clone())?;
                Ok(())
            }
        }
    }

    fn compiler<'s>(&'s mut self, operation: Operation, changed: &'s [String]) -> Compiler<'s> {
        let asked = Asked { caller: self.caller, info: self.info, operation, changed };
        Compiler::new(self.catalog, asked, &mut self.sources)
    }

    /// Whether the caller is bound by what only the server may set.
    const fn is_client(&self) -> bool {
        matches!(self.caller, Caller::Anon | Caller::User(_))
    }

    /// 428C9 for a named column that the server sets (SEMANTICS 6, 24).
    fn refuse_server_set(&self, table: &Table, column: &Column, operation: Operation) -> Result<(), Fault> {
        if matches!(self.caller, Caller::System) {
            return Ok(());
        }
        let is_account = self.catalog.user == Some(table.id);
        let follows_account = is_account && matches!(column.field.as_str(), "id" | "email" | "phone");
        let set = column.set_create.is_some() || column.set_update.is_some();
        let restored = column.fill == Fill::DeletedAt && operation == Operation::Update;
        let filled = !matches!(column.fill, Fill::None | Fill::Client) && !restored;
        if follows_account || (self.is_client() && (set || filled)) {
            return Err(server_set(table, column, operation));
        }
        Ok(())
    }
}

fn server_set(table: &Table, column: &Column, operation: Operation) -> Fault {
    let message = match operation {
        Operation::Create => {
            format!("cannot insert a non-DEFAULT value into column \"{}\"", column.name)
        }
        Operation::Read | Operation::Update | Operation::Delete => {
            format!("column \"{}\" can only be updated to DEFAULT", column.name)
        }
    };
    Fault::new(code::ALWAYS_GENERATED, message)
        .with_details(format!("Column \"{}\" of \"{}\" is set by the server.", column.name, table.name))
}
