//! Scalar expressions: what stands on a side of a comparison.

use super::{Compiler, Scope};
use crate::caller::Caller;
use crate::constant;
use backstay_base::fault::Fault;
use backstay_query::plan::{Pred, Scalar};
use backstay_schema::expr::{AggregateFunction, ArithmeticOp, AuthField, Expr, ExprKind, RequestField, Ty};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// What a NULL of an operand says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NullMeans {
    /// It is never NULL.
    Never,
    /// The value is null: equality with null is defined.
    Null,
    /// The value is not known (overflow, a null argument).
    Unknown,
}

/// A side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    /// Known before any row is read.
    Known(Value),
    /// An `auth.*` that is not there: every comparison with it is unknown.
    Absent,
    /// Read from rows.
    Sql(Scalar, NullMeans),
}

impl Operand {
    /// As a value of a statement.
    pub(crate) fn into_scalar(self, ty: ScalarType) -> Scalar {
        match self {
            Self::Known(Value::Null) | Self::Absent => Scalar::Null(ty),
            Self::Known(value) => Scalar::Bind(value, ty),
            Self::Sql(scalar, _) => scalar,
        }
    }

    pub(crate) const fn null_means(&self) -> NullMeans {
        match self {
            Self::Known(_) => NullMeans::Never,
            Self::Absent => NullMeans::Unknown,
            Self::Sql(_, means) => *means,
        }
    }
}

/// The scalar type of an expression; none for null, rows and what is only known at run time.
pub(crate) const fn scalar_type(ty: &Ty) -> Option<ScalarType> {
    match ty {
        Ty::Scalar(scalar) => Some(*scalar),
        Ty::Null | Ty::Row(_) | Ty::List(_) | Ty::Embedded(_) | Ty::Dynamic => None,
    }
}

