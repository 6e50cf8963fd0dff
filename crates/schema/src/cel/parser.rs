//! Tokens → [`Syntax`], by operator precedence. Depth, parts and length are bounded,
//! so that no text overflows the stack; chains of `&&` and `||` become balanced trees.

use crate::cel::lexer::{Token, TokenKind, tokens};
use crate::cel::syntax::{BinaryOp, Syntax, SyntaxKind, Word};
use crate::cel::{MAX_RULE_BYTES, MAX_RULE_DEPTH, MAX_RULE_NODES, RuleError};
use crate::diagnostic::codes;

/// Reads one rule.
///
/// # Errors
/// The first place that is not CEL, or the limit that is passed.
pub fn parse(text: &str) -> Result<Syntax, RuleError> {
    if text.len() > MAX_RULE_BYTES {
        let message = format!("the rule has more than {MAX_RULE_BYTES} bytes");
        return Err(RuleError::new(codes::TOO_LONG, 0, text.len(), message));
    }
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens, at: 0, nodes: 0, depth: 0 };
    if parser.kind() == &TokenKind::End {
        return Err(RuleError::new(codes::RULE_SYNTAX, 0, text.len(), "the rule is empty")
            .with_help("write `true` for everyone or `false` for no one"));
    }
    let syntax = parser.expression()?;
    match parser.kind() {
        TokenKind::End => Ok(syntax),
        _ => Err(parser.unexpected("an operator or the end of the rule")),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    nodes: usize,
    depth: usize,
}

const END: Token = Token { kind: TokenKind::End, start: 0, end: 0 };

impl Parser {
    fn token(&self) -> &Token {
        self.tokens.get(self.at).or(self.tokens.last()).unwrap_or(&END)
    }

    fn kind(&self) -> &TokenKind {
        &self.token().kind
    }

