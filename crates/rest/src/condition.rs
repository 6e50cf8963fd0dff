//! Filters: `eq.5`, `not.in.(a,"b")` after a field, and logic trees `(a.eq.1,or(…))`.
//! Depth is bounded before each descent; nothing is read twice.

use crate::budget::Budget;
use crate::cursor::{Cursor, Read, Wrong};
use crate::field;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::named::{Comparison, Field, Filter, Operand, Search, SearchForm, SetTest, Test};

const OPERATOR: &str = "operator (eq, gt, ...)";
const NOT_OR_OPERATOR: &str = "\"not\" or operator (eq, gt, ...)";
const IS_VALUE: &str = "isVal: (null, not_null, true, false, unknown)";
const LOGIC_END: &str = "\",\" or \")\"";

/// Operators of the dialect that need types or indexes which do not exist here.
const UNAVAILABLE: &[&str] = &["sl", "sr", "nxl", "nxr", "adj"];

/// Where a condition stands, which decides where its value ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is the whole parameter value.
    Whole,
    /// It is an element of a logic tree.
    Listed,
}

/// `any` / `all` after an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    Any,
    All,
}

/// Reads a parameter value as the condition on `field`.
pub(crate) fn whole(field: Field, cursor: &mut Cursor<'_>, budget: &mut Budget<'_>) -> Read<Filter> {
    condition(field, cursor, Place::Whole, budget)
}

/// Reads `(a.eq.1,and(…),not.or(…))`.
pub(crate) fn logic(cursor: &mut Cursor<'_>, depth: usize, budget: &mut Budget<'_>) -> Read<Vec<Filter>> {
    budget.depth(depth)?;
    cursor.spaces();
    cursor.expect("(", "\"(\"")?;
    let mut filters = Vec::new();
    loop {
        filters.push(element(cursor, depth, budget)?);
        cursor.spaces();
        if cursor.eat(",") {
            continue;
        }
        cursor.expect(")", LOGIC_END)?;
        cursor.spaces();
        return Ok(filters);
    }
}

/// One element of a logic tree: a nested tree or a condition.
fn element(cursor: &mut Cursor<'_>, depth: usize, budget: &mut Budget<'_>) -> Read<Filter> {
    cursor.spaces();
    let mut ahead = cursor.clone();
    let negated = ahead.eat("not.");
    let or = ahead.eat("or");
    if or || ahead.eat("and") {
        ahead.spaces();
        if ahead.peek() == Some('(') {
            *cursor = ahead;
            budget.node()?;
            let inner = logic(cursor, depth + 1, budget)?;
            return Ok(joined(inner, or, negated));
        }
    }
    let field = field::field(cursor)?;
    cursor.expect(".", "\".\"")?;
    condition(field, cursor, Place::Listed, budget)
}

/// The filters under one `and` or `or`, perhaps negated.
pub(crate) fn joined(filters: Vec<Filter>, or: bool, negated: bool) -> Filter {
    negate(if or { Filter::Or(filters) } else { Filter::And(filters) }, negated)
}

fn negate(filter: Filter, negated: bool) -> Filter {
    if negated { Filter::Not(Box::new(filter)) } else { filter }
}

fn condition(field: Field, cursor: &mut Cursor<'_>, place: Place, budget: &mut Budget<'_>) -> Read<Filter> {
    budget.node()?;
    let negated = cursor.eat("not.");
    let start = cursor.at();
    let word = cursor.take_while(|c| c.is_ascii_lowercase());
    let filter = match word {
        "is" if cursor.eat(".") => Filter::Field(field, is(cursor, place)?),
        "in" if cursor.eat(".") => Filter::Field(field, Test::In(list(cursor, place, budget)?)),
        "isdistinct" if cursor.eat(".") => distinct(field, value(cursor, place)?),
        "cs" | "cd" | "ov" if cursor.eat(".") => {
            let text = value(cursor, place)?;
            Filter::Field(field, Test::Set(set_test(word), Operand::Text(text)))
        }
        "fts" | "plfts" | "phfts" | "wfts" => {
            let config = config(cursor);
            if !cursor.eat(".") {
                return Err(unknown_operator(start, word, negated));
            }
            let search = Search { form: search_form(word), query: value(cursor, place)?, config };
            Filter::Field(field, Test::Search(search))
        }
        word if UNAVAILABLE.contains(&word) => return Err(unavailable(word)),
        word => {
            let quantifier = quantifier(cursor);
            let fits = known(word) && (quantifier.is_none() || word != "neq");
            if !(fits && cursor.eat(".")) {
                return Err(unknown_operator(start, word, negated));
            }
            match quantifier {
                None => Filter::Field(field, test(word, value(cursor, place)?)),
                Some(quantifier) => quantified(field, word, quantifier, cursor, budget)?,
            }
        }
    };
    if place == Place::Whole {
        cursor.end("end of input")?;
    }
    Ok(negate(filter, negated))
}

/// `word` is one of them.
fn set_test(word: &str) -> SetTest {
    match word {
        "cd" => SetTest::Contained,
        "ov" => SetTest::Overlaps,
        _ => SetTest::Contains,
    }
}

/// `word` is one of them.
fn search_form(word: &str) -> SearchForm {
    match word {
        "plfts" => SearchForm::Plain,
        "phfts" => SearchForm::Phrase,
        "wfts" => SearchForm::Web,
        _ => SearchForm::Query,
    }
}

