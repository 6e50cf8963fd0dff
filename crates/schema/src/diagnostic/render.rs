//! Diagnostics as text with the source line and a caret, and as JSON lines for
//! editors. Columns count characters from 1.

use crate::catalog::Span;
use crate::compile::SourceFile;
use crate::diagnostic::{Diagnostic, Severity, codes};
use serde::Serialize;

/// A place as people count: lines and columns from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

/// The place of a byte of a text.
#[must_use]
pub fn place(text: &str, offset: u32) -> Place {
    let mut end = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = text.get(..end).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(line_start..).map_or(0, |line| line.chars().count());
    Place { line: before.matches('\n').count() + 1, column: column + 1 }
}

/// All diagnostics as text for a terminal, without colours.
#[must_use]
pub fn text(diagnostics: &[Diagnostic], files: &[SourceFile]) -> String {
    diagnostics.iter().map(|diagnostic| one(diagnostic, files)).collect::<Vec<_>>().join("\n")
}

fn source(span: Span, files: &[SourceFile]) -> (&str, &str) {
    files.get(usize::from(span.file)).map_or(("schema", ""), |file| (file.name.as_str(), file.text.as_str()))
}

fn one(diagnostic: &Diagnostic, files: &[SourceFile]) -> String {
    let word = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let (name, text) = source(diagnostic.span, files);
    let start = place(text, diagnostic.span.start);
    let end = place(text, diagnostic.span.end.max(diagnostic.span.start));
    let line = text.lines().nth(start.line - 1).unwrap_or("").trim_end();
    let width = start.line.to_string().len();
    let line_len = line.chars().count();
    let carets = if end.line == start.line {
        end.column.saturating_sub(start.column)
    } else {
        (line_len + 1).saturating_sub(start.column)
    };
    let indent: String =
        line.chars().take(start.column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let mut out = format!("{word}[{}]: {}\n", diagnostic.code, diagnostic.message);
    out.push_str(&format!("{:width$}--> {name}:{}:{}\n", "", start.line, start.column));
    out.push_str(&format!("{:width$} |\n{} | {line}\n", "", start.line));
    out.push_str(&format!("{:width$} | {indent}{}\n", "", "^".repeat(carets.max(1))));
    if let Some(help) = &diagnostic.help {
        out.push_str(&format!("{:width$} = help: {help}\n", ""));
    }
    out
}

#[derive(Serialize)]
struct Line<'a> {
    code: &'a str,
    severity: &'a str,
    title: &'a str,
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    message: &'a str,
    help: Option<&'a str>,
}

/// All diagnostics as a JSON array.
#[must_use]
pub fn json(diagnostics: &[Diagnostic], files: &[SourceFile]) -> String {
    let lines: Vec<Line<'_>> = diagnostics
        .iter()
        .map(|diagnostic| {
            let (file, text) = source(diagnostic.span, files);
            let start = place(text, diagnostic.span.start);
            let end = place(text, diagnostic.span.end);
            Line {
                code: diagnostic.code,
                severity: match diagnostic.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                },
                title: codes::find(diagnostic.code).map_or("", |code| code.title),
                file,
                line: start.line,
                column: start.column,
                end_line: end.line,
                end_column: end.column,
                message: &diagnostic.message,
                help: diagnostic.help.as_deref(),
            }
        })
        .collect();
    serde_json::to_string(&lines).unwrap_or_else(|_| "[]".to_owned())
}