    fn end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.end)
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = matches!(self.kind(), TokenKind::Symbol(found) if *found == symbol);
        self.at += usize::from(found);
        found
    }

    fn need(&mut self, symbol: &str) -> Result<(), RuleError> {
        if self.take(symbol) { Ok(()) } else { Err(self.unexpected(&format!("`{symbol}`"))) }
    }

    fn unexpected(&self, wanted: &str) -> RuleError {
        let token = self.token();
        let found = match &token.kind {
            TokenKind::Name(name) => format!("`{name}`"),
            TokenKind::Int(text) | TokenKind::Float(text) => format!("`{text}`"),
            TokenKind::Text(_) => "a string".to_owned(),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
            TokenKind::End => "the end of the rule".to_owned(),
        };
        let error = RuleError::new(
            codes::RULE_SYNTAX,
            token.start,
            token.end,
            format!("expected {wanted}, found {found}"),
        );
        let help = match &token.kind {
            TokenKind::Name(name) => foreign_word(name),
            TokenKind::Int(_)
            | TokenKind::Float(_)
            | TokenKind::Text(_)
            | TokenKind::Symbol(_)
            | TokenKind::End => None,
        };
        match help {
            Some(help) => error.with_help(help),
            None => error,
        }
    }

    fn node(&mut self, kind: SyntaxKind, start: usize, below: usize) -> Result<Syntax, RuleError> {
        self.nodes += 1;
        let end = self.end();
        let depth = below + 1;
        if self.nodes > MAX_RULE_NODES {
            let message = format!("the rule has more than {MAX_RULE_NODES} parts");
            return Err(RuleError::new(codes::TOO_LONG, start, end, message));
        }
        if depth > MAX_RULE_DEPTH {
            return Err(too_deep(start, end));
        }
        Ok(Syntax { kind, start, end, depth })
    }

    fn expression(&mut self) -> Result<Syntax, RuleError> {
        self.depth += 1;
        if self.depth > MAX_RULE_DEPTH {
            return Err(too_deep(self.token().start, self.token().end));
        }
        let condition = self.binary(1)?;
        let out = if self.take("?") {
            let yes = self.expression()?;
            self.need(":")?;
            let no = self.expression()?;
            let below = condition.depth.max(yes.depth).max(no.depth);
            let start = condition.start;
            self.node(SyntaxKind::If(Box::new(condition), Box::new(yes), Box::new(no)), start, below)?
        } else {
            condition
        };
        self.depth -= 1;
        Ok(out)
    }

    fn operator(&self) -> Option<BinaryOp> {
        match self.kind() {
            TokenKind::Name(name) if name == "in" => Some(BinaryOp::In),
            TokenKind::Symbol(symbol) => [
                BinaryOp::Or,
                BinaryOp::And,
                BinaryOp::Eq,
                BinaryOp::Ne,
                BinaryOp::Lt,
                BinaryOp::Le,
                BinaryOp::Gt,
                BinaryOp::Ge,
                BinaryOp::Add,
                BinaryOp::Sub,
                BinaryOp::Mul,
                BinaryOp::Div,
                BinaryOp::Rem,
            ]
            .into_iter()
            .find(|op| op.symbol() == *symbol),
            TokenKind::Name(_)
            | TokenKind::Int(_)
            | TokenKind::Float(_)
            | TokenKind::Text(_)
            | TokenKind::End => None,
        }
    }

    /// Operators that bind at least so strongly; the depth of the recursion is the number of strengths.
    fn binary(&mut self, least: u8) -> Result<Syntax, RuleError> {
        let mut left = self.unary()?;
        while let Some(op) = self.operator().filter(|op| op.strength() >= least) {
            if matches!(op, BinaryOp::And | BinaryOp::Or) {
                let mut terms = vec![left];
                while self.operator() == Some(op) {
                    self.at += 1;
                    terms.push(self.binary(op.strength() + 1)?);
                }
                left = self.balanced(op, terms)?;
            } else {
                self.at += 1;
                let right = self.binary(op.strength() + 1)?;
                left = self.pair(op, left, right)?;
            }
        }
        Ok(left)
    }

    fn pair(&mut self, op: BinaryOp, left: Syntax, right: Syntax) -> Result<Syntax, RuleError> {
        let (start, end, below) = (left.start, right.end, left.depth.max(right.depth));
        let mut node = self.node(SyntaxKind::Binary(op, Box::new(left), Box::new(right)), start, below)?;
        node.end = end;
        Ok(node)
    }

    /// `&&` and `||` are associative also with unknowns, so a chain needs no deep tree.
    fn balanced(&mut self, op: BinaryOp, mut terms: Vec<Syntax>) -> Result<Syntax, RuleError> {
        while terms.len() > 1 {
            let mut next = Vec::with_capacity(terms.len().div_ceil(2));
            let mut rest = terms.into_iter();
            while let Some(left) = rest.next() {
                next.push(match rest.next() {
                    Some(right) => self.pair(op, left, right)?,
                    None => left,
                });
            }
            terms = next;
        }
        terms.pop().ok_or_else(|| self.unexpected("an expression"))
    }

    fn unary(&mut self) -> Result<Syntax, RuleError> {
        let start = self.token().start;
        let not = self.take("!");
        if !not && !self.take("-") {
            return self.postfix();
        }
        self.depth += 1;
        if self.depth > MAX_RULE_DEPTH {
            return Err(too_deep(start, self.end()));
        }
        let inner = self.unary()?;
        self.depth -= 1;
        let below = inner.depth;
        let inner = Box::new(inner);
        self.node(if not { SyntaxKind::Not(inner) } else { SyntaxKind::Negate(inner) }, start, below)
    }

    fn postfix(&mut self) -> Result<Syntax, RuleError> {
        let start = self.token().start;
        let mut left = self.primary()?;
        loop {
            if self.take(".") {
                let word = self.member_name()?;
                let below = left.depth;
                if self.take("(") {
                    let args = self.arguments(")")?;
                    let below = args.iter().map(|arg| arg.depth).fold(below, usize::max);
                    left = self.node(SyntaxKind::Call(Some(Box::new(left)), word, args), start, below)?;
                } else {
                    left = self.node(SyntaxKind::Member(Box::new(left), word), start, below)?;
                }
            } else if self.take("[") {
                let index = self.expression()?;
                self.need("]")?;
                let below = left.depth.max(index.depth);
                left = self.node(SyntaxKind::Index(Box::new(left), Box::new(index)), start, below)?;
            } else {
                return Ok(left);
            }
        }
    }

    fn member_name(&mut self) -> Result<Word, RuleError> {
        let token = self.token();
        match &token.kind {
            TokenKind::Name(name) if !matches!(name.as_str(), "in" | "true" | "false" | "null") => {
                let word = Word { text: name.clone(), start: token.start, end: token.end };
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.unexpected("a name after `.`")),
        }
    }

    /// Expressions up to the closing bracket; a comma after the last is allowed in lists.
    fn arguments(&mut self, closing: &str) -> Result<Vec<Syntax>, RuleError> {
        let mut out = Vec::new();
        while !self.take(closing) {
            out.push(self.expression()?);
            if !self.take(",") {
                self.need(closing)?;
                break;
            }
            if closing == ")" && matches!(self.kind(), TokenKind::Symbol(")")) {
                return Err(self.unexpected("an argument"));
            }
        }
        Ok(out)
    }

    fn primary(&mut self) -> Result<Syntax, RuleError> {
        let token = self.token().clone();
        let start = token.start;
        let kind = match token.kind {
            TokenKind::Int(text) => SyntaxKind::Int(text),
            TokenKind::Float(text) => SyntaxKind::Float(text),
            TokenKind::Text(text) => SyntaxKind::Text(text),
            TokenKind::Name(name) => return self.name(name, start, token.end),
            TokenKind::Symbol("(") => {
                self.at += 1;
                let inner = self.expression()?;
                self.need(")")?;
                return Ok(inner);
            }
            TokenKind::Symbol("[") => {
                self.at += 1;
                let items = self.arguments("]")?;
                let below = items.iter().map(|item| item.depth).fold(0, usize::max);
                return self.node(SyntaxKind::List(items), start, below);
            }
            TokenKind::Symbol(_) | TokenKind::End => return Err(self.unexpected("an expression")),
        };
        self.at += 1;
        self.node(kind, start, 0)
    }

    fn name(&mut self, name: String, start: usize, end: usize) -> Result<Syntax, RuleError> {
        let kind = match name.as_str() {
            "null" => SyntaxKind::Null,
            "true" => SyntaxKind::Bool(true),
            "false" => SyntaxKind::Bool(false),
            "in" | "as" | "break" | "const" | "continue" | "else" | "for" | "function" | "if" | "import"
            | "let" | "loop" | "package" | "namespace" | "return" | "var" | "void" | "while" => {
                return Err(self.unexpected("an expression"));
            }
            _ => SyntaxKind::Name(name.clone()),
        };
        self.at += 1;
        if matches!(kind, SyntaxKind::Name(_)) && self.take("(") {
            let args = self.arguments(")")?;
            let below = args.iter().map(|arg| arg.depth).fold(0, usize::max);
            return self.node(SyntaxKind::Call(None, Word { text: name, start, end }, args), start, below);
        }
        self.node(kind, start, 0)
    }
}

