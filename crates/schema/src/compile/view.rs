//! `@table(view:)`: what a type that is only read can not have.

use crate::compile::Owner;
use crate::compile::draft::{Application, Draft, FieldDraft, TypeDraft, one};
use crate::diagnostic::{Diagnostics, codes};

/// Directives of types and fields that say what is written or kept.
const WRITTEN: &[&str] = &["unique", "index", "check", "default", "set", "valid", "was", "user"];
/// Arguments of `@table` that do.
const KEPT: &[&str] = &["name", "audit", "softDelete"];
/// Rules for what nobody does. `all` and `write` hold them, too.
const WRITES: &[&str] = &["all", "write", "create", "update", "delete"];

/// Reports what a view cannot have or be.
pub(super) fn check(draft: &Draft, diagnostics: &mut Diagnostics) {
    for ty in &draft.types {
        if is_view(ty) {
            of_type(draft, ty, diagnostics);
        } else {
            references(draft, ty, diagnostics);
        }
    }
}

fn is_view(ty: &TypeDraft) -> bool {
    one(&ty.directives, "table").is_some_and(|table| table.text("view").is_some())
}

fn view_named<'d>(draft: &'d Draft, name: &str) -> Option<&'d TypeDraft> {
    draft.types.iter().find(|ty| ty.name == name).filter(|ty| is_view(ty))
}

fn of_type(draft: &Draft, ty: &TypeDraft, diagnostics: &mut Diagnostics) {
    if let Some(table) = one(&ty.directives, "table") {
        let given = |name: &&&str| table.flag(name) == Some(true) || table.text(name).is_some();
        for name in KEPT.iter().filter(given) {
            let message = format!("`view` and `{name}` exclude each other");
            diagnostics.report(codes::VIEW, table.span_of(name), message);
        }
        if ty.owner == Owner::System {
            diagnostics.report(codes::VIEW, table.span_of("view"), "a system type is a table");
        }
    }
    let keyed = one(&ty.directives, "table").is_some_and(|table| table.names("key").is_some());
    if !keyed && !ty.fields.iter().any(|field| field.name == "id") {
        let message = format!("nothing tells the rows of \"{}\" apart", ty.name);
        let help = "declare its `id`, or name other columns: `@table(view: …, key: [\"…\"])`";
        diagnostics.report_with_help(codes::VIEW, ty.span, message, help);
    }
    directives(&ty.name, &ty.directives, diagnostics);
    for field in &ty.fields {
        directives(&ty.name, &field.directives, diagnostics);
        field_of(draft, ty, field, diagnostics);
    }
}

fn directives(name: &str, applied: &[Application], diagnostics: &mut Diagnostics) {
    for directive in applied {
        let written = WRITTEN.contains(&directive.name.as_str());
        let stored = directive.name == "computed" && directive.flag("stored") == Some(true);
        if written || stored {
            let message = format!("`@{}` says what is kept, and \"{name}\" is a view", directive.name);
            diagnostics.report(codes::VIEW, directive.span, message);
        }
        if matches!(directive.name.as_str(), "access" | "deny") {
            for argument in WRITES.iter().filter(|argument| directive.text(argument).is_some()) {
                let message = format!("`{argument}`: nobody writes to \"{name}\", which is a view");
                let span = directive.span_of(argument);
                diagnostics.report_with_help(codes::VIEW, span, message, "say `read`");
            }
        }
        if directive.name == "limit" {
            let on = directive.names("on").unwrap_or_default();
            if let Some((_, span)) = on.iter().find(|(word, _)| word != "READ") {
                let message = format!("nobody writes to \"{name}\", which is a view");
                diagnostics.report(codes::VIEW, *span, message);
            }
        }
    }
}

fn field_of(draft: &Draft, ty: &TypeDraft, field: &FieldDraft, diagnostics: &mut Diagnostics) {
    let target = draft.types.iter().find(|other| other.name == field.ty);
    let is_row = target.is_some_and(|target| one(&target.directives, "embedded").is_none());
    if is_row && field.list {
        let message = format!("nothing refers to \"{}\", which is a view: it has no lists of rows", ty.name);
        diagnostics.report(codes::VIEW, field.span, message);
    } else if is_row && view_named(draft, &field.ty).is_some() {
        refused(field, diagnostics);
    }
    if let Some(relation) = one(&field.directives, "relation") {
        for argument in ["onDelete", "refer"] {
            if relation.word(argument).is_some() || relation.text(argument).is_some() {
                let message = format!("`{argument}`: nothing is written to \"{}\", which is a view", ty.name);
                diagnostics.report(codes::VIEW, relation.span_of(argument), message);
            }
        }
    }
}

/// A reference of a table to a view; its lists are the reverse of references of the view.
fn references(draft: &Draft, ty: &TypeDraft, diagnostics: &mut Diagnostics) {
    for field in ty.fields.iter().filter(|field| !field.list) {
        if view_named(draft, &field.ty).is_some() {
            refused(field, diagnostics);
        }
    }
}

fn refused(field: &FieldDraft, diagnostics: &mut Diagnostics) {
    let message = format!("\"{}\" would refer to \"{}\", which is a view", field.name, field.ty);
    let help = "no database keeps such a reference; let the view refer, and list its rows here";
    diagnostics.report_with_help(codes::VIEW, field.span, message, help);
}
