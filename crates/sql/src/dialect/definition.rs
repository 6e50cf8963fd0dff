//! What differs between databases in definitions: types, constraints, and how a table
//! that stands is changed. Data and small functions; templates name their arguments.

pub mod mysql;
pub mod postgres;
pub mod sqlite;

use backstay_schema::catalog::OnDelete;
use backstay_schema::expr::ArithmeticOp;
use backstay_schema::scalar::ScalarType;

/// The differences of one database in its definitions.
#[derive(Debug)]
pub struct Definition {
    /// Column type; `$d` and `$s` are digits and scale, `$n` is the length of an indexed text.
    pub column_type: fn(ScalarType, Place) -> &'static str,
    /// The type that a column has, from the words of the database; none for a type that no column of ours has.
    pub scalar: fn(&str) -> Option<ScalarType>,
    /// Column definition of a key that the database counts; `$t` is its type, `$1` the constraint name.
    pub counted_key: &'static str,
    /// Whether generated columns, CHECKs and conditions of indexes may read a key that the database counts.
    pub reads_counted: bool,
    /// What ends a table definition.
    pub table_suffix: &'static str,
    /// `ON DELETE …`.
    pub on_delete: fn(OnDelete) -> &'static str,
    /// What ends a foreign key.
    pub reference_suffix: &'static str,
    /// Decimals are integers: their digits need a CHECK, which also keeps their scale.
    pub scaled_decimals: bool,
    /// Booleans are integers: they need a CHECK.
    pub counted_booleans: bool,
    /// JSON is text: the condition that it is well formed, of the column `$1`.
    pub json_check: Option<&'static str>,
    /// The literal of false.
    pub falsehood: &'static str,
    /// The literal of true.
    pub truth: &'static str,
    /// Backslashes in quoted text must be doubled.
    pub backslash_escapes: bool,
    /// How many characters `$1` has.
    pub characters: &'static str,
    /// When a migration runs, in the stored form of a timestamp, without registered functions.
    pub migration_time: &'static str,
    /// The same as the default of a column.
    pub default_time: &'static str,
    /// The default `$1` of a column that is added.
    pub default: &'static str,
    /// `DROP INDEX`; `$1` is the index, `$2` its table.
    pub drop_index: &'static str,
    /// Indexes of a part of the rows.
    pub partial: Partial,
    /// Indexes of words.
    pub full_text: FullText,
    /// What a column that the database computes calculates, without registered functions; overflow is NULL.
    /// `$d` and `$s` are digits and scale, `$m` is the largest number of so many digits.
    pub arithmetic: fn(ArithmeticOp, ScalarType) -> &'static str,
    /// A number `$1` in a wider type; `$p` is ten to the power of the scale.
    pub widened: fn(ScalarType, ScalarType) -> &'static str,
    /// Where comments are kept.
    pub comments: Comments,
    /// How values of one type become those of another, of the pairs that `conversion::is_known`; `$1` is the column.
    pub convert: fn(ScalarType, ScalarType) -> &'static str,
    /// How a table that stands is changed.
    pub alter: Alter,
}

/// Indexes of a part of the rows: whole statements. `$1` is the index, `$2` its table, `$3` its columns,
/// `$4` the condition, `$5` a column that only the index needs.
#[derive(Debug, Clone, Copy)]
pub struct Partial {
    /// A unique one.
    pub unique: &'static str,
    /// Another.
    pub plain: &'static str,
    /// `DROP`.
    pub drop: &'static str,
}

/// Indexes of words: whole statements with the marks of `ddl::full_text`.
#[derive(Debug, Clone, Copy)]
pub struct FullText {
    /// The words of a text, as the index keeps them.
    pub words: &'static str,
    /// How characters stand in classes.
    pub escaped: Escaped,
    /// `$1` is what `$2` is, NULL too.
    pub same: &'static str,
    /// Makes it.
    pub create: &'static [&'static str],
    /// Drops it.
    pub drop: &'static [&'static str],
}

/// How characters stand in classes of characters within a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escaped {
    /// As they are.
    Never,
    /// `\\x{2000}`.
    Braces,
    /// `\U00002000`.
    Digits,
}

/// Where comments are kept. `$k` is the text: on one line, with escapes.
#[derive(Debug, Clone, Copy)]
pub enum Comments {
    /// The database keeps none.
    Nowhere,
    /// Whole statements say them: of the table `$1` and of its column `$2`.
    Statements {
        /// What begins a text with escapes.
        opens: &'static str,
        /// Of a table.
        table: &'static str,
        /// Of a column.
        column: &'static str,
    },
    /// They are parts of definitions.
    Clauses {
        /// What begins a text with escapes.
        opens: &'static str,
        /// Ends the definition of a table.
        table: &'static str,
        /// Ends the definition of a column.
        column: &'static str,
        /// A whole statement: another one of the table `$1`.
        change_table: &'static str,
        /// Most characters of a table's.
        most_of_table: usize,
        /// Most characters of a column's.
        most_of_column: usize,
    },
}

/// Where a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In rows alone.
    Row,
    /// In a key, unique constraint, index or reference, too.
    Index,
}

