//! Leases: a duty that one node has at a time. A lease is a row of the database; the
//! database's clock decides when it ends, so that nodes need not agree on the time and a
//! pooler between them and the database does no harm. Enters: who wants which duty.
//! Leaves: a fence, or who has it. Knows nothing of what the duty is.

/// Name of the table of leases; made when the first one is taken, like the journal's.
///
/// `name` is its key; `holder` (text), `fence` (64-bit integer, rises with every taking and
/// is never set back) and `until` (a timestamp of the database's clock) are never null.
pub const LEASE_TABLE: &str = "_backstay_lease";

/// What a node wants of a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRequest {
    /// The duty, for example `migrate`.
    pub name: String,
    /// Who asks; every node and every run has a name of its own.
    pub holder: String,
    /// What is asked.
    pub action: LeaseAction,
}

/// The ways to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseAction {
    /// Take it if nobody has it: there is no row, or `until` is not later than now. The fence
    /// rises by one (the first is 1). A holder that asks again takes it anew, with a new fence.
    Take {
        /// How long it is held without renewal, in milliseconds.
        ttl_ms: u64,
    },
    /// Keep it: only where holder and fence are still those of the row, ended or not.
    Renew {
        /// The fence that it was taken with.
        fence: i64,
        /// How long it is held from now on, in milliseconds.
        ttl_ms: u64,
    },
    /// Give it back: `until` becomes now where holder and fence are those of the row. The row
    /// stays, because the fence must go on rising.
    Release {
        /// The fence that it was taken with.
        fence: i64,
    },
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseAnswer {
    /// The asker has it (after `Take` and `Renew`).
    Held {
        /// The number that every statement of this duty shows.
        fence: i64,
    },
    /// Somebody else has it, or took it since (after `Take` and `Renew`).
    Taken {
        /// Who.
        holder: String,
        /// Until when, in the canonical text form of a timestamp.
        until: String,
    },
    /// The asker does not have it any more (after `Release`, whoever has it now).
    Released,
}

/// A lease that is held, as the work under it shows it.
///
/// Where definitions are transactional, `Engine::migrate` locks the row (name, fence) at the
/// beginning of its transaction and sets `until` to now + `ttl_ms` at its end; where they are
/// not, it does that before each statement. A row that is not there, or bears another fence, is
/// refused with 55P03 and nothing (more) is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The duty.
    pub name: String,
    /// The number it was taken with.
    pub fence: i64,
    /// How long each sign of life keeps it, in milliseconds.
    pub ttl_ms: u64,
}
