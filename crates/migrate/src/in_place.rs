//! Tables that are changed where they stand. References go first and come last, so that
//! keys and columns between them can change; whatever holds a column that changes its type
//! is let go and made again.

mod comments;
pub(crate) mod later;
mod steps;

use self::later::Later;
use crate::change::{Change, Plan};
use crate::columns::{Columns, How, told};
use crate::full_text;
use crate::shape::{Names, same_check, same_reference, unwanted_checks};
use backstay_engine::live::{LiveCheck, LiveColumn, LiveReference, LiveTable};
use backstay_schema::catalog::{Catalog, Column, Table};
use backstay_schema::scalar::ScalarType;
use backstay_sql::ddl;
use backstay_sql::ddl::alter::{self, Kind};
use backstay_sql::ddl::full_text::create_online;
use backstay_sql::ddl::online;
use backstay_sql::dialect::Dialect;
use backstay_sql::dialect::definition::Online;

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
    /// The words for long work while others use the tables; none where all is done at once.
    pub(crate) online: Option<&'static Online>,
}

fn add_comments(pair: &Pair<'_>, statements: Vec<String>, plan: &mut Plan) {
    if !statements.is_empty() {
        plan.changes.push(Change::saying(format!("~ comments of {}", pair.table.name), statements));
    }
}

impl Pair<'_> {
    fn old(&self, column: &Column) -> Option<&LiveColumn> {
        let added = self.columns.added.iter().any(|added| added.name == column.name);
        self.named.columns.iter().find(|live| live.name == column.name && !added)
    }

    fn from(&self, column: &Column) -> Option<ScalarType> {
        let how = self.columns.converted.iter().find(|(name, _)| *name == column.name);
        match how?.1 {
            How::Typed(from) => Some(from),
            How::Copied(_) => None,
        }
    }

    /// Whether a column changes its type or goes.
    pub(crate) fn is_touched(&self, name: &str) -> bool {
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

    pub(crate) fn key_changes(&self) -> bool {
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
    pub(crate) fn refer(&self, plan: &mut Plan, later: &mut Later) {
        for pair in self.pairs {
            for (relation, constraint) in ddl::references(pair.table) {
                let wanted =
                    pair.wanted.references.iter().find(|other| other.name.as_deref() == Some(constraint));
                let stands = wanted.is_some_and(|wanted| {
                    let same = |live: &&LiveReference| same_reference(live, wanted, pair.names);
                    pair.named.references.iter().filter(same).any(|live| self.stays(pair, live))
                });
                if !stands {
                    let statement = if let Some(words) = self.online {
                        later.hold(self.dialect, words, (&pair.table.name, constraint));
                        online::add_reference(self.catalog, self.dialect, words, (pair.table, relation))
                    } else {
                        alter::add_reference(self.catalog, self.dialect, pair.table, relation)
                    };
                    plan.changes.push(Change::keeping(format!("+ reference {constraint}"), vec![statement]));
                }
            }
        }
    }

    /// Indexes of words that are in the way, or not wanted.
    pub(crate) fn let_words_go(&self, plan: &mut Plan, later: &mut Later) {
        for (pair, live) in
            self.pairs.iter().flat_map(|pair| full_text::unwanted(pair).map(move |live| (pair, live)))
        {
            // one that reads a column which changes goes with it
            let touched = live.columns.iter().any(|name| pair.is_touched(name));
            match self.online.filter(|_| !touched) {
                Some(words) => {
                    let drop = vec![online::drop_index(self.dialect, words, &live.name)];
                    later.in_the_way.push((format!("- index {}", live.name), drop));
                }
                None => plan.changes.push(full_text::gone(self.dialect, live)),
            }
        }
    }

    /// Indexes of words that are not there yet, or had to go.
    pub(crate) fn find_words(&self, plan: &mut Plan, later: &mut Later) {
        for pair in self.pairs {
            for index in full_text::missing(pair) {
                let Some(words) = self.online else {
                    plan.changes.push(full_text::made(self.dialect, pair.table, index));
                    continue;
                };
                let mut build = create_online(pair.table, self.dialect, words, index);
                // the function is a definition, the index is long work
                let last = build.pop();
                plan.changes.push(Change::keeping(format!("+ words of {}", index.name), build));
                later.builds.push((format!("+ index {}", index.name), Vec::from_iter(last)));
            }
        }
    }

    /// Columns, keys, checks and indexes of each table.
    pub(crate) fn alter(&self, plan: &mut Plan, later: &mut Later) {
        for pair in self.pairs {
            let statements = steps::of(self, pair, later);
            let comments = comments::of(self.dialect, pair);
            if statements.is_empty() {
                add_comments(pair, comments, plan);
                continue;
            }
            let (parts, lost) = told(pair.table, &pair.columns);
            let title = std::iter::once(format!("~ {}", pair.table.name));
            let summary = title.chain(parts).collect::<Vec<_>>().join(" ");
            plan.changes.push(if lost.is_empty() {
                Change::keeping(summary, statements)
            } else {
                Change::losing(summary, lost.join(" and "), statements)
            });
            add_comments(pair, comments, plan);
        }
    }
}
