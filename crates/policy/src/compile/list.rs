//! `x in list`, and lists that are known when the request starts.

use super::compare::compare_operands;
use super::operand::scalar_type;
use super::{Compiled, Compiler, NullMeans, Operand, Scope};
use crate::caller::Caller;
use crate::constant;
use backstay_base::fault::Fault;
use backstay_query::plan::{Pred, Scalar};
use backstay_schema::expr::{AuthField, CompareOp, Expr, ExprKind, RequestField, Ty};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

impl Compiler<'_> {
    /// `item in list`, wanted to be definitely `want`.
    pub(super) fn in_list(&mut self, item: &Expr, list: &Expr, scope: &Scope, want: bool) -> Compiled {
        if let ExprKind::Path(_) = &list.kind {
            return self.in_stored(item, list, scope, want);
        }
        let ty = scalar_type(&item.ty).or_else(|| element_type(&list.ty)).unwrap_or(ScalarType::String);
        let Some(elements) = self.elements(list, ty, scope)? else { return Ok(Pred::FALSE) };
        self.with_operand(item, Some(ty), scope, &mut |_, operand| Ok(among(&operand, &elements, ty, want)))
    }

    /// `item in this.tags`. What the list is, when it is null, is not known.
    fn in_stored(&mut self, item: &Expr, list: &Expr, scope: &Scope, want: bool) -> Compiled {
        let ty = element_type(&list.ty).unwrap_or(ScalarType::String);
        self.with_operand(list, None, scope, &mut |compiler, list| {
            compiler.with_operand(item, Some(ty), scope, &mut |_, item| {
                Ok(match list.clone() {
                    Operand::Known(Value::List(values)) => {
                        let elements: Vec<Operand> = values.into_iter().map(Operand::Known).collect();
                        among(&item, &elements, ty, want)
                    }
                    Operand::Known(_) | Operand::Absent => Pred::FALSE,
                    Operand::Sql(list, _) => member(item, list, ty, want),
                })
            })
        })
    }

    /// The elements of a literal list, a claim or `request.changed`; none when it is absent.
    pub(super) fn elements(
        &mut self,
        list: &Expr,
        ty: ScalarType,
        scope: &Scope,
    ) -> Result<Option<Vec<Operand>>, Fault> {
        match &list.kind {
            ExprKind::List(items) => items
                .iter()
                .map(|item| self.operand(item, Some(ty), scope))
                .collect::<Result<_, _>>()
                .map(Some),
            ExprKind::Cast(inner) => self.elements(inner, ty, scope),
            ExprKind::Auth(AuthField::Claim(path)) => {
                let Caller::User(user) = self.asked.caller else { return Ok(None) };
                Ok(constant::claim(&user.claims, path)
                    .and_then(|found| constant::claim_list(found, ty))
                    .map(|values| values.into_iter().map(Operand::Known).collect()))
            }
            ExprKind::Request(RequestField::Changed) => {
                let names = self.asked.changed.iter();
                Ok(Some(names.map(|name| Operand::Known(Value::Text(name.clone()))).collect()))
            }
            _ => Err(Fault::internal("a list that is neither a literal nor known with the request")),
        }
    }
}

/// `item` in a list that is read from a row. A null item is in no list, for its elements are not null.
fn member(item: Operand, list: Scalar, ty: ScalarType, want: bool) -> Pred {
    let there = Pred::IsNotNull(list.clone());
    let means = match item {
        Operand::Absent => return Pred::FALSE,
        Operand::Known(Value::Null) => return if want { Pred::FALSE } else { there },
        Operand::Known(_) => NullMeans::Never,
        Operand::Sql(_, means) => means,
    };
    let item = item.into_scalar(ty);
    if want {
        return Pred::Member(item, list, ty);
    }
    let outside = Pred::NotMember(item.clone(), list, ty);
    let outside = match means {
        NullMeans::Never => outside,
        NullMeans::Null => outside.or(Pred::IsNull(item)),
        // in an empty list, NULL is not to be found
        NullMeans::Unknown => outside.and(Pred::IsNotNull(item)),
    };
    outside.and(there)
}

pub(super) fn element_type(ty: &Ty) -> Option<ScalarType> {
    match ty {
        Ty::List(inner) => scalar_type(inner),
        Ty::Scalar(_) | Ty::Null | Ty::Row(_) | Ty::Embedded(_) | Ty::Dynamic => None,
    }
}

fn among(operand: &Operand, elements: &[Operand], ty: ScalarType, want: bool) -> Pred {
    if *operand == Operand::Absent {
        return Pred::FALSE;
    }
    let known: Option<Vec<Value>> = elements
        .iter()
        .map(|element| match element {
            Operand::Known(value) if !value.is_null() => Some(value.clone()),
            Operand::Known(_) | Operand::Absent | Operand::Sql(..) => None,
        })
        .collect();
    if let (Some(values), Operand::Sql(scalar, means)) = (known, operand) {
        return match (values.is_empty(), want) {
            (true, _) => Pred::Const(!want),
            (false, true) => Pred::In(scalar.clone(), values, ty),
            (false, false) => {
                let outside = Pred::NotIn(scalar.clone(), values, ty);
                if *means == NullMeans::Null { outside.or(Pred::IsNull(scalar.clone())) } else { outside }
            }
        };
    }
    // known item, or elements that are read from rows or null: spelled out
    elements.iter().fold(Pred::Const(!want), |pred, element| {
        let part = compare_operands(CompareOp::Eq, operand.clone(), element.clone(), ty, want);
        if want { pred.or(part) } else { pred.and(part) }
    })
}
