//! Syntax → [`Expr`]: names resolved in the catalog, every part typed, enum members
//! and roles checked, named rules put in place. Reports into [`Diagnostics`].

mod call;
mod collection;
mod operator;
mod path;
mod types;

use crate::catalog::{Catalog, Span, TableId};
use crate::cel::parser::parse;
use crate::cel::syntax::{Syntax, SyntaxKind};
use crate::cel::{MAX_EXPANDED_DEPTH, MAX_EXPANDED_NODES, RuleError};
use crate::compile::literal::Literal;
use crate::diagnostic::codes::Code;
use crate::diagnostic::{Diagnostics, codes};
use crate::expr::{Expr, ExprKind, Hop, Path, RelationPath, Root, Ty, VarId};
use crate::scalar::ScalarType;
use crate::value::{Decimal, Value, one_zero};
use std::cell::Cell;
use std::collections::BTreeMap;

/// A `@rule`.
#[derive(Debug)]
pub struct NamedRule {
    /// Its parameters.
    pub params: Vec<String>,
    /// Its text.
    pub literal: Literal,
    /// Its syntax; none when that is wrong (reported).
    pub syntax: Option<Syntax>,
    /// Where it is declared.
    pub span: Span,
    /// Whether a rule calls it.
    pub used: Cell<bool>,
}

/// The named rules of a schema.
pub type NamedRules = BTreeMap<String, NamedRule>;

/// The row that `this` is.
#[derive(Debug, Clone)]
pub struct This {
    /// Its table.
    pub table: TableId,
    /// The way to it from [`Root::This`]; empty but for junctions.
    pub hops: Vec<Hop>,
}

/// What a rule may name.
#[derive(Debug, Clone)]
pub struct Environment<'a> {
    /// The model.
    pub catalog: &'a Catalog,
    /// The named rules.
    pub rules: &'a NamedRules,
    /// The row at hand, if there is one.
    pub this: Option<This>,
    /// Whether `old` and `new` name it too.
    pub update: bool,
    /// Whether `auth`, `request` and `now` are there.
    pub caller: bool,
    /// What is being written, for messages: `@access(read:)`.
    pub place: &'static str,
}

/// A mistake has been reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported;

type Checked<T> = Result<T, Reported>;

/// Checks a rule or value; the type is the caller's to judge.
///
/// # Errors
/// [`Reported`], with the mistakes in `diagnostics`.
pub fn check(
    environment: &Environment<'_>,
    literal: &Literal,
    diagnostics: &mut Diagnostics,
) -> Checked<Expr> {
    let syntax = parse_reported(literal, diagnostics)?;
    let mut checker = Checker::new(environment, literal, diagnostics);
    checker.expr(&syntax)
}

/// Checks a rule, which must be true or false.
///
/// # Errors
/// [`Reported`], with the mistakes in `diagnostics`.
pub fn check_rule(
    environment: &Environment<'_>,
    literal: &Literal,
    diagnostics: &mut Diagnostics,
) -> Checked<Expr> {
    let syntax = parse_reported(literal, diagnostics)?;
    let mut checker = Checker::new(environment, literal, diagnostics);
    let checked = checker.predicate(&syntax);
    debug_assert!(checked.is_ok() || diagnostics.failed(), "a rule is never dropped without an error");
    checked
}

/// Checks a value that must have a type, widening it.
///
/// # Errors
/// [`Reported`], with the mistakes in `diagnostics`.
pub fn check_value(
    environment: &Environment<'_>,
    literal: &Literal,
    wanted: &Ty,
    diagnostics: &mut Diagnostics,
) -> Checked<Expr> {
    let syntax = parse_reported(literal, diagnostics)?;
    let mut checker = Checker::new(environment, literal, diagnostics);
    let expr = checker.expr(&syntax)?;
    checker.fit(expr, wanted, &syntax)
}

/// Checks a value of any type.
///
/// # Errors
/// [`Reported`], with the mistakes in `diagnostics`.
pub fn check_any(
    environment: &Environment<'_>,
    literal: &Literal,
    diagnostics: &mut Diagnostics,
) -> Checked<Expr> {
    let syntax = parse_reported(literal, diagnostics)?;
    Checker::new(environment, literal, diagnostics).expr(&syntax)
}

