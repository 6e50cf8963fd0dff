//! Inserts: write each row, then hold the rule against all of them. Whatever
//! refuses a row is shown only where the rule holds for that row.

use super::reference::{Asked, Condition, conditions};
use super::refusal;
use super::{References, Runner, key_types, text_of, unexpected};
use crate::dialect::Returning;
use crate::lower::insert as lower;
use crate::session::{Failure, Session, Violation};
use crate::statement::Statement;
use crate::writer::Writer;
use backstay_base::fault::Fault;
use backstay_query::plan::{Insert, Pred};
use backstay_query::reply::Part;
use backstay_schema::catalog::{ColumnId, Table};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// An insert on its way.
pub(super) struct Inserting<'p> {
    pub(super) insert: &'p Insert,
    pub(super) table: &'p Table,
    statement: Statement,
    key_is_given: bool,
}

impl<S: Session> Runner<'_, S> {
    /// Runs an insert without a conflict clause.
    pub(super) async fn insert(&mut self, insert: &Insert) -> Result<Part, Fault> {
        let catalog = self.catalog;
        let inserting = self.inserting(insert, catalog.table(insert.table))?;
        let mut keys = Vec::with_capacity(insert.rows.len());
        for (index, row) in insert.rows.iter().enumerate() {
            keys.push(self.insert_row(&inserting, index, row).await?);
        }
        self.verify_inserted(&inserting, &keys).await?;
        self.tell_inserted(inserting.table, &keys).await?;
        let rows = self.answer(insert.returning.as_ref(), &inserting.table.name, &keys).await?;
        let written = keys.len() as u64;
        let key = match keys.as_slice() {
            [key] => Some(text_of(key)),
            _ => None,
        };
        Ok(Part { rows, total: None, affected: written, inserted: written, key })
    }

    pub(super) fn inserting<'p>(&self, insert: &'p Insert, table: &'p Table) -> Result<Inserting<'p>, Fault> {
        let statement = lower::row(self.catalog, self.dialect, insert)?;
        Ok(Inserting { insert, table, statement, key_is_given: lower::key_is_given(table, insert) })
    }

    /// Writes one row and answers with its key.
    pub(super) async fn insert_row(
        &mut self,
        inserting: &Inserting<'_>,
        index: usize,
        row: &[Value],
    ) -> Result<Vec<Value>, Fault> {
        let Inserting { insert, table, statement, key_is_given } = inserting;
        if let Some(invalid) = insert.invalid.iter().find(|invalid| invalid.row == index) {
            return Err(self.refuse_insert(inserting, row, refusal::known(table, &invalid.refusal)).await?);
        }
        let answers = !*key_is_given && self.dialect.returning >= Returning::InsertAndDelete;
        let types = if answers { key_types(table) } else { Vec::new() };
        let answered = match self.values(statement, row, &types).await {
            Ok(rows) => rows,
            Err(Failure::Fault(fault)) => return Err(fault),
            Err(Failure::Violation(violation)) => {
                let fault = match self.misled(inserting, row).await? {
                    Some(fault) => fault,
                    None => self.insert_violation(inserting, row, violation).await?,
                };
                return Err(self.refuse_insert(inserting, row, fault).await?);
            }
        };
        let key = if *key_is_given {
            given_values(insert, row, &table.key)
        } else if answers {
            answered.into_iter().next().unwrap_or_default()
        } else {
            self.unanswered_key(inserting, row).await?
        };
        if self.references == References::PerStatement {
            self.verify_references(inserting, std::slice::from_ref(&key), Asked::Guarded).await?;
            self.check_inserted(inserting, std::slice::from_ref(&key)).await?;
        }
        Ok(key)
    }

    /// The key of the row just written, from a database whose inserts do not answer.
    async fn unanswered_key(
        &mut self,
        inserting: &Inserting<'_>,
        row: &[Value],
    ) -> Result<Vec<Value>, Fault> {
        let Inserting { insert, table, .. } = inserting;
        let told =
            |id| insert.columns.contains(id) || insert.derived.iter().any(|(derived, _)| derived == id);
        if table.key.iter().all(told) {
            return self.prospective_values(inserting, row, &table.key).await;
        }
        let mut writer = Writer::new(self.dialect);
        writer.push(self.dialect.counted_last);
        Ok(vec![self.first(&writer.finish(), &[], ScalarType::BigInt).await?])
    }

    /// Holds the rule, and references that wait for the last row, against all written rows.
    pub(super) async fn verify_inserted(
        &mut self,
        inserting: &Inserting<'_>,
        keys: &[Vec<Value>],
    ) -> Result<(), Fault> {
        let Inserting { insert, table, .. } = inserting;
        self.count_on(insert, table, keys).await?;
        if self.references == References::AtCommit {
            self.verify_references(inserting, keys, Asked::All).await?;
            self.check_inserted(inserting, keys).await?;
        }
        if let Some(index) = self.find_breach(inserting, &insert.rule, keys).await? {
            let fault = Fault::row_security(&table.name);
            let Some(key) = keys.get(index) else { return Err(fault) };
            return Err(self.told_inserted(inserting, key, fault).await?);
        }
        Ok(())
    }

    /// The fault, if the rule holds for the row that would have been written; else 42501.
    pub(super) async fn refuse_insert(
        &mut self,
        inserting: &Inserting<'_>,
        row: &[Value],
        fault: Fault,
    ) -> Result<Fault, Fault> {
        if self.insert_rule_holds(inserting, row).await? {
            return Ok(fault);
        }
        let fault = Fault::row_security(&inserting.table.name);
        self.told_given(inserting, row, fault).await
    }

    pub(super) async fn insert_rule_holds(
        &mut self,
        inserting: &Inserting<'_>,
        row: &[Value],
    ) -> Result<bool, Fault> {
        self.prospective_holds(inserting, row, &inserting.insert.rule).await
    }

    pub(super) async fn prospective_holds(
        &mut self,
        inserting: &Inserting<'_>,
        row: &[Value],
        pred: &Pred,
    ) -> Result<bool, Fault> {
        if let Pred::Const(truth) = pred {
            return Ok(*truth);
        }
        let statement = lower::judge(self.catalog, self.dialect, inserting.insert, pred)?;
        self.ask(&statement, row).await
    }

    /// Values that the row would have in these columns.
    pub(super) async fn prospective_values(
        &mut self,
        inserting: &Inserting<'_>,
        row: &[Value],
        columns: &[ColumnId],
    ) -> Result<Vec<Value>, Fault> {
        let Inserting { insert, table, .. } = inserting;
        if !insert.derived.iter().any(|(id, _)| columns.contains(id)) {
            return Ok(given_values(insert, row, columns));
        }
        let statement = lower::peek(self.catalog, self.dialect, insert, columns)?;
        let types: Vec<_> = columns.iter().map(|id| table.column(*id).ty).collect();
        let rows = self.values(&statement, row, &types).await.map_err(unexpected)?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }

    async fn insert_violation(
        &mut self,
        inserting: &Inserting<'_>,
        row: &[Value],
        violation: Violation,
    ) -> Result<Fault, Fault> {
        let table = inserting.table;
        Ok(match violation {
            Violation::NotNull(column) => refusal::not_null(table, &column),
            Violation::Check(constraint) => {
                refusal::check(table, &constraint, check_message(table, &constraint))
            }
            Violation::Unique(named) => {
                let unique = refusal::unique_of(table, &named);
                let values = self.prospective_values(inserting, row, &unique.columns).await?;
                refusal::unique(table, &unique, Some(&values))
            }
            Violation::Reference(name) => {
                self.wrong_reference(inserting, row, name).await?.ok_or_else(|| {
                    Fault::internal("a foreign key refused a row whose references are all there")
                })?
            }
        })
    }

    /// A value that the row derives over a reference may break a constraint, or not, by what
    /// stands in a hidden row: then the reference itself is the refusal, hidden or absent.
    async fn misled(&mut self, inserting: &Inserting<'_>, row: &[Value]) -> Result<Option<Fault>, Fault> {
        if inserting.insert.derived.is_empty() {
            return Ok(None);
        }
        self.wrong_reference(inserting, row, None).await
    }

    /// The reference that names a row that is not there, or that the caller may not name:
    /// the first in order, so that the two cannot be told apart.
    async fn wrong_reference(
        &mut self,
        inserting: &Inserting<'_>,
        row: &[Value],
        name: Option<String>,
    ) -> Result<Option<Fault>, Fault> {
        let Inserting { insert, table, .. } = inserting;
        let asked = (Asked::All, &mut self.sources);
        for condition in conditions(self.catalog, (table, insert.row), &insert.references, asked) {
            let named = name.as_deref().is_some_and(|name| name == condition.constraint);
            if named || !self.prospective_holds(inserting, row, &condition.holds).await? {
                let values = self.prospective_values(inserting, row, condition.columns).await?;
                let key = (condition.columns, Some(values.as_slice()));
                return Ok(Some(refusal::reference(table, condition.constraint, key, condition.target)));
            }
        }
        Ok(None)
    }

    /// Holds the conditions of references against stored rows.
    async fn verify_references(
        &mut self,
        inserting: &Inserting<'_>,
        keys: &[Vec<Value>],
        asked: Asked,
    ) -> Result<(), Fault> {
        let Inserting { insert, table, .. } = inserting;
        let asked = (asked, &mut self.sources);
        for condition in conditions(self.catalog, (table, insert.row), &insert.references, asked) {
            if let Some(index) = self.find_breach(inserting, &condition.holds, keys).await? {
                return Err(self.refuse_reference(inserting, &condition, keys, index).await?);
            }
        }
        Ok(())
    }

    async fn refuse_reference(
        &mut self,
        inserting: &Inserting<'_>,
        condition: &Condition<'_>,
        keys: &[Vec<Value>],
        index: usize,
    ) -> Result<Fault, Fault> {
        let Inserting { insert, table, .. } = inserting;
        let key = keys.get(index).cloned().unwrap_or_default();
        let of_row = std::slice::from_ref(&key);
        if self.find_breach(inserting, &insert.rule, of_row).await?.is_some() {
            return self.told_inserted(inserting, &key, Fault::row_security(&table.name)).await;
        }
        let Condition { constraint, columns, target, .. } = condition;
        let values = self.stored_values(table, insert.row, columns, &key).await?;
        Ok(refusal::reference(table, constraint, (columns, Some(&values)), target))
    }

    /// The first of the stored rows for which the predicate is not TRUE.
    pub(super) async fn find_breach(
        &mut self,
        inserting: &Inserting<'_>,
        pred: &Pred,
        keys: &[Vec<Value>],
    ) -> Result<Option<usize>, Fault> {
        if matches!(pred, Pred::Const(true)) || keys.is_empty() {
            return Ok(None);
        }
        let source = self.new_source();
        let Inserting { insert, table, .. } = inserting;
        let keys = (source, keys.to_vec());
        let statement = lower::verify(self.catalog, self.dialect, table, insert.row, pred, keys)?;
        self.found(&statement).await
    }
}

/// What a row gives for these columns; NULL where it gives nothing.
pub(super) fn given_values(insert: &Insert, row: &[Value], columns: &[ColumnId]) -> Vec<Value> {
    let value = |id: &ColumnId| {
        let place = insert.columns.iter().rposition(|given| given == id);
        place.and_then(|place| row.get(place)).cloned().unwrap_or(Value::Null)
    };
    columns.iter().map(value).collect()
}

/// What the author of a check says to the person who broke it.
pub(super) fn check_message<'t>(table: &'t Table, constraint: &str) -> Option<&'t str> {
    let of_row =
        table.checks.iter().find(|check| check.name == constraint).map(|check| check.message.as_str());
    of_row.filter(|message| !message.is_empty()).or_else(|| {
        let column = table
            .columns
            .iter()
            .find(|column| crate::ddl::check::column_check_name(table, column) == constraint)?;
        column.valid_message.as_deref()
    })
}
