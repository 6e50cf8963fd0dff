//! Calls: functions on scalars, `has`, `size`, `allowed`, literals of time, named rules.

use super::collection::{AGGREGATES, MACROS};
use super::operator::BOOLEAN;
use super::types::time_constant;
use super::{Checked, Checker, Reported, Term};
use crate::catalog::Operation;
use crate::cel::syntax::{Syntax, SyntaxKind, Word};
use crate::compile::literal::Literal;
use crate::diagnostic::codes;
use crate::expr::{AuthField, End, Expr, ExprKind, Function, Path, Ty};
use crate::scalar::ScalarType;
use crate::value::Value;

/// Functions on a receiver: name, function, receiver's type, type of the one argument.
const METHODS: [(&str, Function, ScalarType, bool, ScalarType); 13] = [
    ("startsWith", Function::StartsWith, ScalarType::String, true, ScalarType::Boolean),
    ("endsWith", Function::EndsWith, ScalarType::String, true, ScalarType::Boolean),
    ("contains", Function::Contains, ScalarType::String, true, ScalarType::Boolean),
    ("matches", Function::Matches, ScalarType::String, true, ScalarType::Boolean),
    ("lowerAscii", Function::LowerAscii, ScalarType::String, false, ScalarType::String),
    ("upperAscii", Function::UpperAscii, ScalarType::String, false, ScalarType::String),
    ("getFullYear", Function::Year, ScalarType::Timestamp, false, ScalarType::Int),
    ("getMonth", Function::Month, ScalarType::Timestamp, false, ScalarType::Int),
    ("getDayOfMonth", Function::DayOfMonth, ScalarType::Timestamp, false, ScalarType::Int),
    ("getDayOfWeek", Function::DayOfWeek, ScalarType::Timestamp, false, ScalarType::Int),
    ("getHours", Function::Hours, ScalarType::Timestamp, false, ScalarType::Int),
    ("getMinutes", Function::Minutes, ScalarType::Timestamp, false, ScalarType::Int),
    ("getSeconds", Function::Seconds, ScalarType::Timestamp, false, ScalarType::Int),
];

/// Functions without receiver.
const FUNCTIONS: [&str; 5] = ["size", "has", "allowed", "timestamp", "duration"];

/// Functions of CEL and of other languages that rules do not have, with the alternative.
const FOREIGN: [(&str, &str); 16] = [
    ("int", "numbers widen by themselves; compare text with text"),
    ("uint", "numbers widen by themselves"),
    ("double", "numbers widen by themselves"),
    ("string", "compare values of one type; text joins text with `+`"),
    ("bytes", "compare a Bytes with a string: `this.digest == '\\\\x00ff'`"),
    ("bool", "write `… == true`"),
    ("type", "types are known when the schema is loaded"),
    ("dyn", "compare JSON members with a literal or a column"),
    ("now", "write `now`, without brackets"),
    ("count", "write `size(list)`"),
    ("len", "write `size(text)` or `size(list)`"),
    ("length", "write `size(text)` or `size(list)`"),
    ("exists", "write `list.exists(x, …)`"),
    ("lower", "write `text.lowerAscii()`"),
    ("coalesce", "write `a != null ? a : b`"),
    ("date", "compare a Date with a string: `this.day >= '2026-01-31'`"),
];

/// Methods that rules do not have, with the alternative.
const FOREIGN_METHODS: [(&str, &str); 16] = [
    ("isEmpty", "write `size(list) == 0`"),
    ("length", "write `size(text)` or `size(list)`"),
    ("len", "write `size(text)` or `size(list)`"),
    ("first", "rows of a relation have no order; write `list.exists(x, …)`"),
    ("last", "rows of a relation have no order; write `list.exists(x, …)`"),
    ("sort", "rows of a relation have no order"),
    ("any", "write `list.exists(x, …)`"),
    ("some", "write `list.exists(x, …)`"),
    ("every", "write `list.all(x, …)`"),
    ("none", "write `!list.exists(x, …)`"),
    ("includes", "write `x in list` or `text.contains(part)`"),
    ("toLowerCase", "write `text.lowerAscii()`"),
    ("lower", "write `text.lowerAscii()`"),
    ("toUpperCase", "write `text.upperAscii()`"),
    ("like", "write `text.contains(part)`, `startsWith` or `endsWith`"),
    ("getDate", "write `time.getDayOfMonth() + 1`"),
];

impl Checker<'_, '_> {
    pub(super) fn call(
        &mut self,
        receiver: Option<&Syntax>,
        word: &Word,
        args: &[Syntax],
        syntax: &Syntax,
    ) -> Checked<Term> {
        match receiver {
            Some(receiver) => self.method(receiver, word, args, syntax),
            None => self.function(word, args, syntax),
        }
    }

