//! Predicates. Three-valued as SQL is; brackets stand wherever precedence could matter.

use super::Lower;
use super::join::matches_at_most_one;
use super::scalar::text_test;
use crate::statement::Bind;
use backstay_base::fault::Fault;
use backstay_query::named::SetTest;
use backstay_query::plan::{Elements, Exists, Pred, PredOp, Scalar};
use backstay_schema::expr::Function;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

impl Lower<'_> {
    /// Writes a predicate.
    ///
    /// # Errors
    /// Internal, as [`Lower::scalar`].
    pub fn pred(&mut self, pred: &Pred) -> Result<(), Fault> {
        match pred {
            Pred::Const(truth) => self.constant(*truth),
            Pred::And(all) => self.joined(all, " AND ", true),
            Pred::Or(any) => self.joined(any, " OR ", false),
            Pred::Not(inner) => self.around("NOT (", inner, ")"),
            Pred::IsNotTrue(inner) => self.around("((", inner, ") IS NOT TRUE)"),
            Pred::Compare(op, a, b) => self.compare(*op, a, b),
            Pred::IsNull(scalar) => self.suffixed(scalar, " IS NULL"),
            Pred::IsNotNull(scalar) => self.suffixed(scalar, " IS NOT NULL"),
            Pred::IsTrue(scalar) => self.suffixed(scalar, " IS TRUE"),
            Pred::IsFalse(scalar) => self.suffixed(scalar, " IS FALSE"),
            Pred::In(scalar, values, ty) => self.list((self.dialect.in_list)(*ty), scalar, values, *ty),
            Pred::NotIn(scalar, values, ty) => {
                self.list((self.dialect.not_in_list)(*ty), scalar, values, *ty)
            }
            Pred::Like { value, pattern, ignore_case } => self.like(value, pattern, *ignore_case),
            Pred::Text(function, a, b) => self.text(*function, a, b),
            Pred::NotText(function, a, b) => {
                self.writer.push("NOT ");
                self.text(*function, a, b)
            }
            Pred::Member(item, list, ty) => self.member((self.dialect.in_list)(*ty), item, list),
            Pred::NotMember(item, list, ty) => self.member((self.dialect.not_in_list)(*ty), item, list),
            Pred::Set(test, a, b) => self.set_test(*test, a, b),
            Pred::SomeElement(of) => self.elements("EXISTS (", of),
            Pred::NoElement(of) => self.elements("NOT EXISTS (", of),
            Pred::Candidates(of) => self.candidates(of),
            Pred::Exists(exists) => self.exists("EXISTS (", exists),
            Pred::NotExists(exists) => self.exists("NOT EXISTS (", exists),
        }
    }

    /// `keyword pred`, or nothing where the predicate always holds.
    pub(crate) fn condition(&mut self, keyword: &'static str, pred: &Pred) -> Result<(), Fault> {
        if matches!(pred, Pred::Const(true)) {
            return Ok(());
        }
        self.writer.push(keyword);
        self.pred(pred)
    }

    /// `(pred) IS TRUE`.
    pub(crate) fn holds(&mut self, pred: &Pred) -> Result<(), Fault> {
        self.around("((", pred, ") IS TRUE)")
    }

    fn constant(&mut self, truth: bool) -> Result<(), Fault> {
        self.writer.push(if truth { "TRUE" } else { "FALSE" });
        Ok(())
    }

    fn joined(&mut self, preds: &[Pred], between: &'static str, empty: bool) -> Result<(), Fault> {
        let Some((first, rest)) = preds.split_first() else {
            return self.constant(empty);
        };
        self.writer.push("(");
        self.pred(first)?;
        for pred in rest {
            self.writer.push(between);
            self.pred(pred)?;
        }
        self.writer.push(")");
        Ok(())
    }

    fn around(&mut self, before: &'static str, pred: &Pred, after: &'static str) -> Result<(), Fault> {
        self.writer.push(before);
        self.pred(pred)?;
        self.writer.push(after);
        Ok(())
    }

    fn suffixed(&mut self, scalar: &Scalar, suffix: &'static str) -> Result<(), Fault> {
        self.writer.push("(");
        self.scalar(scalar)?;
        self.writer.push(suffix).push(")");
        Ok(())
    }

    /// Sides of different numeric kinds are brought to one form first: decimals are
    /// stored scaled, so that comparing them raw would compare different units.
    fn compare(&mut self, op: PredOp, a: &Scalar, b: &Scalar) -> Result<(), Fault> {
        let (left, right) = (self.type_of(a)?, self.type_of(b)?);
        let common = match (left, right) {
            // its text form is normalised, and not every database compares documents
            (ScalarType::Json, _) | (_, ScalarType::Json) => Some(ScalarType::String),
            _ => common_type(left, right),
        };
        self.writer.push("(");
        self.side(a, common)?;
        self.writer.push(match op {
            PredOp::Eq => " = ",
            PredOp::Ne => " <> ",
            PredOp::Lt => " < ",
            PredOp::Le => " <= ",
            PredOp::Gt => " > ",
            PredOp::Ge => " >= ",
        });
        self.side(b, common)?;
        let equality = matches!(op, PredOp::Eq | PredOp::Ne);
        let columns = [a, b].iter().any(|side| matches!(side, Scalar::Column(_)));
        if !equality && !columns {
            self.collate(common.unwrap_or(right));
        }
        self.writer.push(")");
        Ok(())
    }

    fn side(&mut self, scalar: &Scalar, common: Option<ScalarType>) -> Result<(), Fault> {
        match common {
            Some(ty) => self.scalar_as(scalar, ty),
            None => self.scalar(scalar),
        }
    }

    fn list(
        &mut self,
        template: &'static str,
        scalar: &Scalar,
        values: &[Value],
        ty: ScalarType,
    ) -> Result<(), Fault> {
        self.template(template, &mut |lower, marker| match marker {
            '1' => lower.scalar(scalar),
            _ => {
                lower.writer.bind(Bind::List(values.to_vec(), ty));
                Ok(())
            }
        })
    }

    /// `item` among the elements of a list that is a value of the statement.
    fn member(&mut self, template: &'static str, item: &Scalar, list: &Scalar) -> Result<(), Fault> {
        self.template(template, &mut |lower, marker| lower.scalar(if marker == '1' { item } else { list }))
    }

    fn set_test(&mut self, test: SetTest, a: &Scalar, b: &Scalar) -> Result<(), Fault> {
        let ScalarType::List(list) = self.type_of(a)? else { return self.document_test(test, a, b) };
        let template = (self.dialect.set_test)(test, list.element.scalar());
        self.template(template, &mut |lower, marker| lower.scalar(if marker == '1' { a } else { b }))
    }

    fn elements(&mut self, before: &'static str, of: &Elements) -> Result<(), Fault> {
        self.writer.push(before).push("SELECT 1 FROM ");
        self.template((self.dialect.elements)(of.element), &mut |lower, marker| {
            if marker == '1' {
                return lower.scalar(&of.list);
            }
            lower.writer.alias(of.source);
            Ok(())
        })?;
        self.nested(|lower| lower.condition(" WHERE ", &of.filter))?;
        self.writer.push(")");
        Ok(())
    }

    fn like(&mut self, value: &Scalar, pattern: &str, ignore_case: bool) -> Result<(), Fault> {
        let template = if ignore_case { self.dialect.like_ignoring_case } else { self.dialect.like };
        self.template(template, &mut |lower, marker| match marker {
            '1' => lower.scalar(value),
            _ => {
                let pattern = plain_pattern(pattern, ignore_case);
                lower.writer.bind(Bind::Value(Value::Text(pattern), ScalarType::String));
                Ok(())
            }
        })
    }

    fn text(&mut self, function: Function, a: &Scalar, b: &Scalar) -> Result<(), Fault> {
        let template = (self.dialect.text_test)(text_test(function)?);
        if let (Function::Matches, Some(translate), Scalar::Bind(Value::Text(pattern), ty)) =
            (function, self.dialect.pattern, b)
        {
            let pattern = translate(pattern)
                .ok_or_else(|| Fault::internal("a pattern that this database cannot say passed the start"))?;
            let pattern = Scalar::Bind(Value::Text(pattern), *ty);
            return self.typed_template(template, &[a, &pattern], ScalarType::String);
        }
        self.typed_template(template, &[a, b], ScalarType::String)
    }

    fn exists(&mut self, before: &'static str, exists: &Exists) -> Result<(), Fault> {
        let table = self.catalog.table(exists.table);
        self.writer.push(before).push("SELECT 1 FROM ");
        self.table_as(table, exists.source);
        self.nested(|lower| lower.condition(" WHERE ", &exists.filter))?;
        if self.nesting > 0 {
            self.writer.push(self.dialect.nested_exists);
        }
        if matches_at_most_one(self.catalog, exists) {
            self.lock_read();
        }
        self.writer.push(")");
        self.leave();
        Ok(())
    }
}

/// A pattern of `LIKE` as every database takes it: a lone `\` at the end is itself, and
/// `ILIKE` compares with text in lower case, character by character.
fn plain_pattern(pattern: &str, ignore_case: bool) -> String {
    let mut plain: String =
        if ignore_case { pattern.chars().flat_map(char::to_lowercase).collect() } else { pattern.to_owned() };
    let escapes = plain.len() - plain.trim_end_matches('\\').len();
    if escapes % 2 == 1 {
        plain.push('\\');
    }
    plain
}

/// The type in which two numbers are compared; none where both are stored alike.
fn common_type(a: ScalarType, b: ScalarType) -> Option<ScalarType> {
    use ScalarType::{BigInt, Decimal, Float, Int};
    match (a, b) {
        (Decimal { scale: x, .. }, Decimal { scale: y, .. }) if x != y => {
            Some(Decimal { digits: 18, scale: x.max(y) })
        }
        (Decimal { scale, .. }, Int | BigInt) | (Int | BigInt, Decimal { scale, .. }) => {
            Some(Decimal { digits: 18, scale })
        }
        (Decimal { .. }, Float) | (Float, Decimal { .. }) => Some(Float),
        _ => None,
    }
}
