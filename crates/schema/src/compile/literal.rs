//! String literals of SDL, decoded with the source place of every byte, so that a
//! mistake inside a rule points into the schema file even through escapes and the
//! dedenting of block strings.

use crate::catalog::Span;

/// A text and where each of its bytes stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// The decoded text.
    pub text: String,
    /// File offset of each byte of `text`, and one more for its end.
    offsets: Vec<u32>,
    /// The whole literal with its quotes.
    pub span: Span,
}

impl Literal {
    /// Decodes the literal at `span` of `source`. `decoded` is what the SDL parser made
    /// of it; should the two differ, every byte stands at the whole literal.
    #[must_use]
    pub fn new(source: &str, span: Span, decoded: &str) -> Self {
        let start = usize::try_from(span.start).unwrap_or(0);
        let end = usize::try_from(span.end).unwrap_or(0);
        let raw = source.get(start..end).unwrap_or("");
        let is_block = raw.starts_with("\"\"\"");
        let pieces = if is_block { block(raw) } else { quoted(raw) };
        let mut text = String::with_capacity(raw.len());
        let mut offsets = Vec::with_capacity(raw.len());
        let mut after = raw.len().saturating_sub(if is_block { 3 } else { 1 });
        for (c, at) in pieces {
            let offset = u32::try_from(start + at).unwrap_or(span.start);
            offsets.extend(std::iter::repeat_n(offset, c.len_utf8()));
            text.push(c);
            if is_block {
                // blank lines at the end are no part of the text
                after = at + c.len_utf8();
            }
        }
        offsets.push(u32::try_from(start + after).unwrap_or(span.end));
        if text == decoded {
            Self { text, offsets, span }
        } else {
            Self { text: decoded.to_owned(), offsets: Vec::new(), span }
        }
    }

    /// The place in the file of a range of bytes of `text`.
    #[must_use]
    pub fn locate(&self, start: usize, end: usize) -> Span {
        let (Some(first), Some(limit)) = (self.offsets.get(start), self.offsets.get(end)) else {
            return self.span;
        };
        // after the end of a line lies the indent that dedenting took away
        let line_end = end
            .checked_sub(1)
            .filter(|last| *last >= start && self.text.as_bytes().get(*last) == Some(&b'\n'));
        let end = line_end.and_then(|at| self.offsets.get(at)).map_or(*limit, |at| at + 1);
        Span { file: self.span.file, start: *first, end: end.max(*first) }
    }
}

/// Characters of a quoted string with their offsets in `raw`.
fn quoted(raw: &str) -> Vec<(char, usize)> {
    let inner = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or("");
    let mut out = Vec::with_capacity(inner.len());
    let mut input = inner.char_indices();
    while let Some((at, c)) = input.next() {
        if c != '\\' {
            out.push((c, at + 1));
            continue;
        }
        let decoded = match input.next().map(|(_, kind)| kind) {
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('u') => {
                let digits: String = input.by_ref().take(4).map(|(_, digit)| digit).collect();
                u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
            }
            other => other,
        };
        out.extend(decoded.map(|c| (c, at + 1)));
    }
    out
}

/// Characters of a block string with their offsets in `raw`, dedented as the GraphQL
/// specification says (`BlockStringValue`).
fn block(raw: &str) -> Vec<(char, usize)> {
    let inner = raw.strip_prefix("\"\"\"").and_then(|rest| rest.strip_suffix("\"\"\"")).unwrap_or("");
    let mut lines: Vec<Vec<(char, usize)>> = vec![Vec::new()];
    let mut input = inner.char_indices().peekable();
    while let Some((at, c)) = input.next() {
        if c == '\r' || c == '\n' {
            if c == '\r' {
                input.next_if(|(_, next)| *next == '\n');
            }
            lines.push(Vec::new());
        } else if let Some(line) = lines.last_mut() {
            line.push((c, at + 3));
        }
    }
    let blank = |line: &Vec<(char, usize)>| line.iter().all(|(c, _)| matches!(c, ' ' | '\t'));
    let indent_of =
        |line: &Vec<(char, usize)>| line.iter().take_while(|(c, _)| matches!(c, ' ' | '\t')).count();
    let indent = lines.iter().skip(1).filter(|line| !blank(line)).map(indent_of).min().unwrap_or(0);
    for line in lines.iter_mut().skip(1) {
        line.drain(..indent.min(line.len()));
    }
    let first = lines.iter().position(|line| !blank(line)).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !blank(line)).map_or(0, |at| at + 1);
    let mut out: Vec<(char, usize)> = Vec::with_capacity(inner.len());
    for (index, line) in lines.iter().take(last).skip(first).enumerate() {
        if index > 0 {
            let before = out.last().map_or(3, |(c, at)| at + c.len_utf8());
            out.push(('\n', before));
        }
        out.extend(line.iter().copied());
    }
    undo_escaped_quotes(out)
}

/// `\"""` stands for `"""`.
fn undo_escaped_quotes(pieces: Vec<(char, usize)>) -> Vec<(char, usize)> {
    let mut out = Vec::with_capacity(pieces.len());
    let mut rest = pieces.as_slice();
    while let [first, tail @ ..] = rest {
        let escaped = first.0 == '\\' && tail.iter().take(3).filter(|(c, _)| *c == '"').count() == 3;
        if !escaped {
            out.push(*first);
        }
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(source: &str, decoded: &str) -> Literal {
        let span = Span { file: 0, start: 0, end: u32::try_from(source.len()).unwrap() };
        Literal::new(source, span, decoded)
    }

    fn pointed<'a>(source: &'a str, decoded: &str, needle: &str) -> &'a str {
        let literal = literal(source, decoded);
        let at = literal.text.find(needle).unwrap();
        let span = literal.locate(at, at + needle.len());
        &source[span.start as usize..span.end as usize]
    }

    #[test]
    fn points_through_escapes() {
        let source = r#""a \"b\" \u0063 == d""#;
        assert_eq!(pointed(source, "a \"b\" c == d", "d"), "d");
        assert_eq!(pointed(source, "a \"b\" c == d", "=="), "==");
    }

    #[test]
    fn points_through_block_strings() {
        let source = "\"\"\"\n    one ==\r\n      two\n  \"\"\"";
        assert_eq!(pointed(source, "one ==\n  two", "two"), "two");
        assert_eq!(pointed(source, "one ==\n  two", "one"), "one");
    }

    #[test]
    fn a_range_ends_after_its_last_character() {
        assert_eq!(pointed("\"a == 'ü'\"", "a == 'ü'", "'ü'"), "'ü'");
        assert_eq!(pointed("\"\"\"\n  a\n  b ü\n\n\"\"\"", "a\nb ü", "b ü"), "b ü");
        assert_eq!(pointed(r#""x \u0041""#, "x A", "A"), r"\u0041");
    }

    #[test]
    fn falls_back_to_the_whole_literal() {
        let found = literal("\"abc\"", "other");
        assert_eq!(found.text, "other");
        assert_eq!(found.locate(0, 3), found.span);
    }
}
