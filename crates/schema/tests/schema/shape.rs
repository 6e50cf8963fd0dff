//! Types, relations and constraints: the conventions of the schema language.

use backstay_schema::catalog::{Catalog, Fill, RelationKind, Table};
use backstay_schema::compile::{Owner, Settings, SourceFile, compile, directive::directives_sdl};
use backstay_schema::diagnostic::render;

pub const SHOP: &str = include_str!("../../../../examples/shop/schema.graphql");

pub fn file(text: &str) -> SourceFile {
    SourceFile { name: "schema.graphql".to_owned(), text: text.to_owned(), owner: Owner::Project }
}

pub fn settings() -> Settings {
    Settings { roles: vec!["staff".to_owned(), "admin".to_owned()] }
}

/// The catalog of a schema that compiles; the mistakes are the panic message otherwise.
pub fn catalog(text: &str) -> Catalog {
    let files = [file(text)];
    match compile(&files, &settings()) {
        Ok(compiled) => compiled.catalog,
        Err(mistakes) => panic!("{}", render::text(&mistakes, &files)),
    }
}

/// One line per column, relation and constraint of a table.
pub fn outline(catalog: &Catalog, table: &Table) -> String {
    let names = |ids: &[backstay_schema::catalog::ColumnId]| {
        ids.iter().map(|id| table.column(*id).name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let mut lines = vec![format!("{} ({:?}) key({})", table.name, table.origin, names(&table.key))];
    for column in &table.columns {
        let null = if column.nullable { "" } else { " not null" };
        let fill = if column.fill == Fill::None { String::new() } else { format!(" {:?}", column.fill) };
        lines.push(format!("  {} {}{null}{fill}", column.name, column.ty.sql_name()));
    }
    for relation in &table.relations {
        let target = &catalog.table(relation.target).name;
        let kind = match &relation.kind {
            RelationKind::ToOne { columns, on_delete, constraint, .. } => {
                format!("-> {target} by {} {on_delete:?} {constraint}", names(columns))
            }
            RelationKind::ToMany { columns, single, .. } => {
                let far = catalog.table(relation.target);
                let by: Vec<&str> = columns.iter().map(|id| far.column(*id).name.as_str()).collect();
                format!("{} {target} by {}", if *single { "<-" } else { "<<" }, by.join(", "))
            }
            RelationKind::ManyToMany { junction, near, far } => {
                let between = catalog.table(*junction);
                format!(
                    "<> {target} through {}.{} .{}",
                    between.name,
                    between.relation(*near).name,
                    between.relation(*far).name
                )
            }
        };
        lines.push(format!("  {} {kind}", relation.name));
    }
    for unique in &table.uniques {
        lines.push(format!("  unique {}({})", unique.name, names(&unique.columns)));
    }
    for index in &table.indexes {
        lines.push(format!("  index {}({})", index.name, names(&index.columns)));
    }
    lines.join("\n")
}

fn outlines(text: &str) -> String {
    let catalog = catalog(text);
    catalog.tables.iter().map(|table| outline(&catalog, table)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_shop_becomes_tables() {
    insta::assert_snapshot!(outlines(SHOP));
}

#[test]
fn the_definitions_for_editors_are_graphql() {
    let sdl = directives_sdl();
    insta::assert_snapshot!(sdl);
}
