//! What differs between a catalog and a database, as a [`Plan`].

use crate::change::{Change, Plan};
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
    for table in catalog.tables.iter().filter(|table| scope.holds(table)) {
        let Some(wanted) = find(&desired, &table.name) else { continue };
        if let Some(found) = find(live, &table.name) {
            matched.push(&found.name);
            differ.table(table, found, wanted, &mut plan);
            continue;
        }
        let was = table.was.as_deref().and_then(|was| find(live, was));
        if let Some(found) = was.filter(|found| find(&desired, &found.name).is_none()) {
            matched.push(&found.name);
            plan.changes.push(Change::keeping(
                format!("~ {} → {}", found.name, table.name),
                vec![ddl::rename_table(dialect, &found.name, &table.name)],
            ));
            let renamed = LiveTable { name: table.name.clone(), ..found.clone() };
            differ.table(table, &renamed, wanted, &mut plan);
            continue;
        }
        let mut statements = vec![ddl::create_table(catalog, dialect, table)];
        statements.extend(ddl::create_indexes(table, dialect));
        plan.changes.push(Change::keeping(format!("+ {}", table.name), statements));
    }
    let gone = live.tables.iter().filter(|table| {
        scope.holds_name(&table.name)
            && !matched.contains(&table.name.as_str())
            && table.name != backstay_engine::migration::JOURNAL_TABLE
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

struct Differ<'a> {
    dialect: &'static Dialect,
    catalog: &'a Catalog,
}

/// How the columns of a table came to be.
struct Columns<'a> {
    /// (new name, old name), where they differ.
    renamed: Vec<(String, String)>,
    added: Vec<&'a Column>,
    dropped: Vec<String>,
}

impl Differ<'_> {
    fn table(&self, table: &Table, found: &LiveTable, wanted: &LiveTable, plan: &mut Plan) {
        let columns = columns(table, found);
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
            self.rebuild(table, found, &columns, plan);
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

    /// Makes the table anew, copies the rows and takes the old name.
    fn rebuild(&self, table: &Table, found: &LiveTable, columns: &Columns<'_>, plan: &mut Plan) {
        let scratch = format!("_rebuild_{}", table.name);
        let kept: Vec<(String, String)> = table
            .columns
            .iter()
            .filter(|column| !columns.added.iter().any(|added| added.name == column.name))
            .map(|column| {
                let old = columns.renamed.iter().find(|(new, _)| *new == column.name);
                (column.name.clone(), old.map_or_else(|| column.name.clone(), |(_, old)| old.clone()))
            })
            .collect();
        let mut statements = vec![ddl::create_table_named(self.catalog, self.dialect, table, &scratch)];
        if !kept.is_empty() {
            statements.push(ddl::copy_rows(self.dialect, &found.name, &scratch, &kept));
        }
        statements.push(ddl::drop_table(self.dialect, &found.name));
        statements.push(ddl::rename_table(self.dialect, &scratch, &table.name));
        statements.extend(ddl::create_indexes(table, self.dialect));
        let mut parts = vec![format!("~ {}", table.name)];
        parts.extend(columns.renamed.iter().map(|(new, old)| format!("~{old} → {new}")));
        parts.extend(columns.added.iter().map(|column| format!("+{}", column.name)));
        parts.extend(columns.dropped.iter().map(|column| format!("-{column}")));
        let summary = parts.join(" ");
        plan.changes.push(if columns.dropped.is_empty() {
            Change::keeping(summary, statements)
        } else {
            let names: Vec<String> =
                columns.dropped.iter().map(|column| format!("{}.{column}", table.name)).collect();
            Change::losing(summary, format!("the values of {}", names.join(", ")), statements)
        });
    }
}

fn columns<'a>(table: &'a Table, found: &LiveTable) -> Columns<'a> {
    let stands = |name: &str| found.columns.iter().any(|column| column.name == name);
    let wanted = |name: &str| table.columns.iter().any(|column| column.name == name);
    let mut columns = Columns { renamed: Vec::new(), added: Vec::new(), dropped: Vec::new() };
    for column in table.columns.iter().filter(|column| !stands(&column.name)) {
        match &column.was {
            Some(was) if stands(was) && !wanted(was) => {
                columns.renamed.push((column.name.clone(), was.clone()));
            }
            _ => columns.added.push(column),
        }
    }
    for column in &found.columns {
        let renamed = columns.renamed.iter().any(|(_, old)| *old == column.name);
        if !wanted(&column.name) && !renamed {
            columns.dropped.push(column.name.clone());
        }
    }
    columns
}

/// Whether `ALTER TABLE … ADD COLUMN` can make the column on every engine.
fn can_be_added(table: &Table, column: &Column) -> bool {
    let has_value = matches!(column.default, Some(DefaultValue::Value(_)));
    let in_key = table.key.contains(&column.id)
        || table.uniques.iter().any(|unique| unique.columns.contains(&column.id));
    let reference = column.relation.is_some();
    !in_key && (column.nullable || (has_value && !reference))
}

/// `found` with the new names of renamed columns everywhere.
fn with_names(found: &LiveTable, renamed: &[(String, String)]) -> LiveTable {
    let mut table = found.clone();
    let rename = |name: &mut String| {
        if let Some((new, _)) = renamed.iter().find(|(_, old)| old == name) {
            new.clone_into(name);
        }
    };
    table.columns.iter_mut().for_each(|column| rename(&mut column.name));
    for key in table.key.iter_mut().chain(&mut table.uniques) {
        key.columns.iter_mut().for_each(rename);
    }
    for reference in &mut table.references {
        reference.columns.iter_mut().for_each(rename);
    }
    for index in &mut table.indexes {
        index.columns.iter_mut().flatten().for_each(rename);
    }
    table
}

/// `wanted` as it would be without the columns that are simply added.
fn without_added(of: &Table, wanted: &LiveTable, added: &[&Column]) -> LiveTable {
    let is_added = |name: &String| added.iter().any(|column| column.name == *name);
    let mut table = wanted.clone();
    table.columns.retain(|column| !is_added(&column.name));
    table.references.retain(|reference| !reference.columns.iter().any(is_added));
    table.checks.retain(|check| {
        let of_added = added.iter().any(|column| {
            let own = ddl::check::column_check_name(of, column);
            check.name.as_deref() == Some(own.as_str())
        });
        !of_added
    });
    table
}
