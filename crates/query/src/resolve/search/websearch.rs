//! `wfts`: what people type into a search box. Quoted words are a phrase, `-` keeps out, `or` parts
//! alternatives, all else must be there. Nothing is a mistake.

use super::{Wanted, all, any, phrase, words};

pub(super) fn read(text: &str) -> Option<Wanted> {
    let mut alternatives: Vec<Vec<Wanted>> = vec![Vec::new()];
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let negated = rest.starts_with('-');
        if negated {
            rest = rest.trim_start_matches('-');
        }
        let (token, quoted, after) = token(rest);
        if token.is_empty() && after.is_empty() {
            break;
        }
        rest = after;
        if !quoted && !negated && token.eq_ignore_ascii_case("or") {
            alternatives.push(Vec::new());
            continue;
        }
        let Some(wanted) = phrase(words(token)) else { continue };
        let wanted = if negated { Wanted::Not(Box::new(wanted)) } else { wanted };
        if let Some(last) = alternatives.last_mut() {
            last.push(wanted);
        }
    }
    any(alternatives.into_iter().filter_map(all).collect())
}

/// What is quoted, or what goes on to the next space; and what follows.
fn token(text: &str) -> (&str, bool, &str) {
    if let Some(inside) = text.strip_prefix('"') {
        let (quoted, after) = inside.split_once('"').unwrap_or((inside, ""));
        return (quoted, true, after);
    }
    let end = text.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(text.len());
    let (token, after) = text.split_at(end);
    (token, false, after)
}
