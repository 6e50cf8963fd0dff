//! Random searches of random texts against a model that knows the words of each text because it put them
//! there: the same rows on every engine.

#![cfg(test)]

mod indexed;

use backstay_testkit::seed::{cases, seeded};
use backstay_testkit::served::{Ask, Served, Setup};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// A letter of the model, and how it may be written.
const LETTERS: &[(char, &[&str])] = &[
    ('a', &["a", "A", "ä", "Á", "a\u{301}", "ǻ", "Å"]),
    ('b', &["b", "B"]),
    ('e', &["e", "É", "ê", "E\u{308}\u{301}"]),
    ('σ', &["σ", "ς", "Σ"]),
    ('и', &["и", "И", "й"]),
    ('ß', &["ß", "ẞ"]),
    ('東', &["東"]),
    ('7', &["7"]),
    ('ि', &["ि"]),
];
const SEPARATORS: &[&str] =
    &[" ", ", ", "-", "'", "_", "😀", "\n", "。", "\u{2009}", " % ", "\\", "(\"", "*", "\u{a0}«"];
const QUERIES: u64 = 60;
const TEXTS: i64 = 25;

fn word(random: &mut StdRng) -> Vec<char> {
    let length = random.random_range(1..4);
    let mut letters = Vec::new();
    for _ in 0..length {
        let known = if random.random_bool(0.7) { 3 } else { LETTERS.len() };
        letters.push(LETTERS[random.random_range(0..known)].0);
    }
    letters
}

fn written(word: &[char], random: &mut StdRng) -> String {
    let forms = |letter: &char| LETTERS.iter().find(|(known, _)| known == letter).unwrap().1;
    word.iter().map(|letter| forms(letter)[random.random_range(0..forms(letter).len())]).collect()
}

#[derive(Debug)]
enum Wanted {
    Word(Vec<char>, bool),
    Phrase(Vec<(usize, Vec<char>)>),
    All(Box<Wanted>, Box<Wanted>),
    Any(Box<Wanted>, Box<Wanted>),
    Not(Box<Wanted>),
}

impl Wanted {
    fn random(random: &mut StdRng, depth: u32) -> Self {
        let inner = |random: &mut StdRng| Box::new(Self::random(random, depth - 1));
        match random.random_range(0..if depth > 0 { 6 } else { 3 }) {
            0 | 1 => Self::Word(word(random), random.random_bool(0.3)),
            2 => {
                let count = random.random_range(2..4);
                Self::Phrase((0..count).map(|_| (random.random_range(1..3), word(random))).collect())
            }
            3 => Self::All(inner(random), inner(random)),
            4 => Self::Any(inner(random), inner(random)),
            _ => Self::Not(inner(random)),
        }
    }

    fn text(&self, random: &mut StdRng) -> String {
        match self {
            Self::Word(word, prefix) => {
                let word = written(word, random);
                let word = if random.random() { format!("'{word}'") } else { word };
                if *prefix { format!("{word}:*") } else { word }
            }
            Self::Phrase(words) => {
                let mut text = String::new();
                for (index, (distance, word)) in words.iter().enumerate() {
                    if index > 0 {
                        text.push_str(&if *distance == 1 { " <-> ".into() } else { format!("<{distance}>") });
                    }
                    text.push_str(&written(word, random));
                }
                format!("({text})")
            }
            Self::All(a, b) => format!("({} & {})", a.text(random), b.text(random)),
            Self::Any(a, b) => format!("({}|{})", a.text(random), b.text(random)),
            Self::Not(inner) => format!("!({})", inner.text(random)),
        }
    }

    fn holds(&self, words: &[Vec<char>]) -> bool {
        match self {
            Self::Word(wanted, false) => words.contains(wanted),
            Self::Word(wanted, true) => words.iter().any(|word| word.starts_with(wanted)),
            Self::Phrase(wanted) => (0..words.len()).any(|start| {
                let mut at = start;
                wanted.iter().enumerate().all(|(index, (distance, word))| {
                    at += if index > 0 { *distance } else { 0 };
                    words.get(at) == Some(word)
                })
            }),
            Self::All(a, b) => a.holds(words) && b.holds(words),
            Self::Any(a, b) => a.holds(words) || b.holds(words),
            Self::Not(inner) => !inner.holds(words),
        }
    }
}