/// Parses a rule, reporting what is wrong.
///
/// # Errors
/// [`Reported`], with the mistake in `diagnostics`.
pub fn parse_reported(literal: &Literal, diagnostics: &mut Diagnostics) -> Checked<Syntax> {
    parse(&literal.text).map_err(|error| {
        let span = literal.locate(error.start, error.end);
        let RuleError { code, message, help, .. } = error;
        match help {
            Some(help) => diagnostics.report_with_help(code, span, message, help),
            None => diagnostics.report(code, span, message),
        }
        Reported
    })
}

/// What a part of a rule can be before it is a value.
#[derive(Debug, Clone)]
enum Term {
    /// A value.
    Value(Expr),
    /// A row.
    Row(RowTerm),
    /// Rows.
    Rows(Box<RowsTerm>),
    /// `auth`.
    Auth,
    /// `request`.
    Request,
    /// `request.headers`.
    Headers,
}

/// A row that a path ends in.
#[derive(Debug, Clone)]
struct RowTerm {
    path: Path,
    table: TableId,
    /// Relations followed so far.
    hops: usize,
}

/// Rows of a list, perhaps filtered and mapped.
#[derive(Debug, Clone)]
struct RowsTerm {
    path: RelationPath,
    target: TableId,
    hops: usize,
    var: VarId,
    filter: Option<Expr>,
    value: Option<Expr>,
}

struct Checker<'a, 'e> {
    environment: &'e Environment<'a>,
    diagnostics: &'e mut Diagnostics,
    /// The text that places refer to: the rule's, or that of a named rule being put in place.
    literal: &'e Literal,
    /// Variables and parameters, innermost last.
    scope: Vec<(String, Term)>,
    /// Named rules being put in place.
    expanding: Vec<String>,
    vars: u16,
    /// Variables that range over `request.changed`.
    changed_vars: Vec<VarId>,
    nodes: usize,
    depth: usize,
    /// A limit was passed: nothing more is checked or reported.
    stopped: bool,
}

impl<'a, 'e> Checker<'a, 'e> {
    const fn new(
        environment: &'e Environment<'a>,
        literal: &'e Literal,
        diagnostics: &'e mut Diagnostics,
    ) -> Self {
        Self {
            environment,
            diagnostics,
            literal,
            scope: Vec::new(),
            expanding: Vec::new(),
            vars: 0,
            changed_vars: Vec::new(),
            nodes: 0,
            depth: 0,
            stopped: false,
        }
    }

