//! Indexes of words: what they may hold. Reads the finished catalog.

use crate::catalog::Table;
use crate::diagnostic::{Diagnostics, codes};

/// An index would hold the words of a field also of rows where its reader may not see it.
pub(super) fn judge(table: &Table, diagnostics: &mut Diagnostics) {
    for index in &table.full_texts {
        let columns = index.columns.iter().map(|id| table.column(*id));
        let ruled = columns
            .filter(|column| !column.access.read.allow.is_empty() || !column.access.read.deny.is_empty());
        for column in ruled {
            let message =
                format!("\"{}\" has a read rule, and a full-text index holds its words", column.field);
            let help = "leave the field out of the index: it can be searched without one";
            diagnostics.report_with_help(codes::UNFIT_DIRECTIVE, index.span, message, help);
        }
    }
}
