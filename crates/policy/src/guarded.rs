//! [`Guarded`]: proof that the rules were woven in.

use crate::trail::Trail;
use backstay_query::plan::Script;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value;
use std::any::Any;
use std::sync::{Arc, OnceLock};

/// A script with the rules woven in, and the catalog it was resolved against.
/// Its fields are private: only this crate makes one.
/// Cheap to clone, so that it may go to another thread.
#[derive(Debug)]
pub struct Guarded<T> {
    woven: Arc<Woven<T>>,
    given: Option<Arc<[Value]>>,
}

#[derive(Debug)]
struct Woven<T> {
    inner: T,
    catalog: Arc<Catalog>,
    trail: Trail,
    lowered: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl<T> Clone for Guarded<T> {
    fn clone(&self) -> Self {
        Self { woven: Arc::clone(&self.woven), given: self.given.clone() }
    }
}

impl<T> Guarded<T> {
    pub(crate) fn new(inner: T, catalog: Arc<Catalog>, trail: Trail) -> Self {
        let woven = Woven { inner, catalog, trail, lowered: OnceLock::new() };
        Self { woven: Arc::new(woven), given: None }
    }

    /// The same with values in its slots.
    pub(crate) fn with(&self, given: Arc<[Value]>) -> Self {
        Self { woven: Arc::clone(&self.woven), given: Some(given) }
    }

    /// The woven thing.
    #[must_use]
    pub fn inner(&self) -> &T {
        &self.woven.inner
    }

    /// The catalog whose ids it holds.
    #[must_use]
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.woven.catalog
    }

    /// Which rules decided.
    #[must_use]
    pub fn trail(&self) -> &Trail {
        &self.woven.trail
    }

    /// What stands in the slots of its reads, by index.
    #[must_use]
    pub fn given(&self) -> &[Value] {
        self.given.as_deref().unwrap_or_default()
    }

    /// Where the lowering may keep what it made of this, for the next run with other values. None
    /// where there is no next run.
    #[must_use]
    pub fn lowered(&self) -> Option<&OnceLock<Box<dyn Any + Send + Sync>>> {
        self.given.is_some().then_some(&self.woven.lowered)
    }
}

impl Guarded<Script> {
    /// Whether any step may write.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.inner().steps.iter().any(|step| step.query.writes())
    }
}
