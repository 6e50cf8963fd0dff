//! Types of rules: what goes with what, and the widening casts that make two sides one.

use super::{Checked, Checker, decimal_constant};
use crate::cel::syntax::Syntax;
use crate::diagnostic::codes;
use crate::expr::{Expr, ExprKind, Ty};
use crate::scalar::ScalarType;
use crate::value::{Value, calendar};
use backstay_base::suggest;

impl Checker<'_, '_> {
    /// A type in words.
    pub(super) fn shown(&self, ty: &Ty) -> String {
        match ty {
            Ty::Scalar(scalar) => scalar.schema_name(self.catalog()).into_owned(),
            Ty::Null => "null".to_owned(),
            Ty::Row(table) => format!("a row of {}", self.catalog().table(*table).type_name),
            Ty::List(inner) => format!("a list of {}", self.shown(inner)),
            Ty::Embedded(id) => self.catalog().embedded_type(*id).name.clone(),
            Ty::Dynamic => "a JSON value".to_owned(),
        }
    }

    /// The type that both widen to.
    pub(super) fn common(&self, a: &Ty, b: &Ty) -> Option<Ty> {
        match (a, b) {
            (Ty::Null, other) | (other, Ty::Null) => Some(other.clone()),
            (Ty::Scalar(a), Ty::Scalar(b)) => common_scalar(*a, *b).map(Ty::Scalar),
            (a, b) if a == b => Some(a.clone()),
            _ => None,
        }
    }

    /// Brings an expression to a type, at load where it is a constant.
    pub(super) fn fit(&mut self, expr: Expr, wanted: &Ty, syntax: &Syntax) -> Checked<Expr> {
        if &expr.ty == wanted || expr.ty == Ty::Null {
            return Ok(expr);
        }
        let (Ty::Scalar(from), Ty::Scalar(to)) = (&expr.ty, wanted) else {
            return self.misfit(&expr, wanted, syntax);
        };
        let (from, to) = (*from, *to);
        if let ExprKind::Const(value) = &expr.kind
            && let Some(constant) = self.fit_constant(value, from, to, &expr)?
        {
            return Ok(constant);
        }
        // an enum is text wherever text is wanted
        let text = matches!((from, to), (ScalarType::Enum(_), ScalarType::String));
        if text || widens(from, to) {
            let span = expr.span;
            return Ok(Expr { kind: ExprKind::Cast(Box::new(expr)), ty: wanted.clone(), span });
        }
        self.misfit(&expr, wanted, syntax)
    }

    fn misfit(&mut self, expr: &Expr, wanted: &Ty, syntax: &Syntax) -> Checked<Expr> {
        let (found, wanted_text) = (self.shown(&expr.ty), self.shown(wanted));
        let span = self.span_of(syntax);
        let message = format!("expected {wanted_text}, found {found}");
        match (&expr.ty, wanted) {
            (Ty::Scalar(ScalarType::String), Ty::Scalar(ScalarType::Timestamp)) => {
                self.fail_with(codes::TYPES, span, message, "write `timestamp(\"2026-01-31T09:00:00Z\")`")
            }
            (Ty::Scalar(ScalarType::String), Ty::Scalar(ScalarType::Duration)) => {
                self.fail_with(codes::TYPES, span, message, "write `duration(\"24h\")`")
            }
            (Ty::Row(_), Ty::Scalar(ScalarType::Uuid)) => {
                self.fail_with(codes::TYPES, span, message, "take its key: `….id`")
            }
            _ => self.fail(codes::TYPES, span, message),
        }
    }

