//! Where in the stream of writes a caller is, so that a replica may answer those who have
//! seen nothing that it has not. Opaque to everybody but the engine that gave it out.

use backstay_query::reply::Reply;

/// Whose request it is, and what it must not miss.
#[derive(Debug, Clone, Copy)]
pub struct Near<'a> {
    /// Who asks, as any number that is the same for the same caller: after a write on this
    /// node its reads go to the primary for a while.
    pub caller: u128,
    /// The position that an earlier answer bore, as the caller gave it back.
    pub position: Option<&'a str>,
}

/// An answer and the position that a later read of the same caller should show.
#[derive(Debug)]
pub struct Placed {
    /// The answer.
    pub reply: Reply,
    /// None where there are no replicas, or nothing was written.
    pub position: Option<String>,
}
