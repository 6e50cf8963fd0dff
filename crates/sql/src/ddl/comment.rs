//! Comments: the documentation of tables and columns where a database keeps it. Backstay's own
//! tables have none.

use crate::ddl::alter;
use crate::dialect::Dialect;
use crate::dialect::definition::Comments;
use crate::writer::Writer;
use backstay_schema::catalog::{Column, Origin, Table};
use backstay_schema::comment::written;

/// What the schema says of a table.
#[must_use]
pub fn of_table(table: &Table) -> Option<String> {
    if table.origin == Origin::System { None } else { written(table.doc.as_deref(), None) }
}

/// What the schema says of a column.
#[must_use]
pub fn of_column(table: &Table, column: &Column) -> Option<String> {
    if table.origin == Origin::System {
        return None;
    }
    written(column.doc.as_deref(), column.deprecated.as_deref())
}

/// The comment on a table as the database keeps it; none where it keeps none.
#[must_use]
pub fn kept_of_table(dialect: &'static Dialect, table: &Table) -> Option<String> {
    of_table(table).and_then(|text| match dialect.definition.comments {
        Comments::Nowhere => None,
        Comments::Statements { .. } => Some(text),
        Comments::Clauses { most_of_table, .. } => Some(fitted(&text, most_of_table)),
    })
}

/// The comment on a column as the database keeps it; none where it keeps none.
#[must_use]
pub fn kept_of_column(dialect: &'static Dialect, table: &Table, column: &Column) -> Option<String> {
    of_column(table, column).and_then(|text| match dialect.definition.comments {
        Comments::Nowhere => None,
        Comments::Statements { .. } => Some(text),
        Comments::Clauses { most_of_column, .. } => Some(fitted(&text, most_of_column)),
    })
}

/// Dictionaries of MariaDB and MySQL keep characters of the basic plane, and only so many.
fn fitted(text: &str, most: usize) -> String {
    let plain = |char: char| if u32::from(char) > 0xffff { '\u{fffd}' } else { char };
    if text.chars().count() <= most {
        return text.chars().map(plain).collect();
    }
    text.chars().take(most.saturating_sub(1)).map(plain).chain(['…']).collect()
}

/// The statements that say what a new table and its columns are, where definitions do not.
#[must_use]
pub fn statements(dialect: &'static Dialect, table: &Table) -> Vec<String> {
    let Comments::Statements { .. } = dialect.definition.comments else { return Vec::new() };
    let own = of_table(table).and_then(|_| change_table(dialect, table));
    let columns = table.columns.iter().filter(|column| of_column(table, column).is_some());
    own.into_iter().chain(columns.filter_map(|column| change_column(dialect, table, column))).collect()
}

/// The statement that says what a column is that was added, where its definition does not.
#[must_use]
pub fn of_new_column(dialect: &'static Dialect, table: &Table, column: &Column) -> Option<String> {
    let Comments::Statements { .. } = dialect.definition.comments else { return None };
    of_column(table, column).and_then(|_| change_column(dialect, table, column))
}

/// The statement after which the table has the comment of the schema, or none.
#[must_use]
pub fn change_table(dialect: &'static Dialect, table: &Table) -> Option<String> {
    let (Comments::Statements { table: template, .. } | Comments::Clauses { change_table: template, .. }) =
        dialect.definition.comments
    else {
        return None;
    };
    let mut writer = Writer::new(dialect);
    writer.template(template, &mut |writer, mark| match mark {
        '1' => {
            writer.table(table);
        }
        _ => text_of(writer, dialect, kept_of_table(dialect, table)),
    });
    Some(writer.finish().text)
}

/// The statement after which the column has the comment of the schema, or none.
#[must_use]
pub fn change_column(dialect: &'static Dialect, table: &Table, column: &Column) -> Option<String> {
    match dialect.definition.comments {
        Comments::Nowhere => None,
        Comments::Clauses { .. } => Some(alter::define_again(dialect, table, column)),
        Comments::Statements { column: template, .. } => {
            let mut writer = Writer::new(dialect);
            writer.template(template, &mut |writer, mark| match mark {
                '1' => {
                    writer.table(table);
                }
                '2' => {
                    writer.column(column);
                }
                _ => text_of(writer, dialect, kept_of_column(dialect, table, column)),
            });
            Some(writer.finish().text)
        }
    }
}

fn text_of(writer: &mut Writer, dialect: &'static Dialect, text: Option<String>) {
    match (dialect.definition.comments, text) {
        (Comments::Nowhere, _) => {}
        (Comments::Statements { .. }, None) => {
            writer.push("NULL");
        }
        (Comments::Statements { opens, .. } | Comments::Clauses { opens, .. }, text) => {
            writer.escaped(opens, text.as_deref().unwrap_or_default());
        }
    }
}

/// What stands in the definition of a column.
pub(crate) fn clause_of_column(
    writer: &mut Writer,
    dialect: &'static Dialect,
    table: &Table,
    column: &Column,
) {
    if let Comments::Clauses { column: template, .. } = dialect.definition.comments
        && let Some(text) = kept_of_column(dialect, table, column)
    {
        writer.template(template, &mut |writer, _| text_of(writer, dialect, Some(text.clone())));
    }
}

/// What ends the definition of a table.
pub(crate) fn clause_of_table(writer: &mut Writer, dialect: &'static Dialect, table: &Table) {
    if let Comments::Clauses { table: template, .. } = dialect.definition.comments
        && let Some(text) = kept_of_table(dialect, table)
    {
        writer.template(template, &mut |writer, _| text_of(writer, dialect, Some(text.clone())));
    }
}

#[cfg(test)]
mod tests {
    use super::fitted;

    #[test]
    fn a_comment_fits_the_dictionary() {
        assert_eq!(fitted("a😀b", 3), "a\u{fffd}b");
        assert_eq!(fitted("abcd", 3), "ab…");
        assert_eq!(fitted("", 3), "");
    }
}