impl Compiler<'_> {
    /// The value of an expression. Paths over relations become look-ups, so that a
    /// missing row gives NULL; comparisons use `with_operand` instead.
    pub(crate) fn operand(
        &mut self,
        expr: &Expr,
        hint: Option<ScalarType>,
        scope: &Scope,
    ) -> Result<Operand, Fault> {
        let ty = scalar_type(&expr.ty).or(hint);
        match &expr.kind {
            ExprKind::Const(value) => Ok(Operand::Known(value.clone())),
            ExprKind::Path(path) => self.path_value(path, scalar_type(&expr.ty).or(hint), scope),
            ExprKind::Auth(field) => Ok(self.auth(field, ty)),
            ExprKind::Request(field) => Ok(self.request(field)),
            ExprKind::Var(var) if let Some(element) = scope.element(*var) => {
                Ok(Operand::Sql(element.clone(), NullMeans::Never))
            }
            ExprKind::Var(var) => Ok(scope.value(*var).cloned().map_or(Operand::Absent, |value| {
                hint.map_or(Some(value.clone()), |ty| constant::convert(&value, ty))
                    .map_or(Operand::Absent, Operand::Known)
            })),
            ExprKind::Cast(inner) => {
                let operand = self.operand(inner, hint, scope)?;
                Ok(cast(operand, scalar_type(&inner.ty), ty))
            }
            ExprKind::Negate(inner) => {
                let operand = self.operand(inner, ty, scope)?;
                Ok(negate(operand, ty.unwrap_or(ScalarType::BigInt)))
            }
            ExprKind::Arithmetic(op, a, b) => self.arithmetic(*op, a, b, ty, scope),
            ExprKind::Concat(a, b) => self.concat(a, b, scope),
            ExprKind::Call(function, args) if !super::is_predicate(*function) => {
                self.call(*function, args, scope)
            }
            ExprKind::Aggregate { function, over, var, filter, value } => {
                let means = match function {
                    AggregateFunction::Count => NullMeans::Never,
                    AggregateFunction::Sum => NullMeans::Unknown,
                    AggregateFunction::Min | AggregateFunction::Max | AggregateFunction::Avg => {
                        NullMeans::Null
                    }
                };
                let ty = ty.unwrap_or(ScalarType::BigInt);
                let scalar =
                    self.aggregate(*function, over, *var, filter.as_deref(), value.as_deref(), ty, scope)?;
                Ok(Operand::Sql(scalar, means))
            }
            ExprKind::If(condition, then, otherwise) => self.choice(condition, then, otherwise, ty, scope),
            _ => self.truth(expr, scope),
        }
    }

    pub(super) fn auth(&self, field: &AuthField, hint: Option<ScalarType>) -> Operand {
        let text = |text: &str| Operand::Known(Value::Text(text.to_owned()));
        match (self.asked.caller, field) {
            (Caller::Anon, AuthField::Role) => text("anon"),
            (Caller::Service | Caller::System, AuthField::Role) => text("service"),
            (Caller::User(user), AuthField::Role) => text(&user.role),
            (Caller::User(user), AuthField::Uid) => Operand::Known(Value::Uuid(user.uid)),
            (Caller::User(user), AuthField::Aal) => text(&user.aal),
            (Caller::User(user), AuthField::Email) => user.email.as_deref().map_or(Operand::Absent, text),
            (Caller::User(user), AuthField::Org) => org(user.org.as_deref(), hint),
            (Caller::Service, AuthField::Org) => org(self.asked.info.tenant, hint),
            (Caller::User(user), AuthField::Claim(path)) => constant::claim(&user.claims, path)
                .and_then(|found| constant::claim_value(found, hint))
                .map_or(Operand::Absent, Operand::Known),
            (Caller::Anon | Caller::Service | Caller::System, _) => Operand::Absent,
        }
    }

    fn request(&self, field: &RequestField) -> Operand {
        let text = |text: &str| Operand::Known(Value::Text(text.to_owned()));
        match field {
            RequestField::Time => Operand::Known(Value::Timestamp(self.asked.info.now_micros)),
            RequestField::Op => text(constant::operation_name(self.asked.operation)),
            RequestField::Method => text(self.asked.info.method),
            RequestField::Ip => text(&self.asked.info.ip_text()),
            RequestField::Header(name) => self.asked.info.header(name).map_or(Operand::Absent, text),
            RequestField::Changed => Operand::Absent,
        }
    }

    fn arithmetic(
        &mut self,
        op: ArithmeticOp,
        a: &Expr,
        b: &Expr,
        ty: Option<ScalarType>,
        scope: &Scope,
    ) -> Result<Operand, Fault> {
        let left = self.operand(a, ty, scope)?;
        let right = self.operand(b, ty, scope)?;
        if let (Operand::Known(x), Operand::Known(y)) = (&left, &right) {
            return Ok(constant::arithmetic(op, x, y, ty).map_or(Operand::Absent, Operand::Known));
        }
        if left == Operand::Absent || right == Operand::Absent {
            return Ok(Operand::Absent);
        }
        let ty = ty.unwrap_or(ScalarType::BigInt);
        let left = left.into_scalar(scalar_type(&a.ty).unwrap_or(ty));
        let right = right.into_scalar(scalar_type(&b.ty).unwrap_or(ty));
        let scalar = Scalar::Arithmetic(op, Box::new(left), Box::new(right), ty);
        Ok(Operand::Sql(scalar, NullMeans::Unknown))
    }

    fn concat(&mut self, a: &Expr, b: &Expr, scope: &Scope) -> Result<Operand, Fault> {
        let text = Some(ScalarType::String);
        match (self.operand(a, text, scope)?, self.operand(b, text, scope)?) {
            (Operand::Known(Value::Text(x)), Operand::Known(Value::Text(y))) => {
                Ok(Operand::Known(Value::Text(x + &y)))
            }
            (Operand::Absent, _) | (_, Operand::Absent) => Ok(Operand::Absent),
            (x, y) => {
                let x = x.into_scalar(ScalarType::String);
                let y = y.into_scalar(ScalarType::String);
                Ok(Operand::Sql(Scalar::Concat(Box::new(x), Box::new(y)), NullMeans::Unknown))
            }
        }
    }

    fn call(
        &mut self,
        function: backstay_schema::expr::Function,
        args: &[Expr],
        scope: &Scope,
    ) -> Result<Operand, Fault> {
        let mut scalars = Vec::with_capacity(args.len());
        for arg in args {
            match self.operand(arg, None, scope)? {
                Operand::Absent => return Ok(Operand::Absent),
                Operand::Known(value) if args.len() == 1 => {
                    return Ok(constant::call(function, &value).map_or(Operand::Absent, Operand::Known));
                }
                known_or_sql => {
                    scalars
                        .push(known_or_sql.into_scalar(scalar_type(&arg.ty).unwrap_or(ScalarType::String)));
                }
            }
        }
        Ok(Operand::Sql(Scalar::Call(function, scalars), NullMeans::Unknown))
    }

    /// `c ? a : b` as a value.
    fn choice(
        &mut self,
        condition: &Expr,
        then: &Expr,
        otherwise: &Expr,
        ty: Option<ScalarType>,
        scope: &Scope,
    ) -> Result<Operand, Fault> {
        let yes = self.is_true(condition, scope)?;
        if yes == Pred::TRUE {
            return self.operand(then, ty, scope);
        }
        let no = self.is_false(condition, scope)?;
        if no == Pred::TRUE {
            return self.operand(otherwise, ty, scope);
        }
        let ty = ty.unwrap_or(ScalarType::String);
        let then = self.operand(then, Some(ty), scope)?.into_scalar(ty);
        let otherwise = self.operand(otherwise, Some(ty), scope)?.into_scalar(ty);
        let cases = vec![(yes, then), (no, otherwise)];
        Ok(Operand::Sql(Scalar::Case(cases, Box::new(Scalar::Null(ty))), NullMeans::Unknown))
    }

    /// A predicate as a value: true, false or not known.
    fn truth(&mut self, expr: &Expr, scope: &Scope) -> Result<Operand, Fault> {
        let yes = self.is_true(expr, scope)?;
        let no = self.is_false(expr, scope)?;
        Ok(match (&yes, &no) {
            (Pred::Const(true), _) => Operand::Known(Value::Bool(true)),
            (_, Pred::Const(true)) => Operand::Known(Value::Bool(false)),
            (Pred::Const(false), Pred::Const(false)) => Operand::Absent,
            _ => {
                let known = |value| Scalar::Bind(Value::Bool(value), ScalarType::Boolean);
                let cases = vec![(yes, known(true)), (no, known(false))];
                let unknown = Box::new(Scalar::Null(ScalarType::Boolean));
                Operand::Sql(Scalar::Case(cases, unknown), NullMeans::Unknown)
            }
        })
    }
}

/// Widening that the checker asked for.
pub(crate) fn cast(operand: Operand, from: Option<ScalarType>, to: Option<ScalarType>) -> Operand {
    let Some(to) = to else { return operand };
    if from == Some(to) {
        return operand;
    }
    match operand {
        Operand::Known(value) => constant::convert(&value, to).map_or(Operand::Absent, Operand::Known),
        Operand::Absent => Operand::Absent,
        Operand::Sql(scalar, means) => Operand::Sql(Scalar::Cast(Box::new(scalar), to), means),
    }
}

fn negate(operand: Operand, ty: ScalarType) -> Operand {
    match operand {
        Operand::Known(value) => constant::negate(&value).map_or(Operand::Absent, Operand::Known),
        Operand::Absent => Operand::Absent,
        Operand::Sql(scalar, _) => Operand::Sql(Scalar::Negate(Box::new(scalar), ty), NullMeans::Unknown),
    }
}

/// A tenant as a value of the type of its key.
fn org(named: Option<&str>, hint: Option<ScalarType>) -> Operand {
    named.and_then(|text| constant::org_value(text, hint)).map_or(Operand::Absent, Operand::Known)
}
