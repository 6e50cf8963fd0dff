//! Writes as one statement: it does all that the script asks, or nothing. What its
//! condition refuses, and what a constraint refuses, is then run step by step, so that
//! refusals have one author (SEMANTICS 29). Which writes may go this way is said here.

mod insert;
mod update;

use super::{Runner, is_met};
use crate::dialect::Dialect;
use crate::lower::Lower;
use crate::lower::substitute::Reads;
use crate::session::{Failure, Row, Session};
use crate::statement::Statement;
use backstay_base::fault::Fault;
use backstay_policy::guarded::Guarded;
use backstay_query::plan::{
    Audit, End, Expect, OutputValue, Pred, Query, Scalar, Script, Select, SourceId, Step,
};
use backstay_query::reply::{Part, Reply, Rows};
use backstay_schema::catalog::{Catalog, ColumnId, Table};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// A write that is one statement.
#[derive(Debug)]
pub struct Direct<'p> {
    way: Held<'p>,
    /// What fills its slots.
    slots: &'p [Value],
    step: &'p Step,
    table: &'p Table,
    /// Rows that fill the slots one after the other, in one batch; a batch cannot write a part of them.
    batch: Option<&'p [Vec<Value>]>,
    /// Keys of the rows, where they are known before.
    keys: Vec<Vec<Value>>,
}

/// What is the same for every row of the same script.
#[derive(Debug)]
struct Way {
    statement: Statement,
    /// How many rows it must write; none means one or more.
    rows: Option<u64>,
    /// Whether the statement is an insert.
    inserts: bool,
    answer: Answer,
    /// Types of the key columns that the statement answers with, after the cells.
    key_types: Vec<ScalarType>,
}

/// A way that was made for this run, or is kept with the script.
#[derive(Debug)]
enum Held<'p> {
    New(Box<Way>),
    Kept(&'p Way),
}

impl Held<'_> {
    fn way(&self) -> &Way {
        match self {
            Self::New(way) => way,
            Self::Kept(way) => way,
        }
    }
}

/// Where the answer of the step comes from.
#[derive(Debug)]
enum Answer {
    /// There is none.
    Nothing,
    /// The statement itself answers with these cells.
    Cells(Vec<ScalarType>),
    /// Another statement reads it, by the keys.
    Read,
}

impl<'p> Direct<'p> {
    /// The script as one statement, if it can be.
    ///
    /// # Errors
    /// Internal, as lowering.
    pub fn of(script: &'p Guarded<Script>, dialect: &'static Dialect) -> Result<Option<Self>, Fault> {
        let inner = script.inner();
        let [step] = inner.steps.as_slice() else { return Ok(None) };
        // an audit reads the rows before and after
        if inner.end != End::Commit || matches!(inner.audit, Audit::By(_)) {
            return Ok(None);
        }
        let asking = Asking { catalog: script.catalog(), dialect, step };
        match &step.query {
            Query::Select(_) => Ok(None),
            Query::Insert(insert) => match script.row() {
                Some(row) => asking.insert_of((script, insert), row),
                None => asking.insert(insert, inner.sources.clone()),
            },
            Query::Update(update) => asking.update(update),
            Query::Delete(delete) => asking.delete(delete),
        }
    }

    /// Whether the statement needs no transaction around it: nothing follows it, and it
    /// cannot do a part of what is asked.
    #[must_use]
    pub fn stands_alone(&self) -> bool {
        !matches!(self.way().answer, Answer::Read)
            && (self.is_batch() || !matches!(self.way().rows, Some(2..)))
    }

    /// Whether one prepared row is run for many: a connection that cannot do so as one statement
    /// needs a transaction around it.
    #[must_use]
    pub const fn is_batch(&self) -> bool {
        self.batch.is_some()
    }

    fn way(&self) -> &Way {
        self.way.way()
    }