    /// A constant in another type: strings as enum members, ids and dates; exact numbers.
    fn fit_constant(
        &mut self,
        value: &Value,
        from: ScalarType,
        to: ScalarType,
        at: &Expr,
    ) -> Checked<Option<Expr>> {
        let span = at.span;
        let made = |value: Value, ty: ScalarType| {
            Some(Expr { kind: ExprKind::Const(value), ty: Ty::Scalar(ty), span })
        };
        match (value, to) {
            (Value::Text(text), ScalarType::Enum(id)) => {
                let definition = self.catalog().enum_type(id);
                if definition.members.iter().any(|member| &member.name == text) {
                    return Ok(made(value.clone(), to));
                }
                let names: Vec<&str> = definition.members.iter().map(|member| member.name.as_str()).collect();
                let message = format!("'{text}' is not a member of {}", definition.name);
                let help = match suggest::nearest(text, names.iter().copied()) {
                    Some(near) => format!("did you mean '{near}'?"),
                    None => format!("its members are {}", names.join(", ")),
                };
                self.fail_with(codes::NOT_A_MEMBER, span, message, help)
            }
            (
                Value::Text(text),
                ScalarType::Uuid | ScalarType::Date | ScalarType::Time | ScalarType::Bytes,
            ) => match to.parse_text(self.catalog(), text) {
                Ok(value) => Ok(made(value, to)),
                Err(fault) => self.fail(codes::LITERAL, span, fault.message),
            },
            (Value::Float(_), ScalarType::Decimal { .. }) => {
                let text = value.to_text();
                let exact = decimal_constant(&text).map(|(value, _)| value);
                let fitted = exact.and_then(|exact| {
                    let fitted = to.convert(self.catalog(), &exact).ok()?;
                    (fitted.compare(&exact) == Some(std::cmp::Ordering::Equal)).then_some(fitted)
                });
                match fitted {
                    Some(value) => Ok(made(value, to)),
                    None => {
                        let shown = self.shown(&Ty::Scalar(to));
                        self.fail(codes::LITERAL, span, format!("{text} does not fit this {shown}"))
                    }
                }
            }
            (Value::Int(_) | Value::Decimal(_), _) if widens(from, to) => {
                match to.convert(self.catalog(), value) {
                    Ok(value) => Ok(made(value, to)),
                    Err(fault) => self.fail(codes::LITERAL, span, fault.message),
                }
            }
            _ => Ok(None),
        }
    }

    /// Makes both sides of a comparison one type; null and JSON values stay as they are.
    pub(super) fn unify(&mut self, left: Expr, right: Expr, a: &Syntax, b: &Syntax) -> Checked<(Expr, Expr)> {
        let scalar = |ty: &Ty| matches!(ty, Ty::Scalar(_));
        let free = left.ty == Ty::Null
            || right.ty == Ty::Null
            || (left.ty == Ty::Dynamic && scalar(&right.ty))
            || (right.ty == Ty::Dynamic && scalar(&left.ty));
        if left.ty == Ty::Dynamic && right.ty == Ty::Dynamic {
            let span = self.span(a.start, b.end.max(a.end));
            let help = "compare each with a literal or a column";
            return self.fail_with(
                codes::TYPES,
                span,
                "the types of both sides are known only at run time",
                help,
            );
        }
        if left.ty == right.ty || free {
            return Ok((left, right));
        }
        let (left, right) = self.exact_constants(left, right);
        let common = self.common(&left.ty, &right.ty).or_else(|| literal_target(&left, &right));
        let Some(common) = common else {
            return self.incomparable(&left, &right, a, b);
        };
        Ok((self.fit(left, &common, a)?, self.fit(right, &common, b)?))
    }

    /// A literal `1.5` next to a decimal is that decimal, not the nearest double.
    fn exact_constants(&self, left: Expr, right: Expr) -> (Expr, Expr) {
        let decimal = |expr: &Expr| matches!(expr.ty, Ty::Scalar(ScalarType::Decimal { .. }));
        let exact = |expr: Expr, other: &Expr| match &expr.kind {
            ExprKind::Const(value @ Value::Float(_)) if decimal(other) => {
                match decimal_constant(&value.to_text()) {
                    Some((value, ty)) => {
                        Expr { kind: ExprKind::Const(value), ty: Ty::Scalar(ty), span: expr.span }
                    }
                    None => expr,
                }
            }
            _ => expr,
        };
        let left = exact(left, &right);
        let right = exact(right, &left);
        (left, right)
    }

