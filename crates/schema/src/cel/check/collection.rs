//! Macros over relations and lists: `exists`, `all`, `exists_one`, `filter`, `map`, and
//! the aggregates that end them.

use super::{Checked, Checker, Reported, RowTerm, RowsTerm, Term, root_path};
use crate::catalog::Span;
use crate::cel::syntax::{Syntax, SyntaxKind, Word};
use crate::diagnostic::codes;
use crate::expr::{
    AggregateFunction, AuthField, CompareOp, Expr, ExprKind, Over, Quantifier, RequestField, Root, Ty,
};
use crate::scalar::{DECIMAL, ScalarType};

use super::operator::BOOLEAN;

/// Macros over rows and lists.
pub(super) const MACROS: [&str; 5] = ["exists", "all", "exists_one", "filter", "map"];
/// Ends of a chain over rows.
pub(super) const AGGREGATES: [&str; 6] = ["size", "count", "sum", "min", "max", "avg"];

impl Checker<'_, '_> {
    /// The variable that a macro binds.
    fn variable<'s>(&mut self, args: &'s [Syntax], word: &Word) -> Checked<(&'s str, &'s [Syntax])> {
        let [first, rest @ ..] = args else {
            let span = self.span(word.start, word.end);
            let help = format!("write `list.{}(x, …)`", word.text);
            return self.fail_with(
                codes::RULE_SYNTAX,
                span,
                format!("`{}` needs a variable and an expression", word.text),
                help,
            );
        };
        let span = self.span_of(first);
        let SyntaxKind::Name(name) = &first.kind else {
            let help = format!("write `list.{}(x, …)`", word.text);
            return self.fail_with(codes::RULE_SYNTAX, span, "the first argument names a variable", help);
        };
        if matches!(name.as_str(), "this" | "old" | "new" | "auth" | "request" | "now") {
            let message = format!("`{name}` cannot be the name of a variable");
            return self.fail(codes::RULE_SYNTAX, span, message);
        }
        let most = if word.text == "map" { 2 } else { 1 };
        if rest.is_empty() || rest.len() > most {
            let span = self.span(word.start, word.end);
            return self.fail(
                codes::RULE_SYNTAX,
                span,
                format!("`{}` takes a variable and an expression", word.text),
            );
        }
        Ok((name, rest))
    }

    pub(super) fn macro_over_rows(
        &mut self,
        rows: RowsTerm,
        word: &Word,
        args: &[Syntax],
        syntax: &Syntax,
    ) -> Checked<Term> {
        let span = self.span_of(syntax);
        let (name, rest) = self.variable(args, word)?;
        if rows.value.is_some() {
            let message = format!("`{}` cannot follow `map`", word.text);
            let help = "put the condition into the quantifier: `list.exists(x, x.field == …)`";
            return self.fail_with(codes::UNSUPPORTED, span, message, help);
        }
        let row = RowTerm { path: root_path(Root::Var(rows.var)), table: rows.target, hops: rows.hops };
        self.scope.push((name.to_owned(), Term::Row(row)));
        let body = self.macro_body(rows, word, rest, span);
        self.scope.pop();
        body
    }

    fn macro_body(&mut self, mut rows: RowsTerm, word: &Word, rest: &[Syntax], span: Span) -> Checked<Term> {
        match (word.text.as_str(), rest) {
            ("filter", [condition]) => {
                let condition = self.predicate(condition)?;
                rows.filter = Some(both(rows.filter, condition, span));
                Ok(Term::Rows(Box::new(rows)))
            }
            ("map", [value]) => {
                rows.value = Some(self.expr(value)?);
                Ok(Term::Rows(Box::new(rows)))
            }
            ("map", [condition, value]) => {
                let condition = self.predicate(condition)?;
                rows.filter = Some(both(rows.filter, condition, span));
                rows.value = Some(self.expr(value)?);
                Ok(Term::Rows(Box::new(rows)))
            }
            (name, [condition]) => {
                let condition = self.predicate(condition)?;
                let quantifier = quantifier_of(name);
                let body = match (rows.filter, quantifier) {
                    (None, _) => condition,
                    (Some(filter), Quantifier::All) => {
                        let not = Expr { kind: ExprKind::Not(Box::new(filter)), ty: BOOLEAN, span };
                        Expr { kind: ExprKind::Or(Box::new(not), Box::new(condition)), ty: BOOLEAN, span }
                    }
                    (Some(filter), Quantifier::Exists | Quantifier::ExistsOne) => {
                        both(Some(filter), condition, span)
                    }
                };
                let over = Over::Relation(rows.path);
                let kind = ExprKind::Quantifier { quantifier, over, var: rows.var, body: Box::new(body) };
                Ok(Term::Value(Expr { kind, ty: BOOLEAN, span }))
            }
            _ => Err(Reported),
        }
    }

    pub(super) fn macro_over_list(
        &mut self,
        list: Expr,
        word: &Word,
        args: &[Syntax],
        syntax: &Syntax,
    ) -> Checked<Term> {
        let span = self.span_of(syntax);
        let element = match (&list.kind, &list.ty) {
            (ExprKind::Auth(AuthField::Claim(_)), _) => Ty::Dynamic,
            (ExprKind::List(_) | ExprKind::Request(RequestField::Changed), Ty::List(element)) => {
                (**element).clone()
            }
            (ExprKind::Path(_), Ty::List(element)) if word.text != "exists_one" => (**element).clone(),
            (ExprKind::Path(_), Ty::List(_)) => {
                let help = "use `exists` or `all`";
                let message = "`exists_one` does not count the elements of a stored list";
                return self.fail_with(codes::UNSUPPORTED, span, message, help);
            }
            (ExprKind::Path(_), Ty::Scalar(ScalarType::List(_))) => return self.null_elements(span),
            (ExprKind::Path(_), Ty::Dynamic | Ty::Scalar(ScalarType::Json)) => {
                let help = "keep what rules ask for in a list of rows";
                return self.fail_with(codes::UNSUPPORTED, span, "rules do not look into JSON lists", help);
            }
            (_, ty) => {
                let message = format!("`{}` applies to lists, not to {}", word.text, self.shown(ty));
                return self.fail(codes::TYPES, span, message);
            }
        };
        if matches!(word.text.as_str(), "filter" | "map") {
            let help = "use `exists`, `all` or `exists_one` with the whole condition";
            return self.fail_with(
                codes::UNSUPPORTED,
                span,
                format!("`{}` applies to rows of a relation", word.text),
                help,
            );
        }
        if matches!(element, Ty::Row(_) | Ty::List(_)) {
            let message = format!("`{}` does not range over {}", word.text, self.shown(&list.ty));
            return self.fail_with(
                codes::UNSUPPORTED,
                span,
                message,
                "write the conditions out, joined with `||` or `&&`",
            );
        }
        let (name, rest) = self.variable(args, word)?;
        let [condition] = rest else { return Err(Reported) };
        let var = self.new_var();
        if matches!(list.kind, ExprKind::Request(RequestField::Changed)) {
            self.changed_vars.push(var);
        }
        let bound = Expr { kind: ExprKind::Var(var), ty: element, span };
        self.scope.push((name.to_owned(), Term::Value(bound)));
        let body = self.predicate(condition);
        self.scope.pop();
        let quantifier = quantifier_of(&word.text);
        let over = Over::List(Box::new(list));
        let kind = ExprKind::Quantifier { quantifier, over, var, body: Box::new(body?) };
        Ok(Term::Value(Expr { kind, ty: BOOLEAN, span }))
    }

    /// `x in rel`, `x in rel.map(r, r.f)`.
    pub(super) fn member_of_rows(
        &mut self,
        needle: Expr,
        rows: RowsTerm,
        left: &Syntax,
        right: &Syntax,
        span: Span,
    ) -> Checked<Expr> {
        let element = match rows.value {
            Some(value) => value,
            None => {
                Expr { kind: ExprKind::Path(root_path(Root::Var(rows.var))), ty: Ty::Row(rows.target), span }
            }
        };
        if needle.ty == Ty::Null {
            let help = "write `list.exists(x, x.field == null)`";
            return self.fail_with(codes::UNSUPPORTED, span, "null is not looked up in a list", help);
        }
        let equal = self.compare(CompareOp::Eq, element, needle, right, left, span)?;
        let body = both(rows.filter, equal, span);
        let over = Over::Relation(rows.path);
        let kind = ExprKind::Quantifier {
            quantifier: Quantifier::Exists,
            over,
            var: rows.var,
            body: Box::new(body),
        };
        Ok(Expr { kind, ty: BOOLEAN, span })
    }

    pub(super) fn aggregate(
        &mut self,
        rows: RowsTerm,
        word: &Word,
        args: &[Syntax],
        syntax: &Syntax,
    ) -> Checked<Expr> {
        let span = self.span_of(syntax);
        if !args.is_empty() {
            let help = format!("write `list.map(x, x.field).{}()`", word.text);
            return self.fail_with(
                codes::RULE_SYNTAX,
                span,
                format!("`{}` takes no argument", word.text),
                help,
            );
        }
        let function = match word.text.as_str() {
            "sum" => AggregateFunction::Sum,
            "min" => AggregateFunction::Min,
            "max" => AggregateFunction::Max,
            "avg" => AggregateFunction::Avg,
            _ => AggregateFunction::Count,
        };
        let RowsTerm { path, var, filter, value, .. } = rows;
        let filter = filter.map(Box::new);
        if function == AggregateFunction::Count {
            // `count()` of a mapped list counts its rows; a null element is an element
            let kind = ExprKind::Aggregate { function, over: path, var, filter, value: None };
            return Ok(Expr { kind, ty: Ty::Scalar(ScalarType::BigInt), span });
        }
        let Some(value) = value else {
            let help = format!("write `list.map(x, x.field).{}()`", word.text);
            return self.fail_with(
                codes::TYPES,
                span,
                format!("`{}` needs values, not rows", word.text),
                help,
            );
        };
        let Some(ty) = aggregate_type(function, &value.ty) else {
            let message = format!("`{}` does not apply to {}", word.text, self.shown(&value.ty));
            return self.fail(codes::TYPES, span, message);
        };
        let kind = ExprKind::Aggregate { function, over: path, var, filter, value: Some(Box::new(value)) };
        Ok(Expr { kind, ty: Ty::Scalar(ty), span })
    }
}

