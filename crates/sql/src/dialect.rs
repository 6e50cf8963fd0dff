//! What differs between databases, as data and small functions. Lowering asks
//! here; nothing else knows which database it writes for.

pub mod conversion;
pub mod definition;
pub mod mysql;
pub mod postgres;
pub mod sqlite;

use self::definition::Definition;
use backstay_query::named::SetTest;
use backstay_query::plan::Words;
use backstay_schema::expr::{AggregateFunction, ArithmeticOp, Function};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Decimal;
use backstay_schema::value::Value;

/// The differences of one database. Templates name their arguments `$1`, `$2`;
/// `$d` and `$s` are digits and scale of the result type, `$f` the scale of the
/// source type, `$F` and `$T` the kinds of source and result type.
#[derive(Debug)]
pub struct Dialect {
    /// Short name: `sqlite`.
    pub name: &'static str,
    /// What stands around names.
    pub quote: char,
    /// How placeholders look.
    pub placeholder: Placeholder,
    /// Where NULL sorts when nothing is said.
    pub null_order: NullOrder,
    /// Whether `NULLS FIRST` and `NULLS LAST` can be said; else a sort key of its own says it.
    pub nulls_sayable: bool,
    /// A placeholder `$1` for a value of a type (`$d`, `$s`), where the driver cannot say the type.
    pub bind: fn(ScalarType) -> &'static str,
    /// After a text that is no column: that it is compared by its bytes. Columns of ours say so themselves.
    pub collate: &'static str,
    /// NULL of a type, where a column of a derived table is nothing else.
    pub null: fn(ScalarType) -> &'static str,
    /// `$1` in the list `$2` of values of a type.
    pub in_list: fn(ScalarType) -> &'static str,
    /// `$1` not in the list `$2`.
    pub not_in_list: fn(ScalarType) -> &'static str,
    /// Tests of two lists with elements of a type.
    pub set_test: fn(SetTest, ScalarType) -> &'static str,
    /// Whether the document `$1` contains another, or is contained in it.
    pub documents: Documents,
    /// The elements of the list `$1` as the rows of `$2`.
    pub elements: fn(ScalarType) -> &'static str,
    /// The element of the row of `$1`.
    pub element: fn(ScalarType) -> &'static str,
    /// After a parameter that stands for lists as texts: what makes it one.
    pub list_of_text: fn(ScalarType) -> &'static str,
    /// `$1` and `$2` as one text.
    pub concat: &'static str,
    /// `LIKE`: text `$1`, pattern `$2`.
    pub like: &'static str,
    /// `ILIKE`.
    pub like_ignoring_case: &'static str,
    /// Limit `$1`.
    pub limit: &'static str,
    /// Limit `$1`, offset `$2`.
    pub limit_offset: &'static str,
    /// Offset `$1`.
    pub offset: &'static str,
    /// Whether a plan is made without the values of a statement, and kept: the text then tells how large a page is.
    pub plans_once: bool,
    /// How a member of a JSON value is reached.
    pub json: JsonForm,
    /// How rows are given to a statement.
    pub row_set: RowSetForm,
    /// Whether one prepared row runs for many at once, as one statement that does all or nothing.
    pub batches: bool,
    /// Whether a cast that cannot be is refused by the database; else casts of answers are done here.
    pub casts_refuse: bool,
    /// How rows of to-many embeds are fetched.
    pub children: Children,
    /// What ends a test for rows within another sub-select, to keep the planner from a
    /// plan that answers wrongly.
    pub nested_exists: &'static str,
    /// Which writes can answer.
    pub returning: Returning,
    /// The key that the database counted for the row inserted last, where an insert cannot answer.
    pub counted_last: &'static str,
    /// Makes the database count on from the key `$3` of column `$2` of table `$1`, given in a row;
    /// none where it does so by itself.
    pub count_on: Option<&'static str>,
    /// An insert that names no column.
    pub default_row: &'static str,
    /// Keeps other writers from the row of source `$1` until the end of the transaction.
    pub lock_row: &'static str,
    /// The same for rows that a rule of a write reads: others may read, not write.
    pub lock_read: &'static str,
    /// Whether references may be met by later rows of one statement.
    pub references_wait: bool,
    /// A pattern of `matches` in the database's own words; none where it takes ours.
    pub pattern: Option<fn(&str) -> Option<String>>,
    /// How an index of words is asked.
    pub candidates: Asked,
    /// Tables, constraints, and how they are changed.
    pub definition: &'static Definition,
    /// `startsWith` and its kin.
    pub text_test: fn(TextTest) -> &'static str,
    /// Functions with a scalar result.
    pub call: fn(Function) -> &'static str,
    /// Arithmetic in a type.
    pub arithmetic: fn(ArithmeticOp, ScalarType) -> &'static str,
    /// Microseconds between the instants `$2` and `$1`.
    pub elapsed: &'static str,
    /// `-$1` in a type.
    pub negate: fn(ScalarType) -> &'static str,
    /// Conversion; none where the stored form is the same.
    pub cast: fn(ScalarType, ScalarType) -> Option<&'static str>,
    /// An aggregate of `$1`.
    pub aggregate: fn(AggregateFunction, ScalarType) -> &'static str,
    /// The exact sum of `$1` as text: numbers parted by commas, to be added up; `$s` is the scale.
    pub exact_sum: fn(ScalarType) -> &'static str,
    /// Whether a conversion that cannot be is NULL instead of a fault.
    pub casts_are_null: bool,
    /// A decimal of the schema file in the stored form of a scale.
    pub decimal_literal: fn(Decimal, u8) -> String,
    /// A list of the schema file as the text of a literal, its decimals with a scale.
    pub list_literal: fn(&[Value], u8) -> String,
    /// A uuid, timestamp or date of the schema file as a literal.
    pub literal: fn(&Value) -> String,
}