/// Which words satisfy a filter.
type Meaning = Box<dyn Fn(&[Vec<char>]) -> bool>;

/// A filter, and what it means.
fn question(random: &mut StdRng) -> (String, Meaning) {
    let words: Vec<Vec<char>> = (0..random.random_range(0..4)).map(|_| word(random)).collect();
    let joined = |random: &mut StdRng| {
        words
            .iter()
            .map(|word| written(word, random))
            .collect::<Vec<_>>()
            .join(SEPARATORS[random.random_range(0..3)])
    };
    match random.random_range(0..5) {
        0 => {
            let text = joined(random);
            (
                format!("plfts.{text}"),
                Box::new(move |of| !words.is_empty() && words.iter().all(|word| of.contains(word))),
            )
        }
        1 => {
            let text = joined(random);
            let phrase = move |of: &[Vec<char>]| {
                !words.is_empty() && of.windows(words.len()).any(|part| part == words)
            };
            (format!("phfts(simple).{text}"), Box::new(phrase))
        }
        2 => {
            let (out, other) = (word(random), word(random));
            let all = words.iter().map(|word| written(word, random)).collect::<Vec<_>>().join(" ");
            let text = format!("wfts.{all} -{} or \"{}\"", written(&out, random), written(&other, random));
            let found = move |of: &[Vec<char>]| {
                (words.iter().all(|word| of.contains(word)) && !of.contains(&out)) || of.contains(&other)
            };
            (text, Box::new(found))
        }
        _ => {
            let wanted = Wanted::random(random, 2);
            (format!("fts.{}", wanted.text(random)), Box::new(move |of| wanted.holds(of)))
        }
    }
}

#[tokio::test]
async fn searches_find_the_words_that_are_there() {
    found("").await;
}

#[tokio::test]
async fn searches_find_them_by_an_index() {
    found("@index(kind: FULLTEXT)").await;
}

async fn found(index: &str) {
    let mut random = seeded("search", 20_261_123);
    let sdl = format!("type T @access(all: \"true\") {{ id: Int!  t: String {index} }}");
    let served = Served::start(&Setup { sdl, ..Setup::default() }).await;
    let mut texts: Vec<Vec<Vec<char>>> = Vec::new();
    let mut rows: Vec<Value> = Vec::new();
    for _ in 0..TEXTS {
        let words: Vec<Vec<char>> = (0..random.random_range(0..7)).map(|_| word(&mut random)).collect();
        let mut text = String::new();
        for word in &words {
            text.push_str(&written(word, &mut random));
            text.push_str(SEPARATORS[random.random_range(0..SEPARATORS.len())]);
        }
        rows.push(json!({ "t": text }));
        texts.push(words);
    }
    let answer = served.ask(&Ask::new("anon", "POST", "/rest/v1/t", &json!(rows).to_string())).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    for _ in 0..cases(QUERIES) {
        let (text, holds) = question(&mut random);
        let negated = random.random_bool(0.3);
        let filter = utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string().replace("%2E", ".");
        let filter = filter.replacen("fts%28simple%29.", "fts(simple).", 1);
        let target = format!("/rest/v1/t?select=id&order=id&t={}{filter}", if negated { "not." } else { "" });
        let answer = served.ask(&Ask::new("anon", "GET", &target, "")).await;
        assert_eq!(answer.status, 200, "{text} {}", answer.body);
        let found: Vec<Value> = serde_json::from_str(&answer.body).unwrap();
        let wanted = texts.iter().zip(1_i64..).filter(|(words, _)| holds(words) != negated);
        let wanted: Vec<Value> = wanted.map(|(_, id)| json!({ "id": id })).collect();
        assert_eq!(found, wanted, "{negated} {text}\n{texts:?}\n{rows:?}");
    }
}
