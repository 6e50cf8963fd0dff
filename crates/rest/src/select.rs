//! The `select` grammar: columns, aliases, casts, JSON ways, embeds to bounded depth.

use crate::budget::Budget;
use crate::cursor::{Cursor, Read};
use crate::field::{self, Name};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::named::{Aggregate, Embed, Field, Item, Select};
use backstay_schema::expr::AggregateFunction;

const FUNCTIONS: &[(&str, AggregateFunction)] = &[
    ("sum", AggregateFunction::Sum),
    ("avg", AggregateFunction::Avg),
    ("count", AggregateFunction::Count),
    ("max", AggregateFunction::Max),
    ("min", AggregateFunction::Min),
];

const ITEM_END: &str = "\",\", \")\" or end of input";

/// Reads the value of `select=`.
pub(crate) fn select(cursor: &mut Cursor<'_>, budget: &mut Budget<'_>) -> Read<Vec<Item>> {
    let items = items(cursor, 0, budget)?;
    cursor.end(ITEM_END)?;
    Ok(items)
}

fn items(cursor: &mut Cursor<'_>, depth: usize, budget: &mut Budget<'_>) -> Read<Vec<Item>> {
    budget.depth(depth)?;
    let mut items = Vec::new();
    cursor.spaces();
    if cursor.done() || cursor.peek() == Some(')') {
        return Ok(items);
    }
    loop {
        cursor.spaces();
        budget.node()?;
        items.push(item(cursor, depth, budget)?);
        cursor.spaces();
        if !cursor.eat(",") {
            return Ok(items);
        }
    }
}

fn item(cursor: &mut Cursor<'_>, depth: usize, budget: &mut Budget<'_>) -> Read<Item> {
    if cursor.eat("...") {
        let target = field::name(cursor)?;
        return embed(target.text, None, true, cursor, depth, budget);
    }
    if cursor.eat("*") {
        return Ok(Item::Star);
    }
    let (alias, name) = aliased(cursor)?;
    match cursor.peek() {
        Some('(') if name.text == "count" && cursor.rest().starts_with("()") && !name.quoted => {
            cursor.eat("()");
            Ok(Item::Count { alias, called: true, cast: cast(cursor)? })
        }
        Some('!' | '(') => embed(name.text, alias, false, cursor, depth, budget),
        Some(_) | None => column(name, alias, cursor),
    }
}

/// `alias:name` or `name`.
fn aliased(cursor: &mut Cursor<'_>) -> Read<(Option<String>, Name)> {
    let first = field::name(cursor)?;
    let colon = cursor.rest().starts_with(':') && !cursor.rest().starts_with("::");
    if !colon {
        return Ok((None, first));
    }
    cursor.eat(":");
    Ok((Some(first.text), field::name(cursor)?))
}

fn column(name: Name, alias: Option<String>, cursor: &mut Cursor<'_>) -> Read<Item> {
    let path = field::path(cursor)?;
    let cast = cast(cursor)?;
    let aggregate = aggregate(cursor)?;
    let counts =
        name.text == "count" && !name.quoted && path.is_empty() && cast.is_none() && aggregate.is_none();
    if counts {
        return Ok(Item::Count { alias, called: false, cast: None });
    }
    Ok(Item::Field { field: Field { name: name.text, path }, alias, cast, aggregate })
}

/// `::type`; a type name may hold spaces and brackets (`character varying`, `int[]`).
fn cast(cursor: &mut Cursor<'_>) -> Read<Option<String>> {
    if !cursor.eat("::") {
        return Ok(None);
    }
    let ty = cursor.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ' ' | '[' | ']' | '"'));
    if ty.trim().is_empty() {
        return Err(cursor.wrong("type name"));
    }
    Ok(Some(ty.trim().to_owned()))
}

fn aggregate(cursor: &mut Cursor<'_>) -> Read<Option<Aggregate>> {
    if !cursor.eat(".") {
        return Ok(None);
    }
    for (name, function) in FUNCTIONS {
        if cursor.eat(name) {
            cursor.expect("()", "\"()\"")?;
            return Ok(Some(Aggregate { function: *function, cast: cast(cursor)? }));
        }
    }
    Err(cursor.wrong("aggregate function (sum, avg, count, max, min)"))
}

/// PGRST123 where aggregates stand, besides the number of an embed's rows alone.
pub(crate) fn refuse_aggregates(items: &[Item], alone: Alone) -> Result<(), Fault> {
    for item in items {
        let refused = match item {
            Item::Star => false,
            Item::Field { aggregate, .. } => aggregate.is_some(),
            Item::Count { called, .. } => *called && (alone == Alone::Refused || items.len() > 1),
            Item::Embed(embed) => {
                let alone = if embed.spread { Alone::Refused } else { Alone::Allowed };
                refuse_aggregates(&embed.select.items, alone)?;
                false
            }
        };
        if refused {
            return Err(Fault::new(code::AGGREGATES_OFF, "Use of aggregate functions is not allowed"));
        }
    }
    Ok(())
}

/// Whether a `count()` without anything beside it is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alone {
    Allowed,
    Refused,
}

fn embed(
    target: String,
    alias: Option<String>,
    spread: bool,
    cursor: &mut Cursor<'_>,
    depth: usize,
    budget: &mut Budget<'_>,
) -> Read<Item> {
    let mut hint = None;
    let mut inner = false;
    while cursor.eat("!") {
        let word = field::name(cursor)?;
        match word.text.as_str() {
            "inner" if !word.quoted => inner = true,
            "left" if !word.quoted => inner = false,
            _ if hint.is_none() => hint = Some(word.text),
            _ => return Err(cursor.wrong("\"(\"")),
        }
    }
    cursor.expect("(", "\"(\"")?;
    let items = items(cursor, depth + 1, budget)?;
    cursor.expect(")", "\",\" or \")\"")?;
    let select = Select { items, ..Select::default() };
    Ok(Item::Embed(Embed { target, hint, alias, inner, spread, select }))
}
