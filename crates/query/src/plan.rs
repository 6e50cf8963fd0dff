//! Resolved queries: ids of one catalog, typed values, sources instead of names.
//! `resolve` makes them, `policy::weave` adds the rules, `sql` lowers them. The
//! same shapes serve before and after weaving; only a woven one can be run.

use backstay_schema::catalog::{ColumnId, ComputedId, TableId};
use backstay_schema::expr::{AggregateFunction, ArithmeticOp, Function};
use backstay_schema::extras::Bounds;
use backstay_schema::scalar::{DECIMAL, ScalarType};
use backstay_schema::value::Value;

use crate::named::{JsonStep, SetTest};

/// One occurrence of a table (or of given rows) in a script; unique within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u16);

/// Gives out source ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources(u16);

impl Sources {
    /// A new id.
    pub fn next_id(&mut self) -> SourceId {
        let id = SourceId(self.0);
        self.0 = self.0.saturating_add(1);
        id
    }
}

/// What one request does: steps in one transaction, and how it ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// Run in order; the first fault undoes all.
    pub steps: Vec<Step>,
    /// Commit, or undo after answering.
    pub end: End,
    /// Where further source ids come from.
    pub sources: Sources,
    /// Whether what it writes is told in the audits of the types.
    pub audit: Audit,
    /// How much its rows keep beside their fields.
    pub extras: Bounds,
}

/// Whether writes are told in audits, and as whose.
#[derive(Debug, Clone, PartialEq)]
pub enum Audit {
    /// They are not: rows are copied together with their audits.
    Off,
    /// They are; weaving says whose they are.
    Wanted,
    /// They are.
    By(Author),
}

/// Who wrote, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Author {
    /// When, in microseconds since the epoch.
    pub at: i64,
    /// The account; NULL where no account asked.
    pub account: Value,
    /// `anon`, `service`, `system`, or the role of the account.
    pub role: String,
}

/// How a script ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Keep what was written.
    Commit,
    /// Undo it; the answer shows what would have been (`tx=rollback`).
    Rollback,
}

/// One query with what is expected of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The query.
    pub query: Query,
    /// How many rows it may touch (writes) or answer with (reads).
    pub expect: Expect,
}

/// How many rows a step may touch or answer with; another number is a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Any number.
    Any,
    /// Exactly one; else PGRST116 `The result contains N rows`.
    Singular,
    /// At most this many; else PGRST124 `The query affects N rows`.
    AtMost(u64),
    /// Exactly one written row; else the step's script ends quietly: nothing of
    /// it is kept and [`crate::reply::Reply::affected`] is 0 for it. For Backstay's own services.
    OneOrNothing,
}

/// A resolved query.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// Rows.
    Select(Select),
    /// New rows.
    Insert(Insert),
    /// Changed rows.
    Update(Update),
    /// Deleted rows.
    Delete(Delete),
}

impl Query {
    /// Whether it may change anything.
    #[must_use]
    pub const fn writes(&self) -> bool {
        !matches!(self, Self::Select(_))
    }

    /// The select that it answers with, where it answers with rows.
    #[must_use]
    pub const fn answer(&self) -> Option<&Select> {
        match self {
            Self::Select(select) => Some(select),
            Self::Insert(insert) => insert.returning.as_ref(),
            Self::Update(update) => update.returning.as_ref(),
            Self::Delete(delete) => delete.returning.as_ref(),
        }
    }
}

/// A column of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ColumnRef {
    /// Which occurrence.
    pub source: SourceId,
    /// The table it is an occurrence of.
    pub table: TableId,
    /// The column.
    pub column: ColumnId,
}

/// A virtual computed field of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ComputedRef {
    /// Which occurrence.
    pub source: SourceId,
    /// The table it is an occurrence of.
    pub table: TableId,
    /// The field.
    pub computed: ComputedId,
}

