//! Documents of a declared shape: what a write gives for an `@embedded` type enters, the same
//! document leaves with its members in the order of the type and every scalar in its one form,
//! or a refusal that names the path. Knows nothing of columns.

use crate::catalog::{Catalog, EmbeddedMember, EmbeddedType, MemberType, Shape};
use crate::scalar::list::write_json;
use crate::scalar::read::JsonCell;
use crate::value::json;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::suggest::{self, OPENING};
use serde_json::value::RawValue;
use std::collections::HashMap;

/// The document as it is stored. `path` is what the messages begin with: the column.
///
/// # Errors
/// 22P02 for another shape or an unknown member, 22004 for a required member that is null or
/// missing, and what its scalar says of a value.
pub fn fitted(catalog: &Catalog, shape: Shape, document: &str, path: &str) -> Result<String, Fault> {
    let mut out = String::with_capacity(document.len());
    let mut writer = Writer { catalog, out: &mut out };
    if shape.list {
        writer.list(MemberType::Embedded(shape.of), shape.nulls, document, path)?;
    } else {
        writer.object(catalog.embedded_type(shape.of), document, path)?;
    }
    Ok(out)
}

struct Writer<'w> {
    catalog: &'w Catalog,
    out: &'w mut String,
}

impl Writer<'_> {
    fn object(&mut self, ty: &EmbeddedType, document: &str, path: &str) -> Result<(), Fault> {
        let given: HashMap<String, &RawValue> = serde_json::from_str(document)
            .map_err(|_| refused(path, &format!("a value of \"{}\" is an object", ty.name)))?;
        let mut unknown: Vec<&str> = given.keys().map(String::as_str).collect();
        unknown.retain(|name| ty.member(name).is_none());
        unknown.sort_unstable();
        if let Some(name) = unknown.first() {
            let fault = refused(path, &format!("type \"{}\" has no member \"{name}\"", ty.name));
            let known = ty.members.iter().map(|member| member.name.as_str());
            return Err(match suggest::nearest(name, known) {
                Some(near) => fault.with_hint(format!("{OPENING} \"{near}\".")),
                None => fault,
            });
        }
        self.out.push('{');
        let mut first = true;
        for member in &ty.members {
            let Some(value) = given.get(&member.name) else {
                if member.nullable {
                    continue;
                }
                return Err(missing(&[path, ".", &member.name].concat()));
            };
            self.out.push_str(if first { "" } else { "," });
            first = false;
            json::write_string(&member.name, self.out);
            self.out.push(':');
            self.member(member, value.get(), &[path, ".", &member.name].concat())?;
        }
        self.out.push('}');
        Ok(())
    }

    fn member(&mut self, member: &EmbeddedMember, value: &str, path: &str) -> Result<(), Fault> {
        match (value, member.list) {
            ("null", _) if member.nullable => {
                self.out.push_str("null");
                Ok(())
            }
            ("null", _) => Err(missing(path)),
            (_, Some(nulls)) => self.list(member.ty, nulls, value, path),
            (_, None) => self.one(member.ty, value, path),
        }
    }

    fn list(&mut self, ty: MemberType, nulls: bool, value: &str, path: &str) -> Result<(), Fault> {
        let items: Vec<&RawValue> =
            serde_json::from_str(value).map_err(|_| refused(path, "an array is expected"))?;
        self.out.push('[');
        for (index, item) in items.into_iter().enumerate() {
            self.out.push_str(if index > 0 { "," } else { "" });
            let path = format!("{path}[{index}]");
            match item.get() {
                "null" if nulls => self.out.push_str("null"),
                "null" => return Err(missing(&path)),
                item => self.one(ty, item, &path)?,
            }
        }
        self.out.push(']');
        Ok(())
    }

    /// A value that is not null.
    fn one(&mut self, ty: MemberType, value: &str, path: &str) -> Result<(), Fault> {
        let scalar = match ty {
            MemberType::Embedded(id) => return self.object(self.catalog.embedded_type(id), value, path),
            MemberType::Scalar(scalar) => scalar,
        };
        let text: String;
        let cell = match value.as_bytes().first() {
            Some(b't') => JsonCell::Bool(true),
            Some(b'f') => JsonCell::Bool(false),
            Some(b'"') => {
                text = serde_json::from_str(value).map_err(|_| refused(path, "a string is expected"))?;
                JsonCell::Text(&text)
            }
            Some(b'[' | b'{') => JsonCell::Json(value),
            Some(_) | None => JsonCell::Number(value),
        };
        let read = scalar.parse_json(self.catalog, cell).map_err(|fault| {
            let message = format!("{path}: {}", fault.message);
            Fault { message, ..fault }
        })?;
        let mut list = String::new();
        write_json(&[read], &mut list);
        // one value as JSON is a list of one without its brackets
        self.out.push_str(list.get(1..list.len() - 1).unwrap_or_default());
        Ok(())
    }
}

fn refused(path: &str, what: &str) -> Fault {
    Fault::new(code::INVALID_TEXT, format!("{path}: {what}"))
}

fn missing(path: &str) -> Fault {
    Fault::new(code::NULL_ELEMENT, format!("{path}: a value is required"))
}
