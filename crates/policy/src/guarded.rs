//! [`Guarded`]: proof that the rules were woven in.

use crate::trail::Trail;
use backstay_query::plan::Script;
use backstay_schema::catalog::Catalog;
use std::sync::Arc;

/// A script with the rules woven in, and the catalog it was resolved against.
/// Its fields are private: only this crate makes one.
/// Cheap to clone, so that it may go to another thread.
#[derive(Debug)]
pub struct Guarded<T>(Arc<Woven<T>>);

#[derive(Debug)]
struct Woven<T> {
    inner: T,
    catalog: Arc<Catalog>,
    trail: Trail,
}

impl<T> Clone for Guarded<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Guarded<T> {
    pub(crate) fn new(inner: T, catalog: Arc<Catalog>, trail: Trail) -> Self {
        Self(Arc::new(Woven { inner, catalog, trail }))
    }

    /// The woven thing.
    #[must_use]
    pub fn inner(&self) -> &T {
        &self.0.inner
    }

    /// The catalog whose ids it holds.
    #[must_use]
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.0.catalog
    }

    /// Which rules decided.
    #[must_use]
    pub fn trail(&self) -> &Trail {
        &self.0.trail
    }
}

impl Guarded<Script> {
    /// Whether any step may write.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.0.inner.steps.iter().any(|step| step.query.writes())
    }
}