/// A value in a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A column.
    Column(ColumnRef),
    /// A virtual computed field; `policy::weave` puts its expression in place.
    Computed(ComputedRef),
    /// A value; always bound, never text of a statement.
    Bind(Value, ScalarType),
    /// The value that is given for this index when the statement runs: of an upsert's row, of a
    /// read that is kept ([`crate::named::Operand::Given`]).
    Slot(usize, ScalarType),
    /// NULL of a type.
    Null(ScalarType),
    /// A member of a JSON value. Text when the last step is `->>`, else JSON.
    Json(Box<Self>, Vec<JsonStep>),
    /// Conversion by the rules of SEMANTICS 33; what cannot be converted is 22P02.
    Cast(Box<Self>, ScalarType),
    /// The value where the predicate is TRUE, else NULL: a field that a row-dependent read rule guards.
    Masked(Box<Pred>, Box<Self>),
    /// Arithmetic in this type; overflow and division by zero are NULL.
    Arithmetic(ArithmeticOp, Box<Self>, Box<Self>, ScalarType),
    /// `-a` in this type.
    Negate(Box<Self>, ScalarType),
    /// Text concatenation.
    Concat(Box<Self>, Box<Self>),
    /// A function with a scalar result (`Size`, `LowerAscii`, `Year` …).
    Call(Function, Vec<Self>),
    /// The first whose predicate is TRUE, else the last.
    Case(Vec<(Pred, Self)>, Box<Self>),
    /// A column of the at most one row of another table.
    Lookup(Box<Lookup>),
    /// An aggregate over rows of another table.
    Aggregate(Box<Aggregate>),
    /// `TRUE`, `FALSE` or NULL of a predicate.
    Test(Box<Pred>),
    /// The element at hand of [`Elements`].
    Element(SourceId, ScalarType),
}

/// A sub-select of at most one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// The occurrence.
    pub source: SourceId,
    /// Its table.
    pub table: TableId,
    /// Join condition and rules.
    pub filter: Pred,
    /// What to take.
    pub value: Scalar,
}

/// An aggregate sub-select.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Which.
    pub function: AggregateFunction,
    /// The occurrence.
    pub source: SourceId,
    /// Its table.
    pub table: TableId,
    /// Join condition and rules.
    pub filter: Pred,
    /// What to aggregate; none counts rows.
    pub value: Option<Scalar>,
    /// Type of the result.
    pub ty: ScalarType,
}

/// A predicate. It holds where it is TRUE; FALSE and NULL are the same to its user.
#[derive(Debug, Clone, PartialEq)]
pub enum Pred {
    /// `TRUE` or `FALSE`.
    Const(bool),
    /// All; empty is TRUE.
    And(Vec<Self>),
    /// Any; empty is FALSE.
    Or(Vec<Self>),
    /// SQL `NOT`: NULL stays NULL. Only for requests, never made from rules.
    Not(Box<Self>),
    /// `(p) IS NOT TRUE`: never NULL.
    IsNotTrue(Box<Self>),
    /// A comparison.
    Compare(PredOp, Scalar, Scalar),
    /// `IS NULL`.
    IsNull(Scalar),
    /// `IS NOT NULL`.
    IsNotNull(Scalar),
    /// `IS TRUE` of a boolean value.
    IsTrue(Scalar),
    /// `IS FALSE` of a boolean value.
    IsFalse(Scalar),
    /// In a list that is bound as one value; the type is that of its elements, none of them NULL.
    In(Scalar, Vec<Value>, ScalarType),
    /// Not in the list (NULL stays NULL).
    NotIn(Scalar, Vec<Value>, ScalarType),
    /// The first is an element of the list that is the second; the type is that of the elements.
    Member(Scalar, Scalar, ScalarType),
    /// It is none of them; TRUE where the list is NULL.
    NotMember(Scalar, Scalar, ScalarType),
    /// Two lists of one type, or two documents.
    Set(SetTest, Scalar, Scalar),
    /// Some element of a list holds.
    SomeElement(Box<Elements>),
    /// No element of a list holds; TRUE where the list is NULL.
    NoElement(Box<Elements>),
    /// `LIKE` with `%`, `_` and `\`, case-sensitive unless told.
    Like {
        /// The text.
        value: Scalar,
        /// The pattern; bound.
        pattern: String,
        /// `ILIKE` (Unicode simple case folding).
        ignore_case: bool,
    },
    /// `StartsWith`, `EndsWith`, `Contains`, `Matches`; second is the needle or pattern.
    Text(Function, Scalar, Scalar),
    /// The test of [`Pred::Text`] is FALSE (not NULL).
    NotText(Function, Scalar, Scalar),
    /// An index says that the row may have the words. It stands beside the patterns that decide, in reads, and never
    /// under a negation.
    Candidates(Box<Candidates>),
    /// Some row of a table holds.
    Exists(Box<Exists>),
    /// No row of a table holds.
    NotExists(Box<Exists>),
}

