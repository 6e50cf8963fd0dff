//! Sort keys: `a.desc.nullslast,rel(col),data->>k`.

use crate::budget::Budget;
use crate::cursor::{Cursor, Read};
use crate::field;
use backstay_query::named::{Field, Order};

/// Reads the value of `order=`.
pub(crate) fn order(cursor: &mut Cursor<'_>, budget: &mut Budget<'_>) -> Read<Vec<Order>> {
    let mut keys = Vec::new();
    loop {
        cursor.spaces();
        budget.node()?;
        keys.push(key(cursor)?);
        cursor.spaces();
        if !cursor.eat(",") {
            cursor.end("\",\" or end of input")?;
            return Ok(keys);
        }
    }
}

fn key(cursor: &mut Cursor<'_>) -> Read<Order> {
    let name = field::name(cursor)?.text;
    let (relation, field) = if cursor.eat("(") {
        let field = field::field(cursor)?;
        cursor.expect(")", "\")\"")?;
        (Some(name), field)
    } else {
        (None, Field { name, path: field::path(cursor)? })
    };
    let mut order = Order { field, relation, descending: false, nulls_first: None };
    if !cursor.eat(".") {
        return Ok(order);
    }
    let directed = cursor.eat("asc") || {
        order.descending = cursor.eat("desc");
        order.descending
    };
    if directed && !cursor.eat(".") {
        return Ok(order);
    }
    if cursor.eat("nullsfirst") {
        order.nulls_first = Some(true);
    } else if cursor.eat("nullslast") {
        order.nulls_first = Some(false);
    } else if directed {
        return Err(cursor.wrong("nulls direction (nullsfirst or nullslast)"));
    } else {
        return Err(cursor.wrong("direction (asc or desc) or nulls direction (nullsfirst or nullslast)"));
    }
    Ok(order)
}
