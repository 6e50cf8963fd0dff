//! What is wrong with a schema: code, place, cause, fix. Rendered as text for
//! people and as JSON for editors.

pub mod codes;
pub mod render;

use crate::catalog::Span;
use crate::diagnostic::codes::Code;

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

/// Most diagnostics that one run reports; after so many, mending comes first.
pub const MAX_DIAGNOSTICS: usize = 500;

/// The diagnostics of one run.
#[derive(Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    errors: usize,
}

impl Diagnostics {
    /// Adds one; its code says whether it is an error.
    pub fn report(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.add(code, span, message.into(), None);
    }

    /// Adds one with the way to mend it.
    pub fn report_with_help(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(code, span, message.into(), Some(help.into()));
    }

    fn add(&mut self, code: Code, span: Span, message: String, help: Option<String>) {
        let severity = if code.text.starts_with('W') { Severity::Warning } else { Severity::Error };
        let diagnostic = Diagnostic { code: code.text, severity, span, message, help };
        self.push(diagnostic);
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        // an error is never lost to a crowd of remarks
        let room =
            self.list.len() < MAX_DIAGNOSTICS || (self.errors == 1 && diagnostic.severity == Severity::Error);
        if room && !self.list.contains(&diagnostic) {
            self.list.push(diagnostic);
        }
    }

    /// Takes over those of another run that have one of these codes.
    pub fn merge(&mut self, other: Self, codes: &[Code]) {
        for diagnostic in other.list {
            let wanted = codes.iter().any(|code| code.text == diagnostic.code);
            if wanted {
                self.push(diagnostic);
            }
        }
    }

    /// Whether any is an error.
    #[must_use]
    pub const fn failed(&self) -> bool {
        self.errors > 0
    }

    /// All, in order of their place.
    #[must_use]
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|diagnostic| (diagnostic.span.file, diagnostic.span.start, diagnostic.code));
        self.list
    }
}