/// Comparison operators of predicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum PredOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// A sub-select that is only asked whether it has rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Exists {
    /// The occurrence.
    pub source: SourceId,
    /// Its table.
    pub table: TableId,
    /// Join condition and rules.
    pub filter: Pred,
}

/// The rows of a table that an index of words gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    /// The occurrence.
    pub source: SourceId,
    /// Its table.
    pub table: TableId,
    /// Which of [`backstay_schema::catalog::Table::full_texts`].
    pub index: usize,
    /// What it is asked for.
    pub words: Words,
}

/// Words that a text has to have, of letters without case and accents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// One, or one that begins so.
    Word {
        /// Its letters; never none.
        letters: String,
        /// It may go on.
        prefix: bool,
    },
    /// All of them; never none.
    All(Vec<Self>),
    /// One of them; never none.
    Any(Vec<Self>),
}

/// A sub-select over the elements of a list that is only asked whether it has rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Elements {
    /// The occurrence.
    pub source: SourceId,
    /// The list; its elements are not NULL.
    pub list: Scalar,
    /// Type of an element.
    pub element: ScalarType,
    /// What an element must hold.
    pub filter: Pred,
}

impl Pred {
    /// Holds always.
    pub const TRUE: Self = Self::Const(true);
    /// Holds never.
    pub const FALSE: Self = Self::Const(false);

    /// `self AND other`, folded.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Const(true), p) | (p, Self::Const(true)) => p,
            (Self::Const(false), _) | (_, Self::Const(false)) => Self::FALSE,
            (Self::And(mut a), Self::And(b)) => {
                a.extend(b);
                Self::And(a)
            }
            (Self::And(mut a), p) => {
                a.push(p);
                Self::And(a)
            }
            (p, Self::And(mut b)) => {
                b.insert(0, p);
                Self::And(b)
            }
            (a, b) => Self::And(vec![a, b]),
        }
    }

    /// `self OR other`, folded.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Const(false), p) | (p, Self::Const(false)) => p,
            (Self::Const(true), _) | (_, Self::Const(true)) => Self::TRUE,
            (Self::Or(mut a), Self::Or(b)) => {
                a.extend(b);
                Self::Or(a)
            }
            (Self::Or(mut a), p) => {
                a.push(p);
                Self::Or(a)
            }
            (p, Self::Or(mut b)) => {
                b.insert(0, p);
                Self::Or(b)
            }
            (a, b) => Self::Or(vec![a, b]),
        }
    }
}

/// A read of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// The occurrence.
    pub source: SourceId,
    /// Its table.
    pub table: TableId,
    /// What each row answers with, in order.
    pub outputs: Vec<Output>,
    /// Which rows.
    pub filter: Pred,
    /// Sort keys; `resolve` has appended the primary key.
    pub order: Vec<Order>,
    /// Most rows.
    pub limit: Option<u64>,
    /// Rows to skip.
    pub offset: u64,
    /// Whether to count all matching rows besides the page ([`crate::reply::Reply::total`]).
    pub count: bool,
    /// Rows are answered by group: `order` is empty, and no output is starred.
    pub group: Option<Group>,
}

