//! What an index of words is asked: which rows may have them. It stands beside the patterns that decide.

use super::Lower;
use crate::ddl::full_text::{rows_table, text, words_table};
use crate::dialect::Asked;
use crate::statement::Bind;
use backstay_base::fault::Fault;
use backstay_query::plan::{Candidates, ColumnRef, Words};
use backstay_schema::catalog::{FullText, Table};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// An index of a table, and the row that it is asked for.
#[derive(Clone, Copy)]
struct Row<'c> {
    of: &'c Candidates,
    table: &'c Table,
    index: &'c FullText,
}

impl Lower<'_> {
    pub(super) fn candidates(&mut self, of: &Candidates) -> Result<(), Fault> {
        let table = self.catalog.table(of.table);
        let index = table.full_texts.get(of.index);
        let index = index.ok_or_else(|| Fault::internal("a search names an index that its table has not"))?;
        let row = Row { of, table, index };
        match self.dialect.candidates {
            Asked::AtOnce { template, query } => self.asked(template, row, query(&of.words)),
            Asked::EachWord { word, prefix } => self.each(row, &of.words, (word, prefix)),
        }
    }

    fn each(
        &mut self,
        row: Row<'_>,
        words: &Words,
        (word, prefix): (&'static str, &'static str),
    ) -> Result<(), Fault> {
        let (parts, between) = match words {
            Words::Word { letters, prefix: false } => return self.asked(word, row, letters.clone()),
            Words::Word { letters, prefix: true } => return self.asked(prefix, row, letters.clone() + "%"),
            Words::All(parts) => (parts, " AND "),
            Words::Any(parts) => (parts, " OR "),
        };
        self.writer.push("(");
        for (place, part) in parts.iter().enumerate() {
            self.writer.push(if place > 0 { between } else { "" });
            self.each(row, part, (word, prefix))?;
        }
        self.writer.push(")");
        Ok(())
    }

    fn asked(&mut self, template: &'static str, row: Row<'_>, query: String) -> Result<(), Fault> {
        let Row { of, table, index } = row;
        let mut query = Some(query);
        self.template(template, &mut |lower, mark| {
            match mark {
                'k' => return lower.key_of(row),
                'r' => {
                    for (place, id) in table.key.iter().enumerate() {
                        lower.writer.push(if place > 0 { ", r." } else { "r." }).column(table.column(*id));
                    }
                }
                'w' => drop(lower.writer.name(&words_table(&index.name))),
                'm' => drop(lower.writer.name(&rows_table(&index.name))),
                't' => text(&mut lower.writer, lower.dialect, (table, &index.columns), &mut |writer| {
                    writer.alias(of.source).push(".");
                }),
                _ => {
                    let query = Value::Text(query.take().unwrap_or_default());
                    lower.writer.bind(Bind::Value(query, ScalarType::String));
                }
            }
            Ok(())
        })
    }

    /// The key of the row, in brackets where it has several columns.
    fn key_of(&mut self, row: Row<'_>) -> Result<(), Fault> {
        let Row { of, table, .. } = row;
        let several = table.key.len() > 1;
        self.writer.push(if several { "(" } else { "" });
        for (place, id) in table.key.iter().enumerate() {
            self.writer.push(if place > 0 { ", " } else { "" });
            self.column(ColumnRef { source: of.source, table: of.table, column: *id })?;
        }
        self.writer.push(if several { ")" } else { "" });
        Ok(())
    }
}