    fn incomparable<T>(&mut self, left: &Expr, right: &Expr, a: &Syntax, b: &Syntax) -> Checked<T> {
        let span = self.span(a.start.min(b.start), a.end.max(b.end));
        let message = format!("{} and {} cannot be compared", self.shown(&left.ty), self.shown(&right.ty));
        let help = match (&left.ty, &right.ty) {
            (Ty::Row(_), Ty::Scalar(_)) | (Ty::Scalar(_), Ty::Row(_)) => {
                "compare rows with rows (`this.owner == auth.user`) or keys with keys (`this.owner_id == auth.uid`)"
            }
            (Ty::Scalar(ScalarType::Timestamp), Ty::Scalar(ScalarType::String))
            | (Ty::Scalar(ScalarType::String), Ty::Scalar(ScalarType::Timestamp)) => {
                "write `timestamp(\"2026-01-31T09:00:00Z\")`"
            }
            (Ty::Scalar(ScalarType::Duration), Ty::Scalar(ScalarType::String))
            | (Ty::Scalar(ScalarType::String), Ty::Scalar(ScalarType::Duration)) => {
                "write `duration(\"24h\")`"
            }
            (Ty::Scalar(ScalarType::Duration), _) | (_, Ty::Scalar(ScalarType::Duration)) => {
                "compare times: `this.created_at > now - duration(\"24h\")`"
            }
            (Ty::List(_), _) | (_, Ty::List(_)) => "ask `x in list`, `list.exists(x, …)` or `list.all(x, …)`",
            _ => "both sides of a comparison have one type",
        };
        self.fail_with(codes::TYPES, span, message, help)
    }
}

/// A string literal takes the type of the other side where that has text literals.
pub(super) fn literal_target(left: &Expr, right: &Expr) -> Option<Ty> {
    let text = |expr: &Expr| matches!(expr.kind, ExprKind::Const(Value::Text(_)));
    let takes = |ty: &Ty| {
        use ScalarType as T;
        matches!(ty, Ty::Scalar(T::Enum(_) | T::Uuid | T::Date | T::Time | T::Bytes))
    };
    if text(left) && takes(&right.ty) {
        return Some(right.ty.clone());
    }
    if text(right) && takes(&left.ty) {
        return Some(left.ty.clone());
    }
    // an enum column next to other text, as `this.role == auth.role`
    let is_text = |ty: &Ty| matches!(ty, Ty::Scalar(ScalarType::String));
    let is_enum = |ty: &Ty| matches!(ty, Ty::Scalar(ScalarType::Enum(_)));
    let mixed = (is_text(&left.ty) && is_enum(&right.ty)) || (is_enum(&left.ty) && is_text(&right.ty));
    mixed.then_some(Ty::Scalar(ScalarType::String))
}

fn rank(ty: ScalarType) -> Option<u8> {
    match ty {
        ScalarType::Int => Some(0),
        ScalarType::BigInt => Some(1),
        ScalarType::Decimal { .. } => Some(2),
        ScalarType::Float => Some(3),
        ScalarType::Boolean
        | ScalarType::String
        | ScalarType::Uuid
        | ScalarType::Timestamp
        | ScalarType::Date
        | ScalarType::Time
        | ScalarType::Duration
        | ScalarType::Bytes
        | ScalarType::Json
        | ScalarType::Enum(_)
        | ScalarType::List(_) => None,
    }
}

/// The type that two scalars widen to.
fn common_scalar(a: ScalarType, b: ScalarType) -> Option<ScalarType> {
    if a == b {
        return Some(a);
    }
    if let (ScalarType::Decimal { scale: x, .. }, ScalarType::Decimal { scale: y, .. }) = (a, b) {
        return Some(ScalarType::Decimal { digits: 18, scale: x.max(y) });
    }
    let (low, high) = (rank(a)?, rank(b)?);
    let wider = if low >= high { a } else { b };
    Some(match wider {
        ScalarType::Decimal { scale, .. } => ScalarType::Decimal { digits: 18, scale },
        other => other,
    })
}

/// Whether a value of one type is one of another.
fn widens(from: ScalarType, to: ScalarType) -> bool {
    match (from, to) {
        (ScalarType::Decimal { scale: a, .. }, ScalarType::Decimal { scale: b, .. }) => a <= b,
        _ => match (rank(from), rank(to)) {
            (Some(low), Some(high)) => low < high,
            _ => false,
        },
    }
}

/// A constant instant or length of time.
pub(super) fn time_constant(function: &str, text: &str) -> Option<(Value, Ty)> {
    match function {
        "timestamp" => calendar::parse_timestamp(text)
            .map(|micros| (Value::Timestamp(micros), Ty::Scalar(ScalarType::Timestamp))),
        "duration" => calendar::parse_duration(text)
            .map(|micros| (Value::Duration(micros), Ty::Scalar(ScalarType::Duration))),
        _ => None,
    }
}
