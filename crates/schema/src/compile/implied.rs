//! Fields that a directive of the type implies: `deleted_at` of `@table(softDelete: true)`.
//! They are added to the draft, so that everything after sees them as written.

use crate::compile::Owner;
use crate::compile::draft::{Draft, FieldDraft, TypeDraft, one};
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
