//! `@valid` and `@default(value:)`: literals of the schema as values of their column.

use crate::catalog::{Column, DefaultValue, Format, Span, Valid};
use crate::compile::build::Builder;
use crate::compile::draft::{Application, FieldDraft, one};
use crate::diagnostic::codes;
use crate::embedded;
use crate::scalar::ScalarType;
use crate::value::{Value, json};
use apollo_compiler::{Node, ast};
use std::cmp::Ordering;

/// Longest regular expression, in bytes.
pub const MAX_PATTERN_BYTES: usize = 1_000;

impl Builder<'_> {
    pub fn validations(&mut self, field: &FieldDraft, ty: ScalarType, column: &mut Column) {
        let Some(valid) = one(&field.directives, "valid") else { return };
        column.valid_message = valid.text("message").map(|message| message.text.clone());
        for argument in &valid.arguments {
            let found = match argument.name.as_str() {
                "min" | "max" => self.bound(field, ty, valid, &argument.name),
                "minLength" | "maxLength"
                    if !matches!(ty, ScalarType::String | ScalarType::Bytes | ScalarType::List(_)) =>
                {
                    let shown = ty.schema_name(&self.catalog).into_owned();
                    let message = format!(
                        "`{}` applies to String, Bytes and lists; \"{}\" is {shown}",
                        argument.name, field.name
                    );
                    self.error(codes::VALID, argument.span, message);
                    None
                }
                "pattern" | "format" if ty != ScalarType::String => {
                    let shown = ty.schema_name(&self.catalog).into_owned();
                    let message =
                        format!("`{}` applies to String; \"{}\" is {shown}", argument.name, field.name);
                    self.error(codes::VALID, argument.span, message);
                    None
                }
                "minLength" => valid.count("minLength").map(Valid::MinLength),
                "maxLength" => valid.count("maxLength").map(Valid::MaxLength),
                "pattern" => self.pattern(valid),
                "format" => valid.word("format").and_then(format_of).map(Valid::Format),
                _ => None,
            };
            column.valid.extend(found);
        }
        if valid.complete && valid.arguments.iter().all(|argument| argument.name == "message") {
            self.error(codes::VALID, valid.span, "`@valid` has no condition");
        }
        self.room(valid, column);
    }

    fn bound(
        &mut self,
        field: &FieldDraft,
        ty: ScalarType,
        valid: &Application,
        name: &str,
    ) -> Option<Valid> {
        if !ty.is_ordered() || ty == ScalarType::String {
            let message =
                format!("`{name}` applies to numbers, dates and times; \"{}\" is {}", field.name, field.ty);
            let help = "for text, use `minLength` and `maxLength`";
            self.error_with_help(codes::VALID, valid.span_of(name), message, help);
            return None;
        }
        let literal = valid.literal(name)?;
        let value = self.literal_value(literal, ty, valid.span_of(name), codes::VALID)?;
        Some(if name == "min" { Valid::Min(value) } else { Valid::Max(value) })
    }

    fn pattern(&mut self, valid: &Application) -> Option<Valid> {
        let pattern = valid.text("pattern")?;
        if pattern.text.len() > MAX_PATTERN_BYTES {
            self.error(
                codes::VALID,
                pattern.span,
                format!("the pattern has more than {MAX_PATTERN_BYTES} bytes"),
            );
            return None;
        }
        if let Err(reason) = regex::RegexBuilder::new(&pattern.text).size_limit(1 << 20).build() {
            let reason = reason.to_string();
            let last =
                reason.lines().last().unwrap_or("not a regular expression").trim_start_matches("error: ");
            self.error(
                codes::VALID,
                pattern.span,
                format!("the pattern is not a regular expression: {last}"),
            );
            return None;
        }
        Some(Valid::Pattern(pattern.text.clone()))
    }

    /// Limits that no value can meet.
    fn room(&mut self, valid: &Application, column: &Column) {
        let mut least: Option<&Value> = None;
        let mut most: Option<&Value> = None;
        let (mut shortest, mut longest) = (None, None);
        for condition in &column.valid {
            match condition {
                Valid::Min(value) => least = Some(value),
                Valid::Max(value) => most = Some(value),
                Valid::MinLength(length) => shortest = Some(*length),
                Valid::MaxLength(length) => longest = Some(*length),
                Valid::Pattern(_) | Valid::Format(_) => {}
            }
        }
        let crossed = least.zip(most).is_some_and(|(a, b)| a.compare(b) == Some(Ordering::Greater));
        let crossed_length = shortest.zip(longest).is_some_and(|(a, b)| a > b);
        if crossed || crossed_length {
            self.error(codes::VALID, valid.span, "the limits leave no room for a value");
        }
    }

    pub fn default_value(&mut self, field: &FieldDraft, ty: ScalarType, column: &mut Column) {
        let Some(default) = one(&field.directives, "default") else { return };
        let both = default.literal("value").is_some() && default.text("expr").is_some();
        let neither = default.literal("value").is_none() && default.text("expr").is_none();
        if both || (neither && default.complete) {
            self.error(codes::DEFAULT, default.span, "`@default` takes exactly one of `value` and `expr`");
            return;
        }
        if let Some(literal) = default.literal("value") {
            let span = default.span_of("value");
            if matches!(**literal, ast::Value::Null) {
                self.error(codes::DEFAULT, span, "null is what a nullable field has without a default");
                return;
            }
            let value = self.literal_value(literal, ty, span, codes::DEFAULT);
            let value = value.and_then(|value| self.shaped(value, column, span));
            column.default = value.map(DefaultValue::Value);
        }
    }

    /// A default document in the shape of its column.
    fn shaped(&mut self, value: Value, column: &Column, span: Span) -> Option<Value> {
        let (Value::Json(document), Some(shape)) = (&value, column.shape) else { return Some(value) };
        match embedded::fitted(&self.catalog, shape, document, &column.name) {
            Ok(document) => Some(Value::Json(document)),
            Err(fault) => {
                self.error(codes::DEFAULT, span, fault.message);
                None
            }
        }
    }

    /// A literal as a value of a type.
    fn literal_value(
        &mut self,
        literal: &Node<ast::Value>,
        ty: ScalarType,
        span: Span,
        code: crate::diagnostic::codes::Code,
    ) -> Option<Value> {
        if let (ast::Value::List(items), ScalarType::List(list)) = (&**literal, ty) {
            let values = items.iter().map(|item| match &**item {
                ast::Value::Null if list.nulls => Some(Value::Null),
                _ => self.literal_value(item, list.element.scalar(), span, code),
            });
            return values.collect::<Option<Vec<Value>>>().map(Value::List);
        }
        let text = match (&**literal, ty) {
            (ast::Value::Enum(name), ScalarType::Enum(_)) => Some(name.to_string()),
            (ast::Value::String(text), ScalarType::Enum(_)) => {
                let message = format!("members are written without quotes: {text}");
                self.error(code, span, message);
                return None;
            }
            (ast::Value::Int(number), _) if ty.is_number() => Some(number.as_str().to_owned()),
            (ast::Value::Float(number), ScalarType::Float | ScalarType::Decimal { .. }) => {
                Some(number.as_str().to_owned())
            }
            (ast::Value::String(text), ScalarType::Decimal { .. }) => Some(text.clone()),
            (ast::Value::Boolean(flag), ScalarType::Boolean) => Some(flag.to_string()),
            (
                ast::Value::String(text),
                ScalarType::String
                | ScalarType::Uuid
                | ScalarType::Timestamp
                | ScalarType::Date
                | ScalarType::Time
                | ScalarType::Duration
                | ScalarType::Bytes,
            ) => Some(text.clone()),
            (_, ScalarType::Json) => literal_json(literal),
            _ => None,
        };
        let name = ty.schema_name(&self.catalog).into_owned();
        let Some(text) = text else {
            self.error(code, span, format!("the literal is not of type {name}"));
            return None;
        };
        if let (ScalarType::Decimal { scale, .. }, Ok(exact)) = (ty, crate::value::Decimal::parse(&text)) {
            let rounded = exact.rescale(scale);
            if rounded.is_ok_and(|rounded| rounded.compare(exact) != Ordering::Equal) {
                self.error(code, span, format!("{text} has more than {scale} digits after the point"));
                return None;
            }
        }
        match ty.parse_text(&self.catalog, &text) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.error(code, span, fault.message);
                None
            }
        }
    }
}