/// `(english)` after the operator.
fn config(cursor: &mut Cursor<'_>) -> Option<String> {
    let mut ahead = cursor.clone();
    if !ahead.eat("(") {
        return None;
    }
    let name = ahead.take_while(|c| c.is_alphanumeric() || c == '_').to_owned();
    if name.is_empty() || !ahead.eat(")") {
        return None;
    }
    *cursor = ahead;
    Some(name)
}

fn known(word: &str) -> bool {
    matches!(word, "eq" | "neq" | "gt" | "gte" | "lt" | "lte" | "like" | "ilike" | "match" | "imatch")
}

/// PostgREST points at the start of the operator and names the first character that cannot be `not`.
fn unknown_operator(start: usize, word: &str, negated: bool) -> Wrong {
    let shared = word.bytes().zip("not".bytes()).take_while(|(a, b)| a == b).count();
    let unexpected = start + if negated { 0 } else { shared };
    Wrong::Syntax { at: start, unexpected, expecting: if negated { OPERATOR } else { NOT_OR_OPERATOR } }
}

fn unavailable(word: &str) -> Wrong {
    Fault::new(code::NOT_IMPLEMENTED, "Feature not implemented")
        .with_details(format!("operator \"{word}\" is not available"))
        .into()
}

/// `word` is [`known`].
fn test(word: &str, text: String) -> Test {
    let comparison = match word {
        "like" | "ilike" => {
            return Test::Like { pattern: text.replace('*', "%"), ignore_case: word == "ilike" };
        }
        "match" | "imatch" => return Test::Match { pattern: text, ignore_case: word == "imatch" },
        "neq" => Comparison::Neq,
        "gt" => Comparison::Gt,
        "gte" => Comparison::Gte,
        "lt" => Comparison::Lt,
        "lte" => Comparison::Lte,
        _ => Comparison::Eq,
    };
    Test::Compare(comparison, Operand::Text(text))
}

fn is(cursor: &mut Cursor<'_>, place: Place) -> Read<Test> {
    let start = cursor.at();
    let text = value(cursor, place)?;
    match text.trim().to_ascii_lowercase().as_str() {
        "null" => Ok(Test::IsNull),
        "not_null" => Ok(Test::IsNotNull),
        "true" => Ok(Test::IsBool(true)),
        "false" => Ok(Test::IsBool(false)),
        "unknown" => Ok(Test::IsUnknown),
        _ => Err(Wrong::Syntax { at: start, unexpected: start, expecting: IS_VALUE }),
    }
}

/// `IS DISTINCT FROM` a value that is not NULL.
fn distinct(field: Field, text: String) -> Filter {
    Filter::Or(vec![
        Filter::Field(field.clone(), Test::IsNull),
        Filter::Field(field, Test::Compare(Comparison::Neq, Operand::Text(text))),
    ])
}

fn quantifier(cursor: &mut Cursor<'_>) -> Option<Quantifier> {
    if cursor.eat("(any)") {
        Some(Quantifier::Any)
    } else if cursor.eat("(all)") {
        Some(Quantifier::All)
    } else {
        None
    }
}

/// `like(any).{a*,b*}`: one condition per element.
fn quantified(
    field: Field,
    word: &str,
    quantifier: Quantifier,
    cursor: &mut Cursor<'_>,
    budget: &mut Budget<'_>,
) -> Read<Filter> {
    cursor.expect("{", "\"{\"")?;
    let texts = elements(cursor, '}', budget)?;
    let mut filters = Vec::with_capacity(texts.len());
    for text in texts {
        budget.node()?;
        filters.push(Filter::Field(field.clone(), test(word, text)));
    }
    Ok(match quantifier {
        Quantifier::Any => Filter::Or(filters),
        Quantifier::All => Filter::And(filters),
    })
}

fn list(cursor: &mut Cursor<'_>, place: Place, budget: &Budget<'_>) -> Read<Vec<Operand>> {
    cursor.expect("(", "\"(\"")?;
    let texts = elements(cursor, ')', budget)?;
    if place == Place::Whole {
        cursor.spaces();
    }
    Ok(texts.into_iter().map(Operand::Text).collect())
}

/// Values parted by commas up to `close`, which is taken too.
fn elements(cursor: &mut Cursor<'_>, close: char, budget: &Budget<'_>) -> Read<Vec<String>> {
    let mut texts = Vec::new();
    if cursor.peek() == Some(close) {
        cursor.bump();
        return Ok(texts);
    }
    loop {
        texts.push(match cursor.peek() {
            Some('"') => cursor.quoted()?,
            Some(_) | None => cursor.take_while(|c| c != ',' && c != close).to_owned(),
        });
        budget.list(texts.len())?;
        match cursor.peek() {
            Some(',') => cursor.bump(),
            Some(c) if c == close => {
                cursor.bump();
                return Ok(texts);
            }
            Some(_) | None => {
                return Err(cursor.wrong(if close == ')' { LOGIC_END } else { "\",\" or \"}\"" }));
            }
        };
    }
}

/// The value of a condition: all that is left, or up to the end of a logic element.
fn value(cursor: &mut Cursor<'_>, place: Place) -> Read<String> {
    match (place, cursor.peek()) {
        (Place::Whole, _) => Ok(cursor.take_rest().to_owned()),
        (Place::Listed, Some('"')) => cursor.quoted(),
        (Place::Listed, Some('{')) => {
            let inner = cursor.take_while(|c| c != '}');
            let text = format!("{inner}}}");
            cursor.expect("}", "\"}\"")?;
            Ok(text)
        }
        (Place::Listed, _) => Ok(cursor.take_while(|c| c != ',' && c != ')').to_owned()),
    }
}
