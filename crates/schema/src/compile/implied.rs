//! Fields that a directive of the type implies: `deleted_at` of `@table(softDelete: true)`, the
//! reference of `@table(tenant:)`.
//! They are added to the draft, so that everything after sees them as written.

use crate::compile::Owner;
use crate::compile::draft::{Draft, FieldDraft, TypeDraft, one};
use crate::compile::literal::Literal;
use crate::diagnostic::{Diagnostics, codes};

/// The field that says since when a row is deleted.
pub const DELETED_AT: &str = "deleted_at";

/// Adds what is implied.
pub(super) fn add(draft: &mut Draft, diagnostics: &mut Diagnostics) {
    for ty in &mut draft.types {
        if is_soft(ty) {
            soft_delete(ty, diagnostics);
        }
    }
    let names: Vec<String> = draft.types.iter().map(|ty| ty.name.clone()).collect();
    for ty in &mut draft.types {
        if let Some(name) = tenant(ty).cloned() {
            add_tenant(ty, &name, &names, diagnostics);
        }
    }
}

/// The field that says whose the rows of the type are.
pub(super) fn tenant(ty: &TypeDraft) -> Option<&Literal> {
    one(&ty.directives, "table").and_then(|table| table.text("tenant"))
}

fn add_tenant(ty: &mut TypeDraft, name: &Literal, names: &[String], diagnostics: &mut Diagnostics) {
    if one(&ty.directives, "user").is_some() || ty.owner == Owner::System {
        let message = "rows of the account type belong to their account, not to a tenant";
        diagnostics.report(codes::TENANT, name.span, message);
        return;
    }
    if ty.fields.iter().any(|field| field.name == name.text) {
        return;
    }
    let wanted: String = name.text.split('_').map(capital).collect();
    if !names.contains(&wanted) {
        let message =
            format!("type \"{}\" has no field \"{}\", and there is no type \"{wanted}\"", ty.name, name.text);
        let help = "declare the field: a required reference to the type of tenants";
        diagnostics.report_with_help(codes::TENANT, name.span, message, help);
        return;
    }
    ty.fields.push(FieldDraft {
        name: name.text.clone(),
        span: name.span,
        doc: Some("Whose the row is.".to_owned()),
        ty: wanted,
        ty_span: name.span,
        list: false,
        nulls: false,
        required: true,
        directives: Vec::new(),
    });
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Whether rows of the type are marked instead of removed.
pub(super) fn is_soft(ty: &TypeDraft) -> bool {
    one(&ty.directives, "table").and_then(|table| table.flag("softDelete")) == Some(true)
}

fn soft_delete(ty: &mut TypeDraft, diagnostics: &mut Diagnostics) {
    let Some(table) = one(&ty.directives, "table") else { return };
    let span = table.span_of("softDelete");
    if one(&ty.directives, "user").is_some() || ty.owner == Owner::System {
        let help = "rows of the account type come and go with their account";
        let message = "the account type has no `softDelete`";
        diagnostics.report_with_help(codes::USER, span, message, help);
        return;
    }
    if !ty.fields.iter().any(|field| field.name == DELETED_AT) {
        ty.fields.push(FieldDraft {
            name: DELETED_AT.to_owned(),
            span,
            doc: Some("Since when the row is deleted.".to_owned()),
            ty: "Timestamp".to_owned(),
            ty_span: span,
            list: false,
            nulls: false,
            required: false,
            directives: Vec::new(),
        });
    }
}
