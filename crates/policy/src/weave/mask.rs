//! Every column and every hop that a request mentions, in whatever clause, passes
//! the same read rule as if it had been selected.

use super::Weaver;
use super::denial::Demands;
use crate::compile::{Operand, RowRef, Scope, Sight, exists};
use crate::paths;
use backstay_base::fault::Fault;
use backstay_query::plan::{ColumnRef, ComputedRef, Elements, Pred, Scalar};
use backstay_schema::catalog::Operation;
use backstay_schema::expr::{End, Root};
use backstay_schema::scalar::ScalarType;

impl Weaver<'_> {
    /// A request's value with masks in place; 42501 when a field is never readable.
    pub(super) fn scalar(&mut self, scalar: Scalar) -> Result<Scalar, Fault> {
        Ok(match scalar {
            Scalar::Column(column) => self.column(column)?,
            Scalar::Computed(computed) => self.computed(computed)?,
            Scalar::Bind(..) | Scalar::Slot(..) | Scalar::Null(_) | Scalar::Element(..) => scalar,
            Scalar::Json(inner, path) => Scalar::Json(self.boxed(*inner)?, path),
            Scalar::Cast(inner, ty) => Scalar::Cast(self.boxed(*inner)?, ty),
            Scalar::Negate(inner, ty) => Scalar::Negate(self.boxed(*inner)?, ty),
            Scalar::Masked(pred, inner) => Scalar::Masked(Box::new(self.pred(*pred)?), self.boxed(*inner)?),
            Scalar::Arithmetic(op, a, b, ty) => Scalar::Arithmetic(op, self.boxed(*a)?, self.boxed(*b)?, ty),
            Scalar::Concat(a, b) => Scalar::Concat(self.boxed(*a)?, self.boxed(*b)?),
            Scalar::Call(function, args) => {
                let args = args.into_iter().map(|arg| self.scalar(arg)).collect::<Result<_, _>>()?;
                Scalar::Call(function, args)
            }
            Scalar::Case(cases, last) => {
                let cases = cases
                    .into_iter()
                    .map(|(when, then)| Ok((self.pred(when)?, self.scalar(then)?)))
                    .collect::<Result<_, Fault>>()?;
                Scalar::Case(cases, self.boxed(*last)?)
            }
            Scalar::Lookup(mut lookup) => {
                let rule = self.row_rule(&RowRef::Source(lookup.source, lookup.table))?;
                lookup.filter = rule.and(self.pred(lookup.filter)?);
                lookup.value = self.scalar(lookup.value)?;
                Scalar::Lookup(lookup)
            }
            Scalar::Aggregate(mut aggregate) => {
                let rule = self.row_rule(&RowRef::Source(aggregate.source, aggregate.table))?;
                aggregate.filter = rule.and(self.pred(aggregate.filter)?);
                aggregate.value = aggregate.value.map(|value| self.scalar(value)).transpose()?;
                Scalar::Aggregate(aggregate)
            }
            Scalar::Test(pred) => Scalar::Test(Box::new(self.pred(*pred)?)),
        })
    }

    fn boxed(&mut self, scalar: Scalar) -> Result<Box<Scalar>, Fault> {
        self.scalar(scalar).map(Box::new)
    }

    /// A request's condition with masks in place.
    pub(super) fn pred(&mut self, pred: Pred) -> Result<Pred, Fault> {
        Ok(match pred {
            Pred::Const(_) => pred,
            Pred::And(parts) => {
                let mut all = Pred::TRUE;
                for part in parts {
                    all = all.and(self.pred(part)?);
                }
                all
            }
            Pred::Or(parts) => {
                let mut any = Pred::FALSE;
                for part in parts {
                    any = any.or(self.pred(part)?);
                }
                any
            }
            Pred::Not(inner) => Pred::Not(Box::new(self.pred(*inner)?)),
            Pred::IsNotTrue(inner) => Pred::IsNotTrue(Box::new(self.pred(*inner)?)),
            Pred::Compare(op, a, b) => Pred::Compare(op, self.scalar(a)?, self.scalar(b)?),
            Pred::IsNull(value) => Pred::IsNull(self.scalar(value)?),
            Pred::IsNotNull(value) => Pred::IsNotNull(self.scalar(value)?),
            Pred::IsTrue(value) => Pred::IsTrue(self.scalar(value)?),
            Pred::IsFalse(value) => Pred::IsFalse(self.scalar(value)?),
            Pred::In(value, list, ty) => Pred::In(self.scalar(value)?, list, ty),
            Pred::NotIn(value, list, ty) => Pred::NotIn(self.scalar(value)?, list, ty),
            Pred::Like { value, pattern, ignore_case } => {
                Pred::Like { value: self.scalar(value)?, pattern, ignore_case }
            }
            Pred::Member(a, b, ty) => Pred::Member(self.scalar(a)?, self.scalar(b)?, ty),
            Pred::NotMember(a, b, ty) => Pred::NotMember(self.scalar(a)?, self.scalar(b)?, ty),
            Pred::Set(test, a, b) => Pred::Set(test, self.scalar(a)?, self.scalar(b)?),
            Pred::SomeElement(inner) => Pred::SomeElement(self.elements(*inner)?),
            Pred::NoElement(inner) => Pred::NoElement(self.elements(*inner)?),
            Pred::Text(function, a, b) => Pred::Text(function, self.scalar(a)?, self.scalar(b)?),
            Pred::NotText(function, a, b) => Pred::NotText(function, self.scalar(a)?, self.scalar(b)?),
            Pred::Exists(inner) => {
                let rule = self.row_rule(&RowRef::Source(inner.source, inner.table))?;
                let filter = rule.and(self.pred(inner.filter)?);
                exists(inner.source, inner.table, filter)
            }
            Pred::NotExists(mut inner) => {
                let rule = self.row_rule(&RowRef::Source(inner.source, inner.table))?;
                inner.filter = rule.and(self.pred(inner.filter)?);
                if inner.filter == Pred::FALSE { Pred::TRUE } else { Pred::NotExists(inner) }
            }
        })
    }

    fn elements(&mut self, of: Elements) -> Result<Box<Elements>, Fault> {
        Ok(Box::new(Elements { list: self.scalar(of.list)?, filter: self.pred(of.filter)?, ..of }))
    }

    fn row_rule(&mut self, row: &RowRef) -> Result<Pred, Fault> {
        let rule = self.compiler(Operation::Read, &[]).may(row.table(), Operation::Read, row)?;
        self.trail.note(row.table(), Operation::Read, &rule);
        Ok(rule)
    }

    /// Masks a value from `*`; false when the caller may never read it.
    pub(super) fn see(&mut self, scalar: &mut Scalar) -> Result<bool, Fault> {
        let Scalar::Column(column) = *scalar else {
            let whole = std::mem::replace(scalar, Scalar::Null(ScalarType::Boolean));
            *scalar = self.scalar(whole)?;
            return Ok(true);
        };
        if !self.catalog.table(column.table).column(column.column).has_read_rule() {
            return Ok(true);
        }
        let mask = self.compiler(Operation::Read, &[]).mask(column.source, column.table, column.column)?;
        let seen = mask != Pred::FALSE;
        if seen && mask != Pred::TRUE {
            *scalar = masked(mask, Scalar::Column(column));
        }
        Ok(seen)
    }

    fn column(&mut self, column: ColumnRef) -> Result<Scalar, Fault> {
        let mask = self.compiler(Operation::Read, &[]).mask(column.source, column.table, column.column)?;
        if mask == Pred::FALSE {
            return self.unreadable(column);
        }
        Ok(masked(mask, Scalar::Column(column)))
    }

    /// 42501 for a column that the caller never sees, in the words of the denial that alone hides it.
    fn unreadable(&mut self, at: ColumnRef) -> Result<Scalar, Fault> {
        let table = self.catalog.table(at.table);
        let column = table.column(at.column);
        let mut demands = Demands::of(table, Operation::Read, &[at.column]);
        let scope = Scope::one(RowRef::Source(at.source, at.table));
        let mut compiler = self.compiler(Operation::Read, &[]);
        Self::demand(&mut compiler, &column.access.read, (&scope, Pred::TRUE), &mut demands)?;
        Err(demands.refusal(Fault::permission("column", &column.name)))
    }

    /// A computed field: the caller's sight of what it reads (SEMANTICS 21).
    fn computed(&mut self, at: ComputedRef) -> Result<Scalar, Fault> {
        let catalog = self.catalog;
        let field = catalog.table(at.table).computed_field(at.computed);
        let row = RowRef::Source(at.source, at.table);
        let scope = Scope::one(row);
        let mut compiler = self.compiler(Operation::Read, &[]);
        let mut rule = compiler.field_may(&field.access, Operation::Read, &scope)?;
        let mut own = Vec::new();
        paths::each(&field.expr, &mut |path| {
            if let (Root::This, true, End::Column(column)) = (path.root, path.hops.is_empty(), &path.end) {
                own.push(*column);
            }
        });
        for column in own {
            rule = rule.and(compiler.mask(at.source, at.table, column)?);
        }
        if rule == Pred::FALSE {
            return Err(Fault::permission("column", &field.name));
        }
        compiler.sight = if field.sees_all { Sight::Raw } else { Sight::Caller };
        let value = match compiler.operand(&field.expr, Some(field.ty), &scope)? {
            Operand::Sql(scalar, _) => scalar,
            known => known.into_scalar(field.ty),
        };
        Ok(masked(rule, value))
    }
}

fn masked(mask: Pred, scalar: Scalar) -> Scalar {
    if mask == Pred::TRUE { scalar } else { Scalar::Masked(Box::new(mask), Box::new(scalar)) }
}
