//! [`Capabilities`]: what an engine can do, so that a schema that needs more is refused at start-up.

/// What an engine can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// A migration is all or nothing.
    pub transactional_ddl: bool,
    /// Foreign keys are enforced by the database.
    pub foreign_keys: bool,
    /// CHECK constraints are enforced by the database.
    pub checks: bool,
    /// Writes of several requests may run at the same time.
    pub concurrent_writers: bool,
    /// Other processes may use the same database.
    pub many_nodes: bool,
}
