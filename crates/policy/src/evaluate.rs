//! Rules in memory: the same expressions over rows at hand, three-valued. Used
//! where a row is already read (change events, explanations) and as one of the
//! three judges of the T/F compiler in tests.

use crate::caller::{Caller, RequestInfo};
use crate::constant;
use backstay_schema::catalog::{Catalog, Operation, Permit, TableId};
use backstay_schema::expr::{
    AggregateFunction, AuthField, CompareOp, End, Expr, ExprKind, Function, Hop, Over, Path, Quantifier,
    RelationPath, RequestField, Root, Ty, VarId,
};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// True, false or not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tri {
    /// Definitely true.
    True,
    /// Definitely false.
    False,
    /// Neither: denies, and so does its negation.
    Unknown,
}

impl Tri {
    const fn of(known: bool) -> Self {
        if known { Self::True } else { Self::False }
    }

    /// `!self`.
    #[must_use]
    pub const fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }

    /// `self && other`: false wins over unknown.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, Self::True) => Self::True,
            _ => Self::Unknown,
        }
    }

    /// `self || other`: true wins over unknown.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }
}

/// Rows in memory, and how they are related. Values are the stored ones.
pub trait Rows {
    /// A handle to a row.
    type Row: Clone;
    /// The value of a column.
    fn column(&self, row: &Self::Row, column: backstay_schema::catalog::ColumnId) -> Value;
    /// The rows that a relation leads to.
    fn related(&self, row: &Self::Row, hop: Hop) -> Vec<Self::Row>;
    /// The key of a row.
    fn key(&self, row: &Self::Row) -> Vec<Value>;
    /// The `@user` row of an account.
    fn account(&self, uid: uuid::Uuid) -> Option<Self::Row>;
    /// The table of a row.
    fn table(&self, row: &Self::Row) -> TableId;
}

/// What the roots of paths stand for.
#[derive(Debug, Clone)]
pub struct Subject<R> {
    /// `this`.
    pub this: Option<R>,
    /// `old`.
    pub old: Option<R>,
    /// `new`.
    pub new: Option<R>,
}

/// Evaluates expressions for one caller and request.
pub struct Evaluator<'a, S: Rows> {
    /// The model.
    pub catalog: &'a Catalog,
    /// Who asks.
    pub caller: &'a Caller,
    /// How and when.
    pub info: &'a RequestInfo<'a>,
    /// What for.
    pub operation: Operation,
    /// Names of the columns in the body.
    pub changed: &'a [String],
    /// The data.
    pub rows: &'a S,
}

#[derive(Clone)]
struct Scope<R> {
    subject: Subject<R>,
    vars: Vec<(VarId, Bound<R>)>,
}

#[derive(Clone)]
enum Bound<R> {
    Row(R),
    Value(Value),
}

impl<R: Clone> Scope<R> {
    fn bound(&self, var: VarId, to: Bound<R>) -> Self {
        let mut scope = self.clone();
        scope.vars.push((var, to));
        scope
    }
}

