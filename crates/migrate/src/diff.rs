//! What differs between a catalog and a database, as a [`Plan`].

use crate::change::{Change, Plan};
use crate::columns::{Columns, columns, with_names, without_added};
use crate::full_text;
use crate::in_place::later::Later;
use crate::in_place::{InPlace, Pair};
use crate::partial;
use crate::predicted::predicted;
use crate::rebuild::rebuild;
pub use crate::shape::Scope;
use crate::shape::{
    Names, bound, desired, is_foreign, provides, same_column, same_constraints, same_index, scalar_of,
};
use backstay_base::fault::Fault;
use backstay_engine::Engine;
use backstay_engine::live::{Live, LiveCheck, LiveTable};
use backstay_engine::migration::ENGINE_TABLES;
use backstay_schema::catalog::{Catalog, Column, DefaultValue, Table, Valid};
use backstay_sql::ddl;
use backstay_sql::dialect::Dialect;
use backstay_sql::dialect::definition::Alter;

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
    // a database that is as it should be is recognised without the right to define anything
    if matches!(dialect.definition.alter, Alter::InPlace(_)) {
        let plan = compare(dialect, catalog, (live, &predicted(dialect, catalog, scope)), scope);
        if plan.is_empty() {
            return Ok(plan);
        }
    }
    let desired = desired(engine, dialect, catalog, scope).await?;
    Ok(compare(dialect, catalog, (live, &desired), scope))
}

/// Compares two databases that speak the same words: one that stands, and what the catalog wants.
#[must_use]
pub(crate) fn compare(
    dialect: &'static Dialect,
    catalog: &Catalog,
    (live, desired): (&Live, &Live),
    scope: Scope,
) -> Plan {
    let mut plan = Plan::default();
    let renamed = renamed_tables(catalog, live, desired, scope);
    for (old, new) in &renamed {
        let statement = ddl::alter::rename_table(dialect, old, new);
        plan.changes.push(Change::keeping(format!("~ {old} → {new}"), vec![statement]));
    }
    let live = follow(live, &renamed);
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    let mut created: Vec<&Table> = Vec::new();
    for table in catalog.tables.iter().filter(|table| scope.holds(table)) {
        let Some(wanted) = find(desired, &table.name) else { continue };
        match find(&live, &table.name) {
            Some(found) => pairs.push(pair(dialect, (catalog, table), (found, &renamed), wanted)),
            None => created.push(table),
        }
    }
    let gone: Vec<&LiveTable> = live
        .tables
        .iter()
        .filter(|table| scope.holds_name(&table.name) && !ENGINE_TABLES.contains(&table.name.as_str()))
        .filter(|table| !pairs.iter().any(|pair| pair.table.name == table.name))
        .collect();
    let online = ddl::online::of(dialect).filter(|_| scope == Scope::Project);
    let in_place = InPlace { catalog, dialect, pairs: &pairs, gone: &gone, online };
    let stands = matches!(dialect.definition.alter, Alter::InPlace(_));
    let mut later = Later::default();
    gone.iter().for_each(|table| full_text::all_gone(dialect, table, &mut plan));
    if stands {
        in_place.let_words_go(&mut plan, &mut later);
        in_place.let_go(&mut plan);
        in_place.alter(&mut plan, &mut later);
    } else {
        let differ = Differ { dialect, catalog };
        pairs.iter().for_each(|pair| differ.table(pair, &mut plan));
    }
    create(catalog, dialect, &created, &mut plan);
    if stands {
        in_place.refer(&mut plan, &mut later);
        in_place.find_words(&mut plan, &mut later);
    }
    if let Some(words) = online {
        later.follow(words, &mut plan);
    }
    for table in gone {
        let statement = ddl::drop_table(dialect, &table.name);
        let loses = format!("all rows of {}", table.name);
        plan.changes.push(Change::losing(format!("- {}", table.name), loses, vec![statement]));
    }
    plan
}

fn create(catalog: &Catalog, dialect: &'static Dialect, tables: &[&Table], plan: &mut Plan) {
    let order = ddl::in_order(catalog, tables);
    let late = ddl::late_references(dialect, &order);
    for table in order {
        let mut statements = vec![ddl::create_table(catalog, dialect, table, &late)];
        statements.extend(ddl::create_indexes(table, dialect));
        statements.extend(ddl::comment::statements(dialect, table));
        plan.changes.push(Change::keeping(format!("+ {}", table.name), statements));
    }
    for late in late {
        let statement = ddl::alter::add_reference(catalog, dialect, late.table, late.relation);
        let summary = format!("+ reference {}.{}", late.table.name, late.relation.name);
        plan.changes.push(Change::keeping(summary, vec![statement]));
    }
}

fn pair<'a>(
    dialect: &'static Dialect,
    (catalog, table): (&Catalog, &'a Table),
    (found, renamed): (&LiveTable, &[(String, String)]),
    wanted: &LiveTable,
) -> Pair<'a> {
    let was = renamed.iter().find(|(_, new)| *new == table.name);
    let columns =
        columns(dialect, (catalog, table), (found, was.map_or(&table.name, |(old, _)| old)), wanted);
    let mut named = with_names(found, &columns.renamed);
    named.columns.retain(|column| !columns.foreign.contains(&column.name));
    let renames = was.is_some() || !columns.renamed.is_empty();
    let names = if renames { Names::Count } else { Names::Free };
    let mut wanted = wanted.clone();
    let converted = |column: &Column| columns.converted.iter().any(|(name, _)| *name == column.name);
    wanted.checks.retain(|check| !is_implied(dialect, (table, converted), &named, check));
    Pair { table, found: found.clone(), named, wanted, columns, names }
}

