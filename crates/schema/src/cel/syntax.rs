//! The syntax tree of a rule: what is written, before names mean anything.

/// A part of a rule with its place in the rule's text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syntax {
    /// What it is.
    pub kind: SyntaxKind,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Levels below and including this one.
    pub depth: usize,
}

/// The kinds of part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyntaxKind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number as written.
    Int(String),
    /// A number with point or exponent as written.
    Float(String),
    /// A string.
    Text(String),
    /// `[a, b]`.
    List(Vec<Syntax>),
    /// A name.
    Name(String),
    /// `a.name`.
    Member(Box<Syntax>, Word),
    /// `a[b]`.
    Index(Box<Syntax>, Box<Syntax>),
    /// `name(args)` or `receiver.name(args)`.
    Call(Option<Box<Syntax>>, Word, Vec<Syntax>),
    /// `!a`.
    Not(Box<Syntax>),
    /// `-a`.
    Negate(Box<Syntax>),
    /// `a op b`.
    Binary(BinaryOp, Box<Syntax>, Box<Syntax>),
    /// `c ? a : b`.
    If(Box<Syntax>, Box<Syntax>, Box<Syntax>),
}

/// A name with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The name.
    pub text: String,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Binary operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BinaryOp {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

impl BinaryOp {
    /// How it is written.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Rem => "%",
        }
    }

    /// How strongly it binds.
    #[must_use]
    pub const fn strength(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Eq | Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge | Self::In => 3,
            Self::Add | Self::Sub => 4,
            Self::Mul | Self::Div | Self::Rem => 5,
        }
    }
}
