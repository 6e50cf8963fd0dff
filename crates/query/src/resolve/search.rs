//! Searches of words (`fts`, `plfts`, `phfts`, `wfts`): one meaning on every engine. A text is its
//! words, runs of what is no separator; words are equal whatever the case and the accents of their
//! letters. A query enters, a predicate of patterns over the text as it is stored leaves, so that
//! nothing beside the text has to be kept.

mod tsquery;
mod websearch;

use super::{Scope, within};
use crate::folding::{
    INDEXED_LETTERS, MARKS, SEPARATORS, fold, is_indexed, is_separator, others, separators,
};
use crate::named::{Search, SearchForm};
use crate::plan::{Candidates, ColumnRef, Pred, PredOp, Scalar, Words};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use backstay_schema::expr::Function;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// The only configuration: words as they are written.
const SIMPLE: &str = "simple";

/// Widest distance of two words in `<N>`.
const MOST_APART: usize = 9;

/// What is looked for.
#[derive(Debug, Clone, PartialEq)]
enum Wanted {
    /// Words after each other, each with its distance to the one before.
    Sequence(Vec<(usize, Word)>),
    /// All of them.
    All(Vec<Wanted>),
    /// One of them.
    Any(Vec<Wanted>),
    /// It is not there.
    Not(Box<Wanted>),
}

/// A word: its letters without case and accents.
#[derive(Debug, Clone, PartialEq)]
struct Word {
    letters: Vec<char>,
    /// It may go on.
    prefix: bool,
}

/// The predicate of a search in a text. `indexed` is the row that a read looks for: where an index has the words of
/// the text, it says which rows may have those of the query, so that no other is looked at.
pub(super) fn search(
    scalar: &Scalar,
    search: &Search,
    indexed: Option<Scope<'_, '_>>,
    limits: &Limits,
) -> Result<Pred, Fault> {
    if let Some(config) = search.config.as_deref().filter(|config| *config != SIMPLE) {
        let message = format!("text search configuration \"{config}\" does not exist");
        return Err(Fault::new(code::UNDEFINED_OBJECT, message)
            .with_hint("words are compared as they are written: say (simple), or no configuration"));
    }
    within(search.query.len(), limits.pattern_bytes, "bytes of a search")?;
    let wanted = match search.form {
        SearchForm::Plain => {
            let words = words(&search.query).into_iter().map(|word| Wanted::Sequence(vec![(1, word)]));
            all(words.collect())
        }
        SearchForm::Phrase => phrase(words(&search.query)),
        SearchForm::Web => websearch::read(&search.query),
        SearchForm::Query => tsquery::read(&search.query, limits)?,
    };
    let Some(wanted) = wanted else {
        // nothing to look for is nowhere; in no text it is unknown
        return Ok(Pred::Compare(PredOp::Ne, scalar.clone(), scalar.clone()));
    };
    let mut steps = 0;
    let pred = predicate(&wanted, scalar, &mut steps);
    within(steps, limits.pattern_steps, "steps of a search")?;
    Ok(match indexed.and_then(|scope| candidates(scope, scalar, &wanted)) {
        Some(candidates) => Pred::Candidates(Box::new(candidates)).and(pred),
        None => pred,
    })
}

/// The rows that may be found; none where no index knows.
fn candidates(scope: Scope<'_, '_>, scalar: &Scalar, wanted: &Wanted) -> Option<Candidates> {
    let Scalar::Column(ColumnRef { source, table, column }) = scalar else { return None };
    let mut indexes = scope.table.full_texts.iter();
    let index = indexes.position(|index| *table == scope.table.id && index.columns.contains(column))?;
    Some(Candidates { source: *source, table: *table, index, words: needed(wanted)? })
}

