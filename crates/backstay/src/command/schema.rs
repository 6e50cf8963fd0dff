//! `backstay schema show|sql`: the model as text, as JSON, as SQL.

use crate::Context;
use crate::output::Exit;
use crate::project::Project;
use crate::store::Store;
use anyhow::{Context as _, Result, bail};
use backstay_base::clock::Clock;
use backstay_base::ids::Ids;
use backstay_base::limit::Limits;
use backstay_migrate::security;
use backstay_schema::catalog::{Arm, Catalog, Fill, Origin, RelationKind, Table};
use backstay_sql::ddl;
use backstay_sql::dialect;
use clap::Subcommand;
use serde_json::json;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What to print.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Types with their columns, relations and rules
    Show {
        /// Only this type or table
        name: Option<String>,
    },
    /// The definitions as SQL
    Sql {
        /// Which engine's SQL
        #[arg(long, default_value = "sqlite")]
        engine: String,
        /// The rules as row-level security of PostgreSQL, instead of the tables
        #[arg(long)]
        rls: bool,
        /// A role of the database that these policies let in; several times
        #[arg(long, value_name = "ROLE", default_values = ["anon", "authenticated"])]
        grantee: Vec<String>,
    },
    /// The schema of a live database; needs no project
    Import {
        /// sqlite:, postgres:// or mysql:// with everything that it takes to connect
        url: String,
        /// Write this file instead of standard output; one that is there stays
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Prints.
pub fn run(context: &Context, action: &Action) -> Result<Exit> {
    if let Action::Import { url, out } = action {
        return crate::wiring::block_on(import(context, url, out.as_deref()));
    }
    let catalog = Project::open(&context.dir)?.check()?.catalog()?;
    match action {
        Action::Import { .. } => Ok(Exit::Ok),
        Action::Show { name } => show(context, &catalog, name.as_deref()),
        Action::Sql { rls: true, grantee, .. } => {
            let ids = Ids::system(Clock::system());
            for statement in security::wall(&Arc::new(catalog), &ids, grantee)? {
                let end = if statement.starts_with("--") { "" } else { ";" };
                context.output.data(&format!("{statement}{end}"));
            }
            Ok(Exit::Ok)
        }
        Action::Sql { engine, .. } => {
            let Some(dialect) = dialect::named(engine) else {
                let mut names: Vec<&str> = dialect::DIALECTS.iter().map(|dialect| dialect.name).collect();
                names.dedup();
                bail!("no engine {engine:?}; there are: {}", names.join(", "));
            };
            let tables: Vec<&Table> =
                catalog.tables.iter().filter(|table| table.origin != Origin::System).collect();
            for statement in ddl::create_tables(&catalog, dialect, &tables) {
                context.output.data(&format!("{statement};"));
            }
            Ok(Exit::Ok)
        }
    }
}

async fn import(context: &Context, url: &str, out: Option<&Path>) -> Result<Exit> {
    if let Some(path) = url.strip_prefix("sqlite:")
        && !context.dir.join(path.strip_prefix("//").unwrap_or(path)).is_file()
    {
        bail!("there is no file {path}");
    }
    let store = Store::open(url, &context.dir, &Limits::default())?;
    let live = store.engine.introspect().await?;
    let text = backstay_migrate::import::import(store.dialect, &live);
    let Some(out) = out else {
        context.output.data(text.trim_end());
        return Ok(Exit::Ok);
    };
    let mut file = std::fs::File::create_new(context.dir.join(out))
        .with_context(|| format!("cannot write {}", out.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", out.display()))?;
    context
        .output
        .remark(&format!("wrote {}; nothing may be read yet: give each type its rules", out.display()));
    Ok(Exit::Ok)
}

fn show(context: &Context, catalog: &Catalog, name: Option<&str>) -> Result<Exit> {
    let chosen: Vec<&Table> = catalog
        .tables
        .iter()
        .filter(|table| table.origin != Origin::System)
        .filter(|table| name.is_none_or(|name| table.name == name || table.type_name == name))
        .collect();
    if let (Some(name), true) = (name, chosen.is_empty()) {
        let names = catalog.tables.iter().filter(|table| table.origin != Origin::System);
        let hint = backstay_base::suggest::nearest(name, names.map(|table| table.type_name.as_str()));
        let hint = hint.map_or_else(String::new, |hint| format!("; did you mean {hint}?"));
        bail!("the schema has no type {name:?}{hint}");
    }
    if context.output.json {
        let tables: Vec<serde_json::Value> = chosen.iter().map(|table| as_json(catalog, table)).collect();
        context.output.value(&json!({ "tables": tables }));
        return Ok(Exit::Ok);
    }
    for table in chosen {
        context.output.data(&as_text(catalog, table));
    }
    Ok(Exit::Ok)
}

fn relation_words(catalog: &Catalog, relation: &backstay_schema::catalog::Relation) -> String {
    let target = &catalog.table(relation.target).type_name;
    match &relation.kind {
        RelationKind::ToOne { nullable, .. } => format!("{target}{}", if *nullable { "" } else { "!" }),
        RelationKind::ToMany { single: true, .. } => format!("{target} (the other side of a 1-1)"),
        RelationKind::ToMany { .. } => format!("[{target}]"),
        RelationKind::ManyToMany { junction, .. } => {
            format!("[{target}] through {}", catalog.table(*junction).name)
        }
    }
}

const fn fill_words(fill: Fill) -> &'static str {
    match fill {
        Fill::None => "",
        Fill::RowId => "made by the server",
        Fill::AutoIncrement => "counted",
        Fill::Client => "given by the client",
        Fill::Account => "the account's id",
        Fill::CreatedAt => "set on insert",
        Fill::UpdatedAt => "set on every write",
        Fill::DeletedAt => "set on deletion",
        Fill::Stored(_) => "computed by the database",
    }
}

fn as_text(catalog: &Catalog, table: &Table) -> String {
    let mut lines = vec![format!("{} (table {})", table.type_name, table.name)];
    for column in &table.columns {
        let null = if column.nullable { "" } else { "!" };
        let key = if table.key.contains(&column.id) { "  key" } else { "" };
        let fill = fill_words(column.fill);
        let line = format!("  {:<24} {}{null}{key}  {fill}", column.name, column.ty.schema_name(catalog));
        lines.push(line.trim_end().to_owned());
    }
    for relation in &table.relations {
        lines.push(format!("  {:<24} {}", relation.name, relation_words(catalog, relation)));
    }
    for computed in table.computed.iter().filter(|computed| !table.is_stored(computed.id)) {
        lines.push(format!("  {:<24} {} computed", computed.name, computed.ty.schema_name(catalog)));
    }
    for (operation, arm) in rules(table) {
        lines.push(format!("  {operation:<7} {}", arm));
    }
    lines.join("\n") + "\n"
}

/// Operation and rule text of a table, denials with a sign.
fn rules(table: &Table) -> Vec<(&'static str, String)> {
    let access = &table.access;
    let permits = [
        ("read", &access.read),
        ("create", &access.create),
        ("update", &access.update),
        ("delete", &access.delete),
    ];
    let mut found = Vec::new();
    for (operation, permit) in permits {
        let allow: Vec<String> = permit.allow.iter().map(|arm| arm_words(table, arm)).collect();
        found.push((operation, if allow.is_empty() { "denied".to_owned() } else { allow.join(" || ") }));
        found.extend(permit.deny.iter().map(|arm| (operation, format!("denied where {}", arm.text.trim()))));
    }
    found
}

/// The rule, and the fields that it is for.
fn arm_words(table: &Table, arm: &Arm) -> String {
    let text = arm.text.trim();
    let Some(fields) = &arm.fields else { return text.to_owned() };
    let names: Vec<&str> = fields.iter().map(|id| table.column(*id).name.as_str()).collect();
    format!("({text} for {})", names.join(", "))
}

fn as_json(catalog: &Catalog, table: &Table) -> serde_json::Value {
    let columns: Vec<serde_json::Value> = table
        .columns
        .iter()
        .map(|column| {
            json!({
                "name": column.name, "type": column.ty.schema_name(catalog), "nullable": column.nullable,
                "key": table.key.contains(&column.id), "filled": fill_words(column.fill),
            })
        })
        .collect();
    let relations: Vec<serde_json::Value> = table
        .relations
        .iter()
        .map(|relation| json!({ "name": relation.name, "to": relation_words(catalog, relation) }))
        .collect();
    let rules: Vec<serde_json::Value> = rules(table)
        .into_iter()
        .map(|(operation, rule)| json!({ "operation": operation, "rule": rule }))
        .collect();
    json!({
        "type": table.type_name, "table": table.name, "columns": columns, "relations": relations,
        "computed": table.computed.iter().filter(|computed| !table.is_stored(computed.id)).map(|computed| computed.name.clone()).collect::<Vec<_>>(),
        "rules": rules,
    })
}
