//! What is wrong with a schema: code, place, cause, fix. Rendered as text for
//! people and as JSON for editors.

use crate::catalog::Span;

/// One mistake or remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code, for example `E1203`; see the table in `diagnostic/codes.rs`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// Where.
    pub span: Span,
    /// What is wrong; lower case, no full stop, names the thing.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The schema is refused.
    Error,
    /// The schema works; something looks wrong.
    Warning,
}
