//! Indexes of the words of texts. Databases part words, fold letters and drop words each in their own way, so
//! that an index only says which rows may have a word: none that has it is left out, whoever wrote it, and the
//! patterns of a search decide. Each database keeps its index itself, in the transaction that writes. Enters: an
//! index of the catalog; statements leave. What a query asks it for is written by `lower::candidates`.

mod letters;

use self::letters::{joining, rare, separators, spelled, translated};
use super::column::Stored;
use super::column_list;
use crate::dialect::Dialect;
use crate::dialect::definition::Online;
use crate::writer::Writer;
use backstay_schema::catalog::{ColumnId, FullText, Table};
use backstay_schema::name::fitted;
use backstay_schema::scalar::list::write_json;
use backstay_schema::value::Value;

/// What the names of tables and triggers begin with that an index needs; the version of what it holds follows.
pub const PREFIX: &str = "_backstay_search";
/// What the name of the function begins with by which a database parts words.
pub const FUNCTION: &str = "_backstay_words";
/// The version of what indexes hold: one of another version is made anew. It changes with the letters and separators
/// of `backstay_query::folding`, and with the definitions of the dialects.
pub const VERSION: &str = "1";
/// The word of a text of which an index cannot say which words it has.
pub const ANY: &str = "zzbackstayanyzz";

/// The table of this index that holds words.
pub(crate) fn words_table(index: &str) -> String {
    part(index, VERSION, "")
}

/// The triggers that keep an index as it stands.
#[must_use]
pub fn triggers(index: &str, version: &str) -> [String; 3] {
    ["_i", "_u", "_d"].map(|end| part(index, version, end))
}

/// The version of the index that a table or function belongs to, from its name.
#[must_use]
pub fn version(name: &str) -> &str {
    let rest = name.strip_prefix(PREFIX).or_else(|| name.strip_prefix(FUNCTION)).unwrap_or_default();
    rest.split('_').next().unwrap_or_default()
}

/// The table of this index that says whose they are.
pub(crate) fn rows_table(index: &str) -> String {
    part(index, VERSION, "_r")
}

fn part(index: &str, version: &str, end: &str) -> String {
    fitted([PREFIX, version, "_", index, end].concat())
}

/// Whether a statement is about what an index of words is made of, and not about the tables of the schema.
#[must_use]
pub fn is_part(statement: &str) -> bool {
    let head: String = statement.chars().take_while(|c| *c != '(').collect();
    let created = head.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("CREATE"));
    let several = head.trim_start().starts_with("DROP") && head.contains(',');
    (head.contains(PREFIX) && !several) || (created && head.contains(FUNCTION) && !head.contains(" INDEX "))
}

/// Makes an index.
#[must_use]
pub fn create(table: &Table, dialect: &'static Dialect, index: &FullText) -> Vec<String> {
    let templates = dialect.definition.full_text.create.iter();
    templates.map(|template| written(table, dialect, index, template)).collect()
}

/// Makes an index of a table that others use.
#[must_use]
pub fn create_online(
    table: &Table,
    dialect: &'static Dialect,
    words: &Online,
    index: &FullText,
) -> Vec<String> {
    let templates = words.full_text.iter();
    templates.map(|template| written(table, dialect, index, template)).collect()
}

/// Drops an index as it stands: its name and version are of the live database.
#[must_use]
pub fn drop(dialect: &'static Dialect, name: &str, version: &str) -> Vec<String> {
    let templates = dialect.definition.full_text.drop.iter();
    let statements = templates.map(|template| {
        let mut writer = Writer::new(dialect);
        writer.template(template, &mut |writer, mark| {
            named(writer, (name, version), mark);
        });
        writer.finish().text
    });
    statements.collect()
}

fn written(table: &Table, dialect: &'static Dialect, index: &FullText, template: &'static str) -> String {
    let mut writer = Writer::new(dialect);
    write(&mut writer, dialect, (table, index), template);
    writer.finish().text
}

/// `$1` is the table, `$k` its key, `$K` and `$L` that of the new and old row, `$m` and `$o` that the key is it, `$d`
/// the definitions of its columns, `$T` their names with the table; `$c` are the columns and `$C` is a text with
/// their names; `$t` is the text of the columns, `$x` are its words, of the new row, `$y` of the old one, `$z` of a row
/// that is there; `$s` says that the text is the same. Other marks are names.
fn write(
    writer: &mut Writer,
    dialect: &'static Dialect,
    (table, index): (&Table, &FullText),
    template: &'static str,
) {
    writer.template(template, &mut |writer, mark| match mark {
        '1' => std::mem::drop(writer.table(table)),
        'k' => column_list(writer, table, &table.key),
        'K' => of(writer, table, "NEW."),
        'L' => of(writer, table, "OLD."),
        'T' => of(writer, table, "t."),
        'm' => key_is(writer, table, "NEW."),
        'o' => key_is(writer, table, "OLD."),
        'd' => definitions(writer, dialect, table),
        'c' => column_list(writer, table, &index.columns),
        'C' => {
            writer.schema_literal(&Value::Text(said(table, index)), 0);
        }
        't' => text(writer, dialect, (table, &index.columns), &mut |_| {}),
        'x' => words(writer, dialect, (table, index), "NEW."),
        'y' => words(writer, dialect, (table, index), "OLD."),
        'z' => words(writer, dialect, (table, index), "t."),
        's' => same(writer, dialect, table, index),
        'f' => {
            let mut body = Writer::new(dialect);
            classes(&mut body, dialect, dialect.definition.full_text.words, &mut |writer| {
                writer.push("t");
            });
            writer.schema_literal(&Value::Text(body.finish().text), 0);
        }
        'j' => {
            writer.listed(&joining());
        }
        mark => named(writer, (&index.name, VERSION), mark),
    });
}

