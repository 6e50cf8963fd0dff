//! Scalars: what a value of a plan looks like in SQL.

use super::Lower;
use crate::dialect::{Indexed, JsonForm, TextTest, digits_and_scale, kind};
use crate::statement::Bind;
use backstay_base::fault::Fault;
use backstay_query::named::{JsonKey, JsonStep};
use backstay_query::plan::{Aggregate, Lookup, Pred, Scalar};
use backstay_schema::expr::{AggregateFunction, Function};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

impl Lower<'_> {
    /// Writes a scalar, bracketed where precedence could matter.
    ///
    /// # Errors
    /// Internal, for a computed field that weaving left or a source that is not known.
    pub fn scalar(&mut self, scalar: &Scalar) -> Result<(), Fault> {
        match scalar {
            Scalar::Column(column) => self.column(*column),
            Scalar::Computed(_) => Err(computed_left()),
            Scalar::Bind(value, ty) => {
                self.writer.bind(Bind::Value(value.clone(), *ty));
                Ok(())
            }
            Scalar::Slot(index, ty) => {
                self.writer.bind(Bind::Slot(*index, *ty));
                Ok(())
            }
            Scalar::Null(ty) => {
                self.writer.push((self.dialect.null)(*ty));
                Ok(())
            }
            Scalar::Json(of, path) => self.json(of, path),
            Scalar::Cast(of, to) => self.cast(of, *to),
            Scalar::Masked(pred, of) => {
                self.writer.push("CASE WHEN ");
                self.pred(pred)?;
                self.writer.push(" THEN ");
                self.scalar(of)?;
                self.writer.push(" END");
                Ok(())
            }
            Scalar::Arithmetic(op, a, b, ty) => {
                let elapsed = *ty == ScalarType::Duration && self.type_of(a)? == ScalarType::Timestamp;
                let template =
                    if elapsed { self.dialect.elapsed } else { (self.dialect.arithmetic)(*op, *ty) };
                self.typed_template(template, &[a, b], *ty)
            }
            Scalar::Negate(of, ty) => self.typed_template((self.dialect.negate)(*ty), &[of], *ty),
            Scalar::Concat(a, b) => self.typed_template(self.dialect.concat, &[a, b], ScalarType::String),
            Scalar::Call(function, arguments) => {
                let arguments: Vec<&Scalar> = arguments.iter().collect();
                self.typed_template((self.dialect.call)(*function), &arguments, ScalarType::Int)
            }
            Scalar::Case(arms, last) => self.case(arms, last),
            Scalar::Lookup(lookup) => self.lookup(lookup),
            Scalar::Aggregate(aggregate) => self.aggregate(aggregate),
            Scalar::Element(source, ty) => self.template((self.dialect.element)(*ty), &mut |lower, _| {
                lower.writer.alias(*source);
                Ok(())
            }),
            Scalar::Test(pred) => {
                self.writer.push("(");
                self.pred(pred)?;
                self.writer.push(")");
                Ok(())
            }
        }
    }

    /// The type of a scalar.
    ///
    /// # Errors
    /// Internal, for a computed field that weaving left.
    pub fn type_of(&self, scalar: &Scalar) -> Result<ScalarType, Fault> {
        Ok(match scalar {
            Scalar::Column(column) => self.catalog.table(column.table).column(column.column).ty,
            Scalar::Computed(_) => return Err(computed_left()),
            Scalar::Bind(_, ty)
            | Scalar::Slot(_, ty)
            | Scalar::Null(ty)
            | Scalar::Cast(_, ty)
            | Scalar::Arithmetic(_, _, _, ty)
            | Scalar::Negate(_, ty)
            | Scalar::Element(_, ty) => *ty,
            Scalar::Json(_, path) if path.last().is_some_and(|step| step.as_text) => ScalarType::String,
            Scalar::Json(..) => ScalarType::Json,
            Scalar::Masked(_, of) | Scalar::Case(_, of) => self.type_of(of)?,
            Scalar::Concat(..) => ScalarType::String,
            Scalar::Call(function, _) => call_type(*function),
            Scalar::Lookup(lookup) => self.type_of(&lookup.value)?,
            Scalar::Aggregate(aggregate) => aggregate.ty,
            Scalar::Test(_) => ScalarType::Boolean,
        })
    }

    /// Writes a scalar in another type, converting where the stored form differs.
    pub(crate) fn scalar_as(&mut self, scalar: &Scalar, to: ScalarType) -> Result<(), Fault> {
        let from = self.type_of(scalar)?;
        match (self.dialect.cast)(from, to) {
            None => self.scalar(scalar),
            Some(template) => self.cast_template(template, scalar, from, to),
        }
    }

    fn cast(&mut self, of: &Scalar, to: ScalarType) -> Result<(), Fault> {
        self.scalar_as(of, to)
    }

    fn cast_template(
        &mut self,
        template: &'static str,
        scalar: &Scalar,
        from: ScalarType,
        to: ScalarType,
    ) -> Result<(), Fault> {
        let (digits, scale) = digits_and_scale(to);
        self.template(template, &mut |lower, marker| {
            match marker {
                '1' => return lower.scalar(scalar),
                'f' => lower.writer.number(u64::from(digits_and_scale(from).1)),
                'd' => lower.writer.number(u64::from(digits)),
                's' => lower.writer.number(u64::from(scale)),
                'F' => lower.writer.push(kind(from)),
                'T' => lower.writer.push(kind(to)),
                _ => return Err(marker_fault(marker)),
            };
            Ok(())
        })
    }

    /// A template over scalars in a result type. Decimal operands are brought to its scale.
    pub(crate) fn typed_template(
        &mut self,
        template: &'static str,
        arguments: &[&Scalar],
        ty: ScalarType,
    ) -> Result<(), Fault> {
        let (digits, scale) = digits_and_scale(ty);
        self.template(template, &mut |lower, marker| {
            match marker {
                'd' => lower.writer.number(u64::from(digits)),
                's' => lower.writer.number(u64::from(scale)),
                _ => {
                    let index = marker.to_digit(10).map_or(usize::MAX, |digit| digit as usize - 1);
                    let argument = arguments.get(index).ok_or_else(|| marker_fault(marker))?;
                    return if matches!(ty, ScalarType::Decimal { .. } | ScalarType::Float) {
                        lower.scalar_as(argument, ty)
                    } else {
                        lower.scalar(argument)
                    };
                }
            };
            Ok(())
        })
    }

    /// A template whose arguments are written by `argument`.
    pub(crate) fn template(
        &mut self,
        template: &'static str,
        argument: &mut dyn FnMut(&mut Self, char) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            self.writer.push(before);
            let mut chars = after.chars();
            match chars.next() {
                Some('$') => {
                    self.writer.push("$");
                }
                Some(marker) => argument(self, marker)?,
                None => {}
            }
            rest = chars.as_str();
        }
        self.writer.push(rest);
        Ok(())
    }

    fn json(&mut self, of: &Scalar, path: &[JsonStep]) -> Result<(), Fault> {
        let as_text = path.last().is_some_and(|step| step.as_text);
        match self.dialect.json {
            JsonForm::Path { get, text, indexed } => {
                let is_index = |step: &JsonStep| matches!(step.key, JsonKey::Index(_));
                let Some(Indexed { get, text, array }) = indexed.filter(|_| path.iter().any(is_index)) else {
                    return self.json_path(if as_text { text } else { get }, of, path);
                };
                let template = if as_text { text } else { get };
                let mut before = "CASE WHEN ";
                for (index, _) in path.iter().enumerate().filter(|(_, step)| is_index(step)) {
                    self.writer.push(before);
                    self.json_path(array, of, path.get(..index).unwrap_or_default())?;
                    before = " AND ";
                }
                self.writer.push(" THEN ");
                self.json_path(template, of, path)?;
                self.writer.push(" END");
                Ok(())
            }
            JsonForm::Steps { get, text } => {
                self.writer.push(if as_text { "((" } else { "(" });
                self.scalar(of)?;
                for (index, step) in path.iter().enumerate() {
                    let last = index + 1 == path.len();
                    self.writer.push(if last && as_text { text } else { get });
                    self.writer.bind(match &step.key {
                        JsonKey::Member(name) => Bind::Value(Value::Text(name.clone()), ScalarType::String),
                        JsonKey::Index(number) => Bind::Value(Value::Int(*number), ScalarType::Int),
                    });
                }
                if as_text {
                    self.writer.push(")");
                    self.collate(ScalarType::String);
                }
                self.writer.push(")");
                Ok(())
            }
        }
    }

    fn json_path(&mut self, template: &'static str, of: &Scalar, path: &[JsonStep]) -> Result<(), Fault> {
        self.template(template, &mut |lower, marker| match marker {
            '1' => lower.scalar(of),
            _ => {
                lower.writer.bind(Bind::Path(path.to_vec()));
                Ok(())
            }
        })
    }

    fn case(&mut self, arms: &[(Pred, Scalar)], last: &Scalar) -> Result<(), Fault> {
        if arms.is_empty() {
            return self.scalar(last);
        }
        self.writer.push("CASE");
        for (pred, value) in arms {
            self.writer.push(" WHEN ");
            self.pred(pred)?;
            self.writer.push(" THEN ");
            self.scalar(value)?;
        }
        self.writer.push(" ELSE ");
        self.scalar(last)?;
        self.writer.push(" END");
        Ok(())
    }

    fn lookup(&mut self, lookup: &Lookup) -> Result<(), Fault> {
        let table = self.catalog.table(lookup.table);
        self.enter(lookup.source);
        self.writer.push("(SELECT ");
        self.scalar(&lookup.value)?;
        self.writer.push(" FROM ").table(table).push(" AS ").alias(lookup.source);
        self.nested(|lower| lower.condition(" WHERE ", &lookup.filter))?;
        self.lock_read();
        self.writer.push(")");
        self.leave();
        Ok(())
    }

    fn aggregate(&mut self, aggregate: &Aggregate) -> Result<(), Fault> {
        let table = self.catalog.table(aggregate.table);
        self.enter(aggregate.source);
        self.writer.push("(SELECT ");
        match &aggregate.value {
            None => {
                self.writer.push("count(*)");
            }
            Some(value) if aggregate.function == AggregateFunction::Count => {
                self.template(
                    (self.dialect.aggregate)(AggregateFunction::Count, aggregate.ty),
                    &mut |lower, _| lower.scalar(value),
                )?;
            }
            Some(value) => {
                let template = (self.dialect.aggregate)(aggregate.function, aggregate.ty);
                self.typed_template(template, &[value], aggregate.ty)?;
            }
        }
        self.writer.push(" FROM ").table(table).push(" AS ").alias(aggregate.source);
        self.nested(|lower| lower.condition(" WHERE ", &aggregate.filter))?;
        self.writer.push(")");
        self.leave();
        Ok(())
    }
}

