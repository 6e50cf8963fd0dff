//! What stands for spans in a program that was built without the feature `otlp`: there are none.

use anyhow::{Result, bail};
use backstay_server::request_log::Line;

/// There is none.
pub enum Spans {}

impl Spans {
    /// None, where none are asked for.
    ///
    /// # Errors
    /// When they are.
    pub fn start(url: Option<&str>) -> Result<Option<Self>> {
        match url {
            None => Ok(None),
            Some(_) => bail!(
                "[log] otlp is set, and this program was built without it: cargo build --release -p backstay --features otlp"
            ),
        }
    }

    /// Nothing.
    pub fn note(&self, _line: &Line) {
        match *self {}
    }

    /// Nothing.
    pub fn finish(&self) {
        match *self {}
    }
}
