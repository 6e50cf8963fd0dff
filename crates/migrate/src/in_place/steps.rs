//! The statements of one table that is changed where it stands: what is in the way goes,
//! columns change, constraints and indexes come.

use super::later::Later;
use super::{InPlace, Pair};
use crate::partial;
use crate::shape::{is_foreign, missing_uniques, provides, same_check, same_index, unwanted_uniques};
use backstay_engine::live::{LiveColumn, LiveTable};
use backstay_schema::catalog::{Column, Unique};
use backstay_schema::scalar::ScalarType;
use backstay_sql::ddl;
use backstay_sql::ddl::alter::{self, Kind};
use backstay_sql::ddl::online;
use backstay_sql::dialect::definition::Online;

/// The statements of one table in the making.
struct Steps<'a> {
    of: &'a InPlace<'a>,
    pair: &'a Pair<'a>,
    later: &'a mut Later,
    statements: Vec<String>,
    /// Whether rows get their values in a transaction of its own: one statement that changes them meets no
    /// constraint that another one is still to make true.
    rows_apart: bool,
}

/// The statements of one table, in order.
pub(super) fn of(of: &InPlace<'_>, pair: &Pair<'_>, later: &mut Later) -> Vec<String> {
    let mut steps = Steps { of, pair, later, statements: Vec::new(), rows_apart: false };
    let changes = pair.table.columns.iter().filter_map(|column| Some((column, pair.old(column)?)));
    let changes = changes.map(|(column, old)| {
        usize::from(steps.members(column).is_some()) + usize::from(steps.filled(column, old).is_some())
    });
    steps.rows_apart = of.online.is_some() && changes.sum::<usize>() == 1;
    steps.drop_first();
    steps.columns();
    steps.add_constraints();
    steps.indexes();
    steps.statements
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
        // before the columns that they are computed of
        for name in pair.columns.dropped.iter().filter(|name| is_computed(pair, name)) {
            self.statements.push(alter::drop_column(self.of.dialect, &pair.table.name, name));
        }
        for index in partial::unwanted(pair) {
            match self.of.online.filter(|_| !partial::is_touched(pair, &index.name)) {
                Some(words) => self.drop_later(words, &index.name),
                None => {
                    let drop = ddl::partial::drop(self.of.dialect, &pair.table.name, &index.name);
                    self.statements.push(drop);
                }
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
        for name in pair.columns.dropped.iter().filter(|name| !is_computed(pair, name)) {
            self.statements.push(alter::drop_column(dialect, &table.name, name));
        }
        let (computed, given): (Vec<&Column>, Vec<&Column>) =
            pair.columns.added.iter().partition(|column| ddl::stored::expression(table, column).is_some());
        for column in given {
            self.statements.extend(ddl::column::add_column(catalog, dialect, table, column));
        }
        for column in &table.columns {
            let Some(old) = pair.old(column) else { continue };
            let members = self.members(column);
            self.change_rows(members);
            self.column(column, old);
        }
        for column in computed {
            self.statements.extend(ddl::column::add_column(catalog, dialect, table, column));
        }
    }

    /// The statement that takes rows along when members of an enum take other names.
    fn members(&self, column: &Column) -> Option<String> {
        let (pair, dialect) = (self.pair, self.of.dialect);
        let check = ddl::check::column_check_name(pair.table, column);
        let text = |live: &LiveTable| {
            live.checks.iter().find(|c| c.name.as_deref() == Some(&check)).map(|c| c.text.clone())
        };
        let was_text =
            pair.from(column).is_none_or(|from| matches!(from, ScalarType::String | ScalarType::Enum(_)));
        let renames = was_text && text(&pair.named) != text(&pair.wanted);
        renames.then(|| alter::rename_members(self.of.catalog, dialect, pair.table, column)).flatten()
    }

    /// The statement that gives a value to rows that have none, where the column comes to require one.
    fn filled(&self, column: &Column, old: &LiveColumn) -> Option<String> {
        let requires = old.nullable && !column.nullable;
        requires.then(|| alter::fill_missing(self.of.dialect, self.pair.table, column)).flatten()
    }

    fn change_rows(&mut self, statement: Option<String>) {
        let Some(statement) = statement else { return };
        if self.rows_apart {
            let summary = format!("~ rows of {}", self.pair.table.name);
            self.later.rows.push((summary, vec![statement]));
        } else {
            self.statements.push(statement);
        }
    }

    fn drop_later(&mut self, words: &Online, index: &str) {
        let drop = online::drop_index(self.of.dialect, words, index);
        self.later.drops.push((format!("- index {index}"), vec![drop]));
    }

    /// Type, NULL and counting of a column that stays.
    fn column(&mut self, column: &Column, old: &LiveColumn) {
        let (pair, dialect) = (self.pair, self.of.dialect);
        let table = pair.table;
        let mut nullable = old.nullable;
        if let Some(from) = pair.from(column) {
            if old.default.is_some() {
                self.statements.push(alter::drop_default(dialect, table, column));
            }
            self.statements.extend(alter::change_type(dialect, table, column, from));
            nullable |= !alter::keeps_null(dialect);
        }
        if nullable && !column.nullable {
            let fill = self.filled(column, old);
            // a key forbids NULL by itself, and is made before
            match self.of.online.filter(|_| old.nullable && !table.key.contains(&column.id)) {
                Some(words) => {
                    self.change_rows(fill);
                    self.require_later(words, column);
                }
                None => {
                    self.rows_apart = false;
                    self.change_rows(fill);
                    self.statements.push(alter::forbid_null(dialect, table, column));
                }
            }
        } else if !nullable && column.nullable {
            self.statements.push(alter::allow_null(dialect, table, column));
        }
    }

    /// No row is read to forbid NULL where a validated check says that there is none.
    fn require_later(&mut self, words: &Online, column: &Column) {
        let (dialect, catalog, table) = (self.of.dialect, self.of.catalog, self.pair.table);
        self.statements.push(online::require(catalog, dialect, words, (table, column)));
        let name = online::required_name(table, column);
        self.later.hold(dialect, words, (&table.name, &name));
        let mut end = vec![alter::forbid_null(dialect, table, column)];
        end.extend(alter::drop_constraint(dialect, &table.name, Kind::Check, &name));
        self.later.ends.push((format!("~ {}.{} requires a value", table.name, column.name), end));
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
            if stands {
                continue;
            }
            if let Some(words) = self.of.online {
                self.statements.push(online::add_check(catalog, dialect, words, (table, &check)));
                self.later.hold(dialect, words, (&table.name, &check.name));
            } else {
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
            let Some(words) = self.of.online else {
                self.statements.push(alter::add_unique(self.of.catalog, dialect, table, unique));
                continue;
            };
            let build = vec![online::create_unique(table, dialect, words, unique)];
            self.later.builds.push((format!("+ index {}", unique.name), build));
            let constraint = vec![online::unique(dialect, words, &table.name, &unique.name)];
            self.later.ends.push((format!("+ unique {}", unique.name), constraint));
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
                let taken = taken.map(|at| unwanted.remove(at).name.clone());
                self.build(&index, taken);
            }
        }
        for index in partial::missing(pair) {
            if let Some(words) = self.of.online {
                let build = vec![online::create_partial(table, dialect, words, index)];
                self.later.builds.push((format!("+ index {}", index.name), build));
            } else {
                self.statements.push(ddl::partial::create(table, dialect, index));
            }
        }
        // last: until its successor stands a reference may need it
        for live in unwanted {
            match self.of.online {
                Some(words) => self.drop_later(words, &live.name),
                None => self.statements.push(ddl::drop_index(dialect, &table.name, &live.name)),
            }
        }
    }

    /// Makes an index; `taken` has its name so far.
    fn build(&mut self, index: &Unique, taken: Option<String>) {
        let (table, dialect) = (self.pair.table, self.of.dialect);
        let Some(words) = self.of.online else {
            self.statements.extend(taken.map(|name| ddl::drop_index(dialect, &table.name, &name)));
            self.statements.push(alter::create_index(table, dialect, index));
            return;
        };
        if let Some(name) = taken {
            let drop = online::drop_index(dialect, words, &name);
            self.later.in_the_way.push((format!("- index {name}"), vec![drop]));
        }
        let build = vec![online::create_index(table, dialect, words, index)];
        self.later.builds.push((format!("+ index {}", index.name), build));
    }
}

fn is_computed(pair: &Pair<'_>, name: &str) -> bool {
    pair.found.columns.iter().any(|column| column.name == name && column.generated)
}

fn holds(pair: &Pair<'_>, columns: &[String]) -> bool {
    columns.iter().any(|name| pair.is_touched(name))
}

fn holds_some(pair: &Pair<'_>, columns: &[Option<String>]) -> bool {
    columns.iter().flatten().any(|name| pair.is_touched(name))
}
