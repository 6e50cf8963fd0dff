//! Queries as a client writes them: names, raw values. What codecs produce and
//! what Backstay's own services write down.

use backstay_schema::expr::AggregateFunction;
use backstay_schema::value::Value;

/// One request to the data.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// Rows.
    Select(Select),
    /// New rows, or new and changed rows.
    Insert(Insert),
    /// Changed rows.
    Update(Update),
    /// Deleted rows.
    Delete(Delete),
}

/// A read of one table with its embeds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Select {
    /// Table name.
    pub table: String,
    /// What to answer with; empty means an empty object per row.
    pub items: Vec<Item>,
    /// All must hold.
    pub filters: Vec<Filter>,
    /// Sort keys; ties are broken by the primary key, in the direction of the last of them.
    pub order: Vec<Order>,
    /// Most rows.
    pub limit: Option<u64>,
    /// Rows to skip.
    pub offset: u64,
    /// Whether to count all matching rows besides the page.
    pub count: bool,
}

/// One thing in a `select`.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// `*`: every column the caller may read; computed fields are named (as in PostgREST).
    Star,
    /// A column, computed field or JSON member.
    Field {
        /// The field.
        field: Field,
        /// Name in the answer, if another.
        alias: Option<String>,
        /// `::type`.
        cast: Option<String>,
        /// `.sum()` and its kin.
        aggregate: Option<Aggregate>,
    },
    /// `count()`: the number of rows; also a bare `count` alone in an embed, which else is a column.
    Count {
        /// Name in the answer, if another than `count`.
        alias: Option<String>,
        /// Whether the brackets stood there.
        called: bool,
        /// `::type` after it.
        cast: Option<String>,
    },
    /// A related table.
    Embed(Embed),
}

/// An aggregate of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// Which.
    pub function: AggregateFunction,
    /// `::type` after it: of the result.
    pub cast: Option<String>,
}

/// A field, perhaps with a way into its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// Column, computed field or (in null tests) embed name.
    pub name: String,
    /// `->a->0->>b`.
    pub path: Vec<JsonStep>,
}

/// One arrow of a JSON path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JsonStep {
    /// Member or index.
    pub key: JsonKey,
    /// `->>`: as text.
    pub as_text: bool,
}

/// What an arrow names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum JsonKey {
    /// Member of an object.
    Member(String),
    /// Element of an array; negative counts from the end.
    Index(i64),
}

/// A related table in a `select`.
#[derive(Debug, Clone, PartialEq)]
pub struct Embed {
    /// Relation field, foreign key column, constraint or table (SEMANTICS 19).
    pub target: String,
    /// `!hint`: foreign key column, constraint, relation field or junction table.
    pub hint: Option<String>,
    /// Name in the answer, if another.
    pub alias: Option<String>,
    /// `!inner`: parents without a match are left out.
    pub inner: bool,
    /// `...rel(…)`: its fields stand in the parent.
    pub spread: bool,
    /// The rows to embed; `table` is empty, `count` false.
    pub select: Select,
}

/// A condition on rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All hold.
    And(Vec<Self>),
    /// One holds.
    Or(Vec<Self>),
    /// Does not hold (three-valued: NULL stays NULL).
    Not(Box<Self>),
    /// A field against a value. `field` may name an embed of the select with [`Test::IsNull`].
    Field(Field, Test),
}

/// A test of one field.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Comparison.
    Compare(Comparison, Operand),
    /// `like` / `ilike`, with `%` and `_` (codecs turn `*` into `%`).
    Like {
        /// The pattern.
        pattern: String,
        /// `ilike`.
        ignore_case: bool,
    },
    /// `match` / `imatch`: somewhere in the text is what the regular expression describes.
    Match {
        /// The expression.
        pattern: String,
        /// `imatch`.
        ignore_case: bool,
    },
    /// `fts` and its kin: words are in the text.
    Search(Search),
    /// `in.(…)`.
    In(Vec<Operand>),
    /// `cs`, `cd`, `ov`.
    Set(SetTest, Operand),
    /// `is.null`.
    IsNull,
    /// `is.not_null`.
    IsNotNull,
    /// `is.true`, `is.false`.
    IsBool(bool),
    /// `is.unknown`: a NULL boolean.
    IsUnknown,
}

/// A search for words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// How the query is written.
    pub form: SearchForm,
    /// What is looked for.
    pub query: String,
    /// `fts(simple)`: the configuration that is named.
    pub config: Option<String>,
}

/// How the query of a search is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SearchForm {
    /// `fts`: words and operators.
    Query,
    /// `plfts`: words that are all there.
    Plain,
    /// `phfts`: words right after each other.
    Phrase,
    /// `wfts`: as in a search box.
    Web,
}

/// Tests of lists, and of JSON documents but for `ov`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetTest {
    /// `cs`, `@>`: all of the operand is in the field.
    Contains,
    /// `cd`, `<@`: all of the field is in the operand.
    Contained,
    /// `ov`, `&&`: they share an element.
    Overlaps,
}

/// The comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
}

/// A value on the right of an operator.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// Text from a URL, read by the type of the field.
    Text(String),
    /// A typed value, from Backstay's own services.
    Value(Value),
    /// The value that comes with each run of a query that is kept: of a comparison.
    Given(usize),
}

/// A sort key.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The field.
    pub field: Field,
    /// `order=rel(col)`: the to-one embed that has the field.
    pub relation: Option<String>,
    /// Falling.
    pub descending: bool,
    /// NULL first; by default first when falling, last when rising, as PostgreSQL.
    pub nulls_first: Option<bool>,
}

/// New rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Insert {
    /// Table name.
    pub table: String,
    /// Column names that the rows give, in the order of their cells.
    pub columns: Vec<String>,
    /// The rows; each has one cell per column.
    pub rows: Vec<Vec<Input>>,
    /// Upsert.
    pub conflict: Option<Conflict>,
    /// What to answer with.
    pub returning: Option<Select>,
}

/// What an upsert does on a conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Columns of the unique constraint; empty means the primary key.
    pub columns: Vec<String>,
    /// Whether the existing row is changed or left alone.
    pub action: ConflictAction,
}

/// Changed or left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictAction {
    /// `resolution=merge-duplicates`.
    Merge,
    /// As `Merge`, and what the row keeps beside its fields goes but for what is given: PUT.
    Replace,
    /// `resolution=ignore-duplicates`.
    Ignore,
}

/// A cell of a body.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The key is absent: the default applies (`missing=default`).
    Default,
    /// JSON null.
    Null,
    /// JSON boolean.
    Bool(bool),
    /// JSON number, as written.
    Number(String),
    /// JSON string.
    Text(String),
    /// JSON array or object, as written.
    Json(String),
    /// A typed value, from Backstay's own services.
    Value(Value),
}

/// Changed rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Update {
    /// Table name.
    pub table: String,
    /// Column name and new value.
    pub assign: Vec<(String, Input)>,
    /// Which rows; all must hold.
    pub filters: Vec<Filter>,
    /// What to answer with.
    pub returning: Option<Select>,
}

/// Deleted rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Delete {
    /// Table name.
    pub table: String,
    /// Which rows; all must hold.
    pub filters: Vec<Filter>,
    /// What to answer with.
    pub returning: Option<Select>,
}
