//! Filters → predicates: the same three-valued logic on every engine, values read by
//! the type of their field. Tests of embeds for null become semi- and anti-joins.

use super::field::no_operator;
use super::{Resolver, Scope, pattern, search, within};
use crate::named::{Comparison, Embed, Field, Filter, Item, Operand, SetTest, Test};
use crate::plan::{Pred, PredOp, Scalar};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_schema::catalog::Member;
use backstay_schema::expr::Function;
use backstay_schema::scalar::ScalarType;
use backstay_schema::scalar::list::ListType;
use backstay_schema::value::{Value, json};

impl<'c> Resolver<'c> {
    /// All of the filters.
    pub(super) fn filters(&mut self, scope: Scope<'c, '_>, filters: &[Filter]) -> Result<Pred, Fault> {
        filters
            .iter()
            .try_fold(Pred::TRUE, |all, filter| Ok(all.and(self.filter(scope, filter, (0, self.reads))?)))
    }

    /// `indexed`: rows for which the filter is not TRUE need not be looked at.
    fn filter(
        &mut self,
        scope: Scope<'c, '_>,
        filter: &Filter,
        (depth, indexed): (usize, bool),
    ) -> Result<Pred, Fault> {
        self.node()?;
        self.deep(depth)?;
        Ok(match filter {
            Filter::And(inner) => {
                let each = inner.iter().map(|filter| self.filter(scope, filter, (depth + 1, indexed)));
                Pred::And(each.collect::<Result<_, Fault>>()?)
            }
            Filter::Or(inner) => {
                let each = inner.iter().map(|filter| self.filter(scope, filter, (depth + 1, indexed)));
                Pred::Or(each.collect::<Result<_, Fault>>()?)
            }
            Filter::Not(inner) => Pred::Not(Box::new(self.filter(scope, inner, (depth + 1, false))?)),
            Filter::Field(field, test) => match embed_named(scope, field) {
                Some(embed) => self.embed_test(scope, embed, test)?,
                None => self.test(scope, field, test, indexed)?,
            },
        })
    }

    fn test(
        &mut self,
        scope: Scope<'c, '_>,
        field: &Field,
        test: &Test,
        indexed: bool,
    ) -> Result<Pred, Fault> {
        let (scalar, ty) = self.compared(scope, field)?;
        Ok(match test {
            Test::Compare(comparison, operand) => self.comparison(scalar, ty, *comparison, operand)?,
            Test::Like { pattern, ignore_case } => like(scalar, ty, pattern, *ignore_case)?,
            Test::Match { pattern, ignore_case } => {
                if !matches!(ty, ScalarType::String | ScalarType::Enum(_)) {
                    return Err(no_operator(ty, if *ignore_case { "~*" } else { "~" }));
                }
                let pattern = pattern::checked(pattern, *ignore_case, self.limits)?;
                let pattern = Scalar::Bind(Value::Text(pattern), ScalarType::String);
                Pred::Text(Function::Matches, scalar, pattern)
            }
            Test::Search(wanted) => {
                if !matches!(ty, ScalarType::String | ScalarType::Enum(_)) {
                    return Err(no_operator(ty, "@@"));
                }
                search::search(&scalar, wanted, indexed.then_some(scope), self.limits)?
            }
            Test::In(_) if matches!(ty, ScalarType::List(_)) => return Err(no_operator(ty, "=")),
            Test::In(operands) => {
                within(operands.len(), self.limits.list, "elements of a list")?;
                let mut values = Vec::with_capacity(operands.len());
                for operand in operands {
                    match self.operand(operand, ty)? {
                        Value::Null => {}
                        // as in a comparison, it is the text that is compared
                        Value::Json(text) => values.push(Value::Text(text)),
                        value => values.push(value),
                    }
                }
                if ty == ScalarType::Json {
                    let text = ScalarType::String;
                    return Ok(Pred::In(Scalar::Cast(Box::new(scalar), text), values, text));
                }
                Pred::In(scalar, values, ty)
            }
            Test::Set(test, operand) => self.set_test(scalar, ty, *test, operand)?,
            Test::IsNull => Pred::IsNull(scalar),
            Test::IsNotNull => Pred::IsNotNull(scalar),
            Test::IsBool(true) => Pred::IsTrue(boolean(scalar, ty, "TRUE")?),
            Test::IsBool(false) => Pred::IsFalse(boolean(scalar, ty, "FALSE")?),
            Test::IsUnknown => Pred::IsNull(boolean(scalar, ty, "UNKNOWN")?),
        })
    }

