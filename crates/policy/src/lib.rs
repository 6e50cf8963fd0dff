//! The rules. [`weave::weave`] is the only way from a resolved script and a caller
//! to something that an engine runs; [`weave::system`] is the one bypass.

pub mod caller;
mod columns;
mod compile;
pub mod constant;
pub mod evaluate;
pub mod limit;
mod paths;

pub mod guarded;
pub mod signup;
pub mod trail;
mod valid;
pub mod visible;
pub mod weave;
