//! Rules → predicates by T/F compilation: for every node a predicate that is TRUE
//! exactly where the rule is definitely true, and one for definitely false; `!`
//! swaps them. Direct translation (`NOT p`) leaks rows over NULL.
//!
//! The caller is known here, so whatever reads only `auth`, `request` and literals
//! folds (partial evaluation); the rest becomes binds and columns. No SQL text.

mod compare;
mod list;
mod operand;
mod path;
mod permit;
mod quantifier;
mod row;

use crate::caller::{Caller, RequestInfo};
use backstay_base::fault::Fault;
use backstay_query::plan::{Pred, Scalar, SourceId, Sources};
use backstay_schema::catalog::{Catalog, ColumnId, Operation, TableId};
use backstay_schema::expr::{Expr, ExprKind, Function, Path, Root, VarId};
use backstay_schema::value::Value;
use std::cell::RefCell;
use std::rc::Rc;

pub(crate) use operand::{NullMeans, Operand};
pub(crate) use path::{bind, exists};
pub(crate) use permit::passes_access;

/// The request as rules see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// Who.
    pub caller: &'a Caller,
    /// How and when.
    pub info: &'a RequestInfo<'a>,
    /// What.
    pub operation: Operation,
    /// Names of the columns in the body.
    pub changed: &'a [String],
}

/// Whether expressions read stored values as they are, or as the caller may see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Rules, `@set`, defaults: as System.
    Raw,
    /// Computed fields in a request: related rows and fields pass their read rules.
    Caller,
}

/// A row that an expression may start from.
#[derive(Debug, Clone)]
pub(crate) enum RowRef {
    /// A row of a source.
    Source(SourceId, TableId),
    /// A row as it will be: some columns replaced.
    Prospective(SourceId, TableId, Rc<Replaced>),
}

impl RowRef {
    pub(crate) const fn table(&self) -> TableId {
        match self {
            Self::Source(_, table) | Self::Prospective(_, table, _) => *table,
        }
    }
}

/// The columns of a row that are replaced, and which of them an expression has looked at: what was made of those
/// holds for a row with the same values alone.
#[derive(Debug, Default)]
pub(crate) struct Replaced {
    values: Vec<(ColumnId, Scalar)>,
    looked_at: RefCell<Vec<ColumnId>>,
}

impl Replaced {
    pub(crate) fn new(values: Vec<(ColumnId, Scalar)>) -> Rc<Self> {
        Rc::new(Self { values, looked_at: RefCell::default() })
    }

    /// What stands in place of a column.
    fn look_at(&self, column: ColumnId) -> Option<&Scalar> {
        let (_, value) = self.values.iter().find(|(id, _)| *id == column)?;
        let mut looked_at = self.looked_at.borrow_mut();
        if !looked_at.contains(&column) {
            looked_at.push(column);
        }
        Some(value)
    }

    /// The columns whose values were looked at so far.
    pub(crate) fn looked_at(&self) -> Vec<ColumnId> {
        self.looked_at.borrow().clone()
    }
}

/// What the roots of paths and the variables stand for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    /// `this`.
    pub this: Option<RowRef>,
    /// `old`.
    pub old: Option<RowRef>,
    /// `new`.
    pub new: Option<RowRef>,
    vars: Vec<(VarId, Binding)>,
}

#[derive(Debug, Clone)]
enum Binding {
    Row(RowRef),
    Value(Value),
    /// An element of a stored list.
    Element(Scalar),
}

impl Scope {
    /// All roots are this one row.
    pub(crate) fn one(row: RowRef) -> Self {
        Self { this: Some(row.clone()), old: Some(row.clone()), new: Some(row), vars: Vec::new() }
    }

    fn with_row(&self, var: VarId, row: RowRef) -> Self {
        let mut scope = self.clone();
        scope.vars.push((var, Binding::Row(row)));
        scope
    }

    /// A variable that no rule has, bound to a row.
    fn with_fresh(&self, row: RowRef) -> (VarId, Self) {
        let taken = u16::try_from(self.vars.len()).unwrap_or(u16::MAX / 2);
        let var = VarId(u16::MAX - taken);
        (var, self.with_row(var, row))
    }

    fn with_value(&self, var: VarId, value: Value) -> Self {
        let mut scope = self.clone();
        scope.vars.push((var, Binding::Value(value)));
        scope
    }

    fn row(&self, root: Root) -> Option<&RowRef> {
        match root {
            Root::This => self.this.as_ref(),
            Root::Old => self.old.as_ref(),
            Root::New => self.new.as_ref(),
            Root::AuthUser => None,
            Root::Var(var) => self.vars.iter().rev().find_map(|(id, binding)| match binding {
                Binding::Row(row) if *id == var => Some(row),
                Binding::Row(_) | Binding::Value(_) | Binding::Element(_) => None,
            }),
        }
    }

    fn value(&self, var: VarId) -> Option<&Value> {
        self.vars.iter().rev().find_map(|(id, binding)| match binding {
            Binding::Value(value) if *id == var => Some(value),
            Binding::Row(_) | Binding::Value(_) | Binding::Element(_) => None,
        })
    }

    fn with_element(&self, var: VarId, element: Scalar) -> Self {
        let mut scope = self.clone();
        scope.vars.push((var, Binding::Element(element)));
        scope
    }

    fn element(&self, var: VarId) -> Option<&Scalar> {
        self.vars.iter().rev().find_map(|(id, binding)| match binding {
            Binding::Element(element) if *id == var => Some(element),
            Binding::Row(_) | Binding::Value(_) | Binding::Element(_) => None,
        })
    }
}

