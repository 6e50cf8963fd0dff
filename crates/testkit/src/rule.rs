//! Random rules over a small world, with a judge of their own: a plain Kleene
//! interpreter that shares no code with the compiler or the evaluator.

pub mod judge;
pub mod random;
pub mod text;
pub mod world;

/// A number that a rule reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Number {
    /// A literal.
    Const(i64),
    /// `this.a`, nullable.
    A(Row),
    /// `this.b`, never null.
    B(Row),
    /// `this.up.a`.
    UpA(Row),
    /// `kid.x`, nullable.
    X(Kid),
    /// `kid.parent.b`.
    ParentB(Kid),
    /// `a + b`.
    Sum(Box<Number>, Box<Number>),
    /// `a / b`: division by zero is unknown.
    Quotient(Box<Number>, Box<Number>),
    /// `this.kids.size()`.
    KidCount(Row),
    /// `this.kids.filter(k, …).size()`.
    KidCountWhere(Row, Kid, Box<Rule>),
    /// `this.kids.map(k, k.x).sum()`.
    KidSum(Row, Kid),
    /// `this.kids.map(k, k.x).max()`: null of nothing.
    KidMax(Row, Kid),
    /// `size(this.tags)`: unknown of null.
    TagCount(Row),
    /// `auth.claims.level`.
    Level,
    /// `c ? a : b`.
    If(Box<Rule>, Box<Number>, Box<Number>),
}

/// A text that a rule reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Word {
    /// A literal.
    Const(&'static str),
    /// `this.c`, nullable.
    C(Row),
    /// `this.d`, never null.
    D(Row),
    /// `kid.y`, nullable.
    Y(Kid),
    /// `this.up.d`.
    UpD(Row),
    /// `auth.role`.
    Role,
    /// `auth.claims.team`.
    Team,
    /// `a + b`.
    Joined(Box<Word>, Box<Word>),
    /// `a.lowerAscii()`.
    Lower(Box<Word>),
}

/// A parent row in scope: `this`, or the variable of a quantifier over parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// `this`.
    This,
    /// `pN`.
    Var(u32),
}

/// A kid row in scope: the variable of a quantifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kid(pub u32);

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// Quantifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Each {
    Exists,
    All,
    ExistsOne,
}

/// Tests of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Has {
    StartsWith,
    EndsWith,
    Contains,
}

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// `true`, `false`.
    Const(bool),
    /// `this.f`, a nullable boolean.
    Flag(Row),
    /// `kid.g`, a nullable boolean.
    KidFlag(Kid),
    /// `!r`.
    Not(Box<Rule>),
    /// `a && b`.
    And(Box<Rule>, Box<Rule>),
    /// `a || b`.
    Or(Box<Rule>, Box<Rule>),
    /// `c ? a : b`.
    If(Box<Rule>, Box<Rule>, Box<Rule>),
    /// Numbers compared.
    Numbers(Op, Number, Number),
    /// Texts compared.
    Words(Op, Word, Word),
    /// A number with null.
    NumberIsNull(bool, Number),
    /// A text with null.
    WordIsNull(bool, Word),
    /// `x in [..]`; a none stands for null.
    NumberIn(Number, Vec<Option<i64>>),
    /// `x in [..]`.
    WordIn(Word, Vec<&'static str>),
    /// `x in auth.claims.groups`.
    WordInGroups(Word),
    /// `auth.claims.groups.exists(g, g == x)`.
    GroupsExist(Each, Word),
    /// A test of text.
    Text(Has, Word, Word),
    /// `this.owner == auth.user`.
    Mine(Row),
    /// `this.owner == null`.
    OwnerIsNull(bool, Row),
    /// `this.owner.team == auth.user.team`, a nullable column of an account's row.
    SameTeam(Row),
    /// `this.up == null`.
    UpIsNull(bool, Row),
    /// `this.up.owner == auth.user`.
    UpMine(Row),
    /// `this.kids.exists(k, …)`.
    Kids(Each, Row, Kid, Box<Rule>),
    /// `this.downs.all(p, …)`: parents below this one.
    Downs(Each, Row, Row, Box<Rule>),
    /// `this.friends.exists(p, …)`: n-n.
    Friends(Each, Row, Row, Box<Rule>),
    /// `x in this.kids.map(k, k.x)`.
    InKids(Number, Row, Kid),
    /// `x in this.tags`, a nullable list.
    InTags(Word, Row),
    /// `this.tags.exists(t, t == x)`, `all`.
    Tags(Each, Row, Word),
    /// `this.tags == null`.
    TagsAreNull(bool, Row),
}