/// The words without which nothing is found; none where something may be.
fn needed(wanted: &Wanted) -> Option<Words> {
    let all = |parts: Vec<Words>| (!parts.is_empty()).then_some(Words::All(parts));
    match wanted {
        Wanted::Sequence(words) => {
            let indexed = words.iter().filter(|(_, word)| word.letters.iter().all(|c| is_indexed(*c)));
            all(indexed.map(|(_, word)| entry(word)).collect())
        }
        Wanted::All(parts) => all(parts.iter().filter_map(needed).collect()),
        Wanted::Any(parts) => parts.iter().map(needed).collect::<Option<Vec<_>>>().map(Words::Any),
        Wanted::Not(_) => None,
    }
}

/// The word as an index has it: cut where it is long.
fn entry(word: &Word) -> Words {
    let cut = word.letters.len() >= INDEXED_LETTERS;
    let letters = word.letters.iter().take(INDEXED_LETTERS).collect();
    Words::Word { letters, prefix: word.prefix || cut }
}

fn all(mut parts: Vec<Wanted>) -> Option<Wanted> {
    if parts.len() > 1 { Some(Wanted::All(parts)) } else { parts.pop() }
}

fn any(mut parts: Vec<Wanted>) -> Option<Wanted> {
    if parts.len() > 1 { Some(Wanted::Any(parts)) } else { parts.pop() }
}

/// Words right after each other; none where there is no word.
fn phrase(words: Vec<Word>) -> Option<Wanted> {
    let words: Vec<(usize, Word)> = words.into_iter().map(|word| (1, word)).collect();
    (!words.is_empty()).then_some(Wanted::Sequence(words))
}

/// The words of a text.
fn words(text: &str) -> Vec<Word> {
    let runs = text.split(is_separator);
    let letters = runs.map(|run| run.chars().filter_map(fold).collect::<Vec<char>>());
    letters.filter(|letters| !letters.is_empty()).map(|letters| Word { letters, prefix: false }).collect()
}

fn predicate(wanted: &Wanted, scalar: &Scalar, steps: &mut usize) -> Pred {
    match wanted {
        Wanted::Sequence(words) => {
            let pattern = pattern(words, steps);
            let pattern = Scalar::Bind(Value::Text(pattern), ScalarType::String);
            Pred::Text(Function::Matches, scalar.clone(), pattern)
        }
        Wanted::All(parts) => Pred::And(parts.iter().map(|part| predicate(part, scalar, steps)).collect()),
        Wanted::Any(parts) => Pred::Or(parts.iter().map(|part| predicate(part, scalar, steps)).collect()),
        Wanted::Not(inner) => Pred::Not(Box::new(predicate(inner, scalar, steps))),
    }
}

