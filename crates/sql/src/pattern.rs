//! Regular expressions of `matches` in the words of a database: taken apart by the
//! parser of the engine that defines them, written again with nothing but groups, explicit
//! classes, bounds, anchors and look-around. What cannot be said so is none.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition};
use std::fmt::Write as _;

/// What a database's expressions are like.
#[derive(Debug, Clone, Copy)]
pub struct Flavour {
    /// Start of the text.
    pub start: &'static str,
    /// End of the text.
    pub end: &'static str,
    /// Highest bound of a repetition.
    pub most: u32,
    /// Writes one character that is neither letter nor digit nor beyond ASCII.
    pub escape: fn(char, &mut String),
}

/// PostgreSQL's advanced regular expressions.
pub const ADVANCED: Flavour = Flavour {
    start: "\\A",
    end: "\\Z",
    most: 255,
    escape: |c, out| {
        let _ = write!(out, "\\u{:04x}", u32::from(c));
    },
};

/// Perl's, as PCRE and ICU read them.
pub const PERL: Flavour = Flavour {
    start: "\\A",
    end: "\\z",
    most: 1000,
    escape: |c, out| {
        let _ = write!(out, "\\x{{{:x}}}", u32::from(c));
    },
};

/// The pattern in a flavour; none where the flavour cannot say it.
#[must_use]
pub fn translate(pattern: &str, flavour: Flavour) -> Option<String> {
    let hir = regex_syntax::Parser::new().parse(pattern).ok()?;
    let mut writing = Writing { flavour, out: String::with_capacity(pattern.len() * 2) };
    writing.hir(&hir)?;
    Some(writing.out)
}

struct Writing {
    flavour: Flavour,
    out: String,
}

impl Writing {
    fn hir(&mut self, hir: &Hir) -> Option<()> {
        match hir.kind() {
            HirKind::Empty => self.out.push_str("(?:)"),
            HirKind::Literal(literal) => {
                let text = std::str::from_utf8(&literal.0).ok()?;
                text.chars().for_each(|c| self.char(c));
            }
            HirKind::Class(Class::Unicode(class)) => self.class(class, false),
            HirKind::Class(Class::Bytes(class)) => self.class(&class.to_unicode_class()?, false),
            HirKind::Look(look) => self.look(*look)?,
            HirKind::Repetition(repetition) => self.repetition(repetition)?,
            HirKind::Capture(capture) => self.group(&capture.sub)?,
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.hir(part))?,
            HirKind::Alternation(arms) => {
                self.out.push_str("(?:");
                for (index, arm) in arms.iter().enumerate() {
                    if index > 0 {
                        self.out.push('|');
                    }
                    self.hir(arm)?;
                }
                self.out.push(')');
            }
        }
        Some(())
    }

    fn group(&mut self, inner: &Hir) -> Option<()> {
        self.out.push_str("(?:");
        self.hir(inner)?;
        self.out.push(')');
        Some(())
    }

    fn repetition(&mut self, repetition: &Repetition) -> Option<()> {
        let Repetition { min, max, sub, .. } = repetition;
        let most = self.flavour.most;
        if *min > most || max.is_some_and(|max| max > most) {
            return None;
        }
        self.group(sub)?;
        match (min, max) {
            (0, None) => self.out.push('*'),
            (1, None) => self.out.push('+'),
            (0, Some(1)) => self.out.push('?'),
            (min, None) => write!(self.out, "{{{min},}}").ok()?,
            (min, Some(max)) => write!(self.out, "{{{min},{max}}}").ok()?,
        }
        Some(())
    }

    fn char(&mut self, c: char) {
        if c.is_ascii_alphanumeric() || !c.is_ascii() {
            self.out.push(c);
        } else {
            (self.flavour.escape)(c, &mut self.out);
        }
    }

    /// Text holds no NUL, and a range that begins with one need not say so.
    fn class(&mut self, class: &ClassUnicode, negated: bool) {
        let ranges: Vec<(char, char)> = class
            .iter()
            .map(|range| (range.start().max('\u{1}'), range.end()))
            .filter(|(start, end)| start <= end)
            .collect();
        if ranges.is_empty() {
            // nothing at all, or anything
            self.out.push_str(if negated { "(?:)" } else { "(?!)" });
            return;
        }
        self.out.push_str(if negated { "[^" } else { "[" });
        for (start, end) in ranges {
            self.char(start);
            if start < end {
                self.out.push('-');
                self.char(end);
            }
        }
        self.out.push(']');
    }

    fn look(&mut self, look: Look) -> Option<()> {
        let (start, end) = (self.flavour.start, self.flavour.end);
        match look {
            Look::Start => self.out.push_str(start),
            Look::End => self.out.push_str(end),
            Look::StartLF => {
                self.out.push_str("(?:");
                self.out.push_str(start);
                self.out.push_str("|(?<=");
                self.char('\n');
                self.out.push_str("))");
            }
            Look::EndLF => {
                self.out.push_str("(?:");
                self.out.push_str(end);
                self.out.push_str("|(?=");
                self.char('\n');
                self.out.push_str("))");
            }
            Look::WordUnicode => self.boundary(&word_class(true)?, true),
            Look::WordUnicodeNegate => self.boundary(&word_class(true)?, false),
            Look::WordAscii => self.boundary(&word_class(false)?, true),
            Look::WordAsciiNegate => self.boundary(&word_class(false)?, false),
            _ => return None,
        }
        Some(())
    }

    /// A word on one side alone, or on both or none.
    fn boundary(&mut self, word: &ClassUnicode, is_one: bool) {
        let arms = if is_one { [(true, false), (false, true)] } else { [(true, true), (false, false)] };
        self.out.push_str("(?:");
        for (index, (before, after)) in arms.into_iter().enumerate() {
            self.out.push_str(if index > 0 { "|" } else { "" });
            self.out.push_str(if before { "(?<=" } else { "(?<!" });
            self.class(word, false);
            self.out.push_str(if after { ")(?=" } else { ")(?!" });
            self.class(word, false);
            self.out.push(')');
        }
        self.out.push(')');
    }
}

fn word_class(unicode: bool) -> Option<ClassUnicode> {
    if !unicode {
        let ranges = [('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
        return Some(ClassUnicode::new(ranges.map(|(start, end)| ClassUnicodeRange::new(start, end))));
    }
    match regex_syntax::Parser::new().parse("\\w").ok()?.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{ADVANCED, PERL, translate};

    #[test]
    fn says_patterns_with_little() {
        let both = |pattern| (translate(pattern, ADVANCED), translate(pattern, PERL));
        let same = |text: &str| (Some(text.to_owned()), Some(text.to_owned()));
        assert_eq!(both("ab|[0-3]x*"), same("(?:ab|[0-3](?:x)*)"));
        assert_eq!(both("(?i)k"), same("[Kk\u{212a}]"));
        assert_eq!(both("^a-b$"), (Some("\\Aa\\u002db\\Z".to_owned()), Some("\\Aa\\x{2d}b\\z".to_owned())));
        assert_eq!(both("a{2,3}?(b)"), same("(?:a){2,3}(?:b)"));
        assert_eq!(translate("a{300}", ADVANCED), None);
        assert_eq!(translate("(", ADVANCED), None);
        assert_eq!(
            translate("(?-u:\\b)", PERL).unwrap(),
            "(?:(?<=[0-9A-Z\\x{5f}a-z])(?![0-9A-Z\\x{5f}a-z])|(?<![0-9A-Z\\x{5f}a-z])(?=[0-9A-Z\\x{5f}a-z]))"
        );
    }
}
