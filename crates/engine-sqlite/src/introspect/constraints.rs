//! Constraints in the text of a `CREATE TABLE`: name, kind, columns, and the
//! condition of a CHECK. Quotes, brackets and comments are understood; nothing is
//! judged.

/// A constraint found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Constraint {
    pub(super) name: Option<String>,
    pub(super) kind: ConstraintKind,
    pub(super) columns: Vec<String>,
    /// The condition of a CHECK.
    pub(super) text: String,
}

/// Which kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConstraintKind {
    Key,
    Unique,
    Reference,
    Check,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token<'t> {
    /// A word as written, or a quoted name without its quotes.
    Word {
        text: String,
        quoted: bool,
    },
    /// What stands between a pair of brackets.
    Group(&'t str),
    Comma,
    Other,
}

/// The constraints of a table, those of columns among them.
pub(super) fn scan(text: &str) -> Vec<Constraint> {
    let Some(body) = tokens(text).into_iter().find_map(|token| match token {
        Token::Group(body) => Some(body),
        Token::Word { .. } | Token::Comma | Token::Other => None,
    }) else {
        return Vec::new();
    };
    let tokens = tokens(body);
    tokens.split(|token| *token == Token::Comma).flat_map(definition).collect()
}

/// One entry of the body: a column with its constraints, or a constraint of the table.
fn definition(tokens: &[Token<'_>]) -> Vec<Constraint> {
    let column = match tokens.first() {
        Some(Token::Word { text, quoted }) if *quoted || !is_keyword(text) => Some(text.clone()),
        _ => None,
    };
    let mut found = Vec::new();
    let mut name = None;
    let mut rest = if column.is_some() { tokens.get(1..).unwrap_or_default() } else { tokens };
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let Token::Word { text, quoted: false } = first else { continue };
        let own = || column.clone().into_iter().collect::<Vec<String>>();
        let kind = match text.to_ascii_uppercase().as_str() {
            "CONSTRAINT" => {
                if let Some((Token::Word { text, .. }, after)) = rest.split_first() {
                    name = Some(text.clone());
                    rest = after;
                }
                continue;
            }
            "PRIMARY" => ConstraintKind::Key,
            "UNIQUE" => ConstraintKind::Unique,
            "FOREIGN" => ConstraintKind::Reference,
            "REFERENCES" if column.is_some() => ConstraintKind::Reference,
            "CHECK" => ConstraintKind::Check,
            _ => continue,
        };
        let group = rest.iter().find_map(|token| match token {
            Token::Group(inside) => Some(*inside),
            Token::Word { .. } | Token::Comma | Token::Other => None,
        });
        let (columns, text) = match kind {
            ConstraintKind::Check => (Vec::new(), group.unwrap_or_default().trim().to_owned()),
            _ if column.is_some() => (own(), String::new()),
            _ => (group.map(names).unwrap_or_default(), String::new()),
        };
        found.push(Constraint { name: name.take(), kind, columns, text });
        if column.is_none() {
            break;
        }
    }
    found
}

fn is_keyword(word: &str) -> bool {
    ["CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word))
}

fn names(group: &str) -> Vec<String> {
    let words = tokens(group).into_iter().filter_map(|token| match token {
        Token::Word { text, .. } => Some(text),
        Token::Group(_) | Token::Comma | Token::Other => None,
    });
    words.collect()
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '"' | '`' | '\'' => quoted(rest, first),
            '[' => {
                let end = rest.find(']').unwrap_or(rest.len().saturating_sub(1));
                (
                    Some(Token::Word { text: rest.get(1..end).unwrap_or_default().to_owned(), quoted: true }),
                    end + 1,
                )
            }
            '(' => {
                let end = group_end(rest);
                (rest.get(1..end.saturating_sub(1)).map(Token::Group), end)
            }
            ',' => (Some(Token::Comma), 1),
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (None, rest.find("*/").map_or(rest.len(), |end| end + 2)),
            c if c.is_whitespace() => (None, c.len_utf8()),
            c if c.is_alphanumeric() || c == '_' => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                (
                    Some(Token::Word { text: rest.get(..end).unwrap_or_default().to_owned(), quoted: false }),
                    end,
                )
            }
            c => (Some(Token::Other), c.len_utf8()),
        };
        tokens.extend(token);
        rest = rest.get(length..).unwrap_or_default();
    }
    tokens
}

/// A quoted name or text, its doubled quotes made single.
fn quoted(text: &str, quote: char) -> (Option<Token<'_>>, usize) {
    let mut name = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            name.push(c);
            continue;
        }
        if chars.next_if(|(_, next)| *next == quote).is_some() {
            name.push(c);
            continue;
        }
        return (Some(Token::Word { text: name, quoted: true }), at + 1);
    }
    (Some(Token::Word { text: name, quoted: true }), text.len())
}

/// One past the bracket that closes the one at the start.
fn group_end(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut quote: Option<char> = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            (None, _) => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{Constraint, ConstraintKind, scan};

    #[test]
    fn finds_names_in_what_people_write() {
        let text = r#"CREATE TABLE "t(x" ( -- a, comment (
            id INTEGER CONSTRAINT k PRIMARY KEY AUTOINCREMENT,
            "a""b" TEXT NOT NULL UNIQUE CHECK (length("a""b") > 2 AND "a""b" <> ')'),
            [c d] TEXT REFERENCES other(id), /* , */
            CONSTRAINT "f" FOREIGN KEY (id, `x`) REFERENCES o (a, b) ON DELETE CASCADE,
            CHECK (id > 0), CONSTRAINT u UNIQUE (id, "a""b")) STRICT"#;
        let of = |name: Option<&str>, kind, columns: &[&str], text: &str| Constraint {
            name: name.map(str::to_owned),
            kind,
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            text: text.to_owned(),
        };
        assert_eq!(
            scan(text),
            [
                of(Some("k"), ConstraintKind::Key, &["id"], ""),
                of(None, ConstraintKind::Unique, &["a\"b"], ""),
                of(None, ConstraintKind::Check, &[], r#"length("a""b") > 2 AND "a""b" <> ')'"#),
                of(None, ConstraintKind::Reference, &["c d"], ""),
                of(Some("f"), ConstraintKind::Reference, &["id", "x"], ""),
                of(None, ConstraintKind::Check, &[], "id > 0"),
                of(Some("u"), ConstraintKind::Unique, &["id", "a\"b"], ""),
            ]
        );
    }
}