/// How a table that stands is changed.
#[derive(Debug, Clone, Copy)]
pub enum Alter {
    /// Beyond names and plain new columns it is made anew.
    Rebuild,
    /// Step by step, where it stands.
    InPlace(&'static InPlace),
}

/// The steps of a change in place. Each follows `ALTER TABLE "t"` unless it says otherwise.
#[derive(Debug)]
pub struct InPlace {
    /// Another type for the column `$1`: `$t` is the new one, `$e` the value converted.
    pub change_type: ChangeType,
    /// NULL is allowed from now on; `$t` is the type, `$k` the clause of the comment.
    pub allow_null: &'static str,
    /// NULL is not allowed from now on.
    pub forbid_null: &'static str,
    /// The database counts the column from now on.
    pub count: &'static str,
    /// Counting goes on at the number `$n`; none where the database sees for itself.
    pub count_from: Option<&'static str>,
    /// It does not any more.
    pub stop_counting: &'static str,
    /// Drops the primary key `$1`.
    pub drop_key: &'static str,
    /// Drops the unique constraint `$1`.
    pub drop_unique: &'static str,
    /// Drops the CHECK `$1`.
    pub drop_check: &'static str,
    /// Drops the foreign key `$1`.
    pub drop_reference: &'static str,
    /// Another name `$2` for the key `$1`, where keys have names.
    pub rename_key: Option<&'static str>,
    /// Another name `$2` for the unique constraint `$1`.
    pub rename_unique: &'static str,
    /// A whole statement: another name `$2` for the index `$1` of the table `$3`.
    pub rename_index: &'static str,
    /// Whether a column that is added `NOT NULL` without a default is refused where rows stand;
    /// else it is added with NULL allowed and forbidden afterwards.
    pub refuses_missing: bool,
    /// What ends the making of an index: that nobody waits for it.
    pub index_clause: &'static str,
    /// What ends the making of a unique constraint.
    pub unique_clause: &'static str,
    /// How long work is done while others read and write; none where that needs no words of its own.
    pub online: Option<&'static Online>,
    /// How nodes of two versions write the same table.
    pub expand: &'static Expand,
}

/// A table in two shapes at once. Whole statements and bodies of triggers: `$1` is the table, `$n` the new column,
/// `$o` the old one, `$g` the new one's value from the old one's of the row that is written, `$h` the other way
/// round, `$v` as `$g` of a row that is there, `$k` the key, `$z` how many rows at most, `$b` the body as a text;
/// `$f`, `$i` and `$u` are names. Where nothing is old, `$g` and `$v` are the default.
#[derive(Debug)]
pub struct Expand {
    /// Keeps the two columns alike.
    pub mirror: &'static [&'static str],
    /// What is done then.
    pub mirror_body: &'static str,
    /// Gives the new column a value.
    pub fill: &'static [&'static str],
    /// What is done then.
    pub fill_body: &'static str,
    /// Ends either.
    pub end: &'static [&'static str],
    /// Ends one trigger `$f` of the table `$1`.
    pub end_one: &'static [&'static str],
    /// A value for rows that are there.
    pub backfill: &'static str,
    /// NULL is allowed for the column `$1` of the type `$t`; it follows `ALTER TABLE "t"`.
    pub relax: &'static str,
}

/// Long work on a table that others use: definitions are made without looking at the rows that are there,
/// and what has to read these does so afterwards, without a lock that anybody waits for. Each follows
/// `ALTER TABLE "t"` unless it says otherwise.
#[derive(Debug)]
pub struct Online {
    /// A whole statement: what stands before it is done, whatever becomes of the rest.
    pub boundary: &'static str,
    /// A whole statement: the index `$1` of the table `$2` over `$3`.
    pub index: &'static str,
    /// The same, unique.
    pub unique_index: &'static str,
    /// A unique constraint `$1` of the index with its name.
    pub unique: &'static str,
    /// Indexes of a part of the rows.
    pub partial: Partial,
    /// A whole statement: drops the index `$1`.
    pub drop_index: &'static str,
    /// Whole statements: an index of words.
    pub full_text: &'static [&'static str],
    /// What ends a reference or check that rows which are there are not held against yet.
    pub unvalidated: &'static str,
    /// Holds all rows against the constraint `$1`.
    pub validate: &'static str,
}

/// How a column takes another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeType {
    /// In one step that converts: the template, with `$1`, `$t` and `$e`.
    Converting(&'static str),
    /// The template, with `$1` and `$t`, changes the type alone and only where the kind stays; else a
    /// new column takes the converted values and the old one goes.
    Widening(&'static str),
}

/// The `ON DELETE` of all of them.
pub(super) const fn on_delete(action: OnDelete) -> &'static str {
    match action {
        OnDelete::Restrict => " ON DELETE RESTRICT",
        OnDelete::Cascade => " ON DELETE CASCADE",
        OnDelete::SetNull => " ON DELETE SET NULL",
    }
}

/// `numeric(12,2)` → (`numeric`, [12, 2]).
pub(super) fn word_and_numbers(words: &str) -> (&str, Vec<u64>) {
    let Some((word, rest)) = words.split_once('(') else { return (words.trim(), Vec::new()) };
    let inner = rest.split(')').next().unwrap_or_default();
    (word.trim(), inner.split(',').filter_map(|number| number.trim().parse().ok()).collect())
}

/// A decimal of these digits and scale, where a column of ours may have them.
pub(super) fn decimal(numbers: &[u64]) -> Option<ScalarType> {
    let digits = u8::try_from(*numbers.first()?).ok()?;
    let scale = numbers.get(1).map_or(Some(0), |scale| u8::try_from(*scale).ok())?;
    Some(ScalarType::Decimal { digits, scale })
}