/// Whether a check says nothing but the length that a live column has, which stays the text that it is: the
/// numbers in `time(6)` and `char(36)` bound no text, and a column that takes another type loses its bound.
fn is_implied(
    dialect: &'static Dialect,
    (table, converted): (&Table, impl Fn(&Column) -> bool),
    live: &LiveTable,
    check: &LiveCheck,
) -> bool {
    table.columns.iter().filter(|column| !converted(column)).any(|column| {
        let [Valid::MaxLength(most)] = column.valid.as_slice() else { return false };
        let stands = live.columns.iter().find(|live| live.name == column.name);
        let length = stands
            .filter(|live| scalar_of(dialect, live) == Some(column.ty))
            .and_then(|live| bound(&live.ty));
        check.name.as_deref() == Some(&ddl::check::column_check_name(table, column))
            && length.is_some_and(|length| length <= *most)
    })
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

/// Changes where a table that stands can take new names, columns and indexes alone.
struct Differ<'a> {
    dialect: &'static Dialect,
    catalog: &'a Catalog,
}

impl Differ<'_> {
    fn table(&self, pair: &Pair<'_>, plan: &mut Plan) {
        let (table, columns) = (pair.table, &pair.columns);
        let simple_adds = columns.added.iter().all(|column| can_be_added(table, column));
        let rest = without_added(table, &pair.wanted, &columns.added);
        let same = |a| rest.columns.iter().any(|b| same_column(self.dialect, (a, b), (self.catalog, table)));
        let same_rest = pair.named.columns.len() == rest.columns.len()
            && pair.named.columns.iter().all(same)
            && same_constraints(&pair.named, &rest, pair.names);
        if columns.dropped.is_empty() && columns.converted.is_empty() && simple_adds && same_rest {
            plan.changes.extend(full_text::unwanted(pair).map(|live| full_text::gone(self.dialect, live)));
            self.alter(table, columns, plan);
            self.indexes(pair, plan);
            let missing = full_text::missing(pair);
            plan.changes.extend(missing.map(|index| full_text::made(self.dialect, table, index)));
        } else {
            full_text::all_gone(self.dialect, &pair.found, plan);
            plan.changes.push(rebuild(self.catalog, self.dialect, table, (&pair.found, columns)));
        }
    }

    fn alter(&self, table: &Table, columns: &Columns<'_>, plan: &mut Plan) {
        for (new, old) in &columns.renamed {
            plan.changes.push(Change::keeping(
                format!("~ {}.{old} → {new}", table.name),
                vec![ddl::alter::rename_column(self.dialect, &table.name, old, new)],
            ));
        }
        for column in &columns.added {
            plan.changes.push(Change::keeping(
                format!("+ {}.{}", table.name, column.name),
                ddl::column::add_column(self.catalog, self.dialect, table, column),
            ));
        }
    }

    fn indexes(&self, pair: &Pair<'_>, plan: &mut Plan) {
        let wanted = &pair.wanted;
        for index in partial::unwanted(pair) {
            let drop = vec![ddl::partial::drop(self.dialect, &pair.table.name, &index.name)];
            plan.changes.push(Change::keeping(format!("- index {}", index.name), drop));
        }
        for index in partial::missing(pair) {
            let create = vec![ddl::partial::create(pair.table, self.dialect, index)];
            plan.changes.push(Change::keeping(format!("+ index {}", index.name), create));
        }
        for index in pair.named.indexes.iter().filter(|index| !is_foreign(index)) {
            let unique = wanted.uniques.iter().any(|unique| provides(index, &unique.columns));
            if !unique && !wanted.indexes.iter().any(|other| same_index(index, other, pair.names)) {
                let drop = vec![ddl::drop_index(self.dialect, &pair.table.name, &index.name)];
                plan.changes.push(Change::keeping(format!("- index {}", index.name), drop));
            }
        }
        for index in ddl::indexes(pair.table) {
            let stands = pair.named.indexes.iter().any(|live| {
                let same = |other: &&_| same_index(live, other, pair.names);
                wanted.indexes.iter().filter(|other| other.name == index.name).any(|other| same(&other))
            });
            if !stands {
                let create = vec![ddl::create_index(pair.table, self.dialect, &index)];
                plan.changes.push(Change::keeping(format!("+ index {}", index.name), create));
            }
        }
    }
}

/// Whether `ALTER TABLE … ADD COLUMN` can make the column where a table is else made anew.
fn can_be_added(table: &Table, column: &Column) -> bool {
    let has_value = matches!(column.default, Some(DefaultValue::Value(_)));
    let in_key = table.key.contains(&column.id)
        || table.uniques.iter().any(|unique| unique.columns.contains(&column.id));
    let reference = column.relation.is_some();
    let computed = ddl::stored::expression(table, column).is_some();
    !in_key && !computed && (column.nullable || (has_value && !reference))
}
