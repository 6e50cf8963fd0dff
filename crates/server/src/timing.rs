//! Time per stage of a request, for `Server-Timing`.

use std::fmt::Write;
use std::time::Instant;

/// Marks of one request; reads no clock where nobody asked for them.
pub(crate) struct Timing {
    last: Option<Instant>,
    marks: Vec<(&'static str, u128)>,
}

impl Timing {
    pub(crate) fn start(wanted: bool) -> Self {
        Self { last: wanted.then(Instant::now), marks: Vec::new() }
    }

    /// Ends the stage `name`.
    pub(crate) fn mark(&mut self, name: &'static str) {
        let Some(last) = self.last else { return };
        let now = Instant::now();
        self.marks.push((name, now.duration_since(last).as_micros()));
        self.last = Some(now);
    }

    /// How long the stage `name` took, in microseconds.
    pub(crate) fn of(&self, name: &str) -> Option<u64> {
        let (_, micros) = self.marks.iter().find(|(mark, _)| *mark == name)?;
        u64::try_from(*micros).ok()
    }

    /// The header value; durations in milliseconds.
    pub(crate) fn header(&self) -> Option<String> {
        self.last?;
        let mut text = String::new();
        for (name, micros) in &self.marks {
            let separator = if text.is_empty() { "" } else { ", " };
            let whole = micros / 1000;
            let part = micros % 1000;
            let _ = write!(text, "{separator}{name};dur={whole}.{part:03}");
        }
        Some(text)
    }
}
