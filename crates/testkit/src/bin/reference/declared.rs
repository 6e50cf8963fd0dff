//! Pages of settings: names, types and words come from the declarations themselves, as
//! they stand in the source; defaults from the values.

use crate::tables::{head, row};
use backstay_base::limit::Limits;
use std::collections::BTreeMap;

const LIMITS: &str = include_str!("../../../../base/src/limit.rs");
const CONFIG: &str = include_str!("../../../../backstay/src/config.rs");

/// A field of a struct.
struct Field {
    name: String,
    ty: String,
    doc: String,
}

/// The public structs of a source file with their fields.
fn structs(source: &str) -> BTreeMap<String, Vec<Field>> {
    let mut found: BTreeMap<String, Vec<Field>> = BTreeMap::new();
    let mut current: Option<String> = None;
    let mut doc: Vec<&str> = Vec::new();
    for line in source.lines() {
        let text = line.trim();
        if let Some(words) = text.strip_prefix("/// ") {
            doc.push(words);
        } else if let Some(rest) = line.strip_prefix("pub struct ") {
            current = rest.split([' ', '{']).next().map(str::to_owned);
            doc.clear();
        } else if line == "}" {
            current = None;
        } else if let (Some(current), Some((name, ty))) =
            (&current, text.strip_prefix("pub ").and_then(|field| field.split_once(": ")))
        {
            let ty = ty.trim_end_matches(',').to_owned();
            let field = Field { name: name.to_owned(), ty, doc: doc.join(" ") };
            found.entry(current.clone()).or_default().push(field);
            doc.clear();
        } else if !text.starts_with("#[") {
            doc.clear();
        }
    }
    found
}

/// What `impl Default` of a struct says of a field, as TOML.
fn default_of(source: &str, of: &str, field: &Field) -> String {
    let body =
        source.split(&format!("impl Default for {of} {{")).nth(1).and_then(|rest| rest.split("\n}").next());
    let said = body.and_then(|body| {
        let at = format!("{}: ", field.name);
        // one field to a line, or all of them on one
        let start = body.split(['\n', '{']).find_map(|part| part.trim().strip_prefix(&at))?;
        Some(start.trim().trim_end_matches(['}', ' ', ',']).replace("vec!", "").replace(".to_owned()", ""))
    });
    let said = said.unwrap_or_else(|| match field.ty.as_str() {
        "String" => "\"\"".to_owned(),
        "bool" => "false".to_owned(),
        ty if ty.starts_with("Vec<") => "[]".to_owned(),
        _ => String::new(),
    });
    // a variant stands in the file as a word
    let said = match said.rsplit_once("::") {
        Some((_, variant)) if !variant.ends_with(')') => format!("\"{}\"", variant.to_lowercase()),
        Some(_) | None => said,
    };
    if said == "None" || said.is_empty() { "not set".to_owned() } else { format!("`{said}`") }
}

pub fn configuration() -> Result<String, String> {
    let structs = structs(CONFIG);
    let mut out = String::from(
        "# Configuration\n\nThe keys of `backstay.toml`. All have defaults; a key that is not known is an error. \
         `${NAME}` in a text reads the environment.\n",
    );
    section(&structs, "Config", "", &mut out)?;
    out.push_str("\n## [limits]\n\nSee [limits.md](limits.md): each limit is a key.\n");
    Ok(out)
}

fn section(
    structs: &BTreeMap<String, Vec<Field>>,
    of: &str,
    path: &str,
    out: &mut String,
) -> Result<(), String> {
    let fields = structs.get(of).ok_or_else(|| format!("no struct {of} in config.rs"))?;
    let is_table = |field: &&Field| structs.contains_key(inner_type(field)) || field.ty == "LimitSettings";
    let keys: Vec<&Field> = fields.iter().filter(|field| !is_table(field)).collect();
    if !keys.is_empty() {
        let title = if path.is_empty() { "At the top".to_owned() } else { format!("[{path}]") };
        out.push_str(&format!("\n## {title}\n\n"));
        out.push_str(&head(&["key", "default", ""]));
        for field in keys {
            out.push_str(&row(&[&format!("`{}`", field.name), &default_of(CONFIG, of, field), &field.doc]));
        }
    }
    for field in fields.iter().filter(|field| is_table(field) && field.ty != "LimitSettings") {
        let inner = if path.is_empty() { field.name.clone() } else { format!("{path}.{}", field.name) };
        let ty = inner_type(field);
        let named = if ty == field.ty { inner } else { format!("{inner}.NAME") };
        section(structs, ty, &named, out)?;
    }
    Ok(())
}

/// The type of a table, or of the tables in it that have names of their own.
fn inner_type(field: &Field) -> &str {
    let tables = field.ty.strip_prefix("BTreeMap<String, ").and_then(|rest| rest.strip_suffix('>'));
    tables.unwrap_or(&field.ty)
}

pub fn limits() -> Result<String, String> {
    let structs = structs(LIMITS);
    let fields = structs.get("Limits").ok_or("no struct Limits in limit.rs")?;
    let shown = format!("{:#?}", Limits::default());
    let mut out = String::from(
        "# Limits\n\nEvery limit has a name and a default; `[limits]` of `backstay.toml` changes it. What passes one \
         is refused with `54001`, a full queue with `53400`.\n\n",
    );
    out.push_str(&head(&["limit", "default", "unit", ""]));
    for field in fields {
        let line = shown.lines().find_map(|line| line.trim().strip_prefix(&format!("{}: ", field.name)));
        let default = line.ok_or_else(|| format!("no default of {}", field.name))?.trim_end_matches(',');
        let unit = match field.name.rsplit('_').next() {
            Some("bytes") => "bytes",
            Some("ms") => "milliseconds",
            _ => "",
        };
        out.push_str(&row(&[&format!("`{}`", field.name), default, unit, &field.doc]));
    }
    Ok(out)
}