impl<S: Rows> Evaluator<'_, S> {
    /// Whether a rule holds.
    pub fn judge(&self, expr: &Expr, subject: &Subject<S::Row>) -> Tri {
        self.tri(expr, &Scope { subject: subject.clone(), vars: Vec::new() })
    }

    fn tri(&self, expr: &Expr, scope: &Scope<S::Row>) -> Tri {
        match &expr.kind {
            ExprKind::Not(inner) => self.tri(inner, scope).not(),
            ExprKind::And(a, b) => self.tri(a, scope).and(self.tri(b, scope)),
            ExprKind::Or(a, b) => self.tri(a, scope).or(self.tri(b, scope)),
            ExprKind::Rule { body, .. } | ExprKind::Cast(body) => self.tri(body, scope),
            ExprKind::If(condition, then, otherwise) => match self.tri(condition, scope) {
                Tri::True => self.tri(then, scope),
                Tri::False => self.tri(otherwise, scope),
                Tri::Unknown => Tri::Unknown,
            },
            ExprKind::Compare(op, a, b) => self.compare(*op, a, b, scope),
            ExprKind::In(item, list) => self.among(item, list, scope),
            ExprKind::Call(function, args) if crate::compile::is_predicate(*function) => {
                self.text(*function, args, scope)
            }
            ExprKind::Quantifier { quantifier, over, var, body } => {
                self.quantifier(*quantifier, over, *var, body, scope)
            }
            ExprKind::Allowed { row, operation } => match self.row(row, scope) {
                Some(Some(row)) => self.allowed(&row, *operation),
                Some(None) | None => Tri::Unknown,
            },
            ExprKind::Has(path) => match self.end(path, None, scope) {
                Some(value) => Tri::of(!value.is_null()),
                None => Tri::Unknown,
            },
            _ => match self.value(expr, BOOLEAN, scope) {
                Some(Value::Bool(known)) => Tri::of(known),
                _ => Tri::Unknown,
            },
        }
    }

    fn allowed(&self, row: &S::Row, operation: Operation) -> Tri {
        if crate::compile::passes_access(self.caller) {
            return Tri::True;
        }
        if (operation != Operation::Create && !self.is_alive(row)) || !self.is_confined(row) {
            return Tri::False;
        }
        let permit: &Permit = self.catalog.table(self.rows.table(row)).access.permit(operation);
        let subject = Subject { this: Some(row.clone()), old: Some(row.clone()), new: Some(row.clone()) };
        let inner = Evaluator { operation, ..*self };
        let whole = permit.allow.iter().filter(|arm| arm.fields.is_none());
        let any = whole.map(|arm| inner.judge(&arm.expr, &subject)).fold(Tri::False, Tri::or);
        let denied = permit.deny.iter().map(|arm| inner.judge(&arm.expr, &subject)).fold(Tri::False, Tri::or);
        any.and(denied.not())
    }

    fn compare(&self, op: CompareOp, a: &Expr, b: &Expr, scope: &Scope<S::Row>) -> Tri {
        if is_null(a) || is_null(b) {
            let tested = if is_null(b) { a } else { b };
            let equal = self.is_null(tested, scope);
            return if op == CompareOp::Ne { equal.not() } else { equal };
        }
        if matches!(a.ty, Ty::Row(_)) || matches!(b.ty, Ty::Row(_)) {
            let equal = match (self.row_key(a, scope), self.row_key(b, scope)) {
                (Some(x), Some(y)) => Tri::of(x == y),
                _ => Tri::Unknown,
            };
            return if op == CompareOp::Ne { equal.not() } else { equal };
        }
        let ty = hint(a).or_else(|| hint(b));
        match (self.value(a, ty, scope), self.value(b, ty, scope)) {
            (Some(x), Some(y)) => constant::compare(op, &x, &y).map_or(Tri::Unknown, Tri::of),
            _ => Tri::Unknown,
        }
    }

    /// `expr == null`.
    fn is_null(&self, expr: &Expr, scope: &Scope<S::Row>) -> Tri {
        if matches!(expr.ty, Ty::Row(_)) {
            return match row_path(expr).and_then(|path| self.row(path, scope)) {
                Some(row) => Tri::of(row.is_none()),
                None => Tri::Unknown,
            };
        }
        if let ExprKind::Auth(_) = &expr.kind {
            return Tri::of(self.value(expr, hint(expr), scope).is_none());
        }
        self.value(expr, hint(expr), scope).map_or(Tri::Unknown, |value| Tri::of(value.is_null()))
    }

    /// The key of a row; an inner empty list stands for the null row.
    fn row_key(&self, expr: &Expr, scope: &Scope<S::Row>) -> Option<Vec<Value>> {
        let path = row_path(expr)?;
        if path.root == Root::AuthUser && path.hops.is_empty() {
            return match self.caller {
                Caller::User(user) => Some(vec![Value::Uuid(user.uid)]),
                Caller::Anon | Caller::Service | Caller::System => None,
            };
        }
        let row = self.row(path, scope)?;
        Some(row.map(|row| self.rows.key(&row)).unwrap_or_default())
    }

    /// The rows that a relation leads to, without deleted ones.
    fn related(&self, row: &S::Row, hop: Hop) -> Vec<S::Row> {
        let mut found = self.rows.related(row, hop);
        found.retain(|row| self.is_alive(row));
        found
    }

    /// Whether a row belongs to the tenant that the caller acts for.
    fn is_confined(&self, row: &S::Row) -> bool {
        let table = self.catalog.table(self.rows.table(row));
        let Some(column) = table.tenant else { return true };
        let org = self.auth(&AuthField::Org, Some(table.column(column).ty));
        org.is_some_and(|org| org == self.rows.column(row, column))
    }

    fn is_alive(&self, row: &S::Row) -> bool {
        let soft = self.catalog.table(self.rows.table(row)).soft_delete;
        soft.is_none_or(|column| self.rows.column(row, column).is_null())
    }

    /// The row at the end of a path: `None` when a row on the way is missing, `Some(None)` when the last is.
    fn row(&self, path: &Path, scope: &Scope<S::Row>) -> Option<Option<S::Row>> {
        let mut at = match path.root {
            Root::This => scope.subject.this.clone(),
            Root::Old => scope.subject.old.clone(),
            Root::New => scope.subject.new.clone(),
            Root::AuthUser => match self.caller {
                Caller::User(user) => self.rows.account(user.uid),
                Caller::Anon | Caller::Service | Caller::System => None,
            },
            Root::Var(var) => scope.vars.iter().rev().find_map(|(id, bound)| match bound {
                Bound::Row(row) if *id == var => Some(row.clone()),
                Bound::Row(_) | Bound::Value(_) => None,
            }),
        };
        for hop in &path.hops {
            at = self.related(&at?, *hop).into_iter().next();
        }
        Some(at)
    }

    /// What a path ends in.
    fn end(&self, path: &Path, ty: Option<ScalarType>, scope: &Scope<S::Row>) -> Option<Value> {
        let row = self.row(path, scope)??;
        match &path.end {
            End::Row => None,
            End::Column(column) => Some(self.rows.column(&row, *column)),
            End::Computed(id) => {
                let computed = self.catalog.table(self.rows.table(&row)).computed_field(*id);
                let subject = Subject { this: Some(row.clone()), old: Some(row.clone()), new: Some(row) };
                let scope = Scope { subject, vars: Vec::new() };
                let value = self.value(&computed.expr, Some(computed.ty), &scope);
                if computed.nullable { Some(value.unwrap_or(Value::Null)) } else { value }
            }
            End::Json { column, members } => match self.rows.column(&row, *column) {
                Value::Json(text) => {
                    let document: serde_json::Value = serde_json::from_str(&text).ok()?;
                    let found = members.iter().try_fold(&document, |at, member| at.get(member));
                    match found {
                        None | Some(serde_json::Value::Null) => Some(Value::Null),
                        Some(found) => constant::claim_value(found, ty),
                    }
                }
                _ => Some(Value::Null),
            },
        }
    }

    fn value(&self, expr: &Expr, ty: Option<ScalarType>, scope: &Scope<S::Row>) -> Option<Value> {
        let own = hint(expr).or(ty);
        match &expr.kind {
            ExprKind::Const(value) => Some(value.clone()),
            ExprKind::Path(path) => self.end(path, own, scope),
            ExprKind::Auth(field) => self.auth(field, own),
            ExprKind::Request(field) => self.request(field),
            ExprKind::Var(var) => scope.vars.iter().rev().find_map(|(id, bound)| match bound {
                Bound::Value(value) if id == var => Some(value.clone()),
                Bound::Row(_) | Bound::Value(_) => None,
            }),
            ExprKind::Cast(inner) => {
                let value = self.value(inner, ty, scope)?;
                own.map_or(Some(value.clone()), |own| constant::convert(&value, own))
            }
            ExprKind::Negate(inner) => constant::negate(&self.value(inner, own, scope)?),
            ExprKind::Arithmetic(op, a, b) => {
                constant::arithmetic(*op, &self.value(a, own, scope)?, &self.value(b, own, scope)?, own)
            }
            ExprKind::Concat(a, b) => match (self.value(a, own, scope)?, self.value(b, own, scope)?) {
                (Value::Text(x), Value::Text(y)) => Some(Value::Text(x + &y)),
                _ => None,
            },
            ExprKind::Call(function, args) if !crate::compile::is_predicate(*function) => {
                constant::call(*function, &self.value(args.first()?, None, scope)?)
            }
            ExprKind::Aggregate { function, over, var, filter, value } => {
                self.aggregate(*function, over, *var, filter.as_deref(), value.as_deref(), own, scope)
            }
            ExprKind::If(condition, then, otherwise) => match self.tri(condition, scope) {
                Tri::True => self.value(then, own, scope),
                Tri::False => self.value(otherwise, own, scope),
                Tri::Unknown => None,
            },
            _ => match self.tri(expr, scope) {
                Tri::True => Some(Value::Bool(true)),
                Tri::False => Some(Value::Bool(false)),
                Tri::Unknown => None,
            },
        }
    }

    fn auth(&self, field: &AuthField, ty: Option<ScalarType>) -> Option<Value> {
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        match (self.caller, field) {
            (Caller::Anon, AuthField::Role) => text("anon"),
            (Caller::Service | Caller::System, AuthField::Role) => text("service"),
            (Caller::User(user), AuthField::Role) => text(&user.role),
            (Caller::User(user), AuthField::Uid) => Some(Value::Uuid(user.uid)),
            (Caller::User(user), AuthField::Aal) => text(&user.aal),
            (Caller::User(user), AuthField::Email) => text(user.email.as_deref()?),
            (Caller::User(user), AuthField::Org) => constant::org_value(user.org.as_deref()?, ty),
            (Caller::Service, AuthField::Org) => constant::org_value(self.info.tenant?, ty),
            (Caller::User(user), AuthField::Claim(path)) => {
                constant::claim_value(constant::claim(&user.claims, path)?, ty)
            }
            (Caller::Anon | Caller::Service | Caller::System, _) => None,
        }
    }

    fn request(&self, field: &RequestField) -> Option<Value> {
        Some(match field {
            RequestField::Time => Value::Timestamp(self.info.now_micros),
            RequestField::Op => Value::Text(constant::operation_name(self.operation).to_owned()),
            RequestField::Method => Value::Text(self.info.method.to_owned()),
            RequestField::Ip => Value::Text(self.info.ip_text()),
            RequestField::Header(name) => Value::Text(self.info.header(name)?.to_owned()),
            RequestField::Changed => return None,
        })
    }

    fn elements(&self, list: &Expr, ty: ScalarType, scope: &Scope<S::Row>) -> Option<Vec<Option<Value>>> {
        match &list.kind {
            ExprKind::List(items) => {
                Some(items.iter().map(|item| self.value(item, Some(ty), scope)).collect())
            }
            ExprKind::Cast(inner) => self.elements(inner, ty, scope),
            ExprKind::Path(path) => match self.end(path, None, scope)? {
                Value::List(values) => Some(values.into_iter().map(Some).collect()),
                _ => None,
            },
            ExprKind::Auth(AuthField::Claim(path)) => {
                let Caller::User(user) = self.caller else { return None };
                let values = constant::claim_list(constant::claim(&user.claims, path)?, ty)?;
                Some(values.into_iter().map(Some).collect())
            }
            ExprKind::Request(RequestField::Changed) => {
                Some(self.changed.iter().map(|name| Some(Value::Text(name.clone()))).collect())
            }
            _ => None,
        }
    }

    fn among(&self, item: &Expr, list: &Expr, scope: &Scope<S::Row>) -> Tri {
        let ty = hint(item).or_else(|| element(&list.ty)).unwrap_or(ScalarType::String);
        let (Some(elements), Some(value)) =
            (self.elements(list, ty, scope), self.value(item, Some(ty), scope))
        else {
            return Tri::Unknown;
        };
        let equals = |element: Option<Value>| {
            element
                .and_then(|element| constant::compare(CompareOp::Eq, &value, &element))
                .map_or(Tri::Unknown, Tri::of)
        };
        elements.into_iter().map(equals).fold(Tri::False, Tri::or)
    }

    fn text(&self, function: Function, args: &[Expr], scope: &Scope<S::Row>) -> Tri {
        let [a, b] = args else { return Tri::Unknown };
        let text = Some(ScalarType::String);
        match (self.value(a, text, scope), self.value(b, text, scope)) {
            (Some(Value::Text(x)), Some(Value::Text(y))) => {
                constant::text_test(function, &x, &y).map_or(Tri::Unknown, Tri::of)
            }
            _ => Tri::Unknown,
        }
    }

    fn quantifier(
        &self,
        quantifier: Quantifier,
        over: &Over,
        var: VarId,
        body: &Expr,
        scope: &Scope<S::Row>,
    ) -> Tri {
        let bound: Vec<Bound<S::Row>> = match over {
            Over::Relation(relation) => match self.row(&relation.row, scope) {
                Some(Some(row)) => self.related(&row, relation.hop).into_iter().map(Bound::Row).collect(),
                Some(None) | None => return Tri::Unknown,
            },
            Over::List(list) => {
                let ty = element(&list.ty).unwrap_or(ScalarType::String);
                let Some(elements) = self.elements(list, ty, scope) else { return Tri::Unknown };
                let Some(values) = elements.into_iter().collect::<Option<Vec<Value>>>() else {
                    return Tri::Unknown;
                };
                values.into_iter().map(Bound::Value).collect()
            }
        };
        let verdicts = bound.into_iter().map(|to| self.tri(body, &scope.bound(var, to)));
        match quantifier {
            Quantifier::Exists => verdicts.fold(Tri::False, Tri::or),
            Quantifier::All => verdicts.fold(Tri::True, Tri::and),
            Quantifier::ExistsOne => {
                let verdicts: Vec<Tri> = verdicts.collect();
                if verdicts.contains(&Tri::Unknown) {
                    return Tri::Unknown;
                }
                Tri::of(verdicts.iter().filter(|verdict| **verdict == Tri::True).count() == 1)
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of the node, taken apart by its only caller")]
    fn aggregate(
        &self,
        function: AggregateFunction,
        over: &RelationPath,
        var: VarId,
        filter: Option<&Expr>,
        value: Option<&Expr>,
        ty: Option<ScalarType>,
        scope: &Scope<S::Row>,
    ) -> Option<Value> {
        let row = self.row(&over.row, scope)??;
        let mut values = Vec::new();
        for related in self.related(&row, over.hop) {
            let inner = scope.bound(var, Bound::Row(related));
            match filter.map_or(Tri::True, |filter| self.tri(filter, &inner)) {
                Tri::True => {}
                Tri::False => continue,
                Tri::Unknown => return None,
            }
            values.push(match value {
                None => Value::Int(1),
                // what is not known counts as null, as a database's aggregate sees it
                Some(value) => self.value(value, hint(value).or(ty), &inner).unwrap_or(Value::Null),
            });
        }
        fold(function, values, ty)
    }
}

const BOOLEAN: Option<ScalarType> = Some(ScalarType::Boolean);

/// An aggregate of values; nulls are passed over.
fn fold(function: AggregateFunction, values: Vec<Value>, ty: Option<ScalarType>) -> Option<Value> {
    use backstay_schema::expr::ArithmeticOp::{Add, Div};
    let count = i64::try_from(values.len()).ok()?;
    let mut known = values.into_iter().filter(|value| !value.is_null());
    if function == AggregateFunction::Count {
        return Some(Value::Int(count));
    }
    let Some(first) = known.next() else {
        return match function {
            AggregateFunction::Sum if ty == Some(ScalarType::Duration) => Some(Value::Duration(0)),
            AggregateFunction::Sum => constant::convert(&Value::Int(0), ty?),
            _ => Some(Value::Null),
        };
    };
    let rest: Vec<Value> = known.collect();
    let n = i64::try_from(rest.len()).ok()? + 1;
    let better = |order: std::cmp::Ordering| {
        move |best: Value, next: Value| {
            if constant::order(&next, &best) == Some(order) { next } else { best }
        }
    };
    match function {
        AggregateFunction::Count => Some(Value::Int(n)),
        AggregateFunction::Min => Some(rest.into_iter().fold(first, better(std::cmp::Ordering::Less))),
        AggregateFunction::Max => Some(rest.into_iter().fold(first, better(std::cmp::Ordering::Greater))),
        AggregateFunction::Sum => {
            rest.into_iter().try_fold(first, |sum, next| constant::arithmetic(Add, &sum, &next, ty))
        }
        AggregateFunction::Avg => {
            let first = constant::convert(&first, ty?)?;
            let sum = rest.into_iter().try_fold(first, |sum, next| {
                constant::arithmetic(Add, &sum, &constant::convert(&next, ty?)?, ty)
            })?;
            constant::arithmetic(Div, &sum, &constant::convert(&Value::Int(n), ty?)?, ty)
        }
    }
}

const fn is_null(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Const(Value::Null))
}

const fn hint(expr: &Expr) -> Option<ScalarType> {
    match &expr.ty {
        Ty::Scalar(scalar) => Some(*scalar),
        _ => None,
    }
}

const fn element(ty: &Ty) -> Option<ScalarType> {
    match ty {
        Ty::List(inner) => match &**inner {
            Ty::Scalar(scalar) => Some(*scalar),
            _ => None,
        },
        _ => None,
    }
}

fn row_path(expr: &Expr) -> Option<&Path> {
    match &expr.kind {
        ExprKind::Path(path) => Some(path),
        ExprKind::Rule { body, .. } | ExprKind::Cast(body) => row_path(body),
        _ => None,
    }
}
