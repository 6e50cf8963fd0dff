//! `fts`: PostgreSQL's queries. `&`, `|`, `!`, `<->`, `<N>`, brackets, quoted words, `word:*`.

use super::{MOST_APART, Wanted, Word, all, any, within, words};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;

struct Reader<'t> {
    whole: &'t str,
    rest: &'t str,
    depth: usize,
    limits: &'t Limits,
}

/// A part of a query; none for one that has no word.
type Part = Result<Option<Wanted>, Fault>;

pub(super) fn read(text: &str, limits: &Limits) -> Part {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let mut reader = Reader { whole: text, rest: text, depth: 0, limits };
    let wanted = reader.any()?;
    if reader.next().is_some() { Err(reader.wrong()) } else { Ok(wanted) }
}

impl Reader<'_> {
    fn wrong(&self) -> Fault {
        Fault::new(code::SYNTAX_ERROR, format!("syntax error in tsquery: \"{}\"", self.whole))
    }

    fn next(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn eat(&mut self, sign: char) -> bool {
        let found = self.next() == Some(sign);
        if found {
            self.rest = self.rest.get(sign.len_utf8()..).unwrap_or_default();
        }
        found
    }

    fn any(&mut self) -> Part {
        self.depth += 1;
        within(self.depth, self.limits.depth, "levels of nesting")?;
        let mut parts = Vec::from_iter(self.all()?);
        while self.eat('|') {
            parts.extend(self.all()?);
        }
        self.depth -= 1;
        Ok(any(parts))
    }

    fn all(&mut self) -> Part {
        let mut parts = Vec::from_iter(self.sequence()?);
        while self.eat('&') {
            parts.extend(self.sequence()?);
        }
        Ok(all(parts))
    }

    fn sequence(&mut self) -> Part {
        let mut wanted = self.unary()?;
        while self.next() == Some('<') {
            let distance = self.distance()?;
            wanted = match (wanted, self.unary()?) {
                (Some(Wanted::Sequence(mut before)), Some(Wanted::Sequence(mut after))) => {
                    if let Some((apart, _)) = after.first_mut() {
                        *apart = distance;
                    }
                    before.append(&mut after);
                    Some(Wanted::Sequence(before))
                }
                (None, other) | (other, None) => other,
                _ => return Err(unavailable("a phrase of anything but words")),
            };
        }
        Ok(wanted)
    }

    /// `<->` or `<2>`.
    fn distance(&mut self) -> Result<usize, Fault> {
        let inside = self.rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let (inside, after) = inside.ok_or_else(|| self.wrong())?;
        let distance = if inside == "-" { Some(1) } else { inside.parse().ok() };
        let distance = distance.filter(|distance| (1..=MOST_APART).contains(distance));
        self.rest = after;
        distance.ok_or_else(|| self.wrong())
    }

    fn unary(&mut self) -> Part {
        let mut negated = false;
        while self.eat('!') {
            negated = !negated;
        }
        let inner = if self.eat('(') {
            let inner = self.any()?;
            if !self.eat(')') {
                return Err(self.wrong());
            }
            inner
        } else {
            self.word()?
        };
        Ok(inner.map(|inner| if negated { Wanted::Not(Box::new(inner)) } else { inner }))
    }

    fn word(&mut self) -> Part {
        let text = match self.next() {
            Some('\'') => self.quoted()?,
            Some(_) => {
                let end = self.rest.find(|c: char| c.is_whitespace() || "&|!()<:'".contains(c));
                let (text, after) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                self.rest = after;
                text.to_owned()
            }
            None => String::new(),
        };
        if text.is_empty() {
            return Err(self.wrong());
        }
        let prefix = self.prefix()?;
        let mut words = words(&text);
        if let Some(last) = words.last_mut() {
            last.prefix = prefix;
        }
        let words: Vec<(usize, Word)> = words.into_iter().map(|word| (1, word)).collect();
        Ok((!words.is_empty()).then_some(Wanted::Sequence(words)))
    }

    /// `'it''s'`.
    fn quoted(&mut self) -> Result<String, Fault> {
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            if c == '\'' && chars.next_if(|(_, next)| *next == '\'').is_none() {
                self.rest = self.rest.get(at + 1..).unwrap_or_default();
                return Ok(if text.is_empty() { " ".to_owned() } else { text });
            }
            text.push(c);
        }
        Err(self.wrong())
    }

    /// `:*`; weights are nothing that a text has.
    fn prefix(&mut self) -> Result<bool, Fault> {
        let Some(after) = self.rest.strip_prefix(':') else { return Ok(false) };
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '*').unwrap_or(after.len());
        let (marks, after) = after.split_at(end);
        self.rest = after;
        match marks {
            "*" => Ok(true),
            "" => Err(self.wrong()),
            marks if marks.chars().all(|c| "ABCDabcd*".contains(c)) => Err(unavailable("a weight")),
            _ => Err(self.wrong()),
        }
    }
}

fn unavailable(what: &str) -> Fault {
    Fault::new(code::NOT_IMPLEMENTED, "Feature not implemented")
        .with_details(format!("{what} is not available in a search"))
}
