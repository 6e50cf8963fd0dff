//! JSON text, normalised: no spaces, members in order of their first mention, the
//! last of equal names wins, numbers as written. Bounded in depth.

use std::collections::HashMap;
use std::fmt::Write as _;

/// Deepest nesting of a JSON value.
pub const MAX_DEPTH: usize = 128;

/// Normalises one JSON document; none when it is not JSON, too deep, or holds `\u0000`.
#[must_use]
pub fn normalise(text: &str) -> Option<String> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let mut out = String::with_capacity(text.len());
    reader.value(&mut out)?;
    reader.space();
    (reader.at == text.len()).then_some(out)
}

/// How large a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// The document and all values in it.
    pub values: usize,
    /// Levels of arrays and objects.
    pub depth: usize,
}

/// Measures normalised JSON.
#[must_use]
pub fn size(json: &str) -> Size {
    let (mut size, mut now, mut quoted, mut escaped) = (Size { values: 1, depth: 0 }, 0_usize, false, false);
    let mut before = 0;
    for byte in json.bytes() {
        if !quoted && matches!(before, b'{' | b'[') && !matches!(byte, b'}' | b']') {
            size.values += 1;
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b',' => size.values += 1,
            b'{' | b'[' => {
                now += 1;
                size.depth = size.depth.max(now);
            }
            b'}' | b']' => now = now.saturating_sub(1),
            _ => {}
        }
        before = if quoted { 0 } else { byte };
    }
    size
}

/// Appends a JSON string literal.
pub fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => {
                let written = write!(out, "\\u{:04x}", u32::from(c));
                debug_assert!(written.is_ok(), "writing to a string does not fail");
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        self.space();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn word(&mut self, word: &str, out: &mut String) -> Option<()> {
        self.text.get(self.at..)?.starts_with(word).then(|| {
            self.at += word.len();
            out.push_str(word);
        })
    }

    fn value(&mut self, out: &mut String) -> Option<()> {
        self.space();
        match self.peek()? {
            b'{' => self.nested(|reader| reader.object(out)),
            b'[' => self.nested(|reader| reader.array(out)),
            b'"' => {
                let text = self.string()?;
                write_string(&text, out);
                Some(())
            }
            b't' => self.word("true", out),
            b'f' => self.word("false", out),
            b'n' => self.word("null", out),
            _ => self.number(out),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let done = read(self);
        self.depth -= 1;
        done
    }

    fn array(&mut self, out: &mut String) -> Option<()> {
        out.push('[');
        if self.eat(b']').is_none() {
            loop {
                self.value(out)?;
                if self.eat(b',').is_none() {
                    break;
                }
                out.push(',');
            }
            self.eat(b']')?;
        }
        out.push(']');
        Some(())
    }

    fn object(&mut self, out: &mut String) -> Option<()> {
        let mut members: Vec<(String, String)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        if self.eat(b'}').is_none() {
            loop {
                self.space();
                let name = self.string()?;
                self.eat(b':')?;
                let mut value = String::new();
                self.value(&mut value)?;
                let next = members.len();
                let place = *places.entry(name.clone()).or_insert(next);
                match members.get_mut(place) {
                    Some(member) => member.1 = value,
                    None => members.push((name, value)),
                }
                if self.eat(b',').is_none() {
                    break;
                }
            }
            self.eat(b'}')?;
        }
        out.push('{');
        for (index, (name, value)) in members.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            write_string(name, out);
            out.push(':');
            out.push_str(value);
        }
        out.push('}');
        Some(())
    }

    fn digits(&mut self) -> Option<usize> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(self.at - start)
    }

    fn number(&mut self, out: &mut String) -> Option<()> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits()?;
        if leading_zero && whole > 1 {
            return None;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        out.push_str(self.text.get(start..self.at)?);
        Some(())
    }

    fn string(&mut self) -> Option<String> {
        (self.peek()? == b'"').then(|| self.at += 1)?;
        let mut out = String::new();
        loop {
            let c = self.text.get(self.at..)?.chars().next()?;
            self.at += c.len_utf8();
            match c {
                '"' => return Some(out),
                '\\' => out.push(self.escape()?),
                c if c < ' ' => return None,
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let kind = self.peek()?;
        self.at += 1;
        match kind {
            b'"' => Some('"'),
            b'\\' => Some('\\'),
            b'/' => Some('/'),
            b'b' => Some('\u{8}'),
            b'f' => Some('\u{c}'),
            b'n' => Some('\n'),
            b'r' => Some('\r'),
            b't' => Some('\t'),
            b'u' => self.unicode().filter(|c| *c != '\0'),
            _ => None,
        }
    }

    fn unicode(&mut self) -> Option<char> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        (self.text.get(self.at..)?.starts_with("\\u")).then(|| self.at += 2)?;
        let second = self.hex4().filter(|unit| (0xdc00..0xe000).contains(unit))?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        hex.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises() {
        let of = |text: &str| normalise(text);
        assert_eq!(
            of(" { \"b\" : [ 1 , 2.50, -0e+3 ], \"a\": {}, \"b\": \"\\u00e9\\/\" } "),
            Some(r#"{"b":"é/","a":{}}"#.to_owned())
        );
        assert_eq!(of("\"\\ud83d\\ude00\\n\\u0001\""), Some("\"😀\\n\\u0001\"".to_owned()));
        assert_eq!(of("[]"), Some("[]".to_owned()));
        assert_eq!(of("12345678901234567890.10"), Some("12345678901234567890.10".to_owned()));
    }

    #[test]
    fn sizes_count_values_and_levels() {
        for (text, values, depth) in [
            ("1", 1, 0),
            ("\"[,{\"", 1, 0),
            ("[]", 1, 1),
            ("{}", 1, 1),
            ("[\"]\"]", 2, 1),
            ("[1,2]", 3, 1),
            ("[[],{}]", 3, 2),
            ("{\"a\":1,\"b\":[2,3]}", 5, 2),
            ("{\"a\\\"{,\":\"\\\\\",\"b\":{\"c\":{}}}", 4, 3),
        ] {
            assert_eq!(size(text), Size { values, depth }, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_json() {
        for text in [
            "",
            " ",
            "nul",
            "01",
            "1.",
            ".5",
            "+1",
            "-",
            "1e",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "'a'",
            "[1 2]",
            "\"a",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\x\"",
            "\"\t\"",
            "1 1",
            "NaN",
            "{\"a\"}",
            "\"\\u12\"",
            "]",
            "\"\\u00+1\"",
        ] {
            assert_eq!(normalise(text), None, "{text}");
        }
        assert_eq!(normalise(&"[".repeat(100_000)), None);
        let deep = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        assert_eq!(normalise(&deep), Some(deep.clone()));
    }
}