fn format_of(word: &str) -> Option<Format> {
    match word {
        "EMAIL" => Some(Format::Email),
        "URL" => Some(Format::Url),
        "SLUG" => Some(Format::Slug),
        "UUID" => Some(Format::Uuid),
        "PHONE" => Some(Format::Phone),
        _ => None,
    }
}

/// A GraphQL literal as JSON text; none for variables.
fn literal_json(literal: &Node<ast::Value>) -> Option<String> {
    let mut out = String::new();
    write_json(literal, &mut out)?;
    Some(out)
}

fn write_json(literal: &Node<ast::Value>, out: &mut String) -> Option<()> {
    match &**literal {
        ast::Value::Null => out.push_str("null"),
        ast::Value::Boolean(flag) => out.push_str(&flag.to_string()),
        ast::Value::Int(number) => out.push_str(number.as_str()),
        ast::Value::Float(number) => out.push_str(number.as_str()),
        ast::Value::String(text) => json::write_string(text, out),
        ast::Value::Enum(name) => json::write_string(name.as_str(), out),
        ast::Value::Variable(_) => return None,
        ast::Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(item, out)?;
            }
            out.push(']');
        }
        ast::Value::Object(members) => {
            out.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                json::write_string(name.as_str(), out);
                out.push(':');
                write_json(value, out)?;
            }
            out.push('}');
        }
    }
    Some(())
}