/// One row is answered per distinct values of the outputs that are no [`OutputValue::Aggregate`];
/// without such outputs one in all, even of nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    /// To-one relations whose columns the outputs read as their own (`...rel(…)`); they have no outputs.
    pub joined: Vec<Select>,
    /// Sort keys; all other group values follow, rising, NULL last.
    pub order: Vec<GroupOrder>,
}

/// A sort key of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupOrder {
    /// Which of the outputs; it is an [`OutputValue::Scalar`].
    pub output: usize,
    /// Falling.
    pub descending: bool,
    /// NULL first.
    pub nulls_first: bool,
}

/// An aggregate over the rows of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Folded {
    /// Which.
    pub function: AggregateFunction,
    /// Of what; none counts rows.
    pub value: Option<Scalar>,
    /// Type of `value`.
    pub of: ScalarType,
    /// The type that the result is cast to, where the request says one.
    pub then: Option<ScalarType>,
}

impl Folded {
    /// The type of the result: sums of `Int` are `BigInt`, other exact sums and all exact means
    /// [`ScalarType::Decimal`] of as many digits as they need.
    #[must_use]
    pub const fn ty(&self) -> ScalarType {
        match (self.then, self.function, self.of) {
            (Some(then), _, _) => then,
            (None, AggregateFunction::Count, _) | (None, AggregateFunction::Sum, ScalarType::Int) => {
                ScalarType::BigInt
            }
            (None, AggregateFunction::Min | AggregateFunction::Max, of) => of,
            (None, AggregateFunction::Sum | AggregateFunction::Avg, ScalarType::Float) => ScalarType::Float,
            (None, AggregateFunction::Sum | AggregateFunction::Avg, _) => DECIMAL,
        }
    }
}

/// A sort key.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// By what.
    pub by: Scalar,
    /// Falling.
    pub descending: bool,
    /// NULL first.
    pub nulls_first: bool,
}

/// One member of an answered row.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its name in the answer.
    pub name: String,
    /// Came from `*`: left out when the caller may never read it; a named one is refused.
    pub starred: bool,
    /// The members of its value, a JSON object, stand in the row beside the others; those of a name that
    /// is there already are left out.
    pub spilled: bool,
    /// Its value.
    pub value: OutputValue,
}

/// The value of a member.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputValue {
    /// A scalar of this type.
    Scalar(Scalar, ScalarType),
    /// An object or null: the row of a to-one relation. The join condition is in the select's filter.
    One(Box<Select>),
    /// A list: the rows of a to-many or n-n relation. The join condition is in the select's filter.
    Many(Box<Select>),
    /// `[{"name": n}]`: the number of rows that the select matches (`rel(count)`).
    Count {
        /// The rows to count; its outputs are empty.
        select: Box<Select>,
        /// Name of the member that holds the number.
        name: String,
    },
    /// The fields of a to-one relation stand in the parent: `One` without an object around it.
    Spread(Box<Select>),
    /// The fields of a to-many or n-n relation stand in the parent, each as a list: `Many`
    /// without the objects.
    SpreadMany(Box<Select>),
    /// An aggregate; only where the select has a [`Group`].
    Aggregate(Folded),
}