    fn method(&mut self, receiver: &Syntax, word: &Word, args: &[Syntax], syntax: &Syntax) -> Checked<Term> {
        let name = word.text.as_str();
        let term = self.term(receiver)?;
        let at = self.span(word.start, word.end);
        match term {
            Term::Rows(rows) if MACROS.contains(&name) => self.macro_over_rows(*rows, word, args, syntax),
            Term::Rows(rows) if AGGREGATES.contains(&name) => {
                self.aggregate(*rows, word, args, syntax).map(Term::Value)
            }
            Term::Value(list) if MACROS.contains(&name) => self.macro_over_list(list, word, args, syntax),
            Term::Auth if name == "has" => {
                self.fail(codes::UNAVAILABLE, at, "`auth.has` is not available yet")
            }
            Term::Value(value) if name == "size" && args.is_empty() => {
                self.size_of(value, syntax).map(Term::Value)
            }
            Term::Value(value) => self.scalar_method(value, receiver, word, args, syntax).map(Term::Value),
            Term::Rows(_) | Term::Row(_) | Term::Auth | Term::Request | Term::Headers => {
                self.no_method(name, at)
            }
        }
    }

    fn no_method<T>(&mut self, name: &str, at: crate::catalog::Span) -> Checked<T> {
        let message = format!("there is no function `{name}` here");
        if let Some((_, help)) = FOREIGN_METHODS.iter().find(|(foreign, _)| *foreign == name) {
            return self.fail_with(codes::UNSUPPORTED, at, message, *help);
        }
        let known: Vec<&str> =
            METHODS.iter().map(|(known, ..)| *known).chain(MACROS).chain(AGGREGATES).collect();
        self.fail_near(codes::UNSUPPORTED, at, message, name, &known)
    }

    fn scalar_method(
        &mut self,
        value: Expr,
        receiver: &Syntax,
        word: &Word,
        args: &[Syntax],
        syntax: &Syntax,
    ) -> Checked<Expr> {
        let at = self.span(word.start, word.end);
        let found = METHODS.iter().find(|(known, ..)| *known == word.text);
        let Some((name, function, of, takes, result)) = found else { return self.no_method(&word.text, at) };
        if value.ty == Ty::Dynamic {
            let help = "compare it with `==` or `in`, or keep it in a column";
            let message =
                format!("`{name}` does not apply to a JSON value, whose type is known only at run time");
            return self.fail_with(codes::UNSUPPORTED, at, message, help);
        }
        if !args.is_empty() && *of == ScalarType::Timestamp {
            let help = "times are in UTC";
            return self.fail_with(codes::UNSUPPORTED, at, format!("`{name}` takes no time zone"), help);
        }
        if args.len() != usize::from(*takes) {
            let count = if *takes { "one argument" } else { "no argument" };
            return self.fail(codes::RULE_ARGUMENTS, at, format!("`{name}` takes {count}"));
        }
        let value = self.fit(value, &Ty::Scalar(*of), receiver)?;
        let mut out = vec![value];
        for arg in args {
            let given = self.expr(arg)?;
            let given = self.fit(given, &Ty::Scalar(ScalarType::String), arg)?;
            if *function == Function::Matches {
                self.pattern(&given)?;
            }
            out.push(given);
        }
        let kind = ExprKind::Call(*function, out);
        Ok(Expr { kind, ty: Ty::Scalar(*result), span: self.span_of(syntax) })
    }

    fn pattern(&mut self, pattern: &Expr) -> Checked<()> {
        const MAX_BYTES: usize = 1_000;
        let ExprKind::Const(Value::Text(text)) = &pattern.kind else {
            let help =
                "write the pattern as a literal; for other text use `contains`, `startsWith` or `endsWith`";
            return self.fail_with(
                codes::UNSUPPORTED,
                pattern.span,
                "the pattern of `matches` is a literal",
                help,
            );
        };
        if text.len() > MAX_BYTES {
            return self.fail(
                codes::LITERAL,
                pattern.span,
                format!("the pattern has more than {MAX_BYTES} bytes"),
            );
        }
        if let Err(reason) = regex::RegexBuilder::new(text).size_limit(1 << 20).build() {
            let reason = reason.to_string();
            let last = reason.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
            return self.fail(
                codes::LITERAL,
                pattern.span,
                format!("the pattern is not a regular expression: {last}"),
            );
        }
        Ok(())
    }

