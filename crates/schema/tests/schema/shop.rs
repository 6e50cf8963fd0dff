//! The flagship example: it compiles, and the parts that are not available yet are
//! refused one by one.

use super::shape::{SHOP, catalog, file, settings};
use super::shown;
use backstay_schema::catalog::{Access, DefaultValue, Operation};
use backstay_schema::compile::compile;
use backstay_schema::diagnostic::render;

fn rules(
    catalog: &backstay_schema::catalog::Catalog,
    table: &backstay_schema::catalog::Table,
    access: &Access,
) -> Vec<String> {
    [Operation::Read, Operation::Create, Operation::Update, Operation::Delete]
        .into_iter()
        .flat_map(|operation| {
            let permit = access.permit(operation);
            permit.allow.iter().chain(&permit.deny)
        })
        .map(|arm| format!("  {}: {}", arm.id, shown::expr(catalog, table.id, &arm.expr)))
        .collect()
}

#[test]
fn every_rule_of_the_shop() {
    let catalog = catalog(SHOP);
    let mut lines = Vec::new();
    for table in &catalog.tables {
        lines.push(table.type_name.clone());
        lines.extend(rules(&catalog, table, &table.access));
        for column in &table.columns {
            lines.extend(rules(&catalog, table, &column.access));
            for (word, expr) in [("create", &column.set_create), ("update", &column.set_update)] {
                lines.extend(expr.iter().map(|expr| {
                    format!("  {} set on {word}: {}", column.name, shown::expr(&catalog, table.id, expr))
                }));
            }
            if let Some(DefaultValue::Value(value)) = &column.default {
                lines.push(format!("  {} default {value:?}", column.name));
            }
            if !column.valid.is_empty() {
                lines.push(format!("  {} valid {:?}", column.name, column.valid));
            }
        }
        for relation in &table.relations {
            lines.extend(
                rules(&catalog, table, &relation.access).iter().map(|rule| format!("{rule} (relation)")),
            );
        }
        for computed in &table.computed {
            lines.push(format!("  {} = {}", computed.name, shown::expr(&catalog, table.id, &computed.expr)));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

/// The shop with the parts that later versions have.
fn full_shop() -> String {
    SHOP.replace("type Product\n", "type Product @table(live: true)\n")
        .replace("  items: [OrderItem!]!\n  reviews", "  image: File @file(accept: [\"image/*\"], maxSize: \"5MB\")\n  items: [OrderItem!]!\n  reviews")
        .replace("type Order\n", "type Order @table(audit: true, live: true)\n  @on(event: [UPDATE], when: \"this.status != new.status && new.status == 'PAID'\", run: \"receipt\")\n  @limit(rate: \"20/hour\", by: \"auth.uid\", on: [CREATE])\n")
        + "\ntype Mutation {\n  checkout(cart: ID!): Order! @access(call: \"auth.user != null\") @limit(rate: \"10/minute\", by: \"auth.uid\")\n}\n"
}

#[test]
fn what_is_not_available_yet_is_refused_and_nothing_else() {
    let files = [file(&full_shop())];
    let mistakes = compile(&files, &settings()).unwrap_err();
    assert!(mistakes.iter().all(|mistake| mistake.code == "E1003"));
    insta::assert_snapshot!(render::text(&mistakes, &files));
}

#[test]
fn the_shop_compiles_without_remarks_and_to_the_same_generation() {
    let compiled = |text: &str| compile(&[file(text)], &settings()).unwrap();
    assert_eq!(compiled(SHOP).warnings, []);
    assert_eq!(compiled(SHOP).catalog.generation, compiled(SHOP).catalog.generation);
    let other = SHOP.replace("maxLength: 80", "maxLength: 81");
    assert_ne!(compiled(SHOP).catalog.generation, compiled(&other).catalog.generation);
}