/// New rows, or new and changed rows.
///
/// Order of work: fill `columns` from `rows`; compute `derived`; write all rows;
/// then `rule` must be TRUE for each written row, else 42501. When a constraint or
/// `invalid` refuses the write, `rule` is first judged on the prospective row, and
/// only where it holds is that refusal shown; otherwise 42501.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// The table.
    pub table: TableId,
    /// The occurrence that `derived`, `rule` and `checks` read: the prospective, later the written row.
    pub row: SourceId,
    /// What `rows` give, in order.
    pub columns: Vec<ColumnId>,
    /// The values.
    pub rows: Vec<Vec<Value>>,
    /// `resolve`: whether a cell was absent (`missing=default`); same shape as `rows`, empty when none was.
    pub absent: Vec<Vec<bool>>,
    /// Further columns computed from the prospective row (`@set` that reads a relation).
    pub derived: Vec<(ColumnId, Scalar)>,
    /// References whose target the caller must be allowed to name.
    pub references: Vec<Reference>,
    /// `@check`s of the table, over `row`; engines skip those that stand in the database.
    pub checks: Vec<RowCheck>,
    /// Must be TRUE of every written row.
    pub rule: Pred,
    /// What is told where it is not.
    pub denials: Denials,
    /// The fault that the values themselves deserve (`@valid`, `@next`, missing value), shown only where `rule` holds.
    pub invalid: Vec<Invalid>,
    /// Upsert.
    pub conflict: Option<Conflict>,
    /// What to answer with: one row per written row, in order; its source is [`Insert::row`].
    pub returning: Option<Select>,
}

impl Insert {
    /// Rows into a table, and nothing besides: no rule, no answer.
    #[must_use]
    pub const fn of(table: TableId, row: SourceId, columns: Vec<ColumnId>, rows: Vec<Vec<Value>>) -> Self {
        Self {
            table,
            row,
            columns,
            rows,
            absent: Vec::new(),
            derived: Vec::new(),
            references: Vec::new(),
            checks: Vec::new(),
            rule: Pred::TRUE,
            denials: Denials { open: Vec::new(), rule: Pred::TRUE, each: Vec::new() },
            invalid: Vec::new(),
            conflict: None,
            returning: None,
        }
    }
}

/// What the refused hear where nothing but `@deny(message:)` stands in their way: the rules
/// of a write without those denials, and each of them. Nothing of it decides a write.
#[derive(Debug, Clone, PartialEq)]
pub struct Denials {
    /// Update: per arm, what the stored row must hold besides.
    pub open: Vec<Pred>,
    /// The rule besides.
    pub rule: Pred,
    /// In order of declaration.
    pub each: Vec<Denial>,
}

impl Default for Denials {
    fn default() -> Self {
        Self { open: Vec::new(), rule: Pred::TRUE, each: Vec::new() }
    }
}

/// A `@deny(message:)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Denial {
    /// For the person who is refused.
    pub message: String,
    /// Update: TRUE of a stored row where it does not deny.
    pub stored: Pred,
    /// TRUE of the row of the rule where it does not deny.
    pub row: Pred,
}

/// A reference that a write sets (SEMANTICS 5). Where its columns are not NULL, `allowed`
/// must be TRUE of the written row, else 23503 as if the target were not there; like any
/// constraint error it is shown only where the rule of the write holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// Name of the foreign key constraint.
    pub constraint: String,
    /// Columns that hold the key of the target.
    pub columns: Vec<ColumnId>,
    /// The table it refers to.
    pub target: TableId,
    /// Over the source `row` of the write.
    pub allowed: Pred,
}

/// A `@check` of a table: 23514 for a written row where `broken` is TRUE, shown only where the rule holds.
#[derive(Debug, Clone, PartialEq)]
pub struct RowCheck {
    /// Constraint name.
    pub constraint: String,
    /// For the person who broke it; empty where the author wrote none.
    pub message: String,
    /// Where the check is definitely false.
    pub broken: Pred,
}

/// A value that a row of a write gives and that its column refuses.
#[derive(Debug, Clone, PartialEq)]
pub struct Invalid {
    /// Index of the row.
    pub row: usize,
    /// 23502 or 23514 as the engine would say it.
    pub refusal: Refusal,
}

/// A refusal known before the write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 23502 for this column.
    NotNull(ColumnId),
    /// 23514 by this constraint, with a message for the person.
    Check {
        /// Constraint name.
        constraint: String,
        /// `@valid(message:)` or our own words.
        message: Option<String>,
    },
    /// 23514: the enum may not go from one member to another; `from` is none on create.
    Transition {
        /// The column.
        column: ColumnId,
        /// Stored member.
        from: Option<String>,
        /// Wanted member.
        to: String,
    },
}