/// Compiles expressions for one caller and request.
pub(crate) struct Compiler<'a> {
    pub catalog: &'a Catalog,
    pub asked: Asked<'a>,
    pub sources: &'a mut Sources,
    pub sight: Sight,
    /// Within the rule of a type or field: there a deleted row is never there.
    pub inside: bool,
    /// Conditions under which the operand compiled last is known at all.
    guards: Vec<Pred>,
}

type Compiled = Result<Pred, Fault>;

impl<'a> Compiler<'a> {
    pub(crate) fn new(catalog: &'a Catalog, asked: Asked<'a>, sources: &'a mut Sources) -> Self {
        Self { catalog, asked, sources, sight: Sight::Raw, inside: false, guards: Vec::new() }
    }

    /// Where `expr` is definitely true.
    pub(crate) fn is_true(&mut self, expr: &Expr, scope: &Scope) -> Compiled {
        self.holds(expr, scope, true)
    }

    /// Where `expr` is definitely false.
    pub(crate) fn is_false(&mut self, expr: &Expr, scope: &Scope) -> Compiled {
        self.holds(expr, scope, false)
    }

    /// Where `expr` is definitely `want`.
    fn holds(&mut self, expr: &Expr, scope: &Scope, want: bool) -> Compiled {
        match &expr.kind {
            ExprKind::Not(inner) => self.holds(inner, scope, !want),
            ExprKind::And(a, b) => self.junction(a, b, scope, want, want),
            ExprKind::Or(a, b) => self.junction(a, b, scope, want, !want),
            ExprKind::Rule { body, .. } => self.holds(body, scope, want),
            ExprKind::Cast(inner) => self.holds(inner, scope, want),
            ExprKind::If(condition, then, otherwise) => {
                let yes = self.is_true(condition, scope)?.and(self.holds(then, scope, want)?);
                let no = self.is_false(condition, scope)?.and(self.holds(otherwise, scope, want)?);
                Ok(yes.or(no))
            }
            ExprKind::Compare(op, left, right) => self.compare(*op, left, right, scope, want),
            ExprKind::In(item, list) => self.in_list(item, list, scope, want),
            ExprKind::Call(function, args) if is_predicate(*function) => {
                self.text_test(*function, args, scope, want)
            }
            ExprKind::Quantifier { quantifier, over, var, body } => {
                self.quantifier(*quantifier, over, *var, body, scope, want)
            }
            ExprKind::Allowed { row, operation } => self.allowed(row, *operation, scope, want),
            ExprKind::Has(path) => self.has(path, scope, want),
            ExprKind::Const(_)
            | ExprKind::List(_)
            | ExprKind::Path(_)
            | ExprKind::Auth(_)
            | ExprKind::Request(_)
            | ExprKind::Var(_)
            | ExprKind::Negate(_)
            | ExprKind::Arithmetic(..)
            | ExprKind::Concat(..)
            | ExprKind::Call(..)
            | ExprKind::Aggregate { .. } => self.boolean_value(expr, scope, want),
        }
    }

    /// `a` and `b` joined by AND when `all`, else by OR, each wanted to be `want`.
    fn junction(&mut self, a: &Expr, b: &Expr, scope: &Scope, want: bool, all: bool) -> Compiled {
        let left = self.holds(a, scope, want)?;
        match (&left, all) {
            (Pred::Const(false), true) | (Pred::Const(true), false) => return Ok(left),
            _ => {}
        }
        let right = self.holds(b, scope, want)?;
        Ok(if all { left.and(right) } else { left.or(right) })
    }

    /// A boolean column, claim or variable as a predicate.
    fn boolean_value(&mut self, expr: &Expr, scope: &Scope, want: bool) -> Compiled {
        self.with_operand(expr, BOOLEAN, scope, &mut |_, operand| {
            Ok(match operand {
                Operand::Known(Value::Bool(known)) => Pred::Const(known == want),
                Operand::Known(_) | Operand::Absent => Pred::FALSE,
                Operand::Sql(scalar, _) if want => Pred::IsTrue(scalar),
                Operand::Sql(scalar, _) => Pred::IsFalse(scalar),
            })
        })
    }

    /// `has(row.json.member)`.
    fn has(&mut self, path: &Path, scope: &Scope, want: bool) -> Compiled {
        self.at_end(path, scope, &mut |compiler, row, scope| {
            let _ = scope;
            let scalar = compiler.end_scalar(row, &path.end, None)?;
            Ok(match scalar {
                Operand::Known(value) => Pred::Const(value.is_null() != want),
                Operand::Absent => Pred::FALSE,
                Operand::Sql(scalar, _) if want => Pred::IsNotNull(scalar),
                Operand::Sql(scalar, _) => Pred::IsNull(scalar),
            })
        })
    }

    /// Adds the guards collected since `mark` to a predicate: unknown operands make both T and F fail.
    fn guarded(&mut self, mark: usize, pred: Pred) -> Pred {
        self.guards.drain(mark..).fold(pred, Pred::and)
    }
}

const BOOLEAN: Option<backstay_schema::scalar::ScalarType> =
    Some(backstay_schema::scalar::ScalarType::Boolean);

/// Functions that are tests, not values.
pub(crate) const fn is_predicate(function: Function) -> bool {
    matches!(function, Function::StartsWith | Function::EndsWith | Function::Contains | Function::Matches)
}
