//! Tables that are changed where they stand. References go first and come last, so that
//! keys and columns between them can change; whatever holds a column that changes its type
//! is let go and made again.

use crate::change::{Change, Plan};
use crate::columns::{Columns, told};
use crate::shape::{
    Names, is_foreign, missing_uniques, provides, same_check, same_index, same_reference, scalar_of,
    unwanted_checks, unwanted_uniques,
};
use backstay_engine::live::{LiveCheck, LiveColumn, LiveReference, LiveTable};
use backstay_schema::catalog::{Catalog, Column, Table, Unique};
use backstay_schema::scalar::ScalarType;
use backstay_sql::ddl;
use backstay_sql::ddl::alter::{self, Kind};
use backstay_sql::dialect::Dialect;

/// A table that stands beside what it should be.
pub(crate) struct Pair<'a> {
    pub(crate) table: &'a Table,
    /// As it stands, with new names of tables.
    pub(crate) found: LiveTable,
    /// The same with new names of columns, too.
    pub(crate) named: LiveTable,
    pub(crate) wanted: LiveTable,
    pub(crate) columns: Columns<'a>,
    pub(crate) names: Names,
}

/// What all pairs share.
pub(crate) struct InPlace<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) dialect: &'static Dialect,
    pub(crate) pairs: &'a [Pair<'a>],
    /// Tables that are not wanted.
    pub(crate) gone: &'a [&'a LiveTable],
}

impl Pair<'_> {
    fn old(&self, column: &Column) -> Option<&LiveColumn> {
        let added = self.columns.added.iter().any(|added| added.name == column.name);
        self.named.columns.iter().find(|live| live.name == column.name && !added)
    }

    fn from(&self, dialect: &'static Dialect, column: &Column) -> Option<ScalarType> {
        let converted = self.columns.converted.iter().any(|(name, _)| *name == column.name);
        let old = self.old(column).filter(|_| converted)?;
        scalar_of(dialect, old)
    }

    /// Whether a column changes its type or goes.
    fn is_touched(&self, name: &str) -> bool {
        self.columns.converted.iter().any(|(converted, _)| converted == name)
            || self.columns.dropped.iter().any(|dropped| dropped == name)
    }

    /// Whether a column changes in any way that a reference minds.
    fn is_changed(&self, name: &str) -> bool {
        let nullable = |table: &LiveTable| {
            table.columns.iter().find(|column| column.name == name).map(|column| column.nullable)
        };
        self.is_touched(name) || nullable(&self.named) != nullable(&self.wanted)
    }

    fn key_changes(&self) -> bool {
        let columns = |table: &LiveTable| table.key.as_ref().map(|key| key.columns.clone());
        columns(&self.named) != columns(&self.wanted)
            || columns(&self.named).is_some_and(|key| key.iter().any(|name| self.is_touched(name)))
    }

    fn check_stays(&self, check: &LiveCheck) -> bool {
        let wanted = self.wanted.checks.iter().any(|other| same_check(check, other, self.names));
        let foreign = !unwanted_checks(&self.named, &self.wanted, self.names)
            .iter()
            .any(|index| self.named.checks.get(*index) == Some(check));
        (wanted || foreign) && !self.mentions_touched(&check.text)
    }

    fn mentions_touched(&self, text: &str) -> bool {
        let touched = |name: &str| text.contains(name);
        self.columns.converted.iter().any(|(name, _)| touched(name))
            || self.columns.dropped.iter().any(|name| touched(name))
    }
}

impl InPlace<'_> {
    /// References that are in the way.
    pub(crate) fn let_go(&self, plan: &mut Plan) {
        for pair in self.pairs {
            let leaving = pair.named.references.iter().filter(|reference| !self.stays(pair, reference));
            self.drop_references(&pair.table.name, leaving, plan);
        }
        for table in self.gone {
            let others = table
                .references
                .iter()
                .filter(|reference| reference.target != table.name && self.is_gone(&reference.target));
            self.drop_references(&table.name, others, plan);
        }
    }

    fn drop_references<'r>(
        &self,
        table: &str,
        references: impl Iterator<Item = &'r LiveReference>,
        plan: &mut Plan,
    ) {
        for name in references.filter_map(|reference| reference.name.as_deref()) {
            let statement = alter::drop_constraint(self.dialect, table, Kind::Reference, name);
            plan.changes.push(Change::keeping(format!("- reference {name}"), Vec::from_iter(statement)));
        }
    }

    fn is_gone(&self, table: &str) -> bool {
        self.gone.iter().any(|gone| gone.name == table)
    }

    fn stays(&self, pair: &Pair<'_>, reference: &LiveReference) -> bool {
        let wanted = pair.wanted.references.iter();
        wanted.clone().any(|other| same_reference(reference, other, pair.names))
            && !reference.columns.iter().any(|name| pair.is_changed(name))
            && !self.is_gone(&reference.target)
            && !self.pairs.iter().any(|target| target.table.name == reference.target && target.key_changes())
    }

    /// References that are not there yet, or had to go.
    pub(crate) fn refer(&self, plan: &mut Plan) {
        for pair in self.pairs {
            for (relation, constraint) in ddl::references(pair.table) {
                let wanted =
                    pair.wanted.references.iter().find(|other| other.name.as_deref() == Some(constraint));
                let stands = wanted.is_some_and(|wanted| {
                    let same = |live: &&LiveReference| same_reference(live, wanted, pair.names);
                    pair.named.references.iter().filter(same).any(|live| self.stays(pair, live))
                });
                if !stands {
                    let statement = alter::add_reference(self.catalog, self.dialect, pair.table, relation);
                    plan.changes.push(Change::keeping(format!("+ reference {constraint}"), vec![statement]));
                }
            }
        }
    }

    /// Columns, keys, checks and indexes of each table.
    pub(crate) fn alter(&self, plan: &mut Plan) {
        for pair in self.pairs {
            let mut steps = Steps { of: self, pair, statements: Vec::new() };
            steps.drop_first();
            steps.columns();
            steps.add_constraints();
            steps.indexes();
            if steps.statements.is_empty() {
                continue;
            }
            let (parts, lost) = told(pair.table, &pair.columns);
            let title = std::iter::once(format!("~ {}", pair.table.name));
            let summary = title.chain(parts).collect::<Vec<_>>().join(" ");
            let statements = steps.statements;
            plan.changes.push(if lost.is_empty() {
                Change::keeping(summary, statements)
            } else {
                Change::losing(summary, lost.join(" and "), statements)
            });
        }
    }
}