/// What happens to a row whose conflict target exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// Columns of the unique constraint or key.
    pub target: Vec<ColumnId>,
    /// Merge: changes the existing row; none leaves it alone.
    ///
    /// Its `assign` holds [`Assign::Given`]; its filter is the read rule alone: a conflict
    /// with a row outside it is 23505.
    pub merge: Option<Update>,
    /// What is given for [`Table::extras`](backstay_schema::catalog::Table::extras) is all that the row keeps, no patch.
    pub replaces: bool,
}

/// Changed rows.
///
/// Order of work: classify the rows where `filter` holds (over `row`, the stored row):
/// key, `keep`, one bit per `stored`. Rows for which no arm's bit is set are skipped;
/// if none is left but some matched, 42501. Transitions are judged on the kept old value
/// and the new one. Write by key. Then, with `row` the row after the write and `old` the
/// kept one: some arm with its bit set must be TRUE in `arms`, and `rule` must be TRUE;
/// else 42501 for the whole request.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The table.
    pub table: TableId,
    /// The row: stored while classifying and assigning, new while verifying.
    pub row: SourceId,
    /// The stored row while verifying; only `keep` and the key may be read of it.
    pub old: SourceId,
    /// Which rows: request filter and read rule.
    pub filter: Pred,
    /// Whether the request itself gave a filter.
    pub filtered: bool,
    /// New values. Empty: nothing is written, rows are only matched.
    pub assign: Vec<(ColumnId, Assign)>,
    /// What [`Assign::Given`] stands for where there is no input row. What is given for
    /// [`Table::extras`](backstay_schema::catalog::Table::extras) is a patch of what is stored.
    pub given: Vec<Value>,
    /// Per arm of the update rule: what the stored row must hold.
    pub stored: Vec<Pred>,
    /// Per arm: what the new row must hold.
    pub arms: Vec<Pred>,
    /// References whose target the caller must be allowed to name; `allowed` reads [`Update::row`].
    pub references: Vec<Reference>,
    /// `@check`s of the table, over `row`; engines skip those that stand in the database.
    pub checks: Vec<RowCheck>,
    /// What every written row must hold besides: denials, field rules, the create rule of a moved row.
    pub rule: Pred,
    /// What is told where it does not.
    pub denials: Denials,
    /// Columns of the stored row that `arms` and `rule` read through `old`.
    pub keep: Vec<ColumnId>,
    /// Enum columns with transitions that are assigned.
    pub transitions: Vec<Transition>,
    /// Refusals known from the values alone, shown only where the rules hold (row index 0).
    pub invalid: Vec<Invalid>,
    /// What to answer with: one row per written row, in key order; its source is [`Update::row`].
    pub returning: Option<Select>,
}

/// A new value of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Assign {
    /// A value.
    Value(Value),
    /// Computed from the stored row (with the request's own new values already put in place).
    Scalar(Scalar),
    /// Upsert: the value that the input row gives for this index of [`Insert::columns`].
    Given(usize),
}

/// Allowed changes of an enum column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The column; it is in `keep`.
    pub column: ColumnId,
    /// Allowed (from, to) pairs; an unchanged value is always allowed.
    pub edges: Vec<(String, String)>,
}

/// Deleted rows. `filter` is request filter and read rule; `rule` the delete rule on the stored row.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// The table.
    pub table: TableId,
    /// The stored row.
    pub row: SourceId,
    /// Which rows are asked for.
    pub filter: Pred,
    /// Whether the request itself gave a filter.
    pub filtered: bool,
    /// Which of them may go; others are skipped, and if none is left, 42501.
    pub rule: Pred,
    /// What is told where none may.
    pub denials: Denials,
    /// What to answer with, read before deleting.
    pub returning: Option<Select>,
}
