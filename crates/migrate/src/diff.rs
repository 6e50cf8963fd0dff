//! What differs between a catalog and a database, as a [`Plan`].

use crate::change::{Change, Plan};
use crate::rebuild::{Columns, columns, rebuild, with_names, without_added};
pub use crate::shape::Scope;
use crate::shape::{desired, same_column, same_constraints};
use backstay_base::fault::Fault;
use backstay_engine::Engine;
use backstay_engine::live::{Live, LiveIndex, LiveTable};
use backstay_schema::catalog::{Catalog, Column, DefaultValue, Table};
use backstay_sql::ddl;
use backstay_sql::dialect::Dialect;

/// Compares the tables of `scope` with what stands in `live`.
///
/// # Errors
/// When the desired definitions cannot be rehearsed.
pub async fn diff(
    engine: &dyn Engine,
    dialect: &'static Dialect,
    catalog: &Catalog,
    live: &Live,
    scope: Scope,
) -> Result<Plan, Fault> {
    let desired = desired(engine, dialect, catalog, scope).await?;
    let mut plan = Plan::default();
    let mut matched: Vec<&str> = Vec::new();
    let differ = Differ { dialect, catalog };
    let renamed = renamed_tables(catalog, live, &desired, scope);
    for (old, new) in &renamed {
        plan.changes
            .push(Change::keeping(format!("~ {old} → {new}"), vec![ddl::rename_table(dialect, old, new)]));
    }
    let live = follow(live, &renamed);
    for table in catalog.tables.iter().filter(|table| scope.holds(table)) {
        let Some(wanted) = find(&desired, &table.name) else { continue };
        if let Some(found) = find(&live, &table.name) {
            matched.push(&found.name);
            let was = renamed.iter().find(|(_, new)| *new == table.name);
            let was = was.map_or(table.name.as_str(), |(old, _)| old);
            differ.table(table, (found, was), wanted, &mut plan);
            continue;
        }
        let mut statements = vec![ddl::create_table(catalog, dialect, table)];
        statements.extend(ddl::create_indexes(table, dialect));
        plan.changes.push(Change::keeping(format!("+ {}", table.name), statements));
    }
    let gone = live.tables.iter().filter(|table| {
        scope.holds_name(&table.name)
            && !matched.contains(&table.name.as_str())
            && !backstay_engine::migration::ENGINE_TABLES.contains(&table.name.as_str())
    });
    for table in gone {
        plan.changes.push(Change::losing(
            format!("- {}", table.name),
            format!("all rows of {}", table.name),
            vec![ddl::drop_table(dialect, &table.name)],
        ));
    }
    Ok(plan)
}

fn find<'l>(live: &'l Live, name: &str) -> Option<&'l LiveTable> {
    live.tables.iter().find(|table| table.name == name)
}

/// (old, new) of every table that `@was` renames.
fn renamed_tables(catalog: &Catalog, live: &Live, desired: &Live, scope: Scope) -> Vec<(String, String)> {
    let mut renamed: Vec<(String, String)> = Vec::new();
    for table in catalog.tables.iter().filter(|table| scope.holds(table)) {
        let Some(was) = &table.was else { continue };
        let taken = find(live, &table.name).is_some() || find(desired, was).is_some();
        let twice = renamed.iter().any(|(old, _)| old == was);
        if !taken && !twice && find(live, was).is_some() {
            renamed.push((was.clone(), table.name.clone()));
        }
    }
    renamed
}

/// The database once tables are renamed: references follow by themselves.
fn follow(live: &Live, renamed: &[(String, String)]) -> Live {
    let mut live = live.clone();
    let rename = |name: &mut String| {
        if let Some((_, new)) = renamed.iter().find(|(old, _)| old == name) {
            new.clone_into(name);
        }
    };
    for table in &mut live.tables {
        rename(&mut table.name);
        table.references.iter_mut().for_each(|reference| rename(&mut reference.target));
    }
    live
}

struct Differ<'a> {
    dialect: &'static Dialect,
    catalog: &'a Catalog,
}

impl Differ<'_> {
    fn table(&self, table: &Table, (found, was): (&LiveTable, &str), wanted: &LiveTable, plan: &mut Plan) {
        let columns = columns(self.dialect, table, (found, was));
        let found_as = with_names(found, &columns.renamed);
        let simple_adds = columns.added.iter().all(|column| can_be_added(table, column));
        let rest = without_added(table, wanted, &columns.added);
        let same_rest = found_as.columns.len() == rest.columns.len()
            && found_as.columns.iter().all(|a| rest.columns.iter().any(|b| same_column(a, b)))
            && same_constraints(&found_as, &rest);
        if columns.dropped.is_empty() && simple_adds && same_rest {
            self.alter(table, &columns, plan);
            self.indexes(table, &found_as, wanted, plan);
        } else {
            plan.changes.push(rebuild(self.catalog, self.dialect, table, (found, &columns)));
        }
    }

    fn alter(&self, table: &Table, columns: &Columns<'_>, plan: &mut Plan) {
        for (new, old) in &columns.renamed {
            plan.changes.push(Change::keeping(
                format!("~ {}.{old} → {new}", table.name),
                vec![ddl::rename_column(self.dialect, &table.name, old, new)],
            ));
        }
        for column in &columns.added {
            plan.changes.push(Change::keeping(
                format!("+ {}.{}", table.name, column.name),
                vec![ddl::add_column(self.catalog, self.dialect, table, column)],
            ));
        }
    }

    fn indexes(&self, table: &Table, found: &LiveTable, wanted: &LiveTable, plan: &mut Plan) {
        let same = |a: &LiveIndex, b: &LiveIndex| a == b;
        for index in &found.indexes {
            if !wanted.indexes.iter().any(|other| same(index, other)) {
                let drop = vec![ddl::drop_index(self.dialect, &index.name)];
                plan.changes.push(Change::keeping(format!("- index {}", index.name), drop));
            }
        }
        for index in ddl::indexes(table) {
            let stands = found
                .indexes
                .iter()
                .any(|live| live.name == index.name && wanted.indexes.iter().any(|other| same(live, other)));
            if !stands {
                let create = vec![ddl::create_index(table, self.dialect, &index)];
                plan.changes.push(Change::keeping(format!("+ index {}", index.name), create));
            }
        }
    }
}

/// Whether `ALTER TABLE … ADD COLUMN` can make the column on every engine.
fn can_be_added(table: &Table, column: &Column) -> bool {
    let has_value = matches!(column.default, Some(DefaultValue::Value(_)));
    let in_key = table.key.contains(&column.id)
        || table.uniques.iter().any(|unique| unique.columns.contains(&column.id));
    let reference = column.relation.is_some();
    !in_key && (column.nullable || (has_value && !reference))
}
