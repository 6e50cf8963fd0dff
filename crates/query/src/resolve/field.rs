//! A field of a row → a [`Scalar`] and its type; casts; values by the type of their field.

use super::{Resolver, Scope, extras};
use crate::named::{Field, JsonStep, Operand};
use crate::plan::{ColumnRef, ComputedRef, Scalar};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::suggest::{self, OPENING};
use backstay_schema::catalog::{ColumnId, Member, RelationKind, Table};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

const NO_OPERATOR: &str =
    "No operator matches the given name and argument types. You might need to add explicit type casts.";

impl Resolver<'_> {
    /// The value of a field with its way into JSON.
    pub(super) fn field(&self, scope: Scope<'_, '_>, field: &Field) -> Result<(Scalar, ScalarType), Fault> {
        self.field_or(scope, field, false)
    }

    /// As [`Resolver::field`], to be compared: what has no field is compared as text.
    pub(super) fn compared(
        &self,
        scope: Scope<'_, '_>,
        field: &Field,
    ) -> Result<(Scalar, ScalarType), Fault> {
        self.field_or(scope, field, true)
    }

    fn field_or(
        &self,
        scope: Scope<'_, '_>,
        field: &Field,
        as_text: bool,
    ) -> Result<(Scalar, ScalarType), Fault> {
        if let Some((id, path)) = extras::way(scope, field, as_text) {
            return json(column(scope, id), ScalarType::Json, &path);
        }
        let (table, source) = (scope.table, scope.source);
        let (scalar, ty) = match table.members.get(&field.name) {
            Some(Member::Column(id)) => {
                let column = ColumnRef { source, table: table.id, column: *id };
                (Scalar::Column(column), table.column(*id).ty)
            }
            Some(Member::Computed(id)) => {
                let computed = ComputedRef { source, table: table.id, computed: *id };
                (Scalar::Computed(computed), table.computed_field(*id).ty)
            }
            Some(Member::Relation(_)) | None => return Err(no_column(table, &field.name)),
        };
        json(scalar, ty, &field.path)
    }

    /// A value from a request as a bound scalar of this type.
    pub(super) fn bind(&self, operand: &Operand, ty: ScalarType) -> Result<Scalar, Fault> {
        if let Operand::Given(index) = operand {
            return Ok(Scalar::Slot(*index, ty));
        }
        Ok(match self.operand(operand, ty)? {
            Value::Null => Scalar::Null(ty),
            value => Scalar::Bind(value, ty),
        })
    }

    /// A value from a request, read as this type.
    pub(super) fn operand(&self, operand: &Operand, ty: ScalarType) -> Result<Value, Fault> {
        match operand {
            Operand::Text(text) => ty.parse_text(self.catalog, text),
            Operand::Value(value) => ty.convert(self.catalog, value),
            Operand::Given(_) => Err(Fault::internal("only a comparison takes a value that comes later")),
        }
    }
}

/// A column of a source.
pub(super) const fn column(scope: Scope<'_, '_>, column: ColumnId) -> Scalar {
    Scalar::Column(ColumnRef { source: scope.source, table: scope.table.id, column })
}

fn json(scalar: Scalar, ty: ScalarType, path: &[JsonStep]) -> Result<(Scalar, ScalarType), Fault> {
    let Some((last, before)) = path.split_last() else { return Ok((scalar, ty)) };
    if ty != ScalarType::Json {
        return Err(no_operator(ty, arrow(path.first().unwrap_or(last))));
    }
    if before.iter().any(|step| step.as_text) {
        return Err(no_operator(ScalarType::String, arrow(last)));
    }
    let ty = if last.as_text { ScalarType::String } else { ScalarType::Json };
    Ok((Scalar::Json(Box::new(scalar), path.to_vec()), ty))
}

const fn arrow(step: &JsonStep) -> &'static str {
    if step.as_text { "->>" } else { "->" }
}

/// 42883 in PostgreSQL's words.
pub(super) fn no_operator(ty: ScalarType, operator: &str) -> Fault {
    let message = format!("operator does not exist: {} {operator} unknown", ty.sql_name());
    Fault::new(code::UNDEFINED_OPERATOR, message).with_hint(NO_OPERATOR)
}

/// 42703 in PostgreSQL's words.
pub(super) fn no_column(table: &Table, name: &str) -> Fault {
    let fault = Fault::new(code::UNDEFINED_COLUMN, format!("column {}.{name} does not exist", table.name));
    let meant = match table.members.get(name) {
        Some(Member::Relation(id)) => match &table.relation(*id).kind {
            RelationKind::ToOne { columns, .. } => {
                columns.first().map(|column| table.column(*column).name.as_str())
            }
            RelationKind::ToMany { .. } | RelationKind::ManyToMany { .. } => {
                return fault.with_hint(format!("\"{name}\" is a relation: select it as \"{name}(*)\"."));
            }
        },
        Some(Member::Column(_) | Member::Computed(_)) | None => suggest::nearest(name, field_names(table)),
    };
    match meant {
        Some(meant) => {
            fault.with_hint(format!("{OPENING} to reference the column \"{}.{meant}\".", table.name))
        }
        None => fault,
    }
}

fn field_names(table: &Table) -> impl Iterator<Item = &str> {
    let columns = table.columns.iter().map(|column| column.name.as_str());
    columns.chain(table.computed.iter().map(|computed| computed.name.as_str()))
}

/// Converts a scalar to the type that a cast names.
pub(super) fn cast(scalar: Scalar, from: ScalarType, name: &str) -> Result<(Scalar, ScalarType), Fault> {
    let to = ScalarType::from_cast(name)
        .ok_or_else(|| Fault::new(code::UNDEFINED_OBJECT, format!("type \"{name}\" does not exist")))?;
    if same(from, to) {
        return Ok((scalar, from));
    }
    if !castable(from, to) {
        let message = format!("cannot cast type {} to {}", from.sql_name(), to.sql_name());
        return Err(Fault::new(code::CANNOT_CAST, message));
    }
    Ok((Scalar::Cast(Box::new(scalar), to), to))
}

/// A decimal of any width is the same type to a cast.
const fn same(from: ScalarType, to: ScalarType) -> bool {
    matches!(
        (from, to),
        (ScalarType::Decimal { .. }, ScalarType::Decimal { .. })
            | (ScalarType::Int, ScalarType::Int)
            | (ScalarType::BigInt, ScalarType::BigInt)
            | (ScalarType::Float, ScalarType::Float)
            | (ScalarType::Boolean, ScalarType::Boolean)
            | (ScalarType::String, ScalarType::String)
            | (ScalarType::Uuid, ScalarType::Uuid)
            | (ScalarType::Timestamp, ScalarType::Timestamp)
            | (ScalarType::Date, ScalarType::Date)
            | (ScalarType::Time, ScalarType::Time)
            | (ScalarType::Duration, ScalarType::Duration)
            | (ScalarType::Bytes, ScalarType::Bytes)
            | (ScalarType::Json, ScalarType::Json)
    )
}

const fn castable(from: ScalarType, to: ScalarType) -> bool {
    use ScalarType::{BigInt, Boolean, Date, Enum, Int, Json, List, String, Time, Timestamp};
    match (from, to) {
        (List(_), _) | (_, List(_)) => false,
        (_, String) | (String | Enum(_), _) => true,
        (Int | BigInt, Boolean) | (Boolean, Int) | (Date, Timestamp) | (Timestamp, Date | Time) => true,
        (Json, other) => other.is_number() || matches!(other, Boolean),
        (one, other) => one.is_number() && other.is_number(),
    }
}
