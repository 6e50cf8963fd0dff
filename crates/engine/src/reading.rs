//! [`Reading`]: a number that a part of the server tells of itself while it runs. The names
//! are fixed when the program is built; nothing of a request is ever in one.

/// How a number moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, from zero at the start.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// One number, as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Its name, with the unit at the end (`…_seconds`, `…_total` of a counter).
    pub name: &'static str,
    /// What it counts.
    pub help: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// What it is.
    pub value: u64,
}

impl Reading {
    /// A number that only grows.
    #[must_use]
    pub const fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, kind: Kind::Counter, value }
    }

    /// A number that goes up and down.
    #[must_use]
    pub const fn gauge(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, kind: Kind::Gauge, value }
    }
}