    const fn catalog(&self) -> &'a Catalog {
        self.environment.catalog
    }

    fn span(&self, start: usize, end: usize) -> Span {
        self.literal.locate(start, end)
    }

    fn span_of(&self, syntax: &Syntax) -> Span {
        self.span(syntax.start, syntax.end)
    }

    fn fail<T>(&mut self, code: Code, span: Span, message: impl Into<String>) -> Checked<T> {
        self.diagnostics.report(code, span, message);
        Err(Reported)
    }

    fn fail_with<T>(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Checked<T> {
        self.diagnostics.report_with_help(code, span, message, help);
        Err(Reported)
    }

    /// "Did you mean" or what there is.
    fn fail_near<T>(
        &mut self,
        code: Code,
        span: Span,
        message: String,
        name: &str,
        known: &[&str],
    ) -> Checked<T> {
        match backstay_base::suggest::nearest(name, known.iter().copied()) {
            Some(near) => self.fail_with(code, span, message, format!("did you mean `{near}`?")),
            None if known.len() <= 12 && !known.is_empty() => {
                self.fail_with(code, span, message, format!("there are {}", known.join(", ")))
            }
            None => self.fail(code, span, message),
        }
    }

    fn new_var(&mut self) -> VarId {
        let id = VarId(self.vars);
        self.vars = self.vars.saturating_add(1);
        id
    }

    /// Bounds work and recursion around one part.
    fn enter(&mut self, syntax: &Syntax) -> Checked<()> {
        if self.stopped {
            return Err(Reported);
        }
        self.nodes += 1;
        self.depth += 1;
        let span = self.span_of(syntax);
        self.stopped = self.nodes > MAX_EXPANDED_NODES || self.depth > MAX_EXPANDED_DEPTH;
        if self.nodes > MAX_EXPANDED_NODES {
            let message =
                format!("with its named rules in place, the rule has more than {MAX_EXPANDED_NODES} parts");
            return self.fail(codes::TOO_LONG, span, message);
        }
        if self.depth > MAX_EXPANDED_DEPTH {
            let message = format!(
                "with its named rules in place, the rule nests deeper than {MAX_EXPANDED_DEPTH} levels"
            );
            return self.fail(codes::TOO_DEEP, span, message);
        }
        Ok(())
    }

    /// Bounds the size and depth that a use of a parameter adds: rules that pass their
    /// parameters on twice would otherwise grow without end.
    fn bound_copy(&mut self, expr: &Expr, syntax: &Syntax) -> Checked<()> {
        if self.stopped {
            return Err(Reported);
        }
        let (size, height) = expr.extent();
        self.nodes += size;
        let span = self.span_of(syntax);
        if self.nodes > MAX_EXPANDED_NODES {
            self.stopped = true;
            let message =
                format!("with its named rules in place, the rule has more than {MAX_EXPANDED_NODES} parts");
            return self.fail(codes::TOO_LONG, span, message);
        }
        if self.depth + height > 2 * MAX_EXPANDED_DEPTH {
            self.stopped = true;
            let message = format!(
                "with its named rules in place, the rule nests deeper than {MAX_EXPANDED_DEPTH} levels"
            );
            return self.fail(codes::TOO_DEEP, span, message);
        }
        Ok(())
    }

    fn term(&mut self, syntax: &Syntax) -> Checked<Term> {
        let before = self.depth;
        let out = self.enter(syntax).and_then(|()| self.term_inner(syntax));
        self.depth = before;
        out
    }

    fn term_inner(&mut self, syntax: &Syntax) -> Checked<Term> {
        match &syntax.kind {
            SyntaxKind::Null
            | SyntaxKind::Bool(_)
            | SyntaxKind::Int(_)
            | SyntaxKind::Float(_)
            | SyntaxKind::Text(_) => self.constant(syntax, false).map(Term::Value),
            SyntaxKind::List(items) => self.list(items, syntax).map(Term::Value),
            SyntaxKind::Name(name) => self.name(name, syntax),
            SyntaxKind::Member(of, word) => self.member(of, word, syntax),
            SyntaxKind::Index(of, index) => self.index(of, index, syntax),
            SyntaxKind::Call(receiver, word, args) => self.call(receiver.as_deref(), word, args, syntax),
            SyntaxKind::Not(inner) => self.not(inner, syntax).map(Term::Value),
            SyntaxKind::Negate(inner) => self.negate(inner, syntax).map(Term::Value),
            SyntaxKind::Binary(op, left, right) => self.binary(*op, left, right, syntax).map(Term::Value),
            SyntaxKind::If(condition, yes, no) => {
                self.conditional(condition, yes, no, syntax).map(Term::Value)
            }
        }
    }

    /// A part as a value; rows become paths, lists of rows are refused.
    fn expr(&mut self, syntax: &Syntax) -> Checked<Expr> {
        let term = self.term(syntax)?;
        self.value_of(term, syntax)
    }

    fn value_of(&mut self, term: Term, syntax: &Syntax) -> Checked<Expr> {
        let span = self.span_of(syntax);
        match term {
            Term::Value(expr) => Ok(expr),
            Term::Row(row) => Ok(Expr { kind: ExprKind::Path(row.path), ty: Ty::Row(row.table), span }),
            Term::Rows(_) => self.fail_with(
                codes::UNSUPPORTED,
                span,
                "a list of rows is not a value",
                "ask it: `list.exists(x, …)`, `list.all(x, …)`, `size(list)`, `x in list`",
            ),
            Term::Auth => self.fail_with(
                codes::UNSUPPORTED,
                span,
                "`auth` is not a value",
                "use `auth.user`, `auth.uid` or `auth.role`",
            ),
            Term::Request | Term::Headers => self.fail_with(
                codes::UNSUPPORTED,
                span,
                "this part of `request` is not a value",
                "use its members",
            ),
        }
    }

    /// A part that must be true or false.
    fn predicate(&mut self, syntax: &Syntax) -> Checked<Expr> {
        let expr = self.expr(syntax)?;
        match &expr.ty {
            Ty::Scalar(ScalarType::Boolean) => Ok(expr),
            Ty::Dynamic => self.fail_with(
                codes::TYPES,
                expr.span,
                "the type of this is known only at run time",
                "compare it: `… == true`",
            ),
            other => {
                let shown = self.shown(other);
                let help = match other {
                    Ty::Row(_) => "ask whether it is there: `… != null`",
                    _ => "a rule is true or false; compare it with something",
                };
                self.fail_with(
                    codes::TYPES,
                    expr.span,
                    format!("expected true or false, found {shown}"),
                    help,
                )
            }
        }
    }

    /// A literal; `negative` puts a minus before a number.
    fn constant(&mut self, syntax: &Syntax, negative: bool) -> Checked<Expr> {
        let span = self.span_of(syntax);
        let (value, ty) = match &syntax.kind {
            SyntaxKind::Null => (Value::Null, Ty::Null),
            SyntaxKind::Bool(flag) => (Value::Bool(*flag), Ty::Scalar(ScalarType::Boolean)),
            SyntaxKind::Int(text) => {
                let signed = if negative { format!("-{text}") } else { text.clone() };
                let Ok(number) = signed.parse::<i64>() else {
                    return self.fail(codes::LITERAL, span, format!("{signed} does not fit 64 bits"));
                };
                let small = i32::try_from(number).is_ok();
                (Value::Int(number), Ty::Scalar(if small { ScalarType::Int } else { ScalarType::BigInt }))
            }
            SyntaxKind::Float(text) => {
                let number: f64 = text.parse().unwrap_or(0.0);
                (
                    Value::Float(one_zero(if negative { -number } else { number })),
                    Ty::Scalar(ScalarType::Float),
                )
            }
            SyntaxKind::Text(text) => (Value::Text(text.clone()), Ty::Scalar(ScalarType::String)),
            SyntaxKind::List(_)
            | SyntaxKind::Name(_)
            | SyntaxKind::Member(..)
            | SyntaxKind::Index(..)
            | SyntaxKind::Call(..)
            | SyntaxKind::Not(_)
            | SyntaxKind::Negate(_)
            | SyntaxKind::Binary(..)
            | SyntaxKind::If(..) => return self.expr(syntax),
        };
        Ok(Expr { kind: ExprKind::Const(value), ty, span })
    }

    /// A list literal: all of one type.
    fn list(&mut self, items: &[Syntax], syntax: &Syntax) -> Checked<Expr> {
        let span = self.span_of(syntax);
        let mut out: Vec<Expr> = Vec::new();
        let mut failed = false;
        for item in items {
            match self.expr(item) {
                Ok(expr) => out.push(expr),
                Err(Reported) => failed = true,
            }
        }
        if failed {
            return Err(Reported);
        }
        let mut ty = Ty::Null;
        for (expr, item) in out.iter().zip(items) {
            ty = match self.common(&ty, &expr.ty) {
                Some(common) => common,
                None => {
                    let (a, b) = (self.shown(&ty), self.shown(&expr.ty));
                    let at = self.span_of(item);
                    return self.fail(codes::TYPES, at, format!("a list holds one type, not {a} and {b}"));
                }
            };
        }
        let mut widened = Vec::new();
        for (expr, item) in out.into_iter().zip(items) {
            widened.push(self.fit(expr, &ty, item)?);
        }
        Ok(Expr { kind: ExprKind::List(widened), ty: Ty::List(Box::new(ty)), span })
    }
}

/// A decimal number as a constant of its own scale.
fn decimal_constant(text: &str) -> Option<(Value, ScalarType)> {
    let decimal = Decimal::parse(text).ok()?;
    let scale = decimal.scale.min(18);
    let fitted = decimal.fit(18, scale).ok().filter(|fitted| fitted.compare(decimal).is_eq())?;
    Some((Value::Decimal(fitted), ScalarType::Decimal { digits: 18, scale }))
}

/// The path of a row variable or root.
const fn root_path(root: Root) -> Path {
    Path { root, hops: Vec::new(), end: crate::expr::End::Row }
}