fn quantifier_of(name: &str) -> Quantifier {
    match name {
        "all" => Quantifier::All,
        "exists_one" => Quantifier::ExistsOne,
        _ => Quantifier::Exists,
    }
}

fn both(filter: Option<Expr>, condition: Expr, span: Span) -> Expr {
    match filter {
        Some(filter) => {
            Expr { kind: ExprKind::And(Box::new(filter), Box::new(condition)), ty: BOOLEAN, span }
        }
        None => condition,
    }
}

/// Sums of whole numbers are `BigInt`, their averages `Float`; decimals stay exact.
fn aggregate_type(function: AggregateFunction, value: &Ty) -> Option<ScalarType> {
    let Ty::Scalar(ty) = value else { return None };
    match (function, *ty) {
        (AggregateFunction::Count, _) => Some(ScalarType::BigInt),
        (AggregateFunction::Sum, ScalarType::Duration) => Some(ScalarType::Duration),
        (AggregateFunction::Sum, ScalarType::Int | ScalarType::BigInt) => Some(ScalarType::BigInt),
        (AggregateFunction::Avg, ScalarType::Int | ScalarType::BigInt | ScalarType::Float)
        | (AggregateFunction::Sum, ScalarType::Float) => Some(ScalarType::Float),
        (AggregateFunction::Sum | AggregateFunction::Avg, ScalarType::Decimal { scale, .. }) => {
            Some(ScalarType::Decimal { digits: decimal_digits(), scale })
        }
        (AggregateFunction::Sum | AggregateFunction::Avg, _) => None,
        (AggregateFunction::Min | AggregateFunction::Max, ty) => ty.is_ordered().then_some(ty),
    }
}

/// Digits of a sum: as many as a decimal can have.
const fn decimal_digits() -> u8 {
    match DECIMAL {
        ScalarType::Decimal { digits, .. } => digits,
        _ => 18,
    }
}