fn named(writer: &mut Writer, (index, version): (&str, &str), mark: char) {
    match mark {
        'n' => writer.name(index),
        'w' => writer.name(&part(index, version, "")),
        'r' => writer.name(&part(index, version, "_r")),
        'i' => writer.name(&part(index, version, "_i")),
        'u' => writer.name(&part(index, version, "_u")),
        _ => writer.name(&part(index, version, "_d")),
    };
}

/// The name of an index and those of its columns, as what stands tells them.
fn said(table: &Table, index: &FullText) -> String {
    let columns = index.columns.iter().map(|id| &table.column(*id).name);
    let names = std::iter::once(&index.name).chain(columns);
    let mut out = String::new();
    write_json(&names.map(|name| Value::Text(name.clone())).collect::<Vec<_>>(), &mut out);
    out
}

fn of(writer: &mut Writer, table: &Table, row: &'static str) {
    for (index, id) in table.key.iter().enumerate() {
        writer.push(if index > 0 { ", " } else { "" }).push(row).column(table.column(*id));
    }
}

fn key_is(writer: &mut Writer, table: &Table, row: &'static str) {
    for (index, id) in table.key.iter().enumerate() {
        let column = table.column(*id);
        writer.push(if index > 0 { " AND " } else { "" }).column(column).push(" = ").push(row).column(column);
    }
}

fn definitions(writer: &mut Writer, dialect: &'static Dialect, table: &Table) {
    for (index, id) in table.key.iter().enumerate() {
        let column = table.column(*id);
        writer.push(if index > 0 { ", " } else { "" }).column(column).push(" ");
        Stored::of(table, column).write(writer, dialect);
        writer.push(" NOT NULL");
    }
}

/// The texts of some columns, one after the other.
pub(crate) fn text(
    writer: &mut Writer,
    dialect: &'static Dialect,
    (table, columns): (&Table, &[ColumnId]),
    row: &mut dyn FnMut(&mut Writer),
) {
    let Some((last, before)) = columns.split_last() else { return };
    let one = |writer: &mut Writer, row: &mut dyn FnMut(&mut Writer)| {
        writer.push("coalesce(");
        row(writer);
        writer.column(table.column(*last)).push(", '')");
    };
    if before.is_empty() {
        return one(writer, row);
    }
    writer.template(dialect.concat, &mut |writer, mark| match mark {
        '1' => text(writer, dialect, (table, before), row),
        _ => {
            writer.template(dialect.concat, &mut |writer, mark| match mark {
                '1' => std::mem::drop(writer.push("' '")),
                _ => one(writer, row),
            });
        }
    });
}

fn words(
    writer: &mut Writer,
    dialect: &'static Dialect,
    (table, index): (&Table, &FullText),
    row: &'static str,
) {
    classes(writer, dialect, dialect.definition.full_text.words, &mut |writer| {
        text(writer, dialect, (table, &index.columns), &mut |writer| {
            writer.push(row);
        });
    });
}

/// The words of `$t`: `$e` is the text with common letters as they are compared, `$a` the class of letters that not
/// every database knows, `$p` that of separators, `$b` and `$g` letters and those that they are compared as.
fn classes(
    writer: &mut Writer,
    dialect: &'static Dialect,
    template: &'static str,
    text: &mut dyn FnMut(&mut Writer),
) {
    let escaped = dialect.definition.full_text.escaped;
    writer.template(template, &mut |writer, mark| match mark {
        't' => text(writer),
        'e' => {
            let letters = spelled();
            for _ in &letters {
                writer.push("replace(");
            }
            text(writer);
            for (from, to) in letters {
                writer.push(", ").letter(from).push(", ").letter(to).push(")");
            }
        }
        'a' => std::mem::drop(writer.class(&rare(), escaped)),
        'p' => std::mem::drop(writer.class(&separators(), escaped)),
        'b' => std::mem::drop(writer.letters(&translated().0)),
        _ => std::mem::drop(writer.letters(&translated().1)),
    });
}

fn same(writer: &mut Writer, dialect: &'static Dialect, table: &Table, index: &FullText) {
    let columns = index.columns.iter().chain(&table.key);
    for (place, id) in columns.enumerate() {
        writer.push(if place > 0 { " AND " } else { "" });
        let column = table.column(*id);
        writer.template(dialect.definition.full_text.same, &mut |writer, mark| {
            writer.push(if mark == '1' { "OLD." } else { "NEW." }).column(column);
        });
    }
}
