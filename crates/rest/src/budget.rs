//! [`Budget`]: how much of depth, nodes and list length a request may still use.

use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;

/// Counts what one request asks for against the limits.
#[derive(Debug)]
pub(crate) struct Budget<'a> {
    limits: &'a Limits,
    nodes: usize,
}

impl<'a> Budget<'a> {
    pub(crate) const fn new(limits: &'a Limits) -> Self {
        Self { limits, nodes: 0 }
    }

    /// One more filter, column, sort key or embed.
    pub(crate) fn node(&mut self) -> Result<(), Fault> {
        self.nodes += 1;
        within(self.nodes, self.limits.nodes, "filters, columns and embeds")
    }

    /// Nesting has reached this depth.
    pub(crate) fn depth(&self, depth: usize) -> Result<(), Fault> {
        within(depth, self.limits.depth, "levels of nesting")
    }

    /// A list has reached this length.
    pub(crate) fn list(&self, length: usize) -> Result<(), Fault> {
        within(length, self.limits.list, "elements of a list")
    }
}

/// 54001 when `used` passes `limit`.
pub(crate) fn within(used: usize, limit: usize, what: &str) -> Result<(), Fault> {
    if used <= limit {
        return Ok(());
    }
    Err(Fault::new(code::TOO_COMPLEX, format!("request passes the limit of {limit} {what}"))
        .with_hint("split the request into smaller ones"))
}
