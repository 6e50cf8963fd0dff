//! The read part of every request: `select`, filters, order and pages put
//! together into one [`Select`], each on the embed it is addressed to.

use crate::budget::{Budget, within};
use crate::condition;
use crate::cursor::read_whole;
use crate::field;
use crate::order;
use crate::page;
use crate::parameter::{self, Parameter};
use crate::select;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use backstay_query::named::{Filter, Item, Select};

/// The query string, read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    /// What is selected, with everything that is addressed to embeds.
    pub(crate) select: Select,
    /// `columns=`.
    pub(crate) columns: Option<Vec<String>>,
    /// `on_conflict=`.
    pub(crate) on_conflict: Vec<String>,
    /// Whether a top-level `limit` or `offset` stood there.
    pub(crate) paged: bool,
    /// Whether `deleted=include` stood there; no filter has that form.
    pub(crate) deleted: bool,
}

/// Reads the query string of a request to `table`.
pub(crate) fn target(table: &str, query: &str, limits: &Limits) -> Result<Target, Fault> {
    within(table.len() + query.len(), limits.target_bytes, "bytes of path and query")?;
    let mut budget = Budget::new(limits);
    let pairs = parameter::pairs(query)?
        .into_iter()
        .map(|(key, value)| Ok((parameter::parameter(&key)?, value)))
        .collect::<Result<Vec<_>, Fault>>()?;
    let items = match pairs.iter().find(|(key, _)| *key == Parameter::Select) {
        Some((_, value)) => read_whole("select parameter", value, |c| select::select(c, &mut budget))?,
        None => vec![Item::Star],
    };
    let mut target = Target {
        select: Select { table: table.to_owned(), items, ..Select::default() },
        columns: None,
        on_conflict: Vec::new(),
        paged: false,
        deleted: false,
    };
    for (key, value) in pairs {
        target.apply(key, &value, &mut budget)?;
    }
    Ok(target)
}

impl Target {
    fn apply(&mut self, key: Parameter, value: &str, budget: &mut Budget<'_>) -> Result<(), Fault> {
        match key {
            Parameter::Select => {}
            Parameter::Columns => self.columns = Some(read_whole("columns parameter", value, field::names)?),
            Parameter::OnConflict => {
                self.on_conflict = read_whole("on_conflict parameter", value, field::names)?
            }
            Parameter::Order(path) => {
                let keys = read_whole("order", value, |c| order::order(c, budget))?;
                addressed(&mut self.select, &path)?.order = keys;
            }
            Parameter::Limit(path) => {
                self.paged |= path.is_empty();
                addressed(&mut self.select, &path)?.limit = Some(page::number("limit", value)?);
            }
            Parameter::Offset(path) => {
                self.paged |= path.is_empty();
                addressed(&mut self.select, &path)?.offset = page::number("offset", value)?;
            }
            Parameter::Logic { path, or, negated } => {
                let inner = read_whole("logic tree", value, |c| {
                    budget.node()?;
                    let inner = condition::logic(c, 1, budget)?;
                    c.end("end of input")?;
                    Ok(inner)
                })?;
                let filter = condition::joined(inner, or, negated);
                addressed(&mut self.select, &path)?.filters.push(filter);
            }
            Parameter::Filter { path, field }
                if path.is_empty()
                    && field.path.is_empty()
                    && field.name == "deleted"
                    && value == "include" =>
            {
                self.deleted = true;
            }
            Parameter::Filter { path, field } => {
                let filter: Filter = read_whole("filter", value, |c| condition::whole(field, c, budget))?;
                addressed(&mut self.select, &path)?.filters.push(filter);
            }
        }
        Ok(())
    }
}

/// The select of the embed that `path` leads to: by alias, else by the name it was asked for.
fn addressed<'s>(select: &'s mut Select, path: &[String]) -> Result<&'s mut Select, Fault> {
    let mut select = select;
    for name in path {
        let found = position(&select.items, |alias, _| alias == Some(name))
            .or_else(|| position(&select.items, |_, target| target == name));
        let embed = found.and_then(|index| select.items.get_mut(index));
        let Some(Item::Embed(embed)) = embed else {
            return Err(Fault::new(
                code::NOT_EMBEDDED,
                format!("'{name}' is not an embedded resource in this request"),
            )
            .with_hint(format!("Verify that '{name}' is included in the 'select' query parameter.")));
        };
        select = &mut embed.select;
    }
    Ok(select)
}

fn position(items: &[Item], matches: impl Fn(Option<&String>, &String) -> bool) -> Option<usize> {
    items.iter().position(|item| match item {
        Item::Embed(embed) => matches(embed.alias.as_ref(), &embed.target),
        Item::Star | Item::Field { .. } | Item::Count { .. } => false,
    })
}
