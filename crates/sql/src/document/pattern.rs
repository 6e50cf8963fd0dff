//! Containment of documents as a pattern, for a database that keeps documents as text and has the patterns
//! of Perl, but no containment that agrees with `jsonb`. The pattern of a document matches the text of every
//! document that contains it, or that it contains: a value of a statement, so that the text stays the same.
//!
//! Spaces, escapes and the last of equal members are read as JSON has them. Numbers are met by value in every
//! notation, but for more than [`ZEROS`] superfluous zeros beside an exponent.

use super::Document;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Longest pattern: databases compile it into 64 kilobytes.
pub const PATTERN_BYTES: usize = 24_000;
/// Zeros that a number may have beside an exponent and does not need.
const ZEROS: i64 = 8;
/// Longest run of zeros that a number is looked for with instead of an exponent.
const LONGEST: i64 = 1_000;

/// A string `s`, any value `v` and a member `m`, none of which is read in two ways.
const GRAMMAR: &str = "(?(DEFINE)(?<s>\"(?>[^\"\\\\]+|\\\\.)*+\")\
(?<v>(?>(?&s)|\\[\\s*+(?:(?&v)\\s*+(?:,\\s*+(?&v)\\s*+)*+)?\\]|\\{\\s*+(?:(?&m)(?:,\\s*+(?&m))*+)?\\}|[-+.0-9A-Za-z]++))\
(?<m>(?>(?&s)\\s*+:\\s*+(?&v)\\s*+)))";

/// Matches documents that contain this one; none where it would be too long.
#[must_use]
pub fn containing(part: &Document) -> Option<String> {
    let mut writing = Writing::default();
    match part {
        // an array contains a single value, at the top alone
        Document::Plain(_) | Document::Text(_) => {
            writing.out.push_str("(?:");
            writing.holding(part);
            writing.out.push('|');
            writing.holding(&Document::List(vec![part.clone()]));
            writing.out.push(')');
        }
        Document::List(_) | Document::Object(_) => writing.holding(part),
    }
    writing.finish()
}

/// Matches documents that this one contains; none where it would be too long.
#[must_use]
pub fn contained(whole: &Document) -> Option<String> {
    let mut writing = Writing::default();
    writing.out.push_str("(?:");
    writing.held(whole);
    if let Document::List(items) = whole {
        for item in items.iter().filter(|item| matches!(item, Document::Plain(_) | Document::Text(_))) {
            writing.out.push('|');
            writing.held(item);
        }
    }
    writing.out.push(')');
    writing.finish()
}

/// Matches the text of this plain value, whatever its number is written as; none where it would be too long.
#[must_use]
pub fn plain(text: &str) -> Option<String> {
    let mut writing = Writing::default();
    writing.plain(text);
    let pattern = ["\\A", &writing.out, "\\z"].concat();
    (pattern.len() <= PATTERN_BYTES).then_some(pattern)
}

#[derive(Default)]
struct Writing {
    out: String,
}

impl Writing {
    fn finish(self) -> Option<String> {
        let pattern = ["\\A", GRAMMAR, "\\s*+", &self.out, "\\s*+\\z"].concat();
        (pattern.len() <= PATTERN_BYTES).then_some(pattern)
    }

    /// A whole value that contains this one.
    fn holding(&mut self, part: &Document) {
        match part {
            Document::Plain(text) => self.plain(text),
            Document::Text(text) => self.string(text),
            Document::List(items) => {
                self.out.push_str("(?=\\[)");
                for item in items {
                    self.out.push_str("(?=\\[\\s*+(?:(?&v)\\s*+,\\s*+)*?");
                    self.holding(item);
                    self.out.push_str("\\s*+[,\\]])");
                }
                self.out.push_str("(?&v)");
            }
            Document::Object(members) => {
                self.out.push_str("(?=\\{)");
                for (name, part) in members {
                    self.out.push_str("(?=\\{\\s*+(?:(?&m),\\s*+)*?");
                    self.name(name);
                    self.holding(part);
                    self.out.push_str("\\s*+");
                    self.not_again(name);
                    self.out.push_str("[,}])");
                }
                self.out.push_str("(?&v)");
            }
        }
    }

    /// A whole value that is contained in this one.
    fn held(&mut self, whole: &Document) {
        match whole {
            Document::Plain(text) => self.plain(text),
            Document::Text(text) => self.string(text),
            Document::List(items) => {
                self.out.push_str("\\[\\s*+");
                self.several(items.len(), |writing, index| {
                    if let Some(item) = items.get(index) {
                        writing.held(item);
                    }
                });
                self.out.push_str("\\]");
            }
            Document::Object(members) => self.held_object(members),
        }
    }

