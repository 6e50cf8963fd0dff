//! The statements after which a table and its columns that stand bear the comments of the schema.

use super::Pair;
use crate::shape::same_comment;
use backstay_engine::live::LiveColumn;
use backstay_sql::ddl::comment;
use backstay_sql::dialect::Dialect;
use backstay_sql::dialect::definition::Comments;

pub(super) fn of(dialect: &'static Dialect, pair: &Pair<'_>) -> Vec<String> {
    let mut statements = Vec::new();
    if !same_comment(pair.named.comment.as_ref(), pair.wanted.comment.as_ref()) {
        statements.extend(comment::change_table(dialect, pair.table));
    }
    for column in &pair.table.columns {
        let wanted = pair.wanted.columns.iter().find(|wanted| wanted.name == column.name);
        let (Some(live), Some(wanted)) = (pair.old(column), wanted) else { continue };
        let converted = pair.columns.converted.iter().any(|(name, _)| *name == column.name);
        if !same_comment(live.comment.as_ref(), wanted.comment.as_ref())
            && (converted || can_be_said(dialect, live, wanted))
        {
            statements.extend(comment::change_column(dialect, pair.table, column));
        }
    }
    statements
}

/// Where a comment is a part of the definition, a column that somebody else defined keeps his words:
/// its type, collation and default would go with them.
fn can_be_said(dialect: &'static Dialect, live: &LiveColumn, wanted: &LiveColumn) -> bool {
    match dialect.definition.comments {
        Comments::Nowhere => false,
        Comments::Statements { .. } => true,
        Comments::Clauses { .. } => live.ty.eq_ignore_ascii_case(&wanted.ty) && live.default.is_none(),
    }
}
