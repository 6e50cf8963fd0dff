//! Operators: logic, comparison, membership, arithmetic, choice.

use super::types::literal_target;
use super::{Checked, Checker, Reported, Term};
use crate::catalog::Span;
use crate::cel::syntax::{BinaryOp, Syntax, SyntaxKind};
use crate::diagnostic::codes;
use crate::expr::{ArithmeticOp, AuthField, CompareOp, Expr, ExprKind, RequestField, Ty};
use crate::scalar::ScalarType;
use crate::value::Value;

/// What `request.op` can be.
const OPERATIONS: [&str; 4] = ["read", "create", "update", "delete"];

pub(super) const BOOLEAN: Ty = Ty::Scalar(ScalarType::Boolean);
const DURATION: Ty = Ty::Scalar(ScalarType::Duration);

impl Checker<'_, '_> {
    pub(super) fn not(&mut self, inner: &Syntax, syntax: &Syntax) -> Checked<Expr> {
        let inner = self.predicate(inner)?;
        Ok(Expr { kind: ExprKind::Not(Box::new(inner)), ty: BOOLEAN, span: self.span_of(syntax) })
    }

    pub(super) fn negate(&mut self, inner: &Syntax, syntax: &Syntax) -> Checked<Expr> {
        if matches!(inner.kind, SyntaxKind::Int(_) | SyntaxKind::Float(_)) {
            return self.constant(inner, true);
        }
        let inner = self.expr(inner)?;
        let number = matches!(&inner.ty, Ty::Scalar(ty) if ty.is_number() || *ty == ScalarType::Duration);
        let span = self.span_of(syntax);
        if !number {
            let message = format!("`-` applies to numbers and durations, not to {}", self.shown(&inner.ty));
            return self.fail(codes::TYPES, span, message);
        }
        let ty = inner.ty.clone();
        Ok(Expr { kind: ExprKind::Negate(Box::new(inner)), ty, span })
    }

    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        left: &Syntax,
        right: &Syntax,
        syntax: &Syntax,
    ) -> Checked<Expr> {
        match op {
            BinaryOp::And | BinaryOp::Or => {
                let (a, b) = (self.predicate(left), self.predicate(right));
                let (a, b) = (Box::new(a?), Box::new(b?));
                let kind = if op == BinaryOp::And { ExprKind::And(a, b) } else { ExprKind::Or(a, b) };
                Ok(Expr { kind, ty: BOOLEAN, span: self.span_of(syntax) })
            }
            BinaryOp::In => self.membership(left, right, syntax),
            BinaryOp::Eq => self.comparison(CompareOp::Eq, left, right, syntax),
            BinaryOp::Ne => self.comparison(CompareOp::Ne, left, right, syntax),
            BinaryOp::Lt => self.comparison(CompareOp::Lt, left, right, syntax),
            BinaryOp::Le => self.comparison(CompareOp::Le, left, right, syntax),
            BinaryOp::Gt => self.comparison(CompareOp::Gt, left, right, syntax),
            BinaryOp::Ge => self.comparison(CompareOp::Ge, left, right, syntax),
            BinaryOp::Add => self.arithmetic(ArithmeticOp::Add, left, right, syntax),
            BinaryOp::Sub => self.arithmetic(ArithmeticOp::Sub, left, right, syntax),
            BinaryOp::Mul => self.arithmetic(ArithmeticOp::Mul, left, right, syntax),
            BinaryOp::Div => self.arithmetic(ArithmeticOp::Div, left, right, syntax),
            BinaryOp::Rem => self.arithmetic(ArithmeticOp::Rem, left, right, syntax),
        }
    }

    /// Both sides, reporting the mistakes of both.
    fn sides(&mut self, left: &Syntax, right: &Syntax) -> Checked<(Expr, Expr)> {
        let (a, b) = (self.term(left), self.term(right));
        let (a, b) = (a?, b?);
        for (term, at) in [(&a, left), (&b, right)] {
            if matches!(term, Term::Rows(_)) {
                let span = self.span_of(at);
                let help = "ask `size(list) == 0`, `x in list`, `list.exists(x, …)` or `list.all(x, …)`";
                return self.fail_with(codes::UNSUPPORTED, span, "a list of rows cannot be compared", help);
            }
        }
        let (a, b) = (self.value_of(a, left), self.value_of(b, right));
        Ok((a?, b?))
    }

    fn comparison(&mut self, op: CompareOp, left: &Syntax, right: &Syntax, syntax: &Syntax) -> Checked<Expr> {
        let (a, b) = self.sides(left, right)?;
        self.compare(op, a, b, left, right, self.span_of(syntax))
    }

    pub(super) fn compare(
        &mut self,
        op: CompareOp,
        a: Expr,
        b: Expr,
        left: &Syntax,
        right: &Syntax,
        span: Span,
    ) -> Checked<Expr> {
        for (expr, other) in [(&a, &b), (&b, &a)] {
            let list = matches!(expr.ty, Ty::List(_) | Ty::Scalar(ScalarType::List(_)));
            if list && !(matches!(expr.kind, ExprKind::Path(_)) && other.ty == Ty::Null) {
                let help = "ask `x in list`, `list.exists(x, …)` or `list.all(x, …)`";
                return self.fail_with(codes::UNSUPPORTED, span, "lists cannot be compared", help);
            }
            if expr.ty == Ty::Dynamic
                && matches!(other.ty, Ty::Scalar(ScalarType::Duration | ScalarType::Bytes))
            {
                let help = "keep the value in a column of that type";
                let message = format!("a JSON value is no {}", self.shown(&other.ty));
                return self.fail_with(codes::UNSUPPORTED, span, message, help);
            }
            let document = matches!(expr.ty, Ty::Scalar(ScalarType::Json) | Ty::Embedded(_));
            if document && other.ty != Ty::Null {
                let help = "compare its members: `this.meta.plan == 'pro'`";
                return self.fail_with(codes::UNSUPPORTED, span, "JSON documents cannot be compared", help);
            }
        }
        let (a, b) = self.unify(a, b, left, right)?;
        self.known_words(&a, &b)?;
        let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
        if !equality {
            self.ordered(&a, &b, span)?;
        }
        Ok(Expr { kind: ExprKind::Compare(op, Box::new(a), Box::new(b)), ty: BOOLEAN, span })
    }

    fn ordered(&mut self, a: &Expr, b: &Expr, span: Span) -> Checked<()> {
        for expr in [a, b] {
            let fits = match &expr.ty {
                Ty::Scalar(ty) => ty.is_ordered(),
                Ty::Dynamic => true,
                Ty::Null | Ty::Row(_) | Ty::List(_) | Ty::Embedded(_) => false,
            };
            if !fits {
                let message = format!("{} has no order", self.shown(&expr.ty));
                let help = match expr.ty {
                    Ty::Null => "compare with null by `==` or `!=`",
                    _ => "only `==`, `!=` and `in` apply",
                };
                return self.fail_with(codes::TYPES, span, message, help);
            }
        }
        Ok(())
    }

    /// Roles and operations are a closed set: literals beside them are checked.
    fn known_words(&mut self, a: &Expr, b: &Expr) -> Checked<()> {
        for (side, other) in [(a, b), (b, a)] {
            let ExprKind::Const(Value::Text(text)) = &other.kind else { continue };
            self.known_word(side, text, other.span)?;
        }
        Ok(())
    }

    fn known_word(&mut self, side: &Expr, text: &str, span: Span) -> Checked<()> {
        match &side.kind {
            ExprKind::Auth(AuthField::Role) if !self.catalog().roles.iter().any(|role| role == text) => {
                let message = format!("the role '{text}' is not declared");
                let near =
                    backstay_base::suggest::nearest(text, self.catalog().roles.iter().map(String::as_str));
                let help = match near {
                    Some(near) => format!("did you mean '{near}'? Roles are declared in backstay.toml"),
                    None => "declare it in backstay.toml: `roles = […]`".to_owned(),
                };
                self.fail_with(codes::UNDECLARED_ROLE, span, message, help)
            }
            ExprKind::Var(var) if self.changed_vars.contains(var) => self.field_name(text, span),
            ExprKind::Request(RequestField::Op) if !OPERATIONS.contains(&text) => {
                self.fail_near(codes::LITERAL, span, format!("'{text}' is no operation"), text, &OPERATIONS)
            }
            _ => Ok(()),
        }
    }

    fn membership(&mut self, left: &Syntax, right: &Syntax, syntax: &Syntax) -> Checked<Expr> {
        let (needle, list) = (self.expr(left), self.term(right));
        let (needle, list) = (needle?, list?);
        let span = self.span_of(syntax);
        match list {
            Term::Rows(rows) => self.member_of_rows(needle, *rows, left, right, span),
            Term::Row(_) | Term::Auth | Term::Request | Term::Headers => {
                let at = self.span_of(right);
                self.fail(codes::TYPES, at, "`in` needs a list on its right")
            }
            Term::Value(list) => self.member_of_value(needle, list, left, right, span),
        }
    }

    fn member_of_value(
        &mut self,
        needle: Expr,
        list: Expr,
        left: &Syntax,
        right: &Syntax,
        span: Span,
    ) -> Checked<Expr> {
        let made = |needle: Expr, list: Expr| {
            Ok(Expr { kind: ExprKind::In(Box::new(needle), Box::new(list)), ty: BOOLEAN, span })
        };
        match (&list.kind, &list.ty) {
            (ExprKind::List(_), _) => self.member_of_list(needle, list, left, right, span),
            (ExprKind::Auth(AuthField::Claim(_)), _) => {
                if matches!(needle.ty, Ty::Scalar(_)) {
                    return made(needle, list);
                }
                let message = format!("{} is not looked up in a claim", self.shown(&needle.ty));
                self.fail(codes::TYPES, span, message)
            }
            (ExprKind::Request(RequestField::Changed), _) => {
                if let ExprKind::Const(Value::Text(text)) = &needle.kind {
                    self.field_name(text, needle.span)?;
                }
                let text = Ty::Scalar(ScalarType::String);
                let needle = self.fit(needle, &text, left)?;
                made(needle, list)
            }
            (ExprKind::Path(_), Ty::List(element)) => {
                if needle.ty == Ty::Null {
                    let help = "the elements of the list are never null";
                    return self.fail_with(codes::UNSUPPORTED, span, "null is not looked up in a list", help);
                }
                let needle = match (&needle.ty, &**element) {
                    (Ty::Dynamic, Ty::Scalar(ScalarType::Duration | ScalarType::Bytes))
                    | (Ty::Scalar(_), _) => self.fit(needle, element, left)?,
                    (Ty::Dynamic, _) => needle,
                    (ty, _) => {
                        let message = format!("{} is not looked up in a list", self.shown(ty));
                        return self.fail(codes::TYPES, span, message);
                    }
                };
                made(needle, list)
            }
            (ExprKind::Path(_), Ty::Scalar(ScalarType::List(_))) => self.null_elements(span),
            (_, Ty::Scalar(ScalarType::String)) => self.fail_with(
                codes::UNSUPPORTED,
                span,
                "`in` looks into lists",
                "for text, write `text.contains(part)`",
            ),
            (ExprKind::Path(_), Ty::Dynamic | Ty::Scalar(ScalarType::Json)) => {
                let help = "keep what rules ask for in a list of rows";
                self.fail_with(codes::UNSUPPORTED, span, "rules do not look into JSON lists", help)
            }
            (_, ty) => {
                let message = format!("`in` needs a list on its right, found {}", self.shown(ty));
                self.fail(codes::TYPES, span, message)
            }
        }
    }

    /// A list of `[T]`, where rules need `[T!]`.
    pub(super) fn null_elements<T>(&mut self, span: Span) -> Checked<T> {
        let help = "declare the elements as required: `[String!]`";
        self.fail_with(codes::UNSUPPORTED, span, "rules do not look into lists with null elements", help)
    }

    /// A literal beside `request.changed` names a field of the row as the schema writes it,
    /// never the column of a reference: a misspelt guard would let every change through.
    fn field_name(&mut self, text: &str, span: Span) -> Checked<()> {
        let Some(this) = &self.environment.this else { return Ok(()) };
        let table = self.catalog().table(this.table);
        if table.columns.iter().any(|column| column.field == text) {
            return Ok(());
        }
        let message = format!("type \"{}\" has no stored field \"{text}\"", table.type_name);
        let column = table.columns.iter().find(|column| column.name == text);
        if let Some(column) = column {
            let help = format!("name the field: '{}'", column.field);
            return self.fail_with(codes::UNKNOWN_MEMBER, span, message, help);
        }
        let known: Vec<&str> = table.columns.iter().map(|column| column.field.as_str()).collect();
        self.fail_near(codes::UNKNOWN_MEMBER, span, message, text, &known)
    }

    fn member_of_list(
        &mut self,
        needle: Expr,
        list: Expr,
        left: &Syntax,
        right: &Syntax,
        span: Span,
    ) -> Checked<Expr> {
        let (ExprKind::List(items), Ty::List(element)) = (list.kind, list.ty) else { return Err(Reported) };
        if needle.ty == Ty::Null {
            return self.fail_with(
                codes::UNSUPPORTED,
                span,
                "null is not looked up in a list",
                "write `… == null`",
            );
        }
        if matches!(*element, Ty::Row(_)) {
            let mut equal = Vec::new();
            for item in items {
                equal.push(self.compare(CompareOp::Eq, needle.clone(), item, left, right, span)?);
            }
            return Ok(any_of(equal, span));
        }
        let mut needle = needle;
        let mut fitted = Vec::new();
        for item in items {
            let (a, b) = self.unify(needle, item, left, right)?;
            self.known_words(&a, &b)?;
            needle = a;
            fitted.push(b);
        }
        // the needle may have widened after the first items were fitted
        let wanted = needle.ty.clone();
        let mut out = Vec::new();
        for item in fitted {
            out.push(if wanted == Ty::Dynamic { item } else { self.fit(item, &wanted, right)? });
        }
        let ty = Ty::List(Box::new(if wanted == Ty::Dynamic { *element } else { wanted }));
        let list = Expr { kind: ExprKind::List(out), ty, span: list.span };
        Ok(Expr { kind: ExprKind::In(Box::new(needle), Box::new(list)), ty: BOOLEAN, span })
    }

    fn arithmetic(
        &mut self,
        op: ArithmeticOp,
        left: &Syntax,
        right: &Syntax,
        syntax: &Syntax,
    ) -> Checked<Expr> {
        let (a, b) = self.sides(left, right)?;
        let span = self.span_of(syntax);
        let text = |ty: &Ty| matches!(ty, Ty::Scalar(ScalarType::String | ScalarType::Enum(_)));
        let number = |ty: &Ty| matches!(ty, Ty::Scalar(ty) if ty.is_number());
        let made = |kind: ExprKind, ty: Ty| Ok(Expr { kind, ty, span });
        if op == ArithmeticOp::Add && text(&a.ty) && text(&b.ty) {
            let string = Ty::Scalar(ScalarType::String);
            let (a, b) = (self.fit(a, &string, left)?, self.fit(b, &string, right)?);
            return made(ExprKind::Concat(Box::new(a), Box::new(b)), string);
        }
        if let Some(ty) = timely(op, &a.ty, &b.ty) {
            let (a, b) = if a.ty == DURATION && ty != DURATION { (b, a) } else { (a, b) };
            return made(ExprKind::Arithmetic(op, Box::new(a), Box::new(b)), ty);
        }
        if number(&a.ty) && number(&b.ty) {
            let (a, b) = self.unify(a, b, left, right)?;
            if op == ArithmeticOp::Rem && a.ty == Ty::Scalar(ScalarType::Float) {
                return self.fail(codes::TYPES, span, "`%` applies to Int, BigInt and Decimal");
            }
            let ty = a.ty.clone();
            return made(ExprKind::Arithmetic(op, Box::new(a), Box::new(b)), ty);
        }
        let message = format!("no arithmetic between {} and {}", self.shown(&a.ty), self.shown(&b.ty));
        let help = match (&a.ty, &b.ty) {
            (Ty::Dynamic, _) | (_, Ty::Dynamic) => {
                "the type of a JSON value is known only at run time; use a column"
            }
            (Ty::List(_), _) | (_, Ty::List(_)) => "lists are not joined in rules",
            _ => "numbers go with numbers, text with text, times with durations",
        };
        self.fail_with(codes::TYPES, span, message, help)
    }

    pub(super) fn conditional(
        &mut self,
        condition: &Syntax,
        yes: &Syntax,
        no: &Syntax,
        syntax: &Syntax,
    ) -> Checked<Expr> {
        let (c, sides) = (self.predicate(condition), self.sides(yes, no));
        let (c, (a, b)) = (c?, sides?);
        let span = self.span_of(syntax);
        let mixed = (a.ty == Ty::Dynamic) != (b.ty == Ty::Dynamic) && a.ty != Ty::Null && b.ty != Ty::Null;
        if !mixed && self.common(&a.ty, &b.ty).or_else(|| literal_target(&a, &b)).is_none() {
            let message = format!("the branches are {} and {}", self.shown(&a.ty), self.shown(&b.ty));
            return self.fail(codes::TYPES, span, message);
        }
        let (a, b) = self.unify(a, b, yes, no)?;
        if mixed || matches!(a.ty, Ty::List(_)) {
            let help = "compare in both branches: `c ? a == x : b == x`";
            return self.fail_with(
                codes::TYPES,
                span,
                "both branches have one type that is known at load",
                help,
            );
        }
        let ty = if a.ty == Ty::Null { b.ty.clone() } else { a.ty.clone() };
        Ok(Expr { kind: ExprKind::If(Box::new(c), Box::new(a), Box::new(b)), ty, span })
    }
}