    fn function(&mut self, word: &Word, args: &[Syntax], syntax: &Syntax) -> Checked<Term> {
        let name = word.text.as_str();
        if self.environment.rules.contains_key(name) {
            return self.named_rule(word, args, syntax).map(Term::Value);
        }
        match (name, args) {
            ("size", [of]) => match self.term(of)? {
                Term::Rows(rows) => self.aggregate(*rows, word, &[], syntax).map(Term::Value),
                other => {
                    let value = self.value_of(other, of)?;
                    self.size_of(value, syntax).map(Term::Value)
                }
            },
            ("has", [of]) => self.has(of, syntax).map(Term::Value),
            ("allowed", [row, operation]) => self.allowed(row, operation, syntax).map(Term::Value),
            ("timestamp" | "duration", [of]) => self.time(name, of, syntax).map(Term::Value),
            ("size" | "has" | "timestamp" | "duration" | "allowed", _) => {
                let at = self.span_of(syntax);
                let count = if name == "allowed" { "a row and an operation" } else { "one argument" };
                self.fail(codes::RULE_ARGUMENTS, at, format!("`{name}` takes {count}"))
            }
            _ => self.unknown_function(word),
        }
    }

    fn unknown_function<T>(&mut self, word: &Word) -> Checked<T> {
        let at = self.span(word.start, word.end);
        let message = format!("there is no rule or function `{}`", word.text);
        if let Some((_, help)) = FOREIGN.iter().find(|(foreign, _)| *foreign == word.text) {
            return self.fail_with(codes::UNSUPPORTED, at, message, *help);
        }
        let rules: Vec<String> = self.environment.rules.keys().cloned().collect();
        let mut known: Vec<&str> = rules.iter().map(String::as_str).collect();
        known.extend(FUNCTIONS);
        self.fail_near(codes::UNKNOWN_NAME, at, message, &word.text, &known)
    }

    fn size_of(&mut self, value: Expr, syntax: &Syntax) -> Checked<Expr> {
        let span = self.span_of(syntax);
        match (&value.kind, &value.ty) {
            (_, Ty::Scalar(ScalarType::String | ScalarType::Bytes)) => Ok(Expr {
                kind: ExprKind::Call(Function::Size, vec![value]),
                ty: Ty::Scalar(ScalarType::Int),
                span,
            }),
            (ExprKind::Path(_), Ty::List(_) | Ty::Scalar(ScalarType::List(_))) => Ok(Expr {
                kind: ExprKind::Call(Function::Elements, vec![value]),
                ty: Ty::Scalar(ScalarType::Int),
                span,
            }),
            (ExprKind::List(items), _) => {
                let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
                Ok(Expr { kind: ExprKind::Const(Value::Int(count)), ty: Ty::Scalar(ScalarType::Int), span })
            }
            (_, Ty::Dynamic) => {
                let help = "ask `x in list` or `list.exists(x, …)`";
                self.fail_with(
                    codes::UNSUPPORTED,
                    span,
                    "the size of a JSON value is not known to rules",
                    help,
                )
            }
            (_, ty) => {
                let message = format!("{} has no size", self.shown(ty));
                self.fail(codes::TYPES, span, message)
            }
        }
    }

    fn has(&mut self, of: &Syntax, syntax: &Syntax) -> Checked<Expr> {
        let value = self.expr(of)?;
        let span = self.span_of(syntax);
        match value.kind {
            ExprKind::Path(path @ Path { end: End::Json { .. }, .. }) => {
                Ok(Expr { kind: ExprKind::Has(path), ty: BOOLEAN, span })
            }
            ExprKind::Auth(AuthField::Claim(_)) => self.fail_with(
                codes::UNSUPPORTED,
                span,
                "`has` asks for members of JSON columns",
                "write `auth.claims.… != null`",
            ),
            _ => self.fail_with(
                codes::UNSUPPORTED,
                span,
                "`has` asks for members of JSON columns",
                "write `… != null`",
            ),
        }
    }

    fn allowed(&mut self, row: &Syntax, operation: &Syntax, syntax: &Syntax) -> Checked<Expr> {
        let span = self.span_of(syntax);
        let term = self.term(row)?;
        let Term::Row(row_term) = term else {
            let at = self.span_of(row);
            return self.fail(
                codes::TYPES,
                at,
                "`allowed` asks about one row: `allowed(this.order, \"read\")`",
            );
        };
        let at = self.span_of(operation);
        let SyntaxKind::Text(name) = &operation.kind else {
            return self.fail(
                codes::LITERAL,
                at,
                "the operation is one of \"read\", \"create\", \"update\", \"delete\"",
            );
        };
        let operation = match name.as_str() {
            "read" => Operation::Read,
            "create" => Operation::Create,
            "update" => Operation::Update,
            "delete" => Operation::Delete,
            other => {
                let message = format!("'{other}' is no operation");
                return self.fail_near(
                    codes::LITERAL,
                    at,
                    message,
                    other,
                    &["read", "create", "update", "delete"],
                );
            }
        };
        Ok(Expr { kind: ExprKind::Allowed { row: row_term.path, operation }, ty: BOOLEAN, span })
    }

