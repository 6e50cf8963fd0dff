//! Rows that stand in no table, or in a table under a known key: what judging and
//! verifying read. A row set is one bound value; its columns bear the names of the
//! table's columns, so that a plan reads it like the table.

use super::Lower;
use crate::dialect::RowSetForm;
use crate::statement::{Bind, RowSet};
use backstay_base::fault::Fault;
use backstay_query::plan::{ColumnRef, Scalar, SourceId};
use backstay_schema::catalog::{ColumnId, Table};
use backstay_schema::scalar::ScalarType;

/// Text that depends on a type.
type TypedText = fn(ScalarType) -> &'static str;

/// A column of a row set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowSetColumn {
    /// Under the name of a column of the table.
    Column(ColumnId),
    /// Under `#k<n>`: part `n` of the key after the write.
    Key(usize),
    /// Under `#b<n>`: whether the stored row held arm `n`.
    Bit(usize),
}

impl Lower<'_> {
    /// `(SELECT … FROM json_each(?)) AS s5`, with the row's number as `#n`, and makes the source known.
    ///
    /// # Errors
    /// Internal, from a template of the dialect.
    pub fn row_set(
        &mut self,
        table: &Table,
        columns: &[RowSetColumn],
        rows: RowSet,
        source: SourceId,
    ) -> Result<(), Fault> {
        match self.dialect.row_set {
            RowSetForm::Elements { ordinal, column, from } => {
                self.writer.push("(SELECT ").push(ordinal).push(" AS ").name("#n");
                for (index, name) in columns.iter().enumerate() {
                    self.writer.push(", ");
                    let ty = rows.types.get(index).copied().unwrap_or(ScalarType::String);
                    self.numbered_template(column(ty), index)?;
                    self.writer.push(" AS ");
                    self.row_set_name(table, *name);
                }
                let mut rows = Some(rows);
                self.template(from, &mut |lower, _| {
                    lower.writer.bind(Bind::Rows(rows.take().unwrap_or_default()));
                    Ok(())
                })?;
            }
            RowSetForm::Arrays => self.unnested(table, columns, rows),
            RowSetForm::JsonTable { column, read } => {
                self.json_table(table, columns, rows, (column, read))?
            }
        }
        self.writer.push(") AS ").alias(source);
        self.enter(source);
        Ok(())
    }

    fn numbered_template(&mut self, template: &'static str, number: usize) -> Result<(), Fault> {
        self.template(template, &mut |lower, _| {
            lower.writer.number(number as u64);
            Ok(())
        })
    }

    /// `(SELECT r."#n" - 1 AS "#n", r."id" FROM unnest($1) WITH ORDINALITY AS r("id", "#n")`.
    fn unnested(&mut self, table: &Table, columns: &[RowSetColumn], rows: RowSet) {
        self.writer.push("(SELECT r.").name("#n").push(" - 1 AS ").name("#n");
        for (index, column) in columns.iter().enumerate() {
            self.writer.push(", r.");
            self.row_set_name(table, *column);
            let ty = rows.types.get(index).copied().unwrap_or(ScalarType::String);
            let cast = (self.dialect.list_of_text)(ty);
            if !cast.is_empty() {
                self.writer.push(cast).push(" AS ");
                self.row_set_name(table, *column);
            }
        }
        if columns.is_empty() {
            let count = Bind::Count(rows.rows.len() as u64);
            self.writer
                .push(" FROM generate_series(1::bigint, ")
                .bind(count)
                .push(") AS r(")
                .name("#n")
                .push(")");
            return;
        }
        self.writer.push(" FROM unnest(");
        for (index, (values, ty)) in rows.into_columns().into_iter().enumerate() {
            self.writer.push(if index > 0 { ", " } else { "" }).bind(Bind::List(values, ty));
            self.collate(ty);
        }
        self.writer.push(") WITH ORDINALITY AS r(");
        for column in columns {
            self.row_set_name(table, *column);
            self.writer.push(", ");
        }
        self.writer.name("#n").push(")");
    }

    /// ``(SELECT r.`#n` - 1 AS `#n`, … FROM JSON_TABLE(?, '$[*]' COLUMNS (`#n` FOR ORDINALITY, …)) AS r``.
    fn json_table(
        &mut self,
        table: &Table,
        columns: &[RowSetColumn],
        rows: RowSet,
        (column, read): (TypedText, TypedText),
    ) -> Result<(), Fault> {
        let types = rows.types.clone();
        let typed = || columns.iter().copied().zip(types.iter().copied());
        self.writer.push("(SELECT r.").name("#n").push(" - 1 AS ").name("#n");
        for (name, ty) in typed() {
            self.writer.push(", ");
            self.template(read(ty), &mut |lower, _| {
                lower.writer.push("r.");
                lower.row_set_name(table, name);
                Ok(())
            })?;
            self.writer.push(" AS ");
            self.row_set_name(table, name);
        }
        self.writer.push(" FROM JSON_TABLE(").bind(Bind::Rows(rows)).push(", '$[*]' COLUMNS (");
        self.writer.name("#n").push(" FOR ORDINALITY");
        for (index, (name, ty)) in typed().enumerate() {
            self.writer.push(", ");
            self.row_set_name(table, name);
            self.writer.push(" ").push(column(ty)).push(" PATH '$[").number(index as u64).push("]'");
        }
        self.writer.push(")) AS r");
        Ok(())
    }

    pub(crate) fn row_set_name(&mut self, table: &Table, column: RowSetColumn) {
        match column {
            RowSetColumn::Column(id) => {
                self.writer.column(table.column(id));
            }
            RowSetColumn::Key(index) => self.row_set_key(index),
            RowSetColumn::Bit(index) => self.numbered("#b", index),
        }
    }

    pub(super) fn row_set_key(&mut self, index: usize) {
        self.numbered("#k", index);
    }

    fn numbered(&mut self, prefix: &'static str, index: usize) {
        let mut name = String::from(prefix);
        name.push_str(&index.to_string());
        self.writer.name(&name);
    }

    /// A row that is not stored yet: `given` columns from slots in their order, the others
    /// NULL; `derived` computed from that row. Makes the source known.
    ///
    /// # Errors
    /// Internal, as [`Lower::scalar`].
    pub fn prospective(
        &mut self,
        table: &Table,
        given: &[ColumnId],
        derived: &[(ColumnId, Scalar)],
        source: SourceId,
    ) -> Result<(), Fault> {
        if derived.is_empty() {
            self.given_row(table, given, source);
            self.enter(source);
            return Ok(());
        }
        self.enter(source);
        self.writer.push("(SELECT ");
        for (index, column) in table.columns.iter().enumerate() {
            if index > 0 {
                self.writer.push(", ");
            }
            match derived.iter().find(|(id, _)| *id == column.id) {
                Some((_, scalar)) => {
                    self.scalar_as(scalar, column.ty)?;
                    self.collate(column.ty);
                }
                None => self.column(ColumnRef { source, table: table.id, column: column.id })?,
            }
            self.writer.push(" AS ").column(column);
        }
        self.writer.push(" FROM ");
        self.given_row(table, given, source);
        self.writer.push(") AS ").alias(source);
        Ok(())
    }

    /// `(SELECT ? AS "a", NULL AS "b") AS s1`.
    fn given_row(&mut self, table: &Table, given: &[ColumnId], source: SourceId) {
        self.writer.push("(SELECT ");
        for (index, column) in table.columns.iter().enumerate() {
            if index > 0 {
                self.writer.push(", ");
            }
            match given.iter().rposition(|id| *id == column.id) {
                Some(slot) => self.writer.bind(Bind::Slot(slot, column.ty)),
                None => self.writer.push((self.dialect.null)(column.ty)),
            };
            self.collate(column.ty);
            self.writer.push(" AS ").column(column);
        }
        self.writer.push(") AS ").alias(source);
    }

    /// After a text that is no column: that it is compared by its bytes.
    pub(super) fn collate(&mut self, ty: ScalarType) {
        if matches!(ty, ScalarType::String | ScalarType::Enum(_)) {
            self.writer.push(self.dialect.collate);
        }
    }

    /// `s1."a", s1."b"`.
    ///
    /// # Errors
    /// Internal, when the source is not known.
    pub fn columns_of(&mut self, table: &Table, columns: &[ColumnId], source: SourceId) -> Result<(), Fault> {
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                self.writer.push(", ");
            }
            self.column(ColumnRef { source, table: table.id, column: *column })?;
        }
        Ok(())
    }
}