/// The pattern of words after each other.
fn pattern(words: &[(usize, Word)], steps: &mut usize) -> String {
    let separators = separators();
    let mut out = format!("(?s)(?:^|[{separators}])");
    *steps = steps.saturating_add(2 * SEPARATORS.len());
    for (index, (distance, word)) in words.iter().enumerate() {
        if index > 0 {
            out.push_str(&format!("[{separators}]+"));
            for _ in 1..*distance {
                out.push_str(&format!("[^{separators}]+[{separators}]+"));
            }
            *steps = steps.saturating_add(SEPARATORS.len().saturating_mul(2 * distance));
        }
        for letter in &word.letters {
            let others = others(*letter);
            *steps = steps.saturating_add(others.len() + 2);
            out.push('[');
            for c in std::iter::once(letter).chain(others) {
                out.push_str(&format!("\\x{{{:x}}}", u32::from(*c)));
            }
            out.push_str("][");
            out.push_str(MARKS);
            out.push_str("]*");
        }
        let last = index + 1 == words.len();
        if word.prefix && !last {
            out.push_str(&format!("[^{separators}]*"));
        } else if !word.prefix && last {
            out.push_str(&format!("(?:[{separators}]|$)"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(form: SearchForm, query: &str, text: &str) -> bool {
        let scalar = Scalar::Null(ScalarType::String);
        let wanted = Search { form, query: query.to_owned(), config: None };
        holds(&search(&scalar, &wanted, None, &Limits::default()).unwrap(), text)
    }

    fn holds(pred: &Pred, text: &str) -> bool {
        match pred {
            Pred::And(parts) => parts.iter().all(|part| holds(part, text)),
            Pred::Or(parts) => parts.iter().any(|part| holds(part, text)),
            Pred::Not(inner) => !holds(inner, text),
            Pred::Text(_, _, Scalar::Bind(Value::Text(pattern), _)) => {
                regex::Regex::new(pattern).unwrap().is_match(text)
            }
            _ => false,
        }
    }

    #[test]
    fn words_without_case_and_accents() {
        for (query, text) in [
            ("cafe", "Un CAFÉ, s'il vous plaît"),
            ("CAFÉ", "cafe"),
            ("cafe\u{301}", "café"),
            ("ångström", "ANGSTROM"),
            ("σοφος", "ΣΟΦΌΣ"),
            ("ёлка", "ЕЛКА"),
            ("i", "İ"),
            ("straße", "STRAẞE"),
            ("東京", "東京"),
            ("हिन्दी", "हिन्दी है"),
            ("it s", "it's"),
            ("a_b", "b a"),
            ("😀 smile", "smile"),
        ] {
            assert!(found(SearchForm::Plain, query, text), "{query} in {text}");
        }
        for (query, text) in
            [("cafe", "cafeteria"), ("a", ""), ("strasse", "straße"), ("a b", "a"), ("", "a"), ("...", "...")]
        {
            assert!(!found(SearchForm::Plain, query, text), "{query} in {text}");
        }
    }

    #[test]
    fn phrases_and_the_words_of_the_web() {
        assert!(found(SearchForm::Phrase, "Big cats", "the big, -- CATS"));
        assert!(!found(SearchForm::Phrase, "big cats", "cats big"));
        assert!(found(SearchForm::Phrase, "a b a", "a a b a"));
        let web = |query: &str, text: &str| found(SearchForm::Web, query, text);
        assert!(web("\"big cat\" or dog", "a dog"));
        assert!(web("big -dog", "big cat"));
        assert!(!web("big -\"big cat\"", "big cat"));
        assert!(web("well-known", "well known"));
        assert!(!web("well-known", "known well"));
        assert!(web("or or cat or", "cat"));
        assert!(!web("-", "cat"));
        assert!(web("\"open quote", "open quote"));
    }

    #[test]
    fn queries_of_operators() {
        let query = |query: &str, text: &str| found(SearchForm::Query, query, text);
        assert!(query("'fat' & 'cat'", "fat cat"));
        assert!(query("fat&(rat|cat)", "cat, fat"));
        assert!(query("!dog", "cat"));
        assert!(query("ca:*", "the catalogue"));
        assert!(query("fat <-> ca:*", "fat cats"));
        assert!(query("ca:* <-> dog", "catalogue dog"));
        assert!(!query("fat <-> cat", "fat black cat"));
        assert!(query("fat <2> cat", "fat black cat"));
        assert!(query("'big it''s' | x", "big it s"));
        assert!(query("'...' & cat", "cat"));
        let refused = |query: &str| {
            let wanted = Search { form: SearchForm::Query, query: query.to_owned(), config: None };
            let scalar = Scalar::Null(ScalarType::String);
            search(&scalar, &wanted, None, &Limits::default()).unwrap_err().code.text
        };
        for bad in ["a b", "a &", "(a", "a)", "'a", "a <-", "a <0> b", "a <10> b", "a:x", "& a", "!", "a:"] {
            assert_eq!(refused(bad), "42601", "{bad}");
        }
        assert_eq!(refused("(a|b) <-> c"), "PGRST127");
        assert_eq!(refused("a:AB"), "PGRST127");
        assert_eq!(refused(&"(".repeat(60)), "54001");
        assert_eq!(refused(&"a".repeat(257)), "54001");
    }
}