fn too_deep(start: usize, end: usize) -> RuleError {
    RuleError::new(codes::TOO_DEEP, start, end, format!("the rule nests deeper than {MAX_RULE_DEPTH} levels"))
        .with_help("name parts of it with `@rule`")
}

/// Words of other languages and what CEL writes instead.
fn foreign_word(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "and" => Some("write `&&`"),
        "or" => Some("write `||`"),
        "not" => Some("write `!`"),
        "is" => Some("write `== null` or `!= null`"),
        "like" | "ilike" => Some("write `text.contains('part')`, `startsWith` or `endsWith`"),
        "between" => Some("write `a <= x && x <= b`"),
        "if" | "then" | "else" => Some("write `condition ? a : b`"),
        "none" | "nil" | "undefined" => Some("write `null`"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree in fully bracketed form.
    fn shown(syntax: &Syntax) -> String {
        let list = |items: &[Syntax]| items.iter().map(shown).collect::<Vec<_>>().join(", ");
        match &syntax.kind {
            SyntaxKind::Null => "null".to_owned(),
            SyntaxKind::Bool(value) => value.to_string(),
            SyntaxKind::Int(text) | SyntaxKind::Float(text) => text.clone(),
            SyntaxKind::Text(text) => format!("'{text}'"),
            SyntaxKind::List(items) => format!("[{}]", list(items)),
            SyntaxKind::Name(name) => name.clone(),
            SyntaxKind::Member(of, word) => format!("{}.{}", shown(of), word.text),
            SyntaxKind::Index(of, at) => format!("{}[{}]", shown(of), shown(at)),
            SyntaxKind::Call(None, word, args) => format!("{}({})", word.text, list(args)),
            SyntaxKind::Call(Some(of), word, args) => format!("{}.{}({})", shown(of), word.text, list(args)),
            SyntaxKind::Not(of) => format!("!{}", shown(of)),
            SyntaxKind::Negate(of) => format!("-{}", shown(of)),
            SyntaxKind::Binary(op, a, b) => format!("({} {} {})", shown(a), op.symbol(), shown(b)),
            SyntaxKind::If(c, a, b) => format!("({} ? {} : {})", shown(c), shown(a), shown(b)),
        }
    }

    #[test]
    fn precedence() {
        for (text, expected) in [
            ("a || b && c", "(a || (b && c))"),
            ("a && b || c && d", "((a && b) || (c && d))"),
            ("!a.b && -c < d", "(!a.b && (-c < d))"),
            ("a + b * c - d", "((a + (b * c)) - d)"),
            ("a == b ? c : d ? e : f", "((a == b) ? c : (d ? e : f))"),
            ("a in [1, 2,] && b", "((a in [1, 2]) && b)"),
            ("a.b(c).d[0](", ""),
            ("a.exists(x, x.y == 'z').size()", "a.exists(x, (x.y == 'z')).size()"),
            ("a && b && c && d", "((a && b) && (c && d))"),
            ("a - b - c", "((a - b) - c)"),
            ("(a)", "a"),
        ] {
            let found = parse(text).map(|syntax| shown(&syntax)).unwrap_or_default();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn hostile_texts_are_refused_quickly() {
        let refused = |text: String| parse(&text).unwrap_err().code.text;
        assert_eq!(refused("(".repeat(10_000)), "E2011");
        assert_eq!(refused("!".repeat(10_000)), "E2011");
        assert_eq!(refused("-".repeat(10_000)), "E2011");
        assert_eq!(refused("[".repeat(10_000)), "E2011");
        assert_eq!(refused(format!("a{}", "[a".repeat(1_000))), "E2011");
        assert_eq!(refused(format!("a{}", ".a".repeat(1_000))), "E2011");
        assert_eq!(refused(format!("a{}", " + a".repeat(1_000))), "E2011");
        assert_eq!(refused("a ? ".repeat(1_000)), "E2011");
        assert_eq!(refused("a(".repeat(1_000)), "E2011");
        assert_eq!(refused(format!("a{}", " && a".repeat(2_000))), "E2012");
        assert_eq!(refused("a".repeat(20_000)), "E2012");
        assert!(parse(&format!("a{}", " && a".repeat(500))).is_ok());
        assert!(parse(&format!("a{}", " || a".repeat(500))).is_ok());
    }

    #[test]
    fn refusals() {
        for (text, message) in [
            ("", "the rule is empty"),
            ("a b", "expected an operator or the end of the rule, found `b`"),
            ("a and b", "expected an operator or the end of the rule, found `and`"),
            ("a &&", "expected an expression, found the end of the rule"),
            ("f(a,)", "expected an argument, found `)`"),
            ("a.", "expected a name after `.`, found the end of the rule"),
            (".a", "expected an expression, found `.`"),
            ("a.in", "expected a name after `.`, found `in`"),
            ("(a", "expected `)`, found the end of the rule"),
            ("a ? b", "expected `:`, found the end of the rule"),
            ("for", "expected an expression, found `for`"),
            ("== a", "expected an expression, found `==`"),
        ] {
            assert_eq!(parse(text).unwrap_err().message, message, "{text}");
        }
    }
}
