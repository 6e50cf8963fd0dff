//! The `select` grammar: columns, aliases, casts, JSON ways, embeds to bounded depth.

use crate::budget::Budget;
use crate::cursor::{Cursor, Read};
use crate::field::{self, Name};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::named::{Embed, Field, Item, Select};

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
            not_cast(cursor)?;
            Ok(Item::Count { alias })
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
    if aggregate.is_some() {
        self::cast(cursor)?;
    }
    let counts =
        name.text == "count" && !name.quoted && path.is_empty() && cast.is_none() && aggregate.is_none();
    if counts {
        return Ok(Item::Count { alias });
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

fn aggregate(cursor: &mut Cursor<'_>) -> Read<Option<String>> {
    if !cursor.eat(".") {
        return Ok(None);
    }
    for name in ["sum", "avg", "count", "max", "min"] {
        if cursor.rest().starts_with(name) {
            cursor.eat(name);
            cursor.expect("()", "\"()\"")?;
            return Ok(Some(name.to_owned()));
        }
    }
    Err(cursor.wrong("aggregate function (sum, avg, count, max, min)"))
}

fn not_cast(cursor: &Cursor<'_>) -> Read<()> {
    if cursor.rest().starts_with("::") {
        let fault = Fault::new(code::NOT_IMPLEMENTED, "Feature not implemented");
        return Err(fault.with_details("a cast of count() is not available").into());
    }
    Ok(())
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
