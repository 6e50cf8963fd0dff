//! CEL text → tokens with their places. Every byte of the text is looked at once.

use crate::cel::RuleError;
use crate::diagnostic::codes;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// The kinds of token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind {
    /// A name or word.
    Name(String),
    /// A whole number as written, without suffix.
    Int(String),
    /// A number with point or exponent as written.
    Float(String),
    /// A string, unescaped.
    Text(String),
    /// An operator or bracket.
    Symbol(&'static str),
    /// The end of the text.
    End,
}

/// Symbols, longest first.
const SYMBOLS: [&str; 22] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",", "(", ")",
    "[", "]",
];

/// Forms of other languages and what CEL writes instead.
const FOREIGN: [(&str, &str); 12] = [
    ("===", "write `==`"),
    ("!==", "write `!=`"),
    ("<>", "write `!=`"),
    ("=~", "write `text.matches(\"pattern\")`"),
    ("=>", "quantifiers are written `list.exists(x, condition)`"),
    ("**", "there is no power operator"),
    ("??", "write `a != null ? a : b`"),
    ("?.", "a path over a missing row is unknown by itself: write `.`"),
    ("->", "JSON members are written `this.meta.plan`"),
    ("::", "there are no casts"),
    ("{", "there are no maps or messages in rules"),
    ("$", "names of the caller are `auth.…`, of the row `this.…`"),
];

