//! The text of an imported schema.

use super::{Field, Import, Type};
use std::fmt::Write as _;

const HEAD: &str =
    "# Imported from a live database. Nothing may be read or written yet: give each type its rules,
# for example @access(read: \"true\") or @access(all: \"this.owner == auth.user\"), and mark the type
# that has a row per account with @user.
";

/// A text in quotes.
pub(super) fn text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out + "\""
}

pub(super) fn write(import: &Import) -> String {
    let mut out = HEAD.to_owned();
    for remark in &import.remarks {
        let _ = writeln!(out, "# {remark}");
    }
    for known in &import.enums {
        let _ = writeln!(out, "\nenum {} {{ {} }}", known.name, known.members.join(" "));
    }
    for ty in &import.types {
        type_of(ty, &mut out);
    }
    out
}

fn doc(doc: Option<&str>, indent: &str, out: &mut String) {
    if let Some(doc) = doc {
        let _ = writeln!(out, "{indent}{}", text(doc));
    }
}

fn type_of(ty: &Type, out: &mut String) {
    out.push('\n');
    for remark in &ty.remarks {
        let _ = writeln!(out, "# {remark}");
    }
    doc(ty.doc.as_deref(), "", out);
    let _ = write!(out, "type {}", ty.name);
    for directive in &ty.directives {
        let _ = write!(out, "{}{directive}", if ty.directives.len() > 1 { "\n  " } else { " " });
    }
    out.push_str(if ty.directives.len() > 1 { "\n{\n" } else { " {\n" });
    ty.fields.iter().for_each(|field| field_of(field, out));
    out.push_str("}\n");
}

fn field_of(field: &Field, out: &mut String) {
    doc(field.doc.as_deref(), "  ", out);
    let _ = write!(out, "  {}: {}", field.name, field.ty);
    for directive in &field.directives {
        let _ = write!(out, " {directive}");
    }
    for remark in &field.remarks {
        let _ = write!(out, "  # {}", remark.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    out.push('\n');
}