/// The type of arithmetic with instants and lengths of time; none where there is none.
fn timely(op: ArithmeticOp, a: &Ty, b: &Ty) -> Option<Ty> {
    const INSTANT: Ty = Ty::Scalar(ScalarType::Timestamp);
    let adds = op == ArithmeticOp::Add;
    if !adds && op != ArithmeticOp::Sub {
        return None;
    }
    match (*a == INSTANT, *b == INSTANT) {
        (true, true) if !adds => Some(DURATION),
        (true, false) if *b == DURATION => Some(INSTANT),
        (false, true) if adds && *a == DURATION => Some(INSTANT),
        (false, false) if *a == DURATION && *b == DURATION => Some(DURATION),
        _ => None,
    }
}

/// One of them holds, as a balanced tree; none of nothing holds.
fn any_of(mut terms: Vec<Expr>, span: Span) -> Expr {
    while terms.len() > 1 {
        let mut rest = terms.into_iter();
        let mut next = Vec::new();
        while let Some(a) = rest.next() {
            next.push(match rest.next() {
                Some(b) => Expr { kind: ExprKind::Or(Box::new(a), Box::new(b)), ty: BOOLEAN, span },
                None => a,
            });
        }
        terms = next;
    }
    terms.pop().unwrap_or(Expr { kind: ExprKind::Const(Value::Bool(false)), ty: BOOLEAN, span })
}
