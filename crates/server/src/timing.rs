//! Time per stage of a request, for `Server-Timing`.

use std::fmt::Write;
use std::time::Instant;

/// Marks of one request.
pub(crate) struct Timing {
    last: Instant,
    marks: Vec<(&'static str, u128)>,
}

impl Timing {
    pub(crate) fn start() -> Self {
        Self { last: Instant::now(), marks: Vec::new() }
    }

    /// Ends the stage `name`.
    pub(crate) fn mark(&mut self, name: &'static str) {
        let now = Instant::now();
        self.marks.push((name, now.duration_since(self.last).as_micros()));
        self.last = now;
    }

    /// The header value; durations in milliseconds.
    pub(crate) fn header(&self) -> String {
        let mut text = String::new();
        for (name, micros) in &self.marks {
            let separator = if text.is_empty() { "" } else { ", " };
            let whole = micros / 1000;
            let part = micros % 1000;
            let _ = write!(text, "{separator}{name};dur={whole}.{part:03}");
        }
        text
    }
}
