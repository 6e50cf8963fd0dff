//! [`Broken`]: databases that are not well.

use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_engine::capabilities::Capabilities;
use backstay_engine::lease::{LeaseAnswer, LeaseRequest};
use backstay_engine::live::Live;
use backstay_engine::migration::{Batch, JournalRow};
use backstay_engine::{Engine, Work};
use backstay_policy::guarded::Guarded;
use backstay_query::plan::Script;
use backstay_query::reply::Reply;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// It answers with a fault.
    Refuses,
    /// It never answers.
    IsSilent,
    /// It reads, and its last commit failed.
    IsFenced,
}

fn down<'a, T: 'a>() -> Work<'a, T> {
    Box::pin(async { Err(Fault::new(code::NO_DATABASE, "the database is down")) })
}

impl Engine for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            transactional_ddl: false,
            foreign_keys: false,
            checks: false,
            concurrent_writers: false,
            many_nodes: false,
        }
    }

    fn run<'a>(&'a self, _: &'a Guarded<Script>) -> Work<'a, Reply> {
        down()
    }

    fn trouble(&self) -> Option<&'static str> {
        Some("fenced")
    }

    fn introspect(&self) -> Work<'_, Live> {
        down()
    }

    fn journal(&self) -> Work<'_, Vec<JournalRow>> {
        match self {
            Self::Refuses => down(),
            Self::IsSilent => Box::pin(std::future::pending()),
            Self::IsFenced => Box::pin(async { Ok(Vec::new()) }),
        }
    }

    fn lease<'a>(&'a self, _: &'a LeaseRequest) -> Work<'a, LeaseAnswer> {
        down()
    }

    fn migrate<'a>(&'a self, _: &'a Batch) -> Work<'a, ()> {
        down()
    }

    fn rehearse<'a>(&'a self, _: &'a [String]) -> Work<'a, Live> {
        down()
    }
}
