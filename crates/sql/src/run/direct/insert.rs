//! Inserts as one statement: the rows are selected where every rule holds for them.

use super::{Answer, Asking, Direct, Held, Way};
use crate::dialect::{Children, Returning};
use crate::lower::insert::{self as lower, key_is_given};
use crate::lower::row::RowSetColumn;
use crate::lower::substitute::{self, Reads};
use crate::lower::{Lower, Naming};
use crate::run::check::unsaid;
use crate::run::counted;
use crate::run::insert::given_values;
use crate::run::reference::{Asked, conditions};
use crate::statement::{RowSet, Statement};
use backstay_base::fault::Fault;
use backstay_policy::guarded::Guarded;
use backstay_query::plan::{ColumnRef, Insert, Pred, Scalar, Script, Select, Sources};
use backstay_schema::catalog::{ColumnId, RelationKind, Table};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// How an insert is written.
struct Inserting {
    way: Way,
    /// Whether its statement is one row of a batch.
    batch: bool,
}

impl<'p> Asking<'p> {
    /// An insert of rows that cannot see each other.
    pub(super) fn insert(&self, insert: &'p Insert, sources: Sources) -> Result<Option<Direct<'p>>, Fault> {
        let table = self.catalog.table(insert.table);
        let Some(way) = self.way((insert, table), sources, insert.rows.len())? else { return Ok(None) };
        let (slots, batch): (&[Value], _) = match insert.rows.as_slice() {
            [row] => (row, None),
            rows => (&[], way.batch.then_some(rows)),
        };
        let mut keys = Vec::new();
        if key_is_given(table, insert) {
            keys.extend(insert.rows.iter().map(|row| given_values(insert, row, &table.key)));
        }
        let way = Held::New(Box::new(way.way));
        Ok(Some(Direct { way, slots, step: self.step, table, batch, keys }))
    }

    /// An insert whose row stands beside it: what is made of it serves the next row, too.
    pub(super) fn insert_of(
        &self,
        (script, insert): (&'p Guarded<Script>, &'p Insert),
        row: &'p [Value],
    ) -> Result<Option<Direct<'p>>, Fault> {
        let table = self.catalog.table(insert.table);
        let make = || self.way((insert, table), script.inner().sources.clone(), 1);
        let way = match script.lowered() {
            None => make()?.map(|way| Held::New(Box::new(way.way))),
            Some(place) => {
                let kept = match place.get() {
                    Some(kept) => kept,
                    None => {
                        let made = make()?.map(|way| way.way);
                        place.get_or_init(|| Box::new(made))
                    }
                };
                let kept = kept.downcast_ref::<Option<Way>>();
                let kept = kept.ok_or_else(|| Fault::internal("what is kept of an insert is no way"))?;
                kept.as_ref().map(Held::Kept)
            }
        };
        let Some(way) = way else { return Ok(None) };
        let is_given = key_is_given(table, insert);
        let keys = if is_given { vec![given_values(insert, row, &table.key)] } else { Vec::new() };
        Ok(Some(Direct { way, slots: row, step: self.step, table, batch: None, keys }))
    }

    /// How so many rows are written by one statement: without a conflict clause, of rows that cannot see each other.
    fn way(
        &self,
        (insert, table): (&Insert, &Table),
        mut sources: Sources,
        count: usize,
    ) -> Result<Option<Inserting>, Fault> {
        let rows = count as u64;
        let given = key_is_given(table, insert);
        let plain = insert.conflict.is_none() && insert.invalid.is_empty() && insert.absent.is_empty();
        let answers = self.dialect.returning >= Returning::InsertAndDelete;
        // within the process a prepared row after the other is quicker
        let in_process = self.dialect.children == Children::PerRow && count > 1;
        let counts_on = self.dialect.count_on.is_some() && counted::is_given(insert, table);
        if !plain
            || counts_on
            || in_process
            || count == 0
            || !self.expects(rows)
            || (!given && !answers)
            || self.must_be_ordered(table, count)
        {
            return Ok(None);
        }
        let rules = self.rules(insert, table, &mut sources);
        let returning = insert.returning.as_ref();
        let read = returning.map_or(Pred::TRUE, |select| select.filter.clone());
        let mut reads = Reads::default();
        rules.iter().chain([&read]).for_each(|rule| reads.pred(rule));
        insert.derived.iter().for_each(|(_, scalar)| reads.scalar(scalar));
        let sees_itself = reads.tables.contains(&table.id);
        let unknown = |id: &ColumnId| !told(insert, *id) && table.key.contains(id);
        let counted = reads.columns.iter().any(|read| read.source == insert.row && unknown(&read.column));
        if sees_itself || counted {
            return Ok(None);
        }
        // more than one row answers in the order of the keys
        let cells =
            returning.filter(|_| answers && count == 1).and_then(|select| self.cells(select, insert.row));
        let answer = match (returning, cells) {
            (None, _) => Answer::Nothing,
            (Some(_), Some(cells)) => Answer::Cells(cells),
            (Some(_), None) => Answer::Read,
        };
        // rows that nothing is asked of but what the database itself holds
        let free = insert.derived.is_empty() && rules.iter().chain([&read]).all(|rule| *rule == Pred::TRUE);
        let batch = self.dialect.batches && count > 1 && given && free;
        let asked = matches!(answer, Answer::Cells(_)).then_some(returning).flatten();
        let key: &[ColumnId] = if given { &[] } else { &table.key };
        let read = if asked.is_some() { read } else { Pred::TRUE };
        let statement = if batch {
            // one prepared row for all of them
            lower::row(self.catalog, self.dialect, insert)?
        } else if free && count == 1 {
            self.values_statement((insert, table), (asked, key))?
        } else {
            self.insert_statement((insert, table, &mut sources), (&rules, &read), (asked, key))?
        };
        let key_types = key.iter().map(|id| table.column(*id).ty).collect();
        let way = Way { statement, rows: Some(rows), inserts: true, answer, key_types };
        Ok(Some(Inserting { way, batch }))
    }

