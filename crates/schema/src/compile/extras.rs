//! `@table(strict: false)`: the column that keeps what has no field. It is no member of the row: neither a rule nor a
//! directive finds it by a name.

use crate::catalog::{ColumnId, Fill};
use crate::compile::Owner;
use crate::compile::build::Builder;
use crate::compile::draft::one;
use crate::compile::field::blank_column;
use crate::diagnostic::codes;
use crate::extras::{COLUMN, DOC};
use crate::scalar::ScalarType;

impl Builder<'_> {
    /// Adds the column to every type that wants it.
    pub fn extras(&mut self) {
        for (index, ty) in self.draft.types.iter().enumerate() {
            let Some(table) = one(&ty.directives, "table") else { continue };
            if table.flag("strict") != Some(false) {
                continue;
            }
            let span = table.span_of("strict");
            if table.text("view").is_some() {
                self.error(
                    codes::VIEW,
                    span,
                    "`view` and `strict` exclude each other: nothing is written to a view",
                );
                continue;
            }
            if ty.owner == Owner::System || one(&ty.directives, "user").is_some() {
                let help = "rows of the account type are made of their account";
                self.error_with_help(codes::USER, span, "the account type keeps fields alone", help);
                continue;
            }
            let Some(id) = self.tables.get(index).copied().flatten() else { continue };
            let Some(table) = self.catalog.tables.get_mut(usize::from(id.0)) else { continue };
            if let Some(taken) = table.columns.iter().find(|column| column.name == COLUMN) {
                let message = format!("\"{}\" is the column of what has no field", taken.field);
                let taken = taken.span;
                self.error_with_help(codes::COLLISION, taken, message, "give the field another name");
                continue;
            }
            let mut column = blank_column(COLUMN, COLUMN, ScalarType::Json, true, Fill::None, span);
            column.id = ColumnId(u16::try_from(table.columns.len()).unwrap_or(u16::MAX));
            column.doc = Some(DOC.to_owned());
            table.extras = Some(column.id);
            table.columns.push(column);
        }
    }
}
