//! Conditions of CHECKs as databases print them, read into one form: enough to say them in
//! the schema language, and to see that two of them are the same. What is not understood
//! is none.

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Compare(&'static str, Operand, Operand),
    In(Operand, Vec<Operand>),
    IsNull(Operand),
    /// The text of a column is JSON.
    Json(String),
    /// A boolean column.
    Holds(Operand),
}

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operand {
    Column(String),
    /// How many characters a column has.
    Characters(String),
    Text(String),
    /// Without zeros that say nothing.
    Number(String),
    Bool(bool),
}

/// Reads a condition.
pub(crate) fn read(text: &str) -> Option<Condition> {
    let tokens = tokens(text)?;
    let mut reader = Reader { tokens: &tokens, at: 0 };
    let condition = reader.any()?;
    (reader.at == tokens.len()).then_some(condition)
}

/// Reads a literal, as defaults are.
pub(crate) fn literal(text: &str) -> Option<Operand> {
    let tokens = tokens(text)?;
    let mut reader = Reader { tokens: &tokens, at: 0 };
    let operand = reader.operand()?;
    let is_literal = matches!(operand, Operand::Text(_) | Operand::Number(_) | Operand::Bool(_));
    (is_literal && reader.at == tokens.len()).then_some(operand)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Name(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

const SIGNS: &[&str] = &["::", "<>", "!=", ">=", "<=", "=", "<", ">", "(", ")", ",", "[", "]", "-"];

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '\'' => quoted(rest, '\'').map(|(text, after)| (Token::Text(text), after))?,
            '"' | '`' => quoted(rest, first).map(|(text, after)| (Token::Name(text), after))?,
            '0'..='9' => {
                let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
                (Token::Number(plain_number(rest.get(..end)?)), rest.get(end..)?)
            }
            c if c.is_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
                let end = end.unwrap_or(rest.len());
                (Token::Word(rest.get(..end)?.to_owned()), rest.get(end..)?)
            }
            _ => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
                (Token::Sign(sign), rest.get(sign.len()..)?)
            }
        };
        found.push(token);
        rest = after.trim_start();
    }
    Some(found)
}

/// What stands between a pair of quotes, doubled ones within.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            out.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            out.push(quote);
        } else {
            return Some((out, text.get(at + 1..)?));
        }
    }
    None
}

