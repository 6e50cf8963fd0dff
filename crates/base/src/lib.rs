//! What every crate may use: faults with stable codes, secrets, the handles to
//! time and randomness, and the named limits. No I/O, no async, no other crate
//! of the workspace.

pub mod clock;
pub mod code;
pub mod fault;
pub mod ids;
pub mod limit;
pub mod secret;
pub mod suggest;
