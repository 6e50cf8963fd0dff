//! The acts of one statement. Enters: its text and the engine whose dialect it speaks. What the parser has not heard
//! of is read here by its words, or told to it in words that it knows.

use super::Act;
use super::parse::of;
use crate::lint::reserved::bare_words;
use backstay_sql::ddl::expand::PREFIX;
use backstay_sql::ddl::full_text::is_part;
use sqlparser::ast::Statement;
use sqlparser::dialect::{Dialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::{Parser, ParserError};
use std::borrow::Cow;

/// How deep expressions may nest; what is deeper is not read.
const DEPTH: usize = 60;

/// What a statement does; nothing where it is no matter of tables.
pub(crate) fn acts(engine: &str, text: &str) -> Vec<Act> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if begins(&words, &["REINDEX"]) {
        let concurrently = words.iter().take(4).any(|word| word.eq_ignore_ascii_case("CONCURRENTLY"));
        return if concurrently { Vec::new() } else { vec![Act::Reindex] };
    }
    if let Some(act) = unheard_of(&words) {
        return vec![act];
    }
    // what keeps two shapes of a table alike is generated, and its body is read by the database alone
    if begins(&words, &["CREATE", "TRIGGER"]) && text.contains(PREFIX) {
        return Vec::new();
    }
    // nor is what an index of words is made of a table of anybody
    if is_part(text) {
        return Vec::new();
    }
    // nor of the words that a table of MySQL bears: they stand in its dictionary alone
    let rest = match (engine, begins(&words, &["ALTER", "TABLE"])) {
        ("mysql", true) => without_comment(text),
        _ => None,
    };
    let text = match &rest {
        Some(rest) if rest.is_empty() => return Vec::new(),
        Some(rest) => rest.as_str(),
        None => text,
    };
    let (known, collation) = known(&words, text);
    let mut acts: Vec<Act> = match parsed(engine, &known) {
        Ok(statements) => {
            let bare = statements.iter().flat_map(|statement| bare_words(engine, statement));
            let mut acts: Vec<Act> = bare.map(|word| Act::BareWord { word }).collect();
            acts.extend(statements.into_iter().flat_map(of));
            acts
        }
        Err(error) => vec![Act::Unread { why: error.to_string() }],
    };
    for act in &mut acts {
        match act {
            Act::DropIndex { concurrently, .. } => *concurrently = begins(&words, DROPS_CONCURRENTLY),
            Act::ChangeType { column, whole: false, .. } => column.collation.clone_from(&collation),
            // they say themselves what there is to say
            _ => {}
        }
    }
    acts
}

/// What the parser has not heard of.
fn unheard_of(words: &[&str]) -> Option<Act> {
    if !begins(words, &["ALTER", "TABLE"]) {
        return None;
    }
    let bare = |name: &str| name.trim_matches(['`', '"', ';']).to_owned();
    let (table, rest) = (bare(words.get(2)?), words.get(3..)?);
    if let [rename, index, from, to, name] = rest
        && begins(&[rename, index, to], &["RENAME", "INDEX", "TO"])
    {
        return Some(Act::RenameIndex { from: bare(from), to: bare(name) });
    }
    if begins(rest, &["CONVERT", "TO", "CHARACTER"]) || begins(rest, &["CONVERT", "TO", "CHARSET"]) {
        return Some(Act::Recollate { table });
    }
    if begins(rest, &["DETACH", "PARTITION"]) {
        let concurrently =
            rest.iter().any(|word| ["CONCURRENTLY", "FINALIZE"].iter().any(|own| is(word, own)));
        return Some(Act::Detach { table, concurrently });
    }
    None
}

/// `ALTER TABLE a COMMENT = 'words', DROP COLUMN b` without the words on the table: empty where
/// nothing is left, none where there are no words.
fn without_comment(text: &str) -> Option<String> {
    let mut words = text.trim_start();
    for _ in 0..3 {
        words = words.split_once(char::is_whitespace)?.1.trim_start();
    }
    let before = text.strip_suffix(words)?;
    let words = words.get(..7).filter(|word| word.eq_ignore_ascii_case("COMMENT")).and(words.get(7..))?;
    let words = words.trim_start();
    let words = words.strip_prefix('=').unwrap_or(words).trim_start();
    let quote = words.chars().next().filter(|first| ['\'', '"'].contains(first))?;
    let (mut escaped, mut end) = (false, None);
    let mut chars = words.char_indices().skip(1).peekable();
    while let Some((at, char)) = chars.next() {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if char == quote && chars.peek().is_some_and(|(_, next)| *next == quote) => escaped = true,
            _ if char == quote => {
                end = Some(at + char.len_utf8());
                break;
            }
            _ => {}
        }
    }
    let rest = words.get(end?..)?.trim();
    match rest.strip_prefix(',') {
        _ if rest.is_empty() || rest == ";" => Some(String::new()),
        Some(rest) => Some([before, rest.trim_start()].concat()),
        None => None,
    }
}

/// The statements of a text.
pub(crate) fn parsed(engine: &str, text: &str) -> Result<Vec<Statement>, ParserError> {
    let dialect: &dyn Dialect = match engine {
        "postgres" => &PostgreSqlDialect {},
        "mysql" => &MySqlDialect {},
        _ => &SQLiteDialect {},
    };
    let parser = Parser::new(dialect).with_recursion_limit(DEPTH).try_with_sql(text);
    parser.and_then(|mut parser| parser.parse_statements())
}

const DROPS_CONCURRENTLY: &[&str] = &["DROP", "INDEX", "CONCURRENTLY"];

fn begins(words: &[&str], wanted: &[&str]) -> bool {
    words.len() >= wanted.len() && wanted.iter().zip(words).all(|(a, b)| is(a, b))
}

fn is(word: &str, own: &str) -> bool {
    word.trim_end_matches(';').eq_ignore_ascii_case(own)
}

/// A statement in the words that the parser knows: it has not heard of `DROP INDEX CONCURRENTLY`, nor of a
/// collation where a column changes its type, which is told beside.
fn known<'t>(words: &[&str], text: &'t str) -> (Cow<'t, str>, Option<String>) {
    if begins(words, DROPS_CONCURRENTLY) {
        let kept = words.iter().enumerate().filter(|(place, _)| *place != 2).map(|(_, word)| *word);
        return (Cow::Owned(kept.collect::<Vec<&str>>().join(" ")), None);
    }
    let place = |wanted: &str| words.iter().position(|word| word.eq_ignore_ascii_case(wanted));
    match (begins(words, &["ALTER", "TABLE"]), place("TYPE"), place("COLLATE")) {
        (true, Some(ty), Some(collate)) if ty < collate => {
            let kept = words.iter().enumerate().filter(|(place, _)| !(collate..collate + 2).contains(place));
            let said = words.get(collate + 1).map(|name| collation_of(name));
            (Cow::Owned(kept.map(|(_, word)| *word).collect::<Vec<&str>>().join(" ")), said)
        }
        _ => (Cow::Borrowed(text), None),
    }
}

/// A collation as statements are compared by it.
pub(super) fn collation_of(name: &str) -> String {
    name.trim_matches(['"', '`', '\'', ';', ',']).to_ascii_lowercase()
}
