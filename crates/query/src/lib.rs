//! The query IR. A codec makes a [`named::Query`] (names as the client wrote them);
//! [`resolve`] turns it into a [`plan::Script`] (ids of one catalog, typed values);
//! `policy` weaves the rules in; engines run it and fill a [`reply::Reply`].
//! No SQL, no HTTP, no clock, no rules.

pub mod folding;
pub mod named;
pub mod plan;
pub mod reply;
pub mod resolve;
pub mod visible;
