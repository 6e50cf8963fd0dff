//! The rule language: Common Expression Language text in, checked [`crate::expr::Expr`]
//! out. Own lexer and parser, types from the catalog, places in the schema file. Knows
//! nothing of SQL and evaluates nothing.

pub mod check;
pub mod lexer;
pub mod parser;
pub mod syntax;
pub mod vocabulary;

use crate::diagnostic::codes::Code;

/// Longest rule, in bytes.
pub const MAX_RULE_BYTES: usize = 16 * 1024;
/// Most parts of one rule as written.
pub const MAX_RULE_NODES: usize = 2_000;
/// Deepest nesting of one rule as written.
pub const MAX_RULE_DEPTH: usize = 40;
/// Most parts of a rule with its named rules put in place.
pub const MAX_EXPANDED_NODES: usize = 5_000;
/// Deepest nesting of a rule with its named rules put in place.
pub const MAX_EXPANDED_DEPTH: usize = 80;
/// Most relations that one path of a rule follows, quantifiers around it included.
pub const MAX_RELATION_HOPS: usize = 4;

/// A mistake in a rule; places are bytes of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// Its code.
    pub code: Code,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl RuleError {
    /// A mistake without advice.
    #[must_use]
    pub fn new(code: Code, start: usize, end: usize, message: impl Into<String>) -> Self {
        Self { code, start, end, message: message.into(), help: None }
    }

    /// Adds advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