/// Splits a text into tokens; the last is [`TokenKind::End`].
///
/// # Errors
/// The first place that is no token.
pub fn tokens(text: &str) -> Result<Vec<Token>, RuleError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut out = Vec::new();
    loop {
        lexer.skip();
        let start = lexer.at;
        let kind = lexer.token()?;
        let done = kind == TokenKind::End;
        out.push(Token { kind, start, end: lexer.at });
        if done {
            return Ok(out);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn error(&self, start: usize, message: impl Into<String>) -> RuleError {
        RuleError::new(codes::RULE_SYNTAX, start, self.at.max(start), message)
    }

    /// White space and `//` comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with("//") {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn token(&mut self) -> Result<TokenKind, RuleError> {
        let start = self.at;
        let Some(first) = self.peek() else { return Ok(TokenKind::End) };
        if let Some(quote) = self.string_start() {
            return self.string(quote);
        }
        let dot_number = first == '.' && self.rest().chars().nth(1).is_some_and(|c| c.is_ascii_digit());
        if first.is_ascii_digit() || dot_number {
            return self.number();
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let rest = self.rest();
            let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            self.at += len;
            return Ok(TokenKind::Name(rest.get(..len).unwrap_or("").to_owned()));
        }
        for (form, help) in FOREIGN {
            if self.rest().starts_with(form) {
                self.at += form.len();
                return Err(self.error(start, format!("`{form}` is not CEL")).with_help(help));
            }
        }
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| self.rest().starts_with(**symbol)) {
            self.at += symbol.len();
            return Ok(TokenKind::Symbol(symbol));
        }
        self.at += first.len_utf8();
        let error = self.error(start, format!("`{first}` is not CEL"));
        Err(match first {
            '=' => self.error(start, "`=` compares nothing in a rule").with_help("write `==`"),
            '&' => error.with_help("write `&&`"),
            '|' => error.with_help("write `||`"),
            '“' | '”' | '‘' | '’' | '`' => {
                error.with_help("strings stand in straight quotes: 'text'")
            }
            ';' => error.with_help("a rule is one expression; join conditions with `&&`"),
            _ => error,
        })
    }

    fn number(&mut self) -> Result<TokenKind, RuleError> {
        let start = self.at;
        let rest = self.rest();
        let hex = rest.starts_with("0x") || rest.starts_with("0X");
        let mut float = false;
        let mut chars = rest.char_indices().peekable();
        let mut len = 0;
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            let exponent = !hex && matches!(c, 'e' | 'E');
            let sign = matches!(c, '+' | '-')
                && rest.get(..at).is_some_and(|before| float && before.ends_with(['e', 'E']));
            let point = c == '.' && !float && next.is_some_and(|next| next.is_ascii_digit());
            if !(c.is_ascii_alphanumeric() || c == '_' || sign || point) {
                break;
            }
            float |= point || exponent;
            len = at + c.len_utf8();
        }
        self.at += len;
        let text = rest.get(..len).unwrap_or("");
        if hex {
            let digits = text.get(2..).unwrap_or("");
            let value = i64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with(['+', '-']));
            return value
                .map(|value| TokenKind::Int(value.to_string()))
                .ok_or_else(|| self.error(start, format!("`{text}` is not a number")));
        }
        if float {
            let number = text.parse::<f64>().is_ok_and(f64::is_finite);
            return if number {
                Ok(TokenKind::Float(text.to_owned()))
            } else {
                Err(self.error(start, format!("`{text}` is not a number")))
            };
        }
        let digits = text.strip_suffix(['u', 'U']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(self.error(start, format!("`{text}` is not a number")));
        }
        Ok(TokenKind::Int(digits.to_owned()))
    }

    /// Whether a string begins here: raw or not, its closing quotes, length of the opening.
    fn string_start(&self) -> Option<(bool, &'static str, usize)> {
        let rest = self.rest();
        let prefix = rest.find(|c: char| !matches!(c, 'r' | 'R' | 'b' | 'B')).filter(|len| *len <= 2)?;
        let quotes = rest.get(prefix..)?;
        let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| quotes.starts_with(quote))?;
        let raw = rest.get(..prefix)?.contains(['r', 'R']);
        Some((raw, quote, prefix + quote.len()))
    }

    fn string(&mut self, (raw, quote, opening): (bool, &'static str, usize)) -> Result<TokenKind, RuleError> {
        let start = self.at;
        if self.rest().get(..opening).is_some_and(|prefix| prefix.contains(['b', 'B'])) {
            self.at += opening;
            return Err(self.error(start, "binary literals are not part of the rule language"));
        }
        self.at += opening;
        let mut out = String::new();
        loop {
            if self.rest().starts_with(quote) {
                self.at += quote.len();
                return Ok(TokenKind::Text(out));
            }
            let Some(c) = self.peek() else {
                return Err(self.error(start, "the string is not closed"));
            };
            self.at += c.len_utf8();
            match c {
                '\n' | '\r' if quote.len() == 1 => return Err(self.error(start, "the string is not closed")),
                '\\' if !raw => out.push(self.escape()?),
                '\0' => return Err(self.error(start, "text cannot hold a NUL")),
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, RuleError> {
        let start = self.at.saturating_sub(1);
        let kind = self.peek().ok_or_else(|| self.error(start, "the string is not closed"))?;
        self.at += kind.len_utf8();
        let decoded = match kind {
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'v' => Some('\u{b}'),
            '\\' | '\'' | '"' | '`' | '?' => Some(kind),
            'x' | 'X' => self.digits(2, 16),
            'u' => self.digits(4, 16),
            'U' => self.digits(8, 16),
            '0'..='3' => {
                self.at -= 1;
                self.digits(3, 8)
            }
            _ => None,
        };
        decoded.filter(|c| *c != '\0').ok_or_else(|| {
            self.error(start, "no such escape")
                .with_help("a backslash in a pattern is written r'\\d' or '\\\\d'")
        })
    }

    fn digits(&mut self, count: usize, radix: u32) -> Option<char> {
        let digits = self.rest().get(..count)?;
        let value =
            digits.chars().all(|c| c.is_digit(radix)).then(|| u32::from_str_radix(digits, radix).ok())??;
        self.at += count;
        char::from_u32(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        tokens(text).unwrap().into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn numbers_strings_and_comments() {
        let int = |text: &str| TokenKind::Int(text.into());
        let text = |text: &str| TokenKind::Text(text.into());
        assert_eq!(kinds("1 0x1F 7u"), [int("1"), int("31"), int("7"), TokenKind::End]);
        assert_eq!(kinds("1.5e-3"), [TokenKind::Float("1.5e-3".into()), TokenKind::End]);
        assert_eq!(kinds("1-2"), [int("1"), TokenKind::Symbol("-"), int("2"), TokenKind::End]);
        assert_eq!(
            kinds(r#"'a\'\x41' "b" r'\d' '''x'y'''"#),
            [text("a'A"), text("b"), text("\\d"), text("x'y"), TokenKind::End]
        );
        assert_eq!(kinds("// all\n1 // more"), [int("1"), TokenKind::End]);
    }

    #[test]
    fn refusals_name_the_alternative() {
        for (text, message, help) in [
            ("a = b", "`=` compares nothing in a rule", Some("write `==`")),
            ("a === b", "`===` is not CEL", Some("write `==`")),
            ("a <> b", "`<>` is not CEL", Some("write `!=`")),
            ("a & b", "`&` is not CEL", Some("write `&&`")),
            ("'a", "the string is not closed", None),
            ("'a\nb'", "the string is not closed", None),
            ("1x", "`1x` is not a number", None),
            ("0x", "`0x` is not a number", None),
            ("1e", "`1e` is not a number", None),
            ("1e999", "`1e999` is not a number", None),
            ("b'x'", "binary literals are not part of the rule language", None),
            ("'\\q'", "no such escape", Some("a backslash in a pattern is written r'\\d' or '\\\\d'")),
            ("'\\u12'", "no such escape", Some("a backslash in a pattern is written r'\\d' or '\\\\d'")),
            ("{}", "`{` is not CEL", Some("there are no maps or messages in rules")),
            ("ä", "`ä` is not CEL", None),
        ] {
            let error = tokens(text).unwrap_err();
            assert_eq!((error.message.as_str(), error.help.as_deref()), (message, help), "{text}");
        }
    }
}