/// The test that a function of the expression language is.
pub(crate) fn text_test(function: Function) -> Result<TextTest, Fault> {
    match function {
        Function::StartsWith => Ok(TextTest::StartsWith),
        Function::EndsWith => Ok(TextTest::EndsWith),
        Function::Contains => Ok(TextTest::Contains),
        Function::Matches => Ok(TextTest::Matches),
        Function::Size
        | Function::Elements
        | Function::LowerAscii
        | Function::UpperAscii
        | Function::Year
        | Function::Month
        | Function::DayOfMonth
        | Function::DayOfWeek
        | Function::Hours
        | Function::Minutes
        | Function::Seconds => Err(Fault::internal(format!("{function:?} is no test of text"))),
    }
}

const fn call_type(function: Function) -> ScalarType {
    match function {
        Function::StartsWith | Function::EndsWith | Function::Contains | Function::Matches => {
            ScalarType::Boolean
        }
        Function::LowerAscii | Function::UpperAscii => ScalarType::String,
        Function::Size
        | Function::Elements
        | Function::Year
        | Function::Month
        | Function::DayOfMonth
        | Function::DayOfWeek
        | Function::Hours
        | Function::Minutes
        | Function::Seconds => ScalarType::Int,
    }
}

fn computed_left() -> Fault {
    Fault::internal("a computed field reached lowering; weaving puts its expression in place")
}

fn marker_fault(marker: char) -> Fault {
    Fault::internal(format!("a template of the dialect names ${marker}"))
}
