//! What the commands say: text for people or JSON for programs. Data goes to
//! standard output, remarks to standard error; colours only to a terminal.

use std::io::{IsTerminal, Write};

/// How to speak.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// JSON, one value per line.
    pub json: bool,
    /// Colours on standard output.
    pub colour: bool,
}

impl Output {
    /// By the flags and what standard output is.
    #[expect(
        clippy::disallowed_methods,
        reason = "NO_COLOR and TERM belong to the terminal, not to the project"
    )]
    pub fn new(json: bool) -> Self {
        let plain =
            std::env::var_os("NO_COLOR").is_some() || std::env::var("TERM").is_ok_and(|term| term == "dumb");
        Self { json, colour: !json && !plain && std::io::stdout().is_terminal() }
    }

    /// A line of data. A reader that went away is no failure.
    pub fn data(self, text: &str) {
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }

    /// A JSON value of data.
    pub fn value(self, value: &serde_json::Value) {
        self.data(&value.to_string());
    }

    /// A remark for the person.
    pub fn remark(self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// `text` in a colour, when there are colours.
    pub fn paint(self, colour: Colour, text: &str) -> String {
        if self.colour { format!("\u{1b}[{}m{text}\u{1b}[0m", colour as u8) } else { text.to_owned() }
    }
}

/// Colours that any terminal has.
#[derive(Debug, Clone, Copy)]
pub enum Colour {
    /// Refusals.
    Red = 31,
    /// What went well.
    Green = 32,
    /// Remarks.
    Yellow = 33,
    /// What is less important.
    Grey = 90,
    /// Names.
    Bold = 1,
}

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All well.
    Ok = 0,
    /// Something failed.
    Failure = 1,
    /// A check found problems.
    Problems = 3,
    /// A person must say yes first.
    NeedsConsent = 4,
}
