//! Computed fields that the database keeps: what it may compute, and of which columns. Reads the
//! finished catalog.

use crate::catalog::{Catalog, Fill, Table};
use crate::diagnostic::{Diagnostics, codes};
use crate::expr::End;
use crate::expr::stored::{longest, refusal};

/// What a database keeps is computed alike everywhere, and shows nobody more than its sources do.
pub(super) fn judge(catalog: &Catalog, table: &Table, diagnostics: &mut Diagnostics) {
    for column in &table.columns {
        let Fill::Stored(id) = column.fill else { continue };
        let computed = table.computed_field(id);
        if let Some(reason) = refusal(table, &computed.expr) {
            let message = format!("\"{}\" cannot be stored: {reason}", column.field);
            let help = "leave out `stored`: it is computed when it is read";
            diagnostics.report_with_help(codes::COMPUTED, computed.expr.span, message, help);
        }
        for path in computed.expr.paths().into_iter().filter(|path| path.hops.is_empty()) {
            let End::Column(read) = path.end else { continue };
            let source = table.column(read);
            if source.has_read_rule() {
                let message =
                    format!("\"{}\" keeps \"{}\", which has a read rule", column.field, source.field);
                let help = "leave out `stored`: a value that is computed when it is read heeds the rule";
                diagnostics.report_with_help(codes::COMPUTED, column.span, message, help);
            }
        }
        let most = table.indexed_characters(column);
        let fits = longest(catalog, table, &computed.expr);
        if let Some(most) = most.filter(|most| fits.is_none_or(|longest| longest > u64::from(*most))) {
            let message = format!("\"{}\" may be longer than an index holds", column.field);
            let help = format!("bound its sources by `@valid(maxLength:)`, {most} characters altogether");
            diagnostics.report_with_help(codes::COMPUTED, column.span, message, help);
        }
        if computed.sees_all {
            let message =
                format!("\"{}\" is stored and reads its own row alone: `sees` says nothing", column.field);
            diagnostics.report(codes::COMPUTED, column.span, message);
        }
    }
}