    fn held_object(&mut self, members: &BTreeMap<String, Document>) {
        let members: Vec<(&String, &Document)> = members.iter().collect();
        self.out.push_str("\\{\\s*+");
        self.several(members.len(), |writing, index| {
            let Some((name, whole)) = members.get(index) else { return };
            writing.name(name);
            writing.out.push_str("(?:");
            writing.held(whole);
            // one that is overruled by a later one of its name
            writing.out.push_str("|(?&v)(?!\\s*+");
            writing.not_again(name);
            writing.out.push_str("[,}]))");
        });
        self.out.push_str("\\}");
    }

    /// Any number of elements, each one of `count` alternatives; commas between them.
    fn several(&mut self, count: usize, mut alternative: impl FnMut(&mut Self, usize)) {
        if count == 0 {
            return;
        }
        self.out.push_str("(?:(?:");
        for index in 0..count {
            if index > 0 {
                self.out.push('|');
            }
            alternative(self, index);
        }
        // after a comma there is another, before the end there is none
        self.out.push_str(")\\s*+(?:,\\s*+(?!\\s*[\\]}])|(?=[\\]}])))*");
    }

    /// `"name":`
    fn name(&mut self, name: &str) {
        self.string(name);
        self.out.push_str("\\s*+:\\s*+");
    }

    /// Before a comma or the end: no later member has this name.
    fn not_again(&mut self, name: &str) {
        self.out.push_str("(?!,\\s*+(?:(?&m),\\s*+)*?");
        self.string(name);
        self.out.push_str("\\s*+:)");
    }

    /// A string, however its characters are escaped.
    fn string(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            self.character(c);
        }
        self.out.push('"');
    }

    fn character(&mut self, c: char) {
        self.out.push_str("(?:");
        let short = match c {
            '"' | '/' => Some(c),
            '\\' => Some('\\'),
            '\n' => Some('n'),
            '\r' => Some('r'),
            '\t' => Some('t'),
            '\u{8}' => Some('b'),
            '\u{c}' => Some('f'),
            _ => None,
        };
        if let Some(short) = short {
            let _ = write!(self.out, "\\\\\\x{{{:x}}}|", u32::from(short));
        }
        if c.is_alphanumeric() {
            self.out.push(c);
            self.out.push('|');
        } else if !matches!(c, '"' | '\\') && c >= ' ' {
            let _ = write!(self.out, "\\x{{{:x}}}|", u32::from(c));
        }
        let mut units = [0_u16; 2];
        for unit in c.encode_utf16(&mut units) {
            self.out.push_str("\\\\u");
            for digit in format!("{unit:04x}").chars() {
                if digit.is_ascii_digit() {
                    self.out.push(digit);
                } else {
                    let _ = write!(self.out, "[{digit}{}]", digit.to_ascii_uppercase());
                }
            }
        }
        self.out.push(')');
    }

    /// `null`, `true`, `false`, or a number of this value: digits without zeros around them, and the power
    /// of ten after them.
    fn plain(&mut self, text: &str) {
        let negative = text.strip_prefix('-');
        let Some((digits, power)) = negative.unwrap_or(text).split_once('e').filter(|_| is_number(text))
        else {
            let zero = "-?+0(?:\\.0++)?+(?:[eE][-+]?+[0-9]++)?+";
            self.out.push_str(if text == "0" { zero } else { text });
            return;
        };
        let power: i64 = power.parse().unwrap_or(0);
        self.out.push_str(if negative.is_some() { "-(?:" } else { "(?:" });
        if power.abs() <= LONGEST {
            self.mantissa(digits, power);
            self.out.push('|');
        }
        let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        for (index, moved) in (-length - ZEROS..=ZEROS).enumerate() {
            if index > 0 {
                self.out.push('|');
            }
            self.mantissa(digits, moved);
            let exponent = power - moved;
            let sign = match exponent.signum() {
                1 => "[eE]\\+?+0*+",
                0 => "[eE][-+]?+0*+",
                _ => "[eE]-0*+",
            };
            // the last of zeros is the number
            let sign = if exponent == 0 { sign.replace("0*+", "0*") } else { sign.to_owned() };
            let _ = write!(self.out, "{sign}{}", exponent.unsigned_abs());
        }
        self.out.push(')');
    }

    /// These digits with a power of ten, written without an exponent.
    fn mantissa(&mut self, digits: &str, power: i64) {
        let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        let written = if power >= 0 {
            write!(self.out, "{digits}0{{{power}}}(?:\\.0++)?+")
        } else if power > -length {
            let point = usize::try_from(length + power).unwrap_or(0);
            let (whole, fraction) = digits.split_at_checked(point).unwrap_or((digits, ""));
            write!(self.out, "{whole}\\.{fraction}0*+")
        } else {
            write!(self.out, "0\\.0{{{}}}{digits}0*+", -length - power)
        };
        debug_assert!(written.is_ok(), "writing to a string does not fail");
    }
}

fn is_number(text: &str) -> bool {
    text.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit())
}
