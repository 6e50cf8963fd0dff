//! Checked rule expressions: what the CEL front end hands to `policy`. Every
//! name is resolved, every node typed, macros of named rules expanded, macros
//! over literal lists kept as [`Over::List`].

pub mod plain;
pub mod stored;
pub mod walk;

use crate::catalog::{ColumnId, ComputedId, EmbeddedId, Operation, RelationId, Span, TableId};
use crate::scalar::ScalarType;
use crate::value::Value;

/// A checked expression.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type.
    pub ty: Ty,
    /// Where it stands in the schema file.
    pub span: Span,
}

/// The type of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ty {
    /// A scalar of a known type (`Boolean` for predicates).
    Scalar(ScalarType),
    /// The literal `null`.
    Null,
    /// A row (compared by its key).
    Row(TableId),
    /// A list of scalars.
    List(Box<Ty>),
    /// A document of a declared shape.
    Embedded(EmbeddedId),
    /// A JSON member or a claim: known only at run time; compared with the other side's type.
    Dynamic,
}

/// A variable bound by a quantifier or aggregate, unique within one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VarId(pub u16);

/// The kinds of expression.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// A literal; `null` is `Value::Null`.
    Const(Value),
    /// A list literal.
    List(Vec<Expr>),
    /// A column, computed field, JSON member or row, reached over to-one relations.
    Path(Path),
    /// Something about the caller.
    Auth(AuthField),
    /// Something about the request.
    Request(RequestField),
    /// A scalar variable of a macro over a list.
    Var(VarId),
    /// `!a`.
    Not(Box<Expr>),
    /// `-a`.
    Negate(Box<Expr>),
    /// `a && b`.
    And(Box<Expr>, Box<Expr>),
    /// `a || b`.
    Or(Box<Expr>, Box<Expr>),
    /// `a == b` and its kin. Rows compare by key. Sides have one type after casts,
    /// or one is `null`, or one is [`Ty::Dynamic`].
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// Arithmetic on numbers of one type; also timestamp ± duration.
    Arithmetic(ArithmeticOp, Box<Expr>, Box<Expr>),
    /// Text concatenation.
    Concat(Box<Expr>, Box<Expr>),
    /// `c ? a : b`.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `x in list`: the list is a literal, a stored list, a claim or `request.changed`.
    In(Box<Expr>, Box<Expr>),
    /// A function on scalars; the receiver is the first argument.
    Call(Function, Vec<Expr>),
    /// `over.exists(v, body)` and its kin. `x in rel.map(r, e)` arrives as `exists(r, e == x)`.
    Quantifier {
        /// Which macro.
        quantifier: Quantifier,
        /// What it ranges over.
        over: Over,
        /// The variable in `body`.
        var: VarId,
        /// The predicate.
        body: Box<Expr>,
    },
    /// `rel.filter(v, f).map(v, e).sum()` and its kin, `rel.size()`.
    Aggregate {
        /// Which aggregate.
        function: AggregateFunction,
        /// The relation.
        over: RelationPath,
        /// The variable in `filter` and `value`.
        var: VarId,
        /// `.filter(…)`.
        filter: Option<Box<Expr>>,
        /// `.map(…)`; none for `size()`.
        value: Option<Box<Expr>>,
    },
    /// `allowed(row, "read")`: the rules of another type.
    Allowed {
        /// A path that ends in a row.
        row: Path,
        /// Which operation.
        operation: Operation,
    },
    /// `has(this.meta.plan)`: the JSON member is there.
    Has(Path),
    /// A named `@rule`, expanded; kept for explanations.
    Rule {
        /// Its name.
        name: String,
        /// Its body with parameters in place.
        body: Box<Expr>,
    },
    /// Widening made by the checker (Int → BigInt → Decimal → Float, decimals to one scale),
    /// and an enum read as its text.
    Cast(Box<Expr>),
}