    /// Whether rows may refer to each other in a database that looks at each row alone.
    fn must_be_ordered(&self, table: &Table, count: usize) -> bool {
        let to_itself = |kind: &RelationKind| matches!(kind, RelationKind::ToOne { .. });
        count > 1
            && !self.dialect.references_wait
            && table.relations.iter().any(|relation| relation.target == table.id && to_itself(&relation.kind))
    }

    /// What must hold for every row: rule, references that the caller may name, checks.
    fn rules(&self, insert: &Insert, table: &Table, sources: &mut Sources) -> Vec<Pred> {
        let mut rules = vec![insert.rule.clone()];
        let asked = (Asked::Guarded, sources);
        let references = conditions(self.catalog, (table, insert.row), &insert.references, asked);
        rules.extend(references.into_iter().map(|condition| condition.holds));
        let checks = unsaid(table, &insert.checks);
        rules.extend(checks.map(|check| Pred::IsNotTrue(Box::new(check.broken.clone()))));
        rules
    }

    /// One row that nothing is asked of: its values alone. A select in their place makes SQLite keep
    /// a journal of the statement, which costs a third of it.
    fn values_statement(
        &self,
        (insert, table): (&Insert, &Table),
        (asked, key): (Option<&Select>, &[ColumnId]),
    ) -> Result<Statement, Fault> {
        let mut lower = Lower::judging(self.catalog, self.dialect);
        lower.written_row(table, insert);
        lower.writes(Some((insert.row, Naming::Bare)));
        lower.returning(table, asked, key)?;
        Ok(lower.finish().0)
    }

    fn insert_statement(
        &self,
        (insert, table, sources): (&Insert, &Table, &mut Sources),
        (rules, read): (&[Pred], &Pred),
        (asked, key): (Option<&Select>, &[ColumnId]),
    ) -> Result<Statement, Fault> {
        let mut lower = Lower::judging(self.catalog, self.dialect);
        let columns: Vec<ColumnId> = written(insert);
        lower.writer.push("INSERT INTO ").table(table).push(" (");
        lower.column_names(table, &columns);
        lower.writer.push(") SELECT ");
        lower.enter(insert.row);
        lower.columns_of(table, &columns, insert.row)?;
        lower.leave();
        lower.writer.push(" FROM ");
        let ordered = insert.rows.len() > 1;
        if ordered {
            self.rows(&mut lower, (insert, table), sources)?;
        } else {
            lower.prospective(table, &insert.columns, &insert.derived, insert.row)?;
        }
        let mut keyword = " WHERE ";
        for rule in rules.iter().chain([read]) {
            lower.and_holds(&mut keyword, rule)?;
        }
        if ordered {
            lower.writer.push(" ORDER BY ").alias(insert.row).push(".").name("#n");
        }
        lower.writes(Some((insert.row, Naming::Bare)));
        lower.returning(table, asked, key)?;
        Ok(lower.finish().0)
    }

    /// The rows as a row set that bears the names of the table's columns, derived ones computed.
    fn rows(
        &self,
        lower: &mut Lower<'_>,
        (insert, table): (&Insert, &Table),
        sources: &mut Sources,
    ) -> Result<(), Fault> {
        let types: Vec<ScalarType> = insert.columns.iter().map(|id| table.column(*id).ty).collect();
        let set = RowSet { types, rows: insert.rows.clone() };
        let names: Vec<RowSetColumn> = insert.columns.iter().map(|id| RowSetColumn::Column(*id)).collect();
        let inner = sources.next_id();
        lower.writer.push("(SELECT ").alias(inner).push(".").name("#n");
        let derived = |id| insert.derived.iter().find(|(derived, _)| *derived == id);
        for column in &table.columns {
            lower.writer.push(", ");
            match derived(column.id) {
                Some((_, scalar)) => {
                    lower.enter(inner);
                    let of_row = |read: ColumnRef| {
                        let here = Scalar::Column(ColumnRef { source: inner, ..read });
                        (read.source == insert.row).then_some(here)
                    };
                    let scalar = substitute::scalar(scalar, &of_row);
                    lower.scalar_as(&scalar, column.ty)?;
                    lower.leave();
                }
                None if insert.columns.contains(&column.id) => {
                    lower.writer.alias(inner).push(".").column(column);
                }
                None => {
                    lower.writer.push((self.dialect.null)(column.ty));
                }
            }
            lower.writer.push(" AS ").column(column);
        }
        lower.writer.push(" FROM ");
        lower.row_set(table, &names, set, inner)?;
        lower.leave();
        lower.writer.push(") AS ").alias(insert.row);
        lower.enter(insert.row);
        Ok(())
    }
}

/// Columns that an insert writes: given ones that are not derived, then derived ones.
fn written(insert: &Insert) -> Vec<ColumnId> {
    let derived = |id: &ColumnId| insert.derived.iter().any(|(derived, _)| derived == id);
    let given = insert.columns.iter().copied().filter(|id| !derived(id));
    given.chain(insert.derived.iter().map(|(id, _)| *id)).collect()
}

fn told(insert: &Insert, id: ColumnId) -> bool {
    insert.columns.contains(&id) || insert.derived.iter().any(|(derived, _)| *derived == id)
}