/// Every dialect, one per line.
pub const DIALECTS: &[&Dialect] = &[&sqlite::SQLITE, &postgres::POSTGRES, &mysql::MARIADB, &mysql::MYSQL];

/// The dialect of this short name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Dialect> {
    DIALECTS.iter().find(|dialect| dialect.name == name).copied()
}

/// How an index of words is asked which rows may have some. `$k` is the key of the row, `$r` the same columns of the
/// index, `$w` and `$m` are its tables, `$t` is the text of the row, `$q` what is asked.
#[derive(Debug, Clone, Copy)]
pub enum Asked {
    /// For all words by one text.
    AtOnce {
        /// The condition.
        template: &'static str,
        /// The text.
        query: fn(&Words) -> String,
    },
    /// For each word.
    EachWord {
        /// The condition for a word.
        word: &'static str,
        /// The condition for a word that may go on; `$q` is a pattern of `LIKE`.
        prefix: &'static str,
    },
}

/// How placeholders look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// `?`
    Question,
    /// `$1`
    Dollar,
}

/// Where NULL sorts when nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullOrder {
    /// Before every value when rising.
    Smallest,
    /// After every value when rising.
    Largest,
}

/// How a stored document `$1` is held against the document of a request.
#[derive(Debug, Clone, Copy)]
pub enum Documents {
    /// The document of the request is `$2`.
    Whole(fn(SetTest) -> &'static str),
    /// `$2` is a pattern for the text of `$1`.
    Pattern {
        /// The test of a text and a pattern.
        test: &'static str,
        /// The pattern of a document; none where it is too long.
        pattern: fn(SetTest, &str) -> Option<String>,
    },
    /// The document of the request is written out, a test for each of its values.
    WrittenOut(&'static ValueTests),
}

/// Tests of one stored value `$1` that may be missing.
#[derive(Debug, Clone, Copy)]
pub struct ValueTests {
    /// Its member at the path `$2`.
    pub member: &'static str,
    /// How many members it has.
    pub members: &'static str,
    /// Whether it is an object.
    pub object: &'static str,
    /// Whether it is an array.
    pub array: &'static str,
    /// Its elements, as rows of `$2`.
    pub elements: &'static str,
    /// The element of the row of `$1`.
    pub element: &'static str,
    /// Whether it is the string `$2`.
    pub string: &'static str,
    /// Whether its text matches the pattern `$2`.
    pub plain: &'static str,
    /// The same for an element.
    pub plain_element: &'static str,
}

/// How a member of a JSON value is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonForm {
    /// One bound path: JSON value `$1`, path `$2`.
    Path {
        /// As JSON.
        get: &'static str,
        /// As text.
        text: &'static str,
        /// Where an index would be taken for something else if there is no array.
        indexed: Option<Indexed>,
    },
    /// A bound name or index per step.
    Steps {
        /// Before each step.
        get: &'static str,
        /// Before the last step, when it is asked for as text.
        text: &'static str,
    },
}

/// Paths with an index in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Indexed {
    /// As JSON.
    pub get: &'static str,
    /// As text.
    pub text: &'static str,
    /// Whether the member at the path is an array.
    pub array: &'static str,
}

/// How rows are given to a statement.
#[derive(Debug, Clone, Copy)]
pub enum RowSetForm {
    /// One bound value; each element is a row.
    Elements {
        /// Number of a row, from 0.
        ordinal: &'static str,
        /// Column `$1` (a number) of a row.
        column: fn(ScalarType) -> &'static str,
        /// The rows of `$1`.
        from: &'static str,
    },
    /// One bound array per column, unnested side by side.
    Arrays,
    /// One bound JSON text, read by `JSON_TABLE`.
    JsonTable {
        /// Type of a column within `JSON_TABLE`.
        column: fn(ScalarType) -> &'static str,
        /// The column `$1` in its stored form.
        read: fn(ScalarType) -> &'static str,
    },
}

/// How rows of to-many embeds are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Children {
    /// A prepared statement per parent row: the database is in the process.
    PerRow,
    /// With their parents, as one array per column; a level with levels below it by one statement for all parents.
    Arrays,
    /// One statement per level for all parents.
    PerLevel,
}

/// Which writes can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Returning {
    /// None.
    Never,
    /// Inserts and deletes.
    InsertAndDelete,
    /// All.
    Always,
}

/// The tests of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextTest {
    /// `startsWith`.
    StartsWith,
    /// `endsWith`.
    EndsWith,
    /// `contains`.
    Contains,
    /// `matches`.
    Matches,
}

/// Word for the kind of a type, as conversion functions take it.
#[must_use]
pub const fn kind(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Int => "int",
        ScalarType::BigInt => "bigint",
        ScalarType::Float => "float",
        ScalarType::Decimal { .. } => "decimal",
        ScalarType::Boolean => "boolean",
        ScalarType::String | ScalarType::Enum(_) => "text",
        ScalarType::Uuid => "uuid",
        ScalarType::Timestamp => "timestamp",
        ScalarType::Date => "date",
        ScalarType::Time => "time",
        ScalarType::Duration => "duration",
        ScalarType::Bytes => "bytes",
        ScalarType::Json => "json",
        ScalarType::List(_) => "list",
    }
}

/// Digits and scale of a type; (18, 0) for what is no decimal.
#[must_use]
pub const fn digits_and_scale(ty: ScalarType) -> (u8, u8) {
    match ty {
        ScalarType::Decimal { digits, scale } => (digits, scale),
        ScalarType::List(list) => digits_and_scale(list.element.scalar()),
        _ => (18, 0),
    }
}
