//! `backstay check`: schema, rules and configuration, every mistake at once.

use crate::Context;
use crate::command::lint;
use crate::output::{Colour, Exit};
use crate::project::{Checked, Project};
use crate::wiring;
use anyhow::Result;
use backstay_migrate::file;
use backstay_schema::catalog::{Catalog, Origin};
use backstay_schema::diagnostic::render;

/// Exit code 3 when there are mistakes.
pub fn run(context: &Context) -> Result<Exit> {
    let project = Project::open(&context.dir)?;
    project.write_directives()?;
    wiring::check(&project.config)?;
    let Checked { files, outcome } = project.check()?;
    let (found, exit, catalog) = match outcome {
        Ok(compiled) => (compiled.warnings, Exit::Ok, Some(compiled.catalog)),
        Err(mistakes) => (mistakes, Exit::Problems, None),
    };
    if context.output.json {
        context.output.data(&render::json(&found, &files));
        return Ok(exit);
    }
    if !found.is_empty() {
        context.output.remark(&render::text(&found, &files));
    }
    let migrations = file::read(&project.migrations())?;
    if let Some(newest) = migrations.last() {
        lint::warn(context, &migrations, &[&newest.name], project.engine());
    }
    match catalog {
        Some(catalog) => context.output.data(&format!(
            "{} {}",
            context.output.paint(Colour::Green, "✔"),
            summary(&catalog)
        )),
        None => context.output.remark(&format!("{} found", count(found.len(), "mistake"))),
    }
    Ok(exit)
}

/// `7 types, 1 enum, 24 rules`.
pub fn summary(catalog: &Catalog) -> String {
    let declared = || catalog.tables.iter().filter(|table| table.origin == Origin::Declared);
    let arms = |access: &backstay_schema::catalog::Access| {
        [&access.read, &access.create, &access.update, &access.delete]
            .iter()
            .flat_map(|permit| permit.allow.iter().chain(&permit.deny))
            .map(|arm| (arm.span.file, arm.span.start))
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    };
    let rules: usize = declared()
        .map(|table| {
            arms(&table.access) + table.columns.iter().map(|column| arms(&column.access)).sum::<usize>()
        })
        .sum();
    format!(
        "{}, {}, {}",
        count(declared().count(), "type"),
        count(catalog.enums.len(), "enum"),
        count(rules, "rule")
    )
}

/// `1 type`, `2 types`.
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