fn plain_number(text: &str) -> String {
    let Some((whole, part)) = text.split_once('.') else { return text.to_owned() };
    let part = part.trim_end_matches('0');
    if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") }
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(is);
        is
    }

    fn word(&mut self, word: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(is);
        is
    }

    fn any(&mut self) -> Option<Condition> {
        let mut all = vec![self.all()?];
        while self.word("or") {
            all.push(self.all()?);
        }
        Some(if all.len() == 1 { all.remove(0) } else { Condition::Or(all) })
    }

    fn all(&mut self) -> Option<Condition> {
        let mut all = flat(self.one()?);
        while self.word("and") {
            all.extend(flat(self.one()?));
        }
        Some(if all.len() == 1 { all.remove(0) } else { Condition::And(all) })
    }

    fn one(&mut self) -> Option<Condition> {
        if self.word("not") {
            return Some(Condition::Not(Box::new(self.one()?)));
        }
        let start = self.at;
        if self.sign("(")
            && let Some(inner) = self.any()
            && self.sign(")")
            && !matches!(self.peek(), Some(Token::Sign("::" | "=" | "<>" | "!=" | ">=" | "<=" | "<" | ">")))
        {
            return Some(inner);
        }
        self.at = start;
        self.comparison()
    }

    fn comparison(&mut self) -> Option<Condition> {
        if self.word("json_valid") {
            return match self.sign("(").then(|| self.operand())?? {
                Operand::Column(name) if self.sign(")") => Some(Condition::Json(name)),
                _ => None,
            };
        }
        let left = self.operand()?;
        if self.word("is") {
            let not = self.word("not");
            let null = self.word("null").then_some(Condition::IsNull(left))?;
            return Some(if not { Condition::Not(Box::new(null)) } else { null });
        }
        if self.word("between") {
            let low = self.operand()?;
            let high = self.word("and").then(|| self.operand())??;
            let low = Condition::Compare(">=", left.clone(), low);
            return Some(Condition::And(vec![low, Condition::Compare("<=", left, high)]));
        }
        let not = self.word("not");
        if self.word("in") {
            let list = Condition::In(left, self.list("(", ")")?);
            return Some(if not { Condition::Not(Box::new(list)) } else { list });
        }
        for (sign, plain) in
            [("<>", "<>"), ("!=", "<>"), (">=", ">="), ("<=", "<="), ("=", "="), ("<", "<"), (">", ">")]
        {
            if !self.sign(sign) {
                continue;
            }
            if sign == "=" && self.word("any") {
                return self.array().map(|list| Condition::In(left, list));
            }
            return Some(Condition::Compare(plain, left, self.operand()?));
        }
        matches!(left, Operand::Column(_)).then_some(Condition::Holds(left))
    }

    /// `(ARRAY['a'::text, 'b'::text])`, with casts where PostgreSQL likes them.
    fn array(&mut self) -> Option<Vec<Operand>> {
        self.sign("(").then_some(())?;
        let inner = self.sign("(");
        let list = self.word("array").then(|| self.list("[", "]"))??;
        if inner {
            self.sign(")").then_some(())?;
        }
        self.casts();
        self.sign(")").then_some(())?;
        Some(list)
    }

    fn list(&mut self, open: &str, close: &str) -> Option<Vec<Operand>> {
        self.sign(open).then_some(())?;
        let mut all = vec![self.operand()?];
        while self.sign(",") {
            all.push(self.operand()?);
        }
        self.sign(close).then_some(all)
    }

    fn operand(&mut self) -> Option<Operand> {
        let operand = self.bare()?;
        self.casts();
        Some(operand)
    }

    /// `::character varying(20)`, `::text[]`
    fn casts(&mut self) {
        while self.sign("::") {
            while matches!(self.peek(), Some(Token::Word(word)) if !is_keyword(word)) {
                self.at += 1;
            }
            for (open, close) in [("(", ")"), ("[", "]")] {
                if self.sign(open) {
                    while self.peek().is_some() && !self.sign(close) {
                        self.at += 1;
                    }
                }
            }
        }
    }

    fn bare(&mut self) -> Option<Operand> {
        if self.sign("(") {
            let inner = self.operand()?;
            return self.sign(")").then_some(inner);
        }
        if self.sign("-") {
            return match self.bare()? {
                Operand::Number(number) => Some(Operand::Number(format!("-{number}"))),
                _ => None,
            };
        }
        let token = self.peek()?.clone();
        self.at += 1;
        Some(match token {
            Token::Name(name) => Operand::Column(name),
            Token::Text(text) => Operand::Text(text),
            Token::Number(number) => Operand::Number(number),
            Token::Sign(_) => return None,
            Token::Word(word) => match word.to_ascii_lowercase().as_str() {
                "true" => Operand::Bool(true),
                "false" => Operand::Bool(false),
                "length" | "char_length" | "character_length" => {
                    match self.sign("(").then(|| self.operand())?? {
                        Operand::Column(name) if self.sign(")") => Operand::Characters(name),
                        _ => return None,
                    }
                }
                // MySQL says in which character set a text is
                "_utf8mb4" | "_utf8mb3" | "_latin1" => return self.bare(),
                lower if is_keyword(lower) => return None,
                _ if self.peek() == Some(&Token::Sign("(")) => return None,
                _ => Operand::Column(word),
            },
        })
    }
}

fn is_keyword(word: &str) -> bool {
    ["and", "or", "not", "is", "in", "null", "between", "any", "array", "like", "case"]
        .iter()
        .any(|keyword| word.eq_ignore_ascii_case(keyword))
}

fn flat(condition: Condition) -> Vec<Condition> {
    match condition {
        Condition::And(all) => all,
        other => vec![other],
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, Operand, literal, read};

    #[test]
    fn three_databases_say_one_thing() {
        for texts in [
            [
                "\"state\" IN ('A', 'B')",
                "(state = ANY (ARRAY['A'::text, 'B'::text]))",
                "`state` in ('A','B')",
            ],
            [
                "price BETWEEN 0 AND 1.50",
                "((price >= (0)::numeric) AND (price <= 1.5))",
                "`price` >= 0.00 and `price` <= 1.50",
            ],
            [
                "length(\"a\") <= 3 OR b IS NOT NULL",
                "((length(a) <= 3) OR (b IS NOT NULL))",
                "char_length(`a`) <= 3 or `b` is not null",
            ],
            [
                "(\"state\" IN ('A'))",
                "(((state)::text = ANY ((ARRAY['A'::character varying])::text[])))",
                "`state` in (_utf8mb4'A')",
            ],
        ] {
            let [first, second, third] = texts.map(read);
            assert!(first.is_some(), "{texts:?}");
            assert_eq!(first, second, "{texts:?}");
            assert_eq!(first, third, "{texts:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_none() {
        for text in ["lower(a) = 'x'", "a LIKE 'x%'", "a = b + 1", "a = (SELECT 1)", "", "a = 'x", "a IN ()"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(literal("'it''s'::text"), Some(Operand::Text("it's".into())));
        assert_eq!(literal("now()"), None);
        assert_eq!(
            read("NOT flag"),
            Some(Condition::Not(Box::new(Condition::Holds(Operand::Column("flag".into())))))
        );
    }
}
