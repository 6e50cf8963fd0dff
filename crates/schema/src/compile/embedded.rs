//! `@embedded` types: the shapes of documents. They are no tables; a field of such a type is a
//! JSON column with that shape.

use crate::catalog::{EmbeddedId, EmbeddedMember, EmbeddedType, MemberType, Shape};
use crate::compile::build::{Builder, Named};
use crate::compile::draft::{FieldDraft, TypeDraft, deprecated, one};
use crate::diagnostic::codes;
use crate::scalar::SCALARS;

/// Most embedded types of one schema.
pub const MAX_EMBEDDED: usize = 1_000;

impl Builder<'_> {
    /// Gives an `@embedded` type its id. Says whether it is one.
    pub fn register_embedded(&mut self, ty: &TypeDraft) -> bool {
        if one(&ty.directives, "embedded").is_none() {
            return false;
        }
        let id = EmbeddedId(u16::try_from(self.catalog.embedded.len()).unwrap_or(u16::MAX));
        if self.catalog.embedded.len() >= MAX_EMBEDDED {
            let message = format!("the schema passes the limit of {MAX_EMBEDDED} embedded types");
            self.error(codes::TOO_LARGE, ty.span, message);
            return true;
        }
        for directive in ty.directives.iter().filter(|directive| directive.name != "embedded") {
            let message = format!("`@{}` does not apply to an embedded type", directive.name);
            self.error(codes::UNFIT_DIRECTIVE, directive.span, message);
        }
        self.catalog.embedded.push(EmbeddedType {
            id,
            name: ty.name.clone(),
            doc: ty.doc.clone(),
            members: Vec::new(),
            span: ty.span,
        });
        self.names.insert(ty.name.clone(), Named::Embedded(id));
        true
    }

    /// The members of all embedded types.
    pub fn embedded_members(&mut self) {
        for ty in &self.draft.types {
            let Some(Named::Embedded(id)) = self.names.get(&ty.name).copied() else { continue };
            let mut members: Vec<EmbeddedMember> = Vec::new();
            for field in &ty.fields {
                if members.iter().any(|member| member.name == field.name) {
                    let message = format!("field \"{}\" is defined twice on \"{}\"", field.name, ty.name);
                    self.error(codes::DUPLICATE, field.span, message);
                    continue;
                }
                members.extend(self.embedded_member(ty, field));
            }
            if let Some(embedded) = self.catalog.embedded.get_mut(usize::from(id.0)) {
                embedded.members = members;
            }
        }
        self.refuse_endless();
    }

    fn embedded_member(&mut self, ty: &TypeDraft, field: &FieldDraft) -> Option<EmbeddedMember> {
        for directive in field.directives.iter().filter(|directive| directive.name != "deprecated") {
            let message = format!("`@{}` does not apply to \"{}\", a member", directive.name, field.name);
            self.error(codes::UNFIT_DIRECTIVE, directive.span, message);
        }
        let scalar = SCALARS.iter().find(|scalar| scalar.name == field.ty);
        let member = match scalar {
            Some(scalar) => match scalar.ty {
                Some(scalar) => MemberType::Scalar(scalar),
                None => {
                    let message = format!("the scalar {} is not available yet", scalar.name);
                    self.error(codes::UNAVAILABLE, field.ty_span, message);
                    return None;
                }
            },
            None => match self.named(ty.owner, field)? {
                Named::Embedded(id) => MemberType::Embedded(id),
                Named::Enum(id) => MemberType::Scalar(crate::scalar::ScalarType::Enum(id)),
                Named::Type(_) => {
                    let message = format!("\"{}\" refers to rows of \"{}\"", field.name, field.ty);
                    let help = "a document has no references: keep the reference in the type that embeds it";
                    self.error_with_help(codes::UNFIT_DIRECTIVE, field.ty_span, message, help);
                    return None;
                }
            },
        };
        Some(EmbeddedMember {
            name: field.name.clone(),
            doc: field.doc.clone(),
            deprecated: deprecated(&field.directives),
            ty: member,
            list: field.list.then_some(field.nulls),
            nullable: !field.required,
        })
    }

    /// A type that must hold itself has no values.
    fn refuse_endless(&mut self) {
        let endless: Vec<_> = self
            .catalog
            .embedded
            .iter()
            .filter(|ty| self.must_hold(ty.id, ty.id, &mut Vec::new()))
            .map(|ty| (ty.name.clone(), ty.span))
            .collect();
        for (name, span) in endless {
            let message = format!("a value of \"{name}\" would hold itself without end");
            self.error_with_help(codes::UNFIT_DIRECTIVE, span, message, "make a member nullable, or a list");
        }
    }

    fn must_hold(&self, from: EmbeddedId, wanted: EmbeddedId, seen: &mut Vec<EmbeddedId>) -> bool {
        if seen.contains(&from) {
            return false;
        }
        seen.push(from);
        let required = self.catalog.embedded_type(from).members.iter().filter(|member| !member.nullable);
        required.filter(|member| member.list.is_none()).any(|member| match member.ty {
            MemberType::Embedded(id) => id == wanted || self.must_hold(id, wanted, seen),
            MemberType::Scalar(_) => false,
        })
    }

    /// The shape of a field of an embedded type.
    pub fn shape_of(&self, field: &FieldDraft) -> Option<Shape> {
        match self.names.get(&field.ty) {
            Some(Named::Embedded(of)) => Some(Shape { of: *of, list: field.list, nulls: field.nulls }),
            Some(Named::Type(_) | Named::Enum(_)) | None => None,
        }
    }
}