/// A way from a row over to-one relations to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Where it starts.
    pub root: Root,
    /// To-one relations (also single reverse sides), in order.
    pub hops: Vec<Hop>,
    /// Where it ends.
    pub end: End,
}

/// The row that a path starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Root {
    /// The row at hand.
    This,
    /// The stored row of an update.
    Old,
    /// The row after an update.
    New,
    /// The caller's `@user` row.
    AuthUser,
    /// The row bound by a quantifier.
    Var(VarId),
}

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hop {
    /// The table that has the relation.
    pub table: TableId,
    /// The relation.
    pub relation: RelationId,
    /// The table it leads to.
    pub target: TableId,
}

/// What a path ends in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The row itself.
    Row,
    /// A column of the last table.
    Column(ColumnId),
    /// A computed field of the last table, read as System.
    Computed(ComputedId),
    /// A member inside a JSON column.
    Json {
        /// The column.
        column: ColumnId,
        /// Member names from the top.
        members: Vec<String>,
    },
}

/// What a quantifier ranges over.
#[derive(Debug, Clone)]
pub enum Over {
    /// Rows of a to-many or n-n relation; the variable is a row.
    Relation(RelationPath),
    /// Elements of a literal list, a stored list, a claim or `request.changed`; the variable is a scalar.
    List(Box<Expr>),
}

/// A to-many or n-n relation of a row.
#[derive(Debug, Clone)]
pub struct RelationPath {
    /// A path that ends in the row which has the relation.
    pub row: Path,
    /// The relation.
    pub hop: Hop,
}

/// About the caller. A comparison with one that is absent is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthField {
    /// `auth.uid`: account id (Uuid).
    Uid,
    /// `auth.role`: always there.
    Role,
    /// `auth.email`: absent until verified.
    Email,
    /// `auth.aal`: `aal1` or `aal2`.
    Aal,
    /// `auth.org`: the tenant that the caller acts for; compared with any type of key.
    Org,
    /// `auth.claims.a.b`: a member of the token's claims (never `user_metadata`).
    Claim(Vec<String>),
}

/// About the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestField {
    /// `now`, `request.time`: one value per request (Timestamp).
    Time,
    /// `request.op`: `read`, `create`, `update`, `delete`.
    Op,
    /// `request.method`: HTTP method.
    Method,
    /// `request.ip`: client address as text.
    Ip,
    /// `request.changed`: names of the stored fields in the body, as the schema writes them
    /// (`seller`, not `seller_id`).
    Changed,
    /// `request.headers["x"]`: lower-case name.
    Header(String),
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum CompareOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// Arithmetic. Overflow and division by zero are unknown. Integer division truncates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ArithmeticOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

/// Macros over relations and lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Quantifier {
    Exists,
    All,
    ExistsOne,
}

/// Aggregates over a relation. `Sum` of nothing is 0, the others (but `Count`) are null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum AggregateFunction {
    Count,
    Sum,
    Min,
    Max,
    Avg,
}

/// Functions on scalars; text compares by bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// `a.startsWith(b)`.
    StartsWith,
    /// `a.endsWith(b)`.
    EndsWith,
    /// `a.contains(b)`.
    Contains,
    /// `a.matches(re)`; the pattern is a literal.
    Matches,
    /// `a.size()`: characters, or bytes.
    Size,
    /// `list.size()` of a stored list.
    Elements,
    /// `a.lowerAscii()`.
    LowerAscii,
    /// `a.upperAscii()`.
    UpperAscii,
    /// `t.getFullYear()` (UTC).
    Year,
    /// `t.getMonth()`, 0 is January, as in CEL (UTC).
    Month,
    /// `t.getDayOfMonth()`, from 0, as in CEL (UTC).
    DayOfMonth,
    /// `t.getDayOfWeek()`, 0 is Sunday (UTC).
    DayOfWeek,
    /// `t.getHours()` (UTC).
    Hours,
    /// `t.getMinutes()` (UTC).
    Minutes,
    /// `t.getSeconds()` (UTC).
    Seconds,
}