/// The statements of one table in the making.
struct Steps<'a> {
    of: &'a InPlace<'a>,
    pair: &'a Pair<'a>,
    statements: Vec<String>,
}

impl Steps<'_> {
    fn drop(&mut self, kind: Kind, name: Option<&String>) {
        let table = &self.pair.table.name;
        let name = name.map(String::as_str).unwrap_or_default();
        self.statements.extend(alter::drop_constraint(self.of.dialect, table, kind, name));
    }

    /// What holds a column that changes, and checks that nobody wants.
    fn drop_first(&mut self) {
        let pair = self.pair;
        for check in pair.named.checks.iter().filter(|check| !pair.check_stays(check)) {
            self.drop(Kind::Check, check.name.as_ref());
        }
        for unique in pair.named.uniques.iter().filter(|unique| holds(pair, &unique.columns)) {
            self.drop(Kind::Unique, unique.name.as_ref());
        }
        for index in &pair.named.indexes {
            if !is_foreign(index) && holds_some(pair, &index.columns) {
                let statement = ddl::drop_index(self.of.dialect, &pair.table.name, &index.name);
                self.statements.push(statement);
            }
        }
        if pair.key_changes()
            && let Some(key) = &pair.named.key
        {
            let counted = pair.named.columns.iter().find(|column| column.counted);
            let column = counted.and_then(|live| pair.table.columns.iter().find(|c| c.name == live.name));
            if let Some(column) = column {
                self.statements.push(alter::stop_counting(self.of.dialect, pair.table, column));
            }
            self.drop(Kind::Key, key.name.as_ref());
        }
    }

    fn columns(&mut self) {
        let (pair, dialect, catalog) = (self.pair, self.of.dialect, self.of.catalog);
        let table = pair.table;
        for (new, old) in &pair.columns.renamed {
            self.statements.push(alter::rename_column(dialect, &table.name, old, new));
        }
        for name in &pair.columns.dropped {
            self.statements.push(alter::drop_column(dialect, &table.name, name));
        }
        for column in &pair.columns.added {
            self.statements.extend(ddl::column::add_column(catalog, dialect, table, column));
        }
        for column in &table.columns {
            let Some(old) = pair.old(column) else { continue };
            let check = ddl::check::column_check_name(table, column);
            let text = |live: &LiveTable| {
                live.checks.iter().find(|c| c.name.as_deref() == Some(&check)).map(|c| c.text.clone())
            };
            let was_text = pair
                .from(dialect, column)
                .is_none_or(|from| matches!(from, ScalarType::String | ScalarType::Enum(_)));
            if was_text && text(&pair.named) != text(&pair.wanted) {
                self.statements.extend(alter::rename_members(catalog, dialect, table, column));
            }
            self.column(column, old);
        }
    }

    /// Type, NULL and counting of a column that stays.
    fn column(&mut self, column: &Column, old: &LiveColumn) {
        let (pair, dialect) = (self.pair, self.of.dialect);
        let table = pair.table;
        let mut nullable = old.nullable;
        if let Some(from) = pair.from(dialect, column) {
            if old.default.is_some() {
                self.statements.push(alter::drop_default(dialect, table, column));
            }
            self.statements.extend(alter::change_type(dialect, table, column, from));
            nullable |= !alter::keeps_null(dialect);
        }
        if nullable && !column.nullable {
            if old.nullable {
                self.statements.extend(alter::fill_missing(dialect, table, column));
            }
            self.statements.push(alter::forbid_null(dialect, table, column));
        } else if !nullable && column.nullable {
            self.statements.push(alter::allow_null(dialect, table, column));
        }
    }

    fn add_constraints(&mut self) {
        let (pair, dialect, catalog) = (self.pair, self.of.dialect, self.of.catalog);
        let table = pair.table;
        if pair.key_changes() && !table.key.is_empty() {
            self.statements.push(alter::add_key(catalog, dialect, table));
        } else if let (Some(live), Some(wanted)) = (&pair.named.key, &pair.wanted.key)
            && let (Some(from), Some(to)) = (&live.name, &wanted.name)
            && !pair.names.same(Some(from), Some(to))
        {
            let renamed = alter::rename_constraint(dialect, &table.name, Kind::Key, (from, to));
            self.statements.extend(renamed);
        }
        for column in table.columns.iter().filter(|column| ddl::column::is_counted(table, column)) {
            if pair.key_changes() || pair.old(column).is_some_and(|old| !old.counted) {
                self.statements.push(alter::count(dialect, table, column));
            }
        }
        self.uniques();
        for check in ddl::check::of_table(catalog, dialect, table) {
            let Some(wanted) = pair.wanted.checks.iter().find(|c| c.name.as_deref() == Some(&check.name))
            else {
                continue;
            };
            let mut live = pair.named.checks.iter();
            let stands = live.any(|live| same_check(live, wanted, pair.names) && pair.check_stays(live));
            if !stands {
                self.statements.push(alter::add_check(catalog, dialect, table, &check));
            }
        }
    }

    fn uniques(&mut self) {
        let (pair, dialect) = (self.pair, self.of.dialect);
        let table = pair.table;
        let standing = LiveTable {
            uniques: pair.named.uniques.iter().filter(|u| !holds(pair, &u.columns)).cloned().collect(),
            indexes: pair.named.indexes.iter().filter(|i| !holds_some(pair, &i.columns)).cloned().collect(),
            ..LiveTable::default()
        };
        let mut unwanted: Vec<_> = unwanted_uniques(&standing, &pair.wanted, pair.names)
            .into_iter()
            .filter_map(|index| standing.uniques.get(index))
            .collect();
        let mut missing: Vec<&Unique> = Vec::new();
        for wanted in missing_uniques(&standing, &pair.wanted, pair.names) {
            let Some(wanted) = pair.wanted.uniques.get(wanted) else { continue };
            let same = unwanted.iter().position(|live| live.columns == wanted.columns);
            if let (Some(at), Some(to)) = (same, &wanted.name)
                && let Some(from) = &unwanted.remove(at).name
            {
                let renamed = alter::rename_constraint(dialect, &table.name, Kind::Unique, (from, to));
                self.statements.extend(renamed);
                continue;
            }
            missing.extend(table.uniques.iter().filter(|unique| Some(&unique.name) == wanted.name.as_ref()));
        }
        for live in unwanted {
            self.drop(Kind::Unique, live.name.as_ref());
        }
        for unique in missing {
            self.statements.push(alter::add_unique(self.of.catalog, dialect, table, unique));
        }
    }

    fn indexes(&mut self) {
        let (pair, dialect) = (self.pair, self.of.dialect);
        let table = pair.table;
        let mut unwanted = Vec::new();
        for live in &pair.named.indexes {
            let wanted = pair.wanted.indexes.iter().any(|other| same_index(live, other, pair.names));
            let unique = pair.wanted.uniques.iter().any(|unique| provides(live, &unique.columns));
            if !is_foreign(live) && !wanted && !unique && !holds_some(pair, &live.columns) {
                unwanted.push(live);
            }
        }
        for index in ddl::indexes(table) {
            let Some(wanted) = pair.wanted.indexes.iter().find(|other| other.name == index.name) else {
                continue;
            };
            let stands = pair
                .named
                .indexes
                .iter()
                .any(|live| same_index(live, wanted, pair.names) && !holds_some(pair, &live.columns));
            if stands {
                continue;
            }
            let same = unwanted.iter().position(|live| live.columns == wanted.columns && !live.unique);
            if let Some(at) = same {
                let from = &unwanted.remove(at).name;
                self.statements.extend(alter::rename_index(dialect, &table.name, (from, &index.name)));
            } else {
                let taken = unwanted.iter().position(|live| live.name == index.name);
                if let Some(at) = taken {
                    let name = &unwanted.remove(at).name;
                    self.statements.push(ddl::drop_index(dialect, &table.name, name));
                }
                self.statements.push(ddl::create_index(table, dialect, &index));
            }
        }
        // last: until its successor stands a reference may need it
        for live in unwanted {
            self.statements.push(ddl::drop_index(dialect, &table.name, &live.name));
        }
    }
}

fn holds(pair: &Pair<'_>, columns: &[String]) -> bool {
    columns.iter().any(|name| pair.is_touched(name))
}

fn holds_some(pair: &Pair<'_>, columns: &[Option<String>]) -> bool {
    columns.iter().flatten().any(|name| pair.is_touched(name))
}
