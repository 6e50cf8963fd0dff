//! What the hand-written programs share.

pub mod hand;