    fn comparison(
        &self,
        scalar: Scalar,
        ty: ScalarType,
        comparison: Comparison,
        operand: &Operand,
    ) -> Result<Pred, Fault> {
        let (op, sign) = match comparison {
            Comparison::Eq => (PredOp::Eq, "="),
            Comparison::Neq => (PredOp::Ne, "<>"),
            Comparison::Lt => (PredOp::Lt, "<"),
            Comparison::Lte => (PredOp::Le, "<="),
            Comparison::Gt => (PredOp::Gt, ">"),
            Comparison::Gte => (PredOp::Ge, ">="),
        };
        let ordering = !matches!(op, PredOp::Eq | PredOp::Ne);
        if ordering && matches!(ty, ScalarType::Json | ScalarType::List(_)) {
            return Err(no_operator(ty, sign));
        }
        let value = self.bind(operand, ty)?;
        Ok(Pred::Compare(op, scalar, value))
    }

    fn set_test(
        &self,
        field: Scalar,
        ty: ScalarType,
        test: SetTest,
        operand: &Operand,
    ) -> Result<Pred, Fault> {
        let sign = match test {
            SetTest::Contains => "@>",
            SetTest::Contained => "<@",
            SetTest::Overlaps => "&&",
        };
        let fits = match ty {
            ScalarType::List(_) => true,
            ScalarType::Json => test != SetTest::Overlaps,
            _ => false,
        };
        if !fits {
            return Err(no_operator(ty, sign));
        }
        // what is looked for may hold NULL, which is equal to nothing
        let wanted = match ty {
            ScalarType::List(list) => ScalarType::List(ListType { nulls: true, ..list }),
            other => other,
        };
        let value = self.bind(operand, wanted)?;
        if let Scalar::Bind(Value::Json(document), _) = &value {
            let size = json::size(document);
            within(size.values, self.limits.document_values, "values of a document")?;
            self.deep(size.depth)?;
        }
        Ok(Pred::Set(test, field, value))
    }

    /// `rel=is.null`: no row there that passes the filters of the embed.
    fn embed_test(&mut self, scope: Scope<'c, '_>, embed: &Embed, test: &Test) -> Result<Pred, Fault> {
        let wanted = match test {
            Test::IsNull => false,
            Test::IsNotNull => true,
            Test::Compare(..)
            | Test::Like { .. }
            | Test::Match { .. }
            | Test::Search(_)
            | Test::In(_)
            | Test::Set(..)
            | Test::IsBool(_)
            | Test::IsUnknown => {
                return Err(Fault::new(
                    code::EMBED_OPERATOR,
                    "Only is null or not is null filters are allowed on embedded resources",
                ));
            }
        };
        let exists = self.exists(scope, embed)?;
        Ok(if wanted { Pred::Exists(Box::new(exists)) } else { Pred::NotExists(Box::new(exists)) })
    }
}

/// The embed of the select that a filter means, where no field has the name.
fn embed_named<'q>(scope: Scope<'_, 'q>, field: &Field) -> Option<&'q Embed> {
    let embed = find_embed(scope.items, &field.name)?;
    let is_field =
        matches!(scope.table.members.get(&field.name), Some(Member::Column(_) | Member::Computed(_)));
    (!is_field && field.path.is_empty()).then_some(embed)
}

/// The embed of this alias, else of this name.
pub(super) fn find_embed<'q>(items: &'q [Item], name: &str) -> Option<&'q Embed> {
    let embeds = || {
        items.iter().filter_map(|item| match item {
            Item::Embed(embed) => Some(embed),
            Item::Star | Item::Field { .. } | Item::Count { .. } => None,
        })
    };
    embeds()
        .find(|embed| embed.alias.as_deref() == Some(name))
        .or_else(|| embeds().find(|embed| embed.target == name))
}

fn like(value: Scalar, ty: ScalarType, pattern: &str, ignore_case: bool) -> Result<Pred, Fault> {
    if !matches!(ty, ScalarType::String | ScalarType::Enum(_)) {
        return Err(no_operator(ty, if ignore_case { "~~*" } else { "~~" }));
    }
    let escapes = pattern.len() - pattern.trim_end_matches('\\').len();
    if escapes % 2 == 1 {
        return Err(Fault::new(code::INVALID_ESCAPE, "LIKE pattern must not end with escape character"));
    }
    Ok(Pred::Like { value, pattern: pattern.to_owned(), ignore_case })
}

fn boolean(scalar: Scalar, ty: ScalarType, test: &str) -> Result<Scalar, Fault> {
    if ty == ScalarType::Boolean {
        return Ok(scalar);
    }
    let message = format!("argument of IS {test} must be type boolean, not type {}", ty.sql_name());
    Err(Fault::new(code::DATATYPE_MISMATCH, message))
}