    /// Runs it. None when it wrote nothing, or not all: then the transaction is to be undone.
    ///
    /// # Errors
    /// What a database fails with besides constraints.
    pub async fn run<S: Session>(
        &self,
        session: &mut S,
        script: &Guarded<Script>,
        dialect: &'static Dialect,
    ) -> Result<Option<Reply>, Fault> {
        let Way { statement, rows: expected, inserts, answer, key_types } = self.way();
        let mut rows = Rows::default();
        let mut keys = Vec::new();
        let cells: &[ScalarType] = match answer {
            Answer::Cells(cells) => cells,
            Answer::Nothing | Answer::Read => &[],
        };
        let mut answered = 0;
        let mut on_row = |row: &dyn Row| {
            answered += 1;
            for (index, ty) in cells.iter().enumerate() {
                row.cell(index, *ty, &mut rows)?;
            }
            let key = key_types.iter().enumerate();
            let key = key.map(|(index, ty)| row.value(cells.len() + index, *ty));
            keys.push(key.collect::<Result<Vec<_>, Fault>>()?);
            Ok(())
        };
        let outcome = match self.batch {
            Some(rows) => session.run_each(statement, rows).await.map(|_| rows.len() as u64),
            None => session.run(statement, self.slots, &mut on_row).await,
        };
        let changed = match outcome {
            Ok(changed) => {
                if matches!(answer, Answer::Cells(_)) || !key_types.is_empty() {
                    answered
                } else {
                    changed
                }
            }
            Err(Failure::Violation(_)) => return Ok(None),
            Err(Failure::Fault(fault)) => return Err(fault),
        };
        if changed == 0 || expected.is_some_and(|rows| rows != changed) {
            return Ok(None);
        }
        if key_types.is_empty() {
            keys.clone_from(&self.keys);
        }
        rows.count = if matches!(answer, Answer::Cells(_)) { answered } else { 0 };
        if matches!(answer, Answer::Read) {
            let mut runner = Runner::over(session, script, dialect);
            rows = runner.answer(self.step.query.answer(), &self.table.name, &keys).await?;
        }
        let key = match keys.as_slice() {
            [key] if *inserts => Some(super::text_of(key)),
            _ => None,
        };
        let inserted = if *inserts { changed } else { 0 };
        let part = Part { rows, total: None, affected: changed, inserted, key };
        if !is_met(self.step.expect, &self.step.query, &part)? {
            return Ok(None);
        }
        Ok(Some(Reply { parts: vec![part] }))
    }

    /// One statement without slots.
    fn plain(step: &'p Step, table: &'p Table, way: Way) -> Self {
        Self { way: Held::New(Box::new(way)), slots: &[], step, table, batch: None, keys: Vec::new() }
    }
}

/// Asks whether a step can be one statement.
struct Asking<'p> {
    catalog: &'p Catalog,
    dialect: &'static Dialect,
    step: &'p Step,
}

impl<'p> Asking<'p> {
    /// Whether the outcome meets what is expected, when this many rows are written.
    fn expects(&self, rows: u64) -> bool {
        match self.step.expect {
            Expect::Any => true,
            Expect::Singular | Expect::OneOrNothing => rows == 1,
            Expect::AtMost(most) => rows <= most,
        }
    }

    /// Cells of an answer that reads the written row alone.
    fn cells(&self, select: &Select, row: SourceId) -> Option<Vec<ScalarType>> {
        let cells = select.outputs.iter().map(|output| match &output.value {
            OutputValue::Scalar(Scalar::Cast(..), _) if !self.dialect.casts_refuse => None,
            OutputValue::Scalar(scalar, ty) => {
                let mut reads = Reads::default();
                reads.scalar(scalar);
                is_own(&reads, row).then_some(*ty)
            }
            OutputValue::One(_)
            | OutputValue::Many(_)
            | OutputValue::SpreadMany(_)
            | OutputValue::Count { .. }
            | OutputValue::Aggregate(_)
            | OutputValue::Spread(_) => None,
        });
        cells.collect()
    }
}

/// Whether nothing but columns of one row is read.
fn is_own(reads: &Reads, row: SourceId) -> bool {
    reads.tables.is_empty() && reads.columns.iter().all(|column| column.source == row)
}

fn reads_of(pred: &Pred) -> Reads {
    let mut reads = Reads::default();
    reads.pred(pred);
    reads
}

impl Lower<'_> {
    /// ` RETURNING …`: the cells of an answer, then key columns.
    fn returning(&mut self, table: &Table, select: Option<&Select>, key: &[ColumnId]) -> Result<(), Fault> {
        let mut before = " RETURNING ";
        for output in select.map(|select| select.outputs.as_slice()).unwrap_or_default() {
            if let OutputValue::Scalar(scalar, _) = &output.value {
                self.writer.push(before);
                self.scalar(scalar)?;
                before = ", ";
            }
        }
        for id in key {
            self.writer.push(before).column(table.column(*id));
            before = ", ";
        }
        Ok(())
    }

    /// ` AND pred`, or nothing where it always holds. A condition of rows needs no more than
    /// to be TRUE, and said so plainly an index can meet it.
    fn and_holds(&mut self, keyword: &mut &'static str, pred: &Pred) -> Result<(), Fault> {
        match pred {
            Pred::Const(true) => Ok(()),
            Pred::And(all) if !all.is_empty() => {
                all.iter().try_for_each(|pred| self.and_holds(keyword, pred))
            }
            _ => {
                self.writer.push(keyword);
                *keyword = " AND ";
                self.pred(pred)
            }
        }
    }
}