    fn time(&mut self, function: &str, of: &Syntax, syntax: &Syntax) -> Checked<Expr> {
        let span = self.span_of(syntax);
        let SyntaxKind::Text(text) = &of.kind else {
            let help = if function == "timestamp" {
                "write `timestamp(\"2026-01-31T09:00:00Z\")`"
            } else {
                "write `duration(\"24h\")`"
            };
            return self.fail_with(codes::UNSUPPORTED, span, format!("`{function}` takes a literal"), help);
        };
        let Some((value, ty)) = time_constant(function, text) else {
            let help = if function == "timestamp" {
                "for example \"2026-01-31T09:00:00Z\""
            } else {
                "for example \"24h\", \"90m\" or \"1h30m\""
            };
            let at = self.span_of(of);
            return self.fail_with(codes::LITERAL, at, format!("'{text}' is not a {function}"), help);
        };
        Ok(Expr { kind: ExprKind::Const(value), ty, span })
    }

    fn named_rule(&mut self, word: &Word, args: &[Syntax], syntax: &Syntax) -> Checked<Expr> {
        let environment = self.environment;
        let Some(rule) = environment.rules.get(&word.text) else { return Err(Reported) };
        rule.used.set(true);
        let span = self.span_of(syntax);
        let at = self.span(word.start, word.end);
        if self.expanding.contains(&word.text) {
            return self.fail(codes::RULE_RECURSION, at, format!("the rule \"{}\" calls itself", word.text));
        }
        if args.len() != rule.params.len() {
            let message = format!(
                "the rule \"{}\" takes {} arguments, not {}",
                word.text,
                rule.params.len(),
                args.len()
            );
            return self.fail(codes::RULE_ARGUMENTS, span, message);
        }
        let Some(body) = &rule.syntax else { return Err(Reported) };
        let mut scope: Vec<(String, Term)> = Vec::new();
        for (param, arg) in rule.params.iter().zip(args) {
            let term = self.term(arg)?;
            if matches!(&term, Term::Rows(rows) if rows.filter.is_some() || rows.value.is_some()) {
                let at = self.span_of(arg);
                let help = "pass the list itself and filter it in the rule";
                return self.fail_with(
                    codes::UNSUPPORTED,
                    at,
                    "a filtered list is not passed to a rule",
                    help,
                );
            }
            scope.push((param.clone(), term));
        }
        let checked = self.expand(&word.text, &rule.literal, body, scope)?;
        Ok(Expr {
            kind: ExprKind::Rule { name: word.text.clone(), body: Box::new(checked) },
            ty: BOOLEAN,
            span,
        })
    }

    /// Checks the body of a named rule in its own scope and text.
    fn expand(
        &mut self,
        name: &str,
        literal: &Literal,
        body: &Syntax,
        scope: Vec<(String, Term)>,
    ) -> Checked<Expr> {
        self.expanding.push(name.to_owned());
        let mut inner = Checker {
            environment: self.environment,
            diagnostics: self.diagnostics,
            literal,
            scope,
            expanding: std::mem::take(&mut self.expanding),
            vars: self.vars,
            changed_vars: self.changed_vars.clone(),
            nodes: self.nodes,
            depth: self.depth,
            stopped: self.stopped,
        };
        let out = inner.predicate(body);
        self.expanding = std::mem::take(&mut inner.expanding);
        self.vars = inner.vars;
        self.nodes = inner.nodes;
        self.stopped = inner.stopped;
        self.expanding.pop();
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cel::vocabulary::{Group, names};

    #[test]
    fn the_vocabulary_is_what_is_taken() {
        let same = |group, taken: &[&str]| assert_eq!(names(group).collect::<Vec<_>>(), taken, "{group:?}");
        same(Group::Function, &FUNCTIONS);
        same(Group::Method, &METHODS.map(|(name, ..)| name));
        same(Group::Macro, &MACROS);
        same(Group::Aggregate, &AGGREGATES);
        same(Group::Auth, &crate::cel::check::path::AUTH_MEMBERS);
        same(Group::Request, &crate::cel::check::path::REQUEST_MEMBERS);
    }
}
