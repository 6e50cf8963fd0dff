//! Primary keys: the `id` that every type has, and composite keys over columns and
//! references. A reference's columns repeat the key of its target, so keys are
//! resolved before columns are made.

use crate::catalog::Span;
use crate::compile::build::{Builder, Named};
use crate::compile::draft::{FieldDraft, TypeDraft, one};
use crate::diagnostic::codes;
use crate::scalar::list::{Element, ListType};
use crate::scalar::{DECIMAL, SCALARS, ScalarType};
use backstay_base::suggest;

/// One column of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyPart {
    /// Column name in its own table.
    pub name: String,
    /// Its type.
    pub ty: ScalarType,
}

/// Most columns of one key.
const MAX_KEY_COLUMNS: usize = 8;

impl Builder<'_> {
    pub fn resolve_keys(&mut self) {
        for index in 0..self.draft.types.len() {
            self.key_of(index, &mut Vec::new());
        }
    }

    /// The key of a type; empty when it is broken (reported).
    pub fn key_of(&mut self, index: usize, path: &mut Vec<usize>) -> Vec<KeyPart> {
        if let Some(Some(key)) = self.keys.get(index) {
            return key.clone();
        }
        let Some(ty) = self.type_at(index) else { return Vec::new() };
        if path.contains(&index) {
            let message = format!("the key of \"{}\" contains a reference that leads back to it", ty.name);
            self.error(codes::KEY, ty.span, message);
            return Vec::new();
        }
        path.push(index);
        let declared = one(&ty.directives, "table").and_then(|table| table.names("key"));
        let key = match declared {
            Some(names) => self.composite_key(ty, names, path),
            None => vec![KeyPart { name: self.id_column(ty), ty: self.id_type(ty) }],
        };
        path.pop();
        if key.len() > MAX_KEY_COLUMNS {
            self.error(
                codes::KEY,
                ty.span,
                format!("the key of \"{}\" has more than {MAX_KEY_COLUMNS} columns", ty.name),
            );
        }
        if let Some(slot) = self.keys.get_mut(index) {
            *slot = Some(key.clone());
        }
        key
    }

    fn id_column(&self, ty: &TypeDraft) -> String {
        let id = ty.fields.iter().find(|field| field.name == "id");
        id.map_or_else(|| "id".to_owned(), column_name)
    }

    /// The type of `id`; a wrong one is reported where its column is made.
    fn id_type(&self, ty: &TypeDraft) -> ScalarType {
        let id = ty.fields.iter().find(|field| field.name == "id");
        match id.map(|id| id.ty.as_str()) {
            Some("Int") => ScalarType::Int,
            Some("BigInt") => ScalarType::BigInt,
            Some("String") => ScalarType::String,
            _ => ScalarType::Uuid,
        }
    }

    fn composite_key(
        &mut self,
        ty: &TypeDraft,
        names: &[(String, Span)],
        path: &mut Vec<usize>,
    ) -> Vec<KeyPart> {
        let mut key = Vec::new();
        if names.is_empty() {
            self.error(codes::KEY, ty.span, format!("the key of \"{}\" is empty", ty.name));
        }
        for (index, (name, span)) in names.iter().enumerate() {
            if names.iter().take(index).any(|(other, _)| other == name) {
                self.error(codes::KEY, *span, format!("the key names \"{name}\" twice"));
                continue;
            }
            let Some(field) = ty.fields.iter().find(|field| &field.name == name) else {
                let message = format!("type \"{}\" has no field \"{name}\"", ty.name);
                let near = suggest::nearest(name, ty.fields.iter().map(|field| field.name.as_str()));
                let help = near.map_or_else(
                    || "a key names fields of its type".to_owned(),
                    |near| format!("did you mean \"{near}\"?"),
                );
                self.error_with_help(codes::UNKNOWN_FIELD, *span, message, help);
                continue;
            };
            if field.list || !field.required || one(&field.directives, "computed").is_some() {
                let message = format!("\"{name}\" cannot be part of a key");
                self.error_with_help(
                    codes::KEY,
                    *span,
                    message,
                    "key fields are required columns or references",
                );
                continue;
            }
            match self.names.get(&field.ty).copied() {
                Some(Named::Type(target)) => {
                    let parts = self.key_of(target, path);
                    key.extend(self.reference_columns(field, &parts));
                }
                Some(Named::Embedded(_)) => {
                    self.error(codes::KEY, *span, format!("\"{name}\" cannot be part of a key"));
                }
                Some(Named::Enum(_)) | None => {
                    if let Some(ty) = self.scalar_of(field) {
                        key.push(KeyPart { name: column_name(field), ty });
                    }
                }
            }
        }
        key
    }

    /// The columns that a reference has, given the key of its target.
    pub fn reference_columns(&self, field: &FieldDraft, target: &[KeyPart]) -> Vec<KeyPart> {
        let mapped = one(&field.directives, "column").and_then(|column| column.text("name"));
        target
            .iter()
            .map(|part| {
                let name = match mapped {
                    Some(name) if target.len() == 1 => name.text.clone(),
                    Some(prefix) => format!("{}_{}", prefix.text, part.name),
                    None => format!("{}_{}", field.name, part.name),
                };
                KeyPart { name, ty: part.ty }
            })
            .collect()
    }

    /// The scalar or enum type of a field; none for other types and unknown names.
    pub fn scalar_of(&self, field: &FieldDraft) -> Option<ScalarType> {
        if self.shape_of(field).is_some() {
            return Some(ScalarType::Json);
        }
        let ty = self.element_of(field)?;
        if !field.list {
            return Some(ty);
        }
        Element::of(ty).map(|element| ScalarType::List(ListType { element, nulls: field.nulls }))
    }

    fn element_of(&self, field: &FieldDraft) -> Option<ScalarType> {
        if let Some(Named::Enum(id)) = self.names.get(&field.ty) {
            return Some(ScalarType::Enum(*id));
        }
        let ty = SCALARS.iter().find(|scalar| scalar.name == field.ty)?.ty?;
        if ty != DECIMAL {
            return Some(ty);
        }
        let column = one(&field.directives, "column");
        let count =
            |name: &str| column.and_then(|column| column.count(name)).and_then(|n| u8::try_from(n).ok());
        let digits = count("digits").unwrap_or(18).clamp(1, 18);
        let scale = count("scale").unwrap_or(4).min(digits);
        Some(ScalarType::Decimal { digits, scale })
    }
}

/// The column of a scalar field.
pub(super) fn column_name(field: &FieldDraft) -> String {
    let mapped = one(&field.directives, "column").and_then(|column| column.text("name"));
    mapped.map_or_else(|| field.name.clone(), |name| name.text.clone())
}
